"""`snn-tune-weights`: weights as integers of few bits, fitted to recorded data layer by layer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.rewriter import Rewriter

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.connections import connections_of
from snnir.dialects.places import place_of
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import ActivationOp, InputOp, NetworkOp, NeuronOp, WeightedOp
from snnir.errors import SnnirError
from snnir.passes.base import SNNPass, fail, note_progress, program
from snnir.passes.snn.calibration import Calibration, hundredths, in_order
from snnir.passes.snn.columns import quantise
from snnir.passes.snn.projections import forget_activity
from snnir.passes.snn.terms import cell_peaks
from snnir.passes.snn.tuning_units import Unit, behind, leaves_of, units_of
from snnir.passes.snn.unit_tuner import Tuning, UnitTuner, round_alone
from snnir.precision import largest
from snnir.report.changes import LayerChange
from snnir.tuning.allocation import allocate
from snnir.tuning.ranges import decibel, sqnr

Array = NDArray[Any]

FEWEST = 2
"""Bits that allocation starts with."""
ROUNDS = 4
"""How often bits are allocated, as layers together make more or less noise than each alone adds up to."""


@dataclass(frozen=True)
class SNNTuneWeights(SNNPass):
    """Write weights as integers of `bits` bits times a scale per neuron or channel, fitted to recorded data.

    One population after the other, from the inputs on: its weights are refitted by ridge regression so that they make,
    of what the already tuned populations before it emit, what it summed in the program as it was, with signals of
    unlimited precision; then rounded with error feedback; its bias takes what is left on average. No labels are needed.
    For populations with a state, inputs and sums are those of a recording of the program as it was, and biases stay.

    What a population sums shares its scales. Pools that average become pools that sum. Projections of projections, and
    signals without weights, are rounded as `snn-quantize` does. Integers that fit already stay.
    """

    name = "snn-tune-weights"
    lossy = True

    data: str
    """An .npz file with an array (samples, steps, lines) for each input, by its name; without labels."""
    bits: int | None = None
    """Bits of a signed weight; the machine's `weight_bits` by default."""
    samples: int | None = None
    """How many of the samples to use, the first; by default 1,024, or fewer where these would take 2 GiB."""
    budget: float | None = None
    """Signal-to-noise ratio that outputs should keep, in dB: each layer gets as few bits as that allows, at most
    `bits`."""
    ste: int = 0
    """Steps of gradient descent through the rounding after the closed form, for each layer; needs torch."""
    layers: list[LayerChange] = field(default_factory=list[LayerChange], init=False, repr=False, compare=False)

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network, target = program(op), machine_of(op)
        bits = self.bits if self.bits is not None else target.crossbar.weight_bits if target is not None else None
        if bits is None:
            fail(network, "no precision to tune to", "give bits=8, or a machine with --platform")
        if bits and not FEWEST <= bits <= 32:
            fail(network, f"{bits} bits", "use 2 to 32 bits")
        if self.ste < 0:
            fail(network, f"{self.ste} steps of gradient descent", "use 0 or more")
        if not bits or not any(isinstance(each, WeightedOp) for each in network.body.block.ops):
            return
        calibration = Calibration(network, self.data, self.samples)
        reference = network.clone()
        if self.budget is None:
            _Tuner(self, reference, network, calibration).run({}, bits)
            return
        self._within(self.budget, network, reference, calibration, bits)

    def _within(self, budget: float, network: NetworkOp, reference: NetworkOp, data: Calibration, bits: int) -> None:
        """Tune with as few bits as keep the budget."""
        noise, costs = _Tuner(self, reference, reference.clone(), data).choices(range(FEWEST, bits + 1))
        limit, tried = 10 ** (-budget / 10), dict[tuple[int, ...], _Trial]()
        for _ in range(ROUNDS):
            chosen = tuple(allocate(list(noise.values()), [costs[name] for name in noise], limit))
            if chosen in tried:
                break
            trial = tried[chosen] = self._trial(reference, data, dict(zip(noise, chosen, strict=True)), bits)
            limit *= 10 ** (min(trial.reached - budget, 300.0) / 10)
        taken = {c: sum(costs[name] * n for name, n in zip(noise, c, strict=True)) for c in tried}
        best = min(tried, key=lambda c: (max(budget - tried[c].reached, 0.0), taken[c]))
        self.statistics.clear()
        self.statistics.update(tried[best].statistics)
        self.layers[:] = tried[best].layers
        self.statistics["SQNR of the outputs, hundredths of a decibel"] = hundredths(min(tried[best].reached, 999.0))
        Rewriter.replace_op(network, tried[best].network)

    def _trial(self, reference: NetworkOp, data: Calibration, chosen: dict[str, int], bits: int) -> "_Trial":
        """Tune a copy; `chosen` are bits beyond the fewest."""
        self.statistics.clear()
        self.layers.clear()
        network = reference.clone()
        tuner = _Tuner(self, reference, network, data)
        tuner.run({name: FEWEST + n for name, n in chosen.items()}, bits)
        return _Trial(network, tuner.reached(), dict(self.statistics), list(self.layers))


@dataclass(frozen=True)
class _Trial:
    """A program tuned with some bits for each unit, and the signal-to-noise ratio of its outputs, in dB."""

    network: NetworkOp
    reached: float
    statistics: dict[str, int]
    layers: list[LayerChange]


class _Tuner:
    """Tunes one program."""

    def __init__(
        self, options: SNNTuneWeights, reference: NetworkOp, network: NetworkOp, calibration: Calibration
    ) -> None:
        self._options, self._network = options, network
        self._wanted = calibration.forward(reference, rounded=False)
        self._reference = reference.sources
        populations = [op for op in network.sources.values() if isinstance(op, NeuronOp)]
        self._order: Sequence[NeuronOp] = in_order(network) or populations
        self._forward = calibration.forward(network)
        self._calibration = calibration
        self._tuner = UnitTuner(self._forward)

    def run(self, chosen: dict[str, int], bits: int) -> None:
        """Tune all projections; `chosen` are the bits of the units, by name, that have their own."""
        units, others = units_of(self._order)
        todo = {unit.populations[0]: unit for unit in units}
        changed = False
        alone = [op for op in self._network.body.block.ops if isinstance(op, WeightedOp)]
        for number, population in enumerate(self._order):
            note_progress(self._options.name, number, len(self._order))
            unit = todo.get(population)
            if unit is not None and not _fits(unit.leaves, bits):
                self._unit(unit, chosen.get(unit.name, bits))
                changed = True
            elif population in others and not _fits(_projections_behind(population), bits):
                changed |= self._other(population, bits)
        known = {leaf for op in self._order for leaf in leaves_of(op) or ()}
        rest = [op for op in alone if op.parent is not None and op not in known and not _fits([op], bits)]
        for op in rest:
            round_alone(op, bits)
        if changed or rest:
            forget_activity(self._order)

    def choices(self, bits: range) -> tuple[dict[str, list[float]], dict[str, int]]:
        """The noise that each unit alone makes with so many bits, and its number of weights, by name."""
        noise: dict[str, list[float]] = {}
        costs: dict[str, int] = {}
        for unit in units_of(self._order)[0]:
            if unit.mirrors or _fits(unit.leaves, bits[-1]):
                continue
            biased = isinstance(unit.populations[0], ActivationOp)
            noise[unit.name] = self._tuner.noise(unit, self._sums(unit.populations[0]), bits, biased)
            costs[unit.name] = (
                sum(op.weights.data.size for op in unit.leaves if isinstance(op.weights, TensorAttr)) or 1
            )
        return noise, costs

    def reached(self) -> float:
        """The signal-to-noise ratio of all outputs together, in dB."""
        signal = noise = 0.0
        for op in self._network.outputs.values():
            sources = [each for each in behind(op.signal) if isinstance(each, InputOp | NeuronOp)]
            for source in sources:
                if isinstance(source, ActivationOp):
                    before, after = self._sums(source), self._forward.current(source)
                    signal += float(np.square(before).sum())
                    noise += float(np.square(after - before).sum())
        return decibel(signal, noise) if signal else float("inf")

    def _sums(self, population: NeuronOp) -> Array:
        """What a population summed in the program as it was, with signals of unlimited precision."""
        original = self._reference[population.sym_name.data]
        assert isinstance(original, NeuronOp)
        return self._wanted.current(original)

    def _unit(self, unit: Unit, bits: int) -> None:
        options, first = self._options, unit.populations[0]
        biased, wanted = isinstance(first, ActivationOp), self._sums(first)
        self._tuner.tune(unit, wanted, Tuning(bits, biased, options.ste))
        for population in unit.populations:
            self._fit_cells(population, bits)
        level = sqnr(wanted, self._forward.current(first))
        kind = "tuned"
        for population in unit.populations:
            self._note(population, kind, bits, level)

    def _fit_cells(self, population: NeuronOp, bits: int) -> None:
        """Where weights add up on cells to more than these hold, round once more to a coarser scale."""
        try:
            connections = connections_of(population)
        except SnnirError:
            return
        if (cell_peaks(connections, population.size) > largest(bits)).any():
            quantise(self._network, population, bits)

    def _other(self, population: NeuronOp, bits: int) -> bool:
        """Round what a population sums; whether crossbars could hold it."""
        try:
            connections_of(population)
        except SnnirError:
            return False
        wanted = self._sums(population)
        quantise(self._network, population, bits)
        self._note(population, "rounded to nearest", bits, sqnr(wanted, self._forward.current(population)))
        return True

    def _note(self, population: NeuronOp, what: str, bits: int, level: float) -> None:
        name, options = f"@{population.sym_name.data}", self._options
        options.statistics[f"bits of {name}"] = bits
        if np.isfinite(level):
            options.statistics[f"SQNR of {name}, hundredths of a decibel"] = hundredths(level)
        options.layers.append(LayerChange(name, place_of(population), f"weights {what} to {bits} bits", level, bits))


def _projections_behind(population: NeuronOp) -> list[WeightedOp]:
    return [op for value in population.inputs for op in behind(value) if isinstance(op, WeightedOp)]


def _fits(leaves: Sequence[WeightedOp], bits: int) -> bool:
    """Whether weights are integers of so many bits already."""
    arrays = [op.weights.array if isinstance(op.weights, TensorAttr) else None for op in leaves]
    return all(a is not None and a.dtype.kind == "i" and np.abs(a).max(initial=0) <= largest(bits) for a in arrays)
