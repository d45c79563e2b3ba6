"""Training with the weights that the machine will have: integers of a few bits times a scale per row, straight-through.

The forward pass has the integers and scales that `snn-quantize` gives to the same weights, so the program that is
quantised after training computes what was trained, bit for bit in float64. Which weights share a scale is a matter of
the program: `snnir.flow.training.quantise` says it. The gradient goes to the weights as if they were not rounded.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.precision import finest_power, integer_type, largest, nearest_scale
from snnir.train.gradients import straight
from snnir.train.libraries import torch
from snnir.train.network import TorchNetwork
from snnir.tuning.rounding import lane_scales

Tensor = torch.Tensor
Vector = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """The weights of one key among those that share scales."""

    key: str
    rows: Integers
    """The row of each weight, in the shape of the weights."""
    targets: Integers
    """The row of each target of the projection."""
    factor: "Vector | float" = 1.0
    """What multiplies the weights before they are rounded, in a shape that fits theirs."""


@dataclass(frozen=True)
class Shared:
    """Weights that share scales: all of one row have one."""

    parts: tuple[Part, ...]
    own: Vector
    """Per row, the factor that its weights have already in the program."""
    fixed: tuple[Integers, Vector] = (np.zeros(0, np.int64), np.zeros(0))
    """Rows and values of weights that are not trained, but share the scales."""

    @cached_property
    def rows(self) -> Integers:
        """The row of every weight, those of the parts one after the other, then the fixed."""
        return np.concatenate([*(part.rows.ravel() for part in self.parts), self.fixed[0]])

    @cached_property
    def _order(self) -> tuple[Integers, Integers, Integers]:
        """All weights row by row, where each row begins, and which rows there are."""
        order = np.argsort(self.rows, kind="stable")
        present, starts = np.unique(self.rows[order], return_index=True)
        return order, starts, present

    def largest(self, values: Vector) -> Vector:
        """Per row the largest of values, one per weight; 0 for rows without weights."""
        order, starts, present = self._order
        found = np.zeros(len(self.own))
        found[present] = np.maximum.reduceat(values[order], starts) if len(starts) else 0.0
        return found

    def scales(self, weights: Vector, bits: int, *, clipped: bool) -> Vector:
        """The scale of each row: of the grid on which it lies already, else of the nearest (or of one that clips)."""
        peak, most = self.largest(np.abs(weights)), largest(bits)
        power = finest_power(peak, bits)
        whole = weights / power[self.rows]
        off = (whole != np.rint(whole)) | (np.abs(whole) > most) | (whole * power[self.rows] != weights)
        nearest = lane_scales(weights, self.rows, len(peak), bits) if clipped else nearest_scale(peak, bits)
        return np.where(self.largest(off.astype(np.float64)) > 0, nearest, power)


class GridQuantiser:
    """Rounds the weights of a module in each forward pass: `module.quantiser = GridQuantiser(groups, 4)`."""

    def __init__(self, groups: Sequence[Shared], bits: int, *, clipped: bool = False) -> None:
        """`clipped` takes for each row the scale with the least squared error, of those up to the largest weight.

        Then write the integers back (`quantised`), because `snn-quantize` would take the largest weight. Raises
        `SnnirError` for bits out of range, and for weights that two groups share.
        """
        if not 2 <= bits <= 32:
            raise SnnirError("train", f"weights of {bits} bits", "use 2 to 32 bits")
        keys = [part.key for group in groups for part in group.parts]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            message = f"the weights '{twice}' are in the columns of several populations"
            raise SnnirError("train", message, "give each its own weights, or quantise after training")
        self.groups, self.bits, self.clipped = tuple(groups), bits, clipped

    def __call__(self, weights: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
        """Whole weights and the scale per target, by key, in the type of the weights."""
        found: dict[str, tuple[Tensor, Tensor]] = {}
        for group in self.groups:
            if not all(part.key in weights for part in group.parts):
                continue  # nothing reads them
            for part, (scale, whole, own) in zip(group.parts, self._rounded(group, weights), strict=True):
                smooth = weights[part.key] * torch.tensor(part.factor / scale, dtype=own.dtype)
                limit = largest(self.bits) + 0.5
                smooth = smooth.clamp(-limit, limit)
                found[part.key] = straight(smooth, torch.tensor(whole, dtype=own.dtype)), own
        return found

    def _rounded(self, group: Shared, weights: dict[str, Tensor]) -> list[tuple[Vector, Vector, Tensor]]:
        """For each part the scale of each weight, its integers, and the scale of each target with what it had."""
        raw = [weights[part.key].detach().numpy().astype(np.float64) * part.factor for part in group.parts]
        scales = group.scales(
            np.concatenate([*(w.ravel() for w in raw), group.fixed[1]]), self.bits, clipped=self.clipped
        )
        most, kind = largest(self.bits), next(iter(weights.values())).dtype
        result: list[tuple[Vector, Vector, Tensor]] = []
        for part, values in zip(group.parts, raw, strict=True):
            scale = scales[part.rows]
            whole = np.clip(np.rint(values / scale), -most, most)
            own = (scales * group.own)[part.targets]
            result.append((scale, whole, torch.tensor(own, dtype=kind)))
        return result


def quantised(module: TorchNetwork) -> dict[str, tuple[NDArray[Any], Vector]]:
    """The integers that the module computes with now, and the scale of each target, by key.

    Raises `SnnirError` for a module without a `GridQuantiser`.
    """
    quantiser = module.quantiser
    if not isinstance(quantiser, GridQuantiser):
        raise SnnirError("train", "the weights are not rounded", "set module.quantiser")
    with torch.no_grad():
        kept = {key: w.to(torch.float64) for key, w in module.weights()[0].items()}
        found = quantiser(kept)
    kind = integer_type(quantiser.bits)
    return {key: (w.numpy().astype(kind), scale.numpy()) for key, (w, scale) in found.items()}
