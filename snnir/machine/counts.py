"""How many spikes each slice reads and emits in each step: all that the timing needs to know of a run."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.machine.parts import Configuration

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Counts:
    """Spikes per slice and step, int64 arrays (samples * steps,), the steps of the first sample first.

    `spikes_in`: slice -> spikes on its rows, after delays. `spikes_out`: slice or input -> spikes emitted (a partial
    slice emits none).
    """

    spikes_in: Mapping[str, Integers]
    spikes_out: Mapping[str, Integers]

    @property
    def steps(self) -> int:
        """The number of steps."""
        return len(next(iter(self.spikes_out.values()), ()))


def peak_counts(configuration: Configuration, steps: int) -> Counts:
    """The largest activity that the guarantee assumes, in every one of `steps` steps.

    Where the guarantee names no peak for a slice or input, or where there is no guarantee, every row and neuron spikes.
    """
    guarantee = configuration.guarantee
    peaks: Mapping[str, int] = {} if guarantee is None else guarantee.peaks
    peaks_in: Mapping[str, int] = {} if guarantee is None else guarantee.peaks_in
    most_out = {item.name: item.size for item in configuration.inputs}
    most_out |= {name: 0 if part.is_partial else part.width for name, part in configuration.slices.items()}
    most_in = {name: len(part.axons) for name, part in configuration.slices.items()}
    return Counts(
        {name: np.full(steps, min(most, peaks_in.get(name, most))) for name, most in most_in.items()},
        {name: np.full(steps, min(most, peaks.get(name, most))) for name, most in most_out.items()},
    )


def check_counts(configuration: Configuration, counts: Counts, steps: int | None) -> int:
    """The number of steps to simulate. Raises `SnnirError` unless the counts fit the configuration and have so many."""
    limits = [
        ("spikes_in", counts.spikes_in, {name: len(part.axons) for name, part in configuration.slices.items()}),
        (
            "spikes_out",
            counts.spikes_out,
            {item.name: item.size for item in configuration.inputs}
            | {name: 0 if part.is_partial else part.width for name, part in configuration.slices.items()},
        ),
    ]
    length: int | None = None
    for field, arrays, most in limits:
        for name, limit in most.items():
            place = f"counts:{field}/{name}"
            if name not in arrays:
                raise SnnirError(place, "no counts for this slice or input", "give one array for each")
            array = arrays[name]
            if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
                message = f"an array of {array.dtype} with shape {array.shape}"
                raise SnnirError(place, message, "give integers, one per step")
            length = len(array) if length is None else length
            if len(array) != length:
                raise SnnirError(place, f"{len(array)} steps, but others have {length}", "give the same for all")
            if array.size and (array.min() < 0 or array.max() > limit):
                wrong = array.min() if array.min() < 0 else array.max()
                raise SnnirError(place, f"{wrong} spikes in a step", f"there can be 0 to {limit}")
    assert length is not None, "a configuration has an input"
    steps = length if steps is None else steps
    if not 1 <= steps <= length:
        raise SnnirError("counts", f"{steps} steps asked for, {length} counted", f"ask for 1 to {length}")
    return steps
