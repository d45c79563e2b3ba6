"""Spikes of SONATA: what virtual nodes send, and what a simulation recorded.

Source: SONATA Developer Guide 0.1, "Spike file": `/spikes/<population>/node_ids` and `timestamps`; files of SONATA's
first years have `/spikes/gids` and `timestamps` and leave the population to the reader. bmtk also reads CSV with the
columns `timestamps population node_ids`. Times are in ms where the file does not say otherwise.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.frontend.hdf5 import Array, Group, Place, opened, reading
from snnir.frontend.names import suggestion
from snnir.frontend.sonata.config import Config, Json, SpikeInput, shown
from snnir.frontend.sonata.layout import Layout, Population
from snnir.frontend.sonata.tables import DYNAMICS

_UNITS = {"ms": 1.0, "millisecond": 1.0, "milliseconds": 1.0, "s": 1e3, "sec": 1e3, "second": 1e3, "seconds": 1e3}
_OLD_IDS = "gids"
_IDS = "node_ids"
_TIMES = "timestamps"


@dataclass(frozen=True)
class Spikes:
    """Spikes of one population, in the order of the file: node ids and times in ms."""

    population: str | None
    """`None` in files that do not say."""
    ids: NDArray[np.int64]
    times: NDArray[np.floating]
    place: Place


def read_spike_file(path: Path, module: str = "h5") -> list[Spikes]:
    """The spikes of each population in a file. Raises `SnnirError` for anything that does not fit."""
    return _read_csv(path) if module == "csv" or path.suffix == ".csv" else _read_hdf5(path)


def _read_hdf5(path: Path) -> list[Spikes]:
    with opened(path) as root:
        top = root.child("spikes")
        if not isinstance(top, Group):
            raise root.place.error("there is no group 'spikes'", suggestion("spikes", root.names, "members"))
        groups = [child for name in top.names if isinstance(child := top.child(name), Group)]
        if groups:
            return [_read_group(group, group.place.path.rpartition("/")[2]) for group in groups]
        return [_read_group(top, None)] if {_OLD_IDS, _IDS, _TIMES} & set(top.names) else []


def _read_group(group: Group, population: str | None) -> Spikes:
    ids = group.child(_IDS) or group.child(_OLD_IDS)
    times = group.child(_TIMES)
    for found, name in ((ids, _IDS), (times, _TIMES)):
        if not isinstance(found, Array):
            raise group.place.error(f"there is no dataset '{name}'", suggestion(name, group.names, "datasets"))
    assert isinstance(ids, Array)
    assert isinstance(times, Array)
    nodes, stamps = ids.read(), times.read()
    if nodes.ndim != 1 or nodes.dtype.kind not in "iu" or (nodes.size and int(nodes.min()) < 0):
        raise ids.place.error(f"node ids are expected here, not {nodes.dtype} {nodes.shape}")
    if stamps.dtype.kind not in "iuf" or stamps.shape != nodes.shape:
        raise times.place.error(f"{nodes.size} times are expected here, not {stamps.dtype} {stamps.shape}")
    return Spikes(population, nodes.astype(np.int64), _in_ms(stamps, times), group.place)


def _in_ms(stamps: NDArray[Any], array: Array) -> NDArray[np.floating]:
    with reading(array.place):
        unit = array.dataset.attrs.get("units", "ms")
        unit = unit.decode("utf-8") if isinstance(unit, bytes) else str(unit)
    factor = _UNITS.get(unit.strip().lower())
    if factor is None:
        raise array.place.error(f"the unit '{unit}' of times is not known", f"there are {', '.join(_UNITS)}")
    return stamps if factor == 1.0 and stamps.dtype.kind == "f" else stamps.astype(np.float64) * factor


def _read_csv(path: Path) -> list[Spikes]:
    place = Place(str(path))
    found: dict[str | None, tuple[list[int], list[float]]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter=" ", skipinitialspace=True)
            columns = list(rows.fieldnames or ())
            for name in (_TIMES, _IDS):
                if name not in columns:
                    raise Place(str(path), "1").error(f"there is no column '{name}'", "columns are separated by spaces")
            for row in rows:
                line = Place(str(path), str(rows.line_num))
                node, time = str(row[_IDS]), str(row[_TIMES])
                if not (node.isascii() and node.isdigit()):
                    raise line.error(f"node_ids = '{node}' is not a whole number")
                ids, times = found.setdefault(row.get("population"), ([], []))
                ids.append(int(node))
                times.append(_time(time, line))
    except FileNotFoundError:
        raise place.error(
            "no such file", "the configuration names it; correct the name or put the file there"
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise place.error(f"cannot be read: {error}") from None
    return [Spikes(name, np.array(ids), np.array(times, np.float64), place) for name, (ids, times) in found.items()]


def _time(text: str, place: Place) -> float:
    try:
        return float(text)
    except ValueError:
        raise place.error(f"timestamps = '{text}' is not a number") from None


@dataclass(frozen=True)
class PartSpikes:
    """Spikes of one part of the program: neuron numbers and times in ms."""

    name: str
    neurons: NDArray[np.int64]
    times: NDArray[np.floating]
    place: Place


def input_spikes(config: Config, layout: Layout) -> Iterator[PartSpikes]:
    """What each entry of `inputs` sends, for each input of the program. Raises `SnnirError` for what does not fit."""
    for each in config.inputs:
        members = node_set(each.node_set, config.node_sets, layout)
        names = [name for name, member in members.items() if member.any()]
        for spikes in read_spike_file(each.file, each.module):
            population = _meant(spikes, names, each)
            if population is not None:
                found = layout.populations[population]
                entries = found.nodes.entries_of(spikes.ids, spikes.place)
                chosen = members[population][entries]
                yield from _virtual(found, entries[chosen], spikes.times[chosen], spikes.place)


def _meant(spikes: Spikes, names: list[str], each: SpikeInput) -> str | None:
    """The population of spikes that an input sends; `None` when its node set has none of that population."""
    if spikes.population is not None:
        return spikes.population if spikes.population in names else None
    if len(names) != 1:
        what = f"node set {shown(each.node_set.value)} has nodes of {len(names)} populations"
        raise spikes.place.error(f"this file does not say whose spikes these are, and {what}", "name one population")
    return names[0]


def _virtual(
    population: Population, entries: NDArray[np.int64], times: NDArray[np.floating], place: Place
) -> Iterator[PartSpikes]:
    for number, part in enumerate(population.parts):
        chosen = population.part_of[entries] == number
        if part.neurons is not None and chosen.any():
            node = population.nodes.ids[entries[int(np.argmax(chosen))]]
            what = f"spikes for node {node} of '{population.nodes.name}', which is not virtual"
            raise place.error(what, "only virtual nodes can be told when to fire")
        if part.neurons is None:
            yield PartSpikes(part.name, population.within[entries[chosen]], times[chosen], place)


def recorded_spikes(path: Path, layout: Layout) -> Iterator[PartSpikes]:
    """The spikes of a simulation, for each population of the program."""
    for spikes in read_spike_file(path):
        candidates = [name for name, each in layout.populations.items() if any(p.neurons for p in each.parts)]
        name = spikes.population if spikes.population is not None else (candidates[0] if len(candidates) == 1 else None)
        if name is None:
            raise spikes.place.error(
                "this file does not say whose spikes these are", f"there are {', '.join(candidates)}"
            )
        if name not in layout.populations:
            hint = suggestion(name, layout.populations, "populations")
            raise spikes.place.error(f"there is no population '{name}'", hint)
        population = layout.populations[name]
        entries = population.nodes.entries_of(spikes.ids, spikes.place)
        for number, part in enumerate(population.parts):
            chosen = population.part_of[entries] == number
            yield PartSpikes(part.name, population.within[entries[chosen]], spikes.times[chosen], spikes.place)


def node_set(
    given: Json, sets: Mapping[str, Json], layout: Layout, open_names: tuple[str, ...] = ()
) -> dict[str, NDArray[np.bool_]]:
    """Which nodes of each population a node set means: a name, a list of names, or rules that must all hold.

    Source: SONATA Developer Guide 0.1, "Node Sets File". Populations are node sets of their own names; `all` is all.
    """
    if isinstance(given.value, str):
        name = given.value
        if name in sets and name not in open_names:
            return node_set(sets[name], sets, layout, (*open_names, name))
        if name in layout.populations or name == "all":
            return {each: np.full(p.nodes.ids.size, name in (each, "all")) for each, p in layout.populations.items()}
        hint = suggestion(name, [*sets, *layout.populations], "node sets and populations")
        raise given.place.error(
            f"there is no node set '{name}'" if name not in open_names else "this set holds itself", hint
        )
    if isinstance(given.value, list):
        members = [node_set(each, sets, layout, open_names) for each in given.list()]
        empty = {name: np.zeros(p.nodes.ids.size, np.bool_) for name, p in layout.populations.items()}
        return {name: np.logical_or.reduce([none, *(m[name] for m in members)]) for name, none in empty.items()}
    result = {name: np.ones(p.nodes.ids.size, np.bool_) for name, p in layout.populations.items()}
    for key, rule in given.members().items():
        wanted = {each.value if isinstance(each.value, str) else str(each.number()) for each in _scalars(rule)}
        if key == DYNAMICS:
            raise rule.place.error(f"rules on {key} are not supported")
        for name, population in layout.populations.items():
            if key == "population":
                result[name] &= name in wanted
            else:
                values = population.nodes.texts(key)
                result[name] &= np.array([str(value) in wanted for value in values], np.bool_)
    return result


def _scalars(rule: Json) -> list[Json]:
    return rule.list() if isinstance(rule.value, list) else [rule]
