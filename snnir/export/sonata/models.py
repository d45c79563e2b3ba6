"""Populations of ours as SONATA's point neurons: the inverse of `snnir.frontend.sonata.neurons`, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isinf, nextafter

import numpy as np
from numpy.typing import NDArray

from snnir.dialects.places import place_of
from snnir.dialects.snn import NeuronOp
from snnir.errors import SnnirError
from snnir.frontend.notes import Notes
from snnir.frontend.sonata.times import milliseconds
from snnir.semantics import PARAMETERS, Semantics, preset

Parameter = Decimal | NDArray[np.float64]
"""Of all neurons as it is written, or one number per neuron."""

_INT_FIRE = Semantics(decay="exp", pulse="dirac")
_MODELS = ("lif", "cuba_lif", "dual_lif")
_NEIGHBOURS = 8


@dataclass(frozen=True)
class Written:
    """A population as SONATA states it: model template and parameters in the units of the template."""

    template: str
    parameters: Mapping[str, Sequence[Decimal]]
    """One number per neuron each."""

    @property
    def simulator(self) -> str:
        """`nrn` or `nest`."""
        return self.template.partition(":")[0]


def written(op: NeuronOp, dt: float, notes: Notes) -> Written:
    """The template and parameters of a population. Raises `SnnirError` naming what SONATA's models do not do."""
    name, place, semantics = op.sym_name.data, place_of(op), op.semantics.data
    if op.MODEL not in _MODELS:
        raise SnnirError(place, f"{op.name} @{name} has no SONATA model", f"there are models for {', '.join(_MODELS)}")
    int_fire = op.MODEL == "lif" and semantics.compare == "gt"
    expected = _INT_FIRE if int_fire else preset("nest", op.MODEL)
    wrong = _differences(op.MODEL, semantics, expected)
    if wrong:
        said = ", ".join(f"{field} = {value}" for field, value in wrong.items())
        template = "nrn:IntFire1" if int_fire else f"nest:{'iaf_psc_delta' if op.MODEL == 'lif' else 'iaf_psc_exp'}"
        hint = f"{template} computes {', '.join(f'{field} = {getattr(expected, field)}' for field in wrong)}"
        raise SnnirError(place, f"{op.name} @{name} computes {said}, which no SONATA model does", hint)
    values = {
        parameter: np.broadcast_to(np.asarray(op.parameters[parameter], np.float64).ravel(), (op.size,))
        for parameter in PARAMETERS[op.MODEL]
    }
    refractory = Decimal(repr(dt)) * semantics.refractory
    if int_fire:
        return _int_fire(op, values, refractory)
    return _nest(op, values, refractory, notes)


def _differences(model: str, semantics: Semantics, expected: Semantics) -> dict[str, str]:
    """What the population does otherwise, of the fields that matter to its model."""
    found = semantics.differences(expected)
    for field in ("refractory", "bias"):
        found.pop(field, None)
    if model == "lif":
        found.pop("order", None)
        if found.get("decay") in ("exp", "exact"):
            found.pop("decay")
    return found


def _require(op: NeuronOp, values: Mapping[str, NDArray[np.float64]], wanted: Mapping[str, str | float]) -> None:
    """Raise unless parameters have the only value (or equal the parameter) that a template allows."""
    for name, value in wanted.items():
        needed = values[value] if isinstance(value, str) else np.full_like(values[name], value)
        if (values[name] != needed).any():
            number = int(np.argmax(values[name] != needed))
            what = f"{name} = {values[name][number]:g} of neuron {number} of @{op.sym_name.data}"
            hint = "multiply the weights into it" if name in ("r", "w_in", "w_exc", "w_inh") else "rescale the neurons"
            raise SnnirError(place_of(op), f"{what}, but SONATA's model has {name} = {value}", hint)


def _decimals(values: NDArray[np.float64], function: Callable[[float], Decimal] | None = None) -> list[Decimal]:
    """Each number as the decimal that is printed for it (or what `function` makes of it)."""
    return [(function(v) if function else Decimal(repr(v))) for v in values.tolist()]


def _int_fire(op: NeuronOp, values: Mapping[str, NDArray[np.float64]], refractory: Decimal) -> Written:
    _require(op, values, {"r": "tau", "v_leak": 0.0, "threshold": 1.0, "v_reset": 0.0})
    return Written("nrn:IntFire1", {"tau": _decimals(values["tau"]), "refrac": [refractory] * op.size})


def _nest(op: NeuronOp, values: Mapping[str, NDArray[np.float64]], refractory: Decimal, notes: Notes) -> Written:
    parameters: dict[str, Sequence[Decimal]] = {}
    if op.MODEL == "lif":
        _require(op, values, {"r": "tau"})
        parameters["tau_m"] = parameters["C_m"] = _decimals(values["tau"], milliseconds)
        resistance = np.ones(op.size)
    else:
        synapses = ("tau_syn", "tau_syn") if op.MODEL == "cuba_lif" else ("tau_exc", "tau_inh")
        _require(
            op, values, {"w_in": "tau_syn"} if op.MODEL == "cuba_lif" else {"w_exc": "tau_exc", "w_inh": "tau_inh"}
        )
        if (values["r"] <= 0).any():
            raise SnnirError(place_of(op), f"r of @{op.sym_name.data} is not positive", "put the sign into the weights")
        parameters["tau_m"] = _decimals(values["tau_mem"], milliseconds)
        tau = np.array([float(each) for each in parameters["tau_m"]])
        capacity = _inverse(lambda c: tau / c, tau / values["r"], values["r"])
        resistance = tau / capacity
        parameters["C_m"] = _decimals(capacity)
        _note_rounding(op, "r", resistance, values["r"], notes)
        for name, ours in zip(("tau_syn_ex", "tau_syn_in"), synapses, strict=True):
            parameters[name] = _decimals(values[ours], milliseconds)
    current = _inverse(lambda i: i * resistance, values["v_leak"] / resistance, values["v_leak"])
    _note_rounding(op, "v_leak", current * resistance, values["v_leak"], notes)
    zero = [Decimal(0)] * op.size
    template = "nest:iaf_psc_delta" if op.MODEL == "lif" else "nest:iaf_psc_exp"
    rest = {"t_ref": [refractory.scaleb(3)] * op.size, "E_L": zero, "V_m": zero, "I_e": _decimals(current)}
    voltages = {"V_th": _decimals(values["threshold"]), "V_reset": _decimals(values["v_reset"])}
    return Written(template, {**parameters, **rest, **voltages})


def _inverse(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    near: NDArray[np.float64],
    wanted: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Arguments near `near` for which a function of each element is exactly `wanted`, where there are any."""
    best, candidate_up, candidate_down = near.copy(), near.copy(), near.copy()
    for _ in range(_NEIGHBOURS):
        candidate_up = np.array([nextafter(v, float("inf")) for v in candidate_up.tolist()])
        candidate_down = np.array([nextafter(v, float("-inf")) for v in candidate_down.tolist()])
        for candidate in (candidate_up, candidate_down):
            better = (function(best) != wanted) & (function(candidate) == wanted)
            best[better] = candidate[better]
    return best


def _note_rounding(
    op: NeuronOp, name: str, found: NDArray[np.float64], wanted: NDArray[np.float64], notes: Notes
) -> None:
    off = int((found != wanted).sum())
    if off:
        assert not any(isinf(v) for v in found.tolist())
        what = f"{name} of {off} neurons of @{op.sym_name.data} is rounded in its last binary digit"
        notes.add(place_of(op), f"{what}: NEST's parameters do not reach it exactly")
