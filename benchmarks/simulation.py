"""Time per sample of the N-MNIST network (300 steps) in snnir's simulator, beside Norse and batched torch.

    python -m benchmarks.simulation --peer-python PATH [--data FOLDER] [--runs 5]

PATH is the interpreter of an environment for the peers, which this one does not need (without it they are left out):

    python3 -m venv peers && peers/bin/pip install torch==2.13.0 norse==1.1.0 nirtorch==2.6 nir==1.0.8

The peers (benchmarks/peers/simulation_peers.py) must give the recorded spikes before they are timed, and so must we.
FOLDER (or `SNNIR_DATA`) holds `nir/good/cnn_sinabs.nir` and the recordings `refs/*nmnist*.npz`. All run in turn, in the
opposite order every other time, so that they meet the same machine; ratios are of the same turn, and the table has
medians. `processors` is the time of all processors together, which others on the same machine disturb less. Norse takes
one sample at a time: a larger batch it cannot flatten. The weights of the published 2312-512-10 integer network are not
in the data: the one here has its sizes and neurons, and random even weights from -50 to 50, 27 % of them 0, as there.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from snnir.frontend.nir import reader as nir
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import reader as snn
from snnir.sim import Network, simulate
from snnir.sim.entry import network_in, network_of
from snnir.tensors import write_safetensors

DATA = Path(os.environ.get("SNNIR_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
PEERS = Path(__file__).parent / "peers" / "simulation_peers.py"
MODEL = Path("nir/good/cnn_sinabs.nir")
EVENTS = Path("refs/nmnist_test100_events.npz")
GOLDEN = Path("refs/cnn_nmnist_zero.npz")
STEPS, SHAPE = 300, (2, 34, 34)
STEP_US = 1000
SINGLE = 3
"""Samples per turn of those that run one sample at a time."""

MLP = """network mlp {
  dt = 1e-3
  weights = "mlp.safetensors"
  input events[2312]
  population hidden[512] : cuba_lif(%s) using loihi
  population out[10] : cuba_lif(%s) using loihi
  events -> hidden : dense(weights = "hidden", scale = 1.0)
  hidden -> out : dense(weights = "out", scale = 1.0)
  output label = out
}
"""
NEURON = "tau_syn = 4e-3, tau_mem = 32e-3, r = 32.0, v_leak = 0.0, threshold = 5120.0, v_reset = 0.0, w_in = 256.0"
"""Synapse decay 1024/4096, membrane decay 128/4096, weights times 64, threshold 80 * 64."""

Counts = NDArray[np.uint8]


class Took(NamedTuple):
    """How long something took, in seconds."""

    clock: float
    processors: float
    """All processors together."""

    def per(self, samples: int) -> "Took":
        """The share of one sample."""
        return Took(self.clock / samples, self.processors / samples)


Turn = Callable[[], Took]
"""Runs once; what a sample took."""


class Recordings(NamedTuple):
    """What is fed and what must come out."""

    counts: Counts
    """Events (samples, steps, polarity, y, x)."""
    labels: NDArray[np.int64]
    golden: Counts
    """Recorded output spikes (samples, steps, neurons) of the first samples."""


def recordings(data: Path) -> Recordings:
    """All recordings in steps of a millisecond from the first event on; what comes after the last step is cut."""
    events, golden = np.load(data / EVENTS), np.load(data / GOLDEN)
    offsets, times = events["offsets"].astype(np.int64), events["t_us"]
    sample = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    step = (times - times[offsets[:-1]][sample]) // STEP_US
    kept = step < STEPS
    counts = np.zeros((len(offsets) - 1, STEPS, *SHAPE), np.uint8)
    np.add.at(counts, tuple(axis[kept] for axis in (sample, step, events["p"], events["y"], events["x"])), 1)
    return Recordings(counts, events["labels"].astype(np.int64), golden["node12_spikes"].transpose(1, 0, 2))


def program(module: ModuleOp) -> Network:
    """The one network in a module, ready to run."""
    return network_of(network_in(module, "benchmark"))


def cnn(data: Path) -> Network:
    """The published network, spikes reset to zero as in the recording."""
    with redirect_stderr(StringIO()):  # notes on what the file does not say
        return program(nir.read(data / MODEL, FrontendOptions(dt=1e-3, semantics="norse")))


def mlp() -> Network:
    """2312-512-10 in integers."""
    rng = np.random.default_rng(0)

    def weights(*shape: int) -> NDArray[np.int8]:
        even = 2 * rng.integers(1, 26, shape) * rng.choice([-1, 1], shape)
        return np.where(rng.random(shape) < 0.27, 0, even).astype(np.int8)

    with TemporaryDirectory() as directory:
        path = Path(directory, "mlp.snn")
        path.write_text(MLP % (NEURON, NEURON))
        write_safetensors(path.with_suffix(".safetensors"), {"hidden": weights(512, 2312), "out": weights(10, 512)})
        return program(snn.read(path, FrontendOptions()))


def output(network: Network, counts: Counts) -> Counts:
    """The spikes of the one output."""
    (source,) = network.outputs.values()
    return simulate(network, dict.fromkeys(network.inputs, counts), record=[source])[source]


class Peers:
    """The peers' process; one question at a time, and idle between."""

    def __init__(self, python: Path, data: Path, folder: Path) -> None:
        if shutil.which(python) is None:
            sys.exit(f"no interpreter {python}: name the one of the peers' environment with --peer-python")
        command = [str(python), str(PEERS), str(data / MODEL), str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about = self.answer()
        wrong = {name: number for name, number in self.about["mismatches"].items() if number}
        if wrong:
            sys.exit(f"peers that do not give the recorded spikes are no peers: {wrong} spikes differ")

    def answer(self) -> dict[str, Any]:
        """The next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the peers ended early; what they said is above")
        return json.loads(line)

    def run(self, name: str, samples: int) -> dict[str, Any]:
        """Let one of them run the first samples."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name} {samples}\n")
        self.process.stdin.flush()
        return self.answer()

    def close(self) -> None:
        """Let the process end."""
        self.process.communicate()


def busy(network: Network, counts: Counts) -> float:
    """Mean number of neurons of the first population that spike in a step of the first samples."""
    name = next(iter(network.populations))
    spikes = simulate(network, dict.fromkeys(network.inputs, counts[:SINGLE]), record=[name])[name]
    return float((spikes != 0).sum(2).mean())


def took(action: Callable[[], object]) -> Took:
    """Run it."""
    start = time.perf_counter(), time.process_time()
    action()
    return Took(time.perf_counter() - start[0], time.process_time() - start[1])


def batch(network: Network, counts: Counts) -> Turn:
    """All samples at once."""
    return lambda: took(lambda: output(network, counts)).per(len(counts))


def singly(network: Network, counts: Counts) -> Turn:
    """The first samples, one at a time."""
    return lambda: took(lambda: [output(network, counts[n : n + 1]) for n in range(SINGLE)]).per(SINGLE)


def peer(peers: Peers, name: str, samples: int) -> Turn:
    """One of the peers."""

    def run() -> Took:
        answer = peers.run(name, samples)
        return Took(answer["seconds"], answer["processor"]).per(samples)

    return run


def turns(rows: dict[str, Turn], runs: int) -> dict[str, list[Took]]:
    """Each row `runs` times after one that does not count, in alternating order."""
    results: dict[str, list[Took]] = {name: [] for name in rows}
    for number in range(-1, runs):
        for name in list(rows)[:: -1 if number % 2 else 1]:
            found = rows[name]()
            if number >= 0:
                results[name].append(found)
    return results


def check(network: Network, data: Recordings, peers: Peers | None) -> str:
    """Compare all hundred outputs with what was recorded and with the peer; what the table says of them."""
    spikes = output(network, data.counts)
    wrong = int((spikes[: len(data.golden)] != data.golden).sum())
    if wrong:
        sys.exit(f"{wrong} output spikes of snnir differ from {GOLDEN}")
    totals = spikes.sum(1, dtype=np.int64)
    if peers is not None and totals.tolist() != peers.run("torch", len(spikes))["counts"]:
        sys.exit("snnir and torch differ in the spikes of an output neuron")
    right = (totals.argmax(1) == data.labels).mean()
    return f"the output spikes of {len(data.golden)} are as recorded, accuracy on {len(spikes)}: {right:.0%}"


def table(results: dict[str, list[Took]], against: dict[str, str], note: dict[str, str]) -> None:
    """One line per row; where a peer does the same, how many times faster we are."""
    columns = ("median", "least", "most", "ratio", "processors", "ratio")
    print(f"{'milliseconds per sample':40}" + "".join(f"{name:>11}" for name in columns))
    for name, found in results.items():
        clock, processors = zip(*found, strict=True)
        peers = results.get(against.get(name, ""), [])
        ratios = [(p.clock / f.clock, p.processors / f.processors) for p, f in zip(peers, found, strict=bool(peers))]
        shown = [f"{statistics.median(each):10.2f}x" for each in zip(*ratios, strict=True)] or [" " * 11] * 2
        cells = [f"{1e3 * each:11.2f}" for each in (statistics.median(clock), min(clock), max(clock))]
        spent = f"{1e3 * statistics.median(processors):11.2f}"
        print(f"{name:40}{''.join(cells)}{shown[0]}{spent}{shown[1]}  {note.get(name, '')}".rstrip())


def arguments() -> argparse.Namespace:
    """What the user asks for; exits when the data is not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    peer = os.environ.get("SNNIR_PEER_PYTHON")
    parser.add_argument("--peer-python", type=Path, default=peer, help="default: SNNIR_PEER_PYTHON, else no peers")
    parser.add_argument("--data", type=Path, default=DATA, help=f"default: {DATA}")
    parser.add_argument("--runs", type=int, default=5, help="turns (default: 5)")
    found = parser.parse_args()
    for name in (MODEL, EVENTS, GOLDEN):
        if not (found.data / name).is_file():
            sys.exit(f"no {found.data / name}: name the folder of the recordings with --data or SNNIR_DATA")
    return found


def main() -> None:
    """Print the table."""
    options = arguments()
    load = os.getloadavg()[0]
    start = time.perf_counter()
    data = recordings(options.data)
    binned = time.perf_counter() - start
    reading = statistics.median(took(lambda: cnn(options.data)).clock for _ in range(options.runs))
    network, integers = cnn(options.data), mlp()
    flat = data.counts.reshape(len(data.counts), STEPS, -1)
    rows: dict[str, Turn] = {}
    against: dict[str, str] = {}
    samples = len(data.counts)
    ours, ours_single = f"snnir, batch {samples}", "snnir, batch 1"
    note = {ours: "torch, at least 1 wanted", ours_single: "Norse, at least 4 wanted"}
    with TemporaryDirectory() as directory:
        peers = None
        if options.peer_python is not None:
            np.save(Path(directory, "input.npy"), data.counts)
            np.save(Path(directory, "golden.npy"), data.golden)
            peers = Peers(options.peer_python, options.data, Path(directory))
            norse, batched = f"{peers.about['norse']}, batch 1", f"{peers.about['torch']}, batch {samples}"
            against = {ours: batched, ours_single: norse}
            rows |= {norse: peer(peers, "norse", SINGLE), batched: peer(peers, "torch", samples)}
        rows |= {
            ours: batch(network, data.counts),
            ours_single: singly(network, data.counts),
            f"snnir, integer 2312-512-10, batch {samples}": batch(integers, flat),
            "snnir, integer 2312-512-10, batch 1": singly(integers, flat),
        }
        about = f"random weights, {busy(integers, flat):.0f} of 512 hidden neurons a step; below 250 wanted"
        note |= dict.fromkeys(list(rows)[-2:], about)
        verdict = check(network, data, peers)
        results = turns(rows, options.runs)
        if peers is not None:
            peers.close()
    print(f"cnn_sinabs.nir, {samples} N-MNIST recordings, {STEPS} steps: {verdict}")
    print(f"reading the recordings {1e3 * binned / samples:.2f} ms per sample, the model {1e3 * reading:.0f} ms in all")
    table(results, against, note)
    if not against:
        print("Norse and torch were left out: name their interpreter with --peer-python")
    print(f"{os.cpu_count()} cores, load {load:.1f} before and {os.getloadavg()[0]:.1f} after; {options.runs} turns")


if __name__ == "__main__":
    main()
