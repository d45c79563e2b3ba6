"""How many targets read each source: the columns of the matrix of synapses."""

from __future__ import annotations

import numpy as np
import pytest

from snnir.synapses import Conv, Dense, Listed, OneToOne, Selected, Synapses
from snnir.windows import Windows

PADDED = Windows.of((5, 4), (3, 2), (2, 1), (1, 0), (1, 1))
DILATED = Windows.of((9,), (3,), (2,), (2,), (0,), (3,))
CASES: dict[str, Synapses] = {
    "dense": Dense(np.ones((3, 4))),
    "dense, in parts": Dense(np.ones((3, 4)), repeat=2),
    "one to one": OneToOne(np.ones(1), 5),
    "listed": Listed(np.ones(5), np.array([0, 0, 2, 2, 2]), np.array([1, 1, 0, 1, 3]), (4, 4)),
    "conv": Conv(np.ones((6, 2, 3, 2)), 4, PADDED, 2),
    "conv along a line": Conv(np.ones((2, 3, 3)), 3, DILATED, 1),
    "pool": Conv.pool(3, Windows.of((7, 7), (2, 2), (2, 2), (0, 0), (0, 0)), 0.25),
    "selected": Selected(Dense(np.ones((3, 2))), np.array([4, 1]), 6),
}


@pytest.mark.parametrize("name", CASES)
def test_outdegrees_are_sums_of_columns(name: str) -> None:
    synapses = CASES[name]
    whole = synapses.connected(np.arange(synapses.sources), np.arange(synapses.targets))
    assert synapses.outdegree().tolist() == whole.sum(axis=1).tolist()
    assert synapses.outdegree().sum() == synapses.count
