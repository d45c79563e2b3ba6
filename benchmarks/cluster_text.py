"""Seconds to print, parse and verify the text of 10,000 clusters.

    python -m benchmarks.cluster_text

A made-up program whose clusters look like those of tiled convolutions: each fills the 128 rows of a crossbar from about
ten signals in up to eight runs each, and its 128 columns with four slices, one of them a partial sum for another
cluster; all are placed and routed. The peer, in the same run, is the same code without its shortcuts: every token
through xDSL's lexer and every type through its printer. Verification has no shortcuts; it is the same in both. Times
are processor time of one core, which on an idle machine is the time that passes.
"""

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, FloatAttr, ModuleOp, f64
from xdsl.parser import Parser

from snnir.dialects import cluster, snn
from snnir.dialects.attributes import SignalType
from snnir.dialects.cluster import ClusterOp, OutputOp, ProgramOp
from snnir.dialects.cluster_attributes import Axons, Place, PlaceAttr, Slice
from snnir.dialects.platform import ATTRIBUTE, Buffers, Crossbar, Machine, MachineAttr, Platform, Tiles
from snnir.dialects.quick_text import ordinary_reading
from snnir.indices import Indices
from snnir.passes.cluster.route import ClusterRoute
from snnir.semantics import Semantics

IntArray = NDArray[np.int64]
T = TypeVar("T")
STEPS = ("print", "parse", "verify each cluster", "verify the program")
PATCHES = 200
"""Clusters of a level of the program."""
HEIGHT, WIDTH = 8, 800
"""Neurons of a layer."""
SHAPES = ((8, 4), (4, 8), (2, 16))
"""What a slice holds of its layer: a patch. Levels differ, so that their clusters read several slices each."""
LAYERS = 3
"""Layers that share the clusters of a level."""


def network(levels: int) -> snn.NetworkOp:
    """Layers that copy the one before; the first of a level also reads the second of the level before, a step late."""
    size = HEIGHT * WIDTH
    result = snn.NetworkOp("n", 0.001, None)
    source = snn.InputOp("x", SignalType.spikes(size))
    result.body.block.add_op(source)
    signals = [source.signal]
    for layer in range(levels * LAYERS):
        read = [(signals[-1], 0)] + ([(signals[max(0, len(signals) - 2)], 1)] if layer % LAYERS == 0 else [])
        copies = [snn.ScaleOp(s, FloatAttr(1.0, f64), SignalType.current(size), delay=late) for s, late in read]
        values = {"r": FloatAttr(1.0, f64), "threshold": FloatAttr(0.5, f64), "v_reset": FloatAttr(0.0, f64)}
        currents = [copy.current for copy in copies]
        population = snn.IfOp(f"p{layer}", currents, values, Semantics(), SignalType.spikes(size))
        result.body.block.add_ops([*copies, population])
        signals.append(population.signal)
    result.body.block.add_op(snn.OutputOp("y", signals[-1]))
    return result


@cache
def patches(layer: int) -> IntArray:
    """The neurons of each slice of a layer, shape (PATCHES, neurons); layers are shifted against each other."""
    height, width = SHAPES[layer // LAYERS % len(SHAPES)]
    shift = layer // LAYERS + layer % 2 * width // 2
    row, column = np.divmod(np.arange(HEIGHT * WIDTH), WIDTH)
    owner = row // height * (WIDTH // width) + (column - shift) % WIDTH // width
    return np.argsort(owner, kind="stable").reshape(PATCHES, -1)


@cache
def owners(layer: int) -> IntArray:
    """The patch of each neuron of a layer."""
    return np.repeat(np.arange(PATCHES), HEIGHT * WIDTH // PATCHES)[np.argsort(patches(layer).ravel())]


def program(levels: int) -> ModuleOp:
    """`levels * PATCHES` clusters."""
    result, source = ProgramOp("n"), cluster.InputOp("x", SignalType.spikes(HEIGHT * WIDTH))
    ops = [_cluster(level, place) for level in range(levels) for place in range(PATCHES)]
    for number, op in enumerate(ops):
        level, place = divmod(number, PATCHES)
        read = [(layer, at) for layer, at, _, _ in _groups(level, place)]
        signals = [
            ops[layer // LAYERS * PATCHES + at].computed[layer % LAYERS] if layer >= 0 else source.signal
            for layer, at in read
        ]
        op.wire(signals, [ops[level * PATCHES + (place + 1) % PATCHES].computed[LAYERS]])
        for part, value in zip(op.parts, op.computed, strict=True):
            value.name_hint = part.population + ("_sum" if part.is_partial else "")
        op.place = PlaceAttr(Place((place // 2, level), place % 2))
    last = [op.computed[LAYERS - 1] for op in ops[-PATCHES:]]
    result.body.block.add_ops([source, *ops, OutputOp("y", last)])
    module = ModuleOp([network(levels), result])
    tiles = Tiles((PATCHES // 2, levels), 2, (PATCHES // 4, 0))
    crossbar = Crossbar(128, 128, fanin="digital", max_delay=1)
    module.attributes[ATTRIBUTE] = MachineAttr(Machine("m", tiles, crossbar, Buffers(1024)))
    ClusterRoute().apply(Context(), module)
    return module


def _groups(level: int, place: int) -> list[tuple[int, int, Axons, int]]:
    """What a cluster reads, in the order of its rows: layer (-1: the input), patch, axons, and the slice they drive."""
    first, before = level * LAYERS, (place - 1) % PATCHES
    wanted = [(layer - 1, 0, patches(layer)[place]) for layer in range(first, first + LAYERS)]
    wanted.append((max(first - 2, -1), 1, patches(first)[before]))
    found: list[tuple[int, int, Axons, int]] = []
    for number, (layer, delay, neurons) in enumerate(wanted):
        at = owners(layer)[neurons] if layer >= 0 else np.zeros_like(neurons)
        found += [(layer, int(p), Axons(Indices.of(neurons[at == p]), delay), number) for p in np.unique(at)]
    return sorted(found, key=lambda group: group[1] % 2)


def _cluster(level: int, place: int) -> ClusterOp:
    groups = _groups(level, place)
    starts = np.cumsum([0, *(len(axons.neurons) for _, _, axons, _ in groups)])
    slices: list[Slice] = []
    for number in range(LAYERS + 1):
        mine: list[IntArray] = [
            np.arange(starts[i], starts[i + 1]) for i, group in enumerate(groups) if group[3] == number
        ]
        rows = Indices.of(np.concatenate(mine))
        partial = number == LAYERS
        layer, at = level * LAYERS + (0 if partial else number), (place - partial) % PATCHES
        neurons = Indices.of(patches(layer)[at])
        kind, column = "partial" if partial else "neurons", number * len(neurons)
        slices.append(Slice(kind, f"p{layer}", neurons, rows, column, int(number == 0)))
    return ClusterOp(f"c{level * PATCHES + place}", [axons for _, _, axons, _ in groups], slices)


def seconds(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` gives, and its processor time; the garbage of what came before is gone by then."""
    gc.collect()
    start = time.process_time()
    return work(), time.process_time() - start


def measure(module: ModuleOp) -> dict[str, float]:
    """The seconds of each step."""
    ctx = Context()
    for dialect in (Builtin, Platform, snn.SNN, cluster.Cluster):
        ctx.load_dialect(dialect)
    text, printing = seconds(lambda: str(module))
    again, parsing = seconds(Parser(ctx, text).parse_module)
    clusters = [op for op in again.walk() if isinstance(op, ClusterOp)]
    _, each = seconds(lambda: [op.verify() for op in clusters])
    _, everything = seconds(again.verify)
    assert str(again) == text
    return dict(zip(STEPS, (printing, parsing, each, everything - each), strict=True))


def medians(module: ModuleOp, runs: int) -> dict[str, float]:
    """The seconds of each step, the median of some runs."""
    found = [measure(module) for _ in range(runs)]
    return {step: statistics.median([times[step] for times in found]) for step in STEPS}


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--clusters", type=int, default=10_000, help="how many (10000)")
    options.add_argument("--peer-clusters", type=int, default=1_000, help="how many for the peer, which is slow (1000)")
    options.add_argument("--runs", type=int, default=3, help="runs of which the median is given (3)")
    arguments = options.parse_args()
    counts = [max(1, round(count / PATCHES)) for count in (arguments.peer_clusters, arguments.clusters)]
    small, large = (program(levels) for levels in counts)
    with ordinary_reading():
        peer = medians(small, arguments.runs)
    ours = medians(large, arguments.runs)
    before, after = (levels * PATCHES for levels in counts)
    characters = len(str(large.body.block.last_op)) / after
    print(f"{after} clusters of {characters:.0f} characters; the peer on {before} of them, scaled to {after}")
    print(f"{'':22}{'token by token':>24}{'whole ops':>24}")
    print(f"{'':22}{'seconds':>12}{'us each':>12}{'seconds':>12}{'us each':>12}")
    for step in (*STEPS, "together"):
        row = [sum(each.values()) if step == "together" else each[step] for each in (peer, ours)]
        each = [time / count for time, count in zip(row, (before, after), strict=True)]
        print(f"{step:22}" + "".join(f"{time * after:>12.2f}{time * 1e6:>12.0f}" for time in each))


if __name__ == "__main__":
    main()
