"""Limits of the network between tiles: entries of the routers' tables, and the link of the host."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from snnir.dialects.connections import Connection
from snnir.dialects.places import place_of
from snnir.dialects.platform import Machine
from snnir.dialects.snn import InputOp, NetworkOp
from snnir.passes.limits.findings import Finding


def of_tables(
    network: NetworkOp, target: Machine, connections: Mapping[str, Sequence[Connection]]
) -> Iterator[Finding]:
    """The entries at the host's router, where all inputs start: one each along trees, one per tile to single tiles."""
    entries = target.tiles.table_entries
    inputs = _inputs(network)
    if not entries:
        return
    trees = len(inputs)
    single = sum(_tiles_reading(op, target, connections) for op in inputs)
    has = f"a router of '{target.name}' has {entries:,}"
    if trees > entries:
        message = f"{trees:,} inputs take a table entry each at the host's router, {has}"
        hint = "fewer, wider inputs, or a machine with larger tables"
        yield Finding("error", "tables", "", place_of(network), message, hint, trees, entries)
    elif single > entries and target.tiles.routes == "unicast":
        message = f"routes to single tiles take at least {single:,} table entries at the host's router, {has}"
        hint = "cluster-route{algorithm=tree}, which takes one entry for each input there, or larger tables"
        yield Finding("warning", "tables", "", place_of(network), message, hint, single, entries)


def _tiles_reading(op: InputOp, target: Machine, connections: Mapping[str, Sequence[Connection]]) -> int:
    """How many tiles read an input at least: those whose crossbars its lines fill."""
    read = np.zeros(op.size, np.bool_)
    for c in (c for each in connections.values() for c in each):
        if c.source == op.sym_name.data:
            read |= c.synapses.outdegree() > 0
    crossbars = -(-int(np.count_nonzero(read)) // target.crossbar.rows)
    return -(-crossbars // target.tiles.crossbars)


def of_host(network: NetworkOp, target: Machine) -> Iterator[Finding]:
    """How many steps per second the host's links let through."""
    names = {op.sym_name.data: op for op in _inputs(network)}
    if not names or not target.link.flit:
        return
    flits = sum((op.size if op.activity is None else op.activity.peak.data) + 1 for op in names.values())
    rate = target.units_per_second / (flits * target.link.flit)
    measured = all(op.activity is not None for op in names.values())
    when = "at the profile's peak" if measured else "when all of them fire"
    message = f"the host's link lets at most {rate:,.0f} steps per second through {when}"
    hint = f"{flits:,} flits of {target.link.flit:,} {target.time.unit} a step; a faster link, or fewer inputs"
    yield Finding("note", "host", "", place_of(network), message, hint, flits, None)


def _inputs(network: NetworkOp) -> list[InputOp]:
    return [op for op in network.sources.values() if isinstance(op, InputOp)]
