"""Clustering problems, layer by layer: those of the benchmarks, and small ones that have to be cut, at random."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from snnir.partition.problem import Group, Input, Layer, Problem
from snnir.synapses import Conv, Dense, Listed, Selected, Synapses
from snnir.windows import Windows
from tests.partition.projections import conv, dense, one, pool

Reading = tuple[int, Synapses, int]
"""What a layer reads: a source, how, and the delay."""


class Net:
    """A problem in the making; inputs have the numbers -1, -2, .., layers 0, 1, .."""

    def __init__(self) -> None:
        self._layers: list[tuple[str, tuple[int, ...], Sequence[Reading]]] = []
        self.sizes: dict[int, int] = {}

    def input(self, size: int) -> int:
        number = -1 - sum(each < 0 for each in self.sizes)
        self.sizes[number] = size
        return number

    @property
    def next(self) -> int:
        """The number that the next layer will have."""
        return len(self._layers)

    def layer(self, name: str, shape: tuple[int, ...], *reads: Reading) -> int:
        self._layers.append((name, shape, reads))
        self.sizes[self.next - 1] = int(np.prod(shape))
        return self.next - 1

    def problem(
        self, rows: int = 128, columns: int = 128, *, digital: bool = True, slices: int = 0, seed: int = 0
    ) -> Problem:
        groups: dict[tuple[int, int], Group] = {}
        total = 0
        for _, _, reads in self._layers:
            for source, _, delay in reads:
                if (source, delay) not in groups:
                    groups[source, delay] = Group(source, delay, total, self.sizes[source])
                    total += self.sizes[source]
        order = list(groups)
        layers = tuple(
            Layer(name, shape, tuple(Input(order.index((s, d)), synapses) for s, synapses, d in reads))
            for name, shape, reads in self._layers
        )
        rng = np.random.default_rng(seed)
        rates = {number: rng.poisson(8.0, size) / 100 for number, size in self.sizes.items()}
        spikes = np.concatenate([np.empty(0), *(rates[group.source] for group in groups.values())])
        return Problem(layers, tuple(groups.values()), rows, columns, digital, spikes, slices)


def chain(size: int, *projections: Synapses) -> Net:
    """Layers l0, l1, .. that read one another."""
    net = Net()
    source = net.input(size)
    for number, each in enumerate(projections):
        shape = each.shape if isinstance(each, Conv) else (each.targets,)
        source = net.layer(f"l{number}", shape, (source, each, 0))
    return net


def mlp784() -> Net:
    return chain(784, dense(784, 100), dense(100, 10))


def lenet_disco() -> Net:
    first = (conv(1, 6, 32, 3), pool(6, 30), conv(6, 16, 15, 3), pool(16, 13), one(576))
    return chain(1024, *first, dense(576, 120), dense(120, 84), dense(84, 10))


def lenet28() -> Net:
    first = (conv(1, 6, 28, 5), pool(6, 24), conv(6, 16, 12, 5), pool(16, 8), one(256))
    return chain(784, *first, dense(256, 500), dense(500, 10))


def alexnet_disco() -> Net:
    first = (conv(3, 48, 32, 3, 1), pool(48, 32), conv(48, 96, 16, 3, 1), pool(96, 16), conv(96, 192, 8, 3, 1))
    second = (conv(192, 192, 8, 3, 1), pool(192, 8), conv(192, 256, 4, 3, 1), pool(256, 4), one(1024))
    return chain(3072, *first, *second, dense(1024, 512), dense(512, 256), dense(256, 10))


def relays(net: Net, source: int, inner: int, outer: int, rows: int = 128) -> int:
    """A dense layer in relay populations of `rows` inputs, and one that adds them up."""
    parts = -(-inner // rows)
    cuts: list[int] = np.linspace(0, inner, parts + 1).astype(np.int64).tolist()
    found: list[Reading] = []
    for start, stop in pairwise(cuts):
        part = Selected(dense(stop - start, outer), np.arange(start, stop), inner)
        found.append((net.layer(f"relay{net.next}", (outer,), (source, part, 0)), one(outer), 0))
    return net.layer(f"sum{net.next}", (outer,), *found)


def mlp784_relays() -> Net:
    net = Net()
    hidden = relays(net, net.input(784), 784, 100)
    net.layer("out", (10,), (hidden, dense(100, 10), 0))
    return net


def lenet_disco_relays() -> Net:
    net = Net()
    source = net.input(1024)
    for each in (conv(1, 6, 32, 3), pool(6, 30), conv(6, 16, 15, 3), pool(16, 13)):
        source = net.layer(f"l{net.next}", each.shape, (source, each, 0))
    source = relays(net, net.layer("flat", (576,), (source, one(576), 0)), 576, 120)
    source = net.layer("fc2", (84,), (source, dense(120, 84), 0))
    net.layer("fc3", (10,), (source, dense(84, 10), 0))
    return net


def lenet28_relays() -> Net:
    net = Net()
    source = net.input(784)
    for each in (conv(1, 6, 28, 5), pool(6, 24)):
        source = net.layer(f"l{net.next}", each.shape, (source, each, 0))
    halves: list[Reading] = []
    for start in (0, 432):
        half = Selected(conv(3, 16, 12, 5), np.arange(start, start + 432), 864)
        halves.append((net.layer(f"half{start}", (16, 8, 8), (source, half, 0)), one(1024), 0))
    source = net.layer("conv2", (16, 8, 8), *halves)
    source = net.layer("pool2", (16, 4, 4), (source, pool(16, 8), 0))
    source = relays(net, net.layer("flat", (256,), (source, one(256), 0)), 256, 500)
    relays(net, source, 500, 10)
    return net


KINDS = ("conv", "depthwise", "pool", "dense", "one", "listed", "chosen", "repeated", "none", "skip", "recurrent")


@st.composite
def problems(draw: st.DrawFn, *, digital: bool | None = None, slices: int | None = None) -> Problem:
    """Up to five layers of any kind on crossbars so small that everything has to be cut."""
    net = Net()
    shape = draw(st.integers(1, 3)), draw(st.integers(1, 8)), draw(st.integers(1, 8))
    signals = [(net.input(int(np.prod(shape))), shape)]
    for number in range(draw(st.integers(1, 5))):
        source, shape = draw(st.sampled_from(signals))
        kind = draw(st.sampled_from(KINDS))
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        shape, reads = _layer(draw, rng, net, kind, source, shape)
        signals.append((net.layer(f"{kind}{number}", shape, *reads), shape))
    return net.problem(
        draw(st.integers(4, 32)),
        draw(st.integers(4, 32)),
        digital=draw(st.booleans()) if digital is None else digital,
        slices=draw(st.sampled_from((0, 0, 1, 2, 3))) if slices is None else slices,
    )


def _layer(
    draw: st.DrawFn, rng: np.random.Generator, net: Net, kind: str, source: int, shape: tuple[int, int, int]
) -> tuple[tuple[int, int, int], list[Reading]]:
    """The shape of a layer and what it reads."""
    size, (channels, height, width) = int(np.prod(shape)), shape
    delay, outer = draw(st.integers(0, 2)), draw(st.integers(1, 40))
    match kind:
        case "conv" | "depthwise":
            groups = channels if kind == "depthwise" else 1
            each = _conv(draw, channels, groups * draw(st.integers(1, 4)), (height, width), groups)
            return each.shape, [(source, each, delay)]
        case "pool":
            kernel = draw(st.integers(1, min(2, height))), draw(st.integers(1, min(2, width)))
            stride = kernel if draw(st.booleans()) else (1, 1)
            each = Conv.pool(channels, Windows.of((height, width), kernel, stride, (0, 0), (0, 0)), 1.0)
            return each.shape, [(source, each, delay)]
        case "dense":
            return (outer, 1, 1), [(source, dense(size, outer), delay)]
        case "one":
            return shape, [(source, one(size), delay)]
        case "listed":
            count = draw(st.integers(0, 60))
            ends = rng.integers(0, size, count), rng.integers(0, outer, count)
            return (outer, 1, 1), [(source, Listed(np.ones(count), *ends, (outer, size)), delay)]
        case "chosen":
            chosen = rng.permutation(size)[: draw(st.integers(1, size))]
            return (outer, 1, 1), [(source, Selected(dense(len(chosen), outer), chosen, size), delay)]
        case "repeated":
            each = Dense(np.ones((min(outer, 5), width), np.int8), channels * height)
            return (1, channels * height, min(outer, 5)), [(source, each, delay)]
        case "none":
            return (outer, 1, 1), []
        case "skip":
            kernel = min(3, height), min(3, width)
            low, high = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2), (kernel[0] // 2, kernel[1] // 2)
            windows = Windows.of((height, width), kernel, (1, 1), low, high)
            each = Conv(np.ones((channels, channels, *kernel), np.int8), channels, windows, 1)
            return shape, [(source, each, delay), (source, one(size), delay + draw(st.integers(0, 1)))]
        case _:
            net.sizes[net.next] = outer
            ends = rng.integers(0, outer, outer), rng.integers(0, outer, outer)
            own = Listed(np.ones(outer), *ends, (outer, outer))
            return (outer, 1, 1), [(source, dense(size, outer), delay), (net.next, own, 1)]


def _conv(draw: st.DrawFn, channels: int, outer: int, size: tuple[int, int], groups: int) -> Conv:
    kernel = draw(st.integers(1, min(3, size[0]))), draw(st.integers(1, min(3, size[1])))
    padding = draw(st.integers(0, 1)), draw(st.integers(0, 1))
    stride = draw(st.integers(1, 2)), draw(st.integers(1, 2))
    dilation = tuple(draw(st.integers(1, 2)) if n >= 2 * k else 1 for n, k in zip(size, kernel, strict=True))
    windows = Windows.of(size, kernel, stride, padding, (draw(st.integers(0, 1)), padding[1]), dilation)
    return Conv(np.ones((outer, channels // groups, *kernel), np.int8), channels, windows, groups)
