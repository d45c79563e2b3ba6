"""Networks with delays against networks without: accuracy, size, delay memory, energy and latency, on two tasks.

    python -m benchmarks.delays --work DIRECTORY [--tasks lags fsdd] [--seeds 0 1 2] [--short]

The table of arXiv 2404.10597 with our figures. Tasks: `lags`, which is generated and needs timing by construction
(snnir.train.data.task), and spoken digits, where `audio/fsdd_spikes.npz` is there (`$SNNIR_DATA`, or ../shared/data).
Networks of two hidden layers: `plain` without delays, `wide` without delays and with as many parameters as `delays`,
which has delays 0, 2, ..., 58 behind its first layer. From `delays` follow the rows: pruned to 15 and to 5 of 30 levels
of each pair of neurons (`synapse`) or of each axon (`axon`), each trained further; `axon 15` with weights of 8 and 4
bits, trained with rounding; and these on the machines `loihi` and `seneca`, compiled and verified with `snnc`.

Columns: accuracy on the test samples; how often a row answers as the row it was made from (for machines: as `axon 15`
in float); parameters that are left; spikes of each layer per inference; bits of each structure of delay memory when all
neurons fire (slots of 8 bits for the ring, events of 16 bits else); for machines what is reserved in their own, energy
and latency per inference with real spikes. Means over seeds; a seed draws weights and the order of samples.

What is in the directory already is not trained again.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir import api
from snnir.errors import SnnirError
from snnir.testing import run_in_process
from snnir.train.data import Lags

PLATFORMS = Path(__file__).parents[1] / "samples" / "platforms"
SHARED = Path(__file__).parents[2] / "shared" / "data"
MACHINES = ("loihi", "seneca")
STRUCTURES = {"ring": 8, "queue": 16, "circular": 16, "fifo": 16}
"""Bits of an entry, as arXiv 2404.10597 counts them in section V."""
SMALL_RATE = 1e-9
"""A learning rate that changes nothing: a training from a file starts with an epoch."""
PROFILED = 256
"""Samples of training that a machine is compiled with."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """Data in a folder, and what is trained with it."""

    name: str
    layers: tuple[int, ...]
    wide: int
    """Neurons of a hidden layer without delays, such that there are as many parameters."""
    tau: float
    epochs: int
    later: int
    """Epochs after each pruning and with rounded weights."""
    training: Mapping[str, Any]


TASKS = {
    "lags": Task("lags", (32, 32, 32, 6), 176, 5e-3, 20, 6, {"lr": 5e-3, "slope": 3.0, "sharpness": 0.5}),
    "fsdd": Task("fsdd", (64, 48, 48, 10), 256, 10e-3, 30, 8, {"lr": 6e-3, "slope": 3.0, "sharpness": 0.5}),
}


@dataclass
class Row:
    """A row of the table, of one seed."""

    accuracy: float
    agrees: float | None
    parameters: int
    spikes: dict[str, float]
    memory: dict[str, int] = field(default_factory=dict[str, int])
    reserved: int | None = None
    energy: tuple[float, float] | None = None
    """Microjoule: dynamic, static."""
    latency: float | None = None
    """Milliseconds."""


def write_data(task: str, folder: Path) -> bool:
    """Write `train.npz`, `test.npz` and `profile.npz`; whether there is such data."""
    folder.mkdir(parents=True, exist_ok=True)
    if task == "lags":
        made = {"train": Lags().samples(2300, 0), "test": Lags().samples(1000, 2)}
        parts = {name: (each.spikes, each.labels) for name, each in made.items()}
    else:
        path = Path(os.environ.get("SNNIR_DATA", SHARED)) / "audio" / "fsdd_spikes.npz"
        if not path.exists():
            return False
        with np.load(path) as file:
            spikes, labels, chosen = np.unpackbits(file["S"], axis=2), file["Y"].astype(np.int64), file["train"]
        parts = {"train": (spikes[chosen], labels[chosen]), "test": (spikes[~chosen], labels[~chosen])}
    spikes, labels = parts["train"]
    some = np.random.default_rng(0).permutation(len(spikes))[:PROFILED]
    parts["profile"] = (spikes[some], labels[some] if labels is not None else None)
    for name, (spikes, labels) in parts.items():
        if not (folder / f"{name}.npz").exists():
            np.savez_compressed(folder / f"{name}.npz", channels=spikes, labels=np.asarray(labels))
    return True


@dataclass
class Series:
    """All rows of one task and seed."""

    task: Task
    folder: Path
    seed: int
    short: bool

    def rows(self) -> Iterator[tuple[str, Row]]:
        """Each row as soon as it is there."""
        task, sizes = self.task, self.task.layers
        for name, hidden in (("plain", sizes[1]), ("wide", task.wide)):
            base = self._trained(name, {"network": self._network((sizes[0], hidden, hidden, sizes[-1]))})
            yield f"{name} {hidden}", self._row(base, "train")
            if self.short and name == "wide":
                continue
            few = self._trained(f"{name}-8", {**self._from(base, "train"), "quantise": self._later(bits=8)})
            yield f"{name} {hidden}, 8 bits", self._row(few, "quantise", (base, "train"))
            yield from self._deployed(f"{name} {hidden}, 8 bits", few, (base, "train"))
        base = self._trained("delays", {"network": {**self._network(sizes), "delays": {"levels": 30, "stride": 2}}})
        yield f"delays {sizes[1]}", self._row(base, "train")
        for by in ("axon",) if self.short else ("axon", "synapse"):
            pruned = {**self._from(base, "train"), "prune": self._later(by=by, keep=[15, 5])}
            found = self._trained(f"delays-{by}", pruned)
            for number, kept in enumerate((15, 5)):
                yield f"delays, {by} {kept}", self._row(found, f"fine-tune-{number + 1}", (base, "train"))
        start = (self.folder / f"delays-axon-{self.seed}", "fine-tune-1")
        for bits in (8, 4):
            few = self._trained(f"delays-{bits}", {**self._from(*start), "quantise": self._later(bits=bits)})
            yield f"delays, axon 15, {bits} bits", self._row(few, "quantise", start)
            yield from self._deployed(f"delays, axon 15, {bits} bits", few, start)

    def _network(self, layers: tuple[int, ...]) -> Json:
        return {"layers": list(layers), "input": "channels", "tau": self.task.tau}

    def _later(self, **given: Any) -> Json:
        lr = self.task.training["lr"] * (0.5 if "by" in given else 0.2)
        return {"epochs": self.task.later, "lr": lr, **given}

    def _from(self, directory: Path, stage: str) -> Json:
        """A training that starts where a stage of another ended."""
        return {
            "network": {"file": str(self._program(directory, stage))},
            "training": {**self.task.training, "epochs": 1, "lr": SMALL_RATE, "seed": self.seed},
        }

    def _trained(self, name: str, tables: Json) -> Path:
        directory = self.folder / f"{name}-{self.seed}"
        if (directory / "training.json").exists():
            return directory
        files = {part: str(self.folder / f"{part}.npz") for part in ("train", "test")}
        training = {**self.task.training, "epochs": self.task.epochs, "seed": self.seed}
        description = {"data": {**files, "validation": 0.1}, "training": training, **tables}
        begun = process_time()
        api.train(description, directory, resume=directory.exists())
        (directory / "cpu.json").write_text(json.dumps(process_time() - begun))
        return directory

    def _record(self, directory: Path, stage: str) -> Json:
        found = json.loads((directory / "training.json").read_text())["stages"]
        return next(each for each in found if each["name"] == stage)

    def _program(self, directory: Path, stage: str) -> Path:
        return directory / self._record(directory, stage)["program"]

    def _answers(self, directory: Path, stage: str) -> tuple[NDArray[np.int64], dict[str, float]]:
        """The class of each test sample, and the spikes of each layer per inference."""
        ran = api.load(self._program(directory, stage)).sim(self.folder / "test.npz")
        spikes = {name: np.asarray(each) for name, each in ran.spikes.items()}
        counts = {name: float(each.sum() / len(each)) for name, each in spikes.items()}
        return spikes["out"].sum(axis=1).argmax(axis=1), counts

    def _row(self, directory: Path, stage: str, start: tuple[Path, str] | None = None) -> Row:
        record = self._record(directory, stage)
        answers, spikes = self._answers(directory, stage)
        agrees = None if start is None else float((answers == self._answers(*start)[0]).mean())
        entries: dict[str, int] = record["delay_memory"] or {}
        memory = {kind: count * STRUCTURES[kind] for kind, count in entries.items()}
        return Row(record["test"]["share"], agrees, record["synapses"], spikes, memory)

    def _deployed(self, name: str, directory: Path, start: tuple[Path, str]) -> Iterator[tuple[str, Row]]:
        model = self._row(directory, "quantise", start)
        for machine in MACHINES:
            try:
                yield f"{name}, {machine}", self._on(machine, directory, model)
            except SnnirError as error:
                print(f"{name}, {machine}: {error}", file=sys.stderr)

    def _on(self, machine: str, directory: Path, model: Row) -> Row:
        """The row of a build; the answers are those of the model where no spike differs, which is checked."""
        build = directory / machine
        if not (build / "build.json").exists():
            platform, profile = str(PLATFORMS / f"{machine}.toml"), str(self.folder / "profile.npz")
            program = str(self._program(directory, "quantise"))
            _done("snnc", "compile", program, "--platform", platform, "--data", profile, "-o", str(build))
        data = str(self.folder / "test.npz")
        stored = build / "verified.json"
        if not stored.exists():
            stored.write_text(_done("snnc", "verify", str(build), "--data", data, "--json"))
        found = json.loads(stored.read_text())
        if found["end_to_end"]["different"]:
            raise SnnirError(build, f"{found['end_to_end']['different']} spikes differ from the program", "")
        delays = json.loads((build / "metrics.json").read_text()).get("delays")
        reserved = None if delays is None else _reserved(delays)
        energy = found["energy"]
        price = (energy["dynamic"] * 1e-6, energy["static"] * 1e-6)
        accuracy = found["accuracy"]["machine"]
        return Row(accuracy, model.agrees, model.parameters, model.spikes, {}, reserved, price, energy["seconds"] * 1e3)


def _reserved(delays: Json) -> int:
    """Bits that the machine reserves in its delay memories."""
    bits = next(each["bits"] for each in delays["structures"] if each["memory"] == delays["memory"])
    return sum(each["reserved"] or 0 for each in delays["crossbars"]) * bits


def _done(*words: str) -> str:
    outcome = run_in_process(list(words))
    if outcome.code:
        raise SnnirError(" ".join(words[:2]), outcome.err.strip(), "")
    return outcome.out


def table(found: Mapping[str, Sequence[Row]]) -> str:
    """The rows as Markdown: means over seeds, of the accuracy also the standard deviation."""
    head = ["row", "accuracy %", "agrees %", "parameters", "spikes", *(f"{kind} kbit" for kind in STRUCTURES)]
    head += ["reserved kbit", "dynamic uJ", "static uJ", "latency ms", "seeds"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" + "--:|" * (len(head) - 1)]
    for name, rows in found.items():
        first, accuracy = rows[0], np.array([each.accuracy for each in rows]) * 100
        spread = f" ± {accuracy.std(ddof=1):.1f}" if len(rows) > 1 else ""
        cells = [name, f"{accuracy.mean():.1f}{spread}", _mean([each.agrees for each in rows], 100, 1)]
        cells.append(_mean([each.parameters for each in rows], 1, 0))
        cells.append(" / ".join(_mean([each.spikes[layer] for each in rows], 1, 0) for layer in first.spikes))
        cells += [_mean([each.memory.get(kind) for each in rows], 1e-3, 1) for kind in STRUCTURES]
        cells.append(_mean([each.reserved for each in rows], 1e-3, 1))
        cells += [_mean([each.energy and each.energy[part] for each in rows], 1, 2) for part in (0, 1)]
        cells += [_mean([each.latency for each in rows], 1, 2), str(len(rows))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _mean(values: Sequence[float | None], factor: float, digits: int) -> str:
    known = [each for each in values if each is not None]
    return f"{np.mean(known) * factor:,.{digits}f}" if known else ""


def main() -> None:
    """Read the arguments, and print the table after each seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="where trainings and builds are kept")
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--short", action="store_true", help="leave out pruning by synapse, and `wide` with 8 bits")
    arguments = parser.parse_args()
    for task in arguments.tasks:
        folder = arguments.work / task
        if not write_data(task, folder):
            print(f"{task}: there is no such data here; set SNNIR_DATA", file=sys.stderr)
            continue
        found: dict[str, list[Row]] = {}
        for seed in arguments.seeds:
            for name, row in Series(TASKS[task], folder, seed, arguments.short).rows():
                found.setdefault(name, []).append(row)
                print(f"{task}, seed {seed}, {name}: {row.accuracy:.2%}", file=sys.stderr, flush=True)
            print(
                f"## {task}, seeds {arguments.seeds[: arguments.seeds.index(seed) + 1]}\n\n{table(found)}\n", flush=True
            )


if __name__ == "__main__":
    main()
