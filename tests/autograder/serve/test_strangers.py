"""Connections on which nobody shows a token, held open on a real server: they keep nobody out."""

import asyncio
import http.client
import select
import socket

import pytest
from small_class import notebook
from uvicorn.protocols.websockets import auto

from autograder.serve import server, strangers

BODY = notebook("x = 1")
UPLOAD = (
    "POST /api/assignments/little/submissions HTTP/1.1\r\nhost: judge\r\nauthorization: Bearer {}\r\n"
    f"content-length: {len(BODY)}\r\n\r\n"
)
HELD = {
    "a connection without a word": "",
    "a request byte by byte": "GET /api/me HTTP/1.1\r\nho",
    "a form without its end": "POST /login HTTP/1.1\r\nhost: j\r\norigin: http://j\r\ncontent-length: 9\r\n\r\n",
    "a request for a WebSocket": "GET / HTTP/1.1\r\nhost: j\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "a wrong token": "GET /api/me HTTP/1.1\r\nhost: judge\r\nauthorization: Bearer x\r\n\r\n",
}


class WebSockets(asyncio.Protocol):
    """What uvicorn hands a connection over to if a library for WebSockets happens to be installed."""

    def __init__(self, *, server_state, **_) -> None:
        self.connections = server_state.connections

    def connection_made(self, transport) -> None:
        self.connections.add(self)

    def connection_lost(self, error) -> None:
        self.connections.discard(self)


@pytest.fixture
def port(here, monkeypatch):
    monkeypatch.setattr(auto, "AutoWebSocketsProtocol", WebSockets)
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 12)
    monkeypatch.setattr(strangers, "MOST_STRANGERS", 8)
    with server.listen("127.0.0.1", 0) as listening, server._listener(here.service, listening, None, None):
        yield listening.getsockname()[1]


def test_what_strangers_say_is_not_written_into_the_instructors_terminal(capfd, here, port):
    upgrade = b"GET / HTTP/1.1\r\nhost: j\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    for nonsense, status in ((b"\x1b[2J\r\n\r\n", b"400"), (upgrade, b"200")):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(nonsense)
            assert line.recv(100).split()[1] == status
    assert capfd.readouterr() == ("", "")


def test_who_holds_connections_keeps_nobody_out_nor_breaks_off_an_upload(here, port):
    def connect(text: str) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", port), timeout=20)
        made.sendall(text.encode())
        return made

    def status(who: str, method: str, path: str) -> int:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        line.request(method, path, "no notebook", here.as_(who))
        return line.getresponse().status

    upload = connect(UPLOAD.format(here.tokens["ada"]) + BODY[:5].decode())
    while status("ada", "POST", "/api/assignments/little/submissions") != 429:  # until the one before it is on its way
        if select.select([upload], [], [], 0.05)[0]:  # that one was overtaken
            upload.close()
            upload = connect(UPLOAD.format(here.tokens["ada"]) + BODY[:5].decode())
    for text in HELD.values():
        held = [connect(text) for _ in range(20)]
        # The first may meet twenty strangers who are just being told that nobody knows their token.
        assert 200 in (status("bob", "GET", "/api/me") for _ in range(50))
        for one in held:
            one.close()
    upload.sendall(BODY[5:])
    assert upload.recv(100).startswith(b"HTTP/1.1 201")
