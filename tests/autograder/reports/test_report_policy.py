"""When CI fails on a result."""

import pytest

from autograder.errors import UsageError
from autograder.reports.policy import Policy
from autograder.results.model import ExerciseResult, RunResult, SubmissionResult


def a_run(*submissions):
    """(student, verdicts): each exercise is worth one point, a manual one counts apart."""
    return RunResult(
        assignment="vae",
        digest="0",
        budget="smoke",
        sandbox=True,
        submissions=[
            SubmissionResult(
                student=student,
                path=f"{student}.ipynb",
                digest="0",
                score=sum(verdict == "pass" for verdict in verdicts),
                max_score=sum(verdict != "manual" for verdict in verdicts),
                manual_max_score=sum(verdict == "manual" for verdict in verdicts),
                exercises=[
                    ExerciseResult(id=f"vae.e{number}", verdict=verdict, score=verdict == "pass", max_score=1)
                    for number, verdict in enumerate(verdicts)
                ],
                repairs=[],
            )
            for student, verdicts in submissions
        ],
    )


CLASS = a_run(
    ("ada", ["pass", "pass", "pass", "manual"]),
    ("bob", ["pass", "fail", "timeout", "manual"]),
    ("cy\nd::error::", ["missing", "missing", "missing", "missing"]),
)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("never", []),
        ("any", ["bob: not right: e1 (fail), e2 (timeout)",
                 "cy d::error::: not right: e0 (missing), e1 (missing), e2 (missing), e3 (missing)"]),
        ("under=3", ["bob: 1 of 3, under 3", "cy d::error::: 0 of 4, under 3"]),
        ("under=3.5", ["ada: 3 of 3, under 3.5", "bob: 1 of 3, under 3.5", "cy d::error::: 0 of 4, under 3.5"]),
        ("under=1", ["cy d::error::: 0 of 4, under 1"]),
        ("under=33.3%", ["cy d::error::: 0 of 4, under 1.33"]),
        ("under=34%", ["bob: 1 of 3, under 1.02", "cy d::error::: 0 of 4, under 1.36"]),
        ("under=100%", ["bob: 1 of 3, under 3", "cy d::error::: 0 of 4, under 4"]),
        ("under=0", []),
    ],
)  # fmt: skip
def test_who_does_not_pass_is_named_in_one_line(text, lines):
    assert Policy.parse(text).violations(CLASS) == lines


NO_POLICIES = ["", "Any", "never ", "under", "under=", "under=-1", "under=x", "under=nan", "under=inf", "under=101%"]


@pytest.mark.parametrize("text", [*NO_POLICIES, "under=1e9", "under=60 %", "under=٣", "any;x", "under=1\n"])
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(UsageError, match=r"^--fail .* is no policy; write never, any, under=8 or under=60%$"):
        Policy.parse(text)


def test_what_people_dropped_or_credited_is_not_held_against_anybody():
    run = a_run(("ada", ["pass", "fail", "fail"]))
    (ada,) = run.submissions
    dropped, credited = (ada.exercises[1].model_copy(update=points) for points in ({"max_score": 0.0}, {"score": 1.0}))
    adjusted = ada.model_copy(update={"exercises": [ada.exercises[0], dropped, credited]})
    assert Policy.parse("any").violations(run) != []
    assert Policy.parse("any").violations(run.model_copy(update={"submissions": [adjusted]})) == []


def test_more_points_than_there_are_is_no_policy():
    with pytest.raises(UsageError, match=r"^--fail under=5: only 4 points are judged automatically$"):
        Policy.parse("under=5").violations(CLASS)


def test_nothing_graded_passes_no_policy_but_never():
    nothing = a_run()
    assert Policy.parse("never").violations(nothing) == []
    assert Policy.parse("any").violations(nothing) == Policy.parse("under=0").violations(nothing) != []


def test_a_sum_that_came_out_a_little_less_counts_as_what_it_is():
    run = a_run(("ada", ["pass", "fail"]))
    submission = run.submissions[0].model_copy(update={"score": sum([0.1] * 3), "max_score": 1.0})
    assert sum([0.1] * 3) != 0.3
    for score in (0.1 + 0.2, 0.3 - 1e-12):
        one = run.model_copy(update={"submissions": [submission.model_copy(update={"score": score})]})
        assert Policy.parse("under=0.3").violations(one) == Policy.parse("under=30%").violations(one) == []


def test_long_lists_are_cut():
    (line,) = Policy.parse("any").violations(a_run(("ada", ["fail"] * 9)))
    assert line.endswith("e4 (fail) and 4 more")
