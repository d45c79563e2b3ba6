"""`crossbar-map-conductances`: what each cell of a crossbar is set to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.analog.columns import gathered, spread
from snnir.dialects.attributes import TensorAttr
from snnir.dialects.crossbar import CrossbarOp, MachineOp
from snnir.passes.base import SNNPass, fail, machine, only

Integers = NDArray[np.int64]
LEVELS = "levels"
"""The attribute of a crossbar that holds the levels, rows x columns as they are built."""


@dataclass(frozen=True)
class CrossbarMapConductances(SNNPass):
    """Write the level of every cell beside the weights of each crossbar, for whoever programs a chip.

    On machines whose weights take pairs of cells: the magnitude of a weight, in digits of `crossbar.cell_bits`, in the
    cells of its sign; the columns of a weight side by side, the least digit first, plus before minus. The levels say
    what the weights say, exactly, and the weights stay. Replaces levels that are there.
    """

    name = "crossbar-map-conductances"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        configured = only(op, MachineOp, "run convert-dataflow-to-crossbar before").children(CrossbarOp)
        target, limits = machine(op), machine(op).crossbar
        if limits.signs != "pair" or not limits.weight_bits:
            hint = 'compile for a platform that states crossbar.weight_bits, and crossbar.signs = "pair"'
            fail(op, f"on '{target.name}' the weights are not held by pairs of cells", hint)
        bits, digits = limits.cell_bits or limits.weight_bits - 1, limits.columns_per_weight // 2
        held = 0
        for crossbar in configured:
            weights = crossbar.cells.array.astype(np.int64)
            if np.abs(weights).max(initial=0) >= 1 << (bits * digits):
                message = f"a weight of {np.abs(weights).max()} does not fit {digits} cells of {bits} bits"
                fail(crossbar, message, "use weights between -(2^(b-1) - 1) and 2^(b-1) - 1 for b bits")
            levels = _levels(weights, 1 << bits, digits)
            key = f"{crossbar.sym_name.data}.{LEVELS}"
            crossbar.attributes[LEVELS] = TensorAttr.of(key, levels.astype(_smallest(bits)))
            held += int(np.count_nonzero(levels))
        self.statistics["crossbars"] = len(configured)
        self.statistics["cells above level 0"] = held


def _levels(weights: Integers, base: int, digits: int) -> Integers:
    levels = spread(weights, base, digits)
    assert np.array_equal(gathered(levels.astype(np.float64), base, digits), weights), "levels say what weights say"
    return levels


def _smallest(bits: int) -> str:
    """The smallest type, with a sign as all integers in tensors, that holds levels of so many bits."""
    return "int8" if bits < 8 else "int16" if bits < 16 else "int32"
