"""Which operators are understood: those that read data, those that are computed beforehand, and why others are not."""

from __future__ import annotations

from collections.abc import Callable

from snnir.frontend.onnx import elementwise, layout, pools, weighted
from snnir.frontend.onnx.context import Context
from snnir.frontend.onnx.file import Node
from snnir.frontend.onnx.views import Array, View

Handler = Callable[[Context, Node], View | Array | list[View]]
"""Makes declarations of a node; gives what its outputs are."""

OPSETS = range(6, 22)
"""The opsets that are understood."""

HANDLERS: dict[str, Handler] = {
    "Add": elementwise.add,
    "AveragePool": pools.average_pool,
    "BatchNormalization": elementwise.batch_normalization,
    "Cast": elementwise.cast,
    "Clip": elementwise.clip,
    "Concat": layout.concat,
    "Conv": weighted.conv,
    "DepthToSpace": layout.rearrange,
    "Div": elementwise.divide,
    "Dropout": elementwise.dropout,
    "Elu": elementwise.elu,
    "Expand": layout.rearrange,
    "Flatten": layout.flatten,
    "Gather": layout.rearrange,
    "Gemm": weighted.gemm,
    "GlobalAveragePool": pools.global_average_pool,
    "GlobalMaxPool": pools.global_max_pool,
    "HardSigmoid": elementwise.hard_sigmoid,
    "Identity": layout.identity,
    "LeakyRelu": elementwise.leaky_relu,
    "MatMul": weighted.product,
    "MaxPool": pools.max_pool,
    "Mul": elementwise.multiply,
    "Neg": elementwise.negate,
    "PRelu": elementwise.p_relu,
    "Pad": layout.pad,
    "Pow": elementwise.power,
    "ReduceMean": pools.reduce_mean,
    "ReduceSum": pools.reduce_sum,
    "Relu": elementwise.relu,
    "Reshape": layout.reshape,
    "Selu": elementwise.selu,
    "Shape": layout.shape_of,
    "Sigmoid": elementwise.sigmoid,
    "Size": layout.size_of,
    "Slice": layout.rearrange,
    "Softmax": elementwise.softmax,
    "Softplus": elementwise.softplus,
    "SpaceToDepth": layout.rearrange,
    "Split": layout.rearrange,
    "Squeeze": layout.squeeze,
    "Sub": elementwise.subtract,
    "Sum": elementwise.add,
    "Tanh": elementwise.tanh,
    "Tile": layout.rearrange,
    "Transpose": layout.rearrange,
    "Unsqueeze": layout.unsqueeze,
}
"""Operators that may read data."""

SHAPES = ("Shape", "Size")
"""Operators whose result is constant whatever they read."""

_CONSTANT = """Abs And Ceil Constant ConstantOfShape DequantizeLinear Equal Erf Exp Floor Greater GreaterOrEqual Less
LessOrEqual Log Max Min Mod Not Or QuantizeLinear Range Reciprocal ReduceMax ReduceMin ReduceProd Round ScatterND Sign
Sqrt Where"""
_ONLY_DATA = frozenset(("AveragePool", "Conv", "GlobalAveragePool", "GlobalMaxPool", "MaxPool"))
FOLDED = frozenset(HANDLERS) - _ONLY_DATA | frozenset(_CONSTANT.split())
"""Operators that may stand between constants, which are computed when the file is read."""

_WHY = (
    ("LSTM GRU RNN", "it keeps a state along a sequence, and an inference of a program is one step"),
    ("Resize Upsample", "it interpolates; train with transposed or repeated pixels in its place"),
    ("If Loop Scan SequenceMap", "what is computed would depend on the data"),
    (
        "ConvInteger MatMulInteger QLinearConv QLinearMatMul QuantizeLinear DequantizeLinear DynamicQuantizeLinear",
        "it rounds halves to even numbers, codes of a program round them upwards; export before quantising",
    ),
    (
        "LayerNormalization InstanceNormalization GroupNormalization LpNormalization LRN RMSNormalization",
        "it divides by statistics of the data; train with BatchNormalization",
    ),
    ("Attention Einsum", "what it multiplies by depends on the data, and the weights of a crossbar do not"),
    ("ArgMax ArgMin TopK", "the host finds the largest of the outputs; end before it"),
    ("ConvTranspose MaxUnpool", "programs have no transposed convolution"),
    ("RandomNormal RandomUniform RandomNormalLike RandomUniformLike Multinomial Bernoulli", "it draws random numbers"),
    (
        "Abs Exp Log Sqrt Erf Gelu Max Min Reciprocal HardSwish Mish LogSoftmax",
        "it is no activation that programs have; train with one of docs/onnx.md",
    ),
)
REASONS = {name: why for names, why in _WHY for name in names.split()}
"""Why an operator is refused."""


def refusal(node: Node, *, constant: bool) -> tuple[str, str] | None:
    """Why a node is not understood, and how to do without; `None` when it is."""
    hint = "docs/onnx.md has the operators that are understood"
    if node.domain:
        what = f"operator {node.op} of the domain '{node.domain}' is refused: only operators of ONNX itself are defined"
        return what, f"export with standard operators; {hint}"
    if node.op in (FOLDED if constant else HANDLERS):
        return None
    reason = REASONS.get(node.op, "a program has no counterpart of it")
    if constant:
        reason = "it is not computed when a file is read"
    return f"operator {node.op} is refused: {reason}", hint
