"""What a dataflow graph is made of: actors, channels and the arcs that they stand for, with one number or phases."""

from dataclasses import dataclass
from typing import Literal, NamedTuple, cast, get_args

from snnir.maxplus.errors import MaxPlusError
from snnir.maxplus.graph import LARGEST

ArcKind = Literal["channel", "capacity", "concurrency", "order", "sequence"]
"""Why one firing waits for another: data, buffer space, an earlier firing of its own actor, its turn on a resource. And
sequence, in K-periodic schedules: the start of the firing of its own actor before it, which it follows anyway."""

KINDS = cast(tuple[ArcKind, ...], get_args(ArcKind))
"""All of them, in the order in which they are numbered in columns."""

Phases = int | tuple[int, ...]
"""The same number for every firing, or one for each phase: firing k has entry k modulo the length."""


@dataclass(frozen=True)
class Actor:
    """Fires for `time` units (>= 0); at most `concurrency` (>= 1) firings of it run at once, None: any number."""

    name: str
    time: Phases
    concurrency: int | None = 1

    @property
    def times(self) -> tuple[int, ...]:
        """The time of each phase."""
        return phases_of(self.time)


@dataclass(frozen=True)
class Channel:
    """A first-in first-out queue from actor `source` to actor `target`.

    `source` adds `produce` tokens at the end of each firing, `target` takes `consume` tokens at the start of each, in
    each phase as many as its entry says (>= 0, one at least > 0); `tokens` are there at the beginning. `capacity` is
    the number of tokens that there is room for, None without limit: room is claimed when the producer starts and given
    back when the consumer ends.
    """

    source: str
    target: str
    produce: Phases = 1
    consume: Phases = 1
    tokens: int = 0
    capacity: int | None = None

    @property
    def produced(self) -> tuple[int, ...]:
        """The tokens that each phase of the source adds."""
        return phases_of(self.produce)

    @property
    def consumed(self) -> tuple[int, ...]:
        """The tokens that each phase of the target takes."""
        return phases_of(self.consume)


class Arc(NamedTuple):
    """A plain dependency: firings of actor number `target` take tokens as `consume` says, phase after phase (an actor
    without phases: of length 1), those of `source` add as `produce` says.

    `number` is that of the channel (kinds channel and capacity) or of the actor (concurrency).
    """

    kind: ArcKind
    number: int
    source: int
    target: int
    produce: tuple[int, ...]
    consume: tuple[int, ...]
    tokens: int


def phases_of(given: Phases) -> tuple[int, ...]:
    """The number of each phase, one where all firings are alike."""
    return given if isinstance(given, tuple) else (given,)


def check_phases(what: str, given: Phases) -> None:
    """Raises `MaxPlusError` unless there are phases, integers from 0 on; a single rate of 0 is found by the caller."""
    if given == ():
        raise MaxPlusError(f"the {what} has no phases")
    for value in phases_of(given):
        check(what, value, 0)


def check(what: str, value: int, least: int) -> None:
    """Raises `MaxPlusError` for anything but an integer from `least` to `LARGEST`."""
    # bool is an int to Python, and a number read from a file may be a float
    if isinstance(value, bool) or not isinstance(value, int):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise MaxPlusError(f"the {what} must be an integer, not {value!r}")
    if not least <= value <= LARGEST:
        raise MaxPlusError(f"the {what} is {value}; it must be between {least} and 2**62")
