"""`convert-ann-to-snn`: rates become the activations, digits keep their labels, and a machine runs the result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from benchmarks.conversion import mnist, own_images
from snnir.api import load
from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.snn import DenseOp, FlattenOp, IfOp, IntegratorOp, OutputOp
from snnir.export import write
from snnir.frontend.notes import Notes
from snnir.passes.snn.ann_to_snn import ConvertANNToSNN
from snnir.passes.snn.legalize import SNNLegalize
from snnir.passes.snn.rates import encode_inputs
from snnir.sim import simulate
from snnir.sim.entry import network_of
from snnir.testing import run_in_process
from tests.conversion.digit_networks import TESTED, program_of, trained
from tests.passes.ordinary_networks import ordinary, outputs_of, program_in, values_for

Array = NDArray[Any]
STEPS = 2048


def converted(module: ModuleOp, data: Path, **options: Any) -> tuple[ModuleOp, ConvertANNToSNN]:
    """A spiking copy."""
    copy, step = module.clone(), ConvertANNToSNN(data=str(data), **options)
    step.apply(Context(), copy)
    copy.verify()
    return copy, step


def saved(folder: Path, data: dict[str, Array], **more: Array) -> Path:
    """A data file."""
    np.savez(folder / "data.npz", **data, **more)  # pyright: ignore[reportArgumentType]
    return folder / "data.npz"


def emitter(output: OutputOp) -> Any:
    """The population that an output reads."""
    owner = output.signal.owner
    while isinstance(owner, FlattenOp):
        owner = owner.source.owner
    return owner


@pytest.mark.parametrize("arrives", ["current", "rate"])
@pytest.mark.parametrize("seed", range(24))
def test_rates_become_the_activations(tmp_path: Path, seed: int, arrives: Literal["current", "rate"]) -> None:
    rng = np.random.default_rng(seed)
    module = ordinary(rng, ("relu", "clip"), max_pools=False)
    data = values_for(module, rng, 12)
    spiking, step = converted(module, saved(tmp_path, data), steps=STEPS, percentile=100, input=arrives)
    network, exact = program_in(spiking), simulate(network_of(program_in(module)), data)
    encoded = encode_inputs(network, data, STEPS)
    assert all(each.shape[1] == STEPS for each in encoded.values())
    found = simulate(network_of(network), encoded)
    compared = 0
    for name, op in network.sources.items():
        if isinstance(op, IfOp) and name in exact and not isinstance(emitter_reader(op), OutputOp):
            low, high = step_span(step, name)
            rate = low + (high - low) * found[name].sum(axis=1) / STEPS
            assert np.abs(rate - exact[name][:, 0]).max() <= 0.01 * max(1.0, high - low)
            compared += 1
    before = outputs_of(module, data)
    for name, output in network.outputs.items():
        source = emitter(output)
        if isinstance(source, IntegratorOp):
            mean = found[source.sym_name.data][:, -1] / STEPS
            model = program_in(module).sources.get(source.sym_name.data)
            mean = np.maximum(mean, 0.0) if getattr(model, "MODEL", "") == "relu" else mean
            mean = np.clip(mean, -0.5, 1.5) if getattr(model, "MODEL", "") == "clip" else mean
            np.testing.assert_allclose(mean, before[name][:, 0], atol=0.02 * max(1.0, float(np.abs(mean).max())))
            compared += 1
    assert compared


def emitter_reader(op: IfOp) -> Any:
    """What reads a population, where it is only one op."""
    uses = list(op.signal.uses)
    return uses[0].operation if len(uses) == 1 else None


def step_span(step: ConvertANNToSNN, name: str) -> tuple[float, float]:
    """What no spike and a spike in every step stand for, as the pass notes it."""
    (change,) = (each.change for each in step.layers if each.layer == f"@{name}")
    low, _, high = change.rpartition(", ")[2].split()
    return float(low), float(high)


def test_the_percentile_is_the_threshold_and_what_a_spike_weighs_behind_it(tmp_path: Path) -> None:
    network = trained()
    data = saved(tmp_path, {"x": network.x[:200, None]})
    spiking, step = converted(program_of(network), data, percentile=90)
    hidden = np.maximum(network.x[:200] @ network.weights[0].T + network.biases[0], 0.0)
    expected = np.percentile(hidden[hidden > 0], 90)
    first, second = (program_in(spiking).sources[name] for name in ("hidden0", "hidden1"))
    assert isinstance(first, IfOp)
    assert value_of(first.threshold) == pytest.approx(expected, rel=1e-6)
    assert isinstance(second, IfOp)
    (dense,) = (value.owner for value in second.inputs)
    assert isinstance(dense, DenseOp)
    assert isinstance(dense.weights, TensorAttr)
    np.testing.assert_allclose(dense.weights.array, network.weights[1] * expected, rtol=1e-6)
    assert step.statistics["neurons that fire"] == 80
    rates = {change.layer: change.sqnr for change in step.layers}
    assert rates["@hidden0"] is not None
    assert 5 < rates["@hidden0"] < 40


def accuracies(module: ModuleOp, folder: Path, **options: Any) -> dict[int, float]:
    """The accuracy after some numbers of steps, on data that the network has not seen."""
    network = trained()
    data = saved(folder, {"x": network.x[:-TESTED, None]})
    spiking, _ = converted(module, data, steps=32, **options)
    program = program_in(spiking)
    inputs = encode_inputs(program, {"x": network.x[-TESTED:, None]}, 32)
    scores = simulate(network_of(program), inputs)["scores"]
    if program.sources["scores"].emits_spikes:
        scores = np.cumsum(scores, axis=1, dtype=np.int64)
    right = scores.argmax(axis=2) == network.labels[-TESTED:, None]
    return {steps: float(right[:, steps - 1].mean()) for steps in (2, 4, 8, 16, 32)}


@pytest.mark.parametrize("arrives", ["current", "rate", "poisson"])
def test_digits_keep_their_labels(tmp_path: Path, arrives: str) -> None:
    network = trained()
    exact = float((network.scores(network.x[-TESTED:]).argmax(axis=1) == network.labels[-TESTED:]).mean())
    assert exact > 0.94
    found = accuracies(program_of(network), tmp_path, input=arrives)
    assert found[16] >= exact - 0.02
    assert found[32] >= exact - 0.01
    spikes = accuracies(program_of(network), tmp_path, input=arrives, output="spikes")
    assert spikes[16] >= exact - 0.03
    assert spikes[32] >= exact - 0.02


def test_half_a_threshold_and_subtraction_need_fewer_steps(tmp_path: Path) -> None:
    module = program_of(trained())
    best = accuracies(module, tmp_path)
    assert best[4] > accuracies(module, tmp_path, start="zero")[4] + 0.02
    assert best[4] > accuracies(module, tmp_path, percentile=100)[4] - 0.02
    lost = accuracies(module, tmp_path, reset="value")
    assert sum(best.values()) > sum(lost.values())


def test_accuracy_against_steps_is_reported_where_there_are_labels(tmp_path: Path) -> None:
    network = trained()
    data = saved(tmp_path, {"x": network.x[-256:, None]}, labels=network.labels[-256:])
    _, step = converted(program_of(network), data, input="rate", output="spikes", steps=12)
    shares = {key: count for key, count in step.statistics.items() if key.startswith("accuracy after")}
    assert [int(key.split()[2]) for key in shares] == [1, 2, 4, 8, 12]
    exact = float((network.scores(network.x[-256:]).argmax(axis=1) == network.labels[-256:]).mean())
    assert step.statistics["accuracy before, hundredths of a percent"] == round(exact * 1e4)
    assert shares["accuracy after 12 steps, hundredths of a percent"] >= exact * 1e4 - 300
    without = converted(program_of(network), saved(tmp_path, {"x": network.x[-256:, None]}))[1]
    assert not [key for key in without.statistics if key.startswith("accuracy")]


@pytest.mark.parametrize("way", ["exact", "avg"])
def test_max_pools_are_compared_or_averaged(tmp_path: Path, way: str) -> None:
    seed = next(s for s in range(50) if "max_pool" in str(ordinary(np.random.default_rng(s), ("relu",))))
    rng = np.random.default_rng(seed)
    module = ordinary(rng, ("relu",))
    data = values_for(module, rng, 6)
    options: dict[str, Any] = {"max_pool": "avg"}
    if way == "exact":
        SNNLegalize(models=("relu", "clip")).apply(Context(), module)
        options = {}
    spiking, step = converted(module, saved(tmp_path, data), steps=STEPS, percentile=100, **options)
    assert "max_pool" not in str(spiking)
    averaged = [each for each in step.layers if "average pool" in each.change]
    assert bool(averaged) == (way == "avg")


def test_a_machine_runs_what_was_converted(tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    network = trained()
    write(program_in(program_of(network)), tmp_path / "ordinary.mlir", Notes())
    saved(tmp_path, {"x": network.x[:500, None]})
    np.savez("test.npz", x=network.x[-TESTED:, None], labels=network.labels[-TESTED:])

    def done(*words: str) -> str:
        outcome = run_in_process(list(words))
        assert outcome.code == 0, outcome.err
        return outcome.out

    convert = "convert-ann-to-snn{data=data.npz input=rate output=spikes}"
    done("snn-opt", "ordinary.mlir", "-p", convert, "-o", "spiking.mlir")
    shown = done("snnc", "encode", "spiking.mlir", "--data", "test.npz", "-o", "spikes.npz")
    assert f"x: {TESTED} samples x 16 steps as rate" in shown
    platform = str(samples / "platforms" / "mesh2x2-128.toml")
    done("snnc", "compile", "spiking.mlir", "--platform", platform, "--data", "spikes.npz", "-o", "out")
    found = json.loads(done("snnc", "verify", "out", "--json"))
    assert found["holds"]
    exact = float((network.scores(network.x[-TESTED:]).argmax(axis=1) == network.labels[-TESTED:]).mean())
    assert found["accuracy"]["machine"] >= exact - 0.03
    assert load("spiking.mlir").sim("spikes.npz").accuracy() == pytest.approx(found["accuracy"]["program"])


def test_summed_scores_are_read_in_the_last_step(tmp_path: Path) -> None:
    network = trained()
    write(program_in(program_of(network)), tmp_path / "ordinary.mlir", Notes())
    data = saved(tmp_path, {"x": network.x[-TESTED:, None]}, labels=network.labels[-TESTED:])
    spiking, _ = converted(program_of(network), data)
    write(program_in(spiking), tmp_path / "spiking.mlir", Notes())
    words = ["snnc", "encode", str(tmp_path / "spiking.mlir"), "--data", str(data), "-o", str(tmp_path / "c.npz")]
    assert run_in_process(words).code == 0
    run = load(tmp_path / "spiking.mlir").sim(tmp_path / "c.npz")
    last = run.spikes["scores"]
    assert isinstance(last, np.ndarray)
    assert run.accuracy() == float((last[:, -1].argmax(axis=1) == network.labels[-TESTED:]).mean())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "input 'x' does not say how values become spikes"),
        (["--steps", "0"], "0 steps"),
        (["--data", "other.npz"], "there is no data for input 'x'"),
        (["--data", "wide.npz"], "an ordinary network has one step"),
        (["-o", "absent/c.npz"], "there is no directory"),
    ],
)
def test_what_cannot_be_encoded_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    module = program_of(trained())
    x = trained().x[:20, None]
    saved(tmp_path, {"x": x})
    np.savez("other.npz", z=x)
    np.savez("wide.npz", x=np.repeat(x, 2, axis=1))
    if words:
        module, _ = converted(module, tmp_path / "data.npz")
    write(program_in(module), Path("net.mlir"), Notes())
    outcome = run_in_process(["snnc", "encode", "net.mlir", "--data", "data.npz", "-o", "c.npz", *words])
    assert outcome.code == 1
    assert message in outcome.err
    assert "fix:" in outcome.err
    assert not Path("c.npz").exists()


def test_mnist8_keeps_its_labels(tmp_path: Path, shared_data: Path) -> None:
    images, labels = mnist(shared_data / "mnist")
    own, given = own_images(shared_data / "onnx")
    module = load(shared_data / "onnx" / "mnist-8_model.onnx").module
    calibration = saved(tmp_path, {"Input3": images[:24, None].reshape(-1, 1, 1, 28, 28)})
    SNNLegalize(models=("relu", "clip"), data=str(calibration)).apply(Context(), module)
    network = program_in(converted(module, calibration)[0])
    inputs = encode_inputs(network, {"Input3": np.concatenate([own, images[24:48]])[:, None]}, 16)
    arrays = network_of(network)
    (output,) = arrays.outputs.values()
    found = simulate(arrays, inputs, record=[output])[output][:, -1].argmax(axis=1)
    np.testing.assert_array_equal(found[:3], given)
    assert (found[3:] == labels[24:48]).mean() > 0.9
