"""A real server with a real crew, killed by SIGKILL when it has acknowledged what it has not graded."""

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from small_class import NOON
from sqlalchemy import select
from toy_course import submission

from autograder.serve import receipts, tokens
from autograder.serve.database import NAME, Database
from autograder.serve.roster import enrol
from autograder.serve.tables import Grading, Student, Submission, Verdict
from fixmelab.submitting import connection
from fixmelab.submitting.connection import Connection
from fixmelab.submitting.submit import hand_in

pytestmark = pytest.mark.slow

SECONDS = 300
HERE = Path(__file__).resolve().parent
ANSWERS = {"ada": {"double": "return x + 2"}, "bob": {"double": "return 2 * x", "square": "return x * x"}, "eve": {}}


NOTEBOOKS = {
    student: nbformat.writes(submission(**answers, why=f"Because of {student}.")).encode()
    for student, answers in ANSWERS.items()
}


@pytest.fixture(scope="module")
def toy_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("toy")
    for folder in ("notebooks", "source/toy", "autograder/assignments/toy", "checks"):
        (root / folder).mkdir(parents=True)
    (root / "notebooks" / "toy.py").touch()
    from toy_course import source

    nbformat.write(source(), root / "source" / "toy" / "toy.ipynb")
    return root


def test_what_was_acknowledged_survives_a_sigkill_and_is_graded_once(toy_root, tmp_path, zygote, monkeypatch):
    monkeypatch.setattr(connection, "LONGEST_PAUSE", 0.5)
    data = tmp_path / "served"
    data.mkdir()
    database = Database(f"sqlite:///{data / NAME}")
    with database.writing() as session:
        enrol(session, dict.fromkeys(ANSWERS, ""))
        token = {account: token for _, account, _, token in tokens.issue_missing(session, NOON)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told: list[str] = []
    found = {}

    def hand(student: str) -> None:
        """As a student does, whatever becomes of the server meanwhile."""
        line = Connection(f"http://127.0.0.1:{port}", token[student], told.append)
        found[student] = hand_in("toy", NOTEBOOKS[student], line, tmp_path / student)

    students = [threading.Thread(target=hand, args=(student,), daemon=True) for student in ANSWERS]
    for student in students:
        student.start()  # before there is a server

    def start() -> subprocess.Popen:
        command = [sys.executable, str(HERE / "served_toy.py"), str(toy_root), str(data), str(port)]
        return subprocess.Popen([*command, zygote.socket, zygote.sessions], cwd=HERE.parent.parent.parent)

    def states() -> list[str]:
        with database.reading() as session:
            return sorted(session.scalars(select(Submission.state)))

    server = start()
    try:
        # The crew is still at its imports.
        wait_until(lambda: states() == ["queued", "queued", "running"])
        server.send_signal(signal.SIGKILL)
        server.wait()
        assert states() == ["queued", "queued", "running"]
        server = start()
        for student in students:
            student.join(SECONDS)
        assert states() == ["done"] * 3
        regraded = regrade_with_a_mended_check(toy_root, port, token[""])
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    assert regraded["changes"][0] == "double: pass 2 → fail 0, because of its check: 1: bob"
    assert regraded["changes"][1:] == ["1 changed, 2 the same"]
    assert [(item["account"], item["before"], item["after"]) for item in regraded["points"]] == [("bob", 3.5, 1.5)]
    with database.reading() as session:
        of_bob = select(Verdict).join(Submission, Submission.id == Verdict.submission_id).join(Student)
        double, _, square = session.scalars(of_bob.where(Student.account == "bob").order_by(Verdict.place))
        assert (double.verdict, square.verdict) == ("fail", "pass")
    assert any("the server cannot be reached (Connection refused); trying again" in line for line in told)
    with database.reading() as session:
        assert sorted(session.scalars(select(Submission.attempts))) == [1, 1, 2]
        assert len(session.scalars(select(Grading)).all()) == 3
        answers = session.scalars(select(Verdict.answer).where(Verdict.exercise == "toy.double")).all()
        assert len(set(answers)) == 3 and all(len(answer) == 64 for answer in answers)
    verdicts = {
        student: [item["verdict"] for item in verdicts.answer["exercises"]] for student, verdicts in found.items()
    }
    assert verdicts == {
        "ada": ["fail", "manual", "missing"],
        "bob": ["pass", "manual", "pass"],
        "eve": ["missing", "manual", "missing"],
    }
    assert "Times, not plus." in repr(found["ada"]) and "ada" in found["ada"].receipt
    (written,) = (tmp_path / "bob").iterdir()
    (tmp_path / "bob.ipynb").write_bytes(NOTEBOOKS["bob"])
    assert receipts.check_receipt(b"k" * 32, written, tmp_path / "bob.ipynb").student == "bob"
    database.close()


MENDED = """
from toy_course import EXERCISES
from toy_checks import triples
from autograder.judge.exercise import Exercise

EXERCISES = EXERCISES | {"toy.double": Exercise("toy.double", triples)}
"""
CHECK = """
from autograder.judge.expect import expect

def triples(student, draw):
    x = draw.normal(5, 3)
    expect(student(x)).close(3 * x)
"""


def regrade_with_a_mended_check(root: Path, port: int, token: str) -> dict[str, Any]:
    """Have the check of one exercise mended, everything graded again, and that count; what was to be seen before."""
    module = root / "autograder" / "assignments" / "toy" / "double.py"
    module.write_text(CHECK)
    (root / "checks" / "toy_checks.py").write_text(CHECK)
    (root / "checks" / "mended.py").write_text(MENDED)
    where = f"http://127.0.0.1:{port}/api/class/toy/regrading"
    with httpx.Client(headers={"authorization": f"Bearer {token}"}) as client:
        assert client.post(where).json()["total"] == 3
        found: dict[str, Any] = {}

        def is_over() -> bool:
            time.sleep(0.5)  # four requests a second are welcome
            found.update(client.get(where).json())
            return found["done"] + found["faults"] == found["total"]

        assert client.post(f"{where}/apply").status_code == 409
        wait_until(is_over)
        assert client.post(f"{where}/apply").status_code == 200 and client.get(where).json()["total"] == 0
    return found


def wait_until(condition) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.05)
