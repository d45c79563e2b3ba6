"""The machine over HTTP, for programs on the same computer, and with a token for others.

One thread uses the file of the machine (`Keeper`). What takes long and needs no machine, checking packages and drawing,
is done by others. docs/runtime.md shows the service in use; `/openapi.json` describes it.
"""

import json
from contextlib import closing
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from snnir.errors import SnnirError
from snnir.machine.configuration import CONFIG_FILE
from snnir.runtime import answers
from snnir.runtime.admission import Refused
from snnir.runtime.admission import Request as Wanted
from snnir.runtime.application import Constraints
from snnir.runtime.describe import (
    crossbar_as_json,
    crossbar_number,
    migration_as_json,
    moved_as_json,
    offer_as_json,
    resident_as_json,
    state_as_json,
)
from snnir.runtime.draw import as_svg
from snnir.runtime.fsck import findings
from snnir.runtime.gate import ALWAYS, OPEN, Gate, Invalid, problem
from snnir.runtime.keeper import Keeper, with_package
from snnir.runtime.manager import LONGEST_NAME, Manager, Misnamed, Moved, check_name
from snnir.runtime.numbers import EXACT, exact
from snnir.runtime.package import CELLS_FILE, Package, unpack
from snnir.runtime.platform import Platform
from snnir.runtime.relocate import relocated
from snnir.runtime.state import Resident, Taken, Unknown
from snnir.runtime.store import Busy, Store
from snnir.runtime.upload import MOST_BYTES, PACKAGES, Packages

MEANINGS = {
    401: "no token, or a wrong one",
    403: "the request is for another host, or comes from another site",
    404: "there is no such thing",
    408: "the package does not come",
    409: "refused; the machine is as it was",
    413: "the package is too large",
    415: "the body is of another type",
    422: "the request cannot be understood, or the package is damaged",
    500: "the file of the machine is damaged, or something else that should not be",
    503: "the machine is in use for too long, or there are too many requests; try again",
}

Name = Annotated[str, InPath(description="what the application is called on the machine")]
Coordinate = Annotated[int, InPath(ge=0)]
Exact = Annotated[str | None, Query(pattern=EXACT, max_length=48)]


def service(
    keeper: Keeper, token: str | None = None, hosts: frozenset[str] | None = None, most: int = MOST_BYTES
) -> FastAPI:
    """The service. `hosts`: the names it may be asked by, None: any; `most`: bytes of a package."""
    app = FastAPI(
        title="A machine that applications share",
        version="1",
        description="docs/runtime.md of snnir explains packages, places and guarantees.",
        dependencies=[Depends(_known_arguments)],
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_exception_handler(Invalid, _invalid)
    app.add_exception_handler(SnnirError, _failed)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _no_such_thing)
    app.add_exception_handler(Exception, _internal)
    app.add_middleware(Gate, token=token, hosts=hosts)
    app.add_api_route(
        OPEN, _health, response_model=answers.Health, responses=_meanings(403, 422, 503), summary="Is it there?"
    )
    app.include_router(_Routes(keeper, most).router(guarded=token is not None))
    return app


class _Routes:
    """What can be asked of a machine."""

    def __init__(self, keeper: Keeper, most: int) -> None:
        self.keeper = keeper
        self.packages = Packages(most)
        self.platform = keeper.platform

    def router(self, *, guarded: bool) -> APIRouter:
        """The routes; `guarded`: the description says that they need a token."""
        bearer = [Depends(HTTPBearer(auto_error=False, description="the token in the file that the service was given"))]
        router = APIRouter(prefix="/v1", dependencies=bearer if guarded else None)
        always = (401, 403, 422, 500, 503) if guarded else (403, 422, 500, 503)

        def add(method: str, path: str, work: Any, answer: Any, *codes: int, **more: Any) -> None:
            found = _meanings(*always, *codes)
            if "response_class" in more:  # errors are JSON all the same
                found = {code: _as_json(each) for code, each in found.items()} | more.pop("responses")
            router.add_api_route(path, work, methods=[method], response_model=answer, responses=found, **more)

        add("GET", "/machine", self.machine, answers.Machine)
        picture = {200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}, "description": "a picture"}}
        add("GET", "/machine.svg", self.drawn, None, responses=picture, response_class=_Picture)
        body = {"required": True, "content": {PACKAGES: {"schema": {"type": "string", "format": "binary"}}}}
        more = {"status_code": 201, "openapi_extra": {"requestBody": body}}
        add("POST", "/applications", self.admit, answers.Admitted, 408, 409, 413, 415, **more)
        add("GET", "/applications/{name}", self.application, answers.Resident, 404)
        add("DELETE", "/applications/{name}", self.remove, answers.Removed, 404)
        binary = {"type": "string", "format": "binary"}
        archive = {200: {"content": {"application/zip": {"schema": binary}}, "description": "a zip file"}}
        path = "/applications/{name}/configuration"
        add("GET", path, self.configuration, None, 404, responses=archive, response_class=_Archive)
        crossbar = "/crossbars/{x}/{y}/{n}"
        add("POST", f"{crossbar}/fail", self.fail, answers.Crossbar, 404)
        add("POST", f"{crossbar}/repair", self.repair, answers.Crossbar, 404, 409)
        add("POST", f"{crossbar}/reserve", self.reserve, answers.Crossbar, 404, 409)
        add("POST", "/defragment", self.defragment, answers.Defragmented)
        add("GET", "/fsck", self.fsck, answers.Check)
        return router

    async def machine(self) -> Any:
        """The machine: who is on it, which crossbars are faulty or reserved, and the fullest links."""
        return state_as_json(await self.keeper.state())

    async def drawn(self) -> Response:
        """A picture of the machine."""
        return _Picture(await run_in_threadpool(as_svg, await self.keeper.state()))

    async def application(self, name: Name) -> Any:
        """An application: where it is, and what is guaranteed."""
        return resident_as_json(self.platform, (await self.keeper.state()).resident(name))

    async def admit(
        self,
        request: Request,
        response: Response,
        name: Annotated[
            str | None,
            Query(
                description="what it is to be called: printable, no '/' (default: as the network)",
                min_length=1,
                max_length=LONGEST_NAME,
            ),
        ] = None,
        throughput: Annotated[Exact, Query(description="steps/s; refuse it when less would be guaranteed")] = None,
        latency: Annotated[Exact, Query(description="seconds; refuse it when the first step could be later")] = None,
        headroom: Annotated[
            str,
            Query(
                description="part of the best throughput, below 1, to give up for room on links if none is asked for",
                pattern=EXACT,
                max_length=48,
            ),
        ] = "1/20",
    ) -> Any:
        """Let an application in, with a guarantee, or refuse it with the reason. The body is a .snnpkg file."""
        part = _number("headroom", headroom)
        if part >= 1:
            raise Invalid(422, f"headroom: {headroom} is no part of a throughput", "give a number from 0 to below 1")
        wanted = Constraints(_positive("throughput", throughput), _positive("latency", latency))
        if name is not None:
            check_name(name)
        data = await self.packages.sent(request)
        package = await run_in_threadpool(_unpacked, data)
        called = package.application.name if name is None else name
        offer = await self.keeper.ask(lambda manager: manager.admit(package, data, Wanted(called, wanted, part)))
        response.headers["Location"] = f"/v1/applications/{quote(called, safe='')}"
        return offer_as_json(self.platform, offer)

    async def remove(self, name: Name) -> Any:
        """Take an application away."""
        resident = await self.keeper.ask(lambda manager: manager.remove(name))
        return {"removed": resident.name, "crossbars": len(resident.crossbars)}

    async def configuration(self, request: Request, name: Name) -> Response:
        """The configuration of an application where it is now: a zip file of config.json and cells.safetensors."""
        resident, data = await self.keeper.ask(lambda manager: with_package(manager, name))
        self.packages.hold(request, len(data))
        return _Archive(
            await run_in_threadpool(_zipped, self.platform, resident, data),
            headers={"Content-Disposition": 'attachment; filename="configuration.zip"'},
        )

    async def fail(self, x: Coordinate, y: Coordinate, n: Coordinate) -> Any:
        """A crossbar has failed; what runs on it is admitted again elsewhere, if it can."""
        number = crossbar_number(self.platform, x, y, n)
        return self._now(number, "faulty", await self.keeper.ask(lambda manager: manager.fail(number)))

    async def repair(self, x: Coordinate, y: Coordinate, n: Coordinate) -> Any:
        """A crossbar works again, or is no longer reserved."""
        number = crossbar_number(self.platform, x, y, n)
        await self.keeper.ask(lambda manager: manager.repair(number))
        return self._now(number, "free")

    async def reserve(self, x: Coordinate, y: Coordinate, n: Coordinate) -> Any:
        """Keep a free crossbar from being used."""
        number = crossbar_number(self.platform, x, y, n)
        await self.keeper.ask(lambda manager: manager.reserve(number))
        return self._now(number, "reserved")

    async def defragment(self, dry_run: Annotated[bool, Query(description="only say what would move")] = False) -> Any:
        """Move applications to smaller places, with guarantees that are no worse."""
        moves = await self.keeper.ask(lambda manager: manager.defragment(really=not dry_run))
        return {"dry_run": dry_run, "moves": [migration_as_json(self.platform, move) for move in moves]}

    async def fsck(self) -> Any:
        """Whether the machine's file is sound."""
        found = await self.keeper.ask(_found)
        return {"sound": not found, "findings": found}

    def _now(self, crossbar: int, state: str, moved: Moved | None = None) -> dict[str, Any]:
        place = crossbar_as_json(self.platform, crossbar)
        return {"crossbar": place, "state": state, "moved": moved_as_json(self.platform, moved)}


class _Picture(Response):
    media_type = "image/svg+xml"


class _Archive(Response):
    media_type = "application/zip"


async def _health() -> Any:
    return {"status": "ok"}


def _meanings(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": answers.Problem, "description": MEANINGS[code]} for code in sorted(codes)}


def _as_json(meaning: dict[str, Any]) -> dict[str, Any]:
    """The meaning of an error where other answers are no JSON."""
    schema = {"$ref": f"#/components/schemas/{answers.Problem.__name__}"}
    return {"description": meaning["description"], "content": {"application/json": {"schema": schema}}}


def _known_arguments(request: Request) -> None:
    """A misspelt argument must not be ignored, nor one of two that contradict each other."""
    known = {argument.alias for argument in request.scope["route"].dependant.query_params}
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in known or given.count(name) > 1:
            what = "is given twice" if name in known else "is no argument of this"
            fix = f"known: {', '.join(sorted(known)) or 'none'}; each once"
            raise Invalid(422, f"{name[:LONGEST_NAME]!r} {what}", fix)


def _number(name: str, text: str) -> Fraction:
    try:
        return exact(text)
    except ValueError as error:
        raise Invalid(422, f"{name}: {error}", "give a number as 2.5e5 or 1/3") from None


def _positive(name: str, text: str | None) -> Fraction | None:
    found = None if text is None else _number(name, text)
    if found == 0:
        raise Invalid(422, f"{name}: {text} is not positive", "give a number as 2.5e5 or 1/3, or leave it out")
    return found


def _found(manager: Manager) -> list[str]:
    """What is wrong with the file, not with what is remembered of it."""
    with closing(Store(manager.store.path, manager.store.patience)) as store:
        return list(findings(store))


def _unpacked(data: bytes) -> Package:
    try:
        return unpack(Path("package"), data)
    except SnnirError as error:
        raise Invalid(422, f"{error.place}: {error.message}", error.hint) from None


def _zipped(platform: Platform, resident: Resident, data: bytes) -> bytes:
    """The files that `relocate` writes, as a zip file that is the same each time."""
    package = unpack(Path(resident.name), data, resident.package)
    guarantee = resident.period, resident.latency
    document = relocated(package, resident.crossbars.tolist(), platform, guarantee)
    text = json.dumps(document, indent=1) + "\n"
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as archive:
        for name, content in ((CELLS_FILE, package.cells), (CONFIG_FILE, text.encode())):
            archive.writestr(ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, Invalid)
    return error.answer


def _failed(_: Request, error: Exception) -> Response:
    """Errors of the machine; where its file is concerns nobody outside."""
    assert isinstance(error, SnnirError)
    place = f"{error.place}: {error.message}"
    match error:
        case Refused():
            return problem(409, place, error.hint, None if error.best is None else float(error.best))
        case Taken():
            return problem(409, place, error.hint)
        case Misnamed():
            return problem(422, place, error.hint)
        case Unknown():
            return problem(404, place, error.hint)
        case Busy():
            return problem(503, f"the machine {error.message}", error.hint, headers={"Retry-After": "1"})
        case _:
            return problem(500, f"the machine: {error.message}", error.hint)


def _not_understood(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return problem(422, f"{first['loc'][-1]}: {first['msg']}", "see /openapi.json")


def _no_such_thing(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail.lower(), "see /openapi.json", headers=error.headers)


def _internal(_: Request, error: Exception) -> Response:
    """What is beyond the gate does not come through it."""
    return problem(500, f"internal error ({type(error).__name__})", "the log of the service says more", headers=ALWAYS)
