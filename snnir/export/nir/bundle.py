"""Bundles of delayed synapses in NIR: a delay and a matrix for each delay level, side by side."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from snnir.dialects.snn import BundleOp
from snnir.export.nir.affine import bias_field, product
from snnir.export.nir.shapes import Signal, own_name, shape_of

if TYPE_CHECKING:
    from snnir.export.nir.lower import Lowering


def bundle(lowering: Lowering, op: BundleOp, signal: Signal, steps: int) -> Signal:
    """The nodes of a bundle whose first level is `steps` late; levels without a synapse are left out."""
    weights = product(lowering, op, (-1, 1))
    shape = (prod(shape_of(op.current)),)
    lowering.check_size(op, weights.size, "a matrix for each delay level")
    lowering.remarks.add("bundles are a Delay and a matrix for each delay level", op)
    flat, sources = lowering.flattened(signal, op), list[str]()
    for level in np.flatnonzero(weights.any(axis=(1, 2))).tolist() or [0]:
        late = lowering.delayed(flat, steps + level * op.stride.data, op, f"{own_name(op)}_delay")
        name = f"{own_name(op)}_{level}" if sources else ""
        node = lowering.add("Linear", {"weight": weights[level]}, shape, op, name)
        bias = None if sources else bias_field(lowering, node, op)
        if bias is not None:
            node.kind, node.fields["bias"] = "Affine", bias
        lowering.connect(node.name, late.sources)
        sources.append(node.name)
    return Signal(tuple(sources), shape)
