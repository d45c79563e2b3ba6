"""What a training gave, as lines of text; as plain values it is `training.json` (`training.schema.json`)."""

from collections.abc import Mapping, Sequence
from typing import Any

from snnir.report.transformation import share_as_text

FORMAT = "snnir-training"
VERSION = 1
FILE = "training.json"
_HEAD = f"{'stage':18}{'epochs':>7}{'synapses':>10}  {'validation':28}{'spikes':>10}"


def head_lines(found: Mapping[str, Any]) -> list[str]:
    """What is trained with what, and the heads of the columns of `stage_line`."""
    samples = found["samples"]
    counts = [f"{samples[name]:,} to {what}" for name, what in _USES.items() if samples[name]]
    lines = [f"training   @{found['program']}: {', '.join(counts)}; {samples['steps']} steps"]
    if found["machine"] is not None:
        lines.append(f"machine    '{found['machine']}'")
    return [*lines, _HEAD]


_USES = {"train": "train with", "validation": "validate with", "test": "test with"}


def stage_line(stage: Mapping[str, Any]) -> str:
    """One stage: its epochs, the synapses that are left, accuracy in validation, spikes of an inference."""
    share = "-" if stage["validation"] is None else share_as_text(stage["validation"])
    epochs = stage["epochs"] or "-"
    return f"{stage['name'][:17]:18}{epochs:>7}{stage['synapses']:>10,}  {share:28}{_spikes(stage):>10}"


def problem_lines(stage: Mapping[str, Any]) -> list[str]:
    """Which limits of the machine a program breaks."""
    return [f"  does not fit: {problem}" for problem in stage["problems"]]


def result_lines(found: Mapping[str, Any]) -> list[str]:
    """Accuracy on the test samples after each stage and on the machine, and delay memories side by side."""
    stages: Sequence[Mapping[str, Any]] = found["stages"]
    deployed = found["deployed"]
    lines: list[str] = []
    if any(stage["test"] is not None for stage in stages):
        lines.append("on the test samples:")
        lines += [f"  {stage['name'][:16]:18}{share_as_text(stage['test'])}" for stage in stages]
    if deployed is not None and deployed["test"] is not None:
        lines.append(f"  {'deployed':18}{share_as_text(deployed['test'])}")
    late = [stage for stage in stages if any(stage["delay_memory"].values())]
    if late:
        kinds = list(late[0]["delay_memory"])
        lines.append("entries of delay memories when all neurons fire:" + "".join(f"{kind:>11}" for kind in kinds))
        for stage in late:
            lines.append(f"  {stage['name'][:44]:46}" + "".join(f"{stage['delay_memory'][k]:11,}" for k in kinds))
    if deployed is not None:
        lines += _deployed_lines(deployed)
    return lines


def _deployed_lines(deployed: Mapping[str, Any]) -> list[str]:
    equal = "as the program" if not deployed["different"] else f"{deployed['different']:,} spikes unlike the program"
    lines = [f"machine    {deployed['clusters']} crossbars; {equal}, of {deployed['samples']} samples"]
    if deployed["steps_per_second"] is not None:
        lines.append(f"guarantee  {deployed['steps_per_second']:,.0f} steps per second")
    return lines


def _spikes(stage: Mapping[str, Any]) -> str:
    return f"{sum(stage['spikes'].values()):,.1f}"
