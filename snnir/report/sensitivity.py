"""The table of `snnc sensitivity` as text, and as plain values (`sensitivity.schema.json`)."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from snnir.flow.sensitivity import Fit, Question, Row, Sensitivity
from snnir.report.transformation import share_as_text

FORMAT = "snnir-sensitivity"
VERSION = 1
_WIDTH = 16


def head_lines(model: str, work: Sensitivity, question: Question) -> list[str]:
    """What is varied, the network as it was, and the heads of the columns."""
    signals = "spikes" if work.signals is None else f"signals of {work.signals} bits"
    lines = [
        f"network    {model} on crossbars of '{question.machine.name}': {signals}, {work.reference.samples} samples"
    ]
    found = work.reference.accuracy
    measure = "same class" if found is None else "accuracy"
    if found is not None:
        lines.append(f"accuracy   {share_as_text(asdict(found))} before")
    sizes = "".join(f"{f'{size}x{size}':>{_WIDTH}}" for size in question.sizes)
    return [*lines, f"bits  {measure:28}{'seconds':>9}{sizes}"]


def row_line(row: Row, available: int) -> str:
    """One row: its accuracy, the seconds of the transformation, and for each size crossbars and seconds."""
    share = row.compared.after or row.compared.agreement
    assert share is not None
    fits = "".join(f"{_fit(each, available):>{_WIDTH}}" for each in row.fits)
    return f"{row.bits:4}  {share_as_text(asdict(share)):28}{row.seconds:9.2f}{fits}"


def note_lines(row: Row, available: int) -> Iterator[str]:
    """What `-` and `*` mean here."""
    for fit in row.fits:
        if fit.reason is not None:
            yield f"-: {fit.size}x{fit.size}: {fit.reason}"
        elif fit.crossbars is not None and fit.crossbars > available:
            yield f"*: the machine has {available} crossbars"


def _fit(fit: Fit, available: int) -> str:
    if fit.crossbars is None:
        return "-"
    return f"{fit.crossbars}{'*' if fit.crossbars > available else ''} ({fit.seconds:.2f} s)"


def row_as_json(row: Row) -> dict[str, Any]:
    """A row as plain values."""
    shares = {"accuracy": row.compared.after, "agreement": row.compared.agreement}
    plain = {name: None if share is None else asdict(share) for name, share in shares.items()}
    return {"bits": row.bits, **plain, "seconds": row.seconds, "sizes": [asdict(each) for each in row.fits]}


def table_as_json(model: str, work: Sensitivity, question: Question, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The table as plain values."""
    before = work.reference.accuracy
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": model,
        "machine": question.machine.name,
        "crossbars_of_machine": question.machine.crossbars,
        "data": str(question.data),
        "calibration": str(question.calibration),
        "samples": work.reference.samples,
        "signal_bits": work.signals,
        "accuracy": None if before is None else asdict(before),
        "rows": list(rows),
    }
