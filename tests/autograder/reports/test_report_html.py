import base64
import re
from html.parser import HTMLParser

import pytest

from autograder.reports import html, work
from autograder.reports.html import instructors_page
from autograder.reports.index import index_page, page_name
from autograder.reports.summary import exercise_summaries, frequent_mistakes, histogram
from autograder.results.model import Repair

SIGMA = ("fail", "sigma is taken for the variance", "variance_as_sigma")
UNKNOWN = ("fail", "the numbers are wrong", None)
VOID = {"meta", "img", "input"}


class Page(HTMLParser):
    """Elements, attributes and text of a page; fails where tags are not balanced."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.open, self.texts = [], [], []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.texts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def index(run, source):
    return "".join(index_page(run, source))


def sheet(run, source, notebook=None, student=0):
    return instructors_page(run, run.submissions[student], notebook, work.outline(source))


def pages_of(folder):
    return [path.read_text(encoding="utf-8") for path in folder.rglob("*.html")]


@pytest.fixture
def class_run(submission, make_run):
    repair = Repair(exercise="little.kl", how="anchor", confidence=0.75, what="metadata restored")
    return make_run(
        submission("ada"),
        submission("emil", kl=SIGMA, repairs=(repair,)),
        submission("noor", kl=SIGMA, grid=UNKNOWN),
        submission("sam", kl=("missing", "", None), grid=("timeout", "no answer in time", None)),
    )


def test_numbers_agree_with_the_run(class_run, source):
    text = Page(index(class_run, source)).text
    shares = [3.5 / 3.5, 1.5 / 3.5, 0, 0]
    assert f"{100 * sum(shares) / 4:.0f} % mean score" in text
    assert "21 % median score" in text
    assert "1 of 4 with full score" in text
    assert "1 notebook repaired" in text
    assert "4 submissions" in text
    for submission in class_run.submissions:
        expected = f"{submission.student}{submission.score:g} / {submission.max_score:g}"
        assert expected in text
    assert "kl 1 The KL term 1 of 4 25 %" in text
    assert "grid 2 A map 2 of 4 50 %" in text
    assert "2× kl variance_as_sigma sigma is taken for the variance emil, noor" in text
    assert "1× grid the numbers are wrong noor" in text
    assert "ada3.5 / 3.5?✓✓" in text and "sam0 / 3.5?–T" in text
    one, other = (Page(sheet(class_run, source, student=number)).text for number in (1, 3))
    assert "1.5 of 3.5 automatic points" in one and "kl metadata restored anchor 75 %" in one
    assert "variance_as_sigma" in one and "no answer in time" in other


def test_bars_of_an_exercise_fill_the_width_by_verdict(class_run, source):
    bars = [bar for bar in Page(index(class_run, source)).all("rect") if "x" in bar and "%" in bar["x"]]
    assert [(bar["class"], bar["x"], bar["width"]) for bar in bars] == [
        ("pass", "0%", "25.0%"),
        ("fail", "25.0%", "50.0%"),
        ("missing", "75.0%", "25.0%"),
        ("pass", "0%", "50.0%"),
        ("fail", "50.0%", "25.0%"),
        ("timeout", "75.0%", "25.0%"),
    ]


def test_histogram_bins():
    assert histogram([0, 0.05, 0.1, 0.6999999999999999, 0.99, 1]) == [2, 1, 0, 0, 0, 0, 0, 1, 0, 2]
    assert histogram([]) == [0] * 10


def test_summaries_count_no_written_exercise(class_run):
    summaries = exercise_summaries(class_run, {"little.why"})
    assert [(summary.id, summary.passed, summary.judged) for summary in summaries] == [
        ("little.kl", 1, 4),
        ("little.grid", 2, 4),
    ]


def test_frequent_mistakes_join_by_name_else_by_sentence(submission, make_run):
    run = make_run(
        submission("a", kl=UNKNOWN),
        submission("b", kl=("fail", "another sentence", None)),
        submission("c", kl=SIGMA),
        submission("d", kl=("fail", "sigma again, other words", "variance_as_sigma")),
        submission("e", kl=SIGMA, grid=SIGMA),
        submission("f", kl=("error", "not a mistake", None)),
    )
    found = [(m.exercise, m.mistake, m.sentence, m.submissions) for m in frequent_mistakes(run)]
    assert found == [
        ("little.kl", "variance_as_sigma", SIGMA[1], [2, 3, 4]),
        ("little.kl", None, UNKNOWN[1], [0]),
        ("little.kl", None, "another sentence", [1]),
        ("little.grid", "variance_as_sigma", SIGMA[1], [4]),
    ]


def test_hostile_text_adds_no_element(hostile_report):
    whole = pages_of(hostile_report)
    assert len(whole) == 5  # the class, the exam and three students
    pages = [Page(text) for text in whole]
    tags = [tag for page in pages for tag, _ in page.elements]
    assert not set(tags) & {"iframe", "object", "embed", "link", "form", "base"}
    assert (tags.count("script"), tags.count("input")) == (1, 1)  # the search
    images = [image for page in pages for image in page.all("img")]
    assert len(images) == 1 and images[0]["src"].startswith("data:image/png;base64,")
    links = {link["href"] for page in pages for link in page.all("a")}
    assert all(re.fullmatch(r"report/(students/[\w.%-]+|exam)\.html|(\.\./){1,2}report\.html", link) for link in links)
    assert not [name for page in pages for _, given in page.elements for name in given if name.startswith("on")]
    for text in whole:
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)
        assert "url(" not in text and "@import" not in text


def test_hostile_text_is_shown_as_it_is(hostile_report, hostile_name):
    text = Page((hostile_report / page_of_file(hostile_name)).read_text()).text
    for part in (
        "[bold]eve[/bold]",
        "</pre></style><script>",
        "</pre></script><script>",
        "onerror=\"document.title='ran'\">",
    ):
        assert part in text
    assert "2 outputs that call themselves PNG images are none" in text
    assert "[bold]eve[/bold]" in Page((hostile_report / "report.html").read_text()).text


def page_of_file(student):
    return f"report/students/{page_name(student)}"


def test_pages_forbid_scripts_and_load_nothing(hostile_report):
    for text in pages_of(hostile_report):
        (policy,) = (meta["content"] for meta in Page(text).all("meta") if "http-equiv" in meta)
        assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
        assert "unsafe" not in policy and ("script-src 'sha256-" in policy) == ("<script>" in text)


def test_no_answer_of_the_course_is_revealed(class_run, executed, source, make_png):
    notebook = executed({"cell-3": [{"image/png": make_png()}]}, answer="My words.")
    for cell in notebook.cells:
        cell["source"] = cell["source"].replace("SECRET_SOLUTION", "my own code")
    page = sheet(class_run, source, notebook)
    assert "SECRET" not in page + index(class_run, source)
    assert "MARK SCHEME" not in page
    assert "My words." in page and "my own code" in page


def test_code_stands_beside_its_verdict_and_is_open_unless_right(class_run, executed, source):
    notebook = executed()
    for cell in notebook.cells:
        if cell.metadata["nbgrader"]["grade_id"] in ("kl", "grid"):
            cell["source"] = f"# exercise: {cell.metadata['nbgrader']['grade_id']}\na < b"
    page = sheet(class_run, source, notebook, student=1)
    shown = re.findall(
        r'<code>(\w+)</code>(?:(?!<li>).)*?<details class="code"( open)?>.*?<pre>(.*?)</pre>', page, re.S
    )
    assert shown == [
        ("kl", " open", "# exercise: kl\na &lt; b"),
        ("grid", "", "# exercise: grid\na &lt; b"),
    ]


def test_written_answers(executed, source):
    (answer,) = work.written_answers(executed(answer="Because *q*.\n<b>"), work.outline(source))
    assert (answer.exercise, answer.points, answer.heading) == ("why", 3, "1 The KL term")
    assert answer.text == "Because *q*.\n<b>"
    assert work.written_answers(executed(), work.outline(source))[0].text is None
    assert work.written_answers(executed(answer="  \n"), work.outline(source))[0].text is None
    long = work.written_answers(executed(answer="x" * 10**6), work.outline(source))[0].text
    assert len(long) == work.MOST_ANSWER_CHARACTERS and long.endswith("…")


def test_a_student_without_notebook(class_run, executed, source):
    assert "There is no executed notebook of this submission" in Page(sheet(class_run, source)).text
    text = Page(sheet(class_run, source, executed())).text
    assert "no executed notebook" not in text and text.count("Not answered.") == 1


def test_empty_run(make_run, source):
    text = Page(index(make_run(), source)).text
    assert "This run has no submissions." in text
    assert "0 submissions" in text


def test_run_without_automatic_points(submission, make_run, source):
    only = submission("ada")
    written = only.model_copy(update={"exercises": only.exercises[:1], "score": 0.0, "max_score": 0.0})
    text = Page(index(make_run(written), source)).text
    assert "0 / 0" in text and "mean score" not in text


def test_missing_sandbox_is_said(submission, make_run, source):
    assert "Graded without the sandbox" in index(make_run(submission("ada"), sandbox=False), source)
    assert "Graded without the sandbox" not in index(make_run(submission("ada")), source)


def test_lone_surrogates_do_not_break_writing(submission, make_run, executed, source):
    page = sheet(make_run(submission("ada")), source, executed(answer="\ud83d half"))
    assert "\ufffd half" in page.encode("utf-8").decode()


def test_headings_are_plain_and_from_the_assignment(source):
    assert work.title(source) == "The little notebook"
    assert work.outline(source).headings == {"kl": "1 The KL term", "why": "1 The KL term", "grid": "2 A map"}
    assert work.headings("# a\n### BEGIN MARK SCHEME\n# hidden, without an end") == ["a"]
    assert work.headings("#### A * B * C ####\n#no heading") == ["A * B * C"]


def test_plots_stand_in_order_with_captions(executed, source, make_png):
    pictures = [make_png(grey=shade) for shade in (10, 20, 30, 40)]
    notebook = executed(
        {
            "kl": [{"image/png": pictures[0]}],
            "cell-3": [{"text/plain": "a figure", "image/png": pictures[1] + "\n"}, {"text/plain": "no picture"}],
            "grid": [{"image/png": pictures[2]}],
        }
    )
    added = executed({"cell-3": [{"image/png": pictures[3]}]}).cells[4]
    added.metadata = {}
    notebook.cells.insert(5, added)
    found = work.plots(notebook, work.outline(source), 10**6)
    assert [(plot.data, plot.caption) for plot in found.shown] == [
        (pictures[0], "kl · 1 The KL term"),
        (pictures[1], "1 The KL term"),
        (pictures[3], "1 The KL term (added cell)"),
        (pictures[2], "grid · 2 A map"),
    ]
    assert [(plot.width, plot.height) for plot in found.shown] == [(40, 30)] * 4


def test_pictures_of_test_cells_are_left_out(executed, source, make_png):
    found = work.plots(executed({"test_kl": [{"image/png": make_png()}]}), work.outline(source), 10**6)
    assert (found.shown, found.over_limit, found.damaged) == ([], 0, 0)


def test_number_and_size_of_plots_are_limited(executed, source, make_png):
    picture = {"image/png": make_png()}
    many = work.plots(executed({"cell-3": [picture] * (work.MOST_PLOTS + 3)}), work.outline(source), 10**6)
    assert (len(many.shown), many.over_limit) == (work.MOST_PLOTS, 3)
    size = len(base64.b64decode(picture["image/png"]))
    tight = work.plots(executed({"cell-3": [picture] * 3}), work.outline(source), 2 * size)
    assert (len(tight.shown), tight.over_limit) == (2, 1)
    bomb = work.plots(
        executed({"cell-3": [{"image/png": make_png(claimed=(60000, 60000))}]}), work.outline(source), 10**6
    )
    assert (len(bomb.shown), bomb.over_limit) == (0, 1)


def test_capped_plots_are_said(class_run, executed, source, make_png, monkeypatch):
    monkeypatch.setattr(html, "MOST_PLOT_BYTES_OF_STUDENT", 0)
    text = Page(sheet(class_run, source, executed({"cell-3": [{"image/png": make_png()}] * 2}))).text
    assert "2 more plots are not shown" in text


def test_only_png_files_are_pictures(make_png):
    good = make_png(7, 5)
    data = base64.b64decode(good)
    assert work.decode_png(good) == (data, 7, 5)
    assert work.decode_png("\n".join([good[:20], good[20:]])) == (data, 7, 5)

    def encode(raw):
        return base64.b64encode(raw).decode()

    for bad in (
        encode(b"GIF89a" + data[6:]),
        encode(b"\xff\xd8\xff\xe0" + data[4:]),
        encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 3),
        encode(data[:20]),
        encode(data[:12] + b"iDOT" + data[16:]),
        make_png(claimed=(0, 5)),
        good[:-3] + '"><',
        "é" + good,
        '"' + good,
        "",
        None,
        [good],
    ):
        assert work.decode_png(bad) is None


def test_a_broken_output_does_not_stop_the_report(executed, source):
    notebook = executed()
    notebook.cells[4]["outputs"] = [{"output_type": "stream", "text": "x"}, {"output_type": "display_data", "data": 3}]
    del notebook.cells[2]["outputs"]
    assert work.plots(notebook, work.outline(source), 10**6) == work.Plots([], 0, 0)
