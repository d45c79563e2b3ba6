"""docs/semantics.md against the code: fields, presets, constants, what machines can do, and its numbers."""

from __future__ import annotations

import math
import re
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from docs_pages import ROOT

from snnir.dialects.machine_neurons import COEFFICIENTS, unsupported
from snnir.semantics import (
    CHOICES,
    COUNTS,
    PARAMETERS,
    PRESETS,
    SPIKING,
    Semantics,
    Value,
    check_discretisation,
    discretise,
)

PAGE = (ROOT / "docs" / "semantics.md").read_text()
DT = 1e-3
MODEL: dict[str, Value] = {"tau": 0.01, "r": 1.0, "v_leak": 0.0, "threshold": math.inf, "v_reset": 0.0}


def section(heading: str) -> str:
    """The text below a heading."""
    return re.split(r"^##+ ", PAGE.partition(f"# {heading}\n")[2], flags=re.MULTILINE)[0]


def rows(heading: str) -> list[list[str]]:
    """The cells of a section's table, without the head."""
    lines = [line for line in section(heading).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def code(cell: str) -> list[str]:
    """What a cell has in code type."""
    return re.findall(r"`([^`]*)`", cell)


def test_fields() -> None:
    found = {code(name)[0]: values for name, values, _ in rows("The fields")}
    assert list(found) == [f.name for f in fields(Semantics)]
    assert {name: tuple(code(values)) for name, values in found.items() if name in CHOICES} == CHOICES
    for name, (least, most) in COUNTS.items():
        assert found[name] == f"{least} to {most}"
    for f in fields(Semantics):
        assert str(f.default) == (code(found[f.name]) or found[f.name].split())[0], "the first value is that of nir"


def test_presets() -> None:
    found = {code(row[0])[0]: row[1:] for row in rows("The presets")}
    assert list(found) == list(PRESETS)
    for name, (differences, delay, subtract) in found.items():
        each = PRESETS[name]
        text = ", ".join(f"{field} = {value}" for field, value in each.semantics.differences(Semantics()).items())
        assert "".join(code(differences)) == text
        assert int(delay) == each.connection_delay
        assert code(subtract) == [each.subtract]
    assert {name for name in PRESETS if PRESETS[name].late_bias} == set(code(late_bias_sentence()))


def late_bias_sentence() -> str:
    """The sentence about connections whose bias is late."""
    (found,) = re.findall(r"With [^.]*the delay follows the weights", PAGE)
    return found


def test_evidence_names_every_preset() -> None:
    named = {name for row in rows("What the presets rest on") for name in code(row[0])}
    assert named == set(PRESETS)


def evaluate(text: str, parameters: dict[str, Value], semantics: Semantics) -> float:
    """A formula of the page for one neuron."""

    def f(tau: float) -> float:
        return 1 - DT / tau if semantics.decay == "euler" else math.exp(-DT / tau)

    def g(tau: float) -> float:
        return {"box": 1 - f(tau), "euler": DT / tau, "dirac": 1 / tau}[semantics.pulse]

    return float(eval(text, {}, {**parameters, "f": f, "g": g}))


@pytest.mark.parametrize("decay", ["euler", "exp"])
@pytest.mark.parametrize("pulse", ["box", "euler", "dirac"])
def test_constants(decay: Any, pulse: Any) -> None:
    rng, semantics, seen = np.random.default_rng(0), Semantics(decay=decay, pulse=pulse), set[str]()
    for models, *formulas in rows("One step"):
        for model in code(models):
            seen.add(model)
            parameters: dict[str, Value] = {name: float(rng.uniform(0.01, 0.1)) for name in PARAMETERS[model]}
            found = discretise(model, parameters, DT, semantics)
            for name, cell in zip(("syn_decay", "syn_gain", "decay", "gain", "drift"), formulas, strict=True):
                if model == "dual_lif" and name.startswith("syn"):
                    continue  # the row refers to the one above
                formula = (code(cell) or [cell or "0"])[0]
                assert evaluate(formula, parameters, semantics) == pytest.approx(getattr(found, name)), (model, name)
    assert seen == set(PARAMETERS)


def test_exact_coupling() -> None:
    text = next(text for text in code(section("The fields")) if text.startswith("r * syn"))
    parameters: dict[str, Value] = {**MODEL, "tau_syn": 0.002, "tau_mem": 0.01, "r": 3.0, "w_in": 1.0}
    found = discretise("cuba_lif", parameters, DT, Semantics(decay="exact")).gain
    expected = eval(text, {}, {"r": 3.0, "syn": 0.002, "mem": 0.01, "dt": DT, "exp": math.exp})
    assert found == pytest.approx(expected, rel=1e-12)


def test_what_does_not_go_together() -> None:
    parameters: dict[str, Value] = {"r": 1.0, "threshold": 1.0, "v_reset": 0.0}
    refused: list[dict[str, Any]] = [
        {"decay": "int12"},
        {"state": "i32"},
        {"spikes": 2},
        {"refractory": 1, "reset": "subtract_repeat"},
    ]
    for change in refused:
        assert check_discretisation("if", parameters, DT, Semantics(**change)) is not None
    for model in set(PARAMETERS) - SPIKING:
        meaningless: list[dict[str, Any]] = [{"spikes": 2, "reset": "subtract"}, {"refractory": 1}, {"out_delay": 1}]
        for change in meaningless:
            assert Semantics(**change).problem(model) is not None


def test_boxes_and_charges() -> None:
    found = rows("What a spike is: box or charge")
    assert len(found) == 3
    for step, *cells in found:
        dt = float(code(step)[0].split()[0]) / 1000
        expected: list[str] = []
        for pulse in ("box", "dirac"):
            c = discretise("lif", MODEL, dt, Semantics(decay="exp", pulse=pulse))
            first, later = float(c.gain), float(c.gain) * float(c.decay) ** round(0.01 / dt)
            expected += [f"{first:.4g}", f"{later:.4g}"]
        assert cells == expected


def test_machines() -> None:
    """Every value that the page does not allow is refused, and no other."""
    text = section("On machines").split("```")[0]
    models = re.search(r"all models\s+but ([^.]*)\.", text)
    assert models is not None
    assert set(code(models[1])) == set(COEFFICIENTS)
    free = {("reset", "value"), ("reset", "subtract"), ("bias", "synapse"), ("weights", "exact"), ("state", "f64")}
    free |= {
        (name, v) for name in ("decay", "pulse", "order", "compare", "start") for v in CHOICES[name] if v != "int12"
    }
    free.add(("floor", "none"))
    for name, values in CHOICES.items():
        for value in values:
            wrong = unsupported("cuba_lif", Semantics().changed({name: value}))
            assert wrong == ([] if (name, value) in free else [f"{name} = {value}"])
    for name, (least, most) in COUNTS.items():
        assert unsupported("cuba_lif", Semantics().changed({name: str(least)})) == []
        assert unsupported("cuba_lif", Semantics().changed({name: str(most)})) == [f"{name} = {most}"]
    assert unsupported("lif", Semantics(bias="membrane")) == []
