"""How much precision and how large crossbars does a network need? Weight bits times crossbar sizes, in one process."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.places import place_of
from snnir.dialects.platform import ATTRIBUTE, Machine, MachineAttr
from snnir.errors import SnnirError
from snnir.flow.pipeline import is_ordinary
from snnir.flow.transformation import Compared, Reference
from snnir.passes.base import SNNPass, program
from snnir.passes.cluster.convert_snn_to_cluster import ConvertSNNToCluster
from snnir.passes.snn.code_signals import SNNCodeSignals
from snnir.passes.snn.expand import SNNExpand
from snnir.passes.snn.fold import SNNFold
from snnir.passes.snn.legalize import SNNLegalize
from snnir.passes.snn.quantize import SNNQuantize
from snnir.passes.snn.split_fanin import SNNSplitFanin
from snnir.passes.snn.tune_weights import SNNTuneWeights
from snnir.sim.entry import network_of


@dataclass(frozen=True)
class Question:
    """What is varied, and what it is measured with."""

    machine: Machine
    """Everything but the size of crossbars and the bits of weights and signals."""
    data: Path
    """Samples, perhaps with labels, that decide how good a network is."""
    calibration: Path
    """Samples that transformations are fitted to; their labels are not read."""
    bits: Sequence[int]
    sizes: Sequence[int]
    """Rows, and columns, of crossbars."""
    signals: int | None = None
    """Bits of codes; those of the machine by default. `None` for programs of spikes."""
    samples: int | None = None


@dataclass(frozen=True)
class Fit:
    """The crossbars of one size that a network takes."""

    size: int
    crossbars: int | None
    """`None`: it does not fit, for a `reason`."""
    seconds: float
    reason: str | None = None


@dataclass(frozen=True)
class Row:
    """Weights of so many bits."""

    bits: int
    compared: Compared
    seconds: float
    """Of the passes that made the weights, and for the first row of those that prepared the network."""
    fits: list[Fit]


class Sensitivity:
    """Transforms one program for each precision, and clusters the result for each size of crossbars."""

    def __init__(self, ctx: Context, module: ModuleOp, question: Question) -> None:
        self._ctx, self._question = ctx, question
        network = program(module)
        self.ordinary = is_ordinary(network)
        self._check(module)
        self.reference = Reference(network_of(network), question.data, question.samples)
        self.signals = (question.signals or question.machine.crossbar.signal_bits) if self.ordinary else None
        begun = perf_counter()
        self._prepared = self._prepare(module.clone())
        self._preparing = perf_counter() - begun

    def rows(self) -> Iterator[Row]:
        """The table, row by row."""
        for number, bits in enumerate(self._question.bits):
            begun = perf_counter()
            module = self._prepared.clone()
            self._put(module, self._machine(self._question.machine.crossbar.rows, bits))
            self._apply(module, self._weights(bits))
            seconds = perf_counter() - begun + (0.0 if number else self._preparing)
            compared = self.reference.compare(network_of(program(module)))
            if compared.agreement is None:
                hint = "let an output read a population, whose largest value is the class"
                raise SnnirError(place_of(program(module)), "no output tells a class", hint)
            yield Row(bits, compared, seconds, [self._fit(module, size, bits) for size in self._question.sizes])

    def _check(self, module: ModuleOp) -> None:
        question = self._question
        place, what = place_of(program(module)), f"@{program(module).sym_name.data}"
        if not self.ordinary and question.signals is not None:
            raise SnnirError(place, f"{what} sends spikes, and these have no bits", "leave out --signals")
        if self.ordinary and not (question.signals or question.machine.crossbar.signal_bits):
            message = f"{what} computes with real values, and rows of '{question.machine.name}' take spikes only"
            raise SnnirError(place, message, "say how many bits codes have: --signals 6")
        for bits in question.bits:
            for size in question.sizes:
                problem = self._machine(size, bits).problem()
                if problem is not None:
                    raise SnnirError(f"--bits {bits} --crossbars {size}", problem, "give other numbers")

    def _machine(self, size: int, bits: int) -> Machine:
        """The machine with crossbars of another size and precision; what its cells are made of has no part in it."""
        old = self._question.machine.crossbar
        signals = self._question.signals or old.signal_bits
        cell = min(old.cell_bits, bits - 1 if old.signs == "pair" else bits)
        crossbar = replace(
            old, rows=size, columns=size, weight_bits=bits, signal_bits=signals, cell_bits=cell, adc_bits=0
        )
        if crossbar.neurons:
            crossbar = replace(crossbar, neurons=max(crossbar.neurons, size))
        return replace(self._question.machine, crossbar=crossbar, device=None)

    def _prepare(self, module: ModuleOp) -> ModuleOp:
        """All that does not depend on the precision of weights."""
        question = self._question
        self._put(module, self._machine(question.machine.crossbar.rows, max(question.bits)))
        if self.ordinary:
            data, samples = str(question.calibration), question.samples
            coding = SNNCodeSignals(data, self.signals, samples)
            self._apply(module, SNNFold(), SNNLegalize(None, data, samples), SNNExpand(), coding)
        return module

    def _weights(self, bits: int) -> SNNPass:
        question = self._question
        if not self.ordinary:
            return SNNQuantize(bits)
        return SNNTuneWeights(str(question.calibration), bits, question.samples)

    def _fit(self, module: ModuleOp, size: int, bits: int) -> Fit:
        """Cluster for one size."""
        begun = perf_counter()
        module = module.clone()
        machine = self._machine(size, bits)
        self._put(module, machine)
        clustering = ConvertSNNToCluster()
        try:
            if machine.crossbar.fanin == "relay":
                self._apply(module, SNNSplitFanin())
            self._apply(module, clustering)
        except SnnirError as error:
            return Fit(size, None, perf_counter() - begun, error.message)
        return Fit(size, clustering.statistics["clusters"], perf_counter() - begun)

    @staticmethod
    def _put(module: ModuleOp, machine: Machine) -> None:
        module.attributes[ATTRIBUTE] = MachineAttr(machine)

    def _apply(self, module: ModuleOp, *passes: SNNPass) -> None:
        for each in passes:
            each.apply(self._ctx, module)
        module.verify()
