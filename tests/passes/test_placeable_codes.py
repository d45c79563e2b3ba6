"""What crossbars cannot hold of ordinary networks is refused by name, with what to do about it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from coded_networks import codes
from networks import run_passes, set_machine
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f64

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.connections import connections_of, emitter_of
from snnir.dialects.platform import Buffers, Crossbar, Machine, Tiles
from snnir.dialects.snn import DenseOp, InputOp, NetworkOp, NeuronOp, OutputOp
from snnir.dialects.snn_activations import ActivationOp, ClipOp, ReluOp, SigmoidOp
from snnir.passes.base import LoweringError
from snnir.passes.placeable import Refusal, check_placeable, examine
from snnir.passes.snn.split_fanin import SNNSplitFanin

ONE = FloatAttr(1.0, f64)
LIMITS = {"low": FloatAttr(-1.0, f64), "high": ONE}
Make = Callable[[str, DenseOp], ActivationOp]


def relu(bits: int) -> Make:
    return lambda name, read: ReluOp(name, [read.current], codes(bits, 4), step=ONE)


def signed(name: str, read: DenseOp) -> ActivationOp:
    return ClipOp(name, [read.current], codes(8, 4, signed=True), LIMITS, ONE)


def real(name: str, read: DenseOp) -> ActivationOp:
    return ReluOp(name, [read.current], SignalType.current(4))


def chain(input_bits: int, *made: Make) -> NetworkOp:
    """Populations of four neurons, each reading the one before."""
    network = NetworkOp("net", 1e-3, 1)
    source = InputOp("x", codes(input_bits, 4), ONE)
    network.body.block.add_op(source)
    signal = source.signal
    for number, make in enumerate(made):
        weights = TensorAttr.of(f"w{number}", np.ones((4, 4), np.int8))
        read = DenseOp(signal, weights, SignalType.current(4), scale=ONE)
        population = make(f"h{number}", read)
        network.body.block.add_ops([read, population])
        signal = population.signal
    network.body.block.add_op(OutputOp("y", signal))
    return network


def machine(signal_bits: int = 6, models: tuple[str, ...] = ("relu", "clip")) -> Machine:
    crossbar = Crossbar(64, 64, 8, "digital", models, signal_bits=signal_bits)
    return Machine("m", Tiles((2, 2), 2), crossbar, Buffers(1024))


def refusals(network: NetworkOp, target: Machine | None = None) -> list[Refusal]:
    ModuleOp([network]).verify()
    return examine(network, target).refusals


def test_codes_are_placeable() -> None:
    """Codes within the machine's bits, and any that only the host reads."""
    network = chain(6, relu(6), relu(4), signed)
    assert refusals(network, machine()) == []
    (connection,) = connections_of(population(network, "h1"))
    assert connection.source == "h0" and connection.plain is not None
    assert emitter_of(network.outputs["y"]) == "h2"
    assert refusals(chain(6, lambda n, r: ReluOp(n, [r.current], codes(16, 4), step=ONE)), machine()) == []


def population(network: NetworkOp, name: str) -> NeuronOp:
    op = network.sources[name]
    assert isinstance(op, NeuronOp)
    return op


@pytest.mark.parametrize(
    ("network", "target", "subject", "limit", "words"),
    [
        (chain(7, relu(6)), machine(), "x", "signals", ["@x sends codes of 7 bits", "codes of 6 bits"]),
        (chain(6, relu(8), relu(6)), machine(), "h0", "signals", ["@h0 sends codes of 8 bits", "bits=6"]),
        (chain(6, relu(6)), machine(0), "x", "signals", ["spikes only", "signal_bits = 6"]),
        (chain(6, relu(6)), machine(models=("clip",)), "h0", "model", ["has no relu neurons", "it has clip"]),
        (chain(6, real), None, "h0", "signals", ["@h0 emits real values", "snn-code-signals"]),
        (chain(6, signed, relu(6)), None, "h1", "projections", ["@h0 emits codes with a sign", "as a pair"]),
    ],
)
def test_refused_by_name(
    network: NetworkOp, target: Machine | None, subject: str, limit: str, words: list[str]
) -> None:
    found = [r for r in refusals(network, target) if r.subject == subject and r.limit == limit]
    assert found, refusals(network, target)
    assert all(word in str(found[0].error) for word in words), str(found[0].error)
    with pytest.raises(LoweringError if limit != "projections" else Exception):
        check_placeable(network, target)


def test_bits_are_figures() -> None:
    (refusal,) = refusals(chain(9, relu(6)), machine())
    assert (refusal.needed, refusal.available) == (9, 6)


def test_other_activations() -> None:
    network = chain(6, lambda n, r: SigmoidOp(n, [r.current], codes(6, 4), step=ONE))
    (refusal,) = refusals(network)
    assert refusal.limit == "model" and "snn-legalize" in str(refusal.error)


def test_relays_pass_no_codes() -> None:
    """A machine that builds wide fan-in from relay neurons cannot do so for codes, and says so."""
    module = ModuleOp([chain(6, relu(6))])
    set_machine(module, relay_machine())
    with pytest.raises(LoweringError) as error:
        run_passes(module, SNNSplitFanin())
    assert "@h0 emits codes and reads more than the 2 rows" in str(error.value)


def relay_machine() -> Machine:
    crossbar = Crossbar(2, 64, 8, "relay", ("if", "relu"), signal_bits=6)
    return Machine("m", Tiles((2, 2), 2), crossbar, Buffers(1024))
