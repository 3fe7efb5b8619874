"""What is read back is a sound results.json, or one line on why it is none."""

import json
import os
from datetime import datetime, timezone

import pytest

from autograder.errors import InputError
from autograder.results.reading import read_results


def test_a_folder_or_its_file(make_run, make_submission, write_graded):
    run = make_run(make_submission("ada"))
    folder = write_graded(run)
    os.utime(folder / "results.json", (0, 86400))
    for path in (folder, folder / "results.json"):
        found = read_results(path)
        assert (found.run, found.folder, found.seconds) == (run, folder, {"in/ada.ipynb": 1.25})
        assert found.written == datetime(1970, 1, 2, tzinfo=timezone.utc)
        assert found.executed("ada") is None


def test_results_of_an_older_version_say_no_version_and_are_read(make_run, make_submission, write_graded):
    folder = write_graded(make_run(make_submission("ada")).model_copy(update={"version": "0.2.0"}))
    assert read_results(folder).run.version == "0.2.0"
    content = json.loads((folder / "results.json").read_text())
    assert list(content)[:2] == ["assignment", "version"]
    del content["version"]
    (folder / "results.json").write_text(json.dumps(content))
    assert read_results(folder).run.version == ""


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"in/ada.ipynb": "x", "b": -1, "c": NaN}', "{"])
def test_timings_that_make_no_sense_are_none(make_run, make_submission, write_graded, content):
    folder = write_graded(make_run(make_submission("ada")))
    (folder / "timings.json").write_text(content)
    assert read_results(folder).seconds == {}


def test_a_damaged_notebook_is_one_line(make_run, make_submission, write_graded):
    folder = write_graded(make_run(make_submission("ada")))
    for content in ("{", '{"cells": 3}', "[]", ""):
        (folder / "executed" / "ada.ipynb").write_text(content)
        with pytest.raises(InputError, match=r"ada\.ipynb: is no sound notebook"):
            read_results(folder).executed("ada")


def break_verdict(text: str) -> str:
    return text.replace('"verdict":"pass"', '"verdict":"perfect"')


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[:40], "is no results.json"),
        (lambda text: "[]", "is no results.json"),
        (break_verdict, r"submissions\.0\.exercises\.0\.verdict"),
        (lambda text: text.replace('"score":2.0', '"score":NaN'), "no finite number|is no results.json"),
        (lambda text: text.replace('"score":2.0', '"score":1e999'), "no finite number|is no results.json"),
        (lambda text: text.replace("emil", "ada"), "names the student 'ada' twice"),
    ],
)
def test_what_is_no_results_json_is_one_line(make_run, make_submission, write_graded, damage, said):
    folder = write_graded(make_run(make_submission("ada"), make_submission("emil")))
    path = folder / "results.json"
    damaged = damage(path.read_text())
    assert damaged != path.read_text()
    path.write_text(damaged)
    with pytest.raises(InputError, match=said) as raised:
        read_results(folder)
    assert "\n" not in str(raised.value) and "results.json" in str(raised.value)


def test_nothing_there_says_what_to_give(tmp_path):
    with pytest.raises(InputError, match="does not exist; give the folder that `autograder grade` wrote"):
        read_results(tmp_path)
    (tmp_path / "results.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_results(tmp_path)
