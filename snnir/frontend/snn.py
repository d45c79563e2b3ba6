"""The front end for `.snn` programs: what the names in the text mean, and what is missing.

The grammar is `snn.lark`; docs/language.md shows the language by example. Nothing is guessed: parameters, time step and
neuron semantics are in the text or come from the options, and a contradiction between the two is an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.platform import MachineAttr
from snnir.frontend.build import build
from snnir.frontend.names import suggestion
from snnir.frontend.network import (
    Input,
    Kind,
    Network,
    Origin,
    Output,
    Population,
    Projection,
    Reference,
    Value,
    preset_named,
)
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.platform import read_platform
from snnir.frontend.snn_syntax import Arrow, Given, Program, Setting, Shaped, Slice, Using, Word, parse
from snnir.frontend.source import Source, Span
from snnir.frontend.weights import WeightsFile
from snnir.indices import Indices
from snnir.semantics import CHOICES, PARAMETERS, PRESETS, Semantics

SETTINGS = ("dt", "steps", "platform", "weights")
"""What a network may set. `dt` is in seconds; files are relative to the program's folder."""

KINDS: dict[str, Kind] = {"dense": "dense", "one_to_one": "one_to_one"}
"""The kinds of projection."""

ARGUMENTS = ("weights", "bias", "scale", "delay")
"""What a projection takes; all but `weights` may be left out."""

_SLICE_LIMIT = 1 << 24
_WHOLE = re.compile(r"\+?[0-9]{1,18}")


def read(path: Path | str, options: FrontendOptions) -> ModuleOp:
    """The network in a `.snn` file as IR, verified. Raises `SnnirError` with line, column and caret."""
    return _Reader(Source.load(path), options).module()


class _Reader:
    def __init__(self, source: Source, options: FrontendOptions) -> None:
        self.source, self.options = source, options
        self.program: Program = parse(source)
        self.settings = _by_name(self.program.settings, SETTINGS, "setting")
        self.weights = WeightsFile(self.text("weights"), source.directory)
        self.notes = Notes()
        self.preset = preset_named(options.semantics, source.name)

    def module(self) -> ModuleOp:
        """Resolve everything and build."""
        program, name = self.program, self.program.name
        dt, dt_origin = self.dt()
        steps, steps_origin = self.steps()
        network = Network(
            name.text,
            dt,
            dt_origin,
            steps,
            steps_origin,
            [Input(each.name.text, _shape(each.shape), each.name.span) for each in program.inputs],
            [self.population(each) for each in program.populations],
            [self.projection(each) for each in program.projections],
            [Output(label.text, _reference(source), label.span) for label, source in program.outputs],
            name.span,
            self.machine(),
        )
        module = build(network)
        self.notes.show()
        return module

    def text(self, name: str) -> Given | None:
        """A setting that is a file name."""
        given = self.settings[name].value if name in self.settings else None
        if given is not None and given.kind != "text":
            raise given.span.error(f"{name} is the name of a file", f'write {name} = "file name"')
        return given

    def dt(self) -> tuple[float, Origin]:
        """The step in seconds."""
        asked = self.options.dt
        if "dt" not in self.settings:
            if asked is None:
                hint = "add dt = 1e-3 (seconds), or pass --dt"
                raise self.program.name.span.error("the network does not say how long a step is", hint)
            return asked, self.program.name.span
        given = self.settings["dt"].value
        value = _number(given, "dt")
        if asked is not None and asked != value:
            raise given.span.error(f"dt = {value:g} here, but --dt says {asked:g}", "omit --dt or correct the program")
        return value, given.span

    def steps(self) -> tuple[int | None, Origin]:
        """Steps per inference, where they are known."""
        asked = self.options.steps
        if "steps" not in self.settings:
            return asked, self.program.name.span
        given = self.settings["steps"].value
        value = _whole(given, "steps", "steps")
        if asked is not None and asked != value:
            hint = "omit --steps or correct the program"
            raise given.span.error(f"steps = {value} here, but --steps says {asked}", hint)
        return value, given.span

    def machine(self) -> MachineAttr | None:
        """The machine of `--platform`, else the one that the program names."""
        given, asked = self.text("platform"), self.options.platform
        path = None if given is None else self.source.directory / given.text
        if asked is not None:
            if given is not None and path is not None and path.resolve() != asked.resolve():
                self.notes.add(given.span.place, f"--platform {asked} replaces the platform named here")
            return read_platform(asked)
        if given is None or path is None:
            return None
        if not path.is_file():
            hint = "the path is relative to the program's folder"
            raise given.span.error(f"there is no platform file {path}", hint)
        return read_platform(path)

    def population(self, each: Shaped) -> Population:
        """A population with all its parameters and its semantics."""
        assert each.call is not None
        model, name = each.call.name, each.name.text
        if model.text not in PARAMETERS:
            raise model.span.error(f"no neuron model '{model.text}'", suggestion(model.text, PARAMETERS, "models"))
        known = PARAMETERS[model.text]
        arguments = _by_name(each.call.arguments, known, f"parameter of {model.text}")
        missing = [parameter for parameter in known if parameter not in arguments]
        if missing:
            hint = f"{model.text} takes {', '.join(known)}; nothing has a default"
            raise model.span.error(f"population '{name}' lacks {', '.join(missing)}", hint)
        parameters = {key: self.value(argument.value, key) for key, argument in arguments.items()}
        semantics = self.semantics(each.using, name, model.span)
        return Population(name, _shape(each.shape), model.text, parameters, semantics, each.name.span)

    def semantics(self, using: Using | None, name: str, place: Span) -> Semantics:
        """What the population says after `using`, else what the options say."""
        if using is None:
            if self.preset is None:
                what = f"population '{name}' does not say which neuron semantics it follows"
                raise place.error(what, f"add `using nir` ({', '.join(PRESETS)}) after it, or pass --semantics")
            return self.preset
        preset = using.preset
        if preset.text not in PRESETS:
            raise preset.span.error(f"no semantics preset '{preset.text}'", suggestion(preset.text, PRESETS, "presets"))
        result = PRESETS[preset.text]
        done: set[str] = set()
        for key, value in using.changes:
            if key.text not in CHOICES:
                raise key.span.error(f"no semantics field '{key.text}'", suggestion(key.text, CHOICES, "fields"))
            if key.text in done:
                raise key.span.error(f"'{key.text}' is given twice", "keep one of them")
            done.add(key.text)
            if value.text not in CHOICES[key.text]:
                hint = f"use {' or '.join(CHOICES[key.text])}"
                raise value.span.error(f"'{value.text}' is not a value of {key.text}", hint)
            result = result.changed({key.text: value.text})
        if self.preset is not None and self.preset != result:
            what = f"population '{name}' follows other semantics than --semantics {self.options.semantics}"
            raise preset.span.error(what, "omit --semantics or correct the program")
        return result

    def projection(self, each: Arrow) -> Projection:
        """A projection with its weights."""
        kind, origin = each.call.name, each.source.span.to(each.target.span)
        if kind.text not in KINDS:
            what = f"no kind of projection '{kind.text}'"
            raise kind.span.error(what, suggestion(kind.text, KINDS, "kinds"))
        arguments = _by_name(each.call.arguments, ARGUMENTS, f"argument of {kind.text}")
        if "weights" not in arguments:
            hint = f'for example {kind.text}(weights = "key")'
            raise kind.span.error("this projection has no weights", hint)
        values = {key: self.value(a.value, key) for key, a in arguments.items() if key != "delay"}
        delay = _whole(arguments["delay"].value, "delay", "steps") if "delay" in arguments else 0
        return Projection(
            _reference(each.source),
            _reference(each.target),
            KINDS[kind.text],
            values["weights"],
            origin,
            values.get("bias"),
            values.get("scale"),
            delay,
            (_indices(each.part), each.part.span) if each.part else None,
        )

    def value(self, given: Given, what: str) -> Value:
        """A number, a list, or a tensor of the weights file."""
        if given.array is not None:
            return Value(given.array, given.span)
        if given.kind == "text":
            return Value(self.weights.tensor(given), given.span)
        return Value(_number(given, what), given.span)


def _by_name(settings: Sequence[Setting], known: Sequence[str], what: str) -> dict[str, Setting]:
    """The settings by name. Raises at an unknown or repeated one."""
    result: dict[str, Setting] = {}
    for each in settings:
        name = each.name.text
        if name not in known:
            raise each.name.span.error(f"no {what} '{name}'", suggestion(name, known))
        if name in result:
            raise each.name.span.error(f"'{name}' is given twice", "keep one of them")
        result[name] = each
    return result


def _number(given: Given, what: str) -> float:
    if given.kind != "number":
        raise given.span.error(f"{what} is a number", f"write {what} = 1e-3, for example")
    value = float(given.text)
    if not isfinite(value):
        raise given.span.error(f"{what} is too large for a number", "use a number below 1e308")
    return value


def _whole(given: Given, what: str, unit: str) -> int:
    if given.kind != "number" or not _WHOLE.fullmatch(given.text):
        raise given.span.error(f"{what} is a whole number of {unit}, 0 or more", f"write {what} = 1, for example")
    return int(given.text)


def _shape(word: Word) -> tuple[int, ...]:
    dimensions = word.text.split("x")
    if not all(_WHOLE.fullmatch(each) for each in dimensions):
        raise word.span.error("a shape is made of whole numbers", "for example [64] or [2x34x34]")
    return tuple(map(int, dimensions))


def _indices(part: Slice) -> Indices:
    runs: list[tuple[int, int, int]] = []
    for run in part.runs:
        for word in run:
            if not _WHOLE.fullmatch(word.text):
                raise word.span.error("indices are whole numbers, 0 or more", "for example [0:32] or [0:32:2, 40]")
        numbers = [int(word.text) for word in run]
        start, stop, step = (*numbers, numbers[0] + 1, 1) if len(numbers) == 1 else (*numbers, 1)[:3]
        if stop <= start or step < 1:
            what = f"{':'.join(map(str, numbers))} holds no index"
            raise run[0].span.to(run[-1].span).error(what, "a slice is start:stop or start:stop:step, stop excluded")
        runs.append((start, stop, step))
    if sum((stop - start) // step for start, stop, step in runs) > _SLICE_LIMIT:
        raise part.span.error("the slice is larger than any population")
    try:
        return Indices.of_runs(runs)
    except ValueError:
        raise part.span.error("a neuron is listed twice in this slice", "list each neuron once") from None


def _reference(word: Word) -> Reference:
    return Reference(word.text, word.span)
