"""Lists the workloads, or writes one as IR text.

    python -m benchmarks.workloads                              a table of all
    python -m benchmarks.workloads vgg16 size=32 width=0.25     one, with options of its generator
    python -m benchmarks.workloads lenet_disco activity=8 -o lenet.mlir

Large tensors go to `lenet.mlir.safetensors`; `snn-opt` and `snnc` read `lenet.mlir`. Run it at the top of the checkout.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xdsl.dialects.builtin import ModuleOp

from benchmarks.workloads import WORKLOADS, build, largest_fanin, neurons, synapses
from snnir.dialects.snn import NetworkOp
from snnir.errors import SnnirError
from snnir.export import mlir
from snnir.frontend.notes import Notes

_WIDTHS = (18, 12, 16, 16, 9)
_ALL = {"activity": None, "activity_steps": 100}
"""Options of every workload, and their defaults."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workloads", description="Networks to measure with.")
    parser.add_argument("workload", nargs="?", choices=sorted(WORKLOADS), help="one workload; all when left out")
    parser.add_argument("options", nargs="*", metavar="NAME=VALUE", help="options of its generator, and activity=MEAN")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.mlir", help="write IR text here")
    arguments = parser.parse_args(argv)
    if arguments.output is not None and arguments.workload is None:
        parser.error("name the workload to write")
    for number, name in enumerate([arguments.workload] if arguments.workload else WORKLOADS):
        start = time.perf_counter()
        try:
            network = build(name, **_options(name, arguments.options))
        except ValueError as error:
            parser.error(str(error))
        took = time.perf_counter() - start
        if number == 0:
            print(_row(("workload", "neurons", "synapses", "largest fan-in", "seconds")))
        print(_row((name, *map(_thousands, _counts(network)), f"{took:.2f}")), flush=True)
        if arguments.output is not None:
            return _write(network, arguments.output)
    return 0


def _write(network: NetworkOp, path: Path) -> int:
    """Write a network in a module of its own; the exit code."""
    ModuleOp([network]).verify()
    try:
        mlir.write(network, path, Notes())
    except SnnirError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _options(name: str, words: Sequence[str]) -> dict[str, Any]:
    """What `name=value` words say. Raises `ValueError` for an option that the workload does not have."""
    known = _ALL | {key: each.default for key, each in inspect.signature(WORKLOADS[name]).parameters.items()}
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or key not in known:
            listed = ", ".join(f"{key}={value}" for key, value in known.items())
            raise ValueError(f"'{word}' is no option of {name}; there are {listed}")
        found[key] = text if isinstance(known[key], str) else _value(word, text)
    return found


def _value(word: str, text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise ValueError(f"'{word}' has no value that can be read: give a number, True, False or (a, b, c)") from None


def _counts(network: NetworkOp) -> tuple[int, int, int]:
    return neurons(network), synapses(network), largest_fanin(network)


def _thousands(number: int) -> str:
    return f"{number:,}"


def _row(cells: Sequence[str]) -> str:
    first, *rest = cells
    return f"{first:{_WIDTHS[0]}}" + "".join(f"{cell:>{width}}" for cell, width in zip(rest, _WIDTHS[1:], strict=True))


if __name__ == "__main__":
    sys.exit(main())
