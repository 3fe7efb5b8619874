"""Attacks of the corpus, handed in to the server: they earn nothing, tell nothing, and harm nobody after them."""

import time

import nbformat
import pytest
from small_class import HTTPS, graded_by
from starlette.testclient import TestClient

from autograder import course
from autograder.attacks.corpus import attacks, notebook_of
from autograder.attacks.outputs import secret_lines
from autograder.attacks.witness import ASSIGNMENT, excerpt, witness
from autograder.grading.grading import Grading
from autograder.serve.app import make_app
from autograder.serve.database import Database
from autograder.serve.doors import LiveRules
from autograder.serve.roster import enrol
from autograder.serve.service import Service
from autograder.serve.tokens import issue_missing

pytestmark = pytest.mark.slow

NAMES = (
    "harm/ends_by_os_exit",
    "knowledge/imports_the_instructors_package",
    "output/script_in_messages_to_the_student",
    "points/equal_to_anything",
    "points/raises_the_points_in_the_metadata",
)
SECONDS = 300


def test_attacks_get_nothing_from_the_server_and_leave_the_next_student_alone(crew, tmp_path):
    service = Service(Database(f"sqlite:///{tmp_path / 'serve.db'}"), LiveRules([ASSIGNMENT]), [ASSIGNMENT], b"k" * 32)
    corpus = {attack.name: attack for attack in attacks()}
    source = excerpt(course.read_source(ASSIGNMENT))
    sent = {f"mallory{place}": nbformat.writes(notebook_of(corpus[name].text)) for place, name in enumerate(NAMES)}
    sent["ada"] = witness(source, "a canary").decode()
    with service.database.writing() as session:
        enrol(session, dict.fromkeys(sent, ""))
        token = {account: token for _, account, _, token in issue_missing(session, 0.0)}
    client = TestClient(make_app(service), HTTPS, follow_redirects=False)

    def told(student: str) -> dict:
        headers = {"authorization": f"Bearer {token[student]}"}
        return client.get(f"/api/assignments/{ASSIGNMENT}/submissions", headers=headers).json()[0]

    with graded_by(crew, service, Grading(ASSIGNMENT, source, key=service.key)):
        for student, text in sent.items():
            where = f"/api/assignments/{ASSIGNMENT}/submissions"
            answer = client.post(where, content=text.encode(), headers={"authorization": f"Bearer {token[student]}"})
            assert answer.status_code == 201
        until = time.monotonic() + SECONDS
        while any(told(student)["state"] in ("queued", "running") for student in sent):
            assert time.monotonic() < until
            time.sleep(2)
    found = {student: told(student) for student in sent}
    for student, name in zip(sent, NAMES, strict=False):
        assert found[student]["state"] == "done", found[student]["line"]
        assert found[student]["score"] <= corpus[name].honest, name
    verdicts = [item["verdict"] for item in found["ada"]["exercises"]]
    assert "pass" in verdicts and "fail" in verdicts and "fault" not in verdicts
    client.cookies.set("fixmelab", token["mallory2"])
    page = client.get(f"/me/{ASSIGNMENT}/{found['mallory2']['digest']}").text
    assert "&lt;script&gt;" in page and "<script" not in page and "<img" not in page
    texts = repr(found) + page
    assert not [line for line in secret_lines() if line in texts] and "a canary" not in texts
    service.database.close()
