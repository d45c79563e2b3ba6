"""Named arrays that sit beside the IR: in memory, in a `.safetensors` file, or inline in the text.

A `Tensor` is what the attribute `#snn.tensor` holds: a key, a shape, an element type, a digest and the array itself,
which stays in its file, memory-mapped, until somebody asks for it. Two tensors are equal when key, shape, element type
and bytes are. Where a large tensor is printed is decided by the printing policy in force (`inline`, `elided` or
`beside`); where a file name in the text leads is decided by `source_directory`.
"""

import json
import math
import os
import struct
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError

INLINE_ELEMENTS = 1024
"""Tensors of up to this many elements are always part of the text."""

DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(code)
    for name, code in {
        "f32": "<f4",
        "f64": "<f8",
        "i8": "i1",
        "i16": "<i2",
        "i32": "<i4",
        "i64": "<i8",
        "ui8": "u1",
    }.items()
}
_SAFETENSORS = {"F32": "f32", "F64": "f64", "I8": "i8", "I16": "i16", "I32": "i32", "I64": "i64", "U8": "ui8"}
_HEADER_LIMIT = 100_000_000
_CHUNK = 1 << 22


def element_name(dtype: np.dtype[Any]) -> str:
    """The IR's name (`f32`, `i8`, ...) of a numpy type; `ValueError` for types that the IR has no name for."""
    for name, known in DTYPES.items():
        if known == dtype.newbyteorder("<"):
            return name
    raise ValueError(f"arrays of {dtype} have no element type in the IR; use one of {', '.join(DTYPES)}")


class Stored(Protocol):
    """Elements that lie in a file, in row-major order, and are read when they are used."""

    def load(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """All of them, read-only; mapped into memory where the file allows it."""
        ...

    def pieces(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
        """All of them in pieces of a few megabytes, one after the other, none of which stays in memory."""
        ...


@dataclass(frozen=True, eq=False)
class Tensor:
    """An array with a name. Make one with `Tensor.of`, `Tensor.open` or `Tensor.in_file`."""

    key: str
    shape: tuple[int, ...]
    element: str
    source: NDArray[Any] | Stored = field(repr=False)

    @staticmethod
    def of(key: str, array: NDArray[Any]) -> "Tensor":
        """A tensor around `array` (made contiguous and read-only)."""
        element = element_name(array.dtype)
        data = np.array(array, dtype=DTYPES[element], order="C")
        data.flags.writeable = False
        return Tensor(key, data.shape, element, data)

    @staticmethod
    def open(path: Path, key: str) -> "Tensor":
        """The tensor `key` of a safetensors file, not yet read. Raises `SnnirError` when it is not there."""
        header, start = _read_header(path)
        if key not in header:
            known = ", ".join(sorted(header)[:8])
            raise SnnirError(path, f"no tensor '{key}' in this file", f"it holds: {known}")
        damaged = SnnirError(f"{path}:{key}", "the file is truncated or damaged", "write it again")
        try:
            kind, (begin, end) = str(header[key]["dtype"]), header[key]["data_offsets"]
            shape = tuple(int(n) for n in header[key]["shape"])
            length = end - begin
        except (KeyError, TypeError, ValueError):
            raise damaged from None
        element = _SAFETENSORS.get(kind)
        if element is None:
            raise SnnirError(f"{path}:{key}", f"element type {kind} is not supported", "store it as F32")
        exact = min(shape, default=0) >= 0 and length == math.prod(shape) * DTYPES[element].itemsize
        if not exact or begin < 0 or start + end > path.stat().st_size:
            raise damaged
        return Tensor.in_file(key, path, start + begin, shape, element)

    @staticmethod
    def in_file(key: str, path: Path, begin: int, shape: tuple[int, ...], element: str) -> "Tensor":
        """A tensor whose elements lie in a file from the byte `begin` on, little-endian and row-major, not yet read."""
        return Tensor(key, shape, element, _FileRange(path, begin, math.prod(shape) * DTYPES[element].itemsize))

    @cached_property
    def array(self) -> NDArray[Any]:
        """The elements, read-only; memory-mapped when they come from a file."""
        if isinstance(self.source, np.ndarray):
            return self.source
        if not self.size:
            return np.empty(self.shape, DTYPES[self.element])
        return self.source.load(self.shape, DTYPES[self.element])

    @cached_property
    def digest(self) -> str:
        """The 128-bit BLAKE2b digest, in hex, of the elements in little-endian, row-major order."""
        state = blake2b(digest_size=16)
        for piece in self.pieces():
            state.update(piece.view(np.uint8).data)
        return state.hexdigest()

    @cached_property
    def is_finite(self) -> bool:
        """Whether no element is infinite or not a number."""
        return not self.element.startswith("f") or all(bool(np.isfinite(piece).all()) for piece in self.pieces())

    def pieces(self) -> Iterator[NDArray[Any]]:
        """The elements in row-major order, one array after the other; those of a file do not stay in memory."""
        held = self.source if isinstance(self.source, np.ndarray) else self.__dict__.get("array")
        if held is not None and (held is self.source or held.flags.owndata):
            yield np.ascontiguousarray(held).reshape(-1)
        elif self.size and not isinstance(self.source, np.ndarray):
            yield from self.source.pieces(self.shape, DTYPES[self.element])

    def renamed(self, key: str) -> "Tensor":
        """The same elements under another key; what is known of them already stays known."""
        result = Tensor(key, self.shape, self.element, self.source)
        result.__dict__.update((name, known) for name, known in self.__dict__.items() if name in _KNOWN)
        return result

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def same_elements(self, other: "Tensor") -> bool:
        """Whether shape, element type and bytes are equal."""
        return (self.shape, self.element) == (other.shape, other.element) and self.digest == other.digest

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tensor):
            return NotImplemented
        return self.key == other.key and self.same_elements(other)

    def __hash__(self) -> int:
        return hash((self.key, self.shape, self.element, self.digest))


_KNOWN = ("array", "digest", "is_finite")


@dataclass(frozen=True)
class _FileRange:
    path: Path
    begin: int
    length: int

    def load(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        return np.memmap(self.path, dtype, "r", self.begin, shape).view(np.ndarray)

    def pieces(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
        with self.path.open("rb") as file:
            file.seek(self.begin)
            left = self.length
            while left:
                piece = file.read(min(_CHUNK, left))
                if not piece or len(piece) % dtype.itemsize:
                    raise SnnirError(self.path, "the file became shorter while it was read", "write it again")
                yield np.frombuffer(piece, dtype)
                left -= len(piece)


def _read_header(path: Path) -> tuple[dict[str, Any], int]:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(_HEADER_LIMIT, path.stat().st_size):
                raise ValueError("header longer than the file")
            header = json.loads(file.read(length))
            if not isinstance(header, dict):
                raise ValueError("no header")
    except FileNotFoundError:
        raise SnnirError(path, "no such file", "put the weights file beside the program, or correct its name") from None
    except (OSError, ValueError, struct.error, RecursionError) as error:
        raise SnnirError(path, f"not a readable safetensors file ({error})", "write it again") from None
    entries = cast(dict[str, Any], header)
    entries.pop("__metadata__", None)
    return entries, 8 + length


def keys_of(path: Path) -> tuple[str, ...]:
    """The names of the tensors in a safetensors file, sorted."""
    return tuple(sorted(_read_header(path)[0]))


def write_safetensors(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write the arrays under their keys, whole or not at all (temporary name, then rename).

    Raises `SnnirError` when the disk is full, or refuses otherwise.
    """
    from safetensors import SafetensorError  # noqa: PLC0415  (only needed here)
    from safetensors.numpy import (  # noqa: PLC0415  (only needed here)
        save_file,  # pyright: ignore[reportUnknownVariableType]
    )

    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        save_file({key: np.ascontiguousarray(arrays[key]) for key in sorted(arrays)}, temporary)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, SafetensorError) and "I/O error" in str(error):
            raise SnnirError(path, f"cannot be written ({error})", "is there space on the disk?") from None
        raise


@dataclass
class PrintingPolicy:
    """Where tensors of more than `INLINE_ELEMENTS` elements go when they are printed."""

    mode: Literal["inline", "elided", "beside"] = "inline"
    file_name: str = ""
    stored: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    def store(self, tensor: Tensor) -> str:
        """Remember the tensor for the file beside the text; returns the key under which it will be found there."""
        key, number = tensor.key, 1
        while key in self.stored and not self.stored[key].same_elements(tensor):
            key, number = f"{tensor.key}~{number}", number + 1
        self.stored.setdefault(key, tensor)
        return key


_policy: ContextVar[PrintingPolicy] = ContextVar("policy", default=PrintingPolicy())  # noqa: B039  (never changed)
_directory: ContextVar[Path] = ContextVar("directory", default=Path())


def printing_policy() -> PrintingPolicy:
    """The policy in force."""
    return _policy.get()


@contextmanager
def printing(policy: PrintingPolicy) -> Generator[PrintingPolicy]:
    """Print large tensors by `policy`; one policy may serve several texts."""
    token = _policy.set(policy)
    try:
        yield policy
    finally:
        _policy.reset(token)


def elided() -> AbstractContextManager[PrintingPolicy]:
    """Tensors that would not print as decimals print as `elided`: for people; the text cannot be parsed again."""
    return printing(PrintingPolicy("elided"))


def sink(file_name: str) -> AbstractContextManager[PrintingPolicy]:
    """Large tensors print as references into `file_name`; write them there afterwards (`write_stored`)."""
    return printing(PrintingPolicy("beside", file_name))


def write_stored(policy: PrintingPolicy, directory: Path) -> None:
    """Write the tensors that a `sink` collected into its file in `directory`; nothing when there are none."""
    if policy.stored:
        write_safetensors(directory / policy.file_name, {key: t.array for key, t in policy.stored.items()})


@contextmanager
def source_directory(directory: Path) -> Generator[None]:
    """File names in tensors that are parsed are relative to this directory."""
    token = _directory.set(directory)
    try:
        yield
    finally:
        _directory.reset(token)


def resolve(file_name: str) -> Path:
    """The path of a file that IR text names."""
    return _directory.get() / file_name
