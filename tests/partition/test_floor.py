"""Floors against breadth-first search on the graph of their routers, and against counting along each way."""

import random
from collections import deque
from itertools import pairwise

import numpy as np
import pytest

from snnir.partition.floor import Floor, Router, links_of

FLOORS = [
    Floor((1, 1)),
    Floor((5, 1)),
    Floor((4, 3), host=(3, 2)),
    Floor((6, 4), chip=(3, 2), per_tile=4),
    Floor((4, 4), chip=(1, 4)),
    Floor((1, 1), "tree"),
    Floor((2, 1), "tree"),
    Floor((7, 1), "tree", arity=2, host=(6, 0)),
    Floor((9, 1), "tree", arity=3),
    Floor((10, 1), "tree", arity=4),
]


def routers(floor: Floor) -> list[Router]:
    return [floor.router(number) for number in range(floor.routers)]


def steps_from(floor: Floor, start: Router) -> dict[Router, int]:
    """Links from a router to each other one, by breadth-first search."""
    found, queue = {start: 0}, deque([start])
    while queue:
        router = queue.popleft()
        for other in floor.neighbours(router):
            if other not in found:
                found[other] = found[router] + 1
                queue.append(other)
    return found


@pytest.mark.parametrize("floor", FLOORS, ids=str)
class TestFloor:
    def test_numbers_and_routers_are_one_to_one(self, floor: Floor) -> None:
        assert [floor.number(router) for router in routers(floor)] == list(range(floor.routers))
        assert len(set(routers(floor))) == floor.routers
        assert [floor.is_tile(router) for router in routers(floor)] == [n < floor.tiles for n in range(floor.routers)]
        assert floor.router(floor.host_tile) == floor.host

    def test_links_go_both_ways(self, floor: Floor) -> None:
        for router in routers(floor):
            near = floor.neighbours(router)
            assert near == sorted(near, key=floor.number)
            assert all(router in floor.neighbours(other) for other in near)

    def test_distances_are_those_of_a_search(self, floor: Floor) -> None:
        for a in range(floor.tiles):
            found = steps_from(floor, floor.router(a))
            assert len(found) == floor.routers
            assert floor.distance[a].tolist() == [found[floor.router(b)] for b in range(floor.tiles)]
        assert floor.distance.dtype == np.int64

    def test_a_way_has_the_length_of_the_distance_and_counts_its_crossings(self, floor: Floor) -> None:
        weighted = floor.weighted(7)
        for a in range(floor.tiles):
            for b in range(floor.tiles):
                way = floor.path(floor.router(a), floor.router(b))
                assert (way[0], way[-1]) == (floor.router(a), floor.router(b))
                assert all(after in floor.neighbours(before) for before, after in pairwise(way))
                crossed = sum(floor.crosses(*link) for link in links_of(way))
                assert len(way) - 1 == floor.distance[a, b] == floor.hops(a, b)
                assert crossed == floor.crossings(a, b)
                assert weighted[a, b] == len(way) - 1 + 6 * crossed

    def test_the_union_of_the_ways_from_a_router_is_a_tree(self, floor: Floor) -> None:
        """To all tiles at once: then also to any of them."""
        tiles = [floor.router(number) for number in range(floor.tiles)]
        for a in tiles:
            links = floor.tree_links(a, tiles)
            assert links == {link for end in tiles for link in links_of(floor.path(a, end))}
            entered = [end for _, end in links]
            assert len(set(entered)) == len(entered)
            assert a not in entered

    def test_branches_are_the_parts_of_the_ways_that_are_new(self, floor: Floor) -> None:
        random_ = random.Random(0)
        tiles = [floor.router(number) for number in range(floor.tiles)]
        for _ in range(20):
            a, ends = random_.choice(tiles), random_.choices(tiles, k=5)
            branches = floor.branches(a, ends)
            links = [link for branch in branches for link in links_of(branch)]
            assert len(set(links)) == len(links)
            assert set(links) == floor.tree_links(a, ends)
            reached = {a}
            for end, branch in zip(ends, branches, strict=True):
                assert branch[0] in reached
                assert branch[-1] == end
                assert reached.isdisjoint(branch[1:])
                reached.update(branch)


def test_ways_on_a_mesh_go_along_x_first() -> None:
    assert Floor((3, 3)).path((2, 0), (0, 2)) == ((2, 0), (1, 0), (0, 0), (0, 1), (0, 2))


def test_ways_on_a_tree_turn_at_the_lowest_common_ancestor() -> None:
    floor = Floor((8, 1), "tree")
    assert floor.path((2, 0), (3, 0)) == ((2, 0), (1, 1), (3, 0))
    assert floor.path((0, 0), (5, 0)) == ((0, 0), (0, 1), (0, 2), (0, 3), (1, 2), (2, 1), (5, 0))
    assert floor.path((0, 2), (1, 0)) == ((0, 2), (0, 1), (1, 0))
    assert floor.levels == (8, 4, 2, 1)


def test_hops_of_pairs_on_a_floor_that_is_too_large_for_an_array() -> None:
    floor = Floor((100, 100), chip=(10, 10))
    assert floor.hops([0, 99], [9999, 0]).tolist() == [198, 99]
    assert floor.crossings([0, 99], [9999, 0]).tolist() == [18, 9]
    with pytest.raises(ValueError, match="10000 tiles have too many distances"):
        _ = floor.distance


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mesh": (0, 2)}, "at least one tile"),
        ({"mesh": (2, 2), "per_tile": 0}, "at least one crossbar"),
        ({"mesh": (4, 2), "topology": "tree"}, r"\[leaves, 1\]"),
        ({"mesh": (4, 1), "topology": "tree", "arity": 1}, "two or more children"),
        ({"mesh": (4, 1), "topology": "tree", "chip": (2, 1)}, "one chip"),
        ({"mesh": (4, 4), "chip": (3, 2)}, "whole chips"),
        ({"mesh": (4, 4), "host": (4, 0)}, "router of a tile"),
        ({"mesh": (4, 1), "topology": "tree", "host": (0, 1)}, "router of a tile"),
    ],
)
def test_what_is_no_floor_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Floor(**arguments)  # pyright: ignore[reportArgumentType]


def test_a_router_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match=r"no router \[0, 3\]"):
        Floor((3, 3)).number((0, 3))
    with pytest.raises(ValueError, match="no router number 7"):
        Floor((4, 1), "tree").router(7)
