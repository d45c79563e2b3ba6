"""A package at its place on a machine: the configuration that the crossbars and routers there are programmed with."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from snnir.errors import SnnirError
from snnir.machine.configuration import CONFIG_FILE, FORMAT_VERSION
from snnir.machine.parts import UNIT_SECONDS, Machine, Place, Tile
from snnir.machine.topology import branches
from snnir.runtime.package import CELLS_FILE, Package
from snnir.runtime.platform import Platform, codes_of

Guarantee = tuple[Fraction, Fraction]
"""Period and latency, in the platform's unit."""


def relocate(
    package: Package, crossbars: Sequence[int], target: Platform, directory: Path, guarantee: Guarantee | None = None
) -> None:
    """Write the configuration of `relocated` and its cells to a new directory, whole or not at all.

    `snnir.machine.load` reads it, and it computes the same spikes as at any other place.
    """
    document = relocated(package, crossbars, target, guarantee)
    try:
        if directory.exists():
            raise SnnirError(directory, "exists", "name a directory that does not")
        temporary = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    except OSError as error:
        raise SnnirError(directory, f"cannot be written ({error.strerror})", "name a directory that can") from None
    try:
        temporary.chmod(0o755)
        (temporary / CELLS_FILE).write_bytes(package.cells)
        (temporary / CONFIG_FILE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        os.rename(temporary, directory)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            raise SnnirError(directory, f"cannot be written ({error.strerror})", "name a directory that can") from None
        raise


def relocated(
    package: Package, crossbars: Sequence[int], target: Platform, guarantee: Guarantee | None = None
) -> dict[str, Any]:
    """The `config.json` of a package whose cluster c is on crossbar number `crossbars[c]` of the machine `target`.

    Places, machine and routes are those of the target; the guarantee is the one given, or null; the rest is as
    compiled. Raises `SnnirError` for a machine of another kind and for crossbars that are not there or taken twice.
    """
    machine = target.machine
    _check(package, crossbars, target)
    sites = [divmod(int(number), machine.crossbars_per_tile) for number in crossbars]
    tiles = [(tile % machine.mesh[0], tile // machine.mesh[0]) for tile, _ in sites]
    config = package.config
    places = zip(config["crossbars"], tiles, sites, strict=True)
    promised = dict(config["guarantee"])
    if guarantee is not None:
        period, latency = guarantee
        rate = 1 / (period * UNIT_SECONDS[machine.time.unit])
        promised |= {"period": str(period), "latency": str(latency), "steps_per_second": float(rate)}
    return {
        **config,
        "version": FORMAT_VERSION,
        "machine": machine_document(machine),
        "crossbars": [{**each, "tile": list(tile), "index": index} for each, tile, (_, index) in places],
        "flows": _flows(package, tiles, target),
        "guarantee": None if guarantee is None else promised,
    }


def _check(package: Package, crossbars: Sequence[int], target: Platform) -> None:
    application = package.application
    problem = target.misfit(application.platform)
    if problem is not None:
        raise SnnirError(application.name, f"not for '{target.machine.name}': {problem}", "compile it for this machine")
    numbers = [int(number) for number in crossbars]
    if len(numbers) != len(application.clusters):
        message = f"{len(numbers)} crossbars for {len(application.clusters)} clusters"
        raise SnnirError(application.name, message, "give one for each")
    for number in numbers:
        if not 0 <= number < target.crossbars:
            message = f"'{target.machine.name}' has no crossbar {number}"
            raise SnnirError(application.name, message, f"numbers go from 0 to {target.crossbars - 1}")
    if len(set(numbers)) < len(numbers):
        raise SnnirError(application.name, "a crossbar is given to two clusters", "give each its own")


def machine_document(machine: Machine) -> dict[str, Any]:
    """The entry `machine` of a configuration."""
    return {
        "name": machine.name,
        "mesh": list(machine.mesh),
        "crossbars_per_tile": machine.crossbars_per_tile,
        "host": list(machine.host),
        "rows": machine.rows,
        "columns": machine.columns,
        "weight_bits": machine.weight_bits,
        "arbitration": "round-robin",
        "time": asdict(machine.time),
        "arity": machine.arity,
        "chip": None if machine.chip is None else list(machine.chip),
        **codes_of(machine),
    }


def _flows(package: Package, tiles: Sequence[Tile], target: Platform) -> list[dict[str, Any]]:
    """The routes: one to each other tile that reads a source and to the host, or one tree to all of them.

    Sources in the order of the configuration, destinations row by row and the host last, as the compiler has them.
    """
    application, machine = package.application, target.machine
    cluster: list[int] = application.actors.cluster.tolist()
    pairs: list[tuple[int, int]] = np.stack((application.channels.source, application.channels.target), axis=1).tolist()
    at: list[Place] = ["host" if number < 0 else tiles[number] for number in cluster]
    ends: dict[int, set[Place]] = {}
    for source, reader in pairs:
        if at[source] != at[reader]:
            ends.setdefault(source, set()).add(at[reader])
    return [
        _flow(machine, application.names[source], at[source], to)
        for source in sorted(ends)
        for to in _trees(_in_order(ends[source]), target.multicast)
    ]


def _in_order(ends: Iterable[Place]) -> list[Place]:
    """Tiles row by row, then the host."""
    return sorted(ends, key=lambda end: (1, 0, 0) if end == "host" else (0, end[1], end[0]))


def _trees(ends: list[Place], multicast: bool) -> list[list[Place]]:
    return [ends] if multicast else [[end] for end in ends]


def _flow(machine: Machine, source: str, start: Place, to: Sequence[Place]) -> dict[str, Any]:
    routers = [machine.host if end == "host" else end for end in to]
    found = branches(machine, machine.host if start == "host" else start, routers)
    return {
        "from": source,
        "to": [end if end == "host" else list(end) for end in to],
        "branches": [[list(router) for router in branch] for branch in found],
    }
