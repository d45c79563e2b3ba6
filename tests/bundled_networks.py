"""Random programs whose projections are bundles of delayed synapses, and the same synapses one by one."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Attribute, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    NEURON_OPS,
    BundleOp,
    DenseOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    SparseOp,
    networks,
)
from snnir.semantics import PARAMETERS, Semantics

Weights = Literal["float", "grid", "integer"]
"""`grid`: multiples of 1/64, whose sums are exact; `integer`: with a scale, one or one per target."""

_RANGES = {
    "tau": (2e-3, 8e-3),
    "tau_syn": (1.5e-3, 4e-3),
    "tau_mem": (2e-3, 8e-3),
    "r": (1.0, 4.0),
    "w_in": (1.0, 3.0),
    "threshold": (0.3, 1.0),
}


def bundled_program(
    seed: int, weights: Weights = "float", *, quiet: bool = False, on_machines: bool = False, longest: int = 20
) -> ModuleOp:
    """An input, three populations that bundles connect (also backwards), and perhaps a matrix; it verifies and runs.

    `quiet`: nothing happens without spikes. `on_machines`: machines can do it all, and signals have one dimension.
    """
    module = ModuleOp([_Maker(seed, weights, quiet, on_machines, longest).network()])
    module.verify()
    return module


def network_in(module: ModuleOp) -> NetworkOp:
    """The one program of a module."""
    (found,) = networks(module)
    return found


def bundles_of(network: NetworkOp) -> list[BundleOp]:
    """The bundles of a program, in order."""
    return [op for op in network.body.block.ops if isinstance(op, BundleOp)]


def array_of(op: BundleOp) -> NDArray[Any]:
    """The weights of a bundle."""
    assert isinstance(op.weights, TensorAttr)
    return op.weights.array


def pruned(rng: np.random.Generator, shape: tuple[int, int, int], weights: Weights = "float") -> NDArray[Any]:
    """Weights (levels, targets, sources), of which some synapses, and some whole levels, are 0."""
    kept = rng.random(shape) < rng.choice([0.2, 0.6, 1.0])
    kept &= rng.random((shape[0], 1, 1)) < 0.7
    match weights:
        case "float":
            return np.where(kept, rng.normal(0.1, 0.4, shape), 0).astype(rng.choice(["f4", "f8"]))
        case "grid":
            return np.where(kept, rng.integers(-30, 64, shape) / 64, 0).astype("f4")
        case "integer":
            return np.where(kept, rng.integers(-9, 16, shape), 0).astype(rng.choice(["i1", "i2"]))


def as_sparse(network: NetworkOp) -> NetworkOp:
    """A copy of a program in which the synapses of every bundle are listed one by one; where none is left, one of 0."""
    copy = network.clone()
    for op in bundles_of(copy):
        raw, key = array_of(op), op.weights.data.key  # pyright: ignore[reportAttributeAccessIssue]
        levels, targets, sources = np.nonzero(raw) if raw.any() else np.zeros((3, 1), np.int64)
        new = SparseOp(
            op.source,
            TensorAttr.of(key, raw[levels, targets, sources]),
            TensorAttr.of(f"{key}.from", sources),
            TensorAttr.of(f"{key}.to", targets),
            op.current_type,
            delays=TensorAttr.of(f"{key}.delays", levels * op.stride.data),
            bias=op.bias,
            scale=op.scale,
            delay=op.delay.data,
        )
        copy.body.block.insert_op_before(new, op)
        op.current.replace_all_uses_with(new.current)
        op.detach()
        op.erase()
    copy.verify()
    return copy


class _Maker:
    def __init__(self, seed: int, weights: Weights, quiet: bool, on_machines: bool, longest: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._weights: Weights = weights
        self._quiet, self._on_machines, self._longest = quiet, on_machines, longest
        self._keys = 0

    def network(self) -> NetworkOp:
        rng, network = self._rng, NetworkOp("bundled", 1e-3, None)
        block = network.body.block
        x = InputOp("x", SignalType.spikes(*self._shape()))
        block.add_op(x)
        populations = [self._population(name, self._shape()) for name in "abc"]
        signals = [x.signal, *(op.signal for op in populations)]
        for number, op in enumerate(populations):
            before = [signals[number], *rng.choice(np.array(signals, object), int(rng.integers(0, 3))).tolist()]
            late = [value not in signals[: number + 1] for value in before]
            made = [self._projection(value, op, back) for value, back in zip(before, late, strict=True)]
            op.operands = [each.current for each in made]
            block.add_ops([*made, op])
        block.add_op(OutputOp("y", signals[-1]))
        return network

    def _shape(self) -> tuple[int, ...]:
        rng = self._rng
        return (int(rng.integers(1, 8)),) if self._on_machines or rng.random() < 0.6 else (2, int(rng.integers(1, 4)))

    def _tensor(self, what: str, array: NDArray[Any]) -> TensorAttr:
        self._keys += 1
        return TensorAttr.of(f"{what}{self._keys}", array)

    def _projection(self, source: SSAValue, target: NeuronOp, back: bool) -> BundleOp | DenseOp:
        """A bundle, seldom a matrix; `back`: at least one step late."""
        rng = self._rng
        assert isinstance(source.type, SignalType)
        sizes = target.size, source.type.size
        details: dict[str, Any] = {"delay": int(rng.integers(0, 4)) + back}
        raw = pruned(rng, (int(rng.integers(1, 7)), sizes[0], sizes[1]), self._weights)
        if raw.dtype.kind == "i":
            each = 2.0 ** rng.integers(-7, -3, sizes[0])
            one = FloatAttr(0.03125, 64)
            details["scale"] = self._tensor("s", each) if rng.random() < 0.5 else one
        if rng.random() < 0.3 and not self._quiet:
            details["bias"] = self._tensor("b", (rng.integers(-2, 4, sizes[0]) / 32).astype("f4"))
        result = SignalType.current(*target.signal_type.shape.data)
        if rng.random() < 0.2:
            return DenseOp(source, self._tensor("w", raw[0]), result, **details)
        stride = int(rng.integers(1, max(2, self._longest // len(raw))))
        return BundleOp(source, self._tensor("w", raw), result, stride=stride, **details)

    def _population(self, name: str, shape: tuple[int, ...]) -> NeuronOp:
        rng = self._rng
        model = str(rng.choice(["if", "lif"] if self._quiet else ["if", "lif", "cuba_lif"]))
        changes = {
            "pulse": "dirac" if self._quiet else str(rng.choice(["box", "euler"])),
            "compare": str(rng.choice(["gt", "ge"])),
            "reset": str(rng.choice(["value", "subtract"])),
            "out_delay": str(rng.choice([0, 0, 0, 1])),
        }
        if self._on_machines:
            changes["out_delay"] = "0"
        semantics = Semantics().changed(changes)
        parameters: dict[str, Attribute] = {
            key: FloatAttr(float(rng.uniform(*_RANGES[key])) if key in _RANGES else 0.0, 64)
            for key in PARAMETERS[model]
        }
        if self._quiet:
            parameters["r"] = FloatAttr(float(2.0 ** -int(rng.integers(8, 10))), 64)
            parameters["threshold"] = FloatAttr(0.2, 64)
        return NEURON_OPS[model](name, [], parameters, semantics, SignalType.spikes(*shape))
