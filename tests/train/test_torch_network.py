"""A torch module computes what the simulator computes, for every model, preset and kind of projection."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from delayed_programs import HIDDEN, LINES, OUT, delayed_program, network_in, program_in, spikes
from general_networks import general_program, random_signals
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.snn import networks
from snnir.errors import SnnirError
from snnir.frontend.nir import reader as nir
from snnir.frontend.options import FrontendOptions
from snnir.semantics import PARAMETERS, PRESETS, SPIKING, check_discretisation, preset
from snnir.sim import Network, run
from snnir.sim.entry import network_of
from tests.sim.sim_networks import Maker

torch: Any = pytest.importorskip("torch")
network_module: Any = pytest.importorskip("snnir.train.network")
TorchNetwork: Any = network_module.TorchNetwork
weights_of: Any = network_module.weights_of


def mismatches(network: Network, inputs: Mapping[str, NDArray[Any]], **options: Any) -> dict[str, int]:
    """Values in which signals and membranes differ from the simulator's; `{}` where both refuse the run."""
    populations = list(network.populations)
    try:
        expected = run(network, inputs, voltages=populations, engine="steps")
    except SnnirError:
        with pytest.raises(SnnirError):
            TorchNetwork(network, **options).run(inputs)
        return {}
    found = TorchNetwork(network, **options).run(inputs, record=list(network.signals), voltages=populations)
    result: dict[str, int] = {}
    for name, values in expected.signals.items():
        result[name] = int((found.signals[name].detach().numpy() != values).sum())
    for name, values in expected.voltages.items():
        result[f"{name} voltage"] = int((found.voltages[name].detach().numpy() != values).sum())
    return result


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("model", PARAMETERS)
def test_every_model_under_every_preset(model: str, name: str) -> None:
    rng = np.random.default_rng([len(model), len(name)])
    spiking, fired = model in SPIKING, 0
    first = 1 if spiking or name != "loihi" else 6  # membranes in a short loop leave 32 bits
    for loop in (first, first + 1):
        readout = None if loop == first else _silent(model)
        network = network_in(delayed_program(rng, name, model, readout=readout, loop=loop))
        inputs = spikes(rng)
        found = mismatches(network, inputs, ordered=True)
        assert found
        assert not any(found.values()), found
        if spiking and loop == first:  # all that is summed are spikes, so the order does not matter
            found = mismatches(network, inputs)
            assert not any(found.values()), found
            fired += int(sum(x.sum() for x in run(network, inputs, record=["hidden", "out"]).signals.values()))
    assert fired > 5 or not spiking


def _silent(model: str) -> str:
    return {"if": "integrator", "lif": "li", "cuba_lif": "cuba_li"}.get(model, model)


@pytest.mark.parametrize("kind", ["grid", "whole", "any"])
def test_random_programs(kind: str) -> None:
    """All ops and all fields of the semantics, in combinations that no preset has."""
    compared = 0
    for seed in range(14):
        rng = np.random.default_rng([seed, 8])
        if kind == "any":
            network = network_in(general_program(rng))
            inputs = random_signals(rng, network, 2, 11, counts=True)
        else:
            maker = Maker(rng, whole=kind == "whole")
            network = network_of(maker.program())
            inputs = maker.inputs(network, 2, 11)
        found = mismatches(network, inputs, ordered=True)
        assert not any(found.values()), (seed, found)
        compared += bool(found)
    assert compared >= 10


def test_sums_of_reals_differ_by_rounding_only() -> None:
    network = network_in(delayed_program(np.random.default_rng(1), "nir", "cuba_li"))
    inputs = spikes(np.random.default_rng(2))
    expected = run(network, inputs).signals
    found = TorchNetwork(network).run(inputs, record=["hidden", "out"]).signals
    for name, values in found.items():
        np.testing.assert_allclose(values.detach().numpy(), expected[name], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("file", ["braille_bias_zero", "braille_nobias_subtract", "feedback_graph", "lif_norse"])
@pytest.mark.parametrize("name", ["nir", "norse", "spyx", "rockpool", "spinnaker2"])
def test_published_networks(shared_data: Path, file: str, name: str) -> None:
    module = nir.read(shared_data / "nir" / "good" / f"{file}.nir", FrontendOptions(semantics=name, dt=1e-4))
    (op,) = networks(module)
    network = network_of(op)
    rng = np.random.default_rng(8)
    steps = 60
    inputs = {n: (rng.random((1, steps, size)) < 0.3).astype(np.uint8) for n, size in network.inputs.items()}
    if file.startswith("braille"):
        with np.load(shared_data / "refs" / "braille_bias_zero.npz") as reference:
            inputs = {next(iter(network.inputs)): reference["input"][None, :steps]}
    found = mismatches(network, inputs, ordered=True)
    assert found
    assert not any(found.values()), found


def test_a_published_convolution(shared_data: Path) -> None:
    module = nir.read(shared_data / "nir" / "good" / "cnn_sinabs.nir", FrontendOptions(semantics="sinabs", dt=1e-3))
    (op,) = networks(module)
    network = network_of(op)
    with np.load(shared_data / "refs" / "cnn_nmnist_zero.npz") as reference:
        inputs = {next(iter(network.inputs)): np.moveaxis(reference["input"], 1, 0)[:1, :40].reshape(1, 40, -1)}
    found = mismatches(network, inputs)
    assert not any(found.values()), found


def test_single_precision_is_close() -> None:
    network = network_in(delayed_program(np.random.default_rng(3), "nir", "lif", readout="li"))
    inputs = spikes(np.random.default_rng(4))
    exact = TorchNetwork(network)(inputs)["y"]
    single = TorchNetwork(network, dtype="float32")
    assert single(inputs)["y"].dtype == torch.float32
    np.testing.assert_allclose(single(inputs)["y"].detach().numpy(), exact.detach().numpy(), atol=1e-4)
    with torch.no_grad():
        for parameter in single.parameters():
            parameter.add_(0.1)
    copy = single.exact()
    assert copy.ordered
    assert all((weights_of(copy)[key] == value).all() for key, value in weights_of(single).items())


def test_a_lone_level_of_many_reads_steps_of_its_own() -> None:
    """The last step is one block of a loop, and delays reach before the first step."""
    module = delayed_program(np.random.default_rng(5), "spyx", "lif", loop=9)
    for steps in (1, 2, 9, 10, 23):
        found = mismatches(network_in(module), spikes(np.random.default_rng(6), 2, steps))
        assert not any(found.values()), (steps, found)


def test_a_bundle_of_zeros_can_be_trained() -> None:
    """Zeros are pruned synapses, but where there is nothing else nothing is known of them yet."""
    module = delayed_program(np.random.default_rng(7))
    for op in program_in(module).body.block.ops:
        if hasattr(op, "stride"):
            attribute = op.properties["weights"]
            op.properties["weights"] = type(attribute).of(attribute.data.key, np.zeros_like(attribute.array))  # pyright: ignore
    trained = TorchNetwork(network_in(module))
    inputs = spikes(np.random.default_rng(8))
    found = mismatches(network_in(module), inputs)
    assert not any(found.values())
    bundles = [key for key in trained.weights.keys if trained.weights.mask(key).ndim == 3]
    assert bundles
    assert all(bool(trained.weights.mask(key).all()) for key in bundles)
    with torch.no_grad():
        for key in bundles:
            trained.weights.parameter(key).fill_(0.5)
    changed = trained.run(inputs, record=["hidden"]).signals["hidden"]
    assert (changed != TorchNetwork(network_in(module)).run(inputs, record=["hidden"]).signals["hidden"]).any()


def test_inputs_that_do_not_fit_are_refused() -> None:
    module = TorchNetwork(network_in(delayed_program(np.random.default_rng(9))))
    with pytest.raises(SnnirError, match="no array 'x'"):
        module({"y": np.zeros((1, 2, LINES))})
    with pytest.raises(SnnirError, match=f"for {LINES} lines"):
        module({"x": np.zeros((1, 2, LINES + 1))})
    with pytest.raises(SnnirError, match="for 6 lines"):
        module({"x": np.zeros((1, 0, LINES))})
    assert module({"x": np.zeros((1, 2, 2, LINES // 2))})["y"].shape == (1, 2, OUT)


def test_copies_and_arrays_of_any_kind() -> None:
    module = TorchNetwork(network_in(delayed_program(np.random.default_rng(12))))
    inputs = spikes(np.random.default_rng(13))
    expected = module(inputs)["y"]
    frozen = inputs["x"].astype(np.uint16)[:, ::-1].copy()[:, ::-1]
    frozen.flags.writeable = False
    for given in (frozen, torch.tensor(inputs["x"]), inputs["x"].astype(np.bool_)):
        assert (deepcopy(module)({"x": given})["y"] == expected).all()


def test_a_state_that_leaves_its_range_is_refused() -> None:
    module = TorchNetwork(network_in(delayed_program(np.random.default_rng(10), "loihi", "if")))
    with torch.no_grad():
        module.weights.parameter(module.weights.keys[0]).fill_(2.0**30)
    with pytest.raises(SnnirError, match=r"neuron . has the input|leaves the range"):
        module({"x": np.ones((1, 5, LINES))})
    real = TorchNetwork(network_in(delayed_program(np.random.default_rng(11), "nir", "li")), dtype="float32")
    with torch.no_grad():
        real.weights.parameter(real.weights.keys[0]).fill_(3e38)
    with pytest.raises(SnnirError, match="@hidden: a membrane leaves the range"):
        real({"x": np.ones((1, 5, LINES))})


def test_without_torch_there_is_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys  # noqa: PLC0415

    for name in [n for n in sys.modules if n == "snntorch" or n.startswith(("snntorch.", "snnir.train.libraries"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "snntorch", None)
    with pytest.raises(SnnirError, match="training needs torch") as error:
        __import__("snnir.train.libraries")
    assert "pip install" in error.value.hint


def test_presets_make_sense() -> None:
    """What the programs above rely on."""
    for name in PRESETS:
        for model in PARAMETERS:
            assert preset(name, model).problem(model) is None
    assert check_discretisation("if", {"r": 1.0, "threshold": 1.0, "v_reset": 0.0}, 1e-3, preset("nir", "if")) is None
    assert isinstance(delayed_program(np.random.default_rng(0)), ModuleOp)
    assert HIDDEN > OUT
