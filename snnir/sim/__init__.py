"""The program simulator: what a network computes, before anything is mapped.

```
from snnir.sim import simulate
from snnir.sim.entry import network_of

spikes = simulate(network_of(op), {"pixels": samples})   # name -> uint8 (samples, steps, neurons)
```

Sums do not depend on how they are later split over crossbars: weighted inputs are added in float64, and
`Population.exact` says whether every partial sum is exactly representable, so that any order gives the same bits.
"""

from snnir.sim.network import Network, Population, Projection
from snnir.sim.simulate import simulate

__all__ = ["Network", "Population", "Projection", "simulate"]
