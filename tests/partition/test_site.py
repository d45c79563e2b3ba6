"""Plans judged by where they would lie: their nets, and fewer hops when hops are the objective."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings

from snnir.partition.clustering.structured import structured
from snnir.partition.floor import Floor
from snnir.partition.metrics import check
from snnir.partition.placement import HOST, CostName
from snnir.partition.problem import Options, Part, Problem
from snnir.partition.site import Site, nets_of
from tests.partition.nets import Net, chain, lenet28, lenet_disco
from tests.partition.placement_problems import listed
from tests.partition.problems import problem, problems
from tests.partition.projections import conv, dense, pool

FLOOR = Floor((8, 8), per_tile=4)


def test_nets_by_hand() -> None:
    """Two inputs of two axons on two crossbars, whose sums meet on the second; one reader, which the host sees."""
    layers = [((2,), [(-1, 0, dense(4, 2))]), ((1,), [(0, 0, dense(2, 1))])]
    spikes: dict[int, Sequence[float]] = {-1: [1.0, 2.0, 3.0, 4.0], 0: [0.5, 0.25]}
    task = problem(layers, {-1: 4}, rows=2, columns=3, spikes=spikes)
    both, inputs, read = np.arange(2), np.arange(4), 4 + np.arange(2)
    if task.groups[0].source != -1:
        inputs, read = 2 + inputs, np.arange(2)
    plan = [
        [Part(0, both, inputs[:2], 0, True)],
        [Part(0, both, inputs[2:], 0)],
        [Part(1, np.arange(1), read)],
    ]
    check(task, plan)
    nets = nets_of(task, plan, {1: np.array([0.125])})
    # all spikes of the input go to each crossbar that reads any of them, and every sum is a value a step
    assert listed(nets) == [(HOST, (0, 1), 10.0), (0, (1,), 2.0), (1, (2,), 0.75), (2, (HOST,), 0.125)]


@pytest.mark.parametrize(("net", "cost"), [(lenet_disco, "unicast"), (lenet28, "multicast")])
def test_hops_first_are_fewer_hops(net: Callable[[], Net], cost: CostName) -> None:
    task, least = net().problem(), 0.85
    site = Site(FLOOR, cost)
    hops: dict[str, float] = {}
    for objective in ("crossbars", "spikes", "hops"):
        plan = structured(task, Options(objective, site=site))
        check(task, plan)
        hops[objective] = site.hops(task, plan)
    assert hops["hops"] <= least * min(hops["spikes"], hops["crossbars"])


@settings(max_examples=10, deadline=None)
@given(problems())
def test_hops_first_is_never_worse_and_the_same_program(task: Problem) -> None:
    site = Site(FLOOR)
    plans = {name: structured(task, Options(name, site=site)) for name in ("crossbars", "spikes", "hops")}
    check(task, plans["hops"])
    assert len(plans["hops"]) <= max(len(plans["crossbars"]) + 1, int(1.05 * len(plans["crossbars"])))
    least = min(site.hops(task, plans[name]) for name in ("crossbars", "spikes"))
    assert site.hops(task, plans["hops"]) <= least


def test_what_fills_gaps_goes_to_few_crossbars_for_each_source() -> None:
    """Pools have no room beside their convolution: grouped, each of its slices is read on few crossbars."""
    task = chain(1024, conv(1, 8, 32, 3), pool(8, 30)).problem(columns=64)
    site, quick = Site(FLOOR), {"visits": 0.0}
    plans = [structured(task, Options(name, details=quick, site=site)) for name in ("spikes", "hops")]
    readers = [len(nets_of(task, plan, {}).sinks) for plan in plans]
    assert readers[1] < readers[0]


def test_a_floor_without_room_is_left_to_the_placement() -> None:
    task = lenet28().problem()
    small = Site(Floor((2, 2)))
    plan = structured(task, Options("hops", site=small))
    check(task, plan)
    assert small.hops(task, plan) == float("inf")


def test_hops_need_a_floor() -> None:
    with pytest.raises(ValueError, match="there is none"):
        structured(lenet28().problem(), Options("hops"))


def test_links_between_chips_weigh_in_the_search_but_count_once() -> None:
    task = lenet28().problem()
    plan = structured(task, Options())
    chips = Floor((8, 8), chip=(4, 4), per_tile=4)
    far = Site(chips, crossing=50).hops(task, plan)
    assert far < 2 * Site(chips).hops(task, plan)
