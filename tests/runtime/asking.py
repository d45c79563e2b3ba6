"""A client of the service that checks each answer, and what it asks with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from snnir.runtime.keeper import Keeper
from snnir.runtime.package import read_package
from snnir.runtime.service import service
from snnir.runtime.store import Store
from snnir.runtime.upload import PACKAGES
from tests.runtime.applications import sample_package

URL = "http://127.0.0.1:8765"
LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})
TOKEN = "0123456789abcdef-a-token"


def package() -> bytes:
    return sample_package("mesh4x4-128-shared").read_bytes()


def other_package() -> bytes:
    """One for another machine."""
    return sample_package("mesh2x2-64").read_bytes()


@dataclass
class Asking:
    """A client that holds every answer against the description, and remembers which kinds it got."""

    path: Path
    client: TestClient
    document: dict[str, Any]
    seen: set[tuple[str, str, int]] = field(default_factory=set[tuple[str, str, int]])

    def __call__(self, method: str, path: str, code: int, **more: Any) -> httpx2.Response:
        """The answer, whose status must be `code`; when it is an error, nothing may have changed."""
        before = self.path.read_bytes()
        answer = self.client.request(method, path, **more)
        assert answer.status_code == code, answer.text
        if code >= 400:
            assert self.path.read_bytes() == before
            assert {"error", "fix"} <= answer.json().keys() and "Traceback" not in answer.text
            assert str(self.path) not in answer.text
        self._as_described(method, path, answer)
        return answer

    def _as_described(self, method: str, path: str, answer: httpx2.Response) -> None:
        plain = path.partition("?")[0]
        known = [each for each in self.document["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), plain)]
        assert len(known) == 1, plain
        described = self.document["paths"][known[0]][method.lower()]["responses"][str(answer.status_code)]
        kind = answer.headers["content-type"].partition(";")[0]
        schema = described["content"][kind]["schema"]
        if kind == "application/json":
            whole = {**schema, "components": self.document["components"]}
            assert not list(_errors(whole, answer.json()))
        self.seen.add((known[0], method, answer.status_code))

    def admit(self, code: int = 201, content: bytes | None = None, **query: str) -> Any:
        """What is said to the sample package, or to another one."""
        data = package() if content is None else content
        headers = {"Content-Type": PACKAGES}
        return self("POST", "/v1/applications", code, params=query, content=data, headers=headers).json()


def _errors(schema: dict[str, Any], value: Any) -> Iterator[Any]:
    yield from Draft202012Validator(schema).iter_errors(value)  # pyright: ignore[reportUnknownMemberType]


def new_machine(path: Path) -> Path:
    """An empty machine, which the sample package is for."""
    Store.create(path, read_package(sample_package("mesh4x4-128-shared")).application.platform).close()
    return path


def asking(path: Path, keeper: Keeper, token: str | None = None, **more: Any) -> Asking:
    app = service(keeper, token, LOCAL, **more)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return Asking(path, TestClient(app, URL, raise_server_exceptions=False, headers=headers), app.openapi())


def operations(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(template, method, path) of every operation."""
    return [
        (template, method.upper(), re.sub(r"\{(\w+)\}", lambda each: "a" if each[1] == "name" else "0", template))
        for template, methods in document["paths"].items()
        for method in methods
    ]
