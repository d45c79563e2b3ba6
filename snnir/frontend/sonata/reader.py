"""The front end for SONATA models: configuration files in JSON, nodes and edges in HDF5, point neurons only.

A SONATA model states everything but how its time is to be cut into steps for us: `run/dt` is the step of the simulator,
and its events may lie between steps. Here every time must be a whole number of steps; where one is not, the error names
a step for which it is, to be given as `--dt`. What is assumed is said in notes on stderr. Details: docs/sonata.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.snn import NetworkOp
from snnir.frontend.build import build
from snnir.frontend.hdf5 import Place
from snnir.frontend.names import symbol, unique
from snnir.frontend.network import (
    Input,
    Network,
    Output,
    Population,
    Reference,
    Sparse,
    Transform,
    Value,
    preset_named,
    semantics_for,
)
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.platform import read_platform
from snnir.frontend.sonata.components import Components
from snnir.frontend.sonata.config import Config, read_config
from snnir.frontend.sonata.edges import Synapses, read_synapses
from snnir.frontend.sonata.layout import Layout, Part, layout_of
from snnir.frontend.sonata.spikes import PartSpikes, input_spikes, recorded_spikes
from snnir.frontend.sonata.times import milliseconds, seconds, steps_of
from snnir.semantics import Semantics

Events = dict[str, NDArray[np.int64]]
"""Spikes in event form: for each signal `<name>.sample`, `<name>.step`, `<name>.index`, and `<name>.shape`, which is
[samples, steps]. One row per spike, sorted by step, then by neuron."""


def read(path: Path | str, options: FrontendOptions) -> ModuleOp:
    """The network of a SONATA model as IR, verified; `path` is a configuration file or the folder that holds one.

    Raises `SnnirError` with the place in the model's files.
    """
    return _Reader(Path(path), options).module()


def read_stimulus(path: Path | str, network: NetworkOp) -> Events:
    """The spikes that a SONATA model's `inputs` send to the inputs of `network`, which was read from it: one sample.

    Steps are counted from the start of the simulation; spikes at or after its end are left out. Raises `SnnirError`
    for times that are no whole numbers of the network's steps.
    """
    config = read_config(Path(path))
    layout = layout_of(config, Components(config, Notes()), Notes())
    inputs = [part.name for part in layout.parts() if part.neurons is None]
    return _events(input_spikes(config, layout), inputs, layout, network)


def read_recording(path: Path | str, network: NetworkOp, spikes: Path | None = None) -> Events:
    """The spikes that a simulation of a SONATA model recorded, by population of `network`: one sample.

    `spikes` is the file; by default the one that the configuration names under `output`.
    """
    config = read_config(Path(path))
    layout = layout_of(config, Components(config, Notes()), Notes())
    file = spikes if spikes is not None else config.spikes_file
    if file is None:
        raise config.place.error("this configuration names no recorded spikes", "name output/spikes_file")
    populations = [part.name for part in layout.parts() if part.neurons is not None]
    return _events(recorded_spikes(file, layout), populations, layout, network)


def _events(spikes: Iterable[PartSpikes], names: list[str], layout: Layout, network: NetworkOp) -> Events:
    """Spikes as events, for each of `names`."""
    found = {name: (np.empty(0, np.int64), np.empty(0, np.int64)) for name in names}
    for each in spikes:
        steps = _steps(each, layout, network.step_seconds)
        before = found[each.name]
        found[each.name] = (np.concatenate([before[0], steps]), np.concatenate([before[1], each.neurons]))
    limit = network.steps.data if network.steps is not None else None
    last = max((int(steps.max()) for steps, _ in found.values() if steps.size), default=0)
    result: Events = {}
    for name, (steps, neurons) in found.items():
        kept = np.flatnonzero(steps < limit) if limit is not None else np.arange(steps.size)
        order = kept[np.lexsort((neurons[kept], steps[kept]))]
        result[f"{name}.sample"] = np.zeros(order.size, np.int64)
        result[f"{name}.step"] = steps[order]
        result[f"{name}.index"] = neurons[order]
        result[f"{name}.shape"] = np.array([1, limit if limit is not None else last + 1], np.int64)
    return result


def _steps(spikes: PartSpikes, layout: Layout, dt: float) -> NDArray[np.int64]:
    steps = steps_of(spikes.times, dt, "a spike at", spikes.place) - layout.first_time
    if steps.size and int(steps.min()) < 0:
        raise spikes.place.error("a spike at 0 ms, but NEST's first spike can be at the end of its first step")
    return steps


@dataclass(frozen=True)
class _Times:
    """The step in seconds, the number of steps, and where both come from."""

    dt: float
    dt_place: Place
    steps: int | None
    steps_place: Place


class _Reader:
    """From files to declarations."""

    def __init__(self, path: Path, options: FrontendOptions) -> None:
        self.options = options
        self.notes = Notes()
        self.config: Config = read_config(path)
        for place, text in self.config.notes:
            self.notes.add(place, text)
        self.components = Components(self.config, self.notes)

    def module(self) -> ModuleOp:
        """Read everything, say what was assumed."""
        config = self.config
        layout = layout_of(config, self.components, self.notes)
        times = self.times()
        self.check_spikes(layout, times)
        synapses = read_synapses(config, layout, self.components, times.dt, self.notes)
        if not any(part.neurons is not None for part in layout.parts()):
            raise config.place.error("all nodes are virtual, so there is nothing to simulate", "name the other nodes")
        taken = {part.name for part in layout.parts()}
        transforms = [self.transform(each, layout, taken) for each in synapses]
        module = build(
            Network(
                symbol(config.directory.resolve().name.removesuffix(".sonata")),
                times.dt,
                times.dt_place,
                times.steps,
                times.steps_place,
                [Input(part.name, (part.size,), part.place) for part in layout.parts() if part.neurons is None],
                transforms,
                [self.population(part, times, synapses, transforms) for part in layout.parts() if part.neurons],
                [
                    Output(unique(f"{part.name}_spikes", taken), (Reference(part.name, part.place),), part.place)
                    for part in layout.parts()
                    if part.neurons
                ],
                config.place,
                read_platform(self.options.platform) if self.options.platform is not None else None,
            )
        )
        self.notes.show()
        return module

    def times(self) -> _Times:
        """The step, as asked for, else as the simulation says; and how many."""
        config, asked = self.config, self.options.dt
        dt, place = asked, config.place
        if config.dt is not None:
            stated, place = seconds(config.dt.number()), config.dt.place
            if asked is not None and asked != stated:
                self.notes.add(place, f"--dt {asked:g} is used instead of the simulator's step, {stated:g} s")
            dt = stated if asked is None else asked
        if dt is None:
            raise place.error("nothing says how long a step is", "pass --dt with the step in seconds, for example 1e-4")
        if not (np.isfinite(dt) and dt > 0):
            raise place.error(f"dt = {dt:g} is not a positive number of seconds", "run/dt is in ms, --dt in seconds")
        if config.tstop is None:
            return _Times(dt, place, self.options.steps, config.place)
        where = config.tstop.place
        steps = int(steps_of(np.array([float(config.tstop.number())]), dt, "tstop =", where)[0])
        if self.options.steps not in (None, steps):
            what = f"--steps {self.options.steps} contradicts tstop = {config.tstop.number()} ms, {steps} steps"
            raise where.error(what, "omit --steps, or change tstop")
        return _Times(dt, place, steps, where)

    def check_spikes(self, layout: Layout, times: _Times) -> None:
        """Raise unless all input spikes lie on steps: otherwise the network could not be driven."""
        driven: set[str] = set()
        for each in input_spikes(self.config, layout):
            steps = _steps(each, layout, times.dt)
            late = int((steps >= times.steps).sum()) if times.steps is not None else 0
            if late:
                self.notes.add(each.place, f"{late} spikes of '{each.name}' at or after tstop are left out")
            driven.add(each.name)
        for part in layout.parts():
            if part.neurons is None and part.name not in driven:
                self.notes.add(part.place, f"no spikes are given for '{part.name}'")

    def population(
        self, part: Part, times: _Times, synapses: list[Synapses], transforms: list[Transform]
    ) -> Population:
        """A population and what it reads."""
        model = part.model
        assert part.neurons is not None
        what, place = f"the refractory period of '{part.name}',", part.neurons.places[part.neurons.refractory_name]
        refractory = int(steps_of(np.array([part.refractory]), times.dt, what, place)[0])
        self.check_semantics(model.name, model.semantics, part)
        pairs = list(zip(synapses, transforms, strict=True))
        into = [(s.inhibitory, Reference(t.name, s.place)) for s, t in pairs if s.target is part]
        return Population(
            part.name,
            (part.size,),
            model.name,
            {name: Value(array, model.places[name]) for name, array in model.parameters.items()},
            replace(model.semantics, refractory=refractory),
            part.place,
            tuple(reference for inhibitory, reference in into if not inhibitory),
            tuple(reference for inhibitory, reference in into if inhibitory),
        )

    def check_semantics(self, model: str, semantics: Semantics, part: Part) -> None:
        """Raise when options ask for other semantics than the model has."""
        place = str(self.config.place)
        name = preset_named(self.options.semantics, place)
        assert part.neurons is not None
        template = part.neurons.template
        asked = None if name is None else semantics_for(name, model, replace(self.options, reset=None), place)
        wrong = {} if asked is None else asked.differences(semantics)
        if wrong:
            said = ", ".join(f"{field} = {value}" for field, value in wrong.items())
            raise part.place.error(f"--semantics {name} means {said}, but these neurons are {template}", "omit it")
        if self.options.reset not in (None, "value"):
            what = f"--reset {self.options.reset}, but {template} resets to a value"
            raise part.place.error(what, "omit --reset")

    def transform(self, each: Synapses, layout: Layout, taken: set[str]) -> Transform:
        """The connections between two parts. Delays are kept one by one only where they differ."""
        name = unique(f"{each.source.name}_to_{each.target.name}{'_inhibitory' if each.inhibitory else ''}", taken)
        taken.add(name)
        place, delays = each.place, np.concatenate(each.delays)
        uniform = bool((delays == delays[0]).all())
        op = Sparse(
            Value(np.concatenate(each.weights), place),
            Value(np.concatenate(each.sources), place),
            Value(np.concatenate(each.targets), place),
            None if uniform else Value(delays, place),
            delay=int(delays[0]) if uniform else 0,
        )
        source = (Reference(each.source.name, place),)
        return Transform(name, source, op, place, (each.target.size,), f"{each.source.name} -> {each.target.name}")


def tstop_of(network: NetworkOp) -> float | None:
    """The length of a simulation in ms; `None` when the network does not say how many steps it takes."""
    return None if network.steps is None else float(milliseconds(network.step_seconds) * network.steps.data)
