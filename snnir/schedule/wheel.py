"""A slice of a time-division wheel: when work that is done only during the slice is finished."""

from dataclasses import dataclass
from fractions import Fraction

from snnir.schedule.architecture import ScheduleError


@dataclass(frozen=True)
class Slice:
    """The last `length` units of every turn of a wheel of `wheel` units (1 <= length <= wheel); turns begin at time 0.

    So at time 0 the wait is longest. Work stops when the slice ends and goes on in the next turn.
    """

    wheel: int
    length: int

    def __post_init__(self) -> None:
        if not 1 <= self.length <= self.wheel:
            raise ScheduleError(f"a slice of {self.length} units does not fit a wheel of {self.wheel}")

    @property
    def pause(self) -> int:
        """The time between two slices."""
        return self.wheel - self.length

    @property
    def share(self) -> Fraction:
        """The fraction of time that the slice is open."""
        return Fraction(self.length, self.wheel)

    def end(self, start: int, work: int) -> int:
        """When `work` units that begin at `start` are done, exactly; no work is done at once.

        With r units left of the slice, what exceeds r takes ceil((work - r) / length) more slices, each after a pause.
        SDF3 2014 takes the floor when the firing begins inside a slice, which gives away the last pause.
        """
        if not work:
            return start
        position = start % self.wheel
        if position < self.pause:
            start, position = start + self.pause - position, self.pause
        beyond = work - (self.wheel - position)
        return start + work + max(0, -(-beyond // self.length)) * self.pause

    def response(self, work: int) -> int:
        """The longest time that `work` can take: begun just when the slice ends, it waits for each slice it needs."""
        return work + -(-work // self.length) * self.pause
