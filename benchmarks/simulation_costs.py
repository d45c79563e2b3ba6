"""The constants of `snnir.sim.costs` on this machine, beside those in the file, in nanoseconds of processor time.

    python -m benchmarks.simulation_costs

They decide only which of two equal ways is taken; a factor of two makes little difference.
"""

import time
from collections.abc import Callable

import numpy as np

from snnir.sim import costs
from snnir.sim.convolution import PIECE, Conv
from snnir.sim.events import nonzeros
from snnir.sim.sparse import Sparse
from snnir.windows import Windows


def seconds(call: Callable[[], object]) -> float:
    """Least processor time of a call in nine, after one to warm up."""
    call()
    found: list[float] = []
    for _ in range(9):
        start = time.process_time()
        call()
        found.append(time.process_time() - start)
    return min(found)


def dense(rng: np.random.Generator) -> dict[str, float]:
    """Matrix products and events against dense weights."""
    rows, inputs, out = 2000, 1000, 200
    spikes = (rng.random((rows, inputs)) < 0.01).astype(np.uint8)
    reals, weights = spikes.astype(np.float64), rng.normal(size=(inputs, out))
    events, narrow = nonzeros(spikes), weights[:, :1].copy()
    silent = 0 * spikes
    scanned = seconds(lambda: nonzeros(silent))
    listed = seconds(lambda: nonzeros(spikes)) - scanned
    added = seconds(lambda: events.times(weights)) - seconds(lambda: events.times(narrow))
    small = spikes[:1, :10]
    return {
        "SCAN": scanned / spikes.size,
        "CONVERT": seconds(lambda: spikes.astype(np.float64)) / spikes.size,
        "PRODUCT": seconds(lambda: reals @ weights) / (rows * inputs * out),
        "EVENT": listed / len(events.rows),
        "ADD": added / (len(events.rows) * (out - 1)),
        "START_EVENTS": seconds(lambda: [nonzeros(small).times(weights[:10]) for _ in range(100)]) / 100,
        "START_PRODUCT": seconds(lambda: [small.astype(np.float64) @ weights[:10] for _ in range(100)]) / 100,
    }


def convolution(rng: np.random.Generator) -> dict[str, float]:
    """Patches by copying and by events."""
    windows = Windows.of((16, 16), (3, 3), (1, 1), (1, 1), (1, 1))
    operator = Conv(rng.integers(-9, 9, (16, 16, 3, 3)).astype("f4"), 16, windows, 1)
    rows = (rng.random((max(1, PIECE // operator.targets), operator.sources)) < 0.01).astype(np.uint8)
    planes = rows.reshape(len(rows), 16, 16, 16).astype(np.float64)
    patches = windows.patches(planes).transpose(0, 2, 3, 1, 4, 5)
    result = np.empty((len(rows), 1, 256, 16))
    entries = np.count_nonzero(rows) * 9
    return {
        "GATHER": seconds(lambda: np.ascontiguousarray(patches)) / patches.size,
        "PLACE": seconds(lambda: operator.by_events(rows, result)) / entries - costs.ADD * 16e-9,
    }


def sparse(rng: np.random.Generator) -> dict[str, float]:
    """Single synapses by events and by rows."""
    count, size, rows = 20_000, 1000, 200
    ends = rng.integers(0, size, count), rng.integers(0, size, count)
    operator = Sparse(rng.normal(size=count), *ends, None, (size, size))
    spikes = (rng.random((rows, 1, size)) < 0.02).astype(np.uint8)
    additions = int(np.count_nonzero(spikes, axis=(0, 1)) @ np.bincount(ends[0], minlength=size))
    by_rows = seconds(lambda: operator.by_rows(spikes.reshape(rows, size)))
    return {
        "SCATTER": seconds(lambda: operator.by_events(spikes)) / additions,
        "STREAM": by_rows / (count * rows),
    }


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    print(f"{'':16}{'here':>10}{'in use':>10}")
    for name, value in {**dense(rng), **convolution(rng), **sparse(rng)}.items():
        print(f"{name:16}{value * 1e9:10.3g}{getattr(costs, name):10.3g}")


if __name__ == "__main__":
    main()
