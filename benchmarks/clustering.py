"""Crossbars, spikes between them and time: every clustering algorithm on every workload, beside published mappers.

    python -m benchmarks.clustering [--workloads mlp784 lenet_disco ...] [--algorithms structured greedy ...]

128x128 crossbars. `digital`: partial sums are added digitally; `relay`: neurons with more than 128 inputs are split
by snn-split-fanin first. `bound` is a proven lower bound on crossbars for any clustering of the same program
(snnir.partition.metrics.lower_bounds). Spikes are per step, each counted once for every crossbar other than its own
that reads it; activity is synthetic (the same for all). Seconds are of the clustering alone, medians of the runs. Every
plan is checked: each neuron and each synapse in exactly one place. `-`: not run, because it would take minutes.

Quoted below the table, not run again: the released clustering of DFSynthesizer's authors (Shihao-Song/ncc_prototype,
`min-clusters`, fan-in unrolled to 2 as in their scripts), built and run on the same shapes on a comparable 2-core
machine: 519 crossbars and 7.6 s for mlp784, 676 and 27.6 s for lenet_disco.
"""

import argparse
import statistics
import time

from xdsl.context import Context

from benchmarks.machines import grid, module_of
from benchmarks.workloads import WORKLOADS, build
from snnir.partition.clustering import ALGORITHMS, cluster
from snnir.partition.metrics import check, lower_bounds, spikes_between
from snnir.partition.problem import Options, PartitionError, Plan, Problem
from snnir.passes.base import program
from snnir.passes.cluster.problem import problem_of
from snnir.passes.snn.split_fanin import SNNSplitFanin

SMALL = 500_000
"""Synapses up to which every algorithm is run."""
DEFAULT = ("mlp784", "respclass", "lenet_disco", "lenet28", "recurrent_digits", "reservoir")
RUNS = 3
HEAD = f"{'workload':18}{'sums':9}{'algorithm':13}{'crossbars':>10}{'bound':>7}{'spikes':>11}{'seconds':>10}"


def problem_for(workload: str, fanin: str) -> Problem:
    """The clustering problem of a workload, with synthetic activity of 8 spikes in 100 steps and neuron."""
    machine = grid(128, 4, fanin=fanin, max_delay=64)
    module = module_of(build(workload, activity=8.0), machine)
    if fanin == "relay":
        SNNSplitFanin().apply(Context(), module)
    return problem_of(program(module), machine)


def measure(problem: Problem, algorithm: str, runs: int) -> tuple[int, float, float]:
    """Crossbars, spikes between them per step, and the median of the seconds."""
    seconds: list[float] = []
    plans: list[Plan] = []
    for _ in range(runs):
        start = time.perf_counter()
        plans.append(cluster(algorithm, problem, Options()))
        seconds.append(time.perf_counter() - start)
    check(problem, plans[0])
    return len(plans[0]), spikes_between(problem, plans[0]), statistics.median(seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Every clustering algorithm on every workload.")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=DEFAULT)
    parser.add_argument("--algorithms", nargs="+", choices=ALGORITHMS, default=list(ALGORITHMS))
    parser.add_argument("--fanin", nargs="+", choices=("digital", "relay"), default=("digital", "relay"))
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--all", action="store_true", help="also what takes minutes")
    arguments = parser.parse_args()
    print(HEAD)
    for workload in arguments.workloads:
        for fanin in arguments.fanin:
            problem = problem_for(workload, fanin)
            synapses = sum(i.synapses.count for layer in problem.layers for i in layer.inputs)
            bound = lower_bounds(problem).crossbars
            for algorithm in arguments.algorithms:
                start = f"{workload:18}{fanin:9}{algorithm:13}"
                if algorithm != "structured" and synapses > SMALL and not arguments.all:
                    print(f"{start}{'-':>10}{bound:>7}{'-':>11}{'-':>10}", flush=True)
                    continue
                try:
                    crossbars, spikes, seconds = measure(problem, algorithm, arguments.runs)
                except (PartitionError, ImportError) as error:
                    print(f"{start}  {error}", flush=True)
                    continue
                print(f"{start}{crossbars:>10}{bound:>7}{spikes:>11.1f}{seconds:>10.3f}", flush=True)


if __name__ == "__main__":
    main()
