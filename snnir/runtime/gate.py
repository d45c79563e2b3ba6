"""Who may ask the service, and how many at once.

A service that only this computer reaches can still be reached by web pages that its user looks at: a page may send
requests to 127.0.0.1, and by a name that it makes point there (DNS rebinding) may read answers. So the `Host` must be
one of ours, and requests that a browser sends for another site (`Origin`, `Sec-Fetch-Site`) are refused. With a token
each request must have it.
"""

import re
from asyncio import CancelledError
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import ExitStack
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_AT_ONCE = 64
"""Requests that are worked on or wait."""
LONGEST = 2000
"""Characters of an error."""
OPEN = "/healthz"
"""What may be asked without a token."""
ALWAYS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
"""Headers of every answer."""
_AFTER = "snnir.after"
"""In the scope of a request: an `ExitStack`, for what is done when it has been answered."""
_RAW = [(name.encode(), value.encode()) for name, value in ALWAYS.items()]
_HOST = re.compile(rb"(\[[0-9a-fA-F:.]+\]|[^\[\]:]+)(:[0-9]{1,5})?")


def problem(
    status: int, error: str, fix: str, best: float | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer of the model `Problem`."""
    found: dict[str, Any] = {"error": _plain(error), "fix": _plain(fix)}
    if best is not None:
        found["best_steps_per_second"] = best
    return JSONResponse(found, status, headers)


def _plain(text: str) -> str:
    """One line, not endless, and such that it can be sent, whatever a damaged package says."""
    return " ".join(text.split())[:LONGEST].encode("utf-8", "replace").decode()


class Invalid(Exception):
    """A request that is answered with a problem."""

    def __init__(self, status: int, error: str, fix: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(error)
        self.answer = problem(status, error, fix, headers=headers)


def until_answered(scope: "MutableMapping[str, Any]", work: Callable[[], None]) -> None:
    """Have something done when a request that went through the gate has been answered, or has failed."""
    scope[_AFTER].callback(work)


class Gate:
    """Stands before an application. `hosts`: the names that a `Host` may have, without ports; None: any."""

    def __init__(self, app: "ASGIApp", token: str | None, hosts: frozenset[str] | None) -> None:
        self.app = app
        self._token = None if token is None else token.encode("ascii")
        self._hosts = None if hosts is None else {host.encode() for host in hosts}
        self._running = 0

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        begun = False

        async def sent(message: "Message") -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message.get("headers", ()), *_RAW]
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, sent)
            return
        self._running += 1
        with ExitStack() as after:
            after.callback(self._end_one)
            scope[_AFTER] = after
            try:
                await self.app(scope, receive, sent)
            except CancelledError:  # the server ends, and does not wait any longer
                if not begun:
                    ended = problem(503, "the service ends", "ask again; it may have been done or not")
                    await ended(scope, receive, sent)

    def _end_one(self) -> None:
        self._running -= 1

    def _refusal(self, scope: "Scope") -> Response | None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if self._foreign(headers):
            return problem(403, "the request is for another host, or from another site", "ask this service directly")
        if self._token is not None and scope["path"] != OPEN and not self._known(headers):
            fix = "send the header Authorization: Bearer TOKEN, with the token in the file that the service was given"
            return problem(401, "no token, or a wrong one", fix, headers={"WWW-Authenticate": "Bearer"})
        if self._running >= MOST_AT_ONCE:
            return problem(503, "too many requests at once", "try again", headers={"Retry-After": "1"})
        return None

    def _foreign(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Whether the request goes to a name that is not ours, or comes from a page that is not ours."""
        hosts = _values(headers, b"host")
        if self._hosts is not None:
            found = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
            if found is None or found[1].lower() not in self._hosts:
                return True
        if any(value not in (b"same-origin", b"none") for value in _values(headers, b"sec-fetch-site")):
            return True
        ours = [scheme + host.lower() for host in hosts for scheme in (b"http://", b"https://")]
        return any(value.lower() not in ours for value in _values(headers, b"origin"))

    def _known(self, headers: list[tuple[bytes, bytes]]) -> bool:
        """Whether the request has the token; how long this takes says nothing about it."""
        values = _values(headers, b"authorization")
        kind, _, token = values[0].partition(b" ") if len(values) == 1 else (b"", b"", b"")
        return compare_digest(token.strip(), self._token or b"") and kind.lower() == b"bearer"


def _values(headers: list[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]
