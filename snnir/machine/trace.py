"""Traces: a CSV file with a row per firing, for Gantt charts."""

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from snnir.machine.parts import Configuration
from snnir.machine.timing import Timing

COLUMNS = ("actor", "firing", "start", "end", "resource")
Row = tuple[str, int, int, int, str]
"""The actor; for which iteration (step) it fires, from 0; start and end, in the unit of the times; the crossbar or tile
that it shares with others, "" for none."""


def trace(configuration: Configuration, timing: Timing) -> Iterator[Row]:
    """The firings of all slices in a run."""
    crossbars = {part.name: crossbar.name for crossbar in configuration.crossbars for part in crossbar.slices}
    for name, (starts, ends) in timing.firings.items():
        for step, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            yield name, step, start, end, crossbars[name]


def _place(row: Row) -> tuple[int, str, str, int]:
    actor, firing, start, _, resource = row
    return start, resource, actor, firing


def write_trace(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows by start, then resource, actor and firing; whole or not at all. Raises `OSError`."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(sorted(rows, key=_place))
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
