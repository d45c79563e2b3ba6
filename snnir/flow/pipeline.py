"""The default pipeline: a list of passes, and nothing that `snn-opt` could not do with the printed text."""

from snnir.dialects.platform import Machine

LOWERING = (
    "convert-snn-to-cluster",
    "cluster-place",
    "cluster-route",
    "cluster-metrics",
    "convert-cluster-to-dataflow",
    "dataflow-schedule",
    "dataflow-bound-transport",
    "dataflow-analyze-throughput",
    "convert-dataflow-to-crossbar",
)
"""From a program that fits the machine to the configured machine."""


def default_pipeline(machine: Machine, data: str | None, samples: int | None, activity: str) -> str:
    """The passes for a machine, in MLIR's spelling.

    `data` is the path of representative spikes: with it the program is profiled, and `activity` says whether the
    guarantee assumes the profiled `peak` or the `worst` case.
    """
    count = f" samples={samples}" if samples is not None else ""
    path = (data or "").replace("\\", "\\\\").replace('"', '\\"')
    assumed = "worst" if data is None or activity == "worst" else "peak"
    profile = [f'snn-profile{{data="{path}"{count}}}'] if data is not None else []
    passes = ["check-platform" + ("{activity=worst}" if assumed == "worst" else "")]
    if machine.crossbar.fanin == "relay":
        passes += [*profile, "snn-split-fanin"]
    if machine.crossbar.weight_bits:
        passes.append("snn-quantize")
    passes += profile
    options = {"convert-cluster-to-dataflow": "{activity=worst}" if activity == "worst" else ""}
    passes += [name + options.get(name, "") for name in LOWERING]
    return f"builtin.module({', '.join(passes)})"
