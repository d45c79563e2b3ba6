"""Pictures of a machine: who has which crossbar, and how full links are, as text and as SVG."""

from collections.abc import Mapping
from string import ascii_letters
from xml.sax.saxutils import escape

import numpy as np

from snnir.machine.parts import UNIT_SECONDS
from snnir.runtime.floor import Floor, floor_of
from snnir.runtime.state import ENDLESS, FAULTY, FREE, RESERVED, State

WIDEST = 160
"""Characters in a line of the map; on wider machines a tile is one character."""
SIGNS: dict[int, str] = {FREE: ".", FAULTY: "x", RESERVED: "-"}
LISTED = 5
"""Links that the text names."""
COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#76b7b2", "#edc948", "#ff9da7", "#9c755f", "#86bcb6", "#d37295")
PLAIN: dict[int, str] = {FREE: "#ffffff", FAULTY: "#222222", RESERVED: "#c8c8c8"}


def as_text(state: State) -> str:
    """A map of the tiles, a line per application, and the fullest links."""
    machine, floor = state.platform.machine, floor_of(state.platform)
    letters = _letters(state)
    free = int(np.count_nonzero(state.free))
    head = f"machine    {machine.name}: {len(state.owner)} crossbars, {free} free"
    lines = [head, *_map(state, letters)]
    unit = UNIT_SECONDS[machine.time.unit]
    for each in state.residents.values():
        rate, late = float(1 / (each.period * unit)), float(each.latency * unit)
        name = f"{letters[each.number]}  {each.name}"
        lines.append(f"{name:24} {len(each.crossbars):6} crossbars {rate:14,.0f} steps/s, latency {late:.4g} s")
    room = state.room
    for link in np.argsort(-state.flows, kind="stable")[:LISTED].tolist():
        if state.flows[link]:
            lines.append(f"link       {floor.name(link)}: {state.flows[link]} flows, room for {room[link]}")
    return "\n".join(lines)


def _letters(state: State) -> dict[int, str]:
    """A sign for each resident, by its number."""
    return {number: ascii_letters[n % len(ascii_letters)] for n, number in enumerate(_numbers(state))}


def _numbers(state: State) -> list[int]:
    return sorted(each.number for each in state.residents.values())


def _map(state: State, letters: dict[int, str]) -> list[str]:
    """Rows of tiles; of each tile its crossbars, or on wide machines the one that most of them have."""
    width, height = state.platform.machine.mesh
    per_tile = state.platform.machine.crossbars_per_tile
    signs = [(SIGNS | letters)[owner] for owner in state.owner.tolist()]
    tiles = ["".join(signs[n : n + per_tile]) for n in range(0, len(signs), per_tile)]
    if width * (per_tile + 1) > WIDEST:
        tiles = [max(sorted(set(tile)), key=tile.count) for tile in tiles]
    gap = " " if len(tiles[0]) > 1 else ""
    rows = [gap.join(tiles[y * width : (y + 1) * width]) for y in range(height)]
    return [row[n : n + WIDEST] for row in rows for n in range(0, len(row), WIDEST)]


SIDE = 36
"""Pixels of a tile; as much again lies between tiles, where links are drawn."""


def as_svg(state: State) -> str:
    """Tiles with their crossbars in the colours of their applications, and links, darker the fuller they are.

    A link is full when it has as many flows as the guarantees of those that use it allow.
    """
    floor = floor_of(state.platform)
    colours = {number: COLOURS[n % len(COLOURS)] for n, number in enumerate(_numbers(state))}
    names = {each.number: each.name for each in state.residents.values()}
    width, height = state.platform.machine.mesh
    size = 2 * SIDE * width + SIDE, 2 * SIDE * height + SIDE + 20 * (len(names) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
        f'viewBox="0 0 {size[0]} {size[1]}" font-family="sans-serif" font-size="13">',
        f'<rect width="{size[0]}" height="{size[1]}" fill="#fbfbfb"/>',
        *_links(state, floor),
        *_tiles(state, floor, PLAIN | colours, names),
        *_legend(names, colours, 2 * SIDE * height + SIDE),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _corner(floor: Floor, tile: int) -> tuple[int, int]:
    x, y = floor.tile(tile)
    return SIDE + 2 * SIDE * x, SIDE + 2 * SIDE * y


def _tiles(state: State, floor: Floor, colours: Mapping[int, str], names: Mapping[int, str]) -> list[str]:
    per_tile = state.platform.machine.crossbars_per_tile
    across = int(np.ceil(np.sqrt(per_tile)))
    side = SIDE / across
    parts: list[str] = []
    words = {FREE: "free", FAULTY: "faulty", RESERVED: "reserved", **names}
    for number, owner in enumerate(state.owner.tolist()):
        tile, within = divmod(number, per_tile)
        left, top = _corner(floor, tile)
        x, y = left + side * (within % across), top + side * (within // across)
        title = escape(f"{floor.tile(tile)} crossbar {within}: {words[owner]}")
        parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" fill="{colours[owner]}" '
            f'stroke="#888888" stroke-width="0.6"><title>{title}</title></rect>'
        )
    left, top = _corner(floor, floor.host)
    parts.append(f'<text x="{left}" y="{top - 6}" fill="#333333">host</text>')
    return parts


def _links(state: State, floor: Floor) -> list[str]:
    """Lines between tiles; a tree's routers stand on no tiles, its links are left to the text."""
    if floor.machine.arity:
        return []
    parts: list[str] = []
    room, steps = state.room, ((1, 0), (-1, 0), (0, 1), (0, -1))
    for link in np.flatnonzero(state.flows[floor.between :]).tolist():
        side, tile = divmod(link, floor.tiles)
        number, (dx, dy) = floor.between + link, steps[side]
        left, top = _corner(floor, tile)
        # the two directions lie beside each other
        x = left + SIDE / 2 + dx * SIDE / 2 + dy * 5
        y = top + SIDE / 2 + dy * SIDE / 2 - dx * 5
        flows, most = int(state.flows[number]), int(room[number])
        full = flows / most if most < ENDLESS else 0.0
        shade = round(200 - 170 * full)
        title = escape(f"{floor.name(number)}: {flows} flows, room for {most}")
        parts.append(
            f'<line x1="{x:g}" y1="{y:g}" x2="{x + dx * SIDE:g}" y2="{y + dy * SIDE:g}" '
            f'stroke="rgb({220 if full >= 1 else shade},{shade},{shade})" '
            f'stroke-width="{1 + 5 * min(1.0, full):.2f}"><title>{title}</title></line>'
        )
    return parts


def _legend(names: Mapping[int, str], colours: Mapping[int, str], top: int) -> list[str]:
    parts: list[str] = []
    for row, (number, name) in enumerate(sorted(names.items())):
        y = top + 20 * row
        parts.append(f'<rect x="{SIDE}" y="{y}" width="14" height="14" fill="{colours[number]}" stroke="#888888"/>')
        parts.append(f'<text x="{SIDE + 20}" y="{y + 12}" fill="#222222">{escape(name)}</text>')
    return parts
