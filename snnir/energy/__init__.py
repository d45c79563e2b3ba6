"""What an inference takes, in energy and time: operations that a run of the machine did, times what each takes.

`count` finds the operations of a run, `estimate` prices them. Everything is counted, nothing is assumed about activity:
a crossbar on which no spike arrives does only what it does without one. Counts are exact; what they are multiplied with
is a platform's, with its source (`snnir.dialects.machine_energy`).
"""

from snnir.energy.activity import HOPS, OPERATIONS, Item, count
from snnir.energy.estimate import Component, Estimate, Prices, TileEnergy, estimate
from snnir.energy.latency import guaranteed_seconds, simulated_seconds

__all__ = [
    "HOPS",
    "OPERATIONS",
    "Component",
    "Estimate",
    "Item",
    "Prices",
    "TileEnergy",
    "count",
    "estimate",
    "guaranteed_seconds",
    "simulated_seconds",
]
