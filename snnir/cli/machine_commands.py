"""`snnc machine`: a machine that applications share, kept in a file."""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from snnir.cli.errors import Situation
from snnir.cli.output import check_writable, write_whole
from snnir.errors import SnnirError
from snnir.runtime.admission import Request
from snnir.runtime.application import Constraints
from snnir.runtime.describe import (
    crossbar_number,
    migration_as_json,
    moved_as_json,
    offer_as_json,
    outcome_as_json,
    outcome_as_text,
    state_as_json,
)
from snnir.runtime.draw import as_svg, as_text
from snnir.runtime.fsck import compact, findings
from snnir.runtime.manager import Manager
from snnir.runtime.package import Package, package_bytes, read_package, unpack
from snnir.runtime.platform import Platform
from snnir.runtime.relocate import relocate
from snnir.runtime.state import Resident, Unknown
from snnir.runtime.store import DAMAGED, Store
from snnir.runtime.trace import as_lines, generate, read_trace


def machine_command(args: argparse.Namespace, situation: Situation) -> int:
    """`snnc machine ACTION`."""
    del situation
    if args.action == "create":
        return _create(args)
    if args.action == "serve":
        return _serve(args)
    with closing(Store(args.machine)) as store:
        return ACTIONS[args.action](args, Manager(store))


def _create(args: argparse.Namespace) -> int:
    from snnir.emit import machine_document  # noqa: PLC0415
    from snnir.flow.package import unknown_to_admission  # noqa: PLC0415
    from snnir.frontend.platform import read_platform  # noqa: PLC0415

    target = read_platform(args.platform).data
    problem = unknown_to_admission(target)
    if problem is not None:
        raise SnnirError(args.platform, problem, "choose another platform")
    more = {"multicast": target.tiles.routes == "multicast", "events": target.buffers.events}
    platform = Platform.from_json({**machine_document(target), **more})
    Store.create(args.machine, platform).close()
    _tell(args, {"file": str(args.machine), **platform.as_json()}, f"created    {args.machine}: {_size(platform)}")
    return 0


def _size(platform: Platform) -> str:
    machine = platform.machine
    tiles = "x".join(map(str, machine.mesh))
    return f"{machine.name}, {tiles} tiles, {platform.crossbars} crossbars of {machine.rows}x{machine.columns}"


def _show(args: argparse.Namespace, manager: Manager) -> int:
    state = manager.store.state()
    if args.svg is not None:
        check_writable(args.svg)
        write_whole(args.svg, as_svg(state))
    _tell(args, state_as_json(state), as_text(state))
    return 0


def _admit(args: argparse.Namespace, manager: Manager) -> int:
    if args.output is not None:
        _check_new(args.output)
    data = package_bytes(args.package)
    package = unpack(args.package, data)
    constraints = Constraints(args.throughput, args.latency)
    request = Request(package.application.name if args.name is None else args.name, constraints, args.headroom)
    offer = manager.admit(package, data, request)
    resident = offer.resident
    found = offer_as_json(manager.store.platform, offer)
    lines = [
        f"admitted   {resident.name} on {len(resident.crossbars)} crossbars",
        f"guarantee  {found['steps_per_second']:,.0f} steps/s; step k is out by {found['latency_seconds']:.4g} s"
        f" + k * {found['period_seconds']:.4g} s",
        f"set by     {' -> '.join(offer.critical)}",
    ]
    if args.output is not None:
        _place_or_leave(package, resident, manager, args.output)
        lines.append(f"written    {args.output}/ (config.json, cells.safetensors)")
    _tell(args, found, "\n".join(lines))
    return 0


def _check_new(directory: Path) -> None:
    """Find out before an admission that a directory cannot be made."""
    if directory.exists():
        raise SnnirError(directory, "exists", "name a directory that does not")
    if not os.access(directory.parent, os.W_OK | os.X_OK):
        raise SnnirError(directory, f"{directory.parent} is no folder that can be written", "name another directory")


def _place_or_leave(package: Package, resident: Resident, manager: Manager, target: Path) -> None:
    """Write what an application that has just come runs with; if that fails, it leaves, as if it had not come."""
    try:
        _place(package, resident, manager, target)
    except BaseException:
        with suppress(Unknown):
            manager.remove(resident.name)
        raise


def _place(package: Package, resident: Resident, manager: Manager, target: Path) -> None:
    guarantee = resident.period, resident.latency
    relocate(package, resident.crossbars.tolist(), manager.store.platform, target, guarantee)


def _remove(args: argparse.Namespace, manager: Manager) -> int:
    resident = manager.remove(args.name)
    count = len(resident.crossbars)
    text = f"removed    {resident.name}, its {count} crossbars are free"
    _tell(args, {"removed": resident.name, "crossbars": count}, text)
    return 0


def _emit(args: argparse.Namespace, manager: Manager) -> int:
    resident = manager.store.state().resident(args.name)
    _place(manager.package(resident.package), resident, manager, args.output)
    _tell(args, {"written": str(args.output)}, f"written    {args.output}/ (config.json, cells.safetensors)")
    return 0


def _fail(args: argparse.Namespace, manager: Manager) -> int:
    moved = manager.fail(_crossbar(args, manager))
    lines = [f"faulty     crossbar {args.crossbar}"]
    if moved is not None and moved.offer is not None:
        rate = float(moved.offer.steps_per_second)
        lines.append(f"moved      {moved.name}, guaranteed {rate:,.0f} steps/s there; its run begins anew")
    elif moved is not None:
        lines.append(f"removed    {moved.name}: {'' if moved.refusal is None else moved.refusal.message}")
    found = {"crossbar": args.crossbar, "moved": moved_as_json(manager.store.platform, moved)}
    _tell(args, found, "\n".join(lines))
    return 0


def _repair(args: argparse.Namespace, manager: Manager) -> int:
    manager.repair(_crossbar(args, manager))
    _tell(args, {"free": args.crossbar}, f"free       crossbar {args.crossbar}")
    return 0


def _reserve(args: argparse.Namespace, manager: Manager) -> int:
    manager.reserve(_crossbar(args, manager))
    _tell(args, {"reserved": args.crossbar}, f"reserved   crossbar {args.crossbar}")
    return 0


def _crossbar(args: argparse.Namespace, manager: Manager) -> int:
    """The number of the crossbar X,Y,N."""
    words = args.crossbar.split(",")
    if len(words) != 3 or not all(re.fullmatch("[0-9]{1,9}", word.strip()) for word in words):
        raise SnnirError(args.crossbar, "is no crossbar", "give X,Y,N: crossbar N of tile X, Y, counted from 0")
    x, y, number = map(int, words)
    return crossbar_number(manager.store.platform, x, y, number)


def _defragment(args: argparse.Namespace, manager: Manager) -> int:
    moves = manager.defragment(really=not args.dry_run)
    word = "would move" if args.dry_run else "moved"
    cost = "{} crossbars, {:,} cells to program"
    lines = [f"{word:11}{move.before.name}: {cost.format(move.crossbars, move.cells)}" for move in moves]
    found = [migration_as_json(manager.store.platform, move) for move in moves]
    _tell(args, found, "\n".join(lines or ["nothing to move"]))
    return 0


def _replay(args: argparse.Namespace, manager: Manager) -> int:
    """A trace on an empty machine of the same kind; the machine in the file is not touched."""
    from snnir.runtime.replay import replay  # noqa: PLC0415  (its simulator takes a second to load)

    platform = manager.store.platform
    packages: dict[str, Package] = {}
    for path in args.packages:
        package = read_package(path)
        problem = platform.misfit(package.application.platform)
        if problem is not None:
            raise SnnirError(path, problem, "leave it out, or compile it for this machine")
        if path.stem in packages:
            raise SnnirError(path, f"two packages are called '{path.stem}'", "leave it out, or rename it")
        packages[path.stem] = package
    applications = {name: package.application for name, package in packages.items()}
    if args.trace is not None:
        events = read_trace(args.trace, applications, platform)
    else:
        events = generate(applications, platform, args.events, args.seed, float(args.load))
    if args.save_trace is not None:
        write_whole(args.save_trace, "".join(f"{line}\n" for line in as_lines(events)))
    outcome = replay(platform, packages, events)
    found = outcome_as_json(platform, outcome)
    _tell(args, found, outcome_as_text(found))
    return 1 if outcome.broken or outcome.late else 0


def _fsck(args: argparse.Namespace, manager: Manager) -> int:
    found = list(findings(manager.store))
    lines = [f"{manager.store.path}: error: {each}" for each in found] + [f"  fix: {DAMAGED}"] * bool(found)
    text = "\n".join(lines) or f"sound      {len(manager.store.state().residents)} applications"
    _tell(args, {"sound": not found, "findings": found}, text)
    return 1 if found else 0


def _compact(args: argparse.Namespace, manager: Manager) -> int:
    path, store = manager.store.path, manager.store
    before, count = path.stat().st_size, compact(store, args.keep)
    kept, after = sum(event.kind != "base" for event in store.events()), path.stat().st_size
    text = f"compacted  {count:,} changes forgotten, the last {kept:,} kept; {before:,} bytes before, {after:,} now"
    _tell(args, {"forgotten": count, "kept": kept, "bytes_before": before, "bytes": after}, text)
    return 0


def _serve(args: argparse.Namespace) -> int:
    """Until it is interrupted or told to end."""
    try:
        from snnir.runtime.listen import listen, read_token  # noqa: PLC0415  (not installed everywhere)
    except ModuleNotFoundError as error:
        raise SnnirError("snnc machine serve", f"needs {error.name}", "pip install 'snnir[serve]'") from None
    token = None if args.token_file is None else read_token(args.token_file)
    listen(args.machine, args.host, args.port, token, lambda url: _tell(args, {"url": url}, f"serving    {url}"))
    return 0


def _tell(args: argparse.Namespace, values: Any, text: str) -> None:
    print(json.dumps(values, indent=1) if args.json else text, flush=True)


ACTIONS: dict[str, Callable[[argparse.Namespace, Manager], int]] = {
    "show": _show,
    "admit": _admit,
    "remove": _remove,
    "emit": _emit,
    "fail": _fail,
    "repair": _repair,
    "reserve": _reserve,
    "defragment": _defragment,
    "replay": _replay,
    "fsck": _fsck,
    "compact": _compact,
}
"""Each action but `create`, which makes the file, and `serve`, which opens it in another thread."""
