"""The arguments of `snnc machine`."""

import argparse
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from snnir.cli.arguments import fraction
from snnir.runtime.numbers import exact

MOST = 1_000_000
"""Events of a trace, for example."""
EXAMPLES = """\
examples:
  snnc machine create chip.db --platform chip.toml      an empty machine, kept in the file chip.db
  snnc compile digits.snn --platform chip.toml -o build --package digits.snnpkg
  snnc machine admit chip.db digits.snnpkg --throughput 10000 -o digits.machine
  snnc machine show chip.db --svg chip.svg
  snnc machine fail chip.db 1,0,0                       a crossbar broke: what ran on it moves, if it can
  snnc machine remove chip.db digits
  snnc machine serve chip.db                            the same over HTTP, for programs on this computer
  snnc machine fsck chip.db

exit code: 0 when it is done, 1 when it is refused or something is wrong. docs/runtime.md explains what is guaranteed.
"""


def add_machine(parser: argparse.ArgumentParser) -> None:
    """The subcommands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = _action(actions, "create", "an empty machine, kept in a file")
    create.add_argument("--platform", type=Path, required=True, metavar="FILE.toml", help="which machine")
    show = _action(actions, "show", "who has which crossbar, how full links are")
    show.add_argument("--svg", type=Path, metavar="FILE", help="draw it")
    _add_admit(_action(actions, "admit", "let an application in, with a guarantee, or refuse it with the reason"))
    _action(actions, "remove", "take an application away").add_argument("name", help="the application")
    emit = _action(actions, "emit", "write the configuration of an application where it is now")
    emit.add_argument("name", help="the application")
    emit.add_argument("-o", "--output", type=Path, required=True, metavar="DIRECTORY", help="the directory to make")
    for name, what in (
        ("fail", "a crossbar has failed; what runs on it is admitted again elsewhere"),
        ("repair", "a crossbar works again, or is no longer reserved"),
        ("reserve", "keep a free crossbar from being used"),
    ):
        action = _action(actions, name, what)
        # as in Python 3.14: -1,0,0 is no option, and gets an answer of its own
        action._negative_number_matcher = re.compile(r"-\d")  # pyright: ignore[reportPrivateUsage]
        action.add_argument("crossbar", metavar="X,Y,N", help="crossbar N of tile X, Y")
    defragment = _action(actions, "defragment", "move applications to smaller places, with guarantees no worse")
    defragment.add_argument("--dry-run", action="store_true", help="only say what would move, and at what cost")
    _add_replay(
        _action(actions, "replay", "let a trace of arrivals, departures and failures happen to a simulated machine")
    )
    _add_serve(_action(actions, "serve", "answer requests over HTTP; see docs/runtime.md, Service"))
    _action(actions, "fsck", "whether the file is sound; exit code 1 when it is not")
    compact = _action(actions, "compact", "make the file smaller: forget how the machine came to be as it is")
    keep_help = "how many of the last changes to remember (default 1000)"
    compact.add_argument("--keep", type=_whole(0), default=1000, metavar="N", help=keep_help)


def _add_admit(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("package", type=Path, help="a .snnpkg file of snnc compile --package")
    add("--name", help="what it is called on the machine (default: as the network)")
    add("--throughput", type=fraction, metavar="STEPS_PER_S", help="refuse it when less would be guaranteed")
    add("--latency", type=fraction, metavar="SECONDS", help="refuse it when the first step could be later")
    headroom_help = "part of the best throughput to give up for room on links, if none is asked for (default 0.05)"
    add("--headroom", type=_part, default=Fraction(1, 20), metavar="PART", help=headroom_help)
    add("-o", "--output", type=Path, metavar="DIRECTORY", help="write the configuration for its place")


def _add_replay(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("packages", type=Path, nargs="+", help="the packages that arrive, called as their files")
    add("--trace", type=Path, metavar="FILE", help="the events, a JSON object in each line (default: generated ones)")
    add("--events", type=_whole(1), default=200, metavar="N", help="how many events to generate (default 200)")
    add("--seed", type=_whole(0, 999_999_999), default=0, metavar="N", help="of the generated events (default 0)")
    add("--load", type=fraction, default=Fraction(4, 5), metavar="PART", help="of the crossbars, asked for on average")
    add("--save-trace", type=Path, metavar="FILE", help="write the events here")


def _add_serve(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--host", default="127.0.0.1", metavar="NAME", help="where to listen (default 127.0.0.1: only this computer)")
    add("--port", type=_port, default=8765, metavar="N", help="the port, 0 for any that is free (default 8765)")
    token_help = "requests must have the token in this file; needed when others than this computer may ask"
    add("--token-file", type=Path, metavar="FILE", help=token_help)


def _whole(least: int, most: int = MOST) -> Callable[[str], int]:
    """A whole number from `least` to `most`."""

    def number(text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)

    return number


def _port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give a number from 0 to 65535")
    return int(text)


def _part(text: str) -> Fraction:
    """A number from 0 to below 1."""
    try:
        found = exact(text)
    except ValueError:
        found = Fraction(1)
    if found >= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no part of a throughput; give a number from 0 to below 1")
    return found


def _action(actions: Any, name: str, what: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=what, description=what)
    parser.add_argument("machine", type=Path, help="the file of the machine")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--debug", action="store_true", help="the traceback of every error")
    return parser
