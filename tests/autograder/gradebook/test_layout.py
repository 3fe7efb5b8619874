"""The notebooks that people grade: what is in them, what is not, and that they are placed all or none."""

import html
import json
from html.parser import HTMLParser

import nbformat
import pytest
from fabricated_results import BLACK, GREY
from nbconvert.exporters import HTMLExporter
from nbconvert.exporters.html import IPythonRenderer, MarkdownWithMath
from nbformat import v4
from nbgrader.utils import determine_grade

from autograder import cells, course
from autograder.gradebook import safe
from autograder.gradebook.layout import Placing, laid_out, works
from autograder.gradebook.structure import without_solutions


@pytest.fixture(scope="module")
def saved() -> nbformat.NotebookNode:
    return without_solutions(course.read_source("vae"))


def test_the_laid_out_notebook_is_valid_and_holds_every_cell_of_the_assignment(saved):
    executed = course.read_source("vae")
    for cell in executed.cells:
        if cells.is_tests(cell):
            cell.outputs = [v4.new_output("error", ename="fail", evalue="no", traceback=["fail: no"])]
    executed.cells.insert(2, v4.new_code_cell("x = 1", outputs=[v4.new_output("execute_result", {"text/plain": "99"})]))
    notebook = laid_out(executed, saved, rubrics=True)
    nbformat.validate(notebook)
    assert [cell.metadata for cell in notebook.cells if cells.grade_id(cell)] == [c.metadata for c in saved.cells]
    text = "\n".join(cell.source for cell in notebook.cells)
    assert "HIDDEN TESTS" not in text and "\ncheck(" not in text and "### BEGIN MARK SCHEME" in text
    assert "MARK SCHEME" not in "\n".join(c.source for c in laid_out(executed, saved, rubrics=False).cells)
    # nbgrader itself reads the same points out of what the test cells show.
    assert {determine_grade(cell)[0] for cell in notebook.cells if cells.is_tests(cell)} == {0}
    added = notebook.cells[2]
    assert (added.source, added.metadata, added.outputs[0].output_type) == ("x = 1", {}, "display_data")


def test_a_cell_that_takes_the_id_of_another_has_no_say(saved):
    executed = course.read_source("vae")
    forged = v4.new_code_cell("forged", metadata={"nbgrader": {"grade_id": "test_encode", "grade": True, "points": 99}})
    notebook = laid_out(nbformat.from_dict(dict(executed, cells=[*executed.cells, forged])), saved, rubrics=True)
    assert (notebook.cells[-1].source, notebook.cells[-1].metadata) == ("forged", {})
    assert sum(cells.grade_id(cell) == "test_encode" for cell in notebook.cells) == 1


def test_works_tell_answers_and_plots_apart_and_ignore_what_grading_makes():
    first, second = course.read_source("vae"), course.read_source("vae")
    for notebook, picture in ((first, GREY), (second, BLACK)):
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [v4.new_output("display_data", {"image/png": picture})]
        if notebook is second:
            (written,) = [cell for cell in notebook.cells if cells.grade_id(cell) == "sampling"]
            written.source = "another answer"
    one, two = works(first), works(second)
    assert {name for name in one if one[name] != two[name]} == {"sampling", "test_plot_latents"}
    for cell in second.cells:
        if cells.is_executed_in_grading(cell):
            cell.outputs = []
    assert works(second) == two


@pytest.mark.parametrize(
    "other",
    [
        v4.new_output("display_data", {"image/jpeg": "/9j/two"}),
        v4.new_output("display_data", {"text/plain": "two"}),
        v4.new_output("stream", text="two"),
        v4.new_output("error", ename="two"),
    ],
)
def test_whatever_is_shown_below_a_plots_test_is_what_was_marked(other):
    one, two = course.read_source("vae"), course.read_source("vae")
    first = nbformat.from_dict(json.loads(json.dumps(other).replace("two", "one")))
    for notebook, output in ((one, first), (two, other)):
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = [output]
    changed = {name for name, digest in works(one).items() if works(two)[name] != digest}
    assert changed == {"test_plot_latents"}


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("a < b, $x<y$, 1<2", "a < b, $x< y$, 1<2"),
        ("<script>alert(1)</script>", "< script>alert(1)< /script>"),
        ("<!-- --><?x?><A>", "< !-- -->< ?x?>< A>"),
        ("[a](javascript:b)", "[a] (javascript:b)"),
        ("![a](/formgrader?path=x)", "![a] (/formgrader?path=x)"),
        ("[a]: /x", "[a] : /x"),
        ("![a](attachment:none.png)", "[picture: not shown, MISSING]"),
        ("![a](attachment:own.png) ![b](/x)", "![picture](attachment:picture-1) ![b] (/x)"),
        ("![<b>](attachment:own.png)", "![picture](attachment:picture-1)"),
        ("![a](data:image/svg+xml,%3Csvg%3E)(javascript:b)", "[picture: not shown, SVG] (javascript:b)"),
        ("![a](data:image/png;base64,aGk=)", "[picture: not shown, PNG]"),
        ("![a](attachment:own.svg)", "[picture: not shown, SVG]"),
        ("\x1b[31mred\u202e", "red"),
        ("![a](attachment:/own.png)", "[picture: not shown, MISSING]"),
        ("\\![a](attachment:own.png)", "\\![a] (attachment:own.png)"),
        ("see https://e.x/a, HTTP://e.x", "see https: //e.x/a, HTTP: //e.x"),
        ("<1@e.x> <a@e.x>", "< 1@e.x> < a@e.x>"),
        (r"$\href{/x}{y} \cssId{a}{b} \classes$", r"$\ href{/x}{y} \ cssId{a}{b} \classes$"),
        (r"$\mmlToken{mi}[href=/x]{y}$", r"$\ mmlToken{mi}[href=/x]{y}$"),
        ("&#36;&#92;href{x}{y}&dollar; R & D, a &b", "& #36;& #92;href{x}{y}& dollar; R & D, a & b"),
        (r"\\begin{a}b\end{a} \\(a\\)", r"\\begin{a}b\end{a} \\(a\\)"),
    ],
)
def test_markdown_is_neither_html_nor_a_link(written, shown):
    attachments = {"own.png": {"image/png": GREY}, "own.svg": {"image/svg+xml": "<svg/>"}}
    assert safe.with_pictures(written, attachments)[0] == shown


CODE = "if a<b & c>d:  # [x](y)\n    print('https://e.x <b>', \\href{x}{y})"


@pytest.mark.parametrize(
    "around", ["{}", "$$\n{}\n$$", "- a\n{}", "> a\n{}", "`\n{}\n`", "<pre>\n{}\n</pre>", "[\n{}\n](x)"]
)
def test_fenced_code_is_shown_as_it_stands_and_stays_text(around):
    page = Found(rendered(safe.markdown(around.format(f"```python\n{CODE}\n```"))))
    assert page.links == [] and not page.elements & {"b", "a", "script"}
    if around == "{}":
        assert html.unescape(rendered(safe.markdown(f"```\n{CODE}\n```"))).count(CODE) == 1


def rendered(text: str) -> str:
    """HTML as the templates of formgrader and of feedback make it of Markdown."""
    return MarkdownWithMath(renderer=IPythonRenderer(escape=False)).render(text)


class Found(HTMLParser):
    """The elements of a page, and what names them or leads somewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.elements.add(tag)
        self.ids += [value for name, value in attrs if name in ("id", "name")]
        self.links += [value for name, value in attrs if name in ("href", "src")]


HEADINGS = [
    "# two_forms",
    "#two_forms",
    "###### two_forms ######",
    "two_forms\n===",
    "two_forms\n-",
    "two_forms\n-=-=  ",
]
PLACES = [  # what stands before a heading's first line, and before its second
    ("", ""),
    ("text\n", ""),
    ("text\n\n", ""),
    (" ", " "),
    ("   ", "   "),
    ("\t", "\t"),
    ("\u00a0", ""),
    ("> ", "> "),
    (">", ">"),
    (">\t", ">\t"),
    ("> > ", "> > "),
    (">\n> text\n> ", "> "),
    ("- ", "  "),
    ("-\t", "\t"),
    ("* a\n\n  ", "  "),
    ("+ - 1. ", "       "),
    ("12) ", "    "),
    ("1. > - ", "   >   "),
    ("> 1. a\n>    - ", ">      "),
    ("term\n: ", "  "),
    ("term\n:   a\n\n    ", "    "),
    ("- [ ] ", "  "),
    ("$$a$$\n", ""),
    ("$$a$$ ", ""),
    ("\\begin{a}b\\end{a}\n", ""),
    ("```\na\n```\n", ""),
    ("``\n", ""),
    ("a | b\n--- | ---\n", ""),
    ("***\n", ""),
    ("![p](attachment:own.png)\n", ""),
    ("![p](attachment:own.png)", ""),
    ("\x1b[31m", "\x1b[31m"),
    ("a\r", "\r"),
    ("&#35; a\n", ""),
]


@pytest.mark.parametrize(("before", "again"), PLACES)
@pytest.mark.parametrize("heading", HEADINGS)
def test_no_heading_is_left_that_would_give_formgrader_an_id(before, again, heading):
    page = rendered(safe.markdown(before + heading.replace("\n", f"\n{again}")))
    found = Found(page)
    assert found.ids == [] and not found.elements & {f"h{level}" for level in range(1, 7)}
    assert page.count("two_forms") == 1


@pytest.mark.parametrize(
    "text",
    [
        "# a {#two_forms}",
        "a {#two_forms}\n===",
        "{#two_forms}\n# a",
        "[a]{#two_forms}",
        "a[^two_forms]\n\n[^two_forms]: b",
        "[^two_forms]: b\n\n# c[^two_forms]",
        "*[two_forms]: b\n\ntwo_forms",
        "[two_forms][]\n\n[two_forms]: /x 'b'",
        "[two_forms]\n\n[two_forms]:\n/x",
        "two_forms\n:   # two_forms",
        "<h1 id=two_forms>a</h1>",
        "<a name=two_forms></a>",
        "`<i id=two_forms>`",
        "```html\n<i id=two_forms>\n```",
        "```mermaid\n<i id=two_forms>\n# two_forms\n```",
        "~~~{#two_forms}\na\n~~~",
        '``` python id="two_forms"\n# two_forms\n```',
        "| two_forms |\n|---|\n| # two_forms |",
        "$\\cssId{two_forms}{x}$ <1@two.forms>",
    ],
)
def test_nothing_else_in_an_answer_gives_an_id(text):
    found = Found(rendered(safe.markdown(text)))
    assert (found.ids, found.links) == ([], [])


def test_an_answer_stays_readable():
    text = "## Part (a)\nIssue #5 of 1. and C# > D\n\n| a | b |\n|---|---|\n| 1 | -2 |\n\n- x\n- y\n\n***\n\n    a  # b"
    page = rendered(safe.markdown(text))
    assert "<p>## Part (a)<br" in page and "Issue #5 of 1. and C# &gt; D" in page
    assert Found(page).elements >= {"table", "ul", "hr", "pre"} and "a  # b" in page
    assert "<p>Title<br />\n===</p>" in rendered(safe.markdown("Title\n==="))
    # MathJax does not know \\=.
    assert "$$a  \n\u00a0=\nb$$" in rendered(safe.markdown("$$a\n=\nb$$"))


def test_a_whole_page_has_no_id_of_a_students_choice(saved):
    """The same in nbconvert's own template, with cells and outputs of every kind."""
    text = "# two_forms\n\ntwo_forms\n---\n<p id=two_forms>"
    data = dict.fromkeys(("text/html", "text/markdown", "text/latex", "text/plain", "application/javascript"), text)
    outputs = [v4.new_output(kind, data) for kind in ("display_data", "execute_result")]
    outputs += [v4.new_output("stream", text=text), v4.new_output("error", ename=text, evalue=text, traceback=[text])]
    metadata = {"id": "two_forms", "tags": ["two_forms"]}
    executed = v4.new_notebook(
        cells=[
            v4.new_markdown_cell(text, id="two_forms", metadata=metadata),
            v4.new_raw_cell(text, id="test_encode", metadata={"raw_mimetype": "text/html"}),
            v4.new_code_cell(text, id="encode-comment", metadata=metadata, outputs=outputs),
            v4.new_code_cell(f"%%html\n{text}", outputs=outputs),
        ]
    )
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(laid_out(executed, saved, rubrics=True))
    own = [f"cell-id=cell-{index}" for index in range(4)]
    assert set(Found(page).ids) - set(own) == {"viewport", "notebook", "notebook-container"}


@pytest.mark.parametrize("name", course.assignment_names())
def test_the_courses_own_headings_are_no_boxes_for_points(name):
    source = course.read_source(name)
    names = {cells.grade_id(cell) for cell in source.cells}
    headings = [rendered(cell.source) for cell in source.cells if cell.cell_type == "markdown"]
    found = {id for page in headings for id in Found(page).ids}
    assert found and not found & {f"{name}{end}" for name in names for end in ("", "-comment", "_extra_credit")}


def test_a_photo_of_a_proof_is_kept_and_what_is_no_picture_is_not(saved):
    executed = course.read_source("vae")
    (written,) = [cell for cell in executed.cells if cells.grade_id(cell) == "two_forms"]
    names = ["proof.png", "grün.png", "日本.png", "a&amp;b.png"]
    written.source = " ".join(f"![proof](attachment:{name})" for name in (*names, "gr%C3%BCn.png", "x.svg"))
    written.attachments = dict.fromkeys(names, {"image/png": GREY})
    written.attachments["x.svg"] = {"image/svg+xml": "<svg onload='x'/>"}
    notebook = laid_out(executed, saved, rubrics=True)
    (cell,) = [cell for cell in notebook.cells if cells.grade_id(cell) == "two_forms"]
    assert cell.attachments == {f"picture-{number}": {"image/png": GREY} for number in range(1, 6)}
    shown = " ".join(f"![picture](attachment:picture-{number})" for number in range(1, 6))
    assert cell.source == f"{shown} [picture: not shown, SVG]"
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(v4.new_notebook(cells=[cell]))
    assert page.count("<img ") == 5


@pytest.mark.parametrize("opener", [r"\begin{a}", r"\\(", r"\\["])
def test_openers_of_formulas_that_are_never_closed_are_defused(opener):
    assert safe.markdown(opener * 200) == opener * 200
    defused = safe.markdown(opener * 201)
    assert opener not in defused and defused.replace(" ", "") == opener * 201
    rendered(safe.markdown(opener * (safe.MOST_CHARACTERS // len(opener))))  # minutes, were they not


def test_outputs_are_text_and_pictures_only():
    data = {"image/png": "no picture", "text/html": "<b>", "text/plain": "p"}
    outputs = [
        v4.new_output("display_data", {"image/png": GREY, "text/html": "<b>", "text/plain": "<Figure>"}),
        v4.new_output("display_data", data),
        v4.new_output("display_data", {"text/html": "<b>"}),
        v4.new_output("stream", text="\x1b[2Jprinted"),
        nbformat.from_dict({"output_type": "error", "ename": None, "evalue": "v", "traceback": "not a list"}),
        nbformat.from_dict({"output_type": "update", "data": 5}),
    ]
    found = safe.outputs(nbformat.from_dict({"outputs": outputs}))
    assert [output.get("data") or output.get("text") or output.evalue for output in found] == [
        {"image/png": GREY, "text/plain": "<Figure>"},
        {"text/plain": "[a picture that cannot be shown here]"},
        {"text/plain": "[an output without text is left out]"},
        "printed",
        "v",
    ]
    nbformat.validate(v4.new_notebook(cells=[v4.new_code_cell("", outputs=found)]))


def test_files_are_placed_together_and_taken_back_together(tmp_path):
    (tmp_path / "a").write_text("old")
    placing = Placing()
    placing.prepare(tmp_path / "a", "new")
    placing.prepare(tmp_path / "b" / "c", "new")
    placing.place()
    assert ((tmp_path / "a").read_text(), (tmp_path / "b" / "c").read_text()) == ("new", "new")
    placing.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_text() == "old"
    placing.prepare(tmp_path / "a", "new")
    placing.place()
    placing.settle()
    placing.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a"] and (tmp_path / "a").read_text() == "new"
