"""Small programs with every kind of projection between populations of one model under one preset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, FloatAttr, ModuleOp, f64
from xdsl.ir import Attribute, SSAValue
from xdsl.parser import Parser

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    NEURON_OPS,
    SNN,
    AvgPoolOp,
    BundleOp,
    Conv2dOp,
    DenseOp,
    DualLifOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SparseOp,
    SumPoolOp,
    networks,
)
from snnir.semantics import PARAMETERS, SPIKING, Semantics, preset
from snnir.sim import Network
from snnir.sim.entry import network_of

DT = 1e-3
SAMPLES, STEPS = 3, 12
LINES, HIDDEN, OUT = 6, 5, 4


class Maker:
    """Makes tensors: multiples of 1/64, or whole numbers for integer states, so that sums of spikes are exact."""

    def __init__(self, rng: np.random.Generator, semantics: Semantics) -> None:
        self.rng, self.semantics = rng, semantics
        self.whole = semantics.state == "i32"
        self._count = 0

    def weights(self, *shape: int, density: float = 1.0) -> TensorAttr:
        """Weights around a small positive mean."""
        values = np.rint(self.rng.normal(20, 40, shape)) / (4 if self.whole else 64)
        values = np.rint(values) if self.whole else values
        return self.tensor("w", (values * (self.rng.random(shape) < density)).astype("f4"))

    def tensor(self, what: str, array: NDArray[Any]) -> TensorAttr:
        """A tensor with a key of its own."""
        self._count += 1
        return TensorAttr.of(f"{what}{self._count}", array)

    def population(self, name: str, model: str, inputs: list[SSAValue], size: int) -> NeuronOp:
        """Neurons of a model; of two synapses the second gets the last input."""
        spiking = model in SPIKING
        type_ = SignalType.spikes(size) if spiking else SignalType.current(size)
        values = self._integers(model) if self.whole else self._parameters(model)
        parameters: Mapping[str, Attribute] = {key: FloatAttr(value, f64) for key, value in values.items()}
        if model == "dual_lif":
            return DualLifOp(name, inputs, parameters, self.semantics, type_, len(inputs) - 1)
        return NEURON_OPS[model](name, inputs, parameters, self.semantics, type_)

    def _parameters(self, model: str) -> dict[str, float]:
        charge = DT if self.semantics.pulse == "dirac" else 1.0
        entry = charge if "tau" in PARAMETERS[model] else 1.0
        ranges = {
            **dict.fromkeys(("tau", "tau_mem"), (2e-3, 8e-3)),
            **dict.fromkeys(("tau_syn", "tau_exc", "tau_inh"), (1.5e-3, 4e-3)),
            **dict.fromkeys(("w_in", "w_exc", "w_inh"), (3 * charge, 5 * charge)),
            "r": (2 * entry, 4 * entry),
            "v_leak": (0.0, 0.1),
            "threshold": (0.6, 1.0),
            "v_reset": (-0.2, 0.1),
        }
        return {name: float(self.rng.uniform(*ranges[name])) for name in PARAMETERS[model]}

    def _integers(self, model: str) -> dict[str, float]:
        """Constants of which the recursion makes whole numbers."""
        steps = {name: float(self.rng.choice([2, 4, 32])) for name in PARAMETERS[model] if name.startswith("tau")}
        found = {name: n * DT for name, n in steps.items()}
        found |= {"r": steps.get("tau", steps.get("tau_mem", 1.0)), "v_leak": 0.0, "threshold": 30.0, "v_reset": -2.0}
        pairs = (("w_in", "tau_syn"), ("w_exc", "tau_exc"), ("w_inh", "tau_inh"))
        found |= {weight: 2 * steps.get(tau, 1.0) for weight, tau in pairs}
        return {name: found[name] for name in PARAMETERS[model]}


def delayed_program(
    rng: np.random.Generator, name: str = "nir", model: str = "lif", *, readout: str | None = None, loop: int = 1
) -> ModuleOp:
    """Input, two populations with dense, sparse, one-to-one and bundled projections, a loop `loop` steps late."""
    maker = Maker(rng, preset(name, model))
    network = NetworkOp("delayed", DT, None)
    x = InputOp("x", SignalType.spikes(LINES))
    current, result = SignalType.current(HIDDEN), SignalType.current(OUT)
    scale = FloatAttr(2.0 if maker.whole else 0.75, f64)
    bias = maker.tensor("b", (rng.integers(-2, 3, HIDDEN) / (1 if maker.whole else 32)).astype("f4"))
    inputs: list[Any] = [
        DenseOp(x, maker.weights(HIDDEN, LINES), current, bias=bias),
        BundleOp(x, maker.weights(3, HIDDEN, LINES, density=0.6), current, stride=2, delay=1),
    ]
    hidden = maker.population("hidden", model, [each.results[0] for each in inputs], HIDDEN)
    back = BundleOp(hidden, maker.weights(2, HIDDEN, HIDDEN, density=0.5), current, stride=3, delay=loop)
    own = ScaleOp(hidden, maker.weights(HIDDEN), current, delay=loop + 1)
    hidden.operands = [back.results[0], own.results[0], *hidden.operands]
    count = 3 * OUT
    cells = np.unravel_index(rng.choice(HIDDEN * OUT, count, replace=False), (HIDDEN, OUT))
    origins, targets = (maker.tensor("n", each) for each in cells)
    late = maker.tensor("d", rng.integers(0, 4, count))
    outward: list[Any] = [
        SparseOp(hidden, maker.weights(count), origins, targets, result, delays=late, scale=scale, delay=6),
        BundleOp(hidden, maker.weights(4, OUT, HIDDEN, density=0.7), result, stride=1, scale=scale, delay=2),
    ]
    maker.semantics = preset(name, readout or model)
    out = maker.population("out", readout or model, [each.results[0] for each in outward], OUT)
    network.body.block.add_ops([x, *inputs, back, own, hidden, *outward, out, OutputOp("y", out.signal)])
    module = ModuleOp([network])
    module.verify()
    return module


def smooth_program(rng: np.random.Generator, model: str) -> ModuleOp:
    """Convolution, pools, dense weights and a bundle between neurons that never fire: all of it has a derivative."""
    maker = Maker(rng, preset("nir", model))
    network = NetworkOp("smooth", DT, None)
    x = InputOp("x", SignalType.current(2, 4, 4))
    conv = Conv2dOp(x, maker.weights(2, 1, 3, 3), groups=2, padding=((1, 0), (1, 1)), dilation=(1, 1), stride=(1, 2))
    pools: list[Any] = [SumPoolOp(conv, (2, 1), (1, 1), ((0, 0), (0, 0)))]
    pools.append(AvgPoolOp(pools[0], (1, 2), (1, 1), ((0, 0), (0, 0))))
    pools.append(MaxPoolOp(pools[1], (2, 1), (1, 1), ((0, 0), (0, 0))))
    size = pools[-1].pooled.type.size
    dense = DenseOp(pools[-1], maker.weights(3, size), SignalType.current(3), delay=1)
    hidden = maker.population("hidden", model, [dense.current], 3)
    bundle = BundleOp(hidden, maker.weights(3, 3, 3), SignalType.current(3), stride=2, delay=1)
    hidden.operands = [dense.current, bundle.current]
    origins, targets = (maker.tensor("n", rng.integers(0, 3, 6)) for _ in range(2))
    sparse = SparseOp(
        hidden,
        maker.weights(6),
        origins,
        targets,
        SignalType.current(3),
        delays=maker.tensor("d", rng.integers(0, 3, 6)),
    )
    output = OutputOp("y", sparse.current)
    network.body.block.add_ops([x, conv, *pools, dense, bundle, hidden, sparse, output])
    module = ModuleOp([network])
    module.verify()
    return module


def network_in(module: ModuleOp) -> Network:
    """The program of a module, as arrays."""
    return network_of(program_in(module))


def parsed(text: str) -> ModuleOp:
    """A program from its text, verified."""
    context = Context()
    for dialect in (Builtin, SNN):
        context.load_dialect(dialect)
    module = Parser(context, text).parse_module()
    module.verify()
    return module


def program_in(module: ModuleOp) -> NetworkOp:
    """The one program of a module."""
    (found,) = networks(module)
    return found


def spikes(rng: np.random.Generator, samples: int = SAMPLES, steps: int = STEPS) -> dict[str, NDArray[np.uint8]]:
    """Spikes for the input of `delayed_program`."""
    return {"x": (rng.random((samples, steps, LINES)) < 0.4).astype(np.uint8)}
