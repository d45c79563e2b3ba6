"""Flows on round-robin links, executed one flit at a time: what `snnir.schedule.links` bounds."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heappop, heappush
from random import Random

from snnir.maxplus.sdf import Actor, Channel, SDFGraph
from snnir.schedule.links import Leads, Links, Way

Wait = tuple[int, int, int]
"""(flow, way, tokens): token k of the flow is not made before token k - tokens has arrived over the way."""


@dataclass
class Traffic:
    """Flows, and when they may send what. `sizes[f][k]`: flits of token k of flow f; `pauses[f][k]`: how much later
    than it could be it is made."""

    links: Links
    waits: Sequence[Wait]
    sizes: Sequence[Sequence[int]]
    pauses: Sequence[Sequence[int]]

    def leads(self) -> Leads:
        """Of the graph with an actor for each flow, and `send` and `carry` for each way."""
        flows, ways = range(len(self.sizes)), range(len(self.links.ways))
        actors = [Actor(f"flow{f}", 0) for f in flows] + [Actor(f"send{w}", 1) for w in ways]
        actors += [Actor(f"carry{w}", 1, None) for w in ways]
        channels = [Channel(f"flow{way.flow}", f"send{w}") for w, way in enumerate(self.links.ways)]
        channels += [Channel(f"send{w}", f"carry{w}") for w in ways]
        channels += [Channel(f"carry{way}", f"flow{flow}", tokens=tokens) for flow, way, tokens in self.waits]
        names = [f"flow{f}" for f in flows], [f"carry{w}" for w in ways]
        return Leads(SDFGraph(tuple(actors), tuple(channels)), self.links.ways, *names)


class Run:
    """`made[f][k]`, `arrived[w][k]`: when token k of a flow was made, and when it had arrived over a way."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic, self.links = traffic, traffic.links
        self.now, self.number = 0, 0
        self.events: list[tuple[int, int, Callable[[], None]]] = []
        self.made: list[list[int]] = [[] for _ in traffic.sizes]
        self.coming = [False for _ in traffic.sizes]
        self.arrived: list[list[int]] = [[] for _ in self.links.ways]
        self.queues: list[dict[int, deque[bool]]] = [{f: deque() for f in flows} for flows in self.links.flows]
        self.turn = [0] * len(self.queues)
        self.busy = [False] * len(self.queues)
        self.following: dict[tuple[int, int], dict[tuple[str, int], None]] = {}
        for number, way in enumerate(self.links.ways):
            ends = [("link", link) for link in way.links[1:]] + [("end", number)]
            for link, after in zip(way.links, ends, strict=True):
                self.following.setdefault((way.flow, link), {})[after] = None
        self.work()

    def at(self, time: int, action: Callable[[], None]) -> None:
        self.number += 1
        heappush(self.events, (time, self.number, action))

    def work(self) -> None:
        while True:
            while self.events and self.events[0][0] == self.now:
                heappop(self.events)[2]()
            for flow in range(len(self.made)):
                self.make(flow)
            if self.events and self.events[0][0] == self.now:
                continue
            for link in range(len(self.queues)):
                self.serve(link)
            if not self.events:
                return
            self.now = self.events[0][0]

    def make(self, flow: int) -> None:
        """Make the next token of a flow, after a pause, when what it waits for is there."""
        k, sizes = len(self.made[flow]), self.traffic.sizes[flow]
        ready = all(len(self.arrived[w]) > k - tokens for f, w, tokens in self.traffic.waits if f == flow)
        if k < len(sizes) and ready and not self.coming[flow]:
            self.coming[flow] = True
            self.at(self.now + self.traffic.pauses[flow][k], partial(self.send, flow, sizes[k]))

    def send(self, flow: int, size: int) -> None:
        self.coming[flow] = False
        self.made[flow].append(self.now)
        first = next(way.links[0] for way in self.links.ways if way.flow == flow)
        self.queues[first][flow].extend([False] * (size - 1) + [True])

    def serve(self, link: int) -> None:
        if self.busy[link]:
            return
        flows = list(self.queues[link])
        for step in range(len(flows)):
            place = (self.turn[link] + step) % len(flows)
            if self.queues[link][flows[place]]:
                marker = self.queues[link][flows[place]].popleft()
                self.turn[link], self.busy[link] = place + 1, True
                self.at(self.now + self.links.flit[link], partial(self.served, link, flows[place], marker))
                return

    def served(self, link: int, flow: int, marker: bool) -> None:
        self.busy[link] = False
        for kind, number in self.following[flow, link]:
            if kind == "link":
                self.at(self.now + self.links.hop[link], partial(self.queues[number][flow].append, marker))
            else:
                self.at(self.now + self.links.hop[link], partial(self.arrive, number, marker))

    def arrive(self, way: int, marker: bool) -> None:
        if marker:
            self.arrived[way].append(self.now)


def random_traffic(random: Random, tokens: int = 12) -> Traffic:
    """Two to four flows, each with its own first and last link, one of them maybe shared, and some in between."""
    count = random.randint(2, 4)
    between = random.randint(0, 2)
    inject, eject = random.random() < 0.5, random.random() < 0.5
    middle = list(range(between))
    ways: list[Way] = []
    for flow in range(count):
        first = between if inject else between + flow
        last = between + count if eject else between + count + flow
        ways.append(Way(flow, (first, *middle, last)))
        if random.random() < 0.2:  # a tree: its ways part after the links in the middle
            ways.append(Way(flow, (first, *middle, between + 2 * count + flow)))
    size = between + 3 * count
    flits = [random.choice([1, 2, 3, 5, 8, 13]) for _ in range(count)]
    links = Links([random.choice([1, 1, 2, 3]) for _ in range(size)], random.choices([0, 1, 4], k=size), flits, ways)
    waits = [
        (flow, way, random.randint(1, 4)) for flow in range(count) for way in range(len(ways)) if random.random() < 0.6
    ]
    kind = random.choice(["most", "any", "ends"])
    pause = random.choice([[0], [0, 0, 0, 30], [0, 1, 2, 3, 5]])
    choices = {most: {"most": [most], "any": range(1, most + 1), "ends": [1, most]}[kind] for most in flits}
    sizes = [random.choices(choices[most], k=tokens) for most in flits]
    return Traffic(links, waits, sizes, [random.choices(pause, k=tokens) for _ in range(count)])


PAUSES = ([0], [0, 0, 0, 30], [0, 1, 2, 3, 5], [20], [10, 10, 60], [40, 90])


def busy_traffic(random: Random) -> Traffic:
    """Traffic whose producers take at least some time, and at most some more."""
    traffic = random_traffic(random, tokens=16)
    pauses = [random.choices(random.choice(PAUSES), k=16) for _ in traffic.sizes]
    # most flows wait for something of others, so that there is something to know of them
    flows, ways = range(len(traffic.sizes)), range(len(traffic.links.ways))
    waits = [(f, w, random.choice([1, 1, 2])) for f in flows for w in ways if random.random() < 0.75]
    return Traffic(traffic.links, waits, traffic.sizes, pauses)
