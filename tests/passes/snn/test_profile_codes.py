"""The activity of codes: a code that is not 0 is one event, however large it is."""

from __future__ import annotations

import numpy as np
import pytest
from coded_networks import input_codes, module_of, random_layers
from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.activity import ActivityAttr
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import NetworkOp, networks
from snnir.passes.activity import NetworkActivity
from snnir.passes.snn.profile import Measure, measure
from snnir.sim.events import Events

BITS = 4


def network() -> NetworkOp:
    layers = random_layers(np.random.default_rng(1), (6,), (5, 3), 4, BITS)
    module: ModuleOp = module_of((6,), layers, BITS)
    return next(networks(module))


def test_events_are_codes_that_are_not_0() -> None:
    program = network()
    values = np.random.default_rng(2).uniform(-1.4, 1.0, (20, 1, 6))
    found = measure(program, {"x": values})
    codes = input_codes(values, BITS)
    assert codes.max() > 1 and (codes == 0).any()
    activity = found["x"]
    assert activity.counts.array.tolist() == np.count_nonzero(codes, axis=(0, 1)).tolist()
    assert activity.peak.data == np.count_nonzero(codes, axis=2).max() <= 6
    assert set(found) == {"x", "h0", "h1"}
    for name, each in found.items():
        program.sources[name].activity = each
    program.verify()
    part = np.array([0, 2])
    assert NetworkActivity(program, "peak").of("x", part).most == min(2, activity.peak.data)


def test_lists_of_events() -> None:
    measured = Measure("x", 3, coded=True)
    measured.add_events(Events.of((1, 2, 3), [0, 0], [0, 0], [0, 2], [7, 3]))  # pyright: ignore[reportArgumentType]
    activity = measured.activity()
    assert activity.counts.array.tolist() == [1, 0, 1]
    assert (activity.steps.data, activity.peak.data) == (2, 2)


def test_a_neuron_emits_one_code_in_a_step() -> None:
    program = network()
    program.sources["x"].activity = ActivityAttr.of(2, 9, 5, TensorAttr.of("c", np.array([3, 2, 1, 1, 1, 1])))
    with pytest.raises(VerifyException, match="a neuron emits one code in a step"):
        program.verify()
