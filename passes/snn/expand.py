"""`snn-expand`: activations with more inputs than a crossbar has rows, as trees of sums with and without a sign."""

from dataclasses import dataclass
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.rewriter import InsertPoint, Rewriter

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import connections_of, real_values
from snnir.dialects.places import place_of
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import ActivationOp, FlattenOp, NetworkOp, ScaleOp, WeightedOp
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.snn.affine import Vector, type_of
from snnir.passes.snn.bins import Kept, axons_read, bins_of, fanin_of, is_plain, plain_bins
from snnir.passes.snn.parts import Part, axons_of
from snnir.passes.snn.projections import replace_inputs, total_bias
from snnir.passes.snn.rebuild import Builder
from snnir.passes.snn.reforming import WIDE, Work
from snnir.passes.snn.terms import terms_of
from snnir.report.changes import LayerChange

Pair = tuple[SSAValue, SSAValue]
"""What is above 0 of a sum, and what is below."""


@dataclass(frozen=True)
class SNNExpand(SNNPass):
    """Give every neuron of an ordinary network at most `rows` inputs, on machines that cannot add partial sums.

    The inputs of a population are dealt into parts as `snn-split-fanin` deals them. Each part's sum s travels as what
    two populations emit, relu(s) and relu(-s), and the neuron reads their difference; where there are more pairs than
    rows, pairs add up pairs, level by level. Exact in real numbers; once values are codes, each level rounds, and the
    result is as good as the codes are (`snnc verify` measures). What is small stays at the neuron.

    Leaves populations that spike to `snn-split-fanin`. Does nothing for machines that add partial sums digitally:
    clustering splits there, exactly.
    """

    name = "snn-expand"
    lossy = True

    mode: Literal["platform", "pairs"] = "platform"
    """`pairs`: always; `platform`: where the machine has no digital adders (`fanin = "relay"` or `"none"`)."""
    rows: int | None = None
    """Inputs that a neuron may have; the machine's `rows` by default."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network, target = program(op), machine_of(op)
        if self.mode == "platform" and (target is None or target.crossbar.fanin == "digital"):
            return
        populations = [each for each in network.sources.values() if isinstance(each, ActivationOp)]
        if not populations:
            return
        rows = self.rows if self.rows is not None else target.crossbar.rows if target is not None else None
        if rows is None or rows < 4:
            fail(network, "how many rows, 4 or more?", "give rows=128, or a machine with --platform")
        models = target.crossbar.models if target is not None else ("relu", "clip")
        if not {"relu", "clip"} & set(models):
            name = populations[0].sym_name.data
            fail(populations[0], f"@{name}: the machine has no relu and no clip to send sums with", "choose another")
        work = Work(network, models, 0.0, {})
        with real_values():
            for population in populations:
                self._expand(work, population, rows)

    def _expand(self, work: Work, population: ActivationOp, rows: int) -> None:
        found = _parts(work.network, population, rows)
        if found is None:
            return
        kept, bins = found
        name, size = population.sym_name.data, population.size
        bias = total_bias(population)
        pairs = [_pair_of_parts(work, population, parts, f"{name}_part{n}") for n, parts in enumerate(bins)]
        levels, made = 1, len(pairs)
        while 2 * len(pairs) + sum(kept.axons) > rows:
            count = -(-len(pairs) // (rows // 2))
            ends = [len(pairs) * n // count for n in range(count + 1)]
            pairs = [
                _pair_of_pairs(work, population, pairs[ends[n] : ends[n + 1]], f"{name}_part{made + n}")
                for n in range(count)
            ]
            levels, made = levels + 1, made + len(pairs)
        out = _differences(population, pairs)
        _with_bias(population, [*kept.ops, *out], bias)
        replace_inputs(population, [*kept.ops, *out], [*kept.values, *(op.current for op in out)])
        what = f"{len(bins)} parts on {rows} rows, {2 * made * size} neurons for their sums: exact before coding"
        self.layers.append(LayerChange(f"@{name}", place_of(population), what))
        self.statistics["populations expanded"] += 1
        self.statistics["neurons for partial sums"] += 2 * made * size
        self.statistics["levels of sums, most"] = max(self.statistics["levels of sums, most"], levels)


def _parts(network: NetworkOp, population: ActivationOp, rows: int) -> tuple[Kept, list[list[Part]]] | None:
    """What a population goes on reading, and the parts of the rest; `None` where it has rows for all."""
    connections = connections_of(population)
    if is_plain(population, connections):
        one_to_one = sum(c.one_to_one for c in connections)
        if axons_read(connections) + one_to_one <= rows:
            return None
        if one_to_one + 2 <= rows:
            return plain_bins(connections, rows)
    terms = terms_of(population)
    if sum(axons_of(term) for term in terms) <= rows or fanin_of(connections, population.size) <= rows:
        return None
    return bins_of(network, population, terms, rows, lines=2)


def _pair(work: Work, population: ActivationOp, values: list[SSAValue], name: str) -> Pair:
    builder = Builder(population)
    below = [builder.minus(value, f"{name}.minus") for value in values]
    plus = work.positive(builder, f"{name}_plus", values, WIDE)
    return plus, work.positive(builder, f"{name}_minus", below, WIDE)


def _pair_of_parts(work: Work, population: ActivationOp, parts: list[Part], name: str) -> Pair:
    ops: list[Operation] = []
    for number, part in enumerate(parts):
        ops += part.make(f"{name}.weight{number}" if len(parts) > 1 else f"{name}.weight")
    Rewriter.insert_op(ops, InsertPoint.before(population))
    for op in ops:
        op.location = population.location
    shape, builder = population.signal_type.shape, Builder(population)
    values = [op.current for op in ops if isinstance(op, WeightedOp)]
    flat = [v if type_of(v).shape == shape else builder.put(FlattenOp(v, shape.data)) for v in values]
    return _pair(work, population, flat, name)


def _pair_of_pairs(work: Work, population: ActivationOp, pairs: list[Pair], name: str) -> Pair:
    ops = _differences(population, pairs)
    Rewriter.insert_op(list(ops), InsertPoint.before(population))
    return _pair(work, population, [op.current for op in ops], name)


def _differences(population: ActivationOp, pairs: list[Pair]) -> list[ScaleOp]:
    """One-to-one projections of pairs, whose sum is that of their parts. Not yet in the IR."""
    type_ = SignalType.current(*population.signal_type.shape.data)
    signs = (FloatAttr(1.0, 64), FloatAttr(-1.0, 64))
    found = [ScaleOp(pair[n], signs[n], type_) for pair in pairs for n in (0, 1)]
    for op in found:
        op.location = population.location
    return found


def _with_bias(population: ActivationOp, ops: list[Operation], bias: Vector) -> None:
    """Give the bias of all projections to the first that has one entry per neuron."""
    if bias.any():
        first = next(op for op in ops if isinstance(op, ScaleOp))
        first.bias = TensorAttr.of(f"{population.sym_name.data}.bias", bias)
