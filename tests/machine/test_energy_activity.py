"""Operations of a run, counted in bulk, against a count of one neuron, row and spike at a time."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from machine_builder import Builder, Document, expand, write
from machine_random import random_builder
from machine_reference import axons, flits_of, naive_counts, paths_of
from test_machine_windows import KERNEL, windowed

from snnir.energy import HOPS, OPERATIONS, Item, count
from snnir.machine import Configuration, Run, load, run

SAMPLES, STEPS = 3, 7
SHORT = 2
"""Steps of an inference that ends before some delays do."""
MEMORIES = (None, "ring", "queue", "circular", "fifo")
FLOORS = ("plain", "mesh", "chips", "tree")


def loaded(document: Document, builder: Builder) -> Configuration:
    with TemporaryDirectory() as directory:
        write(Path(directory), document, builder.tensors)
        return load(directory)


def ran(
    builder: Builder, document: Document, seed: int, steps: int = STEPS
) -> tuple[Configuration, dict[str, Any], Run]:
    """The machine with random inputs: configuration, signals, run."""
    configuration, rng = loaded(document, builder), np.random.default_rng(seed)
    inputs = {
        item["name"]: (rng.random((SAMPLES, steps, item["size"])) < 0.5).astype(np.uint8) for item in builder.inputs
    }
    found = run(configuration, inputs)
    return configuration, {**inputs, **found.spikes}, found


def bulk(items: list[Item]) -> Counter[tuple[str, str, tuple[int, int]]]:
    """Operations by kind, population and tile."""
    total = Counter[tuple[str, str, tuple[int, int]]]()
    for item in items:
        total[item.operation, item.population, item.tile] += item.count
    return total


def plain(document: Document, tensors: Any, signals: dict[str, Any], memory: str | None) -> Counter[Any]:
    """The same, one after the other."""
    total, steps = Counter[Any](), next(iter(signals.values())).shape[1]
    for sample in range(SAMPLES):
        spikes = {name: array[sample].tolist() for name, array in signals.items()}
        driven = {
            part["name"]: [n > 0 for n in naive_counts(document, spikes, part, crossbar)[0]]
            for crossbar in document["crossbars"]
            for part in crossbar["slices"]
        }
        for crossbar in document["crossbars"]:
            tile, table = tuple(crossbar["tile"]), axons(crossbar)
            for part in crossbar["slices"]:
                for name, number in of_slice(document, tensors, spikes, crossbar, part, driven, memory).items():
                    total[name, part["population"], tile] += number
            for source, number in remembered(table, spikes, memory).items():
                total["delay", source, tile] += number
        for flow in document["flows"]:
            counts = [out_of(document, spikes, flow["from"], t) for t in range(steps)]
            for key in hops(document, flow):
                total[key] += sum(flits_of(document, flow["from"], n) for n in counts)
    return +total


def of_slice(
    document: Document, tensors: Any, spikes: Any, crossbar: Document, part: Document, driven: Any, memory: str | None
) -> Counter[str]:
    done, table, cells = Counter[str](), axons(crossbar), tensors[crossbar["cells"]]
    columns, neuronal = range(*part["columns"]), part["kind"] != "partial"
    for t in range(len(next(iter(spikes.values())))):
        for row in expand(part["rows"]):
            source, neuron, delay = table[row]
            weights = sum(cells[row, column] != 0 for column in columns)
            at_once = memory == "ring"
            moment = t if at_once else t - delay
            if moment >= 0 and spikes[source][moment][neuron]:
                done += Counter(event=1, synapse=weights, delay=weights if at_once and delay else 0)
        if driven[part["name"]][t]:
            done += Counter(read=1, convert=len(columns))
        done += Counter(add=len(columns) * len(part["partials"]))
        if neuronal:
            active = any(driven[name][t] for name in [part["name"], *part["partials"]])
            done += Counter({"update" if active else "idle": len(columns)})
            done += Counter(spike=sum(spikes[part["population"]][t][n] for n in expand(part["neurons"])))
    return done


def remembered(table: list[tuple[str, int, int]], spikes: Any, memory: str | None) -> Counter[str]:
    """Events in a shared memory, looked at in every step."""
    total, steps = Counter[str](), len(next(iter(spikes.values())))
    if memory in (None, "ring"):
        return total
    for source, neuron in {(source, neuron) for source, neuron, _ in table}:
        delays = {delay for s, n, delay in table if (s, n) == (source, neuron)}
        for start in range(steps):
            for t in range(start, steps if spikes[source][start][neuron] else start):
                if memory == "queue":
                    total[source] += sum(t - start < delay for delay in delays)
                elif max(delays):
                    total[source] += t - start <= max(delays)
    return total


def out_of(document: Document, spikes: Any, source: str, t: int) -> int:
    """Spikes that a slice or input emits in a step."""
    for crossbar in document["crossbars"]:
        for part in crossbar["slices"]:
            if part["name"] == source:
                return naive_counts(document, spikes, part, crossbar)[1][t]
    return sum(spikes[source][t])


def hops(document: Document, flow: Document) -> list[Any]:
    """Each link between routers that the tree of a flow crosses, as a key of the count."""
    populations = {part["name"]: part["population"] for c in document["crossbars"] for part in c["slices"]}
    machine, found = document["machine"], list[Any]()
    links = {(a, b) for path in paths_of(flow) for a, b in pairwise(path)}
    chip = machine.get("chip")
    for a, b in links:
        along = "hop_x" if machine.get("arity") is None and a[1] == b[1] else "hop_y"
        if chip is not None and [a[0] // chip[0], a[1] // chip[1]] != [b[0] // chip[0], b[1] // chip[1]]:
            along = "hop_chip"
        found.append((along, populations.get(flow["from"], flow["from"]), a))
    return found


@pytest.mark.parametrize("floor", FLOORS)
@pytest.mark.parametrize("memory", MEMORIES)
def test_random_machines(memory: str | None, floor: str) -> None:
    seen = Counter[str]()
    for seed, steps in [(0, STEPS), (1, STEPS), (2, STEPS), (3, SHORT), (4, SHORT)]:
        builder = random_builder(seed, floor=floor)
        document = builder.document()
        configuration, signals, found = ran(builder, document, seed, steps)
        counted = bulk(count(configuration, signals, found.counts, memory))
        expected = plain(document, builder.tensors, signals, memory)
        links = [key for key in expected if key[0] in HOPS]
        assert counted == expected, f"seed {seed}"
        seen += Counter(operation for operation, _, _ in counted)
        seen["links"] += len(links)
    never = {"delay"} if memory is None else set[str]()
    rare = {"chips": {"hop_chip"}, "tree": {"hop_y"}}.get(floor, {"hop_x"})
    assert set(OPERATIONS) - never | rare <= set(seen)


def test_windows() -> None:
    """A kernel of two places at three positions: a spike counts where the kernel meets it, cells of 0 do not."""
    document, builder = windowed()
    configuration, signals, found = ran(builder, document, 4)
    counted = bulk(count(configuration, signals, found.counts))
    x = signals["x"].astype(int)
    weights = np.count_nonzero(KERNEL, axis=1)
    synapses = x[..., 0] * (weights[1] + weights[0]) + x[..., 1] * weights[1] + x[..., 2] * weights[0]
    assert counted["synapse", "h", (0, 0)] == (synapses + x[..., 3] * weights[1]).sum()
    assert counted["event", "h", (0, 0)] == x.sum()
    driven = np.count_nonzero(x.any(axis=2))
    assert counted["read", "h", (0, 0)] == 3 * driven
    assert counted["convert", "h", (0, 0)] == 3 * 2 * driven
    assert counted["update", "h", (0, 0)] == 6 * driven


def test_a_silent_crossbar_only_idles() -> None:
    document, builder = windowed()
    configuration = loaded(document, builder)
    inputs = {"x": np.zeros((1, STEPS, 4), np.uint8)}
    found = run(configuration, inputs)
    assert not any(array.any() for array in found.spikes.values())
    counted = bulk(count(configuration, {**inputs, **found.spikes}, found.counts, "circular"))
    idle = {key: number for key, number in counted.items() if key[0] not in HOPS}
    assert idle == {("idle", "h", (0, 0)): 6 * STEPS, ("idle", "p", (1, 0)): STEPS}
