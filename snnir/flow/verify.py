"""Is the emitted machine still the same network? And does it keep its guarantee?"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.printer import Printer

from snnir import machine, tensors
from snnir.activations import Coding
from snnir.dialects.crossbar import MachineOp
from snnir.dialects.platform import Machine, machine_of
from snnir.dialects.snn import networks
from snnir.emit import emit
from snnir.energy import Estimate
from snnir.errors import SnnirError
from snnir.flow.compare import Comparison, compare
from snnir.flow.directory import MACHINE, Manifest, Stage, read_manifest, read_stage
from snnir.flow.energy import estimate_run
from snnir.report.energy import energy_as_json
from snnir.sim import Network, simulate
from snnir.sim.data import accuracy, read_labels, read_spikes
from snnir.sim.entry import network_of

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Change:
    """What one pass did to the spikes of the program."""

    stage: Stage
    comparison: Comparison
    accuracy: float | None


@dataclass(frozen=True)
class TimingCheck:
    """The machine's own timing against the guarantee, over the first `steps` steps."""

    steps: int
    steps_per_second: float | None
    guaranteed: float
    late_step: int | None
    tightness: float | None
    exceeded: str


@dataclass(frozen=True)
class Verification:
    """The outcome of `verify_build`."""

    samples: int
    steps: int
    program_accuracy: float | None
    machine_accuracy: float | None
    changes: list[Change]
    """Passes that changed the program, in order, each against the program before it."""
    machine: Comparison
    """The machine against the last program."""
    origin: str
    """When the machine differs: the pass after which it does, or "" when what was emitted was changed later."""
    end_to_end: Comparison
    """The machine against the program as it was read."""
    exact: bool
    """Whether all sums are exact in float64, so that equality cannot depend on how they are split."""
    values: bool
    """Whether the program computes with values, or the codes of some; else with spikes alone."""
    timing: TimingCheck | None
    energy: Estimate | None
    """Of the machine on these data; None where the platform does not say what its parts take."""

    @property
    def holds(self) -> bool:
        """The machine computes the last program, only passes that say so lost anything, and the guarantee is kept."""
        unlicensed = any(c.comparison.different and not c.stage.lossy for c in self.changes)
        late = self.timing is not None and self.timing.late_step is not None and not self.timing.exceeded
        return not self.machine.different and not unlicensed and not late


def verify_build(
    directory: Path, ctx: Context, data: Path, samples: int | None = None, timing_steps: int | None = 2000
) -> Verification:
    """Run the program after every pass and the emitted machine on the same data, and compare.

    Machine and last program are compared spike by spike and code by code; programs whose codes stand for something else
    (or that have none) by what they stand for.
    `timing_steps` bounds the steps whose timing is simulated; 0 leaves timing out, `None` times all.
    """
    manifest = read_manifest(directory)
    programs = _programs(directory, manifest, ctx)
    if not programs:
        raise SnnirError(
            directory, "no stage of this build holds a program", "compile from a .snn, .nir or snn program"
        )
    first, last = programs[0][1], programs[-1][1]
    spikes, labels = read_spikes(data, samples, first.dt), read_labels(data, samples)
    earlier, before = first, simulate(first, spikes)
    original = before
    changes: list[Change] = []
    for stage, network in programs[1:]:
        after = simulate(network, spikes)
        changes.append(
            Change(stage, _compare_values(earlier, before, network, after), _accuracy(network, after, labels))
        )
        earlier, before = network, after
    configuration = machine.load(directory / MACHINE)
    types = {item.name: item.dtype for item in configuration.inputs}
    # the simulator keeps codes in the smallest type that holds those that occur
    inputs = {name: before[name].astype(types[name], copy=False) for name in last.inputs}
    run = machine.run(configuration, inputs)
    found = {**inputs, **run.spikes}
    shape = next(iter(inputs.values())).shape
    compiled = {name: before[name] for name in (*last.populations, *last.activations)}
    comparison = compare(compiled, run.spikes)
    return Verification(
        shape[0],
        shape[1],
        _accuracy(first, original, labels),
        _accuracy(last, found, labels),
        changes,
        comparison,
        _origin(directory, manifest, ctx, inputs, compiled) if comparison.different else "",
        _compare_values(first, original, last, run.spikes),
        all(node.exact for node in (*last.populations.values(), *last.activations.values())),
        bool(last.activations),
        *_timing_and_energy(_target(directory, manifest, ctx), configuration, inputs, run, timing_steps),
    )


def _compare_values(first: Network, expected: Arrays, second: Network, found: Arrays) -> Comparison:
    """Populations that both programs have, of the same size; codes as values unless they mean the same."""
    sides: tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]] = {}, {}
    for name in expected:
        if name in first.inputs or name not in found or expected[name].shape[2] != found[name].shape[2]:
            continue
        codings = [_coding(first, name), _coding(second, name)]
        for side, signal, coding in zip(sides, (expected[name], found[name]), codings, strict=True):
            side[name] = signal if coding is None or _is_same(*codings) else coding.decode(signal)
    return compare(*sides)


def _coding(network: Network, name: str) -> Coding | None:
    activation = network.activations.get(name)
    return None if activation is None else activation.coding


def _is_same(first: Coding | None, second: Coding | None) -> bool:
    if first is None or second is None:
        return first is second
    return all(np.array_equal(getattr(first, key), getattr(second, key)) for key in ("least", "most", "step", "zero"))


def _programs(directory: Path, manifest: Manifest, ctx: Context) -> list[tuple[Stage, Network]]:
    """The stages that hold a program that differs from the one before."""
    found: list[tuple[Stage, Network]] = []
    text = ""
    for stage in manifest.stages:
        module = read_stage(directory, stage, ctx)
        program = _program_text(module)
        if program and program != text:
            network = next(networks(module))
            found.append((stage, network_of(network)))
            text = program
    return found


def _program_text(module: ModuleOp) -> str:
    """The program of a module without its activity, large tensors as digests; empty when there is none."""
    for network in networks(module):
        copy = network.clone()
        for source in copy.sources.values():
            source.activity = None
        text = StringIO()
        with tensors.printing(tensors.PrintingPolicy("beside", "")):
            Printer(text).print_op(copy)
        return text.getvalue()
    return ""


def _origin(directory: Path, manifest: Manifest, ctx: Context, inputs: Arrays, compiled: Arrays) -> str:
    """The first pass after which the configured machine, emitted again from its stage, differs from the program."""
    for stage in manifest.stages:
        module = read_stage(directory, stage, ctx)
        if any(isinstance(op, MachineOp) for op in module.body.block.ops):
            with TemporaryDirectory() as folder:
                emit(module, Path(folder))
                found = machine.run(machine.load(Path(folder)), inputs).spikes
            if compare(compiled, found).different:
                return stage.name
    return ""


def _target(directory: Path, manifest: Manifest, ctx: Context) -> Machine | None:
    """What a build was compiled for, as its last stage says."""
    return machine_of(read_stage(directory, manifest.stages[-1], ctx))


def _accuracy(network: Network, signals: "dict[str, NDArray[Any]]", labels: "NDArray[np.int64] | None") -> float | None:
    if labels is None or not network.outputs:
        return None
    source = next(iter(network.outputs.values()))
    coding = _coding(network, source)
    found = signals[source] if coding is None else coding.decode(signals[source])
    return accuracy(found.sum(axis=1, dtype=np.float64), labels)


def _timing_and_energy(
    target: Machine | None,
    configuration: machine.Configuration,
    inputs: Arrays,
    run: machine.Run,
    steps: int | None,
) -> tuple[TimingCheck | None, Estimate | None]:
    """The first `steps` steps of the run in time, all with None and none with 0, and what the run takes."""
    timing = None
    if steps != 0 and configuration.guarantee is not None:
        timing = machine.simulate(configuration, run.counts, None if steps is None else min(steps, run.counts.steps))
    energy = None if target is None else estimate_run(target, configuration, inputs, run, timing)
    return None if timing is None else _check(configuration, run, timing), energy


def _check(configuration: machine.Configuration, run: machine.Run, result: machine.Timing) -> TimingCheck:
    assert configuration.guarantee is not None
    check = machine.check_guarantee(configuration, result, run.counts)
    return TimingCheck(
        len(result.finish),
        result.steps_per_second,
        configuration.guarantee.steps_per_second,
        check.late_step,
        None if check.tightness is None else float(check.tightness),
        check.exceeded,
    )


def as_json(result: Verification) -> dict[str, Any]:
    """The outcome as plain values."""
    return {
        "holds": result.holds,
        "samples": result.samples,
        "steps": result.steps,
        "exact": result.exact,
        "values": result.values,
        "accuracy": {"program": result.program_accuracy, "machine": result.machine_accuracy},
        "machine": {**_comparison(result.machine), "origin": result.origin},
        "end_to_end": _comparison(result.end_to_end),
        "passes": [
            {"name": c.stage.name, "lossy": c.stage.lossy, "accuracy": c.accuracy, **_comparison(c.comparison)}
            for c in result.changes
        ],
        "timing": None if result.timing is None else vars(result.timing),
        "energy": energy_as_json(result.energy),
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "compared": comparison.compared,
        "different": comparison.different,
        "first": None if comparison.first is None else vars(comparison.first),
        "per_population": comparison.per_population,
    }
