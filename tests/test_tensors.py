"""Tensors: text and files give back the same bytes, and a file costs nothing before it is used."""

from __future__ import annotations

import json
import resource
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from xdsl.context import Context
from xdsl.parser import Parser
from xdsl.utils.exceptions import ParseError

from snnir.dialects.attributes import TensorAttr
from snnir.dialects.snn import SNN
from snnir.errors import SnnirError
from snnir.tensors import (
    DTYPES,
    PrintingPolicy,
    Tensor,
    elided,
    keys_of,
    printing,
    sink,
    source_directory,
    write_safetensors,
    write_stored,
)

Array = NDArray[Any]
LARGE = 2000


@st.composite
def arrays(draw: st.DrawFn) -> Array:
    """Arrays of all element types, without infinities and NaN, in all memory orders."""
    dtype = draw(st.sampled_from(list(DTYPES.values())))
    shape = draw(hnp.array_shapes(max_dims=3, max_side=5))
    numbers: dict[str, Any] = {"allow_nan": False, "allow_infinity": False} if dtype.kind == "f" else {}
    array = draw(hnp.arrays(dtype, shape, elements=hnp.from_dtype(dtype, **numbers)))
    return draw(st.sampled_from([array, np.asfortranarray(array), array[::-1]]))


def parse(text: str) -> TensorAttr:
    """The tensor that text means."""
    ctx = Context()
    ctx.load_dialect(SNN)
    attribute = Parser(ctx, text, "text").parse_attribute()
    assert isinstance(attribute, TensorAttr)
    return attribute


def large(key: str = "w", seed: int = 0) -> TensorAttr:
    """A tensor that is too large for the text."""
    return TensorAttr.of(key, np.random.default_rng(seed).normal(size=(LARGE // 4, 4)).astype("f4"))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), arrays())
def test_text_comes_back(key: str, array: Array) -> None:
    attribute = TensorAttr.of(key, array)
    again = parse(str(attribute))
    assert again == attribute
    assert hash(again) == hash(attribute)
    assert str(again) == str(attribute)
    assert again.array.tobytes() == np.ascontiguousarray(array).tobytes()
    assert not again.array.flags.writeable


@given(hnp.arrays(st.sampled_from([np.dtype("f4"), np.dtype("f8")]), 3, elements=st.floats(width=32)))
def test_floats_of_any_bits_come_back(array: Array) -> None:
    """Also infinities and NaN, which print in hex."""
    attribute = TensorAttr.of("w", array)
    assert parse(str(attribute)).array.tobytes() == array.tobytes()
    assert ("0x" in str(attribute)) == (not np.isfinite(array).all())


@pytest.mark.parametrize("value", ["1.0e-45", "1.1754944e-38", "3.4028235e+38", "0.1", "-0.0", "16777216.0"])
def test_decimals_are_the_shortest(value: str) -> None:
    assert f"[{value}]" in str(TensorAttr.of("w", np.array([float(value)], "f4")))


def test_a_tensor_owns_its_elements() -> None:
    array = np.ones(3, "f4")
    tensor = Tensor.of("w", array)
    array[0] = 7
    assert tensor.array.tolist() == [1, 1, 1]
    assert tensor != Tensor.of("v", np.ones(3, "f4"))
    assert tensor != Tensor.of("w", np.ones((3, 1), "f4"))
    assert tensor != Tensor.of("w", np.ones(3, "f8"))
    assert tensor == Tensor.of("w", np.ones(3, ">f4"))


def test_types_without_a_name_are_refused() -> None:
    with pytest.raises(ValueError, match="complex128 have no element type"):
        Tensor.of("w", np.ones(1, complex))


def test_large_tensors_in_the_text_and_left_out() -> None:
    attribute = large()
    assert parse(str(attribute)) == attribute
    hexadecimal = TensorAttr.of("b", np.ones(1024, "i1"))
    assert str(hexadecimal).endswith('"0x' + "01" * 1024 + '">')
    with elided():
        text = str(attribute)
        assert str(hexadecimal) == '#snn.tensor<"b", 1024xi8, elided>'
        assert str(TensorAttr.of("d", np.ones(3, "i1"))) == '#snn.tensor<"d", 3xi8, [1, 1, 1]>'
    assert text == '#snn.tensor<"w", 500x4xf32, elided>'
    with pytest.raises(ParseError, match="was elided"):
        parse(text)


def test_large_tensors_beside_the_text(tmp_path: Path) -> None:
    """Names that clash, with other elements or with other shapes, get names of their own."""
    reshaped = TensorAttr.of("w", large().array.reshape(-1))
    given_tensors = [large(), large(seed=1), reshaped, large()]
    with sink("x.safetensors") as policy:
        texts = [str(attribute) for attribute in given_tensors]
    write_stored(policy, tmp_path)
    assert texts[0] == texts[3]
    assert all(f'digest "{a.data.digest}" in "x.safetensors"' in t for a, t in zip(given_tensors, texts, strict=True))
    assert keys_of(tmp_path / "x.safetensors") == ("w", "w~1", "w~2")
    with source_directory(tmp_path):
        found = [parse(text) for text in texts]
    for attribute, again in zip(given_tensors, found, strict=True):
        assert again.array.tobytes() == attribute.array.tobytes()
        assert again.data.same_elements(attribute.data)
        assert not again.array.flags.writeable
    with printing(PrintingPolicy("beside", "x.safetensors")):
        assert [str(attribute) for attribute in found] == texts


def test_nothing_is_written_when_nothing_is_large(tmp_path: Path) -> None:
    with sink("x.safetensors") as policy:
        assert "1.0" in str(TensorAttr.of("w", np.ones(1)))
    write_stored(policy, tmp_path)
    assert not list(tmp_path.iterdir())


def test_changed_elements_are_found_by_their_digest(tmp_path: Path) -> None:
    attribute = large()
    with sink("x.safetensors") as policy:
        text = str(attribute)
    write_stored(policy, tmp_path)
    path = tmp_path / "x.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with source_directory(tmp_path), pytest.raises(ParseError, match="wrong digest of tensor 'w'"):
        parse(text)


def header(**entries: Any) -> bytes:
    """A safetensors file with 8 bytes of data and any header."""
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + bytes(8)


GOOD = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a readable safetensors file"),
        (b"\x00" * 4, "not a readable safetensors file"),
        (struct.pack("<Q", 1 << 62), "header longer than the file"),
        (struct.pack("<Q", 3) + b"[1]", "no header"),
        (struct.pack("<Q", 3) + b"{x}", "not a readable safetensors file"),
        (struct.pack("<Q", 3) + b"\xff\xff\xff", "not a readable safetensors file"),
        (header(v=GOOD), "no tensor 'w' in this file"),
        (header(w={**GOOD, "dtype": "BF16"}), "element type BF16 is not supported"),
        (header(w={**GOOD, "shape": [3]}), "truncated or damaged"),
        (header(w={**GOOD, "shape": [-2]}), "truncated or damaged"),
        (header(w={**GOOD, "shape": "two"}), "truncated or damaged"),
        (header(w={**GOOD, "data_offsets": [0]}), "truncated or damaged"),
        (header(w={**GOOD, "data_offsets": [4, 12]}), "truncated or damaged"),
        (header(w={**GOOD, "data_offsets": [-8, 0]}), "truncated or damaged"),
        (header(w={**GOOD, "data_offsets": ["a", "b"]}), "truncated or damaged"),
        (header(w={"dtype": "F32"}), "truncated or damaged"),
        (header(w=3), "truncated or damaged"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(SnnirError, match=message):
        Tensor.open(path, "w")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SnnirError, match="no such file"):
        Tensor.open(tmp_path / "x.safetensors", "w")
    with pytest.raises(SnnirError, match="not a readable safetensors file"):
        Tensor.open(tmp_path, "w")


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    write_safetensors(path, {"b": np.ones(2), "a": np.zeros((2, 2), "i1")})
    first = path.read_bytes()
    assert Tensor.open(path, "a").array.tolist() == [[0, 0], [0, 0]]
    with pytest.raises(Exception, match=r"complex|dtype|Invalid"):
        write_safetensors(path, {"a": np.ones(2, complex)})
    assert path.read_bytes() == first
    assert [each.name for each in tmp_path.iterdir()] == ["x.safetensors"]
    write_safetensors(path, {"a": np.zeros((2, 2), "i1"), "b": np.ones(2)})
    assert path.read_bytes() == first, "the same tensors give the same bytes"


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))  # as a full disk: writing beyond fails
    try:
        with pytest.raises(SnnirError, match=r"cannot be written.*\n.*space on the disk"):
            write_safetensors(tmp_path / "t.safetensors", {"a": np.ones(1000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_empty_tensors_of_files(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "x", {"e": np.zeros((0, 3), "f4")})
    assert Tensor.open(tmp_path / "x", "e").array.shape == (0, 3)


MEMORY = """
import sys
from pathlib import Path
from snnir.tensors import Tensor

def resident():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmRSS")).split()[1]) // 1024

before = resident()
tensor = Tensor.open(Path(sys.argv[1]), "w")
assert tensor.shape == (25_000_000,)
digest = tensor.digest
opened = resident() - before
total = float(tensor.array.sum())
print(opened, resident() - before, total)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_opened_file_takes_no_memory_before_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    write_safetensors(path, {"w": np.ones(25_000_000, "f4")})
    run = subprocess.run([sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True)
    opened, used, total = map(float, run.stdout.split())
    assert opened < 20
    assert used > 60, "the test measures nothing"
    assert total == 25_000_000
