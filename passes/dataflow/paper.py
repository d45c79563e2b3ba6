"""The dataflow graph that the published work on these machines builds: clusters that exchange counted spikes.

arXiv 2004.03717 and 2108.02023, as their code does it (`snn2sdf.py`, DFSynthesizer): one actor per cluster, one
constant firing time, production and consumption rate and initial tokens of a channel all the number of its spikes.
"""

from math import ceil

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from snnir.dialects.cluster import ProgramOp
from snnir.dialects.dataflow import ActorOp, GraphOp, Use
from snnir.dialects.platform import machine_of
from snnir.passes.activity import NetworkActivity
from snnir.passes.dataflow.convert_cluster_to_dataflow import load_of, reads_of


def paper_graph(clusters: ProgramOp, module: ModuleOp, activity: NetworkActivity, time: int) -> GraphOp:
    """Clusters, placed or not, as actors that fire once per step for `time` units.

    A channel carries the mean number of spikes (values, of a partial sum) in a step, rounded up, one at least; inputs
    and outputs are left out, delays too: every channel has one step's tokens at the start.
    """
    target = machine_of(module)
    name = clusters.network.root_reference.data
    graph = GraphOp(name, target.time.unit if target is not None else None, activity.assumption)
    made: dict[SSAValue, SSAValue] = {}
    rates: dict[SSAValue, int] = {}
    actors: list[ActorOp] = []
    for cluster in clusters.clusters:
        loads = [load_of(value, activity) for value in cluster.computed]
        each = [max(1, ceil(load.mean)) for load in loads]
        actor = ActorOp("task", cluster.sym_name.data, time, None, [load.most for load in loads], rates=each)
        for value, result, rate in zip(cluster.computed, actor.made, each, strict=True):
            made[value], rates[value] = result, rate
        actors.append(actor)
    for cluster, actor in zip(clusters.clusters, actors, strict=True):
        signals = dict.fromkeys(signal for waits in reads_of(cluster) for signal, _ in waits if signal in made)
        actor.wire([(made[signal], Use(rates[signal], rates[signal])) for signal in signals])
        graph.body.block.add_op(actor)
    graph.location = clusters.location
    return graph
