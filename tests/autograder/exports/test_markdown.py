"""The job summary: rendered, it has the rows and headings of the run, whatever students and messages say."""

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from autograder.exports.markdown import MOST_BYTES, markdown
from autograder.reports.summary import BINS
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


def test_rows_headings_and_numbers_of_one_student(make_run, make_submission, every_verdict):
    page = Page(markdown(make_run(make_submission("ada", *every_verdict, manual=2.0))))
    assert [tag for tag in page.tags if tag[0] == "h"] == ["h2", "h3"]
    assert page.rows[0] == ["exercise", "verdict", "points", "message"]
    assert page.rows[1] == ["part_0", "✓ pass", "2 / 2", ""]
    assert page.rows[2] == ["part_1", "✗ fail", "0 / 2", "said of fail"]
    assert page.rows[8] == ["part_7", "? manual", "· / 2", ""]
    assert "Up to 2 more points are given by a person." in page.texts


def test_several_students_get_the_numbers_of_the_class(make_run, make_submission):
    wrong, right = ("fail", "the sign is wrong"), ("pass", "")
    page = Page(
        markdown(
            make_run(
                make_submission("ada", right, right, ("manual", ""), manual=2.0).model_copy(
                    update={"adjustments": ["part_0: dropped: *so*"]}
                ),
                make_submission("emil", wrong, right, ("missing", ""), manual=2.0),
                make_submission("noor", wrong, ("fault", "")).model_copy(
                    update={"adjustments": ["part_0: dropped: *so*", *map(str, range(9))]}
                ),
            )
        )
    )
    text = "".join(page.texts)
    assert "3 students, mean 44 %, median 33 %, 1 with full score." in text
    assert "1 waits for points that a person gives." in text
    assert "1 has an exercise that the grader failed to judge." in text
    assert "Adjusted: part_0: dropped: *so* (2 students)" in text and "There are 4 other adjustments." in text
    assert ["90 to 100 %", "1"] in page.rows and ["30 to 40 %", "1"] in page.rows
    assert ["part_0", "33 %", "1 pass, 2 fail"] in page.rows
    assert ["part_1", "67 %", "2 pass, 1 fault"] in page.rows
    assert ["2", "part_0", "the sign is wrong"] in page.rows
    assert not [name for name in ("ada", "emil", "noor", "part_2") if name in text]


def test_it_does_not_grow_with_the_class(make_run, make_submission):
    students = [make_submission(f"s{number}", ("fail", f"{number} " * 200), ("pass", "")) for number in range(60)]
    assert len(markdown(make_run(*students * 20))) <= len(markdown(make_run(*students))) + 100


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
def test_text_in_the_numbers_of_a_class_builds_nothing(make_run, make_submission, attack):
    page = Page(markdown(make_run(*(make_submission(name, ("fail", attack)) for name in (attack, "emil")))))
    assert set(page.tags) <= TAGS
    assert page.tags.count("tr") == 1 + BINS + 2 + 2 and page.rows[-1][2] == one_line(attack, 500)


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
    run = make_run(make_submission("ada", *[("fail", "é" * 500)] * 2000))
    text = markdown(run)
    assert MOST_BYTES - 2000 < len(text.encode()) <= MOST_BYTES < 2**20
    assert text.endswith("\n**Cut here:** a job summary holds 1 MiB at most. results.json has everything.\n")
    page = Page(text)
    assert all(len(row) == 4 for row in page.rows) and page.tags[-2:] == ["p", "strong"]
    assert "Cut here" not in markdown(make_run(make_submission("ada", ("fail", "é" * 500))))


def test_names_of_known_mistakes_are_not_in_it(make_run, make_submission):
    assert "name_of_a_mistake" not in markdown(make_run(make_submission("ada", ("fail", "x"))))
