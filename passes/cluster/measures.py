"""What clusters are worth, in numbers: how full crossbars are, what travels between them, what each link carries."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from xdsl.ir import SSAValue

from snnir.dialects.cluster import ClusterOp, InputOp, ProgramOp, routes_of
from snnir.dialects.cluster_metrics import Metrics, Routed, Traffic, Used
from snnir.dialects.cluster_routes import Router
from snnir.dialects.platform import Machine
from snnir.dialects.snn import NetworkOp
from snnir.dialects.ways import floor_of, router_of, start_of
from snnir.partition.metrics import spikes_between, sums_between, utilisation
from snnir.partition.problem import Part, Problem
from snnir.partition.routing import Ways, tally
from snnir.passes.activity import NetworkActivity
from snnir.passes.cluster.plan import plan_of
from snnir.passes.cluster.problem import problem_of
from snnir.passes.dataflow.convert_cluster_to_dataflow import load_of
from snnir.passes.dataflow.network_time import Link
from snnir.synapses import Conv


@dataclass(frozen=True)
class Occupancy:
    """How full one crossbar is."""

    name: str
    tile: Router | None
    crossbar: int | None
    rows: int
    columns: int
    weights: int
    """Cells that hold a weight."""
    driven: float
    """Rows that a spike drives, per step; rows of a kernel once for each position that meets one."""
    slices: tuple[str, ...]
    """The population of each slice."""
    partial: int
    """How many of these make partial sums."""


@dataclass
class LinkLoad:
    """What one link carries per step, on average."""

    flows: int = 0
    values: float = 0.0
    """Spikes and partial sums."""

    @property
    def flits(self) -> float:
        """With a marker of the end of the step for each flow."""
        return self.values + self.flows

    def add(self, flows: int, values: float) -> None:
        """Some more flows."""
        self.flows += flows
        self.values += values


@dataclass(frozen=True)
class Measures:
    """All that `cluster-metrics` finds; `metrics` is what it leaves in the IR."""

    metrics: Metrics
    crossbars: tuple[Occupancy, ...]
    links: dict[Link, LinkLoad]
    """Every link that a route crosses, those into and out of the network too."""
    entries: Counter[Router]
    """Entries in the table of each router."""


def measure(clusters: ProgramOp, network: NetworkOp, target: Machine) -> Measures:
    """Measure clusters, and their routes if there are any."""
    problem = problem_of(network, target)
    plan = plan_of(clusters, network, problem)
    activity = NetworkActivity(network, "peak")
    full = utilisation(problem, plan)
    cells = np.rint(full.cells * (problem.rows * problem.columns)).astype(np.int64).tolist()
    held = tuple(
        _occupancy(op, parts, count, problem) for op, parts, count in zip(clusters.clusters, plan, cells, strict=True)
    )
    rows, columns, share = full.overall
    used = Used(len(plan), sum(map(len, plan)), sum(cells), rows, columns, share)
    profiled = all(op.activity is not None for op in network.sources.values())
    driven = float(sum(each.driven for each in held))
    traffic = Traffic(profiled, driven, spikes_between(problem, plan), sums_between(plan))
    links, entries = _routes(clusters, target, activity)
    routed = _routed(links, entries, target) if _is_routed(clusters) else None
    return Measures(Metrics(used, traffic, routed), held, links, entries)


def _occupancy(op: ClusterOp, parts: Sequence[Part], cells: int, problem: Problem) -> Occupancy:
    fed = [part.axons for part in parts if part.kernel is None]
    driven = float(problem.spikes[np.unique(np.concatenate([*fed, np.empty(0, np.int64)]))].sum())
    driven += sum(_through_windows(part, problem) for part in parts if part.kernel is not None)
    place = op.place.data if op.place is not None else None
    return Occupancy(
        op.sym_name.data,
        None if place is None else place.tile,
        None if place is None else place.crossbar,
        op.rows,
        op.columns,
        cells,
        driven,
        tuple(problem.layers[part.layer].name for part in parts),
        sum(part.is_partial for part in parts),
    )


def _through_windows(part: Part, problem: Problem) -> float:
    """Spikes per step on the rows of a kernel, counted at each position at which it is read."""
    assert part.kernel is not None
    read = problem.layers[part.layer].inputs[0]
    conv = read.synapses
    assert isinstance(conv, Conv)
    met = conv.met(part.neurons[: part.reads] % prod(conv.windows.result), part.kernel)
    return float(problem.spikes[problem.groups[read.group].start + met[met >= 0]].sum())


def _is_routed(clusters: ProgramOp) -> bool:
    return any(op.routes is not None for op in (*clusters.inputs, *clusters.clusters))


def _routes(
    clusters: ProgramOp, target: Machine, activity: NetworkActivity
) -> tuple[dict[Link, LinkLoad], Counter[Router]]:
    """What each link carries, and the entries in each table."""
    floor = floor_of(target)
    flows: list[tuple[Router, Sequence[Router], float]] = []
    links: dict[Link, LinkLoad] = {}
    for op in (*clusters.inputs, *clusters.clusters):
        start, loads = start_of(op, floor), dict[SSAValue, float]()
        for route in routes_of(op):
            value = op.results[route.result]
            if value not in loads:
                loads[value] = float(load_of(value, activity).mean)
            flows.append((start, [router_of(end, floor) for end in route.ends], loads[value]))
            ends: list[Link] = [("host in" if isinstance(op, InputOp) else "inject", start, start)]
            for end, router in zip(route.ends, flows[-1][1], strict=True):
                ends.append(("host out" if end == "host" else "eject", router, router))
            for link in ends:
                links.setdefault(link, LinkLoad()).add(1, loads[value])
    found = tally(floor, Ways.of(floor, flows))
    for (a, b), (count, values) in found.by_link().items():
        links["between", a, b] = LinkLoad(count, values)
    used = np.flatnonzero(found.entries).tolist()
    return links, Counter({floor.router(number): int(found.entries[number]) for number in used})


def _routed(links: Mapping[Link, LinkLoad], entries: Counter[Router], target: Machine) -> Routed:
    between = {link: load.flits for link, load in links.items() if link[0] == "between"}
    femtojoule = sum(flits * energy_of(link, target) for link, flits in between.items())
    return Routed(
        sum(load.flows for link, load in links.items() if link[0] == "between"),
        entries.total(),
        max(entries.values(), default=0),
        float(sum(between.values())),
        max(between.values(), default=0.0),
        femtojoule / 1000 if states_energy(between, target) else None,
    )


def states_energy(links: Iterable[Link], target: Machine) -> bool:
    """Whether a machine says what a flit takes on each of some links: none says it of links from chip to chip."""
    floor = floor_of(target)
    stated = target.link.energy_x + target.link.energy_y > 0
    return stated and not any(floor.crosses(a, b) for _, a, b in links)


def energy_of(link: Link, target: Machine) -> int:
    """Femtojoule that a flit takes on a link between routers."""
    _, a, b = link
    return target.link.energy_x if a[1] == b[1] and not target.tiles.is_tree else target.link.energy_y
