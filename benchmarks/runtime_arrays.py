"""From a scheduled module to the arrays of run time, without programming any cell: for applications that are too large
to be emitted for each row of a benchmark."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.cluster import ProgramOp
from snnir.dialects.dataflow import ActorOp, GraphOp, claimant_of
from snnir.dialects.dataflow_actor import TRANSPORT
from snnir.dialects.platform import Machine
from snnir.emit import machine_document
from snnir.passes.base import machine, only
from snnir.passes.dataflow.to_sdf import to_sdf
from snnir.runtime.application import Actors, Application, Channels
from snnir.runtime.distances import distances
from snnir.runtime.platform import Platform
from snnir.schedule.single_tile import single_tile

Integers = NDArray[np.int64]


def platform_of(target: Machine) -> Platform:
    """A machine as run time knows it."""
    more = {"multicast": target.tiles.routes == "multicast", "events": target.buffers.events}
    return Platform.from_json({**machine_document(target), **more})


def application_of(module: ModuleOp, name: str) -> Application:
    """The arrays of a module with placed clusters and a scheduled graph; tokens of the size of the peak on average."""
    graph, clusters = only(module, GraphOp, "schedule"), only(module, ProgramOp, "cluster").clusters
    number = {cluster.sym_name.data: place for place, cluster in enumerate(clusters)}
    ops = _actors(graph)
    names = [op.sym_name.data for op in ops]
    index = {each: place for place, each in enumerate(names)}
    orders = [list(zip(order.names, order.lags, strict=True)) for order in graph.orders]
    single = single_tile(to_sdf(graph, with_orders=False), orders, dict.fromkeys(_all(graph), Fraction(0)), Fraction(1))
    place = {each: where for where, each in enumerate(each for each in single.sequence if each in index)}
    stages = {each: stage for order in orders for each, stage in order}

    def integers(value: Callable[[ActorOp], int]) -> Integers:
        return np.array([value(op) for op in ops], np.int64)

    flits = integers(lambda op: op.made[0].type.size.data + 1 if op.made else 0)
    actors = Actors(
        cluster=integers(lambda op: number[op.resource_name] if op.resource_name is not None else -1),
        worst=integers(lambda op: op.times[0]),
        mean=integers(lambda op: op.means[0]),
        lag=integers(lambda op: single.lag[op.sym_name.data]),
        stage=integers(lambda op: stages.get(op.sym_name.data, 0)),
        sequence=integers(lambda op: place[op.sym_name.data]),
        flits=flits,
        mean_flits=flits.astype(np.float64),
    )
    channels = _channels(ops, index)
    return Application(
        name=name,
        platform=platform_of(machine(module)),
        clusters=tuple(number),
        names=tuple(names),
        actors=actors,
        channels=channels,
        where=np.array([cluster.place.data.tile for cluster in clusters if cluster.place is not None], np.int64),
        distance=distances(channels, len(names)),
        period=Fraction(1) if graph.period is None else graph.period.data,
        latency=Fraction(0) if graph.latency is None else graph.latency.data,
    )


def _all(graph: GraphOp) -> list[str]:
    return [op.sym_name.data for op in graph.actors]


def _actors(graph: GraphOp) -> list[ActorOp]:
    """Inputs, slices, outputs."""
    ops = [op for op in graph.actors if op.kind.data not in TRANSPORT]
    return [op for kind in ("input", "slice", "output") for op in ops if op.kind.data == kind]


def _channels(ops: list[ActorOp], index: dict[str, int]) -> Channels:
    rows: list[tuple[int, int, int, int]] = []
    for op in ops:
        for value, use in op.reads:
            assert use.capacity is not None
            rows.append((index[claimant_of(value).sym_name.data], index[op.sym_name.data], use.tokens, use.capacity))
    return Channels(*np.array(rows, np.int64).T.copy())
