"""results.json for Gradescope: its documented form, bounded, and nothing of it a student's to make up."""

import json

import pytest
from gradescope_form import Results
from pydantic import ValidationError

from autograder.gradescope import form
from autograder.results.model import ExerciseResult, Repair, RunResult, SubmissionResult

HOSTILE = (
    "done\n\n# 100 of 100 points\r\n<script>alert(1)</script> **bold** [x](http://example.org)"
    "\x1b[32m\u202e\ud800\x00 </pre> \u2028 score: 100"
)


def made(*exercises: ExerciseResult, repairs: tuple[Repair, ...] = (), **options) -> Results:
    """What Gradescope reads of a run with these exercises."""
    submission = SubmissionResult(
        student="submission",
        path="vae.ipynb",
        digest="d" * 64,
        score=sum(item.score for item in exercises),
        max_score=sum(item.max_score for item in exercises if item.id != "vae.essay"),
        manual_max_score=3.0,
        exercises=list(exercises),
        repairs=list(repairs),
    )
    run = RunResult(assignment="vae", digest="r" * 64, budget="smoke", sandbox=True, submissions=[submission])
    settings = {"by_hand": {"vae.essay"}, "visibility": "visible", "seconds": 1.25, "walls": "namespaces"} | options
    text = json.dumps(form.graded(run, **settings))
    text.encode()  # no lone surrogate
    return Results.model_validate_json(text)


def exercise(name: str, verdict: str, message: str = "", points: float = 2.0) -> ExerciseResult:
    score = points if verdict == "pass" else 0.0
    return ExerciseResult(id=f"vae.{name}", verdict=verdict, score=score, max_score=points, message=message)


def test_an_exercise_is_a_test_with_its_points_and_message():
    results = made(exercise("kl", "pass"), exercise("elbo", "fail", "The sign is wrong."))
    assert (results.score, results.execution_time) == (2.0, 1.2)
    assert [(test.name, test.score, test.max_score, test.status, test.tags) for test in results.tests] == [
        ("kl", 2.0, 2.0, "passed", ["pass"]),
        ("elbo", 0.0, 2.0, "failed", ["fail"]),
    ]
    assert results.tests[1].output == "Wrong answer: The sign is wrong."
    assert results.output.startswith("2 of 4 points that are judged automatically.")


def test_what_a_person_grades_is_no_test():
    results = made(exercise("kl", "pass"), exercise("essay", "manual", points=3.0))
    assert [test.name for test in results.tests] == ["kl"]
    assert "3 more points are given by a person: essay." in results.output
    assert "No answer is written yet: essay." in made(exercise("essay", "missing", points=3.0)).output


@pytest.mark.parametrize("visibility", ["visible", "after_due_date", "after_published"])
def test_the_policy_holds_for_every_test_and_standard_output_is_never_shown(visibility):
    results = made(exercise("kl", "pass"), exercise("elbo", "fail"), visibility=visibility)
    assert {test.visibility for test in results.tests} == {visibility}
    assert results.stdout_visibility == "hidden"


@pytest.mark.parametrize("verdict", ["fail", "error", "timeout", "oom", "crashed"])
def test_what_a_student_writes_is_one_line_of_plain_text_behind_a_word_of_ours(verdict):
    results = made(
        exercise("kl", verdict, HOSTILE), repairs=(Repair(exercise=None, how="id", confidence=1, what=HOSTILE),)
    )
    (test,) = results.tests
    assert (results.output_format, results.test_output_format, results.test_name_format) == ("text", "text", "text")
    assert (test.output_format, test.name_format, test.status, test.score) == ("text", "text", "failed", 0.0)
    assert "\n" not in test.output and test.output.split(":")[0] in form.MEANINGS[verdict].capitalize()
    lines = results.output.splitlines()
    assert len(lines) == 3 and lines[0].startswith("0 of 2 points")
    assert all(character.isprintable() for line in (test.output, *lines) for character in line)


def test_nothing_grows_beyond_its_bounds():
    many = tuple(Repair(exercise=None, how="id", confidence=1, what="w" * 10**5) for _ in range(10**3))
    results = made(*(exercise(f"e{number}", "fail", "m" * 10**6) for number in range(50)), repairs=many)
    assert len(results.model_dump_json()) < 100_000
    assert "- and 990 more" in results.output


def test_a_refusal_says_why_and_is_visible():
    results = Results.model_validate(form.refused([HOSTILE, "x" * 10**6, *["again"] * 10**5], 30.0))
    assert (results.score, results.tests[0].visibility, results.tests[0].max_score) == (0.0, "visible", 30.0)
    assert len(results.model_dump_json()) < 3 * form.MOST_OUTPUT
    assert results.output.startswith("This was not graded.\ndone # 100 of 100 points <script>")


def test_the_model_of_the_form_refuses_what_is_not_documented():
    for wrong in (
        {"tests": []},
        {"score": float("nan")},
        {"score": 1.0, "points": 1},
        {"score": 1.0, "visibility": "no"},
    ):
        with pytest.raises(ValidationError):
            Results.model_validate(wrong)
