"""The service as a process: how it starts and ends, what it refuses, and the examples of its documentation."""

from __future__ import annotations

import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snnir.cli.snnc import main
from snnir.runtime.fsck import findings
from snnir.runtime.manager import Manager
from snnir.runtime.state import Unknown
from snnir.runtime.store import Store
from snnir.runtime.upload import PACKAGES
from tests.runtime.asking import TOKEN, new_machine, package

COMMAND = "from snnir.cli.snnc import main; import sys; sys.exit(main(sys.argv[1:]))"
PLACE = "http://127.0.0.1:8765"
"""Where the documentation's examples ask."""


@dataclass
class Serving:
    """A running service. `log`: the file of what it says."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def end(self, how: signal.Signals) -> tuple[int, str]:
        """The exit code and the log, after a signal."""
        self.process.send_signal(how)
        code = self.process.wait(60)
        return code, self.log.read_text()


@contextmanager
def serving(path: Path, *words: str) -> Generator[Serving]:
    """`snnc machine serve` on a free port."""
    log = path.with_suffix(".log")
    command = [sys.executable, "-c", COMMAND, "machine", "serve", str(path), "--port", "0", *words]
    with (
        log.open("w") as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, cwd=path.parent, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            found = re.fullmatch(r"serving    (http://\S+)\n", line)
            assert found, line + log.read_text()
            yield Serving(found[1], process, log)
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return new_machine(tmp_path / "chip.db")


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_ends_when_it_is_told_to(path: Path, how: signal.Signals, code: int) -> None:
    with serving(path) as service:
        assert httpx2.get(f"{service.url}/healthz").json() == {"status": "ok"}
        answer = httpx2.post(f"{service.url}/v1/applications", content=package(), headers={"Content-Type": PACKAGES})
        assert answer.status_code == 201 and answer.headers["location"] == "/v1/applications/digits"
        found, log = service.end(how)
    assert found == code, log
    assert "Traceback" not in log and '"POST /v1/applications HTTP/1.1" 201' in log
    with closing(Store(path)) as store:
        assert list(store.state().residents) == ["digits"] and list(findings(store)) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_though_somebody_is_slow(path: Path, how: signal.Signals) -> None:
    """A client that never sends the rest of its package."""
    with serving(path) as service, socket.create_connection(("127.0.0.1", service.port)) as slow:
        head = f"POST /v1/applications HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {PACKAGES}\r\n"
        slow.sendall(f"{head}Content-Length: 1000\r\n\r\nabc".encode())
        assert httpx2.get(f"{service.url}/v1/machine").json()["applications"] == []
        code, log = service.end(how)
        assert slow.recv(1000).startswith(b"HTTP/1.1 503 ")
    assert code == (130 if how == signal.SIGINT else 0), log
    assert "Traceback" not in log


def test_the_token_is_in_no_log(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    with serving(path, "--host", "0.0.0.0", "--token-file", str(file)) as service:
        place = f"http://127.0.0.1:{service.port}"
        assert httpx2.get(f"{place}/v1/machine").status_code == 401
        right = {"Authorization": f"Bearer {TOKEN}", "Host": "chip.example"}
        assert httpx2.get(f"{place}/v1/machine", headers=right).status_code == 200
        line = Path(f"/proc/{service.process.pid}/cmdline")
        assert not line.exists() or TOKEN not in line.read_text()
        code, log = service.end(signal.SIGTERM)
    assert code == 0 and '"GET /v1/machine HTTP/1.1" 200' in log and TOKEN not in log


def test_too_much_is_refused_before_it_is_sent(path: Path) -> None:
    with serving(path) as service, socket.create_connection(("127.0.0.1", service.port), timeout=30) as client:
        head = f"POST /v1/applications HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {PACKAGES}\r\n"
        client.sendall(f"{head}Content-Length: {1 << 40}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 413 ")


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """What the command says that does not start: two lines, no traceback."""
    assert main(["machine", "serve", *map(str, words)]) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 2 and ": error: " in lines[0] and lines[1].startswith("  fix: "), lines
    return lines[0]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_others_need_a_token(path: Path, capsys: pytest.CaptureFixture[str], host: str) -> None:
    assert "others could change the machine" in refused(capsys, path, "--host", host)


def test_what_does_not_start(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such file" in refused(capsys, tmp_path / "none.db")
    assert "no name of this computer" in refused(capsys, path, "--host", "no.such.host.invalid")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "cannot listen" in refused(capsys, path, "--port", taken.getsockname()[1])
    assert main(["machine", "serve", str(path), "--port", "65536"]) == 1
    assert "is no port" in capsys.readouterr().err
    (tmp_path / "bad.db").write_text("no database")
    refused(capsys, tmp_path / "bad.db")


@pytest.mark.parametrize("token", [b"", b"short", b"with a blank in the middle", b"\xff" * 20, b"x" * 5000])
def test_what_is_no_token(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], token: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(token)
    said = refused(capsys, path, "--token-file", file)
    assert said == f"{file}: error: holds no token"
    assert "cannot be read" in refused(capsys, path, "--token-file", tmp_path / "none")


def test_what_is_not_installed_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name in ("snnir.runtime.listen", "snnir.runtime.service")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    assert "needs fastapi" in refused(capsys, path)


def test_other_commands_do_not_need_it() -> None:
    code = "import sys, snnir.cli.machine_commands; sys.exit('fastapi' in sys.modules or 'uvicorn' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_many_at_once(path: Path) -> None:
    """Clients of the service and another process change the machine together: each gets an answer."""
    type_ = {"Content-Type": PACKAGES}

    def come_and_go(number: int) -> list[int]:
        with httpx2.Client(base_url=service.url, timeout=60) as client:
            codes: list[int] = []
            for turn in range(4):
                name = f"n{number}-{turn}"
                query = {"name": name, "throughput": "1000"}
                came = client.post("/v1/applications", params=query, content=package(), headers=type_)
                there = client.get("/v1/machine")
                gone = client.delete(f"/v1/applications/{name}")
                codes += [each.status_code for each in (came, there, gone)]
            return codes

    def beside() -> None:
        with closing(Store(path)) as store:
            for _ in range(30):
                Manager(store).reserve(63)
                Manager(store).repair(63)

    with serving(path) as service, ThreadPoolExecutor(7) as pool:
        other = pool.submit(beside)
        assert list(pool.map(come_and_go, range(6))) == [[201, 200, 200] * 4] * 6
        other.result()
        code, log = service.end(signal.SIGTERM)
    assert code == 0 and "Traceback" not in log
    with closing(Store(path)) as store:
        assert not store.state().residents and list(findings(store)) == []
        with pytest.raises(Unknown):
            Manager(store).remove("n0-0")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Generator[Serving]:
    path = new_machine(tmp_path_factory.mktemp("raw") / "chip.db")
    with serving(path) as service:
        yield service
        code, log = service.end(signal.SIGTERM)
    assert code == 0 and "Traceback" not in log and "500 Internal" not in log, log


lines = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"GET /v1/machine HTTP/1.1",
            b"POST /v1/applications HTTP/1.1",
            b"GET /%ff%00/\xff HTTP/1.1",
            b"GET http://[/ HTTP/1.1",
            b"Host: 127.0.0.1",
            b"Content-Type: application/octet-stream",
            b"Transfer-Encoding: chunked",
            b"Content-Length: -1",
            b"Content-Length: 5",
            b"Content-Length: " + b"9" * 30,
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"",
            b"fffffffffffffffffff",
            b"3",
            b"0",
        ]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=st.lists(lines, max_size=8).map(b"\r\n".join), ended=st.booleans())
def test_what_is_no_http(shared: Serving, message: bytes, ended: bool) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as client:
        client.sendall(message + (b"\r\n\r\n" if ended else b""))
        client.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := client.recv(4096):
                answer += piece
        except ConnectionError:
            pass
    assert not answer or answer.startswith(b"HTTP/1.1 "), answer
    assert b"Traceback" not in answer and not answer.startswith(b"HTTP/1.1 5")


def test_it_is_still_there(shared: Serving) -> None:
    assert httpx2.get(f"{shared.url}/v1/machine").json()["free"] == 64


@pytest.mark.skipif(which("curl") is None or which("openssl") is None, reason="the examples use curl and openssl")
def test_the_examples_of_the_documentation(path: Path, tmp_path: Path, root: Path) -> None:
    """Each command of the section does what the page says; `...` stands for anything."""
    text = (root / "docs" / "runtime.md").read_text().partition("\n## Service\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```shell\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    commands = re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", "".join(blocks), re.MULTILINE)
    assert len(commands) >= 10
    (tmp_path / "digits.snnpkg").write_bytes(package())
    place = ""
    with ExitStack() as started:
        for words, shown in commands:
            if words.startswith("snnc machine serve "):
                service = started.enter_context(serving(path, *shlex.split(words)[4:]))
                place = f"http://127.0.0.1:{service.port}"
                printed = f"serving    {service.url.replace(str(service.port), '8765')}"
            else:
                command = ["bash", "-c", words.replace(PLACE, place)]
                printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
            pattern = re.escape(shown.strip()).replace(r"\.\.\.", ".*")
            assert re.fullmatch(pattern, printed.strip(), re.DOTALL), f"{words}\n{printed}"
