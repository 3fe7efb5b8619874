"""What is bounded before anything is read: bytes, seconds and uploads of a body, and requests of a person."""

import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import anyio
from fastapi import HTTPException
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autograder.serve.receiving import RefusedError
from fixmelab.submitting.connection import MOST_NOTEBOOK, TOO_LARGE

MOST_SECONDS = 60.0  # that a body may take to arrive
MOST_FORM = 2048  # bytes of what is no notebook
MOST_UPLOADS = 32 * MOST_NOTEBOOK  # bytes at once, all of which may lie in memory
BURST, PER_SECOND = 60, 4.0  # requests of one person: so many at once, and so many a second after that
MOST_PEOPLE = 10_000

POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


class Requests:
    """How often each person asks: as many at once as fit a bucket, which fills again with time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._left: dict[object, tuple[float, float]] = {}

    def count(self, who: object) -> None:
        """Count a request. Raises RefusedError if there were too many."""
        if (left := self.charge(who, 1, least=-1.0)) < 0:
            raise RefusedError(429, "too many requests; wait a moment", max(-left / PER_SECOND, 1.0))

    def charge(self, who: object, cost: float, *, least: float = float(-BURST)) -> float:
        """Count what has cost as much as so many requests, and say how many are left to somebody; below 0 they wait.
        Nobody falls below `least`, unless they are there already."""
        now = self._clock()
        with self._lock:
            if len(self._left) > MOST_PEOPLE:
                self._left.clear()
            left, at = self._left.get(who, (float(BURST), now))
            left = min(left + (now - at) * PER_SECOND, BURST)
            left = max(left - cost, min(left, least))
            self._left[who] = left, now
        return left


class Uploads:
    """Bodies on their way, until they are on disk: one of each person, and so many bytes in all."""

    def __init__(self) -> None:
        self._sizes: dict[object, int] = {}

    @contextlib.contextmanager
    def one_of(self, who: object, most: int) -> Iterator[None]:
        """A body of at most so many bytes. Raises RefusedError if there is no room for another."""
        if who in self._sizes:
            raise RefusedError(429, "another notebook of yours is on its way; wait for it", 2.0)
        if sum(self._sizes.values()) + most > MOST_UPLOADS:
            raise RefusedError(503, "too many notebooks arrive at once; try again in a moment", 2.0)
        self._sizes[who] = most
        try:
            yield
        finally:
            del self._sizes[who]


def most_of(request: Request, most: int = MOST_NOTEBOOK) -> int:
    """How many bytes a request's body may have, as it says or else `most`. Raises RefusedError if it says more."""
    said = request.headers.get("content-length", "")
    if not said.isdecimal():
        return most
    if len(said) > 15 or int(said) > most:
        raise _too_large(most)
    return int(said)


async def body_of(request: Request, most: int = MOST_NOTEBOOK) -> bytes:
    """A request's body. Raises RefusedError if it is larger than `most`, as it says or as it turns out, or too slow."""
    most_of(request, most)
    data = bytearray()
    try:
        with anyio.fail_after(MOST_SECONDS):
            async for piece in request.stream():
                data += piece
                if len(data) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise RefusedError(408, f"the notebook took more than {MOST_SECONDS:g} s to arrive; try again") from None
    except ClientDisconnect:
        raise RefusedError(400, "the connection was lost") from None
    return bytes(data)


class Small(APIRoute):
    """A route that takes no more than a form as JSON: FastAPI reads that before it has anybody look at the token."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            return await handler(_Small(request.scope, request.receive))

        return bounded


class _Small(Request):
    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            try:
                self._body = await body_of(self, MOST_FORM)
            except RefusedError as error:  # of which FastAPI would say that there was an error
                raise HTTPException(error.status, str(error)) from None
        return self._body


def _too_large(most: int) -> RefusedError:
    return RefusedError(413, TOO_LARGE if most == MOST_NOTEBOOK else "this is larger than any form here")


class WithHeaders:
    """Puts on each answer what tells a browser to run nothing, load nothing from elsewhere, and keep no copy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._pairs]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)

    _pairs: list[tuple[bytes, Any]] = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
