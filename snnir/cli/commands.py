"""What each `snnc` subcommand does."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from snnir import tensors
from snnir.cli.arguments import parse_arguments
from snnir.cli.driver import SNNOptMain
from snnir.cli.errors import Situation
from snnir.cli.output import check_writable
from snnir.cli.pipeline import build_passes
from snnir.dialects.platform import machine_of
from snnir.errors import SnnirError
from snnir.flow.compile import Request, compile_model
from snnir.flow.pipeline import default_pipeline
from snnir.flow.verify import as_json, verify_build
from snnir.report import as_text, summarise_build
from snnir.report.text import verification_lines
from snnir.sim import simulate
from snnir.sim.data import accuracy, read_labels, read_spikes
from snnir.sim.entry import network_in, network_of

Command = Callable[[argparse.Namespace, Situation], int]
VERIFICATION = "verification.json"
"""The outcome of the last `snnc verify`, kept in the build directory for `snnc report`."""


def compile_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc compile`."""
    driver = _driver(args, situation, [argument for path in args.load for argument in ("--load", path)])
    module = _read(driver)
    text = args.pass_pipeline
    if text is None:
        machine = machine_of(module)
        if machine is None:
            hint = 'give --platform file.toml, or write `platform = "file.toml"` in the .snn file'
            raise SnnirError(args.model, "no machine to compile for", hint)
        text = default_pipeline(machine, args.data, args.samples, args.activity)
    passes = build_passes(text, driver.available_passes)
    print(_command_line(args, text))
    request = Request(args.model, text, args.data, args.samples)
    situation.module = module
    compile_model(driver.ctx, module, passes, request, args.output)
    print(as_text(summarise_build(args.output, driver.ctx)))
    print(f"written    {args.output}/ (stages as .mlir, the machine in machine/)")
    return 0


def sim_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc sim`."""
    if args.output is not None:
        check_writable(args.output)
    driver = _driver(args, situation)
    network = network_of(network_in(_read(driver), args.model))
    path = Path(args.data)
    spikes = simulate(network, read_spikes(path, args.samples))
    labels = read_labels(path, args.samples)
    counts = {name: spikes[source].sum(axis=1, dtype=np.int64) for name, source in network.outputs.items()}
    samples, steps = next(iter(spikes.values())).shape[:2]
    result: dict[str, Any] = {
        "samples": samples,
        "steps": steps,
        "spikes_per_step": {name: float(s.sum() / (samples * steps)) for name, s in spikes.items()},
        "accuracy": accuracy(next(iter(counts.values())), labels) if labels is not None and counts else None,
    }
    if args.output is not None:
        _save(args.output, spikes)
    print(json.dumps(result, indent=1) if args.json else _sim_text(result))
    return 0


def verify_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc verify`: exit code 1 when something differs that must not."""
    from snnir.flow.directory import read_manifest  # noqa: PLC0415

    manifest = read_manifest(args.build)
    data = args.data if args.data is not None else manifest.data
    if data is None:
        raise SnnirError(args.build, "no data to verify with", "give --data spikes.npz")
    samples = args.samples if args.samples is not None or args.data is not None else manifest.samples
    context = _driver(argparse.Namespace(model=None), situation).ctx
    result = as_json(verify_build(args.build, context, Path(data), samples, args.timing_steps))
    text = json.dumps(result, indent=1)
    (args.build / VERIFICATION).write_text(text + "\n", encoding="utf-8")
    print(text if args.json else "\n".join(verification_lines(result)))
    return 0 if result["holds"] else 1


def report_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc report`."""
    summary = summarise_build(args.build, _driver(argparse.Namespace(model=None), situation).ctx)
    path = args.build / VERIFICATION
    try:
        verification = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except ValueError as error:
        raise SnnirError(path, f"the verification is damaged ({error})", f"snnc verify {args.build}") from None
    print(
        json.dumps({**summary, "verification": verification}, indent=1) if args.json else as_text(summary, verification)
    )
    return 0


COMMANDS: dict[str, Command] = {
    "compile": compile_command,
    "sim": sim_command,
    "verify": verify_command,
    "report": report_command,
}


def _driver(args: argparse.Namespace, situation: Situation, extra: list[str] | None = None) -> SNNOptMain:
    """The driver of `snn-opt` with the same input arguments: one way to read models and to find passes."""
    words = list(extra or [])
    for name in ("dt", "steps", "semantics", "platform"):
        value = getattr(args, name, None)
        if value is not None:
            words += [f"--{name}", str(value)]
    if args.model is not None:
        words.append(args.model)
    return SNNOptMain(parse_arguments(words), situation)


def _read(driver: SNNOptMain) -> ModuleOp:
    extension = driver.input_extension()
    with tensors.source_directory(driver.source_directory()):
        ((content, _),) = driver.chunks(extension)
        module = driver.available_frontends[extension](BytesIO(content))
    driver.situation.module = module
    module.verify()
    return module


def _command_line(args: argparse.Namespace, pipeline: str) -> str:
    """The `snn-opt` command that does the same."""
    given = {name: getattr(args, name) for name in ("dt", "steps", "semantics", "platform")}
    words = ["snn-opt", args.model]
    words += [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
    words += [word for path in args.load for word in ("--load", str(path))]
    return f"pipeline   {shlex.join(words)} --pass-pipeline={shlex.quote(pipeline)}"


def _save(path: Path, spikes: dict[str, Any]) -> None:
    """Write spikes whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp.npz")
    try:
        np.savez_compressed(temporary, **spikes)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _sim_text(result: dict[str, Any]) -> str:
    lines = [f"{result['samples']} samples x {result['steps']} steps"]
    lines += [f"  {name:18} {mean:10.3f} spikes/step" for name, mean in result["spikes_per_step"].items()]
    if result["accuracy"] is not None:
        lines.append(f"accuracy {result['accuracy']:.2%}")
    return "\n".join(lines)
