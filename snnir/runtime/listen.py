"""The service on a port, until it is told to end."""

import signal
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NoReturn

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from snnir.errors import SnnirError
from snnir.runtime.keeper import Keeper
from snnir.runtime.service import service

GRACE = 3
"""Seconds that requests get to finish when the service ends."""
SHORTEST, LONGEST = 16, 4096
"""Characters of a token."""


def read_token(path: Path) -> str:
    """The token in a file: printable ASCII characters without blanks. Raises `SnnirError`, which does not show it."""
    fix = f"put {SHORTEST} to {LONGEST} random letters and digits into it: openssl rand -hex 32"
    try:
        with path.open("rb") as file:
            found = file.read(LONGEST + 2).strip().decode("ascii", "replace")
    except OSError as error:
        raise SnnirError(path, f"cannot be read: {error.strerror}", "name the file of the token") from None
    if not SHORTEST <= len(found) <= LONGEST or not all("!" <= letter <= "~" for letter in found):
        raise SnnirError(path, "holds no token", fix)
    return found


def listen(machine: Path, host: str, port: int, token: str | None, ready: Callable[[str], None]) -> None:
    """Answer requests for a machine; `ready` is told where, as soon as that can be done.

    Ends with `SystemExit` after SIGTERM and `KeyboardInterrupt` after SIGINT, when running requests are done. Raises
    `SnnirError` when it may not or cannot listen there: other computers must not reach it without a token.
    """
    family, address = _address(host, port)
    local = ip_address(address[0]).is_loopback
    if not local and token is None:
        raise SnnirError(host, "others could change the machine", "give --token-file FILE, or listen on 127.0.0.1")
    name = f"[{address[0]}]" if family == socket.AF_INET6 else address[0]
    hosts = frozenset({"localhost", "127.0.0.1", "[::1]", name, host.lower()}) if local else None
    before = signal.signal(signal.SIGTERM, _end)
    try:
        with Keeper(machine) as keeper, closing(_bound(family, address)) as listener:
            config = uvicorn.Config(
                service(keeper, token, hosts),
                http="h11",
                ws="none",
                lifespan="off",
                log_config=_logging(),
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
            )
            listener.listen(config.backlog)
            ready(f"http://{name}:{listener.getsockname()[1]}")
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(*_: object) -> NoReturn:
    sys.exit(0)


def _address(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    """What a name stands for."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise SnnirError(host, "is no name of this computer", "give --host 127.0.0.1, or another address") from None
    return family, address


def _bound(family: socket.AddressFamily, address: tuple[Any, ...]) -> socket.socket:
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        place = f"{address[0]}:{address[1]}"
        raise SnnirError(place, f"cannot listen: {error.strerror}", "choose another --port or --host") from None
    return listener


def _logging() -> dict[str, Any]:
    """All of the log on stderr; a line for each request, which never has a token in it."""
    config: dict[str, Any] = deepcopy(LOGGING_CONFIG)
    config["handlers"]["access"]["stream"] = "ext://sys.stderr"
    return config
