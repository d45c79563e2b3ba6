"""Clusters and time for a 784-100-10 MLP on 128x128 crossbars, beside the published clustering.

    python benchmarks/clustering.py

The peer's figures are its authors' own program (Shihao-Song/ncc_prototype and drexel-DISCO/SpiNeMap, algorithm
`min-clusters`, fan-in unrolled to 2 as in their scripts), built and run on the same network on a comparable 2-core
machine; it is not part of this repository, so it is not run again here. The bound is a count by hand: 100 columns of
784 rows need ceil(784 / 128) = 7 crossbars, and the 100x10 output layer fits none of those whole.
"""

import statistics
import time
from itertools import pairwise

import numpy as np
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.platform import ATTRIBUTE, MachineAttr, machine_from
from snnir.dialects.snn import DenseOp, InputOp, LifOp, NetworkOp, OutputOp
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.snn.split_fanin import SNNSplitFanin
from snnir.semantics import Semantics

PEER = ("authors' min-clusters, fan-in 2", 519, 7.6)
RUNS = 5


def mlp(*sizes: int) -> NetworkOp:
    """A multilayer perceptron of LIF neurons with random weights."""
    rng = np.random.default_rng(0)
    network = NetworkOp("mlp", 1e-3, 25)
    source = InputOp("pixels", SignalType.spikes(sizes[0]))
    network.body.block.add_op(source)
    signal = source.signal
    for number, (before, size) in enumerate(pairwise(sizes)):
        weights = TensorAttr.of(f"fc{number}.weight", rng.normal(size=(size, before)).astype(np.float32))
        dense = DenseOp(signal, weights, SignalType.current(size))
        values = {"tau": 5e-3, "r": 5.0, "v_leak": 0.0, "threshold": 1.0, "v_reset": 0.0}
        parameters = {name: FloatAttr(value, 64) for name, value in values.items()}
        layer = LifOp(f"layer{number}", [dense.current], parameters, Semantics(), SignalType.spikes(size))
        network.body.block.add_ops([dense, layer])
        signal = layer.signal
    network.body.block.add_op(OutputOp("label", signal))
    return network


def clusters(fanin: str) -> tuple[int, float]:
    """Clusters, and seconds from the program to verified clusters."""
    machine = machine_from(
        "128x128",
        {
            "tiles": {"mesh": [4, 4], "crossbars": 1},
            "crossbar": {"rows": 128, "columns": 128, "fanin": fanin},
            "buffers": {"events": 4096},
            "time": {"unit": "ns", "read": 10},
        },
    )
    module = ModuleOp([mlp(784, 100, 10)], {ATTRIBUTE: MachineAttr(machine)})
    conversion = ConvertSNNToCluster()
    start = time.perf_counter()
    SNNSplitFanin().apply(Context(), module)
    conversion.apply(Context(), module)
    module.verify()
    return conversion.statistics["clusters"], time.perf_counter() - start


def main() -> None:
    """Print the table."""
    print(f"{'784-100-10 on 128x128':42}{'clusters':>10}{'seconds':>12}")
    print(f"{PEER[0] + ' (quoted)':42}{PEER[1]:>10}{PEER[2]:>12.3f}")
    for name, fanin in (("snnir greedy, digital partial sums", "digital"), ("snnir greedy, relay neurons", "relay")):
        results = [clusters(fanin) for _ in range(RUNS)]
        print(f"{name:42}{results[0][0]:>10}{statistics.median(seconds for _, seconds in results):>12.3f}")


if __name__ == "__main__":
    main()
