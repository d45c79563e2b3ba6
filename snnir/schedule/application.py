"""What is bound: an SDF graph, on which types of processors its actors run, and how its tokens travel between tiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from snnir.maxplus.sdf import Phases, SDFGraph
from snnir.schedule.architecture import ScheduleError


@dataclass(frozen=True)
class Option:
    """An actor on one type of processor: its time there and the memory (bits) that its state takes."""

    time: Phases
    memory: int = 0


@dataclass(frozen=True)
class Transport:
    """How the tokens of a channel get from one tile to another.

    `size`: bits of a token. `bandwidth`: bits per time unit reserved for the channel; None: of what the two network
    interfaces have, the part that the bits of this channel are of those that pass them. `source_room` and
    `target_room`: how many tokens the buffers on the two tiles hold, both or neither given; when not, the room of the
    channel counts from end to end.
    """

    size: int = 0
    bandwidth: Fraction | int | None = None
    source_room: int | None = None
    target_room: int | None = None

    def __post_init__(self) -> None:
        if self.size < 0 or (self.bandwidth is not None and self.bandwidth <= 0):
            raise ScheduleError(f"tokens of {self.size} bits cannot travel at {self.bandwidth} bits per time unit")
        if (self.source_room is None) != (self.target_room is None):
            raise ScheduleError("a channel between tiles has two buffers; the room of one is missing")


@dataclass(frozen=True, eq=False)
class Application:
    """An SDF graph with what binding needs to know.

    `options`: actor -> type of processor -> `Option`; an actor that is not in it runs anywhere, for the time that the
    graph says. `transports`: one for each channel, or none at all. The orders of the graph are not used.
    """

    graph: SDFGraph
    options: Mapping[str, Mapping[str, Option]] = field(default_factory=dict[str, Mapping[str, Option]])
    transports: tuple[Transport, ...] = ()

    def __post_init__(self) -> None:
        unknown = [name for name in self.options if name not in self.graph.index]
        if unknown:
            raise ScheduleError(f"there are times for the unknown actor {unknown[0]}")
        if not self.transports:
            object.__setattr__(self, "transports", (Transport(),) * len(self.graph.channels))
        if len(self.transports) != len(self.graph.channels):
            raise ScheduleError(f"{len(self.transports)} transports for {len(self.graph.channels)} channels")
        for number, (channel, way) in enumerate(zip(self.graph.channels, self.transports, strict=True)):
            if way.source_room is not None and way.source_room < channel.tokens:
                raise ScheduleError(
                    f"the source buffer of channel {number} ({channel.source} -> {channel.target}) holds "
                    f"{way.source_room} tokens, fewer than the {channel.tokens} initial ones"
                )

    def option(self, actor: str, processor: str) -> Option | None:
        """The actor on that type of processor; None when it does not run there."""
        if actor in self.options:
            return self.options[actor].get(processor)
        return Option(self.graph.actors[self.graph.index[actor]].time)
