"""The crossbars of a configuration, as they are made and programmed: one chip, and how it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from snnir.analog.columns import digits_of
from snnir.analog.crossbar import Crossbar, Effects, programmed
from snnir.analog.device import Device
from snnir.errors import SnnirError
from snnir.machine.functional import run
from snnir.machine.parts import Configuration, Slice

Reals = NDArray[np.float64]
WHOLE = 1e-6
"""Sums this near to a whole number are this number: what float64 rounds is no error of the device."""


@dataclass(frozen=True)
class Cells:
    """What a configuration's crossbars are made of: `device`, and converters of so many bits (0: exact)."""

    device: Device
    converter_bits: int = 0


def cells_of(configuration: Configuration) -> Cells | None:
    """What the platform that a configuration was compiled for says; None: nothing."""
    machine = configuration.machine
    return None if machine.device is None else Cells(Device(**vars(machine.device)), machine.adc_bits)


def largest_weight(configuration: Configuration) -> int:
    """The largest magnitude of a weight that the machine's cells are built for. Raises `SnnirError` for real cells."""
    if configuration.machine.weight_bits is None:
        message = "the cells hold real numbers, which are no levels of a device"
        raise SnnirError(configuration.path, message, "compile for a platform that states crossbar.weight_bits")
    found = max(int(np.abs(crossbar.cells.astype(np.int64)).max(initial=0)) for crossbar in configuration.crossbars)
    return max(found, (1 << (configuration.machine.weight_bits - 1)) - 1)


def columns_per_weight(configuration: Configuration, device: Device) -> int:
    """Columns of cells, as they are built, for a column of weights."""
    return 2 * digits_of(largest_weight(configuration), device.levels)


class Chip:
    """One chip: every crossbar made with errors of its own, drawn from a seed, and programmed.

    All slices of a crossbar share its wires; each drives its own rows and reads its own columns.
    """

    def __init__(self, configuration: Configuration, cells: Cells, effects: Effects, seed: int) -> None:
        self._configuration = configuration
        self._cells = cells
        self._parts: dict[str, Crossbar] = {}
        self._noise: dict[str, np.random.Generator] = {}
        largest = largest_weight(configuration)
        made: dict[bytes, Crossbar] = {}
        for number, crossbar in enumerate(configuration.crossbars):
            weights = crossbar.cells.astype(np.int64)
            alike = weights.tobytes() if not effects.cells else number.to_bytes(8)
            if alike not in made:
                made[alike] = programmed(weights, cells.device, np.random.default_rng([seed, number]), effects, largest)
            for which, part in enumerate(crossbar.slices):
                self._parts[part.name] = _read_by(part, made[alike])
                self._noise[part.name] = np.random.default_rng([seed, number, which])

    def calibrate(self, inputs: Mapping[str, NDArray[np.generic]]) -> None:
        """Fit the range of every converter to the currents that these inputs cause, column by column.

        The crossbars are read with the spikes (or codes) that exact ones make of the inputs.
        """
        bits = self._cells.converter_bits
        if not bits:
            return
        found: dict[str, Reals] = {}
        exact = exact_columns(self._configuration)

        def watch(name: str, rows: Reals) -> Reals:
            full = np.asarray(self._parts[name].calibrated(rows, bits).full_scale)
            found[name] = np.maximum(found[name], full) if name in found else full
            return rows @ exact[name]

        run(self._configuration, inputs, reader=watch)
        self._parts = {
            name: replace(part, converter_bits=bits, full_scale=found[name]) for name, part in self._parts.items()
        }

    def range_for_all(self) -> None:
        """Give every converter the range of all currents that its column can have, whatever is on the rows."""
        most = (1 << max(1, self._configuration.machine.signal_bits)) - 1
        unit = self._cells.device.unit
        self._parts = {
            name: replace(
                part,
                converter_bits=self._cells.converter_bits,
                full_scale=np.maximum(most * part.conductances.sum(axis=0) / unit, 1.0),
            )
            for name, part in self._parts.items()
        }

    def read(self, name: str, rows: Reals) -> Reals:
        """What the columns of a slice say to what is on its rows: a `snnir.machine.functional.Reader`."""
        found = self._parts[name].read(rows, self._noise[name])
        whole = np.rint(found)
        return np.where(np.abs(found - whole) < WHOLE, whole, found)


def exact_columns(configuration: Configuration) -> dict[str, Reals]:
    """The weights of each slice, (rows, columns)."""
    return {
        part.name: np.ascontiguousarray(crossbar.cells[part.rows, slice(*part.columns)], np.float64)
        for crossbar in configuration.crossbars
        for part in crossbar.slices
    }


def _read_by(part: Slice, crossbar: Crossbar) -> Crossbar:
    """What a slice reads of a crossbar: its rows, all columns of its weights."""
    per_weight = 2 * crossbar.digits
    columns = slice(part.columns[0] * per_weight, part.columns[1] * per_weight)
    return replace(crossbar, conductances=np.ascontiguousarray(crossbar.conductances[part.rows, columns]))
