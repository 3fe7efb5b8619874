"""The files that a run leaves: in order, safe names, complete or not at all."""

import json
import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from autograder.errors import InputError
from autograder.results import files
from autograder.results.files import notebook_path
from autograder.results.model import ExerciseResult, Record, RunResult, SubmissionResult
from autograder.results.writing import write_run


def record(student: str) -> Record:
    item = ExerciseResult(id="toy.double", verdict="fail", score=0.0, max_score=2.0, message="é", mistake="plus_two")
    counts = {"score": 0.0, "max_score": 2.0, "manual_max_score": 0.0}
    result = SubmissionResult(
        student=student, path=f"{student}.ipynb", digest="d", exercises=[item], repairs=[], **counts
    )
    notebook = new_notebook(cells=[new_code_cell("1", outputs=[new_output("stream", text=student)])])
    return Record(result=result, seconds=0.5, executed=json.dumps(notebook))


def of(*students: str) -> tuple[RunResult, list[Record]]:
    records = [record(student) for student in students]
    submissions = sorted((item.result for item in records), key=lambda result: result.student)
    run = RunResult(assignment="toy", digest="d", budget="smoke", sandbox=True, submissions=submissions)
    return run, records


def test_no_name_is_put_where_another_one_is(tmp_path):
    names = ["O’Brien", "O_Brien", "a[1]", "a_1_"]
    places = [notebook_path(tmp_path, name) for name in names]
    for name in [place.stem for place in places]:
        if name not in names:
            places.append(notebook_path(tmp_path, name))
    long = ["あ" * 100, "あ" * 99 + "い", "a" * 100, "x" * 99 + "\N{GRINNING FACE}"]
    places += [notebook_path(tmp_path, name) for name in long]
    assert len(set(places)) == len(places) > len(names)
    assert max(len(place.name.encode()) for place in places) < 240


def test_a_run_is_written_in_order_and_reads_back(tmp_path):
    run, records = of("bob", "ada")
    path = write_run(tmp_path / "out", run, records)
    assert path == tmp_path / "out" / "results.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    assert [item["student"] for item in data["submissions"]] == ["ada", "bob"]
    assert RunResult.model_validate(data) == run
    assert '"score": 0.0,' in path.read_text() and '"é"' in path.read_text(encoding="utf-8")
    assert nbformat.read(notebook_path(tmp_path / "out", "ada"), as_version=4).cells[0].outputs[0].text == "ada"
    assert json.loads((tmp_path / "out" / "timings.json").read_text()) == {"ada.ipynb": 0.5, "bob.ipynb": 0.5}
    assert sorted(file.name for file in (tmp_path / "out").rglob("*")) == [
        "ada.ipynb", "bob.ipynb", "executed", "results.json", "timings.json"
    ]  # fmt: skip


def test_the_same_records_in_another_order_give_the_same_bytes(tmp_path):
    found = [write_run(tmp_path / name, *of(*students)).read_bytes() for name, students in (("1", "ab"), ("2", "ba"))]
    assert found[0] == found[1]


def test_what_is_the_same_already_is_left_alone(tmp_path):
    path = write_run(tmp_path, *of("ada"))
    os.utime(path, (1, 1))
    write_run(tmp_path, *of("ada"))
    assert path.stat().st_mtime == 1


def test_a_file_is_written_in_pieces(tmp_path):
    assert files.write(tmp_path / "out" / "page.html", iter(["<p>", "é</p>"])).read_text(encoding="utf-8") == "<p>é</p>"


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file.*--out"):
        write_run(tmp_path / "file", *of("ada"))


def test_a_run_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = write_run(tmp_path, *of("ada"))
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(InputError, match="No space left.*--out"):
        write_run(tmp_path, *of("ada", "bob"))
    assert path.read_bytes() == before
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    "student", ["../../etc/passwd", "/abs", "..", "", "a/b", "a\x00b", ".hidden", "x" * 30 + "/" + "y"]
)
def test_no_name_leads_out_of_the_folder(tmp_path, student):
    path = notebook_path(tmp_path, student)
    assert path.parent == tmp_path / "executed"
    assert path.name.endswith(".ipynb") and not path.name.startswith(".") and path.name.isprintable()


def test_names_that_look_alike_once_safe_stay_apart(tmp_path):
    names = ["a/b", "a_b", "a\\b", "a:b"]
    assert len({notebook_path(tmp_path, name) for name in names}) == 4
    assert notebook_path(tmp_path, "Ada Lovelace").name == "Ada Lovelace.ipynb"


def test_names_that_differ_by_case_have_files_that_differ_by_more(tmp_path):
    spellings = [
        "ada",
        "Ada",
        "ADA",
        "ada lovelace",
        "Ada Lovelace",
        "ADA Lovelace",
        "stra\u00dfe",
        "strasse",
        "Strasse",
    ]
    places = {notebook_path(tmp_path, name).name.casefold() for name in spellings}
    assert len(places) == len(spellings)
    assert notebook_path(tmp_path, "ada").name == "ada.ipynb"


def test_a_name_cannot_be_made_for_the_digest_of_another(tmp_path):
    """As many bits as nobody can search through."""
    digest = notebook_path(tmp_path, "a" * 300).stem.rpartition("-")[2]
    assert len(bytes.fromhex(digest)) == 8
