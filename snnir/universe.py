"""Names of our dialects and passes, each bound to the module that holds it.

`snn-opt` registers this universe, and `xdsl-opt` finds it through the entry point `xdsl.universe`. Importing this
module imports no dialect and no pass: a factory does that when its name is used for the first time.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from xdsl.ir import Dialect
from xdsl.passes import ModulePass
from xdsl.universe import Universe

DIALECTS: dict[str, tuple[str, str]] = {
    "snn": ("snnir.dialects.snn", "SNN"),
    "platform": ("snnir.dialects.platform", "Platform"),
    "cluster": ("snnir.dialects.cluster", "Cluster"),
    "dataflow": ("snnir.dialects.dataflow", "Dataflow"),
    "crossbar": ("snnir.dialects.crossbar", "Crossbar"),
}
"""Dialect name -> (module, attribute of the module that is the `Dialect`)."""

PASSES: dict[str, tuple[str, str]] = {
    "check-platform": ("snnir.passes.check_platform", "CheckPlatform"),
    "cluster-metrics": ("snnir.passes.cluster.metrics", "ClusterMetrics"),
    "cluster-place": ("snnir.passes.cluster.place", "ClusterPlace"),
    "cluster-route": ("snnir.passes.cluster.route", "ClusterRoute"),
    "cluster-size-delays": ("snnir.passes.cluster.size_delays", "ClusterSizeDelays"),
    "convert-ann-to-snn": ("snnir.passes.snn.ann_to_snn", "ConvertANNToSNN"),
    "convert-cluster-to-dataflow": ("snnir.passes.dataflow.convert_cluster_to_dataflow", "ConvertClusterToDataflow"),
    "convert-dataflow-to-crossbar": ("snnir.passes.crossbar.convert_dataflow_to_crossbar", "ConvertDataflowToCrossbar"),
    "convert-snn-to-cluster": ("snnir.passes.cluster.convert_snn_to_cluster", "ConvertSNNToCluster"),
    "crossbar-map-conductances": ("snnir.passes.crossbar.map_conductances", "CrossbarMapConductances"),
    "dataflow-allocate-slices": ("snnir.passes.dataflow.allocate_slices", "DataflowAllocateSlices"),
    "dataflow-analyze-throughput": ("snnir.passes.dataflow.analyze_throughput", "DataflowAnalyzeThroughput"),
    "dataflow-bind": ("snnir.passes.dataflow.bind", "DataflowBind"),
    "dataflow-bound-transport": ("snnir.passes.dataflow.bound_transport", "DataflowBoundTransport"),
    "dataflow-schedule": ("snnir.passes.dataflow.schedule", "DataflowSchedule"),
    "dataflow-simulate": ("snnir.passes.dataflow.simulate", "DataflowSimulate"),
    "dataflow-size-buffers": ("snnir.passes.dataflow.size_buffers", "DataflowSizeBuffers"),
    "snn-code-signals": ("snnir.passes.snn.code_signals", "SNNCodeSignals"),
    "snn-expand": ("snnir.passes.snn.expand", "SNNExpand"),
    "snn-fold": ("snnir.passes.snn.fold", "SNNFold"),
    "snn-legalize": ("snnir.passes.snn.legalize", "SNNLegalize"),
    "snn-legalize-delays": ("snnir.passes.snn.legalize_delays", "SNNLegalizeDelays"),
    "snn-profile": ("snnir.passes.snn.profile", "SNNProfile"),
    "snn-prune-delays": ("snnir.passes.snn.prune_delays", "SNNPruneDelays"),
    "snn-quantize": ("snnir.passes.snn.quantize", "SNNQuantize"),
    "snn-split-fanin": ("snnir.passes.snn.split_fanin", "SNNSplitFanin"),
    "snn-tune-weights": ("snnir.passes.snn.tune_weights", "SNNTuneWeights"),
}
"""Pass name -> (module, class). The class's `name` equals the key."""


def dialect_factory(module: str, attribute: str) -> Callable[[], Dialect]:
    """A function that imports `module` and returns the `Dialect` bound to `attribute` in it.

    The function raises `ImportError` or `AttributeError` when there is none, `TypeError` when it is something else.
    """

    def load() -> Dialect:
        found: object = getattr(import_module(module), attribute)
        if not isinstance(found, Dialect):
            raise TypeError(f"{module}.{attribute} is not a dialect")
        return found

    return load


def pass_factory(module: str, attribute: str) -> Callable[[], type[ModulePass]]:
    """A function that imports `module` and returns the pass class bound to `attribute` in it.

    The function raises `ImportError` or `AttributeError` when there is none, `TypeError` when it is something else.
    """

    def load() -> type[ModulePass]:
        found: object = getattr(import_module(module), attribute)
        if not (isinstance(found, type) and issubclass(found, ModulePass)):
            raise TypeError(f"{module}.{attribute} is not a pass")
        return found

    return load


SNNIR_UNIVERSE = Universe(
    all_dialects={name: dialect_factory(*where) for name, where in DIALECTS.items()},
    all_passes={name: pass_factory(*where) for name, where in PASSES.items()},
)
