"""Crossbars, spikes between them and time: every clustering algorithm on every workload, beside published mappers.

    python -m benchmarks.clustering [--workloads mlp784 lenet_disco ...] [--rows structured greedy ...] [--limit 120]

128x128 crossbars. `digital`: partial sums are added digitally; `relay`: neurons with more than 128 inputs are split
by snn-split-fanin first. `bound` is a proven lower bound on crossbars for any clustering of the same program
(snnir.partition.metrics.lower_bounds). Spikes are per step, each counted once for every crossbar other than its own
that reads it; activity is synthetic (the same for all, relays included). Every plan is checked: each neuron and each
synapse in exactly one place. Seconds are of the processor, of the clustering alone, medians of the runs (one run of
what takes longer than a few seconds). Each algorithm runs in a process of its own, which is stopped where a run takes
more than `--limit` seconds of the processor: `> 120 s`.

Rows are algorithms with their default objective; of ours also `structured, spikes` (objective=spikes) and `structured,
as hypergraph`: objective=spikes with as many crossbars as `hypergraph` took, or fewer.

Not among the workloads by default: vgg16, resnet18 and mobilenet_v1 for ImageNet, one column a neuron, are 35,000 to
914,000 crossbars at least, and algorithms that go neuron by neuron hold each of their 0.6 to 15 billion synapses.

Quoted below the table, not run again: the released clustering of DFSynthesizer's authors (Shihao-Song/ncc_prototype,
`min-clusters`, fan-in unrolled to 2 as in their scripts), built and run on the same shapes on a comparable 2-core
machine: 519 crossbars and 7.6 s for mlp784, 676 and 27.6 s for lenet_disco.
"""

import argparse
import math
import multiprocessing
import resource
import signal
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from benchmarks.machines import grid, module_of
from benchmarks.workloads import WORKLOADS, attach_activity, build
from snnir.partition.clustering import ALGORITHMS, cluster
from snnir.partition.metrics import check, lower_bounds, spikes_between
from snnir.partition.problem import Options, PartitionError, Plan, Problem
from snnir.passes.base import machine, program
from snnir.passes.cluster.problem import problem_of
from snnir.passes.snn.split_fanin import SNNSplitFanin

ACTIVITY = 8.0
"""Spikes of a neuron in 100 steps."""
HUGE = ("vgg16", "resnet18", "mobilenet_v1")
"""Workloads that run only when they are named."""
PEER = "hypergraph"
AT_PEER = f"structured, as {PEER}"
ROWS = ("structured", "structured, spikes", *(name for name in ALGORITHMS if name != "structured"), AT_PEER)
RUNS = 3
LIMIT = 120.0
SHORT = 5.0
"""Seconds of a run up to which it is repeated."""
HEAD = f"{'workload':18}{'sums':9}{'algorithm':26}{'crossbars':>10}{'bound':>7}{'spikes':>11}{'seconds':>10}"


@dataclass(frozen=True)
class Found:
    """What an algorithm makes of a problem; `failure` is empty where it has a plan."""

    crossbars: int = 0
    spikes: float = 0.0
    seconds: float = 0.0
    failure: str = ""


@dataclass(frozen=True)
class Task:
    """An algorithm with its options, on a problem."""

    problem: Problem = field(repr=False)
    algorithm: str
    options: Options


def module_for(workload: str, fanin: str, side: int = 128) -> ModuleOp:
    """A workload and its machine, with synthetic activity of 8 spikes in 100 steps and neuron.

    Relays, whose activity only a simulation could tell, have the same; what the program had keeps its own.
    """
    module = module_of(build(workload, activity=ACTIVITY), grid(side, 4, fanin=fanin, max_delay=64))
    if fanin == "relay":
        SNNSplitFanin().apply(Context(), module)
        network = program(module)
        attach_activity(network, {name: ACTIVITY for name, op in network.sources.items() if op.activity is None})
    return module


def problem_for(workload: str, fanin: str) -> Problem:
    """The clustering problem of `module_for`."""
    module = module_for(workload, fanin)
    return problem_of(program(module), machine(module))


def measured(task: Task, runs: int, limit: float) -> Found:
    """Crossbars, spikes between them per step, and seconds, from a process that stops at the limit."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_measure, args=(sender, task, runs, limit))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        child.join()
        return Found(failure=f"> {limit:g} s" if child.exitcode == -signal.SIGXCPU else f"exit {child.exitcode}")
    finally:
        child.join()
        receiver.close()


def _measure(sender: Connection, task: Task, runs: int, limit: float) -> None:
    """In the process of its own: send what was found. The kernel ends the process that uses up its seconds."""
    try:
        seconds: list[float] = []
        plans = [_timed(task, limit, seconds)]
        while len(seconds) < runs and seconds[0] <= SHORT:
            _timed(task, limit, seconds)
    except (PartitionError, ImportError) as error:
        sender.send(Found(failure=str(error)))
        return
    check(task.problem, plans[0])
    spikes = spikes_between(task.problem, plans[0])
    sender.send(Found(len(plans[0]), spikes, statistics.median(seconds)))


def _timed(task: Task, limit: float, seconds: list[float]) -> Plan:
    """One run, whose seconds are added."""
    start, hard = time.process_time(), resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(start + limit), hard))
    plan = cluster(task.algorithm, task.problem, task.options)
    resource.setrlimit(resource.RLIMIT_CPU, (hard, hard))
    seconds.append(time.process_time() - start)
    return plan


def options_of(row: str, found: dict[str, Found]) -> Options | None:
    """The options of a row of the table; `None` where it follows another row that was not run or failed."""
    if row == AT_PEER:
        peer = found.get(PEER)
        return None if peer is None or peer.failure else Options("spikes", details={"most": peer.crossbars})
    return Options(row.partition(", ")[2] or Options.objective)


def compare(workload: str, fanin: str, rows: Sequence[str], runs: int, limit: float) -> None:
    """Print the lines of one workload."""
    problem = problem_for(workload, fanin)
    bound = lower_bounds(problem).crossbars
    found: dict[str, Found] = {}
    for row in rows:
        line, options = f"{workload:18}{fanin:9}{row:26}", options_of(row, found)
        if options is None:
            print(f"{line}{'-':>10}{bound:>7}", flush=True)
            continue
        one = found[row] = measured(Task(problem, row.partition(",")[0], options), runs, limit)
        if one.failure:
            print(f"{line}{'-':>10}{bound:>7}{'-':>11}  {one.failure}", flush=True)
        else:
            print(f"{line}{one.crossbars:>10}{bound:>7}{one.spikes:>11.2f}{one.seconds:>10.3f}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Every clustering algorithm on every workload.")
    usual = [name for name in WORKLOADS if name not in HUGE]
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=usual)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--fanin", nargs="+", choices=("digital", "relay"), default=("digital", "relay"))
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds of the processor for a run")
    arguments = parser.parse_args()
    print(HEAD)
    for workload in arguments.workloads:
        for fanin in arguments.fanin:
            compare(workload, fanin, arguments.rows, arguments.runs, arguments.limit)


if __name__ == "__main__":
    main()
