"""A dataflow graph as flat lists, for passes that go through all channels of large graphs."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, cast

from xdsl.ir import OpResult

from snnir.dialects.dataflow import GraphOp
from snnir.dialects.dataflow_actor import TRANSPORT, ActorOp
from snnir.dialects.dataflow_attributes import Phases, Use, entries


class Read(NamedTuple):
    """A channel: the numbers of the actor that makes the tokens and of the one that reads them, what the former makes
    in each firing, and the consuming end."""

    producer: int
    consumer: int
    made: Phases
    use: Use


@dataclass(frozen=True, eq=False)
class GraphTable:
    """The actors of a graph in order, and its channels, in the order in which actors read them."""

    graph: GraphOp
    actors: list[ActorOp]
    names: list[str]
    reads: list[Read]

    @staticmethod
    def of(graph: GraphOp) -> "GraphTable":
        """The table of a graph, as it is now."""
        actors = graph.actors
        numbers = {actor: number for number, actor in enumerate(actors)}
        rates = [[rate.data for rate in actor.rates.data] for actor in actors]
        reads: list[Read] = []
        for number, actor in enumerate(actors):
            for value, end in zip(actor.operands, actor.channels.data, strict=True):
                result = cast(OpResult, value)
                producer = numbers[cast(ActorOp, result.op)]
                reads.append(Read(producer, number, rates[producer][result.index], end.data))
        return GraphTable(graph, actors, [actor.sym_name.data for actor in actors], reads)

    @cached_property
    def claimants(self) -> list[int]:
        """The actor that claims the space for the tokens of each one: the first before all transport."""
        before = list(range(len(self.actors)))
        for producer, consumer, _, _ in self.reads:
            if self.actors[consumer].kind.data in TRANSPORT and before[consumer] == consumer:
                before[consumer] = producer
        found = list(before)
        while found != (further := [found[number] for number in found]):
            found = further
        return found

    @cached_property
    def resources(self) -> list[str | None]:
        """The crossbar or tile of each actor."""
        return [actor.resource_name for actor in self.actors]

    @property
    def fire_once(self) -> bool:
        """Whether it is plain that an iteration is one firing of each actor, as `dataflow_verifier.fire_once` says."""
        if any(isinstance(actor.time.data, tuple) for actor in self.actors):
            return False
        if any(actor.mean is not None and isinstance(actor.mean.data, tuple) for actor in self.actors):
            return False
        return all(not isinstance(use.rate, tuple) and use.rate == made for _, _, made, use in self.reads)

    @property
    def waits(self) -> tuple[list[int], list[int]]:
        """Producers and consumers of the channels without enough initial tokens for each firing of an iteration."""
        short = [(p, c) for p, c, _, use in self.reads if use.tokens < max(entries(use.rate))]
        return [producer for producer, _ in short], [consumer for _, consumer in short]
