"""How two programs differ as they are written: what is in one only, parameters, semantics, connections, weights.

Populations, inputs and outputs are matched by name, connections by what they lead from and through which ops. Names of
tensors, locations and measured activity do not matter, the order of a population's connections neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr
from xdsl.ir import Attribute, Operation, SSAValue

from snnir.dialects.attributes import IntsAttr, SignalType, TensorAttr, value_of
from snnir.dialects.places import place_of
from snnir.dialects.snn import AddOp, DualLifOp, InputOp, NetworkOp, NeuronOp
from snnir.flow.variants import sources_behind

IGNORED = ("sym_name", "activity", "semantics", "inhibitory")
"""Properties that say nothing about what is computed, or that are compared on their own."""
_NONE = "nothing"


@dataclass(frozen=True)
class Difference:
    """One thing in which two programs differ."""

    what: str
    """`@hidden: threshold`, `@hidden <- @pixels: weights`."""
    first: str
    second: str
    first_place: str
    """Where it stands in the user's files; empty when it is missing there."""
    second_place: str


def differences(first: NetworkOp, second: NetworkOp) -> list[Difference]:
    """Everything in which two programs differ, in the order of the first; empty when they compute the same."""
    return list(_Pair(first, second).all())


@dataclass(frozen=True)
class _Pair:
    first: NetworkOp
    second: NetworkOp

    def all(self) -> Iterator[Difference]:
        """Time, then inputs and populations, then outputs."""
        first, second = self.first, self.second
        yield from self.plain("dt", f"{first.step_seconds:g} s", f"{second.step_seconds:g} s", first, second)
        steps = [_NONE if each.steps is None else str(each.steps.data) for each in (first, second)]
        yield from self.plain("steps", steps[0], steps[1], first, second)
        for name in _union(first.sources, second.sources):
            yield from self.source(name, first.sources.get(name), second.sources.get(name))
        for name in _union(first.outputs, second.outputs):
            ops = first.outputs.get(name), second.outputs.get(name)
            if ops[0] is None or ops[1] is None:
                yield from self.missing(f"output {name}", *ops)
            else:
                yield from self.terms(f"output {name}", [ops[0].signal], [ops[1].signal], ops[0], ops[1])

    def plain(
        self, what: str, first: str, second: str, first_op: Operation, second_op: Operation
    ) -> Iterator[Difference]:
        """A difference where two texts differ."""
        if first != second:
            yield Difference(what, first, second, place_of(first_op), place_of(second_op))

    def missing(self, what: str, first: Operation | None, second: Operation | None) -> Iterator[Difference]:
        """Something that one of the programs has."""
        texts = [_NONE if op is None else op.name for op in (first, second)]
        places = ["" if op is None else place_of(op) for op in (first, second)]
        yield Difference(what, texts[0], texts[1], places[0], places[1])

    def source(
        self, name: str, first: InputOp | NeuronOp | None, second: InputOp | NeuronOp | None
    ) -> Iterator[Difference]:
        """An input or a population."""
        what = f"@{name}"
        if first is None or second is None:
            yield from self.missing(what, first, second)
            return
        if first.name != second.name:
            yield from self.plain(what, first.name, second.name, first, second)
            return
        shapes = [_signal_text(op.signal) for op in (first, second)]
        yield from self.plain(f"{what}: signal", shapes[0], shapes[1], first, second)
        if isinstance(first, NeuronOp) and isinstance(second, NeuronOp):
            yield from self.population(what, first, second)

    def population(self, what: str, first: NeuronOp, second: NeuronOp) -> Iterator[Difference]:
        """Parameters, semantics and connections."""
        for name in first.names():
            yield from self.attribute(f"{what}: {name}", first.properties[name], second.properties[name], first, second)
        yield from self.semantics(what, first, second)
        synapses = ("", "") if not isinstance(first, DualLifOp) else (" (excitatory)", " (inhibitory)")
        for title, mine, theirs in (
            (synapses[0], first.excitatory, second.excitatory),
            (synapses[1], first.inhibitory, second.inhibitory),
        ):
            yield from self.terms(what + title, mine, theirs, first, second)

    def semantics(self, what: str, first: NeuronOp, second: NeuronOp) -> Iterator[Difference]:
        """Each field of the semantics."""
        a, b = first.semantics.data, second.semantics.data
        for each in fields(a):
            values = [str(getattr(s, each.name)) for s in (a, b)]
            yield from self.plain(f"{what}: {each.name}", values[0], values[1], first, second)

    def terms(
        self, what: str, first: Sequence[SSAValue], second: Sequence[SSAValue], one: Operation, other: Operation
    ) -> Iterator[Difference]:
        """Sums: summands with the same ops and sources belong together, then those with the same sources."""
        mine, theirs = [t for v in first for t in _summands(v)], [t for v in second for t in _summands(v)]
        for key in (_path, _ends):
            for value in list(mine):
                match = next((each for each in theirs if key(each) == key(value)), None)
                if match is not None:
                    mine.remove(value)
                    theirs.remove(match)
                    yield from self.value(f"{what} <- {_ends(value)}", value, match)
        for value in mine:
            yield Difference(f"{what} <- {_ends(value)}", _path(value), _NONE, _place(value, one), "")
        for value in theirs:
            yield Difference(f"{what} <- {_ends(value)}", _NONE, _path(value), "", _place(value, other))

    def value(self, what: str, first: SSAValue, second: SSAValue) -> Iterator[Difference]:
        """Two signals that are computed in the same way, or else how."""
        one, other = first.owner, second.owner
        assert isinstance(one, Operation)
        assert isinstance(other, Operation)
        if isinstance(one, InputOp | NeuronOp) or isinstance(other, InputOp | NeuronOp) or one.name != other.name:
            if not (isinstance(one, InputOp | NeuronOp) and isinstance(other, InputOp | NeuronOp)):
                yield from self.plain(what, _path(first), _path(second), one, other)
            return
        for name in _union(one.properties, other.properties):
            if name not in IGNORED:
                yield from self.attribute(
                    f"{what}: {name}", one.properties.get(name), other.properties.get(name), one, other
                )
        yield from self.plain(f"{what}: shape", _signal_text(first), _signal_text(second), one, other)
        if len(one.operands) == 1 == len(other.operands):
            yield from self.value(what, one.operands[0], other.operands[0])
        else:
            yield from self.terms(what, one.operands, other.operands, one, other)

    def attribute(
        self, what: str, first: Attribute | None, second: Attribute | None, one: Operation, other: Operation
    ) -> Iterator[Difference]:
        """Numbers and tensors by their elements, others as they print."""
        if first == second or _same_tensor(first, second):
            return
        if all(isinstance(each, TensorAttr | FloatAttr) for each in (first, second)):
            a, b = _array(first), _array(second)
            if a.shape == b.shape or 1 in (a.size, b.size):
                if (a == b).all():
                    return
                count, size = int((a != b).sum()), max(a.size, b.size)
                if size > 1:
                    apart = float(np.abs(a - b).max())
                    text = f"{_text(second)}; {count:,} of {size:,} differ, by up to {apart:g}"
                    yield Difference(what, _text(first), text, place_of(one), place_of(other))
                    return
        texts = [_text(each) for each in (first, second)]
        if texts[0] == texts[1] and all(isinstance(each, FloatAttr) for each in (first, second)):
            texts = [repr(float(_array(each))) for each in (first, second)]
        yield Difference(what, texts[0], texts[1], place_of(one), place_of(other))


def _union(first: Any, second: Any) -> list[str]:
    """The names of both, those of the first in its order."""
    return list(dict.fromkeys([*first, *second]))


def _summands(value: SSAValue) -> list[SSAValue]:
    owner = value.owner
    return [each for part in owner.inputs for each in _summands(part)] if isinstance(owner, AddOp) else [value]


def _ends(value: SSAValue) -> str:
    """The inputs and populations behind a signal."""
    return " + ".join(sorted({f"@{op.sym_name.data}" for op in sources_behind(value)}))


def _path(value: SSAValue) -> str:
    """The ops through which a signal comes: `snn.dense of snn.delay of @hidden`."""
    owner = value.owner
    if isinstance(owner, InputOp | NeuronOp):
        return f"@{owner.sym_name.data}"
    assert isinstance(owner, Operation)
    return f"{owner.name} of {' + '.join(_path(each) for each in owner.operands)}"


def _place(value: SSAValue, reader: Operation) -> str:
    """The place of the op that computes a signal; that of its reader where it is a population itself."""
    owner = value.owner
    return place_of(owner if isinstance(owner, Operation) and not isinstance(owner, InputOp | NeuronOp) else reader)


def _signal_text(value: SSAValue) -> str:
    type_ = value.type
    assert isinstance(type_, SignalType)
    return f"{'x'.join(map(str, type_.shape.data))} {'spike' if type_.is_spike else type_.element}"


def _array(attribute: Attribute | None) -> NDArray[np.float64]:
    """The numbers of a tensor, or one number."""
    assert attribute is not None
    return np.asarray(attribute.array if isinstance(attribute, TensorAttr) else value_of(attribute), np.float64)


def _same_tensor(first: Attribute | None, second: Attribute | None) -> bool:
    return isinstance(first, TensorAttr) and isinstance(second, TensorAttr) and first.data.same_elements(second.data)


def _text(attribute: Attribute | None) -> str:
    if attribute is None:
        return _NONE
    if isinstance(attribute, TensorAttr):
        tensor = attribute.data
        return f"{'x'.join(map(str, (*tensor.shape, tensor.element)))} {tensor.digest[:8]}"
    if isinstance(attribute, FloatAttr):
        return f"{float(attribute.value.data):g}"
    return str(list(attribute.data)) if isinstance(attribute, IntsAttr) else str(getattr(attribute, "data", attribute))
