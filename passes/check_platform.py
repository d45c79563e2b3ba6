"""`check-platform`: which layer breaks which limit of the machine, before anything else runs."""

import sys
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp

from snnir.passes.base import SNNPass, machine, program
from snnir.passes.limits import check


@dataclass(frozen=True)
class CheckPlatform(SNNPass):
    """Say which limits of the machine each layer breaks, all at once, and change nothing.

    By structure alone, in a second or two for any network: fan-in, columns, rows and cells, neuron models and
    semantics, delays and what remembers them, weights, signals, buffers, routing tables. Fails when a limit is broken,
    with a line and a hint for each, and for what may break one. `snnc check` prints all figures.
    """

    name = "check-platform"
    kept: ClassVar[bool] = False

    strict: bool = True
    """Whether a broken limit is an error; else it is only noted, on stderr."""
    activity: Literal["peak", "worst"] = "peak"
    """What will be assumed of the spikes that buffers hold: a profile's `peak`, or all neurons (`worst`)."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        found = check(program(op), machine(op), self.activity)
        for level in ("error", "warning", "note"):
            self.statistics[f"{level}s"] = len(found.of(level))
        self.statistics["crossbars at least"] = found.least.crossbars
        if found.holds:
            return
        if self.strict:
            raise found.error()
        for finding in (*found.of("error"), *found.of("warning")):
            print(replace(finding, level="note"), file=sys.stderr)
