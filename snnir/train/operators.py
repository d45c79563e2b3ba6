"""The operators of `snnir.sim` on torch tensors: what a projection does to a window of a signal.

Windows are (steps + span, samples, sources), results (steps, samples, targets), as there; to operators that add delayed
synapses (`is_lenient`) a window may be shorter by the silence before the first step. Where every sum is exact
(`snnir.sim.operators.Operator.limit`), the results in float64 are the simulator's, bit for bit; where sums round, they
are equal up to rounding, because a matrix product adds in another order.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.sim.bundle import Bundle
from snnir.sim.convolution import Conv, Pool
from snnir.sim.operators import Dense, Identity, OneToOne, Operator, Shift
from snnir.sim.sparse import Sparse
from snnir.train.libraries import torch

Tensor = torch.Tensor
Apply = Callable[[Tensor, Tensor, int], Tensor]
"""From a window, weights (those of the operator, or none) and a number of steps to the currents of these."""

MATRIX_ELEMENTS = 1 << 24
"""Single synapses become a matrix of up to this many elements; lists of synapses are slower, but smaller."""


def applied(operator: Operator) -> Apply:
    """What an operator does, on tensors."""
    for kind, make in _MAKERS.items():
        if isinstance(operator, kind):
            return make(operator)
    raise SnnirError("train", f"no gradient of a {type(operator).__name__}", "use another kind of projection")


class Unpruned(Bundle):
    """A bundle whose weights are all 0 because nothing is known of them yet: every synapse of it is there."""

    def __init__(self, weights: NDArray[Any], stride: int) -> None:
        super().__init__(np.ones(weights.shape), stride)
        self._weights = weights


def is_lenient(operator: Operator) -> bool:
    """Whether a window may lack steps at its start, which are silent."""
    return isinstance(operator, Bundle) or (isinstance(operator, Sparse) and not _is_large(operator))


def _is_large(operator: Sparse) -> bool:
    return len(np.unique(operator.delays)) * operator.targets * operator.sources > MATRIX_ELEMENTS


def _dense(operator: Dense) -> Apply:
    def apply(window: Tensor, weights: Tensor, steps: int) -> Tensor:
        rows = window.reshape(-1, weights.shape[1])
        return (rows @ weights.T).reshape(*window.shape[:2], operator.targets)

    return apply


def _one_to_one(operator: OneToOne) -> Apply:
    return lambda window, weights, steps: window * weights


def _shift(operator: Shift) -> Apply:
    late = torch.tensor(operator.span - (operator.delays - operator.least))

    def apply(window: Tensor, weights: Tensor, steps: int) -> Tensor:
        at = torch.arange(steps)[:, None] + late
        return window.gather(0, at[:, None, :].expand(steps, *window.shape[1:]))

    return apply


def _conv(operator: Conv) -> Apply:
    windows, channels, groups = operator.windows, operator.sources // prod(operator.windows.size), operator.groups

    def apply(window: Tensor, weights: Tensor, steps: int) -> Tensor:
        planes = window.reshape(-1, channels, *windows.size)
        kernel = weights.reshape(*weights.shape[:2], *windows.kernel)
        pads = (windows.low[1], windows.high[1], windows.low[0], windows.high[0])
        padded = torch.nn.functional.pad(planes, pads)
        options: dict[str, Any] = {"stride": windows.stride, "dilation": windows.dilation, "groups": groups}
        result = torch.nn.functional.conv2d(padded, kernel, **options)
        return result.reshape(*window.shape[:2], operator.targets)

    return apply


def _pool(operator: Pool) -> Apply:
    windows, channels = operator.windows, operator.sources // prod(operator.windows.size)
    (rows, columns), (down, right) = windows.result, windows.stride
    combine = torch.maximum if operator.kind == "max" else torch.add

    def apply(window: Tensor, weights: Tensor, steps: int) -> Tensor:
        planes = window.reshape(*window.shape[:2], channels, *windows.size)
        pads = (windows.low[1], windows.high[1], windows.low[0], windows.high[0])
        padded, result = torch.nn.functional.pad(planes, pads), None
        for y in range(windows.kernel[0]):
            for x in range(windows.kernel[1]):
                met = padded[..., y : y + down * rows : down, x : x + right * columns : right][..., :rows, :columns]
                result = met if result is None else combine(result, met)
        assert result is not None
        if operator.kind == "avg":
            result = result / prod(windows.kernel)
        return result.reshape(*window.shape[:2], operator.targets)

    return apply


def _sparse(operator: Sparse) -> Apply:
    """Single synapses, as a bundle of the delays that there are."""
    delays, level = np.unique(operator.delays, return_inverse=True)
    late = (delays - operator.least).tolist()
    shape = (len(delays), operator.targets, operator.sources)
    if _is_large(operator):
        return _listed(operator)
    places = tuple(torch.tensor(each) for each in (level.ravel(), operator.ends, operator.origins))

    def apply(window: Tensor, weights: Tensor, steps: int) -> Tensor:
        matrices = torch.zeros(shape, dtype=weights.dtype).index_put(places, weights, accumulate=True)
        return levels(window, matrices, late, steps)

    return apply


def _listed(operator: Sparse) -> Apply:
    """Single synapses one delay after the other, each as a gather and a sum by target."""
    chosen = []
    for delay in np.unique(operator.delays).tolist():
        mine = np.flatnonzero(operator.delays == delay)
        ends = (torch.tensor(each[mine]) for each in (operator.origins, operator.ends))
        chosen.append((operator.span - (delay - operator.least), torch.tensor(mine), *ends))

    def apply(window: Tensor, weights: Tensor, steps: int) -> Tensor:
        result = torch.zeros((steps, window.shape[1], operator.targets), dtype=weights.dtype)
        for start, mine, origins, ends in chosen:
            result = result.index_add(2, ends, window[start : start + steps][..., origins] * weights[mine])
        return result

    return apply


def _bundle(operator: Bundle) -> Apply:
    stride, first = operator.stride, operator.least // operator.stride
    late = list(range(0, operator.span + 1, stride))

    def apply(window: Tensor, weights: Tensor, steps: int) -> Tensor:
        return levels(window, weights[first : first + len(late)], late, steps)

    return apply


class _Levels(torch.autograd.Function):
    """Level by level: no copy of the window for each, and nothing is multiplied with the silence before its start."""

    @staticmethod
    def forward(ctx: Any, window: Tensor, weights: Tensor, starts: list[int], steps: int) -> Tensor:
        ctx.save_for_backward(window, weights)
        ctx.starts = starts
        result = torch.zeros((steps, window.shape[1], weights.shape[1]), dtype=window.dtype)
        for level, start in enumerate(starts):
            late, rows = _overlap(result, window, start)
            if len(rows):
                late.addmm_(rows, weights[level].T)
        return result

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        window, weights = ctx.saved_tensors
        grad = grads[0].contiguous()
        of_window = torch.zeros_like(window) if ctx.needs_input_grad[0] else None
        of_weights = torch.zeros_like(weights)
        for level, start in enumerate(ctx.starts):
            late, rows = _overlap(grad, window, start)
            if not len(rows):
                continue
            torch.mm(late.T, rows, out=of_weights[level])
            if of_window is not None:
                _overlap(grad, of_window, start)[1].addmm_(late, weights[level])
        return of_window, of_weights, None, None


def _overlap(result: Tensor, window: Tensor, start: int) -> tuple[Tensor, Tensor]:
    """The steps of a result and of a window that meet, as rows, when result step 0 reads window step `start`."""
    first = max(0, -start)
    late, read = result[first:], window[start + first : start + len(result)]
    return late.reshape(-1, late.shape[2]), read.reshape(-1, read.shape[2])


FEW = 8
"""Steps up to which a window is copied for each level, which then takes one product."""


def levels(window: Tensor, weights: Tensor, late: list[int], steps: int) -> Tensor:
    """The sum over levels k of `weights[k]`, (targets, sources), times the window `late[k]` steps before its end.

    Steps before the start of the window are silent.
    """
    starts = [len(window) - steps - d for d in late]
    if steps > FEW:
        return _Levels.apply(window.contiguous(), weights, starts, steps)
    missing = max(0, -min(starts, default=0))
    if missing:
        window = torch.cat([window.new_zeros((missing, *window.shape[1:])), window])
    if not starts:
        return window.new_zeros((steps, window.shape[1], weights.shape[1]))
    # steps x levels x samples x sources: one gather, whose gradient is one sum
    met = window[torch.arange(steps)[:, None] + torch.tensor(starts) + missing]
    rows = met.transpose(1, 2).reshape(*met.shape[:1], window.shape[1], -1)
    return rows @ weights.transpose(1, 2).reshape(-1, weights.shape[1])


_MAKERS: dict[type[Operator], Callable[[Any], Apply]] = {
    Dense: _dense,
    OneToOne: _one_to_one,
    Conv: _conv,
    Pool: _pool,
    Sparse: _sparse,
    Bundle: _bundle,
    Shift: _shift,
    Identity: lambda operator: lambda window, weights, steps: window,
}
"""Of each kind of operator; a shift is an identity too, so it comes before."""
