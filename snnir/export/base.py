"""What all writers share: files that appear whole or not at all, errors that blame an op, texts for notes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path

from xdsl.ir import Operation

from snnir.dialects.places import place_of
from snnir.dialects.snn import InputOp, NetworkOp, NeuronOp, OutputOp
from snnir.errors import SnnirError
from snnir.semantics import Semantics

_LISTED = 6


@contextmanager
def whole(path: Path) -> Generator[Path]:
    """A temporary path beside `path`, which takes its place at the end, or is removed when anything is raised.

    Raises `SnnirError` when nothing can be written there.
    """
    target = path.resolve()
    if target.is_dir():
        raise SnnirError(path, "this is a directory", "name a file in it")
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        hint = "name a file in a directory that exists and is yours"
        raise SnnirError(path, f"cannot be written: {error.strerror}", hint) from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:
        raise SnnirError(path, f"cannot be written: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)


def refusal(op: Operation, path: Path, message: str, hint: str) -> SnnirError:
    """The error for an op that a format cannot state, at the op's place in the user's files."""
    return SnnirError(place_of(op, str(path)), message, hint)


def title(op: Operation) -> str:
    """`@hidden`, or `snn.dense %fc` for an op without a symbol: to be put into messages."""
    if isinstance(op, InputOp | NeuronOp | OutputOp):
        return f"@{op.sym_name.data}"
    hint = op.results[0].name_hint if op.results else None
    return f"{op.name} %{hint}" if hint else op.name


def listed(names: Iterable[str]) -> str:
    """`@a, @b and 7 more`."""
    each = list(names)
    rest = f" and {len(each) - _LISTED} more" if len(each) > _LISTED else ""
    return ", ".join(each[:_LISTED]) + rest


def semantics_by_kind(network: NetworkOp) -> dict[str, list[str]]:
    """How the populations' semantics differ from the preset `nir`, as text, and the populations of each kind."""
    found: dict[str, list[str]] = {}
    for op in network.body.block.ops:
        if isinstance(op, NeuronOp):
            found.setdefault(_differences(op.semantics.data.differences(Semantics())), []).append(title(op))
    return found


def _differences(fields: Mapping[str, str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in fields.items())
