"""Reading HDF5 little by little, with every defect of a file turned into a located error.

h5py raises whatever its C library stumbles over; here everything that goes wrong while a file is touched is the file's
fault and is reported with the path inside the file. Large arrays stay in the file: one that lies there in one piece is
memory-mapped by whoever uses it, a compressed one is read when it is used (`Array.tensor`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py as _h5py  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import LocationAttr, NameLoc, NoneAttr, StringAttr

from snnir.errors import SnnirError
from snnir.frontend import hdf5_guard
from snnir.tensors import Tensor, element_name

h5py: Any = _h5py
_READABLE = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM, h5py.h5t.STRING)
_SMALL = 1 << 24
_LARGE = 1 << 20
_PIECE = 1 << 22
_DEFLATE_LIMIT = 2000
_AGAIN = "export or copy the file again"


Damage = Literal["not-hdf5", "truncated", "damaged", "elsewhere", "wrong-type"]
"""What can be wrong with the file itself."""


class FileError(SnnirError):
    """An error that the file itself, and not what it says, is to blame for."""

    def __init__(self, place: Place, damage: Damage, message: str, hint: str) -> None:
        self.damage: Damage = damage
        super().__init__(str(place), message, hint)


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
        return Place(self.file, f"{self.path}/{shown(name)}")

    def error(self, message: str, hint: str = "") -> SnnirError:
        """An error at this place."""
        return SnnirError(str(self), message, hint)


def shown(name: str) -> str:
    """A name as it can be printed."""
    return name if name.isprintable() else name.encode("unicode_escape").decode()


@contextmanager
def reading(place: Place) -> Generator[None]:
    """Whatever h5py raises inside becomes a `SnnirError` at `place`."""
    try:
        yield
    except SnnirError:
        raise
    except (Exception, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FileError(place, "damaged", f"damaged or truncated HDF5 file ({reason})", _AGAIN) from error


class Group:
    """A group of a file."""

    def __init__(self, group: Any, place: Place) -> None:
        self.group, self.place = group, place
        with reading(place):
            self.names: list[str] = sorted(str(name) for name in group)

    @property
    def address(self) -> int:
        """Where the group lies in the file: equal for two names of one group."""
        with reading(self.place):
            return int(h5py.h5o.get_info(self.group.id).addr)

    def child(self, name: str, place: Place | None = None) -> Group | Array | None:
        """A member: a group, an array, or `None` when there is no such name. Links that leave the file are refused."""
        where = place or self.place.inside(name)
        if name not in self.names:
            return None
        with reading(where):
            link = self.group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                hint = "write the model into one file"
                what = f"this is kept in another file ({shown(str(link.filename))})"
                raise FileError(where, "elsewhere", what, hint)
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
        with reading(place):
            self.shape: tuple[int, ...] = tuple(int(n) for n in dataset.shape or ())

    def check(self) -> None:
        """Raise `SnnirError` when the file claims more than it can hold, or neither numbers nor text."""
        with reading(self.place):
            dataset = self.dataset
            if dataset.id.get_type().get_class() not in _READABLE:
                raise ValueError("neither numbers nor text")
            if dataset.external or dataset.is_virtual:
                hint = "write the model into one file"
                raise FileError(self.place, "elsewhere", "the numbers are kept in another file", hint)
            claimed, stored = int(dataset.nbytes), int(dataset.id.get_storage_size())
            if claimed > max(_SMALL, _DEFLATE_LIMIT * stored):
                raise ValueError(f"{claimed} bytes are announced, {stored} are stored")

    def read(self) -> NDArray[Any]:
        """The elements. Raises `SnnirError` as `check` does."""
        self.check()
        with reading(self.place):
            return np.asarray(self.dataset[()])

    def tensor(self, key: str) -> Tensor | None:
        """The elements as a tensor that stays in the file, or `None` for arrays that are small or of odd types."""
        self.check()
        with reading(self.place):
            dataset = self.dataset
            dtype: np.dtype[Any] = dataset.dtype
            if dtype.kind != "f" or dtype.itemsize not in (4, 8) or dataset.nbytes < _LARGE:
                return None
            element = element_name(dtype)
            path = Path(dataset.file.filename).resolve()
            offset = dataset.id.get_offset()
            if offset is None or dtype.byteorder == ">":
                return Tensor(key, self.shape, element, Dataset(path, str(dataset.name), self.place))
            if int(offset) + int(dataset.nbytes) > path.stat().st_size:
                raise ValueError("the numbers reach beyond the end of the file")
            return Tensor.in_file(key, path, int(offset), self.shape, element)

    def texts(self) -> NDArray[Any]:
        """The elements of a dataset of strings, decoded, in an array of objects."""
        array = self.read()
        with reading(self.place):
            flat = [each.decode("utf-8") if isinstance(each, bytes) else each for each in array.ravel().tolist()]
            if not all(isinstance(each, str) for each in flat):
                what = f"text is expected here, not {array.dtype}"
                raise FileError(self.place, "wrong-type", what, "export the file again")
            result = np.empty(len(flat), object)
            result[:] = flat
            return result.reshape(array.shape)


@dataclass(frozen=True)
class Dataset:
    """The elements of a tensor in an HDF5 file, compressed or in chunks. A `snnir.tensors.Stored`."""

    path: Path
    name: str
    place: Place

    def load(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        """All elements."""
        with reading(self.place), h5py.File(self.path, "r") as file:
            array = np.empty(shape, dtype)
            file[self.name].read_direct(array)
            array.flags.writeable = False
            return array

    def pieces(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
        """The elements in row-major order, some rows at a time: whole chunks, so that each is unpacked once."""
        with reading(self.place), h5py.File(self.path, "r") as file:
            dataset = file[self.name]
            height = dataset.chunks[0] if dataset.chunks else 1
            row = max(1, dataset.nbytes // max(1, shape[0]))
            step = max(1, _PIECE // (row * height)) * height
            for start in range(0, shape[0], step):
                yield np.ascontiguousarray(dataset[start : start + step], dtype)


@contextmanager
def opened(path: Path | str) -> Generator[Group]:
    """The root of a file. Raises `SnnirError` when it is missing, of another format, cut off or damaged."""
    place = Place(str(path))
    path = Path(path)
    try:
        foreign = hdf5_guard.foreign(path)
    except FileNotFoundError:
        raise FileError(place, "not-hdf5", "no such file", "name an existing file") from None
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise FileError(place, "not-hdf5", what, "name a readable file") from None
    with reading(place):
        if not h5py.is_hdf5(path):
            what = f"this is {foreign}, not an HDF5 file" if foreign else "this is not an HDF5 file"
            raise FileError(place, "not-hdf5", what, "name a file in HDF5 format, as nir.write makes it")
        missing = hdf5_guard.missing_bytes(path)
        if missing:
            what = f"damaged or truncated HDF5 file (at least {missing} bytes are missing at its end)"
            raise FileError(place, "truncated", what, _AGAIN)
        hdf5_guard.check(path)
        file = h5py.File(path, "r")
    try:
        yield Group(file, place)
    finally:
        with reading(place):
            file.close()
