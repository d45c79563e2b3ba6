"""`convert-ann-to-snn`: an ordinary network as a spiking one, whose rates are its activations."""

from dataclasses import dataclass
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import IntAttr, ModuleOp
from xdsl.ir import Operation

from snnir.dialects.platform import machine_of
from snnir.dialects.snn import (
    ActivationOp,
    ClipOp,
    DelayOp,
    FlattenOp,
    InputOp,
    MaxPoolOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    ReluOp,
)
from snnir.indices import LIMIT
from snnir.passes.base import SNNPass, fail, program
from snnir.passes.snn.calibration import Calibration
from snnir.passes.snn.conversion import Converter
from snnir.passes.snn.folder import Folder
from snnir.passes.snn.max_pools import average
from snnir.passes.snn.rates import Measured, measured
from snnir.passes.snn.rebuild import reads_late
from snnir.passes.snn.reforming import Work
from snnir.semantics import Semantics

Input = Literal["current", "rate", "poisson"]
Output = Literal["integrator", "spikes"]


@dataclass(frozen=True)
class ConvertANNToSNN(SNNPass):
    """Make every `relu` and `clip` a population of integrate and fire neurons that fires at the rate of its value.

    An inference then takes `steps` steps. A population's threshold is the percentile of its values above 0 on recorded
    data, and a spike stands for as much, which goes into the weights behind it: the weights between two populations
    change by the quotient of their ranges, as in weight normalisation (Rueckauer et al., 2017). A value of `clip` is
    counted from its lower limit on. Neurons start at half their threshold and subtract it when they fire, so that a
    count of spikes is the nearest one to the value (Bu et al., 2022), up to what arrives late and what is taken back.

    Inputs: `current`, the value in every step (only simulated: no machine reads it); `rate`, evenly spaced spikes;
    `poisson`, random ones. `snnc encode` makes these data from data of the ordinary network; the range that a rate
    stands for is noted at the input. Populations that only outputs read: `integrator` sums up, and its largest value
    is the class; `spikes` fire at a rate that counts from a common lower limit, which machines can return. Where the
    data has labels, the accuracy after 1, 2, 4, ... steps is in the statistics.
    """

    name = "convert-ann-to-snn"
    lossy = True

    data: str
    """An .npz file with an array (samples, 1, lines) for each input of the ordinary network, and perhaps `labels`."""
    steps: int = 16
    """Steps of an inference."""
    percentile: float | int = 99.9
    """The percentile of the values above 0 that one spike in every step stands for; 100 is the largest value."""
    input: Input | None = None
    """How inputs arrive: `rate` where the module names a machine, else `current`."""
    output: Output | None = None
    """What outputs read: `spikes` where the module names a machine, else `integrator`."""
    reset: Literal["subtract", "value"] = "subtract"
    """After a spike a neuron is lowered by its threshold, or starts again at 0 (which loses what was above)."""
    start: Literal["half", "zero"] = "half"
    """Neurons start at half their threshold, or at 0."""
    spikes: int = 1
    """The most spikes of a neuron in a step; machines have 1."""
    max_pool: Literal["reject", "avg"] = "reject"
    """What becomes of max pools: an error, or average pools (which are something else)."""
    samples: int | None = None
    """How many of the samples to use, the first; by default 1,024, or fewer where these would take 2 GiB."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        network = program(op)
        semantics = Semantics(compare="ge", reset=self.reset, spikes=self.spikes, start=self.start)
        self._check(network, semantics)
        work = Work(network, ("relu", "clip"), 0.0, {})
        for pool in [each for each in network.body.block.ops if isinstance(each, MaxPoolOp)]:
            if self.max_pool == "reject":
                hint = "run snn-legalize{models=relu,clip}, which compares exactly, or give max_pool=avg"
                fail(pool, "a max pool, and neurons add up", hint)
            average(work, pool)
        self.layers.extend(work.layers)
        calibration = Calibration(network, self.data, self.samples)
        original = network.clone()
        machine = machine_of(op) is not None
        code: Input = self.input or ("rate" if machine else "current")
        ends: Output = self.output or ("spikes" if machine else "integrator")
        converter = Converter(network, calibration, semantics, float(self.percentile))
        converter.run(code, ends)
        network.steps = IntAttr(self.steps)
        Folder(network).run()
        found = measured(original, network, calibration, self.data, converter.spans)
        self._report(converter, found)

    def _check(self, network: NetworkOp, semantics: Semantics) -> None:
        if not 1 <= self.steps < LIMIT:
            fail(network, f"{self.steps} steps", "16 are a good beginning; fewer are faster, more are more exact")
        if not 0 < self.percentile <= 100:
            fail(network, f"percentile {self.percentile:g}", "use a number above 0, up to 100")
        if not 1 <= self.spikes <= 255:
            fail(network, f"{self.spikes} spikes in a step", "use 1 to 255")
        if (problem := semantics.problem("if")) is not None:
            fail(network, problem, "leave out reset or spikes")
        if network.steps is not None and network.steps.data != 1:
            fail(
                network, f"an inference of {network.steps.data} steps", "an inference of ordinary networks is one step"
            )
        for each in network.body.block.ops:
            _check_op(each)
        if not any(isinstance(each, ActivationOp) for each in network.sources.values()):
            fail(network, "no population with an activation", "start from an ordinary network")

    def _report(self, converter: Converter, found: Measured) -> None:
        for layer in converter.layers(found.sqnr):
            self.layers.append(layer)
        self.statistics["populations converted"] = len(converter.spans)
        self.statistics["neurons that fire"] = converter.neurons
        self.statistics["samples run"] = found.samples
        self.statistics["spikes of an inference, on average"] = round(found.spikes)
        for name, span in converter.spans.items():
            self.statistics[f"range of @{name}, millionths"] = round((span.high - span.low) * 1e6)
        if found.before is not None:
            self.statistics["accuracy before, hundredths of a percent"] = round(found.before * 1e4)
        for steps, share in found.after.items():
            self.statistics[f"accuracy after {steps} steps, hundredths of a percent"] = round(share * 1e4)


def _check_op(op: Operation) -> None:
    """Refuse what no ordinary network has, and what no rate can stand for."""
    if isinstance(op, InputOp | ActivationOp) and op.coding is not None:
        fail(op, f"@{op.sym_name.data} is coded already", "run convert-ann-to-snn in the place of snn-code-signals")
    if isinstance(op, InputOp) and op.emits_spikes:
        fail(
            op, f"@{op.sym_name.data} brings spikes already", "start from an ordinary network, whose inputs are values"
        )
    if isinstance(op, ActivationOp) and not isinstance(op, ReluOp | ClipOp):
        hint = "run snn-legalize{models=relu,clip} first, which builds others of relu and clip"
        fail(op, f"@{op.sym_name.data}: the rate of spikes rises like a relu or a clip, and this is a {op.MODEL}", hint)
    if isinstance(op, NeuronOp) and not isinstance(op, ActivationOp):
        fail(op, f"@{op.sym_name.data} has a state already: {op.MODEL}", "convert networks of relu and clip alone")
    if isinstance(op, DelayOp) or reads_late(op):
        fail(op, f"{op.name} delays its signal", "an inference of ordinary networks is one step, without delays")
    if isinstance(op, OutputOp):
        value = op.signal
        while isinstance(value.owner, FlattenOp):
            value = value.owner.source
        if isinstance(value.owner, InputOp):
            fail(op, f"output @{op.sym_name.data} reads an input", "let it read what the network computes")
