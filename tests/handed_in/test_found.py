"""Of all that was handed in: whose it is, which file counts, and what is said of the rest."""

import pytest

from autograder import course
from autograder.grading.answered import answered_in
from autograder.grading.submissions import find_submissions
from tests.handed_in import files, layouts  # noqa: F401  (they fill FOUND)
from tests.handed_in.made import FOUND, Found


@pytest.fixture(scope="module")
def answered():
    others = {"vae": course.read_source("vae")}
    return answered_in("foundations", course.read_source("foundations"), others)


@pytest.mark.parametrize("situation", FOUND, ids=lambda situation: situation.name)
def test_students_files_and_lines(situation: Found, answered, tmp_path):
    given = situation.make(tmp_path) or [tmp_path]
    notes: list[str] = []
    submissions, problems = find_submissions("foundations", given, answered, notes)
    said = [*notes, *problems]
    assert sorted(item.student for item in submissions) == sorted(situation.students), said
    for item in submissions:
        assert item.path.endswith(situation.students[item.student])
    assert len(said) == len(situation.lines), said
    for line in situation.lines:
        assert any(line in one for one in said), (line, said)
