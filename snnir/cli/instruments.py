"""What a pipeline tells about itself while it runs: IR dumps, timing, statistics. All of it goes to stderr."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter
from io import StringIO
from typing import cast

from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass
from xdsl.printer import Printer

from snnir.cli.errors import Situation
from snnir.cli.pipeline import pass_text
from snnir.stopwatch import Stopwatch

DUMP_TITLE = "// -----// IR Dump {} {} //----- //"


def tell(text: str) -> None:
    """Print to stderr, after everything that is on its way to stdout."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


class Instruments:
    """The observer that the driver calls around passes; which of its parts speak depends on the arguments."""

    def __init__(self, args: Namespace, situation: Situation) -> None:
        self.args = args
        self.situation = situation
        self.counters: list[tuple[str, Counter[str]]] = []
        self.watch = Stopwatch()
        self.timed = self.watch.timed

    def between_passes(self, previous: ModulePass | None, module: ModuleOp, following: ModulePass | None) -> None:
        """xDSL's pipeline calls this before the first pass, between passes and after the last one."""
        if previous is not None:
            self._after(previous)
        self.situation.activity = f"after {previous.name}" if previous else ""
        self._verify(module, previous)
        if previous is not None:
            if self.args.print_ir_after_all:
                self._dump(module, f"After {pass_text(previous)}")
            if self.args.print_between_passes and following is not None:
                self._dump(module, f"Between {previous.name} and {following.name}")
        if following is not None:
            if self.args.print_ir_before_all:
                self._dump(module, f"Before {pass_text(following)}")
            self.situation.activity = f"in {following.name}"
            self.watch.mark()
        else:
            self.situation.activity = ""

    def report(self) -> None:
        """Print the tables at the end of a run."""
        if self.args.statistics:
            tell(self.statistics_table())
        if self.args.timing:
            tell(self.timing_table())

    def timing_table(self) -> str:
        """Wall-clock time of each part, in seconds and as a share of the whole run."""
        total = self.watch.total
        rest = total - sum(self.watch.seconds.values())
        rows = [*self.watch.seconds.items(), ("rest", rest), ("total", total)]
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {seconds:>10.4f}  {100 * seconds / total:>5.1f} %" for name, seconds in rows]
        return "\n".join([f"{'timing':<{width}}  {'wall (s)':>10}    share", *lines])

    def statistics_table(self) -> str:
        """The counters of each pass that has any, in the order in which the passes ran."""
        lines = ["statistics"]
        for name, counts in self.counters:
            lines.append(f"{name}:" if counts else f"{name}: none")
            lines.extend(f"{count:>10}  {what}" for what, count in sorted(counts.items()))
        return "\n".join(lines)

    def _after(self, previous: ModulePass) -> None:
        seconds = self.watch.lap(previous.name)
        counts: object = getattr(previous, "statistics", None)
        if isinstance(counts, Counter):
            self.counters.append((previous.name, cast(Counter[str], counts)))
        if self.args.time_passes:
            tell(f"Pass {previous.name} took {seconds} seconds")

    def _verify(self, module: ModuleOp, previous: ModulePass | None) -> None:
        if self.args.disable_verify:
            return
        with self.timed("verify"):
            try:
                module.verify()
            except Exception:
                if previous is not None and self.args.print_ir_after_all:
                    self._dump(module, f"After {pass_text(previous)} Failed", generic=True)
                raise

    def _dump(self, module: ModuleOp, title: str, *, generic: bool = False) -> None:
        from snnir import tensors  # noqa: PLC0415  (numpy: not for --help)

        text = StringIO()
        with tensors.elided():
            Printer(text, print_generic_format=generic or self.args.print_op_generic).print_op(module)
        tell(f"{DUMP_TITLE.format(*title.split(' ', 1))}\n{text.getvalue()}\n")
