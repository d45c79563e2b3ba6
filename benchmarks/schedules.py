"""Guaranteed throughput of our schedules, and of load balance with list scheduling, on the same clusters.

    python -m benchmarks.schedules [--workloads mlp784 ...] [--tiles 4 9 16] [--budget 400]

Each workload is clustered for 128x128 crossbars; its slices, with the times of a mean step, run on a mesh of tiles with
one processor each (`benchmarks.cluster_graphs`). *list*: SDF3's way, load balance with the weights of DFSynthesizer's
tutorial and first-come-first-served list scheduling. *even*: the same with a balance of work only. *ours*:
`snnir.schedule.critical`. Steps per second that the maximum cycle ratio of the bound and ordered graph guarantees;
`bound`: what no binding exceeds, all work spread evenly or the longest actor. `gain` is ours / list; the last line is
its mean over all rows. Seconds are those of our search.
"""

import argparse
import statistics
import time
from fractions import Fraction

from benchmarks.cluster_graphs import MACHINE, application_of, mesh
from benchmarks.clustering import problem_for
from benchmarks.workloads import WORKLOADS
from snnir.maxplus.sdf import repetition_vector
from snnir.partition.clustering import cluster
from snnir.partition.problem import Options
from snnir.schedule.application import Application
from snnir.schedule.architecture import Architecture
from snnir.schedule.balance import TileCost, load_balance
from snnir.schedule.bound import bind
from snnir.schedule.critical import schedule
from snnir.schedule.orders import order
from snnir.schedule.tdma import guaranteed_period

HUGE = ("vgg16", "resnet18", "mobilenet_v1")
"""Workloads of 35,000 crossbars and more."""
LARGE = 1000
"""Channels from which on the budget shrinks in proportion."""


def period(application: Application, architecture: Architecture, cost: TileCost) -> Fraction:
    """The guaranteed period of load balance and list scheduling."""
    bound = order(bind(application, architecture, load_balance(application, architecture, cost)), "fifo")
    return guaranteed_period(bound) or Fraction(0)


def least(application: Application, tiles: int) -> Fraction:
    """A period that no binding beats."""
    firings = repetition_vector(application.graph)
    work = [sum(actor.times) * firings[actor.name] // len(actor.times) for actor in application.graph.actors]
    return max(Fraction(sum(work), tiles), Fraction(max(work)))


def row(name: str, application: Application, tiles: int, budget: int) -> float:
    """Prints a line of the table; ours / list."""
    architecture = mesh(tiles)
    listed, even = (period(application, architecture, cost) for cost in (TileCost(), TileCost(bandwidth=0)))
    actors, channels = len(application.graph.actors), len(application.graph.channels)
    start = time.perf_counter()
    bound = schedule(application, architecture, budget=max(20, budget * min(channels, LARGE) // max(1, channels)))
    seconds = time.perf_counter() - start
    ours = guaranteed_period(bound) or Fraction(0)
    rates = [MACHINE.units_per_second / each for each in (listed, even, ours, least(application, tiles))]
    cells = "".join(f"{float(rate):12,.0f}" for rate in rates)
    gain = float(listed / ours)
    counts = f"{name:18}{actors:7}{channels:9}{tiles:6}"
    print(f"{counts}{cells}{gain:8.3f}{max(bound.stages.values(), default=0):8}{seconds:9.1f}", flush=True)
    return gain


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    names = [name for name in WORKLOADS if name not in HUGE]
    parser.add_argument("--workloads", nargs="+", choices=list(WORKLOADS), default=names)
    parser.add_argument("--tiles", nargs="+", type=int, default=[4, 9, 16])
    parser.add_argument("--budget", type=int, default=400)
    arguments = parser.parse_args()
    rates = "".join(f"{name:>12}" for name in ("list", "even", "ours", "bound"))
    print(f"{'workload':18}{'actors':>7}{'channels':>9}{'tiles':>6}{rates}{'gain':>8}{'stages':>8}{'seconds':>9}")
    gains: list[float] = []
    for name in arguments.workloads:
        problem = problem_for(name, "digital")
        application = application_of(problem, cluster("structured", problem, Options()))
        gains += [row(name, application, tiles, arguments.budget) for tiles in arguments.tiles]
    print(f"mean gain {statistics.mean(gains):.3f}, least {min(gains):.3f}, on {len(gains)} rows")


if __name__ == "__main__":
    main()
