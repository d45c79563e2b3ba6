"""The same program with other semantics: what the search for an explanation runs.

Every function returns a changed copy of a `snn.network`, or `None` where the change makes no difference or no sense.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from graphlib import TopologicalSorter

from xdsl.dialects.builtin import IntAttr
from xdsl.ir import Attribute, Operation, SSAValue

from snnir.dialects.attributes import SemanticsAttr
from snnir.dialects.snn import (
    AddOp,
    DelayOp,
    InputOp,
    NetworkOp,
    NeuronOp,
    OutputOp,
    WeightedOp,
    delay_of,
    zero_delay_cycle,
)
from snnir.semantics import PRESETS, SPIKING, Semantics, check_discretisation, preset, with_reset

SPIKING_FIELDS = ("reset", "spikes", "refractory", "out_delay", "compare", "floor", "start")
"""The fields of `Semantics` that mean nothing for models that emit their membrane."""
Change = Callable[[NeuronOp], Semantics]


def step_order(network: NetworkOp) -> list[str]:
    """Inputs, populations and outputs, each behind those that it reads within one step."""
    order: TopologicalSorter[Operation] = TopologicalSorter()
    for op in network.body.block.ops:
        owners = (value.owner for value in op.operands)
        order.add(op, *(owner for owner in owners if isinstance(owner, Operation) and not delay_of(owner)))
    return [op.sym_name.data for op in order.static_order() if isinstance(op, InputOp | NeuronOp | OutputOp)]


def with_fields(network: NetworkOp, changes: Mapping[str, str], only: str | None = None) -> NetworkOp | None:
    """Fields of the semantics replaced, in all populations for which that makes sense or in one (`only`)."""

    def change(op: NeuronOp) -> Semantics:
        meant = {name: v for name, v in changes.items() if op.MODEL in SPIKING or name not in SPIKING_FIELDS}
        return op.semantics.data.changed(meant)

    return _with_semantics(network, change, only)


def with_later_output(network: NetworkOp, steps: int) -> NetworkOp | None:
    """Every spiking population emits `steps` later (earlier when negative); `None` when one cannot."""
    spiking = [op for op in network.sources.values() if isinstance(op, NeuronOp) and op.MODEL in SPIKING]
    if any(op.semantics.data.out_delay + steps < 0 for op in spiking):
        return None

    def change(op: NeuronOp) -> Semantics:
        late = op.semantics.data.out_delay + steps if op.MODEL in SPIKING else 0
        return op.semantics.data.changed({"out_delay": str(late)})

    return _with_semantics(network, change)


def with_preset(network: NetworkOp, name: str, reset: str | None = None) -> NetworkOp | None:
    """Everything that a preset decides: the semantics of all populations and the least delay of connections."""

    def change(op: NeuronOp) -> Semantics:
        semantics = preset(name, op.MODEL)
        resets = op.MODEL in SPIKING and op.MODEL != "threshold"
        return semantics if reset is None or not resets else with_reset(name, semantics, reset)

    chosen = PRESETS[name]
    copy = _with_semantics(network, change, even_if_equal=True)
    if copy is None:
        return None
    least = chosen.connection_delay
    for op in list(copy.body.block.ops):
        if isinstance(op, NeuronOp):
            for weighted in list(_projections(op)):
                missing = least - delay_of(weighted) - _delay_before(weighted)
                if missing > 0:
                    _lengthen(weighted, missing)
    if chosen.late_bias:
        _make_biases_late(copy)
    return copy


def with_delay(network: NetworkOp, population: str, steps: int, *, recurrent: bool) -> NetworkOp | None:
    """All projections into one population later by `steps`, or those alone that close a cycle with it.

    A negative number makes them earlier; `None` when one is too short for that or a cycle would lose its delay.
    """
    copy = network.clone()
    target = copy.sources[population]
    assert isinstance(target, NeuronOp)
    reach = _reached_from(copy, population)
    changed = False
    inputs: list[SSAValue] = []
    for value in target.inputs:
        late = _late(value, steps, reach if recurrent else None)
        if late is None:
            return None
        changed = changed or late is not value
        inputs.append(late)
    target.operands = inputs
    _sweep(copy)
    return copy if changed and not _has_cycle(copy) else None


def with_recurrent_delay(network: NetworkOp, steps: int) -> NetworkOp | None:
    """The projections that close a cycle with their population later by `steps`, in the whole program."""
    current: NetworkOp | None = None
    for name, op in network.sources.items():
        if isinstance(op, NeuronOp) and name in _reached_from(network, name):
            changed = with_delay(current or network, name, steps, recurrent=True)
            current = changed or current
    return current


def signature(network: NetworkOp) -> tuple[object, ...]:
    """Equal for two variants of one program that compute the same for the same reason."""
    parts: list[object] = []
    for op in network.body.block.ops:
        semantics = op.semantics.data if isinstance(op, NeuronOp) else None
        reads = tuple(value.owner.name for value in op.operands if isinstance(value.owner, Operation))
        parts.append((op.name, semantics, delay_of(op), reads))
    return tuple(sorted(parts, key=repr))


def _with_semantics(
    network: NetworkOp, change: Change, only: str | None = None, *, even_if_equal: bool = False
) -> NetworkOp | None:
    """A copy with changed semantics; `None` when nothing changes or a population cannot have them."""
    copy = network.clone()
    changed = even_if_equal
    for name, op in copy.sources.items():
        if isinstance(op, NeuronOp) and only in (None, name):
            new = change(op)
            if check_discretisation(op.MODEL, op.parameters, copy.step_seconds, new) is not None:
                return None
            changed = changed or new != op.semantics.data
            op.semantics = SemanticsAttr(new)
    return copy if changed and not _has_cycle(copy) else None


def _has_cycle(network: NetworkOp) -> bool:
    """Whether less delay somewhere has left a cycle without any."""
    return zero_delay_cycle(network.body.block) is not None


def sources_behind(value: SSAValue) -> Iterator[InputOp | NeuronOp]:
    """The inputs and populations that a signal is computed from."""
    waiting, seen = [value], set[Operation]()
    while waiting:
        owner = waiting.pop().owner
        if isinstance(owner, InputOp | NeuronOp):
            yield owner
        elif isinstance(owner, Operation) and owner not in seen:
            seen.add(owner)
            waiting += owner.operands


def _reached_from(network: NetworkOp, name: str) -> set[str]:
    """The populations that read a population, directly or through others."""
    readers: dict[str, set[str]] = {}
    for reader, op in network.sources.items():
        for value in op.operands:
            for source in sources_behind(value):
                readers.setdefault(source.sym_name.data, set()).add(reader)
    reached, waiting = set[str](), [name]
    while waiting:
        for reader in readers.get(waiting.pop(), ()):
            if reader not in reached:
                reached.add(reader)
                waiting.append(reader)
    return reached


def _projections(population: NeuronOp) -> Iterator[WeightedOp]:
    """The projections that are the last to weight what a population reads."""
    waiting = [value.owner for value in population.inputs]
    while waiting:
        op = waiting.pop()
        if isinstance(op, WeightedOp):
            yield op
        elif isinstance(op, Operation) and not isinstance(op, InputOp | NeuronOp):
            waiting += [value.owner for value in op.operands]


def _delay_before(op: WeightedOp) -> int:
    """The delay of the ops without weights that a projection reads through."""
    owner = op.source.owner
    steps = 0
    while isinstance(owner, Operation) and not isinstance(owner, InputOp | NeuronOp | WeightedOp | AddOp):
        steps += delay_of(owner)
        owner = owner.operands[0].owner
    return steps


def _late(value: SSAValue, steps: int, cyclic: set[str] | None) -> SSAValue | None:
    """A signal whose spikes come later; where `cyclic` is given, only those of its populations do.

    The signal itself where nothing changes, `None` where a delay would become negative.
    """
    owner = value.owner
    assert isinstance(owner, Operation)
    if cyclic is not None and not any(source.sym_name.data in cyclic for source in sources_behind(value)):
        return value
    if isinstance(owner, WeightedOp):
        if owner.delay.data + steps >= 0:
            copy = _copy_in_front(owner, owner)
            copy.properties["delay"] = IntAttr(owner.delay.data + steps)
            return copy.results[0]
        sources = [_late(owner.source, steps, cyclic)]
    elif isinstance(owner, DelayOp) and owner.steps is not None and owner.steps + steps >= 0:
        copy = _copy_in_front(owner, owner)
        copy.properties["delay"] = IntAttr(owner.steps + steps)
        return copy.results[0]
    elif isinstance(owner, InputOp | NeuronOp):
        return None if steps < 0 else _insert_delay(value, steps)
    else:
        sources = [_late(each, steps, cyclic) for each in owner.operands]
    if any(each is None for each in sources):
        return None
    copy = _copy_in_front(owner, owner)
    copy.operands = [each for each in sources if each is not None]
    return copy.results[0]


def _copy_in_front(op: Operation, place: Operation) -> Operation:
    copy = op.clone()
    copy.location = op.location
    block = place.parent_block()
    assert block is not None
    block.insert_op_before(copy, place)
    return copy


def _sweep(network: NetworkOp) -> None:
    """Remove what nothing reads any more."""
    for op in reversed(list(network.body.block.ops)):
        if op.results and not isinstance(op, InputOp | NeuronOp) and not any(result.uses for result in op.results):
            op.detach()
            op.erase()


def _insert_delay(value: SSAValue, steps: int) -> SSAValue:
    owner = value.owner
    assert isinstance(owner, Operation)
    block = owner.parent_block()
    assert block is not None
    op = DelayOp(value, steps)
    block.insert_op_after(op, owner)
    return op.late


def _lengthen(op: WeightedOp, steps: int) -> None:
    """Delay the spikes that a projection reads by more steps."""
    properties: dict[str, Attribute] = {"delay": IntAttr(op.delay.data + steps)}
    op.properties |= properties


def _make_biases_late(network: NetworkOp) -> None:
    """Put the delay of each projection on a cycle behind it, where it has a bias."""
    for name, op in network.sources.items():
        if not isinstance(op, NeuronOp):
            continue
        reach = _reached_from(network, name)
        for weighted in list(_projections(op)):
            cyclic = any(source.sym_name.data in reach for source in sources_behind(weighted.source))
            steps = weighted.delay.data
            if cyclic and weighted.bias is not None and steps:
                weighted.properties["delay"] = IntAttr(0)
                users = list(weighted.current.uses)
                late = _insert_delay(weighted.current, steps)
                for use in users:
                    use.operation.operands[use.index] = late
