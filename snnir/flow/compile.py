"""Running a pipeline over a model and keeping what every pass made."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass, PassPipeline

from snnir.dialects.crossbar import MachineOp
from snnir.dialects.platform import machine_of
from snnir.emit import emit
from snnir.flow.directory import MACHINE, STAGES, Manifest, StageWriter, new_directory, write_manifest
from snnir.passes.base import SNNPass


@dataclass(frozen=True)
class Request:
    """What was asked for, as it stands in the manifest."""

    model: str
    pipeline: str
    data: str | None = None
    samples: int | None = None


def compile_model(
    ctx: Context, module: ModuleOp, passes: Sequence[ModulePass], request: Request, target: Path
) -> Manifest:
    """Apply the passes and write the build directory `target`, whole or not at all.

    The IR is verified and written after each pass; when the last one leaves a configured machine, it is emitted.
    """
    with new_directory(target) as directory:
        (directory / STAGES).mkdir()
        writer = StageWriter(directory / STAGES)

        def after(previous: ModulePass | None, module: ModuleOp, following: ModulePass | None) -> None:
            module.verify()
            if previous is None:
                writer.write(module, "import")
            elif isinstance(previous, SNNPass):
                writer.write(module, previous.name, lossy=previous.lossy, statistics=dict(previous.statistics))
            else:
                writer.write(module, previous.name)

        PassPipeline(tuple(passes), after).apply(ctx, module)
        writer.close()
        if any(isinstance(op, MachineOp) for op in module.body.block.ops):
            (directory / MACHINE).mkdir()
            emit(module, directory / MACHINE)
        machine = machine_of(module)
        manifest = Manifest(
            request.model,
            machine.name if machine is not None else "",
            request.pipeline,
            request.data,
            request.samples,
            writer.stages,
        )
        write_manifest(directory, manifest)
    return manifest
