"""What a check of a program against a machine finds."""

from dataclasses import dataclass
from typing import Literal

from snnir.dialects.platform import Machine
from snnir.partition.metrics import Bounds
from snnir.passes.base import LoweringError
from snnir.passes.limits.figures import Figures

Level = Literal["error", "warning", "note"]
"""`error`: the program does not fit; `warning`: it may not; `note`: it does, if something is done about it."""


@dataclass(frozen=True)
class Finding:
    """One limit that is broken, or may be, or is met in a way that users want to know of."""

    level: Level
    limit: str
    """Which one: `model`, `fan-in`, `crossbars`, ..."""
    subject: str
    """The input, population or output; empty for the program."""
    place: str
    message: str
    hint: str
    needed: float | None = None
    available: float | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.level}: {self.message}" + (f"\n  fix: {self.hint}" if self.hint else "")


@dataclass(frozen=True)
class Layer:
    """A population and what it takes of the machine."""

    name: str
    place: str
    model: str
    shape: tuple[int, ...]
    figures: Figures | None
    """`None` where crossbars cannot hold what it reads."""

    @property
    def size(self) -> int:
        """The number of neurons."""
        result = 1
        for extent in self.shape:
            result *= extent
        return result


@dataclass(frozen=True)
class PlatformCheck:
    """All findings, errors first where they are of the same place in the program."""

    program: str
    machine: Machine
    layers: tuple[Layer, ...]
    least: Bounds
    """How few crossbars there can be, for all layers that have figures."""
    findings: tuple[Finding, ...]

    def of(self, level: Level) -> list[Finding]:
        """The findings of a level."""
        return [finding for finding in self.findings if finding.level == level]

    @property
    def holds(self) -> bool:
        """Whether no limit is broken."""
        return not self.of("error")

    def error(self) -> LoweringError:
        """All errors, and the warnings after them, as one exception whose text has a line for each and its hint."""
        first, *others = [*self.of("error"), *self.of("warning")]
        shown = [f"  fix: {first.hint}"] if first.hint else []
        return LoweringError(first.place, first.message, "", "\n".join([*shown, *map(str, others)]))
