"""The synapses of a projection, by structure: which sources a target reads, with which weights, and how many there are.

A convolution answers from its geometry, so nothing is expanded to single synapses before it must be. No IR here.
"""

from snnir.synapses.base import BoolMatrix, Lanes, Matrix, Synapses
from snnir.synapses.blocks import Blocks, BoolArray, IntArray, Marks
from snnir.synapses.chains import chained, targets_of
from snnir.synapses.convolution import Conv
from snnir.synapses.dense import Dense, OneToOne
from snnir.synapses.listed import Listed
from snnir.synapses.selected import Selected

__all__ = [
    "Blocks",
    "BoolArray",
    "BoolMatrix",
    "Conv",
    "Dense",
    "IntArray",
    "Lanes",
    "Listed",
    "Marks",
    "Matrix",
    "OneToOne",
    "Selected",
    "Synapses",
    "chained",
    "targets_of",
]
