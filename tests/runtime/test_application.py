"""The arrays of compiled applications, against the emitted configuration, the data and the compiler's own graph."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from applications import SAMPLES, platform, random_application, sample_package, staged_package

from snnir import machine
from snnir.machine.counts import peak_counts
from snnir.runtime.application import Application
from snnir.runtime.consistency import channels_of
from snnir.runtime.distances import distances
from snnir.runtime.package import read_package
from snnir.testing import run_in_process

NETWORKS = [*((name, "digits") for name in SAMPLES), ("mesh2x2-32", "digits_recurrent"), ("staged", "")]


@pytest.fixture(params=NETWORKS, ids="-".join, scope="module")
def build(request: pytest.FixtureRequest) -> tuple[Application, machine.Configuration]:
    name, network = request.param
    path = staged_package() if name == "staged" else sample_package(name, network)
    return read_package(path).application, machine.load(path.with_suffix("") / "machine")


def test_times_and_flits_are_those_of_the_peaks(build: tuple[Application, machine.Configuration]) -> None:
    """The simulator's own times and flits, when every slice and input has as many spikes as the guarantee allows."""
    application, configuration = build
    counts = peak_counts(configuration, 1)
    for number, name in enumerate(application.names[: -len(configuration.outputs)]):
        part = configuration.slices.get(name)
        sent = part.width if part is not None and part.is_partial else int(counts.spikes_out[name][0])
        assert application.actors.flits[number] == sent + 1, name
        time = 0
        if part is not None:
            arguments = counts.spikes_in[name], counts.spikes_out[name]
            time = int(machine.firing_times(configuration.machine.time, part, *arguments)[0])
        assert application.actors.worst[number] == time, name


def test_mean_flits_are_those_of_the_data(samples: Path) -> None:
    application = read_package(sample_package("mesh2x2-64")).application
    pixels = np.load(samples / "digits" / "test_spikes.npz")["pixels"][:20]
    assert application.names[0] == "pixels"
    assert application.actors.mean_flits[0] == pytest.approx(1 + pixels.sum() / (20 * 25))
    assert 1 < application.actors.mean_flits[0] < application.actors.flits[0] - 1
    worked = application.actors.worst > 0
    assert (application.actors.mean[worked] < application.actors.worst[worked]).all()


def test_clusters_orders_and_channels_are_those_of_the_machine(
    build: tuple[Application, machine.Configuration],
) -> None:
    application, configuration = build
    actors, names = application.actors, application.names
    for number, crossbar in enumerate(configuration.crossbars):
        own = np.flatnonzero(actors.cluster == number)
        inside: list[int] = own[np.argsort(actors.sequence[own])].tolist()
        assert set(own.tolist()) == {names.index(part.name) for part in crossbar.slices}
        assert [names[actor] for actor in inside] == list(crossbar.order)
        assert actors.stage[inside].tolist() == list(crossbar.stages)
        assert tuple(application.where[number]) == crossbar.tile
    channels = application.channels
    rows: list[list[int]] = np.stack(
        (channels.source, channels.target, channels.delay, channels.capacity), axis=1
    ).tolist()
    found = [(names[source], names[target], delay, capacity) for source, target, delay, capacity in rows]
    assert found == [(c.source, c.target, c.delay, c.capacity) for c in configuration.channels]
    assert np.array_equal(application.distance, distances(channels_of(configuration), len(names)))
    guarantee = configuration.guarantee
    assert guarantee is not None
    assert (application.period, application.latency) == (guarantee.period, guarantee.latency)


def test_all_that_has_no_tokens_leads_forward(build: tuple[Application, machine.Configuration]) -> None:
    application, _ = build
    actors, channels = application.actors, application.channels
    after, behind = application.following
    slices = np.flatnonzero(after >= 0)
    moved = channels.delay + actors.lag[channels.target] - actors.lag[channels.source]
    waits = [
        (channels.source, channels.target, moved),
        (channels.target, channels.source, channels.capacity - moved),
        (slices, after[slices], behind[slices]),
    ]
    for tail, head, tokens in waits:
        assert (tokens >= 0).all()
        assert (actors.sequence[tail] < actors.sequence[head])[tokens == 0].all()
    # entries of an order follow each other in one round, the first comes a round after the last
    last = actors.sequence[slices] >= actors.sequence[after[slices]]
    assert np.array_equal(behind[slices], last)


def test_there_are_stages_to_look_at() -> None:
    application = read_package(staged_package()).application
    assert application.actors.stage.max() == 2
    assert len(set(application.actors.lag[application.actors.cluster >= 0])) == 3


@pytest.mark.parametrize("topology", ["mesh", "tree", "chips"])
def test_random_applications_are_applications(topology: str) -> None:
    target = platform((4, 2), topology=topology)  # pyright: ignore[reportArgumentType]
    for seed in range(6):
        application = random_application(seed, 1 + 5 * seed, target, pipelined=seed % 2 == 0)
        assert application.problem() is None
        assert application.period > 0
        with_more = replace(application, clusters=(*application.clusters, "one more"))
        assert with_more.problem() is not None


REFUSED = {
    "no analysis": ("dataflow-analyze-throughput", "", "needs the pass dataflow-analyze-throughput"),
    "no machine": (", convert-dataflow-to-crossbar", "", "needs the pass convert-dataflow-to-crossbar"),
    "the published graph": ("convert-cluster-to-dataflow", "convert-cluster-to-dataflow{mode=paper}", "error: "),
}


@pytest.mark.parametrize("case", REFUSED)
def test_builds_without_what_admission_needs(case: str, samples: Path, tmp_path: Path) -> None:
    pipeline = json.loads((sample_package("mesh2x2-64").with_suffix("") / "build.json").read_text())["pipeline"]
    old, new, message = REFUSED[case]
    assert old in pipeline
    words = ["--platform", str(samples / "platforms" / "mesh2x2-64.toml"), "-o", str(tmp_path / "out")]
    words += [
        "--package",
        str(tmp_path / "p.snnpkg"),
        "--pass-pipeline",
        pipeline.replace(old, new).replace(", ,", ","),
    ]
    outcome = run_in_process(["snnc", "compile", str(samples / "digits" / "digits.snn"), *words])
    assert outcome.code == 1
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert not (tmp_path / "p.snnpkg").exists()
