"""Whatever the service is sent: an answer that is no crash, and a machine as it was."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from snnir.runtime.fsck import findings
from snnir.runtime.gate import Gate
from snnir.runtime.keeper import Keeper
from snnir.runtime.store import Store
from snnir.runtime.upload import PACKAGES
from tests.runtime.asking import TOKEN, URL, Asking, asking, new_machine, package

once = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
texts = st.text(max_size=30)
numbers = st.one_of(
    texts,
    st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,20})?(e-?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["nan", "inf", "1/0", "0/1", "1_0", "٣", "1e99", "1e-99", "1/3", "1000"]),
)
queries = st.lists(
    st.tuples(
        st.one_of(st.sampled_from(["name", "throughput", "latency", "headroom", "dry_run"]), texts),
        st.one_of(numbers, texts),
    ),
    max_size=4,
)
words = st.one_of(
    st.sampled_from(["v1", "machine", "applications", "a", "configuration", "crossbars", "0", "-1", "fail", "fsck"]),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="#?"), max_size=12),
)
KNOWN = ["Host", "Origin", "Authorization", "Content-Type", "Content-Length", "Sec-Fetch-Site", "Accept", "X"]
values = st.one_of(st.binary(max_size=40), st.sampled_from([b"127.0.0.1", b"[", b"null", PACKAGES.encode()]))
headers = st.lists(st.tuples(st.sampled_from(KNOWN).map(str.encode), values), max_size=3)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Generator[Asking]:
    """A machine with an application called a."""
    path = new_machine(tmp_path_factory.mktemp("service") / "chip.db")
    with Keeper(path, patience=1) as keeper:
        ask = asking(path, keeper)
        ask.admit(name="a")
        yield ask
    _sound(path)


def _sound(path: Path) -> None:
    with closing(Store(path)) as store:
        assert list(findings(store)) == [] and list(store.state().residents) == ["a"]


@settings(once, max_examples=150)
@given(data=st.data())
def test_bodies_that_are_no_packages(asked: Asking, data: st.DataObject) -> None:
    whole = package()
    kind = data.draw(st.sampled_from(["any", "changed", "cut", "longer", "spliced"]))
    place = data.draw(st.integers(0, len(whole) - 2))
    more = data.draw(st.binary(min_size=1, max_size=40))
    body = {
        "any": more,
        "changed": whole[:place] + bytes([whole[place] ^ (more[0] or 1)]) + whole[place + 1 :],
        "cut": whole[:place],
        "longer": whole + more,
        "spliced": whole[:place] + more + whole[place + 1 + len(more) :],
    }[kind]
    if body != whole:
        asked.admit(422, content=body, name="b")


@settings(once, max_examples=150)
@given(query=queries, kind=st.one_of(st.just(PACKAGES), st.text("abc/;=-", max_size=20)))
@example(query=[("name", "b"), ("throughput", "1000")], kind=PACKAGES)
@example(query=[("name", "\ud7ff\ufffe")], kind=PACKAGES)
def test_questions_beside_a_package(asked: Asking, query: list[tuple[str, str]], kind: str) -> None:
    before = asked.path.read_bytes()
    answer = asked.client.post(
        "/v1/applications", params=tuple(query), content=package(), headers={"Content-Type": kind}
    )
    assert answer.status_code in (201, 409, 415, 422), answer.text
    if answer.status_code == 201:
        assert asked.client.get(answer.headers["location"]).json()["name"] == answer.json()["name"]
        asked.client.delete(answer.headers["location"])
    else:
        assert set(answer.json()) >= {"error", "fix"} and asked.path.read_bytes() == before
    _sound(asked.path)


@settings(once, max_examples=300)
@example(method="GET", path=["", "a:b", "[", "machine"], query=[], given_headers=[], body=b"")
@example(method="DELETE", path=["v1", "machine", "..", "applications", "a"], query=[], given_headers=[], body=b"")
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "X"]),
    path=st.lists(words, max_size=6),
    query=queries,
    given_headers=headers,
    body=st.binary(max_size=100),
)
def test_any_request(
    asked: Asking,
    method: str,
    path: list[str],
    query: list[tuple[str, str]],
    given_headers: list[tuple[bytes, bytes]],
    body: bytes,
) -> None:
    before = asked.path.read_bytes()
    target = "/" + "/".join(quote(word, safe="").replace(".", "%2E") for word in path)  # as it is, dots and all
    if target in ("/v1/crossbars/0/0/0/fail", "/v1/applications/a"):
        method = "GET"
    # with its host: what begins with two slashes would be taken for one
    url = f"{URL}{target}"
    answer = asked.client.request(method, url, params=tuple(query), headers=given_headers, content=body)
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert method == "HEAD" or set(answer.json()) >= {"error", "fix"}
        assert asked.path.read_bytes() == before


@settings(once, max_examples=200)
@given(values=st.lists(st.one_of(st.binary(max_size=60), st.just(b"Bearer "), st.just(TOKEN.encode())), max_size=3))
def test_no_other_token(tmp_path_factory: pytest.TempPathFactory, asked: Asking, values: list[bytes]) -> None:
    client = _guarded(asked)
    answer = client.get("/v1/machine", headers=[(b"Authorization", value) for value in values])
    assert answer.status_code == 401


def _guarded(asked: Asking) -> TestClient:
    assert isinstance(asked.client.app, FastAPI)
    return TestClient(Gate(asked.client.app, TOKEN, None))
