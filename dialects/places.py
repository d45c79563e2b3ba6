"""Where an op comes from, in the user's words: `net.snn:12:5`, `model.nir:/nodes/lif1`."""

from typing import cast

from xdsl.dialects.builtin import ArrayAttr, CallSiteLoc, FileLineColLoc, FusedLoc, NameLoc
from xdsl.ir import Attribute, Operation


def place_of(op: Operation, otherwise: str = "") -> str:
    """The place of the innermost op around `op` (itself included) that has one; else `otherwise`, or the op's name."""
    found: Operation | None = op
    while found is not None:
        if place := location_text(found.location):
            return place
        found = found.parent_op()
    return otherwise or op.name


def location_text(location: Attribute) -> str:
    """`file:line:col` or the name that a location holds; empty when it is unknown."""
    match location:
        case FileLineColLoc():
            return f"{location.filename.data}:{location.line.data}:{location.column.data}"
        case NameLoc():
            return location.desc.data
        case CallSiteLoc():
            return location_text(location.callee)
        case FusedLoc():
            texts = [location_text(each) for each in cast(ArrayAttr[Attribute], location.locations)]
            return next((text for text in texts if text), "")
        case _:
            return ""
