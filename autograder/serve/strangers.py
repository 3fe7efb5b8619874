"""Connections of strangers, on which no token has been shown: there is room for so many, and the oldest makes room.

A client that means it asks at once. So whoever holds connections open, sends a request byte by byte, or waits between
two requests, loses them to those who come later, and keeps nobody out.
"""

import asyncio
import time
from typing import Any

import h11
from starlette.requests import HTTPConnection
from uvicorn.protocols.http.h11_impl import H11Protocol

from autograder.serve.framing import Framed

MOST_STRANGERS = 500  # far more than ask in the time that looking at a token takes
_KNOWN = "fixmelab.known"


def is_known(request: HTTPConnection) -> None:
    """Note that the token of a request was looked at, and is somebody's."""
    request.scope[_KNOWN] = True


class Connection(H11Protocol):
    """One connection, as uvicorn serves it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.conn = Framed(h11.SERVER)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.made_at = time.monotonic()
        strangers = [other for other in self.connections if isinstance(other, Connection) and other.is_strange]
        if len(strangers) > MOST_STRANGERS:
            oldest = min(strangers, key=lambda other: other.made_at)
            self.connections.discard(oldest)  # it is lost only in a moment
            oldest.transport.abort()

    @property
    def is_strange(self) -> bool:
        """Whether no request of somebody who is known is being answered."""
        return self.cycle is None or self.cycle.response_complete or _KNOWN not in self.cycle.scope
