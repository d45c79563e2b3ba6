"""What delay memories have in common: what a run asks of them, and how they say that they are full."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]
Columns = Callable[[Reals, Integers | None], Reals]
"""What the columns of a slice add up: values on its axons, (samples, axons), and which axons these are (numbers in the
slice's order; None: all) -> (samples, neurons)."""


class Memory(Protocol):
    """The delay memory of one crossbar. In each step: `begin`, then `arrive` and `sums` as neurons fire, then `end`.

    What a slice reads without a delay arrives before `sums` is asked for this slice.
    """

    @property
    def peak(self) -> int:
        """The most entries (slots, or events of one sample) that were held at a time."""
        ...

    def begin(self, step: int) -> None:
        """Begin a step: deliver what was emitted in steps before."""
        ...

    def arrive(self, source: str, neurons: Integers, values: NDArray[Any]) -> None:
        """What neurons of a source emit in this step, (samples, neurons); 0: nothing. Each neuron arrives once.

        Raises `SnnirError` where the memory is full.
        """
        ...

    def sums(self, name: str) -> Reals:
        """What the columns of a slice add up in this step, (samples, neurons). Asked once in each step."""
        ...

    def end(self) -> None:
        """End the step."""
        ...


@dataclass(frozen=True)
class Limit:
    """How much a memory holds."""

    place: str
    """The crossbar in the configuration, for messages."""
    crossbar: str
    entries: int | None
    """Slots, or events of one sample; None: no limit."""

    def full(self, source: str, neuron: int, sample: int, step: int) -> NoReturn:
        """Raise the `SnnirError` of a memory that has no room for what a neuron emits."""
        message = (
            f"step {step}, sample {sample}: the delay memory of {self.crossbar!r} holds {self.entries} events, and "
            f"neuron {neuron} of {source!r} sends one more"
        )
        raise SnnirError(self.place, message, ROOM)


ROOM = "reserve more of it (margin of cluster-size-delays), prune delays, or choose a machine with a larger memory"
"""What to do where a memory is too small."""
