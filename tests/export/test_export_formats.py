"""The writer that the ending of a name picks, and IR text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from xdsl.context import Context
from xdsl.dialects.builtin import Builtin
from xdsl.ir import Block, Region
from xdsl.parser import Parser

from snnir import tensors
from snnir.dialects.attributes import SignalType
from snnir.dialects.platform import Platform
from snnir.dialects.snn import SNN, InputOp, NetworkOp, OutputOp, ReluOp, networks
from snnir.errors import SnnirError
from snnir.export import FORMATS, write
from snnir.frontend.build import build
from snnir.frontend.nir import reader as nir
from snnir.frontend.notes import Notes
from snnir.frontend.options import FrontendOptions
from snnir.frontend.snn import reader as snn
from tests.export.equality import description
from tests.export.random_networks import Random


def parsed(path: Path) -> NetworkOp:
    """The network of IR text."""
    context = Context()
    for dialect in (Builtin, SNN, Platform):
        context.load_dialect(dialect)
    with tensors.source_directory(path.parent):
        (network,) = networks(Parser(context, path.read_text()).parse_module())
    return network


@pytest.mark.parametrize("seed", range(12))
def test_random_networks_come_back_as_ir_text(tmp_path: Path, seed: int) -> None:
    (network,) = networks(build(Random(np.random.default_rng(seed)).network()))
    write(network, tmp_path / "a.mlir", Notes())
    assert description(parsed(tmp_path / "a.mlir")) == description(network)


@pytest.mark.parametrize("ending", [".nir", ".snn", ".mlir"])
def test_the_ending_picks_the_format(samples: Path, tmp_path: Path, ending: str) -> None:
    module = snn.read(samples / "digits" / "digits.snn", FrontendOptions())
    (network,) = networks(module)
    path = tmp_path / f"a{ending}"
    write(network, path, Notes())
    if ending == ".mlir":
        back = parsed(path)
        assert {each.name for each in tmp_path.iterdir()} == {"a.mlir", "a.mlir.safetensors"}
        assert back.parent_op().attributes == module.attributes  # pyright: ignore[reportOptionalMemberAccess]
    else:
        reader = nir if ending == ".nir" else snn
        (back,) = networks(reader.read(path, FrontendOptions(dt=1e-3)))
    same, other = description(network), description(back)
    names = [name for name in same if name.startswith("@")]
    assert names
    assert [same[name] for name in names] == [other[name] for name in names]


def test_ordinary_networks_are_no_snn_programs(tmp_path: Path) -> None:
    x = InputOp("x", SignalType.current(2))
    h = ReluOp("h", [x], SignalType.current(2))
    network = NetworkOp("n", 1e-3, 1, Region(Block([x, h, OutputOp("y", h)])))
    with pytest.raises(SnnirError, match="@h belongs to an ordinary network"):
        write(network, tmp_path / "a.snn", Notes())
    assert not list(tmp_path.iterdir())


def test_an_unknown_ending_is_an_error(samples: Path, tmp_path: Path) -> None:
    (network,) = networks(snn.read(samples / "digits" / "digits.snn", FrontendOptions()))
    with pytest.raises(SnnirError, match=r"no writer for '\.xyz' files") as caught:
        write(network, tmp_path / "a.xyz", Notes())
    assert all(ending in caught.value.hint for ending in FORMATS)
