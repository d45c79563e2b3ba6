"""Passes and a dialect as a user would write them, for the tests of the driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xdsl.context import Context
from xdsl.dialects.builtin import IntegerAttr, ModuleOp, StringAttr, i64
from xdsl.ir import Dialect
from xdsl.irdl import IRDLOperation, irdl_op_definition
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from snnir.errors import SnnirError
from snnir.passes.base import SNNPass


@dataclass(frozen=True)
class Mark(SNNPass):
    """Write the options onto the module.

    The second paragraph is not part of the listing.
    """

    name = "mark"

    number: int = 1
    """A whole
    number."""

    ratio: float = 0.5
    """A fraction."""

    text: str = ""
    """Any text."""

    sure: bool = False
    """Yes or no."""

    mode: Literal["fast", "slow"] = "fast"
    """Which of two."""

    sizes: tuple[int, ...] = ()
    """Several numbers."""

    limit: int | None = None
    """A number or none."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Count and mark."""
        self.statistics["ops-seen"] += sum(1 for _ in op.walk())
        options = (self.number, self.ratio, self.text, self.sure, self.mode, self.sizes, self.limit)
        op.attributes["mark"] = StringAttr(repr(options))


@dataclass(frozen=True)
class Need(ModulePass):
    """A pass with an option that must be given."""

    name = "need"
    what_for: str

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Fail(ModulePass):
    """Fail in the way that `how` names."""

    name = "fail"
    how: str = "pass"

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Raise."""
        inner = next(iter(op.body.block.ops))
        match self.how:
            case "pass":
                inner.emit_error("this op will not do", PassFailedException("unused"))
            case "bare":
                raise PassFailedException("nothing\n  to do")
            case "snnir":
                raise SnnirError("net.snn:3:4", "too large", "make it smaller")
            case "value":
                raise ValueError("bad value")
            case "verify":
                inner.attributes["broken"] = IntegerAttr(1, i64)
                inner.detach()
                op.body.block.add_op(BrokenOp())
            case "interrupt":
                raise KeyboardInterrupt
            case _:
                raise KeyError(self.how)


@irdl_op_definition
class BrokenOp(IRDLOperation):
    """An op whose verifier always fails."""

    name = "extra.broken"

    def verify_(self) -> None:
        """Fail."""
        raise ValueError("never valid")


Extra = Dialect("extra", [BrokenOp], [])
