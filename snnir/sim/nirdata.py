"""NIRData: recordings in HDF5, in the layout that the package nir 1.0.8 writes (`nir.write_data`).

The root has the attribute `__type__` = NIRGraphData and a group `nodes`; a node is NIRNodeData with a group
`observables`, or again NIRGraphData. An observable is TimeGriddedData (`data` (samples, steps, neurons), attribute
`dt`) or EventData / ValuedEventData (`idx` and `time`, (samples, events), filled up with -1 and infinity; attributes
`n_neurons` and `t_max` in seconds; `value`). Nodes of nested graphs are named `outer.inner` here.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py as _h5py  # pyright: ignore[reportMissingTypeStubs]
import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.sim.events import Data, Events
from snnir.sim.files import whole_or_not

h5py: Any = _h5py
Array = NDArray[Any]
Group = Any
"""A group of HDF5."""

SPIKES = "spikes"
VOLTAGE = "v"
NEAR = 1e-6
"""Times this close to the start of a step, in steps, belong to it."""


def read_signals(path: Path, dt: float | None = None) -> dict[str, Data]:
    """Of each node what it emits: its observable `spikes`, or the only one that it has."""
    found: dict[str, Data] = {}
    for name, observables in read_recording(path, dt).items():
        if SPIKES not in observables and len(observables) != 1:
            names = ", ".join(observables) or "none"
            raise SnnirError(f"{path}:/nodes/{name}", f"which observable? there are {names}", f"name one '{SPIKES}'")
        found[name] = observables.get(SPIKES, next(iter(observables.values())))
    return found


def read_recording(path: Path, dt: float | None = None) -> dict[str, dict[str, Data]]:
    """All observables by node and name; boolean grids as uint8, events as `Events`.

    `dt` is the step of the network in seconds: it turns times into steps, and grids of another step are refused. Raises
    `SnnirError` that names the place in the file.
    """
    try:
        with h5py.File(path, "r") as file:
            if _kind(file) != "NIRGraphData":
                raise SnnirError(f"{path}:/", "the file is no NIRGraphData", "write it with nir.write_data")
            return {
                name: {key: _observable(path, group, dt) for key, group in observables}
                for name, observables in _nodes(path, file, "")
            }
    except FileNotFoundError:
        raise SnnirError(path, "no such data file", "name an existing file") from None
    except MemoryError:
        raise SnnirError(path, "the arrays do not fit into memory", "store events in place of grids") from None
    except (OSError, RuntimeError, KeyError) as error:
        raise SnnirError(path, f"not a readable HDF5 file ({error})", "write it with nir.write_data") from None


def _kind(group: Group) -> str:
    kind = group.attrs.get("__type__")
    return kind.decode() if isinstance(kind, bytes) else str(kind)


def _nodes(path: Path, group: Group, prefix: str) -> Iterator[tuple[str, list[tuple[str, Group]]]]:
    for name, node in _groups(path, group, "nodes"):
        kind = _kind(node)
        if kind == "NIRGraphData":
            yield from _nodes(path, node, f"{prefix}{name}.")
        elif kind == "NIRNodeData":
            yield f"{prefix}{name}", _groups(path, node, "observables")
        else:
            raise SnnirError(f"{path}:{node.name}", f"'{kind}' is no node", "use NIRNodeData or NIRGraphData")


def _groups(path: Path, group: Group, name: str) -> list[tuple[str, Group]]:
    inner = group.get(name)
    if not isinstance(inner, h5py.Group):
        raise SnnirError(f"{path}:{group.name}", f"there is no group '{name}'", "write it with nir.write_data")
    wrong = [f"{inner.name}/{key}" for key, item in inner.items() if not isinstance(item, h5py.Group)]
    if wrong:
        raise SnnirError(f"{path}:{wrong[0]}", "a data set in place of a group", "write it with nir.write_data")
    return list(inner.items())


def _observable(path: Path, group: Group, dt: float | None) -> Data:
    kind = _kind(group)
    if kind == "TimeGriddedData":
        return _grid(path, group, dt)
    if kind in ("EventData", "ValuedEventData"):
        return _events(path, group, dt, kind == "ValuedEventData")
    raise SnnirError(f"{path}:{group.name}", f"'{kind}' is no observable", "use TimeGriddedData or EventData")


def _array(path: Path, group: Group, name: str, dimensions: int) -> Array:
    item = group.get(name)
    if not isinstance(item, h5py.Dataset) or item.ndim != dimensions or item.dtype.kind not in "biuf":
        message = f"'{name}' is no array of numbers with {dimensions} dimensions"
        raise SnnirError(f"{path}:{group.name}", message, "write it with nir.write_data")
    array: Array = item[()]
    return array


def _number(path: Path, group: Group, name: str) -> float:
    value = np.asarray(group.attrs.get(name, np.nan))
    if value.ndim or value.dtype.kind not in "iuf" or not np.isfinite(value) or value <= 0:
        raise SnnirError(f"{path}:{group.name}", f"the attribute '{name}' is no positive number", "store it")
    return float(value)


def _grid(path: Path, group: Group, dt: float | None) -> Array:
    array, step = _array(path, group, "data", 3), _number(path, group, "dt")
    if dt is not None and abs(step - dt) > NEAR * dt:
        message = f"recorded with steps of {step:g} s, but the network runs in steps of {dt:g} s"
        raise SnnirError(f"{path}:{group.name}", message, f"use --dt {step:g}, or record again")
    return array.astype(np.uint8) if array.dtype.kind == "b" else array


def _events(path: Path, group: Group, dt: float | None, valued: bool) -> Events:
    place = f"{path}:{group.name}"
    if dt is None:
        raise SnnirError(place, "the file holds times, so the step has to be known", "say it with --dt")
    index, time = _array(path, group, "idx", 2), _array(path, group, "time", 2)
    values = _array(path, group, "value", 2) if valued else None
    if index.shape != time.shape or (values is not None and values.shape != index.shape):
        raise SnnirError(place, f"idx is {index.shape}, but time is {time.shape}", "store one time per event")
    kept = index != -1
    if not np.isfinite(time[kept]).all():
        raise SnnirError(place, "an event has no finite time", "store -1 as the index of what is no event")
    exact = time[kept] / dt
    near = np.rint(exact)
    steps = np.where(np.abs(exact - near) <= NEAR * np.maximum(1.0, near * NEAR), near, np.floor(exact))
    count, neurons = _number(path, group, "t_max") / dt, int(_number(path, group, "n_neurons"))
    total = round(count) if abs(count - round(count)) <= NEAR * max(1.0, count) else int(np.ceil(count))
    sample = np.nonzero(kept)[0]
    try:
        shape = (len(index), total, neurons)
        return Events.of(shape, sample, steps, index[kept], None if values is None else values[kept])
    except ValueError as error:
        raise SnnirError(place, str(error), "correct the events, t_max or n_neurons") from None


def write_recording(path: Path, recording: Mapping[str, Mapping[str, Data]], dt: float) -> None:
    """Write observables by node and name, whole or not at all; `nir.read_data` reads them.

    Arrays (samples, steps, neurons) become TimeGriddedData (spikes of 0 and 1 as booleans), `Events` EventData, with
    values other than 1 ValuedEventData.
    """
    for name in recording:
        if "/" in name:
            raise SnnirError(path, f"NIRData cannot name the node '{name}'", "rename it without '/'")
    with whole_or_not(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["__type__"] = "NIRGraphData"
        nodes = file.create_group("nodes")
        for name, observables in recording.items():
            node = nodes.create_group(name)
            node.attrs["__type__"] = "NIRNodeData"
            inner = node.create_group("observables")
            for key, data in observables.items():
                _write(inner.create_group(key), data, dt)


def _write(group: Group, data: Data, dt: float) -> None:
    if not isinstance(data, Events):
        binary = data.dtype.kind in "bu" and int(data.max(initial=0)) <= 1
        group.attrs["__type__"] = "TimeGriddedData"
        group.create_dataset("data", data=data.astype(bool) if binary else data, compression="gzip")
        group.attrs["dt"] = dt
        return
    counts = np.bincount(data.sample, minlength=data.shape[0])
    starts = np.cumsum(counts) - counts
    place = (data.sample, np.arange(len(data.sample)) - starts[data.sample])
    shape = (data.shape[0], int(counts.max(initial=0)))
    columns = {"idx": (data.index, -1), "time": (data.step * dt, np.inf)}
    valued = bool((data.value != 1).any())
    if valued:
        columns["value"] = (data.value.astype(np.float64), 0.0)
    group.attrs["__type__"] = "ValuedEventData" if valued else "EventData"
    for key, (values, fill) in columns.items():
        array = np.full(shape, fill, np.int64 if key == "idx" else np.float64)
        array[place] = values
        group.create_dataset(key, data=array, compression="gzip" if array.size else None)
    group.attrs["n_neurons"] = data.shape[2]
    group.attrs["t_max"] = data.shape[1] * dt
