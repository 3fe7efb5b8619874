"""Requests on a real server of which a proxy in front could see the end elsewhere."""

import socket

import pytest

from autograder.serve import server

BOTH = "content-length: 4\r\ntransfer-encoding: chunked\r\n"
BODY = "1\r\nx\r\n0\r\n\r\n"


@pytest.fixture
def port(here):
    with server.listen("127.0.0.1", 0) as listening, server._listener(here.service, listening, None, None):
        yield listening.getsockname()[1]


def said(port: int, *requests: str) -> bytes:
    """All that comes back until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        line.sendall("".join(requests).encode())
        return b"".join(iter(lambda: line.recv(2**16), b""))


@pytest.mark.parametrize(
    ("version", "framing", "status"),
    [
        ("1.1", BOTH, 400),
        ("1.1", "transfer-encoding: chunked\r\ncontent-length: 11\r\n", 400),
        ("1.0", "transfer-encoding: chunked\r\nconnection: keep-alive\r\n", 400),
        ("1.1", "content-length: 11\r\ncontent-length: 12\r\n", 400),
        ("1.1", "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n", 400),
        ("1.1", "transfer-encoding : chunked\r\n", 400),
        ("1.1", "transfer-encoding: chunked\r\n", 422),
        ("1.1", "content-length: 11\r\n", 422),
    ],
    ids=["both", "both_turned", "old", "two_lengths", "two_encodings", "space", "encoding", "length"],
)
def test_what_ends_in_two_places_is_refused_with_all_that_follows(here, port, version, framing, status):
    """And what ends in one place is not: then the next request, which is bob's, is answered."""
    who = {name: f"authorization: Bearer {here.tokens[name]}\r\n" for name in ("ada", "bob")}
    first = f"POST /api/assignments/little/submissions HTTP/{version}\r\nhost: j\r\n{who['ada']}{framing}\r\n{BODY}"
    second = f"GET /api/me HTTP/1.1\r\nhost: j\r\n{who['bob']}connection: close\r\n\r\n"
    answer = said(port, first, second)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert (b'"bob"' in answer) == (status != 400)
