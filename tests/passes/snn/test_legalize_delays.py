"""`snn-legalize-delays`: no row is later than the machine allows, with the fewest relays, and every spike stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from delayed_networks import DelayedMaker, configured, small_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import general_program, program_of, random_signals, random_spikes, set_machine
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Operation

from snnir import machine
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import connections_of, emitter_of
from snnir.dialects.platform import Machine
from snnir.dialects.snn import (
    AddOp,
    CubaLifOp,
    DelayOp,
    DenseOp,
    FlattenOp,
    IfOp,
    InputOp,
    LifOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ScaleOp,
    SliceOp,
    SparseOp,
    SumPoolOp,
    networks,
)
from snnir.errors import SnnirError
from snnir.indices import Indices
from snnir.passes.snn.legalize_delays import SNNLegalizeDelays
from snnir.passes.snn.quantize import SNNQuantize
from snnir.passes.snn.relay_chains import Hops
from snnir.semantics import Semantics
from snnir.sim import simulate

CONTEXT = Context()
ENDS = {"threshold": FloatAttr(0.5, 64), "v_reset": FloatAttr(0.0, 64)}
Spikes = dict[str, NDArray[Any]]


def network_in(module: ModuleOp) -> NetworkOp:
    """The program of a module."""
    (network,) = networks(module)
    return network


def relays_needed(module: ModuleOp, longest: int, own: int) -> int:
    """The least number of relays, one neuron after the other: as few as lead as far as its longest delay."""
    latest: dict[tuple[str, int], int] = {}
    for op in network_in(module).sources.values():
        for c in connections_of(op) if isinstance(op, NeuronOp) else []:
            for neuron in c.synapses.csr().indices.tolist():
                latest[c.source, neuron] = max(latest.get((c.source, neuron), 0), c.delay)
    total = 0
    for delay in latest.values():
        while delay > longest:  # each relay adds a row before it, and its own step
            delay -= longest + own  # noqa: PLW2901
            total += 1
    return total


def longest_row(module: ModuleOp) -> int:
    """The latest row of any population."""
    populations = [op for op in network_in(module).sources.values() if isinstance(op, NeuronOp)]
    return max((c.delay for op in populations for c in connections_of(op)), default=0)


def spikes_of(module: ModuleOp, inputs: Spikes, names: Sequence[str] | None = None) -> Spikes:
    """The spikes of all sources and outputs, or of some."""
    network = program_of(module)
    return simulate(network, inputs, record=sorted(names if names is not None else network.populations))


def assert_same(found: Spikes, expected: Spikes) -> None:
    for name, spikes in expected.items():
        np.testing.assert_array_equal(found[name], spikes, err_msg=name)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), recurrent=st.booleans(), longest=st.integers(0, 20), emulate=st.booleans())
def test_rows_are_short_enough_relays_are_few_and_spikes_stay(
    seed: int, recurrent: bool, longest: int, emulate: bool
) -> None:
    longest = max(longest, 1) if recurrent or not emulate else longest
    rng = np.random.default_rng(seed)
    module = DelayedMaker(rng, recurrent=recurrent).module()
    inputs = random_spikes(rng, program_of(module), 2, 40)
    before, needed = spikes_of(module, inputs), relays_needed(module, longest, int(emulate))
    legalize = SNNLegalizeDelays(longest=longest, emulate=emulate)
    legalize.apply(CONTEXT, module)
    module.verify()
    assert_same(spikes_of(module, inputs, list(before)), before)
    assert longest_row(module) <= longest
    assert legalize.statistics["relay neurons"] == needed
    assert len(legalize.layers) == len({change.layer for change in legalize.layers})
    text = str(module)
    legalize.apply(CONTEXT, module)
    assert str(module) == text  # nothing is left to do


def test_programs_of_every_op_that_machines_have() -> None:
    """Delays of signals, of parts, of sums, before pools and convolutions; what machines cannot hold is refused."""
    features = {"conv", "pool", "sparse", "delay", "delays", "last", "slice", "bias", "recurrent", "scaled", "currents"}
    done = 0
    for seed in range(26):
        rng = np.random.default_rng(seed)
        module = general_program(rng, features)
        inputs = random_signals(rng, program_of(module), 2, 25)
        text, before = str(module), spikes_of(module, inputs)
        outputs = simulate(program_of(module), inputs)
        legalize = SNNLegalizeDelays(longest=1, emulate=bool(seed % 2))
        try:
            legalize.apply(CONTEXT, module)
        except SnnirError:
            assert str(module) == text
            continue
        if not legalize.layers:
            assert str(module) == text
            continue
        module.verify()
        assert_same(spikes_of(module, inputs, list(before)), before)
        assert longest_row(module) <= 1
        changed = program_of(module)
        found = simulate(changed, inputs)
        original = program_of(general_program(np.random.default_rng(seed), features))
        for name in original.outputs:
            np.testing.assert_array_equal(found[changed.outputs[name]], outputs[original.outputs[name]])
        done += legalize.statistics["relay neurons"] > 0
    assert done > 10


@pytest.mark.parametrize("seed", range(6))
def test_machines_run_what_is_relayed(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    recurrent = bool(seed % 2)
    module = DelayedMaker(rng, recurrent=recurrent, most=5).module()
    inputs = random_spikes(rng, program_of(module), 2, 30)
    before = spikes_of(module, inputs)
    target = small_machine(rng)
    set_machine(module, replace(target, crossbar=replace(target.crossbar, max_delay=seed // 2 + recurrent)))
    first, second = SNNLegalizeDelays(emulate=seed != 1), SNNQuantize()
    for each in [first, second] if seed % 3 else [second, first]:
        each.apply(CONTEXT, module)
    module.verify()
    assert first.statistics["relay neurons"]
    found = machine.run(configured(module, tmp_path / "machine"), inputs)
    for name, spikes in before.items():
        np.testing.assert_array_equal(found.spikes[name], spikes)


def test_no_chain_of_fewer_relays_is_late_enough() -> None:
    for longest, own in ((1, 0), (3, 0), (0, 1), (1, 1), (4, 1)):
        hops = Hops(longest, own)
        least: dict[int, int] = {}
        for relays in range(3):
            for rows in product(range(longest + 1), repeat=relays + 1):
                least.setdefault(sum(rows) + own * relays, relays)
        delays = np.array(sorted(least))
        np.testing.assert_array_equal(hops.relays(delays), [least[int(delay)] for delay in delays])
        rest = hops.rest(delays)
        assert rest.min() >= 0
        assert rest.max() <= longest
        np.testing.assert_array_equal(hops.relays(delays) * (longest + own) + rest, delays)


# --- single programs


def program(*ops: Operation, steps: int | None = None) -> ModuleOp:
    network = NetworkOp("n", 1e-3, steps)
    network.body.block.add_ops(ops)
    module = ModuleOp([network])
    module.verify()
    return module


def neurons(name: str, current: Operation, *shape: int, semantics: Semantics | None = None) -> IfOp:
    parameters = {"r": FloatAttr(1.0, 64), **ENDS}
    return IfOp(name, [current], parameters, semantics or Semantics(), SignalType.spikes(*shape))


def wide(delay: int = 62) -> tuple[InputOp, DenseOp, IfOp]:
    """48 sources that are read `delay` steps late."""
    x = InputOp("x", SignalType.spikes(48))
    dense = DenseOp(x, TensorAttr.of("w", np.ones((2, 48), "f4")), SignalType.current(2), delay=delay)
    return x, dense, neurons("h", dense, 2)


@pytest.mark.parametrize(
    ("models", "longest", "emulate", "kind", "relays"),
    [
        (("if", "lif", "cuba_lif"), 15, True, CubaLifOp, 3),
        (("if", "lif", "cuba_lif"), 15, False, IfOp, 4),
        (("lif",), 15, True, LifOp, 4),
        (("cuba_lif",), 15, False, CubaLifOp, 4),
        (("cuba_lif", "if"), 0, True, CubaLifOp, 62),
        (("if",), 61, True, IfOp, 1),
        (("if",), 62, True, IfOp, 0),
    ],
)
def test_chains_of_the_neurons_that_there_are(
    models: tuple[str, ...], longest: int, emulate: bool, kind: type[NeuronOp], relays: int, small: Machine
) -> None:
    x, dense, h = wide()
    module = program(x, dense, h, OutputOp("y", h))
    set_machine(module, replace(small, crossbar=replace(small.crossbar, models=models, max_delay=longest)))
    inputs = {"x": (np.random.default_rng(0).random((1, 100, 48)) < 0.1).astype(np.uint8)}
    before = spikes_of(module, inputs)
    legalize = SNNLegalizeDelays(emulate=emulate)
    legalize.apply(CONTEXT, module)
    module.verify()
    made = [op for op in network_in(module).body.block.ops if isinstance(op, NeuronOp) and op is not h]
    assert len(made) == relays
    assert all(type(op) is kind and op.sym_name.data.startswith("x_late") for op in made)
    assert legalize.statistics["relay neurons"] == 48 * relays
    assert_same(spikes_of(module, inputs, ["h"]), before)
    if relays:
        (change,) = legalize.layers
        assert change.change.startswith(f"{48 * relays:,} relay neurons ({made[0].MODEL})")


@pytest.fixture
def small() -> Machine:
    return small_machine(np.random.default_rng(0))


def test_neurons_have_relays_of_their_own() -> None:
    """One neuron is read late: it alone has relays, and both populations that read it share them."""
    x = InputOp("x", SignalType.spikes(3))
    ends = [TensorAttr.of(f"e{n}", np.array(column)) for n, column in enumerate(([0, 1, 1], [0, 0, 1], [1, 9, 2]))]
    weights = TensorAttr.of("w", np.ones(3, "f4"))
    a = SparseOp(x, weights, ends[0], ends[1], SignalType.current(2), delays=ends[2])
    b = SparseOp(x, weights, ends[0], ends[1], SignalType.current(2), delays=ends[2], delay=1)
    h, g = neurons("h", a, 2), neurons("g", b, 2)
    module = program(x, a, b, h, g, OutputOp("y", h))
    legalize = SNNLegalizeDelays(longest=4, emulate=False)
    legalize.apply(CONTEXT, module)
    sizes = {name: op.size for name, op in network_in(module).sources.items()}
    assert sizes == {"x": 3, "x_late1": 1, "x_late2": 1, "h": 2, "g": 2}


def test_chains_of_ops_become_single_synapses() -> None:
    """A delay per neuron, then a pool and flattening, beside a projection that stays; biases are there once."""
    rng = np.random.default_rng(3)
    x = InputOp("x", SignalType.spikes(1, 2, 4))
    late = DelayOp(x, TensorAttr.of("d", np.array([0, 1, 2, 3, 9, 5, 7, 1])))
    pool = SumPoolOp(late, (1, 2))
    flat = FlattenOp(pool.pooled)
    some = SliceOp(x.signal, Indices.of([3, 1, 5, 0]))
    kept = ScaleOp(
        some, TensorAttr.of("s", rng.normal(size=4)), SignalType.current(4), bias=TensorAttr.of("b", -np.ones(4))
    )
    added = AddOp(flat, kept, some)
    h = neurons("h", added, 4)
    module = program(x, late, pool, flat, some, kept, added, h, OutputOp("y", h))
    inputs = {"x": (rng.random((2, 40, 8)) < 0.4).astype(np.uint8)}
    before = spikes_of(module, inputs)
    SNNLegalizeDelays(longest=3, emulate=False).apply(CONTEXT, module)
    module.verify()
    assert longest_row(module) <= 3
    assert_same(spikes_of(module, inputs, ["h"]), before)
    assert before["h"].any()
    kinds = [type(op) for op in network_in(module).body.block.ops]
    assert SparseOp in kinds
    assert SumPoolOp not in kinds


def test_chains_with_scales_of_their_own() -> None:
    """A projection of a sum of two projections, with different scales and delays."""
    x = InputOp("x", SignalType.spikes(3))
    parts = [
        ScaleOp(
            x,
            TensorAttr.of(f"s{n}", np.array([3, -2, 5], np.int8)),
            SignalType.current(3),
            scale=FloatAttr(scale, 64),
            delay=delay,
        )
        for n, (scale, delay) in enumerate(((0.25, 1), (0.5, 6)))
    ]
    added = AddOp(*parts)
    dense = DenseOp(added, TensorAttr.of("w", np.array([[1.0, 0.5, 0.25], [-1.0, 2.0, 0.5]])), SignalType.current(2))
    h = neurons("h", dense, 2, semantics=Semantics(reset="subtract"))
    module = program(x, *parts, added, dense, h, OutputOp("y", h))
    inputs = {"x": (np.random.default_rng(5).random((2, 40, 3)) < 0.3).astype(np.uint8)}
    before = spikes_of(module, inputs)
    assert 10 < before["h"].sum() < 100
    SNNLegalizeDelays(longest=2).apply(CONTEXT, module)
    module.verify()
    assert longest_row(module) <= 2
    assert_same(spikes_of(module, inputs, ["h"]), before)


@pytest.mark.parametrize("emulate", [True, False])
@pytest.mark.parametrize("delays", [[4, 4], [0, 7]])
def test_outputs_get_populations_that_emit_late(delays: list[int], emulate: bool) -> None:
    x = InputOp("x", SignalType.spikes(3))
    some = SliceOp(x.signal, Indices.of([2, 0]))
    late = DelayOp(some, TensorAttr.of("d", np.array(delays)))
    module = program(x, some, late, OutputOp("y", late))
    inputs = {"x": (np.random.default_rng(0).random((1, 30, 3)) < 0.5).astype(np.uint8)}
    expected = simulate(program_of(module), inputs)["y"]
    legalize = SNNLegalizeDelays(longest=2, emulate=emulate)
    legalize.apply(CONTEXT, module)
    module.verify()
    assert emitter_of(network_in(module).outputs["y"]) == "y_late"
    np.testing.assert_array_equal(simulate(program_of(module), inputs)["y_late"], expected)
    assert longest_row(module) <= 2


def test_names_that_are_taken_get_a_number() -> None:
    x, dense, h = wide(3)
    other = neurons("x_late1", dense, 2)
    module = program(x, dense, h, other, OutputOp("y", h))
    SNNLegalizeDelays(longest=2).apply(CONTEXT, module)
    module.verify()
    assert "x_late1_1" in network_in(module).sources


# --- what is refused


def refusal(module: ModuleOp, legalize: SNNLegalizeDelays) -> str:
    text = str(module)
    with pytest.raises(SnnirError) as caught:
        legalize.apply(CONTEXT, module)
    assert str(module) == text
    return f"{caught.value.message} / {caught.value.hint}"


def test_feedback_needs_rows_that_delay() -> None:
    x = InputOp("x", SignalType.spikes(2))
    dense = DenseOp(x, TensorAttr.of("w", np.ones((2, 2))), SignalType.current(2))
    h = neurons("h", dense, 2)
    back = ScaleOp(h, FloatAttr(1.0, 64), SignalType.current(2), delay=2)
    h.operands = [dense.current, back.current]
    module = program(x, dense, h, back, OutputOp("y", h))
    assert "the cycle @h -> @h" in refusal(module, SNNLegalizeDelays(longest=0))
    SNNLegalizeDelays(longest=1).apply(CONTEXT, module)
    module.verify()


def test_several_spikes_in_a_step_are_no_relay_s() -> None:
    x = InputOp("x", SignalType.spikes(2))
    dense = DenseOp(x, TensorAttr.of("w", np.ones((2, 2))), SignalType.current(2))
    many = neurons("many", dense, 2, semantics=Semantics(reset="subtract", spikes=255))
    late = ScaleOp(many, FloatAttr(1.0, 64), SignalType.current(2), delay=9)
    h = neurons("h", late, 2)
    module = program(x, dense, many, late, h, OutputOp("y", h))
    assert "@many sends up to 255 spikes" in refusal(module, SNNLegalizeDelays(longest=4))
    SNNLegalizeDelays(longest=9).apply(CONTEXT, module)  # rows can repeat them


def test_what_machines_without_delays_need(small: Machine) -> None:
    x, dense, h = wide(3)
    module = program(x, dense, h, OutputOp("y", h))
    assert "give longest=15" in refusal(module, SNNLegalizeDelays())
    assert "give 0 or more" in refusal(module, SNNLegalizeDelays(longest=-1))
    assert "emulate=true" in refusal(module, SNNLegalizeDelays(longest=0, emulate=False))
    assert "rows delay by 2 at most" in refusal(module, SNNLegalizeDelays(longest=2, mode="refuse"))
    for models, reason in ((("if", "lif"), "cuba_lif neurons could be late"), (("relu",), "no neurons that relay")):
        bits = 0 if "if" in models else 4
        crossbar = replace(small.crossbar, models=models, max_delay=0, signal_bits=bits)
        set_machine(module, replace(small, crossbar=crossbar))
        assert reason in refusal(module, SNNLegalizeDelays())


def test_a_delayed_output_is_refused_where_relays_are() -> None:
    x, dense, h = wide(1)
    late = DelayOp(h, 2)
    module = program(x, dense, h, late, OutputOp("y", late))
    assert "output @y reads a delayed copy" in refusal(module, SNNLegalizeDelays(longest=4, mode="refuse"))


def test_nothing_late_is_nothing_done() -> None:
    x, dense, h = wide(4)
    module = program(x, dense, h, OutputOp("y", h))
    text, legalize = str(module), SNNLegalizeDelays(longest=4)
    legalize.apply(CONTEXT, module)
    assert str(module) == text
    assert not legalize.layers
    assert not legalize.statistics
