"""What the cells of a machine's crossbars are made of: a part of the machine of `snnir.dialects.platform`."""

from dataclasses import dataclass

CONVERTER_BITS = 16
"""Bits that a conversion has at most."""


@dataclass(frozen=True)
class Device:
    """The resistive cells of the crossbars and the wires between them: what `snnc analog` reads.

    Spreads and noise are standard deviations in shares of the whole range, 1/r_on - 1/r_off.
    """

    levels: int
    """Conductances that a cell can be set to, evenly spaced."""
    r_on: float
    """Ohm at the last level."""
    r_off: float
    """Ohm at level 0."""
    variation: float = 0.0
    """Spread of a programmed conductance."""
    stuck_on: float = 0.0
    """Share of cells that have the last level whatever they are set to."""
    stuck_off: float = 0.0
    """Share of cells that have level 0 whatever they are set to."""
    read_noise: float = 0.0
    """Spread of a conductance from one read to the next."""
    wire: float = 0.0
    """Ohm of a segment of a word or bit line, from one cell to the next."""

    def problem(self, held: int | None = None) -> str | None:
        """What makes this no device (for cells that hold so many bits), in words; `None` when nothing does."""
        if self.levels < 2:
            return "device.levels must be at least 2"
        if held is not None and self.levels != 1 << held:
            return f"device.levels is {self.levels}, but a cell that holds {held} bits needs {1 << held}"
        if not 0 < self.r_on < self.r_off:
            return "device.r_on must be above 0 and below device.r_off"
        for name in ("variation", "read_noise", "wire"):
            if getattr(self, name) < 0:
                return f"device.{name} must not be negative"
        if min(self.stuck_on, self.stuck_off) < 0 or self.stuck_on + self.stuck_off > 1:
            return "device.stuck_on and device.stuck_off are shares of all cells"
        return None
