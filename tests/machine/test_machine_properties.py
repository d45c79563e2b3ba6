"""Random configurations: the machine equals a plain one, and is never slower than the worst case."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machine_builder import Builder, write
from machine_random import random_builder, random_stages
from machine_reference import NaiveTiming, naive_counts, naive_run, slices_of, worst_case

from snnir.errors import SnnirError
from snnir.machine import Configuration, Counts, evaluation_order, load, peak_counts, run, simulate

SEEDS = st.integers(0, 2**32 - 1)
STEPS = 6
SAMPLES = 2


def loaded(builder: Builder) -> Configuration:
    with TemporaryDirectory() as directory:
        write(Path(directory), builder.document(), builder.tensors)
        return load(directory)


def random_inputs(builder: Builder, seed: int) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    shapes = {item["name"]: (SAMPLES, STEPS, item["size"]) for item in builder.inputs}
    return {name: (generator.random(shape) < 0.6).astype(np.uint8) for name, shape in shapes.items()}


def random_counts(configuration: Configuration, seed: int) -> Counts:
    """Any counts at all: the timing does not ask where they come from."""
    generator = np.random.default_rng(seed)
    most = peak_counts(configuration, STEPS)
    fields = [
        {name: generator.integers(0, counted + 1) for name, counted in field.items()}
        for field in (most.spikes_in, most.spikes_out)
    ]
    return Counts(*fields)


def as_lists(counts: Counts) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    return {n: a.tolist() for n, a in counts.spikes_in.items()}, {n: a.tolist() for n, a in counts.spikes_out.items()}


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_spikes_equal_those_of_a_plain_machine(seed: int) -> None:
    builder = random_builder(seed)
    configuration = loaded(builder)
    inputs = random_inputs(builder, seed)
    result = run(configuration, inputs)
    document, order = builder.document(), evaluation_order(configuration)
    for sample in range(SAMPLES):
        single = {name: array[sample] for name, array in inputs.items()}
        spikes = naive_run(document, builder.tensors, order, single)
        for name, array in result.spikes.items():
            assert array[sample].tolist() == spikes[name]
        window = slice(sample * STEPS, (sample + 1) * STEPS)
        for name, (crossbar, part) in slices_of(document).items():
            spikes_in, spikes_out = naive_counts(document, spikes, part, crossbar)
            assert result.counts.spikes_in[name][window].tolist() == spikes_in
            assert result.counts.spikes_out[name][window].tolist() == spikes_out
        for name, array in single.items():
            assert result.counts.spikes_out[name][window].tolist() == array.sum(1).tolist()


@pytest.mark.parametrize("floor", ["plain", "mesh", "chips", "tree"])
@pytest.mark.parametrize("busy_links", [False, True])
@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
def test_times_equal_those_of_single_events_and_keep_to_the_worst_case(floor: str, busy_links: bool, seed: int) -> None:
    builder = random_builder(seed, busy_links, floor)
    configuration, document = loaded(builder), builder.document()
    counts = (
        random_counts(configuration, seed) if busy_links else run(configuration, random_inputs(builder, seed)).counts
    )
    timing = simulate(configuration, counts)
    naive = NaiveTiming(document, *as_lists(counts), counts.steps)
    assert timing.finish.tolist() == naive.run()
    for name, (starts, ends) in timing.firings.items():
        assert starts.tolist() == naive.started[name]
        assert ends.tolist() == naive.ended[name]
        assert timing.busy[name] == sum(ends - starts)
    assert timing.link_flits == naive.link_flits
    peaks = [
        {name: int(array.max()) for name, array in field.items()} for field in (counts.spikes_in, counts.spikes_out)
    ]
    bounds = worst_case(document, peaks[0], peaks[1], counts.steps)
    assert all(end <= bound for end, bound in zip(timing.finish.tolist(), bounds, strict=True))


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS)
def test_stages_equal_those_of_single_events(seed: int) -> None:
    builder = random_builder(seed, busy_links=True)
    random_stages(builder, seed)
    builder.capacities = {pair: space + 1 for pair, space in builder.capacities.items()}
    configuration, document = loaded(builder), builder.document()
    counts = random_counts(configuration, seed)
    naive = NaiveTiming(document, *as_lists(counts), counts.steps)
    naive.work()
    if min(len(ends) for ends in naive.ended.values()) < counts.steps:
        with pytest.raises(SnnirError, match="deadlock"):
            simulate(configuration, counts)
        return
    timing = simulate(configuration, counts)
    for name, (starts, ends) in timing.firings.items():
        assert starts.tolist() == naive.started[name]
        assert ends.tolist() == naive.ended[name]
    peaks = [
        {name: int(array.max()) for name, array in field.items()} for field in (counts.spikes_in, counts.spikes_out)
    ]
    bounds = worst_case(document, peaks[0], peaks[1], counts.steps)
    assert all(end <= bound for end, bound in zip(timing.finish.tolist(), bounds, strict=True))


@pytest.mark.parametrize("floor", ["plain", "mesh", "chips", "tree"])
@settings(max_examples=12, deadline=None)
@given(seed=SEEDS)
def test_the_worst_case_bound_covers_every_neuron_spiking(floor: str, seed: int) -> None:
    builder = random_builder(seed, busy_links=True, floor=floor)
    configuration = loaded(builder)
    counts = peak_counts(configuration, STEPS)
    spikes_in, spikes_out = as_lists(counts)
    first_in = {name: counted[0] for name, counted in spikes_in.items()}
    first_out = {name: counted[0] for name, counted in spikes_out.items()}
    timing = simulate(configuration, counts)
    assert timing.finish.tolist() == NaiveTiming(builder.document(), spikes_in, spikes_out, STEPS).run()
    bounds = worst_case(builder.document(), first_in, first_out, STEPS)
    assert all(end <= bound for end, bound in zip(timing.finish.tolist(), bounds, strict=True))


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_a_sample_does_not_depend_on_its_batch(seed: int) -> None:
    builder = random_builder(seed)
    configuration = loaded(builder)
    inputs = random_inputs(builder, seed)
    together = run(configuration, inputs)
    for sample in range(SAMPLES):
        alone = run(configuration, {name: array[sample : sample + 1] for name, array in inputs.items()})
        for name, array in alone.spikes.items():
            assert np.array_equal(array[0], together.spikes[name][sample])
