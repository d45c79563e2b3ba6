"""Platforms for binding: tiles with one processor each, and connections between them, as in SDF3's architecture graphs.

Stuijk, "Predictable mapping of streaming applications on multiprocessors", PhD thesis, TU Eindhoven, 2007, chapter 5.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property


class ScheduleError(ValueError):
    """A binding, schedule or share of a wheel that cannot be: malformed, or no such thing exists."""


@dataclass(frozen=True)
class Tile:
    """A processor of type `processor`, its memory and its network interface; None: not limited.

    `wheel`: length of its time-division wheel in time units; None when one application has the processor to itself.
    `memory`: size in bits. `connections`: how many inter-tile channels the network interface serves.
    `input_bandwidth`, `output_bandwidth`: bits per time unit.
    """

    name: str
    processor: str
    wheel: int | None = None
    memory: int | None = None
    connections: int | None = None
    input_bandwidth: int | None = None
    output_bandwidth: int | None = None

    def __post_init__(self) -> None:
        least = {"wheel": 1, "memory": 0, "connections": 0, "input_bandwidth": 0, "output_bandwidth": 0}
        for field, minimum in least.items():
            value: int | None = getattr(self, field)
            if value is not None and value < minimum:
                raise ScheduleError(f"{field} of tile {self.name} is {value}; it must be at least {minimum}")


@dataclass(frozen=True)
class Connection:
    """A way from tile `source` to tile `target` on which data takes `delay` (>= 0) time units."""

    name: str
    source: str
    target: str
    delay: int = 0


@dataclass(frozen=True)
class Architecture:
    """Tiles and the connections between them. Raises `ScheduleError` for unknown tiles and for two of one name.

    Names of connections may be repeated: in published files they are.
    """

    name: str
    tiles: tuple[Tile, ...]
    connections: tuple[Connection, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "tiles", tuple(self.tiles))
        object.__setattr__(self, "connections", tuple(self.connections))
        repeated = [name for name, count in Counter(each.name for each in self.tiles).items() if count > 1]
        if repeated:
            raise ScheduleError(f"several tiles are named {repeated[0]}")
        for each in self.connections:
            for end in (each.source, each.target):
                if end not in self.index:
                    raise ScheduleError(f"connection {each.name} names the unknown tile {end}")
            if each.delay < 0:
                raise ScheduleError(f"the delay of connection {each.name} is {each.delay}; it cannot be negative")

    @cached_property
    def index(self) -> dict[str, int]:
        """The number of each tile."""
        return {tile.name: number for number, tile in enumerate(self.tiles)}

    @cached_property
    def fastest(self) -> dict[tuple[str, str], Connection]:
        """The connection of least delay, the first of several, between each pair of tiles that has any."""
        found: dict[tuple[str, str], Connection] = {}
        for each in self.connections:
            ends = each.source, each.target
            if ends not in found or each.delay < found[ends].delay:
                found[ends] = each
        return found

    def tile(self, name: str) -> Tile:
        """The tile of that name; `ScheduleError` when there is none."""
        if name not in self.index:
            raise ScheduleError(f"there is no tile {name} in architecture {self.name}")
        return self.tiles[self.index[name]]
