"""Holds a run against the guarantee that came with the configuration, in exact fractions."""

from dataclasses import dataclass
from fractions import Fraction

from snnir.errors import SnnirError
from snnir.machine.counts import Counts
from snnir.machine.parts import Configuration
from snnir.machine.timing import Timing


@dataclass(frozen=True)
class GuaranteeCheck:
    """How a run compares with the guarantee.

    `late_step`: the first step k that was complete after `latency + k * period`, or None. `slack`: the least time by
    which a step was early (negative when one was late), in the machine's unit. `throughput_holds`: the measured
    throughput is at least 1 / period; in a short run it can be below although no step is late, because the first steps
    may come early. `tightness`: (1 / period) / throughput, None when the throughput is not defined. `exceeded`: the
    first slice or input with more spikes in a step than the guarantee assumes, or "".
    """

    late_step: int | None
    slack: Fraction
    throughput_holds: bool
    tightness: Fraction | None
    exceeded: str

    @property
    def within_activity(self) -> bool:
        """Whether the run kept to the activity that the guarantee assumes."""
        return not self.exceeded

    @property
    def holds(self) -> bool:
        """Whether every step was in time."""
        return self.late_step is None


def check_guarantee(configuration: Configuration, timing: Timing, counts: Counts | None = None) -> GuaranteeCheck:
    """Compare a run with the configuration's guarantee; `counts`, if given, with the activity that it assumes.

    Raises `SnnirError` when the configuration has no guarantee.
    """
    guarantee = configuration.guarantee
    if guarantee is None:
        message = "the configuration has no guarantee"
        raise SnnirError(f"{configuration.path}:/guarantee", message, "compile with the throughput analysis")
    slacks = [guarantee.latency + k * guarantee.period - end for k, end in enumerate(timing.finish.tolist())]
    late = next((k for k, slack in enumerate(slacks) if slack < 0), None)
    throughput = timing.throughput
    return GuaranteeCheck(
        late_step=late,
        slack=min(slacks),
        throughput_holds=throughput is None or throughput * guarantee.period >= 1,
        tightness=None if throughput is None else 1 / (guarantee.period * throughput),
        exceeded="" if counts is None else _exceeded(configuration, counts, len(timing.finish)),
    )


def _exceeded(configuration: Configuration, counts: Counts, steps: int) -> str:
    assert configuration.guarantee is not None
    pairs = ((configuration.guarantee.peaks, counts.spikes_out), (configuration.guarantee.peaks_in, counts.spikes_in))
    for peaks, spikes in pairs:
        for name in sorted(peaks):
            if spikes[name][:steps].max() > peaks[name]:
                return name
    return ""
