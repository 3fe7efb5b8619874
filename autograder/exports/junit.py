"""A run as JUnit XML, for the checks tab of a CI service: a suite a student, a test case an exercise."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from xml.etree import ElementTree as XML

from autograder.judge.verdict import Verdict
from autograder.results.model import ExerciseResult, RunResult, SubmissionResult
from autograder.results.text import MEANINGS, exercise_label, number, one_line, plain_text

# An exercise that is not answered earns nothing, so it is no green line. What a person grades has no verdict yet.
OUTCOMES: dict[Verdict, str | None] = {
    "pass": None,
    "fail": "failure",
    "missing": "failure",
    "error": "error",
    "timeout": "error",
    "oom": "error",
    "crashed": "error",
    "fault": "error",
    "manual": "skipped",
}
MOST_MESSAGE = 2000
_NO_XML = {0xFFFE: None, 0xFFFF: None}


def junit(run: RunResult, *, written: datetime, seconds: Mapping[str, float] | None = None) -> str:
    """The XML text, valid by both schemas in common use: Ant's (JUnit.xsd) and Jenkins's (junit-10.xsd).

    `written` is the time in UTC that suites are given; `seconds` what each submission took, by its path. Single test
    cases have no time of their own.
    """
    root = XML.Element("testsuites")
    for index, submission in enumerate(run.submissions):
        root.append(_suite(run, index, submission, written, (seconds or {}).get(submission.path, 0.0)))
    XML.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + XML.tostring(root, encoding="unicode") + "\n"


def _suite(run: RunResult, index: int, submission: SubmissionResult, written: datetime, seconds: float) -> XML.Element:
    outcomes = Counter(OUTCOMES[exercise.verdict] for exercise in submission.exercises)
    student = _token(submission.student) or "(no name)"
    suite = XML.Element(
        "testsuite",
        name=student,
        package=_token(run.assignment),
        id=str(index),
        tests=str(len(submission.exercises)),
        failures=str(outcomes["failure"]),
        errors=str(outcomes["error"]),
        skipped=str(outcomes["skipped"]),
        time=f"{seconds:.3f}",
        timestamp=written.strftime("%Y-%m-%dT%H:%M:%S"),
        hostname="localhost",
    )
    properties = XML.SubElement(suite, "properties")
    for name, value in (
        ("score", number(submission.score)),
        ("max_score", number(submission.max_score)),
        ("manual_max_score", number(submission.manual_max_score)),
        ("budget", run.budget),
        ("sandbox", str(run.sandbox).lower()),
        *(("adjusted", _token(line, MOST_MESSAGE)) for line in submission.adjustments),
    ):
        XML.SubElement(properties, "property", name=name, value=value)
    for exercise in submission.exercises:
        suite.append(_case(run.assignment, student, exercise))
    XML.SubElement(suite, "system-out")
    XML.SubElement(suite, "system-err")
    return suite


def _case(assignment: str, student: str, exercise: ExerciseResult) -> XML.Element:
    name = exercise_label(exercise.id, assignment).translate(_NO_XML)
    case = XML.Element("testcase", name=name, classname=f"{_token(assignment)}.{student}", time="0.000")
    outcome = OUTCOMES[exercise.verdict]
    if outcome is None:
        return case
    meaning = MEANINGS[exercise.verdict]
    message = _token(exercise.message, MOST_MESSAGE) or meaning
    element = XML.SubElement(case, outcome, message=message)
    if outcome != "skipped":
        element.set("type", exercise.verdict)
        element.text = plain_text(exercise.message, MOST_MESSAGE).translate(_NO_XML) or meaning
    return case


def _token(text: str, limit: int = 200) -> str:
    """One line that XML can hold."""
    return one_line(text, limit).translate(_NO_XML)
