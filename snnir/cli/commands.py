"""The subcommands of `snnc` for builds: compile, verify, report; and where to find the others."""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.cli.arguments import parse_arguments
from snnir.cli.driver import SNNOptMain, read_module
from snnir.cli.errors import Situation
from snnir.cli.output import is_special
from snnir.cli.pipeline import build_passes
from snnir.cli.progress import progress
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import networks
from snnir.errors import SnnirError
from snnir.flow.compile import Request, compile_model
from snnir.flow.pipeline import default_pipeline
from snnir.flow.verify import as_json, verify_build
from snnir.passes.base import progress_told
from snnir.report.summary import summarise_build
from snnir.report.text import as_text, verification_lines

Command = Callable[[argparse.Namespace, Situation], int]
VERIFICATION = "verification.json"
"""The outcome of the last `snnc verify`, kept in the build directory for `snnc report`."""


def compile_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc compile`."""
    driver = model_driver(args, situation, [argument for path in args.load for argument in ("--load", path)])
    module = read_module(driver)
    text = args.pass_pipeline
    if text is None:
        machine = machine_of(module)
        if machine is None:
            hint = 'give --platform file.toml, or write `platform = "file.toml"` in the .snn file'
            raise SnnirError(args.model, "no machine to compile for", hint)
        text = default_pipeline(machine, args.data, args.samples, args.activity, next(networks(module), None))
    passes = build_passes(text, driver.available_passes)
    _check_package(args, [each.name for each in passes], module)
    print(_command_line(args, text))
    request = Request(args.model, text, args.data, args.samples)
    situation.module = module
    with progress("profiling") as told, progress_told(lambda _, done, total: told(done, total) if told else None):
        compile_model(driver.ctx, module, passes, request, args.output)
    print(as_text(summarise_build(args.output, driver.ctx)))
    print(f"written    {args.output}/ (stages as .mlir, the machine in machine/)")
    if args.package is not None:
        _package(args, driver.ctx)
    return 0


def _check_package(args: argparse.Namespace, passes: list[str], module: ModuleOp) -> None:
    """Say before all work that there will be no package, where that is plain."""
    if args.package is None:
        for name in ("throughput", "latency"):
            if getattr(args, name) is not None:
                raise SnnirError(f"--{name}", "only a package can ask for something", "add --package FILE.snnpkg")
        return
    from snnir.flow.package import check_target  # noqa: PLC0415

    if is_special(args.package) or not args.package.absolute().parent.is_dir():
        raise SnnirError(args.package, "cannot be written", "name a file in a folder that is there")
    check_target(args.model, machine_of(module), passes, module)


def _package(args: argparse.Namespace, context: Context) -> None:
    from snnir.flow.package import package_build  # noqa: PLC0415
    from snnir.runtime.application import Constraints  # noqa: PLC0415

    found = package_build(args.output, context, args.package, Constraints(args.throughput, args.latency))
    count = len(found.application.clusters)
    print(f"package    {args.package}: {count} cluster{'s' if count > 1 else ''}, digest {found.digest}")


def verify_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc verify`: exit code 1 when something differs that must not."""
    from snnir.flow.directory import read_manifest  # noqa: PLC0415

    manifest = read_manifest(args.build)
    data = args.data if args.data is not None else manifest.data
    if data is None:
        raise SnnirError(args.build, "no data to verify with", "give --data spikes.npz")
    samples = args.samples if args.samples is not None or args.data is not None else manifest.samples
    context = model_driver(argparse.Namespace(model=None), situation).ctx
    result = as_json(verify_build(args.build, context, Path(data), samples, args.timing_steps))
    text = json.dumps(result, indent=1)
    (args.build / VERIFICATION).write_text(text + "\n", encoding="utf-8")
    print(text if args.json else "\n".join(verification_lines(result)))
    return 0 if result["holds"] else 1


def report_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc report`."""
    summary = summarise_build(args.build, model_driver(argparse.Namespace(model=None), situation).ctx)
    path = args.build / VERIFICATION
    try:
        verification = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    except ValueError as error:
        raise SnnirError(path, f"the verification is damaged ({error})", f"snnc verify {args.build}") from None
    print(
        json.dumps({**summary, "verification": verification}, indent=1) if args.json else as_text(summary, verification)
    )
    return 0


COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("snnir.cli.check_command", "check_command"),
    "compile": ("snnir.cli.commands", "compile_command"),
    "import": ("snnir.cli.model_commands", "import_command"),
    "sim": ("snnir.cli.model_commands", "sim_command"),
    "diff": ("snnir.cli.model_commands", "diff_command"),
    "profile": ("snnir.cli.model_commands", "profile_command"),
    "encode": ("snnir.cli.encode_command", "encode_command"),
    "fmt": ("snnir.cli.model_commands", "fmt_command"),
    "verify": ("snnir.cli.commands", "verify_command"),
    "report": ("snnir.cli.commands", "report_command"),
    "analog": ("snnir.cli.analog_command", "analog_command"),
    "train": ("snnir.cli.train_command", "train_command"),
    "sensitivity": ("snnir.cli.sensitivity_command", "sensitivity_command"),
    "machine": ("snnir.cli.machine_commands", "machine_command"),
}
"""Subcommand -> the module and the name of the function that does it; only that one is imported."""


def command_named(name: str) -> Command:
    """The function of a subcommand."""
    module, function = COMMANDS[name]
    return getattr(import_module(module), function)


def model_driver(args: argparse.Namespace, situation: Situation, extra: list[str] | None = None) -> SNNOptMain:
    """The driver of `snn-opt` with the same input arguments: one way to read models and to find passes."""
    words = list(extra or [])
    words += _model_words(args)
    if args.model is not None:
        words.append(args.model)
    return SNNOptMain(parse_arguments(words), situation)


def _command_line(args: argparse.Namespace, pipeline: str) -> str:
    """The `snn-opt` command that does the same."""
    words = ["snn-opt", args.model, *_model_words(args)]
    words += [word for path in args.load for word in ("--load", str(path))]
    return f"pipeline   {shlex.join(words)} --pass-pipeline={shlex.quote(pipeline)}"


def _model_words(args: argparse.Namespace) -> list[str]:
    """What was said about the model, as arguments of `snn-opt`."""
    given = {name: getattr(args, name, None) for name in ("frontend", "dt", "steps", "semantics", "reset", "platform")}
    words = [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
    return [*words, "--fix"] if getattr(args, "fix", False) else words
