"""Random programs: text is the identity, also with tensors in a file beside it, and canonicalisation keeps spikes."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from networks import NetworkMaker, general_program, program_of, random_signals, random_spikes, run_passes
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.transforms.canonicalize import CanonicalizePass
from xdsl.transforms.common_subexpression_elimination import CommonSubexpressionElimination

from snnir.dialects.attributes import SignalType
from snnir.dialects.snn import SNN, AddOp, DelayOp, DenseOp, NeuronOp, ScaleOp, SliceOp, networks
from snnir.indices import Indices
from snnir.sim import simulate
from snnir.tensors import sink, source_directory, write_stored

SEEDS = range(16)


def parse(text: str) -> ModuleOp:
    """Text as a verified module."""
    ctx = Context()
    ctx.load_dialect(Builtin)
    ctx.load_dialect(SNN)
    module = Parser(ctx, text, "text").parse_module()
    module.verify()
    return module


def show(module: ModuleOp, *, generic: bool = False) -> str:
    """A module as text."""
    stream = StringIO()
    Printer(stream, print_generic_format=generic).print_op(module)
    return stream.getvalue()


@pytest.mark.parametrize("seed", SEEDS)
def test_text_is_the_identity(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    maker = NetworkMaker(rng, recurrent=bool(seed % 2), weights="float" if seed % 3 else "grid", most=60)
    check_text(maker.module(), tmp_path)


@pytest.mark.parametrize("seed", range(60))
def test_text_is_the_identity_for_every_op(seed: int, tmp_path: Path) -> None:
    check_text(general_program(np.random.default_rng(seed)), tmp_path)


def check_text(module: ModuleOp, tmp_path: Path) -> None:
    """What is printed, in each form, is what is parsed."""
    custom, generic = show(module), show(module, generic=True)
    again = parse(custom)
    assert show(again) == custom
    assert show(again, generic=True) == generic
    assert show(parse(generic)) == custom
    assert show(parse(generic), generic=True) == generic
    with sink("x.safetensors") as policy:
        beside = show(module)
    write_stored(policy, tmp_path)
    with source_directory(tmp_path):
        found = parse(beside)
    assert show(found) == custom
    with sink("x.safetensors") as policy:
        assert show(found) == beside


@pytest.mark.parametrize("seed", SEEDS)
def test_canonicalisation_keeps_spikes_and_reaches_a_fixed_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    module = NetworkMaker(rng, recurrent=bool(seed % 2)).module()
    obscure(module, rng)
    module.verify()
    program = program_of(module)
    spikes = random_spikes(rng, program, 2, 15)
    before = simulate(program, spikes)
    run_passes(module, CanonicalizePass())
    assert not [op.name for op in module.walk() if isinstance(op, AddOp)]
    after = simulate(program_of(module), spikes)
    assert before.keys() == after.keys()
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array, err_msg=name)
    text = show(module)
    run_passes(module, CanonicalizePass())
    assert show(module) == text
    assert show(run_passes(parse(text), CanonicalizePass())) == text


@pytest.mark.parametrize("seed", range(60))
def test_canonicalisation_keeps_every_signal_of_every_op(seed: int) -> None:
    """To the bit: nothing that canonicalisation moves changes the order of a sum."""
    rng = np.random.default_rng(seed)
    module = general_program(rng)
    program = program_of(module)
    signals = random_signals(rng, program, 2, 15)
    before = simulate(program, signals)
    run_passes(module, CanonicalizePass(), CommonSubexpressionElimination())
    changed = program_of(module)
    after = simulate(changed, signals)
    for name in (*program.inputs, *program.populations):
        np.testing.assert_array_equal(after[name], before[name], err_msg=name)
    for name, source in program.outputs.items():
        np.testing.assert_array_equal(after[changed.outputs[name]], before[source], err_msg=name)
    text = show(module)
    run_passes(module, CanonicalizePass(), CommonSubexpressionElimination())
    assert show(module) == text


def obscure(module: ModuleOp, rng: np.random.Generator) -> None:
    """Write the program in a roundabout way: delays apart from projections, sums of sums, slices of all neurons."""
    (network,) = networks(module)
    block = network.body.block
    for op in list(block.ops):
        if isinstance(op, DenseOp | ScaleOp):
            value: SSAValue = op.source
            first = int(rng.integers(0, op.delay.data + 1))
            for late in (first, int(rng.integers(0, op.delay.data - first + 1))):
                value = add(block, DelayOp(value, late))
                op.delay = type(op.delay)(op.delay.data - late)
                assert isinstance(value.type, SignalType)
                if rng.random() < 0.3:
                    value = add(block, SliceOp(value, Indices.span(0, value.type.size)))
            op.operands = [value]
        elif isinstance(op, NeuronOp):
            inputs = list(op.inputs)
            middle = int(rng.integers(0, len(inputs) + 1))
            sums = [add(block, AddOp(*part)) for part in (inputs[:middle], inputs[middle:]) if part]
            op.operands = [add(block, AddOp(*sums))] if rng.random() < 0.7 else sums


def add(block: Block, op: Operation) -> SSAValue:
    """Append an op to a block; its result."""
    block.add_op(op)
    return op.results[0]
