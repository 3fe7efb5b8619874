"""The page of one student: what is theirs, all of it, and nothing of others."""

import pytest
from canary_course import source, submission
from nbformat.v4 import new_output
from typer.testing import CliRunner

from autograder.commands.app import app
from autograder.reports.html import instructors_page, student_page
from autograder.reports.work import outline
from autograder.results.model import Repair

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def notebook():
    made = submission("return 1", why="My own words <b>here</b>.")
    made.cells[1].outputs = [new_output("display_data", data={"image/png": PIXEL})]
    return made


def test_forgetting_removes_the_page_and_the_list_of_answers_that_are_alike(
    make_run, make_submission, write_graded, monkeypatch
):
    folder = write_graded(make_run(make_submission("ada"), make_submission("bob")))
    gone = [folder / "feedback" / "ada.html", folder / "similar.html"]
    (folder / "feedback").mkdir()
    for path in gone:
        path.write_text("ada: def kl(mu): return mu")
    monkeypatch.setattr("autograder.commands.grade.write_report", lambda out, run: out / "report.html")
    done = CliRunner().invoke(app, ["forget", str(folder), "ada"])
    assert done.exit_code == 0 and not any(path.exists() for path in gone), done.output


def test_verdicts_messages_plots_and_words(make_run, make_submission, notebook, every_verdict):
    ada = make_submission("ada", *every_verdict, manual=3.0)
    repair = Repair(exercise="little.part_1", how="anchor", confidence=0.75, what="metadata restored")
    ada = ada.model_copy(update={"repairs": [repair]})
    page = student_page(make_run(ada), ada, notebook, source())
    for verdict, message in every_verdict:
        assert f'class="mark {verdict}"' in page and message in page
    for text in (
        "2 of 16</b> automatic points",
        "<b>2</b> more points at most, given by a person",
        "metadata restored",
    ):
        assert text in page
    assert PIXEL in page and "My own words &lt;b&gt;here&lt;/b&gt;." in page
    assert "default-src 'none'; img-src data:" in page and 'name="viewport"' in page


def test_nothing_of_others_and_no_name_of_a_mistake(make_run, make_submission):
    ada, emil = make_submission("ada", ("fail", "said to ada")), make_submission("emil", ("fail", "said to emil"))
    run = make_run(ada, emil)
    page = student_page(run, ada, None, source())
    assert "said to ada" in page
    assert "emil" not in page and "name_of_a_mistake" not in page and "2 submissions" not in page
    assert "name_of_a_mistake" in instructors_page(run, ada, None, outline(source()))


def test_without_a_notebook_or_the_sandbox_it_says_so(make_run, make_submission):
    ada = make_submission("ada")
    page = student_page(make_run(ada, sandbox=False), ada, None, source())
    assert "There is no executed notebook of this submission" in page
    assert "Graded without the sandbox" in page


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_a_phone_and_is_inert(browser, make_run, make_submission, notebook, tmp_path, width):
    attack = "<script>document.title='ran'</script><img src='http://127.0.0.1:9/x'>" + "x" * 500
    ada = make_submission(attack, ("fail", attack), ("pass", ""), ("manual", ""), manual=2.0)
    path = tmp_path / "page.html"
    notebook.cells[-1].source = attack
    path.write_text(student_page(make_run(ada), ada, notebook, source()), encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 800})
    try:
        page = context.new_page()
        requests, complaints = [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(path.as_uri())
        assert page.title() == "A heading that everybody sees: results"
        assert complaints == [] and [url for url in requests if not url.startswith(("file:", "data:image/png"))] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("figure img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
        sizes = page.evaluate(
            "[...document.querySelectorAll('main p, main li, main pre, main code')]"
            ".map(element => parseFloat(getComputedStyle(element).fontSize))"
        )
        assert min(sizes) >= 12
    finally:
        context.close()
