"""The catalogue of exercises: a module each, which says what it is, short enough to be read, and none gets lost."""

import ast
import re
from pathlib import Path

import pytest

from autograder import course
from autograder.assignments import exercises_of
from autograder.authoring.declared import ASSIGNMENTS
from autograder.course import NO_EXERCISE

FOLDERS = [course.ROOT / ASSIGNMENTS / name for name in course.assignment_names()]
MODULES = [path for folder in FOLDERS for path in sorted(folder.glob("*.py")) if path.stem not in NO_EXERCISE]
EXERCISES = {id: item for folder in FOLDERS for id, item in exercises_of(folder.name).items()}
# So many there were when each got a module of its own: more are welcome.
LEAST_EXERCISES, LEAST_MISTAKES, LEAST_EQUIVALENTS = 86, 1227, 220
MOST_LINES = 400
SENTENCE = re.compile(r"(\S+\s+){4,}?\S+\w\W?\.(\s|$)")


def name_of(path: Path) -> str:
    return f"{path.parent.name}.{path.stem}"


def test_nothing_of_the_catalogue_is_lost():
    assert set(EXERCISES) == {name_of(path) for path in MODULES}
    assert len(EXERCISES) >= LEAST_EXERCISES
    assert sum(len(item.mistakes) for item in EXERCISES.values()) >= LEAST_MISTAKES
    assert sum(len(item.equivalents) for item in EXERCISES.values()) >= LEAST_EQUIVALENTS


@pytest.mark.parametrize("item", EXERCISES.values(), ids=lambda item: item.id)
def test_every_exercise_has_mistakes_and_an_equivalent(item):
    assert len(item.mistakes) >= 3 and item.equivalents


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_exercise_begins_with_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    said = ast.get_docstring(ast.parse(text)) or ""
    assert SENTENCE.match(said) and "TODO" not in said, "say in a sentence or two what is judged"
