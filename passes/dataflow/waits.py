"""What `carry` actors count as waiting for: the attribute `after` of the IR, and what is known of a graph for it."""

from collections.abc import Mapping, Sequence
from typing import cast

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, SymbolRefAttr
from xdsl.ir import Attribute

from snnir.dialects.dataflow import ActorOp, GraphOp
from snnir.passes.base import fail

AFTER = "after"
"""The attribute of a `carry` actor with pairs of another one and a number of tokens, which may be negative."""


def waits_of(graph: GraphOp) -> dict[str, dict[str, int]]:
    """For each actor with such waits, what it counts as waiting for: `{a: {b: d}}` says that firing k of a counts as
    waiting for firing k - d of b."""
    names = {actor.sym_name.data for actor in graph.actors}
    found: dict[str, dict[str, int]] = {}
    for actor in graph.actors:
        if AFTER in actor.attributes:
            found[actor.sym_name.data] = _waits(actor, names)
    return found


def _waits(actor: ActorOp, names: set[str]) -> dict[str, int]:
    pairs = actor.attributes[AFTER]
    found: dict[str, int] = {}
    for pair in cast(ArrayAttr[Attribute], pairs) if isinstance(pairs, ArrayAttr) else (pairs,):
        parts = list(cast(ArrayAttr[Attribute], pair)) if isinstance(pair, ArrayAttr) else []
        other, count = parts if len(parts) == 2 else (None, None)
        name = other.root_reference.data if isinstance(other, SymbolRefAttr) else ""
        if name not in names or not isinstance(count, IntegerAttr):
            message = f"@{actor.sym_name.data} is after {pair}, which is no actor of the graph and a number of tokens"
            fail(actor, message, f"write {AFTER} = [[@actor, 1 : i64]], or run convert-cluster-to-dataflow again")
        found[name] = count.value.data
    return found


def set_waits(actor: ActorOp, waits: Mapping[str, int]) -> None:
    """Note what an actor counts as waiting for."""
    pairs = [ArrayAttr([SymbolRefAttr(name), IntegerAttr(count, 64)]) for name, count in sorted(waits.items())]
    actor.attributes[AFTER] = ArrayAttr(pairs)


def orders_of(graph: GraphOp) -> Sequence[Sequence[tuple[str, int]]]:
    """The orders of a graph with their stages."""
    return [list(zip(order.names, order.lags, strict=True)) for order in graph.orders if order.names]
