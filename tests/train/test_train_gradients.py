"""Gradients: those written by hand against autograd, smooth parts against differences, spikes against snnTorch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from delayed_programs import delayed_program, network_in, program_in, smooth_program, spikes

from snnir.errors import SnnirError
from snnir.flow.training.weights import put_parameters
from snnir.semantics import Coefficients, Semantics
from snnir.sim import Population, simulate

torch: Any = pytest.importorskip("torch")
gradients: Any = pytest.importorskip("snnir.train.gradients")
network_module: Any = pytest.importorskip("snnir.train.network")
neurons_module: Any = pytest.importorskip("snnir.train.neurons")
operators: Any = pytest.importorskip("snnir.train.operators")
TorchNetwork: Any = network_module.TorchNetwork

SIZE = 4


def neurons(model: str, *, threshold: Any = 0.8, drift: float = 0.0, **fields: Any) -> Any:
    """The module of a population of `SIZE` neurons, decays one per neuron."""
    each = np.array([0.5, 0.7, 0.9, 0.95])
    constants = Coefficients(each, 0.6, drift, threshold, -0.1, 0.8, 0.7, each[::-1].copy(), 0.5, 0.4)
    population = Population("p", SIZE, (), "here", model, Semantics(**fields), constants)
    return neurons_module.Neurons(population, torch.float64, gradients.surrogate_of(slope=3.0))


def gradients_of(module: Any, seed: int, steps: int = 15) -> list[Any]:
    """What enters, and the gradients of a random function of all that comes out, in two calls for the state's sake."""
    rng = np.random.default_rng(seed)
    drive = torch.tensor(rng.normal(0.4, 0.8, (steps, 3, SIZE)), requires_grad=True)
    second = torch.tensor(rng.normal(0.2, 0.5, (steps, 3, SIZE)), requires_grad=True)
    factors = torch.tensor(rng.normal(0, 1, (2, steps, 3, SIZE)))
    state, total = module.rest(3), torch.zeros(())
    emitted: list[Any] = []
    for part in (slice(0, 9), slice(9, steps)):
        spike, voltage, state = module(drive[part], second[part], state, part.start)
        total = total + (spike * factors[0, part]).sum() + (voltage * factors[1, part]).sum()
        emitted.append(spike.detach())
    total.backward()
    return [torch.cat(emitted), drive.grad, second.grad if second.grad is not None else torch.zeros(1)]


CASES: list[tuple[str, dict[str, Any]]] = [
    ("lif", {}),
    ("lif", {"compare": "ge", "reset": "subtract"}),
    ("if", {"start": "half"}),
    ("cuba_lif", {"order": "mem_first"}),
    ("cuba_lif", {"reset": "subtract"}),
    ("dual_lif", {}),
    ("threshold", {}),
    ("li", {}),
    ("cuba_li", {"order": "mem_first"}),
    ("integrator", {}),
]


@pytest.mark.parametrize(("model", "fields"), CASES)
@pytest.mark.parametrize("drift", [0.0, 0.05])
def test_by_hand_as_by_autograd(model: str, fields: dict[str, Any], drift: float) -> None:
    fast, plain = (neurons(model, drift=drift, **fields) for _ in range(2))
    assert fast.scans
    plain.scans = False
    for seed in range(3):
        found, expected = gradients_of(fast, seed), gradients_of(plain, seed)
        assert (found[0] == expected[0]).all()
        assert bool(expected[0].any())
        for mine, other in zip(found[1:], expected[1:], strict=True):
            torch.testing.assert_close(mine, other, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    "fields",
    [
        {"reset": "subtract_repeat"},
        {"reset": "subtract_late"},
        {"reset": "subtract", "spikes": 5},
        {"floor": "threshold"},
        {"refractory": 2},
        {"state": "f32"},
    ],
)
def test_every_semantics_has_a_gradient(fields: dict[str, Any]) -> None:
    module = neurons("cuba_lif", **fields)
    assert module.scans == (fields == {"state": "f32"})
    emitted, gradient, _ = gradients_of(module, 1)
    assert bool(emitted.any())
    assert bool(torch.isfinite(gradient).all())
    assert bool((gradient != 0).any(0).all())


def test_refractory_neurons_hear_nothing() -> None:
    module = neurons("if", refractory=3)
    drive = torch.full((6, 1, SIZE), 2.0, dtype=torch.float64, requires_grad=True)
    emitted, _, _ = module(drive, None, module.rest(1))
    assert emitted[:, 0, 0].tolist() == [1, 0, 0, 0, 1, 0]
    emitted.sum().backward()
    assert drive.grad is not None
    assert (drive.grad[:, 0, 0] != 0).tolist() == [True, False, False, False, True, False]


def test_the_gradient_of_a_spike() -> None:
    """Fast sigmoid: 1 / (1 + slope |x|)^2 at x = (v - threshold) / unit, here a unit of 0.9 and a gain of 0.6."""
    module = neurons("lif")
    drive = torch.tensor([[[1.0, 1.3, 1.4, 2.0]]], dtype=torch.float64, requires_grad=True)
    emitted, voltages, _ = module(drive, None, module.rest(1))
    emitted.sum().backward()
    x = np.abs(voltages[0, 0].detach().numpy() - 0.8) / 0.9
    np.testing.assert_allclose(drive.grad[0, 0].numpy(), 0.6 / 0.9 / (1 + 3 * x) ** 2, rtol=1e-12)


def test_several_spikes_have_the_gradient_of_the_nearest_level() -> None:
    module = neurons("if", reset="subtract", spikes=4)
    drive = torch.tensor([[[1.0, 2.5, 4.1, 9.0]]], dtype=torch.float64, requires_grad=True)
    emitted, voltages, _ = module(drive, None, module.rest(1))
    emitted.sum().backward()
    v = voltages[0, 0].detach().numpy()
    assert emitted[0, 0].tolist() == [0, 1, 3, 4]
    level = np.clip(np.rint(v / 0.8), 1, 4) * 0.8
    np.testing.assert_allclose(drive.grad[0, 0].numpy(), 0.6 / 0.8 / (1 + 3 * np.abs(v - level) / 0.8) ** 2, rtol=1e-12)


@pytest.mark.parametrize("delay", [True, False])
def test_as_snntorch(delay: bool) -> None:
    """`Leaky` with its default reset, one step late, and with `reset_delay=False`."""
    snntorch = pytest.importorskip("snntorch")
    rng = np.random.default_rng(5)
    inputs = rng.uniform(0, 0.45, (20, 3, SIZE))
    leaky: Any = snntorch.Leaky(
        beta=0.9,
        threshold=1.0,
        reset_mechanism="subtract",
        reset_delay=delay,
        spike_grad=gradients.surrogate_of(slope=5.0),
    )
    theirs = torch.tensor(inputs, requires_grad=True)
    membrane = torch.zeros((3, SIZE), dtype=torch.float64)
    spikes_: list[Any] = []
    for t in range(20):
        spike, membrane = leaky(theirs[t], membrane)
        spikes_.append(spike)
    constants = Coefficients(float(leaky.beta.item()), 1.0, 0.0, 1.0, 0.0)
    reset: Any = "subtract_late" if delay else "subtract_repeat"
    population = Population("p", SIZE, (), "here", "lif", Semantics(reset=reset), constants)
    module = neurons_module.Neurons(population, torch.float64, gradients.surrogate_of(slope=5.0))
    ours = torch.tensor(inputs, requires_grad=True)
    emitted, _, _ = module(ours, None, module.rest(3))
    factors = torch.tensor(rng.normal(0, 1, (20, 3, SIZE)))
    (torch.stack(spikes_) * factors).sum().backward()
    (emitted * factors).sum().backward()
    assert bool(emitted.any())
    assert (emitted == torch.stack(spikes_)).all()
    if delay:  # else it differentiates the reset through the spike
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-5, atol=1e-6)  # its constants are float32


@pytest.mark.parametrize("model", ["li", "cuba_li", "integrator"])
def test_smooth_networks_against_differences(model: str) -> None:
    rng = np.random.default_rng(3)
    module = TorchNetwork(network_in(smooth_program(rng, model)), biases=True)
    x = torch.tensor(rng.normal(0, 1, (2, 7, 32)), requires_grad=True)
    varied = [x, *module.parameters()]

    def total() -> Any:
        return (module({"x": x})["y"] ** 2).sum()

    total().backward()
    step = 1e-6
    for value in varied:
        direction = torch.tensor(rng.normal(0, 1, tuple(value.shape)))
        ends: list[float] = []
        with torch.no_grad():
            for sign in (1, -2, 1):  # forth, back, and where it was
                value.add_(sign * step * direction)
                ends.append(float(total()))
        found = float((value.grad * direction).sum())
        assert found != 0
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(found, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("length", [24, 17, 3])
def test_levels_against_differences(length: int) -> None:
    """Windows that are complete, that lack silent steps at their start, and that are shorter than the steps wanted."""
    rng = np.random.default_rng(length)
    late, steps = [0, 3, 9, 12], 12
    window = torch.tensor(rng.normal(0, 1, (length, 2, 3)), requires_grad=True)
    weights = torch.tensor(rng.normal(0, 1, (4, 5, 3)), requires_grad=True)

    def summed(window: Any, weights: Any) -> Any:
        return operators.levels(window, weights, late, steps)

    assert torch.autograd.gradcheck(summed, (window, weights))
    found = operators.levels(window, weights, late, steps)
    full = torch.cat([torch.zeros((steps + 12 - length, 2, 3), dtype=torch.float64), window])
    few = torch.cat([operators.levels(full[t : t + 16], weights, late, 4) for t in (0, 4, 8)])
    torch.testing.assert_close(found, few)


def test_a_loop_has_the_gradient_of_its_steps() -> None:
    """Computed several steps at a time or one by one, with signals from outside at once or not: the same gradient."""
    rng = np.random.default_rng(4)
    network = network_in(delayed_program(rng, "nir", "lif", loop=4))
    inputs = spikes(rng)
    found: list[list[Any]] = []
    for stride in (4, 1):
        groups = tuple(replace(g, stride=g.stride and stride) for g in network.groups)
        assert any(g.stride == stride for g in groups)
        module = TorchNetwork(network)
        vars(module.network)["groups"] = groups
        outputs = module(inputs)["y"]
        (outputs * torch.arange(outputs.shape[1])[:, None]).sum().backward()
        found.append([p.grad for p in module.parameters()])
    for mine, other in zip(*found, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-10, atol=1e-12)
        assert bool((mine != 0).any())


def test_training_a_threshold() -> None:
    program = delayed_program(np.random.default_rng(6), "nir", "lif")
    network = network_in(program)
    module = TorchNetwork(network, neurons=["threshold"])
    inputs = spikes(np.random.default_rng(7))
    module(inputs)["y"].sum().backward()
    thresholds = [p for name, p in module.named_parameters() if name.endswith("threshold")]
    assert len(thresholds) == 2
    assert all(float(p.grad) < 0 for p in thresholds)
    assert (TorchNetwork(network)(inputs)["y"] == module(inputs)["y"]).all()
    with torch.no_grad():
        for threshold in thresholds:
            threshold.mul_(0.75)
    before = simulate(network, inputs)["out"]
    put_parameters(program_in(program), network_module.parameters_of(module))
    found = simulate(network_in(program), inputs)["out"]
    assert (found == module(inputs)["y"].detach().numpy()).all()
    assert (found != before).any()
    with pytest.raises(SnnirError, match="threshold must lie above v_reset"):
        put_parameters(program_in(program), {"out": {"threshold": np.array(-5.0)}})
    with pytest.raises(SnnirError, match="no population @nobody"):
        put_parameters(program_in(program), {"nobody": {"threshold": np.array(1.0)}})
    with pytest.raises(SnnirError, match="no neuron parameter 'tau'"):
        TorchNetwork(network, neurons=["tau"])


def test_surrogates_by_name() -> None:
    x = torch.tensor([-1.0, 0.0, 0.5], dtype=torch.float64)
    slope = gradients.derivative(gradients.surrogate_of(slope=10.0), x)
    torch.testing.assert_close(slope, 1 / (1 + 10 * x.abs()) ** 2)
    assert gradients.derivative(gradients.surrogate_of("straight_through_estimator"), x).tolist() == [1, 1, 1]
    with pytest.raises(SnnirError, match="no surrogate gradient 'fast'"):
        gradients.surrogate_of("fast")
    with pytest.raises(SnnirError, match="has no option among slope, steep"):
        gradients.surrogate_of(steep=3)
