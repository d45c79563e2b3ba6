"""Linear algebra on programs: rules that make chains of linear ops shorter without changing what they compute.

Values are rewritten from their sources on; each rule replaces the result of one op by an equal value. So a chain has no
constant but at its end, and no factor that weights could hold. Between two populations then stands what crossbars hold
as it is: projections of signals, with one bias at the end.
"""

from collections import Counter
from typing import Literal

import numpy as np
from xdsl.dialects.builtin import IntAttr
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.places import place_of
from snnir.dialects.snn import (
    AddOp,
    AvgPoolOp,
    BundleOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    PoolOp,
    ScaleOp,
    SliceOp,
    SumPoolOp,
    WeightedOp,
)
from snnir.indices import LIMIT
from snnir.passes.snn.affine import (
    LinearOp,
    Vector,
    adds,
    applied,
    bias_of,
    channelwise,
    factor_of,
    is_constant,
    is_float,
    key_of,
    lanes_of,
    like,
    moved,
    on_sources,
    reweighted,
    spread_over,
    type_of,
    weights_of,
)
from snnir.passes.snn.projections import erase_unused
from snnir.passes.snn.rebuild import Builder, reads_late
from snnir.report.changes import LayerChange

Merge = Literal["smaller", "always", "never"]


class Folder:
    """Folds one program; `layers` and `counts` then say what was done."""

    def __init__(self, network: NetworkOp, *, duplicate: bool = True, merge: Merge = "smaller") -> None:
        self._network, self._duplicate, self._merge = network, duplicate, merge
        self._kept = _read_as_they_are(network)
        self._singles = _single_keys(network)
        self._notes: dict[str, tuple[str, dict[str, None]]] = {}
        self._done: set[SSAValue] = set()
        self._changed = True
        self.layers: list[LayerChange] = []
        self.counts: Counter[str] = Counter()

    def run(self) -> None:
        """Rewrite until nothing more can be folded."""
        unread = {op for op in self._linear() if not op.results[0].uses}
        while self._changed:
            # what nobody reads any more would still count as a reader of what is before it
            self._changed, self._done = False, set()
            for op in self._linear():
                if op.parent is not None and op.results[0] not in self._done:
                    self._normal(op.results[0])
            for op in self._linear()[::-1]:
                if op.parent is not None and op not in unread:
                    erase_unused(op.results[0])
        self._store()
        for key, (place, what) in self._notes.items():
            self.layers.append(LayerChange(key, place, "; ".join(what)))

    def _linear(self) -> list[Operation]:
        return [op for op in self._network.body.block.ops if isinstance(op, LinearOp)]

    def _normal(self, value: SSAValue) -> SSAValue:
        """An equal value that is folded; what reads the old one reads the new one."""
        op = value.owner
        if value in self._done or not isinstance(op, LinearOp):
            return value
        for operand in list(op.operands):
            self._normal(operand)
        new = None if op in self._kept else self._rewritten(op)
        if new is None or new is value:
            self._done.add(value)
            return value
        self._changed = True
        new.name_hint = new.name_hint or value.name_hint
        value.replace_all_uses_with(new)
        erase_unused(value)
        return self._normal(new)

    def _rewritten(self, op: Operation) -> SSAValue | None:
        builder = Builder(op, duplicate=self._duplicate)
        rules = (
            self._scale_into_weights,
            self._constants_behind,
            self._scale_nearer_to_its_sources,
            self._scale_behind_pool,
            self._scale_into_reader,
            self._sum_of_scales,
            self._two_dense,
            self._one,
            self._sum_of_sums,
            self._one_constant,
        )
        return next((found for rule in rules if (found := rule(op, builder)) is not None), None)

    def _note(self, op: WeightedOp | PoolOp, what: str, count: str) -> None:
        if is_constant(op):
            return
        key = f"'{key_of(op)}'" if isinstance(op, WeightedOp) else op.name
        place = place_of(op)
        self._notes.setdefault(f"{key}", (place, {}))[1][what] = None
        self.counts[count] += 1

    # --- rules: an equal value, or nothing

    def _scale_into_weights(self, op: Operation, builder: Builder) -> SSAValue | None:
        """Float weights need no scale."""
        if not isinstance(op, WeightedOp) or op.scale is None or not is_float(op):
            return None
        self._mixed(op, op.scale)
        return builder.put(reweighted(op, weights_of(op), bias_of(op)))

    def _constants_behind(self, op: Operation, builder: Builder) -> SSAValue | None:
        """`W (x + c) + b` is `W x + (W c + b)`; where the border of padded planes makes that differ within a channel,
        the difference is a current of its own."""
        if not (isinstance(op, WeightedOp) or (isinstance(op, PoolOp) and adds(op))) or reads_late(op):
            return None
        source, constants = builder.stripped(op.source)
        if source is op.source:
            return None
        new = op if isinstance(op, WeightedOp) else None
        self._note(op, "bias behind it folded", "biases folded")
        added = applied(op, constants)
        if new is None:
            return builder.shifted(builder.put(like(op, [source])), added, f"{op.name}.bias")
        # a channel's mean stays in its bias only where all of its neurons agree
        return builder.shifted(builder.put(like(new, [source])), added, f"{key_of(new)}.border")

    def _scale_nearer_to_its_sources(self, op: Operation, builder: Builder) -> SSAValue | None:
        """`s (W x)` is `(s W) x`."""
        if not isinstance(op, ScaleOp) or op.delay.data or not is_float(op):
            return None
        factor, source = factor_of(op), op.source
        if not builder.absorbs(source, factor):
            return None
        self._note(op, "folded into what it reads", "scales folded")
        self._mixed(_maker(source), op.weights)
        made = builder.scaled(source, factor, key_of(op))
        return builder.shifted(made, bias_of(op)[lanes_of(op)], f"{key_of(op)}.bias")

    def _scale_behind_pool(self, op: Operation, builder: Builder) -> SSAValue | None:
        """`pool(s x)` is `s pool(x)` where s is the same within a channel."""
        if not isinstance(op, PoolOp) or not adds(op):
            return None
        scale = op.source.owner
        if not isinstance(scale, ScaleOp) or scale.bias is not None or not is_float(scale):
            return None
        channels = channelwise(type_of(op.source), factor_of(scale))
        if channels is None:
            return None
        kind = AvgPoolOp if isinstance(op, AvgPoolOp) else SumPoolOp
        padding = op.padding_low.data, op.padding_high.data
        pool = kind(scale.source, op.kernel.data, op.stride.data, padding)
        pool.location = op.location
        type_ = type_of(op.pooled)
        new = ScaleOp(builder.put(pool), _tensor(scale, spread_over(type_, channels)), type_, delay=scale.delay.data)
        new.location = scale.location
        self.counts["scales folded"] += 1
        return builder.put(new)

    def _scale_into_reader(self, op: Operation, builder: Builder) -> SSAValue | None:
        """`W (s x)` is `(W s) x`."""
        if not isinstance(op, WeightedOp):
            return None
        peeled = _peeled(op.source, builder)
        if peeled is None:
            return None
        source, factor, late, scale = peeled
        slowest = op.longest if isinstance(op, BundleOp) else op.delay.data
        if late + slowest >= LIMIT:
            return None
        new = on_sources(op, factor, source)
        if new is None:
            return None
        self._note(op, f"'{key_of(scale)}' before it folded", "scales folded")
        self._mixed(op, scale.weights)
        new.delay = IntAttr(op.delay.data + late)
        return builder.put(new)

    def _sum_of_scales(self, op: Operation, builder: Builder) -> SSAValue | None:
        """`W (s x + t y)` is `(W s) x + (W t) y`, where nothing but scales and signals is added."""
        if not isinstance(op, WeightedOp) or not is_float(op) or isinstance(op, ScaleOp):
            return None
        outer: list[FlattenOp | SliceOp] = []
        value = op.source
        while isinstance(value.owner, FlattenOp | SliceOp):
            outer.append(value.owner)
            value = value.owner.source
        add = value.owner
        if not isinstance(add, AddOp) or not any(isinstance(part.owner, ScaleOp) for part in add.inputs):
            return None
        if not all(isinstance(part.owner, ScaleOp) or _is_signal(part) for part in add.inputs):
            return None
        terms: list[SSAValue] = []
        for number, part in enumerate(add.inputs):
            inner = part
            for each in reversed(outer):
                inner = builder.put(moved(each, inner))
            terms.append(builder.put(like(op, [inner], {"bias": op.bias if not number else None})))
        self._note(op, "applied to each part of the sum before it", "sums taken apart")
        return builder.put(AddOp(*terms))

    def _two_dense(self, op: Operation, builder: Builder) -> SSAValue | None:
        """`B (A x)` is `(B A) x`, where that is wanted."""
        inner = op.source.owner if isinstance(op, DenseOp) else None
        if not isinstance(op, DenseOp) or not isinstance(inner, DenseOp) or self._merge == "never":
            return None
        if op.repeat != inner.repeat or inner.bias is not None or not (is_float(op) and is_float(inner)):
            return None
        outer, first = weights_of(op), weights_of(inner)
        shared = not inner.current.has_one_use()
        before = outer.size + (0 if shared else first.size)
        if self._merge == "smaller" and len(outer) * first.shape[1] > before:
            return None
        self._note(op, f"multiplied with '{key_of(inner)}' before it", "projections merged")
        self._mixed(op, inner.weights)
        new = reweighted(op, outer @ first, bias_of(op), inner.source)
        new.delay = IntAttr(op.delay.data + inner.delay.data)
        return builder.put(new)

    def _one(self, op: Operation, builder: Builder) -> SSAValue | None:
        """`1 x` is `x` where that is a current."""
        del builder
        if not isinstance(op, ScaleOp) or op.bias is not None or op.delay.data or op.source.type != op.current.type:
            return None
        return op.source if (weights_of(op) == 1).all() else None

    def _sum_of_sums(self, op: Operation, builder: Builder) -> SSAValue | None:
        """A sum of sums is one sum; that of a single current is that current."""
        if not isinstance(op, AddOp):
            return None
        values: list[SSAValue] = []
        for value in op.inputs:
            values += value.owner.inputs if isinstance(value.owner, AddOp) else [value]
        if len(values) == 1 and not type_of(values[0]).is_discrete:
            return values[0]
        return None if values == list(op.inputs) else builder.added(values, op)

    def _one_constant(self, op: Operation, builder: Builder) -> SSAValue | None:
        """Constants of a sum are one, in the bias of a projection where that can hold it."""
        if not isinstance(op, AddOp):
            return None
        makers = [v.owner for v in op.inputs if isinstance(v.owner, WeightedOp) and is_constant(v.owner)]
        others = [value for value in op.inputs if value.owner not in makers]
        if not makers or not others:
            return None
        bias = sum((bias_of(maker)[lanes_of(maker)] for maker in makers), start=np.zeros(type_of(op.total).size))
        rest = builder.added(others, op)
        held = builder.biased(rest, bias) if bias.any() else rest
        if held is None and len(makers) > 1:
            held = builder.shifted(rest, bias, key_of(makers[0]).removesuffix(".none"))
        return held

    # --- precision

    def _mixed(self, op: Operation | None, *others: object) -> None:
        """Weights into which float64 goes are float64 from then on."""
        if isinstance(op, WeightedOp) and any(
            isinstance(other, TensorAttr) and other.data.element == "f64" and other.data.key not in self._singles
            for other in others
        ):
            self._singles.discard(key_of(op))

    def _store(self) -> None:
        """Round what was float32 before, once."""
        for op in self._network.body.block.ops:
            if not isinstance(op, WeightedOp):
                continue
            for name in ("weights", "bias"):
                tensor = op.properties.get(name)
                if isinstance(tensor, TensorAttr) and tensor.data.element == "f64" and key_of(op) in self._singles:
                    exact = tensor.array
                    rounded = exact.astype(np.float32)
                    op.properties[name] = TensorAttr.of(tensor.data.key, rounded)
                    error = float(np.abs(rounded - exact).max() / max(np.abs(exact).max(), 1e-300))
                    key = f"'{key_of(op)}'"
                    self._notes.setdefault(key, (place_of(op), {}))[1][
                        f"{name} rounded to float32, by {error:.1e} of the largest at most"
                    ] = None


def _maker(value: SSAValue) -> Operation | None:
    """The projection whose weights take a factor in."""
    owner = value.owner
    while isinstance(owner, FlattenOp | SliceOp | DelayOp | PoolOp | AddOp):
        owner = owner.operands[0].owner
    return owner if isinstance(owner, WeightedOp) else None


def _tensor(scale: ScaleOp, factor: Vector) -> TensorAttr:
    return TensorAttr.of(key_of(scale), factor)


def _peeled(value: SSAValue, builder: Builder) -> tuple[SSAValue, Vector, int, ScaleOp] | None:
    """A signal that is a scale of another: that one, the factor, how late, and the scale; `None` for others."""
    owner = value.owner
    match owner:
        case ScaleOp() if owner.bias is None and is_float(owner):
            return owner.source, factor_of(owner), owner.delay.data, owner
        case FlattenOp() | SliceOp():
            inner = _peeled(owner.source, builder)
            if inner is None:
                return None
            source, factor, late, scale = inner
            chosen = owner.indices.data.array if isinstance(owner, SliceOp) else slice(None)
            return builder.put(moved(owner, source)), factor[chosen], late, scale
        case _:
            return None


def _is_signal(value: SSAValue) -> bool:
    """Whether a value is a signal, some of its neurons, or pools of that: nothing with weights."""
    owner = value.owner
    if isinstance(owner, FlattenOp | SliceOp | PoolOp):
        return _is_signal(owner.source)
    return isinstance(owner, InputOp | NeuronOp)


def _read_as_they_are(network: NetworkOp) -> set[Operation]:
    """What stands before populations to which it matters which projection has which bias or weight."""
    found: set[Operation] = set()
    open_: list[SSAValue] = []
    for op in network.body.block.ops:
        if isinstance(op, NeuronOp):
            semantics = op.semantics.data
            if semantics.bias == "membrane" or semantics.weights != "exact":
                open_ += op.inputs
    while open_:
        owner = open_.pop().owner
        if isinstance(owner, LinearOp) and owner not in found:
            found.add(owner)
            open_ += owner.operands
    return found


def _single_keys(network: NetworkOp) -> set[str]:
    """The projections whose weights are float32."""
    return {
        key_of(op)
        for op in network.body.block.ops
        if isinstance(op, WeightedOp) and isinstance(op.weights, TensorAttr) and op.weights.data.element == "f32"
    }
