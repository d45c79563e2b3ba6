"""The image filters of CARLsim's tutorial 4, as the published mappers use them.

A receptive field of radius r reads what is nearer than r, with weights exp(-2.3026 * (distance / r)**2): 1 in the
middle, and nothing at 0.1 or below, as CARLsim's "gaussian" connections do. CARLsim's Izhikevich neurons are leaky
integrate-and-fire here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import SSAValue

from benchmarks.workloads.maker import Maker, shape_of
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import Conv2dOp, DelayOp, NetworkOp

_DECAY = 2.3026
"""-log(0.1), to the digits that CARLsim has."""
_DRIVE = 3.0
"""The current of a neuron when all pixels that it reads spike."""


def image_smoothing(
    *, size: int = 128, channels: int = 3, radius: float = 5.0, delays: int = 1, seed: int = 0
) -> NetworkOp:
    """An image and its smoothed copy of half the size, summed over channels (CARLsim tutorial 4, `RadiusRF(5, 5, -1)`).

    Each neuron reads a disc of 69 pixels (radius 5) per channel. The kernel is the square around it, 9x9, whose 12
    corner weights are 0; they are counted as synapses, since a kernel has no holes. `delays` above 1 gives every pixel
    a delay of its own from 1 to `delays` steps, at random (`RangeDelay(1, 20)`); by default all have 1.
    """
    make = Maker("image_smoothing", seed=seed, steps=100)
    pixels = _late(make, make.input("pixels", channels, size, size), delays)
    smooth = make.lif("smooth", _blur(make, "smooth", pixels, 1, radius, stride=2, delay=int(delays == 1)))
    make.output("image", smooth)
    return make.network


def edge_detection(*, size: int = 128, channels: int = 3, delays: int = 1, seed: int = 0) -> NetworkOp:
    """Difference of Gaussians (CARLsim tutorial 4): 196,608 neurons and 3,863,364 synapses for 128x128x3.

    A centre of radius 0.5 (a pixel) and a surround of radius 3 (5x5) each read all channels; edges are the one without
    the other, neuron by neuron. `delays` as in `image_smoothing`, for the pixels.
    """
    make = Maker("edge_detection", seed=seed, steps=100)
    pixels = _late(make, make.input("pixels", channels, size, size), delays)
    late = int(delays == 1)
    centre = make.lif("centre", _blur(make, "centre", pixels, channels, 0.5, delay=late))
    surround = make.lif("surround", _blur(make, "surround", pixels, channels, 3.0, delay=late))
    ends = make.one_to_one(centre, 2.0, delay=1), make.one_to_one(surround, -2.0, delay=1)
    make.output("image", make.lif("edges", *ends))
    return make.network


def gaussian(radius: float) -> NDArray[np.float32]:
    """The weights of a receptive field, (k, k) around its middle; 0 where it does not reach. Their sum is 1."""
    reach = math.ceil(radius) - 1
    squares = np.arange(-reach, reach + 1) ** 2
    weights = np.exp(-_DECAY * (squares[:, None] + squares) / radius**2)
    weights[weights < 0.1] = 0.0
    return (weights / weights.sum()).astype(np.float32)


def _blur(
    make: Maker, name: str, source: SSAValue, channels: int, radius: float, *, stride: int = 1, delay: int
) -> SSAValue:
    """A receptive field of all channels for each neuron of `channels` planes."""
    kernel = gaussian(radius)
    around, read = (kernel.shape[0] // 2,) * 2, shape_of(source)[0]
    weights = np.broadcast_to(kernel * np.float32(_DRIVE / read), (channels, read, *kernel.shape))
    tensor = TensorAttr.of(f"{name}.weight", weights)
    return make.add(Conv2dOp(source, tensor, stride=(stride, stride), padding=(around, around), delay=delay))


def _late(make: Maker, pixels: SSAValue, delays: int) -> SSAValue:
    """The pixels, each some steps late where `delays` is more than one."""
    if delays < 1:
        raise ValueError(f"delays go from 1 to {delays}, which is less")
    if delays == 1:
        return pixels
    steps = make.rng("pixels.delay").integers(1, delays + 1, math.prod(shape_of(pixels)))
    return make.add(DelayOp(pixels, TensorAttr.of("pixels.delay", steps)))
