"""Activations that a machine lacks, as sums of those that it has: exact where there is such a sum, else fitted."""

import numpy as np
from xdsl.dialects.builtin import FloatAttr, StringAttr
from xdsl.ir import SSAValue

from snnir.dialects.snn import ActivationOp, ClipOp, OutputOp
from snnir.passes.base import fail
from snnir.passes.snn.affine import Vector, scaling
from snnir.passes.snn.rebuild import Builder
from snnir.passes.snn.reforming import WIDE, Work, each, total, uniform
from snnir.reform.fits import ENDLESS, SLOPES, Fit, fit


def reform(work: Work, op: ActivationOp) -> None:
    """Replace one activation that the machine lacks."""
    if op.coding is not None:
        fail(op, f"@{op.sym_name.data} emits codes already", "run snn-legalize before snn-code-signals")
    if not op.inputs:
        fail(op, f"@{op.sym_name.data} reads nothing", "give it an input")
    match op.MODEL:
        case "softmax":
            _without_softmax(work, op)
        case "relu":
            _relu_by_clip(work, op)
        case "clip":
            _clip_by_relu(work, op)
        case "leaky_relu":
            _two_sides(work, op)
        case _:
            _fitted(work, op)


def _replace(op: ActivationOp, value: SSAValue) -> None:
    op.signal.replace_all_uses_with(value)
    op.detach()
    op.erase()


def _without_softmax(work: Work, op: ActivationOp) -> None:
    name = op.sym_name.data
    readers = [use.operation for use in op.signal.uses]
    if not all(isinstance(reader, OutputOp) for reader in readers):
        message = f"@{name}: a softmax that other layers read has no form on crossbars"
        fail(op, message, "only one at the end can be left out, because the class stays; or only simulate the program")
    for reader in readers:
        if isinstance(reader, OutputOp) and name in work.reaches:
            work.reaches[reader.sym_name.data] = work.reaches[name]
    work.note(f"@{name}", op, "softmax at the end left out: values change, the class (the largest) stays", "tails")
    _replace(op, total(Builder(op), op.inputs))


def _relu_by_clip(work: Work, op: ActivationOp) -> None:
    name, limit = op.sym_name.data, work.limit(op.sym_name.data)
    new = ClipOp(name, op.inputs, op.signal_type, {"low": FloatAttr(0.0, 64), "high": FloatAttr(limit, 64)})
    new.activity = op.activity
    builder = Builder(op)
    work.note(f"@{name}", op, f"relu as a clip from 0 to {limit:g}: exact below that", "activations exact")
    _replace(op, work.placed(builder, new))


def _clip_by_relu(work: Work, op: ActivationOp) -> None:
    """`clip(x, l, h)` is `l + relu(x - l) - relu(x - h)`, and that above l is never negative."""
    name, size = op.sym_name.data, op.size
    low, high = (each(size, op.parameters[key]) for key in ("low", "high"))
    builder = Builder(op)
    value = total(builder, op.inputs)
    parts = [
        work.positive(builder, f"{name}_{what}", [builder.shifted(value, -bound, f"{name}.{what}")], WIDE)
        for what, bound in (("low", low), ("high", high))
    ]
    parts[1] = builder.minus(parts[1], f"{name}.minus")
    work.note(f"@{name}", op, "clip as a difference of two relu, joined by a third: exact", "activations exact")
    _replace(op, _joined(work, builder, op, parts, low, WIDE))


def _joined(
    work: Work, builder: Builder, op: ActivationOp, parts: list[SSAValue], least: Vector, limit: float
) -> SSAValue:
    """One population that emits a sum that is never negative, and what it lacks of the value: its least."""
    name = op.sym_name.data
    if not least.any():
        # the old population goes; the new one, with the same values, gets its name
        op.sym_name = StringAttr(work.name(f"{name}_before"))
        return work.positive(builder, name, parts, limit)
    above = work.positive(builder, f"{name}_above", parts, limit)
    return builder.shifted(above, least, f"{name}.least")


def _two_sides(work: Work, op: ActivationOp) -> None:
    """`leaky_relu(x)` is `relu(x) - slope relu(-x)`."""
    name, slope = op.sym_name.data, each(op.size, op.parameters["slope"])
    builder, limit = Builder(op), work.limit(op.sym_name.data)
    value = total(builder, op.inputs)
    plus = work.positive(builder, f"{name}_plus", [value], limit)
    minus = work.positive(builder, f"{name}_minus", [builder.minus(value, f"{name}.minus")], limit)
    leak = builder.put(scaling(minus, -slope, f"{name}.slope", op))
    work.note(f"@{name}", op, "leaky_relu as relu(x) - slope relu(-x): exact", "activations exact")
    _replace(op, total(builder, [plus, leak]))


def _fitted(work: Work, op: ActivationOp) -> None:
    name, function = op.sym_name.data, op.MODEL
    found = {key: uniform(value) for key, value in op.parameters.items()}
    parameters = {key: value for key, value in found.items() if value is not None}
    if len(parameters) < len(found):
        fail(op, f"@{name}: neurons of {function} that differ", "give all neurons of a population the same parameters")
    if function not in SLOPES:
        fail(op, f"@{name}: no form of {function} on crossbars is known", "only simulate the program")
    if function in ENDLESS and name not in work.reaches:
        fail(op, f"@{name}: a {function} needs a range to be fitted in", "give representative inputs: data=file.npz")
    made = fit(function, parameters, _error(work, op), work.reaches.get(name))
    builder = Builder(op)
    value = total(builder, op.inputs)
    least = made.least if np.isfinite(made.least) else 0.0
    base = each(op.size, made.values[0] - least)
    pieces, constant = (
        _clips(work, builder, op, value, made) if "clip" in work.models else _relus(work, builder, op, value, made)
    )
    pieces[0] = builder.shifted(pieces[0], base + constant, f"{name}.base")
    where = "on all reals" if name not in work.reaches else f"between {made.knots[0]:.4g} and {made.knots[-1]:.4g}"
    what = f"{function} as {len(pieces)} pieces: wrong by {made.error:.3g} at most, {made.rms:.3g} rms, {where}"
    work.note(f"@{name}", op, what, "activations fitted")
    work.counts["largest error of a fit, millionths"] = max(
        work.counts["largest error of a fit, millionths"], round(made.error * 1e6)
    )
    if len(pieces) == 1:
        _replace(op, builder.shifted(pieces[0], each(op.size, least), f"{name}.least"))
    elif np.isfinite(made.least):
        limit = made.most - made.least if np.isfinite(made.most) else work.limit(name)
        _replace(op, _joined(work, builder, op, pieces, each(op.size, least), limit))
    else:
        _replace(op, total(builder, pieces))


def _error(work: Work, op: ActivationOp) -> float:
    """The error that is allowed: of a function without bounds, so much of its largest value."""
    if op.MODEL not in ENDLESS:
        return work.error
    return work.error * max(abs(end) for end in work.reaches[op.sym_name.data]) ** 2


def _clips(work: Work, builder: Builder, op: ActivationOp, value: SSAValue, made: Fit) -> tuple[list[SSAValue], Vector]:
    """A clip per piece that rises or falls, each within its piece, and the constant that they leave."""
    name, parts, constant = op.sym_name.data, list[SSAValue](), np.zeros(op.size)
    bounds = list(zip(made.knots[:-1], made.knots[1:], made.slopes, strict=True))
    if made.right:
        bounds.append((made.knots[-1], max(work.limit(name), 2 * abs(made.knots[-1])), made.right))
    for low, high, slope in bounds:
        if slope == 0:
            continue
        piece = work.clipped(builder, f"{name}_piece{len(parts)}", value, float(low), float(high))
        parts.append(builder.put(scaling(piece, each(op.size, slope), f"{name}.slope{len(parts)}", op)))
        constant -= slope * low
    return parts, constant


def _relus(work: Work, builder: Builder, op: ActivationOp, value: SSAValue, made: Fit) -> tuple[list[SSAValue], Vector]:
    """A relu from each corner on, with the change of slope there."""
    name, parts = op.sym_name.data, list[SSAValue]()
    slopes = [made.left, *made.slopes, made.right]
    for number, (knot, before, behind) in enumerate(zip(made.knots, slopes, slopes[1:], strict=False)):
        beyond = builder.shifted(value, each(op.size, -knot), f"{name}.knot{number}")
        piece = work.positive(builder, f"{name}_piece{number}", [beyond], WIDE)
        parts.append(builder.put(scaling(piece, each(op.size, behind - before), f"{name}.slope{number}", op)))
    return parts, np.zeros(op.size)
