"""Files that are written whole or not at all."""

from collections.abc import Generator
from contextlib import contextmanager
from os import getpid
from pathlib import Path

from snnir.errors import SnnirError


@contextmanager
def whole_or_not(path: Path) -> Generator[Path]:
    """A temporary name beside `path`, renamed to it at the end. Raises `SnnirError` where that is not possible."""
    temporary = path.with_name(f".{path.name}.{getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise SnnirError(path, f"cannot be written ({error.strerror or error})", "name another file") from None
    finally:
        temporary.unlink(missing_ok=True)
