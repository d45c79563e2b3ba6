"""What the objective of clustering does to traffic between tiles, after a placement on a mesh of 8x8 tiles.

    python -m benchmarks.hops [--workloads lenet_disco ...] [--fanin digital relay]

128x128 crossbars, four to a tile. Spikes are those between crossbars per step, neuron by neuron. Spike-hops are spikes
and partial sums per step times the links to each destination tile, spike-links times the links of the tree to all of
them; a slice sends every spike to each tile that reads any of its neurons. Activity as in benchmarks.clustering.
"""

import argparse
import time
from dataclasses import replace

from benchmarks.clustering import module_for
from benchmarks.workloads import WORKLOADS
from snnir.partition.clustering.structured import structured
from snnir.partition.metrics import check, spikes_between
from snnir.partition.problem import Options
from snnir.passes.base import machine, program
from snnir.passes.cluster.problem import problem_of, site_of

DEFAULT = ("mlp784", "respclass", "lenet_disco", "lenet28", "recurrent_digits")
OBJECTIVES = ("crossbars", "spikes", "hops")
SIDE = 8
HEAD = (
    f"{'workload':18}{'sums':9}{'objective':11}{'crossbars':>10}{'spikes':>10}{'hops':>10}{'links':>10}{'seconds':>9}"
)


def compare(workload: str, fanin: str) -> None:
    """Print the lines of one workload."""
    module = module_for(workload, fanin, SIDE)
    problem = problem_of(program(module), machine(module))
    site = site_of(program(module), machine(module), problem)
    for objective in OBJECTIVES:
        start = time.process_time()
        plan = structured(problem, Options(objective, site=site))
        seconds = time.process_time() - start
        check(problem, plan)
        hops, links = site.hops(problem, plan), replace(site, cost="multicast").hops(problem, plan)
        line = f"{workload:18}{fanin:9}{objective:11}{len(plan):>10}{spikes_between(problem, plan):>10.1f}"
        print(f"{line}{hops:>10.0f}{links:>10.0f}{seconds:>9.2f}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=DEFAULT)
    parser.add_argument("--fanin", nargs="+", choices=("digital", "relay"), default=("digital", "relay"))
    arguments = parser.parse_args()
    print(HEAD)
    for workload in arguments.workloads:
        for fanin in arguments.fanin:
            compare(workload, fanin)


if __name__ == "__main__":
    main()
