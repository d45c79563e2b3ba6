"""`convert-snn-to-cluster`: which neurons and synapses share a crossbar."""

from dataclasses import dataclass
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.quick_text import collection_paused
from snnir.partition.clustering import cluster
from snnir.partition.problem import Options, PartitionError
from snnir.partition.storage import StorageError
from snnir.passes.base import SNNPass, fail, machine, program
from snnir.passes.cluster.clusters import Builder
from snnir.passes.cluster.problem import problem_of, site_of
from snnir.passes.placeable import check_placeable


@dataclass(frozen=True)
class ConvertSNNToCluster(SNNPass):
    """Partition the program into clusters that fit the machine's crossbars.

    Needs a program and a machine. The program stays in the module; a `cluster.program` that refers to it is added.
    Neurons that read more axons than a crossbar has rows are split into partial sums where the machine adds digitally;
    on other machines run `snn-split-fanin` first. Where the memory of a crossbar holds fewer synapses than it has
    cells, what is too much moves to other crossbars, divided where it must.
    """

    name = "convert-snn-to-cluster"

    algorithm: Literal["structured", "sequential", "greedy", "spinemap", "pso", "hypergraph"] = "structured"
    """How neurons are grouped; docs/clustering.md compares the algorithms. `structured` is ours."""
    objective: Literal["crossbars", "spikes", "hops"] = "crossbars"
    """What `structured` makes small first: crossbars, spikes between crossbars, or spikes and partial sums times the
    hops that they travel after a placement on the machine (which costs one quick placement for each plan compared)."""
    slices: int = 0
    """How many slices may share a crossbar, which fires them one after the other; 0: any number. Fewer slices on more
    crossbars are faster."""
    seed: int = 0
    """For algorithms that draw random numbers."""

    @collection_paused()
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network, target = program(op), machine(op)
        check_placeable(network, target)
        problem = problem_of(network, target, self.slices)
        site = site_of(network, target, problem) if self.objective == "hops" else None
        try:
            plan = cluster(self.algorithm, problem, Options(self.objective, self.seed, site=site))
        except PartitionError as error:
            name = problem.layers[error.layer].name
            hint = "run snn-split-fanin before, or compile for a machine with digital partial sums"
            if isinstance(error, StorageError):
                hint = f"prune synapses, or compile for a machine with crossbar.synapses = {error.needed} or more"
            fail(network.sources[name], f"@{name}: {error}", hint)
        Rewriter.insert_op(Builder(network, problem, plan).build(), InsertPoint.after(network))
        self.statistics["clusters"] = len(plan)
        self.statistics["slices"] = sum(len(parts) for parts in plan)
        self.statistics["partial slices"] = sum(part.is_partial for parts in plan for part in parts)
        self.statistics["cells used"] = sum(
            p.columns * len(p.axons if p.kernel is None else p.kernel) for parts in plan for p in parts
        )
