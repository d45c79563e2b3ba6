"""`snn-fold`: batch norm, biases and scales put into the weights of projections."""

from dataclasses import dataclass

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.passes.base import SNNPass, program
from snnir.passes.snn.folder import Folder, Merge


@dataclass(frozen=True)
class SNNFold(SNNPass):
    """Put one-to-one projections (batch norm, normalisation) into the weights before or behind them, and every
    constant to the end of its chain.

    Exact in real numbers: weights are computed in float64, and rounded to float32 where all that went into them was
    float32 (`layers` has by how much). A bias before a padded convolution differs at the border of the planes; there it
    becomes a current of its own. Two dense projections in a row become one where that has no more weights. What
    begins late, behind a delay, keeps its place; so does what populations read whose semantics round weights or put
    biases on the membrane. Integer weights stay, and factors go into their scale.
    """

    name = "snn-fold"

    merge: Merge = "smaller"
    """Whether two dense projections in a row become one: where that has no more weights, `always` or `never`."""
    duplicate: bool = True
    """Whether a projection that several read is copied where that lets a factor go into its weights. Machines hold it
    for each reader anyway."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        folder = Folder(program(op), duplicate=self.duplicate, merge=self.merge)
        folder.run()
        self.layers.extend(folder.layers)
        self.statistics.update(folder.counts)
