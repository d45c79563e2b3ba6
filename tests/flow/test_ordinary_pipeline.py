"""The default pipeline of an ordinary network: codes are made of its values first, and nothing is rounded twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from coded_networks import codes, module_of, random_layers
from xdsl.dialects.builtin import FloatAttr, f64
from xdsl.ir import Operation

from snnir.dialects.attributes import SignalType, TensorAttr
from snnir.dialects.snn import NEURON_OPS, DenseOp, InputOp, NetworkOp, OutputOp, networks
from snnir.dialects.snn_activations import ReluOp
from snnir.errors import SnnirError
from snnir.flow.pipeline import default_pipeline, is_ordinary
from snnir.frontend.platform import read_platform
from snnir.semantics import Semantics

REAL = SignalType.current(4)


def network(given: SignalType, made: SignalType | None) -> NetworkOp:
    """A population that reads an input: a relu that emits `made`, or neurons that spike."""
    result = NetworkOp("net", 1e-3, 1)
    step = FloatAttr(1.0, f64)
    source = InputOp("x", given, step if given.is_coded else None)
    read = DenseOp(source.signal, TensorAttr.of("w", np.ones((4, 4), "f4")), REAL)
    parameters = {"r": step, "threshold": step, "v_reset": step}
    population: Operation
    if made is None:
        population = NEURON_OPS["if"]("h", [read.current], parameters, Semantics(), SignalType.spikes(4))
    else:
        population = ReluOp("h", [read.current], made, step=step if made.is_coded else None)
    result.body.block.add_ops([source, read, population, OutputOp("y", population.results[0])])
    return result


@pytest.mark.parametrize(
    ("given", "made", "expected"),
    [
        (REAL, REAL, True),
        (SignalType.spikes(4), REAL, True),
        (REAL, codes(6, 4), True),
        (codes(6, 4), codes(6, 4), False),
        (REAL, None, False),
        (SignalType.spikes(4), None, False),
    ],
)
def test_which_networks_are_ordinary(given: SignalType, made: SignalType | None, expected: bool) -> None:
    assert is_ordinary(network(given, made)) is expected


def test_passes(samples: Path) -> None:
    """Values are coded and weights tuned before limits are checked; a network of codes is compiled as it is."""
    target = read_platform(samples / "platforms" / "mesh4x4-128-codes.toml").data
    text = default_pipeline(target, 'a "b".npz', 7, "peak", network(REAL, REAL))
    given = 'data="a \\"b\\".npz" samples=7'
    first = (
        f"snn-fold, snn-legalize{{{given}}}, snn-code-signals{{{given}}}, snn-tune-weights{{{given}}}, check-platform,"
    )
    assert text.startswith(f"builtin.module({first} snn-profile{{{given}}}, convert-snn-to-cluster,")
    assert "snn-quantize" not in text
    coded = next(networks(module_of((4,), random_layers(np.random.default_rng(0), (4,), (3, 2), 4, 6), 6)))
    assert default_pipeline(target, None, None, "peak", coded) == default_pipeline(target, None, None, "peak")


def test_what_is_missing(samples: Path) -> None:
    target = read_platform(samples / "platforms" / "mesh4x4-128-codes.toml").data
    with pytest.raises(SnnirError, match="which codes stand for them is found with data"):
        default_pipeline(target, None, None, "peak", network(REAL, REAL))
    spikes = read_platform(samples / "platforms" / "mesh2x2-128.toml").data
    with pytest.raises(SnnirError, match="take spikes only"):
        default_pipeline(spikes, "values.npz", None, "peak", network(REAL, REAL))
