"""No token is later than `send` and `carry` say, whatever the flows do within what the graph allows."""

from fractions import Fraction
from math import ceil
from random import Random

import pytest
from link_runs import Run, Traffic, busy_traffic, random_traffic

from snnir.schedule.links import Links, Transport, Way


def latest(transport: Transport, made: list[int]) -> list[int]:
    """When each token has arrived at the latest: one is sent after the other, then each is on its way."""
    sent, found = 0, list[int]()
    for time in made:
        sent = max(sent, time) + ceil(transport.send)
        found.append(sent + transport.carry)
    return found


def late(traffic: Traffic, way: int, transport: Transport, run: Run) -> int:
    """By how much the latest token exceeds its bound; at most 0 when the bound holds."""
    bounds = latest(transport, run.made[traffic.links.ways[way].flow])
    assert len(run.arrived[way]) == len(bounds)
    return max(found - bound for found, bound in zip(run.arrived[way], bounds, strict=True))


@pytest.mark.parametrize("seed", range(300))
def test_bounds_hold(seed: int) -> None:
    random = Random(seed)
    traffic = random_traffic(random)
    run, leads = Run(traffic), traffic.leads()
    for number, way in enumerate(traffic.links.ways):
        simple = traffic.links.waiting(way)
        assert late(traffic, number, simple, run) <= 0
        own = traffic.links.flits[way.flow]
        for target in {own, 2 * own, random.randint(own, int(simple.send)), int(simple.send)}:
            limited = traffic.links.limited(number, target, leads)
            assert limited.send <= simple.send
            assert limited.send.denominator == 1
            assert late(traffic, number, limited, run) <= 0


def shared(own: int, other: int) -> Links:
    """Two flows that share their first link, of 1 a flit, and have each their own last one, with a hop before it."""
    return Links([1, 1, 1], [5, 0, 0], [own, other], [Way(0, (0, 1)), Way(1, (0, 2))])


def test_a_flow_that_runs_out_of_flits_by_hand() -> None:
    # Flow 1 has 2 flits for each 10 of flow 0, and neither is ahead: token k + 1 of each waits for token k of both.
    waits = [(flow, way, 1) for flow in range(2) for way in range(2)]
    traffic = Traffic(shared(10, 2), waits, [[10] * 4, [2] * 4], [[0] * 4, [0] * 4])
    leads = traffic.leads()
    assert leads(0, 1) == 0
    # 2 of 10 more per flit on the first link, and there once 2 * (1 - 1/10) more; the last one passes 1 by 1
    assert traffic.links.limited(0, 12, leads) == Transport(Fraction(12), ceil(1 + 5 + 1.8))
    assert traffic.links.waiting(traffic.links.ways[0]) == Transport(Fraction(20), 1 + 5)
    assert traffic.links.limited(0, 20, leads) == traffic.links.waiting(traffic.links.ways[0])
    # flow 1 has fewer flits: it meets one of flow 0 for each of its own
    assert traffic.links.limited(1, 1, leads) == traffic.links.waiting(traffic.links.ways[1])
    run = Run(traffic)
    assert run.arrived[0] == [12 + 5 + 1 + k * 18 for k in range(4)]


def test_a_lead_is_what_both_ways_of_waiting_allow() -> None:
    links = shared(10, 2)
    sizes = [[10] * 6, [2] * 6]
    pauses = [[0] * 6, [0] * 6]
    for behind, ahead in ((1, 1), (1, 3), (4, 2)):
        waits = [(0, 1, behind), (1, 0, ahead)]
        assert Traffic(links, waits, sizes, pauses).leads()(0, 1) == behind + ahead - 2
    assert Traffic(links, [(0, 1, 1)], sizes, pauses).leads()(0, 1) is None
    assert Traffic(links, [(1, 0, 1)], sizes, pauses).leads()(0, 1) is None


def surplus(run: Run, own: int, other: int) -> int:
    """By how much more tokens of the flow of way `other` were on their way while some of way `own` were than these."""
    ways = run.links.ways
    mine = list(zip(run.made[ways[own].flow], run.arrived[own], strict=True))
    others = list(zip(run.made[ways[other].flow], run.arrived[other], strict=True))
    return max(
        sum(made < mine[last][1] and came > mine[first][0] for made, came in others) - (last - first + 1)
        for first in range(len(mine))
        for last in range(first, len(mine))
    )


def test_leads_hold_and_are_reached() -> None:
    reached = 0
    for seed in range(150):
        traffic = busy_traffic(Random(seed))
        run, leads, ways = Run(traffic), traffic.leads(), traffic.links.ways
        for own in range(len(ways)):
            for other in range(len(ways)):
                lead = leads(own, other) if ways[own].flow != ways[other].flow else None
                if lead is not None:
                    found = surplus(run, own, other)
                    assert found <= lead
                    reached += found == lead
    assert reached >= 50


def test_without_a_lead_every_other_flow_counts_fully() -> None:
    links = shared(10, 2)
    traffic = Traffic(links, [(0, 1, 1)], [[10], [2]], [[0], [0]])
    assert links.limited(0, 10, traffic.leads()) == links.waiting(links.ways[0])


def test_other_flows_may_spend_all_of_their_lead_at_once() -> None:
    # Flow 1 may be 6 tokens of 1 flit ahead: its 7 flits that are waiting pass all within one token of flow 0.
    traffic = Traffic(shared(10, 1), [(0, 1, 1), (1, 0, 7)], [[10], [1] * 7], [[0], [0] * 7])
    leads = traffic.leads()
    assert leads(0, 1) == 6
    found = traffic.links.limited(0, 11, leads)
    run = Run(traffic)
    assert run.arrived[0] == [10 + 7 + 6]
    assert latest(found, [0]) == [24]


def test_between_first_and_last_link_tokens_may_be_cut_at_both_ends() -> None:
    # On the shared link in the middle 2 * (2 - 2/10) more, not 2 * (1 - 1/10): two tokens may be there in part only.
    links = Links([1] * 5, [0] * 5, [10, 2], [Way(0, (0, 1, 2)), Way(1, (3, 1, 4))])
    traffic = Traffic(links, [(flow, way, 1) for flow in range(2) for way in range(2)], [[], []], [[], []])
    # 1 and 1.2 and 1 time units for a flit, without the slowest of them
    assert links.limited(0, 12, traffic.leads()) == Transport(Fraction(12), ceil(2 + 3.6))
