"""The service, without a network: every answer that its description promises, and no other ones."""

from __future__ import annotations

import gc
import sqlite3
import weakref
from collections.abc import Callable, Generator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from fastapi.testclient import TestClient

from snnir.errors import SnnirError
from snnir.runtime import gate, upload
from snnir.runtime import service as service_module
from snnir.runtime.admission import Refused, Request
from snnir.runtime.fsck import findings
from snnir.runtime.keeper import Keeper
from snnir.runtime.manager import Manager
from snnir.runtime.package import Package, read_package, unpack
from snnir.runtime.relocate import relocate
from snnir.runtime.store import Store
from snnir.runtime.upload import PACKAGES
from tests.runtime.applications import sample_package
from tests.runtime.asking import TOKEN, URL, Asking, asking, new_machine, operations, other_package, package


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An empty machine."""
    return new_machine(tmp_path / "chip.db")


@pytest.fixture
def keeper(path: Path) -> Generator[Keeper]:
    with Keeper(path, patience=0.2) as found:
        yield found
    with closing(Store(path)) as store:
        assert list(findings(store)) == []


@pytest.fixture
def ask(path: Path, keeper: Keeper) -> Asking:
    return asking(path, keeper)


def test_an_application_comes_and_goes(ask: Asking) -> None:
    first = ask.admit()
    second = ask.admit(name="ag ain", throughput="1e3", latency="1/10")
    assert first["name"] == "digits" and second["steps_per_second"] == pytest.approx(1000)
    machine = ask("GET", "/v1/machine", 200).json()
    assert [each["name"] for each in machine["applications"]] == ["digits", "ag ain"]
    assert machine["free"] == 64 - len(first["crossbars"]) - len(second["crossbars"])
    assert {**ask("GET", "/v1/applications/digits", 200).json(), "critical": first["critical"]} == first
    assert "digits" in ask("GET", "/v1/machine.svg", 200).text
    assert ask("DELETE", "/v1/applications/ag%20ain", 200).json()["removed"] == "ag ain"
    ask("GET", "/v1/applications/ag%20ain", 404)
    assert ask("GET", "/v1/fsck", 200).json() == {"sound": True, "findings": []}


def test_the_answer_says_where_it_is(ask: Asking) -> None:
    headers = {"Content-Type": f"{PACKAGES}; x=y"}
    answer = ask("POST", "/v1/applications?name=%C3%A9+%3F", 201, content=package(), headers=headers)
    assert answer.headers["location"] == "/v1/applications/%C3%A9%20%3F"
    assert ask("GET", answer.headers["location"], 200).json()["name"] == "é ?"


def test_it_says_the_same_as_the_command(ask: Asking, path: Path, tmp_path: Path) -> None:
    """The configuration is what `snnc machine emit` writes."""
    ask("POST", "/v1/crossbars/0/0/1/reserve", 200)
    ask.admit(name="a")
    answer = ask("GET", "/v1/applications/a/configuration", 200)
    assert ask("GET", "/v1/applications/a/configuration", 200).content == answer.content
    with closing(Store(path)) as store:
        resident = store.state().resident("a")
        guarantee = resident.period, resident.latency
        relocate(unpack(path, package()), resident.crossbars.tolist(), store.platform, tmp_path / "a", guarantee)
    with ZipFile(BytesIO(answer.content)) as archive:
        assert sorted(archive.namelist()) == ["cells.safetensors", "config.json"]
        for name in archive.namelist():
            assert archive.read(name) == (tmp_path / "a" / name).read_bytes()


def test_crossbars(ask: Asking) -> None:
    x, y, n = ask.admit()["crossbars"][0]
    assert "belongs to digits" in ask("POST", f"/v1/crossbars/{x}/{y}/{n}/reserve", 409).json()["error"]
    assert "belongs to digits" in ask("POST", f"/v1/crossbars/{x}/{y}/{n}/repair", 409).json()["error"]
    moved = ask("POST", f"/v1/crossbars/{x}/{y}/{n}/fail", 200).json()
    assert moved["state"] == "faulty" and [x, y, n] not in moved["moved"]["now"]["crossbars"]
    assert ask("GET", "/v1/machine", 200).json()["faulty"] == [[x, y, n]]
    free = {"crossbar": [x, y, n], "state": "free", "moved": None}
    assert ask("POST", f"/v1/crossbars/{x}/{y}/{n}/repair", 200).json() == free
    assert ask("POST", "/v1/crossbars/3/3/3/fail", 200).json()["moved"] is None
    assert "3,3,3: the crossbar is faulty" in ask("POST", "/v1/crossbars/3/3/3/reserve", 409).json()["error"]
    assert ask("GET", "/v1/machine", 200).json()["faulty"] == [[3, 3, 3]]


def test_with_no_place_to_go_it_leaves(ask: Asking, keeper: Keeper) -> None:
    places = [(x, y, n) for x in range(4) for y in range(4) for n in range(4)]
    held = {tuple(each) for each in ask.admit()["crossbars"]}
    for x, y, n in places:
        if (x, y, n) not in held:
            ask("POST", f"/v1/crossbars/{x}/{y}/{n}/reserve", 200)
    assert "0 of 64 are free" in ask.admit(409, name="b")["error"]
    x, y, n = held.pop()
    moved = ask("POST", f"/v1/crossbars/{x}/{y}/{n}/fail", 200).json()["moved"]
    assert moved["now"] is None and "are free" in moved["refused"]
    assert ask("GET", "/v1/machine", 200).json()["applications"] == []


def test_defragmentation(ask: Asking, path: Path) -> None:
    for name in "abc":
        ask.admit(name=name, throughput="1000")
    ask("DELETE", "/v1/applications/a", 200)
    before = path.read_bytes()
    planned = ask("POST", "/v1/defragment?dry_run=true", 200).json()
    assert planned["dry_run"] and planned["moves"] and path.read_bytes() == before
    assert ask("POST", "/v1/defragment", 200).json() == {**planned, "dry_run": False}
    assert ask("POST", "/v1/defragment?dry_run=0", 200).json()["moves"] == []


def test_refusals(ask: Asking) -> None:
    best = ask.admit(409, throughput="1e9")
    assert "cannot be guaranteed" in best["error"] and best["best_steps_per_second"] > 1000
    assert "latency" in ask.admit(409, latency="1e-9")["error"]
    assert "rows" in ask.admit(409, content=other_package())["error"]
    ask.admit()
    again = ask.admit(409)
    assert "on the machine" in again["error"] and "best_steps_per_second" not in again


@pytest.mark.parametrize(
    "query",
    [
        {"throughput": "-1"},
        {"throughput": "0"},
        {"throughput": "1/0"},
        {"throughput": "1e99"},
        {"throughput": "nan"},
        {"latency": ""},
        {"latency": "0.0"},
        {"latency": "1e999999999"},
        {"headroom": "1"},
        {"headroom": "3/2"},
        {"headroom": "-0.1"},
        {"name": ""},
        {"name": "a/b"},
        {"name": ".."},
        {"name": "a\0"},
        {"name": "\uffff"},
        {"name": "n" * 201},
        {"thruput": "5"},
    ],
)
def test_bad_arguments(ask: Asking, query: dict[str, str]) -> None:
    assert next(iter(query)) in ask.admit(422, None, **query)["error"]


def test_an_argument_given_twice(ask: Asking) -> None:
    assert "twice" in ask("POST", "/v1/defragment?dry_run=true&dry_run=false", 422).json()["error"]


@pytest.mark.parametrize(
    ("method", "target", "code"),
    [
        ("POST", "/v1/crossbars/0/0/4/fail", 404),
        ("POST", "/v1/crossbars/4/0/0/repair", 404),
        ("POST", "/v1/crossbars/0/4/0/reserve", 404),
        ("POST", "/v1/crossbars/-1/0/0/fail", 422),
        ("POST", "/v1/crossbars/a/0/0/fail", 422),
        ("POST", f"/v1/crossbars/{'9' * 5000}/0/0/fail", 422),
        ("POST", f"/v1/crossbars/{'9' * 30}/0/0/fail", 404),
        ("DELETE", "/v1/applications/nobody", 404),
        ("GET", "/v1/applications/nobody", 404),
        ("GET", "/v1/applications/nobody/configuration", 404),
    ],
)
def test_what_is_not_there(ask: Asking, method: str, target: str, code: int) -> None:
    ask(method, target, code)


@pytest.mark.parametrize(
    ("method", "target", "code"),
    [
        ("GET", "/", 404),
        ("GET", "/docs", 404),
        ("GET", "/v1/machine/", 404),
        ("GET", "/v1/applications/a%2Fb", 404),
        ("POST", "/v1/crossbars/0/0/0/burn", 404),
        ("PUT", "/v1/machine", 405),
        ("DELETE", "/v1/fsck", 405),
    ],
)
def test_what_is_not_described(ask: Asking, method: str, target: str, code: int) -> None:
    answer = ask.client.request(method, target)
    assert answer.status_code == code and set(answer.json()) == {"error", "fix"}


def test_bodies(path: Path, keeper: Keeper) -> None:
    ask = asking(path, keeper, most=1000)
    assert "bytes" in ask.admit(413, content=bytes(1001))["error"]
    ask.admit(422, content=bytes(1000))
    pieces = iter([bytes(600)] * 3)
    ask("POST", "/v1/applications", 413, content=pieces, headers={"Content-Type": PACKAGES})
    ask("POST", "/v1/applications", 415, content=bytes(10))
    ask("POST", "/v1/applications", 415, data={"package": "x"})
    ask("POST", "/v1/applications", 422, headers={"Content-Type": PACKAGES})


def test_large_packages_at_once(path: Path, keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """What requests hold in memory is bounded, not only how many there are."""
    ask = asking(path, keeper, most=len(package()))
    check, inside = service_module._unpacked, list[int]()  # pyright: ignore[reportPrivateUsage]

    def crowded(data: bytes) -> Package:
        """While one is checked, the next one comes."""
        inside.append(len(data))
        code = 201 if len(inside) < upload.AT_ONCE else 503
        headers = {"Content-Type": PACKAGES}
        answer = ask.client.post(f"/v1/applications?name=n{len(inside)}", content=package(), headers=headers)
        assert answer.status_code == code
        if code == 503:
            assert "too many large packages" in answer.json()["error"] and answer.headers["retry-after"] == "1"
            assert ask.client.get("/v1/applications/n/configuration").status_code == 503
        return check(data)

    ask.admit(name="n")
    with monkeypatch.context() as patch:
        patch.setattr(service_module, "_unpacked", crowded)
        ask.admit(name="n0")
    assert inside == [len(package())] * upload.AT_ONCE
    for _ in range(upload.AT_ONCE + 1):  # all of it is given back, whatever becomes of a request
        ask.admit(422, content=b"x" * len(package()))
        ask.admit(413, content=b"x" * (len(package()) + 1))
        ask("GET", "/v1/applications/n/configuration", 200)
    pieces = iter([package()])
    ask("POST", "/v1/applications?name=o", 201, content=pieces, headers={"Content-Type": PACKAGES})


def test_a_package_larger_than_the_service_takes_can_be_had(path: Path, keeper: Keeper) -> None:
    with closing(Store(path)) as store:
        Manager(store).admit(unpack(path, package()), package(), Request("a"))
    ask = asking(path, keeper, most=1000)
    ask("GET", "/v1/applications/a/configuration", 200)


def test_damaged_packages(ask: Asking) -> None:
    whole = package()
    assert "damaged" in ask.admit(422, content=whole[:-100])["error"]
    ask.admit(422, content=whole.replace(b"snnir-package", b"snnir-pudding"))
    ask.admit(422, content=whole + b"\0")


def test_only_ours_may_ask(ask: Asking) -> None:
    """Names that point here (DNS rebinding) and pages of others (CSRF) get nothing."""
    for headers in (
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8765"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        for method, target in (("POST", "/v1/crossbars/0/0/0/fail"), ("GET", "/v1/machine"), ("GET", "/healthz")):
            ask(method, target, 403, headers=headers)
    for headers in (
        {"Host": "LOCALHOST:1"},
        {"Host": "[::1]:8765"},
        {"Origin": URL},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ):
        answer = ask("GET", "/v1/machine", 200, headers=headers)
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_with_a_token(path: Path, keeper: Keeper) -> None:
    ask = asking(path, keeper, TOKEN)
    bad = ("", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer \xff")
    for value in bad:
        answer = ask("GET", "/v1/machine", 401, headers={"Authorization": value.encode("latin-1")})
        assert answer.headers["www-authenticate"] == "Bearer" and TOKEN not in answer.text
    twice = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", f"Bearer {TOKEN}")]
    assert ask.client.get("/openapi.json", headers={"Authorization": "x"}).status_code == 401
    assert TestClient(ask.client.app, URL).get("/v1/machine", headers=twice).status_code == 401
    ask("GET", "/v1/machine", 200, headers={"Authorization": f"bearer {TOKEN}"})
    ask("GET", "/v1/machine", 200)
    ask("GET", "/healthz", 200, headers={"Authorization": ""})


def test_the_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch, path: Path, keeper: Keeper) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(first: bytes, second: bytes) -> bool:
        compared.append((first, second))
        return True

    monkeypatch.setattr(gate, "compare_digest", compare)
    asking(path, keeper, TOKEN)("GET", "/v1/machine", 200, headers={"Authorization": "Bearer other"})
    assert compared == [(b"other", TOKEN.encode())]


def test_busy(ask: Asking, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        for method, target in (("POST", "/v1/crossbars/0/0/0/fail"), ("POST", "/v1/defragment")):
            answer = ask(method, target, 503)
            assert "in use" in answer.json()["error"] and answer.headers["retry-after"] == "1"
        ask.admit(503)
        assert ask("GET", "/v1/machine", 200).json()["free"] == 64
    ask("POST", "/v1/crossbars/0/0/0/fail", 200)


def test_other_processes_are_seen(ask: Asking, path: Path) -> None:
    ask.admit(name="a")
    with closing(Store(path)) as store:
        Manager(store).remove("a")
    assert ask("GET", "/v1/machine", 200).json()["applications"] == []
    ask("DELETE", "/v1/applications/a", 404)


def test_nothing_is_kept_of_those_who_left(path: Path) -> None:
    """A service runs for long."""
    with closing(Store(path)) as store:
        manager, shared = Manager(store), "mesh4x4-128-shared"
        first = read_package(sample_package(shared))
        gone = weakref.ref(first.application)
        manager.admit(first, package(), Request("a"))
        manager.remove("a")
        del first
        refused = read_package(sample_package())
        never = weakref.ref(refused.application)
        with pytest.raises(Refused):
            manager.admit(refused, other_package(), Request("b"))
        del refused
        recurrent = sample_package(shared, "digits_recurrent")
        manager.admit(read_package(recurrent), recurrent.read_bytes(), Request("c"))
        gc.collect()
        assert gone() is None and never() is None


def test_a_damaged_file_is_said(ask: Asking, path: Path) -> None:
    ask.admit(name="a")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        saved = other.execute("select data from package").fetchone()[0]
        other.execute("update machine set next = 7")
        other.execute("update package set data = 'x'")
    found = ask("GET", "/v1/fsck", 200).json()
    assert not found["sound"] and found["findings"]
    ask("GET", "/v1/applications/a/configuration", 500)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("update machine set next = 1")
        other.execute("update package set data = ?", (saved,))


def test_every_answer_that_is_described_is_given(path: Path, keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = asking(path, keeper, TOKEN, most=len(package()))
    document = ask.client.get("/openapi.json").json()
    assert document == ask.document and document["openapi"].startswith("3.1")
    all_operations = operations(document)
    assert len(all_operations) == 12

    def each(code: int, query: str = "", headers: dict[str, str] | None = None, but: str = "none") -> None:
        for _, method, target in all_operations:
            if target != but:
                given = {"Content-Type": PACKAGES, **(headers or {})}
                content = package() if target == "/v1/applications" else None
                answer = ask(method, target + query, code, headers=given, content=content)
                assert "secret" not in answer.text

    each(403, headers={"Host": "evil.example"})
    with monkeypatch.context() as slow:
        slow.setattr(upload, "SILENCE", 0)
        assert "nothing has come for 0 s" in ask.admit(408)["error"]
    each(401, headers={"Authorization": "Bearer no"}, but="/healthz")
    each(422, query="?strange=1")
    with monkeypatch.context() as full:
        full.setattr(gate, "MOST_AT_ONCE", 0)
        each(503)
    with monkeypatch.context() as broken:
        broken.setattr(Keeper, "ask", _broken)
        each(500, but="/healthz")
    _all_is_well(ask)
    described = {
        (template, method, int(code))
        for template, method, _ in all_operations
        for code in document["paths"][template][method.lower()]["responses"]
    }
    assert described == ask.seen


async def _broken(_: Keeper, work: Callable[..., Any]) -> Any:
    raise SnnirError("/secret/place", "this is no machine, or a damaged one", "snnc machine fsck")


def _all_is_well(ask: Asking) -> None:
    """Each operation when it works, and what only some can answer."""
    x, y, n = ask.admit(name="a")["crossbars"][0]
    ask.admit(409, name="a")
    ask.admit(413, content=package() + b"x")
    ask("POST", "/v1/applications", 415, content=b"x")
    for target in ("/healthz", "/v1/machine", "/v1/machine.svg", "/v1/fsck", "/v1/applications/a"):
        ask("GET", target, 200)
    ask("GET", "/v1/applications/a/configuration", 200)
    ask("GET", "/v1/applications/b/configuration", 404)
    ask("GET", "/v1/applications/b", 404)
    ask("DELETE", "/v1/applications/b", 404)
    for action in ("repair", "reserve"):
        ask("POST", f"/v1/crossbars/{x}/{y}/{n}/{action}", 409)
    for action in ("fail", "repair", "reserve"):
        ask("POST", f"/v1/crossbars/{x}/{y}/{n}/{action}", 200)
        ask("POST", f"/v1/crossbars/7/7/7/{action}", 404)
    ask("POST", "/v1/defragment", 200)
    ask("DELETE", "/v1/applications/a", 200)


def test_what_nobody_thought_of(ask: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of ours is an answer too, and says nothing about our code."""

    async def astonished(_: Keeper, work: Callable[..., Any]) -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr(Keeper, "ask", astonished)
    answer = ask("GET", "/v1/machine", 500)
    assert "secret" not in answer.text and answer.headers["x-content-type-options"] == "nosniff"


def test_the_description_needs_a_token_where_the_service_does(path: Path, keeper: Keeper) -> None:
    plain, guarded = asking(path, keeper).document, asking(path, keeper, TOKEN).document
    for template, method, _ in operations(guarded):
        security = guarded["paths"][template][method.lower()].get("security")
        assert bool(security) == (template != "/healthz")
        assert "security" not in plain["paths"][template][method.lower()]
        assert "401" not in plain["paths"][template][method.lower()]["responses"]
    assert "HTTPValidationError" not in plain["components"]["schemas"]
