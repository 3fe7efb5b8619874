"""A student in JupyterLab hands in by `lab.submit()`, with the server away at first and in between, to a full score."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "fixmelab" / "standing"))
from filled import NAME, blank, cell_of, filled
from small_class import graded_by

from autograder import course
from autograder.gradebook.record import record
from autograder.grading.grading import Grading
from autograder.points.rules import read_rules
from autograder.serve import server, tables
from autograder.serve.counting import write_results
from autograder.serve.database import Database
from autograder.serve.doors import LiveRules
from autograder.serve.roster import enrol
from autograder.serve.service import Service
from autograder.serve.tokens import issue_missing

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

pytestmark = pytest.mark.slow

PATIENCE = 180_000  # milliseconds; a whole notebook is graded
SETUP = """import os
os.environ["FIXMELAB_SERVER"], os.environ["FIXMELAB_TOKEN"] = {!r}, {!r}
import fixmelab
lab = fixmelab.setup({!r})"""


@contextmanager
def listening(service: Service, port: int) -> Iterator[None]:
    with server.listen("127.0.0.1", port) as found, server._listener(service, found, None, None):
        yield


def write_notebook(folder: Path, first: str) -> None:
    """A notebook in which all is answered but `convolve`; that, and the cell that hands in, stand at the top."""
    notebook, submit = filled(), nbformat.v4.new_code_cell("lab.submit()")
    worked_on = cell_of(notebook, "convolve")
    worked_on.source = cell_of(blank(), "convolve").source
    others = [cell for cell in notebook.cells if cell is not worked_on]
    notebook.cells = [nbformat.v4.new_code_cell(first), worked_on, submit, *others]
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / f"{NAME}.ipynb")


def test_a_student_hands_in_until_all_is_right_whatever_becomes_of_the_server(
    jupyter_server, crew, open_page, tmp_path, monkeypatch
):
    service = Service(Database(f"sqlite:///{tmp_path / 'serve.db'}"), LiveRules([NAME]), [NAME], b"k" * 32)
    with service.database.writing() as session:
        enrol(session, {"ada": ""})
        tokens = {account: token for _, account, _, token in issue_missing(session, 0.0)}
    with server.listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    write_notebook(jupyter_server.folder, SETUP.format(f"http://127.0.0.1:{port}", tokens["ada"], NAME))
    page = open_page(f"{jupyter_server.url}/doc/tree/{NAME}.ipynb?token={jupyter_server.token}", width=1280)
    page.get_by_text("| Idle").wait_for()
    run = page.locator("[data-command='notebook:run-cell-and-select-next']")
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    output = cells.nth(2).locator(".jp-OutputArea")
    row = output.locator("tr", has_text="convolve")

    def run_cell(number: int) -> None:
        cells.nth(number).locator(".cm-content").click()
        run.click()

    with graded_by(crew, service, Grading(NAME, course.read_source(NAME), key=service.key)):
        run_cell(0)
        expect(cells.nth(0).locator(".jp-InputArea-prompt")).to_have_text("[1]:", timeout=PATIENCE)
        page.keyboard.press("Control+s")
        page.get_by_text("Saving completed").wait_for()
        run_cell(2)
        expect(output).to_contain_text("the server cannot be reached", timeout=PATIENCE)
        with listening(service, port):
            expect(row).to_contain_text("not answered", timeout=PATIENCE)
        cells.nth(1).locator(".cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(cell_of(filled(), "convolve").source)
        page.keyboard.press("Control+s")
        page.get_by_text("Saving completed").wait_for()
        run_cell(2)  # the server has ended
        expect(output).to_contain_text("the server cannot be reached", timeout=PATIENCE)
        with listening(service, port):
            expect(row).to_contain_text("right (new)", timeout=PATIENCE)
    if folder := os.environ.get("FIXMELAB_SCREENSHOTS"):
        cells.nth(2).screenshot(path=Path(folder) / "serve-submit.png")
    with service.database.reading() as session:
        first, last = session.scalars(select(tables.Grading.score).order_by(tables.Grading.submission_id)).all()
        most = session.scalars(select(tables.Grading.max_score)).first()
    assert first < last == most
    expect(output).to_contain_text(f"{NAME}: {most:g} of {most:g} points")
    assert len(list(jupyter_server.folder.rglob(f"{NAME}-*.receipt.json"))) == 2
    require_recorded(service, tmp_path, monkeypatch, most)
    service.database.close()


def require_recorded(service: Service, folder: Path, monkeypatch, points: float) -> None:
    """What counts goes into nbgrader's gradebook, as what `grade` has written does."""
    monkeypatch.setenv("PATH", os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)]))
    shutil.copytree(course.ROOT / "source" / NAME, folder / "course" / "source" / NAME)
    shutil.copy(course.ROOT / "nbgrader_config.py", folder / "course")
    with service.database.reading() as session:
        write_results(session, read_rules(NAME), folder / "graded")
    book = f"sqlite:///{folder / 'gradebook.db'}"
    record(folder / "graded", db=book, root=folder / "course")
    with Gradebook(book, "fixmelab") as gradebook:
        (found,) = gradebook.assignment_submissions(NAME)
        assert (found.student.id, found.score) == ("ada", points)
