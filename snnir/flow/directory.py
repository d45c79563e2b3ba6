"""The build directory: every stage as text IR, the emitted machine, and a manifest; whole or not at all.

build.json               what was compiled, with which pipeline, from which data; the counters of every pass
stages/NN-<pass>.mlir    the IR after each pass; 00-import.mlir is the program as read
stages/tensors.safetensors   the large tensors of all stages, each once
machine/                 the configuration: config.json and cells.safetensors
metrics.json             what the clusters are worth
transformation.json      what was changed in the network and what that cost, where passes changed it
times.json               how long each pass took; not the same in the next run, as all other files are
"""

import json
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser
from xdsl.printer import Printer

from snnir import tensors
from snnir.errors import SnnirError

MANIFEST = "build.json"
MACHINE = "machine"
STAGES = "stages"
TENSORS = "tensors.safetensors"
VERSION = 1


@dataclass(frozen=True)
class Stage:
    """One step of a build."""

    name: str
    """The pass, or `import`."""
    file: str
    """The IR after it, in the folder `stages`."""
    lossy: bool = False
    """Whether the pass may change what the program computes."""
    statistics: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True)
class Manifest:
    """What a build directory says about itself."""

    model: str
    platform: str
    pipeline: str
    data: str | None
    samples: int | None
    stages: list[Stage]
    version: int = VERSION


class StageWriter:
    """Writes the IR of stage after stage into a folder; large tensors into one file, each once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._policy = tensors.PrintingPolicy("beside", TENSORS)
        self.stages: list[Stage] = []

    def write(
        self, module: ModuleOp, name: str, *, lossy: bool = False, statistics: dict[str, int] | None = None
    ) -> None:
        """Add the stage after pass `name`."""
        file = f"{len(self.stages):02}-{name}.mlir"
        text = StringIO()
        with tensors.printing(self._policy):
            Printer(text).print_op(module)
        (self._directory / file).write_text(text.getvalue() + "\n", encoding="utf-8")
        self.stages.append(Stage(name, file, lossy, statistics or {}))

    def close(self) -> None:
        """Write the tensors."""
        tensors.write_stored(self._policy, self._directory)


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a build directory. Raises `SnnirError` when it is none."""
    path = directory / MANIFEST
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if document.get("version") != VERSION:
            raise SnnirError(path, f"version {document.get('version')} of the build directory", "compile again")
        document["stages"] = [Stage(**stage) for stage in document["stages"]]
        return Manifest(**document)
    except (FileNotFoundError, NotADirectoryError):
        raise SnnirError(directory, "this is no build directory", "make one: snnc compile MODEL -o DIRECTORY") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SnnirError(path, f"the manifest is damaged ({error})", "compile again") from None


def read_stage(directory: Path, stage: Stage, ctx: Context) -> ModuleOp:
    """The IR of a stage."""
    path = directory / STAGES / stage.file
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SnnirError(path, f"cannot be read ({error.strerror})", "compile again") from None
    with tensors.source_directory(path.parent):
        return Parser(ctx, text, str(path)).parse_module()


@contextmanager
def new_directory(target: Path) -> Generator[Path]:
    """A temporary folder that becomes `target` when all went well, and disappears when not.

    An earlier build in `target` is replaced; anything else there is refused before work starts. Folders above `target`
    that had to be made disappear too when something goes wrong.
    """
    target = Path(os.path.abspath(target))
    if target.exists() and not (target / MANIFEST).is_file() and (not target.is_dir() or any(target.iterdir())):
        raise SnnirError(target, "exists and is no build directory", "name another directory, or remove this one")
    made = [folder for folder in target.parents if not folder.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise SnnirError(target, f"cannot be written ({error.strerror})", "name a directory that can") from None
    try:
        temporary.chmod(0o755)
        yield temporary
        _replace(target, temporary)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in made:
            with suppress(OSError):  # somebody else may have put something there
                folder.rmdir()
        raise


def _replace(target: Path, new: Path) -> None:
    """Put `new` where `target` is; when that fails, what was there is there again."""
    old = new.with_name(f"{new.name}.old")
    try:
        if target.exists():
            os.rename(target, old)
        os.rename(new, target)
    except BaseException:
        if old.exists() and not target.exists():
            os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write `build.json`."""
    (directory / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1) + "\n", encoding="utf-8")
