"""The front end for `.snn` programs: what the names in the text mean, and what is missing.

The grammar is `grammar.lark`; docs/language.md is the reference. Nothing is guessed: parameters, time step and neuron
semantics are in the text or come from the options, and a contradiction between the two is an error.
"""

from __future__ import annotations

from fractions import Fraction
from math import prod
from pathlib import Path

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute

from snnir.dialects.platform import MachineAttr
from snnir.frontend.build import build
from snnir.frontend.network import Input, Network, Origin, Output, Population, preset_named, semantics_for
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.platform import read_platform
from snnir.frontend.snn.chains import Chains
from snnir.frontend.snn.operations import value_of
from snnir.frontend.snn.populations import dimension_of, semantics_of, shape_of, stimulus_of
from snnir.frontend.snn.scope import Expanded, Scope, by_name, expand
from snnir.frontend.snn.syntax import parse
from snnir.frontend.snn.tree import Applied, Arrow, InputDeclaration, Named, PopulationDeclaration, Setting, Using, Word
from snnir.frontend.snn.values import TIME, Constant, Quantity, Words, evaluate, number, text, whole, word
from snnir.frontend.source import Source, Span
from snnir.frontend.stimulus import ATTRIBUTE, attribute_of
from snnir.frontend.weights import WeightsFile
from snnir.semantics import PARAMETERS, PRESETS, Semantics

SETTINGS = ("dt", "steps", "platform", "weights")
"""What a network may set. Files are relative to the file that names them."""

ELEMENTS = ("spike", "f64")
"""What an input brings."""


def read(path: Path | str, options: FrontendOptions) -> ModuleOp:
    """The network in a `.snn` file as IR, verified. Raises `SnnirError` with line, column and caret."""
    reader = Reader(expand(parse(Source.load(path))), options)
    module = build(reader.network())
    reader.notes.show()
    return module


class Reader:
    """A program with all its names declared, and the options that add to it."""

    def __init__(self, program: Expanded, options: FrontendOptions) -> None:
        self.program, self.options = program, options
        self.name: Word = program.network.name
        self.settings = by_name(program.network.settings, SETTINGS, "setting", program.scope)
        self.preset = preset_named(options.semantics, self.name.span.source.name)
        self.weights = WeightsFile(self.file("weights"))
        self.notes = Notes()
        self.exact_dt, self.dt_origin = self.dt()
        self.steps, self.steps_origin = self.step_count()

    def network(self) -> Network:
        """Resolve everything."""
        items = self.program.items
        stimuli = self.stimuli([(each, scope) for each, scope in items if isinstance(each, Applied)])
        inputs = [self.input(each, scope, stimuli) for each, scope in items if isinstance(each, InputDeclaration)]
        populations = [self.population(each, scope) for each, scope in items if isinstance(each, PopulationDeclaration)]
        chains = Chains(self.program.scope, populations, self.exact_dt, self.weights)
        for each, scope in items:
            if isinstance(each, Named) and not each.output:
                chains.signal(each, scope)
        for each, scope in items:
            if isinstance(each, Arrow):
                chains.arrow(each, scope)
            elif isinstance(each, Named):
                chains.named(each, scope)
        return Network(
            self.name.text,
            float(self.exact_dt),
            self.dt_origin,
            self.steps,
            self.steps_origin,
            inputs,
            chains.transforms,
            chains.connected(),
            [Output(name, sources, origin) for name, sources, origin in chains.outputs],
            self.name.span,
            self.machine(),
        )

    def constant(self, setting: tuple[Setting, Scope]) -> Constant:
        """The value of a setting."""
        return evaluate(setting[0].value, setting[1])

    def file(self, name: str) -> Words | None:
        """A setting that is a file name."""
        return text(self.constant(self.settings[name]), name) if name in self.settings else None

    def dt(self) -> tuple[Fraction, Origin]:
        """The step in seconds."""
        asked = self.options.dt
        if "dt" not in self.settings:
            if asked is None:
                hint = "add dt = 1 ms, or pass --dt"
                raise self.name.span.error("the network does not say how long a step is", hint)
            return Fraction(repr(asked)), self.name.span
        value = self.constant(self.settings["dt"])
        seconds = number(value, "dt", TIME, "1 ms")
        assert isinstance(value, Quantity)
        if seconds <= 0:
            raise value.span.error(f"dt = {seconds:g} is not a positive number of seconds", "say dt = 1 ms")
        if asked is not None and asked != seconds:
            hint = "omit --dt or correct the program"
            raise value.span.error(f"dt = {seconds:g} here, but --dt says {asked:g}", hint)
        return value.number, value.span

    def step_count(self) -> tuple[int | None, Origin]:
        """Steps per inference, where they are known."""
        asked = self.options.steps
        if "steps" not in self.settings:
            return asked, self.name.span
        constant = self.constant(self.settings["steps"])
        value = whole(constant, "steps", "steps", 0, self.exact_dt)
        if asked is not None and asked != value:
            hint = "omit --steps or correct the program"
            raise constant.span.error(f"steps = {value} here, but --steps says {asked}", hint)
        return value, constant.span

    def machine(self) -> MachineAttr | None:
        """The machine of `--platform`, else the one that the program names."""
        given, asked = self.file("platform"), self.options.platform
        if asked is not None:
            if given is not None and given.path.resolve() != asked.resolve():
                self.notes.add(given.span.place, f"--platform {asked} replaces the platform named here")
            return read_platform(asked)
        if given is None:
            return None
        if not given.path.is_file():
            hint = "the path is relative to the file that names it"
            raise given.span.error(f"there is no platform file {given.path}", hint)
        return read_platform(given.path)

    def stimuli(self, items: list[tuple[Applied, Scope]]) -> dict[str, tuple[Applied, Scope, Span]]:
        """What is generated for each input."""
        found: dict[str, tuple[Applied, Scope, Span]] = {}
        for each, scope in items:
            if each.instance:
                continue
            name, kind, place = scope.resolve(each.name, "input", ("input",))
            if kind != "input":
                raise place.error(f"'{each.name.text}' is no input", "only inputs have a stimulus")
            if name in found:
                raise place.because("the first one", found[name][2]).error(
                    f"'{name}' has two stimuli", "keep one of them"
                )
            found[name] = each, scope, place
        return found

    def input(self, each: InputDeclaration, scope: Scope, stimuli: dict[str, tuple[Applied, Scope, Span]]) -> Input:
        """An input, with its stimulus."""
        name = scope.prefix + each.name.text
        element = "spike"
        if each.element is not None:
            element = word(scope.constant(each.element), "the type of an input", ELEMENTS)
        shape = shape_of(each.shape, scope)
        attributes: dict[str, Attribute] = {}
        if name in stimuli:
            applied, inner, _ = stimuli[name]
            stimulus = stimulus_of(applied.call, inner, prod(shape), float(self.exact_dt), self.weights)
            attributes[ATTRIBUTE] = attribute_of(stimulus, f"{name}.rate")
        return Input(name, shape, scope.place(each.name.span), element, attributes)  # pyright: ignore[reportArgumentType]

    def population(self, each: PopulationDeclaration, scope: Scope) -> Population:
        """A population with all its parameters and its semantics; connections come later."""
        call, name = each.call, scope.prefix + each.name.text
        neurons = scope.neurons(call.name)
        known, place = PARAMETERS[neurons.model], scope.place(call.name.span)
        if call.plain:
            raise scope.place(call.plain[0].span).error("a text without a name", "arguments are written name = value")
        arguments = {**neurons.arguments, **by_name(call.arguments, known, f"parameter of {neurons.model}", scope)}
        missing = [parameter for parameter in known if parameter not in arguments]
        if missing:
            hint = f"{neurons.model} takes {', '.join(known)}; nothing has a default"
            raise place.error(f"population '{each.name.text}' lacks {', '.join(missing)}", hint)
        parameters = {
            key: value_of(evaluate(setting.value, inner), key, dimension_of(key), self.weights)
            for key, (setting, inner) in arguments.items()
        }
        using = (each.using, scope) if each.using else neurons.using
        semantics = self.semantics(using, neurons.model, each.name.text, place)
        shape = shape_of(each.shape, scope)
        return Population(name, shape, neurons.model, parameters, semantics, scope.place(each.name.span))

    def semantics(self, using: tuple[Using, Scope] | None, model: str, name: str, place: Span) -> Semantics:
        """What the population says after `using`, else what the options say."""
        file = self.name.span.source.name
        asked = None if self.preset is None else semantics_for(self.preset, model, self.options, file)
        if using is None:
            if asked is None:
                what = f"population '{name}' does not say which neuron semantics it follows"
                raise place.error(what, f"add `using nir` ({', '.join(PRESETS)}) after it, or pass --semantics")
            return asked
        found, where = semantics_of(*using, model, self.exact_dt), using[1].place(using[0].preset.span)
        if asked is not None and asked != found:
            what = f"population '{name}' follows other semantics than --semantics {self.options.semantics}"
            raise where.error(what, "omit --semantics or correct the program")
        reset = self.options.reset
        asked_reset = FrontendOptions(reset=reset)
        if reset is not None and semantics_for(using[0].preset.text, model, asked_reset, file).reset != found.reset:
            what = f"population '{name}' has reset = {found.reset}, but --reset says {reset}"
            raise where.error(what, "omit --reset or correct the program")
        return found
