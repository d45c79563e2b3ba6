"""The weights of a program as parameters: masks of pruned synapses, rounding to a grid, rounding by the semantics."""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

from collections.abc import Iterable, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from snnir.errors import SnnirError
from snnir.sim.bundle import Bundle
from snnir.sim.network import INLINE, Projection
from snnir.sim.operators import Operator
from snnir.sim.rounding import LEVELS
from snnir.train.gradients import straight
from snnir.train.libraries import torch
from snnir.train.operators import Unpruned

Tensor = torch.Tensor
Array = NDArray[Any]


class Quantiser(Protocol):
    """Rounds weights to a grid while they are trained."""

    def __call__(self, weights: dict[str, Tensor]) -> dict[str, tuple[Tensor, Tensor]]:
        """For some of the keys whole weights (straight-through), and their scale: one number or one per target."""
        ...


def is_trained(projection: Projection) -> bool:
    """Whether a projection has weights that can be trained: a tensor, not one number in the program's text."""
    return projection.operator.weighted and projection.key != INLINE


class Weights(torch.nn.Module):
    """The weights of all projections by their keys; projections of one key share them.

    Raises `SnnirError` where two projections have different weights of one key.
    """

    def __init__(self, projections: Iterable[tuple[Projection, bool]], dtype: torch.dtype) -> None:
        """`projections` come with whether the neurons that they feed have integer states."""
        super().__init__()
        self._numbers: dict[str, int] = {}
        self.operators: dict[str, Operator] = {}
        self.whole: set[str] = set()
        """The keys of weights that stay whole numbers: they were, and enter integer states."""
        self.values = torch.nn.ParameterList()
        for projection, integer in projections:
            key, array = projection.key, projection.operator.weights
            if not is_trained(projection):
                continue
            if key in self._numbers:
                self._check_same(projection)
            else:
                self._numbers[key] = len(self._numbers)
                self.operators[key] = projection.operator
                self.values.append(torch.nn.Parameter(torch.tensor(array.astype(np.float64), dtype=dtype)))
                self.register_buffer(f"mask{self._numbers[key]}", torch.tensor(_synapses(projection.operator)))
            if integer and bool((array == np.rint(array)).all()):
                self.whole.add(key)

    def _check_same(self, projection: Projection) -> None:
        if not np.array_equal(self.operators[projection.key].weights, projection.operator.weights):
            message = f"two projections have different weights of the key '{projection.key}'"
            raise SnnirError(projection.place, message, "give each tensor a key of its own")

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys, in the order of the parameters."""
        return tuple(self._numbers)

    def parameter(self, key: str) -> Tensor:
        """The parameter behind a key, pruned weights included."""
        return self.values[self._numbers[key]]

    def mask(self, key: str) -> Tensor:
        """Bool, of the weights' shape: which of them there are."""
        return getattr(self, f"mask{self._numbers[key]}")

    def set_mask(self, key: str, mask: Array | None) -> None:
        """Keep the weights where `mask` is true (all of them for `None`).

        What the program says is no synapse of a bundle stays none. Raises `SnnirError` for another shape.
        """
        operator, kept = self.operators[key], self.mask(key)
        wanted = np.ones(tuple(kept.shape), np.bool_) if mask is None else np.asarray(mask, np.bool_)
        if wanted.shape != tuple(kept.shape):
            message = f"a mask of shape {wanted.shape} for weights of shape {tuple(kept.shape)}"
            raise SnnirError(f"weights {key}", message, "give one entry per weight")
        kept.copy_(torch.tensor(wanted & _synapses(operator)))

    def forward(self, quantiser: Quantiser | None = None) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The weights that count, by key, and the scales of those that a quantiser rounded."""
        found = {key: self._kept(key) for key in self._numbers}
        if quantiser is None:
            return found, {}
        rounded = quantiser(found)
        return {**found, **{k: w for k, (w, _) in rounded.items()}}, {k: s for k, (_, s) in rounded.items()}

    def _kept(self, key: str) -> Tensor:
        value, mask = self.parameter(key), self.mask(key)
        if not mask.all():
            value = torch.where(mask, value, torch.zeros((), dtype=value.dtype))
        return straight(value, torch.round(value.detach())) if key in self.whole else value


def _synapses(operator: Operator) -> NDArray[np.bool_]:
    """Which weights are synapses: all, but for zeros in a bundle."""
    pruned = isinstance(operator, Bundle) and not isinstance(operator, Unpruned)
    return operator.weights != 0 if pruned else np.ones(operator.weights.shape, np.bool_)


def rounded_jointly(
    weights: Sequence[Tensor],
    scales: Sequence[Tensor],
    operators: Sequence[Operator],
    how: Literal["trunc8", "nearest8"],
) -> tuple[list[Tensor], Tensor | None]:
    """Weights into a population as integers of 8 bits and their common scale: `snnir.sim.rounding` with gradients.

    Without a scale where all weights are 0, and stay as they are.
    """
    effective = [w * _per_weight(o, s) for w, s, o in zip(weights, scales, operators, strict=True)]
    peak = max((float(w.detach().abs().max()) for w in effective if w.numel()), default=0.0)
    if not peak:
        return list(weights), None
    cut = torch.trunc if how == "trunc8" else torch.round
    whole = [straight(w * (LEVELS / peak), cut(LEVELS * w.detach() / peak)) for w in effective]
    return whole, torch.tensor(peak / LEVELS, dtype=effective[0].dtype)


def _per_weight(operator: Operator, scale: Tensor) -> Tensor:
    return torch.tensor(operator.per_weight(scale.detach().numpy() if scale.ndim else float(scale)), dtype=scale.dtype)
