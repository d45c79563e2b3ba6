"""What run time finds, as plain values for JSON."""

from typing import TYPE_CHECKING, Any

import numpy as np

from snnir.machine.parts import UNIT_SECONDS
from snnir.runtime.admission import Offer
from snnir.runtime.floor import floor_of
from snnir.runtime.manager import Migration, Moved
from snnir.runtime.platform import Platform
from snnir.runtime.state import FAULTY, FREE, RESERVED, Resident, State, Unknown

if TYPE_CHECKING:
    from snnir.runtime.replay import Outcome  # loads the simulator


def crossbar_as_json(platform: Platform, number: int) -> list[int]:
    """[x, y, n]: crossbar n of tile [x, y]."""
    tile, within = divmod(number, platform.machine.crossbars_per_tile)
    return [*floor_of(platform).tile(tile), within]


def crossbar_number(platform: Platform, x: int, y: int, n: int) -> int:
    """The number of crossbar n of tile x, y, counted from 0. Raises `Unknown` when the machine has none."""
    machine = platform.machine
    if x >= machine.mesh[0] or y >= machine.mesh[1] or n >= machine.crossbars_per_tile:
        sizes = f"{machine.mesh[0]}x{machine.mesh[1]} tiles of {machine.crossbars_per_tile} crossbars"
        raise Unknown(f"{x},{y},{n}", "there is no such crossbar", f"the machine has {sizes}, counted from 0")
    return (y * machine.mesh[0] + x) * machine.crossbars_per_tile + n


def resident_as_json(platform: Platform, resident: Resident) -> dict[str, Any]:
    """A resident: where it is, and what is guaranteed."""
    unit = UNIT_SECONDS[platform.machine.time.unit]
    return {
        "name": resident.name,
        "package": resident.package,
        "crossbars": [crossbar_as_json(platform, number) for number in resident.crossbars.tolist()],
        "links": len(resident.links),
        "steps_per_second": float(1 / (resident.period * unit)),
        "period_seconds": float(resident.period * unit),
        "latency_seconds": float(resident.latency * unit),
        "period": str(resident.period),
        "latency": str(resident.latency),
    }


def offer_as_json(platform: Platform, offer: Offer) -> dict[str, Any]:
    """An offer: the resident, and what sets its throughput."""
    return {**resident_as_json(platform, offer.resident), "critical": list(offer.critical)}


def moved_as_json(platform: Platform, moved: Moved | None) -> dict[str, Any] | None:
    """What became of an application that had to leave its place."""
    if moved is None:
        return None
    offer = None if moved.offer is None else offer_as_json(platform, moved.offer)
    return {"name": moved.name, "now": offer, "refused": None if moved.refusal is None else moved.refusal.message}


def migration_as_json(platform: Platform, move: Migration) -> dict[str, Any]:
    """A move, and its cost."""
    now = offer_as_json(platform, move.offer)
    return {"name": move.before.name, "crossbars": move.crossbars, "cells": move.cells, "now": now}


def state_as_json(state: State) -> dict[str, Any]:
    """Who is on a machine, and the links that are fullest."""
    platform, floor = state.platform, floor_of(state.platform)
    room = state.room
    busiest = np.argsort(-state.flows, kind="stable")[:10].tolist()
    links = [
        {"link": floor.name(link), "flows": int(state.flows[link]), "room": int(room[link])}
        for link in busiest
        if state.flows[link]
    ]
    marked = {
        name: [crossbar_as_json(platform, number) for number in np.flatnonzero(state.owner == mark).tolist()]
        for name, mark in (("faulty", FAULTY), ("reserved", RESERVED))
    }
    return {
        "platform": platform.machine.name,
        "crossbars": len(state.owner),
        "free": int(np.count_nonzero(state.owner == FREE)),
        **marked,
        "applications": [resident_as_json(platform, each) for each in state.residents.values()],
        "busiest_links": links,
    }


def outcome_as_json(platform: Platform, outcome: "Outcome") -> dict[str, Any]:
    """What a replay found: how many were admitted, how long that took, what was promised and what was seen."""
    seconds = np.array(outcome.seconds or [0.0])
    seen = [float(stay.simulated / stay.period) for stay in outcome.stays if stay.simulated is not None]
    free = np.array([count for _, count, _ in outcome.free] or [0])
    square = np.array([count for _, _, count in outcome.free] or [0])
    return {
        "arrived": outcome.arrived,
        "admitted": outcome.admitted,
        "acceptance": outcome.admitted / outcome.arrived if outcome.arrived else None,
        "refused_for": dict(sorted(outcome.reasons.items())),
        "moved": outcome.moved,
        "evicted": outcome.evicted,
        "admission_seconds": {
            "median": float(np.median(seconds)),
            "p90": float(np.quantile(seconds, 0.9)),
            "most": float(seconds.max()),
        },
        "stays": len(outcome.stays),
        "steps": sum(stay.steps for stay in outcome.stays),
        "late_steps": outcome.late,
        "guaranteed_part": {"mean": float(np.mean(seen)), "most": max(seen)} if seen else None,
        "crossbars": platform.crossbars,
        "free": {"mean": float(free.mean()), "least": int(free.min())},
        "largest_square": {"mean": float(square.mean()), "part_of_free": float(square.sum() / max(1, free.sum()))},
        "broken": outcome.broken,
    }


def outcome_as_text(found: dict[str, Any]) -> str:
    """The same in words."""
    times, part = found["admission_seconds"], found["guaranteed_part"]
    refused = ", ".join(f"{count} for {kind}" for kind, count in found["refused_for"].items()) or "none"
    lines = [
        f"admitted   {found['admitted']:,} of {found['arrived']:,} arrivals; refused: {refused}",
        f"failures   {found['moved']} applications moved, {found['evicted']} had to leave",
        f"admission  {1e3 * times['median']:.1f} ms (median), {1e3 * times['p90']:.1f} ms (90 %),"
        f" {1e3 * times['most']:.1f} ms (most)",
        f"steps      {found['steps']:,}, {found['late_steps']} later than promised",
        f"free       {found['free']['mean']:.1f} of {found['crossbars']} crossbars on average,"
        f" {found['largest_square']['part_of_free']:.0%} of them in one square",
    ]
    if part is not None:
        lines.append(
            f"promised   {part['mean']:.0%} of the simulated throughput on average, {part['most']:.0%} at most"
        )
    lines += [f"BROKEN     {each}" for each in found["broken"][:10]]
    return "\n".join(lines)
