"""Clusterings: which neurons and axons share a crossbar. One file an algorithm, all with the same interface.

`cluster("greedy", problem, Options())` gives a plan that passes `snnir.partition.metrics.check`. The file of an
algorithm is imported when it is first called.
"""

from importlib import import_module

from snnir.partition.problem import Options, Plan, Problem

ALGORITHMS = {
    "structured": "tiles of whole projections, packed by rows and columns",
    "sequential": "neurons in order fill one crossbar after the other (PACMAN, Jin et al.)",
    "greedy": "each neuron into the fullest crossbar that it fits (DFSynthesizer)",
    "spinemap": "exchanges between pairs of crossbars for fewer spikes, after Kernighan and Lin (SpiNeMap)",
    "pso": "binary particle swarm for fewer spikes between crossbars (PSOPART)",
    "hypergraph": "multilevel hypergraph partitioning with Mt-KaHyPar, repaired to the axon limit (needs mtkahypar)",
}
"""What each algorithm does; the name of its file and function."""


def cluster(name: str, problem: Problem, options: Options) -> Plan:
    """The plan of an algorithm of `ALGORITHMS`.

    Where a crossbar's memory holds fewer synapses than it has cells, what is too much has moved
    (`snnir.partition.storage`). The same arguments give the same plan. Raises `KeyError` for a name that is none,
    `PartitionError` for a layer that fits no crossbar, `ImportError` where an algorithm needs a package that is not
    there.
    """
    if name not in ALGORITHMS:
        raise KeyError(f"there is no clustering {name!r}, only {', '.join(ALGORITHMS)}")
    plan: Plan = getattr(import_module(f"{__name__}.{name}"), name)(problem, options)
    if not problem.synapses:
        return plan
    from snnir.partition.storage import within_synapses  # noqa: PLC0415  (few machines have such a limit)

    return within_synapses(problem, plan)
