"""What a transformed network lost: every layer against the program as it was read, and the labels."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from snnir.analog.evaluate import interval
from snnir.dialects.snn import NetworkOp, NeuronOp
from snnir.errors import SnnirError
from snnir.passes.base import SNNPass
from snnir.report.changes import LayerChange
from snnir.report.transformation import FORMAT, VERSION, changes_as_json, decibel_as_json
from snnir.sim import Network, simulate
from snnir.sim.data import read_labels, read_spikes
from snnir.sim.entry import network_in, network_of
from snnir.sim.events import Data, Events
from snnir.tuning.ranges import sqnr

Array = NDArray[Any]

SAMPLES = 1000
"""Samples that are compared at most, the first."""
LARGEST_BYTES = 1 << 29
"""Fewer are compared where the signals of the first program would take more than this."""
ROUNDING = ("snn-quantize",)
"""Passes whose changes do not make a compilation run the network: what they cost, `snnc verify` says."""
WEIGHTS = ("snn-quantize", "snn-tune-weights")
"""Passes whose `bits` are those of weights."""


@dataclass(frozen=True)
class Share:
    """A share of samples, and where that of all samples is with 95 % confidence (Wilson)."""

    share: float
    low: float
    high: float

    @classmethod
    def of(cls, right: "NDArray[np.bool_]") -> "Share":
        """The share of what is true."""
        return cls.found(float(right.mean()), len(right))

    @classmethod
    def found(cls, share: float, count: int) -> "Share":
        """A share that was found in so many samples."""
        low, high = interval(share, count)
        return cls(share, low, high)


@dataclass(frozen=True)
class Compared:
    """Two programs on the same data."""

    samples: int
    before: Share | None
    """Samples with the right class in the first program; `None` without labels."""
    after: Share | None
    agreement: Share | None
    """Samples with the same class in both; `None` where no output can be compared."""
    levels: dict[str, float]
    """Signal-to-noise ratio, in dB, of the populations that both have; sums over the steps of an inference."""


def changes_of(passes: Sequence[ModulePass]) -> list[tuple[str, LayerChange]]:
    """What passes that were run say that they changed, in order."""
    return [(each.name, change) for each in passes if isinstance(each, SNNPass) for change in each.layers]


def is_transformed(changes: Sequence[tuple[str, LayerChange]]) -> bool:
    """Whether more was changed than a rounding of weights."""
    return any(name not in ROUNDING for name, _ in changes)


class Reference:
    """A program, and what it computes of at most `SAMPLES` samples; others are compared with it."""

    def __init__(self, network: Network, data: Path, samples: int | None = None) -> None:
        count = SAMPLES if samples is None else min(samples, SAMPLES)
        self._network = network
        self._inputs = _bounded(read_spikes(data, count, network.dt), network)
        self._values = _values(network, simulate(network, self._inputs))
        self._classes = _classes(network, self._values)
        self.samples = len(next(iter(self._values.values())))
        self._labels = read_labels(data, self.samples)
        if self._labels is not None and len(self._labels) != self.samples:
            message = f"{len(self._labels)} labels for {self.samples} samples"
            raise SnnirError(data, message, "give one label per sample")

    @property
    def accuracy(self) -> Share | None:
        """Samples with the right class; `None` without labels or a class."""
        return self._right(self._classes)

    def compare(self, network: Network) -> Compared:
        """Run another program on the same samples.

        Raises `SnnirError` where the data fits one of them only, as after a conversion to spikes.
        """
        if self._network.steps != network.steps:
            message = f"an inference took {self._network.steps} steps, and takes {network.steps} steps now"
            raise SnnirError(network.name, message, "compare them with data of each: snnc encode, snnc sim")
        before, after = self._values, _values(network, simulate(network, self._inputs))
        shared = [name for name in before if name in after and before[name].shape == after[name].shape]
        classes = _classes(network, after)
        agreement = None if self._classes is None or classes is None else Share.of(self._classes == classes)
        found = (None, None) if agreement is None else (self.accuracy, self._right(classes))
        levels = {name: sqnr(before[name], after[name]) for name in shared}
        return Compared(self.samples, *found, agreement, levels)

    def _right(self, classes: "NDArray[np.intp] | None") -> Share | None:
        return None if self._labels is None or classes is None else Share.of(classes == self._labels)


def _bounded(inputs: Mapping[str, Data], network: Network) -> dict[str, Data]:
    """So few samples that the signals of a network, and of one that is made of it, stay within bounds."""
    steps = next(iter(inputs.values())).shape[1]
    size = sum(network.sizes[name] for name in network.signals)
    most = max(1, LARGEST_BYTES // max(1, 8 * steps * size))
    return {name: each.first(most) if isinstance(each, Events) else each[:most] for name, each in inputs.items()}


def _values(network: Network, signals: Mapping[str, Array]) -> dict[str, Array]:
    """What signals stand for, summed over the steps of an inference: (samples, neurons)."""
    found: dict[str, Array] = {}
    for name in network.signals:
        if name in network.inputs:
            continue
        activation = network.activations.get(name)
        coding = None if activation is None else activation.coding
        decoded = signals[name] if coding is None else coding.decode(signals[name])
        found[name] = decoded.sum(axis=1, dtype=np.float64)
    return found


def _classes(network: Network, values: Mapping[str, Array]) -> "NDArray[np.intp] | None":
    """The class of each sample: the largest value of the first output; the first of equals."""
    source = next(iter(network.outputs.values()), None)
    return values[source].argmax(axis=1) if source is not None and source in values else None


def transformation_as_json(
    changes: Sequence[tuple[str, LayerChange]],
    first: ModuleOp,
    last: ModuleOp,
    data: tuple[Path, int | None] | None,
    crossbars: Mapping[str, int] | None,
    statistics: Mapping[str, int],
) -> dict[str, Any]:
    """The content of `transformation.json`.

    `first` is the program as read, `last` as the last change left it, `data` the file and the number of its samples,
    `crossbars` how many of them hold a part of each population, `statistics` the counters of a conversion to spikes.
    """
    result: dict[str, Any] = {"format": FORMAT, "version": VERSION, "changes": changes_as_json(changes)}
    result |= {"layers": [], "accuracy": None, "reason": None}
    program = network_in(last, "the program")
    compared: Compared | None = None
    if data is None:
        result["reason"] = "no data"
    elif not is_transformed(changes):
        result["reason"] = "only weights were rounded: snnc verify measures what that costs"
    else:
        try:
            compared = Reference(network_of(network_in(first, "the program")), *data).compare(network_of(program))
        except SnnirError as error:
            result["reason"] = error.message
    if compared is not None:
        result["accuracy"] = accuracy_as_json(compared)
    elif (counted := _converted(statistics)) is not None:
        result["accuracy"] = accuracy_as_json(counted)
    levels = {} if compared is None else compared.levels
    result["layers"] = [_layer(op, name, changes, levels, crossbars) for name, op in _populations(program).items()]
    return result


def _converted(statistics: Mapping[str, int]) -> Compared | None:
    """The labels as the conversion to spikes counted them, whose data is not that of the program as read."""
    unit = ", hundredths of a percent"
    after = [value for name, value in statistics.items() if name.startswith("accuracy after ") and name.endswith(unit)]
    before, count = statistics.get(f"accuracy before{unit}"), statistics.get("samples run", 0)
    if before is None or not after or not count:
        return None
    return Compared(count, Share.found(before / 1e4, count), Share.found(after[-1] / 1e4, count), None, {})


def accuracy_as_json(compared: Compared) -> dict[str, Any]:
    """The labels, as plain values."""
    shares = {"before": compared.before, "after": compared.after, "agreement": compared.agreement}
    return {
        "samples": compared.samples,
        **{name: None if share is None else asdict(share) for name, share in shares.items()},
    }


def _populations(network: NetworkOp) -> dict[str, NeuronOp]:
    return {name: op for name, op in network.sources.items() if isinstance(op, NeuronOp)}


def _layer(
    op: NeuronOp,
    name: str,
    changes: Sequence[tuple[str, LayerChange]],
    levels: Mapping[str, float],
    crossbars: Mapping[str, int] | None,
) -> dict[str, Any]:
    own = [(made, change) for made, change in changes if change.layer == f"@{name}"]
    bits = [change.bits for made, change in own if made in WEIGHTS and change.bits is not None]
    span = op.signal_type.span if op.signal_type.is_coded else None
    return {
        "name": name,
        "model": op.MODEL,
        "neurons": op.size,
        "weight_bits": bits[-1] if bits else None,
        "signal_bits": None if span is None else (span[1] - span[0]).bit_length(),
        **decibel_as_json(levels.get(name)),
        "crossbars": None if crossbars is None else crossbars.get(name, 0),
    }
