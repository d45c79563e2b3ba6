"""How long the parts of a run take, for whoever runs passes."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager


class Stopwatch:
    """Wall-clock seconds of parts that follow each other; parts of the same name are added up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._begun = self._marked = time.perf_counter()

    @property
    def total(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._begun

    @contextmanager
    def timed(self, what: str) -> Generator[None]:
        """Measure what happens inside."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._add(what, time.perf_counter() - start)

    def mark(self) -> None:
        """Here something begins that ends with the next `lap`."""
        self._marked = time.perf_counter()

    def lap(self, what: str) -> float:
        """The seconds since the last `mark`, which are counted as those of `what`."""
        seconds = time.perf_counter() - self._marked
        self._add(what, seconds)
        return seconds

    def _add(self, what: str, seconds: float) -> None:
        self.seconds[what] = self.seconds.get(what, 0.0) + seconds
