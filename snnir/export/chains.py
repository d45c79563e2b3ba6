"""From what a population reads back to the inputs and populations that emit it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue

from snnir.dialects.places import place_of
from snnir.dialects.snn import AddOp, InputOp, NeuronOp
from snnir.errors import SnnirError

_CHAIN_LIMIT = 1 << 16


@dataclass(frozen=True)
class Chain:
    """One way from a source to a population: the ops in between, in the order in which they apply."""

    source: InputOp | NeuronOp
    ops: tuple[Operation, ...]


def chains_to(value: SSAValue) -> Iterator[Chain]:
    """All ways that lead to a signal. Sums are ways side by side.

    Raises `SnnirError` when there are more than 65536 of them.
    """
    pending: list[tuple[SSAValue, tuple[Operation, ...]]] = [(value, ())]
    made = 0
    while pending:
        current, ops = pending.pop()
        owner = current.owner
        assert isinstance(owner, Operation)
        if isinstance(owner, InputOp | NeuronOp):
            yield Chain(owner, ops)
            continue
        made += 1
        if made > _CHAIN_LIMIT:
            raise SnnirError(place_of(owner), f"more than {_CHAIN_LIMIT} ways lead through this {owner.name}")
        after = ops if isinstance(owner, AddOp) else (owner, *ops)
        pending.extend((operand, after) for operand in reversed(owner.operands))
