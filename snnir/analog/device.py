"""A resistive cell: how many conductances it can be set to, how exactly, and what may be wrong with it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Device:
    """Cells of one kind and the wires between them.

    Levels are evenly spaced in conductance, from 1/r_off (level 0) to 1/r_on (the last). Spreads and noise are standard
    deviations in shares of the whole range, 1/r_on - 1/r_off, as CrossSim and NeuroSim state them.
    """

    levels: int
    """Conductances that a cell can be set to, 2 or more."""
    r_on: float
    """Resistance of the last level, ohm."""
    r_off: float
    """Resistance of level 0, ohm."""
    variation: float = 0.0
    """Spread of a programmed conductance."""
    stuck_on: float = 0.0
    """Share of cells that have the last level whatever they are set to."""
    stuck_off: float = 0.0
    """Share of cells that have level 0 whatever they are set to."""
    read_noise: float = 0.0
    """Spread of a conductance from one read to the next."""
    wire: float = 0.0
    """Resistance of a segment of a word or bit line from one cell to the next, ohm."""

    def __post_init__(self) -> None:
        if self.levels < 2:
            raise ValueError(f"a cell has {self.levels} levels; it needs 2 or more")
        if not 0 < self.r_on < self.r_off or not np.isfinite(self.r_off):
            raise ValueError("r_on must be positive and less than r_off")
        shares = (self.variation, self.read_noise, self.wire)
        if not (np.isfinite(shares).all() and min(shares) >= 0):
            raise ValueError("variation, read_noise and wire are not negative")
        if min(self.stuck_on, self.stuck_off) < 0 or self.stuck_on + self.stuck_off > 1:
            raise ValueError("stuck_on and stuck_off are shares of the cells")

    @property
    def low(self) -> float:
        """Conductance of level 0, siemens."""
        return 1.0 / self.r_off

    @property
    def span(self) -> float:
        """Conductance of the last level above that of level 0, siemens."""
        return 1.0 / self.r_on - self.low

    @property
    def unit(self) -> float:
        """Conductance from one level to the next, siemens."""
        return self.span / (self.levels - 1)

    def conductance(self, levels: Integers) -> Reals:
        """What cells at these levels should conduct."""
        return self.low + self.unit * np.asarray(levels, np.float64)


STUCK_OFF, WORKING, STUCK_ON = -1, 0, 1


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one crossbar as they were made: which are stuck, and how far each misses what it is set to."""

    device: Device
    faults: NDArray[np.int8]
    """(rows, columns) of STUCK_OFF, WORKING, STUCK_ON."""
    misses: Reals
    """Error of each cell when it is programmed, in shares of the range."""

    @staticmethod
    def made(device: Device, rows: int, columns: int, rng: np.random.Generator) -> "Cells":
        """A crossbar of cells, drawn at random."""
        chance = rng.random((rows, columns))
        faults = np.zeros((rows, columns), np.int8)
        faults[chance < device.stuck_on] = STUCK_ON
        faults[chance >= 1.0 - device.stuck_off] = STUCK_OFF
        return Cells(device, faults, device.variation * rng.standard_normal((rows, columns)))

    def programmed(self, targets: Reals) -> Reals:
        """What cells conduct that are set to `targets` (siemens, within the range): with their errors and faults."""
        low, span = self.device.low, self.device.span
        set_to = np.clip(targets + span * self.misses, low, low + span)
        return np.where(self.faults == WORKING, set_to, np.where(self.faults == STUCK_ON, low + span, low))
