"""Activations as continuous piecewise linear functions with few pieces, within an error on all real numbers.

Corners lie on a grid whose points are dense where a function bends, each at one of a few heights within the error.
Dynamic programming finds the way through the corridor of the error with the fewest pieces; the largest error is then
made as small as it gets with so many, by bisection. Convex functions are best met from above and concave ones from
below (corners at the border of the corridor, pieces that touch the other border); so the few heights suffice. The tails
left and right of all corners have the slopes of the function's asymptotes, and count: they are within the error up to
infinity, unless a range is given, outside of which nothing is promised.

The number of pieces is near the least possible: `least_pieces` bounds it from below by pieces that need not meet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from snnir.activations import activate

Vector = NDArray[np.float64]

GRID = 240
"""Places where corners may be."""
HEIGHTS = np.array([0.0, 1.0, -1.0])
"""Where a corner may lie in the corridor, in errors."""
FINE = 20001
"""Places at which errors are measured."""
BISECTIONS = 8

SLOPES: dict[str, Callable[[Mapping[str, float]], tuple[float, float]]] = {
    "sigmoid": lambda _: (0.0, 0.0),
    "tanh": lambda _: (0.0, 0.0),
    "softplus": lambda _: (0.0, 1.0),
    "elu": lambda _: (0.0, 1.0),
    "selu": lambda p: (0.0, p["gamma"]),
    "square": lambda _: (0.0, 0.0),
}
"""The slopes of a function's asymptotes, left and right; of what has none, those of tails outside of a range."""
ENDLESS = frozenset({"square"})
"""Functions without asymptotes, which are fitted in a range only."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A continuous piecewise linear function."""

    knots: Vector
    """Where it has corners, (corners,), ascending."""
    values: Vector
    """Its values there."""
    left: float
    """Its slope before the first corner."""
    right: float
    """Its slope behind the last."""
    error: float
    """The largest difference to the function, where it was fitted."""
    rms: float
    """The root of the mean squared difference where the function bends (in the range, if there was one)."""
    least: float
    """The greatest lower bound of the function where it was fitted; -inf where it has none."""
    most: float
    """The least upper bound; inf where it has none."""

    @property
    def slopes(self) -> Vector:
        """The slope between neighbouring corners, (corners - 1,)."""
        return np.diff(self.values) / np.diff(self.knots)

    def __call__(self, x: Vector) -> Vector:
        """Its values."""
        inside = np.interp(x, self.knots, self.values)
        before = np.minimum(x - self.knots[0], 0.0) * self.left
        return inside + before + np.maximum(x - self.knots[-1], 0.0) * self.right


@dataclass(frozen=True)
class _Target:
    """What is fitted: a function, its asymptotes, and where."""

    function: Callable[[Vector], Vector]
    slopes: tuple[float, float]
    ends: tuple[float, float]
    """Where tails may begin at the latest: the asymptotes are met, or the range ends."""
    is_bounded: bool
    """Whether only the range between the ends counts."""

    def places(self, count: int) -> Vector:
        """Places between the ends, dense where the function bends, 0 among them where it is inside."""
        fine = np.linspace(*self.ends, FINE)
        bend = np.zeros(FINE)
        bend[1:-1] = np.abs(np.diff(self.function(fine), 2)) ** 0.5
        density = bend + bend.mean() * 0.2 + 1e-12
        share = np.cumsum(density) / density.sum()
        found = np.interp(np.linspace(0.0, 1.0, count), share, fine)
        found[0], found[-1] = self.ends
        return np.unique(np.append(found, 0.0)) if self.ends[0] < 0 < self.ends[1] else found


def fit(function: str, parameters: Mapping[str, float], error: float, reach: tuple[float, float] | None = None) -> Fit:
    """A function (of `SLOPES`) in as few pieces as keep the largest error at most `error`.

    On all real numbers, or, with `reach`, between two numbers. Raises `ValueError` for a function that has no fit.
    """
    return _fit(function, tuple(sorted(parameters.items())), error, reach)


@lru_cache(maxsize=64)
def _fit(
    function: str, parameters: tuple[tuple[str, float], ...], error: float, reach: tuple[float, float] | None
) -> Fit:
    if function not in SLOPES or not error > 0 or (reach is None and function in ENDLESS):
        raise ValueError(f"no fit of {function} within {error}")
    target = _target(function, dict(parameters), error, reach)
    places = target.places(GRID)
    # between places the corridor is not looked at: what is lost there is measured, and taken from the error
    share = 1.0
    while True:
        found = _corners(target, places, error * share)
        if found is None:
            raise ValueError(f"no fit of {function} within {error}")
        measured = _measured(target, found)
        if measured[0] <= error:
            break
        share *= min(error / measured[0], 1.0) * 0.995
    low, high = 0.0, error * share
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        closer = _corners(target, places, middle)
        if closer is not None and len(closer[0]) <= len(found[0]):
            high = middle
            if (better := _measured(target, closer))[0] < measured[0]:
                found, measured = closer, better
        else:
            low = middle
    bounds = _bounds(target)
    return Fit(*found, *target.slopes, *measured, *bounds)


def _target(function: str, parameters: dict[str, float], error: float, reach: tuple[float, float] | None) -> _Target:
    def values(x: Vector) -> Vector:
        return activate(function, x, parameters)

    slopes = SLOPES[function](parameters)
    if reach is not None:
        low, high = min(reach), max(reach)
        return _Target(values, slopes, (low, max(high, low + 1e-6 * max(1.0, abs(low)))), True)
    ends: list[float] = []
    for sign, slope in zip((-1.0, 1.0), slopes, strict=True):
        far = np.array([sign * 700.0])
        limit = values(far) - slope * far
        x = sign * np.linspace(0.0, 60.0, 6001)
        away = np.abs(values(x) - slope * x - limit) > error / 20
        ends.append(float(x[int(np.flatnonzero(away).max(initial=0)) + 1]))
    return _Target(values, slopes, (ends[0], ends[1]), False)


def _tail(target: _Target, places: Vector, heights: Vector, error: float, side: int) -> NDArray[np.bool_]:
    """(places, heights): whether a tail from a corner there on stays within the error; `side` 0 left, 1 right."""
    slope, f = target.slopes[side], target.function(places)
    rest = f - slope * places
    if not target.is_bounded:
        far = np.array([-700.0 if side == 0 else 700.0])
        rest = np.concatenate([target.function(far) - slope * far, rest, target.function(far) - slope * far])
    else:
        rest = np.concatenate([rest[:1], rest, rest[-1:]])
    above = np.maximum.accumulate(rest if side == 0 else rest[::-1])
    below = np.minimum.accumulate(rest if side == 0 else rest[::-1])
    above, below = (each[1:-1] if side == 0 else each[::-1][1:-1] for each in (above, below))
    height = (f - slope * places)[:, None] + error * heights
    slack = error * (1 + 1e-9)
    return (height >= above[:, None] - slack) & (height <= below[:, None] + slack)


def _corners(target: _Target, places: Vector, error: float) -> tuple[Vector, Vector] | None:
    """Corners (x, y) with the fewest pieces between them that stay within the error at all places."""
    f, count = target.function(places), len(places)
    y = f[:, None] + error * HEIGHTS
    pieces = np.where(_tail(target, places, HEIGHTS, error, 0), 0, count + 1)
    if target.is_bounded:
        pieces[0] = 0
    last = _tail(target, places, HEIGHTS, error, 1)
    if target.is_bounded:
        last[-1] = True
    before = np.full((count, len(HEIGHTS), 2), -1)
    low, high = f - error * (1 + 1e-9), f + error * (1 + 1e-9)
    for i in range(count - 1):
        for h in np.flatnonzero(pieces[i] <= count):
            run = places[i + 1 :] - places[i]
            steepest = np.minimum.accumulate((high[i + 1 :] - y[i, h]) / run)
            flattest = np.maximum.accumulate((low[i + 1 :] - y[i, h]) / run)
            slope = (y[i + 1 :] - y[i, h]) / run[:, None]
            open_ = (slope <= steepest[:, None]) & (slope >= flattest[:, None])
            better = open_ & (pieces[i + 1 :] > pieces[i, h] + 1)
            pieces[i + 1 :][better] = pieces[i, h] + 1
            before[i + 1 :][better] = (i, h)
    ends = np.where(last, pieces, count + 1)
    i, h = np.unravel_index(int(ends.argmin()), ends.shape)
    if ends[i, h] > count:
        return None
    way: list[tuple[int, int]] = []
    while i >= 0:
        way.append((int(i), int(h)))
        i, h = before[i, h]
    chosen = np.array(way[::-1])
    return places[chosen[:, 0]], y[chosen[:, 0], chosen[:, 1]]


def _measured(target: _Target, corners: tuple[Vector, Vector]) -> tuple[float, float]:
    """The largest and the root mean squared difference."""
    made = Fit(*corners, *target.slopes, 0.0, 0.0, 0.0, 0.0)
    inside = np.linspace(*target.ends, FINE)
    x = inside
    if not target.is_bounded:
        x = np.concatenate([np.linspace(-60.0, 60.0, FINE), inside, [-700.0, 700.0]])
    difference = np.abs(made(x) - target.function(x))
    return float(difference.max()), float(np.sqrt(np.mean((made(inside) - target.function(inside)) ** 2)))


def _bounds(target: _Target) -> tuple[float, float]:
    """The bounds of the function itself where it is fitted; all tails to the left are level."""
    x = np.linspace(*target.ends, FINE)
    if not target.is_bounded:
        x = np.concatenate([np.linspace(-60.0, 60.0, FINE), [-700.0, 700.0]])
    values, rises = target.function(x), target.slopes[1]
    return float(values.min()) if rises >= 0 else -np.inf, float(values.max()) if rises <= 0 else np.inf


def least_pieces(
    function: str, parameters: Mapping[str, float], error: float, reach: tuple[float, float] | None = None
) -> int:
    """No continuous function with fewer pieces between its tails is within the error: greedy pieces that need not meet
    are as few as pieces can be. The tails take the function as far as they can."""
    target = _target(function, dict(parameters), error, reach)
    places = target.places(4 * GRID)
    f = target.function(places)
    heights = np.linspace(-1.0, 1.0, 201)
    start, stop = 0, len(places) - 1
    if not target.is_bounded:
        start = int(np.flatnonzero(_tail(target, places, heights, error, 0).any(axis=1)).max())
        stop = int(np.flatnonzero(_tail(target, places, heights, error, 1).any(axis=1)).min())
    count = 0
    while start < stop:
        count += 1
        start = _farthest(places, f, error, start)
    return count


def _farthest(places: Vector, f: Vector, error: float, start: int) -> int:
    """The first place that no line from `start` on, within the error, reaches."""
    low, high = start + 1, len(places)
    while low < high:
        middle = (low + high + 1) // 2
        if _line_error(places[start:middle], f[start:middle]) <= error:
            low = middle
        else:
            high = middle - 1
    return low


def _line_error(x: Vector, y: Vector) -> float:
    """The largest error of the line that has the smallest: half the height of the convex hull, where it is highest."""
    if len(x) < 3:
        return 0.0
    upper, lower = _hull(x, y, 1.0), _hull(x, y, -1.0)
    return float((np.interp(x, x[upper], y[upper]) - np.interp(x, x[lower], y[lower])).max() / 2)


def _hull(x: Vector, y: Vector, sign: float) -> list[int]:
    """The numbers of the points on the upper (sign 1) or lower (-1) hull."""
    found: list[int] = []
    for n in range(len(x)):
        while len(found) > 1:
            a, b = found[-2], found[-1]
            if sign * ((y[b] - y[a]) * (x[n] - x[a]) - (y[n] - y[a]) * (x[b] - x[a])) > 0:
                break
            found.pop()
        found.append(n)
    return found
