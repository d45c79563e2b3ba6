"""`dataflow-bind`: which tile of an architecture runs each actor, and the connections between them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, IntAttr, ModuleOp, SymbolRefAttr
from xdsl.ir import SSAValue

from snnir.dialects.dataflow import ActorOp, GraphOp
from snnir.dialects.dataflow_actor import producer_of
from snnir.dialects.dataflow_attributes import PhasesAttr, ProcessorAttr, Use
from snnir.maxplus.errors import MaxPlusError
from snnir.passes.base import SNNPass, fail
from snnir.passes.dataflow.to_schedule import actors_by_name, application_of, bits_of, forget, mapped
from snnir.schedule.application import Application
from snnir.schedule.architecture import Architecture, ScheduleError
from snnir.schedule.balance import load_balance
from snnir.schedule.bound import refusal
from snnir.schedule.critical import schedule
from snnir.schedule.deployment import Deployment
from snnir.schedule.tile_binding import read_binding


@dataclass(frozen=True)
class DataflowBind(SNNPass):
    """Put every actor on a tile of the architecture.

    Actors take the time of their tile's type of processor. A channel between tiles goes over an actor of its own, which
    takes the delay of the connection and size / bandwidth for each token; its two buffers are those of the channel. The
    orders and results of before are taken away; `dataflow-schedule` makes the orders.
    """

    name = "dataflow-bind"

    algorithm: Literal["critical", "load-balance", "file"] = "critical"
    """`critical`: ours, a search on the guaranteed throughput along critical cycles. `load-balance`: that of SDF3.
    `file`: as a file says."""

    file: str | None = None
    """For `file`: lines `tile actor actor ...`, as DFSynthesizer's `TileBinding` files."""

    budget: int = 1000
    """For `critical`: how many bindings and orders are evaluated at most."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        graph, architecture = mapped(op)
        if any(actor.resource is not None for actor in graph.actors):
            fail(graph, "actors of this graph are bound already", "start from the graph as it was before")
        application = application_of(graph)
        try:
            binding = self._binding(application, architecture, graph)
            deployment = Deployment(application, architecture)
            reason = refusal(deployment, deployment.vector(binding))
        except (ScheduleError, MaxPlusError) as error:
            fail(graph, str(error), "dataflow-bind needs a live graph and room for it on the tiles")
        if reason:
            fail(graph, reason, "bind these actors otherwise")
        forget(graph)
        _place(graph, deployment, binding)
        self.statistics["tiles"] = len(set(binding.values()))
        self.statistics["connections"] = _connect(graph, deployment, binding)

    def _binding(self, application: Application, architecture: Architecture, graph: GraphOp) -> dict[str, str]:
        if self.algorithm == "load-balance":
            return load_balance(application, architecture)
        if self.algorithm == "critical":
            return schedule(application, architecture, budget=self.budget).binding
        if self.file is None:
            fail(graph, "algorithm=file needs a file", 'give file="binding.txt"')
        try:
            text = Path(self.file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            fail(graph, f"cannot read {self.file}: {error}", "give a text file with lines `tile actor actor ...`")
        return read_binding(text, application.graph, architecture)


def _place(graph: GraphOp, deployment: Deployment, binding: dict[str, str]) -> None:
    for name, actor in actors_by_name(graph).items():
        if name not in binding:
            continue
        processor = deployment.architecture.tile(binding[name]).processor
        actor.resource = SymbolRefAttr(binding[name])
        actor.concurrent = IntAttr(0)
        types = actor.processor_types
        if types:
            # the one that the time is taken from comes first
            ordered = sorted(types, key=lambda each: each.type != processor)
            actor.processors = ArrayAttr(map(ProcessorAttr, ordered))
            actor.time = PhasesAttr(ordered[0].time)
            actor.mean = None


def _connect(graph: GraphOp, deployment: Deployment, binding: dict[str, str]) -> int:
    """Puts an actor into each channel between tiles; how many there are."""
    tiles = deployment.vector(binding)
    crossing, times = deployment.crossing(tiles).tolist(), deployment.transfer(tiles).tolist()
    taken = set(actors_by_name(graph))
    number = made = 0
    for actor in graph.actors:
        reads: list[tuple[SSAValue, Use]] = []
        for value, use in actor.reads:
            if crossing[number] and number in deployment.carriers:
                name = next(n for n in _names(number) if n not in taken)
                taken.add(name)
                block = deployment.blocks[number]
                reads.append(_connection(graph, value, use, name, times[number] * block, block))
                made += 1
            else:
                room = use.capacity if use.memory is None else use.memory
                reads.append((value, replace(use, capacity=room)))
            number += 1
        actor.wire(reads)
    return made


def _names(number: int) -> list[str]:
    return [f"connection_{number}" + "_" * tail for tail in range(number + 64)]


def _connection(graph: GraphOp, value: SSAValue, use: Use, name: str, time: int, block: int) -> tuple[SSAValue, Use]:
    """A connection actor that reads a channel, and how the consumer reads it; blocks of so many tokens go at a time."""
    split = use.source is not None and use.target is not None
    room = use.capacity if use.memory is None else use.memory
    if not split and room is not None and producer_of(value).made_by_firing(value) != block:
        hint = "give it `source` and `target` buffers"
        fail(graph, f"the room of a channel to @{name} counts from end to end, but its rates differ", hint)
    # a buffer from end to end is claimed by the producer: that is what the kind `send` means
    actor = ActorOp("task" if split or room is None else "send", name, time, None, [bits_of(value)], rates=[block])
    graph.body.block.add_op(actor)
    if split:
        actor.wire([(value, Use(block, use.tokens, use.source, use.name))])
        return actor.made[0], Use(use.rate, 0, use.target)
    actor.wire([(value, Use(block, name=use.name))])
    return actor.made[0], Use(use.rate, use.tokens, room)
