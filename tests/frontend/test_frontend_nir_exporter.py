"""Who wrote a file: the step and the semantics that its numbers show, with the evidence, and what has to be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nir_files import Edges, chain, cuba, filled, lif, network, nir, read, replaced, sink, source, spiking, written

from snnir.dialects.snn import NeuronOp
from snnir.errors import SnnirError
from snnir.frontend.nir.exporter import LAWS
from snnir.semantics import PRESETS, Semantics


def file(folder: Path, **populations: Any) -> Path:
    """Populations of two neurons, each fed by one Input."""
    nodes = {"a": source(2), **populations, "o": sink(2)}
    edges: Edges = [*(("a", name) for name in populations), *((name, "o") for name in populations)]
    return written(folder / "net.nir", nodes, edges)


def leaky(tau: float, r: Any, **other: Any) -> Any:
    """Two LIF neurons."""
    return lif(2, tau=tau, r=r, **other)


@pytest.mark.parametrize(
    ("populations", "dt"),
    [
        ([(4e-3, 4.0)], 1e-3),
        ([(4e-3, 4.0), (7e-3, 7.0)], 1e-3),
        ([(4e-3, 4.0), (2e-3, 2.0)], 1e-3),
        ([(2.5e-3, 20.0)], 1.25e-4),
        ([(float(np.float32(2.22e-4)), float(np.float32(2.22)))], 1e-4),
        ([(2.5e-3, 25.0 * np.exp(-0.04))], 1e-4),
        ([(2.5e-3, float(np.float32(25.0 * np.exp(-0.04)))), (1e-3, 10.0 * np.exp(-0.1))], 1e-4),
        ([(4e-3, 4.0), (7e-3, 6.0)], None),
        ([(2.5e-3, 1.0)], None),
        ([(4e-3, [4.0, 5.0])], None),
        ([(4e-3, -4.0)], None),
        ([(4e-3, 0.0)], None),
    ],
)
def test_the_step_is_inferred_only_from_evidence(
    tmp_path: Path, populations: list[tuple[float, Any]], dt: float | None
) -> None:
    """One law and one step of at most three digits in every leaky population."""
    path = file(tmp_path, **{f"n{i}": leaky(tau, r) for i, (tau, r) in enumerate(populations)}, z=spiking(2))
    if dt is None:
        with pytest.raises(SnnirError, match="does not say how long a step is"):
            read(path)
        assert network(read(path, dt=1e-4)).step_seconds == 1e-4
    else:
        assert network(read(path)).step_seconds == dt


@pytest.mark.parametrize(("w_in", "dt"), [(2.0, 1e-3), (1.0, None)])
def test_a_synapse_must_agree(tmp_path: Path, w_in: float, dt: float | None) -> None:
    path = file(tmp_path, n=cuba(2, w_in=w_in))
    if dt is None:
        with pytest.raises(SnnirError, match="pass --dt"):
            read(path)
    else:
        assert network(read(path)).step_seconds == dt


@given(
    tau=st.floats(1e-4, 1.0),
    digits=st.integers(1, 999),
    exponent=st.integers(-7, -3),
    law=st.sampled_from(sorted(LAWS)),
)
def test_laws_are_solved(tau: float, digits: int, exponent: int, law: str) -> None:
    """From the resistance that an exporter writes back to its step."""
    dt = digits * 10.0**exponent
    x = dt / tau
    if x > 0.9:
        return
    gain = np.array([1 / x if law == "euler" else np.exp(-x) / x])
    _, solve = LAWS[law]
    np.testing.assert_allclose(solve(np.array([tau]), gain), dt, rtol=1e-9)


def notes_of(path: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> list[str]:
    """The notes on a file, without its name."""
    capsys.readouterr()
    read(path, **options)
    return [line.removeprefix(f"{path}:").removeprefix(" ") for line in capsys.readouterr().err.splitlines()]


NAMES = f"--semantics names others ({', '.join(PRESETS)})"
ASKED = f"note: semantics nir are assumed: {PRESETS['nir'].why}; {NAMES}"


def test_snntorch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its step is 0.1 ms; it does not store the kind of reset."""
    shown = "r = tau/dt for dt = 0.0001 s in every CubaLIF and LIF node, as snnTorch exports them"
    path = file(tmp_path, c=cuba(2, r=40.0, w_in=20.0), n=leaky(1e-3, 10.0))
    assert notes_of(path, capsys) == [
        f"note: dt = 0.0001 s and semantics snntorch are assumed: {shown}",
        f"note: semantics snntorch: {PRESETS['snntorch'].why}; {NAMES}",
        "note: snnTorch's files do not say whether a spike subtracts the threshold; if it does, pass "
        "--reset subtract_late for its default, --reset subtract for reset_delay=False",
    ]
    assert notes_of(path, capsys, semantics="norse", reset="value") == [
        f"note: dt = 0.0001 s is assumed: {shown}; --dt names another"
    ]
    assert notes_of(path, capsys, semantics="nir", reset="value", dt=1e-4) == []
    assert notes_of(path, capsys, semantics="nir", reset="value", dt=2e-4) == [
        f"note: --dt 0.0002 is used, although {shown}"
    ]


def test_spikingjelly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """r = 1/dt of an IF stands for 1 per step."""
    path = file(tmp_path, n=spiking(2, r=1000.0))
    assert notes_of(path, capsys) == [
        "/nodes/n/r: note: r = 1/dt is read as 1 per step, as SpikingJelly means it",
        "note: dt = 0.001 s is assumed: r = 1/dt for dt = 0.001 s in every IF node, as SpikingJelly exports them; "
        "--dt names another",
        ASKED,
    ]
    neuron = network(read(path)).sources["n"]
    assert isinstance(neuron, NeuronOp)
    assert neuron.parameters["r"] == 1.0
    for other in (read(path, dt=1e-4), read(file(tmp_path, n=spiking(2, r=1000.0), m=spiking(2, r=3.0)))):
        neuron = network(other).sources["n"]
        assert isinstance(neuron, NeuronOp)
        assert neuron.parameters["r"] == 1000.0
    path = file(tmp_path, n=spiking(2, r=1000.0), m=leaky(5e-3, 5.0))
    assert "and SpikingJelly export" in notes_of(path, capsys)[1] or network(read(path)).step_seconds == 1e-3


def test_rockpool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(tmp_path, n=leaky(2.5e-3, 25 * np.exp(-0.04)))
    shown = "r = tau/dt * exp(-dt/tau) for dt = 0.0001 s in every LIF node, as Rockpool exports them"
    assert notes_of(path, capsys) == [
        f"note: dt = 0.0001 s and semantics rockpool are assumed: {shown}",
        f"note: semantics rockpool: {PRESETS['rockpool'].why}; {NAMES}",
    ]
    neuron = network(read(path)).sources["n"]
    assert isinstance(neuron, NeuronOp)
    assert neuron.semantics.data == PRESETS["rockpool"].semantics
    assert notes_of(path, capsys, semantics="nir", reset="value") == [
        f"note: --semantics nir is used, although {shown}",
        f"note: dt = 0.0001 s is assumed: {shown}; --dt names another",
    ]


def test_networks_that_need_no_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """IF, I and Threshold nodes do the same in every step, however long it is."""
    path = file(tmp_path, n=spiking(2), i=filled(nir.I, (2,), r=2.0), t=filled(nir.Threshold, (2,), threshold=0.5))
    assert notes_of(path, capsys) == [
        "note: dt = 0.001 s is assumed: no node of this network depends on it; r = 1 in every IF node, as sinabs and "
        "Norse export them; --dt names another",
        ASKED,
    ]
    assert network(read(path, dt=5e-5)).step_seconds == 5e-5


def test_box_and_dirac(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A LIF with r = 1 sees spikes as currents of one step."""
    path = file(tmp_path, n=leaky(5e-3, 1.0))
    found = notes_of(path, capsys, dt=1e-3)
    assert found[1].startswith("/nodes/n/r: note: a spike is a current of 1 that lasts for one step, so that results")
    assert "--semantics 'nir(pulse = dirac)' makes it a charge" in found[1]
    assert not any("lasts for one step" in line for line in notes_of(path, capsys, dt=1e-3, semantics="nest"))


def test_files_without_v_reset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before nir 1.0.5 nothing was said about resets."""
    nodes = {"a": source(2), "n": leaky(5e-3, 5.0), "o": sink(2)}
    path = written(tmp_path / "net.nir", nodes, chain("a", "n", "o"), replaced({"nodes/n/v_reset": None}))
    found = notes_of(path, capsys)
    assert found[-2:] == [
        "note: no v_reset is in the file, as before nir 1.0.5: a spike resets v to 0; if it subtracts the threshold, "
        "pass --reset subtract",
        "note: not in the file, NIR's default is used: v_reset = 0 in n",
    ]
    assert not any("--reset" in line for line in notes_of(path, capsys, reset="subtract"))


@pytest.mark.parametrize(
    ("semantics", "reset", "expected"),
    [
        (None, None, "value"),
        (None, "subtract", "subtract"),
        ("snntorch", "subtract", "subtract_repeat"),
        ("spyx", None, "subtract"),
        ("spyx", "value", "value"),
        ("sinabs", "value", "value"),
    ],
)
def test_resets(tmp_path: Path, semantics: str | None, reset: str | None, expected: str) -> None:
    module = read(file(tmp_path, n=leaky(5e-3, 5.0)), semantics=semantics, reset=reset)
    neuron = network(module).sources["n"]
    assert isinstance(neuron, NeuronOp)
    assert neuron.semantics.data.reset == expected


def test_semantics_with_changes(tmp_path: Path) -> None:
    """--semantics takes a preset with changes, as `using` does."""
    path = file(tmp_path, n=leaky(5e-3, 5.0))
    neuron = network(read(path, semantics="snntorch(pulse = dirac, refractory = 2)", reset="value")).sources["n"]
    assert isinstance(neuron, NeuronOp)
    assert neuron.semantics.data == Semantics(pulse="dirac", refractory=2)
    for asked, message in [
        ("nir(pulse = wide)", "--semantics: 'wide' is not a value of pulse"),
        ("nir(pulse)", "--semantics: 'pulse' is no change of a field"),
        ("nir(spikes = 2, spikes = 3)", "--semantics: 'spikes' is given twice"),
        ("nirr(pulse = dirac)", "--semantics: no semantics preset 'nirr'"),
    ]:
        with pytest.raises(SnnirError, match=message):
            read(path, semantics=asked)


def test_conflicts(tmp_path: Path) -> None:
    """Two nodes that show different steps or exporters are named; --dt and --semantics decide."""
    path = file(tmp_path, m=leaky(5e-3, 5.0), n=leaky(2.5e-3, 25 * np.exp(-0.04)))
    with pytest.raises(SnnirError) as caught:
        read(path)
    assert caught.value.message == (
        "'m' shows r = tau/dt for dt = 0.001 s, but 'n' shows r = tau/dt * exp(-dt/tau) for dt = 0.0001 s"
    )
    assert caught.value.place == f"{path}:/nodes/n"
    assert caught.value.hint == "pass --dt with the step in seconds, and --semantics, which decide"
    with pytest.raises(SnnirError, match="'m' shows"):
        read(path, dt=1e-3)
    assert network(read(path, dt=1e-3, semantics="nir")).step_seconds == 1e-3


def test_time_constants_in_steps(tmp_path: Path) -> None:
    """All of 1 and more: steps, unless they fit one that is shown or named."""
    path = file(tmp_path, n=leaky(10.0, 1.0))
    for options in ({}, {"dt": 1e-3}):
        with pytest.raises(SnnirError, match="they count steps, not seconds"):
            read(path, **options)
    for options, tau in (({}, 0.01), ({"dt": 1e-4}, 1e-3)):
        module = read(path, fix=True, **options)
        neuron = network(module).sources["n"]
        assert isinstance(neuron, NeuronOp)
        assert neuron.parameters["tau"] == pytest.approx(tau)
    assert network(read(path, dt=1.0)).step_seconds == 1.0
    assert network(read(file(tmp_path, n=leaky(10.0, 1e4)))).step_seconds == 1e-3
    mixed = file(tmp_path, n=leaky(10.0, 1.0), m=leaky(0.5, 1.0))
    with pytest.raises(SnnirError, match="does not say how long"):
        read(mixed)
