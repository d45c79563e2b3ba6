"""The time of an inference: guaranteed, and as simulated with real spikes."""

from snnir.machine.parts import UNIT_SECONDS, Configuration
from snnir.machine.timing import Timing


def guaranteed_seconds(configuration: Configuration, steps: int) -> float | None:
    """Seconds from the start of an inference on an idle machine until its last step is out, at most.

    None where the configuration has no guarantee.
    """
    guarantee = configuration.guarantee
    if guarantee is None:
        return None
    time = guarantee.latency + (steps - 1) * guarantee.period
    return float(time * UNIT_SECONDS[configuration.machine.time.unit])


def simulated_seconds(timing: Timing, steps: int) -> float | None:
    """Seconds that an inference of so many steps takes in a stream of them, on average over those that were timed.

    The first waits until the pipeline is full. None where not one was timed to its end.
    """
    whole = len(timing.finish) // steps
    if not whole:
        return None
    return float(int(timing.finish[whole * steps - 1]) * UNIT_SECONDS[timing.unit] / whole)
