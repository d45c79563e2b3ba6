"""The writer of `.snn` programs: text for people, and a `.safetensors` file beside it for arrays.

Reading the program back gives the same network: ops, names, tensors with keys and element types, semantics, delays.
Small lists of 64-bit numbers stand in the text where their key is the one that the reader gives them; every other array
goes into the file under its key. What a program does not hold is said in notes: measured activity, the machine.

A program has a normal form, in which these differ from the IR without a difference in meaning: a dense projection
flattens what it reads, a `snn.flatten` of several runs of dimensions is several stages, a tensor of equal numbers is
one number, and ops that change nothing are left out.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from xdsl.ir import Attribute

from snnir.dialects.attributes import TensorAttr, value_of
from snnir.dialects.platform import ATTRIBUTE as MACHINE
from snnir.dialects.snn import ActivationOp, InputOp, NetworkOp, NeuronOp, SliceOp
from snnir.errors import SnnirError
from snnir.export.base import listed, refusal, title, whole
from snnir.export.nir.shapes import shape_of
from snnir.export.snn import text
from snnir.export.snn.flows import Flow, Flows, converts, left_out
from snnir.export.snn.stages import stages_of
from snnir.frontend.notes import Notes
from snnir.frontend.snn.format import format_program
from snnir.frontend.source import SIZE_LIMIT
from snnir.frontend.stimulus import ATTRIBUTE as STIMULUS
from snnir.frontend.stimulus import stimuli_of
from snnir.semantics import PARAMETERS, TIME_CONSTANTS
from snnir.sim.stimulus import Recording, Stimulus
from snnir.tensors import PrintingPolicy, Tensor, write_safetensors

INLINE_LIMIT = 32
"""Lists of up to this many numbers stand in the text."""


def write(network: NetworkOp, path: Path, notes: Notes) -> None:
    """Write a network as a `.snn` program, and its arrays beside it. Raises `SnnirError`."""
    for op in network.body.block.ops:
        if isinstance(op, SliceOp) and len(shape_of(op.part)) > 1:
            what = f"{title(op)} gives what it selects a shape, and slices in a .snn program are one-dimensional"
            raise refusal(op, path, what, "write .mlir instead")
        if isinstance(op, ActivationOp) or (isinstance(op, InputOp) and op.coding is not None):
            what = f"{title(op)} belongs to an ordinary network, and a .snn program has neither activations nor codes"
            raise refusal(op, path, what, "write .mlir or .onnx instead")
    arrays = path.with_suffix(".safetensors")
    writer = _Writer(network, path, arrays.name)
    program = writer.program()
    if len(program.encode()) > SIZE_LIMIT:
        what = f"the program would have more than {SIZE_LIMIT >> 20} MiB of text, and could not be read again"
        raise SnnirError(path, what, "write .mlir instead")
    with whole(path) as temporary:
        temporary.write_text(program, encoding="utf-8", newline="\n")
        if writer.policy.stored:
            write_safetensors(arrays, {key: tensor.array for key, tensor in writer.policy.stored.items()})
    writer.note(notes)


class _Writer:
    """The text of one network. Arrays are kept in `policy` for the file of that name."""

    def __init__(self, network: NetworkOp, path: Path, file_name: str) -> None:
        self.network, self.path = network, path
        self.policy = PrintingPolicy("beside", file_name)
        self.flows = Flows(network)
        self.stimuli = stimuli_of(network)

    def program(self) -> str:
        """The whole text, in canonical layout."""
        network, ops = self.network, self.flows.ops
        inputs = [self.input(op) for op in ops if isinstance(op, InputOp)]
        inputs += [self.generator(name, stimulus) for name, stimulus in self.stimuli.items()]
        populations = [self.population(op) for op in ops if isinstance(op, NeuronOp)]
        flows = [self.flow(flow) for flow in self.flows.flows]
        head = [f"dt = {text.seconds(network.step_seconds)}"]
        if network.steps is not None:
            head.append(f"steps = {network.steps.data}")
        if self.policy.stored:
            head.append(f'weights = "{self.policy.file_name}"')
        body = "\n\n".join("\n".join(block) for block in (head, inputs + populations, flows) if block)
        name = text.free_name(network.sym_name.data, set())
        return format_program(f"network {name} {{\n{body}\n}}\n", str(self.path))

    def input(self, op: InputOp) -> str:
        """`input pixels[8x8]`."""
        element = "" if op.signal.type.is_spike else " : f64"
        return f"input {self.flows.names[op.signal]}{text.shape(shape_of(op.signal))}{element}"

    def generator(self, name: str, stimulus: Stimulus) -> str:
        """`generate pixels : poisson(rate = 50 Hz, seed = 1)`."""
        symbol = self.flows.symbols[name]
        if isinstance(stimulus, Recording):
            where = os.path.relpath(stimulus.path, self.path.parent)
            return f'generate {symbol} : file("{Path(where).as_posix()}")'
        rate = stimulus.rate
        if isinstance(rate, np.ndarray):
            shown = self.array(Tensor.of(f"{name}.rate", rate), f"{symbol}.rate")
        else:
            shown = f"{text.number(rate)} Hz"
        return f"generate {symbol} : poisson(rate = {shown}, seed = {stimulus.seed})"

    def population(self, op: NeuronOp) -> str:
        """`population hidden[128] : lif(tau = 5 ms, ...) using nir`."""
        name = self.flows.names[op.signal]
        parameters = ", ".join(
            f"{key} = {self.parameter(op.properties[key], key, f'{name}.{key}')}" for key in PARAMETERS[op.MODEL]
        )
        semantics = text.semantics(op.semantics.data, op.MODEL)
        return f"population {name}{text.shape(shape_of(op.signal))} : {op.MODEL}({parameters}) {semantics}"

    def parameter(self, attribute: Attribute, name: str, key: str) -> str:
        """A number, with its unit where it is a time, or one per neuron."""
        if not isinstance(attribute, TensorAttr) and name in TIME_CONSTANTS:
            return text.seconds(float(value_of(attribute)))
        return self.value(attribute, key, True)

    def flow(self, flow: Flow) -> str:
        """An arrow, an output or a signal."""
        calls: list[tuple[str, list[str]]] = []
        for number, (op, key) in enumerate(zip(flow.stages, flow.keys, strict=True)):
            known = flow.shape if number == len(flow.stages) - 1 else None
            alone = self.flows.expected[key] == 1 and (key not in self.flows.taken or flow.kind == "signal")
            calls += stages_of(op, key, known, lambda given, place, alone=alone: self.value(given, place, alone))
        if flow.held:
            calls = [("delay", ["steps = 0"])]
        elif flow.kind == "arrow" and not calls:
            calls = [("direct", [])]
        if flow.inhibitory:
            calls[-1] = calls[-1][0], [*calls[-1][1], "into = inhibitory"]
        chain = " | ".join(f"{kind}({', '.join(arguments)})" if arguments else kind for kind, arguments in calls)
        sources = " + ".join(flow.sources)
        if flow.kind == "arrow":
            return f"{sources} -> {flow.name} : {chain}"
        return f"{flow.kind} {flow.name} = {sources}" + (f" : {chain}" if chain else "")

    def value(self, attribute: Attribute, key: str, alone: bool) -> str:
        """A number, a list, or the key of an array; `key` is what the reader calls a list, if it is `alone`."""
        if isinstance(attribute, TensorAttr):
            return self.array(attribute.data, key if alone else "")
        return text.number(float(value_of(attribute)))

    def array(self, tensor: Tensor, key: str) -> str:
        """A list where the reader makes the same tensor of it, else the key of the array in the file."""
        if tensor.key == key and text.is_small(tensor, INLINE_LIMIT):
            return text.numbers(tensor.array)
        plain = text.key(tensor.key)
        named = tensor if plain == tensor.key else Tensor(plain, tensor.shape, tensor.element, tensor.source)
        return f'"{self.policy.store(named)}"'

    def note(self, notes: Notes) -> None:
        """Say what the program does not hold."""
        ops = self.flows.ops
        active = [op for op in ops if isinstance(op, InputOp | NeuronOp) and op.activity is not None]
        if active:
            notes.add(self.path, f"measured activity is not in a .snn program: {listed(map(title, active))}")
        others = {name for op in (self.network, *ops) for name in op.attributes} - {STIMULUS}
        if others:
            notes.add(self.path, f"attributes are not in a .snn program: {', '.join(sorted(others))}")
        module = self.network.parent_op()
        if module is not None and MACHINE in module.attributes:
            notes.add(self.path, "the machine is not in a .snn program: read it with --platform")
        alone = [op for op in ops if op in self.flows.live and converts(op)]
        if alone:
            notes.add(self.path, f"sums of one signal are written as weights of 1: {listed(map(title, alone))}")
        unread = left_out(ops, self.flows.live)
        if unread:
            notes.add(self.path, f"left out, because nothing reads them: {listed(map(title, unread))}")
        renamed = [f"@{old} is {new}" for old, new in self.flows.symbols.items() if old != new]
        if renamed:
            notes.add(self.path, f"names that the language does not have were changed: {listed(renamed)}")
