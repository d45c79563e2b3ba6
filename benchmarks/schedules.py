"""Guaranteed throughput of our schedules, and of load balance with list scheduling, on the same clusters.

    python -m benchmarks.schedules [--workloads mlp784 ...] [--tiles 4 9 16] [--budget 1000]

Each workload is clustered for 128x128 crossbars; its slices, with the times of a mean step, run on a mesh of tiles with
one processor each (`benchmarks.cluster_graphs`). *list*: SDF3's way (Stuijk, Basten, Geilen, Corporaal, DAC 2007): load
balance with the weights of DFSynthesizer's tutorial, and on each tile the order in which self-timed execution with a
first-come-first-served list starts the firings once it has settled; where that overlaps iterations, so does the order.
*even*: the same with a balance of work only. *ours*: `snnir.schedule.critical`. Steps per second that the maximum cycle
ratio of the bound and ordered graph guarantees; `bound`: what no binding exceeds (`snnir.schedule.limits`). `gain` is
ours / list, `most` is bound / list; the last lines are their means over all rows, and that of ours against the better
of list and even. Seconds of the processor are those of our search.
"""

import argparse
import statistics
import time
from fractions import Fraction

from benchmarks.cluster_graphs import MACHINE, application_of, mesh
from benchmarks.clustering import problem_for
from benchmarks.workloads import WORKLOADS
from snnir.partition.clustering import cluster
from snnir.partition.problem import Options
from snnir.schedule.application import Application
from snnir.schedule.architecture import Architecture
from snnir.schedule.balance import TileCost, load_balance
from snnir.schedule.bound import bind
from snnir.schedule.critical import schedule
from snnir.schedule.deployment import Deployment
from snnir.schedule.evaluate import Evaluator
from snnir.schedule.limits import least_period
from snnir.schedule.orders import order
from snnir.schedule.tdma import guaranteed_period

HUGE = ("vgg16", "resnet18", "mobilenet_v1")
"""Workloads of 35,000 crossbars and more."""


def period(application: Application, architecture: Architecture, cost: TileCost) -> Fraction:
    """The guaranteed period of load balance and list scheduling."""
    bound = order(bind(application, architecture, load_balance(application, architecture, cost)), "fifo")
    return guaranteed_period(bound) or Fraction(0)


def row(name: str, application: Application, tiles: int, budget: int) -> tuple[float, float, float]:
    """Prints a line of the table; ours / list, bound / list, ours / the better of list and even."""
    architecture = mesh(tiles)
    listed, even = (period(application, architecture, cost) for cost in (TileCost(), TileCost(bandwidth=0)))
    start = time.process_time()
    bound = schedule(application, architecture, budget=budget)
    seconds = time.process_time() - start
    ours = guaranteed_period(bound) or Fraction(0)
    least = least_period(Evaluator(Deployment(application, architecture)))
    cells = "".join(f"{float(MACHINE.units_per_second / each):12,.0f}" for each in (listed, even, ours, least))
    counts = f"{name:18}{len(application.graph.actors):7}{len(application.graph.channels):9}{tiles:6}"
    gain, most = float(listed / ours), float(listed / least)
    stages = max(bound.stages.values(), default=0)
    print(f"{counts}{cells}{gain:8.3f}{most:8.3f}{stages:8}{seconds:9.1f}", flush=True)
    return gain, most, float(min(listed, even) / ours)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    names = [name for name in WORKLOADS if name not in HUGE]
    parser.add_argument("--workloads", nargs="+", choices=list(WORKLOADS), default=names)
    parser.add_argument("--tiles", nargs="+", type=int, default=[4, 9, 16])
    parser.add_argument("--budget", type=int, default=1000)
    arguments = parser.parse_args()
    rates = "".join(f"{name:>12}" for name in ("list", "even", "ours", "bound"))
    print(
        f"{'workload':18}{'actors':>7}{'channels':>9}{'tiles':>6}{rates}{'gain':>8}{'most':>8}{'stages':>8}{'seconds':>9}"
    )
    found: list[tuple[float, float, float]] = []
    for name in arguments.workloads:
        problem = problem_for(name, "digital")
        application = application_of(problem, cluster("structured", problem, Options()))
        found += [row(name, application, tiles, arguments.budget) for tiles in arguments.tiles]
    gains, most, better = (list(column) for column in zip(*found, strict=True))
    print(f"{len(found)} rows: mean gain {statistics.mean(gains):.3f}, least {min(gains):.3f}")
    print(f"mean of bound / list {statistics.mean(most):.3f}")
    print(f"mean gain over the better of list and even {statistics.mean(better):.3f}, least {min(better):.3f}")


if __name__ == "__main__":
    main()
