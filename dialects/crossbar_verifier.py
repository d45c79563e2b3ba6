"""The invariants of a configured machine.

Every name is one of the machine's parts, every neuron is on exactly one crossbar, partial sums meet their neurons, and
everything fits the machine that the module names.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from xdsl.dialects.builtin import IntegerAttr
from xdsl.utils.exceptions import VerifyException

from snnir.dialects.attributes import value_of
from snnir.dialects.crossbar import (
    GUARANTEE,
    ChannelOp,
    CrossbarOp,
    FlowOp,
    InputOp,
    MachineOp,
    OutputOp,
    PopulationOp,
    SliceOp,
)
from snnir.dialects.dataflow import verify_times
from snnir.dialects.machine_neurons import ACTIVATED
from snnir.dialects.platform import Machine, machine_of


def verify_machine(op: MachineOp) -> None:
    """Raise `VerifyException` when an invariant is broken."""
    if not 0 < op.dt.value.data < np.inf:
        raise VerifyException(f"dt must be a positive number of seconds, not {op.dt.value.data:g}")
    if op.steps is not None and op.steps.data < 1:
        raise VerifyException("an inference takes at least one step")
    verify_times(op, GUARANTEE)
    crossbars = op.children(CrossbarOp)
    inputs = {i.sym_name.data: i.size.value.data for i in op.children(InputOp)}
    populations = {p.sym_name.data: p.size.value.data for p in op.children(PopulationOp)}
    sources = {**inputs, **populations}
    slices = {part.sym_name.data: part for crossbar in crossbars for part in crossbar.slices}
    _verify_unique([op.sym_name.data for op in [*op.children(InputOp), *op.children(PopulationOp)]])
    _verify_unique([c.sym_name.data for c in crossbars])
    outputs = [o.sym_name.data for o in op.children(OutputOp)]
    _verify_unique([*inputs, *(part.sym_name.data for c in crossbars for part in c.slices)])
    _verify_unique([*outputs, *slices])
    for name, size in sources.items():
        if size < 1:
            raise VerifyException(f"@{name} has {size} neurons")
    for output in op.children(OutputOp):
        if output.population.root_reference.data not in sources:
            raise VerifyException(f"output @{output.sym_name.data} reads no population of the machine")
    for crossbar in crossbars:
        _verify_axons(crossbar, sources)
    _verify_neurons(slices, populations)
    _verify_codes(op, slices, machine_of(op))
    _verify_partials(slices)
    _verify_network(op, {*inputs, *slices}, {*outputs, *slices})
    _verify_peaks(op, {*inputs, *slices})
    _verify_places(op, machine_of(op))


def _verify_unique(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise VerifyException(f"two parts of the machine are called @{name}")
        seen.add(name)


def _verify_axons(crossbar: CrossbarOp, sources: Mapping[str, int]) -> None:
    for axons in crossbar.axons:
        source, neurons = axons.source.root_reference.data, axons.axons.data.neurons
        if source not in sources:
            raise VerifyException(f"@{crossbar.sym_name.data}: axons of @{source}, which the machine does not have")
        if neurons.stop > sources[source]:
            raise VerifyException(f"@{crossbar.sym_name.data}: axons of @{source}, which has {sources[source]} neurons")


def _verify_neurons(slices: Mapping[str, SliceOp], populations: Mapping[str, int]) -> None:
    counts = {name: np.zeros(size, np.int64) for name, size in populations.items()}
    for name, op in slices.items():
        part = op.part.data
        if part.population not in populations or part.neurons.stop > populations[part.population]:
            raise VerifyException(f"@{name} holds neurons that @{part.population} does not have")
        if not part.is_partial:
            counts[part.population][part.neurons.array] += 1
    for name, count in counts.items():
        wrong = np.flatnonzero(count != 1)
        if wrong.size:
            raise VerifyException(f"neuron {wrong[0]} of @{name} is in {count[wrong[0]]} slices instead of one")


def _verify_codes(op: MachineOp, slices: Mapping[str, SliceOp], machine: Machine | None) -> None:
    """Populations of codes are what their slices emit, within their range; rows take codes without a sign."""
    signals = {signal.sym_name.data: signal for signal in [*op.children(InputOp), *op.children(PopulationOp)]}
    for name, part in slices.items():
        model, coefficients = part.model, part.coefficients
        if model is None or coefficients is None:
            continue
        population = part.part.data.population
        coding = signals[population].coding
        if (model.data in ACTIVATED) != (coding is not None):
            raise VerifyException(f"@{name}: {model.data} does not emit what @{population} does")
        if coding is not None:
            least, most = (np.asarray(value_of(coefficients.data[key])) for key in ("least", "most"))
            if least.min() < coding.least or most.max() > coding.most:
                raise VerifyException(f"@{name}: its codes leave the range of @{population}")
    for crossbar in op.children(CrossbarOp):
        for source in [signals[axons.source.root_reference.data] for axons in crossbar.axons]:
            if source.is_signed:
                raise VerifyException(
                    f"@{crossbar.sym_name.data}: rows take no codes below 0, as of @{source.sym_name.data}"
                )
            bits = source.element.width.data if source.element is not None else 0
            if machine is not None and bits > machine.crossbar.signal_bits:
                limit = f"a row takes {machine.crossbar.signal_bits}"
                raise VerifyException(f"@{crossbar.sym_name.data}: codes of {bits} bits, {limit}")


def _verify_partials(slices: Mapping[str, SliceOp]) -> None:
    homes: dict[str, str] = {}
    for name, op in slices.items():
        for added in op.added:
            if added not in slices or not slices[added].part.data.is_partial:
                raise VerifyException(f"@{name} adds @{added}, which is no partial slice")
            partial, part = slices[added].part.data, op.part.data
            if (partial.population, partial.neurons) != (part.population, part.neurons):
                raise VerifyException(f"@{name} adds @{added}, which has other neurons")
            if added in homes:
                raise VerifyException(f"@{added} is added by @{homes[added]} and by @{name}")
            homes[added] = name
    for name, op in slices.items():
        if op.part.data.is_partial and name not in homes:
            raise VerifyException(f"the partial sums of @{name} are not added anywhere")


def _verify_network(op: MachineOp, senders: set[str], receivers: set[str]) -> None:
    for channel in op.children(ChannelOp):
        if channel.origin not in senders or channel.target not in receivers:
            raise VerifyException(f"the channel from @{channel.origin} to @{channel.target} has no such ends")
    for flow in op.children(FlowOp):
        source = flow.source.root_reference.data
        if source not in senders:
            raise VerifyException(f"a flow starts at @{source}, which sends nothing")
        if flow.route.data.result:
            raise VerifyException(f"the flow from @{source} has a number; what it carries is named")


def _verify_peaks(op: MachineOp, known: set[str]) -> None:
    for peaks in (op.peaks, op.peaks_in):
        for name, most in peaks.data.items() if peaks is not None else ():
            if name not in known:
                raise VerifyException(f"a peak is given for @{name}, which sends nothing")
            if not isinstance(most, IntegerAttr) or most.value.data < 0:
                raise VerifyException(f"the peak of @{name} is a number of spikes, 0 or more")


def _verify_places(op: MachineOp, machine: Machine | None) -> None:
    """No two crossbars in one place; places, cells and the ends of ways within the machine."""
    taken: dict[object, str] = {}
    for crossbar in op.children(CrossbarOp):
        name, place = crossbar.sym_name.data, crossbar.place.data
        if place in taken:
            raise VerifyException(f"@{name} and @{taken[place]} are on the same crossbar")
        taken[place] = name
        if machine is None:
            continue
        if not _inside(machine, place.tile) or place.crossbar >= machine.tiles.crossbars:
            raise VerifyException(f"@{name} is placed on a crossbar that the machine does not have")
        rows, columns = crossbar.cells.data.shape
        if rows > machine.crossbar.rows or columns > machine.crossbar.weight_columns:
            limit = f"{machine.crossbar.rows} rows and {machine.crossbar.weight_columns} columns"
            raise VerifyException(f"@{name} has {rows} rows and {columns} columns, a crossbar has {limit}")
    for flow in op.children(FlowOp) if machine is not None else ():
        for end in flow.route.data.ends:
            if machine is not None and end != "host" and not _inside(machine, end):
                source = flow.source.root_reference.data
                raise VerifyException(f"the flow from @{source} ends at a tile that the machine does not have")


def _inside(machine: Machine, tile: tuple[int, int]) -> bool:
    return tile[0] < machine.tiles.mesh[0] and tile[1] < machine.tiles.mesh[1]
