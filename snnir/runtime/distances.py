"""How far actors can be ahead of each other: fewest tokens on paths between all pairs."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from snnir.runtime.application import MOST_DISTANCES, Channels

FAR = 255
"""Stands for no path, or one with so many tokens that it bounds nothing of use."""
_ROWS = 256


def distances(channels: Channels, actors: int) -> NDArray[np.uint8]:
    """`Application.distance`: (actors, actors), the sum of tokens on the path with fewest, at most `FAR`.

    A channel leads from its source to its target with `delay` tokens, and back with `capacity - delay`. (0, 0) when
    there are more than `MOST_DISTANCES` actors.
    """
    if actors > MOST_DISTANCES:
        return np.zeros((0, 0), np.uint8)
    source = np.concatenate([channels.source, channels.target])
    target = np.concatenate([channels.target, channels.source])
    tokens = np.concatenate([channels.delay, channels.capacity - channels.delay]).astype(np.float64)
    order = np.lexsort((tokens, target, source))
    first = order[np.flatnonzero(np.diff(source[order] * actors + target[order], prepend=-1))]
    graph = csr_array((tokens[first], (source[first], target[first])), shape=(actors, actors))
    found = np.empty((actors, actors), np.uint8)
    for start in range(0, actors, _ROWS):
        rows = np.arange(start, min(start + _ROWS, actors))
        paths: NDArray[np.float64] = np.asarray(dijkstra(graph, directed=True, indices=rows, limit=FAR))
        found[rows] = np.minimum(paths, FAR).astype(np.uint8)
    return found
