"""`snn-profile`: how active the program is on representative data."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import IntAttr, ModuleOp

from snnir.dialects.attributes import ActivityAttr, TensorAttr
from snnir.passes.base import SNNPass, program
from snnir.sim import simulate
from snnir.sim.data import read_spikes
from snnir.sim.entry import network_of


@dataclass(frozen=True)
class SNNProfile(SNNPass):
    """Run the program on recorded inputs and attach `activity` to every input and population.

    Activity is the number of steps seen, the spikes in them, the most spikes in one step, and each neuron's count.
    """

    name = "snn-profile"

    data: str
    """An .npz file with an array (samples, steps, lines) of zeros and ones for each input, named like the input."""
    samples: int | None = None
    """How many of the samples to run; all by default."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network = program(op)
        spikes = simulate(network_of(network), read_spikes(Path(self.data), self.samples))
        for name, source in network.sources.items():
            source.activity = _activity(name, spikes[name])
            self.statistics[f"spikes of @{name}"] = int(spikes[name].sum())
        self.statistics["steps"] = int(np.prod(next(iter(spikes.values())).shape[:2]))


def _activity(name: str, spikes: NDArray[np.uint8]) -> ActivityAttr:
    """Activity from (samples, steps, neurons)."""
    per_step = spikes.sum(axis=2, dtype=np.int64)
    counts = spikes.sum(axis=(0, 1), dtype=np.int64)
    return ActivityAttr(
        IntAttr(per_step.size),
        IntAttr(int(per_step.sum())),
        IntAttr(int(per_step.max())),
        TensorAttr.of(f"{name}.counts", counts),
    )
