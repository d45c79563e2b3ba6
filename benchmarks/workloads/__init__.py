"""Networks to measure the compiler with, made by generators: the shapes that published mappers were measured on.

    from benchmarks.workloads import build
    network = build("lenet_disco", seed=0, activity=8.0)

`python -m benchmarks.workloads` lists them all; docs/workloads.md describes them. Weights are random, and the same
options give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.workloads.activity import attach_activity
from benchmarks.workloads.convolutional import alexnet_disco, lenet28, lenet_disco
from benchmarks.workloads.counting import largest_fanin, neurons, pairs, synapses
from benchmarks.workloads.feedforward import mlp784, respclass
from benchmarks.workloads.filters import edge_detection, image_smoothing
from benchmarks.workloads.imagenet import mobilenet_v1, resnet18, vgg16
from benchmarks.workloads.microcircuit import microcircuit
from benchmarks.workloads.recurrent import recurrent_digits, reservoir
from snnir.dialects.snn import NetworkOp

WORKLOADS: dict[str, Callable[..., NetworkOp]] = {
    generator.__name__: generator
    for generator in (
        mlp784,
        lenet_disco,
        lenet28,
        alexnet_disco,
        respclass,
        edge_detection,
        image_smoothing,
        reservoir,
        recurrent_digits,
        vgg16,
        resnet18,
        mobilenet_v1,
        microcircuit,
    )
}
"""The generator of each workload. Its keyword arguments are options, its docstring says where the shape is from."""


def build(
    name: str, *, activity: float | Mapping[str, float] | None = None, activity_steps: int = 100, **options: Any
) -> NetworkOp:
    """The workload `name`, with the options of its generator (`seed`, ...).

    `activity` attaches synthetic activity (`attach_activity`): the mean number of spikes of a neuron in
    `activity_steps` steps, one number, or one for each input and population. Raises `KeyError` for a name that is none,
    `TypeError` for an option that it does not have.
    """
    network = WORKLOADS[name](**options)
    if activity is not None:
        attach_activity(network, activity, steps=activity_steps, seed=options.get("seed", 0))
    return network


__all__ = ["WORKLOADS", "attach_activity", "build", "largest_fanin", "neurons", "pairs", "synapses"]
