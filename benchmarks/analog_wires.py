"""Voltage that wires drop on a crossbar: what it takes of the currents, and how far a first-order formula is off.

    python -m benchmarks.analog_wires [--sizes 32 64 128 256] [--time]

Cells have 16 levels, drawn evenly, from 100 times `r_on` to `r_on`; word and bit lines have the same resistance a
segment. All rows are driven with the same voltage. `lost`: what columns lose of their current, on average. `worst`: the
column that loses most. `first order`: error of `snnir.analog.nodal.approximate`, root of the mean square over columns,
as a share of the current without wires. `lifted`: what is lost on average after programming against it
(`snnir.analog.compensation.lifted`), where cells use three quarters of their range so that there is room; up to
128x128, as it takes several solves.

`--time` prints the seconds of one exact solve instead, on the clock and of the processor, medians of five.
"""

import argparse
import time
from statistics import median

import numpy as np
from numpy.typing import NDArray

from snnir.analog.compensation import lifted
from snnir.analog.device import Device
from snnir.analog.nodal import approximate, currents, dense_reference, effective

Reals = NDArray[np.float64]
R_ON, WIRES = (1e4, 1e5, 1e6), (1.0, 2.5, 5.0)


def cells(device: Device, size: int, share: float = 1.0) -> Reals:
    """Conductances of a square crossbar, levels drawn evenly from the lowest part of the range."""
    most = round(share * (device.levels - 1))
    return device.conductance(np.random.default_rng(size).integers(0, most + 1, (size, size)))


def row(size: int, r_on: float, wire: float) -> str:
    """One line of the table."""
    device = Device(16, r_on, 100 * r_on)
    g = cells(device, size)
    ideal, exact, fast = (of_columns(found) for found in (g, effective(g, wire, wire), approximate(g, wire, wire)))
    off = float(np.sqrt(np.mean(((fast - exact) / ideal) ** 2)))
    lost = 1 - exact / ideal
    left = f"{lost_when_lifted(device, size, wire):.2%}" if size <= 128 else "-"
    return f"{size:>6}{r_on:>10.0e}{wire:>7.1f}{lost.mean():>10.2%}{lost.max():>10.2%}{off:>14.3%}{left:>10}"


def of_columns(conductances: Reals) -> Reals:
    """The current of each column for 1 V on every row."""
    return np.asarray(conductances.sum(axis=0), np.float64)


def lost_when_lifted(device: Device, size: int, wire: float) -> float:
    """What columns lose on average after programming against it."""
    targets = cells(device, size, 0.75)
    programmed = lifted(targets, device.low, device.low + device.span, wire, wire)
    return 1 - float(np.mean(of_columns(effective(programmed, wire, wire)) / of_columns(targets)))


def seconds(size: int) -> tuple[float, float]:
    """One exact solve, on the clock and of the processor, medians of five after one to warm up."""
    g = cells(Device(16, 1e4, 1e6), size)
    effective(g[:4, :4], 2.82, 2.82)
    clock, processor = list[float](), list[float]()
    for _ in range(5):
        before = time.perf_counter(), time.process_time()
        effective(g, 2.82, 2.82)
        clock.append(time.perf_counter() - before[0])
        processor.append(time.process_time() - before[1])
    return median(clock), median(processor)


def disagreement(size: int) -> float:
    """The largest difference from the dense equations, as a share of the largest current."""
    g = cells(Device(16, 1e4, 1e6), size)
    voltages = np.random.default_rng(0).uniform(0, 1, size)
    dense = dense_reference(g, voltages, 2.82, 2.82)
    return float(np.abs(currents(g, voltages, 2.82, 2.82) - dense).max() / np.abs(dense).max())


def main() -> None:
    """Print the table, or times."""
    parser = argparse.ArgumentParser(description="What wires take of a crossbar's currents.")
    parser.add_argument("--sizes", nargs="+", type=int, default=[32, 64, 128, 256])
    parser.add_argument("--time", action="store_true", help="time the exact solve, and hold it against dense equations")
    arguments = parser.parse_args()
    if arguments.time:
        for size in (8, 16, 32):
            print(f"{size}x{size}: {disagreement(size):.1e} from the dense equations", flush=True)
        for size in arguments.sizes:
            clock, processor = seconds(size)
            print(f"{size}x{size}: {clock:.3f} s, {processor:.3f} s of the processor", flush=True)
        return
    print(f"{'cells':>6}{'r_on':>10}{'wire':>7}{'lost':>10}{'worst':>10}{'first order':>14}{'lifted':>10}")
    for size in arguments.sizes:
        for r_on in R_ON:
            for wire in WIRES:
                print(row(size, r_on, wire), flush=True)


if __name__ == "__main__":
    main()
