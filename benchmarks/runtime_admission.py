"""Admission of a large application to a machine that others use, against placing, routing and scheduling it anew.

    python -m benchmarks.runtime_admission [--states 50] [--size 20] [--without-scratch]

A machine of 32x32 tiles with 4 crossbars each, of the kind of samples/platforms/mesh2x2-128.toml with multicast routes.
In each state other applications (mlp784, respclass, lenet28) hold 10 to 50 % of its crossbars, 1 % are faulty; these
ask for 1 to 10 times real time (steps of 1 ms). The
application is alexnet_disco with layers for images of `--size`. *admit*: `snnir.runtime.admission`, milliseconds of a
call that was warmed up; *stored*: its transaction on disk. *scratch*: seconds of placing with the free crossbars of
each tile, routing, building the dataflow graph, scheduling and analysing it. Steps per second: guaranteed by admission,
by admission without headroom, and by the mapping made from scratch; each with the flows of all others on the links, and
with the same bounds. `part`: admitted with headroom / from scratch; `--without-scratch` leaves that out, which takes
some ten seconds a state. The last line: medians of times, means of parts.
"""

import argparse
import math
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from benchmarks.machines import grid, module_of
from benchmarks.runtime_arrays import application_of
from benchmarks.workloads import build
from snnir.dialects.cluster import ProgramOp
from snnir.dialects.cluster_attributes import Place, PlaceAttr
from snnir.dialects.platform import Machine
from snnir.dialects.ways import floor_of as tiles_of
from snnir.machine.parts import UNIT_SECONDS
from snnir.partition.placement import Options, place
from snnir.partition.placement.problem import Problem
from snnir.passes.activity import NetworkActivity
from snnir.passes.base import only, program
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.place import ClusterPlace, crossing_of, nets_of
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.runtime.admission import Offer, Refused, Request, admit
from snnir.runtime.analysis import Graph
from snnir.runtime.application import Application, Constraints
from snnir.runtime.bound import bound
from snnir.runtime.floor import floor_of
from snnir.runtime.platform import Platform
from snnir.runtime.state import FAULTY, State
from snnir.runtime.store import Store
from snnir.runtime.transport import fastest

PER_TILE = 4
OTHERS = ("mlp784", "respclass", "lenet28")
AFTER = (ConvertClusterToDataflow(), DataflowSchedule(), DataflowAnalyzeThroughput(slack=False))


def machine() -> Machine:
    """The machine of the benchmark."""
    target = grid(32, PER_TILE)
    return replace(target, tiles=replace(target.tiles, routes="multicast"))


def compiled(name: str, target: Machine, **options: int) -> tuple[ModuleOp, Application]:
    """A workload, clustered; and as run time knows it after it was placed, routed and scheduled on an empty machine."""
    module = module_of(build(name, activity=8.0, **options), target)
    clustered = module.clone()
    for step in (ConvertSNNToCluster(), ClusterPlace(), ClusterRoute(), *AFTER[:2]):
        step.apply(Context(), module)
    ConvertSNNToCluster().apply(Context(), clustered)
    return clustered, application_of(module, name)


def filled(platform: Platform, others: dict[str, Application], seed: int) -> State:
    """A random state; others ask for 1,000 to 10,000 steps/s, that is up to ten times real time."""
    rng = np.random.default_rng(seed)
    state = State.of(platform)
    state.owner[rng.random(len(state.owner)) < 0.01] = FAULTY
    wanted = rng.uniform(0.1, 0.5)
    refused = 0
    while np.count_nonzero(state.owner >= 0) < wanted * len(state.owner) and refused < 5:
        name = OTHERS[int(rng.integers(len(OTHERS)))]
        rate = Fraction(int(rng.integers(1, 11)) * 1000)
        try:
            offer = admit(state, others[name], name, Request(f"{name}.{state.next}", Constraints(rate)))
        except Refused:
            refused += 1
            continue
        state.add(offer.resident)
        if rng.random() < 0.2:
            state.remove(list(state.residents)[int(rng.integers(len(state.residents)))])
    return state


def from_scratch(clustered: ModuleOp, target: Machine, state: State) -> tuple[float, Fraction]:
    """Seconds from clusters to an analysed schedule on the free crossbars, and the period with the flows of others."""
    module = clustered.clone()
    clusters = only(module, ProgramOp, "clusters")
    start = time.perf_counter()
    nets = nets_of(clusters, NetworkActivity(program(module), "peak"))
    count = len(clusters.clusters)
    free = state.free.reshape(-1, PER_TILE).sum(axis=1).astype(float)
    work = np.array([cluster.rows + cluster.columns for cluster in clusters.clusters], float)
    limits = {"free crossbars": (np.ones(count), free)}
    problem = Problem.of(tiles_of(target), nets, count, work=work, crossing=crossing_of(target), limits=limits)
    tiles = place(problem, "springs", Options(cost="multicast"))
    empty = {tile: np.flatnonzero(state.free[tile * PER_TILE :][:PER_TILE]).tolist() for tile in set(tiles.tolist())}
    crossbars = np.array([tile * PER_TILE + empty[tile].pop(0) for tile in tiles.tolist()])
    for cluster, number in zip(clusters.clusters, crossbars.tolist(), strict=True):
        tile, within = divmod(number, PER_TILE)
        cluster.place = PlaceAttr(Place(tiles_of(target).router(tile), within))
    for step in (ClusterRoute(), *AFTER):
        step.apply(Context(), module)
    seconds = time.perf_counter() - start
    made = application_of(module, "scratch")
    found = bound(made, floor_of(state.platform), crossbars, PER_TILE, multicast=True)
    return seconds, fastest(Graph.of(found), state.flows + found.flows).found.period


@dataclass(frozen=True)
class Row:
    """What one state gave; rates in steps per second."""

    admit: float
    stored: float
    scratch: float
    rate: float
    tight: float
    anew: float


def measure(state: State, application: Application, clustered: ModuleOp | None, target: Machine) -> Row | None:
    """A line of the table, without what is made from scratch where there is no program; None when it is refused."""
    try:
        start = time.perf_counter()
        offer = admit(state, application, "digest", Request("new"))
        seconds = time.perf_counter() - start
        tight = admit(state, application, "digest", Request("new", headroom=Fraction(0)))
    except Refused as refusal:
        print(refusal)
        return None
    rate, most = float(offer.steps_per_second), float(tight.steps_per_second)
    if clustered is None:
        return Row(seconds, stored(state, offer), math.nan, rate, most, math.nan)
    scratch, period = from_scratch(clustered, target, state)
    return Row(seconds, stored(state, offer), scratch, rate, most, float(1 / (period * UNIT_SECONDS["ps"])))


def stored(state: State, offer: Offer) -> float:
    """Seconds of the transaction that takes the application in."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.create(Path(folder, "machine.db"), state.platform)
        with store.changing() as change:
            change.state.next = offer.resident.number
            start = time.perf_counter()
            change.admit(offer.resident, bytes(1 << 20), {})
        seconds = time.perf_counter() - start
        store.close()
    return seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--states", type=int, default=50)
    parser.add_argument("--size", type=int, default=20)
    parser.add_argument("--without-scratch", action="store_true")
    arguments = parser.parse_args()
    target = machine()
    clustered, application = compiled("alexnet_disco", target, size=arguments.size)
    others = {name: compiled(name, target)[1] for name in OTHERS}
    actors, channels = len(application.names), len(application.channels.source)
    print(f"{len(application.clusters)} clusters, {actors} actors, {channels} channels")
    admit(State.of(application.platform), application, "digest", Request("warm"))
    print(f"{'state':>6}{'free':>6}{'admit ms':>10}{'stored ms':>10}{'scratch s':>10}", end="")
    print(f"{'admitted':>10}{'headroom 0':>12}{'scratch':>10}{'part':>7}")
    rows: list[Row] = []
    for seed in range(arguments.states):
        state = filled(application.platform, others, seed)
        row = measure(state, application, None if arguments.without_scratch else clustered, target)
        if row is None:
            continue
        rows.append(row)
        free = int(np.count_nonzero(state.free))
        print(f"{seed:6}{free:6}{1e3 * row.admit:10.1f}{1e3 * row.stored:10.1f}{row.scratch:10.2f}", end="")
        print(f"{row.rate:10,.0f}{row.tight:12,.0f}{row.anew:10,.0f}{row.rate / row.anew:7.3f}", flush=True)
    times = [statistics.median(getattr(row, name) for row in rows) for name in ("admit", "stored", "scratch")]
    parts = [statistics.mean(part) for part in zip(*((r.rate / r.anew, r.tight / r.anew) for r in rows), strict=True)]
    print(
        f"{len(rows)} states: {1e3 * times[0]:.1f} ms, stored {1e3 * times[1]:.1f} ms, scratch {times[2]:.1f} s,",
        end="",
    )
    print(f" {times[2] / times[0]:,.0f} times as fast, part {parts[0]:.3f}, without headroom {parts[1]:.3f}")


if __name__ == "__main__":
    main()
