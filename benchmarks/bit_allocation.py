"""Bits that `snn-tune-weights{budget=...}` gives to each layer, and what they cost, beside the same bits everywhere.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.bit_allocation --peer-python PATH [--data FOLDER] [--networks ...]

The networks, the data and PATH are those of `benchmarks.quantization`. `bits of a weight` is the mean over all weights
of a network; `reached` the signal-to-noise ratio that the pass reports for the outputs on the calibration data; `loss`
the accuracy before less the accuracy after, in points, on the test data. Means over the seeds; losses with the 95 %
interval of the mean.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from xdsl.dialects.builtin import ModuleOp

from benchmarks.quantization import (
    CALIBRATION,
    DATA,
    NETWORKS,
    SIGNAL_BITS,
    accuracy,
    interval,
    peer,
    program,
    transformed,
)
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import WeightedOp
from snnir.passes.snn.code_signals import SNNCodeSignals
from snnir.passes.snn.tune_weights import SNNTuneWeights
from snnir.sim.entry import network_in

MOST = 8


def layers(module: ModuleOp) -> tuple[list[int], list[int]]:
    """The bits of the weights of each layer, and how many weights it has."""
    ops = [op for op in network_in(module, "benchmark").body.block.ops if isinstance(op, WeightedOp)]
    arrays = [op.weights.array for op in ops if isinstance(op.weights, TensorAttr)]
    found = [int(np.abs(each.astype(np.int64)).max(initial=0)).bit_length() + 1 for each in arrays]
    return found, [each.size for each in arrays]


def row(network: str, folder: Path, seeds: Sequence[int], *, bits: int = MOST, budget: float | None = None) -> str:
    """One line of the table."""
    data, shown = folder / "calibration.npz", ""
    losses, means, reached = list[float](), list[float](), list[float]()
    for seed in seeds:
        file = dict(np.load(folder / f"{seed}.npz"))
        np.savez(data, x=file["x"][:CALIBRATION, None].astype(np.float32))
        module = program(network, file)
        tuning = SNNTuneWeights(data=str(data), bits=bits, budget=budget)
        tuned, _ = transformed(module, SNNCodeSignals(data=str(data), bits=SIGNAL_BITS), tuning)
        losses.append(100 * (accuracy(module, file["xt"], file["yt"]) - accuracy(tuned, file["xt"], file["yt"])))
        found, sizes = layers(tuned)
        shown = shown or ", ".join(map(str, found))
        means.append(float(np.average(found, weights=sizes)))
        reached += [value / 100 for name, value in tuning.statistics.items() if name.startswith("SQNR of the outputs")]
    cells = [
        network,
        f"{bits} bits" if budget is None else f"{budget:.0f} dB",
        f"{statistics.mean(means):.2f}",
        shown,
        f"{statistics.mean(reached):.1f}" if reached else "",
        interval(losses),
    ]
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, a line at a time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--budgets", nargs="+", type=float, default=[20.0, 25.0, 30.0, 35.0])
    parser.add_argument("--bits", nargs="+", type=int, default=[2, 3, 4])
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    seeds = range(options.seeds)
    print("| network | asked | bits of a weight | layers of seed 0 | reached, dB | loss |\n|---|---|---|---|---|---|")
    for network in options.networks:
        with TemporaryDirectory() as name:
            peer(options.peer_python, "train", network, name, options.data / "mnist", *seeds)
            for bits in options.bits:
                print(row(network, Path(name), seeds, bits=bits), flush=True)
            for budget in options.budgets:
                print(row(network, Path(name), seeds, budget=budget), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
