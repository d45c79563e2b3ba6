"""Flits on links: by hand, and against links that serve one flit at a time."""

from functools import partial
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_reference import NaiveLinks

from snnir.machine.network import Link, Network, Way

Tokens = list[list[tuple[int, int]]]
"""For each flow the tokens in order: (time of sending, flits)."""
Paths = list[list[list[Link]]]
"""For each flow the links on the way to each of its destinations."""


def way_of(paths: list[list[Link]]) -> Way:
    """The tree of the ways to the destinations of one flow."""
    links, before = [paths[0][0]], [-1]
    for path in paths:
        for previous, link in pairwise(path):
            if link not in links:
                before.append(links.index(previous))
                links.append(link)
    return Way(tuple(links), tuple(before), tuple(links.index(path[-1]) for path in paths))


def arrivals(flows: Paths, tokens: Tokens, lookahead: int = 10**9) -> list[list[list[int]]]:
    """When the tokens of each flow are complete at each destination, all of them being known from the start."""
    network = Network([way_of(paths) for paths in flows], lambda end: None)
    for flow, sent in enumerate(tokens):
        for time, flits in sent:
            network.send(flow, time, flits)
    while network.advance(lookahead):
        pass
    return [[network.arrivals[end] for end in ends] for ends in network.ends]


def naive_arrivals(flows: Paths, tokens: Tokens) -> list[list[list[int]]]:
    links = NaiveLinks([[[(link.name, link.flit, link.hop) for link in path] for path in paths] for paths in flows])
    for flow, sent in enumerate(tokens):
        for time, flits in sent:
            links.at(time, partial(links.enqueue, flow, flits))
    links.work()
    return links.complete


def line(flit: int, *names: str, hop: int = 0) -> list[Link]:
    """Links that take `flit` each, with `hop` after those between two routers."""
    return [Link(name, flit, hop if "->" in name else 0) for name in names]


def test_a_flow_alone_is_delayed_by_one_flit_per_link_and_by_hops() -> None:
    way = line(4, "in", "a -> b", "out", hop=7)
    # The second token waits at the inject link until 3 flits of 4 have left it at 112.
    assert arrivals([[way]], [[(100, 3), (105, 2)]]) == [[[112 + 4 + 7 + 4, 120 + 15]]]


def test_links_without_duration_only_hop() -> None:
    near, far = line(0, "in", "a -> b", "out", hop=7), line(0, "in", "a -> b", "b -> c", "out at c", hop=7)
    assert arrivals([[near, far]], [[(5, 100), (5, 1)]]) == [[[12, 12], [19, 19]]]


def test_flits_are_copied_where_ways_part_and_each_way_has_its_own_pace() -> None:
    stem, slow = [Link("in", 2, 0), Link("a -> b", 2, 5)], Link("b -> c", 10, 1)
    near, far = [*stem, Link("out at b", 2, 0)], [*stem, slow, Link("out at c", 2, 0)]
    # Three flits leave a at 4, 6 and 8 and reach b at 9, 11 and 13: one more link to leave at b; at c, the slow
    # link has them at 19, 29 and 39.
    assert arrivals([[near, far]], [[(0, 3)]]) == [[[15], [42]]]
    assert naive_arrivals([[near, far]], [[(0, 3)]]) == [[[15], [42]]]


def test_a_tree_takes_one_turn_on_a_link_that_leads_to_several_destinations() -> None:
    tree = [line(2, "in", "a -> b", "out at b"), line(2, "in", "a -> b", "b -> c", "out at c")]
    other = [line(2, "in", "a -> b", "out at b")]
    # in: t o t o; the markers of both reach the ends one after the other.
    assert arrivals([tree, other], [[(0, 2)], [(0, 2)]]) == [[[10], [12]], [[12]]]
    assert naive_arrivals([tree, other], [[(0, 2)], [(0, 2)]]) == [[[10], [12]], [[12]]]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        # a b a b a: the markers are the fourth and the fifth flit.
        ([[(0, 3)], [(0, 2)]], [[[10]], [[8]]]),
        # a (0..2), then both: b's turn (2..4), a (4..6), a alone (6..8).
        ([[(0, 3)], [(1, 1)]], [[[8]], [[4]]]),
        # a starts at 0; b comes at 2 just when the link becomes free, and is next.
        ([[(0, 3)], [(2, 1)]], [[[8]], [[4]]]),
        # The turn is kept while the link is idle: a was last, so b is first at 50.
        ([[(0, 1), (50, 1)], [(50, 1)]], [[[2, 54]], [[52]]]),
        ([[(50, 1)], [(0, 1), (50, 1)]], [[[52]], [[2, 54]]]),
    ],
)
def test_turns(tokens: Tokens, expected: list[list[list[int]]]) -> None:
    flows = [[line(2, "in")], [line(2, "in")]]
    assert arrivals(flows, tokens) == expected
    assert naive_arrivals(flows, tokens) == expected


def test_a_late_flit_does_not_delay_those_behind_it() -> None:
    # a and x take turns at p, so a's flits reach m at 3, 9 and 15. b keeps m busy from 8 to 11.
    # a: 3..6, then 11..14, two late, and 15..18, on arrival again.
    flows = [[line(3, "p", "m")], [line(3, "p")], [line(3, "q", "m")]]
    tokens: Tokens = [[(0, 3)], [(0, 3)], [(5, 1)]]
    assert arrivals(flows, tokens) == [[[18]], [[18]], [[11]]]


def random_links(random: Random) -> tuple[Paths, Tokens]:
    """Flows from several inject links that meet on the links of a line, with tokens at random times.

    Flows end at one place or at several on their way; links take equally long, or some longer than others.
    """
    flits = random.choice([[1], [2], [5], [3, 3, 3, 10], [1, 2, 3, 7]])
    between = [Link(f"{n} -> {n + 1}", random.choice(flits), random.choice([0, 1, 2, 7])) for n in range(4)]
    eject = [Link(f"eject {n}", random.choice(flits), 0) for n in range(5)]
    inject = [Link(f"inject {n}", random.choice(flits), 0) for n in range(5)]
    flows: Paths = []
    for _ in range(random.randint(1, 6)):
        start, *ends = sorted(random.choices(range(5), k=random.choice([2, 2, 3, 4])))
        flows.append([[inject[start], *between[start:end], eject[end]] for end in sorted(set(ends))])
    tokens: Tokens = []
    for _ in flows:
        times = sorted(random.randrange(200) for _ in range(random.randint(0, 4)))
        tokens.append([(time, random.choice([1, 2, 5, 20])) for time in times])
    return flows, tokens


@settings(max_examples=500, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), lookahead=st.sampled_from([1, 3, 30, 10**9]))
def test_runs_of_flits_arrive_when_single_flits_do(seed: int, lookahead: int) -> None:
    flows, tokens = random_links(Random(seed))
    assert arrivals(flows, tokens, lookahead) == naive_arrivals(flows, tokens)
