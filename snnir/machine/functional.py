"""Runs a configuration: which neuron spikes in which step, for many samples at once.

Sums are exact. Cells are integers of at most 32 bits, spikes are 0 or 1, a crossbar has at most 2**16 rows: every
intermediate sum is an integer below 2**53, which float64 holds exactly, so a matrix product gives the same sum in
whatever order it adds. Real-valued cells are treated alike when all sums of a crossbar fit 53 bits of one common
exponent; where they do not, rows are added one after the other, in the order of their numbers, so that the result
depends neither on the number of samples nor on the library that multiplies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.machine.counts import Counts
from snnir.machine.parts import Configuration, Neuron, Slice, taps

Reals = NDArray[np.float64]
Spikes = NDArray[np.uint8]

_MANTISSA_BITS = 53
_AT_ONCE = 1 << 21
"""Spikes on rows that are gathered from windows at once; bounds the memory."""


@dataclass(frozen=True, eq=False)
class Run:
    """What a run gave: `spikes` per population as uint8 (samples, steps, size), and `counts` for the timing."""

    spikes: Mapping[str, Spikes]
    counts: Counts


def run(configuration: Configuration, inputs: Mapping[str, NDArray[Any]], place: str = "inputs") -> Run:
    """The spikes of every population for `inputs`: one uint8 array (samples, steps, size) of 0 and 1 per input.

    Each sample is one inference: it starts with v = 0, synaptic current 0 and empty delay memories. Raises `SnnirError`
    for missing, unknown or misshaped inputs (`place` names their origin), for a cycle of slices without a delay, and
    for a state that leaves the range of a 64-bit float.
    """
    samples, steps = _check_inputs(configuration, inputs, place)
    signals: dict[str, Spikes] = {item.name: np.asarray(inputs[item.name]) for item in configuration.inputs}
    for population in configuration.populations:
        signals[population.name] = np.zeros((samples, steps, population.size), np.uint8)
    units = [_Unit(configuration, name, samples, steps) for name in evaluation_order(configuration)]
    sums: dict[str, Reals] = {}
    for step in range(steps):
        for unit in units:
            try:
                with np.errstate(over="raise", invalid="raise"):
                    unit.advance(step, signals, sums)
            except FloatingPointError:
                message = f"step {step}: the state of slice {unit.part.name!r} leaves the range of 64-bit floats"
                raise SnnirError(configuration.path, message, "check its decay, gain and thresholds") from None
    counts = Counts(
        spikes_in={unit.part.name: unit.spikes_in.reshape(-1) for unit in units},
        spikes_out={item.name: signals[item.name].sum(2, np.int64).reshape(-1) for item in configuration.inputs}
        | {unit.part.name: unit.spikes_out.reshape(-1) for unit in units},
    )
    return Run({population.name: signals[population.name] for population in configuration.populations}, counts)


def evaluation_order(configuration: Configuration) -> tuple[str, ...]:
    """The slices in an order in which each comes after those that it reads without a delay.

    Raises `SnnirError` that names the cycle when there is no such order.
    """
    graph: dict[str, list[str]] = {name: [] for name in configuration.slices}
    for dependency in configuration.dependencies:
        if dependency.delay == 0 and dependency.source in graph:
            graph[dependency.target].append(dependency.source)
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        cycle = " -> ".join(error.args[1])
        hint = "delay one of these connections by a step"
        raise SnnirError(configuration.path, f"the slices wait for one another in one step: {cycle}", hint) from None


def _check_inputs(configuration: Configuration, inputs: Mapping[str, NDArray[Any]], place: str) -> tuple[int, int]:
    known = [item.name for item in configuration.inputs]
    for name in inputs:
        if name not in known:
            raise SnnirError(f"{place}:{name}", "the network has no such input", f"it has: {', '.join(known)}")
    shape: tuple[int, int] | None = None
    for item in configuration.inputs:
        if item.name not in inputs:
            raise SnnirError(place, f"no spikes for the input {item.name!r}", f"give one array for each of: {known}")
        array = inputs[item.name]
        here = f"{place}:{item.name}"
        if array.ndim != 3 or array.shape[2] != item.size:
            raise SnnirError(here, f"the shape is {array.shape}", f"it must be (samples, steps, {item.size})")
        if array.dtype != np.uint8:
            raise SnnirError(here, f"the element type is {array.dtype}", "store spikes as uint8, 0 or 1")
        if array.size and array.max() > 1:
            raise SnnirError(here, f"a value is {array.max()}", "spikes are 0 or 1")
        if shape is not None and array.shape[:2] != shape:
            message = f"{array.shape[:2]} samples and steps, but {known[0]!r} has {shape}"
            raise SnnirError(here, message, "give all inputs the same samples and steps")
        shape = array.shape[0], array.shape[1]
    assert shape is not None, "a configuration has an input"
    samples, steps = shape
    if configuration.steps is not None and steps != configuration.steps:
        message = f"{steps} steps per sample, but an inference has {configuration.steps}"
        raise SnnirError(place, message, f"give {configuration.steps} steps")
    if samples == 0 or steps == 0:
        raise SnnirError(place, "no samples or no steps", "give at least one of each")
    return samples, steps


class _Unit:
    """One slice with its state, for all samples."""

    def __init__(self, configuration: Configuration, name: str, samples: int, steps: int) -> None:
        crossbar = configuration.home[name]
        part = configuration.slices[name]
        self.part: Slice = part
        self._taps = taps(crossbar, part)
        self._cells = np.ascontiguousarray(crossbar.cells[part.rows, slice(*part.columns)], np.float64)
        self._exact = sums_are_exact(self._cells)
        self._axons = np.zeros((samples, len(part.axons)))
        self._met: NDArray[np.int64] | None = None
        if part.windows is not None:
            met = part.windows.met
            self._met = np.where(met < 0, len(part.axons), np.searchsorted(part.axons, met))
        self._v = np.zeros((samples, part.width))
        self._i = np.zeros((samples, part.width))
        self.spikes_in = np.zeros((samples, steps), np.int64)
        self.spikes_out = np.zeros((samples, steps), np.int64)

    def advance(self, step: int, signals: Mapping[str, Spikes], sums: dict[str, Reals]) -> None:
        """Compute one step: reads `signals` and the partial `sums` of this step, writes its own there."""
        axons = self._axons
        for group, neurons, positions in self._taps:
            axons[:, positions] = signals[group.source][:, step - group.delay, neurons] if step >= group.delay else 0
        self.spikes_in[:, step] = axons.sum(1)
        total = self._sums(axons)
        for name in self.part.partials:
            total = total + sums[name]
        neuron = self.part.neuron
        if neuron is None:
            sums[self.part.name] = total
            return
        spikes = self._update(neuron, self.part.scale * total + self.part.bias)
        signals[self.part.population][:, step, self.part.neurons] = spikes
        self.spikes_out[:, step] = spikes.sum(1)

    def _sums(self, axons: Reals) -> Reals:
        """What the columns add up, (samples, neurons); in as many reads as there are windows."""
        met = self._met
        if met is None:
            return self._columns(axons)
        samples, reads, columns = len(axons), len(met), self._cells.shape[1]
        total = np.empty((samples, columns, reads))
        padded = np.pad(axons, ((0, 0), (0, 1)))
        some = max(1, _AT_ONCE // met.shape[1])
        for first in range(0, samples, max(1, some // reads)):
            chosen = padded[first : first + max(1, some // reads)]
            for read in range(0, reads, some):
                rows = chosen[:, met[read : read + some]]
                sums = self._columns(rows.reshape(-1, met.shape[1])).reshape(*rows.shape[:2], columns)
                total[first : first + len(chosen), :, read : read + some] = sums.swapaxes(1, 2)
        return total.reshape(samples, -1)

    def _columns(self, rows: Reals) -> Reals:
        """What the columns add up when rows carry spikes, (reads, rows) -> (reads, columns)."""
        return rows @ self._cells if self._exact else _add_rows(rows, self._cells)

    def _update(self, neuron: Neuron, current: Reals) -> NDArray[np.bool]:
        """The neuron equations of the configuration format, operation by operation in its order."""
        if neuron.model == "cuba_lif":
            before = self._i
            self._i = neuron.syn_decay * before + neuron.syn_gain * current
            current = self._i if neuron.order == "syn_first" else before
        v = ((neuron.decay * self._v) + (neuron.gain * current)) + neuron.drift
        spikes = v > neuron.threshold if neuron.compare == "gt" else v >= neuron.threshold
        after = neuron.v_reset if neuron.reset == "value" else v - neuron.threshold
        self._v = np.where(spikes, after, v)
        return spikes


def sums_are_exact(cells: Reals) -> bool:
    """Whether every sum of cells of a column is exact in float64: all fit 53 bits of one exponent."""
    if not cells.any():
        return True
    mantissas, exponents = np.frexp(cells[cells != 0])
    # A mantissa of m bits is an integer times 2**-m; trailing zero bits of the 53 make the common unit coarser.
    integers = np.abs(mantissas * 2.0**_MANTISSA_BITS).astype(np.int64)
    trailing = np.frexp((integers & -integers).astype(np.float64))[1] - 1
    unit = int((exponents - _MANTISSA_BITS + trailing).min())
    most = int(exponents.max()) + int(np.ceil(np.log2(len(cells))))
    return most - unit <= _MANTISSA_BITS


def _add_rows(rows: Reals, cells: Reals) -> Reals:
    total = np.zeros((len(rows), cells.shape[1]))
    for row, weights in zip(rows.T, cells, strict=True):
        total += row[:, None] * weights
    return total
