"""Accuracy after `snn-code-signals` and `snn-tune-weights`, and their time beside torch's, on real digits.

    OPENBLAS_NUM_THREADS=1 python -m benchmarks.quantization --peer-python PATH [--data FOLDER] [--networks ...]

PATH is the interpreter of an environment with torch, scikit-learn and scipy, which this one does not need:

    python3 -m venv peers && peers/bin/pip install torch==2.13.0 scikit-learn==1.9.1

The networks are trained there, each seed with a split and weights of its own: digits-mlp (64-64-32-10) and digits-cnn
(8 and 16 channels, average pools, dense) on scikit-learn's 1,797 digits, mnist-mlp (784-256-128-10) on the 10,000
images of MNIST's test set (FOLDER/mnist, or `SNNIR_DATA`), all split 4 : 1. Then the trained network, as a program, is
coded (6 bits) and tuned (8, 4, 3, 2 bits) on 1,024 unlabelled training images and run by the simulator on the test
images. Beside it, in the same run: rounding to nearest alone, straight-through tuning layer by layer
(`snnir.train.ste`, 200 steps of Adam on the same 1,024 images), and retraining, all epochs again with labels and
rounding in the forward pass.
`loss` is accuracy before less accuracy after, in points, mean over the seeds with the 95 % interval of the mean
(Student's t). Seconds are of one processor (`process_time`, one thread everywhere), medians over the seeds; ratios are
of the same seed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, ModuleOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.passes import ModulePass

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import (
    AvgPoolOp,
    ClipOp,
    Conv2dOp,
    DenseOp,
    FlattenOp,
    InputOp,
    NetworkOp,
    OutputOp,
    ReluOp,
)
from snnir.passes.snn.code_signals import SNNCodeSignals
from snnir.passes.snn.quantize import SNNQuantize
from snnir.passes.snn.tune_weights import SNNTuneWeights
from snnir.sim import simulate
from snnir.sim.entry import network_in, network_of

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SNNIR_DATA", ROOT.parent / "shared" / "data"))
PEERS = Path(__file__).parent / "peers" / "quantization_peers.py"
NETWORKS = ("digits-mlp", "digits-cnn", "mnist-mlp")
SIGNAL_BITS, STE_STEPS, CALIBRATION = 6, 200, 1024
TARGETS = {8: 0.3, 4: 0.5, 3: 1.0, 2: 2.0}
WIDE = 1e4
Array = NDArray[Any]


def program(network: str, file: "dict[str, Array]") -> ModuleOp:
    """A trained network as a program."""
    image = network == "digits-cnn"
    x = InputOp("x", SignalType.current(1, 8, 8) if image else SignalType.current(file["x"].shape[1]))
    ops: list[Operation] = [x]
    value: SSAValue = x.signal
    layers = sum(key.startswith("w") for key in file)
    for n in range(layers):
        weights, bias = (TensorAttr.of(f"{kind}{n}", file[f"{kind}{n}"]) for kind in ("w", "b"))
        if file[f"w{n}"].ndim == 4:
            if n:
                ops.append(AvgPoolOp(value, (2, 2)))
                value = ops[-1].results[0]
            ops.append(Conv2dOp(value, weights, padding=((1, 1), (1, 1)), bias=bias))
        else:
            if image:
                ops.append(FlattenOp(value))
                value = ops[-1].results[0]
            ops.append(DenseOp(value, weights, SignalType.current(len(file[f"b{n}"])), bias=bias))
        current, type_ = ops[-1], ops[-1].results[0].type
        assert isinstance(type_, SignalType)
        limits = {"low": FloatAttr(-WIDE, 64), "high": FloatAttr(WIDE, 64)}
        last = n == layers - 1
        ops.append(ClipOp("scores", [current], type_, limits) if last else ReluOp(f"hidden{n}", [current], type_))
        value = ops[-1].results[0]
    ops.append(OutputOp("label", value))
    return ModuleOp([NetworkOp(network.replace("-", "_"), 1e-3, 1, Region(Block(ops)))])


def accuracy(module: ModuleOp, x: Array, y: Array) -> float:
    """The share of right labels."""
    found = simulate(network_of(network_in(module, "benchmark")), {"x": x[:, None]}, record=["scores"])["scores"]
    return float((found[:, 0].argmax(axis=1) == y).mean())


def transformed(module: ModuleOp, *passes: ModulePass) -> tuple[ModuleOp, float]:
    """A copy after some passes, and processor seconds."""
    copy = module.clone()
    start = time.process_time()
    for each in passes:
        each.apply(Context(), copy)
    seconds = time.process_time() - start
    copy.verify()
    return copy, seconds


def peer(python: str, *arguments: object) -> list[dict[str, float]]:
    """What the peers print, a dictionary for each line."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [python, str(PEERS), *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return [json.loads(line) for line in done.stdout.splitlines()]


def interval(values: Sequence[float]) -> str:
    """Mean and half the width of its 95 % interval."""
    mean = statistics.mean(values)
    if len(values) < 2:
        return f"{mean:.2f}"
    half = student.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return f"{mean:.2f} ± {half:.2f}"


def row(python: str, network: str, bits: int, folder: Path, seeds: Sequence[int], peers: Sequence[int]) -> str:
    """One line of the table."""
    losses: list[float] = []
    nearest: list[float] = []
    seconds: dict[int, float] = {}
    before: dict[int, float] = {}
    for seed in seeds:
        file = dict(np.load(folder / f"{seed}.npz"))
        data = folder / "calibration.npz"
        np.savez(data, x=file["x"][:CALIBRATION, None].astype(np.float32))
        module = program(network, file)
        before[seed] = accuracy(module, file["xt"], file["yt"])
        code = SNNCodeSignals(data=str(data), bits=SIGNAL_BITS)
        tuned, seconds[seed] = transformed(module, code, SNNTuneWeights(data=str(data), bits=bits))
        losses.append(100 * (before[seed] - accuracy(tuned, file["xt"], file["yt"])))
        plain, _ = transformed(module, SNNCodeSignals(data=str(data), bits=SIGNAL_BITS), SNNQuantize(bits=bits))
        nearest.append(100 * (before[seed] - accuracy(plain, file["xt"], file["yt"])))
    found = {int(line["seed"]): line for line in peer(python, "peers", network, folder, bits, STE_STEPS, *peers)}
    ste = [100 * (before[seed] - line["ste"]) for seed, line in found.items()]
    again = [100 * (before[seed] - line["retrained"]) for seed, line in found.items()]
    ratios = [
        statistics.median(line[key] / seconds[seed] for seed, line in found.items())
        for key in ("ste seconds", "retrain seconds")
    ]
    cells = [
        network,
        bits,
        f"{100 * statistics.mean(before.values()):.2f}",
        interval(losses),
        f"{TARGETS[bits]:.1f}",
        interval(nearest),
        interval(ste),
        interval(again),
        f"{statistics.median(seconds.values()):.2f}",
        f"{ratios[0]:.1f}x",
        f"{ratios[1]:.1f}x",
    ]
    return f"| {' | '.join(map(str, cells))} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, a line at a time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--bits", nargs="+", type=int, choices=list(TARGETS), default=list(TARGETS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--peer-seeds", type=int, default=5)
    options = parser.parse_args(arguments)
    seeds = range(options.seeds)
    print("| network | bits | float % | loss | target | nearest | ste | retrained | seconds | ste | retrained |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for network in options.networks:
        with TemporaryDirectory() as name:
            peer(options.peer_python, "train", network, name, options.data / "mnist", *seeds)
            for bits in options.bits:
                print(
                    row(options.peer_python, network, bits, Path(name), seeds, seeds[: options.peer_seeds]), flush=True
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
