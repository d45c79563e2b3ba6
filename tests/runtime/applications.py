"""Applications and machines for tests of the run time: compiled samples, and random ones without any network."""

from __future__ import annotations

import atexit
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnir.flow.pipeline import LOWERING
from snnir.machine.parts import Machine, Times
from snnir.maxplus.cycle_ratio import maximum_cycle_ratio
from snnir.maxplus.graph import TimedGraph
from snnir.maxplus.potentials import start_times
from snnir.runtime.application import Actors, Application, Channels, Constraints
from snnir.runtime.distances import distances
from snnir.runtime.package import read_package
from snnir.runtime.platform import Platform
from snnir.tensors import write_safetensors
from snnir.testing import run_in_process

Integers = NDArray[np.int64]

TIMES = Times("ps", 10000, 16000, 7800, 8, 1000, 10000, 30000, 2100, 4100, 6500)
"""Those of samples/platforms/mesh2x2-64.toml."""


def platform(
    mesh: tuple[int, int] = (4, 4),
    per_tile: int = 2,
    *,
    multicast: bool = True,
    topology: Literal["mesh", "tree", "chips"] = "mesh",
    lines: int = 64,
    host: tuple[int, int] = (0, 0),
    events: int = 2048,
) -> Platform:
    """A machine of `mesh` tiles; `tree`: as leaves below routers of four children; `chips`: a chip is half as long."""
    times, arity, chip = TIMES, None, None
    if topology == "tree":
        mesh, arity = (mesh[0] * mesh[1], 1), 4
        host = (host[0] * host[1], 0)
    elif topology == "chips":
        chip = (max(1, mesh[0] // 2), max(1, mesh[1] // 2))
        times = replace(TIMES, chip_flit=8400, chip_hop=30000)
    name = f"{topology}{mesh[0]}x{mesh[1]}-{lines}"
    machine = Machine(name, mesh, per_tile, host, lines, lines, 8, times, arity, chip)
    return Platform(machine, multicast, events)


SAMPLES = ("mesh2x2-64", "mesh2x2-32", "mesh4x4-128-shared")
"""Platforms of samples/platforms for which there are packages of samples/digits; the last one has multicast routes."""


@cache
def sample_package(machine: str = "mesh2x2-64", network: str = "digits") -> Path:
    """The package of a network of samples/digits, compiled for a platform of samples/platforms, once per process.

    The build is in the directory of the same name without `.snnpkg`.
    """
    data = ["--data", str(_SAMPLES / "digits" / "test_spikes.npz"), "--samples", "20"]
    model = [str(_SAMPLES / "digits" / f"{network}.snn"), "--platform", str(_SAMPLES / "platforms" / f"{machine}.toml")]
    return _compiled(_folder() / f"{network}-{machine}.snnpkg", *model, *data)


def _compiled(target: Path, *words: str) -> Path:
    """Compile, into a package and the directory of the same name without `.snnpkg`."""
    outcome = run_in_process(["snnc", "compile", *words, "-o", str(target.with_suffix("")), "--package", str(target)])
    assert outcome.code == 0, outcome.err
    return target


@cache
def staged_package() -> Path:
    """The package of a chain of populations that lie on crossbars pell-mell, so that orders have stages; see `_CHAIN`.

    Beside it are the build and `spikes.npz`.
    """
    folder = _folder() / "chain"
    folder.mkdir()
    rng = np.random.default_rng(1)
    sizes = [40, *range(10, 19)]
    weights = {f"w{n}": (rng.integers(-10, 64, sizes[n + 1 : n - 1 : -1]) / 128).astype("f4") for n in range(1, 9)}
    weights["w0"] = (rng.integers(-10, 64, (10, 40)) / 128).astype("f4")
    write_safetensors(folder / "weights.safetensors", weights)
    np.savez(folder / "spikes.npz", x=(rng.random((6, 12, 40)) < 0.3).astype(np.uint8))
    neurons = "if(r = 1.0, threshold = 1.0, v_reset = 0.0) using nir"
    lines = [f"  population h{n}[{10 + n}] : {neurons}" for n in (0, 8, 4, 1, 7, 3, 6, 2, 5)]
    lines += [f'  {f"h{n - 1}" if n else "x"} -> h{n} : dense(weights = "w{n}")' for n in range(9)]
    (folder / "net.snn").write_text(_CHAIN.format("\n".join(lines)))
    machine = (_SAMPLES / "platforms" / "mesh2x2-32.toml").read_text()
    changes = {"crossbars = 8": "crossbars = 1", "rows = 32": "rows = 128", "columns = 32": "columns = 40"}
    for old, new in changes.items():
        machine = machine.replace(old, new)
    (folder / "machine.toml").write_text(machine)
    profile = f'snn-profile{{data="{folder / "spikes.npz"}"}}'
    passes = ["snn-quantize", profile, "convert-snn-to-cluster{algorithm=sequential}", *LOWERING[1:]]
    return _compiled(folder / "chain.snnpkg", str(folder / "net.snn"), "--pass-pipeline", ",".join(passes))


_CHAIN = """\
network chain {{
  dt = 1e-3
  steps = 12
  platform = "machine.toml"
  weights = "weights.safetensors"
  input x[40]
{}
  output y = h8
}}
"""
_SAMPLES = Path(__file__).resolve().parents[2] / "samples"


def sample_application(machine: str = "mesh2x2-64", network: str = "digits") -> Application:
    """The application of `sample_package`."""
    return read_package(sample_package(machine, network)).application


@cache
def _folder() -> Path:
    """A folder that is there as long as the process."""
    folder = Path(mkdtemp(prefix="snnir-packages-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    return folder


def random_application(
    seed: int,
    clusters: int,
    target: Platform | None = None,
    *,
    recurrent: bool = True,
    pipelined: bool = True,
    constraints: Constraints | None = None,
    name: str | None = None,
) -> Application:
    """Arrays of an application in layers, with loops of delays, clusters of one to three slices, an input, an output.

    Spikes, and so times and flits, are those that crossbars of the target can have. `pipelined`: orders with stages.
    `period` and `latency` are those with transport in no time: bounds that no placement reaches.
    """
    target = platform() if target is None else target
    draft = _Draft(np.random.default_rng(seed), clusters, target)
    draft.wire(recurrent)
    actors, channels, period, latency = draft.arrays(pipelined)
    application = Application(
        name=name or f"random{seed}",
        platform=target,
        clusters=tuple(f"c{number}" for number in range(clusters)),
        names=tuple(draft.names),
        actors=actors,
        channels=channels,
        where=draft.where(),
        distance=distances(channels, len(actors.cluster)),
        period=period,
        latency=latency,
        constraints=constraints or Constraints(),
    )
    problem = application.problem()
    assert problem is None, problem
    return application


@dataclass
class _Draft:
    rng: np.random.Generator
    clusters: int
    target: Platform
    names: list[str] = field(default_factory=list[str])
    cluster: list[int] = field(default_factory=list[int])
    layer: list[int] = field(default_factory=list[int])
    """Of inputs -1, of the output the last."""
    channels: dict[tuple[int, int, int], None] = field(default_factory=dict[tuple[int, int, int], None])
    """(source, target, delay)."""

    def __post_init__(self) -> None:
        rng = self.rng
        self._add("in", -1, -1)
        depth = int(rng.integers(1, max(2, round(self.clusters**0.5)) + 1))
        first = np.sort(rng.integers(0, depth, self.clusters))
        for number, base in enumerate(first.tolist()):
            count = int(rng.choice([1, 2, 3], p=[0.75, 0.15, 0.1]))
            for part in range(count):
                later = int(rng.integers(0, 3)) if part else 0
                self._add(f"c{number}.p{part}", number, min(base + later, depth - 1))
        self._add("out", -1, depth)

    def _add(self, name: str, cluster: int, layer: int) -> None:
        self.names.append(name)
        self.cluster.append(cluster)
        self.layer.append(layer)

    def wire(self, recurrent: bool) -> None:
        """Each slice reads one to four others of the layer before, or the input; each is read by somebody."""
        rng, last = self.rng, len(self.names) - 1
        layers = [[a for a, layer in enumerate(self.layer) if layer == each] for each in range(max(self.layer))]
        layers = [layer for layer in layers if layer]
        before = [0]
        for layer in layers:
            for actor in layer:
                for source in rng.choice(before, min(len(before), int(rng.integers(1, 5))), replace=False).tolist():
                    self.channels[source, actor, 0] = None
            self._have_readers(before, layer)
            before = layer
        for actor in before:
            self.channels[actor, last, 0] = None
        if recurrent:
            for source in rng.choice(np.arange(1, last), 1 + (last - 1) // 8, replace=False).tolist():
                near = [a for a in range(1, last) if self.layer[source] - 2 <= self.layer[a] <= self.layer[source]]
                self.channels[source, int(rng.choice(near)), int(rng.integers(1, 4))] = None

    def _have_readers(self, sources: list[int], readers: list[int]) -> None:
        read = {source for source, _, _ in self.channels}
        for source in sources:
            if source not in read:
                self.channels[source, int(self.rng.choice(readers)), 0] = None

    def where(self) -> Integers:
        """The clusters on the target's tiles, from left to right and back, round and round if there are too many."""
        width = self.target.machine.mesh[0]
        tile = np.arange(self.clusters) // self.target.machine.crossbars_per_tile % self.target.tiles
        y, x = np.divmod(tile, width)
        return np.stack((np.where(y % 2 == 0, x, width - 1 - x), y), axis=1)

    def arrays(self, pipelined: bool) -> tuple[Actors, Channels, Fraction, Fraction]:
        """Times, flits, stages and the order; the period and latency with transport in no time."""
        rng, count = self.rng, len(self.names)
        source, target, delay = np.array(list(self.channels), np.int64).T
        capacity = delay + rng.choice([1, 2, 2, 2], len(delay))
        cluster = np.array(self.cluster, np.int64)
        machine = self.target.machine
        spikes = rng.integers(1, max(2, machine.columns // 4), count)
        worst, mean = self._times(spikes, source, target)
        flits = spikes + 1
        flits[-1] = 0
        quiet = rng.uniform(0.2, 0.9, count)
        mean_flits = np.where(flits > 0, 1 + spikes * quiet, 0.0)
        hops = machine.time.flit * flits * 2 + machine.time.hop_y * 4
        lag, stage, sequence = _orders(cluster, worst, hops, (source, target, delay, capacity), pipelined)
        actors = Actors(cluster, worst, mean, lag, stage, sequence, flits, mean_flits)
        channels = Channels(source, target, delay, capacity)
        return actors, channels, *_nominal(actors, channels)

    def _times(self, spikes: Integers, source: Integers, target: Integers) -> tuple[Integers, Integers]:
        rng, time, machine = self.rng, self.target.machine.time, self.target.machine
        columns = rng.integers(1, machine.columns + 1, len(spikes))
        taken = np.minimum(np.bincount(target, spikes[source], len(spikes)).astype(np.int64), machine.rows)
        fixed = time.read + time.convert * -(-columns // time.columns_per_adc) + time.update * columns
        part = np.array(self.cluster) >= 0
        load = time.event * taken + time.spike * spikes
        mean = (load * rng.uniform(0.2, 0.9, len(spikes))).astype(np.int64)
        return np.where(part, fixed + load, 0), np.where(part, fixed + mean, 0)


def _orders(
    cluster: Integers, worst: Integers, hops: Integers, channels: tuple[Integers, ...], pipelined: bool
) -> tuple[Integers, Integers, Integers]:
    """Lags, stages and the single-tile order, from starts in a periodic schedule as the compiler makes them."""
    source, target, delay, capacity = channels
    own = np.arange(len(worst))
    graph = TimedGraph(
        len(worst),
        np.concatenate([source, target, own]),
        np.concatenate([target, source, own]),
        np.concatenate([worst[source] + hops[source], worst[target], worst]),
        np.concatenate([delay, capacity - delay, np.ones_like(own)]),
    )
    period = sum(graph.time.tolist())
    if pipelined:
        found = maximum_cycle_ratio(graph)
        assert found is not None
        load = np.bincount(cluster[cluster >= 0], worst[cluster >= 0])
        period = max(int(load.max()), int(found.ratio) + 1)
    starts = np.array([int(start) for start in start_times(graph, Fraction(period))], np.int64)
    lag = starts // period if pipelined else np.zeros_like(starts)
    free = graph.tokens + lag[graph.target] - lag[graph.source] == 0
    needs: dict[int, list[int]] = {actor: [] for actor in range(len(worst))}
    for before, after in zip(graph.source[free].tolist(), graph.target[free].tolist(), strict=True):
        needs[after].append(before)
    place = {actor: number for number, actor in enumerate(TopologicalSorter(needs).static_order())}
    left = starts - lag * period
    order = sorted(range(len(worst)), key=lambda actor: (left[actor], place[actor]))
    sequence = np.empty_like(lag)
    sequence[order] = np.arange(len(order))
    least = np.full(int(cluster.max()) + 1, np.iinfo(np.int64).max)
    slices = cluster >= 0
    np.minimum.at(least, cluster[slices], lag[slices])
    stage = np.where(slices, lag - least[np.maximum(cluster, 0)], 0)
    return lag, stage, sequence


def _nominal(actors: Actors, channels: Channels) -> tuple[Fraction, Fraction]:
    """Period and latency when tokens need no time to travel."""
    lag, own = actors.lag, np.arange(len(actors.lag))
    parts = np.flatnonzero(actors.cluster >= 0)
    parts = parts[np.lexsort((actors.sequence[parts], actors.cluster[parts]))]
    first = np.flatnonzero(np.diff(actors.cluster[parts], prepend=-1))
    last = np.append(first[1:], len(parts)) - 1
    after = np.roll(parts, -1)
    after[last] = parts[first]
    again = np.zeros_like(parts)
    again[last] = 1
    source = np.concatenate([channels.source, channels.target, own, parts])
    target = np.concatenate([channels.target, channels.source, own, after])
    stages = actors.stage[parts] - actors.stage[after] + again
    tokens = np.concatenate([channels.delay, channels.capacity - channels.delay, np.ones_like(own), stages])
    graph = TimedGraph(len(own), source, target, actors.worst[source], tokens + lag[target] - lag[source])
    found = maximum_cycle_ratio(graph)
    period = found.ratio if found is not None and found.ratio else Fraction(1)
    starts = start_times(graph, period)
    outputs = np.flatnonzero((actors.cluster < 0) & (actors.flits == 0)).tolist()
    return period, max(starts[output] + int(lag[output]) * period for output in outputs)
