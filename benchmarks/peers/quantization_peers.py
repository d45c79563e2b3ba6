# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportOptionalSubscript=false, reportArgumentType=false, reportOperatorIssue=false
"""Training, quantisation-aware retraining and straight-through tuning in torch, for `benchmarks.quantization`.

    python quantization_peers.py train NETWORK FOLDER SEED...
    python quantization_peers.py peers NETWORK FOLDER BITS STEPS SEED...

`train` writes FOLDER/SEED.npz: parameters, data and labels; `peers` reads these and writes a line of JSON per seed:
accuracies and processor seconds of retraining (all epochs again, from the trained network, with labels, weights and
signals rounded in the forward pass) and of tuning layer by layer (`snnir.train.ste`, without labels). One thread.
"""

import gzip
import json
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from snnir.train.ste import tuned
from snnir.tuning.rounding import clipped_scales, rounded

SIGNAL_BITS = 6
CALIBRATION = 1024
EPOCHS = {"mnist-mlp": 15, "digits-mlp": 60, "digits-cnn": 40}
BATCH = {"mnist-mlp": 128, "digits-mlp": 32, "digits-cnn": 32}


def data_of(network, seed, folder):
    """Inputs from 0 to 1 and labels, shuffled: for training, for the test."""
    if network.startswith("mnist"):
        with gzip.open(Path(folder) / "t10k-images-idx3-ubyte.gz") as file:
            x = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 784) / 255.0
        with gzip.open(Path(folder) / "t10k-labels-idx1-ubyte.gz") as file:
            y = np.frombuffer(file.read()[8:], np.uint8).astype(np.int64)
    else:
        from sklearn.datasets import load_digits  # noqa: PLC0415

        digits = load_digits()
        x, y = digits.data / 16.0, digits.target.astype(np.int64)
    order, train = np.random.default_rng(seed).permutation(len(x)), len(x) * 4 // 5
    return x[order[:train]], y[order[:train]], x[order[train:]], y[order[train:]]


def layers_of(network):
    """The weighted layers, in order."""
    if network == "digits-cnn":
        return [nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1), nn.Linear(256, 10)]
    sizes = [784, 256, 128, 10] if network == "mnist-mlp" else [64, 64, 32, 10]
    return [nn.Linear(a, b) for a, b in pairwise(sizes)]


def sums(network, number, layer, x, weight):
    """What layer `number` sums of what the one before emits."""
    if network == "digits-cnn":
        if isinstance(layer, nn.Conv2d):
            x = x.reshape(len(x), 1, 8, 8) if number == 0 else functional.avg_pool2d(x, 2)
            return functional.conv2d(x, weight, layer.bias, padding=1)
        x = x.flatten(1)
    return functional.linear(x, weight, layer.bias)


def forward(network, layers, x, bits=None, steps=None):
    """The scores; with `bits`, of weights and signals that are rounded in this pass alone."""
    for number, layer in enumerate(layers):
        if bits is not None:
            x = (
                x
                + (
                    torch.clamp(torch.floor(x / steps[number] + 0.5), 0, 2**SIGNAL_BITS - 1) * steps[number] - x
                ).detach()
            )
        weight = layer.weight
        if bits is not None:
            most = 2 ** (bits - 1) - 1
            scale = weight.detach().abs().flatten(1).amax(1).clamp_min(1e-12) * (0.7 if bits == 2 else 1.0) / most
            scale = scale.reshape(-1, *(1,) * (weight.ndim - 1))
            weight = weight + (torch.clamp(torch.round(weight / scale), -most, most) * scale - weight).detach()
        x = sums(network, number, layer, x, weight)
        if number < len(layers) - 1:
            x = torch.relu(x)
    return x


def fit(network, layers, x, y, seed, bits=None, steps=None):
    """All epochs; processor seconds."""
    start = time.process_time()
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam([p for layer in layers for p in layer.parameters()], 1e-3)
    for _ in range(EPOCHS[network]):
        for batch in torch.randperm(len(x), generator=generator).split(BATCH[network]):
            optimiser.zero_grad()
            functional.cross_entropy(forward(network, layers, x[batch], bits, steps), y[batch]).backward()
            optimiser.step()
    return time.process_time() - start


def accuracy(scores, y):
    return float((scores.argmax(1) == y).float().mean())


def train(network, folder, seeds, data):
    for seed in seeds:
        torch.manual_seed(seed)
        x, y, xt, yt = data_of(network, seed, data)
        layers = layers_of(network)
        seconds = fit(network, layers, tensor(x), torch.tensor(y), seed)
        with torch.no_grad():
            score = accuracy(forward(network, layers, tensor(xt)), torch.tensor(yt))
        arrays = {f"w{n}": layer.weight.detach().numpy() for n, layer in enumerate(layers)}
        arrays |= {f"b{n}": layer.bias.detach().numpy() for n, layer in enumerate(layers)}
        np.savez(Path(folder) / f"{seed}.npz", x=x, y=y, xt=xt, yt=yt, **arrays)
        print(json.dumps({"seed": seed, "accuracy": score, "train": seconds}), flush=True)


def restored(network, file):
    layers = layers_of(network)
    for n, layer in enumerate(layers):
        layer.weight.data, layer.bias.data = tensor(file[f"w{n}"]), tensor(file[f"b{n}"])
    return layers


def tensor(array):
    return torch.tensor(np.asarray(array, np.float32))


def steps_of(network, layers, x):
    """The step of the signal that each layer reads, from what is largest in calibration data."""
    steps = []
    with torch.no_grad():
        for number, layer in enumerate(layers):
            steps.append(float(x.max()) / (2**SIGNAL_BITS - 1))
            x = torch.relu(sums(network, number, layer, x, layer.weight))
    return steps


def straight_through(network, file, bits, count):
    """Layer by layer against the tuned layers before; the tuned layers and processor seconds."""
    start = time.process_time()
    layers, changed = restored(network, file), restored(network, file)
    x = q = tensor(file["x"][:CALIBRATION])
    steps = steps_of(network, layers, x)
    with torch.no_grad():
        for number, (layer, new) in enumerate(zip(layers, changed, strict=True)):
            q = torch.clamp(torch.floor(q / steps[number] + 0.5), 0, 2**SIGNAL_BITS - 1) * steps[number]
            wanted = sums(network, number, layer, x, layer.weight)
            inputs, outputs = q, wanted
            if isinstance(layer, nn.Conv2d):
                planes = q.reshape(len(q), 1, 8, 8) if number == 0 else functional.avg_pool2d(q, 2)
                inputs = functional.unfold(planes, 3, padding=1).permute(0, 2, 1).flatten(0, 1)
                outputs = wanted.flatten(2).permute(0, 2, 1).flatten(0, 1)
                some = np.sort(np.random.default_rng(0).permutation(len(inputs))[:8192])
                inputs, outputs = inputs[some], outputs[some]
            weights = layer.weight.numpy().astype(np.float64).reshape(len(layer.weight), -1)
            first = rounded(weights, clipped_scales(weights, bits), bits)
            with torch.enable_grad():
                found, bias = tuned(inputs.flatten(1).numpy(), outputs.numpy(), first, weights, bits, count)
            new.weight.data, new.bias.data = tensor(found.weights).reshape(layer.weight.shape), tensor(bias)
            q, x = torch.relu(sums(network, number, new, q, new.weight)), torch.relu(wanted)
    return changed, steps, time.process_time() - start


def peers(network, folder, bits, count, seeds):
    for seed in seeds:
        file = dict(np.load(Path(folder) / f"{seed}.npz"))
        xt, yt = tensor(file["xt"]), torch.tensor(file["yt"])
        changed, steps, ste_seconds = straight_through(network, file, bits, count)
        with torch.no_grad():
            ste = accuracy(_coded(network, changed, xt, steps), yt)
        layers = restored(network, file)
        seconds = fit(network, layers, tensor(file["x"]), torch.tensor(file["y"]), seed, bits, steps)
        with torch.no_grad():
            retrained = accuracy(forward(network, layers, xt, bits, steps), yt)
        line = {
            "seed": seed,
            "ste": ste,
            "ste seconds": ste_seconds,
            "retrained": retrained,
            "retrain seconds": seconds,
        }
        print(json.dumps(line), flush=True)


def _coded(network, layers, x, steps):
    """The scores of tuned weights with coded signals."""
    for number, layer in enumerate(layers):
        x = torch.clamp(torch.floor(x / steps[number] + 0.5), 0, 2**SIGNAL_BITS - 1) * steps[number]
        x = sums(network, number, layer, x, layer.weight)
        x = torch.relu(x) if number < len(layers) - 1 else x
    return x


if __name__ == "__main__":
    torch.set_num_threads(1)
    task, network, folder = sys.argv[1:4]
    if task == "train":
        train(network, folder, [int(seed) for seed in sys.argv[5:]], sys.argv[4])
    else:
        peers(network, folder, int(sys.argv[4]), int(sys.argv[5]), [int(seed) for seed in sys.argv[6:]])
