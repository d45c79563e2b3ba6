"""Orders in which the tiles of a floor are filled."""

import numpy as np

from snnir.partition.placement.problem import IntArray, Problem

Vector = tuple[int, int]
Rectangle = tuple[Vector, Vector, Vector]
"""The corner where the curve enters, the side along which it leads to the other end, and the side across."""


def compact(problem: Problem) -> IntArray:
    """(tiles,) tiles in the order in which clusters take them when they stay together: along Hilbert's curve through
    the rectangle nearest to a square, around the host, that has a crossbar for every cluster; then the others, the
    nearest first. On a tree the leaves from the host's on, round about."""
    floor, tiles = problem.floor, np.arange(problem.floor.tiles)
    if floor.is_tree:
        return tiles[np.argsort(floor.hops(tiles, floor.host_tile), kind="stable")]
    x, y = tiles % floor.mesh[0], tiles // floor.mesh[0]
    left, top, width, height = _rectangle(problem)
    inside = (x >= left) & (x < left + width) & (y >= top) & (y < top + height)
    rank = np.empty(floor.tiles, np.int64)
    at_x, at_y = hilbert(width, height)
    if 2 * (floor.host[0] - left) >= width:
        at_x = width - 1 - at_x
    if 2 * (floor.host[1] - top) >= height:
        at_y = height - 1 - at_y
    rank[(at_y + top) * floor.mesh[0] + at_x + left] = np.arange(width * height)
    rank[~inside] = width * height + floor.hops(tiles[~inside], floor.host_tile)
    return tiles[np.argsort(rank, kind="stable")]


def _rectangle(problem: Problem) -> tuple[int, int, int, int]:
    """Left, top, width and height of the rectangle that `compact` fills first."""
    (mesh_x, mesh_y), host = problem.floor.mesh, problem.floor.host
    free = problem.capacity[:, 0].reshape(mesh_y, mesh_x)
    width = height = 1
    while True:
        left = min(max(host[0] - width // 2, 0), mesh_x - width)
        top = min(max(host[1] - height // 2, 0), mesh_y - height)
        whole = (width, height) == problem.floor.mesh
        if whole or free[top : top + height, left : left + width].sum() >= problem.clusters:
            return left, top, width, height
        if (width <= height and width < mesh_x) or height == mesh_y:
            width += 1
        else:
            height += 1


def hilbert(width: int, height: int) -> tuple[IntArray, IntArray]:
    """x and y of the points of a rectangle along a space-filling curve from (0, 0) to a corner on the longer side.

    Hilbert's curve for rectangles of any size (as J. Cerveny's "gilbert": a long rectangle is halved along its length,
    another is cut into three, with the middle one crossed from end to end). Every step leads to a neighbour, but for at
    most one diagonal step where a side is odd.
    """
    points: list[Vector] = []
    along, across = ((width, 0), (0, height)) if width >= height else ((0, height), (width, 0))
    stack: list[Rectangle] = [((0, 0), along, across)]
    while stack:
        stack.extend(reversed(_pieces(points, *stack.pop())))
    x, y = np.array(points, np.int64).T
    return x, y


def _pieces(points: list[Vector], corner: Vector, along: Vector, across: Vector) -> list[Rectangle]:
    """The parts of a rectangle in the order of the curve; a rectangle of one row goes to `points` instead."""
    (x, y), (ax, ay), (bx, by) = corner, along, across
    length, depth = abs(ax + ay), abs(bx + by)
    (sx, sy), (tx, ty) = (_sign(ax), _sign(ay)), (_sign(bx), _sign(by))
    if depth == 1 or length == 1:
        (ux, uy), count = ((sx, sy), length) if depth == 1 else ((tx, ty), depth)
        points.extend((x + i * ux, y + i * uy) for i in range(count))
        return []
    half, half_across = length // 2, depth // 2
    if 2 * length > 3 * depth:
        half += half % 2 if length > 2 else 0  # an even length lets the curve leave at the right corner
        hx, hy = half * sx, half * sy
        return [((x, y), (hx, hy), across), ((x + hx, y + hy), (ax - hx, ay - hy), across)]
    half_across += half_across % 2 if depth > 2 else 0
    hx, hy, gx, gy = half * sx, half * sy, half_across * tx, half_across * ty
    end = (x + ax - sx + gx - tx, y + ay - sy + gy - ty)
    return [
        ((x, y), (gx, gy), (hx, hy)),
        ((x + gx, y + gy), along, (bx - gx, by - gy)),
        (end, (-gx, -gy), (hx - ax, hy - ay)),
    ]


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)
