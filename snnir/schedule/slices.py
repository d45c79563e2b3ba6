"""How much of the wheels an application needs: the smallest slices that meet a throughput constraint."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from math import ceil

from snnir.schedule.architecture import ScheduleError
from snnir.schedule.bound import BoundGraph
from snnir.schedule.tdma import guaranteed_period


def allocate_slices(
    bound: BoundGraph, throughput: Fraction, period: Callable[[BoundGraph], Fraction | None] = guaranteed_period
) -> dict[str, int]:
    """Tile -> length of its slice, for the tiles with a wheel and work, for so many iterations per time unit.

    `bound` has orders. First the same share of all wheels, as small as can be; then, as in SDF3, each tile by itself,
    those with least work first, as they have most to give back. By binary search, which is right: a longer slice
    contains the shorter one, so every firing ends earlier or at the same time. `period`: `guaranteed_period`, whatever
    the phases of the wheels, `exact_period`, if they turn together, or a bound of `snnir.schedule.tdma`. Raises
    `ScheduleError` when whole wheels are not enough.
    """
    work = bound.work
    wheels = {tile: wheel for tile, wheel in bound.wheels.items() if work.get(tile)}

    def enough(slices: Mapping[str, int]) -> bool:
        found = period(bound.sliced(slices))
        return found is None or found * throughput <= 1

    if not enough(wheels):
        found = period(bound.sliced(wheels)) or 1
        raise ScheduleError(f"whole wheels give a throughput of {1 / Fraction(found)}, less than {throughput}")
    # work * wheel / length is the least period of a tile
    least = {name: max(1, ceil(work[name] * wheel * throughput)) for name, wheel in wheels.items()}
    parts = max(wheels.values(), default=1)

    def share(part: int) -> dict[str, int]:
        return {name: max(least[name], ceil(Fraction(part * wheel, parts))) for name, wheel in wheels.items()}

    slices = share(_smallest(1, parts, lambda part: enough(share(part))))
    for name in sorted(wheels, key=lambda name: (work[name], name)):
        slices[name] = _smallest(least[name], slices[name], partial(_alone, enough, slices, name))
    return slices


def _alone(enough: Callable[[Mapping[str, int]], bool], slices: Mapping[str, int], name: str, length: int) -> bool:
    """Whether it is enough when only the slice of one tile changes."""
    return enough({**slices, name: length})


def _smallest(low: int, high: int, enough: Callable[[int], bool]) -> int:
    """The least number from `low` on that is enough, which `high` is known to be, and so is all above the least."""
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low
