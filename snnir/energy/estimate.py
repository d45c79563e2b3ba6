"""Operations times what each takes: energy per inference, by component, by population and by tile."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from snnir.energy.activity import HOPS, OPERATIONS, Item
from snnir.machine.parts import Tile


@dataclass(frozen=True)
class Prices:
    """What a machine takes."""

    operations: Mapping[str, int]
    """Femtojoule of one operation, by its name (`OPERATIONS`, `HOPS`); 0 or absent: not stated."""
    static: int = 0
    """Nanowatt of a crossbar in use; 0: not stated."""


@dataclass(frozen=True)
class Component:
    """One kind of operation."""

    name: str
    count: float
    """Operations per inference."""
    energy: float
    """Picojoule per inference."""


@dataclass(frozen=True)
class TileEnergy:
    """One tile, or a router without one."""

    tile: Tile
    dynamic: float
    """Picojoule per inference."""
    static: float | None
    """Picojoule per inference; None where no time or no power is known."""


@dataclass(frozen=True)
class Estimate:
    """Energy per inference, on average over the inferences of a run, in picojoule."""

    samples: int
    """Inferences that were run."""
    steps: int
    """Steps of each."""
    components: tuple[Component, ...]
    """In the order of `OPERATIONS` and `HOPS`, those that occurred."""
    populations: Mapping[str, float]
    """Dynamic energy by population, and of inputs that of their spikes' ways."""
    tiles: tuple[TileEnergy, ...]
    """Row by row."""
    static: float | None
    """Of all crossbars in use; None where no time or no power is known."""
    seconds: float | None
    """Time of an inference, for which static power is taken."""
    simulated: bool
    """Whether that is the time with the spikes of these inferences, and not the guaranteed one."""
    unstated: tuple[str, ...]
    """Operations that occurred and of which the platform does not say what they take; counted as nothing."""

    @property
    def dynamic(self) -> float:
        """All but static energy."""
        return sum(each.energy for each in self.components)

    @property
    def total(self) -> float:
        """Dynamic energy, and static energy where it is known."""
        return self.dynamic + (self.static or 0.0)


def estimate(
    items: Sequence[Item],
    prices: Prices,
    crossbars: Mapping[Tile, int],
    samples: int,
    steps: int,
    seconds: float | None = None,
    *,
    simulated: bool = False,
) -> Estimate:
    """Price the operations of a run of `samples` inferences.

    `crossbars` has how many are in use on each tile; `seconds` is the time of one inference, `simulated`
    or guaranteed.
    """
    counts, populations, tiles = Counter[str](), Counter[str](), Counter[Tile]()
    for item in items:
        energy = item.count * prices.operations.get(item.operation, 0)
        counts[item.operation] += item.count
        populations[item.population] += energy
        tiles[item.tile] += energy
    power = None if seconds is None or not prices.static else 1e3 * prices.static * seconds
    names = [name for name in (*OPERATIONS, *HOPS) if counts[name]]
    found = [
        TileEnergy(tile, _per(tiles[tile], samples), None if power is None else power * crossbars.get(tile, 0))
        for tile in sorted({*tiles, *crossbars}, key=lambda tile: (tile[1], tile[0]))
    ]
    return Estimate(
        samples,
        steps,
        tuple(
            Component(name, counts[name] / samples, _per(counts[name] * prices.operations.get(name, 0), samples))
            for name in names
        ),
        {name: _per(energy, samples) for name, energy in sorted(populations.items())},
        tuple(found),
        None if power is None else power * sum(crossbars.values()),
        seconds,
        simulated,
        tuple(name for name in names if not prices.operations.get(name, 0)),
    )


def _per(femtojoule: int, samples: int) -> float:
    """Picojoule per inference."""
    return femtojoule / (1000 * samples)
