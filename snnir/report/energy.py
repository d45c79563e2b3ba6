"""Energy and latency of an inference, as plain values and as lines of text."""

from typing import Any

from snnir.energy import Estimate

_NAMES = {
    "synapse": "synapses",
    "event": "spikes in",
    "read": "reads",
    "convert": "conversions",
    "add": "additions",
    "update": "updates",
    "idle": "idle updates",
    "spike": "spikes out",
    "delay": "delay memory",
    "hop_x": "hops in x",
    "hop_y": "hops in y",
    "hop_chip": "hops between chips",
}
_PREFIXES = ((1e12, ""), (1e9, "m"), (1e6, "u"), (1e3, "n"), (1.0, "p"))


def energy_as_json(found: Estimate | None) -> dict[str, Any] | None:
    """The estimate as `metrics.json` has it; energies in picojoule per inference."""
    if found is None:
        return None
    return {
        "samples": found.samples,
        "steps": found.steps,
        "seconds": found.seconds,
        "simulated": found.simulated,
        "dynamic": found.dynamic,
        "static": found.static,
        "total": found.total,
        "components": [vars(each) for each in found.components],
        "populations": dict(found.populations),
        "tiles": [{**vars(each), "tile": list(each.tile)} for each in found.tiles],
        "unstated": list(found.unstated),
    }


def energy_lines(found: dict[str, Any]) -> list[str]:
    """Energy and latency per inference, where most of it goes, and what the platform does not state."""
    static = f" + {joule(found['static'])} static" if found["static"] is not None else ""
    lines = [f"energy     {joule(found['dynamic'])}{static} per inference of {found['steps']} steps"]
    largest = sorted(found["components"], key=lambda each: -each["energy"])
    shown = [f"{_NAMES[each['name']]} {joule(each['energy'])}" for each in largest[:4] if each["energy"]]
    lines += [f"           {', '.join(shown)}"] if shown else []
    if found["unstated"]:
        lines.append(f"           not stated, not counted: {', '.join(_NAMES[name] for name in found['unstated'])}")
    if found["seconds"] is not None:
        how = "simulated with real spikes" if found["simulated"] else "guaranteed"
        lines.append(f"latency    {1e6 * found['seconds']:,.2f} us per inference, {how}")
    return lines


def joule(picojoule: float) -> str:
    """An energy with three digits and a prefix."""
    scale, prefix = next((each for each in _PREFIXES if picojoule >= each[0]), _PREFIXES[-1])
    return f"{picojoule / scale:.3g} {prefix}J"
