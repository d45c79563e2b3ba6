"""Numbers with units, arithmetic, constants and neuron templates of the `.snn` language."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.attributes import value_of
from snnir.dialects.snn import NetworkOp, NeuronOp, ScaleOp, WeightedOp, networks
from snnir.errors import SnnirError
from snnir.frontend.snn.scope import Scope
from snnir.frontend.snn.syntax import parse, tokens
from snnir.frontend.snn.tokens import UNITS
from snnir.frontend.snn.tree import Let, Template
from snnir.frontend.snn.values import PLAIN, RATE, TIME, VOLTAGE, Array, Constant, Quantity, evaluate, number
from snnir.frontend.source import Source

Read = Callable[..., ModuleOp]
ErrorOf = Callable[[Callable[[], object]], SnnirError]

LIF = "lif(tau = 5 ms, r = 1.0, v_leak = 0.0, threshold = 1.0, v_reset = 0.0)"


def value(text: str) -> Constant:
    """The value of an expression."""
    (let,) = parse(Source("a", f"let x = {text}")).header
    assert isinstance(let, Let)
    assert not isinstance(let.value, Template)
    return evaluate(let.value, Scope())


def network(module: ModuleOp) -> NetworkOp:
    """The only network of a module."""
    (found,) = networks(module)
    return found


def neurons(module: ModuleOp, name: str) -> NeuronOp:
    """A population."""
    op = network(module).sources[name]
    assert isinstance(op, NeuronOp)
    return op


@pytest.mark.parametrize(
    ("text", "expected", "dimension"),
    [
        ("5 ms", 5e-3, TIME),
        ("5ms", 5e-3, TIME),
        ("5\t ms", 5e-3, TIME),
        ("0.3 us", 3e-7, TIME),
        ("7 ns", 7e-9, TIME),
        ("-70 mV", -0.07, VOLTAGE),
        ("1.5e1 V", 15.0, VOLTAGE),
        ("+.5 kHz", 500.0, RATE),
        ("0.1 + 0.2", 0.3, PLAIN),
        ("1 - 2 - 3", -4.0, PLAIN),
        ("1 -2", -1.0, PLAIN),
        ("2 * 3 + 4 * 5", 26.0, PLAIN),
        ("2 * (3 + 4) * 5", 70.0, PLAIN),
        ("1 / 3", 1 / 3, PLAIN),
        ("12 / 2 / 3", 2.0, PLAIN),
        ("-(1 + 2)", -3.0, PLAIN),
        ("- -3", 3.0, PLAIN),
        ("2 * 5 ms", 0.01, TIME),
        ("1 / 50 Hz", 0.02, TIME),
        ("1 ms + 1 s", 1.001, TIME),
        ("10 ms / 4 ms", 2.5, PLAIN),
        ("3 / 2 s", 1.5, RATE),
        ("20 mV * 5 ms / 1 ms", 0.1, VOLTAGE),
        ("5 ms * 20 mV / 1 ms", 0.1, VOLTAGE),
        ("1e-999", 0.0, PLAIN),
        ("1e308 * 10 / 10", 1e308, PLAIN),
        (f"0.{'1' * 500}", 0.1111111111111111, PLAIN),
    ],
)
def test_numbers(text: str, expected: float, dimension: tuple[int, int]) -> None:
    """Exact until used: the nearest float64 of the true result."""
    found = value(text)
    assert isinstance(found, Quantity)
    assert found.dimension == dimension
    assert number(found, "x", dimension) == expected


@given(st.decimals(-(10**6), 10**6, allow_nan=False, places=6).map(lambda d: f"{d:f}"), st.sampled_from(sorted(UNITS)))
def test_a_unit_is_the_power_of_ten_in_the_text(digits: str, unit: str) -> None:
    """`5 ms` and `5e-3` are one number, whatever the digits."""
    power = {"m": "e-3", "u": "e-6", "n": "e-9", "k": "e3"}.get(unit[0] if len(unit) > 1 else "", "")
    found = value(f"{digits} {unit}")
    assert isinstance(found, Quantity)
    assert number(found, "x", found.dimension) == float(f"{digits}{power}")


@given(
    st.recursive(
        st.integers(-99, 99).map(str),
        lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
    )
)
def test_arithmetic_is_that_of_fractions(text: str) -> None:
    """Python computes the same with `Fraction`."""
    try:
        expected = eval(re.sub(r"(-?\d+)", r"Fraction(\1)", text), {"Fraction": Fraction})
    except ZeroDivisionError:
        with pytest.raises(SnnirError, match="division by zero"):
            value(text)
        return
    found = value(text)
    assert isinstance(found, Quantity)
    assert found.number == expected


def test_a_list_of_plain_numbers_is_one_token() -> None:
    """Which makes matrices in the text twenty times faster to read; the values are those of single tokens."""
    fast, slow = "let a = [1, -2.5,\n 3e-3,]", "let a = [1, -2.5, # comment\n 3e-3,]"
    assert [token.type for token in tokens(Source("a", fast))] == ["LET", "NAME", "EQUAL", "NUMBERS"]
    assert "NUMBERS" not in [token.type for token in tokens(Source("a", slow))]
    found = [value(text.removeprefix("let a = ")) for text in (fast, slow)]
    assert [each.array.tolist() for each in found if isinstance(each, Array)] == [[1.0, -2.5, 3e-3]] * 2


def test_long_fractions_are_rounded() -> None:
    """Repeated squaring stays fast, and is right to the last place that a float64 has."""
    lines = ["let a0 = 1.0000001"] + [f"let a{i + 1} = a{i} * a{i}" for i in range(25)]
    scope = Scope()
    for let in parse(Source("a", "\n".join(lines))).header:
        assert isinstance(let, Let)
        assert not isinstance(let.value, Template)
        scope.define(let.name, evaluate(let.value, scope))
    found = scope.values["a25"]
    assert isinstance(found, Quantity)
    expected = Decimal("1.0000001") ** (1 << 25)
    assert float(found.number) == pytest.approx(float(expected), rel=1e-10)


PROGRAM = f"""let tau = 5 ms
let n = 2
network net {{
  let step = 1 ms
  let w = [[1, 2], [3, 4]]
  let file = "w.safetensors"
  let key = "taus"
  dt = step
  steps = 25 ms
  weights = file
  input a[n x 1]
  population b[n + 1] : lif(tau = key, r = 2 * 0.5, v_leak = 0 mV, threshold = 15 mV, v_reset = -0.0) using nir
  population c[n] : {LIF} using nir
  a -> c : dense(weights = w, delay = 3 ms)
  b[0:n] -> c : one_to_one(weights = 5 mV)
  output y = c
}}
"""


def test_constants(read_snn: Read) -> None:
    """Of the program, of the file, in settings, shapes, slices, parameters, arguments."""
    op = network(read_snn(PROGRAM))
    assert (op.step_seconds, op.steps and op.steps.data) == (1e-3, 25)
    b = neurons(read_snn(PROGRAM), "b")
    assert b.size == 3
    assert [float(each) for each in b.parameters["tau"]] == [4e-3, 5e-3, 6e-3]  # pyright: ignore
    assert (b.parameters["threshold"], b.parameters["r"], b.parameters["v_leak"]) == (0.015, 1.0, 0.0)
    weighted = [each for each in op.body.block.ops if isinstance(each, WeightedOp)]
    assert [each.delay.data for each in weighted] == [3, 0]
    text = str(read_snn(PROGRAM))
    assert "[1.0, 2.0, 3.0, 4.0]" in text
    assert isinstance(weighted[1], ScaleOp)
    assert value_of(weighted[1].weights) == 0.005
    assert "[0:2]" in text


def test_a_time_in_steps_needs_no_exact_float(read_snn: Read) -> None:
    """0.3 ms / 0.1 ms is 3, though 0.3e-3 / 0.1e-3 is not; so it is with --dt."""
    text = PROGRAM.replace("let step = 1 ms", "let step = 0.1 ms").replace("3 ms", "0.3 ms")
    assert "delay 3 :" in str(read_snn(text))
    assert "delay 3 :" in str(read_snn(text.replace("  dt = step\n", ""), dt=0.0001))


TEMPLATES = f"""let cell = {LIF} using nir
let slow = cell(tau = 9 ms)
let other = slow(r = 2) using spyx
let plain = if(r = 1, threshold = 1, v_reset = 0)
network net {{
  dt = 1 ms
  population a[1] : cell
  population b[1] : slow()
  population c[1] : other(r = 3)
  population d[1] : other using nir
  population e[1] : plain using nir
}}
"""


def test_neuron_templates(read_snn: Read) -> None:
    """A model with parameters and semantics; each use may change some."""
    module = read_snn(TEMPLATES)
    found: dict[str, Any] = {}
    for name in "abcd":
        op = neurons(module, name)
        found[name] = (op.parameters["tau"], op.parameters["r"], op.semantics.data.out_delay)
    assert found == {"a": (5e-3, 1, 0), "b": (9e-3, 1, 0), "c": (9e-3, 3, 1), "d": (9e-3, 2, 0)}
    assert neurons(module, "e").MODEL == "if"


ERRORS = [
    # what is replaced in PROGRAM + TEMPLATES, by what, words of the message, of the hint, of the places below
    ("dt = step", "dt = w", "dt is a number, but this is a list", "", "'w' is given here"),
    ("dt = step", "dt = file", "dt is a number, but this is a text in quotes", "", "'file' is given here"),
    ("dt = step", "dt = stepp", "there is no constant 'stepp'", "did you mean 'step'?", ""),
    ("let step = 1 ms", "let step = one let one = 1 ms", "'one' is defined further below", "above its use", ""),
    ("let n = 2", "let n = n", "the constant 'n' is defined further below", "above its use", ""),
    ("let n = 2", "let n = 2.5", "a shape is made of whole numbers", "", "'n' is given here"),
    ("let n = 2", "let n = 2 let n = 3", "'n' is declared twice", "need different names", "'n' is declared here"),
    ("input a[", "input n[", "'n' is declared twice", "need different names", "'n' is declared here"),
    ("weights = w,", "weights = n * w,", "arithmetic with a list", "only numbers can be", "'w' is given here"),
    ("weights = w,", "weights = [w],", "weights are 1x2x2, but a -> c", "", ""),
    (
        "weights = w,",
        "weights = [[file, 1]],",
        "a list holds numbers, but this is a text in quotes",
        "",
        "'file' is given here",
    ),
    ("weights = w,", "weights = -w,", "- before a list", "only numbers have a sign", "'w' is given here"),
    ("weights = 5 mV", "weights = 5 ms", "weights is a voltage, but this is a time", "such as 10 mV", ""),
    ("tau = key", "tau = cell", "tau is a number, but there is no constant 'cell'", "", ""),
    ("a -> c", "n -> c", "'n' is a plain number, no input or population", "", "'n' is given here"),
    ("a -> c", "a -> w", "'w' is a list, no population", "", "'w' is given here"),
    ("lif(tau = key", "key(tau = key", "'key' is a text in quotes, no neuron model", "", "'key' is given here"),
    ("weights = file", "weights = n", "weights is the name of a file", 'weights = "file name"', "'n' is given here"),
]


@pytest.mark.parametrize(("old", "new", "message", "hint", "below"), ERRORS)
def test_wrong_constants(
    read_snn: Read, error_of: ErrorOf, old: str, new: str, message: str, hint: str, below: str
) -> None:
    """The place of use is blamed; the place of the constant is shown below it."""
    assert old in PROGRAM
    error = error_of(lambda: read_snn(PROGRAM.replace(old, new, 1)))
    assert message in error.message
    assert hint in error.hint
    assert below in error.excerpt
    assert ("\n  " in error.excerpt and ".snn:" in error.excerpt) == bool(below)


WRONG_TEMPLATES = [
    (": plain using nir", ": plain", "population 'e' does not say which neuron semantics", "using nir"),
    ("let plain = if(", "let plain = iff(", "no neuron model 'iff'", "did you mean 'if'?"),
    ("= slow(r = 2)", "= slow(rr = 2)", "no parameter of lif 'rr'", "did you mean 'r'?"),
    ("= slow(r = 2)", '= slow("r")', "a text without a name", "name = value"),
    (": slow()", ": slo()", "no neuron model 'slo'", "did you mean 'slow'?"),
    (": slow()", ": slow(tau = 1 V)", "tau is a time, but this is a voltage", "5 ms"),
    ("tau = 9 ms", "tau = 9 V", "tau is a time, but this is a voltage", "5 ms"),
    ("let plain = if(", "let cell = if(", "'cell' is declared twice", "different names"),
    ("dt = 1 ms", "dt = cell", "dt is a number, but this is a neuron model", "dt = 1 ms"),
]


@pytest.mark.parametrize(("old", "new", "message", "hint"), WRONG_TEMPLATES)
def test_wrong_templates(read_snn: Read, error_of: ErrorOf, old: str, new: str, message: str, hint: str) -> None:
    assert old in TEMPLATES
    error = error_of(lambda: read_snn(TEMPLATES.replace(old, new, 1)))
    assert message in error.message
    assert hint in error.hint


def test_the_whole_text_of_an_error(read_snn: Read, error_of: ErrorOf, tmp_path: Path) -> None:
    error = error_of(lambda: read_snn("let tau = 5 mV\nnetwork a {\n  dt = 2 * 1 s / tau\n}\n"))
    assert (
        str(error)
        == f"""{tmp_path}/net.snn:3:8: error: dt is a time, but this is a number in s^1 V^-1
    dt = 2 * 1 s / tau
         ^^^^^^^^^^^^^
  fix: write a number such as 5 ms, or in seconds: 5e-3"""
    )
