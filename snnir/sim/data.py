"""Recorded spikes and signals in files.

`.npz`: one array per input, (samples, steps, lines...), and optionally `labels`; or, for long and nearly silent runs,
the event form: arrays `<input>.sample`, `<input>.step`, `<input>.index` with an entry per event, perhaps
`<input>.value` (what each is; spikes otherwise) and `<input>.shape` ([samples, steps] or [samples, steps, lines]).
`.h5`: NIRData (`snnir.sim.nirdata`).
"""

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.sim.events import Data, Events
from snnir.sim.files import whole_or_not

Array = NDArray[Any]

LABELS = "labels"
EVENT_PARTS = ("sample", "step", "index")
LARGEST_BYTES = 1 << 35
"""Arrays that would take more memory than this are refused before they are read."""


def read_arrays(path: Path) -> dict[str, Array]:
    """All arrays of an `.npz` file. Raises `SnnirError` when it cannot be read."""
    try:
        if path.exists() and not zipfile.is_zipfile(path):  # numpy would take it for a pickle and advise to load that
            raise zipfile.BadZipFile("it is no zip archive, or a truncated one")
        _check_sizes(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise SnnirError(path, "no such data file", "name an existing .npz file") from None
    except MemoryError:
        raise SnnirError(path, "the arrays do not fit into memory", "store events in place of arrays") from None
    except (OSError, ValueError, zipfile.BadZipFile, KeyError, AttributeError, EOFError) as error:
        raise SnnirError(path, f"not a readable .npz file ({error})", "write it with numpy.savez") from None


def _check_sizes(path: Path) -> None:
    """Refuse arrays that nobody can hold, from their headers."""
    with zipfile.ZipFile(path) as archive:
        total = sum(info.file_size for info in archive.infolist())
    if total > LARGEST_BYTES:
        message = f"the arrays take {total / 2**30:.0f} GB, more than {LARGEST_BYTES >> 30} GB"
        raise SnnirError(path, message, "store events in place of arrays, or fewer samples")


def read_spikes(path: Path, samples: int | None = None, dt: float | None = None) -> dict[str, Data]:
    """What each input brings, at most `samples` samples of it (the first); labels are left out.

    Arrays are (samples, steps, lines...) of the type in the file. For NIRData every node is an entry, and `dt`, seconds
    per step, is needed where the file holds times. Raises `SnnirError` for files of other forms.
    """
    if samples is not None and samples < 1:
        raise SnnirError(path, f"{samples} samples", "ask for at least one sample")
    if is_hdf5(path):
        from snnir.sim.nirdata import read_signals  # noqa: PLC0415  (h5py is slow to import)

        found: dict[str, Data] = dict(read_signals(path, dt))
    else:
        arrays = {name: array for name, array in read_arrays(path).items() if name != LABELS}
        found = _events_in(path, arrays)
    for name, data in found.items():
        if len(data.shape) < 3 or not min(data.shape):
            shape = tuple(int(n) for n in data.shape)
            raise SnnirError(
                f"{path}:{name}", f"shape {shape} is not (samples, steps, lines)", "store three dimensions"
            )
        if isinstance(data, np.ndarray) and data.dtype.kind not in "biuf":
            raise SnnirError(f"{path}:{name}", f"the type {data.dtype} is no number", "store uint8 or float64")
    return {name: _first(data, samples) for name, data in found.items()}


def read_spike_arrays(path: Path, samples: int | None = None, dt: float | None = None) -> dict[str, Array]:
    """The same as arrays throughout, for what takes no lists of events."""
    found = read_spikes(path, samples, dt)
    return {name: data.array() if isinstance(data, Events) else data for name, data in found.items()}


def is_hdf5(path: Path) -> bool:
    """Whether a file starts like HDF5."""
    try:
        with path.open("rb") as file:
            return file.read(8) == b"\x89HDF\r\n\x1a\n"
    except OSError:
        return False


def _first(data: Data, samples: int | None) -> Data:
    if samples is None:
        return data
    return data.first(samples) if isinstance(data, Events) else data[:samples]


def _events_in(path: Path, arrays: dict[str, Array]) -> dict[str, Data]:
    """Arrays, with those that describe events made into `Events`."""
    found: dict[str, Data] = {}
    taken: set[str] = set()
    for key in arrays:
        name = key.removesuffix(".sample")
        parts = [f"{name}.{part}" for part in EVENT_PARTS]
        if key.endswith(".sample") and all(part in arrays and arrays[part].ndim == 1 for part in parts):
            found[name] = _event_list(path, name, arrays)
            taken |= {f"{name}.{part}" for part in (*EVENT_PARTS, "value", "shape")}
    return {**found, **{name: array for name, array in arrays.items() if name not in taken}}


def _event_list(path: Path, name: str, arrays: Mapping[str, Array]) -> Events:
    columns = [arrays[f"{name}.{part}"] for part in EVENT_PARTS]
    place = f"{path}:{name}"
    for part, column in zip(EVENT_PARTS, columns, strict=True):
        if column.dtype.kind not in "iu":
            raise SnnirError(f"{place}.{part}", f"the type {column.dtype} is no whole number", "store int64")
    shape = [int(column.max(initial=-1)) + 1 for column in columns]
    given = arrays.get(f"{name}.shape")
    if given is not None:
        if given.ndim != 1 or given.size not in (2, 3) or given.dtype.kind not in "iu":
            raise SnnirError(f"{place}.shape", "the shape is not [samples, steps]", "store two whole numbers")
        shape[: given.size] = [int(n) for n in given]
    try:
        sample, step, index = columns
        found = Events.of((shape[0], shape[1], shape[2]), sample, step, index, arrays.get(f"{name}.value"))
        return replace(found, stated=given is not None and given.size == 3)
    except ValueError as error:
        raise SnnirError(place, str(error), "correct the list or its shape") from None


def read_labels(path: Path, samples: int | None = None) -> NDArray[np.int64] | None:
    """The label of each sample, if the file has any."""
    if is_hdf5(path):
        return None
    labels = read_arrays(path).get(LABELS)
    return None if labels is None else labels[:samples].astype(np.int64)


def write_spikes(path: Path, signals: Mapping[str, Data], labels: NDArray[np.int64] | None = None) -> None:
    """Write an `.npz` file that `read_spikes` reads, whole or not at all: arrays as arrays, `Events` in event form."""
    arrays: dict[str, Array] = {}
    for name, data in signals.items():
        if not isinstance(data, Events):
            arrays[name] = data
            continue
        arrays |= {f"{name}.{part}": getattr(data, part) for part in EVENT_PARTS}
        arrays[f"{name}.shape"] = np.array(data.shape, np.int64)
        if (data.value != 1).any():
            arrays[f"{name}.value"] = data.value
    if labels is not None:
        arrays[LABELS] = labels
    with whole_or_not(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]


def accuracy(counts: "NDArray[np.int64] | NDArray[np.float64]", labels: NDArray[np.int64]) -> float:
    """The share of samples whose label is the neuron with most spikes, or the largest value (the first of equals).

    `counts` is (samples, neurons).
    """
    return float((counts.argmax(axis=1) == labels).mean())
