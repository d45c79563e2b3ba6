"""The machine once more, as plainly as possible: one neuron, one flit, one event at a time, straight from the JSON.

Nothing here comes from `snnir.machine`, so that equality means something.
"""

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache, partial
from itertools import pairwise
from math import ceil
from typing import Any

from machine_builder import Document, expand

Arrays = Mapping[str, Any]
NaiveLink = tuple[str, int, int]
"""Name, time for a flit, hop after it."""
Counts = Mapping[str, Sequence[int]]


def slices_of(document: Document) -> dict[str, tuple[Document, Document]]:
    """name -> (crossbar, slice)."""
    return {part["name"]: (crossbar, part) for crossbar in document["crossbars"] for part in crossbar["slices"]}


def axons(crossbar: Document) -> list[tuple[str, int, int]]:
    """(source, neuron, delay) of each row."""
    return [(g["source"], n, g["delay"]) for g in crossbar["rows"] for n in expand(g["neurons"])]


def naive_run(document: Document, tensors: Arrays, order: Sequence[str], inputs: Arrays) -> dict[str, Any]:
    """Spikes of one sample: signal -> list over steps of lists over neurons. `order` respects zero delays."""
    sizes = {item["name"]: item["size"] for item in document["populations"]}
    steps = len(next(iter(inputs.values())))
    spikes: dict[str, Any] = {name: [[0] * size for _ in range(steps)] for name, size in sizes.items()}
    spikes |= {name: [[int(x) for x in row] for row in array] for name, array in inputs.items()}
    parts = slices_of(document)
    state: dict[tuple[str, int], tuple[float, float]] = {}
    for t in range(steps):
        sums: dict[tuple[str, int], float] = {}
        for name in order:
            crossbar, part = parts[name]
            cells, table = tensors[crossbar["cells"]], axons(crossbar)
            for position, neuron in enumerate(expand(part["neurons"])):
                total = 0.0
                for row in expand(part["rows"]):
                    source, index, delay = table[row]
                    spike = spikes[source][t - delay][index] if t >= delay else 0
                    total += float(cells[row, part["columns"][0] + position]) * spike
                for other in part["partials"]:
                    total += sums[other, neuron]
                if part["kind"] == "partial":
                    sums[name, neuron] = total
                    continue
                key = (part["population"], neuron)
                if key not in state:
                    state[key] = start_of(part["neuron"], tensors, position), 0.0
                state[key], fired = naive_neuron(part, tensors, position, total, state[key])
                spikes[part["population"]][t][neuron] = int(fired)
    return spikes


def start_of(fields: Document, tensors: Arrays, position: int) -> float:
    """The membrane of a neuron before its first step."""
    threshold = fields["threshold"]
    value = float(tensors[threshold][position]) if isinstance(threshold, str) else float(threshold)
    return value / 2 if fields.get("start") == "half" else 0.0


def naive_neuron(
    part: Document, tensors: Arrays, position: int, total: float, state: tuple[float, float]
) -> tuple[tuple[float, float], bool]:
    """One update of one neuron: ((v, i), spike)."""

    def number(value: float | str) -> float:
        return float(tensors[value][position]) if isinstance(value, str) else float(value)

    fields = part["neuron"]
    v, i = state
    current = number(part["scale"]) * total + number(part["bias"])
    if fields["model"] == "cuba_lif":
        new = number(fields["syn_decay"]) * i + number(fields["syn_gain"]) * current
        current = new if fields["order"] == "syn_first" else i
        i = new
    v = number(fields["decay"]) * v + number(fields["gain"]) * current + number(fields["drift"])
    threshold = number(fields["threshold"])
    fired = v >= threshold if fields["compare"] == "ge" else v > threshold
    if fired:
        v = number(fields["v_reset"]) if fields["reset"] == "value" else v - threshold
    return (v, i), fired


def naive_counts(document: Document, spikes: Mapping[str, Any], part: Document, crossbar: Document) -> tuple[Any, Any]:
    """(spikes in, spikes out) per step of a slice."""
    steps = len(next(iter(spikes.values())))
    table = axons(crossbar)
    rows = [table[row] for row in expand(part["rows"])]
    spikes_in = [sum(spikes[s][t - d][n] for s, n, d in rows if t >= d) for t in range(steps)]
    if part["kind"] == "partial":
        return spikes_in, [0] * steps
    return spikes_in, [sum(spikes[part["population"]][t][n] for n in expand(part["neurons"])) for t in range(steps)]


def duration(document: Document, part: Document, n_in: int, n_out: int) -> int:
    """The firing time of a slice, from the formula of the format."""
    time, columns = document["machine"]["time"], part["columns"][1] - part["columns"][0]
    total = time["read"] + time["event"] * n_in + time["convert"] * ceil(columns / time["columns_per_adc"])
    total += time["add"] * columns * len(part["partials"])
    if part["kind"] == "neurons":
        total += time["update"] * columns + time["spike"] * n_out
    return total


def firings_of(crossbar: Document, steps: int) -> deque[tuple[str, int]]:
    """Slices and steps in the order in which a crossbar fires: in round r a slice of stage s for step r - s."""
    stages = crossbar.get("stages", [0] * len(crossbar["order"]))
    rounds = range(steps + max(stages))
    turns = [(name, r - stage) for r in rounds for name, stage in zip(crossbar["order"], stages, strict=True)]
    return deque((name, k) for name, k in turns if 0 <= k < steps)


def flits_of(document: Document, source: str, n_out: int) -> int:
    """Flits of one token: its spikes, or the columns of a partial slice, and the marker."""
    entry = slices_of(document).get(source)
    if entry is not None and entry[1]["kind"] == "partial":
        return entry[1]["columns"][1] - entry[1]["columns"][0] + 1
    return n_out + 1


def ends_of(flow: Document) -> list[Any]:
    """The destinations of a flow."""
    return [flow["to"]] if "path" in flow else flow["to"]


def paths_of(flow: Document) -> list[list[tuple[int, ...]]]:
    """All routers on the way to each destination: a branch goes on from the way that reached its first router."""
    whole: list[list[tuple[int, ...]]] = []
    for branch in [flow["path"]] if "path" in flow else flow["branches"]:
        routers = [tuple(router) for router in branch]
        before = next((way for way in whole if routers[0] in way), routers)
        whole.append(before[: before.index(routers[0])] + routers)
    return whole


def links_of(document: Document, flow: Document) -> list[list[NaiveLink]]:
    """The links on the way to each destination of a flow."""
    machine, time = document["machine"], document["machine"]["time"]
    found: list[list[NaiveLink]] = []
    for to, path in zip(ends_of(flow), paths_of(flow), strict=True):
        start = path[0] if flow["from"] in slices_of(document) else "host"
        end = "host" if to == "host" else path[-1]
        links: list[NaiveLink] = [(f"inject {start}", time["flit"], 0)]
        for a, b in pairwise(path):
            hop = time["hop_x"] if a[0] != b[0] and not machine.get("arity") else time["hop_y"]
            flit = time["flit"]
            width, height = machine.get("chip") or machine["mesh"]
            if (a[0] // width, a[1] // height) != (b[0] // width, b[1] // height) and machine.get("chip"):
                flit = flit if time["chip_flit"] is None else time["chip_flit"]
                hop = hop if time["chip_hop"] is None else time["chip_hop"]
            links.append((f"{a} -> {b}", flit, hop))
        found.append([*links, (f"eject {end}", time["flit"], 0)])
    return found


def way_to(document: Document, source: str, to: Any) -> tuple[int, int]:
    """The flow that goes from a slice or input to a destination, and which of its destinations that is."""
    return next(
        (number, ends_of(flow).index(to))
        for number, flow in enumerate(document["flows"])
        if flow["from"] == source and to in ends_of(flow)
    )


class NaiveLinks:
    """Links that take turns: an event per flit and link, in the order of time."""

    def __init__(self, ways: Sequence[Sequence[Sequence[NaiveLink]]]) -> None:
        self.ways = ways
        """The links on the way to each destination of each flow."""
        self.now = 0
        self.events: list[tuple[int, int, Callable[[], None]]] = []
        self.number = 0
        self.news = True
        """Whether something has happened that an actor may have waited for."""
        self.complete: list[list[list[int]]] = [[[] for _ in way] for way in ways]
        """When each token of each flow was complete at each of its destinations."""
        self.queues: dict[str, dict[int, deque[bool]]] = {}
        self.following: dict[tuple[int, str], list[NaiveLink | int]] = {}
        """Where a flow's flits go on after a link: to links, or to the destination of that number."""
        self.times: dict[str, tuple[int, int]] = {}
        for flow, way in enumerate(self.ways):
            for end, links in enumerate(way):
                for number, (link, *times) in enumerate(links):
                    self.queues.setdefault(link, {})[flow] = deque()
                    self.times[link] = (times[0], times[1])
                    after = links[number + 1] if number + 1 < len(links) else end
                    further = self.following.setdefault((flow, link), [])
                    if after not in further:
                        further.append(after)
        self.last = dict.fromkeys(self.queues, -1)
        self.busy = dict.fromkeys(self.queues, False)
        self.link_flits = dict.fromkeys(self.queues, 0)

    def at(self, time: int, action: Callable[[], None]) -> None:
        self.number += 1
        heapq.heappush(self.events, (time, self.number, action))

    def work(self) -> None:
        """Do everything; at each time, what ends or arrives comes before what starts."""
        while True:
            changed = True
            while changed:
                changed = False
                while self.events and self.events[0][0] == self.now:
                    heapq.heappop(self.events)[2]()
                if self.news:
                    self.news = False
                    changed |= self.react()
                changed |= bool(self.events) and self.events[0][0] == self.now
            for link in self.queues:
                self.try_serve(link)
            if not self.events:
                break
            self.now = self.events[0][0]

    def react(self) -> bool:
        """Start what can start now that something has happened; whether anything did."""
        return False

    def enqueue(self, flow: int, flits: int) -> None:
        """A token of so many flits, marker included, enters the first link."""
        self.queues[self.ways[flow][0][0][0]][flow].extend([False] * (flits - 1) + [True])

    def try_serve(self, link: str) -> None:
        if self.busy[link]:
            return
        flows = sorted(self.queues[link])
        turns = [flow for flow in flows if flow > self.last[link]] + [flow for flow in flows if flow <= self.last[link]]
        for flow in turns:
            if self.queues[link][flow]:
                marker = self.queues[link][flow].popleft()
                self.last[link], self.busy[link] = flow, True
                self.link_flits[link] += 1
                self.at(self.now + self.times[link][0], partial(self.served, link, flow, marker))
                return

    def served(self, link: str, flow: int, marker: bool) -> None:
        self.busy[link] = False
        for after in self.following[flow, link]:
            if not isinstance(after, int):
                self.at(self.now + self.times[link][1], partial(self.queues[after[0]][flow].append, marker))
            elif marker:
                self.complete[flow][after].append(self.now)
                self.news = True


class NaiveTiming(NaiveLinks):
    """The whole machine: an event per firing and per flit and link."""

    def __init__(self, document: Document, spikes_in: Counts, spikes_out: Counts, steps: int) -> None:
        super().__init__([links_of(document, flow) for flow in document["flows"]])
        self.document, self.spikes_in, self.spikes_out, self.steps = document, spikes_in, spikes_out, steps
        self.parts = slices_of(document)
        self.started: dict[str, list[int]] = {}
        self.ended: dict[str, list[int]] = {}
        self.names = [item["name"] for item in document["inputs"]] + list(self.parts)
        self.sinks = [f"output:{item['name']}" for item in document["outputs"]]
        for name in self.names + self.sinks:
            self.started[name], self.ended[name] = [], []
        self.channels = [
            (c["from"], c["to"] if c["to"] in self.parts else f"output:{c['to']}", c["delay"], c["capacity"])
            for c in document["channels"]
        ]
        self.crossbars = {part["name"]: crossbar for crossbar in document["crossbars"] for part in crossbar["slices"]}
        self.turns = {crossbar["name"]: firings_of(crossbar, steps) for crossbar in document["crossbars"]}
        """The firings of each crossbar in their order; the first one is next."""

    def run(self) -> list[int]:
        """The completion time of each step."""
        self.work()
        return [max(self.ended[sink][k] for sink in self.sinks) for k in range(self.steps)]

    def react(self) -> bool:
        return sum(self.try_fire(name) for name in self.names + self.sinks) > 0

    def tokens(self, source: str, target: str) -> int:
        """How many tokens of `source` have arrived at `target`."""
        to = "host" if target in self.sinks else self.crossbars[target]["tile"]
        if source in self.parts and self.crossbars[source]["tile"] == to:
            return len(self.ended[source])
        flow, end = way_to(self.document, source, to)
        return len(self.complete[flow][end])

    def try_fire(self, name: str) -> bool:
        k = len(self.started[name])
        if k == self.steps or len(self.ended[name]) < k:
            return False
        if name in self.parts and self.turns[self.crossbars[name]["name"]][0] != (name, k):
            return False
        for source, target, delay, capacity in self.channels:
            if target == name and self.tokens(source, target) < k - delay + 1:
                return False
            if source == name and len(self.ended[target]) < k - (capacity - delay) + 1:
                return False
        self.started[name].append(self.now)
        time = 0
        if name in self.parts:
            time = duration(self.document, self.parts[name][1], self.spikes_in[name][k], self.spikes_out[name][k])
        self.at(self.now + time, lambda: self.end(name, k))
        return True

    def end(self, name: str, k: int) -> None:
        self.ended[name].append(self.now)
        self.news = True
        if name in self.parts:
            self.turns[self.crossbars[name]["name"]].popleft()
        for number, flow in enumerate(self.document["flows"]):
            if flow["from"] == name:
                self.enqueue(number, flits_of(self.document, name, self.spikes_out[name][k]))


def worst_case(
    document: Document, peaks_in: Mapping[str, int], peaks_out: Mapping[str, int], steps: int
) -> list[Fraction]:
    """Completion times by the bound of the format: a rate actor with a self loop, then a latency actor, per way."""
    parts = slices_of(document)
    crossbars = {part["name"]: crossbar for crossbar in document["crossbars"] for part in crossbar["slices"]}
    ways = [links_of(document, flow) for flow in document["flows"]]
    shared: dict[str, int] = {}
    for way in ways:
        for link in {link for links in way for link, _, _ in links}:
            shared[link] = shared.get(link, 0) + 1
    outputs = {item["name"] for item in document["outputs"]}

    @cache
    def rate(flow: int, destination: int, k: int) -> int:
        if k < 0:
            return 0
        source = document["flows"][flow]["from"]
        slowest = max(shared[link] * flit for link, flit, _ in ways[flow][destination])
        work = flits_of(document, source, peaks_out[source]) * slowest
        return max(end(source, k), rate(flow, destination, k - 1)) + work

    @cache
    def arrival(source: str, target: str, k: int) -> int:
        to = "host" if target in outputs else crossbars[target]["tile"]
        if source in parts and crossbars[source]["tile"] == to:
            return end(source, k)
        flow, destination = way_to(document, source, to)
        times = [shared[link] * flit for link, flit, _ in ways[flow][destination]]
        hops = sum(hop for _, _, hop in ways[flow][destination])
        return rate(flow, destination, k) + sum(times) + hops - max(times)

    @cache
    def end(name: str, k: int) -> int:
        start = 0
        for channel in document["channels"]:
            if channel["to"] == name and k >= channel["delay"]:
                start = max(start, arrival(channel["from"], name, k - channel["delay"]))
            room = channel["capacity"] - channel["delay"]
            if channel["from"] == name and k >= room:
                start = max(start, end(channel["to"], k - room))
        if name not in parts:
            return start
        turns = list(firings_of(crossbars[name], steps))
        place = turns.index((name, k))
        if place:
            start = max(start, end(*turns[place - 1]))
        return start + duration(document, parts[name][1], peaks_in[name], peaks_out[name])

    return [Fraction(max(end(name, k) for name in outputs)) for k in range(steps)]
