"""The benchmark of a deadline evening sends what it says, and notices what is lost, doubled or without a verdict."""

import hashlib
import math

import pytest
from sqlalchemy import update

pytest.importorskip("fastapi", reason="the server's libraries are not installed")

from autograder.serve.database import Database
from autograder.serve.roster import enrol
from autograder.serve.tables import Condition, Grading, Submission


@pytest.fixture
def benchmark(imported):
    return imported("serve")


def test_bursts_come_together_and_all_notebooks_differ(benchmark):
    items = benchmark.evening(students=4, rate=2.0, seconds=5.0, burst=4, sample="untouched")
    assert [item.at for item in items] == [0.0] * 4 + [2.0] * 4 + [4.0] * 2
    assert [item.student for item in items] == [f"student00{number % 4}" for number in range(10)]
    assert len({item.notebook for item in items}) == 10


def test_what_is_lost_doubled_or_not_graded_is_noticed(benchmark, tmp_path):
    items = [benchmark.HandingIn(0.0, "ada", str(number).encode()) for number in range(2)]
    digests = [hashlib.sha256(item.notebook).hexdigest() for item in items]
    found = [benchmark.Acknowledged(0.0, 0.1, 1, digest) for digest in digests]
    database = Database(f"sqlite:///{tmp_path / 'serve.db'}")
    with database.writing() as session:
        enrol(session, {"ada": ""})
        session.add(Condition(digest="c", content="{}"))
        for digest in digests:
            session.add(Submission(student_id=1, assignment="vae", digest=digest, received_at=0.0, state="done"))
            session.flush()
    with pytest.raises(benchmark.BenchmarkError, match="not all have verdicts"):
        benchmark.require_nothing_lost(database, items, found)
    with database.writing() as session:
        for id in (1, 2):
            points = {"score": 1.0, "max_score": 1.0, "manual_max_score": 0.0, "repairs": "[]", "conditions": "c"}
            session.add(Grading(submission_id=id, graded_at=1.0, seconds=1.0, **points))
    benchmark.require_nothing_lost(database, items, found)
    for sent, acknowledged in ((items, found[:1]), (items, [*found, found[0]]), (items[:1], found[:1])):
        with pytest.raises(benchmark.BenchmarkError, match="notebooks were sent"):
            benchmark.require_nothing_lost(database, sent, acknowledged)
    with database.writing() as session:
        session.execute(update(Submission).where(Submission.id == 2).values(state="queued"))
    with pytest.raises(benchmark.BenchmarkError, match="not all have verdicts"):
        benchmark.require_nothing_lost(database, items, found)
    database.close()


def test_what_is_printed_follows_from_the_figures(benchmark):
    assert [benchmark.percentile(range(1, 101), share) for share in (0.5, 0.99, 1.0)] == [50, 99, 100]
    assert math.isnan(benchmark.percentile([], 0.5))
    calm = [benchmark.Acknowledged(0.0, 0.01 * number, 1, "") for number in range(1, 101)]
    figures = {"waits": [10.0, 20.0], "rate": 1.2, "peer": 1.5}
    lines = [
        "acknowledged  100 while the server was there: p50 0.500 s, p90 0.900 s, p99 0.990 s",
        "verdict       p50 10 s, p99 20 s after receipt",
        "rate          1.20 submissions a second, 0.80 times that of `grade` (1.50)",
        "lost          0, doubled 0",
    ]
    assert benchmark.report(calm, math.inf, **figures) == lines
    under_way, sent_again, in_the_rush, later = (
        benchmark.Acknowledged(at, seconds, sent, "")
        for at, seconds, sent in ((2.9, 0.2, 1), (3.0, 4.0, 3), (6.9, 1.5, 1), (7.1, 0.5, 1))
    )
    lines[0] = lines[0].replace("100", "101")
    lines.insert(1, "              3 from the kill until it had caught up: all within 4.0 s")
    assert benchmark.report([*calm, under_way, sent_again, in_the_rush, later], 3.0, **figures) == lines
