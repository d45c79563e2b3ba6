"""What a neuron computes in one step: update rules, presets, and the constants of the discrete recursion.

A neuron is described by continuous parameters (time constants, gain, threshold; in the units of the model file) and by
`Semantics`, everything that simulators decide differently and that no model file states. Both together with the step
`dt` give `Coefficients`, the constants of the linear recursion that the program simulator and the hardware execute:

    membrane   v[t] = decay * v[t-1] + gain * I[t] + drift
    synapse    i[t] = syn_decay * i[t-1] + syn_gain * I[t]      (cuba models; then i takes the place of I above)
    synapse 2  j[t] = inh_decay * j[t-1] + inh_gain * J[t]      (dual_lif; inh_share * j is added to the membrane)

Sources: the ODEs of the Neuromorphic Intermediate Representation (NIR, Nat. Commun. 15:8122), `I` to `CubaLIF`.
Euler: `x += dt * dx/dt`. Exponential: the exact solution for an input that is constant during the step. What each
platform does was measured on recordings of these platforms; docs/semantics.md has the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Value = float | NDArray[np.float64]
"""A parameter: one number for the whole population, or one per neuron."""

PARAMETERS: dict[str, tuple[str, ...]] = {
    "if": ("r", "threshold", "v_reset"),
    "lif": ("tau", "r", "v_leak", "threshold", "v_reset"),
    "cuba_lif": ("tau_syn", "tau_mem", "r", "v_leak", "threshold", "v_reset", "w_in"),
    "dual_lif": ("tau_exc", "tau_inh", "tau_mem", "r", "v_leak", "threshold", "v_reset", "w_exc", "w_inh"),
    "threshold": ("threshold",),
    "integrator": ("r",),
    "li": ("tau", "r", "v_leak"),
    "cuba_li": ("tau_syn", "tau_mem", "r", "v_leak", "w_in"),
}
"""The parameters of each neuron model, in the order in which they are written."""

SPIKING = frozenset({"if", "lif", "cuba_lif", "dual_lif", "threshold"})
"""The models that emit spikes; the others emit their membrane as a real-valued signal."""

TIME_CONSTANTS = frozenset({"tau", "tau_syn", "tau_mem", "tau_exc", "tau_inh"})

FRACTION_BITS = 12
"""Decays of `int12` are multiples of 2**-12 (Loihi)."""


@dataclass(frozen=True)
class Semantics:
    """The decisions that make two simulators differ. The defaults are the preset `nir`."""

    decay: Literal["euler", "exp", "exact", "int12"] = "euler"
    """The factor of a state in one step. `euler`: 1 - dt/tau. `exp`: exp(-dt/tau). `exact`: the same, and the membrane
    follows the decaying synapse exactly. `int12`: 1 - dt/tau in units of 2**-12, products cut towards zero."""
    pulse: Literal["box", "euler", "dirac"] = "box"
    """What a spike is. `box`: a current that lasts for the step, gain 1 - factor. `euler`: gain dt/tau whatever the
    decay. `dirac`: a charge that arrives at once, gain 1/tau."""
    order: Literal["syn_first", "mem_first"] = "syn_first"
    """Whether the membrane sees the synapse's new state or the one of the step before."""
    compare: Literal["gt", "ge"] = "gt"
    """A spike when v > threshold, or when v >= threshold."""
    reset: Literal["value", "subtract", "subtract_repeat", "subtract_late"] = "value"
    """After a spike v becomes v_reset, or is lowered by the threshold; `subtract_repeat` lowers it again in the next
    step when it is still above (snnTorch with `reset_delay=False`); `subtract_late` lowers it in the next step, after
    its decay (snnTorch's default)."""
    spikes: int = 1
    """The most spikes of a neuron in one step: floor(v / threshold), limited."""
    floor: Literal["none", "threshold"] = "none"
    """`threshold`: v is clipped below at -threshold."""
    refractory: int = 0
    """Steps after a spike in which v stays at v_reset and input is ignored."""
    out_delay: int = 0
    """Steps between firing and emission: what others, outputs and recordings see."""
    bias: Literal["synapse", "membrane"] = "synapse"
    """Where the biases of projections enter a model with a synapse: there, or as the membrane current that they would
    settle to, w_in * bias, from the first step on."""
    weights: Literal["exact", "trunc8", "nearest8"] = "exact"
    """`trunc8`, `nearest8`: all weights into a population are rounded to 127 levels of the largest."""
    state: Literal["f64", "f32", "i32"] = "f64"
    """The type of states and constants."""
    start: Literal["zero", "half"] = "zero"
    """`half`: v starts at half the threshold, which makes a count of spikes round to nearest where it would be cut
    (Bu et al., ICLR 2022, "Optimal ANN-SNN conversion")."""

    def differences(self, other: "Semantics") -> dict[str, str]:
        """The fields in which `self` differs from `other`, with the values of `self`, as text."""
        return {
            f.name: str(getattr(self, f.name)) for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)
        }

    def changed(self, changes: Mapping[str, str]) -> "Semantics":
        """A copy with fields replaced, values as text. Raises `ValueError` naming an unknown field or value."""
        values: dict[str, str | int] = {}
        for name, value in changes.items():
            if name in COUNTS:
                values[name] = _count(name, value)
            elif name not in CHOICES:
                raise ValueError(f"no semantics field '{name}'; there are {', '.join((*CHOICES, *COUNTS))}")
            elif value not in CHOICES[name]:
                raise ValueError(f"'{value}' is not a value of {name}; use {' or '.join(CHOICES[name])}")
            else:
                values[name] = value
        return replace(self, **values)  # pyright: ignore[reportArgumentType]

    def problem(self, model: str) -> str | None:
        """Why the fields contradict each other or the model, in words; `None` when they do not."""
        if (self.decay == "int12") != (self.state == "i32"):
            return "decay = int12 and state = i32 go together"
        if self.spikes > 1 and self.reset != "subtract":
            return "several spikes in one step need reset = subtract"
        if self.refractory and self.reset in ("subtract_repeat", "subtract_late"):
            return f"refractory steps and reset = {self.reset} contradict each other"
        if model not in SPIKING and (self.out_delay or self.refractory or self.spikes > 1):
            return f"{model} emits no spikes, so out_delay, refractory and spikes have no meaning for it"
        if self.start == "half" and (model not in SPIKING or model == "threshold"):
            return f"{model} has no membrane that fires, so it cannot start at half its threshold"
        return None


COUNTS: dict[str, tuple[int, int]] = {"spikes": (1, 255), "refractory": (0, 1 << 31), "out_delay": (0, 1 << 31)}
"""The fields of `Semantics` that are whole numbers, with the least and the largest value."""

CHOICES: dict[str, tuple[str, ...]] = {f.name: get_args(f.type) for f in fields(Semantics) if f.name not in COUNTS}
"""The values that each other field of `Semantics` may take."""


def _count(name: str, value: str) -> int:
    least, most = COUNTS[name]
    if not (value.isascii() and value.isdigit()) or not least <= int(value) <= most:
        raise ValueError(f"'{value}' is not a value of {name}; use a whole number from {least} to {most}")
    return int(value)


@dataclass(frozen=True)
class Preset:
    """What a platform does, as measured on its recordings."""

    semantics: Semantics
    why: str
    """In one sentence, for messages and docs."""
    connection_delay: int = 0
    """The least delay of each connection, for files that state no delays."""
    late_bias: bool = False
    """Whether the delay that opens a cycle follows the weights, so that their bias is silent until it has passed."""
    subtract: Literal["subtract", "subtract_repeat"] = "subtract"
    """What `--reset subtract` means here."""


_MANY = COUNTS["spikes"][1]
_SINABS = Semantics(decay="exp", pulse="euler", compare="ge", reset="subtract", spikes=_MANY, floor="threshold")

PRESETS: dict[str, Preset] = {
    "nir": Preset(Semantics(), "forward Euler, synapse first, a spike when v > threshold, then v = v_reset"),
    "norse": Preset(
        Semantics(), "as nir; a connection that closes a cycle starts with its bias one step late", late_bias=True
    ),
    "snntorch": Preset(Semantics(), "as nir; subtracting repeats while v stays above", subtract="subtract_repeat"),
    "spyx": Preset(Semantics(reset="subtract", out_delay=1), "forward Euler, subtracts, spikes leave one step late"),
    "sinabs": Preset(_SINABS, "exponential decay, v >= threshold, several spikes a step, subtracts, IF clipped below"),
    "speck": Preset(replace(_SINABS, weights="nearest8"), "as sinabs with 8-bit weights"),
    "rockpool": Preset(
        replace(_SINABS, floor="none"), "exponential decay, v >= threshold, several spikes a step, subtracts"
    ),
    "loihi": Preset(
        Semantics(decay="int12", pulse="euler", state="i32", out_delay=1),
        "12-bit decays in integers, spikes leave one step late",
    ),
    "spinnaker2": Preset(
        Semantics(weights="trunc8", bias="membrane"),
        "forward Euler, 8-bit weights cut towards zero, biases on the membrane, every connection one step late",
        connection_delay=1,
    ),
    "nest": Preset(
        Semantics(decay="exact", pulse="dirac", order="mem_first", compare="ge"),
        "exact integration of charges, membrane first, v >= threshold, every connection at least one step late",
        connection_delay=1,
    ),
}
"""Named semantics: what NIR's equations say, and what nine platforms do. Evidence: docs/semantics.md."""


def preset(name: str, model: str) -> Semantics:
    """The semantics of a preset for one neuron model. Raises `KeyError` for a name that is none."""
    semantics = PRESETS[name].semantics
    if model not in SPIKING:
        return replace(semantics, out_delay=0, spikes=1, refractory=0, floor="none")
    if model == "threshold":
        return replace(semantics, spikes=1, floor="none")  # it has no state that could hold more than one spike
    if semantics.floor == "threshold" and model != "if":
        return replace(semantics, floor="none")
    return semantics


def with_reset(name: str, semantics: Semantics, reset: str) -> Semantics:
    """The semantics of preset `name` with the reset that the user names, as the platform does it: `value`, `subtract`.

    Raises `ValueError` for another word.
    """
    if reset == "subtract":
        return replace(semantics, reset=PRESETS[name].subtract)
    if reset == "value":
        return replace(semantics, reset="value", spikes=1)
    return semantics.changed({"reset": reset})


@dataclass(frozen=True)
class Coefficients:
    """The constants of the recursion; each a number or an array with one entry per neuron.

    For `int12` decays and gains are whole numbers: `decay` of 2**-12, the gains and thresholds of 1.
    """

    decay: Value
    gain: Value
    drift: Value
    threshold: Value
    v_reset: Value
    syn_decay: Value = 0.0
    syn_gain: Value = 0.0
    inh_decay: Value = 0.0
    inh_gain: Value = 0.0
    inh_share: Value = 0.0
    """What the second synapse adds to the membrane; the first adds `gain`."""


def discretise(model: str, parameters: Mapping[str, Value], dt: float, semantics: Semantics) -> Coefficients:
    """The recursion constants of a population for steps of `dt` seconds.

    `if` and `integrator` integrate their input once per step whatever `dt` is (as every platform does). `threshold` has
    no state: v is its input. Raises `ValueError` in words when integer states need constants that are none.
    """
    p: dict[str, Value] = {"threshold": np.inf, "v_reset": 0.0, "v_leak": 0.0, "r": 1.0, **parameters}
    ends = (p["threshold"], p["v_reset"])
    if model in ("if", "integrator"):
        result = Coefficients(1.0, p["r"], 0.0, *ends)
    elif model == "threshold":
        result = Coefficients(0.0, 1.0, 0.0, *ends)
    else:
        result = _leaky(model, p, dt, semantics, ends)
    return _integers(result) if semantics.decay == "int12" else result


def _leaky(
    model: str, p: Mapping[str, Value], dt: float, semantics: Semantics, ends: tuple[Value, Value]
) -> Coefficients:
    tau = p["tau"] if model in ("lif", "li") else p["tau_mem"]
    keep, leak = _keep(tau, dt, semantics), _share(tau, dt, semantics, "box")
    if model in ("lif", "li"):
        return Coefficients(keep, _gain(p["r"], tau, dt, semantics), p["v_leak"] * leak, *ends)
    synapses = (("tau_syn", "w_in"),) if model != "dual_lif" else (("tau_exc", "w_exc"), ("tau_inh", "w_inh"))
    constants: list[Value] = []
    shares: list[Value] = []
    for name, weight in synapses:
        constants += [_keep(p[name], dt, semantics), _gain(p[weight], p[name], dt, semantics)]
        shares.append(p["r"] * (_coupling(p[name], tau, dt) if semantics.decay == "exact" else leak))
    if model == "dual_lif":
        constants.append(shares[1])
    return Coefficients(keep, shares[0], p["v_leak"] * leak, *ends, *constants)


def _keep(tau: Value, dt: float, semantics: Semantics) -> Value:
    """What remains of a state after one step."""
    if semantics.decay in ("euler", "int12"):
        return 1.0 - dt / tau
    return _plain(np.exp(-dt / np.asarray(tau)))


def _gain(weight: Value, tau: Value, dt: float, semantics: Semantics) -> Value:
    """How far an input of 1 moves a state; exactly 1 for a `dirac` with `weight == tau` (a charge)."""
    return weight / tau if semantics.pulse == "dirac" else weight * _share(tau, dt, semantics)


def _share(tau: Value, dt: float, semantics: Semantics, pulse: str | None = None) -> Value:
    """The share of its input that enters a state in one step."""
    pulse = pulse or semantics.pulse
    if pulse == "dirac":
        return 1.0 / tau
    if pulse == "euler" or semantics.decay in ("euler", "int12"):
        return dt / tau
    return _plain(1.0 - np.exp(-dt / np.asarray(tau)))


def _coupling(tau_syn: Value, tau_mem: Value, dt: float) -> Value:
    """What a synapse state of 1 adds to the membrane in one step while it decays.

    The exact solution of `tau_mem dv/dt = -v + i`, `tau_syn di/dt = -i` (Rotter and Diesmann, Biol. Cybern. 81, 1999).
    """
    syn, mem = np.asarray(tau_syn, np.float64), np.asarray(tau_mem, np.float64)
    gap = dt * (mem - syn) / (mem * syn)  # the difference of the exponents; expm1 keeps its digits where it is small
    with np.errstate(invalid="ignore"):
        ratio = np.where(gap == 0, 1.0, -np.expm1(-gap) / gap)
    return _plain(dt / mem * np.exp(-dt / mem) * ratio)


def _plain(value: NDArray[np.float64]) -> Value:
    return float(value) if value.ndim == 0 else value


def _integers(c: Coefficients) -> Coefficients:
    """Constants for integer states: decays in units of 2**-12, all others whole as they are, but for the threshold."""
    decays = {name: np.asarray(getattr(c, name)) * 2.0**FRACTION_BITS for name in ("decay", "syn_decay", "inh_decay")}
    wholes = ("gain", "drift", "v_reset", "syn_gain", "inh_gain", "inh_share")
    others = {name: np.asarray(getattr(c, name)) for name in wholes}
    result: dict[str, Value] = {"threshold": c.threshold}
    for name, value in {**decays, **others}.items():
        whole = np.rint(value)
        if not np.allclose(whole, value, rtol=1e-9, atol=1e-9):
            wrong = value.ravel()[int(np.argmax(np.abs(whole - value).ravel()))]
            what = f"{name} is {wrong:g} in units of 2**-{FRACTION_BITS}" if name in decays else f"{name} is {wrong:g}"
            raise ValueError(f"integer states need whole constants, but {what}")
        result[name] = _plain(whole)
    return Coefficients(**result)


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
    if {"threshold", "v_reset"} <= set(PARAMETERS[model]):
        above = np.asarray(parameters["threshold"]) - np.asarray(parameters["v_reset"])
        if (above <= 0).any():
            return "threshold must lie above v_reset, or a neuron would fire for ever"
    return None


def check_discretisation(model: str, parameters: Mapping[str, Value], dt: float, semantics: Semantics) -> str | None:
    """Why parameters and semantics do not go together, in words; `None` when they do."""
    found = semantics.problem(model) or parameter_error(model, parameters, dt)
    several = semantics.spikes > 1 or semantics.floor == "threshold"
    if found is None and several and "threshold" in PARAMETERS[model] and np.min(parameters["threshold"]) <= 0:
        return "several spikes in one step, and a floor at -threshold, need a positive threshold"
    if found is None and semantics.decay == "int12":
        try:
            discretise(model, parameters, dt, semantics)
        except ValueError as error:
            return str(error)
    return found
