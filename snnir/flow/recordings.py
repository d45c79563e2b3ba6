"""Spikes in files: what drives a program and what it is compared with, in the formats that other tools write.

- `.npz`: an array for each signal, (samples, steps, *shape) or (steps, *shape), and perhaps `labels`; for long and
  silent recordings lists of events (`snnir.sim.data`); membranes as `<population>.v`;
- `.h5`: NIRData (`snnir.sim.nirdata`), or spikes of SONATA;
- a SONATA model (its folder or configuration): the spikes of its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.dialects.attributes import SignalType
from snnir.dialects.snn import InputOp, NetworkOp
from snnir.errors import SnnirError
from snnir.flow.compare import Signal, prefix
from snnir.frontend.names import symbol
from snnir.sim.data import EVENT_PARTS, LABELS, is_hdf5, read_arrays, write_spikes
from snnir.sim.events import Events
from snnir.sim.nirdata import SPIKES, VOLTAGE, read_recording, write_recording

HDF5 = (".h5", ".hdf5")
"""Endings of recordings that are written as NIRData."""
RECORDINGS = (".npz", *HDF5)
"""Endings of recordings."""

Shape = tuple[int, ...]
Names = Mapping[str, str]
"""Signal -> what the file calls it."""


@dataclass(frozen=True, eq=False)
class Signals:
    """What a file holds, by name, each (samples, steps, neurons)."""

    place: str
    signals: dict[str, Signal]
    voltages: dict[str, Signal] = field(default_factory=dict[str, Signal])
    """Membranes, by population."""
    labels: NDArray[np.int64] | None = None
    others: tuple[str, ...] = ()
    """What else the file holds: nothing of the program has this name."""

    def first(self, samples: int | None) -> Signals:
        """The first samples. Raises `SnnirError` for fewer than one."""
        if samples is None:
            return self
        if samples < 1:
            raise SnnirError(self.place, f"{samples} samples", "ask for at least one sample")
        signals, voltages = (
            {name: prefix(s, range(min(samples, s.shape[0])), s.shape[1]) for name, s in each.items()}
            for each in (self.signals, self.voltages)
        )
        labels = None if self.labels is None else self.labels[:samples]
        return Signals(self.place, signals, voltages, labels, self.others)


def shapes_of(network: NetworkOp) -> dict[str, Shape]:
    """The shape of each input, population and output."""
    found: dict[str, Shape] = {}
    for name, op in {**network.outputs, **network.sources}.items():
        assert isinstance(op.signal.type, SignalType)
        found[name] = op.signal.type.shape.data
    return found


def input_names(network: NetworkOp) -> list[str]:
    """The inputs of a program."""
    return [name for name, op in network.sources.items() if isinstance(op, InputOp)]


def real_signals(network: NetworkOp) -> tuple[str, ...]:
    """The inputs, populations and outputs that are no spikes."""
    types = {name: op.signal.type for name, op in {**network.outputs, **network.sources}.items()}
    return tuple(name for name, type_ in types.items() if isinstance(type_, SignalType) and not type_.is_spike)


def is_sonata(path: Path) -> bool:
    """Whether a path is a SONATA model: its folder, or a configuration file."""
    return path.is_dir() or path.suffix == ".json"


def read_data(path: Path, network: NetworkOp, names: Names | None = None) -> Signals:
    """The data of the inputs of a program. Raises `SnnirError` when an input has none, or data that does not fit."""
    found = read_signals(path, network, names)
    inputs = input_names(network)
    for name in inputs:
        if name not in found.signals:
            held = ", ".join([*found.signals, *found.others]) or "nothing"
            hint = f"it holds {held}; --names {name}=ARRAY says which it is"
            raise SnnirError(path, f"there is no data for input '{name}' in this file", hint)
    return Signals(found.place, {name: found.signals[name] for name in inputs}, {}, found.labels)


def read_signals(
    path: Path, network: NetworkOp | None = None, names: Names | None = None, model: Path | None = None
) -> Signals:
    """All signals of a file that the program has; all that it holds where no program is given.

    `model` is the SONATA model that a file of SONATA spikes was recorded from. Raises `SnnirError` with the place.
    """
    shapes = None if network is None else shapes_of(network)
    reals = () if network is None else real_signals(network)
    if is_sonata(path):
        from snnir.frontend.sonata.reader import read_stimulus  # noqa: PLC0415

        if network is None or shapes is None:
            raise SnnirError(path, "a SONATA model is no recording", "name a file of spikes")
        return _of_arrays(path, dict(read_stimulus(path, network)), shapes)
    if not path.exists():
        raise SnnirError(path, "no such file", "name an existing recording: .npz, .h5, or a SONATA model")
    if not is_hdf5(path):
        return _of_arrays(path, _renamed(path, read_arrays(path), names), shapes)
    if network is not None and shapes is not None and model is not None and is_sonata(model):
        from snnir.frontend.sonata.reader import read_recording as read_sonata  # noqa: PLC0415

        return _of_arrays(path, dict(read_sonata(model, network, path)), shapes)
    nodes = read_recording(path, None if network is None else network.step_seconds)
    return _of_nodes(path, nodes, shapes, names, reals)


def write_signals(path: Path, found: Signals, dt: float) -> None:
    """Write a recording, whole or not at all: NIRData where the name ends in `.h5`, else `.npz`."""
    if path.suffix in HDF5:
        nodes: dict[str, dict[str, Signal]] = {}
        for name, signal in found.signals.items():
            real = not isinstance(signal, Events) and signal.dtype.kind == "f"
            nodes[name] = {VOLTAGE if real and name not in found.voltages else SPIKES: signal}
        for name, signal in found.voltages.items():
            nodes.setdefault(name, {})[VOLTAGE] = signal
        write_recording(path, nodes, dt)
    else:
        voltages = {f"{name}.{VOLTAGE}": signal for name, signal in found.voltages.items()}
        write_spikes(path, {**found.signals, **voltages}, found.labels)


def as_signal(place: str, array: NDArray[Any], shape: Shape | None) -> NDArray[Any]:
    """An array (samples, steps, *shape) or (steps, *shape) as (samples, steps, neurons); neurons may be flat already.

    Without a `shape` two dimensions are (steps, neurons) and more are (samples, steps, ...). Raises `SnnirError`.
    """
    if array.dtype.kind not in "biuf" or array.ndim < 2 or not array.size:
        what = f"{array.dtype} of shape {array.shape} is not (samples, steps, neurons)"
        raise SnnirError(place, what, "store numbers in two dimensions or more")
    samples = array.ndim > 2
    if shape is not None:
        fits = {shape, (prod(shape),)}
        samples = array.shape[2:] in fits
        if not samples and array.shape[1:] not in fits:
            text = "x".join(map(str, shape))
            hint = f"store (samples, steps, {text.replace('x', ', ')}), or one sample without the first dimension"
            raise SnnirError(place, f"shape {array.shape} does not fit a signal of {text}", hint)
    whole = array if samples else array[np.newaxis]
    return whole.reshape(*whole.shape[:2], -1)


def _renamed(path: Path, arrays: dict[str, NDArray[Any]], names: Names | None) -> dict[str, NDArray[Any]]:
    """The arrays under the names that the program gives them."""
    for name, key in (names or {}).items():
        moved = {k: v for k, v in arrays.items() if k == key or k.startswith(f"{key}.")}
        if not moved:
            raise SnnirError(path, f"--names: there is no array '{key}'", f"the file holds {', '.join(arrays)}")
        arrays = {**arrays, **{name + k.removeprefix(key): v for k, v in moved.items()}}
    return arrays


def _known(name: str, shapes: Mapping[str, Shape] | None) -> str | None:
    """The signal of the program that a name in a file means; names that are no symbols were changed on import."""
    if shapes is None or name in shapes:
        return name
    return symbol(name) if symbol(name) in shapes else None


def _of_arrays(path: Path, arrays: dict[str, NDArray[Any]], shapes: Mapping[str, Shape] | None) -> Signals:
    """Arrays and lists of events by name."""
    found = Signals(str(path), {}, {}, None)
    labels = arrays.pop(LABELS, None)
    others: list[str] = []
    stems = [key.removesuffix(".index") for key in arrays if key.endswith(".index")]
    listed = [stem for stem in stems if all(f"{stem}.{part}" in arrays for part in EVENT_PARTS)]
    parts = {f"{stem}.{part}" for stem in listed for part in (*EVENT_PARTS, "shape", "value")}
    for stem in listed:
        name = _known(stem, shapes)
        if name is None:
            others.append(stem)
        else:
            found.signals[name] = _events(f"{path}:{stem}", stem, arrays, None if shapes is None else shapes[name])
    for key, array in arrays.items():
        if key in parts:
            continue
        stem, _, last = key.rpartition(".")
        name, owner = _known(key, shapes), _known(stem, shapes) if last == VOLTAGE else None
        if name is None and owner is None:
            others.append(key)
        elif owner is not None and (shapes is not None or stem in arrays):
            found.voltages[owner] = as_signal(f"{path}:{key}", array, None if shapes is None else shapes[owner])
        elif name is not None:
            found.signals[name] = as_signal(f"{path}:{key}", array, None if shapes is None else shapes[name])
    labels = None if labels is None else labels.astype(np.int64)
    return Signals(found.place, found.signals, found.voltages, labels, tuple(others))


def _events(place: str, stem: str, arrays: Mapping[str, NDArray[Any]], shape: Shape | None) -> Events:
    sample, step, index = (arrays[f"{stem}.{part}"] for part in EVENT_PARTS)
    size = [int(column.max(initial=-1)) + 1 for column in (sample, step, index)]
    given = arrays.get(f"{stem}.shape")
    if given is not None:
        if given.ndim != 1 or given.size not in (2, 3) or given.dtype.kind not in "iu":
            raise SnnirError(f"{place}.shape", "this is not [samples, steps]", "store two whole numbers")
        size[: given.size] = [int(n) for n in given]
    if shape is not None:
        size[2] = prod(shape)
    try:
        return Events.of((size[0], size[1], size[2]), sample, step, index, arrays.get(f"{stem}.value"))
    except ValueError as error:
        raise SnnirError(place, str(error), "the shape is [samples, steps]; indices count from 0") from None


def _of_nodes(
    path: Path,
    nodes: dict[str, dict[str, Signal]],
    shapes: Mapping[str, Shape] | None,
    names: Names | None,
    reals: Sequence[str],
) -> Signals:
    """The observables of NIRData: `spikes` (or the only one) is the signal of a node, `v` its membrane.

    The membrane is the signal of those that emit it (`reals`).
    """
    found = Signals(str(path), {}, {})
    others: list[str] = []
    for name, key in (names or {}).items():
        if key not in nodes:
            raise SnnirError(path, f"--names: there is no node '{key}'", f"the file holds {', '.join(nodes)}")
        nodes[name] = nodes[key]
    for key, observables in nodes.items():
        name = _known(key, shapes)
        if name is None:
            others.append(key)
            continue
        if VOLTAGE in observables and name not in reals:
            found.voltages[name] = observables[VOLTAGE]
        if SPIKES in observables or (len(observables) == 1 and (name in reals or VOLTAGE not in observables)):
            signal = observables.get(SPIKES, next(iter(observables.values())))
            if shapes is not None and signal.shape[2] != prod(shapes[name]):
                what = f"{signal.shape[2]} neurons, but '{name}' has {prod(shapes[name])}"
                raise SnnirError(f"{path}:/nodes/{key}", what, "record the same network")
            found.signals[name] = signal
    return Signals(found.place, found.signals, found.voltages, None, tuple(others))
