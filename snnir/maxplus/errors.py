"""What can be wrong with a graph: the exceptions of this package, each carrying the evidence."""

from fractions import Fraction


class MaxPlusError(ValueError):
    """A graph, matrix or argument that has no answer: malformed, too large, or with a positive cycle."""


class Deadlock(MaxPlusError):
    """A cycle without tokens: every firing on it waits for another one on it, so none ever happens.

    `cycle` holds the edge indices of such a cycle in the `TimedGraph` at hand (for an SDF graph: in
    `expand(sdf).graph`), in the direction of the edges; `actors` the names of the actors on it when the graph came from
    an SDF graph. A simulation that gets stuck knows only who is blocked: `actors` are those, and `cycle` is empty.
    """

    def __init__(self, message: str, cycle: tuple[int, ...] = (), actors: tuple[str, ...] = ()) -> None:
        self.cycle = cycle
        self.actors = actors
        super().__init__(message)

    def __reduce__(self) -> tuple[type["Deadlock"], tuple[str, tuple[int, ...], tuple[str, ...]]]:
        return type(self), (str(self), self.cycle, self.actors)


class Inconsistent(MaxPlusError):
    """No repetition vector exists: around some undirected cycle the rates do not balance.

    `channel` is the index of the channel whose rates contradict those of the channels before it.
    """

    def __init__(self, message: str, channel: int) -> None:
        self.channel = channel
        super().__init__(message)

    def __reduce__(self) -> tuple[type["Inconsistent"], tuple[str, int]]:
        return type(self), (str(self), self.channel)


class TooLarge(MaxPlusError):
    """An exact answer would take too long: the graph that would have to be examined is beyond a limit.

    `actors` names those that fire most often in it; `period` is that of a schedule known to exist, so that the answer
    is at most this, or None when none was found.
    """

    def __init__(self, message: str, actors: tuple[str, ...], period: Fraction | None = None) -> None:
        self.actors = actors
        self.period = period
        super().__init__(message)

    def __reduce__(self) -> tuple[type["TooLarge"], tuple[str, tuple[str, ...], Fraction | None]]:
        return type(self), (str(self), self.actors, self.period)
