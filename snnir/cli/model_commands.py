"""The subcommands of `snnc` for programs: import, sim, diff, profile, fmt. They print what `snnir.api` finds."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Literal

from snnir.api import Net, Run, inputs_in, load
from snnir.cli.arguments import format_of
from snnir.cli.errors import Situation
from snnir.cli.output import check_writable, write_whole
from snnir.cli.progress import progress
from snnir.errors import SnnirError
from snnir.flow.compare import compare, trace
from snnir.flow.difference import differences
from snnir.flow.directory import MANIFEST
from snnir.flow.inventory import inventory, inventory_lines
from snnir.flow.profile import activity_table
from snnir.flow.recordings import RECORDINGS, read_signals
from snnir.flow.text import Report, difference_lines, report_lines
from snnir.flow.variants import step_order
from snnir.passes.snn.profile import measure


def import_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc import`."""
    del situation
    if args.output is not None:
        _check_target(args.output)
    net = _load(args, quiet=True)
    found = {**inventory(net.network), "notes": list(net.notes)}
    left_out = net.save(args.output) if args.output is not None else ()
    if args.json:
        print(json.dumps({**found, "written": _text(args.output), "export_notes": list(left_out)}, indent=1))
        return 0
    print("\n".join([*inventory_lines(found, str(args.model)), *_note_lines("notes", _short(net))]))
    if args.output is not None:
        print("\n".join([*_note_lines("left out", left_out), f"written    {args.output}"]))
    return 0


def sim_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc sim`: exit code 1 when the run differs from a recording."""
    del situation
    if args.output is not None:
        check_writable(args.output)
    net = _load(args)
    names = _names(args.names)
    of_data = {name: key for name, key in names.items() if name in net.inputs}
    of_golden = {name: key for name, key in names.items() if args.data is None or name not in net.inputs}
    golden = None if args.golden is None else net.recording(args.golden, of_golden)
    own = inputs_in(golden, net) if golden is not None and args.data is None else None
    data = args.data if own is None else own
    with progress("simulating") as told:
        run = net.sim(
            data,
            samples=args.samples,
            engine=args.engine,
            voltages=_words(args.voltages),
            names=of_data,
            progress=told,
        )
    result = _summary(run)
    if args.output is not None:
        run.save(args.output)
    report = None
    if golden is not None:
        with progress("looking for what explains it") as told:
            report = run.compare(golden, budget=args.explain, progress=told)
    if args.json:
        print(json.dumps({**result, "golden": None if report is None else report.as_json()}, indent=1))
    else:
        print("\n".join([*_summary_lines(result), *([] if report is None else report_lines(report))]))
    return 0 if report is None or report.equal else 1


def diff_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc diff`: exit code 1 when something differs."""
    del situation
    kinds = [_kind(path) for path in (args.first, args.second)]
    if "recording" in kinds:
        if kinds[0] != kinds[1]:
            model, recording = (args.first, args.second)[:: 1 if kinds[1] == "recording" else -1]
            hint = f"snnc sim {model} --golden {recording}"
            raise SnnirError(recording, "a recording is compared with a recording", f"for a model: {hint}")
        report = _compare_recordings(args)
        print(json.dumps(report.as_json(), indent=1) if args.json else "\n".join(report_lines(report)))
        return 0 if report.equal else 1
    nets = _load_pair(args)
    found = differences(nets[0].network, nets[1].network)
    report = None if args.data is None else _compare_runs(nets[0], nets[1], args)
    if args.json:
        plain = [vars(each) for each in found]
        print(json.dumps({"program": plain, "runs": None if report is None else report.as_json()}, indent=1))
    else:
        lines = difference_lines(found, str(args.first), str(args.second))
        print("\n".join([*lines, *([] if report is None else report_lines(report))]))
    return 1 if found or (report is not None and not report.equal) else 0


def profile_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc profile`."""
    del situation
    if args.output is not None:
        check_writable(args.output)
    net = _load(args)
    driven = net.data(args.data, samples=args.samples, names=_names(args.names))
    with progress("profiling") as told:
        activity = measure(net.network, driven.signals, told)
    for name, each in activity.items():
        net.network.sources[name].activity = each
    if args.output is not None:
        net.save(args.output)
    first = next(iter(driven.signals.values()))
    result = {"samples": first.shape[0], "steps": first.shape[1], "signals": activity_table(activity, args.top)}
    print(json.dumps(result, indent=1) if args.json else "\n".join(_activity_lines(result)))
    return 0


def fmt_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc fmt`: with --check exit code 1 when a file is not formatted; nothing is written unless all can be."""
    from snnir.frontend.snn.format import format_program  # noqa: PLC0415
    from snnir.frontend.source import Source  # noqa: PLC0415

    changed: dict[Path, str] = {}
    for path in args.files:
        situation.input_name = str(path)
        source = Source.load(path)
        text = format_program(source.text, str(path))
        if text.encode() != path.read_bytes():
            changed[path] = text
    if not args.check:
        for path in changed:
            check_writable(path)
        for path, text in changed.items():
            write_whole(path, text)
    for path in changed:
        print(f"{'not formatted' if args.check else 'formatted'}  {path}")
    return 1 if args.check and changed else 0


def _load(args: argparse.Namespace, *, quiet: bool = False) -> Net:
    """The model of a command; its notes go to stderr unless the command prints them."""
    net = load(
        args.model,
        dt=args.dt,
        steps=args.steps,
        semantics=args.semantics,
        reset=args.reset,
        fix=args.fix,
        platform=args.platform,
        format=args.frontend,
    )
    if not quiet:
        _show(net)
    return net


def _show(net: Net) -> None:
    """The notes of a model, on stderr."""
    sys.stderr.write("".join(f"{note}\n" for note in net.notes))


def _load_pair(args: argparse.Namespace) -> list[Net]:
    """Two models, each with the options that say what its format leaves open; of a build the last program."""
    paths = [args.first, args.second]
    open_formats = [not _is_build(path) and format_of(path) not in ("snn", "mlir") for path in paths]
    given = {name: getattr(args, name) for name in ("dt", "steps", "semantics", "reset")}
    nets: list[Net] = []
    for path, open_format in zip(paths, open_formats, strict=True):
        if _is_build(path):
            nets.append(_last_program(path))
        elif open_format or (not any(open_formats) and format_of(path) != "mlir"):
            nets.append(load(path, fix=args.fix, **given))
        else:
            nets.append(load(path))
        _show(nets[-1])
    return nets


def _is_build(path: Path) -> bool:
    return (path / MANIFEST).is_file()


def _last_program(build: Path) -> Net:
    """The last stage of a build that holds a program."""
    from snnir.dialects.snn import networks  # noqa: PLC0415
    from snnir.flow.directory import STAGES, read_manifest  # noqa: PLC0415

    for stage in reversed(read_manifest(build).stages):
        net = load(build / STAGES / stage.file)
        if any(networks(net.module)):
            return net
    raise SnnirError(build, "no stage of this build holds a program", "compile from a .snn, .nir or snn program")


def _kind(path: Path) -> Literal["recording", "model"]:
    if not path.exists():
        raise SnnirError(path, "no such file", "name two recordings, two models, or two build directories")
    return "recording" if path.suffix in RECORDINGS else "model"


def _compare_recordings(args: argparse.Namespace) -> Report:
    found = [read_signals(path).first(args.samples) for path in (args.first, args.second)]
    sides = [{**each.signals, **{f"{name}.v": v for name, v in each.voltages.items()}} for each in found]
    result = compare(sides[0], sides[1])
    if not result.per_population:
        held = ", ".join(sides[0]) or "nothing"
        other = ", ".join(sides[1]) or "nothing"
        raise SnnirError(args.second, "the recordings have no signal in common", f"they hold {held}, and {other}")
    shared = [name for name in sides[0] if name in sides[1]]
    shape = [min(s[name].shape[axis] for s in sides for name in shared) for axis in (0, 1)]
    around = None if result.first is None else trace(sides[0], sides[1], result.first)
    alone = tuple(name for name in (*sides[0], *sides[1]) if name not in shared)
    title = f"{args.first} against {args.second}"
    return Report(title, shape[0], shape[1], result, around, None, alone, ("first", "second"), "compared")


def _compare_runs(first: Net, second: Net, args: argparse.Namespace) -> Report:
    names = _names(args.names)
    with progress("simulating") as told:
        runs = [net.sim(args.data, samples=args.samples, names=names, progress=told) for net in (first, second)]
    sizes = [{name: op.size for name, op in net.populations.items()} for net in (first, second)]
    shared = [name for name, size in sizes[0].items() if sizes[1].get(name) == size]
    sides = [{name: run.spikes[name] for name in shared} for run in runs]
    found = compare(sides[0], sides[1], step_order(first.network))
    around = None if found.first is None else trace(sides[0], sides[1], found.first)
    alone = tuple(dict.fromkeys(name for each in sizes for name in each if name not in shared))
    title = f"{args.first} against {args.second}"
    return Report(title, runs[0].samples, runs[0].steps, found, around, None, alone, ("first", "second"), "compared")


def _summary(run: Run) -> dict[str, Any]:
    """What a run gave, as plain values."""
    moments = run.samples * run.steps
    spiking = {name for name, op in run.net.network.sources.items() if op.emits_spikes}
    totals = {name: float(run.totals(name).sum()) / moments for name in run.spikes}
    return {
        "samples": run.samples,
        "steps": run.steps,
        "engine": run.engine,
        "spikes_per_step": {name: mean for name, mean in totals.items() if name in spiking},
        "mean_value": {name: m / run.spikes[name].shape[2] for name, m in totals.items() if name not in spiking},
        "voltages": {name: [float(v.min()), float(v.max())] for name, v in run.voltages.items()},
        "accuracy": run.accuracy(),
    }


def _summary_lines(result: dict[str, Any]) -> list[str]:
    lines = [f"{result['samples']} samples x {result['steps']} steps"]
    lines += [f"  {name:18} {mean:10.3f} spikes/step" for name, mean in result["spikes_per_step"].items()]
    lines += [f"  {name:18} {mean:10.4g} on average" for name, mean in result["mean_value"].items()]
    lines += [f"  {name:18} membrane from {low:g} to {high:g}" for name, (low, high) in result["voltages"].items()]
    if result["accuracy"] is not None:
        lines.append(f"accuracy {result['accuracy']:.2%}")
    return lines


def _activity_lines(result: dict[str, Any]) -> list[str]:
    lines = [f"{result['samples']} samples x {result['steps']} steps; spikes per step:"]
    lines.append(f"  {'':18}{'neurons':>8}{'mean':>10}{'p50':>7}{'p90':>7}{'p99':>7}{'peak':>7}  silent  most active")
    for name, each in result["signals"].items():
        levels = "".join(f"{each[key]:7}" for key in ("p50", "p90", "p99", "peak"))
        active = ", ".join(f"{n['neuron']}: {n['spikes']:,}" for n in each["most_active"])
        lines.append(f"  {name[:18]:18}{each['neurons']:8}{each['mean']:10.3f}{levels}{each['silent']:8}  {active}")
    return lines


def _note_lines(title: str, notes: tuple[str, ...]) -> list[str]:
    return [f"{title if not n else '':11}{note}" for n, note in enumerate(notes)]


def _short(net: Net) -> tuple[str, ...]:
    """The notes without the name of the file, which stands above."""
    pieces = [note.removeprefix(f"{net.path}:").strip().partition("note: ") for note in net.notes]
    return tuple(place + text for place, _, text in pieces)


def _check_target(path: Path) -> None:
    """Find out before any work starts that there is no writer for a name, or nowhere to write."""
    from snnir.export import FORMATS  # noqa: PLC0415

    if path.suffix and path.suffix not in FORMATS:
        known = ", ".join(f"{ending} ({what})" for ending, (_, what) in FORMATS.items())
        raise SnnirError(path, f"there is no writer for '{path.suffix}' files", f"there are {known}")
    folder = FORMATS.get(path.suffix, ("", "a folder"))[1].startswith("a folder")
    if not folder or not path.parent.is_dir():
        check_writable(path)


def _words(text: str | None) -> list[str]:
    return [] if text is None else [word for word in text.split(",") if word]


def _names(given: list[str]) -> dict[str, str]:
    """`--names hidden=recorded_spyx` as a dictionary."""
    result: dict[str, str] = {}
    for text in (each for words in given for each in _words(words)):
        name, equals, key = text.partition("=")
        if not (name and equals and key):
            raise SnnirError("--names", f"'{text}' is not SIGNAL=ARRAY", "for example --names hidden=recorded_hidden")
        result[name] = key
    return result


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


__all__ = ["diff_command", "fmt_command", "import_command", "profile_command", "sim_command"]
