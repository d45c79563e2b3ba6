"""Reading HDF5 little by little, with every defect of a file turned into a located error.

h5py raises whatever its C library stumbles over; here everything that goes wrong while a file is touched is the file's
fault and is reported with the path inside the file.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from struct import unpack_from
from typing import Any, NoReturn

if sys.platform == "linux":
    import resource

import h5py as _h5py  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import LocationAttr, NameLoc, NoneAttr, StringAttr

from snnir.errors import SnnirError

h5py: Any = _h5py
_READABLE = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM, h5py.h5t.STRING)
_SMALL = 1 << 24
_DEFLATE_LIMIT = 2000
_HEAP = b"GCOL\x01\0\0\0"
_HEADER = 16


@dataclass(frozen=True)
class Place:
    """A path inside a file: `model.nir:/nodes/lif1`. An `Origin` (see `snnir.frontend.network`)."""

    file: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.path}" if self.path else self.file

    @property
    def location(self) -> LocationAttr:
        """The place as an attribute of the IR."""
        return NameLoc(StringAttr(str(self)), NoneAttr())

    def inside(self, name: str) -> Place:
        """The place of a member; characters that cannot be printed are shown escaped."""
        shown = name if name.isprintable() else name.encode("unicode_escape").decode()
        return Place(self.file, f"{self.path}/{shown}")

    def error(self, message: str, hint: str = "") -> SnnirError:
        """An error at this place."""
        return SnnirError(str(self), message, hint)


@contextmanager
def reading(place: Place) -> Generator[None]:
    """Whatever h5py raises inside becomes a `SnnirError` at `place`."""
    try:
        yield
    except SnnirError:
        raise
    except (Exception, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise place.error(f"damaged or truncated HDF5 file ({reason})", "export or copy the file again") from error


class Group:
    """A group of a file."""

    def __init__(self, group: Any, place: Place) -> None:
        self.group, self.place = group, place
        with reading(place):
            self.names: list[str] = sorted(str(name) for name in group)

    def child(self, name: str, place: Place | None = None) -> Group | Array | None:
        """A member: a group, an array, or `None` when there is no such name."""
        where = place or self.place.inside(name)
        if name not in self.names:
            return None
        with reading(where):
            item = self.group[name]
            if isinstance(item, h5py.Group):
                return Group(item, where)
            if isinstance(item, h5py.Dataset):
                return Array(item, where)
            raise TypeError("neither a group nor a dataset")


class Array:
    """A dataset that has not been read yet."""

    def __init__(self, dataset: Any, place: Place) -> None:
        self.dataset, self.place = dataset, place

    def read(self) -> NDArray[Any]:
        """The elements. Raises `SnnirError` when the file claims more than it can hold, or neither numbers nor text."""
        with reading(self.place):
            if self.dataset.id.get_type().get_class() not in _READABLE:
                raise ValueError("neither numbers nor text")
            claimed, stored = int(self.dataset.nbytes), int(self.dataset.id.get_storage_size())
            if claimed > max(_SMALL, _DEFLATE_LIMIT * stored):
                raise ValueError(f"{claimed} bytes are announced, {stored} are stored")
            return np.asarray(self.dataset[()])

    def texts(self) -> NDArray[Any]:
        """The elements of a dataset of strings, decoded, in an array of objects."""
        array = self.read()
        with reading(self.place):
            flat = [each.decode("utf-8") if isinstance(each, bytes) else each for each in array.ravel().tolist()]
            if not all(isinstance(each, str) for each in flat):
                raise self.place.error(f"text is expected here, not {array.dtype}", "export the file again")
            result = np.empty(len(flat), object)
            result[:] = flat
            return result.reshape(array.shape)


@contextmanager
def opened(path: Path | str) -> Generator[Group]:
    """The root of a file. Raises `SnnirError` when it is missing or not HDF5."""
    place = Place(str(path))
    try:
        with Path(path).open("rb") as stream:
            stream.read(1)
    except FileNotFoundError:
        raise place.error("no such file", "name an existing file") from None
    except OSError as error:
        raise place.error(f"cannot be read: {error.strerror}", "name a readable file") from None
    with reading(place):
        if not h5py.is_hdf5(path):
            raise place.error("this is not an HDF5 file", "name a file in HDF5 format; it may be empty or truncated")
        _check_heaps(Path(path))
        _check_by_trying(Path(path))
        file = h5py.File(path, "r")
    try:
        yield Group(file, place)
    finally:
        with reading(place):
            file.close()


def _check_heaps(path: Path) -> None:
    """Raise `ValueError` when a global heap, in which HDF5 keeps texts, is damaged.

    The C library follows the sizes in it blindly and then never comes back. Layout: HDF5 file format specification 3.0,
    III.E "Disk Format: Level 1E - Global Heap".
    """
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        start = data.find(_HEAP)
        while start >= 0:
            (size,) = unpack_from("<Q", data, start + 8) if start + _HEADER <= len(data) else (0,)
            if not _HEADER <= size <= len(data) - start:
                raise ValueError("a heap of texts reaches beyond the end of the file")
            position = _HEADER
            while position + _HEADER <= size:
                index, _, _, length = unpack_from("<HHIQ", data, start + position)
                step = length if index == 0 else _HEADER + (length + 7) // 8 * 8
                if step < _HEADER or position + step > size or (index == 0 and position + step != size):
                    raise ValueError("a heap of texts is inconsistent")
                position += step
            start = data.find(_HEAP, start + 1)


def _check_by_trying(path: Path) -> None:
    """Raise `ValueError` when the C library crashes on a file or never ends: a child process reads all of it first.

    Flipped bits make HDF5 follow lists in circles (about one flipped byte in a thousand does), which nothing inside the
    process can stop. A child costs some milliseconds on Linux; elsewhere a fork is not safe and the file is trusted.
    """
    if sys.platform != "linux":
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        _read_everything(path)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) != signal.SIGALRM:
        endless = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
        raise ValueError("reading it never ends" if endless else "reading it crashes the HDF5 library")


def _read_everything(path: Path) -> NoReturn:
    """The child: touch every dataset, whatever errors come up, within limits of time, and exit."""
    try:
        faulthandler.disable()
        seconds = 2 + path.stat().st_size // 100_000
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(20 * seconds)
        with h5py.File(path, "r") as file:
            file.visititems(_touch)
    finally:
        os._exit(0)


def _touch(name: str, item: Any) -> None:
    if isinstance(item, h5py.Dataset):
        with suppress(SnnirError):
            Array(item, Place(name)).read()
