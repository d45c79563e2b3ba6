"""The convolutional networks of the published mappers, neuron by neuron as these count them.

Shapes: `example/LeNet.json` and `example/AlexNet.json` of Shihao-Song/ncc_prototype, `test_apps/leNet` of
drexel-DISCO/SpiNeMap. Those make neurons of pools and of flattening too, and so do these: a pool is a population of its
own, and so is the flattened plane, one to one. Weights are random: only shapes, fan-in and sharing matter to a mapper.
"""

from __future__ import annotations

from benchmarks.workloads.maker import Element, Maker
from snnir.dialects.snn import NetworkOp


def lenet_disco(*, seed: int = 0, element: Element = "f32") -> NetworkOp:
    """LeNet for 32x32x1: 3x3 kernels without padding, average pools; 11,844 neurons, 282,936 synapses."""
    return _lenet("lenet_disco", 32, 3, (120, 84, 10), seed, element)


def lenet28(*, seed: int = 0, element: Element = "f32") -> NetworkOp:
    """LeNet for 28x28x1: 5x5 kernels without padding, average pools; 7,150 neurons, 377,736 synapses."""
    return _lenet("lenet28", 28, 5, (500, 10), seed, element)


def _lenet(name: str, size: int, kernel: int, dense: tuple[int, ...], seed: int, element: Element) -> NetworkOp:
    make = Maker(name, seed=seed, element=element)
    signal = make.input("pixels", 1, size, size)
    for number, channels in enumerate((6, 16), start=1):
        signal = make.lif(f"conv{number}", make.conv(f"conv{number}", signal, channels, kernel))
        signal = make.avg_pool(f"pool{number}", signal, 2)
    signal = make.flatten("flat", signal)
    for number, neurons in enumerate(dense, start=1):
        signal = make.lif(f"fc{number}", make.dense(f"fc{number}", signal, neurons))
    make.output("label", signal)
    return make.network


def alexnet_disco(*, size: int = 32, seed: int = 0, element: Element = "f32") -> NetworkOp:
    """AlexNet for 32x32x3: 3x3 kernels with padding, five stages, 129,802 neurons, 43,450,432 synapses.

    `size` is another width and height of the image, a multiple of 16.
    The pools take the maximum. Of spikes that is 1 when at least one of the window is 1, so a pool is neurons that read
    the sum and fire from one spike on (`maker.RELAY`): exactly the maximum, in each step. Padding has no synapses.
    """
    make = Maker("alexnet_disco", seed=seed, element=element)
    signal = make.input("pixels", 3, size, size)
    for number, (channels, pooled) in enumerate(
        ((48, True), (96, True), (192, False), (192, True), (256, True)), start=1
    ):
        signal = make.lif(f"conv{number}", make.conv(f"conv{number}", signal, channels, 3, padding=1))
        if pooled:
            signal = make.max_pool(f"pool{number}", signal, 2)
    signal = make.flatten("flat", signal)
    for number, neurons in enumerate((512, 256, 10), start=1):
        signal = make.lif(f"fc{number}", make.dense(f"fc{number}", signal, neurons))
    make.output("label", signal)
    return make.network
