"""Packages on their way through the service: how large one may be, how many bytes all together, how slow a sender."""

from asyncio import wait_for
from contextlib import aclosing

from starlette.requests import ClientDisconnect, Request

from snnir.runtime.gate import Invalid, until_answered

MOST_BYTES = 256 << 20
"""The largest package that is taken."""
AT_ONCE = 2
"""So many of the largest packages may be in memory at once, in whatever number of requests; checking one takes some
six times its bytes."""
SILENCE = 30.0
"""Seconds that a sender may take from one piece of a package to the next."""
PACKAGES = "application/octet-stream"


class Packages:
    """Bytes of packages that requests hold until they are answered. `most`: of one package that is sent."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._all = self._left = AT_ONCE * most

    def hold(self, request: Request, size: int) -> None:
        """Count so many bytes until the request is answered; larger ones than all are in memory alone."""
        size = min(size, self._all)
        if size > self._left:
            fix = f"try again; packages of {self._all} bytes are worked on at once"
            raise Invalid(503, "too many large packages at once", fix, {"Retry-After": "1"})
        self._left -= size
        until_answered(request.scope, lambda: self._give_back(size))

    async def sent(self, request: Request) -> bytes:
        """The package that a request brings, of which no more is read than is taken."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != PACKAGES:
            raise Invalid(415, "the body is no package", f"send the bytes of a .snnpkg file as {PACKAGES}")
        fix = f"at most {self.most} bytes are taken here; snnc machine admit takes more"
        length = request.headers.get("content-length", "")
        known = int(length[:20]) if length.isdecimal() else None
        if known is not None and known > self.most:
            raise Invalid(413, f"the package has {known} bytes", fix)
        self.hold(request, self.most if known is None else known)
        data = bytearray()
        try:
            async with aclosing(request.stream()) as pieces:
                while piece := await wait_for(anext(pieces), SILENCE):  # the last piece is empty
                    data += piece
                    if len(data) > self.most:
                        raise Invalid(413, "the package is too large", fix)
        except ClientDisconnect:
            raise Invalid(422, "the body ends too early", "send all of the package") from None
        except TimeoutError:
            raise Invalid(408, f"nothing has come for {SILENCE:g} s", "send the package without a pause") from None
        return bytes(data)

    def _give_back(self, size: int) -> None:
        self._left += size
