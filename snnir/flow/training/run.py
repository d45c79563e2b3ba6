"""A training from its first stage to its last, or from a checkpoint on, in a directory of its own.

training.json            what each stage gave; written last
trained.mlir, ...        the program as it was trained, and with rounded weights
stages/N-<stage>.mlir    the program after each stage, and what training started from
checkpoint.pt            all that `--resume` needs
times.json               how long each stage took; not the same in the next run, as all other files are
"""

from dataclasses import asdict, replace
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import Any

from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

from snnir import tensors
from snnir.errors import SnnirError
from snnir.export import write
from snnir.flow.training.forms import network_in, program_of, with_weights
from snnir.flow.training.job import Doors, Job
from snnir.flow.training.judge import figures, judged
from snnir.flow.training.prune import pruned
from snnir.flow.training.quantise import shared_scales
from snnir.frontend.notes import Notes
from snnir.passes.snn.quantize import SNNQuantize
from snnir.report.training import problem_lines, stage_line
from snnir.train import checkpoint
from snnir.train.checkpoint import Best, State
from snnir.train.loop import Trainer, classified_by_default, deterministic
from snnir.train.quantise import GridQuantiser
from snnir.train.stages import Stage

STAGES = "stages"
START = f"{STAGES}/0-start.mlir"
ON_TRAINED = 256
"""Spikes are counted on so many samples of those that are trained with, where none are kept back."""


class Training:
    """One training in a directory."""

    def __init__(self, job: Job, doors: Doors, directory: Path) -> None:
        self.job, self._doors, self.directory = job, doors, directory
        self._settings = job.description.training
        self._checkpoint = directory / checkpoint.FILE
        network = network_in(job.start)
        self.classify = self._settings.classify or classified_by_default(network)
        self.state = State(_plain(job.description.as_json()), job.digests)

    def begin(self) -> None:
        """Make the directory. Raises `SnnirError` where a training is in it already, or something else."""
        directory = self.directory
        if self._checkpoint.exists():
            hint = "--resume goes on with it; to start anew, remove it or name another directory"
            raise SnnirError(directory, "there is a training in this directory", hint)
        if directory.exists() and (not directory.is_dir() or any(each.name != STAGES for each in directory.iterdir())):
            raise SnnirError(directory, "exists and holds no training", "name another directory, or remove this one")
        try:
            (directory / STAGES).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SnnirError(directory, f"cannot be written ({error.strerror})", "name a directory that can") from None
        self._write(START, self.job.start)
        checkpoint.save(self._checkpoint, self.state)

    def resume(self) -> None:
        """Take the state of a checkpoint. Raises `SnnirError` that names what has changed since."""
        self.state = checkpoint.load(self._checkpoint)
        checkpoint.check_same(self._checkpoint, self.state, _plain(self.job.description.as_json()), self.job.digests)
        for file, digest in self.state.programs.items():
            if self._digest(file) != digest:
                message = "this program is not the one that the training left here"
                raise SnnirError(self.directory / file, message, "put it back, or start anew in another directory")

    def run(self) -> None:
        """All stages that are left."""
        with deterministic(self._settings.threads):
            for number in range(self.state.stage, len(self.job.stages)):
                self._stage(number, self.job.stages[number])

    def _stage(self, number: int, stage: Stage) -> None:
        begun = perf_counter()
        before = sum(self.state.seconds[number:])
        module, kept = self._work(number, stage, self.read(self._start_of(number)), before - begun)
        if stage.bits is not None:
            SNNQuantize(stage.bits).apply(self._doors.context, module)
            module.verify()
        file = f"{STAGES}/{number + 1}-{stage.name}.mlir"
        self._write(file, module)
        record = {
            "name": stage.name,
            "kind": stage.kind,
            "program": file,
            "epochs": stage.epochs,
            "kept_epoch": kept,
            "bits": stage.bits,
            **figures(module, self.job.machine),
            **self._judge(stage, module),
        }
        self._doors.line("\n".join([stage_line(record), *problem_lines(record)]))
        done = replace(self.state, stage=number + 1, epoch=0, parameters={}, optimiser=None, best=None)
        done.stages = [*done.stages, record]
        done.seconds = [*done.seconds[:number], before + perf_counter() - begun]
        self.state = done
        checkpoint.save(self._checkpoint, done)

    def _work(self, number: int, stage: Stage, module: ModuleOp, since: float) -> tuple[ModuleOp, int | None]:
        """What a stage makes of the program, floats, and the epoch that was kept."""
        if stage.kind == "prune":
            return pruned(module, stage, self.job.description, self.job.machine), None
        if not stage.epochs:
            return module, None
        trainer = self._trainer(number, stage, module)
        self._epochs(trainer, number, stage, since)
        best = self.state.best
        if best is not None:
            trainer.parameters = best.parameters
        weights, biases = trainer.arrays()
        return with_weights(module, weights, biases), stage.epochs if best is None else best.epoch

    def _trainer(self, number: int, stage: Stage, module: ModuleOp) -> Trainer:
        quantiser = None
        if stage.bits is not None:
            quantiser = GridQuantiser(shared_scales(program_of(module)), stage.bits)
        return Trainer(
            network_in(module),
            self._settings,
            place=self.job.place,
            stage=number,
            name=stage.name,
            lr=stage.lr,
            epochs=stage.epochs,
            biases=self.job.biases,
            quantiser=quantiser,
        )

    def _epochs(self, trainer: Trainer, number: int, stage: Stage, since: float) -> None:
        """The epochs of a stage that are left, a checkpoint after each."""
        state, train = self.state, self.job.train
        if state.epoch:
            trainer.parameters = state.parameters
            trainer.optimiser.load_state_dict(state.optimiser)
        with self._doors.bar(f"{stage.name}: {stage.epochs} epochs") as told:
            for epoch in range(state.epoch + 1, stage.epochs + 1):
                past = (epoch - 1) * len(train)

                def tell(done: int, total: int, past: int = past) -> None:
                    if told is not None:
                        told(past + done, stage.epochs * total)

                found = trainer.epoch(train, epoch, tell)
                accuracy = None if self.job.validation is None else trainer.accuracy(self.job.validation)
                parameters = trainer.parameters
                best = state.best
                chosen = accuracy if self._settings.select == "best" else None
                if chosen is not None and (best is None or chosen >= best.accuracy):
                    best = Best(chosen, epoch, parameters)
                row = {"stage": stage.name, "epoch": epoch, **asdict(found), "validation": accuracy}
                state = replace(state, epoch=epoch, parameters=parameters, best=best, epochs=[*state.epochs, row])
                state.optimiser = trainer.optimiser.state_dict()
                state.seconds = [*state.seconds[:number], since + perf_counter()]
                checkpoint.save(self._checkpoint, state)
                self.state = state

    def _judge(self, stage: Stage, module: ModuleOp) -> dict[str, Any]:
        """Accuracy and spikes of a program in the simulator, on what is kept back."""
        validation = self.job.validation
        samples = self.job.train.some(slice(0, ON_TRAINED)) if validation is None else validation
        with self._doors.bar(f"{stage.name}: judging") as told:
            found = judged(network_in(module), samples, self.classify, told)
        share = None if validation is None else found.share
        return {"validation": share, "test": None, "spikes": found.spikes}

    def _start_of(self, number: int) -> str:
        """The program that a stage starts from: what the last one left that left floats."""
        done = self.job.stages[:number]
        before = [n for n, stage in enumerate(done) if stage.starts_from_floats]
        return self.state.stages[before[-1]]["program"] if before else START

    def read(self, file: str) -> ModuleOp:
        """A program of the directory."""
        path = self.directory / file
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise SnnirError(path, f"cannot be read ({error.strerror})", "start anew in another directory") from None
        with tensors.source_directory(path.parent):
            return Parser(self._doors.context, text, str(path)).parse_module()

    def _write(self, file: str, module: ModuleOp) -> None:
        """Write a program into the directory."""
        write(program_of(module), self.directory / file, Notes())
        self.state = replace(self.state, programs={**self.state.programs, file: self._digest(file)})

    def _digest(self, file: str) -> str:
        """Of a program and its tensors, as they are in the directory."""
        path, found = self.directory / file, blake2b(digest_size=16)
        for each in (path, path.with_name(f"{path.name}.safetensors")):
            found.update(each.read_bytes() if each.exists() else b"")
        return found.hexdigest()


def _plain(value: Any) -> Any:
    """Lists for tuples, as they are when they were stored."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value  # pyright: ignore[reportUnknownVariableType]
