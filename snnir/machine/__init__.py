"""The model of the hardware: loads an emitted directory, and nothing else, and runs it.

The functional part computes the spikes of every neuron, the timing part when each slice fires, each flit travels and
each step is complete at the host. It shares no code with the compiler, so that it can check it.

    from snnir.machine import check_guarantee, load, run, simulate

    configuration = load("out/digits")
    result = run(configuration, {"pixels": pixels})             # uint8 (samples, steps, size), 0 or 1
    result.spikes["out"].sum(axis=1).argmax(axis=1)             # the answer for each sample
    timing = simulate(configuration, result.counts, steps=1000)
    timing.throughput                                           # Fraction: steps per unit of time
    check_guarantee(configuration, timing, result.counts).holds

`python -m snnir.machine DIRECTORY --data spikes.npz` does the same on the command line. All errors are `SnnirError`.
The format of the directory is `config.schema.json` beside this file (`schema()`).
"""

from snnir.machine.configuration import CONFIG_FILE as CONFIG_FILE
from snnir.machine.configuration import FORMAT_VERSION as FORMAT_VERSION
from snnir.machine.configuration import load as load
from snnir.machine.configuration import schema as schema
from snnir.machine.counts import Counts as Counts
from snnir.machine.counts import peak_counts as peak_counts
from snnir.machine.functional import Run as Run
from snnir.machine.functional import encoded as encoded
from snnir.machine.functional import evaluation_order as evaluation_order
from snnir.machine.functional import run as run
from snnir.machine.guarantee import GuaranteeCheck as GuaranteeCheck
from snnir.machine.guarantee import check_guarantee as check_guarantee
from snnir.machine.parts import Configuration as Configuration
from snnir.machine.timing import Timing as Timing
from snnir.machine.timing import firing_times as firing_times
from snnir.machine.timing import simulate as simulate
