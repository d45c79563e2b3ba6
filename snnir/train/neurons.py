"""Neurons as a torch module: the operations of `snnir.sim.neurons`, in its order, with gradients.

In float64 the result is that of the simulator, bit for bit, for every model and semantics. States of type f32 are
float32 here too; integer states are whole numbers in float64, which holds all products of theirs.

Gradients: a spike has that of a surrogate at (v - threshold) / unit (see `gradients.surrogate_of`); of several spikes
in one step, at the nearest multiple of the threshold. Resets are not differentiated through the spike, as in snnTorch.
Products of integer states that are cut to whole numbers have the gradient of the product (straight-through). Neurons in
their refractory steps have none.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from collections.abc import Collection
from dataclasses import dataclass, fields, replace

import numpy as np

from snnir.errors import SnnirError
from snnir.semantics import FRACTION_BITS, Coefficients, Value
from snnir.sim.network import Population
from snnir.sim.neurons import LARGEST, one_if_uniform
from snnir.train.gradients import Surrogate, spikes, straight
from snnir.train.libraries import torch
from snnir.train.scans import Firing, fire_scan, linear_scan

Tensor = torch.Tensor

TRAINABLE = ("threshold",)
"""Parameters of neurons that can be trained: those that mean the same in the program and in the recursion."""


@dataclass(frozen=True)
class State:
    """What a population keeps from step to step, each (samples, neurons)."""

    v: Tensor
    i: Tensor
    j: Tensor
    above: Tensor
    """Bool: those that the next step lowers (`subtract_repeat`, `subtract_late`)."""
    held: Tensor
    """Whole numbers: refractory steps that are left."""


class Neurons(torch.nn.Module):
    """Membranes (and synapses) of a population."""

    decay: Tensor
    gain: Tensor
    drift: Tensor
    threshold: Tensor
    v_reset: Tensor
    syn_decay: Tensor
    syn_gain: Tensor
    inh_decay: Tensor
    inh_gain: Tensor
    inh_share: Tensor
    settled0: Tensor
    settled1: Tensor
    unit: Tensor

    def __init__(
        self, population: Population, dtype: torch.dtype, surrogate: Surrogate, trained: Collection[str] = ()
    ) -> None:
        super().__init__()
        self.population, self.surrogate = population, surrogate
        semantics = population.semantics
        self.integer = semantics.state == "i32"
        self.dtype = torch.float64 if self.integer else torch.float32 if semantics.state == "f32" else dtype
        for field in fields(Coefficients):
            value = self._constant(field.name, getattr(population.coefficients, field.name))
            if field.name in trained and population.spiking and not self.integer:
                self.register_parameter(field.name, torch.nn.Parameter(value))
            else:
                self.register_buffer(field.name, value, persistent=False)
        for number, value in enumerate(population.settled):
            self.register_buffer(f"settled{number}", self._constant("w * bias", value), persistent=False)
        self.register_buffer("unit", self._unit(), persistent=False)
        keeps = population.model != "threshold"
        self._keeps, self._drifts = keeps, bool(np.any(population.coefficients.drift))
        self._repeats = population.spiking and semantics.reset == "subtract_repeat" and keeps
        self._late = population.spiking and semantics.reset == "subtract_late" and keeps
        self._clips = population.spiking and semantics.floor == "threshold"
        plain = semantics.spikes == 1 and not semantics.refractory and not self._clips and not self.integer
        self.scans = plain and not self._repeats and not self._late and not list(self.parameters())
        """Whether all steps are one node of the graph (`scans`); switched off, every operation is a node."""

    def _constant(self, name: str, value: Value) -> Tensor:
        array = np.asarray(one_if_uniform(value), np.float64)
        whole = array == np.rint(array)
        if self.integer and not whole.all() and (name != "threshold" or self.population.semantics.reset != "value"):
            message = f"integer states need whole constants, but {name} is {array[~whole].flat[0]:g}"
            raise SnnirError(self.population.place, message, "scale the parameters")
        return torch.tensor(array, dtype=self.dtype)

    def _unit(self) -> Tensor:
        """The scale of (v - threshold) in which slopes are stated."""
        c, reset = self.population.coefficients, self.population.semantics.reset == "value"
        unit = np.asarray(c.threshold, np.float64) - (np.asarray(c.v_reset, np.float64) if reset else 0.0)
        return torch.tensor(np.where((unit > 0) & np.isfinite(unit), unit, 1.0), dtype=self.dtype)

    def rest(self, samples: int) -> State:
        """The state before the first step."""
        shape = (samples, self.population.size)
        zero = torch.zeros(shape, dtype=self.dtype)
        v = zero
        if self.population.semantics.start == "half":
            half = 0.5 * self.threshold.detach()
            v = (torch.trunc(half) if self.integer else half).expand(shape)
        return State(v, zero, zero, torch.zeros(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.int64))

    def forward(
        self, current: Tensor, second: Tensor | None, state: State, first: int = 0
    ) -> tuple[Tensor, Tensor, State]:
        """Advance by `len(current)` steps, from step `first` on.

        `current`, and `second` for what enters the second synapse, are (steps, samples, neurons), in float64 or the
        module's type. Returns what is emitted, the membranes before the reset, both of that shape, and the state.
        Raises `SnnirError` when integer states get an input that is not whole, or when a state leaves its range.
        """
        model = self.population.model
        drive, j = self._typed(first, current), state.j
        i = state.i
        if model in ("cuba_lif", "cuba_li", "dual_lif"):
            drive, i = self._synapse(first, state.i, drive, self.syn_decay, self.syn_gain, self.settled0)
        drive = drive * self.gain
        if model == "dual_lif" and second is not None:
            other, j = self._synapse(first, j, self._typed(first, second), self.inh_decay, self.inh_gain, self.settled1)
            other = other * self.inh_share
        else:
            other = None
        emitted, voltages, after = self._scanned(drive, other, state)
        self._check(first, voltages, "membrane")
        return emitted, voltages, replace(after, i=i, j=j)

    def _scanned(self, drive: Tensor, other: Tensor | None, state: State) -> tuple[Tensor, Tensor, State]:
        """The membrane, all steps in one node of the graph where there is one for these neurons."""
        if not self.scans or len(drive) < 2 or other is not None:
            return self.scan(drive, other, state)
        drift = self.drift if self._drifts else None
        if not self.population.spiking:
            voltages = linear_scan(drive, state.v, self.decay, drift)
            return voltages, voltages, replace(state, v=voltages[-1])
        semantics = self.population.semantics
        constants = Firing(
            decay=self.decay if self._keeps else None,
            drift=drift,
            threshold=self.threshold,
            v_reset=self.v_reset if semantics.reset == "value" else None,
            strict=semantics.compare == "gt",
            unit=self.unit,
            surrogate=self.surrogate,
        )
        emitted, voltages, v = fire_scan(drive, state.v, constants)
        return emitted, voltages, replace(state, v=v)

    def scan(self, drive: Tensor, other: Tensor | None, state: State) -> tuple[Tensor, Tensor, State]:
        """The membrane, step by step, with what enters it."""
        emitted, voltages = [], []
        for t in range(len(drive)):
            v = self._membrane(drive[t], None if other is None else other[t], state)
            voltages.append(v)
            if self.population.spiking:
                spike, state = self._fire(v, state)
                emitted.append(spike)
            else:
                emitted.append(v)
                state = replace(state, v=v)
        return torch.stack(emitted), torch.stack(voltages), state

    def _typed(self, first: int, current: Tensor) -> Tensor:
        if self.integer:
            wrong = (torch.round(current) != current) | (current.abs() > LARGEST)
            if wrong.any():
                t, s, n = (int(x) for x in wrong.nonzero()[0])
                message = f"@{self.population.name}: neuron {n} has the input {current[t, s, n].item():g} in step"
                hint = "integer states take sums that are whole numbers of 32 bits; train whole weights"
                raise SnnirError(self.population.place, f"{message} {first + t}", hint)
        return current.to(self.dtype)

    def _decayed(self, state: Tensor, decay: Tensor) -> Tensor:
        product = state * decay
        if not self.integer:
            return product
        product = product * 2.0**-FRACTION_BITS
        return straight(product, torch.trunc(product))

    def _synapse(
        self, first: int, state: Tensor, drive: Tensor, decay: Tensor, gain: Tensor, settled: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What the membrane sees of the inputs of each step, and the synapse's last state."""
        drive = drive * gain
        late = self.population.semantics.order == "mem_first"
        if self.scans and len(drive) > 1:
            states = linear_scan(drive, state, decay)
            self._check(first, states, "synapse")
            seen = torch.cat([state[None], states[:-1]]) if late else states
            return (seen + settled if bool((settled != 0).any()) else seen), states[-1]
        seen = []
        for t in range(len(drive)):
            new = self._decayed(state, decay) + drive[t]
            seen.append(state if late else new)
            state = new
        result = torch.stack(seen)
        self._check(first, torch.cat([result, state[None]]), "synapse")
        return (result + settled if bool((settled != 0).any()) else result), state

    def _membrane(self, drive: Tensor, other: Tensor | None, state: State) -> Tensor:
        v = drive
        if self._keeps:
            v = self._decayed(state.v, self.decay) + drive
            if other is not None:
                v = v + other
            if self._drifts:
                v = v + self.drift
            if self._repeats or self._late:
                v = torch.where(state.above, v - self.threshold, v)
        if self._clips:
            v = torch.where(v < -self.threshold, -self.threshold, v)
        if self.population.semantics.refractory:
            v = torch.where(state.held > 0, self.v_reset, v)
        return v

    def _exceeds(self, v: Tensor) -> Tensor:
        return v > self.threshold if self.population.semantics.compare == "gt" else v >= self.threshold

    def _fire(self, v: Tensor, state: State) -> tuple[Tensor, State]:
        """What is emitted, and the state after the reset."""
        semantics, held = self.population.semantics, state.held
        with torch.no_grad():
            fired = self._exceeds(v)
            if semantics.refractory:
                fired &= held == 0
                held = (held - 1).clamp(min=0)
            count, level = fired.to(self.dtype), torch.ones((), dtype=self.dtype)
            if semantics.spikes > 1:
                most = float(semantics.spikes)
                count = count * torch.floor_divide(v, self.threshold).clamp(1.0, most)
                level = torch.round(v / self.threshold).clamp(1.0, most)
        emitted = spikes((v - level * self.threshold) / self.unit, count, self.surrogate)
        if self._late:
            return emitted, replace(state, v=v, above=fired)
        if self._repeats:
            v = torch.where(fired & ~state.above, v - self.threshold, v)
            v = torch.where(state.above & ~fired, v + self.threshold, v)
            return emitted, replace(state, v=v, above=self._exceeds(v.detach()))
        if semantics.refractory:
            held = torch.where(fired, semantics.refractory, held)
        if semantics.reset == "value" or semantics.refractory:
            return emitted, replace(state, v=torch.where(fired, self.v_reset, v), held=held)
        return emitted, replace(state, v=torch.where(fired, v - count * self.threshold, v))

    def _check(self, first: int, states: Tensor, what: str) -> None:
        """Refuse states (steps, samples, neurons) that have left their range."""
        with torch.no_grad():
            peak = float(states.abs().amax()) if states.numel() else 0.0
        if not np.isfinite(peak) or (self.integer and peak > LARGEST):
            message = f"@{self.population.name}: a {what} leaves the range of {self.population.semantics.state}"
            message += f" in steps {first} to {first + len(states) - 1}"
            raise SnnirError(self.population.place, message, "check its decay, gain, threshold and weights")
