"""What `check-platform` says of memories: synapses of one neuron, and what one neuron makes a crossbar remember."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import jsonschema
import numpy as np
import pytest
from networks import run_passes, set_machine
from numpy.typing import NDArray
from xdsl.dialects.builtin import FloatAttr, ModuleOp, f64

from snnir.delays import MEMORIES, Memory
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.machine_delays import Delays
from snnir.dialects.platform import Buffers, Crossbar, Link, Machine, Tiles, Time
from snnir.dialects.snn import NEURON_OPS, BundleOp, InputOp, NetworkOp, OutputOp, networks
from snnir.errors import SnnirError
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.cluster.size_delays import ClusterSizeDelays
from snnir.passes.limits import Finding, check
from snnir.report.platform import check_as_json, check_as_text
from snnir.report.schemas import schema
from snnir.semantics import Semantics

Fanin = Literal["digital", "none"]
NEEDED = {
    ("digital", "ring"): 7,
    ("digital", "queue"): 6,
    ("digital", "circular"): 13,
    ("digital", "fifo"): 7,
    ("none", "ring"): 7,
    ("none", "queue"): 4 * (2 + 4 + 6),
    ("none", "circular"): 4 * 13,
    ("none", "fifo"): 4 * 7,
}
"""One row 6 steps late where sums are digital, else four neurons that are read 0, 2, 4 and 6 steps late."""


def bundled(weights: NDArray[np.float64]) -> ModuleOp:
    """An input and a population with a bundle of stride 2 between them."""
    _, targets, sources = weights.shape
    source = InputOp("x", SignalType.spikes(sources))
    read = BundleOp(source, TensorAttr.of("w", weights.astype("f4")), SignalType.current(targets), stride=2)
    parameters = {name: FloatAttr(value, f64) for name, value in (("r", 1.0), ("threshold", 1.0), ("v_reset", 0.0))}
    neurons = NEURON_OPS["if"]("p", [read.results[0]], parameters, Semantics(), SignalType.spikes(targets))
    network = NetworkOp("small", 1e-3, None)
    network.body.block.add_ops([source, read, neurons, OutputOp("y", neurons.results[0])])
    return ModuleOp([network])


def machine_of(fanin: Fanin, delays: Delays | None = None, synapses: int = 0) -> Machine:
    """A machine with crossbars of 32 x 8."""
    crossbar = Crossbar(32, 8, 8, fanin, max_delay=60, synapses=synapses)
    return Machine("toy", Tiles((1, 1), 9), crossbar, Buffers(4096), Link(), Time("ns", 1), delays=delays)


def found(module: ModuleOp, target: Machine, limit: str, activity: Literal["peak", "worst"] = "worst") -> list[Finding]:
    """The findings of one limit; the check as JSON fits its schema."""
    (network,) = networks(module)
    result = check(network, target, activity)
    jsonschema.validate(check_as_json(result, "m"), schema("platform-check"))
    return [finding for finding in result.findings if finding.limit == limit]


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("fanin", ["digital", "none"])
def test_delay_memories_that_one_neuron_overfills(fanin: Fanin, memory: Memory) -> None:
    module, needed = bundled(np.ones((4, 2, 4))), NEEDED[fanin, memory]
    assert not found(module, machine_of(fanin, Delays(memory, needed)), "delay memory")
    assert not found(module, machine_of(fanin, Delays(memory)), "delay memory")
    tight = machine_of(fanin, Delays(memory, needed - 1))
    (finding,) = found(module, tight, "delay memory")
    assert (finding.level, finding.subject, finding.needed, finding.available) == ("error", "p", needed, needed - 1)
    assert f"delays.entries = {needed} or more" in finding.hint
    (finding,) = found(module, tight, "delay memory", "peak")
    assert finding.level == ("error" if memory == "ring" else "warning")
    set_machine(module, tight)
    with pytest.raises(SnnirError, match="delay memory"):
        run_passes(module, ConvertSNNToCluster(), ClusterSizeDelays())


def test_neurons_without_delays_need_no_memory() -> None:
    assert not found(bundled(np.ones((1, 2, 4))), machine_of("none", Delays("queue", 1)), "delay memory")


@pytest.mark.parametrize(("fanin", "level"), [("digital", "note"), ("none", "error")])
def test_neurons_that_no_crossbar_stores(fanin: Fanin, level: str) -> None:
    module = bundled(np.ones((4, 2, 4)))
    assert not found(module, machine_of(fanin, synapses=16), "synapses")
    (finding,) = found(module, machine_of(fanin, synapses=15), "synapses")
    assert (finding.level, finding.needed, finding.available) == (level, 16, 15)
    pruned = np.ones((4, 2, 4))
    pruned[1, :, 0] = 0.0
    assert not found(bundled(pruned), machine_of(fanin, synapses=15), "synapses")


def test_crossbars_are_bounded_by_what_they_store() -> None:
    module = bundled(np.ones((4, 8, 4)))
    (network,) = networks(module)
    assert check(network, machine_of("digital")).least.crossbars == 1
    tight = machine_of("digital", synapses=20)
    assert check(network, tight).least.crossbars == 7
    (finding,) = found(module, replace(tight, tiles=Tiles((1, 1), 6)), "crossbars")[:1]
    assert "synapses fill the cells" in finding.message


def test_the_machine_is_described() -> None:
    (network,) = networks(bundled(np.ones((4, 8, 4))))
    result = check(network, machine_of("digital", Delays("circular", 2048), synapses=100))
    described = check_as_json(result, "m")["machine"]
    assert described["delay_memory"] == {"memory": "circular", "entries": 2048}
    assert described["synapses"] == 100
    assert "delays to 60 (circular of 2,048), input buffers" in check_as_text(result, "m")
    assert "8-bit weights, 100 of them stored" in check_as_text(result, "m")
    plain = check_as_json(check(network, machine_of("digital")), "m")["machine"]
    assert (plain["delay_memory"], plain["synapses"]) == (None, None)
