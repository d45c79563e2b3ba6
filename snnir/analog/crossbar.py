"""A crossbar that is programmed and read: what it makes of integer weights and whole numbers on its rows.

Ideal is `rows @ weights`, exactly. What a real one says instead: every column's current is the sum of voltages times
conductances (with the errors of the cells and what the wires take), a converter turns it into a whole number of its
levels, digits are shifted and added, pairs subtracted, and the current of level 0 cancels within a pair.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snnir.analog.columns import digits_of, gathered, spread
from snnir.analog.compensation import answered, lifted
from snnir.analog.device import Cells, Device
from snnir.analog.nodal import approximate, effective

Reals = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Effects:
    """What is modelled; everything by default."""

    cells: bool = True
    """Spread of programmed conductances, and stuck cells."""
    wires: bool = True
    """Voltage that word and bit lines drop."""
    noise: bool = True
    """Spread from one read to the next."""
    converter: bool = True
    """The levels of the converters."""
    exact_wires: bool = True
    """Wires by Kirchhoff's law; else to first order (`snnir.analog.nodal.approximate`)."""
    compensate: bool = True
    """Program so as to take back stuck cells and wires (`snnir.analog.compensation`)."""


@dataclass(frozen=True, eq=False)
class Crossbar:
    """Weights on cells. Make one with `programmed`."""

    device: Device
    digits: int
    conductances: Reals
    """(rows, outputs * digits * 2), siemens: what the columns see, wires included."""
    effects: Effects
    converter_bits: int = 0
    """Bits of a conversion; 0: exact."""
    full_scale: "Reals | float" = 0.0
    """The current of the last level of a converter, in units of one level of a cell times 1 on a row."""

    @cached_property
    def _in_units(self) -> Reals:
        return self.conductances / self.device.unit

    def currents(self, rows: Reals, rng: np.random.Generator) -> Reals:
        """Of every column, in units of one level of a cell times 1 on a row; `rows` is (reads, rows)."""
        found = rows @ self._in_units
        if self.effects.noise and self.device.read_noise:
            # independent errors of the cells add up to one of this spread
            share = self.device.read_noise * (self.device.levels - 1)
            found += share * np.sqrt((rows**2).sum(1, keepdims=True)) * rng.standard_normal(found.shape)
        return found

    def read(self, rows: Reals, rng: np.random.Generator) -> Reals:
        """What stands for `rows @ weights`, (reads, outputs)."""
        found = self.currents(rows, rng)
        if self.effects.converter and self.converter_bits:
            step = np.asarray(self.full_scale) / ((1 << self.converter_bits) - 1)
            levels = np.clip(np.floor(found / step + 0.5), 0, (1 << self.converter_bits) - 1)
            found = levels * step
        return gathered(found, self.device.levels, self.digits)

    def calibrated(self, rows: Reals, bits: int) -> "Crossbar":
        """The same with converters of `bits` bits whose range just holds what these reads give, per column."""
        quiet = rows @ self._in_units
        full = np.maximum(quiet.max(axis=0), 1.0)
        return Crossbar(self.device, self.digits, self.conductances, self.effects, bits, full)


def programmed(
    weights: Integers, device: Device, rng: np.random.Generator, effects: Effects | None = None, largest: int = 0
) -> Crossbar:
    """A crossbar, freshly made and programmed with weights (rows, outputs).

    `largest` is the largest magnitude that a weight of the machine may have, which says how many digits there are; by
    default the largest of these weights.
    """
    effects = effects or Effects()
    digits = digits_of(max(largest, int(np.abs(weights).max(initial=0)), 1), device.levels)
    rows, columns = weights.shape[0], weights.shape[1] * digits * 2
    made = Cells.made(device, rows, columns, rng) if effects.cells else None
    if made is not None and effects.compensate and made.faults.any():
        levels = answered(weights, device.levels, digits, made.faults)
    else:
        levels = spread(weights, device.levels, digits)
    targets = device.conductance(levels)
    wires = device.wire if effects.wires else 0.0
    solve = effective if effects.exact_wires else approximate
    if wires and effects.compensate:
        targets = lifted(targets, device.low, device.low + device.span, wires, wires, solve)
    g = made.programmed(targets) if made is not None else targets
    return Crossbar(device, digits, solve(g, wires, wires) if wires else g, effects)
