"""What is looked at before the HDF5 library may touch a file: a foreign format, a missing end, damage that hangs it.

The C library trusts what it reads. Flipped bits make it follow lists in circles or write beyond its buffers, so a child
process goes first; a heap of texts whose sizes are wrong is found by reading it here.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import warnings
from contextlib import suppress
from pathlib import Path
from struct import unpack_from
from typing import Any, BinaryIO, NoReturn

if sys.platform == "linux":
    import resource

import h5py as _h5py  # pyright: ignore[reportMissingTypeStubs]

h5py: Any = _h5py

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FOREIGN = {
    b"PK\3\4": "a zip archive, as torch.save and numpy.savez write",
    b"\x93NUMPY": "a numpy array",
    b"\x80": "a Python pickle",
    b"{": "JSON text",
    b"CDF": "a netCDF-3 file",
}
_HEAP = b"GCOL\x01\0\0\0"
_HEADER = 16
_PIECE = 1 << 22
_SMALL = 1 << 20
_DEFLATE_LIMIT = 2000


def foreign(path: Path) -> str | None:
    """What a file is that does not begin as HDF5 does; `None` when it may be HDF5 (which may begin further in)."""
    with path.open("rb") as file:
        start = file.read(16)
    if not start:
        return "an empty file"
    return next((what for magic, what in _FOREIGN.items() if start.startswith(magic)), None)


def missing_bytes(path: Path) -> int:
    """How many bytes the file's own header counts beyond its end; 0 when it is whole or the header makes no sense.

    Superblock: HDF5 file format specification 3.0, II.A "Disk Format: Level 0A".
    """
    with path.open("rb") as file:
        data = file.read(96)
    if len(data) < 48 or not data.startswith(_SIGNATURE):
        return 0
    version = data[8]
    offset_size, position = (data[13], 40) if version < 2 else (data[9], 28)
    if offset_size != 8 or version > 3:
        return 0
    (end,) = unpack_from("<Q", data, position + (4 if version == 1 else 0))
    return max(0, int(end) - path.stat().st_size)


def check(path: Path) -> None:
    """Raise `ValueError` when the library would crash on the file or never come back."""
    _check_heaps(path)
    _check_by_trying(path)


def _check_heaps(path: Path) -> None:
    """Raise `ValueError` when a global heap, in which HDF5 keeps texts, is damaged.

    The library follows the sizes in it blindly. Layout: HDF5 file format specification 3.0, III.E "Disk Format: Level
    1E - Global Heap". The file is read in pieces: it may be large.
    """
    overlap = len(_HEAP) - 1
    with path.open("rb") as file:
        begin, tail = 0, b""
        while piece := file.read(_PIECE):
            data = tail + piece
            start = data.find(_HEAP)
            while start >= 0:
                _check_heap(file, begin - len(tail) + start, path.stat().st_size)
                start = data.find(_HEAP, start + 1)
            begin, tail = begin + len(piece), data[-overlap:]
            file.seek(begin)


def _check_heap(file: BinaryIO, start: int, end: int) -> None:
    file.seek(start)
    head = file.read(_HEADER)
    (size,) = unpack_from("<Q", head, 8) if len(head) == _HEADER else (0,)
    if not _HEADER <= size <= end - start:
        raise ValueError("a heap of texts reaches beyond the end of the file")
    position = _HEADER
    while position + _HEADER <= size:
        file.seek(start + position)
        index, _, _, length = unpack_from("<HHIQ", file.read(_HEADER), 0)
        step = length if index == 0 else _HEADER + (length + 7) // 8 * 8
        if step < _HEADER or position + step > size or (index == 0 and position + step != size):
            raise ValueError("a heap of texts is inconsistent")
        position += step


def _check_by_trying(path: Path) -> None:
    """Raise `ValueError` when the library crashes on a file or never ends: a child process reads all of it first.

    About one flipped byte in a thousand makes it follow lists in circles, which nothing inside the process can stop. A
    child costs some milliseconds on Linux; elsewhere a fork is not safe and the file is trusted.
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


def _nothing(_: Any) -> None:
    """Go on to the next chunk."""


def _touch(_: str, item: Any) -> None:
    """Read a dataset once; of a large one, walk through the index of its chunks.

    Plain arrays have nothing that could go wrong in the middle, and unpacking a chunk knows the size of its buffer.
    """
    if isinstance(item, h5py.Dataset):
        with suppress(Exception):
            stored = int(item.id.get_storage_size())
            if item.nbytes <= _SMALL:
                item[()]
            elif item.chunks is not None and item.nbytes <= _DEFLATE_LIMIT * stored:
                item.id.chunk_iter(_nothing)
