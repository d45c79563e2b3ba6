"""What belongs to single declarations of a `.snn` program: shapes, units of parameters, semantics, stimuli."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from snnir.frontend.names import suggestion
from snnir.frontend.network import Shape
from snnir.frontend.snn.operations import value_of
from snnir.frontend.snn.scope import Scope, by_name, no_plain
from snnir.frontend.snn.tree import Call, Dimensions, Setting, Using
from snnir.frontend.snn.values import (
    PLAIN,
    RATE,
    TIME,
    VOLTAGE,
    WHOLE_LIMIT,
    Dimension,
    Name,
    Quantity,
    Words,
    evaluate,
    whole,
    word,
)
from snnir.frontend.source import Span
from snnir.frontend.weights import WeightsFile
from snnir.semantics import CHOICES, COUNTS, PRESETS, TIME_CONSTANTS, Semantics, preset
from snnir.sim.stimulus import Poisson, Recording, Stimulus

VOLTAGES = frozenset({"threshold", "v_reset", "v_leak"})
"""Parameters that are voltages; the others that are no time constants have no unit."""

IN_STEPS = frozenset({"refractory", "out_delay"})
"""Fields of the semantics that may also be given as times."""

GENERATORS: Mapping[str, tuple[str, ...]] = {"poisson": ("rate", "seed"), "file": ()}
"""What may follow `generate`, with its arguments."""

_SEED_LIMIT = 1 << 63


def dimension_of(parameter: str) -> Dimension:
    """The unit that a parameter of a neuron model may have."""
    return TIME if parameter in TIME_CONSTANTS else VOLTAGE if parameter in VOLTAGES else PLAIN


def shape_of(dimensions: Dimensions, scope: Scope) -> Shape:
    """The shape of an input or a population."""
    shape: list[int] = []
    for each in dimensions.entries:
        value = evaluate(each, scope)
        if isinstance(value, Name):
            raise value.scope.unknown_constant(value, "a shape is made of whole numbers")
        exact = value.number if isinstance(value, Quantity) and value.dimension == PLAIN else Fraction(1, 2)
        if exact.denominator != 1 or not 0 <= exact < WHOLE_LIMIT:
            hint = "for example [64], [2x34x34] or [n x 4]"
            raise value.span.error("a shape is made of whole numbers", hint)
        shape.append(int(exact))
    return tuple(shape)


def semantics_of(using: Using, scope: Scope, model: str, dt: Fraction) -> Semantics:
    """A preset and what differs from it. Raises `SnnirError`."""
    name = scope.bound_word(scope_name(scope, using))
    place = scope.place(using.preset.span)
    if name not in PRESETS:
        raise place.error(f"no semantics preset '{name}'", suggestion(name, PRESETS, "presets"))
    result = preset(name, model)
    for key, (setting, _) in by_name(using.changes, (*CHOICES, *COUNTS), "semantics field", scope).items():
        result = result.changed({key: _field(key, setting, scope, dt)})
    problem = result.problem(model)
    if problem:
        raise place.error(problem, "change the fields after using")
    return result


def scope_name(scope: Scope, using: Using) -> Name:
    """The preset's name, which may be a parameter of a block."""
    value = scope.constant(using.preset)
    return value if isinstance(value, Name) else Name(using.preset.text, scope, value.span)


def _field(key: str, setting: Setting, scope: Scope, dt: Fraction) -> str:
    """The value of a field of the semantics, as text."""
    value = evaluate(setting.value, scope)
    if key in CHOICES:
        return word(value, key, CHOICES[key])
    least, most = COUNTS[key]
    steps = key in IN_STEPS
    count = whole(value, key, "steps" if steps else "", least, dt if steps else None)
    if count > most:
        raise value.span.error(f"{key} = {count} is more than {most}", "use a smaller number")
    return str(count)


def stimulus_of(call: Call, scope: Scope, size: int, dt: float, weights: WeightsFile) -> Stimulus:
    """What follows `generate`. Raises `SnnirError`."""
    kind, place = call.name.text, scope.place(call.name.span)
    if kind not in GENERATORS:
        raise place.error(f"no generator '{kind}'", suggestion(kind, GENERATORS, "generators"))
    arguments = by_name(call.arguments, GENERATORS[kind], f"argument of {kind}", scope)
    if kind == "file":
        return _recording(call, scope, place)
    no_plain(call.plain, scope)
    missing = [each for each in GENERATORS[kind] if each not in arguments]
    if missing:
        hint = "for example poisson(rate = 50 Hz, seed = 1)"
        raise place.error(f"this generator lacks {', '.join(missing)}", hint)
    rate = value_of(evaluate(arguments["rate"][0].value, scope), "rate", RATE, weights)
    seed = evaluate(arguments["seed"][0].value, scope)
    number = whole(seed, "seed")
    if number >= _SEED_LIMIT:
        raise seed.span.error("the seed is too large", "use a smaller number")
    numbers = rate.array.astype(np.float64).ravel() if rate.shape else float(rate.array)
    stimulus = Poisson(numbers, number)
    problem = stimulus.problem(size, dt)
    if problem:
        raise rate.origin.error(problem, "a step holds one spike at most, and one rate stands for all neurons")
    return stimulus


def _recording(call: Call, scope: Scope, place: Span) -> Recording:
    if len(call.plain) != 1:
        raise place.error("this generator names no file" if not call.plain else "two files", 'write file("spikes.npz")')
    given = call.plain[0]
    name = Words(given.text, scope.place(given.span), given.span.source.directory)
    return Recording(name.path)
