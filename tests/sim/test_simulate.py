"""The program simulator against a plain loop, against recorded references, and against hand-computed spikes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from naive import naive_simulate
from networks import DELAYS, NetworkMaker, program_of, random_spikes, run_passes
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, ModuleOp
from xdsl.parser import Parser

from snnir.dialects.snn import SNN
from snnir.errors import SnnirError
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import read
from snnir.passes.snn.quantize import SNNQuantize
from snnir.semantics import Coefficients, Semantics
from snnir.sim import Network, Population, Projection, simulate
from snnir.sim.data import read_spikes


def parse(text: str) -> ModuleOp:
    """A program from IR text."""
    context = Context()
    context.load_dialect(Builtin)
    context.load_dialect(SNN)
    module = Parser(context, text).parse_module()
    module.verify()
    return module


@pytest.mark.parametrize("seed", range(60))
def test_the_loop_says_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    module = NetworkMaker(rng, recurrent=seed % 2 == 1, most=7).module()
    if seed % 3 == 0:
        run_passes(module, SNNQuantize(bits=5))  # integers with a scale per neuron
    network = program_of(module)
    inputs = random_spikes(rng, network, 2, 9)
    found = simulate(network, inputs)
    for name, expected in naive_simulate(network, inputs).items():
        assert np.array_equal(found[name], expected), name
    assert all(np.array_equal(found[name], inputs[name]) for name in inputs)


def test_the_random_networks_cover_everything() -> None:
    seen: set[object] = set()
    spikes = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        network = program_of(NetworkMaker(rng, recurrent=seed % 2 == 1, most=7).module())
        found = simulate(network, random_spikes(rng, network, 2, 9))
        spikes += sum(int(found[name].any()) for name in network.populations)
        for p in network.populations.values():
            seen |= {(p.model, field, value) for field, value in vars(p.semantics).items()}
            for q in p.projections:
                seen |= {("delay", q.delay), ("one", q.one_to_one), ("bias", bool(np.ndim(q.bias)))}
                seen |= {("part", len(q.indices) < network.sizes[q.source]), ("self", q.source == p.name)}
    fields = {"decay": ("euler", "exp"), "order": ("syn_first", "mem_first"), "compare": ("gt", "ge")}
    fields["reset"] = ("value", "subtract")
    assert {(m, f, v) for m in ("if", "lif", "cuba_lif") for f, values in fields.items() for v in values} <= seen
    assert {("delay", d) for d in range(DELAYS)} <= seen
    assert {(what, value) for what in ("one", "bias", "part", "self") for value in (True, False)} <= seen
    assert spikes > 60


@pytest.mark.parametrize("name", ["digits", "digits_recurrent"])
def test_recorded_references(samples: Path, name: str) -> None:
    folder = samples / "digits"
    found = simulate(
        program_of(read(folder / f"{name}.snn", FrontendOptions())), read_spikes(folder / "test_spikes.npz")
    )
    with np.load(folder / f"reference_{name}.npz") as reference:
        assert set(reference.files) == {"hidden", "out"}
        for population in reference.files:
            size = found[population].shape[2]
            expected = np.unpackbits(reference[population], axis=-1, count=size)
            assert expected.shape == (360, 25, size)
            assert expected.any()
            assert int((found[population] != expected).sum()) == 0


@pytest.mark.parametrize(
    ("using", "expected"),
    [
        # v after input 1, 1, 1, 1 with weight 0.5: threshold 1 is reached in step 1, exceeded in step 2
        ("nir", [0, 0, 1, 0]),
        ("nir, compare = ge", [0, 1, 0, 1]),
        ("nir, reset = subtract", [0, 0, 1, 0]),
        ("nir, compare = ge, reset = subtract", [0, 1, 0, 1]),
    ],
)
def test_integrate_and_fire_by_hand(using: str, expected: list[int]) -> None:
    network = program_of(
        parse(f"""
        snn.network @n dt 0.001 {{
          %x = snn.input @x : !snn.signal<1, spike>
          %c = snn.scale %x by 0.5 : !snn.signal<1, spike> -> !snn.signal<1, f64>
          %s = snn.if @s(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <{using}> : !snn.signal<1, spike>
          snn.output @y %s : !snn.signal<1, spike>
        }}""")
    )
    assert simulate(network, {"x": np.ones((1, 4, 1), np.uint8)})["s"].ravel().tolist() == expected


def test_cuba_lif_by_hand() -> None:
    # i: 0.5, 0.25 (one input spike of weight 1, factors 1/2); v = v / 2 + i / 2
    # synapse first: v = 0.25, 0.25, ...; membrane first sees i one step late: v = 0, 0.25, 0.25
    for order, expected in (("syn_first", [1, 0, 0, 0]), ("mem_first", [0, 1, 0, 0])):
        network = program_of(
            parse(f"""
            snn.network @n dt 0.001 {{
              %x = snn.input @x : !snn.signal<1, spike>
              %c = snn.scale %x by 1.0 : !snn.signal<1, spike> -> !snn.signal<1, f64>
              %s = snn.cuba_lif @s(%c) with (tau_syn = 0.002, tau_mem = 0.002, r = 1.0, v_leak = 0.0,
                threshold = 0.24, v_reset = 0.0, w_in = 1.0) using <nir, order = {order}> : !snn.signal<1, spike>
              snn.output @y %s : !snn.signal<1, spike>
            }}""")
        )
        spikes = np.zeros((1, 4, 1), np.uint8)
        spikes[0, 0] = 1
        assert simulate(network, {"x": spikes})["s"].ravel().tolist() == expected, order


def test_delays_start_silent_and_carry_nothing_from_sample_to_sample() -> None:
    network = program_of(
        parse("""
        snn.network @n dt 0.001 {
          %x = snn.input @x : !snn.signal<1, spike>
          %d = snn.delay %x by 2 : !snn.signal<1, spike>
          %c = snn.scale %d by 1.0 delay 1 : !snn.signal<1, spike> -> !snn.signal<1, f64>
          %s = snn.if @s(%c) with (r = 1.0, threshold = 1.0, v_reset = 0.0) using <nir, compare = ge>
            : !snn.signal<1, spike>
          snn.output @y %s : !snn.signal<1, spike>
        }""")
    )
    spikes = np.array([[1, 0, 1, 1, 1], [0, 0, 0, 0, 0]], np.uint8)[..., None]
    assert simulate(network, {"x": spikes})["s"][..., 0].tolist() == [[0, 0, 0, 1, 0], [0, 0, 0, 0, 0]]
    assert simulate(network, {"x": spikes[:, :2]})["s"].sum() == 0


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "no array 'x0'"),
        ({"x0": np.zeros((1, 2), np.uint8)}, r"shape \(1, 2\)"),
        ({"x0": np.zeros((1, 2, 3), np.uint8)}, "for 2 lines"),
        ({"x0": np.full((1, 2, 2), 2, np.uint8)}, "0 or 1"),
        ({"x0": np.full((1, 2, 2), -1, np.int8)}, "0 or 1"),
        ({"x0": np.zeros((1, 2, 2))}, "0 or 1"),
    ],
)
def test_inputs_that_do_not_fit(
    inputs: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]], message: str
) -> None:
    semantics, constants = Semantics(), Coefficients(1.0, 1.0, 0.0, 1.0, 0.0)
    projection = Projection("x0", np.arange(2), np.ones((1, 2)), False, 1.0, 0.0, 0, "w", "here")
    population = Population("p", 1, "if", semantics, constants, (projection,), "here")
    network = Network("n", 1e-3, None, {"x0": 2}, {"p": population}, {"y": "p"})
    with pytest.raises(SnnirError, match=message):
        simulate(network, inputs)
    both = replace(network, inputs={"x0": 2, "x1": 1})
    with pytest.raises(SnnirError, match="differ in samples or steps"):
        simulate(both, {"x0": np.zeros((1, 2, 2), np.uint8), "x1": np.zeros((1, 3, 1), np.uint8)})


def test_data_that_is_no_archive(tmp_path: Path) -> None:
    """numpy's own message advises to load such a file as a pickle."""
    path = tmp_path / "spikes.npz"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(SnnirError, match="it is no zip archive"):
        read_spikes(path)
