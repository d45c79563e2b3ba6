"""Files that are no NIR files, cut off, damaged or made to hurt: always an error with a place, never a crash."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nir_files import Edges, chain, h5py, lif, nir, read, replaced, sink, source, written

from snnir.frontend.hdf5 import Array, FileError, Group, Place, opened
from snnir.frontend.nir.lints import LintError


def plain() -> tuple[dict[str, Any], Edges]:
    """2 -> 3 neurons."""
    nodes = {"a": source(2), "fc": nir.Linear(weight=np.ones((3, 2))), "n": lif(3), "o": sink(3)}
    return nodes, chain("a", "fc", "n", "o")


def defect(path: Path) -> LintError:
    """The error of a file."""
    with pytest.raises(LintError) as caught:
        read(path)
    assert caught.value.hint
    return caught.value


def archive() -> bytes:
    """What torch.save writes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("archive/data.pkl", b"x" * 100)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this is an empty file, not an HDF5 file"),
        (archive(), "this is a zip archive, as torch.save and numpy.savez write, not an HDF5 file"),
        (b"\x93NUMPY\x01\x00", "this is a numpy array, not an HDF5 file"),
        (b"\x80\x04\x95", "this is a Python pickle, not an HDF5 file"),
        (b'{"a": 1}', "this is JSON text, not an HDF5 file"),
        (b"hello", "this is not an HDF5 file"),
        (b"\x89HDF\r\n\x1a\n", "damaged or truncated HDF5 file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(200), "damaged or truncated HDF5 file"),
    ],
)
def test_other_formats(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "x.nir"
    path.write_bytes(content)
    error = defect(path)
    assert error.message.startswith(message)
    assert error.findings[0].lint in ("not-hdf5", "damaged")
    assert error.place == str(path)


def test_no_file(tmp_path: Path) -> None:
    assert defect(tmp_path / "x.nir").message == "no such file"
    (tmp_path / "folder.nir").mkdir()
    assert defect(tmp_path / "folder.nir").message.startswith("cannot be read: ")


def test_other_hdf5_files(tmp_path: Path) -> None:
    path = tmp_path / "x.nir"
    with h5py.File(path, "w") as file:
        file["data"], file["m\nore"] = 3, 4
    assert defect(path).message == "this is not a NIR file: it holds data, m\\nore, but no 'node'"


@pytest.mark.parametrize("missing", [1, 100, 5000])
def test_truncated(tmp_path: Path, missing: int) -> None:
    """The file's own header counts the bytes."""
    path = written(tmp_path / "net.nir", *plain())
    data = path.read_bytes()
    path.write_bytes(data[:-missing])
    error = defect(path)
    assert error.message == f"damaged or truncated HDF5 file (at least {missing} bytes are missing at its end)"
    assert error.findings[0].lint == "truncated"


@pytest.mark.parametrize("version", [("earliest", "v108"), ("latest", "latest")])
def test_truncated_in_every_version(tmp_path: Path, version: tuple[str, str]) -> None:
    """Superblocks 0 and 3."""
    path = tmp_path / "x.nir"
    with h5py.File(path, "w", libver=version) as file:
        file["node"] = np.arange(5000)
    path.write_bytes(path.read_bytes()[:-16])
    assert "at least 16 bytes are missing" in defect(path).message


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.3, 0.6, 0.9, 0.999])
def test_truncated_anywhere(tmp_path: Path, share: float) -> None:
    path = written(tmp_path / "net.nir", *plain())
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert "HDF5 file" in defect(path).message


def test_a_dataset_that_announces_more_than_it_stores(tmp_path: Path) -> None:
    """A few bytes must not make the reader allocate 8 TB."""
    path = written(tmp_path / "net.nir", *plain(), replaced({"nodes/fc/weight": None}))
    with h5py.File(path, "r+") as file:
        file["node/nodes/fc"].create_dataset("weight", shape=(10**6, 10**6), dtype="f8", chunks=(1000, 1000))
    error = defect(path)
    assert "8000000000000 bytes are announced, 0 are stored" in error.message
    assert error.place == f"{path}:/nodes/fc/weight"


def test_a_list_that_leads_back_to_itself(tmp_path: Path) -> None:
    """HDF5 follows it for ever, the reader does not."""
    path = written(tmp_path / "net.nir", *plain())
    data = bytearray(path.read_bytes())
    place = data.rindex(b"HEAP")
    free, start = (int.from_bytes(data[place + i : place + i + 8], "little") for i in (16, 24))
    data[start + free : start + free + 8] = free.to_bytes(8, "little")
    path.write_bytes(data)
    assert "reading it never ends" in defect(path).message


@pytest.mark.parametrize("gap", [0, 5, (1 << 22) - 30])
def test_a_damaged_heap_of_texts(tmp_path: Path, gap: int) -> None:
    """Wherever it lies: the file is searched in pieces, and a heap may begin in one and end in the next."""
    path = written(tmp_path / "net.nir", *plain())
    with path.open("ab") as file:
        file.write(bytes(gap) + b"GCOL\x01\0\0\0" + (1 << 40).to_bytes(8, "little"))
    assert "a heap of texts reaches beyond the end of the file" in defect(path).message
    data = path.read_bytes()
    heap = (64).to_bytes(8, "little") + b"\1\0\0\0\0\0\0\0" + (1000).to_bytes(8, "little") + bytes(40)
    path.write_bytes(data[:-8] + heap)
    assert "a heap of texts is inconsistent" in defect(path).message


def outside(folder: Path) -> Path:
    """A file that another one points to."""
    other = folder / "secret.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.ones((3, 2))
    return other


def linked(link: Callable[[Path], Any]) -> Callable[[Path], Callable[[Any], None]]:
    """A change that puts a link in place of the weight."""

    def with_folder(folder: Path) -> Callable[[Any], None]:
        def change(file: Any) -> None:
            del file["nodes/fc/weight"]
            file["nodes/fc/weight"] = link(outside(folder))

        return change

    return with_folder


def external(folder: Path) -> Callable[[Any], None]:
    """A change that keeps the weight in another file."""

    def change(file: Any) -> None:
        del file["nodes/fc/weight"]
        other = folder / "raw"
        other.write_bytes(np.ones((3, 2)).tobytes())
        file["nodes/fc"].create_dataset("weight", (3, 2), "f8", external=[(str(other), 0, 48)])

    return change


def virtual(folder: Path) -> Callable[[Any], None]:
    """A change that makes the weight a view of another file."""

    def change(file: Any) -> None:
        del file["nodes/fc/weight"]
        layout = h5py.VirtualLayout((3, 2), "f8")
        layout[:] = h5py.VirtualSource(str(outside(folder)), "x", (3, 2))
        file["nodes/fc"].create_virtual_dataset("weight", layout)

    return change


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (linked(lambda other: h5py.ExternalLink(str(other), "/x")), "this is kept in another file ("),
        (external, "the numbers are kept in another file"),
        (virtual, "the numbers are kept in another file"),
    ],
    ids=["link", "external", "virtual"],
)
def test_other_files_are_not_read(tmp_path: Path, make: Callable[[Path], Callable[[Any], None]], message: str) -> None:
    error = defect(written(tmp_path / "net.nir", *plain(), make(tmp_path)))
    assert error.message.startswith(message)
    assert error.findings[0].lint == "elsewhere"
    assert error.place.endswith("net.nir:/nodes/fc/weight")


def test_graphs_that_contain_themselves(tmp_path: Path) -> None:
    """Hard links make circles, and files of a kilobyte with 2**40 nodes."""

    def circle(file: Any) -> None:
        file["nodes/fc/type"][()] = "Linear"
        group = file["nodes"].create_group("g")
        group["type"] = "NIRGraph"
        group["nodes"] = file["nodes"]
        group["edges"] = [["a", "n"]]

    error = defect(written(tmp_path / "net.nir", *plain(), circle))
    assert error.message.startswith("this is the same part of the file as /nodes/")
    assert error.findings[0].lint == "elsewhere"

    def twice(file: Any) -> None:
        file["nodes/m"] = file["nodes/n"]

    error = defect(written(tmp_path / "net.nir", *plain(), twice))
    assert error.message == "this is the same part of the file as /nodes/m"
    assert error.place.endswith(":/nodes/n")


def test_names_that_cannot_be_printed(tmp_path: Path) -> None:
    """Messages stay on one line."""
    nodes, edges = plain()
    path = written(tmp_path / "net.nir", {**nodes, "a\nb": lif(3, tau=-1.0)}, [*edges, ("fc", "a\nb")])
    assert defect(path).place == f"{path}:/nodes/a\\nb/tau"


def test_a_file_behind_a_block_of_its_owner(tmp_path: Path) -> None:
    """HDF5 files may begin at 512 bytes; large arrays are found there as well."""
    nodes, edges = plain()
    plain_file = written(tmp_path / "net.nir", {**nodes, "fc": nir.Linear(weight=np.ones((3, 2)))}, edges)
    path = tmp_path / "moved.nir"
    with h5py.File(plain_file) as old, h5py.File(path, "w", userblock_size=512) as new:
        old.copy("node", new)
        new["large"] = np.arange(300_000.0)
    with path.open("r+b") as file:
        file.write(b"PK\3\4 something else")
    read(path)
    with opened(path) as root:
        array = root.child("large")
        assert isinstance(array, Array)
        tensor = array.tensor("x")
    assert tensor is not None
    assert np.array_equal(tensor.array, np.arange(300_000.0))


def test_a_file_that_changes_while_it_is_used(tmp_path: Path) -> None:
    """A compressed array is read when it is used, and the file may be gone by then."""
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.random.default_rng(0).random(200_000), compression="gzip")
    with opened(path) as root:
        array = root.child("x")
        assert isinstance(array, Array)
        tensor = array.tensor("x")
    assert tensor is not None
    path.unlink()
    with pytest.raises(FileError, match="damaged or truncated"):
        _ = tensor.digest


def test_members(tmp_path: Path) -> None:
    """Groups and arrays by name; soft links within the file are followed."""
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["g/x"] = [1, 2]
        file["soft"], file["broken"], file["type"] = h5py.SoftLink("/g"), h5py.SoftLink("/nowhere"), np.dtype("f4")
    with opened(path) as root:
        assert root.names == ["broken", "g", "soft", "type"]
        assert isinstance(root.child("soft"), Group)
        assert root.child("nothing") is None
        for name in ("broken", "type"):
            with pytest.raises(FileError):
                root.child(name)
        group = root.child("g")
        assert isinstance(group, Group)
        array = group.child("x")
        assert isinstance(array, Array)
        assert array.place == Place(str(path), "/g/x")
        assert array.read().tolist() == [1, 2]
        assert array.tensor("x") is None


def test_children_are_waited_for(tmp_path: Path) -> None:
    """The process that tries a file first is gone when the file has been read."""
    read(written(tmp_path / "net.nir", *plain()))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
