"""The machines of the benchmarks: 128x128 crossbars with the timings of samples/platforms/mesh2x2-128.toml."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from xdsl.dialects.builtin import ModuleOp

from snnir.dialects.platform import ATTRIBUTE, Machine, MachineAttr
from snnir.dialects.snn import NetworkOp
from snnir.frontend.platform import read_platform

PLATFORM = Path(__file__).parent.parent / "samples" / "platforms" / "mesh2x2-128.toml"


def grid(side: int, crossbars: int = 1, **crossbar: Any) -> Machine:
    """A mesh of `side` x `side` tiles with so many crossbars each; further entries replace those of the crossbar.

    Input buffers are as large as anything needs, so that nothing but the crossbars limits a mapping.
    """
    machine = read_platform(PLATFORM).data
    tiles = replace(machine.tiles, mesh=(side, side), crossbars=crossbars)
    buffers = replace(machine.buffers, events=1 << 30)
    return replace(
        machine, name=f"grid{side}", tiles=tiles, buffers=buffers, crossbar=replace(machine.crossbar, **crossbar)
    )


def module_of(network: NetworkOp, machine: Machine) -> ModuleOp:
    """A module with a program and its machine."""
    return ModuleOp([network], {ATTRIBUTE: MachineAttr(machine)})
