"""What SONATA's point neurons compute, in our models. Voltages stay in mV, currents in pA; times become seconds.

`nrn:IntFire1` (NEURON, intfire1.mod): `m` decays with `tau`, a spike adds its weight at once, `m > 1` fires, then
`m = 0` for `refrac` in which input is ignored. bmtk reads both times in seconds.

    lif: tau, r = tau (pulse `dirac` has gain r/tau = 1), v_leak = 0, threshold = 1, v_reset = 0; exp, compare gt

`nest:iaf_psc_delta`, `nest:iaf_psc_exp` (NEST 3.10; exact integration, Rotter and Diesmann, Biol. Cybern. 81, 1999),
in ms, mV, pA, pF, with V counted from E_L so that rest is 0, and R = tau_m/C_m in mV/pA (ms/pF = 1e9 ohm):

    tau_m dV/dt = -V + R*(I_syn + I_e)       threshold = V_th - E_L,  v_reset = V_reset - E_L,  v_leak = R*I_e
    psc_delta   lif, r = tau_m: a spike moves V by its weight in mV (there is no I_syn)
    psc_exp     r = R; a spike moves I_syn by its weight in pA, dI_syn/dt = -I_syn/tau_syn, so w_in = tau_syn
                (pulse `dirac` has gain w_in/tau_syn = 1): cuba_lif where tau_syn_ex = tau_syn_in in all neurons of a
                population, else dual_lif, whose second synapse takes the connections of negative weight

The discrete step is preset `nest`: decay `exact`, membrane before synapse, a spike when V >= threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.hdf5 import Place
from snnir.frontend.names import suggestion
from snnir.frontend.notes import Notes
from snnir.frontend.sonata.components import NEURONS, Components, Simulator, parameters_of
from snnir.frontend.sonata.config import shown
from snnir.frontend.sonata.tables import DYNAMICS, Block
from snnir.frontend.sonata.times import milliseconds, seconds
from snnir.semantics import Semantics, preset

Number = Decimal | NDArray[np.float64]
"""A parameter: one number for a block, or one per node."""

VIRTUAL = "virtual"
_POINT = ("point_neuron", "point_process")
_REST = Decimal(-70)
_NEST_COMMON: dict[str, Decimal] = {
    "tau_m": Decimal(10),
    "C_m": Decimal(250),
    "t_ref": Decimal(2),
    "E_L": _REST,
    "I_e": Decimal(0),
    "V_th": Decimal(-55),
    "V_reset": _REST,
    "V_m": _REST,
}
DEFAULTS: dict[str, dict[str, Decimal]] = {
    "nrn:IntFire1": {"tau": Decimal("0.01"), "refrac": Decimal("0.005")},
    "nest:iaf_psc_delta": _NEST_COMMON,
    "nest:iaf_psc_exp": {**_NEST_COMMON, "tau_syn_ex": Decimal(2), "tau_syn_in": Decimal(2)},
}
"""Model template -> its parameters and their documented defaults (units as in the files)."""

_OFF: dict[str, dict[str, str]] = {
    "nest:iaf_psc_delta": {"refractory_input": "input is ignored in refractory steps", "V_min": "V has no lower bound"},
    "nest:iaf_psc_exp": {"delta": "the threshold is sharp"},
}
"""Parameters that must be off (false, 0, or minus infinity as NEST writes it), and what that means."""
_IGNORED = {"nest:iaf_psc_exp": {"rho"}}
_IN_MS = frozenset({"tau_m", "t_ref", "tau_syn_ex", "tau_syn_in"})
_NO_BOUND = Decimal("-1e300")


@dataclass(frozen=True)
class Neurons:
    """Neurons of one template, all parameters as arrays with one float64 per neuron."""

    template: str
    values: Mapping[str, NDArray[np.float64]]
    """What `DEFAULTS` lists, as in the file but times in seconds."""
    places: Mapping[str, Place]

    @property
    def simulator(self) -> Simulator:
        """The simulator that defines the template."""
        return "nrn" if self.template.startswith("nrn") else "nest"

    @property
    def refractory(self) -> NDArray[np.float64]:
        """Refractory period in ms."""
        return _ms(self.values[self.refractory_name])

    @property
    def refractory_name(self) -> str:
        """The parameter that is the refractory period."""
        return "refrac" if self.template == "nrn:IntFire1" else "t_ref"

    def picked(self, entries: NDArray[np.int64]) -> Neurons:
        """Some of the neurons."""
        return replace(self, values={name: value[entries] for name, value in self.values.items()})


def join(blocks: list[tuple[NDArray[np.int64], Neurons]]) -> Neurons:
    """Neurons of one template from several blocks, in the order of their positions."""
    order = np.argsort(np.concatenate([entries for entries, _ in blocks]), kind="stable")
    first = blocks[0][1]
    values = {name: np.concatenate([n.values[name] for _, n in blocks])[order] for name in first.values}
    return Neurons(first.template, values, first.places)


def read_neurons(block: Block, components: Components, notes: Notes) -> list[tuple[NDArray[np.int64], Neurons | None]]:
    """What the nodes of a block are, by template: positions in the block and the neurons; `None` for virtual nodes.

    Raises `SnnirError` for a template or a parameter that is not supported.
    """
    result: list[tuple[NDArray[np.int64], Neurons | None]] = []
    kinds, templates = _texts(block, "model_type"), _texts(block, "model_template")
    for kind, template in sorted(set(zip(kinds.tolist(), templates.tolist(), strict=True))):
        chosen = np.flatnonzero((kinds == kind) & (templates == template))
        if kind == VIRTUAL:
            result.append((chosen, None))
            continue
        check_template(kind, template, block.row.place)
        result.append((chosen, _neurons(template, block, chosen, components, notes)))
    return result


def check_template(kind: str, template: str, place: Place) -> None:
    """Raise unless these are point neurons of a template that is supported."""
    if kind not in _POINT:
        known = ", ".join((VIRTUAL, *_POINT))
        what = f"model_type '{kind}' is not supported" if kind else "no model_type"
        raise place.error(what, f"supported are {known} with {', '.join(DEFAULTS)}")
    if template not in DEFAULTS:
        what = f"model_template '{template}' is not supported" if template else "no model_template"
        raise place.error(what, f"supported are {', '.join(DEFAULTS)}")


def _texts(block: Block, name: str) -> NDArray[np.str_]:
    """A text of each node: the HDF5 group's, else the type's; empty where there is none."""
    stored = block.columns.get(name)
    if stored is not None:
        return stored.astype(str)
    return np.full(block.entries.size, block.row.get(name) or "")


def _neurons(template: str, block: Block, chosen: NDArray[np.int64], components: Components, notes: Notes) -> Neurons:
    place, size = block.row.place, chosen.size
    given: dict[str, Number] = {}
    places: dict[str, Place] = {}
    simulator: Simulator = "nrn" if template.startswith("nrn") else "nest"
    if DYNAMICS in block.columns:
        what = "a dynamics_params file for each single node is not supported"
        raise block.place.inside(DYNAMICS).error(what, "put the parameters into a group dynamics_params")
    file = block.row.get(DYNAMICS)
    if file is not None:
        for name, entry in parameters_of(components.find(file, NEURONS, simulator, place)).items():
            if not _is_off(template, name, entry.value, entry.place):
                given[name], places[name] = entry.number(), entry.place
    for name, column in block.dynamics.items():
        where = block.place.inside(DYNAMICS).inside(name)
        if column.dtype.kind not in "iuf":
            raise where.error(f"numbers are expected here, not {column.dtype}")
        if not _is_off(template, name, column[chosen], where):
            given[name], places[name] = column[chosen].astype(np.float64), where
    for name in given:
        if name not in DEFAULTS[template]:
            raise places[name].error(f"{template} has no parameter '{name}' here", suggestion(name, DEFAULTS[template]))
    _note_defaults(template, given, place, notes)
    values = {name: _array(name, given.get(name, value), size) for name, value in DEFAULTS[template].items()}
    if "V_m" in values and (values["V_m"] != values["E_L"]).any():
        first, rest = values["V_m"][0], values["E_L"][0]
        notes.add(
            place, f"NEST starts these neurons at V_m = {first:g} mV, a program starts at rest, E_L = {rest:g} mV"
        )
    return Neurons(template, values, {name: places.get(name, place) for name in values})


def _note_defaults(template: str, given: Mapping[str, Number], place: Place, notes: Notes) -> None:
    missing = [f"{name} = {value}" for name, value in DEFAULTS[template].items() if name not in given and name != "V_m"]
    if missing:
        notes.add(place, f"not given, the defaults of {template} are used: {', '.join(missing)}")


def _array(name: str, value: Number, size: int) -> NDArray[np.float64]:
    """One float64 per node; times become seconds, each the number nearest to the decimal that is printed for it."""
    if isinstance(value, Decimal):
        return np.full(size, seconds(value) if name in _IN_MS else float(value))
    return each(seconds, value) if name in _IN_MS else value


def each(function: Callable[[float], float], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A function of each distinct number."""
    distinct, where = np.unique(values, return_inverse=True)
    return np.array([function(value) for value in distinct.tolist()], np.float64)[where]


def _ms(times: NDArray[np.float64]) -> NDArray[np.float64]:
    return each(lambda time: float(milliseconds(time)), times)


def _is_off(template: str, name: str, value: Any, place: Place) -> bool:
    """Whether a parameter is one that has to be off, and is. Raises when it is on."""
    if name in _IGNORED.get(template, ()):
        return True
    meaning = _OFF.get(template, {}).get(name)
    if meaning is None:
        return False
    numbers = np.asarray(value, np.float64)
    off = (numbers <= float(_NO_BOUND)) if name == "V_min" else (numbers == 0)
    if not off.all():
        said = shown(value) if not isinstance(value, np.ndarray) else "some values"
        raise place.error(f"{name} = {said} of {template} is not supported", f"leave it out: {meaning}")
    return True


# From parameters in the file's units to a model with parameters of ours


@dataclass(frozen=True)
class Model:
    """A population in our terms: model, parameters, semantics without refractory steps, and whose place each has."""

    name: str
    parameters: Mapping[str, NDArray[np.float64]]
    semantics: Semantics
    places: Mapping[str, Place]


def model_of(neurons: Neurons, *, two_synapses: bool) -> Model:
    """The model of neurons of one template; `two_synapses`: of a population with different synapses (iaf_psc_exp)."""
    return _MODELS[neurons.template](neurons, two_synapses)


def needs_two_synapses(neurons: Neurons) -> bool:
    """Whether excitatory and inhibitory synapses have different time constants in some neuron."""
    return "tau_syn_ex" in neurons.values and bool((neurons.values["tau_syn_ex"] != neurons.values["tau_syn_in"]).any())


def _int_fire(neurons: Neurons, two_synapses: bool) -> Model:
    tau = neurons.values["tau"]
    parameters = {
        "tau": tau,
        "r": tau,
        "v_leak": np.zeros_like(tau),
        "threshold": np.ones_like(tau),
        "v_reset": np.zeros_like(tau),
    }
    semantics = Semantics(decay="exp", pulse="dirac")
    return Model("lif", parameters, semantics, _places(neurons, parameters, {"tau": "tau", "r": "tau"}))


_NEST_PLACES = {"r": "C_m", "v_leak": "I_e", "threshold": "V_th", "v_reset": "V_reset", "tau_mem": "tau_m"}


def _psc_delta(neurons: Neurons, two_synapses: bool) -> Model:
    values = neurons.values
    tau = values["tau_m"]
    parameters = {"tau": tau, "r": tau, **_nest_voltages(values)}
    places = _places(neurons, parameters, {**_NEST_PLACES, "tau": "tau_m", "r": "tau_m"})
    return Model("lif", parameters, preset("nest", "lif"), places)


def _psc_exp(neurons: Neurons, two_synapses: bool) -> Model:
    values = neurons.values
    exc, inh = values["tau_syn_ex"], values["tau_syn_in"]
    membrane = {"tau_mem": values["tau_m"], "r": _resistance(values), **_nest_voltages(values)}
    if two_synapses:
        parameters = {"tau_exc": exc, "tau_inh": inh, **membrane, "w_exc": exc, "w_inh": inh}
    else:
        parameters = {"tau_syn": exc, **membrane, "w_in": exc}
    names = {"tau_exc": "tau_syn_ex", "tau_inh": "tau_syn_in", "tau_syn": "tau_syn_ex", "w_in": "tau_syn_ex"}
    places = _places(neurons, parameters, {**_NEST_PLACES, **names, "w_exc": "tau_syn_ex", "w_inh": "tau_syn_in"})
    model = "dual_lif" if two_synapses else "cuba_lif"
    return Model(model, parameters, preset("nest", model), places)


_MODELS: dict[str, Callable[[Neurons, bool], Model]] = {
    "nrn:IntFire1": _int_fire,
    "nest:iaf_psc_delta": _psc_delta,
    "nest:iaf_psc_exp": _psc_exp,
}


def _resistance(values: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """R = tau_m/C_m in mV/pA, from ms and pF."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return _ms(values["tau_m"]) / values["C_m"]


def _nest_voltages(values: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """Voltages from rest, in mV. Without a current there is no `0 * R`."""
    current = values["I_e"]
    return {
        "v_leak": np.where(current == 0, 0.0, current * _resistance(values)),
        "threshold": values["V_th"] - values["E_L"],
        "v_reset": values["V_reset"] - values["E_L"],
    }


def _places(neurons: Neurons, parameters: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Place]:
    """For each of our parameters the place of the file's that decides it."""
    some = next(iter(neurons.places.values()))
    return {name: neurons.places.get(names.get(name, ""), some) for name in parameters}
