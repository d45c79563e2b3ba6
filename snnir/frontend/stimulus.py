"""Stimuli in the IR: the attribute `stimulus` of a `snn.input`, which no pass needs to know.

It is a dictionary: `{kind = "poisson", rate = 50.0 : f64, seed = 1 : i64}`, where the rate (1/s) may be a `#snn.tensor`
with one entry per neuron, or `{kind = "file", path = "spikes.npz"}`, relative to the folder in which a tool is started.
`snnc sim` draws or reads it when it gets no `--data`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from xdsl.dialects.builtin import DictionaryAttr, FloatAttr, IntAttr, IntegerAttr, StringAttr, i64
from xdsl.ir import Attribute

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.places import place_of
from snnir.dialects.snn import InputOp, NetworkOp
from snnir.errors import SnnirError
from snnir.sim.stimulus import Poisson, Recording, Stimulus

ATTRIBUTE = "stimulus"
"""The name of the attribute."""


def attribute_of(stimulus: Stimulus, key: str) -> DictionaryAttr:
    """A stimulus as an attribute; `key` names the tensor of rates."""
    if isinstance(stimulus, Recording):
        return DictionaryAttr({"kind": StringAttr("file"), "path": StringAttr(stimulus.path.as_posix())})
    rate = stimulus.rate
    value = TensorAttr.of(key, rate) if isinstance(rate, np.ndarray) else FloatAttr(rate, 64)
    return DictionaryAttr({"kind": StringAttr("poisson"), "rate": value, "seed": IntegerAttr(stimulus.seed, i64)})


def stimuli_of(network: NetworkOp) -> dict[str, Stimulus]:
    """The stimulus of each input that has one. Raises `SnnirError` for an attribute that is none."""
    found: dict[str, Stimulus] = {}
    for op in network.body.block.ops:
        attribute = op.attributes.get(ATTRIBUTE)
        if isinstance(op, InputOp) and attribute is not None:
            stimulus = _stimulus(attribute)
            if stimulus is None:
                hint = '{kind = "poisson", rate = 50.0 : f64, seed = 1 : i64}, or {kind = "file", path = "spikes.npz"}'
                raise SnnirError(
                    place_of(op), f"stimulus of input '{op.sym_name.data}' is {attribute}", f"write {hint}"
                )
            found[op.sym_name.data] = stimulus
    return found


def _stimulus(attribute: Attribute) -> Stimulus | None:
    if not isinstance(attribute, DictionaryAttr):
        return None
    match dict(attribute.data):
        case {"kind": StringAttr(data="file"), "path": StringAttr(data=path)}:
            return Recording(Path(path))
        case {"kind": StringAttr(data="poisson"), "rate": rate, "seed": IntegerAttr(value=IntAttr(data=seed))}:
            if seed < 0:
                return None
            if isinstance(rate, FloatAttr):
                return Poisson(rate.value.data, seed)
            if isinstance(rate, TensorAttr):
                return Poisson(rate.array.astype(np.float64), seed)
        case _:
            pass
    return None
