"""The arguments of `snn-opt`: all of `xdsl-opt`'s, and ours. Imports nothing slow, so that `--help` is instant."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

from snnir.errors import SnnirError
from snnir.runtime.numbers import exact

TOOL = "snn-opt"
FRONTENDS = {
    "snn": "snnir.frontend.snn.reader",
    "nir": "snnir.frontend.nir.reader",
    "onnx": "snnir.frontend.onnx.reader",
    "sonata": "snnir.frontend.sonata.reader",
    "neurons": "snnir.frontend.neuron_list.reader",
    "sdf3": "snnir.frontend.sdf3.reader",
}
"""Format -> module whose `read(path, options)` returns the program as a module op."""
TARGETS = {
    "mlir": ("xdsl.targets.mlir", "MLIRTarget"),
    "sdf3": ("snnir.export.sdf3.writer", "SDF3Target"),
}
"""Format of the output -> the module and the name of the xDSL target that writes it."""
DATAFLOW = "sdf3"
"""The format that holds a dataflow graph instead of a network."""
_ENDINGS = {"json": "sonata", "xml": DATAFLOW}
"""Ending of a name -> the format, where the two differ."""
CONNECTION_LIST = "connection_info.txt"
"""How the file that stands for neuron lists is called."""

_DESCRIPTION = """\
Read a neural network (.snn, .nir, .onnx, SONATA, neuron lists), a dataflow graph (SDF3 .xml) or IR text (.mlir), run
compiler passes over it, and print the IR.
"""
_EPILOG = """\
example: snn-opt net.snn --pass-pipeline="builtin.module(snn-quantize, convert-snn-to-cluster{algorithm=greedy})"
"""


class OneLineArgumentParser(argparse.ArgumentParser):
    """An argument parser whose errors look like all others."""

    def error(self, message: str) -> NoReturn:
        """Raise the error instead of printing the usage and leaving."""
        raise SnnirError(self.prog, message, f"{self.prog} --help shows all arguments")


class VersionAction(argparse.Action):
    """Prints the versions of the project and of xDSL, and leaves."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        """Look the versions up only now: the import that it takes is slow."""
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        try:
            own = version("snnir")
        except PackageNotFoundError:
            own = "(not installed)"
        parser.exit(message=f"{parser.prog} of snnir {own}, on xDSL {version('xdsl')}\n")


def fraction(text: str) -> Fraction:
    """A positive number as it stands in an argument, exactly: `2.5e5` or `1/3`, of at most 18 digits.

    Raises `ArgumentTypeError` for anything else.
    """
    with suppress(ValueError):
        if found := exact(text):
            return found
    raise argparse.ArgumentTypeError(f"{text!r} is no positive number of at most 18 digits, as 2.5e5 or 1/3")


def numbers(text: str) -> tuple[int, ...]:
    """Different whole numbers above 0 as they stand in an argument, `2,4,8`: ascending, at most 32 of them.

    Raises `ArgumentTypeError` for anything else.
    """
    if re.fullmatch(r"[0-9]{1,6}(,[0-9]{1,6}){0,31}", text):
        found = sorted({int(word) for word in text.split(",")})
        if found[0] > 0:
            return tuple(found)
    raise argparse.ArgumentTypeError(f"{text!r} is no list of whole numbers above 0, as 2,4,8")


def format_of(path: Path) -> str:
    """The format of a model: by its ending (`_ENDINGS`), and by what it holds for a folder; maybe unknown."""
    if path.is_dir():
        listed = any(each.name.endswith(CONNECTION_LIST) for each in path.iterdir())
        return "neurons" if listed else "sonata"
    if path.name.endswith(CONNECTION_LIST):
        return "neurons"
    extension = path.suffix.removeprefix(".")
    return _ENDINGS.get(extension, extension)


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments, each with its default when it is absent; raises `SnnirError`."""
    parser = OneLineArgumentParser(TOOL, description=_DESCRIPTION, epilog=_EPILOG)
    add_arguments(parser)
    return parser.parse_args(arguments)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare all arguments."""
    _add_input(parser.add_argument_group("input"))
    _add_passes(parser.add_argument_group("passes"))
    _add_output(parser.add_argument_group("output"))
    _add_observation(parser.add_argument_group("observation (on stderr, never mixed with the IR)"))
    _add_testing(parser.add_argument_group("testing"))
    parser.add_argument("-v", "--version", action=VersionAction, nargs=0, help="print the versions and leave")


def _add_input(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    add = group.add_argument
    known = ["mlir", *FRONTENDS]
    files = ".mlir, .snn, .nir, .onnx, SDF3 .xml, SONATA folder or .json, neuron lists; stdin (.mlir) if absent or '-'"
    add("input_file", nargs="?", metavar="FILE", help=files)
    add("-f", "--frontend", choices=known, help="format of the input, when its name does not say")
    add_model_options(group)
    add("--platform", type=Path, metavar="FILE.toml", help="machine to compile for")
    add("--allow-unregistered-dialect", action="store_true", help="read operations of unknown dialects too")
    add("--no-implicit-module", action="store_true", help="refuse IR text that is not one module")
    add("--split-input-file", action="store_true", help="process the pieces between lines '// -----' one by one")


def add_model_options(group: argparse._ActionsContainer) -> None:  # pyright: ignore[reportPrivateUsage]
    """What a model file may leave open. IR text says all of it."""
    add = group.add_argument
    add("--dt", type=float, metavar="SECONDS", help="length of one step, where the file does not say")
    add("--steps", type=int, metavar="N", help="steps per inference, where the file does not say")
    what = "neuron semantics, where the file does not say: nir, snntorch, 'nir(pulse = dirac)', ..."
    add("--semantics", metavar="PRESET", help=what)
    add("--reset", metavar="RULE", help="what a spike does to v, where the file does not say: value, subtract, ...")
    add("--fix", action="store_true", help="repair what is wrong in the file and can be meant in one way only")


def _add_passes(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    add = group.add_argument
    add("--pass-pipeline", metavar="PIPELINE", help="passes to run: 'builtin.module(a{x=1}, b)', or 'a{x=1},b'")
    add("-p", "--passes", default="", metavar="PIPELINE", help="the same")
    add("--list-passes", action="store_true", help="print all passes and the meaning of their options, and leave")
    load_help = "file or module with passes and dialects of your own (repeatable)"
    add("--load", action="append", default=[], metavar="FILE.py", help=load_help)
    add("--disable-verify", action="store_true", help="do not verify the IR, neither when reading nor between passes")


def _add_output(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    add = group.add_argument
    output_help = "write here instead of stdout, whole or not at all; large tensors go to FILE.safetensors"
    add("-o", "--output-file", metavar="FILE", help=output_help)
    add("-t", "--target", help="format of the output: mlir, or sdf3 (a dataflow graph), which is usual for -o FILE.xml")
    elide_help = "leave large tensors out of the text, which then cannot be read again"
    add("--elide-tensors", action="store_true", help=elide_help)
    add("--print-op-generic", action="store_true", help="print operations in generic syntax")
    add("--print-no-properties", action="store_true", help="print properties as attributes")
    add("--print-debuginfo", action="store_true", help="print locations")
    add("--syntax-highlight", action="store_true", help="print in colour")


def _add_observation(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    add = group.add_argument
    add("--timing", action="store_true", help="table of the time that each pass took")
    add("--statistics", action="store_true", help="the named counters of each pass")
    add("--print-ir-before-all", action="store_true", help="the IR before each pass, large tensors elided")
    add("--print-ir-after-all", action="store_true", help="the IR after each pass, large tensors elided")
    add("--print-between-passes", action="store_true", help="the IR between passes, large tensors elided")
    add("--time-passes", action="store_true", help="a line with the time after each pass")
    add("--debug", action="store_true", help="the traceback of every error")


def _add_testing(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]
    add = group.add_argument
    add("--verify-diagnostics", action="store_true", help="print errors of verifiers and passes to stdout; exit code 0")
    add("--parsing-diagnostics", action="store_true", help="print errors of the parser to stdout; exit code 0")
    add("--shrink", action="store_true", help="exit code 0 only when a pass raised ShrinkException (for shrinkray)")
