"""`dataflow-bind`: which tile of an architecture runs each actor, and the connections between them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ArrayAttr, IntAttr, ModuleOp, SymbolRefAttr
from xdsl.ir import SSAValue

from snnir.dialects.dataflow import ActorOp, ArchitectureOp, GraphOp
from snnir.dialects.dataflow_actor import producer_of
from snnir.dialects.dataflow_attributes import PhasesAttr, ProcessorAttr, Use
from snnir.dialects.places import place_of
from snnir.errors import SnnirError
from snnir.maxplus.errors import MaxPlusError
from snnir.passes.base import LoweringError, SNNPass, fail
from snnir.passes.dataflow.refuse import refuse
from snnir.passes.dataflow.to_schedule import WAITS, actors_by_name, application_of, bits_of, forget, mapped
from snnir.schedule.application import Application
from snnir.schedule.architecture import Architecture, ScheduleError
from snnir.schedule.balance import load_balance
from snnir.schedule.bound import refusal
from snnir.schedule.critical import schedule
from snnir.schedule.deployment import Deployment
from snnir.schedule.reservations import reserved
from snnir.schedule.tile_binding import BindingError, read_binding


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

    architecture: str | None = None
    """An SDF3 file with the `<architectureGraph>`, where the module holds none."""

    processors: Literal["match", "any"] = "match"
    """`any`: an actor runs on tiles of types that it does not name, too, for the time of the first type it names."""

    transport: Literal["given", "sdf3"] = "given"
    """`sdf3`: channels between tiles get what they do not say, buffers, bandwidth and a size, as in SDF3's flow, and
    their tokens wait for the receiver's slice."""

    budget: int = 1000
    """For `critical`: how many bindings and orders are evaluated at most."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        if self.architecture is not None:
            add_architecture(op, Path(self.architecture))
        graph, architecture = mapped(op)
        if any(actor.resource is not None for actor in graph.actors):
            fail(graph, "actors of this graph are bound already", "start from the graph as it was before")
        if self.budget < 1:
            fail(graph, f"a search of {self.budget} evaluations finds nothing", "give budget=1000")
        if self.file is not None and self.algorithm != "file":
            fail(graph, f"algorithm={self.algorithm} reads no file", "add algorithm=file, or leave out file")
        application = application_of(graph)
        if self.processors == "any":
            application = _anywhere(application, architecture)
        try:
            if self.transport == "sdf3":
                application = reserved(application)
            binding = self._binding(application, architecture, graph)
            deployment = Deployment(application, architecture, waits=self.transport == "sdf3")
            reason = refusal(deployment, deployment.vector(binding))
        except MaxPlusError as error:
            refuse(graph, error)
        except ScheduleError as error:
            _check_processors(graph, application, architecture)
            fail(graph, str(error), "the tiles need a processor for each actor, room, and connections between them")
        if reason:
            _check_processors(graph, application, architecture)
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
        return binding_in(self.file, application, architecture)


def binding_in(file: str, application: Application, architecture: Architecture) -> dict[str, str]:
    """The binding in a file. Raises `LoweringError` with the place in it."""
    try:
        binding = read_binding(Path(file).read_text(encoding="utf-8"), application.graph, architecture)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        hint = "give a text file with lines `tile actor actor ...`"
        raise LoweringError(file, f"cannot be read: {reason}", hint) from None
    except BindingError as error:
        hint = (
            "lines are `tile actor actor ...`, with the names of the graph and of the architecture, or the n of tile_n"
        )
        raise LoweringError(f"{file}:{error.line}", error.message, hint) from None
    missing = [name for name in application.graph.index if name not in binding]
    if missing:
        raise LoweringError(file, f"no tile runs {', '.join(missing[:5])}", "put every actor on the line of a tile")
    return binding


def add_architecture(module: ModuleOp, path: Path) -> None:
    """Put the architecture of an SDF3 file into a module that has none; the rest of the file is left out, with a note.

    Raises `LoweringError` with the place in the file.
    """
    if any(isinstance(op, ArchitectureOp) for op in module.body.block.ops):
        fail(module, "the module holds a dataflow.architecture already", "leave out architecture=..., or that one")
    # frontends are for files: only here does a pass need one
    from snnir.frontend.notes import Notes  # noqa: PLC0415
    from snnir.frontend.options import FrontendOptions  # noqa: PLC0415
    from snnir.frontend.sdf3.reader import read  # noqa: PLC0415

    try:
        found = read(path, FrontendOptions())
    except SnnirError as error:
        raise LoweringError(error.place, error.message, error.hint) from None
    notes = Notes()
    architectures = [op for op in found.body.block.ops if isinstance(op, ArchitectureOp)]
    if not architectures:
        hint = "name the SDF3 file that has the tiles; that of the application is read first"
        raise LoweringError(place_of(found, str(path)), "the file holds no <architectureGraph>", hint)
    if len(found.body.block.ops) > 1:
        notes.add(path, "left out: all but the <architectureGraph>")
    notes.show()
    first = module.body.block.first_op
    architectures[0].detach()
    if first is None:
        module.body.block.add_op(architectures[0])
    else:
        module.body.block.insert_op_before(architectures[0], first)


def _anywhere(application: Application, architecture: Architecture) -> Application:
    """The application with an option for every type of processor of the tiles: the first named, where it has none."""
    types = dict.fromkeys(tile.processor for tile in architecture.tiles)
    options = {
        name: dict.fromkeys(types, next(iter(known.values()))) | dict(known)
        for name, known in application.options.items()
    }
    return replace(application, options=options)


def _check_processors(graph: GraphOp, application: Application, architecture: Architecture) -> None:
    """Say so when an actor names types of processor of which there is no tile: no binding can help."""
    types = dict.fromkeys(tile.processor for tile in architecture.tiles)
    for actor in graph.actors:
        name = actor.sym_name.data
        if name in application.options and not any(each in types for each in application.options[name]):
            named, there = (", ".join(map(repr, each)) for each in (application.options[name], types))
            hint = "correct the type, or let every actor run on every tile for the time it says: processors=any"
            fail(actor, f"@{name} runs on {named}; the tiles of @{architecture.name} have {there}", hint)


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
    """Puts an actor into each channel between tiles, two where tokens wait for a slice; how many channels these are."""
    tiles = deployment.vector(binding)
    crossing, times = deployment.crossing(tiles).tolist(), deployment.transfer(tiles).tolist()
    taken = set(actors_by_name(graph))
    number = made = 0
    for actor in graph.actors:
        reads: list[tuple[SSAValue, Use]] = []
        for value, use in actor.reads:
            if crossing[number] and number in deployment.carriers:
                way, block = deployment.application.transports[number], deployment.blocks[number]
                own = replace(use, source=way.source_room, target=way.target_room)
                name = _free(f"connection_{number}", taken)
                carried, rest = _connection(graph, value, own, name, times[number] * block, block)
                if number in deployment.waiters:
                    name = _free(f"wait_{number}", taken)
                    carried = _waiting(graph, carried, name, binding[actor.sym_name.data], block)
                reads.append((carried, rest))
                made += 1
            else:
                room = use.capacity if use.memory is None else use.memory
                reads.append((value, replace(use, capacity=room)))
            number += 1
        actor.wire(reads)
    return made


def _free(name: str, taken: set[str]) -> str:
    """A name that no actor has; it is taken then."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _waiting(graph: GraphOp, value: SSAValue, name: str, tile: str, block: int) -> SSAValue:
    """What comes out of an actor that lets tokens wait for the slice of a tile, all at the same time."""
    actor = ActorOp("carry", name, 0, None, [bits_of(value)], rates=[block], concurrent=True)
    actor.attributes[WAITS] = SymbolRefAttr(tile)
    graph.body.block.add_op(actor)
    actor.wire([(value, Use(block))])
    return actor.made[0]


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
