"""Recorded spikes in `.npz` files: one array per input, (samples, steps, lines), and optionally `labels`."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError

LABELS = "labels"


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an `.npz` file. Raises `SnnirError` when it cannot be read."""
    try:
        if path.exists() and not zipfile.is_zipfile(path):  # numpy would take it for a pickle and advise to load that
            raise zipfile.BadZipFile("it is no zip archive, or a truncated one")
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise SnnirError(path, "no such data file", "name an existing .npz file") from None
    except (OSError, ValueError, zipfile.BadZipFile, KeyError, AttributeError, EOFError) as error:
        raise SnnirError(path, f"not a readable .npz file ({error})", "write it with numpy.savez") from None


def read_spikes(path: Path, samples: int | None = None) -> dict[str, NDArray[np.uint8]]:
    """The spikes of each input, at most `samples` of them (the first); labels are left out."""
    arrays = {name: array for name, array in read_arrays(path).items() if name != LABELS}
    if samples is not None and samples < 1:
        raise SnnirError(path, f"{samples} samples", "ask for at least one sample")
    for name, array in arrays.items():
        if array.ndim < 3 or not array.size:
            raise SnnirError(
                f"{path}:{name}", f"shape {array.shape} is not (samples, steps, lines)", "store three dimensions"
            )
    return {name: array[:samples] for name, array in arrays.items()}


def read_labels(path: Path, samples: int | None = None) -> NDArray[np.int64] | None:
    """The label of each sample, if the file has any."""
    labels = read_arrays(path).get(LABELS)
    return None if labels is None else labels[:samples].astype(np.int64)


def accuracy(counts: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """The share of samples whose label is the neuron with most spikes (the first of equals).

    `counts` is (samples, neurons).
    """
    return float((counts.argmax(axis=1) == labels).mean())
