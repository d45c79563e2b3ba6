"""What two projections in a row are as one, with as much of their structure as remains."""

from math import prod

import numpy as np

from snnir.synapses.base import IntArray, Synapses
from snnir.synapses.convolution import Conv
from snnir.synapses.dense import Dense, OneToOne
from snnir.synapses.listed import Listed
from snnir.synapses.selected import Selected
from snnir.windows import Windows


def chained(first: Synapses, second: Synapses) -> Synapses:
    """The synapses that `second` has to the sources of `first` when it reads what `first` adds up.

    Weights are products, added up over the ways between two neurons. A convolution of what a pool adds up stays a
    convolution where the pool's windows lie side by side; what has no structure left is listed synapse by synapse.
    """
    if isinstance(first, Selected):
        return _selected(chained(first.inner, second), first.chosen, first.sources)
    if isinstance(first, OneToOne) and len(first.weights) == 1:
        return _times(second, float(first.weights[0]))
    if isinstance(second, Dense) and second.repeat == 1:
        # each target reads all that `first` makes, so all that `first` reads
        used = np.flatnonzero(first.outdegree() > 0)
        weights = (first.weighted().T @ second.weights.T.astype(np.float64)).T
        return _selected(Dense(weights[:, used]), used, first.sources)
    if isinstance(first, Conv) and isinstance(second, Conv):
        merged = _merged(first, second)
        if merged is not None:
            return merged
    return _listed(first, second)


def targets_of(synapses: Synapses, chosen: IntArray, *, keep: bool = False) -> Synapses:
    """The synapses onto some targets alone: these become the targets, or, with `keep`, the others have none."""
    if isinstance(synapses, Selected):
        return _selected(targets_of(synapses.inner, chosen, keep=keep), synapses.chosen, synapses.sources)
    if isinstance(synapses, OneToOne) and not keep:
        weights = np.broadcast_to(synapses.weights, (synapses.targets,))[chosen]
        return _selected(OneToOne(weights, len(chosen)), chosen, synapses.sources)
    if isinstance(synapses, Dense) and synapses.repeat == 1 and not keep:
        return Dense(synapses.weights[chosen])
    if isinstance(synapses, Conv) and not keep:
        planes = _planes(synapses, chosen)
        if planes is not None:
            return planes
    matrix = synapses.weighted()[chosen].tocoo()
    ends = chosen[matrix.row] if keep else matrix.row
    return Listed(matrix.data, matrix.col, ends, (synapses.targets if keep else len(chosen), synapses.sources))


def _planes(synapses: Conv, chosen: IntArray) -> Synapses | None:
    """A pool (or a convolution of each channel by itself) of some whole channels alone; `None` for other targets."""
    if synapses.group_in != 1 or synapses.group_out != 1 or not len(chosen):
        return None
    places, size = prod(synapses.windows.result), prod(synapses.windows.size)
    channels = chosen[::places] // places
    if not np.array_equal((channels[:, None] * places + np.arange(places)).ravel(), chosen):
        return None
    inner = Conv(synapses.weights[channels], len(channels), synapses.windows, len(channels))
    return _selected(inner, (channels[:, None] * size + np.arange(size)).ravel(), synapses.sources)


def _selected(inner: Synapses, chosen: IntArray, sources: int) -> Synapses:
    """`Selected`, once at most and only where something is left out or moved."""
    if isinstance(inner, Selected):
        inner, chosen = inner.inner, chosen[inner.chosen]
    if len(chosen) == sources and (chosen == np.arange(sources)).all():
        return inner
    return Selected(inner, chosen, sources)


def _times(synapses: Synapses, factor: float) -> Synapses:
    """The same synapses with weights times a factor."""
    if factor == 1:
        return synapses
    match synapses:
        case Dense():
            return Dense(synapses.weights.astype(np.float64) * factor, synapses.repeat)
        case OneToOne():
            return OneToOne(synapses.weights.astype(np.float64) * factor, synapses.targets)
        case Conv():
            weights = synapses.weights.astype(np.float64) * factor
            return Conv(weights, synapses.channels, synapses.windows, synapses.groups)
        case Selected():
            return Selected(_times(synapses.inner, factor), synapses.chosen, synapses.sources)
        case _:
            matrix = synapses.weighted().tocoo()
            return Listed(matrix.data * factor, matrix.col, matrix.row, (synapses.targets, synapses.sources))


def _merged(first: Conv, second: Conv) -> Conv | None:
    """A convolution of what a pool (or a convolution of each channel by itself) makes, as one; `None` if it is none."""
    if first.group_in != 1 or first.group_out != 1 or not all(_merge_along(first, second, axis) for axis in (0, 1)):
        return None
    inner, outer = first.windows, second.windows
    kernel = tuple((outer.kernel[a] - 1) * outer.dilation[a] * inner.stride[a] + inner.kernel[a] for a in (0, 1))
    weights = np.zeros((*second.weights.shape[:2], kernel[0], kernel[1]))
    group = np.arange(len(second.weights)) // second.group_out
    channel = group[:, None] * second.group_in + np.arange(second.group_in)
    own = first.weights[:, 0].astype(np.float64)[channel]
    step = [outer.dilation[a] * inner.stride[a] for a in (0, 1)]
    for y in range(outer.kernel[0]):
        for x in range(outer.kernel[1]):
            top, left = y * step[0], x * step[1]
            part = second.weights[:, :, y, x].astype(np.float64)[:, :, None, None] * own
            weights[:, :, top : top + inner.kernel[0], left : left + inner.kernel[1]] += part

    stride = (inner.stride[0] * outer.stride[0], inner.stride[1] * outer.stride[1])
    low = (inner.low[0] + outer.low[0] * inner.stride[0], inner.low[1] + outer.low[1] * inner.stride[1])
    # as much behind as lets the kernel fit as often as it does
    high = [max(0, (outer.result[a] - 1) * stride[a] + kernel[a] - inner.size[a] - low[a]) for a in (0, 1)]
    windows = Windows(inner.size, (kernel[0], kernel[1]), stride, low, (high[0], high[1]), (1, 1))
    return Conv(weights, first.channels, windows, second.groups) if windows.result == outer.result else None


def _merge_along(first: Conv, second: Conv, axis: int) -> bool:
    """Whether two convolutions in a row are one along a dimension.

    The places that they reach must have no gaps, and the zeros around the second's planes must be zeros of the first.
    """
    inner, outer = first.windows, second.windows
    if inner.dilation[axis] != 1:
        return False
    if outer.kernel[axis] > 1 and inner.stride[axis] * outer.dilation[axis] > inner.kernel[axis]:
        return False
    if not outer.low[axis] and not outer.high[axis]:
        return True
    behind = inner.result[axis] * inner.stride[axis] - inner.low[axis]
    return inner.kernel[axis] <= inner.stride[axis] and behind >= inner.size[axis]


def _listed(first: Synapses, second: Synapses) -> Listed:
    """The chain synapse by synapse."""
    ways = second.csr().astype(np.int32) @ first.csr().astype(np.int32)
    ways.sort_indices()
    product = second.weighted() @ first.weighted()
    product.sort_indices()
    # ways whose weights cancel, or are 0, are synapses too: weights are looked up by structure
    end = np.repeat(np.arange(second.targets), np.diff(ways.indptr))
    pairs = end * first.sources + ways.indices
    made = np.repeat(np.arange(second.targets), np.diff(product.indptr)) * first.sources + product.indices
    weights = np.zeros(ways.nnz)
    weights[np.searchsorted(pairs, made)] = product.data
    return Listed(weights, ways.indices, end, (second.targets, first.sources))
