"""`check(exercise, answer)`, which stands at the end of test cells and finds whoever judges.

Under `autograder grade` it connects to the judge in the grader's process and answers its requests. In an instructor's
Jupyter, the judge that the entry point `fixmelab.judge` names judges in this process. Elsewhere nothing is judged.
"""

import os
import socket
import sys
from functools import partial
from importlib.metadata import entry_points
from typing import Any

from fixmelab.judged import wire
from fixmelab.judged.lent import Serve
from fixmelab.judged.probe import Probe

ADDRESS = "FIXMELAB_JUDGE"
ENTRY_POINT = "fixmelab.judge"


def check(exercise: str, answer: Any) -> None:
    """Have `answer` judged as `exercise`, for example "vae.gaussian_kl".

    Raises AssertionError with the message for the student if an instructor's own process judges and the verdict is
    not a pass; under `autograder grade` the verdict never comes here. What an instructors' package raises that is
    installed but broken is raised here too.
    """
    names = sys._getframe(1).f_globals  # of the notebook, where others of its answers are found
    if address := os.environ.get(ADDRESS):
        _serve_socket(address, exercise, answer, names)
        return
    # The same judge may be found twice, as an editable install beside a wheel; one judges.
    judge = next(iter(entry_points(group=ENTRY_POINT)), None)
    if judge is None:
        print(f"{exercise} is not judged here: the instructors' package is not installed.")
    else:
        judge.load()(exercise, answer, names)


def _serve_socket(address: str, exercise: str, answer: Any, names: dict[str, Any]) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(address)
        wire.send(connection, wire.encode({"exercise": exercise}))
        probe = Probe(answer, partial(_ask, connection), names)
        try:
            while (body := wire.receive(connection)) is not None:
                wire.send(connection, probe.reply(body))
        finally:
            probe.put_back()


def _ask(connection: socket.socket, question: bytes, serve: Serve) -> bytes:
    """The judge's answer to a question. What it asks in return, before it answers, is served."""
    frame = question
    while True:
        wire.send(connection, frame)
        answer = wire.receive(connection)
        if answer is None:
            raise wire.WireError("the judge hung up")
        if not wire.is_question(answer):
            return answer
        frame = serve(answer)
