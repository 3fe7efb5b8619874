"""The student's side of the server: asking again, what is refused, and what is shown."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fixmelab import environment
from fixmelab.commands.main import app
from fixmelab.standing import released
from fixmelab.submitting import connection, submit
from fixmelab.submitting.connection import Connection, ServerError

NAME = "foundations"
EXERCISE = {"exercise": "convolve", "verdict": "fail", "meaning": "wrong answer", "score": 0.0, "max_score": 2.0}


class Scripted:
    """A server that gives the answers it was told, one after the other, and notes what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes] | None] = []
        self.asked: list[tuple[str, str, bytes, str]] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                scripted.asked.append((self.command, self.path, data, self.headers["Authorization"]))
                answer = scripted.answers.pop(0)
                if answer is None:  # the connection is lost
                    return
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def will(self, status: int, content: Any = None, **headers: str) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.answers.append((status, {name.replace("_", "-"): value for name, value in headers.items()}, data))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    made = Scripted()
    monkeypatch.setattr(connection.time, "sleep", lambda seconds: None)
    threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "mine.ipynb"
    path.write_text(json.dumps(released.notebook(NAME)), encoding="utf-8")
    return path


ME = {"student": "ada", "is_instructor": False, "assignments": [{"name": NAME, "is_open": True, "line": "open"}]}


def state(path: Path, state: str, **more: Any) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    told = {"assignment": NAME, "digest": digest, "received": "2027-01-15T08:00:00+00:00", "state": state, "place": 0}
    return told | {"line": "is graded", "receipt": {"signature": "s"}, "exercises": []} | more


def run(scripted: Scripted, notebook: Path, token: str = "t0ken") -> Any:
    environment = {"FIXMELAB_SERVER": scripted.url, "FIXMELAB_TOKEN": token}
    return CliRunner().invoke(app, ["submit", str(notebook)], env=environment)


def test_a_notebook_is_sent_until_it_arrives_and_its_verdicts_are_shown(scripted, notebook):
    scripted.answers.append(None)
    scripted.will(200, ME)
    scripted.answers.append(None)
    scripted.will(502, b"<html>")
    scripted.will(200, b"<html>a page to sign in to the hotel's network")
    scripted.will(429, {"detail": "too many requests"}, Retry_After="1")
    scripted.will(201, state(notebook, "queued", place=3))
    scripted.will(200, state(notebook, "queued", place=1))
    scripted.answers.append(None)
    scripted.will(200, state(notebook, "running"))
    graded = [
        EXERCISE | {"message": "Not flipped.", "hints": ["a rule: $k * x$"]},
        EXERCISE | {"exercise": "pad", "verdict": "pass", "was": "fail"},
    ]
    scores = {"score": 2.0, "max_score": 4.0, "waiting_for_a_person": 3.0}
    scripted.will(200, state(notebook, "done", exercises=graded, **scores))
    done = run(scripted, notebook)
    assert done.exit_code == 0, done.output
    assert f"{NAME}: 2 of 4 points, and a person grades 3 more." in done.output
    assert "✗ convolve    0 of 2  wrong answer: Not flipped." in done.output
    assert f"wrong answer: Not flipped.\n{' ' * 21}Hint, a rule: $k * x$\n" in done.output
    assert "✓ pad         0 of 2  wrong answer (changed)" in done.output
    methods, paths, data, tokens = zip(*scripted.asked, strict=True)
    assert methods == ("GET",) * 2 + ("POST",) * 5 + ("GET",) * 4 and set(tokens) == {"Bearer t0ken"}
    assert set(data[2:7]) == {notebook.read_bytes()}
    assert paths[0] == "/api/me"
    assert paths[2] == f"/api/assignments/{NAME}/submissions" and paths[7].startswith(f"{paths[2]}/")
    (receipt,) = notebook.parent.glob("*.receipt.json")
    assert json.loads(receipt.read_text()) == {"signature": "s"}


def test_a_refusal_is_one_line(scripted, notebook, capsys):
    for status, detail, said in (
        (403, "foundations closed", "foundations closed"),
        (401, "?", "the server does not know this token: copy it again"),
        (429, "6 tries an hour; try again in 40 min", "try again in 40 min"),
        (302, "?", "?"),
    ):
        scripted.will(200, ME)
        scripted.will(status, {"detail": detail}, Retry_After="2400", Location="http://evil.example/")
        done = run(scripted, notebook)
        assert isinstance(done.exception, ServerError) and said in str(done.exception), done.output
    assert len(scripted.asked) == 8, "nothing is asked again, and no other server is asked"


def test_what_the_server_would_not_read_is_not_sent(scripted, notebook, monkeypatch):
    scripted.will(401, {"detail": "?"})
    scripted.will(200, ME | {"is_instructor": True})
    scripted.will(200, ME | {"assignments": [{"name": "vae"}]})
    said = [str(run(scripted, notebook).exception) for _ in range(3)]
    monkeypatch.setattr(submit, "MOST_NOTEBOOK", 100)
    said.append(str(run(scripted, notebook).exception))
    for line, expected in zip(
        said, ("does not know this token", "an instructor's token", "it takes: vae", "larger than 20 MB"), strict=True
    ):
        assert expected in line
    assert [path for _, path, _, _ in scripted.asked] == ["/api/me"] * 3


def test_a_server_that_acknowledges_something_else_is_not_believed(scripted, notebook):
    scripted.will(200, ME)
    scripted.will(201, state(notebook, "done") | {"digest": "0" * 64})
    done = run(scripted, notebook)
    assert "another notebook than yours" in str(done.exception) and not list(notebook.parent.glob("*.receipt.json"))


def test_what_was_not_graded_is_told_by_the_exit_code(scripted, notebook):
    scripted.will(200, ME)
    scripted.will(201, state(notebook, "refused", line="is of another course"))
    done = run(scripted, notebook)
    assert done.exit_code == 1 and f"{NAME}: is of another course." in done.output


def test_the_network_may_be_away_for_long_but_not_for_ever(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(connection.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    monkeypatch.setattr(connection.time, "monotonic", lambda: clock[0])
    told: list[str] = []
    with pytest.raises(ServerError, match="cannot be reached .*; give it again"):
        Connection("http://127.0.0.1:9", "t", told.append).ask("me")
    assert len(told) > 50 and clock[0] > connection.PATIENCE - connection.LONGEST_PAUSE


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("judge.example", "t", "is no address of a server"),
        ("file:///etc/passwd", "t", "is no address of a server"),
        *[
            (f"https://{rest}", "t", "is no address of a server")
            for rest in ("[a", "a:b", "a:99999", "a..b", "a b", "a\tb", "ada@a", "a/ü", "a/?b", "a#b", "a\\b")
        ],
        ("http://judge.example", "t", "would travel unencrypted"),
        ("https://judge.example", "", "the token is not whole"),
        ("https://judge.example", "a\nb", "the token is not whole"),
        ("https://judge.example", "tökén", "the token is not whole"),
    ],
)
def test_an_address_or_a_token_that_is_none_is_one_line(url, token, said):
    with pytest.raises(ServerError, match=said):
        Connection(url, token)


def test_without_a_server_or_a_token_it_says_what_to_give(notebook, tmp_path, monkeypatch):
    monkeypatch.delenv("FIXMELAB_SERVER", raising=False)
    monkeypatch.delenv("FIXMELAB_TOKEN", raising=False)
    with pytest.raises(ServerError, match="which server"):
        submit.submit_file(notebook, None, None)
    with pytest.raises(ServerError, match="where is your token"):
        submit.submit_file(notebook, "https://judge.example", None)
    with pytest.raises(ServerError, match="cannot be read"):
        submit.submit_file(notebook, "https://judge.example", tmp_path / "none")


def test_in_a_notebook_it_asks_once_and_shows_a_table(scripted, notebook, monkeypatch, capsys):
    monkeypatch.setattr(submit, "_asked", {})
    for name in ("FIXMELAB_SERVER", "FIXMELAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    asked: list[str] = []
    answer: Callable[..., Any] = lambda reply: lambda prompt: asked.append(prompt) or reply  # noqa: E731
    monkeypatch.setattr("builtins.input", answer(scripted.url))
    monkeypatch.setattr(submit.getpass, "getpass", answer("t0ken"))
    lab = environment.Lab(NAME, None, "smoke", notebook.parent, in_colab=False)
    for _ in range(2):
        told = state(notebook, "done", exercises=[EXERCISE | {"message": "<b>no</b>"}], score=0.0, max_score=2.0)
        scripted.will(200, ME)
        scripted.will(200, told)
        shown = lab.submit(path=notebook)
    assert len(asked) == 2
    html = shown._repr_html_()
    assert "wrong answer: &lt;b&gt;no&lt;/b&gt;" in html and "foundations: 0 of 2 points." in html
    scripted.will(200, ME)
    scripted.will(403, {"detail": "foundations closed"})
    assert lab.submit(path=notebook) is None and "✗ foundations closed" in capsys.readouterr().out
    monkeypatch.setenv("FIXMELAB_JUDGE", "socket")
    assert lab.submit() is None and len(scripted.asked) == 6
