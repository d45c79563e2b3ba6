"""Files from public repositories, whole ones and broken ones (shared/data/nir), read and run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nir_files import network, rain, read, run

from snnir.dialects.snn import InputOp, NeuronOp
from snnir.frontend.nir.lints import LINTS, LintError

GOOD: list[tuple[str, float | None, float, dict[str, int]]] = [
    # file, --dt where it is needed, the step, neurons of each input and population
    ("braille_bias_zero", None, 1e-4, {"input": 12, "lif1.lif": 38, "lif2": 7}),
    ("braille_bias_zero_subgraph", None, 1e-4, {"input": 12, "lif1.lif1": 38, "lif2": 7}),
    ("braille_nobias_subtract", None, 1e-4, {"input": 12, "lif1.lif": 40, "lif2": 7}),
    ("cnn_sinabs", None, 1e-3, {"input": 2312, "n1": 4096, "n3": 4096, "n6": 512, "n10": 256, "n12": 10}),
    ("feedback_graph", 1e-3, 1e-3, {"input": 3, "feedback_ir": 3, "state": 2000}),
    ("lif_norse", 1e-4, 1e-4, {"input": 1, "n1": 1}),
    ("two_lif_neurons", 1e-4, 1e-4, {"in": 1, "lif1": 1, "lif2": 1}),
]

BAD: list[tuple[str, str, str, str, str]] = [
    # file, lint, place, message, what --fix does (empty: nothing)
    (
        "conv2d_no_input_shape",
        "missing-input-shape",
        "/nodes/0",
        "this Conv2d does not say its input_shape, as files before nir 0.2",
        "takes it from the signal that arrives",
    ),
    (
        "dangling_edge_flat",
        "dangling-edge",
        "/edges[0]",
        "the edge fc1 -> lif1 names 'lif1', which is no node",
        "takes 'lif1.input' for it",
    ),
    (
        "dangling_edge_subgraph",
        "dangling-edge",
        "/nodes/lif1/edges[0]",
        "the edge input -> lif names 'lif', which is no node",
        "takes 'lif1' for it",
    ),
    (
        "flatten_start_dim",
        "flatten-batch",
        "/nodes/8/start_dim",
        "this Flatten starts at dimension 1 of 8x4x4: it counts a batch",
        "merges 8x4x4 to 128",
    ),
    (
        "negative_tau",
        "time-constant",
        "/nodes/cu1/tau_mem",
        "tau_mem = -0.0831663 s, but a time constant must be positive",
        "",
    ),
    (
        "output_shape_lif_rockpool",
        "output-shape",
        "/nodes/output/shape",
        "this Output has the shape 1x1x1, but it receives 1",
        "takes 1",
    ),
    (
        "ragged_params",
        "ragged-parameters",
        "/nodes/1/r",
        "the parameters differ in shape: tau 1, r no dimensions, v_leak no dimensions, v_threshold 1",
        "repeats the others to 1",
    ),
    (
        "scalar_params",
        "scalar-parameters",
        "/nodes/lif1",
        "the parameters have no dimensions, so the number of neurons is unknown",
        "uses them for each neuron of the 38 signal",
    ),
    (
        "subgraph_input_shape",
        "subgraph-shape",
        "/nodes/hidden/nodes/input/shape",
        "this Input has the shape 12, but it receives 38",
        "takes 38",
    ),
    (
        "time_dim_in_input",
        "time-dimension",
        "/nodes/input/shape",
        "1000 neurons are stated here alone ('lif' has one of each parameter): these are steps",
        "reads one neuron",
    ),
]


def populations(path: Path, **options: Any) -> dict[str, int]:
    """The number of neurons of each input and population."""
    sources = network(read(path, **options)).sources
    return {
        name: op.signal.type.size  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        for name, op in sources.items()
    }


def run_some(path: Path, **options: Any) -> None:
    """Run a few steps on random spikes."""
    inputs = {
        name: rain(number, 5, *op.signal.type.shape.data)  # pyright: ignore
        for number, (name, op) in enumerate(network(read(path, **options)).sources.items())
        if isinstance(op, InputOp)
    }
    found = run(path, inputs, **options)
    assert found
    assert all(np.isfinite(each).all() for each in found.values())


@pytest.mark.parametrize(("name", "dt", "step", "neurons"), GOOD, ids=[each[0] for each in GOOD])
def test_whole_files(shared_data: Path, name: str, dt: float | None, step: float, neurons: dict[str, int]) -> None:
    path = shared_data / "nir" / "good" / f"{name}.nir"
    if dt is not None:
        with pytest.raises(LintError, match="does not say how long a step is"):
            read(path)
    assert network(read(path, dt=dt)).step_seconds == step
    assert populations(path, dt=dt) == neurons
    run_some(path, dt=dt)


@pytest.mark.parametrize(("name", "lint", "place", "message", "cure"), BAD, ids=[each[0] for each in BAD])
def test_broken_files(shared_data: Path, name: str, lint: str, place: str, message: str, cure: str) -> None:
    """Each has its own defect; what can be repaired is, and runs."""
    path = shared_data / "nir" / "bad" / f"{name}.nir"
    with pytest.raises(LintError) as caught:
        read(path)
    assert caught.value.place == f"{path}:{place}"
    assert caught.value.message == message
    assert caught.value.findings[0].lint == lint
    if not cure:
        with pytest.raises(LintError):
            read(path, fix=True, dt=1e-4)
        return
    assert caught.value.hint == f"`snnc import --fix` {cure}"
    assert LINTS[lint].repair
    run_some(path, fix=True, dt=1e-4)


def test_every_file_is_listed(shared_data: Path) -> None:
    for folder, listed in (("good", [each[0] for each in GOOD]), ("bad", [each[0] for each in BAD])):
        assert {path.stem for path in (shared_data / "nir" / folder).glob("*.nir")} == set(listed)


def test_repaired_twins(shared_data: Path) -> None:
    """Repaired files are the same networks as the whole files that they are broken copies of."""
    folder = shared_data / "nir"
    twins = {"dangling_edge_subgraph": "braille_bias_zero_subgraph", "flatten_start_dim": "cnn_sinabs"}
    for broken, whole in twins.items():
        texts: list[str] = []
        for path in (folder / "bad" / f"{broken}.nir", folder / "good" / f"{whole}.nir"):
            op = network(read(path, fix=True))
            for each in (op, *op.body.block.ops):
                each.attributes.pop("nir", None)
            texts.append(str(op).partition("\n")[2])
        assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("semantics", "steps"),
    [
        ("nir", [460, 510, 710, 760]),
        ("norse", [460, 510, 710, 760]),
        ("snntorch", [460, 510, 710, 760]),
        ("sinabs", [450, 500, 710, 760]),
        ("rockpool", [450, 500, 710, 760]),
        ("spyx", [461, 511, 711, 761]),
    ],
)
def test_recorded_spikes_of_one_neuron(shared_data: Path, semantics: str, steps: list[int]) -> None:
    """Where six platforms spike on the input of the NIR paper."""
    x = np.load(shared_data / "refs" / "lif_norse.npz")["input"].reshape(1000, 1)
    path = shared_data / "nir" / "good" / "lif_norse.nir"
    found = run(path, {"input": x}, dt=1e-4, semantics=semantics)["output"]
    assert np.flatnonzero(found).tolist() == steps


@pytest.mark.parametrize(
    ("name", "options", "recorded"),
    [
        ("braille_bias_zero", {}, "braille_bias_zero:recorded_snntorch"),
        ("braille_bias_zero", {"semantics": "norse"}, "braille_bias_zero:recorded_norse"),
        ("braille_bias_zero", {"semantics": "spyx"}, "braille_bias_zero:recorded_spyx"),
        ("braille_bias_zero", {"semantics": "spinnaker2"}, "braille_bias_zero:recorded_s2"),
        ("braille_bias_zero_subgraph", {"semantics": "norse"}, "braille_bias_zero:recorded_norse"),
        ("braille_nobias_subtract", {"semantics": "norse"}, "braille_noBias_subtract:recorded_norse"),
        ("braille_nobias_subtract", {"reset": "subtract"}, "braille_noBias_subtract:recorded_snntorch"),
        ("braille_nobias_subtract", {"semantics": "spyx"}, "braille_noBias_subtract:recorded_spyx"),
        (
            "braille_nobias_subtract",
            {"semantics": "spinnaker2", "reset": "subtract"},
            "braille_noBias_subtract:recorded_s2",
        ),
    ],
)
def test_recorded_spikes_of_recurrent_networks(
    shared_data: Path, name: str, options: dict[str, str], recorded: str
) -> None:
    """The hidden neurons of the Braille networks as four platforms recorded them: no spike differs."""
    from snnir.sim import simulate  # noqa: PLC0415
    from snnir.sim.entry import network_of  # noqa: PLC0415

    arrays = np.load(shared_data / "refs" / f"{recorded.partition(':')[0]}.npz")
    op = network(read(shared_data / "nir" / "good" / f"{name}.nir", **options))
    (hidden,) = (key for key, each in op.sources.items() if isinstance(each, NeuronOp) and key.startswith("lif1"))
    spikes = simulate(network_of(op), {"input": arrays["input"][None].astype(np.uint8)}, record={hidden})[hidden][0]
    assert np.array_equal(spikes, arrays[recorded.partition(":")[2]])
    assert spikes.any()
