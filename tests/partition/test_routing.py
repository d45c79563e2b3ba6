"""What ways take of a floor, against walking along each of them router by router."""

from collections import Counter

import numpy as np
import pytest

from snnir.partition.floor import Floor, Link, Router
from snnir.partition.routing import Ways, tally

FLOORS = [
    Floor((1, 1)),
    Floor((6, 1)),
    Floor((1, 4)),
    Floor((5, 4)),
    Floor((1, 1), "tree"),
    Floor((5, 1), "tree", 2),
    Floor((13, 1), "tree", 3),
]


@pytest.mark.parametrize("most", [1, 6])
@pytest.mark.parametrize("floor", FLOORS, ids=str)
def test_tally(floor: Floor, most: int) -> None:
    rng = np.random.default_rng(floor.tiles)
    ways: list[tuple[Router, list[Router], float]] = []
    for _ in range(40):
        ends = np.unique(rng.integers(0, floor.tiles, rng.integers(1, most + 1))).tolist()
        start = floor.router(int(rng.integers(0, floor.tiles)))
        ways.append((start, [floor.router(end) for end in ends], float(rng.integers(0, 9))))
    entries, crossed, loads = Counter[Router](), Counter[Link](), Counter[Link]()
    for start, ends, spikes in ways:
        links = floor.tree_links(start, ends)
        crossed.update(links)
        loads.update(dict.fromkeys(links, int(spikes)))
        entries.update([start] if len(ends) == 1 else [start, *(end for _, end in links)])
    found = tally(floor, Ways.of(floor, ways))
    assert found.entries.tolist() == [entries[floor.router(number)] for number in range(floor.routers)]
    assert found.fullest[1] == max(entries.values())
    assert entries[found.fullest[0]] == found.fullest[1]
    assert found.by_link() == {link: (count, loads[link]) for link, count in crossed.items()}
    assert found.hops == crossed.total()
    assert (found.spike_hops, found.busiest) == (loads.total(), max(loads.values(), default=0))
    assert found.mean_load == (loads.total() / len(crossed) if crossed else 0)


def test_nothing_to_tally() -> None:
    for floor in FLOORS:
        found = tally(floor, Ways.of(floor, []))
        assert (found.hops, found.busiest, found.mean_load, found.fullest[1]) == (0, 0, 0, 0)
        assert found.by_link() == {}
