"""Neurons: the recursion of `snnir.semantics` for a batch of samples and many steps, from rest.

Canonical order of the operations of a step, each in the type of the states (float64, float32, or integers):

    i = (syn_decay * i) + (syn_gain * I)                     models with a synapse; j likewise
    v = (((decay * v) + (gain * i)) + (inh_share * j)) + drift
    v = v - threshold                                        subtract_repeat: where v was still above after its reset;
                                                             subtract_late: where the last step fired
    v = max(v, -threshold)                                   floor
    v = v_reset                                              refractory: in the steps after a spike

then the comparison and the reset. v starts at 0, or at half the threshold (`start`). Integers (`int12`): a product with
a decay is cut towards zero to whole numbers; what leaves 32 bits is refused. The input I is formed in float64 and
rounded to the type of the states once.
"""

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.semantics import FRACTION_BITS, Coefficients, Value
from snnir.sim.network import Population

Array = NDArray[Any]
Reals = NDArray[np.float64]

TYPES = {"f64": np.dtype(np.float64), "f32": np.dtype(np.float32), "i32": np.dtype(np.int64)}
"""The numpy type of states; 32-bit integers are computed in 64 bits so that leaving the range shows."""
LARGEST = 2**31 - 1


def one_if_uniform(value: Value) -> Value:
    """A parameter of which all entries are equal as one number."""
    array = np.asarray(value)
    return float(array.flat[0]) if array.size and (array == array.flat[0]).all() else value


class Neurons:
    """Membranes (and synapses) of a population for a batch of samples."""

    def __init__(self, population: Population, samples: int) -> None:
        self._population, self._semantics = population, population.semantics
        self.type = TYPES[self._semantics.state]
        self._integer = self._semantics.state == "i32"
        c = {f.name: self._constant(f.name, getattr(population.coefficients, f.name)) for f in fields(Coefficients)}
        self._c = c
        self._settled = [self._constant("w * bias", each) for each in population.settled]
        self._drifts = bool(np.any(c["drift"]))
        self._keeps = population.model != "threshold"
        shape = (samples, population.size)
        self._v = np.zeros(shape, self.type)
        if self._semantics.start == "half":
            self._v += np.asarray(0.5 * np.asarray(c["threshold"])).astype(self.type)
        self._i = np.zeros(shape, self.type) if population.model in ("cuba_lif", "cuba_li", "dual_lif") else None
        self._j = np.zeros(shape, self.type) if population.model == "dual_lif" else None
        self._above = np.zeros(shape, bool)
        self._held = np.zeros(shape, np.int64) if self._semantics.refractory else None
        self._repeats = population.spiking and self._semantics.reset == "subtract_repeat" and self._keeps
        self._late = population.spiking and self._semantics.reset == "subtract_late" and self._keeps
        self._clips = population.spiking and self._semantics.floor == "threshold"
        if self._semantics.spikes > 1 and not (np.asarray(c["threshold"]) > 0).all():
            raise SnnirError(population.place, "several spikes in a step need a positive threshold", "set spikes = 1")

    def _constant(self, name: str, value: Value) -> Any:
        """A constant in the type of the states; a number where all neurons agree."""
        array = np.asarray(one_if_uniform(value))
        if self._integer and name == "threshold" and not (array == np.rint(array)).all():
            if self._semantics.reset != "value":
                raise SnnirError(
                    self._population.place, "an integer is lowered by a threshold that is none", "round it"
                )
            return array
        if self._integer and not (array == np.rint(array)).all():
            message = f"integer states need whole constants, but {name} is {array.flat[0]:g}"
            raise SnnirError(self._population.place, message, "scale the parameters")
        typed = array if np.isinf(array).any() else array.astype(self.type)
        return typed if typed.ndim else typed[()]

    def run(
        self, first: int, current: Reals, second: Reals | None, emitted: Array, voltages: Array | None = None
    ) -> None:
        """Advance by `len(current)` steps from step `first` on.

        `current` (and `second`, what enters the second synapse) are (steps, samples, neurons) and are overwritten.
        Spikes or membranes are written to `emitted`, membranes before the reset to `voltages`, of the same shape.
        Raises `SnnirError` when a state leaves the range of its type.
        """
        try:
            with np.errstate(over="raise", invalid="raise"):
                self._run(first, current, second, emitted, voltages)
        except FloatingPointError:
            message = f"@{self._population.name}: a state leaves the range of {self._semantics.state}"
            message += f" in steps {first} to {first + len(current) - 1}"
            raise SnnirError(self._population.place, message, "check its decay, gain and threshold") from None

    def _run(self, first: int, current: Reals, second: Reals | None, emitted: Array, voltages: Array | None) -> None:
        c = self._c
        drive = self._typed(first, current)
        if self._i is not None:
            self._i = self._synapse(first, self._i, drive, c["syn_decay"], c["syn_gain"], self._settled[0])
        _multiply(drive, c["gain"])
        other = None
        if self._j is not None and second is not None:
            other = self._typed(first, second)
            self._j = self._synapse(first, self._j, other, c["inh_decay"], c["inh_gain"], self._settled[1])
            _multiply(other, c["inh_share"])
        for t in range(len(drive)):
            self._membrane(drive[t], None if other is None else other[t])
            if self._integer:
                self._check(first + t, self._v, "membrane")
            if voltages is not None:
                voltages[t] = self._v
            if self._population.spiking:
                self._fire(emitted[t])
            else:
                emitted[t] = self._v

    def _typed(self, first: int, current: Reals) -> Array:
        if self._integer:
            whole = np.rint(current)
            if (whole != current).any() or np.abs(whole).max(initial=0) > LARGEST:
                t, _, n = np.argwhere((whole != current) | (np.abs(whole) > LARGEST))[0]
                message = f"@{self._population.name}: neuron {n} has the input {current[t, 0, n]:g} in step {first + t}"
                hint = "integer states take sums that are whole numbers of 32 bits"
                raise SnnirError(self._population.place, message, hint)
            return whole.astype(np.int64)
        return current if self.type == np.float64 else current.astype(self.type)

    def _synapse(self, first: int, state: Array, drive: Array, decay: Any, gain: Any, settled: Any) -> Array:
        """Turn the inputs of each step into what the membrane sees; the synapse's last state."""
        _multiply(drive, gain)
        late = self._semantics.order == "mem_first"
        for t in range(len(drive)):
            kept = _cut(state * decay) if self._integer else state * decay
            new = np.add(kept, drive[t], out=kept)
            if self._integer:
                self._check(first + t, new, "synapse")
            drive[t] = state if late else new
            state = new
        if np.any(settled):
            drive += settled
        return state

    def _membrane(self, drive: Array, other: Array | None) -> None:
        c, v = self._c, self._v
        if not self._keeps:
            np.copyto(v, drive)
        else:
            if self._integer:
                np.copyto(v, _cut(v * c["decay"]))
            else:
                _multiply(v, c["decay"])
            v += drive
            if other is not None:
                v += other
            if self._drifts:
                v += c["drift"]
            if self._repeats or self._late:
                np.subtract(v, c["threshold"], out=v, where=self._above)
        if self._clips:
            np.maximum(v, -c["threshold"], out=v)
        if self._held is not None:
            np.copyto(v, c["v_reset"], where=self._held > 0)

    def _fire(self, emitted: Array) -> None:
        """Compare and reset; the number of spikes of each neuron into `emitted`."""
        c, v, semantics = self._c, self._v, self._semantics
        fired = v > c["threshold"] if semantics.compare == "gt" else v >= c["threshold"]
        if self._held is not None:
            fired &= self._held == 0
            self._held -= self._held > 0
        emitted[...] = fired
        if self._late:
            self._above = fired
            return
        if self._repeats:
            # snnTorch: a neuron that was still above after its reset was lowered again before it was compared; that was
            # its reset if it fires again, and is taken back if it does not
            np.subtract(v, c["threshold"], out=v, where=fired & ~self._above)
            np.add(v, c["threshold"], out=v, where=self._above & ~fired)
            self._above = v > c["threshold"] if semantics.compare == "gt" else v >= c["threshold"]
            return
        places = fired.reshape(-1).nonzero()[0]
        if not places.size:
            return
        flat = v.reshape(-1)
        if semantics.reset == "value" and semantics.spikes == 1 and self._held is None:
            flat[places] = _of(c["v_reset"], places, v.shape[1])
            return
        threshold, count = _of(c["threshold"], places, v.shape[1]), 1
        if semantics.spikes > 1:
            count = np.clip(np.floor_divide(flat[places], threshold), 1, semantics.spikes).astype(self.type)
            emitted.reshape(-1)[places] = count
        if self._held is not None:
            self._held.reshape(-1)[places] = semantics.refractory
        if semantics.reset == "value" or self._held is not None:
            flat[places] = _of(c["v_reset"], places, v.shape[1])
        else:
            flat[places] -= count * threshold

    def _check(self, step: int, state: Array, what: str) -> None:
        if state.size and max(int(state.max()), -int(state.min())) > LARGEST:
            _, n = np.argwhere(np.abs(state) > LARGEST)[0]
            message = f"@{self._population.name}: the {what} of neuron {n} leaves 32 bits in step {step}"
            raise SnnirError(self._population.place, message, "scale weights and threshold down")


def _of(value: Any, places: NDArray[np.int64], size: int) -> Any:
    """The entries of a parameter for places in (samples, neurons)."""
    return value[places % size] if np.ndim(value) else value


def _multiply(array: Array, factor: Any) -> None:
    """Multiply in place, unless by 1."""
    if np.ndim(factor) or factor != 1:
        np.multiply(array, factor, out=array)


def _cut(product: Array) -> Array:
    """A product with a decay in units of 2**-12, cut towards zero."""
    product += (product >> 63) & ((1 << FRACTION_BITS) - 1)
    return product >> FRACTION_BITS
