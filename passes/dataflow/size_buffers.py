"""`dataflow-size-buffers`: no more room for tokens than a throughput needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, NamedTuple

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, ModuleOp, i64
from xdsl.ir import SSAValue

from snnir.dialects.dataflow import ActorOp, GraphOp, RationalAttr, Use, claimant_of, producer_of
from snnir.dialects.dataflow_actor import TRANSPORT
from snnir.dialects.dataflow_attributes import TokenType, entries
from snnir.dialects.places import place_of
from snnir.frontend.notes import Notes
from snnir.maxplus.buffers import EFFORT, Algorithm, front, smallest_distribution
from snnir.maxplus.distributions import Distribution, size_of
from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.storage import Storage, Store, room_of
from snnir.passes.base import SNNPass, fail, only, positive
from snnir.passes.dataflow.refuse import refuse
from snnir.passes.dataflow.to_schedule import stale
from snnir.passes.dataflow.to_sdf import to_retimed, to_served
from snnir.schedule.guaranteed import guarantee
from snnir.schedule.stages import Retimed
from snnir.schedule.tdma import entrance, latency_rate, responding

_LIMIT = 200_000
"""So many firings of an iteration are analysed again and again in seconds to minutes."""


class _Channel(NamedTuple):
    """A channel whose capacity is to be found: the actor that reads it, as which of its channels, and what it reads."""

    actor: ActorOp
    place: int
    value: SSAValue
    use: Use

    @property
    def token_size(self) -> int:
        """How much memory a token takes, 1 at least."""
        assert isinstance(self.value.type, TokenType)
        return max(1, self.value.type.size.data)


Buffer = list[_Channel]
"""Channels whose tokens take the same room: of a signal that several slices of a crossbar read, each token once.

The one with the largest capacity comes first.
"""


@dataclass(frozen=True)
class DataflowSizeBuffers(SNNPass):
    """Set the smallest capacities with which the graph keeps its period, or reaches the one that is asked for.

    A channel from an actor to itself keeps its capacity, or has none. In the graph of a mapped network, capacities only
    get smaller, as the times of transport depend on them, and what several slices of a crossbar read of a signal counts
    once. What was analysed before is removed.
    """

    name = "dataflow-size-buffers"

    period: str | None = None
    """The longest period of an iteration, `280` or `7/2`; not given: that with the present capacities."""

    throughput: str | None = None
    """The same as iterations per time unit, `1/280`."""

    weight: Literal["tokens", "size"] = "tokens"
    """What is to be small in sum: the number of tokens, or tokens times the size of a token."""

    algorithm: Algorithm = "auto"
    """`exact`: no smaller capacities exist. `incremental`: grown along critical cycles, then cut back; small, for
    graphs of any size. `auto`: exact, unless that takes too long."""

    pareto: bool = False
    """Whether to keep the whole front, from the smallest capacities without deadlock to those that are set, as the
    attribute `pareto` of the graph."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph = only(op, GraphOp, "run convert-cluster-to-dataflow before, or read an application graph")
        buffers = _buffers(graph)
        try:
            # first what is refused at once where there are too many firings
            storage, scale = self._storage(graph, buffers)
            wanted = self._period(graph) * scale
            if self.pareto:
                points, exact = front(storage, wanted, algorithm=self.algorithm)
                chosen = points[-1]
                _keep(graph, points, scale)
                self.statistics["points of the front"] = len(points)
            else:
                start = _present(storage, buffers)
                chosen, exact = smallest_distribution(storage, wanted, start=start, algorithm=self.algorithm)
        except MaxPlusError as error:
            refuse(graph, error, "another period, other rates or more initial tokens may help: docs/maxplus.md")
        self._count("before", buffers)
        stale(graph)
        for store, buffer, capacity in zip(storage.stores, buffers, chosen.capacities, strict=True):
            for reader, channel in zip(store.readers, buffer, strict=True):
                reads = channel.actor.reads
                reads[channel.place] = channel.value, replace(channel.use, capacity=room_of(reader, capacity))
                channel.actor.wire(reads)
        self._count("after", _buffers(graph))
        self.statistics["smallest possible"] = int(exact)
        if not exact and self.algorithm == "auto":
            note = Notes()
            note.add(
                place_of(graph), f"an exact search would take more than {EFFORT} steps; smaller capacities may exist"
            )
            note.show()

    def _period(self, graph: GraphOp) -> Fraction:
        """The period that is asked for."""
        if self.period is not None and self.throughput is not None:
            fail(graph, "both a period and a throughput are given", "one follows from the other: give one")
        given = self.throughput if self.period is None else self.period
        if given is None:
            return guarantee(to_served(to_retimed(graph, with_slices=False), graph), slack=False).period or Fraction(0)
        value = positive(graph, given)
        return value if self.throughput is None else 1 / value

    def _storage(self, graph: GraphOp, buffers: Sequence[Buffer]) -> tuple[Storage, int]:
        """The graph without capacities, a store for each buffer, and how many of its time units are one.

        With slices of wheels, the model of `snnir.schedule.tdma` that may become fastest.
        """
        timed = to_retimed(graph, with_capacities=False, with_slices=False)
        bound = to_served(timed, graph)
        stores = [[self._store(graph, channel, timed) for channel in buffer] for buffer in buffers]
        found = [(Storage(responding(bound), list(map(_together, stores)), _LIMIT), 1)]
        if bound.slices:
            rated, scale = latency_rate(bound)
            late = [
                [replace(store, claimant=entrance(bound, store.owner, store.claimant)) for store in readers]
                for readers in stores
            ]
            found.append((Storage(rated, list(map(_together, late)), _LIMIT), scale))
        return min(found, key=lambda each: each[0].fastest / each[1])

    def _store(self, graph: GraphOp, channel: _Channel, timed: Retimed) -> Store:
        claimant, owner = claimant_of(channel.value).sym_name.data, channel.actor.sym_name.data
        use = channel.use
        return Store(
            claimant,
            owner,
            entries(producer_of(channel.value).made_by_firing(channel.value)),
            entries(use.rate),
            use.tokens,
            # a channel of the configured machine has space for one token more than its delay
            least=use.tokens + 1 if graph.network is not None else 0,
            most=use.capacity if _mapped(graph) else None,
            weight=channel.token_size if self.weight == "size" else 1,
            shift=timed.lag[claimant] - timed.lag[owner],
        )

    def _count(self, when: str, buffers: Sequence[Buffer]) -> None:
        """Note how much space there is, if it is limited."""
        sizes = [(_room(buffer), buffer[0].token_size) for buffer in buffers]
        known = [(capacity, size) for capacity, size in sizes if capacity is not None]
        if len(known) == len(sizes):
            self.statistics[f"tokens {when}"] = sum(capacity for capacity, _ in known)
            self.statistics[f"tokens times size {when}"] = sum(capacity * size for capacity, size in known)


def _together(readers: Sequence[Store]) -> Store:
    """One store for the channels of a buffer."""
    return replace(readers[0], others=tuple(readers[1:]))


def _room(buffer: Buffer) -> int | None:
    """The room of a buffer; None when one of its channels is not limited."""
    capacities = [channel.use.capacity for channel in buffer]
    known = [capacity for capacity in capacities if capacity is not None]
    return max(known) if len(known) == len(capacities) else None


def _mapped(graph: GraphOp) -> bool:
    """Whether a graph has transport, whose times hold for its present capacities and smaller ones."""
    return any(actor.kind.data in TRANSPORT for actor in graph.actors)


def _buffers(graph: GraphOp) -> list[Buffer]:
    """The channels to be sized, in order, those of one buffer together.

    Those without a capacity are left alone in a graph with transport, where the space at the end of the way counts, and
    from an actor to itself.
    """
    mapped = _mapped(graph)
    found: dict[object, Buffer] = {}
    for actor in graph.actors:
        for place, (value, use) in enumerate(actor.reads):
            if use.capacity is not None or not (mapped or claimant_of(value) is actor):
                shared = mapped and graph.network is not None and actor.resource_name is not None
                key = (actor.resource_name, value) if shared else (actor, place)
                found.setdefault(key, []).append(_Channel(actor, place, value, use))
    return [sorted(buffer, key=lambda channel: -(channel.use.capacity or 0)) for buffer in found.values()]


def _present(storage: Storage, buffers: Sequence[Buffer]) -> Distribution | None:
    """The capacities that the channels have, if all of them are limited and the graph runs."""
    capacities = [_room(buffer) for buffer in buffers]
    known = tuple(capacity for capacity in capacities if capacity is not None)
    period = storage.limit(known).period if len(known) == len(capacities) else None
    return None if period is None else Distribution(known, size_of(storage, known), period)


def _keep(graph: GraphOp, points: Sequence[Distribution], scale: int) -> None:
    """The front as an attribute: for each point the sum of the capacities, and the period that it reaches."""
    graph.attributes["pareto"] = ArrayAttr(
        DictionaryAttr({"size": IntegerAttr(point.size, i64), "period": RationalAttr(point.period / scale)})
        for point in points
    )
