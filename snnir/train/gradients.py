"""Gradients of what has none: spikes, rounding, and values that are computed elsewhere."""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from collections.abc import Callable
from typing import Any

from snnir.errors import SnnirError
from snnir.train.libraries import surrogates, torch

Surrogate = Callable[[torch.Tensor], torch.Tensor]
"""A step function of snnTorch, with the gradient of a smooth function; element by element."""

SLOPE = 25.0
"""Slope of the fast sigmoid, snnTorch's default."""
SURROGATES = ("fast_sigmoid", "atan", "sigmoid", "triangular", "straight_through_estimator")
"""Those of snnTorch that are functions of the membrane alone: no random ones."""


def surrogate_of(name: str = "fast_sigmoid", **options: float) -> Surrogate:
    """A surrogate gradient of snnTorch by its name, with its options (`slope`, `alpha`, `threshold`).

    Its argument is (v - threshold) / unit, where the unit is threshold - v_reset (threshold, where resets subtract), so
    that a slope means the same for populations of any scale; for threshold 1 and v_reset 0 that is snnTorch's own.
    Raises `SnnirError` for a name or an option that is none.
    """
    if name not in SURROGATES:
        raise SnnirError("train", f"no surrogate gradient '{name}'", f"use {', '.join(SURROGATES)}")
    if name == "fast_sigmoid":
        options = {"slope": SLOPE, **options}
    try:
        return getattr(surrogates, name)(**options)
    except TypeError:
        given = ", ".join(options)
        raise SnnirError("train", f"{name} has no option among {given}", "see snntorch.surrogate") from None


def derivative(surrogate: Surrogate, x: torch.Tensor) -> torch.Tensor:
    """The gradient of a surrogate at `x`, element by element."""
    with torch.enable_grad():
        at = x.detach().requires_grad_()
        return torch.autograd.grad(surrogate(at).sum(), at)[0]


class _Spikes(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, excess: torch.Tensor, emitted: torch.Tensor, surrogate: Surrogate) -> torch.Tensor:
        ctx.save_for_backward(excess)
        ctx.surrogate = surrogate
        return emitted.clone()

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        return grads[0] * derivative(ctx.surrogate, ctx.saved_tensors[0]), None, None


def spikes(excess: torch.Tensor, emitted: torch.Tensor, surrogate: Surrogate) -> torch.Tensor:
    """`emitted`, with the surrogate gradient of `excess`, both of one shape."""
    return _Spikes.apply(excess, emitted, surrogate)


class _Straight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, smooth: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        ctx.kind = smooth.dtype
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        return grads[0].to(ctx.kind), None


def straight(smooth: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """`value`, with the gradient of `smooth` (straight-through estimator), both of one shape."""
    return _Straight.apply(smooth, value)
