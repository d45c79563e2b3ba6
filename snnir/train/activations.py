"""Populations without a state on torch tensors: the values of `snnir.activations`, with gradients."""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from collections.abc import Callable

import numpy as np

from snnir.activations import Coding
from snnir.sim.network import Activation
from snnir.train.gradients import straight
from snnir.train.libraries import torch

Tensor = torch.Tensor

_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "relu": torch.relu,
    "clip": lambda x, low, high: torch.minimum(torch.maximum(x, low), high),
    "leaky_relu": lambda x, slope: torch.where(x < 0, slope * x, x),
    "elu": lambda x, alpha: torch.where(x < 0, alpha * torch.expm1(x.clamp(max=0)), x),
    "selu": lambda x, alpha, gamma: gamma * torch.where(x < 0, alpha * torch.expm1(x.clamp(max=0)), x),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": torch.nn.functional.softplus,
    "square": lambda x: x * x,
    "softmax": lambda x: x.softmax(-1),
}


def activated(node: Activation, current: Tensor) -> Tensor:
    """What a population emits for an input (steps, samples, neurons).

    The value is that of the simulator, in float64 bit for bit; the gradient that of the function, through the rounding
    of codes as if there were none (straight-through), and none where a code is at the end of its range.
    """
    parameters = {name: torch.tensor(value, dtype=current.dtype) for name, value in node.parameters.items()}
    shape = current.shape
    folded = current.reshape(*shape[:-1], -1, node.last) if node.function == "softmax" else current
    smooth = _FUNCTIONS[node.function](folded, **parameters).reshape(shape)
    if node.coding is not None:
        smooth = _code(smooth, node.coding)
    value = node.emitted(current.detach().numpy().astype(np.float64))
    return straight(smooth, torch.tensor(value, dtype=current.dtype))


def encoded(values: Tensor, coding: Coding) -> Tensor:
    """The codes of values (..., neurons), likewise."""
    exact = coding.encode(values.detach().numpy().astype(np.float64))
    return straight(_code(values, coding), torch.tensor(exact, dtype=values.dtype))


def _code(values: Tensor, coding: Coding) -> Tensor:
    step, zero = (torch.tensor(np.asarray(each, np.float64), dtype=values.dtype) for each in (coding.step, coding.zero))
    return ((values - zero) / step).clamp(coding.least, coding.most)
