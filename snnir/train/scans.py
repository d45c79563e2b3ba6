"""Recursions over time with gradients by hand: backpropagation through time for the common neurons, cheaply.

The same operations as `snnir.train.neurons` step by step, with the same gradients; but one node of the graph for all
steps in place of ten for each. Signals are (steps, samples, neurons), states (samples, neurons), constants numbers or
(neurons,), all of one type.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from dataclasses import dataclass
from typing import Any

from snnir.train.gradients import Surrogate, derivative
from snnir.train.libraries import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class Firing:
    """Constants of neurons that fire at most once in a step and are reset at once."""

    decay: Tensor | None
    """`None`: no membrane, v is the input."""
    drift: Tensor | None
    threshold: Tensor
    v_reset: Tensor | None
    """`None`: resets subtract the threshold."""
    strict: bool
    """A spike when v > threshold; else when v >= threshold."""
    unit: Tensor
    surrogate: Surrogate


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, drive: Tensor, start: Tensor, decay: Tensor, drift: Tensor | None) -> Tensor:
        result, kept = torch.empty_like(drive), torch.empty_like(start)
        for t in range(len(drive)):
            torch.mul(start, decay, out=kept)
            start = torch.add(kept, drive[t], out=result[t])
            if drift is not None:
                start += drift
        ctx.decay = decay
        return result

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        found = grads[0].clone(memory_format=torch.contiguous_format)
        for t in range(len(found) - 1, 0, -1):
            found[t - 1].addcmul_(found[t], ctx.decay)
        start = found[0] * ctx.decay if ctx.needs_input_grad[1] else None
        return found, start, None, None


def linear_scan(drive: Tensor, start: Tensor, decay: Tensor, drift: Tensor | None = None) -> Tensor:
    """x[t] = ((decay * x[t-1]) + drive[t]) + drift for all steps, from x[-1] = `start`."""
    return _Linear.apply(drive, start, decay, drift)


class _Fire(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, drive: Tensor, start: Tensor, c: Firing) -> tuple[Tensor, Tensor, Tensor]:
        voltages, spikes = torch.empty_like(drive), torch.empty_like(drive)
        kept, v = torch.empty_like(start), start.clone()
        fires = torch.gt if c.strict else torch.ge
        if c.decay is None:
            voltages.copy_(drive)
            fires(voltages, c.threshold, out=spikes)
        for t in range(len(drive) if c.decay is not None else 0):
            assert c.decay is not None
            torch.mul(v, c.decay, out=kept)
            now = torch.add(kept, drive[t], out=voltages[t])
            if c.drift is not None:
                now += c.drift
            fired = fires(now, c.threshold)
            spikes[t] = fired
            v = torch.where(fired, now - c.threshold if c.v_reset is None else c.v_reset, now)
        ctx.save_for_backward(voltages, spikes)
        ctx.constants = c
        ctx.set_materialize_grads(False)
        return spikes, voltages, v

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
        (voltages, spikes), c = ctx.saved_tensors, ctx.constants
        of_spikes, of_voltages, of_last = grads
        found = torch.zeros_like(voltages)
        if of_spikes is not None:
            found = derivative(c.surrogate, (voltages - c.threshold) / c.unit).div_(c.unit).mul_(of_spikes)
        if of_voltages is not None:
            found = found.add_(of_voltages)
        if c.decay is None:
            return found, None, None
        keep = 1.0 - spikes if c.v_reset is not None else None
        if of_last is not None:
            found[-1].add_(of_last if keep is None else of_last * keep[-1])
        passed = c.decay.expand_as(found[0]) if keep is None else keep.mul_(c.decay)
        for t in range(len(found) - 1, 0, -1):
            found[t - 1].addcmul_(found[t], passed if c.v_reset is None else passed[t - 1])
        start = found[0] * c.decay if ctx.needs_input_grad[1] else None
        return found, start, None


def fire_scan(drive: Tensor, start: Tensor, constants: Firing) -> tuple[Tensor, Tensor, Tensor]:
    """Spikes and membranes before the reset of all steps, and the membrane after the last, from the one before."""
    return _Fire.apply(drive, start, constants)
