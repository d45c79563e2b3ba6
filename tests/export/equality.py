"""When two networks are the same, whatever the order of their ops and the names of their values."""

from __future__ import annotations

from collections import Counter
from typing import Any

from xdsl.dialects.builtin import FloatAttr, IntAttr, f64
from xdsl.ir import Attribute, Operation, SSAValue

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    AddOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
)

_ARRAYS = ("bias", "sources", "targets", "delays", "delay")


def description(network: NetworkOp) -> dict[str, Any]:
    """Everything that a network holds: equal descriptions, equal networks."""
    ops = list(network.body.block.ops)
    found: dict[str, Any] = {"name": network.sym_name.data, "dt": network.dt, "steps": network.steps}
    memo: dict[SSAValue, Any] = {}
    for op in ops:
        if isinstance(op, InputOp | NeuronOp | OutputOp):
            operands = tuple(_expression(value, memo) for value in op.operands)
            results = tuple(value.type for value in op.results)
            found[f"@{op.sym_name.data}"] = (op.name, _properties(op), operands, results)
    found["order"] = [op.sym_name.data for op in ops if isinstance(op, InputOp | NeuronOp | OutputOp)]
    found["ops"] = Counter(op.name for op in ops)
    return found


def _properties(op: Operation) -> tuple[Any, ...]:
    return tuple(sorted((name, value) for name, value in op.properties.items() if name != "activity"))


def _expression(value: SSAValue, memo: dict[SSAValue, Any]) -> Any:
    """How a value is computed from inputs and populations."""
    op = value.owner
    assert isinstance(op, Operation)
    if isinstance(op, InputOp | NeuronOp):
        return op.sym_name.data
    if value not in memo:
        operands = tuple(_expression(operand, memo) for operand in op.operands)
        memo[value] = (op.name, _properties(op), operands, value.type)
    return memo[value]


def normal_form(network: NetworkOp) -> dict[str, Any]:
    """The same for networks in normal form: uniform tensors are numbers, dense projections flatten what they read,
    several flattenings are one, ops that change nothing are none."""
    found: dict[str, Any] = {"name": network.sym_name.data, "dt": network.dt, "steps": network.steps}
    for op in network.body.block.ops:
        if isinstance(op, InputOp | NeuronOp | OutputOp):
            operands, results = [_normal(value) for value in op.operands], [value.type for value in op.results]
            found[f"@{op.sym_name.data}"] = (op.name, _values(op), operands, results)
    return found


def _values(op: Operation) -> list[tuple[str, Any]]:
    return [(name, value if name in _ARRAYS else _number(value)) for name, value in _properties(op)]


def _number(value: Attribute) -> Any:
    """A uniform tensor as a number; other attributes as they are."""
    if isinstance(value, TensorAttr):
        array = value.array
        return FloatAttr(float(array.flat[0]), 64) if (array == array.flat[0]).all() else value
    return value


def _through(value: SSAValue) -> SSAValue:
    """A value without ops on its way that change nothing."""
    while True:
        op = value.owner
        idle = isinstance(op, FlattenOp) or (isinstance(op, AddOp) and len(op.inputs) == 1)
        idle = idle or (isinstance(op, DelayOp) and op.steps == 0)
        if not isinstance(op, Operation) or not idle or op.operands[0].type != value.type:
            return value
        value = op.operands[0]


def _current(value: SSAValue) -> Any:
    """A value as a current: spikes are scaled by one."""
    type_ = value.type
    assert isinstance(type_, SignalType)
    if not type_.is_spike:
        return _normal(value)
    properties: list[Any] = [("delay", IntAttr(0)), ("weights", FloatAttr(1.0, 64))]
    return ("snn.scale", properties, [_normal(value)], SignalType(type_.shape, f64))


def _normal(value: SSAValue) -> Any:
    value = _through(value)
    op, type_ = value.owner, value.type
    assert isinstance(op, Operation)
    if isinstance(op, InputOp | NeuronOp):
        return op.sym_name.data
    if isinstance(op, AddOp):
        if len(op.inputs) > 1:
            return ("snn.add", [_normal(part) for part in op.inputs], type_)
        return _current(op.inputs[0])
    source = _through(op.operands[0])
    if isinstance(op, FlattenOp) or (isinstance(op, DenseOp) and not op.on_last_dimension):
        while isinstance(source.owner, FlattenOp):
            source = _through(source.owner.source)
    properties = _values(op)
    if not isinstance(op, ScaleOp):
        properties = [(name, op.properties[name] if name == "weights" else each) for name, each in properties]
    return (op.name, properties, [_normal(source)], type_)
