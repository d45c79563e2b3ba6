"""What all passes of the project share: counters, located failures, the program and the machine of a module."""

import re
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar, NoReturn, TypeVar

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.utils.exceptions import PassFailedException

from snnir.dialects.places import place_of
from snnir.dialects.platform import Machine, machine_of
from snnir.dialects.snn import NetworkOp
from snnir.errors import SnnirError
from snnir.report.changes import LayerChange

OpT = TypeVar("OpT", bound=Operation)

# not more digits than any number of a graph has: exact numbers of millions of digits take minutes
_NUMBER = re.compile(r"\d{1,24}(/\d{1,24}|(\.\d{1,24})?([eE][+-]?\d{1,2})?)")


@dataclass(frozen=True)
class SNNPass(ModulePass):
    """A pass with named counters, printed by `--statistics`."""

    lossy: ClassVar[bool] = False
    """Whether the pass may change what the program computes; `snnc verify` then measures by how much."""
    kept: ClassVar[bool] = True
    """Whether a build directory keeps the IR after the pass as a stage; not, where it only looks and notes."""

    statistics: Counter[str] = field(default_factory=Counter[str], init=False, repr=False, compare=False)
    layers: list[LayerChange] = field(default_factory=list[LayerChange], init=False, repr=False, compare=False)
    """What a pass that changes a network did to each layer."""


Progress = Callable[[str, int, int], None]
"""Told how far a pass is: the name of the pass, how much is done, and of how much."""

_PROGRESS: ContextVar[Progress | None] = ContextVar("progress", default=None)


@contextmanager
def progress_told(callback: Progress) -> Generator[None]:
    """Have long passes tell `callback` how far they are, as long as the context lasts."""
    token = _PROGRESS.set(callback)
    try:
        yield
    finally:
        _PROGRESS.reset(token)


def note_progress(name: str, done: int, total: int) -> None:
    """Tell whoever wants to know that a pass has done so much of its work."""
    callback = _PROGRESS.get()
    if callback is not None:
        callback(name, done, total)


class LoweringError(SnnirError, PassFailedException):
    """A pass cannot go on; says where in the user's files, and how to go on."""


def fail(op: Operation, message: str, hint: str) -> NoReturn:
    """Stop a pass because of `op`."""
    raise LoweringError(place_of(op), message, hint)


def positive(op: Operation, text: str) -> Fraction:
    """The exact number above 0 that an option says: `280`, `7/2`, `0.5`, `1e-3`."""
    try:
        value = Fraction(text) if _NUMBER.fullmatch(text) else Fraction(0)
    except ZeroDivisionError:
        value = Fraction(0)
    if value <= 0:
        fail(op, f"'{text[:40]}' is no number above 0", "write 280, 7/2 or 0.5")
    return value


def only(module: ModuleOp, kind: type[OpT], before: str) -> OpT:
    """The one top-level op of a kind; `before` names the pass that makes it."""
    found = [op for op in module.body.block.ops if isinstance(op, kind)]
    if len(found) != 1:
        fail(module, f"this pass needs one {kind.name} in the module and finds {len(found)}", before)
    return found[0]


def program(module: ModuleOp) -> NetworkOp:
    """The program of a module."""
    return only(module, NetworkOp, "start from a program: a .snn, .nir or .mlir file")


def machine(module: ModuleOp) -> Machine:
    """The machine that a module is compiled for."""
    found = machine_of(module)
    if found is None:
        fail(module, "the module names no machine", "give --platform file.toml, or `platform = ...` in the .snn file")
    return found
