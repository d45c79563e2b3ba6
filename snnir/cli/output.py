"""Writing results: a file appears whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from snnir.errors import SnnirError


def check_writable(path: Path) -> None:
    """Find out before any work starts that `path` cannot be written; raises `SnnirError`."""
    if path.is_dir():
        raise SnnirError(path, "this is a directory", "name a file in it")
    if not path.parent.is_dir():
        raise SnnirError(path, f"there is no directory {path.parent}", "create it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise SnnirError(path, "no permission to write this file")


def is_special(path: Path) -> bool:
    """Whether `path` is a device, a pipe or a directory, which cannot be replaced by renaming."""
    return path.exists() and not path.is_file()


def write_whole(path: Path, text: str) -> None:
    """Write `text` under a temporary name beside `path`, then rename; through a link, its target is replaced.

    Raises `SnnirError` that names `path` when the system refuses.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name[:40]}.{os.getpid()}.tmp")  # not longer than names may be
    try:
        if is_special(path):
            path.write_text(text, encoding="utf-8")
            return
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(target)
    except OSError as error:
        raise SnnirError(path, f"cannot be written: {error.strerror}", "name a file that can") from None
    finally:
        temporary.unlink(missing_ok=True)
