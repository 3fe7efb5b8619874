"""A homework in formgrader, in a real server and a real browser: grade, record, mark, regrade, record."""

import csv
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from fabricated_results import Student, write_results
from nbgrader.api import Gradebook

from autograder import cells
from autograder.gradebook.record import record
from tests.autograder.gradebook.conftest import new_course
from tests.conftest import JupyterServer, jupyter_lab
from tests.plain_nbgrader import nbgrader
from tests.submissions.samples import FOLDER, MISTAKES
from tests.warm import WarmCommands

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

pytestmark = pytest.mark.slow

RIGHT, WRONG = next(iter(MISTAKES.items()))  # grad_mu_sigma forgets the noise
PROOF = "Since $\\log p(x, z) = \\log p(x \\mid z) + \\log p(z)$, the two agree for any $q$."

HOSTILE = """<script>window.left = "script"</script> <img src=x onerror="window.left='img'">
[click](javascript:window.left='link') ![x](/formgrader?path=/left-by-attack) ![y][z]

[z]: /left-by-attack/reference

<iframe src="/left-by-attack/frame"></iframe>  a<b and $a<b$

```html
<svg onload="window.left='svg'">
```

![photo](attachment:none.png)
"""


@pytest.fixture(scope="module")
def formgrader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """JupyterLab with nbgrader's formgrader, in the folder of a course."""
    folder = tmp_path_factory.mktemp("formgrader")
    with jupyter_lab(new_course(folder / "course"), folder / "home") as server:
        yield server


@pytest.fixture
def course_folder(formgrader: JupyterServer) -> Iterator[Path]:
    """The course of the server, which holds its gradebook open: no student of a test before is in it."""
    yield formgrader.folder
    with Gradebook(f"sqlite:///{formgrader.folder / 'gradebook.db'}", "fixmelab") as book:
        for student in book.students:
            book.remove_student(student.id)
    for name in ("submitted", "autograded", "feedback"):
        shutil.rmtree(formgrader.folder / name, ignore_errors=True)


@pytest.fixture
def visit(formgrader: JupyterServer, browser) -> Iterator[Callable]:
    with visiting(formgrader, browser) as open_page:
        yield open_page


@contextmanager
def visiting(formgrader: JupyterServer, browser) -> Iterator[Callable]:
    """A function that opens a page of formgrader; nothing outside this machine is asked for anything."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    asked: list[str] = []

    def route(request_route) -> None:
        url = request_route.request.url
        asked.append(url)
        request_route.continue_() if url.startswith((formgrader.url, "data:")) else request_route.abort()

    context.route("**/*", route)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{formgrader.url}/api/status?token={formgrader.token}")  # leaves a cookie

    def open_page(path: str):
        page.goto(f"{formgrader.url}/formgrader/{path}")
        return page

    open_page.asked = asked
    yield open_page
    context.close()


def keep(page, name: str, **options) -> None:
    """Leave a screenshot where one is asked for, to be looked at."""
    if folder := os.environ.get("FIXMELAB_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"formgrader-{name}.png", **options)


@pytest.fixture
def autograder(warm_autograder: WarmCommands) -> Callable[..., str]:
    """A function that runs a command of ours, which has to succeed, and returns what it says."""

    def run(*arguments: object) -> str:
        done = warm_autograder(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def submission(folder: Path, *, right: bool) -> None:
    """The perfect sample with the pictures of a real run, a proof, and a mistake or not."""
    notebook = nbformat.read(FOLDER / "perfect" / "vae" / "vae.ipynb", as_version=4)
    for cell in notebook.cells:
        if cells.is_fixme(cell) and not right:
            cell.source = cell.source.replace(RIGHT, WRONG)
        if cells.is_written(cell) and cells.grade_id(cell) == "two_forms":
            cell.source = PROOF
    place = folder / "ada" / "vae"
    place.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place / "vae.ipynb")
    (place / "timestamp.txt").write_text("2030-05-01 12:00:00 UTC")


def page_of(student: str, folder: Path) -> str:
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}", "fixmelab") as book:
        return f"submissions/{book.find_submission_notebook('vae', 'vae', student).id}/"


def give(page, score: str, value: str) -> None:
    """Type a score or a comment, and wait until formgrader has saved it."""
    page.wait_for_function("formgrader.grades?.loaded && formgrader.comments?.loaded")
    box = page.locator(f"#{score}")
    with page.expect_response(lambda response: response.request.method == "PUT") as saved:
        box.fill(value)
        box.blur()
    assert saved.value.ok


def test_marks_and_comments_outlive_a_regrade_and_reach_feedback_and_csv(
    tmp_path, course_folder, visit, autograder
) -> None:
    submission(course_folder / "submitted", right=False)
    graded = tmp_path / "graded"
    autograder("grade", "vae", course_folder / "submitted", "--out", graded)
    first = autograder("record", graded, "--course", course_folder)
    assert "added: 1: ada" in first and "vae: 1 new, 0 changed, 0 the same" in first
    before = {item["id"]: item["score"] for item in submission_of(graded)["exercises"]}
    assert before["vae.grad_mu_sigma"] == 0 and before["vae.plot_latents"] == 3
    automatic = submission_of(graded)["score"]

    page = visit("manage_assignments")
    expect(page.locator("tbody tr")).to_have_count(1)
    keep(page, "assignments")
    page = visit("manage_submissions/vae")
    expect(page.locator("tbody tr")).to_contain_text(["ada"])
    expect(page.locator("tbody tr")).to_contain_text(["30 / 54"])
    keep(page, "submissions")
    page = visit("gradebook/vae/vae")
    expect(page.locator("tbody tr")).to_have_count(1)
    keep(page, "manual")

    page = visit(page_of("ada", course_folder))
    proof = page.locator(".nbgrader_cell", has=page.locator("#two_forms"))
    expect(proof).to_contain_text("the two agree for any")
    expect(page.locator("#two_forms")).to_have_class(re.compile("needs_manual_grade"))
    expect(page.locator("#test_plot_latents")).to_have_class(re.compile("needs_manual_grade"))
    expect(page.locator("#test_plot_latents")).to_have_attribute("placeholder", "3")
    expect(page.locator("#test_grad_mu_sigma")).to_have_attribute("placeholder", "0")
    expect(page.locator("body")).to_contain_text("is put into the first form")  # the rubric
    pictures = page.locator(".output img")
    assert pictures.count() > 3
    assert page.evaluate("[...document.querySelectorAll('.output img')].every(image => image.naturalWidth > 100)")
    page.locator("#two_forms").scroll_into_view_if_needed()
    keep(page, "proof")
    give(page, "two_forms", "2")
    give(page, "two_forms-comment", "Why may the logarithm be *split*?")
    give(page, "test_plot_latents", "2.5")
    give(page, "plot_latents-comment", "Which garments lie in the corners, and why?")
    page.set_viewport_size({"width": 1200, "height": 1500})  # answer, points and picture together
    answer = page.locator(".nbgrader_cell", has=page.locator("#plot_latents-comment"))
    answer.evaluate("cell => cell.scrollIntoView()")
    page.evaluate("scrollBy(0, -100)")  # out from under formgrader's own bar
    top = answer.bounding_box()["y"] - 8
    keep(page, "plot", clip={"x": 0, "y": top, "width": 1200, "height": 1500 - top})

    submission(course_folder / "submitted", right=True)
    autograder("grade", "vae", course_folder / "submitted", "--out", graded)
    assert submission_of(graded)["score"] == automatic + 2
    dry = autograder("record", graded, "--course", course_folder, "--dry-run")
    said = autograder("record", graded, "--course", course_folder)
    assert "ada: 31.5 → 33.5 of 54\n  grad_mu_sigma: 0 → 2, pass\n" in said
    laid_out = course_folder / "autograded" / "ada" / "vae" / "vae.ipynb"
    recorded = laid_out.read_bytes()
    assert "dry run" in dry and dry.splitlines()[:2] == said.splitlines()[:2]

    page = visit(page_of("ada", course_folder))
    for score, value in (("two_forms", "2"), ("test_plot_latents", "2.5")):
        expect(page.locator(f"#{score}")).to_have_value(value)
        expect(page.locator(f"#{score}")).not_to_have_class(re.compile("needs_manual_grade"))
    expect(page.locator("#two_forms-comment")).to_have_value("Why may the logarithm be *split*?")
    expect(page.locator("#plot_latents-comment")).to_have_value("Which garments lie in the corners, and why?")
    expect(page.locator("#test_grad_mu_sigma")).to_have_attribute("placeholder", "2")
    page.locator("#two_forms").scroll_into_view_if_needed()
    keep(page, "regraded")

    total = automatic + 2 - 0.5 + 2
    nbgrader(course_folder, "generate_feedback", "vae")
    feedback = course_folder / "feedback" / "ada" / "vae" / "vae.html"
    text = feedback.read_text(encoding="utf-8")
    assert f"(Score: {total} / 54.0)" in text
    assert "Why may the logarithm be <em>split</em>?" in text and "Which garments lie in the corners, and why?" in text
    assert "MARK SCHEME" not in text and "fixmelab.probe" not in text
    page.route("**/*", lambda route: route.continue_())
    page.set_content(text, wait_until="domcontentloaded")
    keep(page, "feedback")
    nbgrader(course_folder, "export", "--to", str(course_folder / "grades.csv"))
    with (course_folder / "grades.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["student_id"], float(row["score"]), float(row["max_score"])) == ("ada", total, 54.0)
    assert row["timestamp"] == "2030-05-01 12:00:00"
    page = visit("manage_submissions/vae")
    page.locator(".autograde a").click()
    expect(page.locator(".modal.in")).to_contain_text("refused: there is no sandbox here. Nothing has changed.")
    keep(page, "autograde")
    page = visit("manage_submissions/vae")
    expect(page.locator("tbody tr")).to_contain_text(["33.5 / 54"])
    keep(page, "submissions-after")
    assert laid_out.read_bytes() == recorded


@dataclass(frozen=True)
class OnPostgresql:
    """A course whose settings name a gradebook on a server, at the address `url`, and formgrader in it."""

    folder: Path
    url: str
    visit: Callable


@pytest.fixture
def on_postgresql(tmp_path: Path, new_database: Callable[[], str], browser) -> Iterator[OnPostgresql]:
    folder, url = new_course(tmp_path / "course"), new_database()
    with (folder / "nbgrader_config.py").open("a") as file:
        file.write(f"\nc.CourseDirectory.db_url = {url!r}\n")
    with jupyter_lab(folder, tmp_path / "home") as server, visiting(server, browser) as open_page:
        yield OnPostgresql(folder, url, open_page)


def test_the_same_on_postgresql(tmp_path, on_postgresql, autograder) -> None:
    course_folder, visit = on_postgresql.folder, on_postgresql.visit
    graded = write_results(tmp_path / "graded", {"ada": Student(), "bob": Student()})
    autograder("record", graded, "--course", course_folder)
    assert not (course_folder / "gradebook.db").exists()
    page = visit("gradebook/vae/vae")
    expect(page.locator("tbody tr")).to_have_count(2)
    with Gradebook(on_postgresql.url, "fixmelab") as book:
        path = f"submissions/{book.find_submission_notebook('vae', 'vae', 'bob').id}/"
    page = visit(path)
    give(page, "two_forms", "1.5")
    give(page, "two_forms-comment", "Say why.")
    # The server keeps its connection open all the while.
    write_results(graded, {"ada": Student(), "bob": Student(verdicts={"encode": ("fail", "No.")})})
    said = autograder("record", graded, "--course", course_folder)
    assert "bob: 33.5 → 31.5 of 54\n  encode: 2 → 0, fail: No.\n" in said
    page = visit(path)
    expect(page.locator("#two_forms")).to_have_value("1.5")
    expect(page.locator("#two_forms-comment")).to_have_value("Say why.")
    expect(page.locator("#test_encode")).to_have_attribute("placeholder", "0")
    give(page, "sampling", "3")
    page = visit("manage_submissions/vae")
    expect(page.locator("tbody tr")).to_contain_text(["32 / 54", "34.5 / 54"])


def submission_of(graded: Path) -> dict:
    (item,) = json.loads((graded / "results.json").read_text())["submissions"]
    return item


def test_what_a_student_writes_runs_nothing_in_the_graders_browser(tmp_path, course_folder, visit) -> None:
    graded = write_results(
        tmp_path / "graded",
        {"mallory": Student(verdicts={"encode": ("error", HOSTILE)}, written={"two_forms": HOSTILE})},
    )
    path = graded / "executed" / "mallory.ipynb"
    notebook = nbformat.read(path, as_version=4)
    shown = dict.fromkeys(("text/html", "image/svg+xml", "text/markdown", "text/latex", "image/png"), HOSTILE)
    shown |= {"application/javascript": "window.left = 'javascript'", "text/plain": HOSTILE}
    outputs = [nbformat.from_dict({"output_type": "display_data", "data": shown, "metadata": {"isolated": HOSTILE}})]
    outputs += [nbformat.v4.new_output("stream", text=HOSTILE)]
    extra = [
        nbformat.v4.new_code_cell("1", outputs=outputs, metadata={"nbgrader": {"grade_id": HOSTILE, "grade": True}}),
        nbformat.v4.new_raw_cell(HOSTILE, metadata={"raw_mimetype": "text/html"}),
        nbformat.v4.new_markdown_cell(HOSTILE, metadata={"tags": ['"><script>window.left=1</script>']}),
    ]
    notebook.cells[3:3] = extra
    notebook.cells[-1].id = "x"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    record(graded, root=course_folder)
    page = visit(page_of("mallory", course_folder))
    expect(page.locator("#two_forms-comment")).to_have_attribute("placeholder", re.compile("Type any comments"))
    page.locator("#two_forms").scroll_into_view_if_needed()
    keep(page, "hostile")
    sources = {image.get_attribute("src").partition(",")[0] for image in page.locator("img").all()}
    assert sources == {"data:image/png;base64", "https://colab.research.google.com/assets/colab-badge.svg"}
    assert page.evaluate("window.left") is None
    assert page.locator(".rendered_html a[href*=javascript], iframe, .rendered_html script").count() == 0
    assert [url for url in visit.asked if "left-by-attack" in url or "formgrader?path" in url] == []
    expect(page.locator("body")).to_contain_text("a< b and")
    nbgrader(course_folder, "generate_feedback", "vae")
    text = (course_folder / "feedback" / "mallory" / "vae" / "vae.html").read_text(encoding="utf-8")
    assert "<script>window.left" not in text and "<img src=x" not in text and "<iframe" not in text


def test_headings_in_answers_take_no_points_of_other_exercises(tmp_path, course_folder, visit) -> None:
    failed = {f"test_{name}": ("fail", "wrong") for name in ("grad_mu_sigma", "encode")}
    answer = "A fair answer.\n\n" + "\n".join(f"###### {name}" for name in (*failed, "gradient_inside"))
    verdicts = {name.removeprefix("test_"): verdict for name, verdict in failed.items()}
    student = Student(verdicts=verdicts, written={"parts_of_a_vae": answer})
    graded = write_results(tmp_path / "graded", {"mallory": student})
    path = graded / "executed" / "mallory.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell("# two_forms\n\ntwo_forms-comment\n---"))
    path.write_text(json.dumps(notebook), encoding="utf-8")
    record(graded, root=course_folder)
    page = visit(page_of("mallory", course_folder))
    page.wait_for_function("formgrader.grades?.loaded && formgrader.comments?.loaded")
    answered = page.locator(".nbgrader_cell", has=page.locator("input[id=parts_of_a_vae]"))
    expect(answered).to_contain_text("###### test_encode")
    with page.expect_response(lambda response: response.request.method == "PUT") as saved:
        answered.locator(".full-credit").click()
    assert saved.value.ok
    give(page, "parts_of_a_vae_extra_credit", "0.5")
    give(page, "two_forms", "3")  # no heading above it has made it dead
    give(page, "two_forms-comment", "Well done.")
    with Gradebook(f"sqlite:///{course_folder / 'gradebook.db'}", "fixmelab") as book:
        grades = book.find_submission_notebook("vae", "vae", "mallory").grades
        given = {grade.name: (grade.manual_score, grade.extra_credit) for grade in grades}
        comment = book.find_comment("two_forms", "vae", "vae", "mallory").manual_comment
    assert {name: marks for name, marks in given.items() if any(marks)} == {
        "parts_of_a_vae": (4.0, 0.5),
        "two_forms": (3.0, None),
    }
    assert comment == "Well done."
