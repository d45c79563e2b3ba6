"""Accuracy against steps after `convert-ann-to-snn` on MNIST: a perceptron that is trained here, and mnist-8.

    python -m benchmarks.conversion --peer-python PATH [--data FOLDER] [--seeds 3] [--networks mnist-mlp mnist-8]

PATH is the interpreter of an environment with torch, as for `benchmarks.quantization`, whose peer trains the perceptron
(784-256-128-10; 8,000 of the 10,000 images of MNIST's test set train, 2,000 test, each seed with a split of its own).
mnist-8 is FOLDER/onnx/mnist-8_model.onnx, trained by its authors on MNIST's training set: its max pools are compared
exactly or averaged by `snn-legalize`, 1,024 images of the test set calibrate, 300 others test, and its own three
images are shown. A network is converted once and runs 32 steps; what it says after fewer is the same as if it stopped
there. Accuracy is the share of right labels, mean over the seeds; spikes are those of an inference of 16 steps.
"""

import argparse
import gzip
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from benchmarks.quantization import DATA, peer, program
from snnir.api import load
from snnir.dialects.snn import InputOp
from snnir.passes.snn.ann_to_snn import ConvertANNToSNN
from snnir.passes.snn.fold import SNNFold
from snnir.passes.snn.legalize import SNNLegalize
from snnir.passes.snn.rates import encode_inputs
from snnir.sim import chunks, simulate
from snnir.sim.entry import network_in, network_of

MILESTONES = (1, 2, 4, 8, 16, 32)
CALIBRATION, TESTED = 1024, 300
Array = NDArray[Any]

ROWS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "percentile=99": {"percentile": 99.0},
    "percentile=100": {"percentile": 100},
    "start=zero": {"start": "zero"},
    "reset=value": {"reset": "value"},
    "start=zero reset=value": {"start": "zero", "reset": "value"},
    "input=rate": {"input": "rate"},
    "input=poisson": {"input": "poisson"},
    "input=rate output=spikes": {"input": "rate", "output": "spikes"},
}
"""What is varied, one thing at a time."""


@dataclass(frozen=True)
class Outcome:
    """A converted network on test images."""

    shares: dict[int, float]
    """Accuracy by the number of steps."""
    spikes: float
    """Spikes of an inference of 16 steps, of all populations."""
    labels: Array
    """What it says of each image after the last step."""


def converted(module: ModuleOp, calibration: Path, options: dict[str, Any]) -> ModuleOp:
    """A spiking copy."""
    copy = module.clone()
    ConvertANNToSNN(data=str(calibration), steps=MILESTONES[-1], **options).apply(Context(), copy)
    copy.verify()
    return copy


def outcome(module: ModuleOp, x: Array, labels: Array) -> Outcome:
    """A converted network on images (samples, lines)."""
    network = network_in(module, "benchmark")
    arrays = network_of(network)
    (name,) = (name for name, op in network.sources.items() if isinstance(op, InputOp))
    (output,) = arrays.outputs.values()
    firing = [each for each, op in network.sources.items() if op.emits_spikes and each != name]
    inputs = encode_inputs(network, {name: x[:, None]}, MILESTONES[-1])
    said, spikes = np.zeros((len(x), MILESTONES[-1]), np.int64), 0.0
    for first, part in chunks(arrays, inputs, record=sorted({output, *firing})):
        scores = part[output]
        if output in firing:
            scores = np.cumsum(scores, axis=1, dtype=np.int64)
        said[first : first + len(scores)] = scores.argmax(axis=2)
        spikes += sum(float(part[each][:, :16].sum()) for each in firing)
    shares = {t: float((said[:, t - 1] == labels).mean()) for t in MILESTONES}
    return Outcome(shares, spikes / len(x), said[:, -1])


def exact_share(module: ModuleOp, x: Array, labels: Array) -> float:
    """The accuracy of the ordinary network."""
    arrays = network_of(network_in(module, "benchmark"))
    ((name, _),) = arrays.inputs.items()
    (output,) = arrays.outputs.values()
    found = simulate(arrays, {name: x[:, None]}, record=[output])[output]
    return float((found[:, 0].argmax(axis=1) == labels).mean())


def perceptron(options: argparse.Namespace, folder: str) -> None:
    """The table of the perceptron."""
    seeds = range(options.seeds)
    peer(options.peer_python, "train", "mnist-mlp", folder, options.data / "mnist", *seeds)
    exact, rows = list[float](), {title: list[Outcome]() for title in ROWS}
    for seed in seeds:
        with np.load(Path(folder) / f"{seed}.npz") as file:
            arrays = dict(file)
        module, calibration = program("mnist-mlp", arrays), Path(folder) / "calibration.npz"
        np.savez(calibration, x=arrays["x"][:CALIBRATION, None].astype(np.float32))
        x, labels = arrays["xt"].astype(np.float32), arrays["yt"]
        exact.append(exact_share(module, x, labels))
        for title, each in ROWS.items():
            rows[title].append(outcome(converted(module, calibration, each), x, labels))
    _print_table(f"mnist-mlp, {options.seeds} seeds: {100 * np.mean(exact):.2f} %", rows)


def mnist(folder: Path) -> tuple[Array, Array]:
    """The test set: images (10000, 784) from 0 to 255, labels."""
    with gzip.open(folder / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 784).astype(np.float32)
    with gzip.open(folder / "t10k-labels-idx1-ubyte.gz") as file:
        return images, np.frombuffer(file.read()[8:], np.uint8).astype(np.int64)


def zoo(options: argparse.Namespace, folder: str) -> None:
    """The tables of mnist-8, and the labels of its own images."""
    images, labels = mnist(options.data / "mnist")
    tested, digits = slice(CALIBRATION, CALIBRATION + TESTED), list[Array]()
    original = load(options.data / "onnx" / "mnist-8_model.onnx").module
    x, own, given = images[tested], *own_images(options.data / "onnx")
    calibration = Path(folder) / "mnist8.npz"
    np.savez(calibration, Input3=images[:CALIBRATION, None].reshape(-1, 1, 1, 28, 28))
    for way in ("exact", "avg"):
        module = original.clone()
        SNNFold().apply(Context(), module)
        SNNLegalize(models=("relu", "clip"), max_pool=way, data=str(calibration), samples=256).apply(Context(), module)
        rows = dict[str, list[Outcome]]()
        for title in ("defaults", "percentile=99", "input=rate output=spikes"):
            network = converted(module, calibration, ROWS[title])
            rows[title] = [outcome(network, x, labels[tested])]
            digits.append(outcome(network, own, given).labels)
        share, after = (exact_share(each, x, labels[tested]) for each in (original, module))
        _print_table(f"mnist-8, max_pool={way}: {100 * share:.2f} %, legalised {100 * after:.2f} %", rows)
    print(f"its own digits {given.tolist()}, after conversion {[each.tolist() for each in digits]}")


def own_images(folder: Path) -> tuple[Array, Array]:
    """The three images that come with mnist-8, and what it says of them."""
    import onnx  # noqa: PLC0415  (an extra)
    from onnx import numpy_helper  # noqa: PLC0415

    def stored(name: str) -> Array:
        tensor = onnx.TensorProto()
        tensor.ParseFromString((folder / name).read_bytes())
        return numpy_helper.to_array(tensor).reshape(-1)

    images = np.stack([stored(f"mnist_tds{n}_input_0.pb") for n in range(3)])
    return images, np.array([stored(f"mnist_tds{n}_output_0.pb").argmax() for n in range(3)])


def _print_table(title: str, rows: dict[str, list[Outcome]]) -> None:
    print(f"\n{title} before conversion\n")
    print("| steps | " + " | ".join(map(str, MILESTONES)) + " | spikes |")
    print("|---|" + "--:|" * (len(MILESTONES) + 1))
    for name, found in rows.items():
        shares = [f"{100 * np.mean([each.shares[t] for each in found]):.2f}" for t in MILESTONES]
        print(f"| {name} | {' | '.join(shares)} | {np.mean([each.spikes for each in found]):,.0f} |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", default=["mnist-mlp", "mnist-8"], choices=["mnist-mlp", "mnist-8"])
    options = parser.parse_args()
    for name in options.networks:
        with TemporaryDirectory() as folder:
            (perceptron if name == "mnist-mlp" else zoo)(options, folder)


if __name__ == "__main__":
    main()
