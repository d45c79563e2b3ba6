"""`snn-code-signals`: all signals of an ordinary network as codes of a few bits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import FloatAttr, IntegerType, ModuleOp, Signedness
from xdsl.ir import Operation, SSAValue

from snnir.dialects.attributes import CODE_BITS, SignalType, value_of
from snnir.dialects.places import place_of
from snnir.dialects.platform import machine_of
from snnir.dialects.snn import ActivationOp, ClipOp, InputOp, NetworkOp, NeuronOp, OutputOp, ReluOp
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.snn.calibration import Calibration, hundredths, in_order, is_plain
from snnir.passes.snn.forward import Forward
from snnir.passes.snn.recoding import Part, Recoder, Signal, is_current, keeps_zero
from snnir.report.changes import LayerChange
from snnir.tuning.ranges import grid_of, sqnr, step_of, thinned

Array = NDArray[Any]

REPORTED = 256
"""Samples from which the error of each layer is told."""
HEADROOM = 1.25
"""Outputs reach so many times the largest value that was recorded."""


@dataclass(frozen=True)
class SNNCodeSignals(SNNPass):
    """Make codes of all real-valued inputs and activations, and rescale weights and biases so that the function stays.

    Steps come from recorded data: the range with the least squared error, or a percentile. A value above 0 has codes
    from 0 on. Inputs of both signs get a zero point, or where a window is padded (which would pad with the value of
    code 0) two populations that read them, what is above 0 and what is below; hidden values of both signs become such a
    pair too. Populations that only outputs read have codes with a sign, of `output_bits`. With `lines=2` a hidden value
    is carried by two populations, its high and its low digits. Spikes, and signals that are coded already, stay.
    """

    name = "snn-code-signals"
    lossy = True

    data: str
    """An .npz file with an array (samples, steps, lines) for each input, by its name; without labels."""
    bits: int | None = None
    """Bits of a code; the machine's `crossbar.signal_bits` by default."""
    samples: int | None = None
    """How many of the samples to use, the first; by default 1,024, or fewer where these would take 2 GiB."""
    percentile: float | None = None
    """The percentile of the values above 0 that codes reach; by default the range with the least squared error."""
    signed: Literal["auto", "pair", "zero"] = "auto"
    """Values of both signs: `zero`, with a zero point where no window is padded; `pair`, as what is above and what is
    below 0; `auto`, inputs with a zero point, others as a pair."""
    lines: int = 1
    """Lines that carry a hidden value: 1, or 2 with twice the bits."""
    output_bits: int = CODE_BITS
    """Bits of the codes of outputs."""
    layers: list[LayerChange] = field(default_factory=list[LayerChange], init=False, repr=False, compare=False)

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network, target = program(op), machine_of(op)
        if not any(is_plain(source) for source in network.sources.values()):
            return
        bits = self.bits if self.bits is not None else target.crossbar.signal_bits if target is not None else 0
        self._check(network, bits)
        order = in_order(network)
        if order is None:
            fail(network, "populations read each other in a circle", "only networks without feedback can be coded")
        _Coder(self, network, order, bits).run()

    def _check(self, network: NetworkOp, bits: int) -> None:
        if not bits:
            fail(network, "no precision for signals", "give bits=6, or a machine with crossbar.signal_bits")
        if not 1 <= bits <= CODE_BITS:
            fail(network, f"{bits} bits", f"use 1 to {CODE_BITS} bits")
        if not 2 <= self.output_bits <= CODE_BITS:
            fail(network, f"outputs of {self.output_bits} bits", f"use 2 to {CODE_BITS} bits")
        if self.lines not in (1, 2):
            fail(network, f"{self.lines} lines for a value", "use 1 or 2")
        if self.percentile is not None and not 0 < self.percentile <= 100:
            fail(network, f"percentile {self.percentile:g}", "use a number above 0, up to 100")
        for source in network.sources.values():
            if isinstance(source, ActivationOp) and is_plain(source) and not isinstance(source, ReluOp | ClipOp):
                name = source.sym_name.data
                fail(source, f"@{name} is a {source.MODEL}, and codes are made of relu and clip", "run snn-legalize")


class _Coder:
    """Codes one program."""

    def __init__(self, options: SNNCodeSignals, network: NetworkOp, order: Sequence[NeuronOp], bits: int) -> None:
        self._options, self._network, self._order, self._bits = options, network, order, bits
        self._most = (1 << bits) - 1
        self._recoder = Recoder(network)
        self._calibration = Calibration(network, options.data, options.samples)
        self._before: dict[str, Array] = {}
        self._ended: dict[str, Signal] = {}
        """What outputs read of populations that others read too, in other codes."""

    def run(self) -> None:
        """Replace the body of the network."""
        network, recoder = self._network, self._recoder
        forward = self._calibration.forward(network)
        inputs = [op for op in network.sources.values() if isinstance(op, InputOp)]
        for op in [*inputs, *self._order]:
            name = op.sym_name.data
            values = forward.signal(op.signal) if is_plain(op) else np.zeros(0)
            if is_plain(op):
                self._before[name] = values
            recoder.sources[name] = self._input(op, values) if isinstance(op, InputOp) else self._population(op, values)
        old = list(network.body.block.ops)
        outputs = [op for op in old if isinstance(op, OutputOp)]
        for op in outputs:
            recoder.ops.append(self._output(op))
        for op in old:
            op.detach()
        for op in old:
            op.drop_all_references()
        network.body.block.add_ops(recoder.ops)
        self._report(self._calibration.forward(network, samples=REPORTED))

    def _input(self, op: InputOp, values: Array) -> Signal:
        name, recoder = op.sym_name.data, self._recoder
        if not is_plain(op):
            new = InputOp(name, op.signal.type, op.step, op.zero)
            new.activity = op.activity
            return Signal((Part(recoder.put(new, op), 1.0),))
        assert isinstance(op.signal.type, SignalType)
        least = float(values.min(initial=0.0))
        if least >= 0:
            step = grid_of(values, self._most) or step_of(values, self._most, self._options.percentile)
            value = recoder.put(InputOp(name, self._type(op.signal.type), FloatAttr(step, 64)), op)
            return Signal((Part(value, step),))
        step, zero = self._both_signs(values)
        new = InputOp(name, self._type(op.signal.type), FloatAttr(step, 64), FloatAttr(zero, 64))
        value = recoder.put(new, op)
        if self._options.signed != "pair" and keeps_zero(op.signal):
            return Signal((Part(value, step),), zero)
        parts: list[Part] = []
        for side, sign in (("positive", 1), ("negative", -1)):
            current = recoder.scaled(value, sign * step, sign * zero, op)
            parts.append(Part(self._relu(f"{name}.{side}", [current], step, 0.0, op), sign * step))
        return Signal(tuple(parts))

    def _both_signs(self, values: Array) -> tuple[float, float]:
        """Step and zero of codes for values of both signs; the value 0 has a code of its own."""
        some = thinned(values)
        low, high = float(some.min()), max(0.0, float(some.max()))
        if self._options.percentile is not None:
            share = self._options.percentile
            low, high = min(0.0, float(np.percentile(some, 100 - share))), float(np.percentile(some, share))
        low, high = min(low, 0.0), max(high, 0.0)
        step = (high - low) / self._most if high > low else 1.0
        below = float(np.clip(np.rint(-low / step), 0, self._most))
        return step, -below * step

    def _population(self, op: NeuronOp, values: Array) -> Signal:
        name, recoder = op.sym_name.data, self._recoder
        if not is_plain(op):
            new = op.clone()
            new.operands = recoder.summed(op)
            return Signal((Part(recoder.put(new, op), 1.0),))
        assert isinstance(op, ActivationOp)
        readers = [use.operation for use in op.signal.uses]
        read = any(isinstance(user, OutputOp) for user in readers)
        hidden = not readers or any(not isinstance(user, OutputOp) for user in readers)
        signed = isinstance(op, ClipOp) and float(np.min(value_of(op.low))) < 0
        if not hidden:
            return self._ends(op, values)
        if not signed and (read or self._options.lines == 1):
            step = self._step(op, values)
            new = type(op)(name, recoder.summed(op), self._type(op.signal_type), op.properties, FloatAttr(step, 64))
            return Signal((Part(recoder.put(new, op), step),))
        if read:
            self._ended[name] = self._ends(op, values)
        if signed and self._options.signed == "zero" and keeps_zero(op.signal):
            step, zero = self._both_signs(values)
            codes = (FloatAttr(step, 64), FloatAttr(zero, 64))
            new = type(op)(
                self._free(name, read), recoder.summed(op), self._type(op.signal_type), op.properties, *codes
            )
            return Signal((Part(recoder.put(new, op), step),), zero)
        sides = (("positive", 1), ("negative", -1)) if signed else (("", 1),)
        parts = [part for side, sign in sides for part in self._side(op, values, side, sign)]
        return Signal(tuple(parts))

    def _side(self, op: ActivationOp, values: Array, side: str, sign: int) -> list[Part]:
        """What is above 0, or what is below, of a hidden population; on as many lines as wanted."""
        name = ".".join(filter(None, (op.sym_name.data, side)))
        currents = self._recoder.summed(op, sign)
        limit, most = np.inf, (1 << self._bits * self._options.lines) - 1
        if isinstance(op, ClipOp):
            limit = float(np.max(value_of(op.high))) if sign > 0 else -float(np.min(value_of(op.low)))
        step = step_of(sign * values, most, self._options.percentile)
        # a limit that values reach is the largest code, on one line or on two
        step, high = (min(step, limit / most), limit) if 0 < limit <= most * step * HEADROOM else (step, None)
        if self._options.lines == 1:
            return [Part(self._relu(name, currents, step, 0.0, op, high), sign * step)]
        # floor of the code / 2^k is the code of a step 2^k as large, rounded at the middle of the low digit
        digit = 1 << self._bits
        above = self._relu(f"{name}.high", currents, step * digit, step * (digit - 1) / 2, op, high)
        rest = [*currents, self._recoder.scaled(above, -step * digit, 0.0, op)]
        below = self._relu(f"{name}.low", rest, step, 0.0, op, None if high is None else step * (digit - 1))
        return [Part(above, sign * step * digit), Part(below, sign * step)]

    def _relu(
        self,
        name: str,
        currents: Sequence[SSAValue],
        step: float,
        zero: float,
        like: Operation,
        high: float | None = None,
    ) -> SSAValue:
        """A new population, `relu` or, with an upper limit, `clip` from 0 on."""
        assert isinstance(like.results[0].type, SignalType)
        type_, codes = self._type(like.results[0].type), (FloatAttr(step, 64), FloatAttr(zero, 64) if zero else None)
        if high is None:
            return self._recoder.put(ReluOp(name, currents, type_, None, *codes), like)
        limits = {"low": FloatAttr(0.0, 64), "high": FloatAttr(high, 64)}
        return self._recoder.put(ClipOp(name, currents, type_, limits, *codes), like)

    def _ends(self, op: ActivationOp, values: Array) -> Signal:
        """A population that only outputs read: codes with a sign."""
        bits = self._options.output_bits
        type_ = SignalType(op.signal_type.shape, IntegerType(bits, Signedness.SIGNED))
        peak = float(np.abs(values).max(initial=0.0))
        step = HEADROOM * peak / ((1 << (bits - 1)) - 1) if peak else 1.0
        name, currents = op.sym_name.data, self._recoder.summed(op)
        new = type(op)(name, currents, type_, op.properties, FloatAttr(step, 64))
        return Signal((Part(self._recoder.put(new, op), step),))

    def _step(self, op: ActivationOp, values: Array) -> float:
        step = step_of(values, self._most, self._options.percentile)
        if isinstance(op, ClipOp):
            step = min(step, max(float(np.max(value_of(op.high))), 1e-300) / self._most)
        return step

    def _free(self, name: str, taken: bool) -> str:
        return f"{name}.hidden" if taken else name

    def _output(self, op: OutputOp) -> OutputOp:
        owner = op.signal.owner
        ends = self._ended.get(owner.sym_name.data) if isinstance(owner, NeuronOp) else None
        signal = ends or self._recoder.signal(op.signal, 1)
        part = signal.parts[0]
        assert isinstance(part.value.type, SignalType)
        if len(signal.parts) > 1 or not (part.value.type.is_discrete or is_current(part)):
            fail(op, f"output @{op.sym_name.data} reads no single population", "let it read a population")
        new = OutputOp(op.sym_name.data, part.value)
        new.location = op.location
        return new

    def _type(self, type_: SignalType) -> SignalType:
        return SignalType(type_.shape, IntegerType(self._bits))

    def _report(self, forward: Forward) -> None:
        """The error that each layer has now, all before it coded too."""
        options = self._options
        for name, values in self._before.items():
            signal, before = self._recoder.sources[name], values[:REPORTED]
            after = np.full(before.shape, signal.offset)
            for part in signal.parts:
                after += part.factor * forward.signal(part.value).reshape(before.shape)
            level = sqnr(before, after)
            owner = signal.parts[0].value.owner
            type_ = signal.parts[0].value.type
            assert isinstance(owner, Operation)
            assert isinstance(type_, SignalType)
            bits = options.output_bits if type_.span is not None and type_.span[0] < 0 else self._bits
            lines = len(signal.parts)
            options.statistics[f"bits of @{name}"] = bits
            options.statistics[f"lines that carry @{name}"] = lines
            if np.isfinite(level):
                options.statistics[f"SQNR of @{name}, hundredths of a decibel"] = hundredths(level)
            change = f"coded with {bits} bits" + (f" on {lines} lines" if lines > 1 else "")
            options.layers.append(LayerChange(f"@{name}", place_of(owner), change, level, bits))
