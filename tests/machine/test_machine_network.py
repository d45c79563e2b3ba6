"""Flits on links: by hand, and against links that serve one flit at a time."""

from functools import partial
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_reference import NaiveLinks

from snnir.machine.network import Link, Network

Tokens = list[list[tuple[int, int]]]
"""For each flow the tokens in order: (time of sending, flits)."""


def arrivals(ways: list[list[Link]], flit: int, tokens: Tokens, lookahead: int = 10**9) -> list[list[int]]:
    """When the tokens of each flow are complete, all of them being known from the start."""
    network = Network(ways, flit, lambda flow: None)
    for flow, sent in enumerate(tokens):
        for time, flits in sent:
            network.send(flow, time, flits)
    while network.advance(lookahead):
        pass
    return network.arrivals


def naive_arrivals(ways: list[list[Link]], flit: int, tokens: Tokens) -> list[list[int]]:
    links = NaiveLinks([[(link.name, link.hop) for link in way] for way in ways], flit)
    for flow, sent in enumerate(tokens):
        for time, flits in sent:
            links.at(time, partial(links.enqueue, flow, flits))
    links.work()
    return links.complete


def test_a_flow_alone_is_delayed_by_one_flit_per_link_and_by_hops() -> None:
    way = [Link("in", 0), Link("a -> b", 7), Link("out", 0)]
    # The second token waits at the inject link until 3 flits of 4 have left it at 112.
    assert arrivals([way], 4, [[(100, 3), (105, 2)]]) == [[112 + 4 + 7 + 4, 120 + 15]]


def test_links_without_duration_only_hop() -> None:
    assert arrivals([[Link("in", 0), Link("a -> b", 7), Link("out", 0)]], 0, [[(5, 100), (5, 1)]]) == [[12, 12]]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        # a b a b a: the markers are the fourth and the fifth flit.
        ([[(0, 3)], [(0, 2)]], [[10], [8]]),
        # a (0..2), then both: b's turn (2..4), a (4..6), a alone (6..8).
        ([[(0, 3)], [(1, 1)]], [[8], [4]]),
        # a starts at 0; b comes at 2 just when the link becomes free, and is next.
        ([[(0, 3)], [(2, 1)]], [[8], [4]]),
        # The turn is kept while the link is idle: a was last, so b is first at 50.
        ([[(0, 1), (50, 1)], [(50, 1)]], [[2, 54], [52]]),
        ([[(50, 1)], [(0, 1), (50, 1)]], [[52], [2, 54]]),
    ],
)
def test_turns(tokens: Tokens, expected: list[list[int]]) -> None:
    ways = [[Link("in", 0)], [Link("in", 0)]]
    assert arrivals(ways, 2, tokens) == expected
    assert naive_arrivals(ways, 2, tokens) == expected


def test_a_late_flit_does_not_delay_those_behind_it() -> None:
    # a and x take turns at p, so a's flits reach m at 3, 9 and 15. b keeps m busy from 8 to 11.
    # a: 3..6, then 11..14, two late, and 15..18, on arrival again.
    ways = [[Link("p", 0), Link("m", 0)], [Link("p", 0)], [Link("q", 0), Link("m", 0)]]
    tokens: Tokens = [[(0, 3)], [(0, 3)], [(5, 1)]]
    assert arrivals(ways, 3, tokens) == [[18], [18], [11]]


def random_links(random: Random) -> tuple[list[list[Link]], Tokens, int]:
    """Flows from several inject links that meet on the links of a line, with tokens at random times."""
    flit = random.choice([1, 2, 3, 5])
    hops = [random.choice([0, 1, 2, 7]) for _ in range(4)]
    ways: list[list[Link]] = []
    for _ in range(random.randint(1, 6)):
        start, end = sorted(random.choices(range(5), k=2))
        line = [Link(f"{n} -> {n + 1}", hops[n]) for n in range(start, end)]
        ways.append([Link(f"inject {start}", 0), *line, Link(f"eject {end}", 0)])
    tokens: Tokens = []
    for _ in ways:
        times = sorted(random.randrange(200) for _ in range(random.randint(0, 4)))
        tokens.append([(time, random.choice([1, 2, 5, 20])) for time in times])
    return ways, tokens, flit


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lookahead=st.sampled_from([1, 3, 30, 10**9]))
def test_runs_of_flits_arrive_when_single_flits_do(seed: int, lookahead: int) -> None:
    ways, tokens, flit = random_links(Random(seed))
    assert arrivals(ways, flit, tokens, lookahead) == naive_arrivals(ways, flit, tokens)
