"""What a student changed from one try to the next: their answers line by line, exercise by exercise."""

import difflib
import json
import zlib
from os.path import commonprefix
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.reports.answers import answers_in
from autograder.reports.work import Outline
from autograder.results.text import plain_text
from autograder.serve.tables import DONE, Content, Submission

MOST_LINES = 100  # of an answer, from the first that differs on: some texts take difflib the cube of their length
AROUND = 2  # lines that stay the same, before and after those that do not


class Line(NamedTuple):
    """A line of a comparison: `mark` is "+" for a new one, "-" for one that is gone, " " for one that stays, "…" where
    some are left out."""

    mark: str
    text: str


def changed_answers(
    session: Session, student_id: int, assignment: str, digest: str, outline: Outline
) -> dict[str, list[Line]]:
    """By name of the exercise, what differs in a student's answer from the graded try before; nothing if there is none.

    In the order of the notebook; exercises whose answer is the same are left out.
    """
    rows = session.execute(
        select(Submission.digest, Submission.id)
        .where(Submission.student_id == student_id, Submission.assignment == assignment, Submission.state == DONE)
        .order_by(Submission.id)
    ).all()
    digests = [found for found, _ in rows]
    place = digests.index(digest) if digest in digests else 0
    if place == 0:
        return {}
    before, after = (_answers(session, rows[at].id, outline) for at in (place - 1, place))
    both = {name: (before.get(name, ""), text) for name, text in after.items()}
    return {name: _lines(*texts) for name, texts in both.items() if texts[0] != texts[1]}


def _answers(session: Session, id: int, outline: Outline) -> dict[str, str]:
    packed = session.scalar(select(Content.executed).where(Content.submission_id == id))
    found = answers_in(json.loads(zlib.decompress(packed)), outline) if packed else None
    return found.code | found.prose if found else {}


def _lines(before: str, after: str) -> list[Line]:
    old, new = (plain_text(text, len(text)).splitlines() for text in (before, after))
    start = max(len(commonprefix([old, new])) - AROUND, 0)
    end = max(len(commonprefix([old[start:][::-1], new[start:][::-1]])) - AROUND, 0)
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    found = list(difflib.unified_diff(old[:MOST_LINES], new[:MOST_LINES], n=AROUND, lineterm=""))[2:]  # without names
    lines = [Line("…", "") if line.startswith("@@") else Line(line[0], line[1:]) for line in found]
    return [*lines, *([Line("…", "")] if max(len(old), len(new)) > MOST_LINES else [])]
