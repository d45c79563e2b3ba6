"""The default pipeline: a list of passes, and nothing that `snn-opt` could not do with the printed text."""

from snnir.dialects.places import place_of
from snnir.dialects.platform import Machine
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.dialects.snn_activations import ActivationOp
from snnir.errors import SnnirError

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


def is_ordinary(network: NetworkOp) -> bool:
    """Whether real values flow between the layers of a program, so that codes have to be made of them."""
    sources = network.sources.values()
    real = [op for op in sources if not op.emits_events]
    stateless = all(isinstance(op, ActivationOp) for op in sources if isinstance(op, NeuronOp))
    return any(isinstance(op, ActivationOp) for op in real) or (bool(real) and stateless)


def default_pipeline(
    machine: Machine, data: str | None, samples: int | None, activity: str, network: NetworkOp | None = None
) -> str:
    """The passes for a machine, in MLIR's spelling.

    `data` is the path of representative spikes (or values): with it the program is profiled, and `activity` says
    whether the guarantee assumes the profiled `peak` or the `worst` case, and whether delay memories are as large as
    the data take them, or as they can be. An ordinary `network` is made one of codes
    before; raises `SnnirError` where there are no data to do that with, or the machine reads spikes only.
    """
    count = f" samples={samples}" if samples is not None else ""
    path = (data or "").replace("\\", "\\\\").replace('"', '\\"')
    assumed = "worst" if data is None or activity == "worst" else "peak"
    given = f'{{data="{path}"{count}}}'
    profile = [f"snn-profile{given}"] if data is not None else []
    ordinary = network is not None and is_ordinary(network)
    passes: list[str] = []
    if network is not None and ordinary:
        _check_ordinary(network, machine, data)
        expand = ["snn-expand"] if machine.crossbar.fanin != "digital" else []
        passes = ["snn-fold", f"snn-legalize{given}", *expand]
        passes += [f"snn-code-signals{given}", f"snn-tune-weights{given}"]
    passes.append("check-platform" + ("{activity=worst}" if assumed == "worst" else ""))
    if machine.crossbar.fanin == "relay" and not ordinary:
        passes += [*profile, "snn-split-fanin"]
    if machine.crossbar.weight_bits and not ordinary:
        passes.append("snn-quantize")
    passes += profile
    options = {"convert-cluster-to-dataflow": "{activity=worst}" if activity == "worst" else ""}
    lowering = [name + options.get(name, "") for name in LOWERING]
    if machine.delays is not None:
        lowering.insert(1, "cluster-size-delays" + (given if data is not None and activity != "worst" else ""))
    passes += lowering
    return f"builtin.module({', '.join(passes)})"


def _check_ordinary(network: NetworkOp, machine: Machine, data: str | None) -> None:
    """Raise where codes cannot be made of a program's real values."""
    what = f"@{network.sym_name.data} computes with real values"
    if not machine.crossbar.signal_bits:
        message = f"{what}, and rows of '{machine.name}' take spikes only"
        hint = "make spikes of them (convert-ann-to-snn), or choose a machine with crossbar.signal_bits"
        raise SnnirError(place_of(network), message, hint)
    if data is None:
        message = f"{what}, and which codes stand for them is found with data"
        raise SnnirError(place_of(network), message, "give representative inputs: --data values.npz")
