"""From a build directory to what run time needs: the arrays of admission, and the package that holds them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute

from snnir.dialects.cluster import ProgramOp
from snnir.dialects.dataflow import GraphOp
from snnir.dialects.dataflow_actor import TRANSPORT, ActorOp
from snnir.dialects.dataflow_attributes import TokenType
from snnir.dialects.dataflow_verifier import fire_once
from snnir.dialects.platform import Machine as Target
from snnir.errors import SnnirError
from snnir.flow.directory import MACHINE, read_manifest, read_stage
from snnir.machine.configuration import CONFIG_FILE, load
from snnir.machine.parts import UNIT_SECONDS, Configuration
from snnir.maxplus.errors import Deadlock
from snnir.passes.activity import Assumption, NetworkActivity
from snnir.passes.base import machine, only, program
from snnir.passes.dataflow.convert_cluster_to_dataflow import load_of, slice_names
from snnir.passes.dataflow.to_sdf import to_sdf
from snnir.runtime.application import Actors, Application, Constraints
from snnir.runtime.consistency import actors_of, channels_of, clusters_of
from snnir.runtime.distances import distances
from snnir.runtime.package import CELLS_FILE, Package, write_package
from snnir.runtime.platform import Platform
from snnir.schedule.single_tile import SingleTile, single_tile

EMITTED = "convert-dataflow-to-crossbar"
"""The pass that replaces network, clusters and graph by the configuration."""
ANALYSED = "dataflow-analyze-throughput"
"""The pass that computes the guarantee."""
_NO_LIMIT = (
    "leave out --package, or compile for another --platform: the same file without table_entries, "
    "where each table is known to hold all that its tile can need"
)
_COMPILE = "compile with the default pipeline: snnc compile MODEL --package FILE.snnpkg -o DIRECTORY"


def package_build(directory: Path, ctx: Context, target: Path, constraints: Constraints) -> Package:
    """Write the package of a build to `target`, whole or not at all.

    Raises `SnnirError` when the build has no guarantee or needs what admission does not know, and when the compiled
    guarantee itself does not meet the constraints.
    """
    manifest = read_manifest(directory)
    names = [stage.name for stage in manifest.stages]
    if EMITTED not in names[1:]:
        raise SnnirError(directory, "the build holds no configured machine", _COMPILE)
    module = read_stage(directory, manifest.stages[names.index(EMITTED, 1) - 1], ctx)
    configuration = load(directory / MACHINE)
    application = application_of(module, configuration, constraints)
    check_constraints(directory, application)
    text = (directory / MACHINE / CONFIG_FILE).read_bytes()
    cells = (directory / MACHINE / CELLS_FILE).read_bytes()
    return write_package(target, application, text, cells)


def check_target(place: object, target: Target | None, passes: Sequence[str], module: ModuleOp) -> None:
    """Raise `SnnirError` when it is plain that a build will have no package; `passes` are the names of its passes."""
    if target is not None and (problem := unknown_to_admission(target)) is not None:
        raise SnnirError(str(place), problem, _NO_LIMIT)
    analysed = any(graph.period is not None for graph in module.body.block.ops if isinstance(graph, GraphOp))
    for name, there in ((ANALYSED, analysed), (EMITTED, False)):
        if name not in passes and not there:
            raise SnnirError(str(place), f"a package needs the pass {name}, which the pipeline leaves out", _COMPILE)


def unknown_to_admission(target: Target) -> str | None:
    """What run time would have to keep account of on a machine, and does not; None: nothing."""
    if target.tiles.table_entries:
        return f"'{target.name}' limits the entries of routing tables, which admission does not count"
    return None


def check_constraints(place: Path, application: Application) -> None:
    """Raise `SnnirError` when the guarantee of the compiler, with nothing else on the machine, is not enough."""
    unit = UNIT_SECONDS[application.platform.machine.time.unit]
    asked = application.constraints
    best, latency = 1 / (application.period * unit), application.latency * unit
    if asked.throughput is not None and best < asked.throughput:
        message = f"{float(asked.throughput):,.0f} steps/s are asked for, and {float(best):,.0f} guaranteed at best"
        raise SnnirError(place, message, "ask for less, or compile for a machine with more or smaller crossbars")
    if asked.latency is not None and latency > asked.latency:
        message = f"a latency of {float(asked.latency):.4g} s is asked for, and {float(latency):.4g} s the least"
        raise SnnirError(place, message, "ask for more, or compile for a machine with more or smaller crossbars")


def application_of(module: ModuleOp, configuration: Configuration, constraints: Constraints) -> Application:
    """The arrays of a module that holds program, clusters and analysed graph, and of the configuration made from it."""
    graph = only(module, GraphOp, f"run {EMITTED} after the analysis")
    target = machine(module)
    _check_graph(graph, configuration)
    assert graph.period is not None
    assert graph.latency is not None
    problem = unknown_to_admission(target)
    if problem is not None:
        raise SnnirError(configuration.path, problem, _NO_LIMIT)
    names = actors_of(configuration)
    arrays = _Arrays(graph, names, configuration)
    actors = arrays.actors(_mean_values(module, graph), _single_tile(graph, configuration))
    channels = channels_of(configuration)
    application = Application(
        name=configuration.name,
        platform=Platform(configuration.machine, target.tiles.routes == "multicast", target.buffers.events),
        clusters=tuple(crossbar.name for crossbar in configuration.crossbars),
        names=names,
        actors=actors,
        channels=channels,
        where=np.array([crossbar.tile for crossbar in configuration.crossbars], np.int64),
        distance=distances(channels, len(names)),
        period=graph.period.data,
        latency=graph.latency.data,
        constraints=constraints,
    )
    problem = application.problem()
    if problem is not None:
        raise SnnirError(configuration.path, f"no application for run time: {problem}", _COMPILE)
    return application


def _check_graph(graph: GraphOp, configuration: Configuration) -> None:
    """The graph must be one of slices, with a guarantee that admission can give again."""
    problems = {
        "the graph is that of the published work, not the machine's": any(
            actor.kind.data == "task" for actor in graph.actors
        ),
        "actors fire several times per step": not fire_once(graph.actors),
        "crossbars are shared in slices of a wheel": any(order.turn is not None for order in graph.orders),
        "nothing limits the throughput: all times are 0": graph.unbounded is not None,
        "the build has no guarantee": graph.period is None or graph.latency is None,
    }
    for problem, found in problems.items():
        if found:
            raise SnnirError(configuration.path, problem, _COMPILE)


def _single_tile(graph: GraphOp, configuration: Configuration) -> SingleTile:
    """The single-tile order of the graph's own orders."""
    starts = {a.sym_name.data: Fraction(0) if a.start is None else a.start.data for a in graph.actors}
    orders = [list(zip(order.names, order.lags, strict=True)) for order in graph.orders]
    period = Fraction(1) if graph.period is None else graph.period.data
    try:
        return single_tile(to_sdf(graph, with_orders=False), orders, starts, period)
    except Deadlock as error:
        raise SnnirError(configuration.path, str(error), "run dataflow-schedule") from None


def _mean_values(module: ModuleOp, graph: GraphOp) -> dict[str, Fraction]:
    """Values in a token of each input and slice, expected."""
    clusters = only(module, ProgramOp, "run convert-snn-to-cluster before")
    assumption: Assumption = "peak" if graph.activity.data == "peak" else "worst"
    activity = NetworkActivity(program(module), assumption)
    found = {op.sym_name.data: load_of(op.signal, activity).mean for op in clusters.inputs}
    for cluster in clusters.clusters:
        for name, value in zip(slice_names(cluster), cluster.computed, strict=True):
            found[name] = load_of(value, activity).mean
    return found


@dataclass(frozen=True)
class _Arrays:
    """The actors of a graph but for transport, in the order of `names`."""

    graph: GraphOp
    names: Sequence[str]
    configuration: Configuration

    def actors(self, means: Mapping[str, Fraction], order: SingleTile) -> Actors:
        """Per actor; `means`: expected values in its tokens."""
        ops = {op.sym_name.data: op for op in self.graph.actors if op.kind.data not in TRANSPORT}
        if ops.keys() != set(self.names):
            wrong = sorted(ops.keys() ^ set(self.names))
            message = f"the graph and the configuration differ: {wrong[0]!r} is in one of them only"
            raise SnnirError(self.configuration.path, message, _COMPILE)
        stages = {name: stage for o in self.graph.orders for name, stage in zip(o.names, o.lags, strict=True)}
        place = {name: number for number, name in enumerate(name for name in order.sequence if name in ops)}
        return Actors(
            cluster=clusters_of(self.configuration),
            worst=self._integers({name: op.times[0] for name, op in ops.items()}),
            mean=self._integers({name: op.means[0] for name, op in ops.items()}),
            lag=self._integers(order.lag),
            stage=self._integers({name: stages.get(name, 0) for name in self.names}),
            sequence=self._integers(place),
            flits=self._integers({name: _values(op) + 1 if op.made else 0 for name, op in ops.items()}),
            mean_flits=np.array([float(means[name]) + 1 if ops[name].made else 0.0 for name in self.names]),
        )

    def _integers(self, values: Mapping[str, int]) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.array([values[name] for name in self.names], np.int64)


def _values(actor: ActorOp) -> int:
    """Values in a token that an actor makes, at most."""
    kind: Attribute = actor.made[0].type
    assert isinstance(kind, TokenType)
    return kind.size.data
