"""Passes and dialects that are not ours: `--load FILE.py`, `--load package.module`, and installed packages.

An installed package offers passes through the entry-point group `snnir.passes`, one entry per pass:

    [project.entry-points."snnir.passes"]
    my-pass = "my_package.my_module:MyPass"

Only the names are read until a pipeline uses one. A name that is already taken is an error, whoever took it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from xdsl.ir import Dialect
from xdsl.passes import ModulePass

from snnir.errors import SnnirError

ENTRY_POINT_GROUP = "snnir.passes"


@dataclass(frozen=True)
class Extension:
    """What one `--load` brought in."""

    passes: Mapping[str, type[ModulePass]]
    dialects: Mapping[str, Dialect]


def installed_passes() -> dict[str, Callable[[], type[ModulePass]]]:
    """Name -> factory of the passes that installed packages offer; none of them is imported here."""
    found: dict[str, Callable[[], type[ModulePass]]] = {}
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        if entry.name in found:
            raise SnnirError(
                _owner(entry), f"two installed packages offer a pass '{entry.name}'", "uninstall one of them"
            )
        found[entry.name] = _loader(entry)
    return found


def load_extension(target: str) -> Extension:
    """Import a file (`*.py` or a path) or a module by its dotted name, and collect what it defines.

    Passes are the `ModulePass` subclasses that the module itself defines and that have a name, dialects are the
    `Dialect` objects bound in it. Raises `SnnirError`, with the line in the user's file where there is one.
    """
    is_file = target.endswith(".py") or os.sep in target
    module = _import_file(Path(target)) if is_file else _import_module(target)
    passes: dict[str, type[ModulePass]] = {}
    dialects: dict[str, Dialect] = {}
    for value in list(vars(module).values()):
        if isinstance(value, Dialect):
            dialects[value.name] = value
        elif isinstance(value, type) and issubclass(value, ModulePass) and value.__module__ == module.__name__:
            name: object = getattr(value, "name", None)
            if isinstance(name, str):
                if name in passes and passes[name] is not value:
                    raise SnnirError(target, f"two passes of this file are called '{name}'", "rename one of them")
                passes[name] = value
    if not passes and not dialects:
        raise SnnirError(target, "no pass and no dialect in it", "define a subclass of ModulePass with a name")
    return Extension(passes, dialects)


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise SnnirError(path, "no such file", "--load takes a Python file or the dotted name of a module")
    path = path.resolve()
    name = f"snnir_loaded_{path.stem}_{blake2b(str(path).encode(), digest_size=4).hexdigest()}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SnnirError(path, "not a Python file", "--load takes a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    _make_importable(path.parent)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise _import_error(error, str(path)) from error
    return module


def _import_module(name: str) -> ModuleType:
    _make_importable(Path.cwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _import_error(error, name) from error
        raise SnnirError(name, "no such module", "a file is loaded by its path, which ends in .py") from None
    except Exception as error:
        raise _import_error(error, name) from error


def _make_importable(directory: Path) -> None:
    """Modules beside the loaded file can be imported by it, but hide nothing that is installed."""
    if str(directory) not in sys.path:
        sys.path.append(str(directory))


def _import_error(error: Exception, target: str) -> SnnirError:
    """The error at the innermost line of the user's code that raised it."""
    if isinstance(error, SnnirError):
        return error
    if isinstance(error, SyntaxError):
        return SnnirError(f"{error.filename}:{error.lineno}:{error.offset}", f"invalid Python: {error.msg}")
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == target]
    place = f"{target}:{own[-1].lineno}" if own else target
    return SnnirError(place, f"cannot be loaded: {type(error).__name__}: {error}")


def _loader(entry: EntryPoint) -> Callable[[], type[ModulePass]]:
    def load() -> type[ModulePass]:
        try:
            found: object = entry.load()
        except Exception as error:
            raise SnnirError(_owner(entry), f"pass '{entry.name}' cannot be imported: {error}") from error
        if not (isinstance(found, type) and issubclass(found, ModulePass)):
            raise SnnirError(_owner(entry), f"{entry.value} is not a pass", "name a subclass of ModulePass")
        if found.name != entry.name:
            raise SnnirError(
                _owner(entry), f"the pass calls itself '{found.name}'", f"call the entry '{found.name}' too"
            )
        return found

    return load


def _owner(entry: EntryPoint) -> str:
    distribution = entry.dist.name if entry.dist is not None else "unknown package"
    return f"{distribution}:entry point {ENTRY_POINT_GROUP}:{entry.name}"
