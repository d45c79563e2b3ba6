"""Several random applications on one machine: side by side, as one configuration, and plainly, flit by flit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, cast

from machine_builder import Builder
from machine_random import add_network, random_builder
from machine_reference import NaiveTiming, firings_of

from snnir.machine import Configuration, Counts
from snnir.machine.parts import Crossbar, RowGroup, Slice

PLACES = 2
"""Crossbars on a tile that a random network may use."""


def random_company(seed: int, floor: str, count: int) -> list[Builder]:
    """So many random networks with crossbars of their own on one random machine."""
    builders = [random_builder(seed, busy_links=True, floor=floor)]
    first = builders[0]
    for number in range(1, count):
        other = Builder(first.mesh, first.host, first.version, first.arity, first.chip, first.multicast)
        other.rows, other.columns, other.weight_bits, other.time = 64, 256, first.weight_bits, first.time
        add_network(other, Random(f"{seed} {number}"), busy_links=True)
        for crossbar in other.crossbars:
            crossbar["index"] += number * PLACES
        builders.append(other)
    for builder in builders:
        builder.per_tile = PLACES * count
    return builders


def merged(configurations: Sequence[Configuration]) -> Configuration:
    """One configuration that consists of several: application `n` has `n:` before each name, flows are in order."""
    renamed = [_renamed(each, f"{number}:") for number, each in enumerate(configurations)]
    fields = ("inputs", "populations", "outputs", "crossbars", "channels", "flows")
    changes: Any = {field: tuple(item for each in renamed for item in getattr(each, field)) for field in fields}
    return replace(configurations[0], **changes)


def merged_counts(all_counts: Sequence[Counts]) -> Counts:
    """The counts of the merged configuration."""
    fields = [
        {f"{n}:{name}": array for n, each in enumerate(all_counts) for name, array in getattr(each, field).items()}
        for field in ("spikes_in", "spikes_out")
    ]
    return Counts(*fields)


def _renamed(configuration: Configuration, mark: str) -> Configuration:
    def group(item: RowGroup) -> RowGroup:
        return replace(item, source=mark + item.source)

    def part(item: Slice) -> Slice:
        partials = tuple(mark + name for name in item.partials)
        return replace(item, name=mark + item.name, population=mark + item.population, partials=partials)

    def crossbar(item: Crossbar) -> Crossbar:
        return replace(
            item,
            name=mark + item.name,
            rows=tuple(map(group, item.rows)),
            slices=tuple(map(part, item.slices)),
            order=tuple(mark + name for name in item.order),
        )

    return replace(
        configuration,
        inputs=tuple(replace(item, name=mark + item.name) for item in configuration.inputs),
        populations=tuple(replace(item, name=mark + item.name) for item in configuration.populations),
        outputs=tuple(replace(o, name=mark + o.name, population=mark + o.population) for o in configuration.outputs),
        crossbars=tuple(map(crossbar, configuration.crossbars)),
        channels=tuple(replace(c, source=mark + c.source, target=mark + c.target) for c in configuration.channels),
        flows=tuple(replace(flow, source=mark + flow.source) for flow in configuration.flows),
    )


def merged_documents(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The same for what `config.json` says."""
    whole: dict[str, Any] = {**documents[0]}
    for field in ("inputs", "populations", "outputs", "crossbars", "channels", "flows"):
        whole[field] = [_marked(item, f"{n}:") for n, each in enumerate(documents) for item in each[field]]
    return whole


def _marked(item: Any, mark: str) -> Any:
    """The document with a mark before all names."""
    if isinstance(item, dict):
        names = ("name", "from", "source", "population", "to")
        known = cast(dict[str, Any], item)
        return {
            key: mark + value if key in names and isinstance(value, str) and value != "host" else _marked(value, mark)
            for key, value in known.items()
        }
    if isinstance(item, list):
        entries = cast(list[Any], item)
        return [mark + each if isinstance(each, str) and each != "host" else _marked(each, mark) for each in entries]
    return item


@dataclass
class Guest:
    """An application of the plain machine: when it comes, its steps, and when it is killed or removed, if ever."""

    start: int
    steps: int
    killed: int | None = None
    removed: int | None = None


class NaiveCompany(NaiveTiming):
    """A merged document in which application `n:` starts at a time of its own and may be stopped."""

    def __init__(self, document: Any, counts: Sequence[Mapping[str, Any]], guests: Sequence[Guest]) -> None:
        super().__init__(document, counts[0], counts[1], 0)
        self.guests = guests
        self.limit = [guest.steps for guest in guests]
        self.turns = {c["name"]: firings_of(c, guests[self.guest(c["name"])].steps) for c in document["crossbars"]}
        self.dead: set[int] = set()
        for number, guest in enumerate(guests):
            self.at(guest.start, self.wake)
            if guest.killed is not None:
                self.at(guest.killed, lambda number=number: self.kill(number))
            if guest.removed is not None:
                self.at(guest.removed, lambda number=number: self.remove(number))

    def guest(self, name: str) -> int:
        """Whose actor, sink or crossbar that is."""
        return int(name.removeprefix("output:").partition(":")[0])

    def wake(self) -> None:
        """Something has happened."""
        self.news = True

    def kill(self, number: int) -> None:
        """Its actors stop, and its flits leave all queues."""
        self.dead.add(number)

    def remove(self, number: int) -> None:
        """Nothing begins a step that none of its actors has begun."""
        begun = max(len(times) for name, times in self.started.items() if self.guest(name) == number)
        self.limit[number] = min(self.limit[number], begun)
        for crossbar in self.document["crossbars"]:
            if self.guest(crossbar["name"]) == number:
                left = self.turns[crossbar["name"]]
                kept = [turn for turn in left if turn[1] < self.limit[number]]
                left.clear()
                left.extend(kept)
        self.news = True

    def try_fire(self, name: str) -> bool:
        number = self.guest(name)
        if number in self.dead or self.now < self.guests[number].start:
            return False
        self.steps = self.limit[number]
        if name in self.parts and not self.turns[self.crossbars[name]["name"]]:
            return False
        return super().try_fire(name)

    def try_serve(self, link: str) -> None:
        for flow, flits in self.queues[link].items():
            if self.guest(self.document["flows"][flow]["from"]) in self.dead:
                flits.clear()
        super().try_serve(link)

    def end(self, name: str, k: int) -> None:
        if self.guest(name) not in self.dead:
            super().end(name, k)

    def served(self, link: str, flow: int, marker: bool) -> None:
        if self.guest(self.document["flows"][flow]["from"]) in self.dead:
            self.busy[link] = False
            return
        super().served(link, flow, marker)

    def finish(self, number: int) -> list[int]:
        """When the steps of an application were complete."""
        ends = [self.ended[sink] for sink in self.sinks if self.guest(sink) == number]
        return [max(times) for times in zip(*ends, strict=False)]
