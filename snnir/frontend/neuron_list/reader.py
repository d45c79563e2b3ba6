"""The front end for the neuron lists of the published mappers (formats: `snnir.frontend.neuron_list.text`).

The lists say which neurons are connected, with which weights, and when they fired; not what a neuron computes, nor how
long a connection takes. The program is therefore for mapping: neurons that nothing leads to are the input `inputs`, all
others the population `neurons`, integrate-and-fire with r = 1, threshold 1 and reset 0, every connection one step long
(the least delay of CARLsim, and what recurrent lists need). Recorded spikes become the activity that clustering and
analysis use. All of that is said in notes. Details: docs/neuron-list.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.activity import PERCENTILES, ActivityAttr
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import NetworkOp, networks
from snnir.errors import SnnirError
from snnir.frontend.build import build
from snnir.frontend.hdf5 import Place
from snnir.frontend.names import symbol
from snnir.frontend.network import (
    Input,
    Network,
    Output,
    Population,
    Reference,
    Sparse,
    Transform,
    Value,
    preset_named,
    semantics_for,
)
from snnir.frontend.neuron_list.text import SpikeTimes, read_connections, read_times, read_weights
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.platform import read_platform

CONNECTIONS = "connection_info.txt"
WEIGHTS = "weight_info.txt"
SPIKES = "spike_info.txt"
INPUTS = "inputs"
NEURONS = "neurons"
RECORDED = "recorded"
"""Attribute of an input or population: its recorded spikes, n x 2 (step, neuron), sorted."""
DELAY = 1
DT = 1e-3


@dataclass(frozen=True)
class Files:
    """The lists of one network."""

    connections: Path
    weights: Path | None
    spikes: Path | None

    @staticmethod
    def of(path: Path) -> Files:
        """The lists that belong to `path`: a connection list `<prefix>connection_info.txt`, or the folder with one.

        The other lists have the same prefix; they may be missing.
        """
        if path.is_dir():
            found = sorted(each for each in path.iterdir() if each.name.endswith(CONNECTIONS))
            if len(found) != 1:
                what = f"{len(found)} connection lists in this folder" if found else f"no {CONNECTIONS} in this folder"
                raise SnnirError(path, what, f"name one: {path / f'...{CONNECTIONS}'}")
            path = found[0]
        if not path.name.endswith(CONNECTIONS):
            hint = f"name a file ...{CONNECTIONS}; its neighbours ...{WEIGHTS} and ...{SPIKES} are read with it"
            raise SnnirError(path, "this is not called like a connection list", hint)
        prefix = path.name.removesuffix(CONNECTIONS)
        others = [path.with_name(f"{prefix}{name}") for name in (WEIGHTS, SPIKES)]
        return Files(path, *(other if other.exists() else None for other in others))


@dataclass(frozen=True)
class Lists:
    """A network as lists, edges sorted by source, then by target."""

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float64] | None
    spikes: SpikeTimes | None
    inputs: NDArray[np.int64]
    """The numbers of the neurons to which nothing leads, ascending."""
    neurons: NDArray[np.int64]
    """The numbers of all others, ascending."""

    @property
    def groups(self) -> list[tuple[str, NDArray[np.int64]]]:
        """The parts of the program that there are: names and the neurons' numbers in the lists."""
        return [(name, ids) for name, ids in ((INPUTS, self.inputs), (NEURONS, self.neurons)) if ids.size]


def read_lists(files: Files) -> Lists:
    """All that the lists say. Raises `SnnirError` with the line that makes no sense."""
    connections = read_connections(files.connections)
    sources, targets = connections.sources, connections.targets
    if not targets.size:
        raise SnnirError(files.connections, "there are no connections in this file", "list sources with targets")
    weights = None if files.weights is None else read_weights(files.weights, connections)
    spikes = None if files.spikes is None else read_times(files.spikes, connections.size)
    order = np.lexsort((targets, sources))
    driven = np.zeros(connections.size, np.bool_)
    driven[targets] = True
    return Lists(
        sources[order],
        targets[order],
        None if weights is None else weights[order],
        spikes,
        np.flatnonzero(~driven),
        np.flatnonzero(driven),
    )


def read(path: Path | str, options: FrontendOptions) -> ModuleOp:
    """The network in neuron lists as IR, verified; recorded spikes become its activity. Raises `SnnirError`."""
    return _Reader(Files.of(Path(path)), options).module()


def read_spikes(path: Path | str) -> dict[str, NDArray[np.int64]]:
    """The recorded spikes of `inputs` and `neurons` in events (`snnir.frontend.sonata.reader.Events`), one sample."""
    files = Files.of(Path(path))
    lists = read_lists(files)
    if lists.spikes is None:
        raise SnnirError(files.connections, "there is no spike list beside this file", f"add ...{SPIKES}")
    steps = _steps(lists.spikes)
    result: dict[str, NDArray[np.int64]] = {}
    for name, ids in lists.groups:
        chosen = np.isin(lists.spikes.neurons, ids)
        result[f"{name}.sample"] = np.zeros(int(chosen.sum()), np.int64)
        result[f"{name}.step"] = lists.spikes.times[chosen]
        result[f"{name}.index"] = np.searchsorted(ids, lists.spikes.neurons[chosen])
        result[f"{name}.shape"] = np.array([1, steps], np.int64)
    return result


def _steps(spikes: SpikeTimes) -> int:
    return int(spikes.times.max(initial=0)) + 1


class _Reader:
    def __init__(self, files: Files, options: FrontendOptions) -> None:
        self.files, self.options = files, options
        self.notes = Notes()
        self.place = Place(str(files.connections))
        self.lists = read_lists(files)

    def module(self) -> ModuleOp:
        """The program and the notes on what the lists do not say."""
        lists, place, options = self.lists, self.place, self.options
        preset = preset_named(options.semantics, str(place)) or "nir"
        parameters = {"r": 1.0, "threshold": 1.0, "v_reset": 0.0}
        transforms = list(self.transforms())
        network = Network(
            symbol(self.files.connections.name.removesuffix(CONNECTIONS).rstrip("._-") or NEURONS),
            options.dt if options.dt is not None else DT,
            place,
            self.steps(),
            place,
            [Input(INPUTS, (lists.inputs.size,), place)] if lists.inputs.size else [],
            transforms,
            [
                Population(
                    NEURONS,
                    (lists.neurons.size,),
                    "if",
                    {name: Value(value, place) for name, value in parameters.items()},
                    semantics_for(preset, "if", options, str(place)),
                    place,
                    tuple(Reference(each.name, place) for each in transforms),
                )
            ],
            [Output("spikes", (Reference(NEURONS, place),), place)],
            place,
            read_platform(options.platform) if options.platform is not None else None,
        )
        module = build(network)
        self.attach_activity(next(networks(module)))
        module.verify()
        self.note_assumptions(preset)
        self.notes.show()
        return module

    def steps(self) -> int | None:
        """Steps as asked for, else up to the last spike."""
        asked, spikes = self.options.steps, self.lists.spikes
        if spikes is None:
            return asked
        found = _steps(spikes)
        if asked is not None and asked < found:
            what = f"--steps {asked}, but the last spike is in step {found - 1}"
            raise SnnirError(str(self.files.spikes), what, f"ask for {found} or more")
        return asked or found

    def transforms(self) -> Sequence[Transform]:
        """The connections from the inputs, and those among the neurons."""
        lists, place = self.lists, self.place
        weights = lists.weights if lists.weights is not None else np.ones(lists.targets.size)
        result: list[Transform] = []
        for name, ids in lists.groups:
            chosen = np.isin(lists.sources, ids)
            if chosen.any():
                op = Sparse(
                    Value(weights[chosen], Place(str(self.files.weights or self.files.connections))),
                    Value(np.searchsorted(ids, lists.sources[chosen]), place),
                    Value(np.searchsorted(lists.neurons, lists.targets[chosen]), place),
                    delay=DELAY,
                )
                source = (Reference(name, place),)
                result.append(Transform(f"{name}_to_{NEURONS}", source, op, place, (lists.neurons.size,)))
        return result

    def attach_activity(self, network: NetworkOp) -> None:
        """Give inputs and neurons the activity that the spike list shows, and the spikes themselves."""
        lists = self.lists
        if lists.spikes is None:
            return
        assert network.steps is not None
        for name, ids in lists.groups:
            chosen = np.isin(lists.spikes.neurons, ids)
            neurons, times = np.searchsorted(ids, lists.spikes.neurons[chosen]), lists.spikes.times[chosen]
            op = network.sources[name]
            op.activity = activity(name, neurons, times, ids.size, network.steps.data)
            if times.size:
                op.attributes[RECORDED] = TensorAttr.of(f"{name}.{RECORDED}", np.stack([times, neurons], axis=1))

    def note_assumptions(self, preset: str) -> None:
        """Say what the lists do not."""
        lists, place = self.lists, self.place
        add = self.notes.add
        what = (
            f"a neuron list does not say what neurons compute: integrate-and-fire, r = 1, threshold 1, preset {preset}"
        )
        add(
            place,
            f"{what}, and a delay of {DELAY} step are assumed; spikes simulated with them are not the recorded ones",
        )
        if lists.weights is None:
            add(place, f"there is no ...{WEIGHTS} beside this file; all weights are 1")
        if lists.spikes is None:
            add(place, f"there is no ...{SPIKES} beside this file, so no activity is known")
        elif lists.spikes.unlisted:
            add(str(self.files.spikes), f"{lists.spikes.unlisted} neurons are not in this list and count as silent")
        if self.options.dt is None:
            add(place, f"dt = {DT:g} s is assumed: times in these lists are in ms; --dt says otherwise")
        if lists.inputs.size and not np.array_equal(lists.inputs, np.arange(lists.inputs.size)):
            first = int(lists.inputs[int(np.argmax(lists.inputs != np.arange(lists.inputs.size)))])
            what = f"the {lists.inputs.size} neurons to which nothing leads are @{INPUTS}, also number {first}"
            add(place, f"{what}; in each part neurons are in the order of their numbers")


def activity(name: str, neurons: NDArray[np.int64], times: NDArray[np.int64], size: int, steps: int) -> ActivityAttr:
    """Activity of `size` neurons in `steps` steps from single spikes."""
    counts = np.bincount(neurons, minlength=size).astype(np.int64)
    busy = np.unique(times, return_counts=True)[1] if times.size else np.empty(0, np.int64)
    histogram = np.bincount(busy, minlength=1).astype(np.int64)
    histogram[0] = steps - busy.size
    reached = np.cumsum(histogram)
    percentiles = tuple(int(np.searchsorted(reached * 100, percent * steps)) for percent in PERCENTILES)
    peak = int(busy.max(initial=0))
    return ActivityAttr.of(steps, int(counts.sum()), peak, TensorAttr.of(f"{name}.counts", counts), percentiles)
