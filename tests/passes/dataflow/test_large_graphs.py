"""Passes go through a graph a fixed number of times, and its flat table says what its ops say."""

import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.dataflow import ActorOp, GraphOp, OrderOp, Use, claimant_of, producer_of
from snnir.dialects.dataflow_tables import GraphTable
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.passes.dataflow.to_sdf import at_means, to_retimed


def pairs(crossbars: int) -> GraphOp:
    """On each crossbar a slice and the one that reads it late, over a connection that is in two parts."""
    graph = GraphOp(None, None, "worst")
    for number in range(crossbars):
        resource = f"c{number}"
        first = ActorOp("slice", f"{resource}.a", 10, 7, [1], resource=resource)
        send = ActorOp("send", f"{resource}.send", 30, 20, [1], reads=[(first.made[0], Use())])
        carry = ActorOp("carry", f"{resource}.carry", 5, 5, [1], concurrent=True, reads=[(send.made[0], Use())])
        last = ActorOp("slice", f"{resource}.b", 10, 9, [], resource=resource, reads=[(carry.made[0], Use(1, 0, 3))])
        # transport comes after what reads it, as in some files
        graph.body.block.add_ops([first, last, carry, send])
    return graph


def looks(monkeypatch: pytest.MonkeyPatch, crossbars: int) -> int:
    """How often all actors are listed."""
    graph, count = pairs(crossbars), 0
    module = ModuleOp([graph])
    found = GraphOp.actors.fget
    assert found is not None

    def actors(self: GraphOp) -> list[ActorOp]:
        nonlocal count
        count += 1
        return found(self)

    with monkeypatch.context() as patched:
        patched.setattr(GraphOp, "actors", property(actors))
        for step in (DataflowSchedule(), DataflowAnalyzeThroughput(slack=False)):
            step.apply(Context(), module)
    assert len(graph.orders) == crossbars
    assert all(order.utilisation is not None for order in graph.orders)
    return count


def test_actors_are_listed_as_often_in_large_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks(monkeypatch, 40) == looks(monkeypatch, 4)


def test_table_says_what_the_ops_say() -> None:
    graph = pairs(3)
    table = GraphTable.of(graph)
    reads = [(value, use, number) for number, actor in enumerate(graph.actors) for value, use in actor.reads]
    for read, (value, use, number) in zip(table.reads, reads, strict=True):
        assert table.actors[read.producer] is producer_of(value)
        assert table.actors[table.claimants[read.producer]] is claimant_of(value)
        assert (read.consumer, read.made, read.use) == (number, producer_of(value).made_by_firing(value), use)
    assert table.names == [actor.sym_name.data for actor in graph.actors]
    assert table.fire_once


@pytest.mark.parametrize("stage", [0, 1])
def test_graph_at_means_is_that_of_mean_times(stage: int) -> None:
    graph = pairs(2)
    for crossbar in ("c0", "c1"):
        graph.body.block.add_op(OrderOp(crossbar, [f"{crossbar}.a", f"{crossbar}.b"], stages=[0, stage]))
    assert at_means(to_retimed(graph, with_slices=False), graph) == to_retimed(graph, "mean", with_slices=False)
