"""Hidden code, inputs, expected values, mark schemes and names of mistakes are in no artefact of an export.

A canary stands in every hidden place of an assignment; submissions to it are graded for real and exported in every
form; each canary is looked for in every file, as it is, decoded and in the names of files.
"""

import base64
import html
import inspect
import re
from pathlib import Path
from urllib.parse import unquote

import canary_course
import nbformat
import pytest
from canary_course import CANARIES, EXERCISES, HEADING, NUMBERS, SENTENCE, source, submission
from nbformat.v4 import new_code_cell, new_output
from typer.testing import CliRunner

from autograder import course
from autograder.commands import app as cli
from autograder.grading.explain import explained
from autograder.grading.grading import Grading
from autograder.grading.run import Run
from autograder.grading.submissions import Submission
from autograder.results.writing import write_run
from autograder.sandbox.limits import Limits

HIDDEN = (*CANARIES.values(), *NUMBERS)
FORMS = {"junit": "out.xml", "csv": "out.csv", "canvas": "canvas.csv", "markdown": "out.md", "html": "pages"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def course_of_canaries(tmp_path, monkeypatch) -> Path:
    """A repository with the canaries' course in it; a folder for what is exported lies beside."""
    root = tmp_path / "course"
    monkeypatch.setattr(course, "ROOT", root)
    for folder in ("notebooks", "source/toy", "autograder/assignments/toy"):
        (root / folder).mkdir(parents=True)
    (root / "notebooks" / "toy.py").touch()
    (root / "autograder" / "assignments" / "toy" / "triple.py").write_text("x = 1\n")
    nbformat.write(source(), root / "source" / "toy" / "toy.ipynb")
    return root


def export_all(graded: Path, folder: Path) -> dict[str, str]:
    """Export in every form, and return the text of what each form wrote, and said on the terminal."""
    roster = folder / "roster.csv"
    folder.mkdir()
    roster.write_text('Student,ID,SIS Login ID,Section,toy (7)\n"Wrong, Wanda",1,wrong,A,\n')
    said = ""
    for form, name in FORMS.items():
        for extra in ([], ["--roster", str(roster)]) if form == "canvas" else ([],):
            out = folder / f"{len(extra)}-{name}"
            done = CliRunner().invoke(
                cli.app, ["export", str(graded), "--to", form, "--out", str(out), *extra], catch_exceptions=False
            )
            assert done.exit_code == 0, done.output
            said += done.output
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != roster]
    assert {path.suffix for path in files} == {".xml", ".csv", ".md", ".html"}
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files} | {"terminal": said}


def found_in(text: str) -> list[str]:
    """The hidden words in a text: as it is, with references and percent signs decoded, in its base64, in any case."""
    texts = [text, html.unescape(text), unquote(text)]
    for encoded in re.findall(r"[A-Za-z0-9+/]{24,}={0,2}", text):
        texts.append(base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode("latin-1"))
    everything = "\n".join(texts).casefold()
    squeezed = re.sub(r"[\s_,.\u200b]", "", everything)
    return [word for word in HIDDEN if word in everything or word in squeezed]


def test_the_search_finds_what_is_hidden_however_it_is_written():
    word = CANARIES["solution"]
    for text in (
        word,
        word.upper(),
        "".join(f"&#{ord(character)};" for character in word),
        "".join(f"%{ord(character):02x}" for character in word),
        base64.b64encode(f"....{word}.............".encode()).decode(),
        "31,337.125",
    ):
        assert found_in(f"<p>{text}</p>"), text
    assert found_in("nothing to see, 3133 and 7 are far apart from canary solution") == []


def test_a_canary_stands_in_every_hidden_place():
    planted = nbformat.writes(source()) + inspect.getsource(canary_course)
    assert set(found_in(planted)) == set(HIDDEN)
    assert found_in(nbformat.writes(submission(**canary_course.BODIES))) == []


@pytest.mark.slow
def test_no_canary_is_in_what_is_exported_of_graded_submissions(course_of_canaries, crew, tmp_path):
    plot = (
        'from IPython.display import Image, display\nimport base64\ndisplay(Image(base64.b64decode("' + PIXEL + '")))'
    )
    handed_in = {
        "wrong": submission("return x + three", 'return "b"', "Since it is so."),
        "odd": submission("return x * 0", "return None"),
        "shape": submission("return x[:1] if hasattr(x, 'shape') else x", "return [1, 2]"),
        "raises": submission("raise ValueError('no idea')", "return x + 1"),
        "crashes": submission("import os; os._exit(3)", "return x.shape"),
        "hangs": submission("while True: pass", "return x"),
        "empty": submission(),
    }
    handed_in["wrong"].cells.append(new_code_cell(plot))
    handed_in["wrong"].cells.insert(0, new_code_cell("no_such_name\nthree = 3"))
    toy = course.read_source("toy")
    grading = Grading("toy", toy, key=b"k" * 32, limits=Limits(cell=5), exercises=EXERCISES)
    sent = [Submission(name, f"{name}.ipynb", nbformat.writes(made).encode()) for name, made in handed_in.items()]
    grader = Run(grading, crew)
    run = grader.grade(sent)
    grader.finish()
    write_run(tmp_path / "graded", run, grader.tally.records)
    # What explains a verdict holds hidden things, and leaves none behind.
    told = explained(grading, None, crew, sent[0])
    assert all(text.startswith(f"=== {name}: fail: ") for name, text in told.items())  # as it was graded
    assert {"inputtext", "mistakename"} <= {name for name, word in CANARIES.items() if word in "".join(told.values())}
    verdicts = {item.student: [found.verdict for found in item.exercises] for item in run.submissions}
    assert verdicts == {
        "wrong": ["fail", "fail", "manual"],
        "odd": ["fail", "fail", "missing"],
        "shape": ["fail", "fail", "missing"],
        "raises": ["error", "error", "missing"],
        "crashes": ["crashed", "error", "missing"],
        "hangs": ["timeout", "fail", "missing"],
        "empty": ["missing", "missing", "missing"],
    }
    # They were there to be leaked: the executed notebook holds the hidden test, results.json the mistake's name.
    executed = (tmp_path / "graded" / "executed" / "wrong.ipynb").read_text()
    assert CANARIES["hiddentest"] in executed and CANARIES["metadata"] in executed
    assert CANARIES["mistakename"] in (tmp_path / "graded" / "results.json").read_text()
    texts = export_all(tmp_path / "graded", tmp_path / "exported")
    assert len(texts) == 5 + len(handed_in) + 1
    assert {name: found_in(text) for name, text in texts.items() if found_in(text) or found_in(name)} == {}
    for name in ("0-out.xml", "0-out.md", "0-pages/wrong.html"):
        assert SENTENCE in texts[name]
    assert HEADING in texts["0-pages/wrong.html"] and "Since it is so." in texts["0-pages/wrong.html"]
    assert PIXEL in texts["0-pages/wrong.html"]


def test_no_canary_comes_out_of_an_executed_notebook(
    course_of_canaries, make_run, make_submission, write_graded, tmp_path
):
    """An executed notebook may hold anything in sources, outputs, metadata and attachments."""
    notebook = source()
    everything = " ".join(HIDDEN)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            cell.attachments = {"x.png": {"image/png": base64.b64encode(everything.encode()).decode()}}
            continue
        is_test = cell.metadata["nbgrader"]["grade_id"].startswith("test_")
        picture = PIXEL[:-8] + base64.b64encode(everything.encode()).decode() if is_test else PIXEL
        cell.outputs = [
            new_output("stream", text=everything),
            new_output("error", ename=everything, evalue=everything, traceback=[everything]),
            new_output(
                "display_data",
                data={"image/png": picture, "text/html": everything, "image/svg+xml": f"<svg>{everything}</svg>"},
                metadata={"alt": everything},
            ),
        ]
    run = make_run(make_submission("ada", ("fail", SENTENCE))).model_dump()
    run["assignment"] = "toy"
    run["submissions"][0]["exercises"][0] |= {"id": "toy.triple", "mistake": everything}
    graded = write_graded(make_run().model_validate(run), {"ada": notebook})
    texts = export_all(graded, tmp_path / "exported")
    assert {name: found_in(text) for name, text in texts.items() if found_in(text)} == {}
    assert texts["0-pages/ada.html"].count("data:image/png;base64,") == 2
