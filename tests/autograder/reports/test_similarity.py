"""Who shares with whom what chance, the course and the solution do not explain."""

import json
import math

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from typer.testing import CliRunner

from autograder import course
from autograder.commands.app import app
from autograder.reports.similarity import COMMON, Similarity, Whose
from autograder.results import files

SOLUTION = "    centered = x - x.mean()\n    return (centered ** 2).sum() / len(x)"
STUB = '# exercise: spread\ndef spread(x):\n    """The variance of x."""\n'
ODD = """    total = 0.0
    for index in range(len(x)):
        total = total + float(x[index]) * 0.5 + float(x[index]) * 0.5
    middle = total / max(len(x), 1)
    result = sum(abs(float(value) - middle) ** 2.0 for value in x)
    return torch.as_tensor(result) / max(len(x), 1)"""
RENAMED = """    # all by myself
    s = 0.0
    for i in range(len(x)):
        s = s + float(x[i])*0.5 + float(x[i])*0.5

    m = s / max(len(x), 1)
    r = sum(abs(float(v) - m)**2.0 for v in x)
    return torch.as_tensor(r) / max(len(x), 1)"""
WORDS = "The variance grows with the square of every distance from the middle, hence far points rule it."


def metadata(name, **flags):
    return {"nbgrader": {"grade_id": name, "grade": False, "solution": False, "locked": False, "points": 1} | flags}


def made(body, prose="*Write your answer here.*"):
    scheme = "\n### BEGIN MARK SCHEME\nOutliers count most because distances are squared before they are averaged.\n"
    return new_notebook(
        cells=[
            new_markdown_cell(
                "# Spread\n\nWhy does one point far away matter so much?" + scheme + "### END MARK SCHEME"
            ),
            new_code_cell(STUB + body, metadata=metadata("spread", solution=True)),
            new_markdown_cell(prose, metadata=metadata("why", solution=True, grade=True)),
        ]
    )


@pytest.fixture
def source():
    return made(f"    ### BEGIN SOLUTION\n{SOLUTION}\n    ### END SOLUTION")


def ranked(source, *notebooks, runs=None):
    similarity = Similarity(source)
    answers = {}
    for number, notebook in enumerate(notebooks):
        whose = Whose((runs or [0] * len(notebooks))[number], f"s{number}")
        answers[whose] = similarity.answers(notebook)
        similarity.note(whose, answers[whose])
    return [similarity.compared(pair, answers[pair.one], answers[pair.other]) for pair in similarity.pairs()]


OTHERS = [
    made("    return x.var(unbiased=False)", "It is squared, so it is large."),
    made("    return torch.mean(x * x) - torch.mean(x) ** 2"),
    made("    raise NotImplementedError('FIXME: spread')"),
]


def test_renamed_code_is_found_and_its_lines(source):
    (pair,) = ranked(source, made(ODD), *OTHERS, made(RENAMED))
    assert (pair.one.student, pair.other.student) == ("s0", "s4")
    (shared,) = pair.shared
    assert shared.exercise == "spread" and shared.texts[1].endswith(RENAMED)
    assert shared.lines[0] == {2, 5, 6, 7, 8, 9} and shared.lines[1] == {2, 6, 7, 9, 10, 11}  # 2 is the function's


def test_what_the_course_gives_counts_for_nothing(source):
    scheme = "Outliers count most because distances are squared before they are averaged."
    question = "Why does one point far away matter so much?"
    assert ranked(source, *(made(SOLUTION, f"{question} {scheme}") for _ in range(3))) == []
    assert ranked(source, *(made(SOLUTION.replace("centered", name)) for name in ("c", "d"))) == []


def test_the_same_words_are_found_whatever_their_marks(source):
    (pair,) = ranked(source, made(SOLUTION, WORDS), *OTHERS, made(SOLUTION, WORDS.upper().replace(",", "\n-")))
    assert pair.shared[0].exercise == "why" and pair.shared[0].lines == ({1}, {1, 2})


def test_bits_are_those_of_the_rule(source):
    """Seventeen words in a row are thirteen runs of five, which two of five students have: log2(6 / 1) bits each."""
    (pair,) = ranked(source, made(SOLUTION, WORDS), *OTHERS, made(SOLUTION, WORDS))
    assert len(WORDS.split()) == 17 and pair.bits == pytest.approx(13 * math.log2(6))


def test_what_many_share_is_common_ground(source):
    assert ranked(source, *(made(ODD) for _ in range(COMMON + 1))) == []
    pairs = ranked(source, *(made(ODD) for _ in range(5)), *OTHERS * 2)
    assert sum({pair.one.student, pair.other.student} <= {f"s{number}" for number in range(5)} for pair in pairs) == 10


def test_two_of_another_year_are_no_pair_but_one_of_each_is(source):
    pairs = ranked(source, *OTHERS, made(ODD), made(RENAMED), made(ODD), runs=[0, 0, 0, 0, 1, 1])
    assert {(pair.one.run, pair.other.run) for pair in pairs} == {(0, 1)} and len(pairs) == 2


def test_the_command_lists_pairs_and_says_that_it_judges_nobody(source, submission, make_run, tmp_path, monkeypatch):
    monkeypatch.setattr(course, "read_source", lambda name: source)
    monkeypatch.setattr(course, "require_assignment", lambda name: name)
    attack = "<script>1</script>"
    for year, names in (("now", ["ada", "bob", "eve"]), ("then", ["ada"])):
        (tmp_path / year / "executed").mkdir(parents=True)
        (tmp_path / year / "results.json").write_text(make_run(*map(submission, names)).model_dump_json())
    for year, name, notebook in (
        ("now", "ada", made(ODD, f"{WORDS} {attack}")),
        ("now", "bob", OTHERS[0]),
        ("then", "ada", made(RENAMED, f"{WORDS} {attack}")),
    ):
        files.write(files.notebook_path(tmp_path / year, name), json.dumps(notebook))
    done = CliRunner().invoke(app, ["similar", str(tmp_path / "now"), str(tmp_path / "then")])
    assert done.exit_code == 0, done.output
    assert "3 students compared; this is no verdict" in done.output
    page = (tmp_path / "now" / "similar.html").read_text()
    assert "This is no verdict." in page and "then)</figcaption>" in page and "<mark>" in page
    assert "<script" not in page and "script-src" not in page
    other = make_run(submission("ada")).model_copy(update={"assignment": "vae"})
    (tmp_path / "then" / "results.json").write_text(other.model_dump_json())
    done = CliRunner().invoke(app, ["similar", str(tmp_path / "now"), str(tmp_path / "then")])
    assert done.exit_code == 1 and "holds the results of vae, and not of little; leave it out" in str(done.exception)
