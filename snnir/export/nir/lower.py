"""From a `snn.network` to one flat NIR graph: which node each op becomes, and how nodes are connected.

Several edges into a NIR node are a sum, so `snn.add` is no node. Weights of NIR act on one dimension, and nothing in
NIR makes several dimensions of one: what a dense projection computes stays flat for all ops that act on each neuron
alone (`flat_values`), and is refused where an op needs the dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from math import prod
from pathlib import Path
from typing import cast

import numpy as np
from xdsl.dialects.builtin import ArrayAttr
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.snn import (
    ActivationOp,
    AddOp,
    DelayOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    PoolOp,
    SliceOp,
    SparseOp,
    WeightedOp,
)
from snnir.errors import SnnirError
from snnir.export.base import refusal, title
from snnir.export.nir.graph import Node
from snnir.export.nir.projections import pool, projection, selection
from snnir.export.nir.shapes import Signal, flat_values, flatten_ranges, live_ops, own_name, shape_of
from snnir.export.nir.sparse import blocks
from snnir.export.nir.values import Array, neuron_fields
from snnir.frontend.names import unique
from snnir.frontend.network import Shape
from snnir.frontend.nir.fields import MODELS
from snnir.frontend.nir.mirror import Field, Stored, StoredGraph, convention_of, entry_of, path_of

MATRIX_LIMIT = 1 << 24
"""Matrices that the IR states in another form are written out up to this many entries."""

_KINDS = {model: kind for kind, model in MODELS.items()}


@dataclass
class Remarks:
    """What the graph says in another way than the IR, by what is said, with the ops that it concerns."""

    found: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def add(self, message: str, op: Operation) -> None:
        """Remember one op."""
        self.found.setdefault(message, []).append(title(op))


class Lowering:
    """The nodes and edges of a network. `stored` is what is known of the file that it came from."""

    def __init__(self, network: NetworkOp, path: Path, stored: StoredGraph | None) -> None:
        self.network, self.path = network, path
        self.stored = {} if stored is None else {node.path: node for g in stored.all() for node in g.nodes.values()}
        self.nodes: dict[str, Node] = {}
        self.edges: list[tuple[str, str]] = []
        self.remarks = Remarks()
        self.flat = flat_values(network.body.block, self.is_restored)
        self.signals: dict[SSAValue, Signal] = {}
        self.flattenings: dict[tuple[str, ...], Signal] = {}
        self.delays: dict[tuple[tuple[str, ...], bytes], Signal] = {}
        self.projections: dict[str, tuple[WeightedOp, Signal]] = {}
        self.taken = {".".join(node.names) for node in self.stored.values()}
        self.taken |= {own_name(op) for op in network.body.block.ops if isinstance(op, InputOp | NeuronOp | OutputOp)}
        self.claimed: set[str] = set()

    def run(self) -> None:
        """Make everything that an input, a population or an output takes part in."""
        live = live_ops(self.network.body.block)
        for op in self.network.body.block.ops:
            if op not in live:
                self.remarks.add("left out, because nothing reads or feeds them", op)
        ops = [op for op in self.network.body.block.ops if op in live]
        ends = [op for op in ops if isinstance(op, NeuronOp)]
        outputs = [op for op in ops if isinstance(op, OutputOp)]
        for op in ops:
            if isinstance(op, InputOp):
                self.source(op, op.signal, "Input")
            elif isinstance(op, NeuronOp):
                self.population(op)
        for op in self.needed([*ends, *outputs]):
            self.signals[op.results[0]] = self.stateless(op)
        for op in ends:
            signal = self.signals[op.signal]
            self.connect(signal.sources[0], self.sum(op.inputs, op, signal.shape))
        for op in outputs:
            signal = self.signals[op.signal]
            node = self.add("Output", {}, signal.shape, op)
            node.fields["shape"] = self.counts(node, "shape", signal.shape)
            self.connect(node.name, signal.sources)

    def needed(self, ends: Iterable[Operation]) -> list[Operation]:
        """The ops without a state behind some ops, each after those that it reads."""
        order: TopologicalSorter[Operation] = TopologicalSorter()
        waiting, seen = list(ends), set[Operation]()
        while waiting:
            op = waiting.pop()
            owners = [value.owner for value in op.operands]
            before = [
                each for each in owners if isinstance(each, Operation) and not isinstance(each, InputOp | NeuronOp)
            ]
            if not isinstance(op, NeuronOp | OutputOp):
                order.add(op, *before)
            waiting += [each for each in before if each not in seen]
            seen.update(before)
        return list(order.static_order())

    def is_restored(self, op: SparseOp) -> bool:
        """Whether synapses become the matrices again that they were in the file."""
        return blocks(self.known(op), op) is not None

    # -- nodes and edges ---------------------------------------------------------------------------------------------

    def known(self, op: Operation) -> Stored | None:
        """What the file said of the node that an op was."""
        found = self.stored.get(path_of(op))
        if found is not None and (found.kind == "Input", found.kind == "Output") != (
            isinstance(op, InputOp),
            isinstance(op, OutputOp),
        ):
            return None  # what the front end added beside a node
        return found

    def add(self, kind: str, fields: dict[str, Field], shape: Shape, op: Operation, name: str = "") -> Node:
        """A new node: the one that an op is, or with `name` one that is needed beside it."""
        known = None if name else self.known(op)
        if known is not None and known.path not in self.claimed:
            self.claimed.add(known.path)
            wanted = unique(".".join(known.names), self.nodes)
        else:
            symbol = isinstance(op, InputOp | NeuronOp | OutputOp) and not name
            known, wanted = None, unique(name or own_name(op), self.nodes if symbol else self.taken)
        self.taken.add(wanted)
        node = Node(wanted, kind, fields, shape, known.path if known else "", op, known.metadata if known else {})
        self.nodes[wanted] = node
        return node

    def connect(self, target: str, sources: Iterable[str]) -> None:
        """Edges into a node. NIR lists an edge once, so what is added twice takes a way of its own the second time."""
        seen: set[str] = set()
        for source in sources:
            if source in seen:
                shape = self.nodes[source].shape
                name = f"{source}_again"
                again = self.add("Scale", {"scale": np.ones(shape, np.float32)}, shape, self.network, name)
                self.edges += [(source, again.name), (again.name, target)]
            else:
                self.edges.append((source, target))
            seen.add(source)

    def source(self, op: InputOp | NeuronOp, value: SSAValue, kind: str) -> Node:
        """An input or a population, whose inputs come later."""
        shape = shape_of(value)
        shape = (prod(shape),) if value in self.flat else shape
        node = self.add(kind, {}, shape, op)
        self.signals[value] = Signal((node.name,), shape)
        if isinstance(op, InputOp):
            node.fields["shape"] = self.counts(node, "shape", shape)
        return node

    def population(self, op: NeuronOp) -> None:
        """A population."""
        if op.MODEL not in _KINDS:
            what = f"NIR has no neuron model like {op.name}, which {title(op)} is"
            hint = "write .snn or .mlir instead, or use a model with one synapse"
            if isinstance(op, ActivationOp):
                hint = "write .onnx or .mlir instead, or let convert-ann-to-snn make a spiking network of it"
            raise refusal(op, self.path, what, hint)
        node = self.source(op, op.signal, _KINDS[op.MODEL])
        node.fields = neuron_fields(op, node.shape, self.stored.get(node.path))
        for name in ("r", "w_in"):
            kept = entry_of(op, name)
            if isinstance(kept, ArrayAttr):
                read, given = (each.array for each in cast(ArrayAttr[TensorAttr], kept).data)
                if np.array_equal(np.unique(value_of(op.properties[name])), np.unique(read)):
                    node.fields[name] = np.resize(given, node.shape)
        if op.signal in self.flat:
            self.remarks.add("one-dimensional, because NIR has no projection onto several dimensions", op)

    def counts(self, node: Node, name: str, values: Sequence[int], scalar: bool = False) -> Array:
        """Whole numbers, in the form that the file had: its type, and one number for all where that says the same."""
        stored = self.stored.get(node.path)
        dtype = stored.dtype(name) if stored else None
        before = stored.shape(name) if stored else None
        if dtype is None or dtype.kind not in "iuf":
            dtype, before = np.dtype(np.int64), None
        if before in ((), (1,)) and len(set(values)) == 1:
            return np.array(values[:1], dtype).reshape(before)
        if before == (len(values),) or not scalar:
            return np.array(values, dtype)
        return np.array(values[0], dtype)

    def check_size(self, op: Operation, size: int, what: str) -> None:
        """Raise when a matrix that the IR does not have would be too large."""
        if size > MATRIX_LIMIT:
            message = f"NIR states {op.name} as {what}, and that of {title(op)} would have {size} entries"
            hint = f"up to {MATRIX_LIMIT} are written; write .snn or .mlir instead"
            raise refusal(op, self.path, message, hint)

    # -- signals -----------------------------------------------------------------------------------------------------

    def sum(self, values: Sequence[SSAValue], op: Operation, shape: Shape) -> tuple[str, ...]:
        """The sources of a sum of values of one shape; those of several dimensions are flattened where it is flat."""
        signals = [self.signals[value] for value in values]
        return tuple(
            source
            for signal in signals
            for source in (signal if signal.shape == shape else self.flattened(signal, op)).sources
        )

    def stateless(self, op: Operation) -> Signal:
        """What an op without a state computes."""
        match op:
            case AddOp():
                shape = shape_of(op.total)
                shape = (prod(shape),) if op.total in self.flat else shape
                return Signal(self.sum(op.inputs, op, shape), shape)
            case DelayOp():
                return self.late(op)
            case FlattenOp():
                return self.flatten(op)
            case SliceOp():
                return selection(self, op)
            case PoolOp():
                return pool(self, op)
            case WeightedOp():
                return projection(self, op)
            case _:
                raise self.unknown(op)

    def unknown(self, op: Operation) -> SnnirError:
        """The error for an op that NIR has nothing for."""
        hint = "write .snn or .mlir instead"
        return refusal(op, self.path, f"NIR has no node for {op.name}, which {title(op)} is", hint)

    def flattened(self, signal: Signal, op: Operation) -> Signal:
        """A signal as one dimension, through a Flatten that all readers share."""
        if len(signal.shape) == 1:
            return signal
        if signal.sources not in self.flattenings:
            name = f"{own_name(op)}_flatten"
            self.flattenings[signal.sources] = self.merge(signal, 0, len(signal.shape) - 1, op, name)
        return self.flattenings[signal.sources]

    def merge(self, signal: Signal, start: int, end: int, op: Operation, name: str) -> Signal:
        """A Flatten."""
        rank = len(signal.shape)
        shape = (*signal.shape[:start], prod(signal.shape[start : end + 1]), *signal.shape[end + 1 :])
        node = self.add("Flatten", {}, shape, op, name)
        stored = self.stored.get(node.path)
        for field_name, value in (("start_dim", start), ("end_dim", end)):
            before = stored.counts(field_name) if stored else None
            same = before is not None and int(before.flat[0]) in (value, value - rank)
            default = -1 if value == rank - 1 and field_name == "end_dim" else value
            node.fields[field_name] = before if before is not None and same else np.array(default, np.int64)
        if stored is None or "input_type" in stored.fields:
            node.fields["input_type"] = self.counts(node, "input_type", signal.shape)
        self.connect(node.name, signal.sources)
        return Signal((node.name,), shape)

    def flatten(self, op: FlattenOp) -> Signal:
        """Runs of dimensions that become one, from the last to the first, each by a Flatten."""
        signal = self.signals[op.source]
        if len(signal.shape) == 1:
            return signal
        ranges = flatten_ranges(signal.shape, shape_of(op.flat))
        if ranges == [(0, len(signal.shape) - 1)]:
            if signal.sources not in self.flattenings:
                self.flattenings[signal.sources] = self.merge(signal, *ranges[0], op, "")
            return self.flattenings[signal.sources]
        for number, (start, end) in enumerate(reversed(ranges)):
            signal = self.merge(signal, start, end, op, f"{own_name(op)}_{number}" if number else "")
        return signal

    def delayed(self, signal: Signal, steps: int | Array, op: Operation, name: str) -> Signal:
        """A signal some steps late; delays of one signal by the same time are one node, but for those of a file."""
        array = np.full(signal.shape, steps, np.int64) if isinstance(steps, int) else steps.reshape(signal.shape)
        if not array.any():
            return signal
        key = (signal.sources, array.tobytes())
        if key in self.delays and (name or not path_of(op)):
            return self.delays[key]
        node = self.add("Delay", {}, signal.shape, op, name)
        node.fields["delay"] = self.seconds(node, array)
        self.connect(node.name, signal.sources)
        self.delays[key] = Signal((node.name,), signal.shape)
        return self.delays[key]

    def seconds(self, node: Node, steps: Array) -> Array:
        """Delays in seconds; those of the file where they mean the same."""
        dt, stored = self.network.step_seconds, self.stored.get(node.path)
        before = stored.tensor("delay") if stored else None
        if before is not None and np.array_equal(np.rint(before.astype(np.float64) / dt).ravel(), steps.ravel()):
            return before
        seconds = steps * dt
        dtype = stored.dtype("delay") if stored else None
        if dtype is not None and dtype.kind == "f" and np.array_equal(np.rint(seconds.astype(dtype) / dt), steps):
            return seconds.astype(dtype)
        return seconds

    def late(self, op: DelayOp) -> Signal:
        """A delay, less what the front end added to open a cycle."""
        signal = self.signals[op.source]
        if isinstance(op.delay, TensorAttr):
            return self.delayed(signal, op.delay.array, op, "")
        return self.delayed(signal, max(0, op.delay.data - convention_of(op)), op, "")
