"""`lab.submit()` and `fixmelab submit`: the notebook goes to the server, and what came of it comes back."""

import getpass
import hashlib
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tqdm.auto import tqdm

from fixmelab import visible_tests
from fixmelab.files import write_whole
from fixmelab.standing import opened
from fixmelab.standing.check import SLACK
from fixmelab.standing.found import find
from fixmelab.submitting.connection import (
    MOST_NOTEBOOK,
    SERVER_VARIABLE,
    TOKEN_VARIABLE,
    TOO_LARGE,
    Connection,
    ServerError,
    server_and_token,
)
from fixmelab.submitting.verdicts import Verdicts

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds between two looks
SETTLED = ("done", "refused", "fault")

_asked: dict[str, str] = {}  # what was typed in this process


def submit_here(name: str, receipts: Path, server: str | None = None, path: str | Path | None = None) -> Verdicts:
    """Hand in the notebook whose cell asks, or the one at `path`, and wait for its verdicts; `name` is that of the
    course's notebook. Address and token are asked for if no variable of the environment holds them.

    Raises NotebookError if there is no such notebook or it is not saved, ServerError if the server refuses it.
    """
    notebook = opened.here(name) if path is None else opened.by_path(Path(path))
    if notebook.saved is not None and notebook.saved + SLACK < visible_tests.remembered().last_run:
        raise ServerError("cells have run since the file was saved: save it (Ctrl+S), then run this cell again")
    address, token = server_and_token(server, None)
    address = address or _asked.get(SERVER_VARIABLE) or input("Address of the server (https://…): ").strip()
    token = token or _asked.get(TOKEN_VARIABLE) or getpass.getpass("Your token: ").strip()
    found = hand_in(name, notebook.data, Connection(address, token, tqdm.write), receipts)
    _asked.update({SERVER_VARIABLE: address, TOKEN_VARIABLE: token})
    return found


def submit_file(path: Path, server: str | None, token_file: Path | None, receipts: Path | None = None) -> Verdicts:
    """Hand in a notebook's file, whichever of the course's it is, and wait for its verdicts.

    Raises NotebookError, OtherNotebookError and ServerError, as `submit_here`.
    """
    notebook = opened.by_path(path)
    name = find(notebook.notebook, None, str(path)).name
    address, token = server_and_token(server, token_file)
    if not address:
        raise ServerError(f"which server? give --server URL, or set {SERVER_VARIABLE}")
    if not token:
        raise ServerError(f"where is your token? give --token-file FILE, or set {TOKEN_VARIABLE}")
    return hand_in(name, notebook.data, Connection(address, token, tqdm.write), receipts or path.parent)


def hand_in(name: str, data: bytes, connection: Connection, receipts: Path) -> Verdicts:
    """Send the bytes of a notebook of assignment `name`, and wait for what comes of them; the receipt goes to a folder.

    Raises ServerError.
    """
    where = f"assignments/{quote(name)}/submissions"
    if len(data) > MOST_NOTEBOOK:
        raise ServerError(TOO_LARGE)
    with tqdm(desc="handing in", total=1, leave=False, bar_format="{desc} |{bar}| {elapsed}") as bar:
        # A server that refuses a token or an assignment reads no notebook, and hangs up while that is being sent.
        _require_welcome(connection.ask("me"), name)
        answer = connection.ask(where, data)
        if not isinstance(answer, dict) or answer.get("digest") != hashlib.sha256(data).hexdigest():
            raise ServerError("the server acknowledges another notebook than yours; tell your instructor")
        receipt = _keep_receipt(answer, name, receipts)
        try:
            answer = _wait(answer, connection, f"{where}/{answer['digest']}", bar)
        except KeyboardInterrupt:
            raise ServerError(
                "stopped waiting: your notebook was received; the same again shows what came of it"
            ) from None
    return Verdicts(answer, receipt)


def _require_welcome(me: dict[str, Any], name: str) -> None:
    """Raise ServerError if the server does not take this assignment, or not from this token."""
    names = [item["name"] for item in me.get("assignments", [])]
    if me.get("is_instructor"):
        raise ServerError("this is an instructor's token; hand in with a student's")
    if name not in names:
        raise ServerError(f"the server does not take {name}; it takes: {', '.join(names)}")


def _wait(answer: dict[str, Any], connection: Connection, where: str, bar: "tqdm[Any]") -> dict[str, Any]:
    """Ask until the notebook is graded; the bar shows how the queue before it gets shorter."""
    pause = FIRST_PAUSE
    bar.total = max(int(answer.get("place") or 0), 1)
    while answer.get("state") not in SETTLED:
        place = int(answer.get("place") or 0)
        bar.set_description(f"in the queue, {place - 1} before you" if place > 1 else "being graded")
        bar.n = max(bar.total - max(place, 1), 0)
        bar.refresh()
        time.sleep(pause)
        pause = min(pause * 1.3, LONGEST_PAUSE)
        answer = connection.ask(where)
    return answer


def _keep_receipt(answer: dict[str, Any], name: str, folder: Path) -> str:
    """Write the receipt, and say where; without room for it, it stands in what is shown alone."""
    path = folder / f"{name}-{answer['digest'][:12]}.receipt.json"
    text = json.dumps(answer.get("receipt"), indent=2, ensure_ascii=False) + "\n"
    try:
        write_whole(path, lambda file: file.write_text(text, encoding="utf-8"))
        return str(path)
    except OSError as error:
        return f"{path} (could not be written: {error.strerror})"
