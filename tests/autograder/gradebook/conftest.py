"""A course of nbgrader's, and gradebooks on SQLite and PostgreSQL."""

import functools
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nbgrader.api
import pytest
from nbgrader.api import Gradebook

from autograder import course
from tests.autograder.databases import new_database, postgres_server  # noqa: F401
from tests.autograder.fabricated_runs import make_submission  # noqa: F401


@pytest.fixture
def course_folder(tmp_path: Path) -> Path:
    return new_course(tmp_path / "course")


def new_course(folder: Path) -> Path:
    """Make `folder` a course of nbgrader's with this repository's settings and its VAE notebook."""
    (folder / "source").mkdir(parents=True)
    shutil.copy(course.ROOT / "nbgrader_config.py", folder)
    shutil.copytree(course.ROOT / "source" / "vae", folder / "source" / "vae")
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a gradebook that is not there yet, on each kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'gradebook.db'}"
    return request.getfixturevalue("new_database")()


@pytest.fixture(autouse=True, scope="session")
def one_question_to_alembic() -> Iterator[None]:
    """nbgrader starts alembic for every new gradebook to ask for a number that is always the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nbgrader.api, "get_alembic_version", functools.cache(nbgrader.api.get_alembic_version))
        yield


@pytest.fixture(autouse=True)
def alembic_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an environment that is activated: nbgrader starts alembic by its bare name."""
    monkeypatch.setenv("PATH", os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)]))


@pytest.fixture
def opened() -> Iterator[Callable[[str], Gradebook]]:
    """A function that opens a gradebook as nbgrader does."""
    books = []

    def open_one(url: str) -> Gradebook:
        books.append(Gradebook(url, "fixmelab"))
        return books[-1]

    yield open_one
    for book in books:
        book.close()
