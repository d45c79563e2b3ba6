"""Train the two sample networks on scikit-learn's 8x8 digits and write every file in this folder.

    python samples/digits/train.py --variant feedforward
    python samples/digits/train.py --variant recurrent

``feedforward`` gives ``digits``: 64-128-10, all neurons leaky integrate-and-fire (lif). ``recurrent`` gives
``digits_recurrent``: 64-128-10 whose 128 hidden neurons have a synaptic current (cuba_lif) and see each other's spikes
one step later. Needs the optional extra ``train`` (torch, snntorch, scikit-learn); using the files needs none of it.

What a step of ``DT`` seconds computes, in this order, from v = 0, i = 0 and no earlier spikes:

    I = W s + b                                  s: the source's spikes of this step; the recurrent W takes those of
                                                 the step before and has no bias; b counts in every step
    lif       v = v + dt/tau * ((v_leak - v) + r I)
    cuba_lif  i = i + dt/tau_syn * (-i + w_in I), then v = v + dt/tau_mem * ((v_leak - v) + r i)
    spike = v > threshold, then v = v_reset where a spike was

This is the forward Euler form of NIR's LIF and CubaLIF. With r = tau / dt and w_in = tau_syn / dt a unit of current
raises the state by one, as in snnTorch with ``reset_mechanism="zero", reset_delay=False``. dt/tau is a power of two, so
that the Euler form and ``decay*v + gain*I`` differ in the last bits of a double at most.

Weights end on a grid: all weights into one neuron, over all its projections, are integers in [-127, 127] times one
power of two, the smallest that fits. Cells of 8 bits hold them exactly. Biases stay float32.

Two runs with the same arguments on the same machine write the same bytes. Another processor or another version of torch
may sum in another order during training and so end at other weights.
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np
import torch
from safetensors.numpy import save
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from snntorch import surrogate
from torch import nn

DT = 1e-3
STEPS = 25
PIXELS, HIDDEN, CLASSES = 64, 128, 10
MAX_RATE = 0.8
TARGET_RATE = 0.05
TEST_SAMPLES = 360
TEST_ENCODING_SEED = 0
LARGEST_INTEGER = 127
BATCH = 64
PLATFORM = "../platforms/mesh2x2-128.toml"

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Neuron:
    """A neuron model and its parameters (times in seconds, the rest without unit), the same for a whole population."""

    model: str
    parameters: dict[str, float]

    def text(self) -> str:
        """The model as the ``.snn`` language spells it; every number reads back as the same double."""
        return f"{self.model}({', '.join(f'{key} = {number(value)}' for key, value in self.parameters.items())})"


@dataclass(frozen=True)
class Design:
    """What is to be trained: the file name, the hidden neurons, and whether they are connected to each other."""

    name: str
    hidden: Neuron
    out: Neuron
    recurrent: bool


LIF = Neuron("lif", {"tau": 4e-3, "r": 4.0, "v_leak": 0.0, "threshold": 1.0, "v_reset": 0.0})
CUBA_LIF = Neuron(
    "cuba_lif",
    {"tau_syn": 2e-3, "tau_mem": 4e-3, "r": 4.0, "v_leak": 0.0, "threshold": 1.0, "v_reset": 0.0, "w_in": 2.0},
)
DESIGNS = {
    "feedforward": Design("digits", hidden=LIF, out=LIF, recurrent=False),
    "recurrent": Design("digits_recurrent", hidden=CUBA_LIF, out=LIF, recurrent=True),
}


def number(value: float) -> str:
    """``value`` in the shortest form that reads back as the same double, times in milliseconds as ``4e-3``."""
    text = f"{value * 1e3:g}e-3" if 0.0 < abs(value) < 0.1 else repr(value)
    return text if float(text) == value else repr(value)


# ---------------------------------------------------------------------------------------------------------------- data


def load_split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The digits as pixel values in [0, 1], split once and for all.

    Returns train pixels (1437, 64) float64, train labels (1437,), test pixels (360, 64), test labels (360,).
    """
    data = load_digits()
    train, test, train_labels, test_labels = train_test_split(
        data.data / 16.0, data.target, test_size=TEST_SAMPLES, stratify=data.target, random_state=0
    )
    return train, train_labels, test, test_labels


def encode(pixels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Rate coding: in each step pixel p spikes with probability p * MAX_RATE. (n, 64) -> (n, STEPS, 64) uint8."""
    draws = generator.random((len(pixels), STEPS, PIXELS))
    return (draws < pixels[:, None, :] * MAX_RATE).astype(np.uint8)


def batches(count: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Index sets of at most BATCH samples that cover 0..count-1 once, in random order."""
    order = generator.permutation(count)
    for start in range(0, count, BATCH):
        yield order[start : start + BATCH]


# ------------------------------------------------------------------------------------------------------------ training


def grid_scale(weights: list[torch.Tensor]) -> torch.Tensor:
    """The smallest power of two that lets every weight into a neuron be an integer of at most 127 in size.

    ``weights``: matrices (targets, sources) of all projections into the same neurons. Returns (targets, 1).
    """
    largest = torch.cat(weights, dim=1).detach().abs().amax(dim=1, keepdim=True).clamp(min=2.0**-20)
    return torch.exp2(torch.ceil(torch.log2(largest / LARGEST_INTEGER)))


def to_grid(weights: list[torch.Tensor]) -> list[torch.Tensor]:
    """Round the matrices to their common grid; the gradient passes as if nothing was rounded (straight-through)."""
    scale = grid_scale(weights)
    rounded = [torch.round(w / scale).clamp(-LARGEST_INTEGER, LARGEST_INTEGER) * scale for w in weights]
    return [w + (q - w).detach() for w, q in zip(weights, rounded, strict=True)]


class Network(nn.Module):
    """The network in torch (float32), with a surrogate gradient at the threshold; same semantics as ``simulate``."""

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.design = design
        self.on_grid = False
        self.fire = surrogate.fast_sigmoid(slope=10)
        gain = 0.25 if design.hidden.model == "cuba_lif" else 1.0
        self.hidden_weight = nn.Parameter(torch.randn(HIDDEN, PIXELS) * gain * 0.15)
        self.hidden_bias = nn.Parameter(torch.zeros(HIDDEN))
        self.recurrent_weight = nn.Parameter(torch.randn(HIDDEN, HIDDEN) * gain * 0.05) if design.recurrent else None
        self.out_weight = nn.Parameter(torch.randn(CLASSES, HIDDEN) * 0.15)
        self.out_bias = nn.Parameter(torch.zeros(CLASSES))

    def weights(self) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
        """Hidden, recurrent (or None) and out weights as they act now: as trained, or rounded to the grid."""
        into_hidden = [w for w in (self.hidden_weight, self.recurrent_weight) if w is not None]
        into_out = [self.out_weight]
        if self.on_grid:
            into_hidden, into_out = to_grid(into_hidden), to_grid(into_out)
        return into_hidden[0], into_hidden[1] if len(into_hidden) > 1 else None, into_out[0]

    def update(self, neuron: Neuron, state: list[torch.Tensor], current: torch.Tensor) -> torch.Tensor:
        """One step of a population, (n, size); ``state`` = [v] or [v, i] is replaced. Returns its spikes."""
        p = neuron.parameters
        if neuron.model == "cuba_lif":
            state[1] = state[1] + DT / p["tau_syn"] * (-state[1] + p["w_in"] * current)
            current = state[1]
        tau = p["tau_mem"] if neuron.model == "cuba_lif" else p["tau"]
        v = state[0] + DT / tau * ((p["v_leak"] - state[0]) + p["r"] * current)
        spikes = self.fire(v - p["threshold"])
        # No gradient through the reset: the accuracy is the same with it, and the backward pass is longer.
        state[0] = torch.where(spikes.detach() > 0, torch.full_like(v, p["v_reset"]), v)
        return spikes

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Spikes of pixels (n, STEPS, 64) float32 -> hidden (n, STEPS, 128) and out (n, STEPS, 10)."""
        hidden_weight, recurrent_weight, out_weight = self.weights()
        drive = pixels @ hidden_weight.T + self.hidden_bias
        hidden_state = [torch.zeros(len(pixels), HIDDEN) for _ in range(2)]
        out_state = [torch.zeros(len(pixels), CLASSES) for _ in range(2)]
        spikes = torch.zeros(len(pixels), HIDDEN)
        hidden: list[torch.Tensor] = []
        out: list[torch.Tensor] = []
        for step in range(STEPS):
            current = drive[:, step]
            if recurrent_weight is not None:
                current = current + spikes @ recurrent_weight.T
            spikes = self.update(self.design.hidden, hidden_state, current)
            hidden.append(spikes)
            out.append(self.update(self.design.out, out_state, spikes @ out_weight.T + self.out_bias))
        return torch.stack(hidden, dim=1), torch.stack(out, dim=1)

    def arrays(self) -> Arrays:
        """The tensors as they act now, under the names of the shipped files, float32, (targets, sources)."""
        hidden_weight, recurrent_weight, out_weight = self.weights()
        tensors = {
            "fc_hidden.weight": hidden_weight,
            "fc_hidden.bias": self.hidden_bias,
            "fc_out.weight": out_weight,
            "fc_out.bias": self.out_bias,
        }
        if recurrent_weight is not None:
            tensors["rec_hidden.weight"] = recurrent_weight
        return {key: np.ascontiguousarray(value.detach().numpy()) for key, value in tensors.items()}


def train(network: Network, pixels: np.ndarray, labels: np.ndarray, *, epochs: int, rate: float, seed: int) -> None:
    """Train in place on fresh spikes every epoch; the learning rate falls from ``rate`` to 0 as a half cosine.

    The loss is the cross entropy of the output spike counts plus a pull of each hidden neuron to TARGET_RATE: busy
    neurons are traffic on the machine, silent ones are columns for nothing.
    """
    generator = np.random.default_rng(seed)
    targets = torch.from_numpy(labels.astype(np.int64))
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=1e-3)
    per_epoch = math.ceil(len(pixels) / BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * per_epoch)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(epochs):
        spikes = torch.from_numpy(encode(pixels, generator)).float()
        total = 0.0
        for batch in batches(len(pixels), generator):
            hidden, out = network(spikes[batch])
            unbalanced = (hidden.mean(dim=(0, 1)) - TARGET_RATE).square().mean()
            loss = criterion(0.5 * out.sum(dim=1), targets[batch]) + 20.0 * unbalanced
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        if (epoch + 1) % 10 == 0 or epoch + 1 == epochs:
            print(f"  epoch {epoch + 1:3d}: loss {total / len(pixels):.4f}", flush=True)


# -------------------------------------------------------------------------------------------- the independent simulator


def step_neuron(neuron: Neuron, state: Arrays, current: np.ndarray) -> np.ndarray:
    """One step of a population in float64; changes ``state`` ("v", "i") and returns the spikes as bool."""
    p = neuron.parameters
    if neuron.model == "cuba_lif":
        state["i"] = state["i"] + DT / p["tau_syn"] * (-state["i"] + p["w_in"] * current)
        state["v"] = state["v"] + DT / p["tau_mem"] * ((p["v_leak"] - state["v"]) + p["r"] * state["i"])
    else:
        state["v"] = state["v"] + DT / p["tau"] * ((p["v_leak"] - state["v"]) + p["r"] * current)
    spikes = state["v"] > p["threshold"]
    state["v"][spikes] = p["v_reset"]
    return spikes


def simulate(design: Design, arrays: Arrays, pixels: np.ndarray) -> Arrays:
    """The network in numpy, float64: the reference for what the shipped files mean.

    ``pixels``: (n, STEPS, 64) of 0 and 1. Returns "hidden" (n, STEPS, 128) and "out" (n, STEPS, 10), bool. Weights on
    the grid sum exactly in any order, so that each current is rounded once, where the bias is added.
    """
    samples = len(pixels)
    tensors = {key: value.astype(np.float64) for key, value in arrays.items()}
    states = {size: {"v": np.zeros((samples, size)), "i": np.zeros((samples, size))} for size in (HIDDEN, CLASSES)}
    hidden = np.zeros((samples, STEPS, HIDDEN), dtype=bool)
    out = np.zeros((samples, STEPS, CLASSES), dtype=bool)
    for step in range(STEPS):
        charge = pixels[:, step].astype(np.float64) @ tensors["fc_hidden.weight"].T
        if design.recurrent and step > 0:
            charge = charge + hidden[:, step - 1].astype(np.float64) @ tensors["rec_hidden.weight"].T
        hidden[:, step] = step_neuron(design.hidden, states[HIDDEN], charge + tensors["fc_hidden.bias"])
        charge = hidden[:, step].astype(np.float64) @ tensors["fc_out.weight"].T
        out[:, step] = step_neuron(design.out, states[CLASSES], charge + tensors["fc_out.bias"])
    return {"hidden": hidden, "out": out}


def accuracy(out: np.ndarray, labels: np.ndarray) -> float:
    """Share of samples whose most active output neuron (the first, if several are) is the label; out (n, STEPS, 10)."""
    return float(np.mean(out.sum(axis=1).argmax(axis=1) == labels))


def check_grid(design: Design, arrays: Arrays) -> None:
    """Raise ValueError unless every neuron's weights are integers of at most 127 in size times one power of two."""
    projections = [["fc_hidden.weight", "rec_hidden.weight"] if design.recurrent else ["fc_hidden.weight"]]
    for keys in [*projections, ["fc_out.weight"]]:
        weights = np.concatenate([arrays[key] for key in keys], axis=1).astype(np.float64)
        largest = np.abs(weights).max(axis=1, keepdims=True)
        mantissa, exponent = np.frexp(np.where(largest > 0, largest, 1.0) / LARGEST_INTEGER)
        integers = weights / np.ldexp(1.0, np.where(mantissa == 0.5, exponent - 1, exponent))
        if not np.array_equal(integers, np.rint(integers)):
            raise ValueError(f"{' and '.join(keys)}: not integers in [-127, 127] times a power of two")


# --------------------------------------------------------------------------------------------------------------- files


def snn_text(design: Design, correct: float) -> str:
    """The network as a program in the ``.snn`` language."""
    percent = f"{100 * correct:.1f}"
    hidden = f"{HIDDEN} {design.hidden.model} neurons" + (", recurrent" if design.recurrent else "")
    recurrent = '  hidden -> hidden : dense(weights = "rec_hidden.weight", delay = 1)\n' if design.recurrent else ""
    return (
        f"# An SNN trained on scikit-learn's 8x8 digits by train.py: {percent} % of {TEST_SAMPLES} held-out digits.\n"
        f"# Hidden layer: {hidden}. Weights are integers of 8 bits times a power of two per neuron.\n"
        f"network {design.name} {{\n"
        f"  dt = {number(DT)}\n"
        f"  steps = {STEPS}\n"
        f'  platform = "{PLATFORM}"\n'
        f'  weights = "{design.name}.safetensors"\n'
        "\n"
        f"  input pixels[{PIXELS}]\n"
        f"  population hidden[{HIDDEN}] : {design.hidden.text()} using nir\n"
        f"  population out[{CLASSES}] : {design.out.text()} using nir\n"
        "\n"
        '  pixels -> hidden : dense(weights = "fc_hidden.weight", bias = "fc_hidden.bias")\n'
        f"{recurrent}"
        '  hidden -> out : dense(weights = "fc_out.weight", bias = "fc_out.bias")\n'
        "  output label = out\n"
        "}\n"
    )


def nir_node(neuron: Neuron, size: int) -> Any:
    """The neuron as a NIR node: one float64 array of equal values for each parameter."""
    kind = {"lif": nir.LIF, "cuba_lif": nir.CubaLIF}[neuron.model]
    renamed = {"v_threshold" if key == "threshold" else key: value for key, value in neuron.parameters.items()}
    return kind(**{key: np.full(size, value, dtype=np.float64) for key, value in renamed.items()})


def nir_graph(design: Design, arrays: Arrays) -> nir.NIRGraph:
    """The network as a NIR graph. NIR has no word for dt or the delay of the recurrent edge: DT, and one step."""
    nodes: dict[str, Any] = {
        "pixels": nir.Input(input_type={"input": np.array([PIXELS])}),
        "fc_hidden": nir.Affine(weight=arrays["fc_hidden.weight"], bias=arrays["fc_hidden.bias"]),
        "hidden": nir_node(design.hidden, HIDDEN),
        "fc_out": nir.Affine(weight=arrays["fc_out.weight"], bias=arrays["fc_out.bias"]),
        "out": nir_node(design.out, CLASSES),
        "label": nir.Output(output_type={"output": np.array([CLASSES])}),
    }
    names = ["pixels", "fc_hidden", "hidden", "fc_out", "out", "label"]
    edges = list(pairwise(names))
    if design.recurrent:
        nodes["rec_hidden"] = nir.Linear(weight=arrays["rec_hidden.weight"])
        edges += [("hidden", "rec_hidden"), ("rec_hidden", "hidden")]
    return nir.NIRGraph(nodes=nodes, edges=edges)


def write_files(
    directory: Path, design: Design, arrays: Arrays, *, test: np.ndarray, labels: np.ndarray, spikes: Arrays
) -> None:
    """Write the network (.snn, .safetensors, .nir), the test spikes and the recorded reference.

    ``directory`` exists; files of the same names in it are replaced.

    ``spikes``: "hidden" and "out", bool (n, STEPS, size); stored packed, eight neurons in a byte (np.packbits).
    """
    (directory / f"{design.name}.safetensors").write_bytes(save(arrays))
    (directory / f"{design.name}.snn").write_text(snn_text(design, accuracy(spikes["out"], labels)), encoding="utf-8")
    nir.write(directory / f"{design.name}.nir", nir_graph(design, arrays))
    np.savez_compressed(directory / "test_spikes.npz", pixels=test, labels=labels.astype(np.uint8))
    packed = {key: np.packbits(value, axis=-1) for key, value in spikes.items()}
    np.savez_compressed(directory / f"reference_{design.name}.npz", **packed)


# -------------------------------------------------------------------------------------------------------- command line


def report(name: str, pixels: np.ndarray, spikes: Arrays) -> None:
    """Print, for the inputs and each population, how many spikes a step carries and a digit needs."""
    print(f"{name}: spikes on {len(pixels)} test digits")
    for population, values in {"pixels": pixels, **spikes}.items():
        per_step = values.sum(axis=2)
        print(
            f"  {population:6s} {values.shape[2]:3d} neurons: mean {per_step.mean():.2f} and peak {per_step.max()} "
            f"a step, mean {per_step.sum(axis=1).mean():.1f} a digit"
        )


def run(variant: str, seed: int, epochs: int, directory: Path) -> None:
    """Train ``variant``, put it on the grid, measure it with the independent simulator and write its files."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)
    design = DESIGNS[variant]
    train_pixels, train_labels, test_pixels, test_labels = load_split()
    test = encode(test_pixels, np.random.default_rng(TEST_ENCODING_SEED))
    started = time.perf_counter()

    print(f"{design.name}: training, {epochs} epochs")
    network = Network(design)
    train(network, train_pixels, train_labels, epochs=epochs, rate=1e-3, seed=seed)
    as_trained = accuracy(simulate(design, network.arrays(), test)["out"], test_labels)
    network.on_grid = True
    rounded = accuracy(simulate(design, network.arrays(), test)["out"], test_labels)
    tuning = max(1, epochs // 4)
    print(f"{design.name}: fine-tuning on the grid, {tuning} epochs")
    train(network, train_pixels, train_labels, epochs=tuning, rate=2e-4, seed=seed + 1)
    seconds = time.perf_counter() - started

    arrays = network.arrays()
    check_grid(design, arrays)
    spikes = simulate(design, arrays, test)
    tuned = accuracy(spikes["out"], test_labels)
    with torch.no_grad():
        in_torch = [values.numpy() > 0 for values in network(torch.from_numpy(test).float())]
    differing = [int((a != b).sum()) for a, b in zip(in_torch, (spikes["hidden"], spikes["out"]), strict=True)]
    write_files(directory, design, arrays, test=test, labels=test_labels, spikes=spikes)

    print(f"{design.name}: {seconds:.0f} s of training")
    print(f"  accuracy as trained {as_trained:.2%}, rounded to the grid {rounded:.2%}, after fine-tuning {tuned:.2%}")
    print(f"  torch float32 and numpy float64 differ in {differing[0]} hidden and {differing[1]} out spikes")
    report(design.name, test, spikes)


def whole_number(smallest: int) -> Callable[[str], int]:
    """A reader of whole numbers of at least ``smallest`` from the command line."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < smallest:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {smallest}")
        return int(text)

    return read


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description="Train a sample network on 8x8 digits and write its files.")
    parser.add_argument("--variant", choices=sorted(DESIGNS), default="feedforward", help="default: feedforward")
    parser.add_argument(
        "--seed", type=whole_number(0), default=0, help="of the initial weights and the training spikes; default 0"
    )
    parser.add_argument(
        "--epochs", type=whole_number(1), default=60, help="before fine-tuning (a quarter more); default 60"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write; default: this one")
    arguments = parser.parse_args()
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out {arguments.out}: {error.strerror}")
    run(arguments.variant, arguments.seed, arguments.epochs, arguments.out)


if __name__ == "__main__":
    main()
