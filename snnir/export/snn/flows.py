"""A network as chains between names: which values of the IR a `.snn` program names, and what leads to each.

An op without a state that one other op reads is a stage of a chain. One that several read, or that is added or sliced,
becomes a `signal`: sums and slices are made of names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.snn import (
    AddOp,
    DenseOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SliceOp,
)
from snnir.export.nir.shapes import shape_of
from snnir.export.snn import text
from snnir.frontend.names import value_name
from snnir.frontend.network import Shape


@dataclass
class Flow:
    """An arrow, a signal or an output: names with or without slices, and the ops that are applied to their sum.

    `shape` is the one that the reader of the program gives to the last op by itself, where it does.
    """

    kind: Literal["arrow", "signal", "output"]
    name: str
    sources: list[str]
    bases: list[str]
    stages: list[Operation]
    inhibitory: bool = False
    held: bool = False
    """Whether the sum must be one signal, which a delay of nothing says: arrows and names stand for each summand."""
    shape: Shape | None = None
    keys: list[str] = field(default_factory=list[str])

    @property
    def last(self) -> str:
        """The name that the reader gives to the last stage."""
        return self.name if self.kind == "signal" else f"{'_'.join(self.bases)}_to_{self.name}"


@dataclass
class _Chain:
    sources: list[str]
    bases: list[str]
    stages: list[Operation]


def kind_of(op: Operation) -> str:
    """The word for an op in a chain."""
    name = op.name.removeprefix("snn.")
    return "one_to_one" if name in ("scale", "add") else name


def is_implied(op: Operation) -> bool:
    """Whether an op is a flattening that the reader of the program inserts: dense projections read one dimension."""
    if not isinstance(op, FlattenOp) or len(shape_of(op.flat)) != 1:
        return False
    return all(isinstance(use.operation, DenseOp) for use in op.flat.uses)


def is_direct(op: Operation) -> bool:
    """Whether an op is what the reader inserts where spikes flow into a population as they are."""
    if not isinstance(op, ScaleOp) or isinstance(op.weights, TensorAttr) or not op.source_type.is_spike:
        return False
    return value_of(op.weights) == 1.0 and op.bias is None and op.scale is None and not op.delay.data


def converts(op: Operation) -> bool:
    """Whether an op is a sum of one signal that makes a current of spikes."""
    return isinstance(op, AddOp) and len(op.inputs) == 1 and op.inputs[0].type != op.total.type


class Flows:
    """The names of a network's values, and all flows in the order of the text."""

    def __init__(self, network: NetworkOp) -> None:
        self.ops = list(network.body.block.ops)
        self.taken: set[str] = set()
        ends = [op for op in self.ops if isinstance(op, InputOp | NeuronOp | OutputOp)]
        self.symbols = text.valid_names((op.sym_name.data for op in ends), self.taken)
        self.names: dict[SSAValue, str] = {
            op.signal: self.symbols[op.sym_name.data] for op in ends if not isinstance(op, OutputOp)
        }
        self.live = self.reachable()
        self.ends = sorted((op for op in ends if not isinstance(op, InputOp)), key=lambda op: isinstance(op, OutputOp))
        """Populations, then outputs."""
        self.name_signals()
        self.flows = list(self.all())
        self.expected = Counter(key for flow in self.flows for key in (*flow.keys, *[flow.last] * flow.held))

    def name_signals(self) -> None:
        """Name the values that need it in the order of the text, so that reading it gives the same names again."""
        done: set[Operation] = set()
        for value in (value for end in self.ends for value in end.operands):
            for op in self.before(value, done):
                if self.is_signal(op):
                    self.names[op.results[0]] = text.free_name(self.hint(op), self.taken)

    def hint(self, op: Operation) -> str:
        """A name for a signal, without a number at its end: that of its value in the IR.

        The reader of a program names sums and slices itself.
        """
        match op:
            case SliceOp():
                return f"{self.names[op.source]}_slice"
            case AddOp() if not converts(op):
                return "sum"
            case _:
                hint = op.results[0].name_hint
                return (hint and value_name(text.cleaned(hint))) or kind_of(op)

    def reachable(self) -> set[Operation]:
        """The ops without a state that something reads."""
        found: set[Operation] = set()
        waiting: list[Operation] = [op for op in self.ops if isinstance(op, NeuronOp | OutputOp)]
        while waiting:
            for value in waiting.pop().operands:
                owner = value.owner
                assert isinstance(owner, Operation)
                if owner not in found and not isinstance(owner, InputOp | NeuronOp):
                    found.add(owner)
                    waiting.append(owner)
        return found

    def readers(self, value: SSAValue) -> list[Operation]:
        """The ops of the program that read a value, each as often as it does, through flattenings that are implied."""
        found: list[Operation] = []
        for use in value.uses:
            op = use.operation
            if op in self.live and is_implied(op):
                found += self.readers(op.results[0])
            elif op in self.live or isinstance(op, NeuronOp | OutputOp):
                found.append(op)
        return found

    def is_signal(self, op: Operation) -> bool:
        """Whether the result of an op without a state needs a name."""
        if is_implied(op):
            return False
        readers = self.readers(op.results[0])
        if isinstance(op, AddOp) and not converts(op):
            return any(isinstance(each, AddOp | SliceOp) for each in readers)
        return len(readers) != 1 or isinstance(readers[0], AddOp | SliceOp)

    def all(self) -> Iterator[Flow]:
        """Everything that leads somewhere, signals before those that read them."""
        done: set[Operation] = set()
        for op in self.ends:
            for number, value in enumerate(op.operands):
                for before in self.before(value, done):
                    if before.results[0] in self.names:
                        yield self.flow("signal", self.names[before.results[0]], before.results[0])
                name = self.symbols[op.sym_name.data]
                if isinstance(op, OutputOp):
                    yield self.flow("output", name, value)
                    continue
                flow = self.flow("arrow", name, value)
                flow.inhibitory = number >= len(op.inputs) - len(op.inhibitory)
                flow.shape = shape_of(op.signal)
                yield flow

    def flow(self, kind: Literal["arrow", "signal", "output"], name: str, value: SSAValue) -> Flow:
        """What leads to a value."""
        chain = self.chain(value, named=kind == "signal")
        if kind == "arrow" and chain.stages and is_direct(chain.stages[-1]):
            chain.stages.pop()
        flow = Flow(kind, name, chain.sources, chain.bases, chain.stages)
        count = len(chain.stages)
        flow.held = not count and len(chain.sources) > 1 and kind != "output" and self.is_held(value)
        flow.keys = [flow.last if n == count - 1 else f"{flow.last}_{kind_of(op)}" for n, op in enumerate(chain.stages)]
        return flow

    def chain(self, value: SSAValue, named: bool = False) -> _Chain:
        """What leads to a value, from names on. `named`: the value itself is being named."""
        stages: list[Operation] = []
        while True:
            op = value.owner
            assert isinstance(op, Operation)
            if is_implied(op):
                value = op.operands[0]
            elif value in self.names and not named:
                return _Chain([self.names[value]], [self.names[value]], stages)
            elif isinstance(op, AddOp) and not converts(op):
                parts = [self.chain(each) for each in op.inputs]
                sources = [source for part in parts for source in part.sources]
                return _Chain(sources, [base for part in parts for base in part.bases], stages)
            elif isinstance(op, SliceOp):
                base = self.chain(op.source).bases
                return _Chain([f"{base[0]}{op.indices.data}"], base, stages)
            else:
                stages.insert(0, op)
                value = op.operands[0]
            named = False

    def is_held(self, value: SSAValue) -> bool:
        """Whether a sum is read as a whole where its name, or an arrow, would stand for each summand."""
        return any(isinstance(each, AddOp | NeuronOp) for each in self.readers(value))

    def before(self, value: SSAValue, done: set[Operation]) -> Iterator[Operation]:
        """The ops without a state that a value needs and that are not `done` yet, each after what it reads."""
        waiting: list[tuple[SSAValue, bool]] = [(value, False)]
        while waiting:
            each, after = waiting.pop()
            op = each.owner
            assert isinstance(op, Operation)
            if after:
                yield op
            elif op not in done and not isinstance(op, InputOp | NeuronOp):
                done.add(op)
                waiting.append((each, True))
                waiting += [(operand, False) for operand in reversed(op.operands)]


def left_out(ops: Sequence[Operation], live: set[Operation]) -> list[Operation]:
    """The ops that nothing reads, so that a program cannot hold them."""
    return [op for op in ops if op not in live and not isinstance(op, InputOp | NeuronOp | OutputOp)]
