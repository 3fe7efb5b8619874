"""A server without a network or a grader: its application, a class of two, and verdicts made by hand."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient

from autograder.grading.grading import Grading
from autograder.grading.workers import Crew
from autograder.results.model import Conditions, Record
from autograder.serve import queue, tokens
from autograder.serve.app import make_app
from autograder.serve.database import Database
from autograder.serve.doors import LiveRules
from autograder.serve.graded import Graded
from autograder.serve.roster import enrol
from autograder.serve.service import Service
from autograder.serve.working import ReadAnewError, Working

NOON = 1_800_000_000.0  # 2027-01-15 08:00 UTC
CONDITIONS = Conditions(source="", grader="", package="", library="", settings="", key="", shared="", checks={})
NONE: Mapping[str, str] = {}
EMPTY = '{"cells": []}'
HTTPS = "https://judge.example"


def notebook(answer: str = "") -> bytes:
    cell = {"cell_type": "code", "source": answer, "metadata": {}, "outputs": [], "execution_count": None}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@dataclass
class Here:
    """The service, and what tests do to it. `now` is its clock; the class is ada and bob."""

    service: Service
    make_submission: Callable[..., Any]
    tokens: dict[str, str]
    client: TestClient
    now: float = NOON

    def send(self, who: str, data: bytes, assignment: str = "little", **headers: str) -> Any:
        return self.client.post(
            f"/api/assignments/{assignment}/submissions", content=data, headers=self.as_(who) | headers
        )

    def get(self, who: str, path: str) -> Any:
        return self.client.get(f"/api/{path}", headers=self.as_(who))

    def as_(self, who: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens.get(who, who)}"}

    def claim(self) -> queue.Claimed | None:
        with self.service.database.writing() as session:
            return queue.claim(session, self.service.assignments)

    def keep(
        self,
        claimed: queue.Claimed,
        *found: tuple[str, str],
        answers: Mapping[str, str] = NONE,
        executed: str = EMPTY,
        names: Sequence[str] = (),
    ) -> bool:
        """Have a claimed submission be graded, an exercise for each verdict and message, perhaps with names."""
        record = self.record(claimed, *found, executed=executed)
        result = record.result
        if names:
            both = zip(result.exercises, names, strict=True)
            named = [item.model_copy(update={"id": f"little.{name}"}) for item, name in both]
            result = result.model_copy(update={"exercises": named})
        record = record.model_copy(update={"result": result})
        graded = Graded.of(claimed, record, answers)
        with self.service.database.writing() as session:
            return queue.keep(session, claimed, graded, ("conditions", CONDITIONS), self.now)

    def record(self, claimed: queue.Claimed, *found: tuple[str, str], executed: str = EMPTY) -> Record:
        result = self.make_submission(claimed.student, *found)
        result = result.model_copy(update={"path": claimed.path, "digest": claimed.digest})
        return Record(result=result, seconds=1.5, executed=executed)

    def grade(self, *found: tuple[str, str], **more: Any) -> None:
        claimed = self.claim()
        assert claimed and self.keep(claimed, *found, **more)


def serve(database: Database, make_submission: Callable[..., Any]) -> Here:
    service = Service(database, LiveRules(["little"]), ["little"], b"k" * 32)
    with database.writing() as session:
        enrol(session, {"ada": "Ada L.", "bob": ""})
        issued = {account or "instructor": token for _, account, _, token in tokens.issue_missing(session, NOON)}
    client = TestClient(make_app(service), HTTPS, raise_server_exceptions=False, follow_redirects=False)
    made = Here(service, make_submission, issued, client)
    service.clock = lambda: made.now
    return made


@contextmanager
def graded_by(crew: Crew, service: Service, grading: Grading) -> Iterator[None]:
    """Have a crew grade what comes, in a thread."""
    working = Working(service, {grading.assignment: grading})

    def work() -> None:
        with suppress(ReadAnewError):
            working.work(crew)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        service.read_anew.set()
        thread.join()
