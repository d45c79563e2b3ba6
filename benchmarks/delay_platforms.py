"""Networks with synaptic delays on the machines `loihi` and `seneca`: size, energy and latency, beside published ones.

    python -m benchmarks.delay_platforms [--samples 20] [--spikes 8000] [--seed 0] [--networks 48-48 ...]

The four networks of arXiv 2404.10597, Table I, with their shapes, their 15 of 30 delay levels per pair of neurons (or
per axon, Ax), and random weights: what is compared is what a machine does, not what a network knows. Thresholds are set
such that hidden layers emit as many spikes per inference as Table II has for the trained networks; of the output layer
the paper does not say it, nor of the input, which takes `--spikes`. Each network is compiled and verified with `snnc`.
Columns "published" are those of Table III. For Loihi the last column has the input spikes with which the
estimate would be the published energy: constants that fit give the same for all.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import SSAValue

from benchmarks.workloads.maker import numbers, size_of
from snnir import export
from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import BundleOp, DenseOp, InputOp, LifOp, NetworkOp, OutputOp
from snnir.flow.pipeline import default_pipeline
from snnir.frontend.notes import Notes
from snnir.frontend.platform import read_platform
from snnir.machine import load
from snnir.semantics import Semantics
from snnir.sim import simulate
from snnir.sim.entry import network_of
from snnir.testing import run_in_process

CLUSTERING = "convert-snn-to-cluster"
"""On Seneca with `slices=1`: the paper gives each layer a core."""
PLATFORMS = Path(__file__).parents[1] / "samples" / "platforms"
STEPS, INPUTS, CLASSES = 64, 700, 20
LEVELS, STRIDE, KEPT = 30, 2, 15
ANSWERS = 64.0
"""Spikes of the output layer per inference, chosen: one in each step."""
WITHIN = 0.005
"""How near the spikes of a layer come to the published ones."""


@dataclass(frozen=True)
class Published:
    """A network of arXiv 2404.10597 (Tables I to III): energies in uJ, latencies in ms."""

    hidden: int
    axonal: bool
    spikes: tuple[float, float]
    """Per inference, of the two hidden layers (PyTorch); of Ax they are not given, those of 48-48 are taken."""
    loihi: tuple[float, float]
    seneca: tuple[float, float]
    queue: float
    """Energy of the delay queues of Seneca."""


NETWORKS = {
    "48-48": Published(48, False, (545.32, 534.55), (28.4, 9.1), (43.6, 4.25), 0.98),
    "32-32": Published(32, False, (400.99, 384.61), (18.3, 9.1), (29.5, 3.34), 0.77),
    "24-24": Published(24, False, (273.86, 311.19), (12.5, 9.1), (23.8, 2.81), 0.62),
    "48-48 Ax": Published(48, True, (545.32, 534.55), (25.2, 10.0), (31.4, 3.03), 0.72),
}


def bundle(rng: np.random.Generator, sources: int, targets: int, *, axonal: bool) -> NDArray[np.float32]:
    """Random weights, levels x targets x sources, of which the larger half of the levels is kept: of each pair of
    neurons, or of each source the axons with the larger norms."""
    weights = rng.standard_normal((LEVELS, targets, sources))
    size = np.abs(weights).sum(axis=1, keepdims=True) if axonal else np.abs(weights)
    order = np.argsort(np.argsort(-size, axis=0), axis=0)
    return np.where(order < KEPT, weights, 0.0).astype(np.float32)


def network(published: Published, thresholds: Sequence[float], seed: int) -> NetworkOp:
    """700 inputs, dense, two hidden layers and 20 outputs, with delays behind the hidden layers."""
    rng, hidden = np.random.default_rng(seed), published.hidden
    made = NetworkOp("delays", 0.01, STEPS)
    add = made.body.block.add_op
    source = InputOp("cochlea", SignalType.spikes(INPUTS))
    dense = TensorAttr.of("h1.weight", rng.standard_normal((hidden, INPUTS)).astype(np.float32))
    first = DenseOp(source, dense, SignalType.current(hidden))
    for op in (source, first):
        add(op)
    current: SSAValue = first.results[0]
    for name, size, threshold in zip(("h1", "h2", "out"), (hidden, hidden, CLASSES), thresholds, strict=True):
        if name != "h1":
            weights = TensorAttr.of(f"{name}.weight", bundle(rng, hidden, size, axonal=published.axonal))
            projection = BundleOp(current, weights, SignalType.current(size), stride=STRIDE)
            add(projection)
            current = projection.results[0]
        values = {"tau": 0.1, "r": 10.0, "v_leak": 0.0, "threshold": threshold, "v_reset": 0.0}
        population = LifOp(name, [current], numbers(values), Semantics(), SignalType.spikes(size))
        add(population)
        current = population.results[0]
        assert size_of(current) == size
    add(OutputOp("label", current))
    return made


def fitted(published: Published, spikes: NDArray[np.uint8], seed: int) -> NetworkOp:
    """The network whose layers emit as many spikes as published, layer after layer."""
    thresholds = [1e9, 1e9, 1e9]
    for layer, (name, wanted) in enumerate(zip(("h1", "h2", "out"), (*published.spikes, ANSWERS), strict=True)):
        low, high = 0.0, 1e4
        found = 0.0
        while high - low > 1e-6 * high and abs(found - wanted) > WITHIN * wanted:
            thresholds[layer] = (low + high) / 2
            signals = simulate(network_of(network(published, thresholds, seed)), {"cochlea": spikes}, record=[name])
            found = float(signals[name].sum()) / len(spikes)
            low, high = (thresholds[layer], high) if found > wanted else (low, thresholds[layer])
    return network(published, thresholds, seed)


def input_spikes(count: float, samples: int, seed: int) -> NDArray[np.uint8]:
    """Spikes of random channels in random steps, `count` per sample on average."""
    rng = np.random.default_rng([seed, 1])
    return (rng.random((samples, STEPS, INPUTS)) < count / (STEPS * INPUTS)).astype(np.uint8)


def snnc(*words: object) -> str:
    """What a command prints. Ends the benchmark with its error where it fails."""
    done = run_in_process(["snnc", *map(str, words)])
    if done.code:
        sys.exit(done.err or done.out)
    return done.out


def build(folder: Path, made: NetworkOp, spikes: NDArray[np.uint8], platform: str) -> dict[str, Any]:
    """Compile and verify a network; the summary of the build."""
    model, data, out = folder / "delays.mlir", folder / "spikes.npz", folder / platform
    export.write(made, model, Notes())
    np.savez_compressed(data, cochlea=spikes)
    words = ["--platform", PLATFORMS / f"{platform}.toml", "--data", data, "-o", out]
    if platform == "seneca":
        machine = read_platform(PLATFORMS / "seneca.toml").data
        text = default_pipeline(machine, str(data), None, "peak")
        words += ["--pass-pipeline", text.replace(CLUSTERING, f"{CLUSTERING}{{slices=1}}")]
    snnc("compile", model, *words)
    snnc("verify", out)
    return json.loads(snnc("report", out, "--json"))


@dataclass(frozen=True)
class Measured:
    """What the machine took for a network, per inference."""

    parameters: int
    cores: int
    bits: int
    """Of the programmed weights, and of the delay memories that are reserved."""
    counts: dict[str, float]
    """Operations."""
    energy: dict[str, float]
    """Dynamic, uJ, by operation."""
    latency: float
    """ms, with the spikes of the data."""
    guaranteed: float
    """ms."""
    fullest: tuple[int, int, int]
    """Of the delay memory of the core that reserves most: entries observed, reserved, at most."""

    @property
    def dynamic(self) -> float:
        """All dynamic energy, uJ."""
        return sum(self.energy.values())


def measure(folder: Path, made: NetworkOp, spikes: NDArray[np.uint8], platform: str) -> Measured:
    """Build a network and read what the reports say of it."""
    summary = build(folder, made, spikes, platform)
    machine = json.loads((folder / platform / "machine" / "config.json").read_text())
    configured = load(folder / platform / "machine")
    weights = sum(int(np.count_nonzero(crossbar.cells)) for crossbar in configured.crossbars)
    memories = [each["delays"] for each in machine["crossbars"] if each.get("delays")]
    entries, fullest = sum(each["entries"] for each in memories), max(memories, key=lambda each: each["entries"])
    energy = summary["verification"]["energy"]
    return Measured(
        weights,
        len(configured.crossbars),
        weights * machine["machine"]["weight_bits"] + entries * machine["machine"]["delays"]["bits"],
        {each["name"]: each["count"] for each in energy["components"]},
        {each["name"]: each["energy"] / 1e6 for each in energy["components"]},
        1e3 * energy["seconds"],
        1e3 * summary["energy"]["seconds"],
        (int(fullest["observed"]), fullest["entries"], fullest["bound"]),
    )


HEAD = (
    f"{'network':9}{'machine':8}{'weights':>9}{'cores':>6}{'Mb':>6}{'published':>10}{'uJ':>8}{'published':>10}"
    f"{'ratio':>7}{'ms':>8}{'published':>10}{'ratio':>7}{'guaranteed':>11}"
)
MEMORY = {"48-48": (1.96, 3.38), "32-32": (1.48, 2.33), "24-24": (1.23, 2.07), "48-48 Ax": (1.96, 3.36)}
"""Mb of Loihi and Seneca: the paper, Table III."""


def line(name: str, platform: str, found: Measured) -> str:
    """One line of the table."""
    published = NETWORKS[name]
    energy, latency = published.loihi if platform == "loihi" else published.seneca
    memory = MEMORY[name][platform == "seneca"]
    return (
        f"{name:9}{platform:8}{found.parameters:>9,}{found.cores:>6}{found.bits / 1e6:>6.2f}{memory:>10.2f}"
        f"{found.dynamic:>8.2f}{energy:>10.1f}{found.dynamic / energy:>7.2f}{found.latency:>8.2f}{latency:>10.2f}"
        f"{found.latency / latency:>7.2f}{found.guaranteed:>11.2f}"
    )


def implied(name: str, found: Measured, count: float) -> float:
    """Input spikes per inference with which the estimate for Loihi would be the published energy."""
    published = NETWORKS[name]
    each = published.hidden * found.energy["synapse"] / found.counts["synapse"]
    return count + (published.loihi[0] - found.dynamic) / each


def fitted_times() -> tuple[float, float]:
    """`time.read` and `time.event` of Seneca in ps: a fixed part of each step, and a part for each event of the core
    with most, a spike of a hidden layer being an event at each delay level. From 48-48 and 24-24, as published."""
    pairs = [
        (max(NETWORKS[name].spikes) * LEVELS / STEPS, 1e9 * NETWORKS[name].seneca[1] / STEPS)
        for name in ("48-48", "24-24")
    ]
    (most, longest), (least, shortest) = pairs
    event = (longest - shortest) / (most - least)
    return longest - event * most, event


def fitted_energies(small: Measured) -> tuple[float, float]:
    """`energy.event` and `energy.delay` of Seneca in fJ, from the operations of 24-24 and its published energies."""
    published = NETWORKS["24-24"]
    rest = published.seneca[0] - published.queue - small.energy["synapse"]
    return 1e9 * rest / small.counts["event"], 1e9 * published.queue / small.counts["delay"]


def main() -> None:
    """Print the table, then what is fitted and what it tells."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--spikes", type=float, default=8000.0, help="input spikes per inference")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    arguments = parser.parse_args()
    spikes = input_spikes(arguments.spikes, arguments.samples, arguments.seed)
    print(HEAD)
    found: dict[str, dict[str, Measured]] = {"loihi": {}, "seneca": {}}
    for name in arguments.networks:
        made = fitted(NETWORKS[name], spikes, arguments.seed)
        for platform, measured in found.items():
            with TemporaryDirectory() as folder:
                measured[name] = measure(Path(folder), made, spikes, platform)
            print(line(name, platform, measured[name]), flush=True)
    for name, each in found["loihi"].items():
        print(f"{name:9}loihi   published energy with {implied(name, each, arguments.spikes):,.0f} input spikes")
    for name, each in found["seneca"].items():
        queue = NETWORKS[name].queue
        parts = ", ".join(f"{part} {energy:.2f}" for part, energy in each.energy.items() if energy)
        share = each.energy["delay"] / queue
        print(f"{name:9}seneca  {parts} uJ; delay queues {share:.2f} of published {queue:.2f} uJ")
        print("{:17}{:,} events at most in one queue, {:,} reserved, bound {:,}".format("", *each.fullest))
    if "24-24" in found["seneca"]:
        read, event = fitted_times()
        print(f"fitted, seneca: time.read {read:,.0f} ps, time.event {event:,.0f} ps from published figures alone")
        event, delay = fitted_energies(found["seneca"]["24-24"])
        print(
            f"                energy.event {event:,.0f} fJ, energy.delay {delay:,.0f} fJ from the operations of 24-24"
        )


if __name__ == "__main__":
    main()
