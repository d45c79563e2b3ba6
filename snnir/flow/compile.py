"""Running a pipeline over a model and keeping what every pass made."""

from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass, PassPipeline

from snnir.dialects.crossbar import MachineOp
from snnir.dialects.platform import Machine, machine_of
from snnir.emit import emit
from snnir.flow.delays import delays_of, reads_late
from snnir.flow.directory import MACHINE, STAGES, Manifest, StageWriter, new_directory, read_stage, write_manifest
from snnir.flow.energy import estimate_build
from snnir.flow.transformation import changes_of, is_transformed, transformation_as_json
from snnir.passes.base import SNNPass
from snnir.passes.cluster.measures import Measures
from snnir.passes.cluster.metrics import ClusterMetrics
from snnir.report.energy import energy_as_json
from snnir.report.metrics import metrics_as_json, write_metrics, write_times
from snnir.report.transformation import write_transformation
from snnir.stopwatch import Stopwatch

CONVERSION = "convert-ann-to-snn"
"""The pass behind which a program takes other data than before it."""


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

    The IR is verified and written after each pass; when the last one leaves a configured machine, it is emitted. What
    passes measured is written with the time that each took.
    """
    watch = Stopwatch()
    delays: list[dict[str, Any]] = []
    with new_directory(target) as directory:
        (directory / STAGES).mkdir()
        writer = StageWriter(directory / STAGES)

        def after(previous: ModulePass | None, module: ModuleOp, following: ModulePass | None) -> None:
            if previous is not None:
                watch.lap(previous.name)
            if isinstance(previous, ClusterMetrics) and reads_late(module):
                with watch.timed("measure delays"):
                    delays.append(delays_of(module, passes))
            if not isinstance(previous, SNNPass) or previous.kept:
                _keep(previous, module, writer, watch)
            watch.mark()

        PassPipeline(tuple(passes), after).apply(ctx, module)
        writer.close()
        if any(isinstance(op, MachineOp) for op in module.body.block.ops):
            (directory / MACHINE).mkdir()
            with watch.timed("emit"):
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
        measured = [found for each in passes if isinstance(each, ClusterMetrics) for found in each.measures]
        metrics = (measured[-1], machine) if measured and machine is not None else None
        energy = _energy(directory, machine, manifest, request, watch)
        late = delays[-1] if delays else None
        write_metrics(directory, metrics_as_json(request.model, request.pipeline, metrics, energy, late))
        _report_changes(ctx, passes, request, manifest, directory, measured[-1] if measured else None, watch)
        write_times(directory, watch.total, watch.seconds)
    return manifest


def _keep(previous: ModulePass | None, module: ModuleOp, writer: StageWriter, watch: Stopwatch) -> None:
    """Verify the IR after a pass and write it as a stage."""
    with watch.timed("verify"):
        module.verify()
    with watch.timed("write stages"):
        if previous is None:
            writer.write(module, "import")
        elif isinstance(previous, SNNPass):
            writer.write(module, previous.name, lossy=previous.lossy, statistics=dict(previous.statistics))
        else:
            writer.write(module, previous.name)


def _energy(
    directory: Path, machine: Machine | None, manifest: Manifest, request: Request, watch: Stopwatch
) -> dict[str, Any] | None:
    """What an inference takes, where the platform says what its parts take and there are data for the machine."""
    data = None if any(stage.name == CONVERSION for stage in manifest.stages) else request.data
    if machine is None or machine.energy is None or data is None or not (directory / MACHINE).is_dir():
        return None
    with watch.timed("estimate energy"):
        return energy_as_json(estimate_build(machine, directory / MACHINE, Path(data), request.samples))


def _report_changes(
    ctx: Context,
    passes: Sequence[ModulePass],
    request: Request,
    manifest: Manifest,
    directory: Path,
    measures: Measures | None,
    watch: Stopwatch,
) -> None:
    """Write what passes changed in the network, if any did."""
    changes = changes_of(passes)
    if not changes:
        return
    stages = {stage.name: stage for stage in manifest.stages}
    first, last = (read_stage(directory, stage, ctx) for stage in (manifest.stages[0], stages[changes[-1][0]]))
    data = None if request.data is None else (Path(request.data), request.samples)
    crossbars = None if measures is None else Counter(name for each in measures.crossbars for name in set(each.slices))
    counted = stages[CONVERSION].statistics if CONVERSION in stages else {}
    with watch.timed("compare") if is_transformed(changes) else nullcontext():
        write_transformation(directory, transformation_as_json(changes, first, last, data, crossbars, counted))
