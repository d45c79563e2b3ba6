"""How many spikes (or codes other than 0) a part of a population emits per step: expected, and at most."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snnir.dialects.snn import NetworkOp

Assumption = Literal["peak", "worst"]


@dataclass(frozen=True)
class Activity:
    """Spikes per step."""

    mean: Fraction
    most: int

    def __add__(self, other: "Activity") -> "Activity":
        return Activity(self.mean + other.mean, self.most + other.most)


NONE = Activity(Fraction(0), 0)


class NetworkActivity:
    """Activity of the inputs and populations of a program, from `snn-profile` where it has run.

    Without a profile every neuron may fire in every step. With one, `most` is the largest number of spikes that the
    whole population showed in one step (`peak`), or still every neuron (`worst`); a part of a population emits at most
    what the whole does.
    """

    def __init__(self, network: NetworkOp, assumption: Assumption) -> None:
        self._sources = network.sources
        self.assumption: Assumption = assumption if self._profiled() else "worst"

    def _profiled(self) -> bool:
        return all(op.activity is not None for op in self._sources.values())

    def peak(self, name: str) -> int:
        """The most spikes that an input or population is assumed to emit in one step."""
        op = self._sources[name]
        return op.size if op.activity is None or self.assumption == "worst" else op.activity.peak.data

    def of(self, name: str, neurons: NDArray[np.int64]) -> Activity:
        """Activity of some neurons of an input or population."""
        measured = self._sources[name].activity
        most = min(len(neurons), self.peak(name))
        if measured is None:
            return Activity(Fraction(len(neurons)), most)
        return Activity(Fraction(int(measured.counts.array.ravel()[neurons].sum()), measured.steps.data), most)
