"""Folders that appear whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from snnir.errors import SnnirError


@contextmanager
def whole_directory(path: Path) -> Generator[Path]:
    """A new folder beside `path`, which becomes `path` at the end and vanishes when anything goes wrong.

    Raises `SnnirError` when `path` exists already (unless it is an empty folder) or cannot be made.
    """
    if path.is_symlink() or (path.exists() and not (path.is_dir() and not any(path.iterdir()))):
        raise SnnirError(path, "this exists already", "remove it, or name another folder")
    if not path.parent.is_dir():
        raise SnnirError(path, f"there is no directory {path.parent}", "create it first")
    temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        temporary.mkdir()
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise SnnirError(path, f"cannot be written: {error.strerror or error}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
