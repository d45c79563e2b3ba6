"""Packages: the same bytes for the same build, and for everything that is no package one clear error."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from fractions import Fraction
from functools import cache
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import pytest
from applications import sample_package, staged_package
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from snnir.errors import SnnirError
from snnir.runtime.application import Actors, Application, Channels, Constraints
from snnir.runtime.package import (
    ARRAYS_FILE,
    CELLS_FILE,
    MEMBERS,
    PACKAGE_FILE,
    Package,
    read_package,
    unpack,
    write_package,
)
from snnir.testing import run_in_process

Members = dict[str, bytes]
CONFIG_FILE = "config.json"


@cache
def good() -> tuple[Path, bytes, Members]:
    """A package: where it is, its bytes and its members."""
    path = sample_package("mesh2x2-64")
    with ZipFile(path) as archive:
        return path, path.read_bytes(), {name: archive.read(name) for name in archive.namelist()}


def same(a: Package, b: Package) -> bool:
    """Whether two packages hold the same."""
    one, other = a.application, b.application
    arrays = [(one.where, other.where), (one.distance, other.distance)]
    arrays += [(getattr(one.actors, f.name), getattr(other.actors, f.name)) for f in fields(Actors)]
    arrays += [(getattr(one.channels, f.name), getattr(other.channels, f.name)) for f in fields(Channels)]
    values = [f.name for f in fields(Application) if f.name not in ("actors", "channels", "where", "distance")]
    plain = all(getattr(one, name) == getattr(other, name) for name in values)
    return plain and all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in arrays) and a.config == b.config


def packed(members: Mapping[str, bytes], **changes: Any) -> bytes:
    """A zip file of members as a package has them; `changes` of each entry."""
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name in sorted(members):
            info = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr, info.compress_type = 3, 0o644 << 16, ZIP_STORED
            for key, value in changes.items():
                setattr(info, key, value)
            archive.writestr(info, members[name])
    return buffer.getvalue()


def consistent(members: Members) -> bytes:
    """A package of members whose digests are made right."""
    document = json.loads(members[PACKAGE_FILE])
    digests = {name: blake2b(members[name], digest_size=16).hexdigest() for name in MEMBERS if name != PACKAGE_FILE}
    document["members"] = digests
    return packed({**members, PACKAGE_FILE: (json.dumps(document, indent=1) + "\n").encode()})


def with_arrays(change: Callable[[dict[str, NDArray[Any]]], object], members: Members | None = None) -> bytes:
    """A package with other arrays, and right digests."""
    members = good()[2] if members is None else members
    arrays = {name: array.copy() for name, array in load_tensors(members[ARRAYS_FILE]).items()}
    change(arrays)
    return consistent({**members, ARRAYS_FILE: save_tensors(arrays)})


def with_json(member: str, change: Callable[[dict[str, Any]], object]) -> bytes:
    """A package with another JSON member, and right digests."""
    document = json.loads(good()[2][member])
    change(document)
    return consistent({**good()[2], member: (json.dumps(document, indent=1) + "\n").encode()})


def refusal(data: bytes, folder: Path) -> str:
    """The message with which bytes are refused."""
    path = folder / "bad.snnpkg"
    path.write_bytes(data)
    with pytest.raises(SnnirError) as caught:
        read_package(path)
    assert str(caught.value).startswith(str(path))
    assert caught.value.hint
    assert len(caught.value.message) < 400
    return str(caught.value)


def test_what_is_written_is_read() -> None:
    path, data, members = good()
    package = read_package(path)
    assert package.digest == blake2b(data, digest_size=16).hexdigest()
    assert tuple(members) == MEMBERS
    build = path.with_suffix("") / "machine"
    assert members[CONFIG_FILE] == (build / CONFIG_FILE).read_bytes()
    assert package.cells == members[CELLS_FILE] == (build / CELLS_FILE).read_bytes()
    assert package.config == json.loads(members[CONFIG_FILE])
    assert same(package, read_package(path))
    assert packed(members) == data
    assert consistent(members) == data
    with pytest.raises(ValueError, match="read-only"):
        package.application.actors.worst[0] = 1


def test_what_was_checked_is_only_read(monkeypatch: pytest.MonkeyPatch) -> None:
    path, data, _ = good()
    package = read_package(path)
    bad = with_arrays(_add("actors.worst", 2, -1))
    with pytest.raises(SnnirError, match="takes less time"):
        unpack(path, bad, package.digest)
    monkeypatch.delattr("snnir.runtime.package.contradiction")  # checks need it
    again = unpack(path, data, package.digest)
    assert same(package, again)
    assert (again.digest, again.cells) == (package.digest, package.cells)


def test_the_same_build_gives_the_same_bytes(samples: Path, tmp_path: Path) -> None:
    arguments = ["--platform", samples / "platforms" / "mesh2x2-64.toml", "-o", tmp_path / "out"]
    arguments += ["--data", samples / "digits" / "test_spikes.npz", "--samples", "20"]
    arguments += ["--package", tmp_path / "again.snnpkg"]
    outcome = run_in_process(["snnc", "compile", *map(str, [samples / "digits" / "digits.snn", *arguments])])
    assert outcome.code == 0, outcome.err
    digest = re.search(r"4 clusters, digest ([0-9a-f]{32})", outcome.out)
    assert digest is not None
    assert (tmp_path / "again.snnpkg").read_bytes() == good()[1]
    assert digest[1] == read_package(tmp_path / "again.snnpkg").digest


def test_constraints_are_kept(tmp_path: Path) -> None:
    package, (_, data, members) = read_package(good()[0]), good()
    asked = replace(package.application, constraints=Constraints(Fraction(100000, 3), Fraction(1, 200)))
    written = write_package(tmp_path / "asks.snnpkg", asked, members[CONFIG_FILE], members[CELLS_FILE])
    assert read_package(tmp_path / "asks.snnpkg").application.constraints == asked.constraints
    assert written.digest != package.digest
    assert (tmp_path / "asks.snnpkg").read_bytes() != data


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=3),
    st.one_of(st.none(), st.floats(0, 1)),
    st.binary(max_size=30),
)
def test_damage_is_found(tmp_path: Path, flips: list[tuple[float, int]], end: float | None, more: bytes) -> None:
    """Bytes that are changed anywhere, a file that ends early, something behind it: the same package, or an error."""
    data = bytearray(good()[1])
    for place, bits in flips:
        data[int(place * len(data))] ^= bits
    if end is not None:
        del data[int(end * len(data)) :]
    path = tmp_path / "p.snnpkg"
    path.write_bytes(bytes(data) + more)
    try:
        found = read_package(path)
    except SnnirError as error:
        assert str(error).startswith(str(path))
    else:
        assert bytes(data) + more == good()[1]
        assert same(found, read_package(good()[0]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(MEMBERS), st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8))
def test_members_that_say_something_else(tmp_path: Path, member: str, place: float, new: bytes) -> None:
    """As above, but with digests and headers made right: what comes through the checks is a package."""
    _, _, members = good()
    changed = bytearray(members[member])
    start = int(place * len(changed))
    changed[start : start + len(new)] = new
    path = tmp_path / "p.snnpkg"
    try:
        data = consistent({**members, member: bytes(changed)})
    except (ValueError, TypeError, RecursionError, AttributeError, KeyError):
        data = packed({**members, member: bytes(changed)})
    path.write_bytes(data)
    try:
        found = read_package(path)
    except SnnirError as error:
        assert str(error).startswith(str(path))
    else:
        assert found.application.problem() is None


NO_PACKAGES: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "no package"),
    "text": (lambda: b"network digits {}\n", "no package"),
    "zip of something else": (lambda: packed({"a.txt": b"a"}), "no package"),
    "end of a zip": (lambda: b"PK\3\4", "ends too early"),
    "compressed": (lambda: packed(good()[2], compress_type=ZIP_DEFLATED), "compressed"),
    "bomb": (lambda: packed({**good()[2], CELLS_FILE: bytes(1 << 24)}, compress_type=ZIP_DEFLATED), "compressed"),
    "other time": (lambda: packed(good()[2], date_time=(2020, 1, 1, 0, 0, 0)), "packed by something else"),
    "other rights": (lambda: packed(good()[2], external_attr=0o777 << 16), "packed by something else"),
    "comment": (lambda: good()[1][:-2] + b"\4\0evil", "packed by something else"),
    "one more": (lambda: packed({**good()[2], "more.txt": b""}), "more.txt"),
    "a path": (lambda: packed({**good()[2], "../../etc/passwd": b"root"}), r"../../etc/passwd"),
    "one less": (lambda: packed({k: v for k, v in good()[2].items() if k != CELLS_FILE}), "it holds"),
    "twice": (lambda: _twice(good()[1]), "there twice"),
    "many": (lambda: packed({f"m{n:05}": b"" for n in range(20000)}), "no package"),
    "declared size": (lambda: _declared(good()[1], 0xFFFFFFF0), "4294967280 bytes long"),
    "no JSON": (lambda: packed({**good()[2], PACKAGE_FILE: b"{"}), "not JSON"),
    "a list": (lambda: packed({**good()[2], PACKAGE_FILE: b"[]"}), "the format is not"),
    "deep": (lambda: packed({**good()[2], PACKAGE_FILE: b"[" * 100000}), "nested|not JSON"),
    "format": (lambda: with_json(PACKAGE_FILE, lambda d: d.update(format="other")), "the format is not"),
    "version": (lambda: with_json(PACKAGE_FILE, lambda d: d.update(version=2)), "version '2' of the format"),
    "version that is huge": (lambda: with_json(PACKAGE_FILE, lambda d: d.update(version="9" * 999)), r"'9+\.\.\.'"),
    "other name": (lambda: with_json(PACKAGE_FILE, lambda d: d.update(name="x")), "digests"),
    "field too many": (lambda: with_json(PACKAGE_FILE, lambda d: d.update(more=1)), "digests"),
    "no platform": (lambda: with_json(PACKAGE_FILE, lambda d: d.pop("platform")), "platform is not"),
    "platform of another type": (lambda: with_json(PACKAGE_FILE, lambda d: d.update(platform=3)), "platform is not"),
    "other platform": (lambda: with_json(PACKAGE_FILE, lambda d: d["platform"].update(rows=63)), "digests"),
    "no routes": (lambda: with_json(PACKAGE_FILE, lambda d: d["platform"].update(multicast=0)), "platform is not"),
    "true buffers": (lambda: with_json(PACKAGE_FILE, lambda d: d["platform"].update(events=True)), "platform is not"),
    "huge buffers": (lambda: with_json(PACKAGE_FILE, lambda d: d["platform"].update(events=10**17)), "platform is not"),
    "negative": (lambda: with_json(PACKAGE_FILE, lambda d: d["constraints"].update(latency="-1")), "constraints are"),
    "division by 0": (
        lambda: with_json(PACKAGE_FILE, lambda d: d["constraints"].update(latency="1/0")),
        "constraints are",
    ),
    "and by 00": (
        lambda: with_json(PACKAGE_FILE, lambda d: d["constraints"].update(latency="1/00")),
        "constraints are",
    ),
    "constraint 0": (
        lambda: with_json(PACKAGE_FILE, lambda d: d["constraints"].update(throughput="0")),
        "constraints are",
    ),
    "not reduced": (lambda: with_json(PACKAGE_FILE, lambda d: d["constraints"].update(throughput="2/4")), "digests"),
    "wrong digest": (lambda: packed(_other_digest()), "digests"),
    "no guarantee": (lambda: with_json(CONFIG_FILE, lambda d: d.update(guarantee=None)), "has no guarantee"),
    "configuration": (lambda: with_json(CONFIG_FILE, lambda d: d["crossbars"][0].update(index=9)), "crossbar 9 of a"),
    "other cells": (
        lambda: with_json(CONFIG_FILE, lambda d: d["tensors"].update(file="x")),
        "not in cells.safetensors",
    ),
    "no tensors": (lambda: consistent({**good()[2], ARRAYS_FILE: b"abc"}), "not a readable safetensors"),
    "huge tensors": (lambda: consistent({**good()[2], ARRAYS_FILE: _HUGE}), "not a readable safetensors"),
    "bfloat": (lambda: consistent({**good()[2], ARRAYS_FILE: _BFLOAT}), "not a readable safetensors"),
}
_BFLOAT = (64).to_bytes(8, "little") + b'{"where":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}     \0\0'
_HUGE = (
    (72).to_bytes(8, "little") + b'{"where":{"dtype":"I64","shape":[99999999999],"data_offsets":[0,8]}}    ' + bytes(8)
)


def _twice(data: bytes) -> bytes:
    """The first member once more in front."""
    first = data.index(b"PK\3\4", 4)
    return data[:first] + data


def _declared(data: bytes, size: int) -> bytes:
    """The first member says that it is longer."""
    return data[:18] + size.to_bytes(4, "little") * 2 + data[26:]


def _other_digest() -> Members:
    text = good()[2][PACKAGE_FILE]
    digest = re.search(rb"[0-9a-f]{32}", text)
    assert digest is not None
    return {**good()[2], PACKAGE_FILE: text.replace(digest[0], digest[0][::-1])}


@pytest.mark.parametrize("case", NO_PACKAGES)
def test_what_is_no_package(case: str, tmp_path: Path) -> None:
    make, message = NO_PACKAGES[case]
    assert re.search(message, refusal(make(), tmp_path))


def _set(name: str, place: Any, value: Any) -> Callable[[dict[str, NDArray[Any]]], object]:
    return lambda arrays: arrays[name].__setitem__(place, value)


def _add(name: str, place: Any, value: Any) -> Callable[[dict[str, NDArray[Any]]], object]:
    return lambda arrays: arrays[name].__setitem__(place, arrays[name][place] + value)


def _exchange(name: str, a: int, b: int) -> Callable[[dict[str, NDArray[Any]]], object]:
    return lambda arrays: arrays[name].__setitem__([a, b], arrays[name][[b, a]])


def _replace(name: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[dict[str, NDArray[Any]]], object]:
    return lambda arrays: arrays.update({name: np.ascontiguousarray(change(arrays[name]))})


WRONG_ARRAYS: dict[str, tuple[Callable[[dict[str, NDArray[Any]]], object], str]] = {
    "missing": (lambda arrays: arrays.pop("where"), "'where' is missing"),
    "too many": (lambda arrays: arrays.update(more=np.zeros(1)), "'more' is missing, or too many"),
    "dtype": (_replace("actors.worst", lambda a: a.astype(np.int32)), "actors.worst is not of int64"),
    "float": (_replace("actors.worst", lambda a: a.astype(np.float64)), "actors.worst is not of int64"),
    "dimensions": (_replace("actors.worst", lambda a: a[None]), "in 1 dimensions"),
    "length": (_replace("actors.worst", lambda a: a[:-1]), "actors.worst is not one number for each"),
    "no channels": (_replace("channels.source", lambda a: a[:0]), "channels"),
    "no number": (_set("actors.mean_flits", 1, np.nan), "no number"),
    "endless": (_set("actors.mean_flits", 1, np.inf), "no number"),
    "negative time": (_set("actors.worst", 1, -1), "negative"),
    "endless time": (_set("actors.worst", 1, 1 << 62), "out of range"),
    "negative lag": (_set("actors.lag", 1, -1), "negative"),
    "other cluster": (_exchange("actors.cluster", 1, 2), "other clusters"),
    "no cluster": (_set("actors.cluster", 1, 9), "do not belong to 4 clusters"),
    "on the host": (_set("actors.cluster", 1, -1), "do not belong to 4 clusters"),
    "fast": (_add("actors.worst", 2, -1), "takes less time"),
    "small": (_add("actors.flits", 2, -1), "fewer flits"),
    "small input": (_add("actors.flits", 0, -1), "fewer flits"),
    "mean time": (_set("actors.mean", 1, 1 << 40), "longer on average"),
    "mean flits": (_set("actors.mean_flits", 1, 99999.0), "longer on average"),
    "no marker": (_set("actors.mean_flits", 1, 0.5), "one flit at least"),
    "output that sends": (_set("actors.flits", -1, 3), "outputs take no time"),
    "channel": (_add("channels.delay", 0, 1), "another delay"),
    "capacity": (_add("channels.capacity", 0, 1), "another capacity"),
    "reader": (_exchange("channels.target", 0, -1), "another target"),
    "nobody": (_set("channels.target", 0, 99), "not there"),
    "tile": (_add("where", (0, 0), 1), "other tiles"),
    "places": (_set("actors.sequence", 0, 1 << 61), "not 0, 1, 2"),
    "place twice": (_set("actors.sequence", 0, 1), "one place"),
    "contrary": (lambda arrays: arrays["actors.sequence"].__isub__(5), "not 0, 1, 2"),
    "backwards": (_replace("actors.sequence", lambda a: 5 - a), "contradicts what actors wait for"),
    "lag": (_add("actors.lag", 0, 1), "later round"),
    "lag beyond the space": (_add("actors.lag", -1, 5), "later round"),
    "stage": (_add("actors.stage", 1, 1), "another place or stage"),
    "stage of the host": (_add("actors.stage", 0, 1), "an input or output has a stage"),
    "near": (len, "distances"),  # see the test
    "far": (_set("distance", (1, 0), 77), "distances"),
    "from itself": (_set("distance", (0, 0), 1), "distances"),
    "no distances": (_replace("distance", lambda a: a[:0, :0]), "distances"),
    "shape of distances": (_replace("distance", lambda a: a[:1]), "each pair of actors"),
}


@pytest.mark.parametrize("case", WRONG_ARRAYS)
def test_arrays_that_contradict_the_configuration(case: str, tmp_path: Path) -> None:
    change, message = WRONG_ARRAYS[case]
    if case == "near":
        distance = load_tensors(good()[2][ARRAYS_FILE])["distance"]
        at = tuple(np.argwhere(distance > 0)[0])
        change = _set("distance", at, distance[at] - 1)
    assert re.search(message, refusal(with_arrays(change), tmp_path))


def test_orders_that_contradict_the_configuration(tmp_path: Path) -> None:
    """Two slices of one crossbar the other way round."""
    with ZipFile(staged_package()) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    crossbar = json.loads(members[CONFIG_FILE])["crossbars"][0]
    assert len(crossbar["slices"]) == 3
    assert "another place or stage" in refusal(with_arrays(_exchange("actors.sequence", 1, 2), members), tmp_path)


@pytest.mark.parametrize(
    ("machine", "message"),
    [("tree16-32", "a flow has several destinations"), ("mesh2x2-32", "a source has several flows")],
)
def test_routes_of_the_other_kind(machine: str, message: str, tmp_path: Path) -> None:
    with ZipFile(sample_package(machine, "digits_recurrent")) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(members[PACKAGE_FILE])
    document["platform"]["multicast"] = not document["platform"]["multicast"]
    text = (json.dumps(document, indent=1) + "\n").encode()
    assert message in refusal(packed({**members, PACKAGE_FILE: text}), tmp_path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "no.snnpkg", tmp_path):
        with pytest.raises(SnnirError, match="cannot be read"):
            read_package(path)


def test_files_that_are_too_long(tmp_path: Path) -> None:
    path = tmp_path / "long.snnpkg"
    path.touch()
    os.truncate(path, 1 << 31)  # takes no space on disk
    with pytest.raises(SnnirError, match="no package"):
        read_package(path)


def test_packages_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    application, members = read_package(good()[0]).application, good()[2]
    target = tmp_path / "p.snnpkg"
    target.write_bytes(b"before")
    with pytest.raises(SnnirError, match="not JSON"):
        write_package(target, application, b"{", members[CELLS_FILE])
    with pytest.raises(SnnirError, match="cannot be written"):
        write_package(tmp_path / "no" / "p.snnpkg", application, members[CONFIG_FILE], members[CELLS_FILE])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SnnirError, match="this is no file"):
        write_package(tmp_path / "pipe", application, members[CONFIG_FILE], members[CELLS_FILE])
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "pipe").unlink()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for step in ("fsync", "replace"):
        monkeypatch.setattr(os, step, full)
        with pytest.raises(SnnirError, match="No space left"):
            write_package(target, application, members[CONFIG_FILE], members[CELLS_FILE])
        assert [path.name for path in tmp_path.iterdir()] == ["p.snnpkg"]
        assert target.read_bytes() == b"before"
        monkeypatch.undo()
    write_package(target, application, members[CONFIG_FILE], members[CELLS_FILE])
    assert target.read_bytes() == good()[1]
    assert target.stat().st_mode & 0o777 == 0o644
