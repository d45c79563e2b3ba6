"""snnir from Python: what `snnc import`, `sim`, `diff`, `profile` and `train` do, for scripts and notebooks.

```
net = snnir.load("model.nir", dt=1e-3)
run = net.sim("spikes.npz")
run.accuracy(), run.spikes["hidden"]
print(net.compare("recording.npz"))
net.save("model.snn")
```

Everything raises `snnir.errors.SnnirError`, whose text says where, what and how to fix it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir.cli.arguments import parse_arguments
from snnir.cli.driver import SNNOptMain, read_module
from snnir.cli.errors import USER_ERRORS, Situation, as_snnir_error
from snnir.cli.locations import diagnostics_kept_short
from snnir.dialects.snn import InputOp, IntegratorOp, NetworkOp, NeuronOp
from snnir.errors import SnnirError
from snnir.flow.compare import Signal, Spikes, compare, prefix, trace
from snnir.flow.explain import BUDGET, Reread, explain
from snnir.flow.recordings import (
    Names,
    Signals,
    as_signal,
    input_names,
    is_sonata,
    read_data,
    read_signals,
    shapes_of,
    write_signals,
)
from snnir.flow.text import Report
from snnir.flow.variants import step_order
from snnir.frontend.notes import Notes, collected
from snnir.frontend.stimulus import stimuli_of
from snnir.sim.data import accuracy
from snnir.sim.entry import network_in, network_of
from snnir.sim.events import Events
from snnir.sim.simulate import Engine, Progress, run
from snnir.sim.stimulus import stimulate

Data = str | Path | Signals | Mapping[str, ArrayLike | Events] | NDArray[Any]
"""Spikes for the inputs: a file or what was read from one, arrays by input, or one array where there is one input."""

LIST_ELEMENTS = 1 << 28
"""Results with more elements than this are lists of events where the data are."""
STATELESS = ("nir",)
"""Formats that do not state semantics, so that a file can be read again with others."""


@dataclass(frozen=True)
class Options:
    """What a model file may leave open; see `load`."""

    dt: float | None = None
    steps: int | None = None
    semantics: str | None = None
    reset: str | None = None
    fix: bool = False
    platform: str | Path | None = None

    def words(self) -> list[str]:
        """The same as arguments of a command."""
        given = {name: value for name, value in vars(self).items() if value is not None and name != "fix"}
        return [w for name, value in given.items() for w in (f"--{name}", str(value))] + ["--fix"] * self.fix


def load(
    path: str | Path,
    *,
    dt: float | None = None,
    steps: int | None = None,
    semantics: str | None = None,
    reset: str | None = None,
    fix: bool = False,
    platform: str | Path | None = None,
    format: str | None = None,
) -> Net:
    """Read a model of any format: `.snn`, `.nir`, `.onnx`, `.mlir`, a SONATA model, neuron lists.

    `dt` is in seconds, `steps` per inference, `semantics` a preset, `reset` `value` or `subtract`: what the file does
    not say. `fix` repairs defects that leave no doubt. `format` names the format of a file with another ending. What
    was assumed is in `Net.notes`.
    """
    options = Options(dt, steps, semantics, reset, fix, platform)
    words = [*options.words(), *(["--frontend", format] if format is not None else []), str(path)]
    situation = Situation("snnir")
    with collected() as notes, diagnostics_kept_short() as situation.trap:
        try:
            driver = SNNOptMain(parse_arguments(words), situation)
            module = read_module(driver)
        except USER_ERRORS as error:
            found = as_snnir_error(error, situation)
            for note in notes:
                found.add_note(note)
            raise found from error
    return Net(module, Path(path), driver.input_extension(), options, tuple(notes))


@dataclass(frozen=True, eq=False)
class Net:
    """A program. Make one with `load`."""

    module: ModuleOp
    """Its IR (xDSL)."""
    path: Path
    format: str
    options: Options
    notes: tuple[str, ...]
    """What was assumed, each with its place."""

    @cached_property
    def network(self) -> NetworkOp:
        """The `snn.network` of the module."""
        return network_in(self.module, str(self.path))

    @property
    def dt(self) -> float:
        """Seconds per step."""
        return self.network.step_seconds

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """The shape of each input."""
        shapes = shapes_of(self.network)
        return {name: shapes[name] for name in input_names(self.network)}

    @property
    def populations(self) -> dict[str, NeuronOp]:
        """The op of each population: `.parameters`, `.semantics.data`, `.size`."""
        return {name: op for name, op in self.network.sources.items() if not isinstance(op, InputOp)}

    def data(self, data: Data | None = None, *, samples: int | None = None, names: Names | None = None) -> Signals:
        """What drives the program: `data`, else the stimulus that the program (or its SONATA model) states."""
        if data is None:
            return self._own_data(samples)
        if isinstance(data, str | Path):
            return read_data(Path(data), self.network, names).first(samples)
        if isinstance(data, Signals):
            return data.first(samples)
        arrays: Mapping[str, ArrayLike | Events]
        if isinstance(data, Mapping):
            arrays = data
        else:
            inputs = input_names(self.network)
            if len(inputs) != 1:
                raise SnnirError(self.path, f"one array for {len(inputs)} inputs", "give a dictionary of arrays")
            arrays = {inputs[0]: data}
        shapes = self.inputs
        found: dict[str, Signal] = {}
        for name, array in arrays.items():
            if name not in shapes:
                raise SnnirError(f"input {name}", "the program has no such input", f"there are {', '.join(shapes)}")
            plain = array if isinstance(array, Events) else as_signal(f"input {name}", np.asarray(array), shapes[name])
            found[name] = plain
        return Signals("data", found).first(samples)

    def _own_data(self, samples: int | None) -> Signals:
        if self.format == "sonata" and is_sonata(self.path):
            return read_data(self.path, self.network).first(samples)
        op = self.network
        steps = self.options.steps if op.steps is None else op.steps.data
        drawn = stimulate(stimuli_of(op), self.inputs, op.step_seconds, samples, steps)
        return Signals("stimulus", {name: as_signal(name, array, self.inputs[name]) for name, array in drawn.items()})

    def sim(
        self,
        data: Data | None = None,
        *,
        samples: int | None = None,
        engine: Engine = "auto",
        voltages: Collection[str] = (),
        names: Names | None = None,
        progress: Progress | None = None,
    ) -> Run:
        """Run the program, each sample from rest.

        `data` as for `data`; `voltages` are the populations whose membranes (before the reset) are recorded; `names`
        says what a file calls an input, where it is called otherwise. `progress` is told how much is done, of how much.
        """
        driven = self.data(data, samples=samples, names=names)
        return self._run(self.network, driven, engine, voltages, progress)

    def _run(
        self,
        network: NetworkOp,
        driven: Signals,
        engine: Engine = "auto",
        voltages: Collection[str] = (),
        progress: Progress | None = None,
    ) -> Run:
        program = network_of(network)
        signals = list(driven.signals.values())
        lists = False
        if signals and not voltages and all(isinstance(signal, Events) for signal in signals):
            samples, steps = signals[0].shape[:2]
            lists = samples * steps * sum(program.sizes.values()) > LIST_ELEMENTS
        found = run(program, driven.signals, voltages=voltages, engine=engine, lists=lists, progress=progress)
        spikes: dict[str, Signal] = {**found.signals, **found.events}
        outputs = {name: spikes[source] for name, source in program.outputs.items()}
        return Run(self, spikes, outputs, dict(found.voltages), driven.labels, found.engine, driven)

    def compare(
        self,
        golden: str | Path | Mapping[str, ArrayLike | Events] | Signals,
        data: Data | None = None,
        *,
        samples: int | None = None,
        engine: Engine = "auto",
        names: Names | None = None,
        budget: float = BUDGET,
        progress: Progress | None = None,
    ) -> Report:
        """Run the program and hold it against a recording; see `Run.compare`.

        Without `data` the recording's own inputs are used, where it holds them.
        """
        recorded = self.recording(golden, names)
        own = inputs_in(recorded, self) if data is None else None
        driven = self.data(data if own is None else own, samples=samples, names=names)
        return self._run(self.network, driven, engine, (), progress).compare(recorded, budget=budget)

    def recording(self, golden: str | Path | Mapping[str, Any] | Signals, names: Names | None = None) -> Signals:
        """A recording of this program's signals: a file, or arrays by population."""
        if isinstance(golden, Signals):
            return golden
        if isinstance(golden, str | Path):
            return read_signals(Path(golden), self.network, names, self.path)
        shapes = shapes_of(self.network)
        known = {n: a if isinstance(a, Events) else as_signal(n, np.asarray(a), shapes[n]) for n, a in golden.items()}
        return Signals("recording", known)

    def save(self, path: str | Path) -> tuple[str, ...]:
        """Write the program in the format that the name's ending says; what that format cannot say is returned."""
        from snnir.export import write  # noqa: PLC0415

        notes = Notes()
        with collected() as shown:
            write(self.network, Path(path), notes)
            notes.show()
        return tuple(shown)

    @property
    def reread(self) -> Reread | None:
        """Reads the file again with other semantics; `None` where the file states its semantics."""
        if self.format not in STATELESS:
            return None

        def again(semantics: str, reset: str | None) -> NetworkOp:
            steps, fix = self.options.steps, self.options.fix
            other = load(
                self.path, dt=self.dt, steps=steps, semantics=semantics, reset=reset, fix=fix, format=self.format
            )
            return other.network

        return Reread(again, self.options.semantics)


def inputs_in(recorded: Signals, net: Net) -> Signals | None:
    """The data of all inputs of a program, where a recording holds them."""
    if any(name not in recorded.signals for name in net.inputs):
        return None
    return Signals(recorded.place, {name: recorded.signals[name] for name in net.inputs}, {}, recorded.labels)


@dataclass(frozen=True, eq=False)
class Run:
    """What a program did."""

    net: Net
    spikes: dict[str, Signal]
    """What every input and population emitted, (samples, steps, neurons): arrays, or lists of events for long runs."""
    outputs: dict[str, Signal]
    voltages: dict[str, NDArray[Any]]
    """Membranes before the reset, of the populations that were asked for."""
    labels: NDArray[np.int64] | None
    engine: str
    data: Signals = field(repr=False)

    @property
    def samples(self) -> int:
        """How many samples were run."""
        return next(iter(self.spikes.values())).shape[0]

    @property
    def steps(self) -> int:
        """How many steps of each."""
        return next(iter(self.spikes.values())).shape[1]

    def totals(self, name: str) -> NDArray[np.float64]:
        """The sum over all steps of what each neuron emitted, (samples, neurons)."""
        signal = self.spikes[name] if name in self.spikes else self.outputs[name]
        if isinstance(signal, Events):
            result = np.zeros((signal.shape[0], signal.shape[2]))
            np.add.at(result, (signal.sample, signal.index), signal.value)
            return result
        return signal.sum(axis=1, dtype=np.float64)

    def accuracy(self, labels: ArrayLike | None = None) -> float | None:
        """The share of samples whose label is the neuron of the first output that emitted most; of codes, what they
        stand for; of an integrator, what it holds in the last step.

        `None` without labels (those of the data are used) or without an output.
        """
        wanted = self.labels if labels is None else np.asarray(labels, np.int64)
        if wanted is None or not self.outputs:
            return None
        name = next(iter(self.outputs))
        emitter, signal, found = self.net.network.outputs[name].signal.owner, self.outputs[name], self.totals(name)
        if isinstance(emitter, IntegratorOp) and not isinstance(signal, Events):
            found = np.asarray(signal[:, -1], np.float64)
        coding = emitter.coding if isinstance(emitter, InputOp | NeuronOp) else None
        return accuracy(found if coding is None else coding.decode(found) + (self.steps - 1) * coding.zero, wanted)

    def compare(
        self,
        golden: str | Path | Mapping[str, Any] | Signals,
        *,
        names: Names | None = None,
        budget: float = BUDGET,
        progress: Progress | None = None,
    ) -> Report:
        """Hold the run against a recording: how much differs, where first, and which decision would explain it.

        `budget` bounds the search for an explanation in seconds; 0 leaves it out. `progress` is told the part of that
        time that is over.
        """
        recorded = self.net.recording(golden, names)
        inputs = self.net.inputs
        expected = {name: signal for name, signal in recorded.signals.items() if name not in inputs}
        if not expected:
            held = ", ".join([*recorded.signals, *recorded.others]) or "nothing"
            hint = f"it holds {held}; --names {next(iter(self.net.populations), 'population')}=ARRAY says which it is"
            raise SnnirError(recorded.place, "this recording has no population of the program", hint)
        ours = {**self.outputs, **self.spikes}
        found = compare(expected, ours, step_order(self.net.network))
        samples = min(self.samples, *(signal.shape[0] for signal in expected.values()))
        steps = min(self.steps, *(signal.shape[1] for signal in expected.values()))
        explanation = around = None
        if found.first is not None:
            around = trace(expected, ours, found.first)
            if budget > 0:
                explanation = explain(
                    self.net.network,
                    {name: prefix(s, range(samples), steps) for name, s in self.data.signals.items()},
                    {name: prefix(s, range(samples), steps) for name, s in expected.items()},
                    found.first,
                    self._rerun,
                    reread=self.net.reread,
                    budget=budget,
                    progress=progress,
                )
        return Report(recorded.place, samples, steps, found, around, explanation, recorded.others)

    def _rerun(self, network: NetworkOp, inputs: Mapping[str, Signal], told: Progress) -> Spikes:
        driven = Signals("", dict(inputs))
        again = self.net._run(network, driven, progress=told)  # pyright: ignore[reportPrivateUsage]
        return {**again.outputs, **again.spikes}

    def save(self, path: str | Path) -> None:
        """Write all signals and membranes: NIRData for `.h5`, else `.npz`."""
        write_signals(Path(path), Signals("", self.spikes, dict(self.voltages), self.labels), self.net.dt)


def train(
    description: str | Path | Mapping[str, Any],
    directory: str | Path,
    *,
    resume: bool = False,
    epochs: int | None = None,
    seed: int | None = None,
    nir: bool = False,
    bar: Callable[[str], AbstractContextManager[Progress | None]] | None = None,
    line: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Train as a description says, a `train.toml` or its tables, and return what is in `training.json`.

    Needs the extra `train`. Everything is written to `directory`, with a checkpoint after each epoch; `resume` goes on
    from there. `epochs` (of the first stage) and `seed` replace those of the description; `nir` writes the programs as
    `.nir` too. `bar` shows how far each stage is, `line` takes the lines that `snnc train` prints.
    """
    from snnir.train.description import description_of, read_description  # noqa: PLC0415

    given = isinstance(description, str | Path)
    found = (read_description(Path(description)) if given else description_of(description)).with_changes(epochs, seed)
    from snnir.flow.training import finish, job  # noqa: PLC0415  (torch is slow to import, and an extra)

    driver = SNNOptMain(parse_arguments([]), Situation("snnir"))
    doors = job.Doors(driver.ctx, lambda path: load(path).module, partial(_compile, driver))
    if bar is not None:
        doors = replace(doors, bar=bar)
    if line is not None:
        doors = replace(doors, line=line)
    return finish.train(finish.Request(found, Path(directory), resume, nir), doors)


def _compile(driver: SNNOptMain, module: ModuleOp, model: Path, data: Path, samples: int, directory: Path) -> None:
    """Compile a program with the default pipeline of its machine."""
    from snnir.cli.pipeline import build_passes  # noqa: PLC0415  (not needed to read and run models)
    from snnir.dialects.platform import machine_of  # noqa: PLC0415
    from snnir.flow.compile import Request, compile_model  # noqa: PLC0415
    from snnir.flow.pipeline import default_pipeline  # noqa: PLC0415

    machine = machine_of(module)
    assert machine is not None
    pipeline = default_pipeline(machine, str(data), samples, "peak", network_in(module, str(model)))
    passes = build_passes(pipeline, driver.available_passes)
    compile_model(driver.ctx, module, passes, Request(str(model), pipeline, str(data), samples), directory)
