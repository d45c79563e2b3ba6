"""The constants of the recursion against hand-computed values and against the differential equations; the presets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from snnir.semantics import (
    CHOICES,
    COUNTS,
    PARAMETERS,
    PRESETS,
    SPIKING,
    Coefficients,
    Semantics,
    Value,
    check_discretisation,
    discretise,
    parameter_error,
    preset,
    with_reset,
)

EXP = Semantics(decay="exp")
EXACT = Semantics(decay="exact", pulse="dirac", order="mem_first")
LOIHI = PRESETS["loihi"].semantics
ENDS: dict[str, Value] = {"threshold": 1.0, "v_reset": 0.0}
LI: dict[str, Value] = {"tau": 0.004, "r": 4.0, "v_leak": 0.5}
LIF: dict[str, Value] = {**LI, **ENDS}
CUBA_LI: dict[str, Value] = {"tau_syn": 0.002, "tau_mem": 0.004, "r": 4.0, "v_leak": 0.5, "w_in": 2.0}
CUBA: dict[str, Value] = {**CUBA_LI, **ENDS}
TWO: dict[str, Value] = {"tau_exc": 0.002, "tau_inh": 0.008, "w_exc": 2.0, "w_inh": -3.0}
DUAL: dict[str, Value] = {**TWO, "tau_mem": 0.004, "r": 4.0, "v_leak": 0.5, **ENDS}
IF: dict[str, Value] = {"r": 2.0, "threshold": 1.0, "v_reset": -0.5}
MODELS: dict[str, dict[str, Value]] = {
    "if": IF,
    "lif": LIF,
    "cuba_lif": CUBA,
    "dual_lif": DUAL,
    "threshold": {"threshold": 0.5},
    "integrator": {"r": 2.0},
    "li": LI,
    "cuba_li": CUBA_LI,
}
taus = st.floats(1e-3, 0.1)


def constants(c: Coefficients) -> dict[str, Any]:
    """The constants by name."""
    return dict(vars(c))


def response(c: Coefficients, spikes: Sequence[float], *, order: str = "syn_first", synapse: bool) -> list[float]:
    """The membrane in each step, for a neuron that does not fire: the recursion as the module's text has it."""
    v = i = 0.0
    found: list[float] = []
    for spike in spikes:
        old, i = i, float(c.syn_decay * i + c.syn_gain * spike)
        seen = spike if not synapse else old if order == "mem_first" else i
        v = float(c.decay * v + c.gain * seen + c.drift)
        found.append(v)
    return found


def test_integrate_and_fire_does_not_depend_on_the_step() -> None:
    assert discretise("if", IF, 0.1, EXP) == discretise("if", IF, 1e-3, Semantics())
    assert discretise("if", IF, 0.1, EXP) == Coefficients(1.0, 2.0, 0.0, 1.0, -0.5)
    assert discretise("integrator", {"r": 2.0}, 0.1, EXACT) == Coefficients(1.0, 2.0, 0.0, math.inf, 0.0)


def test_threshold_has_no_state() -> None:
    assert discretise("threshold", {"threshold": 0.5}, 0.1, EXP) == Coefficients(0.0, 1.0, 0.0, 0.5, 0.0)


def test_euler() -> None:
    assert discretise("lif", LIF, 0.001, Semantics()) == Coefficients(0.75, 1.0, 0.125, 1.0, 0.0)
    assert discretise("cuba_lif", CUBA, 0.001, Semantics()) == Coefficients(0.75, 1.0, 0.125, 1.0, 0.0, 0.5, 1.0)
    dual = Coefficients(0.75, 1.0, 0.125, 1.0, 0.0, 0.5, 1.0, 0.875, -0.375, 1.0)
    assert discretise("dual_lif", DUAL, 0.001, Semantics()) == dual


def test_exponential() -> None:
    found = constants(discretise("dual_lif", DUAL, 0.001, EXP))
    keep, exc, inh = math.exp(-0.25), math.exp(-0.5), math.exp(-0.125)
    expected = {"decay": keep, "gain": 4 * (1 - keep), "drift": 0.5 * (1 - keep), "threshold": 1.0, "v_reset": 0.0}
    expected |= {"syn_decay": exc, "syn_gain": 2 * (1 - exc), "inh_decay": inh, "inh_gain": -3 * (1 - inh)}
    expected["inh_share"] = expected["gain"]
    assert found == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("decay", ["euler", "exp", "exact"])
@pytest.mark.parametrize(("pulse", "share"), [("euler", 0.25), ("dirac", 250.0), ("box", None)])
def test_pulses(decay: Any, pulse: Any, share: float | None) -> None:
    """What a spike of weight 1 adds to a leaky membrane of r = 1; the leak is always a current that lasts."""
    found = discretise("li", {**LI, "r": 1.0}, 0.001, Semantics(decay=decay, pulse=pulse))
    keep = 0.75 if decay == "euler" else math.exp(-0.25)
    assert found.decay == pytest.approx(keep, rel=1e-15)
    assert found.gain == pytest.approx(1 - keep if share is None else share, rel=1e-15)
    assert found.drift == pytest.approx(0.5 * (1 - keep), rel=1e-15)


@pytest.mark.parametrize("decay", ["euler", "exp", "exact"])
@pytest.mark.parametrize("pulse", ["euler", "dirac", "box"])
def test_models_are_made_of_the_same_parts(decay: Any, pulse: Any) -> None:
    """Leaky integrators are their spiking models without an end; a double synapse is two synapses on one membrane."""
    semantics = Semantics(decay=decay, pulse=pulse)
    endless = {"threshold": math.inf, "v_reset": 0.0}
    for spiking, plain in (("lif", "li"), ("cuba_lif", "cuba_li"), ("if", "integrator")):
        left, right = (constants(discretise(m, MODELS[m], 0.001, semantics)) for m in (spiking, plain))
        assert {**left, **endless} == right
    dual = constants(discretise("dual_lif", DUAL, 0.001, semantics))
    for side, syn, gain in (("exc", "syn", "gain"), ("inh", "inh", "inh_share")):
        one = {**CUBA, "tau_syn": DUAL[f"tau_{side}"], "w_in": DUAL[f"w_{side}"]}
        cuba = constants(discretise("cuba_lif", one, 0.001, semantics))
        names = {"decay": "decay", "drift": "drift", gain: "gain", f"{syn}_decay": "syn_decay"}
        names[f"{syn}_gain"] = "syn_gain"
        assert {name: dual[name] for name in names} == {name: cuba[other] for name, other in names.items()}


def test_one_value_per_neuron() -> None:
    found = discretise("lif", {**LIF, "tau": np.array([0.004, 0.002])}, 0.001, Semantics())
    np.testing.assert_array_equal(found.decay, [0.75, 0.5])
    np.testing.assert_array_equal(found.gain, [1.0, 2.0])
    syn = np.array([0.002, 0.004])
    both: dict[str, Value] = {**CUBA, "tau_syn": syn, "tau_mem": np.array([0.004, 0.004])}
    for semantics in (Semantics(), EXP, EXACT):
        found = constants(discretise("cuba_lif", both, 0.001, semantics))
        for n in range(2):
            alone: dict[str, Value] = {**CUBA, "tau_syn": float(syn[n]), "tau_mem": 0.004}
            expected = constants(discretise("cuba_lif", alone, 0.001, semantics))
            here = {name: float(np.broadcast_to(value, 2)[n]) for name, value in found.items()}
            assert here == pytest.approx(expected, rel=1e-15)


@given(taus, st.floats(-2, 2), st.floats(0.1, 5), st.lists(st.floats(-3, 3), min_size=1, max_size=5))
def test_exponential_solves_the_membrane_equation(tau: float, leak: float, r: float, inputs: list[float]) -> None:
    dt, pieces = 1e-3, 400
    c = discretise("lif", {**LIF, "tau": tau, "v_leak": leak, "r": r}, dt, EXP)
    v = exact = 0.0
    for current in inputs:
        v = float(c.decay * v + c.gain * current + c.drift)
        for _ in range(pieces):  # the midpoint rule: its error falls with the square of the step
            middle = exact + 0.5 * dt / pieces / tau * (leak - exact + r * current)
            exact += dt / pieces / tau * (leak - middle + r * current)
    assert v == pytest.approx(exact, rel=1e-4, abs=1e-5)


near = st.one_of(taus, st.sampled_from([1.0, 1 + 1e-15, 1 + 1e-12, 1 - 1e-9, 1 + 1e-7, 1 + 1e-4, 0.99]))


@settings(deadline=None)
@given(taus, near, st.floats(1e-5, 1e-3), st.floats(-5, 5), st.floats(0.1, 5), st.floats(-2, 2))
def test_exact_is_the_matrix_exponential(
    tau_mem: float, ratio: float, dt: float, w_in: float, r: float, leak: float
) -> None:
    """`tau_syn di/dt = -i`, `tau_mem dv/dt = (v_leak - v) + r i` over one step, also for (nearly) equal constants."""
    tau_syn = ratio if ratio < 0.5 else tau_mem * ratio
    rates = np.array([[-1 / tau_mem, r / tau_mem, leak / tau_mem], [0, -1 / tau_syn, 0], [0, 0, 0]])
    step = cast("np.ndarray[Any, np.dtype[np.float64]]", expm(rates * dt))
    parameters = {**CUBA, "tau_syn": tau_syn, "tau_mem": tau_mem, "w_in": w_in, "r": r, "v_leak": leak}
    found = discretise("cuba_lif", parameters, dt, EXACT)
    actual = [float(value) for value in (found.decay, found.gain, found.drift, found.syn_decay)]
    np.testing.assert_allclose(actual, [*step[0], step[1, 1]], rtol=1e-11)
    assert found.syn_gain == pytest.approx(w_in / tau_syn, rel=1e-15)


def synaptic_potential(time: float, parameters: dict[str, Value]) -> float:
    """The membrane `time` seconds after a charge of 1 arrived; the solution in closed form."""
    syn, mem = float(parameters["tau_syn"]), float(parameters["tau_mem"])
    scale = float(parameters["r"] * parameters["w_in"])
    return scale * (math.exp(-time / mem) - math.exp(-time / syn)) / (mem - syn)


@pytest.mark.parametrize("dt", [1e-3, 5e-4, 1e-4])
def test_exact_steps_lie_on_the_solution_whatever_the_step(dt: float) -> None:
    parameters = {**CUBA, "v_leak": 0.0}
    found = response(discretise("cuba_lif", parameters, dt, EXACT), [1.0, *[0.0] * 40], order="mem_first", synapse=True)
    assert found == pytest.approx([synaptic_potential(n * dt, parameters) for n in range(41)], rel=1e-12)


@pytest.mark.parametrize("model", ["lif", "cuba_lif"])
@pytest.mark.parametrize("decay", ["euler", "exp"])
def test_charges_converge_and_currents_of_one_step_vanish(model: str, decay: Any) -> None:
    """The membrane 3 ms after one spike, for ever shorter steps."""
    parameters, time = {**MODELS[model], "v_leak": 0.0}, 0.003
    limit = 4 / 0.004 * math.exp(-0.75) if model == "lif" else synaptic_potential(time, parameters)
    found: dict[str, list[float]] = {"dirac": [], "box": []}
    for pulse, values in found.items():
        for dt in (1e-3, 1e-4, 1e-5, 1e-6):
            c = discretise(model, parameters, dt, Semantics(decay=decay, pulse=cast(Any, pulse)))
            steps = round(time / dt)
            values.append(response(c, [1.0, *[0.0] * steps], synapse=model == "cuba_lif")[-1])
    assert found["dirac"][-1] == pytest.approx(limit, rel=1e-3)
    errors = [max(abs(value - limit), 1e-9 * limit) for value in found["dirac"]]  # with `exp`, one charge is exact
    assert all(later <= max(0.2 * error, errors[-1]) for error, later in pairwise(errors[1:]))
    assert found["box"][-1] == pytest.approx(limit * 1e-6, rel=0.01)
    assert all(later < 0.2 * value for value, later in pairwise(found["box"]))


@given(taus, taus, st.floats(0.1, 5))
def test_euler_is_exponential_in_the_limit_of_small_steps(tau_syn: float, tau_mem: float, w_in: float) -> None:
    parameters = {**CUBA, "tau_syn": tau_syn, "tau_mem": tau_mem, "w_in": w_in}
    dt = 1e-8
    euler, exact = (discretise("cuba_lif", parameters, dt, s) for s in (Semantics(), EXP))
    assert euler.decay == pytest.approx(exact.decay, rel=1e-9)
    assert euler.syn_gain == pytest.approx(exact.syn_gain, rel=1e-4)


LOIHI_CUBA: dict[str, Value] = {**CUBA, "tau_syn": 0.004, "tau_mem": 0.032, "r": 32.0, "w_in": 256.0, "v_leak": 64.0}


def test_integer_constants() -> None:
    """Decays of 1024 and 128 in 4096, weights times 64: the networks of Loihi's recordings."""
    found = discretise("cuba_lif", {**LOIHI_CUBA, "threshold": 5120.0}, 0.001, LOIHI)
    assert found == Coefficients(4096 - 128, 1, 2, 5120, 0, 4096 - 1024, 64)
    assert discretise("if", {**IF, "v_reset": 0.0}, 0.001, LOIHI).decay == 4096
    assert discretise("lif", {**LIF, "threshold": 0.5, "v_leak": 4.0}, 0.001, LOIHI).threshold == 0.5
    found = discretise("lif", {**LIF, "tau": np.array([0.004, 0.001]), "v_leak": 4.0, "r": 4}, 0.001, LOIHI)
    np.testing.assert_array_equal(found.decay, [3072, 0])
    np.testing.assert_array_equal(found.gain, [1, 4])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tau_syn": 0.003}, "syn_decay is 2730.67 in units of 2**-12"),
        ({"tau_mem": np.array([0.032, 0.03])}, "decay is 3959.47 in units of 2**-12"),
        ({"w_in": 255.0}, "syn_gain is 63.75"),
        ({"r": 1.0}, "gain is 0.03125"),
        ({"v_leak": 1.0}, "drift is 0.03125"),
        ({"v_reset": -0.5}, "v_reset is -0.5"),
    ],
)
def test_integer_states_need_whole_constants(change: dict[str, Value], said: str) -> None:
    message = f"integer states need whole constants, but {said}"
    with pytest.raises(ValueError, match=f"^{message.replace('**', '..')}$"):
        discretise("cuba_lif", {**LOIHI_CUBA, **change}, 0.001, LOIHI)
    assert check_discretisation("cuba_lif", {**LOIHI_CUBA, **change}, 0.001, LOIHI) == message
    assert check_discretisation("cuba_lif", LOIHI_CUBA, 0.001, LOIHI) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"r": math.nan}, "r is not finite"),
        ({"v_leak": np.array([0.0, math.inf])}, "v_leak is not finite"),
        ({"tau": -0.1}, "tau = -0.1 s, but a time constant must be positive"),
        ({"tau": np.array([0.1, 0.0])}, "tau = 0 s, but a time constant must be positive"),
        ({"tau": 0.0005}, "tau = 0.0005 s is shorter than the step dt = 0.001 s"),
        ({"v_reset": 1.0}, "threshold must lie above v_reset"),
        ({"threshold": np.array([1.0, -1.0])}, "threshold must lie above v_reset"),
    ],
)
def test_parameters_that_make_no_sense(change: dict[str, Value], message: str) -> None:
    assert message in (parameter_error("lif", {**LIF, **change}, 0.001) or "")
    assert message in (check_discretisation("lif", {**LIF, **change}, 0.001, EXP) or "")


@pytest.mark.parametrize("name", ["tau_exc", "tau_inh", "tau_mem"])
def test_every_time_constant_is_checked(name: str) -> None:
    assert parameter_error("dual_lif", {**DUAL, name: 1e-4}, 0.001) == (
        f"{name} = 0.0001 s is shorter than the step dt = 0.001 s, so the state would oscillate"
    )


@pytest.mark.parametrize("model", PARAMETERS)
def test_parameters_that_make_sense(model: str) -> None:
    assert tuple(MODELS[model]) != ()
    assert set(MODELS[model]) == set(PARAMETERS[model])
    assert parameter_error(model, MODELS[model], 0.001) is None
    assert check_discretisation(model, MODELS[model], 0.001, Semantics()) is None
    if "tau" in MODELS[model]:
        assert parameter_error(model, {**MODELS[model], "tau": 0.001}, 0.001) is None


def test_several_spikes_need_a_positive_threshold() -> None:
    several = Semantics(reset="subtract", spikes=2)
    for semantics in (several, Semantics(floor="threshold")):
        said = check_discretisation("if", {**IF, "threshold": 0.0}, 0.001, semantics) or ""
        assert "need a positive threshold" in said
        assert check_discretisation("if", IF, 0.001, semantics) is None
    assert "positive" in (check_discretisation("threshold", {"threshold": 0.0}, 0.001, several) or "")
    assert check_discretisation("if", {**IF, "threshold": 0.0}, 0.001, Semantics()) is None


@pytest.mark.parametrize(
    ("change", "model", "said"),
    [
        ({"decay": "int12"}, "if", "decay = int12 and state = i32 go together"),
        ({"state": "i32"}, "if", "decay = int12 and state = i32 go together"),
        ({"spikes": 2}, "if", "several spikes in one step need reset = subtract"),
        ({"spikes": 2, "reset": "subtract_repeat"}, "lif", "several spikes in one step need reset = subtract"),
        (
            {"refractory": 1, "reset": "subtract_repeat"},
            "if",
            "refractory steps and reset = subtract_repeat",
        ),
        ({"out_delay": 1}, "li", "li emits no spikes"),
        ({"refractory": 1}, "cuba_li", "cuba_li emits no spikes"),
        ({"spikes": 2, "reset": "subtract"}, "integrator", "integrator emits no spikes"),
    ],
)
def test_contradictions(change: dict[str, Any], model: str, said: str) -> None:
    semantics = Semantics(**change)
    assert (semantics.problem(model) or "").startswith(said)
    assert (check_discretisation(model, MODELS[model], 0.001, semantics) or "").startswith(said)


@pytest.mark.parametrize(
    ("change", "model"),
    [
        ({}, "li"),
        ({"reset": "subtract", "spikes": 255, "refractory": 3}, "if"),
        ({"decay": "int12", "state": "i32"}, "lif"),
        ({"refractory": 3, "out_delay": 4}, "threshold"),
    ],
)
def test_no_contradictions(change: dict[str, Any], model: str) -> None:
    assert Semantics(**change).problem(model) is None


all_fields = st.fixed_dictionaries(
    {name: st.sampled_from(values) for name, values in CHOICES.items()}
    | {name: st.integers(least, most) for name, (least, most) in COUNTS.items()}
)


@given(all_fields)
def test_differences_and_changes_are_inverse(values: dict[str, Any]) -> None:
    wanted = Semantics(**values)
    assert set(values) == set(vars(wanted))
    for each in PRESETS.values():
        assert each.semantics.changed(wanted.differences(each.semantics)) == wanted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rest": "x"}, "no semantics field 'rest'; there are decay, pulse, order, compare, reset, floor, bias"),
        ({"decay": "x"}, "'x' is not a value of decay; use euler or exp or exact or int12"),
        ({"spikes": "0"}, "'0' is not a value of spikes; use a whole number from 1 to 255"),
        ({"spikes": "256"}, "'256' is not a value of spikes"),
        ({"refractory": "-1"}, "'-1' is not a value of refractory; use a whole number from 0 to 2147483648"),
        ({"refractory": "1.5"}, "'1.5' is not a value of refractory"),
        ({"out_delay": "٣"}, "'٣' is not a value of out_delay"),
        ({"out_delay": ""}, "'' is not a value of out_delay"),
    ],
)
def test_unknown_semantics(change: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Semantics().changed(change)


SINABS = {"decay": "exp", "pulse": "euler", "compare": "ge", "reset": "subtract", "spikes": "255"}
MEASURED: dict[str, dict[str, str]] = {
    "nir": {},
    "norse": {},
    "snntorch": {},
    "spyx": {"reset": "subtract", "out_delay": "1"},
    "sinabs": {**SINABS, "floor": "threshold"},
    "speck": {**SINABS, "floor": "threshold", "weights": "nearest8"},
    "rockpool": SINABS,
    "loihi": {"decay": "int12", "pulse": "euler", "out_delay": "1", "state": "i32"},
    "spinnaker2": {"bias": "membrane", "weights": "trunc8"},
    "nest": {"decay": "exact", "pulse": "dirac", "order": "mem_first", "compare": "ge"},
}
"""What was found on the recordings of the platforms, as differences from NIR's own equations."""


def test_presets_are_what_was_measured() -> None:
    assert {name: each.semantics.differences(Semantics()) for name, each in PRESETS.items()} == MEASURED
    assert {name for name, each in PRESETS.items() if each.connection_delay} == {"spinnaker2", "nest"}
    assert {name for name, each in PRESETS.items() if each.late_bias} == {"norse"}
    assert {name for name, each in PRESETS.items() if each.subtract == "subtract_repeat"} == {"snntorch"}
    assert all(each.why for each in PRESETS.values())


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("model", PARAMETERS)
def test_presets_suit_every_model(name: str, model: str) -> None:
    """Nothing contradictory, and nothing but what has no meaning for a model is left out."""
    semantics = preset(name, model)
    assert semantics.problem(model) is None
    left_out = set(PRESETS[name].semantics.differences(semantics))
    if model in SPIKING and model != "threshold":
        assert left_out <= {"floor"}
        assert ("floor" in left_out) == (name in ("sinabs", "speck") and model != "if")
    else:
        assert left_out <= {"out_delay", "spikes", "floor"}
        assert semantics.spikes == 1
        assert semantics.out_delay == (PRESETS[name].semantics.out_delay if model in SPIKING else 0)


def test_unknown_preset() -> None:
    with pytest.raises(KeyError):
        preset("brian", "if")


def test_resets() -> None:
    """The word that users give means what the platform does."""
    for name in PRESETS:
        own = preset(name, "if")
        subtract, value = with_reset(name, own, "subtract"), with_reset(name, own, "value")
        assert subtract.reset == ("subtract_repeat" if name == "snntorch" else "subtract")
        assert value.reset == "value"
        assert value.spikes == 1
        assert subtract.problem("if") is None
        assert value.problem("if") is None
        assert set(own.differences(subtract)) <= {"reset"}
        assert set(own.differences(value)) <= {"reset", "spikes"}
    assert with_reset("nir", Semantics(), "subtract_repeat").reset == "subtract_repeat"
    with pytest.raises(
        ValueError, match="'zero' is not a value of reset; use value or subtract or subtract_repeat or subtract_late"
    ):
        with_reset("nir", Semantics(), "zero")
