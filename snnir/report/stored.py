"""Reports that a build directory keeps as JSON: read back, whole and of the version that is known."""

import json
from pathlib import Path
from typing import Any

from snnir.errors import SnnirError


def read_stored(path: Path, kind: str, version: int, what: str) -> dict[str, Any] | None:
    """The content of a file of format `kind`; `None` where a build has none. `what` names it in errors.

    Raises `SnnirError` when it is damaged or of another version.
    """
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if (found["format"], found["version"]) != (kind, version):
            raise SnnirError(path, f"version {found['version']} of {found['format']}", "compile again")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SnnirError(path, f"{what} ({error})", "compile again") from None
    return found
