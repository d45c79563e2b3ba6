"""How large delay memories are: formulas of the literature, exact bounds from what the rows of a crossbar read, and
what recorded spikes take of them.

A spike that a row reads d steps late has to be remembered for d steps. Crossbars remember in one of four ways
(`MEMORIES`): `ring`, a ring buffer of sums for each target; `queue`, one shared delay queue with an event for each
spike and delay; `circular`, a shared circular delay queue, two queues between which an event goes round until no later
delay needs it; `fifo`, one queue and a pointer. Arrays in, numbers out.

Source: arXiv 2404.10597, section III; `fifo` arXiv 2501.13610.
"""

from snnir.delays.formulas import MEMORIES, Memory, formula
from snnir.delays.occupancy import Spikes, observed, occupancy
from snnir.delays.reads import Reads

__all__ = ["MEMORIES", "Memory", "Reads", "Spikes", "formula", "observed", "occupancy"]
