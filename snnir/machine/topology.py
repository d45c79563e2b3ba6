"""Routers, the ways between them, and how long their links take: on a mesh of one or more chips, and on a tree."""

from collections.abc import Sequence
from itertools import pairwise

from snnir.machine.parts import Machine, Tile

Router = Tile


def is_tile(machine: Machine, router: Router) -> bool:
    """Whether there is such a tile; its router has the same position."""
    return router[0] < machine.mesh[0] and router[1] < machine.mesh[1]


def way(machine: Machine, start: Router, end: Router) -> tuple[Router, ...]:
    """The routers from one tile's to another's: in x first, then in y; on a tree up and down."""
    if machine.arity is not None:
        return _up_and_down(machine.arity, start, end)
    path = [start]
    while path[-1] != end:
        x, y = path[-1]
        path.append((x + (1 if end[0] > x else -1), y) if x != end[0] else (x, y + (1 if end[1] > y else -1)))
    return tuple(path)


def _up_and_down(arity: int, start: Router, end: Router) -> tuple[Router, ...]:
    up, down = [start], [end]
    while up[-1] != down[-1]:
        for path in (up, down):
            path.append((path[-1][0] // arity, path[-1][1] + 1))
    return (*up, *down[-2::-1])


def branches(machine: Machine, start: Router, ends: Sequence[Router]) -> list[tuple[Router, ...]]:
    """For each end the rest of its way, from the last router on it that an earlier way has reached."""
    reached = {start}
    found: list[tuple[Router, ...]] = []
    for end in ends:
        path = way(machine, start, end)
        shared = max(number for number, router in enumerate(path) if router in reached)
        reached.update(path)
        found.append(path[shared:])
    return found


def link_time(machine: Machine, start: Router, end: Router) -> tuple[int, int]:
    """For how long a flit occupies a link between neighbouring routers, and how much later it is at the next one."""
    time = machine.time
    along_x = machine.arity is None and start[0] != end[0]
    flit, hop = time.flit, time.hop_x if along_x else time.hop_y
    if machine.chip is None or all(a // c == b // c for a, b, c in zip(start, end, machine.chip, strict=True)):
        return flit, hop
    return (
        flit if time.chip_flit is None else time.chip_flit,
        hop if time.chip_hop is None else time.chip_hop,
    )


def steps(path: Sequence[Router]) -> list[tuple[Router, Router]]:
    """The links that a path crosses."""
    return list(pairwise(path))
