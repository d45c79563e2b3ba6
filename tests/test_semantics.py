"""The constants of the recursion against hand-computed values and against the differential equations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnir.semantics import CHOICES, PARAMETERS, PRESETS, Coefficients, Semantics, Value, discretise, parameter_error

EXP = Semantics(decay="exp")
LIF: dict[str, Value] = {"tau": 0.004, "r": 4.0, "v_leak": 0.5, "threshold": 1.0, "v_reset": 0.0}
CUBA: dict[str, Value] = {**LIF, "tau_syn": 0.002, "tau_mem": 0.004, "w_in": 2.0}
IF: dict[str, Value] = {"r": 2.0, "threshold": 1.0, "v_reset": -0.5}


def test_integrate_and_fire_does_not_depend_on_the_step() -> None:
    assert discretise("if", IF, 0.1, EXP) == discretise("if", IF, 1e-3, Semantics())
    assert discretise("if", IF, 0.1, EXP) == Coefficients(1.0, 2.0, 0.0, 1.0, -0.5)


def test_euler() -> None:
    assert discretise("lif", LIF, 0.001, Semantics()) == Coefficients(0.75, 1.0, 0.125, 1.0, 0.0)
    assert discretise("cuba_lif", CUBA, 0.001, Semantics()) == Coefficients(0.75, 1.0, 0.125, 1.0, 0.0, 0.5, 1.0)


def test_exponential() -> None:
    found = discretise("cuba_lif", CUBA, 0.001, EXP)
    keep, syn_keep = math.exp(-0.25), math.exp(-0.5)
    expected = (keep, 4 * (1 - keep), 0.5 * (1 - keep), 1.0, 0.0, syn_keep, 2 * (1 - syn_keep))
    actual: Any = (
        found.decay,
        found.gain,
        found.drift,
        found.threshold,
        found.v_reset,
        found.syn_decay,
        found.syn_gain,
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-15)


def test_one_value_per_neuron() -> None:
    found = discretise("lif", {**LIF, "tau": np.array([0.004, 0.002])}, 0.001, Semantics())
    np.testing.assert_array_equal(found.decay, [0.75, 0.5])
    np.testing.assert_array_equal(found.gain, [1.0, 2.0])


@given(st.floats(1e-3, 0.1), st.floats(-2, 2), st.floats(0.1, 5), st.lists(st.floats(-3, 3), min_size=1, max_size=5))
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


@given(st.floats(1e-3, 0.1), st.floats(1e-3, 0.1), st.floats(0.1, 5))
def test_euler_is_exponential_in_the_limit_of_small_steps(tau_syn: float, tau_mem: float, w_in: float) -> None:
    parameters = {**CUBA, "tau_syn": tau_syn, "tau_mem": tau_mem, "w_in": w_in}
    dt = 1e-8
    euler, exact = (discretise("cuba_lif", parameters, dt, s) for s in (Semantics(), EXP))
    assert euler.decay == pytest.approx(exact.decay, rel=1e-9)
    assert euler.syn_gain == pytest.approx(exact.syn_gain, rel=1e-4)


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


def test_parameters_that_make_sense() -> None:
    assert parameter_error("if", IF, 0.001) is None
    assert parameter_error("lif", {**LIF, "tau": 0.001}, 0.001) is None
    assert parameter_error("cuba_lif", CUBA, 0.001) is None


@given(st.fixed_dictionaries({name: st.sampled_from(values) for name, values in CHOICES.items()}))
def test_differences_and_changes_are_inverse(values: dict[str, str]) -> None:
    wanted = Semantics(**values)  # pyright: ignore[reportArgumentType]
    for preset in PRESETS.values():
        assert preset.changed(wanted.differences(preset)) == wanted


@pytest.mark.parametrize(
    ("change", "message"), [({"rest": "x"}, "no semantics field 'rest'"), ({"decay": "x"}, "'x' is not a value of")]
)
def test_unknown_semantics(change: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Semantics().changed(change)


def test_every_model_has_parameters_for_its_constants() -> None:
    assert {model: len(names) for model, names in PARAMETERS.items()} == {"if": 3, "lif": 5, "cuba_lif": 7}
