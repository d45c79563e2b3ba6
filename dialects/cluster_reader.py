"""A parser that takes the clusters of a program many at a time, as `cluster_text` reads them.

Ops that stand one after the other are read first and then connected, so that what a cluster reads from a later one
needs no stand-in. Whatever is not as it is printed goes through xDSL token by token. Both ways give the same ops, and
the same errors in the same order: where anything is wrong among the ops read, they are connected one by one as xDSL
does it, and it is xDSL that finds the error.
"""

import re
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol, runtime_checkable

from xdsl.dialects.builtin import FileLineColLoc
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.parser import Parser, UnresolvedOperand
from xdsl.utils.lexer import Span

from snnir.dialects.attributes import SignalType
from snnir.dialects.cluster_attributes import PartialType
from snnir.dialects.cluster_text import ClusterText, Frame, Named, read_cluster, read_output
from snnir.dialects.quick_text import advance, collection_paused, is_quick

_BLANK = re.compile(r"\s*", re.ASCII)
_LOCATED = re.compile(r"\s*(?:loc\b|//)", re.ASCII)
"""What may not follow an op that is read quickly: its location, or a comment, behind which there may be one."""
_FIRST = re.compile(r"[^\s,]+")
"""The first token of an op that has been read."""

MakeCluster = Callable[[ClusterText], Operation]
MakeOutput = Callable[[Frame], Operation]
Register = Callable[[str, Sequence[SSAValue], Span], None]


@runtime_checkable
class Locating(Protocol):
    """A parser that knows in which line of which file a position is."""

    def location(self, position: int) -> FileLineColLoc:
        """The location attribute of a position."""
        ...


class _Read(NamedTuple):
    """An op without operands, and the text that names them."""

    op: Operation
    frame: Frame


class _Reader:
    """Reads ops ahead of a parser, which stands still meanwhile."""

    def __init__(self, parser: Parser, cluster: MakeCluster, output: MakeOutput, register: Register) -> None:
        self._parser, self._cluster, self._output, self._register = parser, cluster, output, register
        self._locate = parser.location if isinstance(parser, Locating) else None
        self._read: list[_Read] = []
        self._first, self._end = "", 0
        """The token at which the parser stands while there are ops that it has not seen, and where those end."""

    def next(self) -> Operation | None:
        """The next op, if it is spelled as it is printed; else the parser is put before it."""
        text = self._parser.lexer.input.content
        start = self._parser.pos
        if self._read:
            blank = _BLANK.match(text, self._end)
            start = blank.end() if blank else self._end
        cluster = read_cluster(text, start)
        frame = cluster.frame if cluster else read_output(text, start)
        if frame is None or _LOCATED.match(text, frame.end):
            self._settle()
            return None
        op = self._cluster(cluster) if cluster else self._output(frame)
        if self._locate is not None:
            op.location = self._locate(start)
        if not self._read:
            first = _FIRST.match(text, start)
            self._first = first[0] if first else ""
        self._read.append(_Read(op, frame))
        self._end = frame.end
        return op

    def _settle(self) -> None:
        """Connect the ops that have been read, and let the parser go on behind them."""
        read, self._read = self._read, []
        if not read:
            return
        if not self._fit(read):
            for each in read[:-1]:
                self._connect(each)
                self._define(each)
            # xDSL looks at the token behind an op before it connects the op
            advance(self._parser, self._first, self._end)
            self._connect(read[-1])
            self._define(read[-1])
            return
        for each in read:
            self._define(each)
        for each in read:
            self._connect(each)
        advance(self._parser, self._first, self._end)

    def _fit(self, read: list[_Read]) -> bool:
        """Whether every value is defined once and has one type, as far as can be seen by now."""
        known, awaited = self._parser.ssa_values, self._parser.forward_ssa_references
        defined: dict[str, Attribute] = {}
        for _, frame in read:
            for (name, _), type_ in zip(frame.results, frame.outputs, strict=True):
                uses = awaited.get(name, {})
                if name in defined or name in known or any(n or use.type != type_ for n, use in uses.items()):
                    return False
                defined[name] = type_
        for _, frame in read:
            for (name, _), type_ in zip(frame.operands, frame.inputs, strict=True):
                found = defined.get(name)
                if found is None and name in known:
                    found = known[name][0].type if known[name] else None
                if found is not None and found is not type_ and found != type_:
                    return False
        return True

    def _connect(self, read: _Read) -> None:
        known = self._parser.ssa_values
        operands: list[SSAValue] = []
        for named, type_ in zip(read.frame.operands, read.frame.inputs, strict=True):
            values = known.get(named[0])
            if values and values[0].type is type_:
                operands.append(values[0])
            else:
                operands.append(self._parser.resolve_operand(UnresolvedOperand(self._span(named), 0), type_))
        read.op.operands = operands

    def _define(self, read: _Read) -> None:
        for named, result in zip(read.frame.results, read.op.results, strict=True):
            self._register(named[0], (result,), self._span(named))

    def _span(self, named: Named) -> Span:
        name, position = named
        return Span(position, position + len(name) + 1, self._parser.lexer.input)


@contextmanager
def clusters_read_quickly(parser: Parser, cluster: MakeCluster, output: MakeOutput) -> Generator[None]:
    """Inside, the parser takes clusters and outputs whole; `cluster` and `output` make them, without operands."""
    register: Register | None = getattr(parser, "_register_ssa_definition", None)
    ctx, outer = parser.ctx, vars(parser).get("parse_optional_operation")
    ours = ctx.get_optional_type("snn.signal") is SignalType and ctx.get_optional_type("cluster.partial") is PartialType
    if register is None or not ours or not is_quick():
        yield
        return
    reader, ordinary = _Reader(parser, cluster, output, register), parser.parse_optional_operation

    def parse_optional_operation() -> Operation | None:
        return reader.next() or ordinary()

    parser.parse_optional_operation = parse_optional_operation
    try:
        with collection_paused():
            yield
    finally:
        vars(parser).pop("parse_optional_operation")
        if outer is not None:
            parser.parse_optional_operation = outer
