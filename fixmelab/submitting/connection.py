"""The line to the server: what is asked is asked again while the network is away. Python's own library is enough."""

import http.client
import json
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

SERVER_VARIABLE, TOKEN_VARIABLE = "FIXMELAB_SERVER", "FIXMELAB_TOKEN"
MOST_NOTEBOOK = 20 * 2**20  # bytes that a server takes; a solved notebook with its figures has two million
TOO_LARGE = f"the notebook is larger than {MOST_NOTEBOOK >> 20} MB: clear its largest outputs, and save it"
SECONDS = 30.0  # that one answer may take
PATIENCE = 900.0  # seconds for which an answer is asked for again
LONGEST_PAUSE = 15.0
MOST_BYTES = 8 * 2**20  # of an answer
PASSING = (408, 429, 502, 503, 504)  # what is worth another try
LOOPBACK = ("localhost", "127.0.0.1", "::1")

Told = Callable[[str], None]


class ServerError(ValueError):
    """The server cannot be used, or refuses: in one line, why, and what to do. `status` is HTTP's, 0 if there is
    none."""

    def __init__(self, line: str, status: int = 0) -> None:
        super().__init__(line)
        self.status = status


class Connection:
    """Asks the server at `url` in the name of whoever has `token`.

    Raises ServerError if the address is none, or would send the token unencrypted over a network.
    """

    def __init__(self, url: str, token: str, told: Told = lambda line: None) -> None:
        parts = _address(url)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ServerError(f"{url}: your token would travel unencrypted; use the address that begins with https://")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ServerError("the token is not whole: copy it again, as your instructor gave it to you")
        self._url = parts.geturl()
        self._token = token
        self._told = told
        self._opener = urllib.request.build_opener(_NoRedirect)

    def ask(self, path: str, data: bytes | None = None) -> Any:
        """The JSON that the server answers; with `data` they are sent.

        While the server cannot be reached, or is busy, it is asked again, for PATIENCE seconds. Raises ServerError.
        """
        until, pause = time.monotonic() + PATIENCE, 1.0
        while True:
            try:
                return self._ask_once(path, data)
            except _PassingError as error:
                wait = max(pause, error.seconds)
                if time.monotonic() + wait > until:
                    raise ServerError(f"{self._url}: {error}; give it again when it can be reached") from None
                self._told(f"{error}; trying again")
                time.sleep(wait)
                pause = min(2 * pause, LONGEST_PAUSE)

    def _ask_once(self, path: str, data: bytes | None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = "application/x-ipynb+json"
        request = urllib.request.Request(f"{self._url}/api/{path}", data, headers)
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                return json.loads(answer.read(MOST_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from None
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLCertVerificationError):
                raise ServerError(
                    f"{self._url}: its certificate is not valid ({reason.verify_message}); ask your instructor, and if "
                    "you get a certificate's file from them, name it in SSL_CERT_FILE"
                ) from None
            raise _PassingError(f"the server cannot be reached ({_said(reason)})", 0) from None
        except ValueError:  # a page of a proxy's, or half an answer
            raise _PassingError("the answer was not the server's", 0) from None

    def _refused(self, error: urllib.error.HTTPError) -> Exception:
        try:
            detail = json.loads(error.read(MOST_BYTES))["detail"]
            line = " ".join(str(detail).split())[:500]
        except (ValueError, LookupError, TypeError, OSError, http.client.HTTPException):
            line = f"the server answered {error.code}"
        after = error.headers.get("Retry-After", "")
        seconds = float(after) if after.isdecimal() and len(after) < 9 else 0.0
        if error.code in PASSING and seconds <= 4 * LONGEST_PAUSE:
            return _PassingError(line, seconds)
        if error.code == 401:
            line = "the server does not know this token: copy it again, or ask your instructor for another"
        return ServerError(line, error.code)


class _PassingError(Exception):
    """What may be over in a moment, or in `seconds`."""

    def __init__(self, line: str, seconds: float) -> None:
        super().__init__(line)
        self.seconds = seconds


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to the server that was named, and to no other."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _address(url: str) -> SplitResult:
    """The parts of a server's address. Raises ServerError if it is none: asking again would not help."""
    text = url.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
        is_one = parts.scheme in ("http", "https") and bool(host) and parts.path.isascii()
    except ValueError:
        is_one = False
    if not is_one or not text.isprintable() or set(" @?#\\") & set(text):
        raise ServerError(f"{url!r} is no address of a server; it begins with https://")
    return parts


def _said(reason: object) -> str:
    return " ".join(str(getattr(reason, "strerror", None) or reason or type(reason).__name__).split())[:200]


def server_and_token(server: str | None, token_file: Path | None) -> tuple[str, str]:
    """The server's address and the token: as given, else of FIXMELAB_SERVER and FIXMELAB_TOKEN; "" if there is none.

    Raises ServerError if the file cannot be read.
    """
    token = os.environ.get(TOKEN_VARIABLE, "")
    if token_file:
        try:
            token = token_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ServerError(f"{token_file}: cannot be read ({error}); it holds your token alone") from None
    return (server or os.environ.get(SERVER_VARIABLE, "")).strip(), token.strip()
