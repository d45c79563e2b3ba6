"""The links that flows cross, by name: against the tree of each flow, router by router."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from snnir.partition.floor import Floor, Link
from snnir.partition.routing import Ways, tally

FLOORS = [
    Floor((4, 3), host=(1, 2)),
    Floor((6, 1)),
    Floor((1, 5)),
    Floor((4, 4), chip=(2, 2)),
    Floor((9, 1), "tree", 2),
    Floor((7, 1), "tree", 3, host=(6, 0)),
    Floor((1, 1)),
]


@pytest.mark.parametrize("floor", FLOORS, ids=str)
def test_links_by_name(floor: Floor) -> None:
    rng = np.random.default_rng(0)
    flows, spikes = Counter[Link](), Counter[Link]()
    ways = [
        (
            floor.router(int(rng.integers(floor.tiles))),
            [floor.router(int(n)) for n in rng.permutation(floor.tiles)[: rng.integers(1, 5)]],
            float(rng.integers(1, 9)),
        )
        for _ in range(40)
    ]
    for start, ends, count in ways:
        for link in floor.tree_links(start, ends):
            flows[link] += 1
            spikes[link] += count  # pyright: ignore[reportArgumentType]
    found = tally(floor, Ways.of(floor, ways)).by_link()
    assert {link: each[0] for link, each in found.items()} == dict(flows)
    assert {link: each[1] for link, each in found.items()} == pytest.approx(dict(spikes))
