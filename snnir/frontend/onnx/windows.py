"""Kernels that move over planes: their sizes, and how ONNX pads."""

from __future__ import annotations

from snnir.frontend.onnx.context import Refused
from snnir.frontend.onnx.file import Node

Sizes = tuple[int, ...]

LARGEST = 1 << 24
"""Kernels, strides and paddings beyond this are typing errors."""


def sizes(node: Node, name: str, n: int, default: int | None = 1, least: int = 1) -> Sizes:
    """An attribute with a number for each dimension. `default` stands for a missing one; `None`: it must be there."""
    given = node.wholes(name)
    if given is None:
        if default is None:
            raise Refused(f"{node.op} lacks {name}", "export the model again", "damaged")
        return (default,) * n
    if len(given) != n or min(given) < least or max(given) > LARGEST:
        what = f"{name} of {node.op} is {list(given)}, but needs {n} numbers from {least} to {LARGEST}"
        raise Refused(what, "export the model again", "shape")
    return given


def padding_of(
    node: Node, size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes, *, ceil: bool = False
) -> tuple[Sizes, Sizes, Sizes]:
    """Zeros before and behind each dimension, and how often the kernel fits.

    The padding behind is what the last window reaches, more or less than `pads` says.
    """
    n = len(size)
    reach = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    auto = node.text("auto_pad", "NOTSET") or "NOTSET"
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        out = tuple(-(-a // s) for a, s in zip(size, stride, strict=True))
        total = [max((o - 1) * s + r - a, 0) for o, s, r, a in zip(out, stride, reach, size, strict=True)]
        low = tuple(t // 2 if auto == "SAME_UPPER" else t - t // 2 for t in total)
        return low, tuple(t - a for t, a in zip(total, low, strict=True)), out
    if auto not in ("NOTSET", "VALID"):
        raise Refused(f"{node.op} pads {auto}", "ONNX has NOTSET, VALID, SAME_UPPER and SAME_LOWER", "damaged")
    pads = (0,) * (2 * n) if auto == "VALID" else sizes(node, "pads", 2 * n, 0, 0)
    low, high = pads[:n], pads[n:]
    out = tuple(_count(a, p, q, r, s, ceil) for a, p, q, r, s in zip(size, low, high, reach, stride, strict=True))
    if min(out) < 1:
        raise Refused(f"the kernel of {node.op} is larger than what it reads", "correct the shapes", "shape")
    if ceil:
        high = tuple(
            max((o - 1) * s + r - a - p, 0) for o, s, r, a, p in zip(out, stride, reach, size, low, strict=True)
        )
    return low, high, out


def _count(size: int, low: int, high: int, reach: int, stride: int, ceil: bool) -> int:
    """How often a kernel fits; with `ceil` also where it only begins inside, but not behind the end."""
    room = size + low + high - reach
    if not ceil:
        return room // stride + 1
    found = -(-room // stride) + 1
    return found - 1 if (found - 1) * stride >= size + low else found
