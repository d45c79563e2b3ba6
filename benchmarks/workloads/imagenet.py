"""Convolutional classifiers of ImageNet's shapes, one population in place of each rectifier.

Every `size` and `width` gives the same network for other images and with other numbers of channels; the defaults are
those of the papers. Weights are int8 with a scale unless `element` is `f32`, four times as large. Biases and batch
normalisation, which change no shape, are left out. Padding is on all four sides, and has no synapses.
"""

from __future__ import annotations

from xdsl.ir import SSAValue

from benchmarks.workloads.maker import Element, Maker, shape_of
from snnir.dialects.snn import NetworkOp

_VGG16 = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""Channels of a stage and its convolutions; a pool follows each stage."""
_RESNET18 = ((64, 1), (128, 2), (256, 2), (512, 2))
"""Channels of a stage, and the stride of its first block of two."""
_MOBILENET = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *(((512, 1),) * 5), (1024, 2), (1024, 1))
"""Channels behind each separable convolution, and its stride."""


def vgg16(
    *, size: int = 224, classes: int = 1000, width: float = 1.0, seed: int = 0, element: Element = "i8"
) -> NetworkOp:
    """VGG-16, configuration D (Simonyan and Zisserman, arXiv 1409.1556): 138,344,128 weights.

    13 convolutions of 3x3, max pools of 2x2 (relays, `maker.RELAY`), 4096-4096-1000. `size` is a multiple of 32.
    """
    make, signal = _started("vgg16", size, seed, element)
    for stage, (channels, depth) in enumerate(_VGG16, start=1):
        for number in range(1, depth + 1):
            name = f"conv{stage}_{number}"
            signal = make.lif(name, make.conv(name, signal, _scaled(channels, width), 3, padding=1))
        signal = make.max_pool(f"pool{stage}", signal, 2)
    for number, neurons in enumerate((4096, 4096), start=1):
        signal = make.lif(f"fc{number}", make.dense(f"fc{number}", signal, _scaled(neurons, width)))
    make.output("label", make.lif("fc3", make.dense("fc3", signal, classes)))
    return make.network


def resnet18(
    *, size: int = 224, classes: int = 1000, width: float = 1.0, seed: int = 0, element: Element = "i8"
) -> NetworkOp:
    """ResNet-18 (He et al., arXiv 1512.03385): 11,678,912 weights. `size` is a multiple of 32.

    The sum of a block is a population that two projections reach: the block's second convolution and its shortcut,
    neuron to neuron, or a 1x1 convolution where the shape changes (option B of the paper).
    """
    make, signal = _started("resnet18", size, seed, element)
    signal = make.lif("conv1", make.conv("conv1", signal, _scaled(64, width), 7, stride=2, padding=3))
    signal = make.max_pool("pool1", signal, 3, 2, 1)
    for stage, (channels, stride) in enumerate(_RESNET18, start=2):
        signal = _block(make, f"conv{stage}_1", signal, _scaled(channels, width), stride)
        signal = _block(make, f"conv{stage}_2", signal, _scaled(channels, width), 1)
    return _classified(make, signal, classes)


def _block(make: Maker, name: str, source: SSAValue, channels: int, stride: int) -> SSAValue:
    """A residual block of two convolutions."""
    inner = make.lif(f"{name}a", make.conv(f"{name}a", source, channels, 3, stride=stride, padding=1))
    changes = stride != 1 or shape_of(source)[0] != channels
    shortcut = make.conv(f"{name}s", source, channels, 1, stride=stride) if changes else make.one_to_one(source)
    return make.lif(f"{name}b", make.conv(f"{name}b", inner, channels, 3, padding=1), shortcut)


def mobilenet_v1(
    *, size: int = 224, classes: int = 1000, width: float = 1.0, seed: int = 0, element: Element = "i8"
) -> NetworkOp:
    """MobileNet v1 (Howard et al., arXiv 1704.04861): 4,209,088 weights. `size` is a multiple of 32.

    13 separable convolutions: 3x3 of each channel alone (as many groups as channels), then 1x1 of all channels.
    """
    make, signal = _started("mobilenet_v1", size, seed, element)
    signal = make.lif("conv1", make.conv("conv1", signal, _scaled(32, width), 3, stride=2, padding=1))
    for number, (channels, stride) in enumerate(_MOBILENET, start=2):
        own, groups = f"conv{number}_dw", shape_of(signal)[0]
        signal = make.lif(own, make.conv(own, signal, groups, 3, stride=stride, padding=1, groups=groups))
        mixed = f"conv{number}_pw"
        signal = make.lif(mixed, make.conv(mixed, signal, _scaled(channels, width), 1))
    return _classified(make, signal, classes)


def _started(name: str, size: int, seed: int, element: Element) -> tuple[Maker, SSAValue]:
    """A network with its input."""
    if size < 32 or size % 32:
        raise ValueError(f"{name} halves its image five times, so its size is a multiple of 32, not {size}")
    make = Maker(name, seed=seed, element=element)
    return make, make.input("pixels", 3, size, size)


def _classified(make: Maker, signal: SSAValue, classes: int) -> NetworkOp:
    """The whole network: each channel's average (neurons of their own), and a dense layer."""
    signal = make.avg_pool("pool", signal, shape_of(signal)[-1])
    make.output("label", make.lif("fc", make.dense("fc", signal, classes)))
    return make.network


def _scaled(channels: int, width: float) -> int:
    return max(1, round(channels * width))
