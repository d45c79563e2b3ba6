"""The single-tile order: in step with all orders, and never against what actors wait for."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from test_stages import random_graph

from snnir.maxplus import Actor, Channel, Deadlock, SDFGraph
from snnir.schedule.single_tile import single_tile
from snnir.schedule.stages import Order, pipelined, retimed


@pytest.mark.parametrize("seed", range(60))
def test_orders_are_cut_out_of_one_sequence(seed: int) -> None:
    random = Random(seed)
    sdf, resources = random_graph(random)
    orders = pipelined(sdf, resources)
    starts = {actor.name: Fraction(random.randrange(100)) for actor in sdf.actors}
    found = single_tile(sdf, orders, starts, Fraction(31))
    place = {name: number for number, name in enumerate(found.sequence)}
    assert sorted(place) == sorted(sdf.index)
    for order in orders:
        names = [name for name, _ in order]
        assert sorted(names, key=place.__getitem__) == names
        assert len({found.lag[name] - stage for name, stage in order}) == 1
    waits = [(c.source, c.target, c.tokens) for c in sdf.channels]
    waits += [(c.target, c.source, c.capacity - c.tokens) for c in sdf.channels if c.capacity is not None]
    for before, after, tokens in waits:
        left = tokens + found.lag[after] - found.lag[before]
        assert left >= 0
        assert left > 0 or place[before] < place[after]
    assert min(found.lag.values()) == 0


def test_ties_go_by_start_modulo_the_period() -> None:
    sdf = SDFGraph(tuple(Actor(name, 1) for name in "abc"), (Channel("a", "c", tokens=1),))
    starts = {"a": Fraction(9), "b": Fraction(12), "c": Fraction(1)}
    assert single_tile(sdf, [], starts, Fraction(10)).sequence == ("c", "b", "a")
    assert single_tile(sdf, [], starts, Fraction(20)).sequence == ("c", "a", "b")


def test_orders_from_no_common_sequence_are_refused() -> None:
    """They do not deadlock; but y2 of a round comes after x1 of the next one, which comes after y1 of that round."""
    actors = tuple(Actor(name, 1) for name in ("x1", "x2", "y1", "y2"))
    sdf = SDFGraph(actors, (Channel("x1", "y2"), Channel("y1", "x2")))
    starts = dict.fromkeys(sdf.index, Fraction(0))
    plain: list[Order] = [[("x1", 0), ("x2", 0)], [("y1", 0), ("y2", 0)]]
    assert single_tile(sdf, plain, starts, Fraction(1)).sequence[:2] == ("x1", "y1")
    crossed: list[Order] = [[("x1", 1), ("x2", 0)], [("y1", 0), ("y2", 0)]]
    assert min(retimed(sdf, crossed).lag.values()) == 0
    with pytest.raises(Deadlock, match="no common sequence"):
        single_tile(sdf, crossed, starts, Fraction(1))


def test_deadlock() -> None:
    actors = tuple(Actor(name, 1) for name in "ab")
    sdf = SDFGraph(actors, (Channel("a", "b"), Channel("b", "a")))
    with pytest.raises(Deadlock, match="without a token"):
        single_tile(sdf, [], dict.fromkeys(sdf.index, Fraction(0)), Fraction(1))
