"""The invariants of a dataflow graph.

Tokens are made by its own actors, transport has a producer behind it, and orders list all that shares a crossbar.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from xdsl.utils.exceptions import VerifyException

from snnir.dialects.dataflow import GRAPH_TIMES, GraphOp
from snnir.dialects.dataflow_actor import TRANSPORT, ActorOp, producer_of
from snnir.dialects.dataflow_text import names_of, verify_times
from snnir.dialects.platform import UNITS

ACTIVITIES = ("peak", "worst")
"""What a guarantee may assume: no step with more spikes than profiled, or nothing."""


def verify_graph(graph: GraphOp) -> None:
    """Raise `VerifyException` when an invariant is broken."""
    if graph.unit is not None and graph.unit.data not in UNITS:
        raise VerifyException(f"no time unit '{graph.unit.data}'; there are {', '.join(UNITS)}")
    if graph.activity.data not in ACTIVITIES:
        raise VerifyException(f"the activity is {' or '.join(ACTIVITIES)}, not '{graph.activity.data}'")
    verify_times(graph, GRAPH_TIMES)
    if graph.throughput is not None and graph.throughput.data <= 0:
        raise VerifyException("the throughput that a graph is meant to reach is more than 0")
    if graph.unbounded is not None and graph.period is not None:
        raise VerifyException("a graph of unbounded throughput has no period")
    if graph.body.block.args:
        raise VerifyException("a graph takes no block arguments; tokens from outside come from input actors")
    actors = {op.sym_name.data: op for op in graph.actors}
    for name, actor in actors.items():
        if any(not isinstance(v.owner, ActorOp) or v.owner.parent is not actor.parent for v in actor.taken):
            raise VerifyException(f"@{name}: takes tokens that no actor of the graph makes")
    for name in names_of(graph.critical) if graph.critical is not None else ():
        if name not in actors:
            raise VerifyException(f"there is no actor @{name} to be critical")
    _verify_transport(actors.values())
    _verify_orders(graph, actors)


def _verify_transport(actors: Iterable[ActorOp]) -> None:
    """A transport actor passes one channel on, and behind it, however far, is an actor that makes the tokens."""
    done: set[ActorOp] = set()
    for start in actors:
        way: dict[ActorOp, None] = {}
        actor = start
        while actor.kind.data in TRANSPORT and actor not in done:
            name = actor.sym_name.data
            if len(actor.taken) != 1:
                raise VerifyException(f"@{name}: {actor.kind.data} passes one channel on and takes no other")
            if actor in way:
                raise VerifyException(f"@{name}: tokens that are only passed on come from nowhere")
            way[actor] = None
            actor = producer_of(actor.taken[0])
        done.update(way)


def fire_once(actors: Iterable[ActorOp]) -> bool:
    """Whether it is plain that an iteration is one firing of each actor: no phases, and no channel changes the rate."""
    for actor in actors:
        if len(actor.times) > 1 or len(actor.means) > 1:
            return False
        for value, use in actor.reads:
            if isinstance(use.rate, tuple) or use.rate != producer_of(value).made_by_firing(value):
                return False
    return True


def _verify_orders(graph: GraphOp, actors: Mapping[str, ActorOp]) -> None:
    """Orders name the actors of their crossbar; there is one for every crossbar or for none.

    Where all rates are alike every actor fires once per iteration, and so is named once. In other graphs the analysis
    finds out how often, and there are no stages.
    """
    once = fire_once(actors.values())
    shared: dict[str, set[str]] = defaultdict(set)
    for name, actor in actors.items():
        if actor.resource_name is not None:
            shared[actor.resource_name].add(name)
    ordered: set[str] = set()
    for order in graph.orders:
        own = order.crossbar.data
        for name in order.names:
            if name not in shared.get(own, ()):
                raise VerifyException(f"the order of @{own} names @{name}, which does not fire there")
        missing = sorted(shared.get(own, set()) - set(order.names))
        if missing:
            raise VerifyException(f"the order of @{own} leaves out {', '.join(f'@{name}' for name in missing)}")
        if any(order.lags) and not once:
            raise VerifyException(f"the order of @{own} has stages, but not every actor fires once per iteration")
        if once and len(set(order.names)) != len(order.names):
            raise VerifyException(f"an actor is twice in the order of @{own}")
        if own in ordered:
            raise VerifyException(f"@{own} has two orders")
        ordered.add(own)
    for own in shared if ordered else ():
        if own not in ordered:
            raise VerifyException(f"@{own} has no order, but other crossbars have")
