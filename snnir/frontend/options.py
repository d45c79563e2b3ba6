"""What a user can tell a front end on the command line that the file itself does not say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FrontendOptions:
    """Options of every front end. `None` means: take it from the file, and refuse the file when it does not say.

    An option that contradicts the file is an error of the front end, never a silent override. `platform` alone replaces
    what the file names, with a note: the same program is compiled for many machines.
    """

    dt: float | None = None
    """Length of one step in seconds."""

    steps: int | None = None
    """Steps per inference."""

    semantics: str | None = None
    """Preset of neuron semantics, by name (`nir`, `snntorch`, ...)."""

    reset: str | None = None
    """What happens after a spike where the file does not say: `value` or `subtract`."""

    fix: bool = False
    """Repair what is wrong in the file where only one repair makes sense, with a note for each."""

    platform: Path | None = None
    """TOML file of the machine to compile for."""
