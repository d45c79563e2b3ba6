"""Where an op comes from, in the user's words: `net.snn:12:5`, `model.nir:/nodes/lif1`."""

from xdsl.dialects.builtin import FileLineColLoc, NameLoc
from xdsl.ir import Operation
from xdsl.irdl import IRDLOperation


def place_of(op: Operation) -> str:
    """The op's location as text; without one, the op's name and symbol."""
    location = op.location
    if isinstance(location, FileLineColLoc):
        return f"{location.filename.data}:{location.line.data}:{location.column.data}"
    if isinstance(location, NameLoc):
        return location.loc_name.data
    symbol = op.properties.get("sym_name") if isinstance(op, IRDLOperation) else None
    return f"{op.name} {symbol}" if symbol is not None else op.name
