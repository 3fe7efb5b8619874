"""JUnit: what the schemas of Ant and Jenkins both ask for, read back with an XML parser."""

import re
from datetime import datetime, timezone
from xml.etree import ElementTree as XML

from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.exports.junit import junit

WRITTEN = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SUITE = {"name", "package", "id", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"}


def read(text: str) -> list[XML.Element]:
    """The suites of a report; fails where it has not the form that both schemas ask for."""
    root = XML.fromstring(text.encode())
    assert (root.tag, root.attrib, {suite.tag for suite in root} <= {"testsuite"}) == ("testsuites", {}, True)
    for index, suite in enumerate(root):
        assert set(suite.attrib) == SUITE
        assert suite.get("name") and suite.get("package") and suite.get("id") == str(index)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
        assert re.fullmatch(r"\d+\.\d{3}", suite.get("time"))
        cases = suite.findall("testcase")
        assert [child.tag for child in suite] == [
            "properties",
            *["testcase"] * len(cases),
            "system-out",
            "system-err",
        ]
        assert all(set(item.attrib) == {"name", "value"} for item in suite.find("properties"))
        assert int(suite.get("tests")) == len(cases)
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(count)) == len(suite.findall(f"testcase/{tag}"))
        for case in cases:
            assert set(case.attrib) == {"name", "classname", "time"} and len(case) <= 1
            assert all(
                set(said.attrib) == ({"message"} if said.tag == "skipped" else {"message", "type"}) for said in case
            )
    return list(root)


def test_each_exercise_of_each_student_is_a_case(make_run, make_submission, every_verdict):
    run = make_run(make_submission("ada", *every_verdict), make_submission("emil"))
    ada, emil = read(junit(run, written=WRITTEN, seconds={"in/ada.ipynb": 1.5}))
    assert [(case.get("name"), [child.tag for child in case]) for case in ada.findall("testcase")] == [
        ("part_0", []),
        ("part_1", ["failure"]),
        ("part_2", ["error"]),
        ("part_3", ["error"]),
        ("part_4", ["error"]),
        ("part_5", ["error"]),
        ("part_6", ["failure"]),
        ("part_7", ["skipped"]),
        ("part_8", ["error"]),
    ]
    failure = ada.find("testcase/failure")
    assert (failure.get("type"), failure.get("message"), failure.text) == ("fail", "said of fail", "said of fail")
    assert ada.find("testcase/skipped").get("message") == "graded by a person"
    assert (ada.get("name"), ada.get("time"), ada.get("timestamp")) == ("ada", "1.500", "2030-01-02T03:04:05")
    assert {item.get("name"): item.get("value") for item in ada.find("properties")}["score"] == "2"
    assert (emil.get("tests"), emil.get("failures"), emil.get("time")) == ("1", "0", "0.000")


def test_a_run_of_nobody_is_a_report(make_run):
    assert read(junit(make_run(), written=WRITTEN)) == []


def test_names_of_known_mistakes_are_not_in_it(make_run, make_submission):
    assert "name_of_a_mistake" not in junit(make_run(make_submission("ada", ("fail", "x"))), written=WRITTEN)


HOSTILE = st.text(st.sampled_from('<>&"\x00\x1b\x0b\ud800\ufffe\u2028]]>\n\t a')) | st.text()


@settings(max_examples=200, deadline=None)
@given(student=HOSTILE, message=HOSTILE)
def test_no_text_breaks_the_form(make_run, make_submission, student, message):
    (suite,) = read(junit(make_run(make_submission(student, ("error", message))), written=WRITTEN))
    assert len(suite.findall("testcase/error")) == 1


def test_a_message_is_shown_as_it_is(make_run, make_submission):
    message = 'a]]></error></testcase><testcase name="forged"/> & "b"\nsecond line'
    (suite,) = read(junit(make_run(make_submission("ada", ("fail", message))), written=WRITTEN))
    assert suite.find("testcase/failure").text == message
