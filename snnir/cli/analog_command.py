"""`snnc analog`: what a build computes when its crossbars are resistive cells and wires."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.analog.chip import Cells, cells_of, columns_per_weight
from snnir.analog.device import Device
from snnir.analog.evaluate import EFFECTS, Layer, Outcome, Request, evaluate, interval
from snnir.cli.errors import Situation
from snnir.cli.progress import progress
from snnir.errors import SnnirError
from snnir.flow.directory import MACHINE, read_manifest
from snnir.flow.energy import machine_inputs
from snnir.frontend.platform import read_device
from snnir.machine import Configuration, load
from snnir.sim.data import read_labels

_LONGEST = 18


def analog_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc analog`."""
    del situation
    request = Request(_seeds(args), _effects(args.effects), args.ranges, exact_wires=not args.fast)
    manifest = read_manifest(args.build)
    configuration = load(args.build / MACHINE)
    cells = _cells(args.device, configuration)
    data = args.data if args.data is not None else manifest.data
    if data is None:
        raise SnnirError(args.build, "no data to run on", "give --data spikes.npz")
    samples = args.samples if args.samples is not None or args.data is not None else manifest.samples
    inputs, labels = _read(configuration, Path(data), samples)
    with progress("programming and reading chips") as told:
        outcomes = evaluate(configuration, cells, inputs, labels, request, told)
    count, steps = next(iter(inputs.values())).shape[:2]
    notes = _notes(configuration, cells.device)
    if args.json:
        found = {"samples": count, "steps": steps, "device": vars(cells.device), "adc_bits": cells.converter_bits}
        print(json.dumps({**found, "notes": notes, "settings": [_as_json(o, count) for o in outcomes]}, indent=1))
    else:
        head = _head(configuration, cells, count, steps)
        print(
            "\n".join([*head, *(f"note       {note}" for note in notes), *_table(outcomes, count), *_layers(outcomes)])
        )
    return 0


def _seeds(args: argparse.Namespace) -> int:
    if args.seeds < 1:
        raise SnnirError("--seeds", f"{args.seeds} chips", "make at least one")
    return args.seeds


def _effects(text: str) -> tuple[str, ...]:
    names = tuple(word for word in text.split(",") if word)
    wrong = [name for name in names if name not in EFFECTS]
    if wrong or not names:
        problem = f"there is no effect '{wrong[0]}'" if wrong else "no effect is named"
        raise SnnirError("--effects", problem, f"name some of {', '.join(EFFECTS)}")
    return names


def _cells(path: Path | None, configuration: Configuration) -> Cells:
    if path is not None:
        device, bits = read_device(path)
        return Cells(Device(**vars(device)), bits)
    found = cells_of(configuration)
    if found is None:
        hint = "add the table [device] to the platform file and compile again, or give --device FILE.toml"
        raise SnnirError(configuration.path, "the platform does not say what cells are made of", hint)
    return found


def _read(
    configuration: Configuration, path: Path, samples: int | None
) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64] | None]:
    """The inputs as the machine takes them, flat behind the steps, and labels."""
    return machine_inputs(configuration, path, samples), read_labels(path, samples)


def _notes(configuration: Configuration, device: Device) -> list[str]:
    """What is evaluated that the machine was not compiled for."""
    machine, needed = configuration.machine, columns_per_weight(configuration, device)
    if needed == machine.columns_per_weight:
        return []
    return [
        f"a weight takes {needed} columns of such cells, on the machine {machine.columns_per_weight}: crossbars of "
        f"{machine.rows}x{needed * machine.weight_columns} are evaluated"
    ]


def _head(configuration: Configuration, cells: Cells, samples: int, steps: int) -> list[str]:
    device, machine = cells.device, configuration.machine
    across = columns_per_weight(configuration, device) * machine.weight_columns
    converter = f"{cells.converter_bits}-bit converters" if cells.converter_bits else "exact converters"
    return [
        f"analog     {configuration.name} on {machine.name}: {samples} samples x {steps} steps, "
        f"{len(configuration.crossbars)} crossbars of {machine.rows}x{across} cells, {converter}",
        f"device     {device.levels} levels from {device.r_off:g} to {device.r_on:g} ohm, wires {device.wire:g} ohm, "
        f"variation {device.variation:.3g}, read noise {device.read_noise:.3g}, "
        f"stuck {device.stuck_off:.3g} off, {device.stuck_on:.3g} on",
    ]


def _table(outcomes: Sequence[Outcome], samples: int) -> list[str]:
    labelled = bool(outcomes[0].accuracies)
    lines = [f"{'':20}{'chips':>6}" + (f"{'accuracy':>10}  {'95 %':16}{'of chips':17}" if labelled else "") + "  equal"]
    for each in outcomes:
        line = f"{each.name:20}{each.chips:6}"
        if labelled:
            mean, (low, high) = float(np.mean(each.accuracies)), interval(float(np.mean(each.accuracies)), samples)
            spread = f"{min(each.accuracies):.2%} to {max(each.accuracies):.2%}" if each.chips > 1 else ""
            line += f"{mean:10.2%}  {f'{low:.1%} to {high:.1%}':16}{spread:17}"
        equal = min(layer.equal for layer in each.layers.values())
        lines.append(f"{line}{equal:7.2%}".rstrip())
    return lines


def _layers(outcomes: Sequence[Outcome]) -> list[str]:
    """Signal to error of each population, a column for each setting."""
    settings = [each for each in outcomes if each.name != "ideal"]
    widths = [max(9, len(each.name) + 2) for each in settings]
    head = "".join(f"{each.name:>{width}}" for each, width in zip(settings, widths, strict=True))
    lines = [f"{'SQNR in dB':20}{head}"]
    for name in outcomes[0].layers:
        entries = [_decibels(each.layers[name]) for each in settings]
        row = "".join(f"{entry:>{width}}" for entry, width in zip(entries, widths, strict=True))
        lines.append(f"{name[:_LONGEST]:20}{row}")
    return lines


def _decibels(layer: Layer) -> str:
    if layer.sqnr is not None:
        return f"{layer.sqnr:.1f}"
    return "exact" if layer.equal == 1 else "-"


def _as_json(outcome: Outcome, samples: int) -> dict[str, Any]:
    mean = float(np.mean(outcome.accuracies)) if outcome.accuracies else None
    return {
        "name": outcome.name,
        "chips": outcome.chips,
        "accuracy": mean,
        "interval": None if mean is None else list(interval(mean, samples)),
        "accuracies": list(outcome.accuracies),
        "layers": {name: vars(layer) for name, layer in outcome.layers.items()},
    }
