"""The end of a training: every stage on the test samples, the machine, and the files that are written last."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snnir.errors import SnnirError
from snnir.export import write
from snnir.export.base import whole
from snnir.flow.training.deploy import deploy
from snnir.flow.training.forms import network_in, program_of
from snnir.flow.training.job import Doors, Job, job_of
from snnir.flow.training.judge import judged
from snnir.flow.training.run import Training
from snnir.frontend.notes import Notes
from snnir.report.stored import read_stored
from snnir.report.training import FILE, FORMAT, VERSION, head_lines, result_lines
from snnir.train.description import Description
from snnir.train.loop import versions
from snnir.train.stages import Stage

TIMES = "times.json"


@dataclass(frozen=True)
class Request:
    """What is trained where."""

    description: Description
    directory: Path
    resume: bool = False
    nir: bool = False
    """Write the programs as `.nir` too."""


def train(request: Request, doors: Doors) -> dict[str, Any]:
    """Train, from the start or from a checkpoint on; the content of `training.json`, which is written last.

    Raises `SnnirError` for whatever does not fit; a checkpoint of the last whole epoch is there then.
    """
    job = job_of(request.description, doors)
    training = Training(job, doors, request.directory)
    if request.resume:
        training.resume()
    else:
        training.begin()
    doors.line("\n".join(head_lines(_head(training))))
    training.run()
    found = _finish(training, doors, request)
    lines = result_lines(found)
    if lines:
        doors.line("\n".join(lines))
    return found


def _finish(training: Training, doors: Doors, request: Request) -> dict[str, Any]:
    """Judge with the test samples and write what is left."""
    job, directory = training.job, request.directory
    stages = [dict(stage) for stage in training.state.stages]
    if job.test is not None:
        for stage in stages:
            with doors.bar(f"{stage['name']}: test") as told:
                network = network_in(training.read(stage["program"]))
                stage["test"] = judged(network, job.test, training.classify, told).share
    for name, stage in _results(job.stages).items():
        program = program_of(training.read(stages[stage]["program"]))
        write(program, directory / f"{name}.mlir", Notes())
        if request.nir:
            write(program, directory / f"{name}.nir", Notes())
    found = {**_head(training), "stages": stages, "epochs": training.state.epochs, "deployed": None}
    names = [stage.name for stage in job.stages]
    _write(directory / TIMES, dict(zip(names, training.state.seconds, strict=True)))
    _write(directory / FILE, found)
    if job.description.hardware.deploy:
        name = list(_results(job.stages))[-1]
        module = training.read(stages[_results(job.stages)[name]]["program"])
        found["deployed"] = deploy(job, doors, module, directory / f"{name}.mlir", training.classify)
        _write(directory / FILE, found)
    return found


def _results(stages: tuple[Stage, ...]) -> dict[str, int]:
    """The names of the programs that are written, and the stages that they come from."""
    floats = [number for number, stage in enumerate(stages) if stage.bits is None]
    rounded = [number for number, stage in enumerate(stages) if stage.bits is not None]
    return {"trained": floats[-1], **({"quantised": rounded[-1]} if rounded else {})}


def _head(training: Training) -> dict[str, Any]:
    job = training.job
    network = network_in(job.start)
    counts = {name: 0 if each is None else len(each) for name, each in _uses(job).items()}
    sizes = {"steps": job.train.steps, "classes": network.sizes[next(iter(network.outputs.values()))]}
    return {
        "format": FORMAT,
        "version": VERSION,
        "program": network.name,
        "description": training.state.description,
        "digests": job.digests,
        "libraries": versions(),
        "samples": {**counts, **sizes},
        "machine": None if job.machine is None else job.machine.name,
    }


def _uses(job: Job) -> dict[str, Any]:
    return {"train": job.train, "validation": job.validation, "test": job.test}


def _write(path: Path, content: object) -> None:
    with whole(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8", newline="\n")


def read_training(directory: Path) -> dict[str, Any]:
    """The `training.json` of a directory. Raises `SnnirError` where there is none, or another version."""
    found = read_stored(directory / FILE, FORMAT, VERSION, "the report of the training is damaged")
    if found is None:
        raise SnnirError(directory, "no training has ended in this directory", "snnc train train.toml -o DIRECTORY")
    return found
