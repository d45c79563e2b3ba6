"""How a crossbar remembers spikes that arrive late: a part of the machine of `snnir.dialects.platform`."""

from dataclasses import dataclass

MEMORIES = ("ring", "queue", "circular", "fifo")


@dataclass(frozen=True)
class Delays:
    """The delay memory of each crossbar. Without this part every axon keeps its own past spikes."""

    memory: str
    """`ring`: for each target a ring buffer of sums (Loihi); `queue`: an event for each spike and delay (TrueNorth);
    `circular`: two queues between which events go round until no later delay needs them (Seneca); `fifo`: one queue
    and a pointer. Sizes: arXiv 2404.10597, section III, and arXiv 2501.13610."""
    entries: int = 0
    """Slots (`ring`) or events that the memory of one crossbar holds; 0: no limit."""
    bits: int = 0
    """Bits of one slot or event; 0: not stated."""

    def problem(self) -> str | None:
        """What makes this no delay memory, in words; `None` when nothing does."""
        if self.memory not in MEMORIES:
            return f"delays.memory is '{self.memory}'; use one of {', '.join(MEMORIES)}"
        for name in ("entries", "bits"):
            if getattr(self, name) < 0:
                return f"delays.{name} must not be negative"
        return None
