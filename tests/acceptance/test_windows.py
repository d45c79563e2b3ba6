"""Kernels that are read at several positions a step: the configuration spikes as the program does, and in time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import CheckGuarantee
from networks import program_of, random_spikes, run_passes, set_machine
from operator_networks import PADDED, Maker
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin, FloatAttr, ModuleOp, f64
from xdsl.ir import Attribute
from xdsl.parser import Parser
from xdsl.rewriter import InsertPoint, Rewriter

from snnir import machine
from snnir.dialects.attributes import SignalType
from snnir.dialects.platform import Buffers, Crossbar, Machine, Tiles, Time
from snnir.dialects.snn import NEURON_OPS, AddOp, AvgPoolOp, FlattenOp, NetworkOp, SumPoolOp
from snnir.emit import emit
from snnir.partition.clustering import cluster
from snnir.partition.metrics import check
from snnir.partition.problem import Options, Plan
from snnir.passes.cluster.clusters import Builder
from snnir.passes.cluster.place import ClusterPlace
from snnir.passes.cluster.problem import problem_of
from snnir.passes.cluster.route import ClusterRoute
from snnir.passes.crossbar.convert_dataflow_to_crossbar import ConvertDataflowToCrossbar
from snnir.passes.dataflow.analyze_throughput import DataflowAnalyzeThroughput
from snnir.passes.dataflow.convert_cluster_to_dataflow import ConvertClusterToDataflow
from snnir.passes.dataflow.schedule import DataflowSchedule
from snnir.passes.snn.quantize import SNNQuantize
from snnir.semantics import Semantics
from snnir.sim import simulate
from snnir.universe import SNNIR_UNIVERSE

SAMPLES, STEPS = 2, 12
TIME = Time("ns", read=10, event=3, convert=2, columns_per_adc=3, add=1, update=1, spike=2)
"""No two constants that could stand for each other."""


def target(rows: int = 32, columns: int = 16, neurons: int = 128) -> Machine:
    """A machine whose crossbars keep more neurons than they have columns."""
    crossbar = Crossbar(rows, columns, 8, "digital", max_delay=12, neurons=neurons)
    return Machine("shared", Tiles((4, 2), 32), crossbar, Buffers(100_000), time=TIME)


def clustered(module: ModuleOp, platform: Machine) -> tuple[ModuleOp, Plan]:
    """A program, rounded for its machine, and its clusters beside it."""
    set_machine(module, platform)
    run_passes(module, SNNQuantize())
    (network,) = (op for op in module.ops if isinstance(op, NetworkOp))
    problem = problem_of(network, platform)
    plan = cluster("structured", problem, Options())
    check(problem, plan)
    Rewriter.insert_op(Builder(network, problem, plan).build(), InsertPoint.after(network))
    module.verify()
    return module, plan


def configured(module: ModuleOp, directory: Path) -> machine.Configuration:
    """The configuration of a clustered program."""
    passes = [
        ClusterPlace(algorithm="row-major"),
        ClusterRoute(),
        ConvertClusterToDataflow(activity="worst"),
        DataflowSchedule(),
        DataflowAnalyzeThroughput(slack=False),
        ConvertDataflowToCrossbar(),
    ]
    directory.mkdir()
    emit(run_passes(module, *passes), directory)
    return machine.load(directory)


def stride_and_padding(m: Maker) -> None:
    m.population("h", m.conv(m.spikes("x", 2, 7, 6), 4, stride=(2, 3), padding=((1, 0), (2, 1)), bias=m.bias(4)))


def dilation(m: Maker) -> None:
    m.population("h", m.conv(m.spikes("x", 2, 8, 8), 2, dilation=(2, 3), padding=((0, 2), (0, 2))))


def groups(m: Maker) -> None:
    m.population("h", m.conv(m.spikes("x", 4, 5, 5), 6, groups=2, padding=PADDED))


def depthwise(m: Maker) -> None:
    first = m.population("h", m.conv(m.spikes("x", 6, 7, 7), 12, groups=6, padding=PADDED))
    m.population("o", m.conv(first, 4, 1))


def conv1d(m: Maker) -> None:
    m.population("h", m.conv(m.spikes("x", 3, 12), 4, 3, stride=(2,), padding=((2,), (0,)), bias=m.bias(4)))


def pools(m: Maker) -> None:
    """Pools with neurons of their own."""
    x = m.spikes("x", 2, 9, 9)
    a = m.population("a", m.add(SumPoolOp(x, (3, 3), (2, 2), PADDED)), threshold=2.0)
    m.population("b", m.add(AvgPoolOp(a, (2, 2))), threshold=0.5)


def partial_sums(m: Maker) -> None:
    """Kernels of 72 and 54 rows on crossbars of 32."""
    first = m.population("h", m.conv(m.spikes("x", 8, 6, 6), 6, padding=PADDED, bias=m.bias(6)))
    m.population("o", m.conv(first, 20, padding=PADDED), threshold=2.0)


def one_channel_is_too_high(m: Maker) -> None:
    m.population("h", m.conv(m.spikes("x", 2, 9, 9), 3, 6, padding=((2, 5), (3, 1)), stride=(2, 1)))


def scale_and_bias_per_channel(m: Maker) -> None:
    scales = m.tensor(np.array([0.25, 0.5, 1.0, 0.75, 2.0]))
    m.population("h", m.conv(m.spikes("x", 3, 6, 6), 5, padding=PADDED, scale=scales, bias=m.bias(5)), threshold=2.0)


def delays(m: Maker) -> None:
    x = m.spikes("x", 2, 6, 6)
    first = m.population("a", m.conv(x, 3, padding=PADDED, delay=2))
    m.population("b", m.conv(first, 4, stride=(2, 2), delay=3))
    m.population("c", m.conv(first, 4, stride=(2, 2), delay=1))


def lif(m: Maker) -> None:
    x = m.spikes("x", 2, 6, 6)
    m.recurrent("h", (5, 6, 6), lambda _: [m.conv(x, 5, padding=PADDED)])


def cuba_lif(m: Maker) -> None:
    """Synapses with a state of their own, read before and after it is updated."""
    x = m.spikes("x", 2, 6, 6)
    constants = {"tau_syn": 0.002, "tau_mem": 0.004, "r": 4.0, "v_leak": 0.0, "threshold": 1.0, "v_reset": 0.0}
    values: dict[str, Attribute] = {key: FloatAttr(value, f64) for key, value in {**constants, "w_in": 2.0}.items()}
    values["threshold"] = m.tensor(np.random.default_rng(0).uniform(0.5, 3.0, 5 * 36))
    for order in ("syn_first", "mem_first"):
        shape = SignalType.spikes(5, 6, 6)
        m.add(NEURON_OPS["cuba_lif"](order, [m.conv(x, 5, padding=PADDED)], values, Semantics(order=order), shape))


def recurrent(m: Maker) -> None:
    """A population that reads nothing but itself, driven by its bias."""
    drive = m.tensor(np.array([0.5, 1.0, 0.25]))
    x = m.spikes("x", 3, 6, 6)
    first = m.population("a", m.conv(x, 3, padding=PADDED))
    signal = m.recurrent("h", (3, 6, 6), lambda own: [m.conv(own, 3, padding=PADDED, delay=2, bias=drive)])
    m.population("o", m.conv(first, 2), threshold=2.0)
    m.population("p", m.conv(signal, 2))


def network(m: Maker) -> None:
    """Kernels and unrolled layers: a small classifier."""
    first = m.population("a", m.conv(m.spikes("x", 2, 10, 10), 6, padding=PADDED))
    pooled = m.population("b", m.add(SumPoolOp(first, (2, 2))), threshold=2.0)
    second = m.population("c", m.conv(pooled, 8, groups=2))
    m.population("o", m.dense(m.add(FlattenOp(second)), 5))


def skip(m: Maker) -> None:
    """Two projections into one population are no kernel; those before are."""
    x = m.spikes("x", 2, 6, 6)
    first = m.population("a", m.conv(x, 3, padding=PADDED, bias=m.bias(3)))
    m.population("c", m.add(AddOp(m.conv(first, 3, padding=PADDED), first)))


NETWORKS: dict[str, Callable[[Maker], None]] = {
    make.__name__: make
    for make in (
        stride_and_padding,
        dilation,
        groups,
        depthwise,
        conv1d,
        pools,
        partial_sums,
        one_channel_is_too_high,
        scale_and_bias_per_channel,
        delays,
        lif,
        cuba_lif,
        recurrent,
        network,
        skip,
    )
}


def program(name: str) -> ModuleOp:
    maker = Maker(grid=False)
    NETWORKS[name](maker)
    return maker.module()


@pytest.mark.parametrize("platform", [target(), target(neurons=40), target(40, 24, 4096)], ids=["128", "40", "4096"])
@pytest.mark.parametrize("name", NETWORKS)
def test_spikes_are_those_of_the_program_and_in_time(
    name: str, platform: Machine, tmp_path: Path, check_guarantee: CheckGuarantee
) -> None:
    module, plan = clustered(program(name), platform)
    assert any(part.reads > 1 for parts in plan for part in parts)
    arrays = program_of(module)
    inputs = random_spikes(np.random.default_rng(7), arrays, SAMPLES, STEPS)
    expected = simulate(arrays, inputs)
    configuration = configured(module, tmp_path / "machine")
    run = machine.run(configuration, inputs)
    assert set(run.spikes) == set(arrays.populations)
    for population, spikes in run.spikes.items():
        assert np.array_equal(expected[population], spikes), population
        assert 0.01 < spikes.mean() < 0.98, (population, spikes.mean())
    check_guarantee(configuration, run.counts, SAMPLES * STEPS, f"{name}, {platform.crossbar.neurons} neurons")
    never_late(configuration, 60)


def never_late(configuration: machine.Configuration, steps: int) -> None:
    """All that the guarantee assumes, in every step: each is out in time, to the last unit."""
    promised = configuration.guarantee
    assert promised is not None
    worst = machine.simulate(configuration, machine.peak_counts(configuration, steps))
    late = [k for k, t in enumerate(worst.finish.tolist()) if t > promised.latency + k * promised.period]
    assert not late


def built(name: str, platform: Machine, directory: Path) -> machine.Configuration:
    module, _ = clustered(program(name), platform)
    return configured(module, directory / "machine")


def test_two_kernels_share_a_crossbar(tmp_path: Path) -> None:
    """`delays`: both second layers."""
    crossbars = built("delays", target(64, 16, 512), tmp_path).crossbars
    assert any(sum(part.windows is not None for part in each.slices) > 1 for each in crossbars)


def test_a_kernel_and_an_unrolled_slice_share_a_crossbar(tmp_path: Path) -> None:
    crossbars = built("network", target(), tmp_path).crossbars
    assert any(len({part.windows is None for part in each.slices}) == 2 for each in crossbars)


def test_partial_sums_are_made_by_kernels(tmp_path: Path) -> None:
    slices = built("partial_sums", target(), tmp_path).slices.values()
    assert any(part.is_partial and part.windows is not None for part in slices)


@pytest.mark.parametrize("name", ["network", "partial_sums", "delays", "recurrent"])
def test_every_level_is_text(name: str) -> None:
    """Clusters and the configured machine print and parse; `test_cluster_text` has the fast path."""
    module, _ = clustered(program(name), target())
    texts = [str(module)]
    passes = [ClusterPlace(algorithm="row-major"), ClusterRoute(), ConvertClusterToDataflow(activity="worst")]
    run_passes(module, *passes)
    texts.append(str(module))
    run_passes(module, DataflowSchedule(), DataflowAnalyzeThroughput(slack=False), ConvertDataflowToCrossbar())
    texts.append(str(module))
    assert "meets(lines = " in texts[-1]
    for text in texts:
        assert "windowed" in text
        assert str(parsed(text)) == text


def parsed(text: str) -> ModuleOp:
    context = Context()
    for dialect in (Builtin, *(make() for make in SNNIR_UNIVERSE.all_dialects.values())):
        context.load_dialect(dialect)
    module = Parser(context, text).parse_module()
    module.verify()
    return module


def test_firing_time_counts_reads(tmp_path: Path) -> None:
    """One kernel: 4 channels at 9 positions; 4 columns of 3 per converter are converted in two rounds."""

    def one(m: Maker) -> None:
        m.population("h", m.conv(m.spikes("x", 2, 5, 5), 4))

    maker = Maker(grid=False)
    one(maker)
    module, _ = clustered(maker.module(), target())
    configuration = configured(module, tmp_path / "machine")
    (part,) = configuration.slices.values()
    assert (part.reads, part.width) == (9, 36)
    timing = machine.simulate(configuration, machine.peak_counts(configuration, 3))
    expected = 9 * (TIME.read + 2 * TIME.convert) + TIME.event * 50 + 36 * (TIME.update + TIME.spike)
    assert timing.busy[part.name] == 3 * expected
    promised = configuration.guarantee
    assert promised is not None
    assert promised.period >= expected
