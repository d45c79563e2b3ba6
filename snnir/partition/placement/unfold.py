"""Coordinates that lay a network out flat: neighbours near each other, the whole as wide as it can be."""

import numpy as np
from scipy.sparse import csr_array

from snnir.partition.placement.force import Forces
from snnir.partition.placement.order import product
from snnir.partition.placement.problem import FloatArray

SWEEPS = 400
"""Steps of the iteration at effort 1."""
APART = 5
"""Steps after which the coordinates are made independent and as long as before."""
ANGLES = 32
"""Parts of a right angle by which a layout may be turned."""


def unfold(forces: Forces, rounds: int, seed: int) -> FloatArray:
    """(clusters, 2) coordinates of each cluster, from -1 to 1 or so.

    The two slowest ways in which the springs between clusters swing: the eigenvectors of the second and third smallest
    eigenvalue of their Laplacian (K. Hall, "An r-dimensional quadratic placement algorithm", 1970), near enough for a
    layout, by subspace iteration: from random coordinates, every cluster goes half of the way to the mean of what it
    talks to, again and again, while what is common to all and what the second coordinate shares with the first is taken
    out. Whatever is rough dies out; what stays varies slowly along the network. The host is left out.
    """
    matrix = csr_array(forces.matrix[:-1, :-1])
    weight = np.asarray(matrix.sum(1), np.float64).ravel()
    weight[weight <= 0] = 1.0
    at = np.random.default_rng(seed).standard_normal((len(weight), 2))
    for number in range(rounds):
        at = (at + product(matrix, at) / weight[:, None]) / 2
        if number % APART == 0 or number == rounds - 1:
            _part(at, weight)
    return at / max(float(np.abs(at).max()), 1e-300)


def _part(at: FloatArray, weight: FloatArray) -> None:
    """Make both coordinates free of a common shift and of each other, and one long."""
    at -= (weight[:, None] * at).sum(0) / weight.sum()
    _lengthen(at[:, 0], weight)
    at[:, 1] -= at[:, 0] * (weight * at[:, 0] * at[:, 1]).sum()
    _lengthen(at[:, 1], weight)


def _lengthen(at: FloatArray, weight: FloatArray) -> None:
    at /= np.sqrt(max(float((weight * at * at).sum()), 1e-300))


def turns(at: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    """Ways to lay the coordinates on a floor: x and y.

    The two swing as one where a network is as long as wide, and then any turn of the layout is as slow. Of a rectangle
    that lies along the axes the fourth powers of x and y have the smallest sum, so that turn is taken, and half a right
    angle from it; each as it is and mirrored along both axes and across, as the host sits on one side.
    """
    angles = np.pi / 2 * np.arange(ANGLES) / ANGLES
    square = [sum((side**4).sum() for side in _turned(at, angle)) for angle in angles]
    found: list[tuple[FloatArray, FloatArray]] = []
    for angle in (angles[int(np.argmin(square))], angles[int(np.argmin(square))] + np.pi / 4):
        x, y = _turned(at, angle)
        for a, b in ((x, y), (y, x)):
            found.extend((mirror * a, flip * b) for mirror in (1, -1) for flip in (1, -1))
    return found


def _turned(at: FloatArray, angle: float) -> tuple[FloatArray, FloatArray]:
    cos, sin = np.cos(angle), np.sin(angle)
    return cos * at[:, 0] - sin * at[:, 1], sin * at[:, 0] + cos * at[:, 1]
