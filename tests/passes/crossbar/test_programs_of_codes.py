"""What machines emit for a relu or a clip: limits of the code in place of the function, bit for bit the same."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from networks import program_of
from xdsl.dialects.builtin import FloatAttr, IntegerType, ModuleOp, Signedness, f64
from xdsl.ir import Attribute

from snnir.dialects.attributes import ShapeAttr, SignalType, TensorAttr
from snnir.dialects.snn import DenseOp, InputOp, NetworkOp, OutputOp
from snnir.dialects.snn_activations import ClipOp, ReluOp
from snnir.passes.crossbar.programs import code_constants

SIZE = 4
NUMBERS = st.floats(-8, 8, allow_subnormal=False)
STEPS = st.floats(1e-3, 4)
VALUES = st.lists(st.floats(-40, 40, allow_subnormal=False), min_size=SIZE, max_size=SIZE)


@given(VALUES, st.booleans(), st.booleans(), NUMBERS, NUMBERS, NUMBERS, STEPS, st.integers(1, 16))
def test_limits_of_the_function_are_limits_of_the_code(
    values: list[float], clips: bool, signed: bool, low: float, high: float, zero: float, step: float, bits: int
) -> None:
    """For every input: the code of the function's value is the input's own code, between those of its limits."""
    low, high = sorted((low, high))
    type_ = SignalType(ShapeAttr((SIZE,)), IntegerType(bits, Signedness.SIGNED if signed else Signedness.SIGNLESS))
    network = NetworkOp("net", 1e-3, 1)
    source = InputOp("x", SignalType.spikes(1))
    read = DenseOp(source.signal, TensorAttr.of("w", np.ones((SIZE, 1), "f4")), SignalType.current(SIZE))
    limits: dict[str, Attribute] = {"low": FloatAttr(low, f64), "high": FloatAttr(high, f64)}
    steps = TensorAttr.of("steps", step * np.arange(1, SIZE + 1))
    make = ClipOp if clips else ReluOp
    population = make("h", [read.current], type_, limits if clips else {}, steps, FloatAttr(zero, f64))
    network.body.block.add_ops([source, read, population, OutputOp("y", population.signal)])
    module = ModuleOp([network])
    module.verify()
    activation = program_of(module).activations["h"]
    constants = code_constants(activation)
    current = np.array(values)
    q = np.floor((current - constants["zero"]) / constants["step"] + 0.5)
    found = np.minimum(np.maximum(q, constants["least"]), constants["most"])
    assert np.array_equal(found, activation.emitted(current))
