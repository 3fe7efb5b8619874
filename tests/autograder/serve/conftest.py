"""A course, a database and a server, each of one's own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("fastapi", reason="the server's libraries are not installed")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "grading"))  # for the toy course, with real checks

from small_class import Here, serve

from autograder import course
from autograder.serve.database import Database
from tests.autograder.databases import new_database, postgres_server  # noqa: F401
from tests.autograder.fabricated_runs import make_submission  # noqa: F401


@pytest.fixture
def course_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a course with one assignment, and no rules yet."""
    (tmp_path / "course" / "notebooks").mkdir(parents=True)
    (tmp_path / "course" / "notebooks" / "little.py").touch()
    (tmp_path / "course" / "source" / "little").mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "course" / "source" / "little" / "little.ipynb")
    monkeypatch.setattr(course, "ROOT", tmp_path / "course")
    return tmp_path / "course"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'serve.db'}")
    yield made
    made.close()


@pytest.fixture
def here(course_root: Path, database: Database, make_submission) -> Here:  # noqa: F811
    return serve(database, make_submission)
