# pyright: basic, reportMissingImports=false
"""The peers of benchmarks/simulation.py: Norse, and the same network in batched torch. Imports nothing of snnir.

    python benchmarks/peers/simulation_peers.py MODEL.nir FOLDER

Runs in an environment of its own (`pip install torch==2.13.0 norse==1.1.0 nirtorch==2.6 nir==1.0.8`). FOLDER holds
`input.npy`, event counts (samples, steps, 2, 34, 34), and `golden.npy`, the recorded spikes (samples, steps, 10) of the
first samples. The first line of the answer, JSON, says who answers and how many output spikes of each peer differ from
the recording. Then each line of the input, `norse N` or `torch N`, is answered by the seconds that the first N samples
took, of the clock and of all processors together, and the spikes per sample and output neuron.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nir
import norse
import numpy as np
import torch
from torch.nn import functional

THREADS = 2
CHUNK = 10
"""Steps that share one call of a convolution: more leave the cache, fewer cost more calls."""


class Norse:
    """The file as Norse's users load it: one sample at a time, for a larger batch it cannot flatten."""

    def __init__(self, model: str, probe: torch.Tensor) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.module = norse.torch.from_nir(nir.read(model)).eval()
        self.run(probe[:, :30])
        self.threads = min((1, THREADS), key=lambda threads: self.seconds(threads, probe))

    def seconds(self, threads: int, probe: torch.Tensor) -> float:
        """How long a sample takes with so many threads: two are not always better for one sample."""
        torch.set_num_threads(threads)
        start = time.perf_counter()
        self.run(probe)
        return time.perf_counter() - start

    def run(self, samples: torch.Tensor) -> torch.Tensor:
        """Output spikes (samples, steps, neurons) of (samples, steps, 2, 34, 34)."""
        torch.set_num_threads(getattr(self, "threads", THREADS))
        result = []
        with torch.inference_mode():
            for sample in samples:
                state, spikes = None, []
                for events in sample.float():
                    out, state = self.module(events[None], state)
                    spikes.append(out.flatten())
                result.append(torch.stack(spikes))
        return torch.stack(result)


class Batched:
    """All samples and `CHUNK` steps at once through each layer; only membranes go step by step, in place."""

    def __init__(self, model: str) -> None:
        nodes: dict[str, Any] = dict(nir.read(model).nodes)
        parameters = {name: node for name, node in nodes.items() if hasattr(node, "weight")}
        self.weights = {name: self.tensor(node.weight) for name, node in parameters.items()}
        self.biases = {name: self.tensor(node.bias) for name, node in parameters.items()}
        self.strides = {name: tuple(map(int, node.stride)) for name, node in nodes.items() if hasattr(node, "stride")}
        self.padding = {name: tuple(map(int, node.padding)) for name, node in nodes.items() if hasattr(node, "padding")}
        thresholds = {float(t) for node in nodes.values() if isinstance(node, nir.IF) for t in node.v_threshold.flat}
        gains = {float(r) for node in nodes.values() if isinstance(node, nir.IF) for r in node.r.flat}
        assert gains == {1.0}
        (self.threshold,) = thresholds

    @staticmethod
    def tensor(array: np.ndarray) -> torch.Tensor:
        """Weights; those of convolutions with channels last, which is the faster order here."""
        tensor = torch.from_numpy(np.asarray(array, np.float32))
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor

    def run(self, samples: torch.Tensor) -> torch.Tensor:
        """Output spikes (samples, steps, neurons) of (samples, steps, 2, 34, 34)."""
        torch.set_num_threads(THREADS)
        steps = samples.transpose(0, 1)
        self.membranes: dict[str, torch.Tensor] = {}
        with torch.inference_mode():
            spikes = [self.chunk(steps[start : start + CHUNK]) for start in range(0, len(steps), CHUNK)]
        return torch.cat(spikes).transpose(0, 1)

    def chunk(self, events: torch.Tensor) -> torch.Tensor:
        """Some steps through all layers: (steps, samples, ...) to (steps, samples, neurons)."""
        self.shape = events.shape[:2]
        x = events.flatten(0, 1).float().contiguous(memory_format=torch.channels_last)
        x = self.fire("1", self.convolve("0", x))
        x = self.fire("3", self.convolve("2", x))
        x = functional.avg_pool2d(x, 2, divisor_override=1)
        x = self.fire("6", self.convolve("5", x))
        x = functional.avg_pool2d(x, 2, divisor_override=1).flatten(1)
        x = self.fire("10", functional.linear(x, self.weights["9"], self.biases["9"]))
        x = self.fire("12", functional.linear(x, self.weights["11"], self.biases["11"]))
        return x.unflatten(0, self.shape)

    def convolve(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """A convolution of the file."""
        strides, padding = self.strides[name], self.padding[name]
        return functional.conv2d(x, self.weights[name], self.biases[name], strides, padding)

    def fire(self, name: str, currents: torch.Tensor) -> torch.Tensor:
        """Integrate-and-fire neurons with reset to zero; the currents become the spikes, in place."""
        steps = currents.unflatten(0, self.shape)
        v = self.membranes.setdefault(name, torch.zeros_like(steps[0]))
        for step in steps:
            v += step
            torch.gt(v, self.threshold, out=step)
            v.addcmul_(v, step, value=-1)
        return currents


def mismatches(run: Callable[[torch.Tensor], torch.Tensor], samples: torch.Tensor, golden: np.ndarray) -> int:
    """Output spikes that differ from the recording."""
    return int((run(samples[: len(golden)]).numpy() != golden).sum())


def main() -> None:
    """Check both peers, then time them as asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="cnn_sinabs.nir")
    parser.add_argument("folder", type=Path, help="where input.npy and golden.npy are")
    arguments = parser.parse_args()
    torch.set_num_interop_threads(1)
    samples = torch.from_numpy(np.load(arguments.folder / "input.npy"))
    golden = np.load(arguments.folder / "golden.npy")
    single, batched = Norse(arguments.model, samples[:1]), Batched(arguments.model)
    runs = {"norse": single.run, "torch": batched.run}
    about = {
        "norse": f"Norse {version('norse')}, {single.threads} thread" + ("s" if single.threads > 1 else ""),
        "torch": f"torch {version('torch')}, {THREADS} threads",
        "mismatches": {name: mismatches(run, samples, golden) for name, run in runs.items()},
    }
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        name, count = line.split()
        chosen = samples[: int(count)]
        start = time.perf_counter(), time.process_time()
        spikes = runs[name](chosen)
        took = {"seconds": time.perf_counter() - start[0], "processor": time.process_time() - start[1]}
        print(json.dumps({**took, "counts": spikes.sum(1).int().tolist()}), flush=True)


if __name__ == "__main__":
    main()
