"""Calibration: what a program does on recorded data, for passes that fit it to few bits."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xdsl.ir import Operation, SSAValue

from snnir.dialects.snn import ActivationOp, InputOp, NetworkOp, NeuronOp
from snnir.errors import SnnirError
from snnir.passes.snn.forward import Forward
from snnir.sim import simulate
from snnir.sim.data import read_spike_arrays
from snnir.sim.entry import network_of
from snnir.sim.simulate import check_inputs

Array = NDArray[Any]

SAMPLES = 1024
"""Samples that are taken by default; more make no difference."""
ELEMENTS = 1 << 28
"""Fewer, where all signals of these would be more numbers than this."""


class Calibration:
    """Recorded inputs of a program, and what its populations with a state emit on them."""

    def __init__(self, network: NetworkOp, data: str, samples: int | None) -> None:
        """The first `samples` samples of a file. Raises `SnnirError` where the data does not fit the program."""
        arrays = network_of(network)
        if samples is None:
            samples = max(1, min(SAMPLES, ELEMENTS // max(1, sum(arrays.sizes.values()) * (arrays.steps or 1))))
        found = read_spike_arrays(Path(data), samples, network.step_seconds)
        check_inputs(arrays, found)
        self.inputs: Mapping[str, Array] = {name: found[name] for name in arrays.inputs}
        self.samples, self.steps = next(iter(self.inputs.values())).shape[:2]
        # without a state each step is an inference of its own, so more steps are a file for another network
        if not arrays.populations and arrays.steps is not None and self.steps != arrays.steps:
            message = f"{self.steps} steps per sample, but an inference of @{arrays.name} has {arrays.steps}"
            raise SnnirError(data, message, f"give arrays of (samples, {arrays.steps}, lines)")
        self.recorded: Mapping[str, Array] = {}
        if arrays.populations:
            self.recorded = simulate(arrays, self.inputs, record=list(arrays.populations))

    def forward(self, network: NetworkOp, *, rounded: bool = True, samples: int | None = None) -> Forward:
        """An evaluation of the program, or of one with the same inputs and populations; of the first samples alone."""
        inputs, recorded = (
            {name: values[:samples] for name, values in found.items()} for found in (self.inputs, self.recorded)
        )
        return Forward(network, inputs, rounded=rounded, recorded=recorded)


def reads(population: NeuronOp) -> list[str]:
    """The names of the inputs and populations that a population reads through whatever stands between."""
    found: dict[str, None] = {}
    seen: set[SSAValue] = set()
    rest = list(population.inputs)
    while rest:
        value = rest.pop()
        if value in seen:
            continue
        seen.add(value)
        if isinstance(value.owner, InputOp | NeuronOp):
            found[value.owner.sym_name.data] = None
        elif isinstance(value.owner, Operation):
            rest += value.owner.operands
    return list(found)


def in_order(network: NetworkOp) -> list[NeuronOp] | None:
    """The populations, each after those that it reads, else in program order; `None` where they read in a circle."""
    populations = {name: op for name, op in network.sources.items() if isinstance(op, NeuronOp)}
    order: TopologicalSorter[str] = TopologicalSorter()
    for name, op in populations.items():
        order.add(name, *(each for each in reads(op) if each in populations))
    try:
        order.prepare()
    except CycleError:
        return None
    number = {name: n for n, name in enumerate(populations)}
    found: list[NeuronOp] = []
    while order.is_active():
        ready = sorted(order.get_ready(), key=number.__getitem__)
        found += [populations[name] for name in ready]
        order.done(*ready)
    return found


def is_plain(op: "InputOp | NeuronOp") -> bool:
    """Whether it brings or emits values that could be coded: reals, of an input or of an activation."""
    return isinstance(op, InputOp | ActivationOp) and op.coding is None and not op.emits_spikes


def hundredths(decibel: float) -> int:
    """A level as a counter holds it."""
    return int(np.rint(100 * decibel))
