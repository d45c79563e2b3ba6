"""`transformation.json` of a build directory (`transformation.schema.json`): what passes changed in the network.

Layer by layer, with what that cost.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from math import isinf
from pathlib import Path
from typing import Any

from snnir.report.changes import LayerChange
from snnir.report.stored import read_stored

FILE = "transformation.json"
FORMAT = "snnir-transformation"
VERSION = 1
SHOWN = 24
"""Changes that the text lists; the file has all."""


def changes_as_json(changes: Iterable[tuple[str, LayerChange]]) -> list[dict[str, Any]]:
    """Changes with the passes that made them, as plain values."""
    return [{"pass": name, **_change(change)} for name, change in changes]


def decibel_as_json(level: float | None) -> dict[str, Any]:
    """A signal-to-noise ratio: JSON has no infinity, so what is equal says that."""
    equal = level is not None and isinf(level) and level > 0
    return {"sqnr": None if level is None or isinf(level) else level, "equal": equal}


def _change(change: LayerChange) -> dict[str, Any]:
    said = {"layer": change.layer, "place": change.place, "change": change.change}
    return {**said, **decibel_as_json(change.sqnr), "bits": change.bits}


def write_transformation(directory: Path, content: Mapping[str, Any]) -> None:
    """Write the file."""
    (directory / FILE).write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_transformation(directory: Path) -> dict[str, Any] | None:
    """The content of the file; `None` where no pass changed the network. Raises `SnnirError` when it is damaged."""
    return read_stored(directory / FILE, FORMAT, VERSION, "the report of changes is damaged")


def transformation_lines(found: Mapping[str, Any], seconds: Mapping[str, float]) -> list[str]:
    """The content as text; nothing where all weights and signals are as they were."""
    changes: Sequence[dict[str, Any]] = found["changes"]
    if all(each["equal"] for each in changes):
        return []
    names = list(dict.fromkeys(each["pass"] for each in changes))
    took = [f"{name} {seconds[name]:.2f} s" if name in seconds else name for name in names]
    lines = [f"changed    by {', '.join(took)}", *_layers(found["layers"])]
    width = max(len(each["layer"]) for each in changes[:SHOWN])
    for each in changes[:SHOWN]:
        lines.append(f"           {each['layer']:{width}}  {each['change']}{_level(each, ' ({})')}")
    if len(changes) > SHOWN:
        lines.append(f"           and {len(changes) - SHOWN} more in {FILE}")
    return lines + accuracy_lines(found["accuracy"])


def _layers(layers: Sequence[dict[str, Any]]) -> list[str]:
    if not layers:
        return []
    head = f"  {'layer':24}{'neurons':>8}{'SQNR':>11}{'weights':>10}{'signals':>10}{'crossbars':>11}"
    lines = [head]
    for each in layers:
        bits = [f"{each[key]} bits" if each[key] else "" for key in ("weight_bits", "signal_bits")]
        crossbars = "" if each["crossbars"] is None else each["crossbars"]
        level = _level(each, "{}") or "-"
        lines.append(f"  {each['name'][:24]:24}{each['neurons']:8}{level:>11}{bits[0]:>10}{bits[1]:>10}{crossbars:>11}")
    return lines


def _level(entry: Mapping[str, Any], form: str) -> str:
    if entry["equal"]:
        return form.format("exact")
    return "" if entry["sqnr"] is None else form.format(f"{entry['sqnr']:.1f} dB")


def accuracy_lines(accuracy: Mapping[str, Any] | None) -> list[str]:
    """What became of the labels, with the interval in which the share is with 95 % confidence."""
    if accuracy is None:
        return []
    count = f"of {accuracy['samples']} samples"
    lines: list[str] = []
    if accuracy["before"] is not None:
        before, after = share_as_text(accuracy["before"]), share_as_text(accuracy["after"])
        lines.append(f"accuracy   {before} before, {after} after, {count}")
    if accuracy["agreement"] is not None:
        lines.append(f"           {share_as_text(accuracy['agreement'])} have the same class as before")
        if not lines[1:]:
            lines = [f"agreement  {share_as_text(accuracy['agreement'])} {count} have the same class as before"]
    return lines


def share_as_text(share: Mapping[str, float]) -> str:
    """A share and its interval."""
    return f"{share['share']:.2%} ({share['low']:.1%} to {share['high']:.1%})"
