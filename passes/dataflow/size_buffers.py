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
from snnir.maxplus.analysis import analyze
from snnir.maxplus.buffers import Algorithm, front, smallest_distribution
from snnir.maxplus.distributions import Distribution, size_of
from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.storage import Storage, Store
from snnir.passes.base import SNNPass, fail, only
from snnir.passes.dataflow.to_sdf import to_retimed

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


@dataclass(frozen=True)
class DataflowSizeBuffers(SNNPass):
    """Set the smallest capacities with which the graph keeps its period, or reaches the one that is asked for.

    A channel from an actor to itself keeps its capacity, or has none. In the graph of a mapped network, capacities only
    get smaller, as the times of transport depend on them. What was analysed before is removed.
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
        channels = _channels(graph)
        try:
            wanted = self._period(graph)
            storage = self._storage(graph, channels)
            if self.pareto:
                points, exact = front(storage, wanted, algorithm=self.algorithm)
                chosen = points[-1]
                _keep(graph, points)
                self.statistics["points of the front"] = len(points)
            else:
                start = _present(storage, channels)
                chosen, exact = smallest_distribution(storage, wanted, start=start, algorithm=self.algorithm)
        except MaxPlusError as error:
            fail(graph, str(error), "another period, other rates or more initial tokens may help: docs/maxplus.md")
        self._count("before", channels)
        _forget(graph)
        for channel, capacity in zip(channels, chosen.capacities, strict=True):
            reads = channel.actor.reads
            reads[channel.place] = channel.value, replace(channel.use, capacity=capacity)
            channel.actor.wire(reads)
        self._count("after", _channels(graph))
        self.statistics["smallest possible"] = int(exact)

    def _period(self, graph: GraphOp) -> Fraction:
        """The period that is asked for."""
        if self.period is not None and self.throughput is not None:
            fail(graph, "both a period and a throughput are given", "one follows from the other: give one")
        given = self.throughput if self.period is None else self.period
        if given is None:
            return analyze(to_retimed(graph).graph, slack=False).period or Fraction(0)
        try:
            value = Fraction(given)
        except (ValueError, ZeroDivisionError):
            value = Fraction(0)
        if value <= 0:
            fail(graph, f"'{given}' is no number above 0", "write 280, 7/2 or 0.5")
        return value if self.throughput is None else 1 / value

    def _storage(self, graph: GraphOp, channels: Sequence[_Channel]) -> Storage:
        """The graph without capacities, and a store for each channel."""
        timed = to_retimed(graph, with_capacities=False)
        stores: list[Store] = []
        for channel in channels:
            claimant, owner = claimant_of(channel.value).sym_name.data, channel.actor.sym_name.data
            use = channel.use
            stores.append(
                Store(
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
            )
        return Storage(timed.graph, stores, _LIMIT)

    def _count(self, when: str, channels: Sequence[_Channel]) -> None:
        """Note how much space there is, if it is limited."""
        sizes = [(each.use.capacity, each.token_size) for each in channels]
        known = [(capacity, size) for capacity, size in sizes if capacity is not None]
        if len(known) == len(sizes):
            self.statistics[f"tokens {when}"] = sum(capacity for capacity, _ in known)
            self.statistics[f"tokens times size {when}"] = sum(capacity * size for capacity, size in known)


def _mapped(graph: GraphOp) -> bool:
    """Whether a graph has transport, whose times hold for its present capacities and smaller ones."""
    return any(actor.kind.data in TRANSPORT for actor in graph.actors)


def _channels(graph: GraphOp) -> list[_Channel]:
    """The channels to be sized, in order. Those without a capacity are left alone in a graph with transport, where the
    space at the end of the way counts, and from an actor to itself."""
    mapped = _mapped(graph)
    return [
        _Channel(actor, place, value, use)
        for actor in graph.actors
        for place, (value, use) in enumerate(actor.reads)
        if use.capacity is not None or not (mapped or claimant_of(value) is actor)
    ]


def _present(storage: Storage, channels: Sequence[_Channel]) -> Distribution | None:
    """The capacities that the channels have, if all of them are limited and the graph runs."""
    capacities = [channel.use.capacity for channel in channels]
    known = tuple(capacity for capacity in capacities if capacity is not None)
    period = storage.limit(known).period if len(known) == len(capacities) else None
    return None if period is None else Distribution(known, size_of(storage, known), period)


def _keep(graph: GraphOp, points: Sequence[Distribution]) -> None:
    """The front as an attribute: for each point the sum of the capacities, and the period that it reaches."""
    graph.attributes["pareto"] = ArrayAttr(
        DictionaryAttr({"size": IntegerAttr(point.size, i64), "period": RationalAttr(point.period)}) for point in points
    )


def _forget(graph: GraphOp) -> None:
    """Take away what was analysed with other capacities."""
    graph.period = graph.latency = graph.predicted = graph.simulated = graph.critical = graph.unbounded = None
    for actor in graph.actors:
        actor.start = actor.slack = None
    for order in graph.orders:
        order.utilisation = None
