"""A signal as the pieces in which it was computed, and windows of it."""
# pyright: basic, reportMissingImports=false

from bisect import bisect_right

from snnir.train.libraries import torch

Tensor = torch.Tensor


class Signal:
    """Steps of a signal, piece by piece; before the first step there is silence."""

    def __init__(self, samples: int, size: int, dtype: torch.dtype, silent: int = 0) -> None:
        self.samples = samples
        self._shape, self._dtype = (samples, size), dtype
        self._pieces: list[Tensor] = []
        self._starts: list[int] = []
        self._end = 0
        if silent:
            self.add(self._silence(silent))

    def _silence(self, steps: int) -> Tensor:
        return torch.zeros((steps, *self._shape), dtype=self._dtype)

    def add(self, piece: Tensor) -> None:
        """The next steps, (steps, samples, neurons)."""
        self._starts.append(self._end)
        self._pieces.append(piece)
        self._end += len(piece)

    def window(self, start: int, stop: int) -> Tensor:
        """Steps from `start`, which may lie before the first, to `stop`."""
        found = [self._silence(min(0, stop) - start)] if start < 0 else []
        start = max(0, start)
        number = max(0, bisect_right(self._starts, start) - 1)
        while start < stop:
            begin, piece = self._starts[number], self._pieces[number]
            whole = start == begin and stop - begin >= len(piece)
            part = piece if whole else piece[start - begin : stop - begin]  # a slice costs a node of the graph
            found.append(part)
            start += len(part)
            number += 1
        return found[0] if len(found) == 1 else torch.cat(found)
