"""The job summary: rendered, it has the rows and headings of the run, whatever students and messages say."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from autograder.exports.markdown import MOST_BYTES, markdown
from autograder.results.text import one_line


class Page(HTMLParser):
    """What Markdown rendered to: the elements, and the text of each cell and heading."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self.in_cell = False
        renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
        self.feed(renderer.render(text))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.in_cell = True

    def handle_endtag(self, tag):
        self.in_cell = self.in_cell and tag not in ("td", "th")

    def handle_data(self, data):
        data = data.replace("\N{NO-BREAK SPACE}", " ")
        self.texts.append(data)
        if self.in_cell:
            self.rows[-1][-1] += data


def test_rows_headings_and_numbers(make_run, make_submission, every_verdict):
    page = Page(markdown(make_run(make_submission("ada", *every_verdict, manual=2.0), make_submission("emil"))))
    assert [tag for tag in page.tags if tag[0] == "h"] == ["h2", "h3", "h3"]
    assert page.tags.count("table") == 3
    assert page.rows[0] == ["student", "points", "verdicts"]
    assert page.rows[2] == ["emil", "2 / 2", "1 pass"]
    assert page.rows[3] == ["exercise", "verdict", "points", "message"]
    assert page.rows[4] == ["part_0", "✓ pass", "2 / 2", ""]
    assert page.rows[5] == ["part_1", "✗ fail", "0 / 2", "said of fail"]
    assert page.rows[11] == ["part_7", "? manual", "· / 2", ""]
    assert "Up to 2 more points are given by a person." in page.texts


def test_one_student_needs_no_table_of_totals(make_run, make_submission):
    assert Page(markdown(make_run(make_submission("ada")))).tags.count("table") == 1


def test_no_student_and_no_sandbox_are_said(make_run, make_submission):
    assert "No submissions." in markdown(make_run())
    assert "Graded without the sandbox" in markdown(make_run(make_submission("ada"), sandbox=False))


ATTACKS = [
    "| forged | ✓ pass | 2 / 2 | |",
    "x |\n| forged | ✓ pass | 2 / 2 | |\n",
    "\n\n# forged\n\n<h1>forged</h1>",
    "x \\| y \\\\| z `|` \\",
    "</td></tr></table><h1>forged</h1><script>alert(1)</script>",
    "![x](https://example.org/x.png) [y](javascript:alert(1)) <https://example.org> <img src=x>",
    "`code` **bold** _it_ ~~gone~~ $x$ :tada: &lt; &#124; @name #1 [^1]",
    "x\u2028| forged |\x85| forged |\x0b| forged |\x1e# forged",
    "-->\r\r# forged\r| a |\r| - |",
    "\u202e\x1b[31mred",
]
TAGS = {"h2", "h3", "table", "thead", "tbody", "tr", "th", "td", "p"}


def require_as_said(page: Page, student: str, message: str) -> None:
    assert set(page.tags) <= TAGS
    assert (page.tags.count("tr"), page.tags.count("h2"), page.tags.count("h3")) == (3, 1, 1)
    assert len(page.rows[1]) == len(page.rows[2]) == 4
    assert page.rows[1][3] == one_line(message, 500)
    assert page.rows[2][0] == "part_1"
    shown = one_line(student, 80) or "(no name)"
    assert f"{shown}: 2 / 4 points" in "".join(page.texts)


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_is_shown_and_builds_nothing(make_run, make_submission, attack):
    page = Page(markdown(make_run(make_submission(attack, ("fail", attack), ("pass", "")))))
    require_as_said(page, attack, attack)


TEXT = st.text(st.sampled_from("|`*_~<>&[]()#$@:!^{}\\-=+.1 \n\ta\x0b\u2028"), max_size=40) | st.text(max_size=40)


@settings(max_examples=300, deadline=None)
@given(student=TEXT, message=TEXT)
def test_no_text_forges_a_row_or_a_heading(make_run, make_submission, student, message):
    page = Page(markdown(make_run(make_submission(student, ("fail", message), ("pass", "")))))
    require_as_said(page, student, message)


def test_it_fits_and_says_what_was_cut(make_run, make_submission):
    lines = [("fail", "é" * 500)] * 20
    run = make_run(*(make_submission(f"student {index}", *lines) for index in range(100)))
    text = markdown(run)
    assert MOST_BYTES - 2000 < len(text.encode()) <= MOST_BYTES < 2**20
    assert text.endswith("\n**Cut here:** a job summary holds 1 MiB at most. results.json has everything.\n")
    page = Page(text)
    assert all(len(row) == 4 for row in page.rows[101:]) and page.tags[-2:] == ["p", "strong"]
    assert "Cut here" not in markdown(make_run(make_submission("ada", *lines)))


def test_names_of_known_mistakes_are_not_in_it(make_run, make_submission):
    assert "name_of_a_mistake" not in markdown(make_run(make_submission("ada", ("fail", "x"))))
