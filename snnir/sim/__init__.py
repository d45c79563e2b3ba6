"""The program simulator: what a network computes, before anything is mapped.

```
from snnir.sim import run, simulate
from snnir.sim.entry import network_of

network = network_of(op)
spikes = simulate(network, {"pixels": samples})                # name -> (samples, steps, neurons)
recording = run(network, {"pixels": samples}, record=["out"], voltages=["out"])
```

Sums do not depend on how they are later split over crossbars: weighted inputs are added in float64, and
`Population.exact` says whether every partial sum is exactly representable, so that any order gives the same bits. Where
sums round, their order is defined (`snnir.sim.operators`), so that the same input gives the same bytes whatever the
number of samples.
"""

from snnir.sim.events import Data, Events
from snnir.sim.network import Current, Network, Population, Projection
from snnir.sim.simulate import Recording, chunks, run, simulate

__all__ = ["Current", "Data", "Events", "Network", "Population", "Projection", "Recording", "chunks", "run", "simulate"]
