"""Bundles of delayed synapses: the projection of networks whose delays were trained."""

from typing import ClassVar

import numpy as np
from xdsl.dialects.builtin import IntAttr
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import irdl_op_definition, prop_def
from xdsl.parser import Parser
from xdsl.pattern_rewriter import RewritePattern
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn_projections import WeightedOp
from snnir.dialects.snn_shapes import verify_delay
from snnir.semantics import Value


@irdl_op_definition
class BundleOp(WeightedOp):
    """A bundle of delayed synapses: between each source and each target one synapse for each delay level.

    `current[t] = scale * sum_k weights[k] . source[t - delay - k * stride] + bias`; weights are levels x targets x
    sources. A weight of 0 is no synapse: it was pruned. Delays are made of parallel synapses, of which training and
    pruning choose, as in hardware-aware training with synaptic delays (arXiv 2404.10597, section II).

    ```mlir
    %x = snn.input @pixels : !snn.signal<2, spike>
    %c = snn.bundle %x weights #snn.tensor<"w", 3x1x2xf32, [0.5, 0.0, 0.0, -0.25, 1.0, 0.0]> stride 2 delay 1
      : !snn.signal<2, spike> -> !snn.signal<1, f64>
    ```
    """

    name = "snn.bundle"
    stride = prop_def(IntAttr)
    LANES: ClassVar[str] = "targets"

    def __init__(
        self,
        source: SSAValue | Operation,
        weights: TensorAttr,
        result: SignalType,
        *,
        stride: int = 1,
        bias: TensorAttr | None = None,
        scale: Attribute | None = None,
        delay: int = 0,
    ) -> None:
        details = {"stride": IntAttr(stride)}
        super().__init__(source, weights, result, bias=bias, scale=scale, delay=delay, details=details)

    @property
    def levels(self) -> int:
        """How many delay levels there are, pruned ones included."""
        assert isinstance(self.weights, TensorAttr)
        return self.weights.data.shape[0]

    @property
    def longest(self) -> int:
        """The delay of the last level, in steps."""
        return self.delay.data + (self.levels - 1) * self.stride.data

    @property
    def least_delay(self) -> int:
        """The delay of the first level that has synapses, in steps."""
        assert isinstance(self.weights, TensorAttr)
        used = np.flatnonzero(self.weights.array.any(axis=(1, 2)))
        return self.delay.data + int(used[0] if len(used) else 0) * self.stride.data

    @property
    def latest_delay(self) -> int:
        """The delay of the last level that has synapses, in steps."""
        assert isinstance(self.weights, TensorAttr)
        used = np.flatnonzero(self.weights.array.any(axis=(1, 2)))
        return self.delay.data + int(used[-1] if len(used) else 0) * self.stride.data

    @property
    def is_late(self) -> bool:
        """Whether a synapse has a delay."""
        return self.latest_delay > 0

    def per_weight(self, lanes: Value) -> Value:
        return np.reshape(lanes, (-1, 1)) if np.ndim(lanes) else lanes

    def verify_shapes(self) -> None:
        assert isinstance(self.weights, TensorAttr)
        shape, expected = self.weights.data.shape, (self.current_type.size, self.source_type.size)
        if len(shape) != 3 or shape[1:] != expected:
            raise VerifyException(
                f"weights '{self.weights.data.key}' are {'x'.join(map(str, shape))}, but the signals need levels x "
                f"{expected[0]}x{expected[1]} (delay levels x targets x sources)"
            )
        if self.stride.data < 1:
            raise VerifyException("the stride of a bundle, in steps from one delay level to the next, is at least 1")
        verify_delay(self.longest)

    @classmethod
    def get_canonicalization_patterns(cls) -> tuple[RewritePattern, ...]:
        from snnir.dialects.snn_patterns import OneLevel, PrunedLevels  # noqa: PLC0415

        return (*super().get_canonicalization_patterns(), PrunedLevels(), OneLevel())

    @classmethod
    def parse_details(cls, parser: Parser, properties: dict[str, Attribute]) -> None:
        parser.parse_keyword("stride")
        properties["stride"] = IntAttr(parser.parse_integer())

    def print_details(self, printer: Printer) -> None:
        printer.print_string(f" stride {self.stride.data}")
