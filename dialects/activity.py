"""The attribute that holds how active a signal is: measured by `snn-profile`, read by placement and the guarantee."""

from collections.abc import Sequence
from fractions import Fraction

from xdsl.dialects.builtin import IntAttr
from xdsl.ir import Attribute, ParametrizedAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import IntsAttr, TensorAttr, parse_ints
from snnir.semantics import COUNTS

MOST_SPIKES = COUNTS["spikes"][1]
"""The most spikes of one neuron in one step."""

PERCENTILES = (50, 90, 99)
"""The percentiles of spikes per step that an activity may state."""


@irdl_attr_definition
class ActivityAttr(ParametrizedAttribute):
    """Spikes of a signal, or codes that are not 0, measured over representative data: `steps` steps, `total` and
    per-step `peak` spikes, how often each neuron fired, and (where measured) the 50th, 90th and 99th percentile of the
    spikes in a step.

    ```mlir
    #snn.activity<100 steps, 130 spikes, peak 2, percentiles [1, 2, 2], #snn.tensor<"pixels.counts", 2xi64, [50, 80]>>
    ```
    """

    name = "snn.activity"
    steps: IntAttr
    total: IntAttr
    peak: IntAttr
    counts: TensorAttr
    percentiles: IntsAttr

    @staticmethod
    def of(steps: int, total: int, peak: int, counts: TensorAttr, percentiles: tuple[int, ...] = ()) -> "ActivityAttr":
        """The attribute for measured numbers."""
        return ActivityAttr(IntAttr(steps), IntAttr(total), IntAttr(peak), counts, IntsAttr(percentiles))

    @property
    def mean(self) -> Fraction:
        """Spikes per step."""
        return Fraction(self.total.data, self.steps.data)

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        with parser.in_angle_brackets():
            steps = IntAttr(parser.parse_integer(allow_negative=False))
            parser.parse_keyword("steps")
            parser.parse_punctuation(",")
            total = IntAttr(parser.parse_integer(allow_negative=False))
            parser.parse_keyword("spikes")
            parser.parse_punctuation(",")
            parser.parse_keyword("peak")
            peak = IntAttr(parser.parse_integer(allow_negative=False))
            parser.parse_punctuation(",")
            percentiles: tuple[int, ...] = ()
            if parser.parse_optional_keyword("percentiles"):
                percentiles = parse_ints(parser)
                parser.parse_punctuation(",")
            counts = parser.parse_attribute()
        return steps, total, peak, counts, IntsAttr(percentiles)

    def print_parameters(self, printer: Printer) -> None:
        with printer.in_angle_brackets():
            text = f"{self.steps.data} steps, {self.total.data} spikes, peak {self.peak.data}, "
            printer.print_string(text)
            if self.percentiles.data:
                printer.print_string(f"percentiles {list(self.percentiles.data)}, ")
            printer.print_attribute(self.counts)

    def verify(self) -> None:
        counts = self.counts.array
        if self.steps.data < 1:
            raise VerifyException("activity is measured over at least one step")
        if counts.dtype.kind == "f" or counts.min() < 0 or counts.max() > self.steps.data * MOST_SPIKES:
            raise VerifyException(f"a neuron's count is a whole number, at most {MOST_SPIKES} for each step")
        if int(counts.sum()) != self.total.data:
            raise VerifyException("the per-neuron counts do not add up to the total")
        peak = self.peak.data
        if peak > counts.size * MOST_SPIKES or peak > self.total.data:
            raise VerifyException("peak exceeds what the neurons can emit or the total")
        if peak * self.steps.data < self.total.data:
            raise VerifyException(f"{self.steps.data} steps of at most {peak} spikes do not make the total")
        levels = self.percentiles.data
        if levels and (
            len(levels) != len(PERCENTILES)
            or list(levels) != sorted(levels)
            or not 0 <= levels[0] <= levels[-1] <= peak
        ):
            raise VerifyException("percentiles are three numbers in ascending order, from 0 to the peak")
