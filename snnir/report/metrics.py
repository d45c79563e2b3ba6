"""`metrics.json` of a build directory (`metrics.schema.json`): what clusters are worth, crossbar by crossbar, tile by
tile, link by link. And `times.json`, how long each pass took: the one file that is not the same for the same input."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from snnir.dialects.cluster_routes import Router
from snnir.dialects.platform import Machine
from snnir.errors import SnnirError
from snnir.passes.cluster.measures import LinkLoad, Measures
from snnir.passes.dataflow.network_time import Link
from snnir.report.stored import read_stored

FILE = "metrics.json"
TIMES = "times.json"
FORMAT = "snnir-metrics"
VERSION = 1


def metrics_as_json(
    model: str,
    pipeline: str,
    measured: tuple[Measures, Machine] | None,
    energy: dict[str, Any] | None = None,
    delays: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of `metrics.json`."""
    result: dict[str, Any] = {"format": FORMAT, "version": VERSION, "model": model, "pipeline": pipeline}
    result |= {"machine": None, "totals": None, "crossbars": [], "tiles": [], "links": [], "energy": energy}
    result["delays"] = delays
    if measured is not None:
        measures, machine = measured
        result["machine"] = {
            "name": machine.name,
            "topology": machine.tiles.topology,
            "mesh": list(machine.tiles.mesh),
            "crossbars_per_tile": machine.tiles.crossbars,
            "host": list(machine.tiles.host),
            "rows": machine.crossbar.rows,
            "columns": machine.crossbar.columns,
        }
        result["totals"] = asdict(measures.metrics)
        result["crossbars"] = [asdict(each) for each in measures.crossbars]
        result["tiles"] = _tiles(measures, machine)
        result["links"] = [_link(link, load) for link, load in sorted(measures.links.items())]
    return result


def _tiles(measures: Measures, machine: Machine) -> list[dict[str, Any]]:
    """What each router and the tile at it hold and pass on; those that do neither are left out."""
    found: dict[Router, dict[str, Any]] = {}

    def of(router: Router) -> dict[str, Any]:
        empty = {
            "crossbars": 0,
            "rows": 0,
            "columns": 0,
            "weights": 0,
            "driven": 0.0,
            "flits_in": 0.0,
            "flits_out": 0.0,
        }
        return found.setdefault(router, {"router": list(router), **empty, "entries": measures.entries[router]})

    for each in measures.crossbars:
        if each.tile is not None:
            tile = of(each.tile)
            tile["crossbars"] += 1
            for name in ("rows", "columns", "weights", "driven"):
                tile[name] += getattr(each, name)
    for (kind, a, b), load in measures.links.items():
        for router, name, end in ((a, "flits_out", "inject"), (b, "flits_in", "eject")):
            tile = of(router)
            tile[name] += load.flits if kind == end else 0.0
    return [found[router] for router in sorted(found, key=lambda r: (r[1], r[0]))]


def _link(link: Link, load: LinkLoad) -> dict[str, Any]:
    kind, a, b = link
    carried = {"flows": load.flows, "values": load.values, "flits": load.flits}
    return {"kind": kind, "from": list(a), "to": list(b), **carried}


def write_metrics(directory: Path, content: Mapping[str, Any]) -> None:
    """Write the file."""
    (directory / FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_metrics(directory: Path) -> dict[str, Any] | None:
    """The content of the file; `None` where a build has none. Raises `SnnirError` when it is damaged."""
    return read_stored(directory / FILE, FORMAT, VERSION, "the metrics are damaged")


def write_times(directory: Path, total: float, parts: Mapping[str, float]) -> None:
    """Write `times.json`: seconds of the compilation, of each pass, and of what `snnc compile` does besides."""
    text = json.dumps({"total": total, "parts": dict(parts)}, indent=1)
    (directory / TIMES).write_text(text + "\n", encoding="utf-8")


def read_times(directory: Path) -> dict[str, Any] | None:
    """The content of `times.json`; `None` where a build has none. Raises `SnnirError` when it is damaged."""
    path = directory / TIMES
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return {"total": float(found["total"]), "parts": {str(k): float(v) for k, v in found["parts"].items()}}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SnnirError(path, f"the times are damaged ({error})", "compile again") from None
