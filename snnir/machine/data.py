"""Reads spike data: `.npz` with one uint8 array (samples, steps, *shape) per input, and optionally `labels`."""

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError

LABELS = "labels"


@dataclass(frozen=True, eq=False)
class SpikeData:
    """`inputs`: name -> (samples, steps, size), flat behind the steps; `labels`: (samples,) or None."""

    inputs: Mapping[str, NDArray[Any]]
    labels: NDArray[np.int64] | None


def read_spikes(path: str | Path) -> SpikeData:
    """Read a spike data file. Raises `SnnirError` when it is missing, damaged or holds something else."""
    path = Path(path)
    arrays = _read(path)
    labels = arrays.pop(LABELS, None)
    inputs: dict[str, NDArray[Any]] = {}
    for name, array in arrays.items():
        if array.ndim < 3:
            hint = "the shape must be (samples, steps, ...)"
            raise SnnirError(f"{path}:{name}", f"the shape is {array.shape}", hint)
        inputs[name] = array.reshape(*array.shape[:2], int(np.prod(array.shape[2:])))
    if labels is not None:
        if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
            message = f"{labels.dtype} of shape {labels.shape}"
            raise SnnirError(f"{path}:{LABELS}", message, "give one integer per sample")
        for name, array in inputs.items():
            if len(array) != len(labels):
                message = f"{len(labels)} labels, but {name!r} has {len(array)} samples"
                raise SnnirError(f"{path}:{LABELS}", message, "give one label per sample")
        labels = labels.astype(np.int64)
    return SpikeData(inputs, labels)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    hint = "give a .npz file with one uint8 array (samples, steps, ...) per input"
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _read_array(archive, name) for name in names}
    except OSError as error:
        raise SnnirError(path, f"cannot be read: {error.strerror or error}", hint) from None
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, MemoryError, RuntimeError) as error:
        raise SnnirError(path, f"not a readable .npz file ({' '.join(str(error).split())})", hint) from None


def _read_array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
