"""What each NIR node makes of the shape that it receives, and what is wrong when it cannot.

Shapes are those of one sample in one step: no batch, no time. A rule never changes a node: a repair is written down in
a `Problem` and takes effect where the node is converted.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Literal

import numpy as np

from snnir.frontend.hdf5 import Place
from snnir.frontend.network import Shape, text_of
from snnir.frontend.nir.fields import Node
from snnir.frontend.nir.lints import Findings

Repair = Literal["", "flatten", "transpose", "unbatch"]


@dataclass(frozen=True)
class Problem:
    """A shape that does not fit. `cure` goes on from "--fix"; without it only the author can repair, as `hint` says.

    `repair` names the changes that conversion has to make.
    """

    lint: str
    place: Place
    message: str
    cure: str = ""
    hint: str = ""
    node: str = ""
    repair: Repair = ""

    def report(self, findings: Findings) -> None:
        """Make it a finding."""
        if self.cure:
            findings.repairable(self.lint, self.place, self.message, self.cure)
        elif self.lint == "ragged-parameters":
            findings.unrepaired(self.lint, self.place, self.message, self.hint)
        else:
            findings.defect(self.lint, self.place, self.message, self.hint)


@dataclass(frozen=True)
class Outcome:
    """The shape that leaves a node, and what is wrong with what arrives."""

    shape: Shape | None
    problems: tuple[Problem, ...] = ()


def own_shape(node: Node) -> Shape | None:
    """The shape that a node says it receives, where its fields say so."""
    if node.is_population or node.kind in ("Scale", "Delay"):
        return common_shape(node) or None
    if node.is_matrix:
        shape = node.weight.shape
        return (*shape[:-2], shape[-1]) if len(shape) > 1 else None
    if node.kind in ("Conv1d", "Conv2d"):
        size = node.counts.get("input_shape")
        return (node.weight.shape[1] * _groups(node), *size) if size and len(node.weight.shape) > 1 else None
    declared = node.counts.get("input_type" if node.kind == "Flatten" else "shape")
    return declared if declared and min(declared) > 0 else None


def common_shape(node: Node) -> Shape | None:
    """The shape that all elementwise fields of a node can be repeated to; `None` when they contradict each other."""
    try:
        return np.broadcast_shapes(*(tensor.shape for tensor in node.elementwise.values()))
    except ValueError:
        return None


def accepts(node: Node, shape: Shape) -> bool | None:
    """Whether a node can receive a shape; `None` when it does not say."""
    if node.is_matrix and len(node.weight.shape) == 2:
        return shape[-1] == node.weight.shape[1]
    if node.kind in ("Conv1d", "Conv2d"):
        return len(shape) == len(node.weight.shape) - 1 and shape[0] == node.weight.shape[1] * _groups(node)
    own = own_shape(node) if node.kind != "Flatten" else None
    return None if own is None else own == shape or own == (1,) * (len(own) - len(shape)) + shape


def leave(node: Node, incoming: Shape, readers: list[Node]) -> Outcome:
    """What a node makes of the shape `incoming`; `readers` are the nodes behind it."""
    if node.kind in ("Input", "Output"):
        return _declared(node, incoming)
    if node.is_matrix:
        return _matrix(node, incoming, readers)
    if node.kind in ("Conv1d", "Conv2d"):
        return _convolution(node, incoming)
    if node.kind in ("SumPool2d", "AvgPool2d"):
        return _pool(node, incoming)
    if node.kind == "Flatten":
        return _flatten(node, incoming, readers)
    return _elementwise(node, incoming)


def _declared(node: Node, incoming: Shape) -> Outcome:
    """An Output, or an Input or Output of a nested graph: the signal passes."""
    own = node.counts.get("shape")
    if own is None or own == incoming:
        return Outcome(incoming)
    lint = "subgraph-shape" if node.inner else "output-shape"
    what = f"this {node.kind} has the shape {text_of(own)}, but it receives {text_of(incoming)}"
    return Outcome(incoming, (Problem(lint, node.place.inside("shape"), what, f"takes {text_of(incoming)}"),))


def _elementwise(node: Node, incoming: Shape) -> Outcome:
    """Nodes with one parameter per element."""
    shapes = {name: tensor.shape for name, tensor in node.elementwise.items()}
    common, listed = common_shape(node), ", ".join(f"{name} {text_of(shape)}" for name, shape in shapes.items())
    if common is None:
        reference = max(shapes.values(), key=prod)
        wrong = next(name for name, shape in shapes.items() if shape not in ((), reference))
        what = f"the parameters differ in shape: {listed}"
        hint = "all parameters of a node have one shape"
        return Outcome(incoming, (Problem("ragged-parameters", node.place.inside(wrong), what, hint=hint),))
    if not prod(common):
        what = f"this {node.kind} has no neurons: {listed}"
        return Outcome(incoming, (Problem("unknown-shape", node.place, what, hint="export the node again"),))
    problems: list[Problem] = []
    ragged = [name for name, shape in shapes.items() if shape != common and name != "w_in"]
    if ragged:
        what = f"the parameters differ in shape: {listed}"
        cure = f"repeats the others to {text_of(common)}"
        problems.append(Problem("ragged-parameters", node.place.inside(ragged[0]), what, cure))
    what = f"this {node.kind} has the shape {text_of(common)}, but it receives {text_of(incoming)}"
    if common == incoming:
        return Outcome(incoming, tuple(problems))
    if not common:
        what = "the parameters have no dimensions, so the number of neurons is unknown"
        cure = f"uses them for each neuron of the {text_of(incoming)} signal"
        return Outcome(incoming, (*problems, Problem("scalar-parameters", node.place, what, cure)))
    if common == (1,) * (len(common) - len(incoming)) + incoming:
        problem = Problem("batch-dimension", node.place, what, f"reads {text_of(common)} as {text_of(incoming)}")
        return Outcome(incoming, (*problems, problem))
    if prod(common) == prod(incoming) and len(common) == 1:
        problem = Problem("missing-flatten", node.place, what, "flattens the signal", node=node.name, repair="flatten")
        return Outcome(common, (*problems, problem))
    if _repeats(common, incoming):
        cure = f"repeats the parameters to {text_of(incoming)}"
        return Outcome(incoming, (*problems, Problem("scalar-parameters", node.place, what, cure)))
    problem = Problem("shape-mismatch", node.place, what, hint=_hint(incoming, common))
    return Outcome(common, (*problems, problem))


def _repeats(shape: Shape, incoming: Shape) -> bool:
    """Whether numpy would repeat `shape` to `incoming`: one number for all, or as many dimensions with a 1 in some."""
    if len(shape) != len(incoming) and prod(shape) != 1:
        return False
    try:
        return np.broadcast_shapes(shape, incoming) == incoming
    except ValueError:
        return False


def _matrix(node: Node, incoming: Shape, readers: list[Node]) -> Outcome:
    """Affine and Linear: the last dimension is multiplied. Weights of more than two dimensions: one matrix for each."""
    weight, bias = node.weight.shape, node.numbers.get("bias")
    place = node.place.inside("weight")
    if len(weight) < 2 or not prod(weight):
        what = f"the weight is {text_of(weight)}, but matrices (targets x sources) are needed"
        return Outcome(None, (Problem("shape-mismatch", place, what, hint="export the node again"),))
    rows, columns = weight[-2:]
    problems: list[Problem] = []
    needed = (*weight[:-2], columns) if len(weight) > 2 else (*incoming[:-1], columns)
    if incoming == needed:
        if bias is not None and bias.shape not in ((rows,), (*weight[:-2], rows)):
            what = f"the bias is {text_of(bias.shape)}, but the weight has {rows} rows"
            problem = Problem("shape-mismatch", node.place.inside("bias"), what, hint="give one bias per row")
            problems.append(problem)
        return Outcome((*needed[:-1], rows), tuple(problems))
    what = f"this {node.kind} takes {text_of(needed)} values, but it receives {text_of(incoming)}"
    if len(weight) == 2:
        what = f"this {node.kind} takes {columns} values, but it receives {text_of(incoming)}"
        turned = (*incoming[:-1], columns)
        if prod(incoming) == columns:
            cure = f"flattens the {text_of(incoming)} signal before it"
            problem = Problem("missing-flatten", node.place, what, cure, node=node.name, repair="flatten")
            return Outcome((rows,), (problem,))
        fits = all(accepts(reader, turned) in (True, None) for reader in readers)
        if incoming[-1] == rows and (bias is None or bias.shape == (columns,)) and fits:
            what = f"the weight is {text_of(weight)}, but {text_of(incoming)} values arrive: it is transposed"
            cure = f"reads it as {columns}x{rows}, targets x sources"
            problem = Problem("transposed-weight", place, what, cure, node=node.name, repair="transpose")
            return Outcome(turned, (problem,))
    problem = Problem("shape-mismatch", node.place, what, hint=_hint(incoming, needed))
    return Outcome((*needed[:-1], rows), (problem,))


def _groups(node: Node) -> int:
    return (node.counts.get("groups") or (1,))[0]


def window(node: Node, name: str, dimensions: int, default: int = 1) -> Shape | None:
    """A setting of a window, one per dimension; a single number stands for all. `None` when it has another length."""
    values = node.counts.get(name, (default,))
    return values * dimensions if len(values) == 1 else values if len(values) == dimensions else None


def padding_of(node: Node, kernel: Shape) -> tuple[Shape, Shape] | None:
    """What a convolution or pool adds before and behind each dimension.

    `same` adds dilation * (kernel - 1) in all, the larger half behind, whatever the stride is (PyTorch's rule for
    stride 1, which NIR takes `same` from).
    """
    dimensions = len(kernel)
    if node.padding == "same":
        dilation = window(node, "dilation", dimensions) or (1,) * dimensions
        total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return tuple(n // 2 for n in total), tuple(n - n // 2 for n in total)
    if node.padding == "valid":
        return (0,) * dimensions, (0,) * dimensions
    both = window(node, "padding", dimensions, 0) if node.padding is None else None
    return None if both is None else (both, both)


def _window(node: Node, incoming: Shape, kernel: Shape) -> tuple[Shape | None, tuple[Problem, ...]]:
    """The spatial shape behind a window, by the formula of PyTorch's Conv2d, and what is wrong with the window."""
    size, dimensions = incoming[1:], len(kernel)
    stride, dilation = window(node, "stride", dimensions), window(node, "dilation", dimensions)
    padding = padding_of(node, kernel)
    for name, values, least in (("stride", stride, 1), ("dilation", dilation, 1), ("kernel_size", kernel, 1)):
        if values is None or min(values) < least:
            what = f"{name} {text_of(node.counts.get(name, kernel))} makes no sense in {dimensions} dimensions"
            hint = f"give {dimensions} whole numbers of at least {least}"
            return None, (Problem("window", node.place.inside(name), what, hint=hint),)
    if padding is None or min(padding[0]) < 0:
        given = f"'{node.padding}'" if node.padding is not None else text_of(node.counts["padding"])
        what = f"padding {given} makes no sense in {dimensions} dimensions"
        hint = f"give {dimensions} whole numbers, 'same' or 'valid'"
        return None, (Problem("window", node.place.inside("padding"), what, hint=hint),)
    assert stride is not None
    assert dilation is not None
    spans = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    padded = [n + low + high for n, low, high in zip(size, *padding, strict=True)]
    if any(span > n for span, n in zip(spans, padded, strict=True)):
        what = f"the window of this {node.kind} is {text_of(tuple(spans))}, larger than the {text_of(tuple(padded))}"
        hint = "correct its kernel, dilation or padding"
        return None, (Problem("window", node.place, f"{what} that it moves over (padding included)", hint=hint),)
    return tuple((n - span) // s + 1 for n, span, s in zip(padded, spans, stride, strict=True)), ()


def _convolution(node: Node, incoming: Shape) -> Outcome:
    """Conv1d and Conv2d: channels first, weights out x in/groups x kernel."""
    weight, groups, dimensions = node.weight.shape, _groups(node), int(node.kind[4])
    if len(weight) != dimensions + 2 or not prod(weight):
        what = f"the weight is {text_of(weight)}, but {node.kind} weights have {dimensions + 2} dimensions"
        return Outcome(None, (Problem("shape-mismatch", node.place.inside("weight"), what, hint="export it again"),))
    if groups < 1 or weight[0] % groups:
        what = f"{weight[0]} output channels cannot be split into {groups} groups"
        return Outcome(None, (Problem("window", node.place.inside("groups"), what, hint="correct groups"),))
    bias = node.numbers.get("bias")
    problems: list[Problem] = []
    if bias is not None and bias.shape != weight[:1]:
        what = f"the bias is {text_of(bias.shape)}, but there are {weight[0]} output channels"
        place = node.place.inside("bias")
        problems.append(Problem("shape-mismatch", place, what, hint="give one bias per channel"))
    if len(incoming) != dimensions + 1 or incoming[0] != weight[1] * groups:
        axes = "xHxW"[: 2 * dimensions] if dimensions > 1 else "xL"
        what = f"this {node.kind} takes {weight[1] * groups}{axes}, but it receives {text_of(incoming)}"
        hint = "correct one of the two shapes"
        if len(incoming) == dimensions + 2 and incoming[1] == weight[1] * groups:
            hint = f"NIR shapes have no time or batch dimension: write {text_of(incoming[1:])}"
        return Outcome(None, (*problems, Problem("shape-mismatch", node.place, what, hint=hint)))
    said = node.counts.get("input_shape")
    if said is not None and said != incoming[1:]:
        what = f"input_shape is {text_of(said)}, but this {node.kind} receives {text_of(incoming)}"
        cure = f"takes {text_of(incoming[1:])}"
        problems.append(Problem("conv-input-shape", node.place.inside("input_shape"), what, cure))
    size, wrong = _window(node, incoming, weight[2:])
    return Outcome(None if size is None else (weight[0], *size), (*problems, *wrong))


def _pool(node: Node, incoming: Shape) -> Outcome:
    """SumPool2d and AvgPool2d over the last two of three dimensions."""
    if len(incoming) != 3:
        what = f"this {node.kind} takes CxHxW, but it receives {text_of(incoming)}"
        return Outcome(None, (Problem("shape-mismatch", node.place, what, hint="correct one of the two shapes"),))
    kernel = window(node, "kernel_size", 2)
    if kernel is None:
        what = f"kernel_size {text_of(node.counts['kernel_size'])} makes no sense in 2 dimensions"
        return Outcome(None, (Problem("window", node.place.inside("kernel_size"), what, hint="give two numbers"),))
    size, wrong = _window(node, incoming, kernel)
    return Outcome(None if size is None else (incoming[0], *size), wrong)


def flatten_range(node: Node, unbatched: bool) -> tuple[int, int]:
    """The first and the last dimension that a Flatten merges; `unbatched`: it counted a batch before them."""
    (start,), (end,) = node.counts["start_dim"], node.counts["end_dim"]
    return (start - (start > 0), end - (end > 0)) if unbatched else (start, end)


def merged(shape: Shape, start: int, end: int) -> Shape | None:
    """A shape with the dimensions from `start` to `end` merged; `None` when there are no such dimensions."""
    count = len(shape)
    first, last = start + count * (start < 0), end + count * (end < 0)
    if not 0 <= first <= last < count:
        return None
    return (*shape[:first], prod(shape[first : last + 1]), *shape[last + 1 :])


def _flatten(node: Node, incoming: Shape, readers: list[Node]) -> Outcome:
    """Flatten: dimensions of one sample are merged. Exporters that count the batch are recognised by what reads it."""
    (start,), (end,) = node.counts["start_dim"], node.counts["end_dim"]
    said, place = node.counts.get("input_type"), node.place.inside("start_dim")
    as_is = merged(incoming, *flatten_range(node, False))
    without = merged(incoming, *flatten_range(node, True))
    batched = said is not None and len(said) == len(incoming) + 1
    if start > 0 and without is not None and without != as_is:
        verdicts = [(as_is is not None and accepts(each, as_is), accepts(each, without)) for each in readers]
        stated = [verdict for verdict in verdicts if verdict[1] is not None]
        wanted = bool(stated) and all(verdict == (False, True) for verdict in stated)
        if as_is is None or batched or wanted:
            what = f"this Flatten starts at dimension {start} of {text_of(said or incoming)}: it counts a batch"
            cure = f"merges {text_of(incoming)} to {text_of(without)}"
            problem = Problem("flatten-batch", place, what, cure, node=node.name, repair="unbatch")
            return Outcome(without, (problem,))
    if as_is is None:
        what = f"this Flatten merges the dimensions {start} to {end}, but it receives {text_of(incoming)}"
        return Outcome(None, (Problem("shape-mismatch", place, what, hint="correct start_dim and end_dim"),))
    if said is not None and said != incoming:
        what = f"this Flatten is for {text_of(said)}, but it receives {text_of(incoming)}"
        problem = Problem("flatten-input-type", node.place.inside("input_type"), what, f"takes {text_of(incoming)}")
        return Outcome(as_is, (problem,))
    return Outcome(as_is)


def _hint(wrong: Shape, right: Shape) -> str:
    """What is probably the matter with a shape."""
    if len(wrong) > len(right) and wrong[len(wrong) - len(right) :] == right:
        return f"NIR shapes have no time or batch dimension: write {text_of(right)}"
    return "correct one of the two shapes"
