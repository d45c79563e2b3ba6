"""Energy and latency per inference of a build: what its machine does for data, times what the platform says of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.dialects.platform import Machine
from snnir.energy import Estimate, Item, Prices, count, estimate, guaranteed_seconds, simulated_seconds
from snnir.errors import SnnirError
from snnir.machine.configuration import load
from snnir.machine.functional import Run, encoded, run
from snnir.machine.parts import Configuration
from snnir.machine.timing import Timing
from snnir.sim.data import read_spike_arrays

Arrays = Mapping[str, NDArray[Any]]
_AT_ONCE = 1 << 26
"""Spikes and codes that are recorded at once; bounds the memory."""


def prices_of(target: Machine) -> Prices | None:
    """What the operations of a machine take; None where its platform has no table `energy`."""
    if target.energy is None:
        return None
    operations = dict(vars(target.energy))
    static = operations.pop("static")
    return Prices({**operations, "hop_x": target.link.energy_x, "hop_y": target.link.energy_y}, static)


def memory_of(target: Machine) -> str | None:
    """The kind of a machine's delay memories."""
    return None if target.delays is None else target.delays.memory


def estimate_run(
    target: Machine, configuration: Configuration, inputs: Arrays, found: Run, timing: Timing | None = None
) -> Estimate | None:
    """Of a run that was made anyway; None where the platform has no table `energy`.

    The time of an inference is that of `timing`, or else the guaranteed one.
    """
    prices = prices_of(target)
    if prices is None:
        return None
    items = count(configuration, {**inputs, **found.spikes}, found.counts, memory_of(target))
    samples, steps = next(iter(inputs.values())).shape[:2]
    seconds = None if timing is None else simulated_seconds(timing, steps)
    return _priced(items, prices, configuration, samples, steps, seconds)


def estimate_build(target: Machine, directory: Path, data: Path, samples: int | None) -> Estimate | None:
    """Run an emitted machine on data, some samples at a time; None where the platform has no table `energy`.

    Raises `SnnirError` for data that the machine does not take.
    """
    prices = prices_of(target)
    if prices is None:
        return None
    configuration = load(directory)
    inputs = machine_inputs(configuration, data, samples)
    number, steps = next(iter(inputs.values())).shape[:2]
    width = sum(item.size for item in (*configuration.inputs, *configuration.populations))
    at_once = max(1, _AT_ONCE // (steps * width))
    items: list[Item] = []
    for first in range(0, number, at_once):
        some = {name: array[first : first + at_once] for name, array in inputs.items()}
        found = run(configuration, some)
        items += count(configuration, {**some, **found.spikes}, found.counts, memory_of(target))
    return _priced(items, prices, configuration, number, steps, None)


def _priced(
    items: Sequence[Item],
    prices: Prices,
    configuration: Configuration,
    samples: int,
    steps: int,
    seconds: float | None,
) -> Estimate:
    crossbars = Counter(crossbar.tile for crossbar in configuration.crossbars)
    if seconds is not None:
        return estimate(items, prices, crossbars, samples, steps, seconds, simulated=True)
    return estimate(items, prices, crossbars, samples, steps, guaranteed_seconds(configuration, steps))


def machine_inputs(configuration: Configuration, path: Path, samples: int | None) -> dict[str, NDArray[Any]]:
    """Data as a configured machine takes them: spikes, or codes of values, flat behind the steps.

    Raises `SnnirError` for missing inputs, and for others than spikes where it takes spikes.
    """
    arrays = read_spike_arrays(path, samples, configuration.dt)
    sizes = {item.name: item for item in configuration.inputs}
    flat = {name: array.reshape(*array.shape[:2], -1) for name, array in arrays.items() if name in sizes}
    for name, item in sizes.items():
        if name not in flat:
            raise SnnirError(path, f"no array for the input '{name}'", f"there are {', '.join(arrays) or 'none'}")
        if item.code is None and not np.isin(flat[name], (0, 1)).all():
            raise SnnirError(f"{path}:{name}", "values other than 0 and 1", "this input takes spikes")
    found = encoded(configuration, flat)
    return {name: array.astype(sizes[name].dtype) for name, array in found.items()}
