"""Operators that only rearrange: they work on the numbers of neurons, by the reference implementation of ONNX."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from snnir.frontend.network import Shape, text_of
from snnir.frontend.onnx.affine import affine
from snnir.frontend.onnx.context import AGAIN, Context, Refused, check_size
from snnir.frontend.onnx.file import Node
from snnir.frontend.onnx.library import evaluate
from snnir.frontend.onnx.views import ZERO, Array, View


def identity(c: Context, node: Node) -> View:
    """Identity."""
    return c.view(node, whole=True)


def reshape(c: Context, node: Node) -> View:
    """Reshape. A batch that the target states counts as the 1 that it is here."""
    view = c.view(node, whole=True)
    target = c.whole_numbers(node, 1, "sizes")
    if target is None:
        target = list(node.wholes("shape") or ())
    sizes = list(target)
    if c.batch not in (None, 1) and sizes and sizes[0] == c.batch:
        sizes[0] = 1
    if not node.whole("allowzero"):
        sizes = [view.shape[k] if n == 0 and k < len(view.shape) else n for k, n in enumerate(sizes)]
    known = prod(n for n in sizes if n != -1)
    if sizes.count(-1) == 1 and known > 0 and view.size % known == 0:
        sizes[sizes.index(-1)] = view.size // known
    if min(sizes, default=1) < 1 or prod(sizes) != view.size:
        raise Refused(f"{text_of(view.shape)} cannot become {target}", "correct the shape", "shape")
    return view.reshaped(tuple(sizes))


def flatten(c: Context, node: Node) -> View:
    """Flatten to two dimensions."""
    view = c.view(node, whole=True)
    axis, rank = node.whole("axis", 1), len(view.shape)
    axis += rank if axis < 0 else 0
    if not 0 <= axis <= rank:
        raise Refused(f"Flatten has the axis {axis} of {rank}", AGAIN, "shape")
    if axis == 0:
        _keeps_batch(c, node)
    return view.reshaped((prod(view.shape[:axis]), prod(view.shape[axis:])))


def squeeze(c: Context, node: Node) -> View:
    """Squeeze: without the dimensions of 1 that are named, or all of them."""
    view = c.view(node, whole=True)
    axes = _axes(c, node, len(view.shape))
    if axes is None:
        axes = [n for n, size in enumerate(view.shape) if size == 1]
    if any(view.shape[n] != 1 for n in axes):
        raise Refused(f"Squeeze of the axes {axes} of {text_of(view.shape)}", "correct the axes", "shape")
    if 0 in axes:
        _keeps_batch(c, node)
    return view.reshaped(tuple(size for n, size in enumerate(view.shape) if n not in axes))


def unsqueeze(c: Context, node: Node) -> View:
    """Unsqueeze: with dimensions of 1 added."""
    view = c.view(node, whole=True)
    given = node.wholes("axes")
    count = len(given) if given is not None else c.constant(node, 1, "axes").size
    rank = len(view.shape) + count
    axes = _axes(c, node, rank) or []
    if len(set(axes)) != count:
        raise Refused(f"Unsqueeze at the axes {axes}, of which some are equal", "correct the axes", "shape")
    rest = iter(view.shape)
    return view.reshaped(tuple(1 if n in axes else next(rest) for n in range(rank)))


def _axes(c: Context, node: Node, rank: int) -> list[int] | None:
    """Axes as an attribute (before opset 13), or as an input."""
    given = node.wholes("axes")
    found = [int(n) for n in given] if given is not None else c.whole_numbers(node, 1, "axes")
    if found is None:
        return None
    if any(not -rank <= n < rank for n in found):
        raise Refused(f"{node.op} has the axes {found} of {rank}", AGAIN, "shape")
    return [n + rank if n < 0 else n for n in found]


def _keeps_batch(c: Context, node: Node) -> None:
    """Refuse what would mix the samples of a batch that the file states."""
    if c.batch not in (None, 1):
        raise Refused(f"{node.op} mixes the {c.batch} samples of a batch", "export with a batch of 1")


def shape_of(c: Context, node: Node) -> Array:
    """Shape, which is constant."""
    shape = c.view(node, whole=True).shape
    return np.array(shape[node.whole("start") : node.whole("end", len(shape))], np.int64)


def size_of(c: Context, node: Node) -> Array:
    """Size, which is constant."""
    return np.array(c.view(node, whole=True).size, np.int64)


def rearrange(c: Context, node: Node) -> list[View]:
    """Transpose, Slice, Split, Gather, Tile, Expand, DepthToSpace, SpaceToDepth: any operator that moves entries."""
    view = c.view(node, whole=True)
    if (node.wholes("perm") or (0,))[0] != 0 or node.whole("axis", 1) == 0:
        _keeps_batch(c, node)
    inputs = {node.inputs[0]: view.numbers}
    for number, name in enumerate(node.inputs[1:], 1):
        if name:
            inputs[name] = c.constant(node, number, "sizes")
    check_parts(node)
    if node.op in ("Expand", "Tile"):
        check_size(_grown(node, view.shape, c.constant(node, 1, "sizes").ravel()), node.op)
    try:
        found = evaluate(node.proto, c.opset, inputs)
    except Exception as error:  # the reference implementation raises whatever numpy does
        reason = " ".join(str(error).split())[:200]
        raise Refused(f"{node.op} of {text_of(view.shape)} makes no sense ({reason})", AGAIN, "shape") from None
    return [view.rearranged(lambda _, each=each: np.asarray(each)) for each in found]


def check_parts(node: Node) -> None:
    """A Split makes as many parts as it says."""
    parts = node.whole("num_outputs", len(node.outputs))
    if node.op == "Split" and parts != len(node.outputs):
        raise Refused(f"Split into {parts} parts has {len(node.outputs)} outputs", AGAIN, "damaged")


def _grown(node: Node, shape: Shape, sizes: Array) -> Shape:
    """The shape that Expand or Tile make, roughly: before anything is made."""
    wanted = tuple(int(n) for n in sizes)
    if node.op == "Tile":
        return tuple(max(a, 1) * n for a, n in zip(wanted, shape, strict=False))
    rank = max(len(wanted), len(shape))
    padded = [(1,) * (rank - len(each)) + each for each in (wanted, shape)]
    return tuple(max(a, b) for a, b in zip(*padded, strict=True))


def pad(c: Context, node: Node) -> View:
    """Pad with a constant, or by what lies at the edge; negative numbers cut off."""
    view = c.view(node, whole=True)
    rank = len(view.shape)
    mode = node.text("mode", "constant")
    given = node.wholes("pads")
    pads = [int(n) for n in given] if given is not None else c.whole_numbers(node, 1, "pads")
    if pads is None:
        raise Refused("Pad lacks its pads", AGAIN, "damaged")
    axes = c.whole_numbers(node, 3, "axes") or list(range(rank))
    value = node.real("value", 0.0)
    if c.has(node, 2) and c.opset >= 11:
        value = float(c.constant(node, 2, "values").ravel()[0])
    if len(pads) != 2 * len(axes) or any(not -rank <= n < rank for n in axes):
        raise Refused(f"Pad has {len(pads)} pads for {len(axes)} dimensions", AGAIN, "shape")
    low, high = [0] * rank, [0] * rank
    for number, axis in enumerate(axes):
        low[axis], high[axis] = pads[number], pads[number + len(axes)]
    return _padded(c, node, view, low, high, mode, value)


def _padded(c: Context, node: Node, view: View, low: list[int], high: list[int], mode: str, value: float) -> View:
    check_size(tuple(n + a + b for n, a, b in zip(view.shape, low, high, strict=True)), "what Pad makes")
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, a, b in zip(view.shape, low, high, strict=True))
    numbers = view.numbers[cut]
    widths = [(max(a, 0), max(b, 0)) for a, b in zip(low, high, strict=True)]
    if mode in ("reflect", "edge", "wrap"):
        return view.rearranged(lambda _: np.pad(numbers, widths, mode=mode))  # pyright: ignore[reportArgumentType]
    if mode != "constant" or not np.isfinite(value):
        raise Refused(f"Pad of mode {mode} with {value:g}", "pad with a number", "use")
    padded = view.rearranged(lambda _: np.pad(numbers, widths, constant_values=ZERO))
    if value == 0.0:
        return padded
    around = np.pad(np.zeros(numbers.shape, np.float32), widths, constant_values=np.float32(value))
    return affine(c, node, padded, 1.0, around)


def concat(c: Context, node: Node) -> View:
    """Concat of signals and constants: parts of one signal stay one; others are put side by side by connections."""
    parts = [c.constants[n] if n in c.constants else c.view(node, k) for k, n in enumerate(node.inputs)]
    shapes = [part.shape for part in parts]
    axis, rank = node.whole("axis", 1), len(shapes[0])
    axis += rank if axis < 0 else 0
    fit = all(
        len(s) == rank and s[:axis] == shapes[0][:axis] and s[axis + 1 :] == shapes[0][axis + 1 :] for s in shapes
    )
    if not 0 <= axis < rank or not fit:
        what = " and ".join(map(text_of, shapes))
        raise Refused(f"Concat of {what} along axis {axis}", "correct the shapes", "shape")
    if axis == 0:
        _keeps_batch(c, node)
    shape = (*shapes[0][:axis], sum(s[axis] for s in shapes), *shapes[0][axis + 1 :])
    check_size(shape, "Concat")
    views = [part for part in parts if isinstance(part, View)]
    constant = np.concatenate([np.zeros(p.shape) if isinstance(p, View) else p for p in parts], axis=axis)
    if len({(view.names, view.base) for view in views}) == 1:
        entries = [p.numbers if isinstance(p, View) else np.full(p.shape, ZERO) for p in parts]
        result = views[0].rearranged(lambda _: np.concatenate(entries, axis=axis))
        result = replace(result, positive=all(view.positive for view in views), alone=False)
    else:
        result = _side_by_side(c, node, parts, shape, axis)
    return affine(c, node, result, 1.0, constant.astype(np.float32)) if constant.any() else result


def _side_by_side(c: Context, node: Node, parts: list[View | Array], shape: Shape, axis: int) -> View:
    """Each signal connected to its own places, and the sum of all."""
    places = np.arange(prod(shape)).reshape(shape)
    base = replace(View((), (1,), shape)).sample
    names: list[str] = []
    start = 0
    for part in parts:
        end = start + part.shape[axis]
        if isinstance(part, View):
            own = np.take(places, range(start, end), axis=axis).ravel()
            numbers = part.numbers.ravel()
            real = numbers != ZERO
            names += c.gathered(node, part.names, numbers[real], own[real], base)
        start = end
    positive = all(part.positive for part in parts if isinstance(part, View))
    return View(tuple(names), base, shape, positive=positive)
