"""Graphs as columns say the same as graphs channel by channel, and refuse the same."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from snnir.maxplus import Actor, Channel, MaxPlusError, SDFGraph, expand
from snnir.maxplus.graph import LARGEST
from snnir.maxplus.sdf import dependencies


def random_graph(seed: int, *, phases: bool = False) -> SDFGraph:
    random = Random(seed)
    names = [f"a{number}" for number in range(random.randint(1, 30))]
    actors = [Actor(name, random.randrange(9), random.choice([None, 1, 1, 3])) for name in names]
    channels: list[Channel] = []
    for _ in range(random.randint(0, 120)):
        rate, tokens = random.randint(1, 4), random.randrange(5)
        room = random.choice([None, 0, 7])
        capacity = None if room is None else tokens + room
        channels.append(Channel(random.choice(names), random.choice(names), rate, rate, tokens, capacity))
    if phases:
        actors[0] = replace(actors[0], time=(1, 1))
    return SDFGraph(tuple(actors), tuple(channels))


@pytest.mark.parametrize("seed", range(60))
def test_columns_are_the_arcs_in_order(seed: int) -> None:
    sdf = random_graph(seed)
    assert sdf.columns is not None
    arcs = list(sdf.arcs())
    found = zip(*(column.tolist() for column in sdf.columns.arcs), strict=True)
    kinds = ["channel", "capacity", "concurrency"]
    assert [(kinds[kind], *rest) for kind, *rest in found] == [
        (a.kind, a.number, a.source, a.target, *a.produce, *a.consume, a.tokens) for a in arcs
    ]
    for each in (sdf, random_graph(seed, phases=True)):
        rows = [(a.source, a.target, a.tokens) for a in each.arcs()]
        assert list(zip(*(column.tolist() for column in dependencies(each)), strict=True)) == rows


@pytest.mark.parametrize("seed", range(60))
def test_same_expansion_with_and_without_columns(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sdf = random_graph(seed)
    fast = expand(sdf)
    monkeypatch.setattr(SDFGraph, "columns", None)
    slow = expand(SDFGraph(sdf.actors, sdf.channels))
    assert fast.repetition == slow.repetition
    for name in ("actor", "firing", "time", "first", "kind", "index"):
        assert getattr(fast, name).tolist() == getattr(slow, name).tolist()
    for name in ("source", "target", "time", "tokens"):
        assert getattr(fast.graph, name).tolist() == getattr(slow.graph, name).tolist()


WRONG: dict[str, Any] = {
    "source": "nobody",
    "target": "nobody",
    "produce": 0,
    "consume": -1,
    "tokens": LARGEST + 1,
    "capacity": 1,
}


@pytest.mark.parametrize("field", WRONG)
@pytest.mark.parametrize("count", [1, 200])
def test_large_graphs_refuse_what_small_ones_do(field: str, count: int) -> None:
    channels = [Channel("a", "b", tokens=2, capacity=4)] * count
    channels[count // 2] = replace(channels[0], **{field: WRONG[field]})
    with pytest.raises(MaxPlusError, match=f"channel {count // 2} "):
        SDFGraph((Actor("a", 1), Actor("b", 1)), tuple(channels))


@pytest.mark.parametrize("wrong", [True, 1.0, 1 << 63, "1"])
@pytest.mark.parametrize("field", ["produce", "consume", "tokens", "capacity"])
def test_only_integers_in_range(field: str, wrong: object) -> None:
    changed: dict[str, Any] = {field: wrong}
    channels = (*[Channel("a", "b")] * 100, replace(Channel("a", "b"), **changed))
    with pytest.raises(MaxPlusError, match="channel 100 "):
        SDFGraph((Actor("a", 1), Actor("b", 1)), channels)


@pytest.mark.parametrize(("field", "wrong"), [("time", -1), ("time", True), ("concurrency", 0), ("concurrency", -1)])
def test_wrong_actors_of_large_graphs(field: str, wrong: object) -> None:
    changed: dict[str, Any] = {field: wrong}
    with pytest.raises(MaxPlusError, match="actor b"):
        SDFGraph((Actor("a", 1), replace(Actor("b", 1), **changed)), (Channel("a", "b"),) * 100)
