"""Rewriting an ordinary network for `convert-ann-to-snn`: neurons that fire in the place of activations.

Each signal that now is spikes is decoded by a one-to-one projection, `span * spikes + low`, which is what others read;
`snn-fold` puts these into weights and biases.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, StringAttr
from xdsl.ir import Attribute, Operation, SSAValue

from snnir.conversion.encoding import Code
from snnir.conversion.ranges import reach, score_range
from snnir.dialects.attributes import SignalType, TensorAttr, value_of
from snnir.dialects.places import place_of
from snnir.dialects.snn import (
    ActivationOp,
    AddOp,
    ClipOp,
    FlattenOp,
    IfOp,
    InputOp,
    IntegratorOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
)
from snnir.passes.snn.affine import type_of
from snnir.passes.snn.calibration import Calibration
from snnir.passes.snn.rebuild import Builder
from snnir.passes.snn.reforming import Work
from snnir.report.changes import LayerChange
from snnir.semantics import Semantics

Array = NDArray[Any]

SCORES = 99.9
"""The percentile of scores, at least: scores that saturate cannot be told apart."""


@dataclass(frozen=True)
class Span:
    """The values that no spike and a spike in every step stand for."""

    low: float
    high: float
    place: str
    change: str


class Converter:
    """Converts one program."""

    def __init__(self, network: NetworkOp, calibration: Calibration, semantics: Semantics, percentile: float) -> None:
        self._network, self._calibration = network, calibration
        self._semantics, self._percentile = semantics, percentile
        self._work = Work(network, ("relu", "clip"), 0.0, {})
        self.spans: dict[str, Span] = {}
        """Of the populations that fire, by name."""
        self._summed: dict[str, Span] = {}
        """Of those that sum up."""
        self.neurons = 0

    def run(self, code: Code, ends: Literal["integrator", "spikes"]) -> None:
        """Replace inputs and activations."""
        network, forward = self._network, self._calibration.forward(self._network)
        populations = [op for op in network.sources.values() if isinstance(op, ActivationOp)]
        values = {op: forward.signal(op.signal) for op in populations}
        for op in [op for op in network.sources.values() if isinstance(op, InputOp)]:
            self._input(op, code)
        for output in list(network.outputs.values()):
            value = output.signal
            while isinstance(value.owner, FlattenOp):
                value = value.owner.source
            if not isinstance(value.owner, ActivationOp):
                self._end(output, output.signal, forward.signal(output.signal), ends)
        for op in populations:
            if _is_hidden(op.signal):
                self._hidden(op, values[op])
            else:
                self._last(op, values[op], ends)

    def layers(self, sqnr: Mapping[str, float]) -> Iterator[LayerChange]:
        """What was done to each population."""
        for name, span in {**self.spans, **self._summed}.items():
            yield LayerChange(f"@{name}", span.place, span.change, sqnr.get(name))

    def _input(self, op: InputOp, code: Code) -> None:
        """What arrives, and at the input what a host has to make of a value."""
        op.attributes["code"] = StringAttr(code)
        if code == "current":
            return
        values = self._calibration.inputs[op.sym_name.data]
        low, high = min(0.0, float(values.min())), float(values.max())
        high = high if high > low else low + 1.0
        op.attributes |= {"low": FloatAttr(low, 64), "high": FloatAttr(high, 64)}
        new = InputOp(op.sym_name.data, SignalType.spikes(*type_of(op.signal).shape.data))
        new.attributes = op.attributes
        self._replaced(op, new, new.signal, low, high)

    def _hidden(self, op: ActivationOp, values: Array) -> None:
        """A population that others read."""
        low, high = _limits(op)
        high = min(high, low + reach(values - low, self._percentile))
        what = f"{op.MODEL} as neurons that fire, {low:g} to {high:g}"
        new = self._neurons(op.sym_name.data, op, list(op.inputs), low, high, what)
        self._replaced(op, new, new.signal, low, high)

    def _last(
        self,
        op: ActivationOp,
        values: Array,
        ends: Literal["integrator", "spikes"],
    ) -> None:
        """A population that outputs alone read."""
        low, high = _limits(op)
        new: NeuronOp
        if ends == "integrator":
            new = self._integrator(op.sym_name.data, op, list(op.inputs), f"{op.MODEL} as neurons that sum up")
        else:
            found = score_range(values.reshape(-1, values.shape[-1]), max(self._percentile, SCORES))
            low, high = max(low, found[0]), min(high, found[1])
            what = f"{op.MODEL} as neurons that fire, {low:g} to {high:g}"
            new = self._neurons(op.sym_name.data, op, list(op.inputs), low, high, what)
        for use in list(op.signal.uses):
            _let_read(use.operation, use.index, new.signal)
        op.detach()
        op.erase()

    def _end(
        self,
        output: OutputOp,
        value: SSAValue,
        values: Array,
        ends: Literal["integrator", "spikes"],
    ) -> None:
        """A current that an output reads."""
        name = self._work.name(f"{output.sym_name.data}_value")
        new: NeuronOp
        if ends == "integrator":
            new = self._integrator(name, output, [value], "neurons that sum up the current that an output reads")
        else:
            low, high = score_range(values.reshape(-1, values.shape[-1]), max(self._percentile, SCORES))
            what = f"neurons that fire for the current that an output reads, {low:g} to {high:g}"
            new = self._neurons(name, output, [value], low, high, what)
        output.operands[0] = new.signal

    def _neurons(
        self, name: str, at: Operation, inputs: list[SSAValue], low: float, high: float, what: str
    ) -> NeuronOp:
        """Neurons that fire at the rate of what they read, from `low` to `high`; before `at`."""
        builder = Builder(at)
        if low and inputs:
            shift = np.full(type_of(inputs[0]).size, -low)
            total = inputs[0] if len(inputs) == 1 else builder.put(AddOp(*inputs))
            inputs = [builder.shifted(total, shift, f"{name}.low")]
        parameters: dict[str, Attribute] = {
            "r": FloatAttr(1.0, 64),
            "threshold": FloatAttr(high - low, 64),
            "v_reset": FloatAttr(0.0, 64),
        }
        shape = type_of(inputs[0] if inputs else at.results[0]).shape.data
        new = IfOp(name, inputs, parameters, self._semantics, SignalType.spikes(*shape))
        self.spans[name] = Span(low, high, place_of(at), what)
        self.neurons += new.size
        return self._placed(builder, new, at)

    def _integrator(self, name: str, at: Operation, inputs: list[SSAValue], what: str) -> NeuronOp:
        shape = type_of(inputs[0] if inputs else at.results[0]).shape.data
        new = IntegratorOp(name, inputs, {"r": FloatAttr(1.0, 64)}, Semantics(), SignalType.current(*shape))
        self._summed[name] = Span(0.0, 1.0, place_of(at), what)
        return self._placed(Builder(at), new, at)

    @staticmethod
    def _placed(builder: Builder, new: NeuronOp, at: Operation) -> NeuronOp:
        new.location = at.location
        new.signal.name_hint = new.sym_name.data
        builder.put(new)
        return new

    def _replaced(self, op: InputOp | ActivationOp, new: Operation, spikes: SSAValue, low: float, high: float) -> None:
        """Let others read what spikes stand for in the place of values; outputs read the spikes."""
        builder = Builder(op)
        if new.parent is None:
            new.location = op.location
            builder.put(new)
        spikes.name_hint = op.signal.name_hint
        type_, name = type_of(op.signal), op.sym_name.data
        bias = TensorAttr.of(f"{name}.low", np.full(type_.size, low)) if low else None
        decoded = ScaleOp(spikes, FloatAttr(high - low, 64), SignalType.current(*type_.shape.data), bias=bias)
        decoded.location = op.location
        value = builder.put(decoded)
        for use in list(op.signal.uses):
            if _is_end(use.operation):
                _let_read(use.operation, use.index, spikes)
            else:
                use.operation.operands[use.index] = value
        op.detach()
        op.erase()


def _limits(op: ActivationOp) -> tuple[float, float]:
    """The least and the largest value of any neuron of a population."""
    if isinstance(op, ClipOp):
        return float(np.min(value_of(op.low))), float(np.max(value_of(op.high)))
    return 0.0, float("inf")


def _is_hidden(value: SSAValue) -> bool:
    """Whether anything but an output reads a signal; also where nothing does."""
    return not value.uses or any(not _is_end(use.operation) for use in value.uses)


def _is_end(user: Operation) -> bool:
    """Whether a signal goes to outputs as it is."""
    if isinstance(user, FlattenOp):
        return bool(user.flat.uses) and all(_is_end(use.operation) for use in user.flat.uses)
    return isinstance(user, OutputOp)


def _let_read(user: Operation, index: int, value: SSAValue) -> None:
    """Let an output, or the rearrangement before it, read another signal."""
    if isinstance(user, FlattenOp):
        new = FlattenOp(value, type_of(user.flat).shape.data)
        new.location, new.flat.name_hint = user.location, user.flat.name_hint
        made = Builder(user).put(new)
        for use in list(user.flat.uses):
            _let_read(use.operation, use.index, made)
        user.detach()
        user.erase()
    else:
        user.operands[index] = value
