"""The Heidelberg datasets, SHD and SSC: spoken words as spikes of 700 channels of a cochlea, in HDF5.

Layout as published (Cramer et al., IEEE TNNLS 33:2744, 2022; compneuro.net):

```
spikes/times   (samples,) of variable length, floats, seconds
spikes/units   (samples,) of variable length, whole numbers from 0 to 699, the channel of each time
labels         (samples,) whole numbers
extra/speaker  (samples,) whole numbers            extra/keys  (classes,) texts: what the labels mean
extra/meta_info/gender, age, body_height           of each speaker
```

Published files come as `.h5.gz`; these are unpacked into a temporary file first, since HDF5 is not read in order. The
times of a sample need not be sorted: in a step nothing comes first. The published times are 16-bit floats, exact to 1
ms above 1 s.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py as _h5py  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.frontend.hdf5_guard import check, foreign, missing_bytes
from snnir.train.data.dataset import Recording

h5py: Any = _h5py
Array = NDArray[Any]
Members = dict[str, Any]
"""Path in the file -> data set of h5py."""

CHANNELS = 700
"""Neurons of the cochlea."""
PIECE = 64
"""Samples that are read from the file at once."""
LARGEST_BYTES = 1 << 36
"""What unpacks to more than this is refused."""
REQUIRED = ("spikes/times", "spikes/units", "labels")
AGAIN = "download or unpack the file again"


def recordings(path: Path) -> Iterator[Recording]:
    """The samples in the order of the file, with `speaker` where the file has it.

    Raises `SnnirError` that names the place in the file: when it is missing, of another format, cut off or damaged, or
    when a group is missing, of another type, or of another length than the rest.
    """
    with _opened(path) as members:
        times, units, labels = (members[name] for name in REQUIRED)
        speaker = members.get("extra/speaker")
        for start in range(0, len(labels), PIECE):
            part = slice(start, start + PIECE)
            with _reading(path, "spikes"):
                columns = [each[part] for each in (times, units, labels)]
                speakers = None if speaker is None else speaker[part]
            for row, (when, which, label) in enumerate(zip(*columns, strict=True)):
                place = f"{path}:/spikes/times[{start + row}]"
                about = {} if speakers is None else {"speaker": int(speakers[row])}
                yield Recording(place, when.astype(np.float64), which.astype(np.int64), int(label), about)


def class_names(path: Path) -> tuple[str, ...]:
    """What the labels mean, as `extra/keys` says; nothing where the file does not. Raises as `recordings`."""
    with _opened(path) as members:
        keys = members.get("extra/keys")
        if keys is None:
            return ()
        with _reading(path, "extra/keys"):
            return tuple(each.decode() if isinstance(each, bytes) else str(each) for each in keys[()])


@contextmanager
def _reading(path: Path, inside: str) -> Generator[None]:
    """Whatever h5py raises inside is the file's fault, and said with the place."""
    try:
        yield
    except SnnirError:
        raise
    except (Exception, MemoryError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SnnirError(f"{path}:/{inside}", f"damaged or truncated HDF5 file ({reason})", AGAIN) from None


@contextmanager
def _opened(path: Path) -> Generator[Members]:
    """The data sets of a file, looked at before they are read."""
    with _unpacked(path) as plain:
        with _reading(path, ""):
            _check_file(path, plain)
            file = h5py.File(plain, "r")
        try:
            with _reading(path, ""):
                members = _members(path, file)
            yield members
        finally:
            with _reading(path, ""):
                file.close()


@contextmanager
def _unpacked(path: Path) -> Generator[Path]:
    """The file itself, or what a `.gz` file holds, unpacked piece by piece."""
    if not path.is_file():
        raise SnnirError(path, "no such file", "name an existing .h5 or .h5.gz file")
    if path.suffix != ".gz":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "unpacked.h5"
        try:
            with gzip.open(path) as packed, plain.open("wb") as file:
                shutil.copyfileobj(packed, _Limited(file, path), 1 << 20)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise SnnirError(path, f"damaged or truncated gzip file ({error})", AGAIN) from None
        yield plain


class _Limited:
    """A file that does not grow beyond `LARGEST_BYTES`."""

    def __init__(self, file: Any, path: Path) -> None:
        self.file, self.path, self.left = file, path, LARGEST_BYTES

    def write(self, data: bytes) -> None:
        """Write, or raise `SnnirError`."""
        self.left -= len(data)
        if self.left < 0:
            raise SnnirError(self.path, f"it unpacks to more than {LARGEST_BYTES >> 30} GB", "is this the right file?")
        self.file.write(data)


def _check_file(path: Path, plain: Path) -> None:
    """Raise `SnnirError` for another format or a missing end, `ValueError` for what the HDF5 library would hang on."""
    other = foreign(plain)
    if other or not h5py.is_hdf5(plain):
        what = f"this is {other}, not an HDF5 file" if other else "this is not an HDF5 file"
        raise SnnirError(path, what, "name a file of SHD or SSC: .h5 or .h5.gz")
    missing = missing_bytes(plain)
    if missing:
        what = f"damaged or truncated HDF5 file (at least {missing} bytes are missing at its end)"
        raise SnnirError(path, what, AGAIN)
    check(plain)


def _members(path: Path, file: Any) -> Members:
    found: Members = {}
    for name in (*REQUIRED, "extra/speaker", "extra/keys"):
        item = _member(path, file, name)
        if item is not None:
            found[name] = item
        elif name in REQUIRED:
            hint = "SHD and SSC have spikes/times, spikes/units and labels"
            raise SnnirError(f"{path}:/{name}", "there is no such data set", hint)
    for name, kinds, nested in (
        ("spikes/times", "fiu", True),
        ("spikes/units", "iu", True),
        ("labels", "iu", False),
        ("extra/speaker", "iu", False),
    ):
        if name in found:
            _check_type(f"{path}:/{name}", found[name], kinds, nested)
    for name in ("spikes/times", "spikes/units", "extra/speaker"):
        if name in found and len(found[name]) != len(found["labels"]):
            message = f"{len(found[name])} samples, but {len(found['labels'])} labels"
            raise SnnirError(f"{path}:/{name}", message, AGAIN)
    return found


def _member(path: Path, file: Any, name: str) -> Any:
    """A data set, or `None` when there is no such name; links that leave the file are refused."""
    item = file
    for part in name.split("/"):
        if not isinstance(item, h5py.Group) or part not in item:
            return None
        if isinstance(item.get(part, getlink=True), h5py.ExternalLink):
            raise SnnirError(f"{path}:/{name}", "this is kept in another file", "put all into one file")
        item = item[part]
    if not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
        raise SnnirError(f"{path}:/{name}", "this is no data set of this file", AGAIN)
    return item


def _check_type(place: str, item: Any, kinds: str, nested: bool) -> None:
    """Raise `SnnirError` for another type than numbers of the given kinds, one or (`nested`) a list per sample."""
    inner = h5py.check_vlen_dtype(item.dtype)
    dtype = inner if nested else item.dtype
    if item.ndim != 1 or (nested and inner is None) or np.dtype(dtype).kind not in kinds:
        what = "a list of numbers" if nested else "a number"
        raise SnnirError(place, f"{what} per sample is expected here, not {item.dtype} {item.shape}", AGAIN)
