"""Runs a configuration: which neuron spikes, or emits which code, in which step, for many samples at once.

Sums are exact. Cells are integers of at most 32 bits, spikes are 0 or 1, a crossbar has at most 2**16 rows: every
intermediate sum is an integer below 2**53, which float64 holds exactly, so a matrix product gives the same sum in
whatever order it adds. Real-valued cells are treated alike when all sums of a crossbar fit 53 bits of one common
exponent, and so are codes of k bits, whose sums take k bits more; where they do not, rows are added one after the
other, in the order of their numbers, so that the result depends neither on the number of samples nor on the library
that multiplies.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.machine.counts import Counts
from snnir.machine.delays import Memories
from snnir.machine.delays.memory import Memory
from snnir.machine.parts import Activation, Configuration, Neuron, Signal, Slice, taps

Reals = NDArray[np.float64]
Spikes = NDArray[Any]
"""Spikes, uint8, or codes, of the type that `snnir.machine.parts.Signal.dtype` says."""
Reader = Callable[[str, Reals], Reals]
"""What the columns of a slice, by its name, say to spikes or codes on its rows: (reads, rows) -> (reads, columns)."""

_MANTISSA_BITS = 53
_AT_ONCE = 1 << 21
"""Spikes on rows that are gathered from windows at once; bounds the memory."""


@dataclass(frozen=True, eq=False)
class Run:
    """What a run gave: `spikes` (or codes) per population, (samples, steps, size), and `counts` for the timing.

    `delay_peaks`: for each crossbar with a delay memory the most entries that one sample took at a time (of a ring
    buffer: the slots that are there); empty where the machine has no delay memories.
    """

    spikes: Mapping[str, Spikes]
    counts: Counts
    delay_peaks: Mapping[str, int] = field(default_factory=dict[str, int])


def run(
    configuration: Configuration,
    inputs: Mapping[str, NDArray[Any]],
    place: str = "inputs",
    reader: Reader | None = None,
) -> Run:
    """The spikes and codes of every population for `inputs`, one array (samples, steps, size) each.

    Inputs are uint8 of 0 and 1, or codes of the type that the input's `dtype` says (`encoded` makes them of values).

    `reader` takes the place of cells that add up exactly what is on their rows, see `snnir.analog.evaluate`.

    Each sample is one inference: it starts with v = 0, synaptic current 0 and empty delay memories. Raises `SnnirError`
    for missing, unknown or misshaped inputs (`place` names their origin), for a cycle of slices without a delay, for
    a state that leaves the range of a 64-bit float, and for a delay memory that is too small: no spike is ever lost.
    """
    samples, steps = _check_inputs(configuration, inputs, place)
    signals: dict[str, Spikes] = {item.name: np.asarray(inputs[item.name]) for item in configuration.inputs}
    for population in configuration.populations:
        signals[population.name] = np.zeros((samples, steps, population.size), population.dtype)
    units = [_Unit(configuration, name, samples, steps, reader) for name in evaluation_order(configuration)]
    memories = _memories(configuration, samples, units, reader)
    sums: dict[str, Reals] = {}
    for step in range(steps):
        memories.begin(step)
        for item in configuration.inputs:
            memories.arrive(item.name, np.arange(item.size), signals[item.name][:, step])
        for unit in units:
            try:
                with np.errstate(over="raise", invalid="raise"):
                    unit.advance(step, signals, sums)
            except FloatingPointError:
                message = f"step {step}: the state of slice {unit.part.name!r} leaves the range of 64-bit floats"
                raise SnnirError(configuration.path, message, "check its decay, gain and thresholds") from None
            if not unit.part.is_partial:
                population, neurons = unit.part.population, unit.part.neurons
                memories.arrive(population, neurons, signals[population][:, step, neurons])
        memories.end()
    counts = Counts(
        spikes_in={unit.part.name: unit.spikes_in.reshape(-1) for unit in units},
        spikes_out={item.name: np.count_nonzero(signals[item.name], 2).reshape(-1) for item in configuration.inputs}
        | {unit.part.name: unit.spikes_out.reshape(-1) for unit in units},
    )
    emitted = {population.name: signals[population.name] for population in configuration.populations}
    return Run(emitted, counts, memories.peaks)


def _memories(configuration: Configuration, samples: int, units: "list[_Unit]", reader: Reader | None) -> Memories:
    """The delay memories, each known to the slices of its crossbar."""
    memories = Memories(configuration, samples, {unit.part.name: unit.add for unit in units})
    delays = configuration.machine.delays
    for unit in units:
        unit.memory = memories.of.get(configuration.home[unit.part.name].name)
        if unit.memory is None or delays is None or delays.memory != "ring":
            continue
        if reader is not None:
            message = "a ring buffer adds up whole numbers before columns are read, and analog cells give none"
            hint = "state another delay memory, or evaluate without delays"
            raise SnnirError(f"{configuration.path}:/machine/delays/memory", message, hint)
        if not unit.exact:
            message = f"sums of slice {unit.part.name!r} take more than {_MANTISSA_BITS} bits, and rings add exactly"
            raise SnnirError(f"{configuration.path}:/machine/delays/memory", message, "use fewer bits")
    return memories


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
        _check_values(item, array, here)
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


def _check_values(item: Signal, array: NDArray[Any], here: str) -> None:
    code = item.code
    if array.dtype != item.dtype:
        hint = "store spikes as uint8, 0 or 1" if code is None else f"store codes as {item.dtype}"
        raise SnnirError(here, f"the element type is {array.dtype}", hint)
    least, most = (0, 1) if code is None else (code.least, code.most)
    if array.size and (array.min() < least or array.max() > most):
        wrong = array.min() if array.min() < least else array.max()
        hint = "spikes are 0 or 1" if code is None else f"codes are {least} to {most}"
        raise SnnirError(here, f"a value is {wrong}", hint)


def encoded(configuration: Configuration, data: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What `run` takes, of data as they are: the codes of values where an input has codes, all else as it is.

    Raises `SnnirError` for values that are no finite numbers.
    """
    codes = {item.name: item.code for item in configuration.inputs if item.code is not None}
    found = dict(data)
    for name, code in codes.items():
        if name in found:
            if found[name].dtype.kind not in "biuf" or not np.isfinite(found[name]).all():
                raise SnnirError(f"inputs:{name}", "a value is no finite number", "repair the data")
            found[name] = code.encode(found[name])
    return found


class _Unit:
    """One slice with its state, for all samples."""

    def __init__(
        self, configuration: Configuration, name: str, samples: int, steps: int, reader: Reader | None
    ) -> None:
        crossbar = configuration.home[name]
        part = configuration.slices[name]
        self.part: Slice = part
        self.memory: Memory | None = None
        """The delay memory of its crossbar, which then says what its columns add up."""
        self._reader = reader
        self._taps = taps(crossbar, part)
        self._cells = np.ascontiguousarray(crossbar.cells[part.rows, slice(*part.columns)], np.float64)
        sources = {item.name: item for item in (*configuration.inputs, *configuration.populations)}
        codes = [sources[group.source].code for group, _, _ in self._taps]
        self.exact = sums_are_exact(self._cells, max([code.most for code in codes if code is not None], default=1))
        self._axons = np.zeros((samples, len(part.axons)))
        self._met: NDArray[np.int64] | None = None
        if part.windows is not None:
            met = part.windows.met
            self._met = np.where(met < 0, len(part.axons), np.searchsorted(part.axons, met))
        self._v = np.zeros((samples, part.width))
        if isinstance(part.neuron, Neuron) and part.neuron.start == "half":
            self._v += 0.5 * np.asarray(part.neuron.threshold)
        self._i = np.zeros((samples, part.width))
        self.spikes_in = np.zeros((samples, steps), np.int64)
        self.spikes_out = np.zeros((samples, steps), np.int64)

    def advance(self, step: int, signals: Mapping[str, Spikes], sums: dict[str, Reals]) -> None:
        """Compute one step: reads `signals` and the partial `sums` of this step, writes its own there."""
        axons = self._axons
        for group, neurons, positions in self._taps:
            axons[:, positions] = signals[group.source][:, step - group.delay, neurons] if step >= group.delay else 0
        self.spikes_in[:, step] = np.count_nonzero(axons, 1)
        total = self._sums(axons) if self.memory is None else self.memory.sums(self.part.name)
        for name in self.part.partials:
            total = total + sums[name]
        neuron = self.part.neuron
        if neuron is None:
            sums[self.part.name] = total
            return
        spikes = self._update(neuron, self.part.scale * total + self.part.bias)
        signals[self.part.population][:, step, self.part.neurons] = spikes
        self.spikes_out[:, step] = np.count_nonzero(spikes, 1)

    def add(self, axons: Reals, positions: NDArray[np.int64] | None) -> Reals:
        """What the columns add up for its axons, (samples, axons) -> (samples, neurons), or for some of them."""
        if positions is None:
            return self._sums(axons)
        if self._met is None and self.exact and self._reader is None:
            return axons @ self._cells[positions]
        whole = np.zeros_like(self._axons)
        whole[:, positions] = axons
        return self._sums(whole)

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
        """What the columns add up for spikes or codes on the rows, (reads, rows) -> (reads, columns)."""
        if self._reader is not None:
            return self._reader(self.part.name, rows)
        return rows @ self._cells if self.exact else _add_rows(rows, self._cells)

    def _update(self, neuron: Neuron | Activation, current: Reals) -> NDArray[Any]:
        """The neuron equations of the configuration format, operation by operation in its order."""
        if isinstance(neuron, Activation):
            q = np.floor((current - neuron.zero) / neuron.step + 0.5)
            return np.minimum(np.maximum(q, neuron.least), neuron.most)
        if neuron.model == "cuba_lif":
            before = self._i
            self._i = neuron.syn_decay * before + neuron.syn_gain * current
            current = self._i if neuron.order == "syn_first" else before
        v = ((neuron.decay * self._v) + (neuron.gain * current)) + neuron.drift
        spikes = v > neuron.threshold if neuron.compare == "gt" else v >= neuron.threshold
        after = neuron.v_reset if neuron.reset == "value" else v - neuron.threshold
        self._v = np.where(spikes, after, v)
        return spikes


def sums_are_exact(cells: Reals, largest: int = 1) -> bool:
    """Whether every sum of cells of a column is exact in float64: all fit 53 bits of one exponent.

    `largest` is the largest number that a row carries: 1 for spikes.
    """
    if not cells.any():
        return True
    mantissas, exponents = np.frexp(cells[cells != 0])
    # A mantissa of m bits is an integer times 2**-m; trailing zero bits of the 53 make the common unit coarser.
    integers = np.abs(mantissas * 2.0**_MANTISSA_BITS).astype(np.int64)
    trailing = np.frexp((integers & -integers).astype(np.float64))[1] - 1
    unit = int((exponents - _MANTISSA_BITS + trailing).min())
    most = int(exponents.max()) + int(np.ceil(np.log2(len(cells)))) + (largest - 1).bit_length()
    return most - unit <= _MANTISSA_BITS


def _add_rows(rows: Reals, cells: Reals) -> Reals:
    total = np.zeros((len(rows), cells.shape[1]))
    for row, weights in zip(rows.T, cells, strict=True):
        total += row[:, None] * weights
    return total
