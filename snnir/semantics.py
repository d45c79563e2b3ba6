"""What a neuron computes in one step: update rules, presets, and the constants of the discrete recursion.

A neuron is described by continuous parameters (time constants, gain, threshold; in the units of the model file) and by
`Semantics`, everything that simulators decide differently and that no model file states. Both together with the step
`dt` give `Coefficients`, the constants of the linear recursion that the program simulator and the hardware execute:

    membrane   v[t] = decay * v[t-1] + gain * I[t] + drift
    synapse    i[t] = syn_decay * i[t-1] + syn_gain * I[t]      (cuba_lif; then i takes the place of I above)

Sources: the ODEs of the Neuromorphic Intermediate Representation (NIR, Nat. Commun. 15:8122), `IF`, `LIF`, `CubaLIF`.
Euler: `x += dt * dx/dt`. Exponential: the exact solution for an input that is constant during the step.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Value = float | NDArray[np.float64]
"""A parameter: one number for the whole population, or one per neuron."""

PARAMETERS: dict[str, tuple[str, ...]] = {
    "if": ("r", "threshold", "v_reset"),
    "lif": ("tau", "r", "v_leak", "threshold", "v_reset"),
    "cuba_lif": ("tau_syn", "tau_mem", "r", "v_leak", "threshold", "v_reset", "w_in"),
}
"""The parameters of each neuron model, in the order in which they are written."""

TIME_CONSTANTS = frozenset({"tau", "tau_syn", "tau_mem"})


@dataclass(frozen=True)
class Semantics:
    """The decisions that make two simulators differ. The defaults are the preset `nir`."""

    decay: Literal["euler", "exp"] = "euler"
    """`euler`: factor 1 - dt/tau, input times dt/tau. `exp`: factor exp(-dt/tau), input times 1 - exp(-dt/tau)."""
    order: Literal["syn_first", "mem_first"] = "syn_first"
    """Whether the membrane sees the synapse's new state or the one of the step before."""
    compare: Literal["gt", "ge"] = "gt"
    """A spike when v > threshold, or when v >= threshold."""
    reset: Literal["value", "subtract"] = "value"
    """After a spike v becomes v_reset, or is lowered by the threshold."""

    def differences(self, other: "Semantics") -> dict[str, str]:
        """The fields in which `self` differs from `other`, with the values of `self`."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)}

    def changed(self, changes: Mapping[str, str]) -> "Semantics":
        """A copy with fields replaced. Raises `ValueError` naming an unknown field or value."""
        for name, value in changes.items():
            choices = CHOICES.get(name)
            if choices is None:
                raise ValueError(f"no semantics field '{name}'; there are {', '.join(CHOICES)}")
            if value not in choices:
                raise ValueError(f"'{value}' is not a value of {name}; use {' or '.join(choices)}")
        return replace(self, **changes)  # pyright: ignore[reportArgumentType]


CHOICES: dict[str, tuple[str, ...]] = {
    f.name: get_args(f.type if not isinstance(f.type, str) else Any) for f in fields(Semantics)
}
"""The values that each field of `Semantics` may take."""

PRESETS: dict[str, Semantics] = {
    "nir": Semantics(),
    "norse": Semantics(),
    "snntorch": Semantics(),
    "snntorch_subtract": Semantics(reset="subtract"),
}
"""Named semantics. `nir` is the forward-Euler reading of NIR's equations; Norse 1.1 and snnTorch 1.0 (with
`reset_mechanism="zero"`, `reset_delay=False`) compute the same recursion; snnTorch's default reset subtracts."""


@dataclass(frozen=True)
class Coefficients:
    """The constants of the recursion; each a float64 number or an array with one entry per neuron."""

    decay: Value
    gain: Value
    drift: Value
    threshold: Value
    v_reset: Value
    syn_decay: Value = 0.0
    syn_gain: Value = 0.0


def discretise(model: str, parameters: Mapping[str, Value], dt: float, semantics: Semantics) -> Coefficients:
    """The recursion constants of a population for steps of `dt` seconds.

    `if` integrates its input once per step whatever `dt` is (as every platform does); `lif` and `cuba_lif` see the
    input as a current that lasts for the step (a box, not a Dirac pulse).
    """
    if model == "if":
        return Coefficients(1.0, parameters["r"], 0.0, parameters["threshold"], parameters["v_reset"])
    tau = parameters["tau"] if model == "lif" else parameters["tau_mem"]
    keep, take = _factors(tau, dt, semantics)
    membrane = (keep, parameters["r"] * take, parameters["v_leak"] * take)
    threshold = (parameters["threshold"], parameters["v_reset"])
    if model == "lif":
        return Coefficients(*membrane, *threshold)
    syn_keep, syn_take = _factors(parameters["tau_syn"], dt, semantics)
    return Coefficients(*membrane, *threshold, syn_keep, parameters["w_in"] * syn_take)


def _factors(tau: Value, dt: float, semantics: Semantics) -> tuple[Value, Value]:
    """What remains of a state after one step, and the share of its input that enters it."""
    if semantics.decay == "euler":
        return 1.0 - dt / tau, dt / tau
    keep = np.exp(-dt / np.asarray(tau))
    return _plain(keep), _plain(1.0 - keep)


def _plain(value: NDArray[np.float64]) -> Value:
    return float(value) if value.ndim == 0 else value


def parameter_error(model: str, parameters: Mapping[str, Value], dt: float) -> str | None:
    """What is wrong with the parameters of a population, in words; `None` when nothing is."""
    for name in PARAMETERS[model]:
        value = np.asarray(parameters[name])
        if not np.isfinite(value).all():
            return f"{name} is not finite"
        if name in TIME_CONSTANTS:
            if (value <= 0).any():
                return f"{name} = {value.min():g} s, but a time constant must be positive"
            if (value < dt).any():
                return (
                    f"{name} = {value.min():g} s is shorter than the step dt = {dt:g} s, so the state would oscillate"
                )
    above = np.asarray(parameters["threshold"]) - np.asarray(parameters["v_reset"])
    if (above <= 0).any():
        return "threshold must lie above v_reset, or a neuron would fire for ever"
    return None
