"""Running a network: the public functions, the checks of the data, and the choice of the engine."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from snnir.activations import Coding
from snnir.errors import SnnirError
from snnir.sim.convolution import whole_type
from snnir.sim.engine import Chunk, Plan, plan_of
from snnir.sim.event_engine import EventEngine, why_not
from snnir.sim.events import Data, Events
from snnir.sim.network import Network

Array = NDArray[Any]
Engine = Literal["auto", "steps", "events"]
Progress = Callable[[int, int], None]
"""Told how much is done, and how much there is to do."""

COUNT_LIMIT = 255
"""The most spikes that a line may carry in a step."""
ARRAY_BYTES = 1 << 33
"""Results of more than this are refused as arrays."""
THREADS = min(8, os.cpu_count() or 1)
"""Groups of samples that are computed at the same time; each needs memory of its own."""
SILENT_SHARE = 16
"""Lists of events take the event engine where fewer than one step in so many has an event."""


@dataclass(frozen=True, eq=False)
class Recording:
    """What a run gave, by the names of the signals."""

    engine: Literal["steps", "events"]
    signals: dict[str, Array] = field(default_factory=dict[str, Array])
    """(samples, steps, neurons): spikes as unsigned integers, reals as float64. Empty for results as lists."""
    events: dict[str, Events] = field(default_factory=dict[str, Events])
    """The same as lists of events, where those were asked for."""
    voltages: dict[str, Array] = field(default_factory=dict[str, Array])
    """(samples, steps, neurons): membranes after the update and before the reset, in the type of the states."""


def simulate(
    network: Network,
    inputs: Mapping[str, Data],
    *,
    record: Collection[str] | None = None,
    engine: Engine = "auto",
    progress: Progress | None = None,
) -> dict[str, Array]:
    """The signals of a run, each (samples, steps, neurons); see `run`."""
    return run(network, inputs, record=record, engine=engine, progress=progress).signals


def run(
    network: Network,
    inputs: Mapping[str, Data],
    *,
    record: Collection[str] | None = None,
    voltages: Collection[str] = (),
    engine: Engine = "auto",
    lists: bool = False,
    progress: Progress | None = None,
) -> Recording:
    """Run every sample from rest: v = 0, synapses 0, delays silent.

    `inputs` gives (samples, steps, lines...) for each input, or `Events`: whole numbers up to 255 for spikes, finite
    numbers where the network says that the input is real; values, not codes, where it is coded. `record` names the
    signals to return (inputs, populations, activations, currents; by default `Network.signals`), `voltages`
    populations. `lists` returns lists of events in place of arrays.
    The result does not depend on how samples are grouped; the engine `events` rounds idle decay differently (see
    `snnir.sim.event_engine`). `engine="auto"` takes it for inputs given as lists that are nearly silent, where the
    network allows. Raises `SnnirError` when data and network do not fit.
    """
    checked = check_inputs(network, inputs)
    samples, steps = shape_of(network, checked)
    wanted = _wanted(network, record, voltages)
    if _choose(network, checked, engine, voltages) == "events":
        found = EventEngine(network).run({n: _listed(x) for n, x in checked.items()}, samples, steps, progress)
        kept = {name: found[name] for name in wanted}
        if lists:
            return Recording("events", events=kept)
        _check_size(network, wanted, (), samples, steps)
        return Recording("events", {name: events.array() for name, events in kept.items()})
    plan = plan_of(network, checked, frozenset(wanted), frozenset(voltages), samples)
    if not lists:
        _check_size(network, wanted, voltages, samples, steps)
    sink = _Lists(network, wanted, samples, steps) if lists else None
    arrays = _Arrays(plan, wanted, voltages, samples, steps, first=0)
    report = _Reporter(progress, samples * steps)

    def run_chunk(first: int) -> None:
        chunk = Chunk(plan, first, min(plan.samples, samples - first))
        chunk.run(checked, steps, sink or arrays, report.add)

    # lists are kept in the order in which they come; arrays do not care
    _each(run_chunk, range(0, samples, plan.samples), 1 if lists else THREADS)
    if sink is not None:
        return Recording("steps", events=sink.result())
    return Recording("steps", arrays.signals, voltages=arrays.voltages)


def chunks(
    network: Network,
    inputs: Mapping[str, Data],
    *,
    record: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[int, dict[str, Array]]]:
    """The same run as `simulate`, a few samples at a time: the number of the first, and their signals.

    For statistics over more samples than fit into memory.
    """
    checked = check_inputs(network, inputs)
    samples, steps = shape_of(network, checked)
    wanted = _wanted(network, record, ())
    plan = plan_of(network, checked, frozenset(wanted), frozenset(), samples)
    report = _Reporter(progress, samples * steps)
    for first in range(0, samples, plan.samples):
        count = min(plan.samples, samples - first)
        arrays = _Arrays(plan, wanted, (), count, steps, first)
        Chunk(plan, first, count).run(checked, steps, arrays, report.add)
        yield first, arrays.signals


def _each(work: Callable[[int], None], firsts: Sequence[int], threads: int) -> None:
    """Do the work for each number, several at a time; the error of the first that fails."""
    if threads == 1 or len(firsts) == 1:
        for first in firsts:
            work(first)
        return
    pool = ThreadPoolExecutor(threads)
    try:
        for _ in pool.map(work, firsts):
            pass
    finally:
        pool.shutdown(cancel_futures=True)


class _Reporter:
    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0
        self._lock = Lock()

    def add(self, count: int) -> None:
        """Count further steps."""
        with self._lock:
            self._done += count
            if self._progress is not None:
                self._progress(self._done, self._total)


class _Arrays:
    """Results as arrays, allocated once."""

    def __init__(
        self, plan: Plan, record: Collection[str], voltages: Collection[str], samples: int, steps: int, first: int
    ) -> None:
        sizes = plan.network.sizes
        self._first = first
        self.signals = {n: np.empty((samples, steps, sizes[n]), _result_type(plan, n)) for n in record}
        self.voltages: dict[str, Array] = {}
        self._voltage_shapes = {name: (samples, steps, sizes[name]) for name in voltages}
        self._lock = Lock()

    def signal(self, name: str, sample: int, step: int, values: Array) -> None:
        """Keep a block of a signal."""
        self._put(self.signals[name], sample, step, values)

    def voltage(self, name: str, sample: int, step: int, values: Array) -> None:
        """Keep a block of membranes."""
        with self._lock:
            if name not in self.voltages:
                self.voltages[name] = np.empty(self._voltage_shapes[name], values.dtype)
        self._put(self.voltages[name], sample, step, values)

    def _put(self, array: Array, sample: int, step: int, values: Array) -> None:
        row = sample - self._first
        array[row : row + values.shape[1], step : step + len(values)] = values.transpose(1, 0, 2)


def _result_type(plan: Plan, name: str) -> "np.dtype[Any]":
    """Spikes and counts stay whole; what is a current is float64, also where it happens to be whole."""
    real = name in plan.network.currents or name in plan.network.real_inputs
    return np.dtype(np.float64) if real else plan.types[name]


class _Lists:
    """Results as lists of events."""

    def __init__(self, network: Network, record: Collection[str], samples: int, steps: int) -> None:
        self._shapes = {name: (samples, steps, network.sizes[name]) for name in record}
        self._found: dict[str, list[tuple[Array, Array, Array, Array]]] = {name: [] for name in record}

    def signal(self, name: str, sample: int, step: int, values: Array) -> None:
        """Keep what is not 0 in a block."""
        steps, rows, neurons = np.nonzero(values)
        self._found[name].append((rows + sample, steps + step, neurons, values[steps, rows, neurons]))

    def voltage(self, name: str, sample: int, step: int, values: Array) -> None:
        """Membranes are not silent, so there is no list of them."""

    def result(self) -> dict[str, Events]:
        """What was kept."""
        columns = {name: [np.concatenate(c) for c in zip(*found, strict=True)] for name, found in self._found.items()}
        return {name: Events.of(self._shapes[name], *columns[name]) for name in columns}


def check_inputs(network: Network, inputs: Mapping[str, Data]) -> dict[str, Data]:
    """The inputs of the network, arrays as (samples, steps, lines). Raises `SnnirError` when they do not fit."""
    if not network.inputs:
        raise SnnirError(network.name, "the network has no input", "add one")
    missing = [name for name in network.inputs if name not in inputs]
    if missing:
        have = ", ".join(inputs) or "nothing"
        raise SnnirError(f"input {missing[0]}", f"the data has no array '{missing[0]}'", f"it holds {have}")
    result: dict[str, Data] = {}
    for name, size in network.inputs.items():
        data = inputs[name]
        if isinstance(data, Events) and not data.stated and data.shape[2] < size:
            data = replace(data, shape=(*data.shape[:2], size), stated=True)
        values = data.value if isinstance(data, Events) else np.asarray(data)
        lines = data.shape[2] if isinstance(data, Events) else values[:1, :1].size if values.ndim > 2 else 0
        if not min(data.shape) or lines != size:
            shape = tuple(int(n) for n in data.shape)
            hint = f"give (samples, steps, {size})"
            raise SnnirError(f"input {name}", f"data of shape {shape} for {size} lines", hint)
        coding = network.codings.get(name)
        checked = _checked_values(name, data, values, name in network.real_inputs or coding is not None)
        result[name] = checked if coding is None else _encoded(name, checked, coding)
    if len({data.shape[:2] for data in result.values()}) > 1:
        found = ", ".join(f"{name}: {data.shape[0]} x {data.shape[1]}" for name, data in result.items())
        raise SnnirError(
            network.name, f"the inputs differ in samples or steps ({found})", "give all inputs the same number"
        )
    return result


def _checked_values(name: str, data: Data, values: Array, real: bool) -> Data:
    place = f"input {name}"
    if values.dtype.kind not in "biuf":
        raise SnnirError(place, f"the data has the type {values.dtype}", "store numbers")
    if not real and (values.dtype.kind == "f" or (values.size and (values.min() < 0 or values.max() > COUNT_LIMIT))):
        found = f"from {values.min():g} to {values.max():g}" if values.size else "of no value"
        message = f"spikes are 0 or 1, or small counts, but the data is {values.dtype} {found}"
        raise SnnirError(place, message, f"convert the data to uint8, whole numbers from 0 to {COUNT_LIMIT}")
    if real and values.dtype.kind == "f" and not np.isfinite(values).all():
        raise SnnirError(place, "the data holds a value that is not finite (NaN?)", "repair the data")
    if real and values.dtype.kind != "f":
        values = values.astype(np.float64)
    elif not real:
        values = values.astype(np.uint8, copy=False)
    if isinstance(data, Events):
        return Events(data.shape, data.sample, data.step, data.index, values)
    return values.reshape(*values.shape[:2], -1)


def _encoded(name: str, data: Data, coding: Coding) -> Data:
    """The codes of values."""
    kind = whole_type(coding.most) if coding.least >= 0 else np.dtype(np.float64)
    if not isinstance(data, Events):
        return coding.encode(data).astype(kind)
    if np.any(coding.encode(np.zeros(1))):
        message = "a list of events, but what is silent has a code other than 0"
        raise SnnirError(f"input {name}", message, "store arrays of values")
    per_line = [np.asarray(each)[data.index] if np.ndim(each) else each for each in (coding.step, coding.zero)]
    codes = Coding(coding.least, coding.most, *per_line).encode(data.value).astype(kind)
    return Events(data.shape, data.sample, data.step, data.index, codes)


def shape_of(network: Network, inputs: Mapping[str, Data]) -> tuple[int, int]:
    """Samples and steps of checked inputs."""
    first = next(iter(inputs.values()))
    return first.shape[0], first.shape[1]


def _wanted(network: Network, record: Collection[str] | None, voltages: Collection[str]) -> list[str]:
    """What to record. Raises `SnnirError` for names that are none."""
    for name in record or ():
        if name not in network.sizes:
            raise SnnirError(network.name, f"no signal '{name}' to record", f"there are {', '.join(network.sizes)}")
    for name in voltages:
        if name not in network.populations:
            hint = f"there are {', '.join(network.populations)}"
            raise SnnirError(network.name, f"no population '{name}' whose voltage to record", hint)
    return list(network.signals) if record is None else list(dict.fromkeys(record))


def _choose(
    network: Network, inputs: Mapping[str, Data], engine: Engine, voltages: Collection[str]
) -> Literal["steps", "events"]:
    if engine == "steps":
        return "steps"
    reason = "membranes of all steps are recorded" if voltages else why_not(network)
    if engine == "events":
        if reason is not None:
            raise SnnirError(network.name, f"events alone do not say what it does: {reason}", "use engine = steps")
        return "events"
    if reason is not None or not all(isinstance(data, Events) for data in inputs.values()):
        return "steps"
    samples, steps = shape_of(network, inputs)
    entries = sum(len(data.step) for data in inputs.values() if isinstance(data, Events))
    return "events" if entries * SILENT_SHARE < samples * steps else "steps"


def _listed(data: Data) -> Events:
    return data if isinstance(data, Events) else Events.from_array(data)


def _check_size(network: Network, record: Collection[str], voltages: Collection[str], samples: int, steps: int) -> None:
    sizes = network.sizes
    total = samples * steps * (sum(sizes[name] for name in record) + 8 * sum(sizes[name] for name in voltages))
    if total > ARRAY_BYTES:
        message = f"{samples} samples x {steps} steps of {', '.join(record)} would be {total / 2**30:.0f} GB"
        raise SnnirError(network.name, message, "record fewer signals, run fewer samples, or ask for lists of events")
