"""Packages: an application for run time in one file, `.snnpkg`, checked on load.

A package is a zip file of four members, stored, in this order and with fixed times, so that the same build gives the
same bytes; any other zip file is refused. docs/runtime.md has the format.
"""

import json
import os
import re
import struct
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any, NoReturn, cast
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from snnir.errors import SnnirError
from snnir.machine.configuration import CONFIG_FILE, read, strict_json
from snnir.machine.parts import Configuration
from snnir.runtime.application import Actors, Application, Channels, Constraints
from snnir.runtime.consistency import contradiction
from snnir.runtime.platform import Platform

CELLS_FILE = "cells.safetensors"
ARRAYS_FILE = "application.safetensors"
PACKAGE_FILE = "package.json"
MEMBERS = (ARRAYS_FILE, CELLS_FILE, CONFIG_FILE, PACKAGE_FILE)
FORMAT = "snnir-package"
FORMAT_VERSION = 1
MOST_BYTES = (1 << 31) - 1
"""The largest package that is read."""
_AGAIN = "make the package again: snnc compile MODEL --package FILE.snnpkg -o DIRECTORY"
_HEADER = struct.Struct("<4s5H3L2H")
"""The local header of a zip member: signature, version, flags, method, time, date, checksum, sizes, name, extra."""
_MOST_MEMBERS = 16
_FRACTION = re.compile(r"[0-9]{1,18}(/[0-9]{1,18})?")


@dataclass(frozen=True, eq=False)
class Package:
    """A package in memory: what admission needs, the configuration as compiled, and the bytes of its cells.

    `digest`: BLAKE2b of the whole file, 16 bytes in hex; the same for the same application.
    """

    application: Application
    config: Mapping[str, Any]
    cells: bytes
    digest: str


def write_package(target: Path, application: Application, config: bytes, cells: bytes) -> Package:
    """Write a package, whole or not at all; `config` and `cells` are the two files of the emitted configuration.

    Raises `SnnirError` for what could not be read again, and where nothing can be written.
    """
    arrays = {ARRAYS_FILE: save_tensors(_arrays(application)), CELLS_FILE: cells, CONFIG_FILE: config}
    data = _assemble({**arrays, PACKAGE_FILE: _document(application, arrays)})
    package = unpack(target, data)
    try:
        if target.exists() and not target.is_file():  # a device would be replaced
            raise SnnirError(target, "this is no file", "name a file that can be written")
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise SnnirError(target, f"cannot be written ({error.strerror})", "name a file that can") from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise SnnirError(target, f"cannot be written ({error.strerror})", "name a file that can") from None
        raise
    return package


def read_package(path: Path) -> Package:
    """The package in a file, completely checked. Raises `SnnirError`, and nothing else, whatever the file holds."""
    return unpack(path, package_bytes(path))


def package_bytes(path: Path) -> bytes:
    """The bytes of a file that may be a package. Raises `SnnirError`."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SnnirError(path, f"more than {MOST_BYTES} bytes are no package", _AGAIN)
        return path.read_bytes()
    except OSError as error:
        raise SnnirError(path, f"cannot be read: {error.strerror}", "give a .snnpkg file") from None


def unpack(path: Path, data: bytes, checked: str | None = None) -> Package:
    """The package of these bytes, completely checked; `path` is for messages.

    Most of the time goes into the configuration. `checked`: the digest of a package that was checked before; bytes with
    this digest are that package, and are only read.
    """
    digest = blake2b(data, digest_size=16).hexdigest()
    members = _members(path, data)
    raw = _described(path, members)
    if tuple(members) != MEMBERS:
        _fail(path, f"it holds {', '.join(members)}, and not {', '.join(MEMBERS)}")
    place = path / CONFIG_FILE
    if digest == checked:
        config = json.loads(members[CONFIG_FILE])
        application = _application(path, raw, config, Platform.from_json(raw["platform"]), members[ARRAYS_FILE])
        return Package(application, config, members[CELLS_FILE], digest)
    configuration = read(place, members[CONFIG_FILE], lambda name: _cells(place, name, members))
    config = strict_json(place, members[CONFIG_FILE])
    if config["guarantee"] is None:
        _fail(path, "the configuration has no guarantee", CONFIG_FILE)
    application = _application(path, raw, config, _platform(path, raw, configuration), members[ARRAYS_FILE])
    # what was not looked at is as it is written: headers, digests, the spelling of numbers
    if members[PACKAGE_FILE] != _document(application, members):
        _fail(path, "its members do not have the digests that it states, or it states them otherwise", PACKAGE_FILE)
    if _assemble(members) != data:
        _fail(path, "the file is damaged, or was packed by something else")
    problem = contradiction(application, configuration)
    if problem is not None:
        _fail(path, problem, ARRAYS_FILE)
    return Package(application, config, members[CELLS_FILE], digest)


def _fail(path: Path, message: str, member: str = "") -> NoReturn:
    raise SnnirError(path / member if member else path, message, _AGAIN)


def _members(path: Path, data: bytes) -> dict[str, bytes]:
    """The members of a file as `_assemble` makes them, by name; sizes stay within the file."""
    found: dict[str, bytes] = {}
    position = 0
    while data[position : position + 4] == b"PK\3\4" and len(found) < _MOST_MEMBERS:
        if position + _HEADER.size > len(data):
            _fail(path, "the file ends too early")
        _, _, flags, method, *_, packed, size, length, extra = _HEADER.unpack_from(data, position)
        position += _HEADER.size
        name = data[position : position + length].decode("ascii", "backslashreplace")
        if method != ZIP_STORED or flags or packed != size:
            _fail(path, f"member {_short(name)} is compressed or encrypted; members of packages are stored as they are")
        position += length + extra
        if position + size > len(data):
            _fail(path, f"member {_short(name)} is {size} bytes long, and the file ends before")
        if name in found:
            _fail(path, f"member {_short(name)} is there twice")
        found[name] = data[position : position + size]
        position += size
    if PACKAGE_FILE not in found:
        _fail(path, "this is no package, or a damaged one")
    return found


def _short(name: str) -> str:
    return repr(name if len(name) <= 40 else f"{name[:40]}...")


def _described(path: Path, members: Mapping[str, bytes]) -> dict[str, Any]:
    """The description in a package of this version, of which only format and version are checked."""
    place = path / PACKAGE_FILE
    raw = strict_json(place, members[PACKAGE_FILE])
    found = cast(dict[str, Any], raw if isinstance(raw, dict) else {})
    if found.get("format") != FORMAT:
        _fail(path, f"the format is not {FORMAT!r}", PACKAGE_FILE)
    if found.get("version") != FORMAT_VERSION:
        message = f"version {_short(str(found.get('version')))} of the format is not supported"
        raise SnnirError(f"{place}:/version", message, f"version {FORMAT_VERSION} is read; {_AGAIN}")
    return found


def _cells(place: Path, name: str, members: Mapping[str, bytes]) -> bytes:
    if name != CELLS_FILE:
        raise SnnirError(f"{place}:/tensors/file", f"the tensors are not in {CELLS_FILE}", _AGAIN)
    return members[CELLS_FILE]


def _platform(path: Path, raw: Mapping[str, Any], configuration: Configuration) -> Platform:
    """The machine of the configuration, with what only the description says."""
    try:
        multicast, events = raw["platform"]["multicast"], raw["platform"]["events"]
        if isinstance(multicast, bool) and type(events) is int and 0 < events < 1 << 53:
            return Platform(configuration.machine, multicast, events)
    except (KeyError, TypeError):
        pass
    _fail(path, "the platform is not as it should be", PACKAGE_FILE)


def _application(
    path: Path, raw: Mapping[str, Any], config: Mapping[str, Any], platform: Platform, tensors: bytes
) -> Application:
    """The application of a package; names and the guarantee are those of the configuration, which has one."""
    try:
        constraints = Constraints(*(_fraction(raw["constraints"][name]) for name in ("throughput", "latency")))
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        _fail(path, "the constraints are not as they should be", PACKAGE_FILE)
    arrays = _read_arrays(path, tensors)
    slices = [part for crossbar in config["crossbars"] for part in crossbar["slices"]]
    application = Application(
        name=config["name"],
        platform=platform,
        clusters=tuple(crossbar["name"] for crossbar in config["crossbars"]),
        names=tuple(each["name"] for each in [*config["inputs"], *slices, *config["outputs"]]),
        actors=Actors(**{each.name: arrays[f"actors.{each.name}"] for each in fields(Actors)}),
        channels=Channels(**{each.name: arrays[f"channels.{each.name}"] for each in fields(Channels)}),
        where=arrays["where"],
        distance=arrays["distance"],
        period=Fraction(config["guarantee"]["period"]),
        latency=Fraction(config["guarantee"]["latency"]),
        constraints=constraints,
    )
    problem = application.problem()
    if problem is not None:
        _fail(path, problem, ARRAYS_FILE)
    return application


def _fraction(text: Any) -> Fraction | None:
    """A positive fraction from JSON, or None from null. Raises ValueError or ZeroDivisionError for anything else."""
    if text is None:
        return None
    if not isinstance(text, str) or not _FRACTION.fullmatch(text) or not Fraction(text):
        raise ValueError(text)
    return Fraction(text)


def _types() -> dict[str, tuple[str, int]]:
    """The name of each array of an application, its element type and its number of dimensions."""
    found = {f"actors.{each.name}": ("int64", 1) for each in fields(Actors)}
    found |= {f"channels.{each.name}": ("int64", 1) for each in fields(Channels)}
    return {**found, "actors.mean_flits": ("float64", 1), "where": ("int64", 2), "distance": ("uint8", 2)}


def _arrays(application: Application) -> dict[str, NDArray[Any]]:
    """All arrays of an application by name."""
    found = {f"actors.{each.name}": getattr(application.actors, each.name) for each in fields(Actors)}
    found |= {f"channels.{each.name}": getattr(application.channels, each.name) for each in fields(Channels)}
    found |= {"where": application.where, "distance": application.distance}
    return {name: np.ascontiguousarray(found[name], dtype) for name, (dtype, _) in sorted(_types().items())}


def _read_arrays(path: Path, tensors: bytes) -> dict[str, Any]:
    try:
        found = load_tensors(tensors)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        _fail(path, f"not a readable safetensors file ({_short(str(error))})", ARRAYS_FILE)
    types = _types()
    if found.keys() != types.keys():
        wrong = sorted(found.keys() ^ types.keys())[0]
        _fail(path, f"array {_short(wrong)} is missing, or too many", ARRAYS_FILE)
    for name, (dtype, dimensions) in types.items():
        array = found[name]
        if array.dtype != dtype or array.ndim != dimensions:
            _fail(path, f"{name} is not of {dtype} in {dimensions} dimensions", ARRAYS_FILE)
        if not np.isfinite(array).all():
            _fail(path, f"{name} holds what is no number", ARRAYS_FILE)
        array.flags.writeable = False
    return found


def _document(application: Application, members: Mapping[str, bytes]) -> bytes:
    """The text of `package.json`."""
    asked = application.constraints
    document = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "name": application.name,
        "platform": application.platform.as_json(),
        "constraints": {
            "throughput": None if asked.throughput is None else str(asked.throughput),
            "latency": None if asked.latency is None else str(asked.latency),
        },
        "members": {
            name: blake2b(members[name], digest_size=16).hexdigest() for name in MEMBERS if name != PACKAGE_FILE
        },
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def _assemble(members: Mapping[str, bytes]) -> bytes:
    """The zip file of some members: stored, in the order of their names, all of one time and from one system."""
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        for name in sorted(members):
            info = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, members[name])
    return buffer.getvalue()
