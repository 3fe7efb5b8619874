"""Submissions are found in every layout, and what is wrong with one is a line and never an exception."""

import io
import json
import os
import re
import zipfile
from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.grading.explain import graded_submission
from autograder.grading.reading import submission_digest
from autograder.grading.submissions import find_submissions
from autograder.grading.submitted import archives, attempts
from autograder.results.model import RunResult, SubmissionResult
from autograder.results.names import student_name
from fixmelab.notebooks import MAX_BYTES


def notebook(text: str = "1 + 1") -> bytes:
    cell = {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}).encode()


def put(root: Path, *paths: str) -> Path:
    """Write a notebook at each path below `root`, the path as its text."""
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(notebook(path))
    return root


def zipped(path: Path, *names: str, **contents: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, notebook(name))
        for name, content in contents.items():
            archive.writestr(name, content)
    return path


def students(*paths: Path, assignment: str = "vae") -> list[str]:
    """Names of the students; nothing may be wrong."""
    found, problems = find_submissions(assignment, list(paths))
    assert problems == []
    return [submission.student for submission in found]


def only_problem(*paths: Path) -> str:
    found, problems = find_submissions("vae", list(paths))
    assert found == []
    (problem,) = problems
    assert "\n" not in problem
    return problem


@pytest.mark.parametrize(
    "paths",
    [
        ["ada/vae/vae.ipynb", "bob/vae/homework.ipynb"],
        ["ada/VAE/vae.ipynb", "bob/vae/deep/down/vae.ipynb"],
        ["ada/vae.ipynb", "bob/final version.ipynb"],
        ["ada.ipynb", "bob.ipynb"],
        ["ada/vae/vae.ipynb", "bob.ipynb"],
        ["ada_12345_67890_vae.ipynb", "bob_LATE_12346_67891_vae-1.ipynb"],
        ["ada_12345_assignsubmission_file_/vae.ipynb", "bob_12346_assignsubmission_file_/x.ipynb"],
        ["ada_12345_assignsubmission_file_vae.ipynb", "bob_12346_assignsubmission_file_vae.ipynb"],
    ],
)
def test_layouts(tmp_path, paths):
    put(tmp_path / "folder", *paths)
    zipped(tmp_path / "all.zip", *paths)
    zipped(tmp_path / "wrapped.zip", *(f"export/{path}" for path in paths))
    assert students(tmp_path / "folder") == ["ada", "bob"]
    assert students(tmp_path / "all.zip") == ["ada", "bob"]
    assert students(tmp_path / "wrapped.zip") == ["ada", "bob"]


@pytest.mark.parametrize("name", ["{}.ipynb", "{}/vae.ipynb"])
def test_a_collection_in_a_folder_named_like_the_assignment(tmp_path, name):
    paths = [f"vae/{name.format(student)}" for student in ("ada", "bob")]
    assert students(put(tmp_path / "folder", *paths)) == ["ada", "bob"]
    assert students(zipped(tmp_path / "x.zip", *paths)) == ["ada", "bob"]


def test_a_submission_is_the_file_s_bytes(tmp_path):
    put(tmp_path, "ada/vae/vae.ipynb")
    ((found,), problems) = find_submissions("vae", [tmp_path])
    assert problems == []
    assert found.data == notebook("ada/vae/vae.ipynb")
    assert found.path == str(tmp_path / "ada/vae/vae.ipynb")
    assert found.digest == submission_digest(found.data)
    assert found.notebook().cells[0].source == "ada/vae/vae.ipynb"


def test_digests_are_sha_256():
    assert submission_digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_single_notebooks(tmp_path):
    put(tmp_path, "ada/vae/homework.ipynb", "flat/bob.ipynb", "cleo/vae.ipynb", "vae/dan.ipynb", "vae/eve.ipynb")
    assert students(tmp_path / "ada/vae/homework.ipynb") == ["ada"]
    assert students(tmp_path / "flat/bob.ipynb") == ["bob"]
    assert students(tmp_path / "cleo/vae.ipynb") == ["cleo"]
    assert students(tmp_path / "vae/dan.ipynb", tmp_path / "vae/eve.ipynb") == ["dan", "eve"]


def test_a_folder_of_one_student(tmp_path):
    put(tmp_path, "ada/vae/homework.ipynb", "bob/vae.ipynb")
    assert students(tmp_path / "ada/vae") == ["ada"]
    assert students(tmp_path / "ada") == ["ada"]
    assert students(tmp_path / "bob") == ["bob"]
    one = zipped(tmp_path / "one.zip", "ada/vae/x.ipynb", "ada/gcn/x.ipynb")
    assert students(one) == ["ada"]


def test_a_collection_named_like_the_assignment(tmp_path):
    put(tmp_path / "vae", "ada.ipynb", "bob.ipynb", "cleo/work.ipynb", "dan/vae/vae.ipynb")
    assert students(tmp_path / "vae") == ["ada", "bob", "cleo", "dan"]


def test_relative_paths(tmp_path, monkeypatch):
    put(tmp_path, "ada/vae/vae.ipynb")
    monkeypatch.chdir(tmp_path / "ada/vae")
    (found,), _ = find_submissions("vae", [Path(".")])
    assert (found.student, found.path) == ("ada", "vae.ipynb")
    assert students(Path("vae.ipynb")) == ["ada"]


def test_the_same_file_given_twice_is_one_submission(tmp_path):
    put(tmp_path, "ada/vae/vae.ipynb")
    assert students(tmp_path, tmp_path / "ada", tmp_path / "ada/vae/vae.ipynb") == ["ada"]


def test_other_assignments_and_hidden_files_are_passed_over(tmp_path):
    put(tmp_path, "ada/vae/vae.ipynb", "ada/gcn/gcn.ipynb", "ada/vae/.ipynb_checkpoints/vae-checkpoint.ipynb")
    put(tmp_path, "__MACOSX/ada/vae/vae.ipynb", "ada/vae/._vae.ipynb", ".git/x.ipynb")
    (tmp_path / "ada/vae/timestamp.txt").write_text("now")
    assert students(tmp_path) == ["ada"]


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_two_notebooks_for_one_student(tmp_path, kind):
    names = ["ada/vae/vae.ipynb", "ada/vae/vae-Copy1.ipynb", "bob/vae/vae.ipynb"]
    place = put(tmp_path / "x", *names) if kind == "folder" else zipped(tmp_path / "x.zip", *names)
    found, (problem,) = find_submissions("vae", [place])
    assert [submission.student for submission in found] == ["bob"]
    assert problem.startswith("two notebooks for one student, ada: ")
    assert "vae/vae.ipynb" in problem and "vae/vae-Copy1.ipynb" in problem


def test_a_student_in_two_places(tmp_path):
    put(tmp_path, "one/ada.ipynb", "two/ada.ipynb")
    assert only_problem(tmp_path / "one", tmp_path / "two").startswith("two notebooks for one student, ada: ")


def test_namesakes_are_told_apart_by_the_platform_s_number(tmp_path):
    export = zipped(tmp_path / "x.zip", "ada_12345_1111_vae.ipynb", "ada_54321_2222_vae.ipynb", "bob_777_3333_x.ipynb")
    assert students(export) == ["ada_12345", "ada_54321", "bob"]
    twice = zipped(tmp_path / "y.zip", "ada_12345_1111_vae.ipynb", "ada_12345_2222_vae.ipynb")
    notes: list[str] = []
    ((newest,), problems) = find_submissions("vae", [twice], notes=notes)
    assert problems == [] and newest.path.endswith("ada_12345_2222_vae.ipynb")
    assert notes == [f"{twice}:ada_12345_1111_vae.ipynb: an earlier attempt of ada; {newest.path} counts"]


def test_a_student_who_handed_in_something_else_is_named(tmp_path):
    (tmp_path / "folder/bob/vae").mkdir(parents=True)
    (tmp_path / "folder/bob/vae/vae.pdf").write_bytes(b"%PDF")
    put(tmp_path / "folder", "ada/vae/vae.ipynb")
    export = zipped(tmp_path / "x.zip", "ada_12345_assignsubmission_file_/vae.ipynb")
    with zipfile.ZipFile(export, "a") as archive:
        archive.writestr("bob_54321_assignsubmission_file_/vae.pdf", b"%PDF")
    for place in (tmp_path / "folder", export):
        _, (problem,) = find_submissions("vae", [place])
        assert problem.endswith("no notebook of bob; ask for a .ipynb file")


def test_who_hands_in_an_earlier_notebook_again_means_that(tmp_path):
    contents = {
        f"ada_111_{number}_vae.ipynb": notebook(text) for number, text in ((221, "a"), (2220, "b"), (22211, "a"))
    }
    notes: list[str] = []
    found, problems = find_submissions("vae", [zipped(tmp_path / "class.zip", **contents)], notes=notes)
    assert [(one.student, one.data) for one in found] == [("ada", notebook("a"))] and problems == []
    assert "ada_111_221_vae.ipynb: the same as " in notes[0]
    assert "ada_111_2220_vae.ipynb: an earlier attempt of ada; " in notes[1]


def test_the_submission_of_a_result_is_found_again_in_its_zip(tmp_path):
    path = zipped(tmp_path / "class.zip", "ada/vae/vae.ipynb", "bob/vae/vae.ipynb")
    found, _ = find_submissions("vae", [path])
    points = {"score": 0.0, "max_score": 0.0, "manual_max_score": 0.0, "exercises": [], "repairs": []}
    results = [SubmissionResult(student=one.student, path=one.path, digest=one.digest, **points) for one in found]
    run = RunResult(assignment="vae", digest="", budget="smoke", sandbox=True, submissions=results)
    assert graded_submission(run, "bob") == found[1]
    path.unlink()
    with pytest.raises(InputError, match=r"bob/vae/vae.ipynb: is not there, .*say with --submitted"):
        graded_submission(run, "bob")


def test_paths_that_are_no_notebook(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "bad.zip").write_bytes(b"PK\x03\x04 cut off")
    zipped(tmp_path / "none.zip", **{"ada/vae.pdf": b"%PDF"})
    os.mkfifo(tmp_path / "pipe.ipynb")
    assert only_problem(tmp_path / "nowhere").endswith("nowhere: does not exist; check the path")
    assert "notes.txt: is not a notebook" in only_problem(tmp_path / "notes.txt")
    assert "empty: no notebooks in this folder" in only_problem(tmp_path / "empty")
    assert "bad.zip: is not a readable zip file" in only_problem(tmp_path / "bad.zip")
    found, problems = find_submissions("vae", [tmp_path / "none.zip"])
    assert found == [] and "none.zip: no notebooks in this zip" in problems[0]
    assert "vae.pdf: no notebook of ada" in problems[1]
    assert "pipe.ipynb: is not a file or folder" in only_problem(tmp_path / "pipe.ipynb")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "folder/ada.ipynb")
    assert "ada.ipynb: is not a plain file" in only_problem(tmp_path / "folder")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (notebook()[:-20], "is not valid JSON (line 1, column"),
        (b'{"a": 1}', "is not a notebook: it is JSON without cells"),
        (notebook().replace(b"1 + 1", b"\xff"), "is not UTF-8 text"),
        (b"[" * 100_000, "its JSON is nested too deep"),
    ],
)
def test_a_broken_notebook_costs_only_itself(tmp_path, content, what):
    put(tmp_path, "ada.ipynb")
    (tmp_path / "bob.ipynb").write_bytes(content)
    found, (problem,) = find_submissions("vae", [tmp_path])
    assert [submission.student for submission in found] == ["ada"]
    assert "bob.ipynb: " in problem and what in problem


def test_a_notebook_that_is_too_large(tmp_path):
    put(tmp_path, "ada.ipynb")
    (tmp_path / "bob.ipynb").write_bytes(notebook() + b" " * MAX_BYTES)
    found, (problem,) = find_submissions("vae", [tmp_path])
    assert [submission.student for submission in found] == ["ada"]
    assert "bob.ipynb: is larger than 50 MB" in problem


def test_no_permission(tmp_path, monkeypatch):
    """Root may read everything, so the refusal is the system call's."""
    put(tmp_path, "ada/vae/vae.ipynb", "bob/vae/vae.ipynb")
    scandir, path_open = os.scandir, Path.open

    def refuse_folder(path):
        if str(path).endswith("ada"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse_folder)
    found, (problem,) = find_submissions("vae", [tmp_path])
    assert [submission.student for submission in found] == ["bob"]
    assert problem == f"{tmp_path / 'ada'}: no permission to read it; change its permissions, or ask its owner"
    monkeypatch.undo()

    def refuse_file(self, *arguments, **options):
        if "bob" in self.parts:
            raise PermissionError(13, "Permission denied", str(self))
        return path_open(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse_file)
    found, (problem,) = find_submissions("vae", [tmp_path])
    assert [submission.student for submission in found] == ["ada"]
    assert "bob/vae/vae.ipynb: no permission to read it" in problem


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission_for_the_folder(tmp_path):
    put(tmp_path / "locked", "ada.ipynb")
    (tmp_path / "locked").chmod(0)
    try:
        assert "no permission to read it" in only_problem(tmp_path / "locked")
    finally:
        (tmp_path / "locked").chmod(0o700)


def test_links_inside_a_folder_are_not_followed(tmp_path):
    put(tmp_path, "secret/vae.ipynb", "folder/ada/vae/vae.ipynb")
    (tmp_path / "folder/bob").symlink_to(tmp_path / "secret", target_is_directory=True)
    (tmp_path / "folder/cleo.ipynb").symlink_to(tmp_path / "secret/vae.ipynb")
    found, problems = find_submissions("vae", [tmp_path / "folder"])
    assert [submission.student for submission in found] == ["ada"]
    assert len(problems) == 2
    assert all("is a link, and links are not followed" in problem for problem in problems)


def test_a_link_that_is_given_is_followed(tmp_path):
    put(tmp_path, "real/ada.ipynb")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    assert students(tmp_path / "link") == ["ada"]


def test_names_in_utf_8_that_do_not_say_so_are_read(tmp_path):
    names = ["cléo o'neil", "zoë", "李"]
    path = zipped(tmp_path / "x.zip", *(f"{name}/vae.ipynb" for name in names))
    # As Info-ZIP and macOS write them: without the flag for UTF-8, in the local header and in the directory.
    data, start = bytearray(path.read_bytes()), 0
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        while (start := data.find(mark, start)) >= 0:
            data[start + at + 1] &= ~0x08
            start += 4
        start = 0
    path.write_bytes(data)
    assert "cléo" not in str(zipfile.ZipFile(path).namelist())
    assert students(path) == sorted(names)


def test_names_cannot_leave_their_folder(tmp_path):
    names = ["../../etc/vae.ipynb", "/root/vae.ipynb", "C:\\Users\\vae.ipynb", "a\x1b[31m\nb/vae.ipynb", "con?/x.ipynb"]
    found, problems = find_submissions("vae", [zipped(tmp_path / "x.zip", *names)])
    assert problems == []
    shown = [re.fullmatch(r"(.+?)(-[0-9a-f]{16})?", submission.student).groups() for submission in found]
    assert [name for name, _ in shown] == ["Users", "a__31m_b", "con_", "etc", "root"]
    assert [bool(digest) for _, digest in shown] == [False, True, True, False, False]
    assert all(submission.path.isprintable() for submission in found)
    assert list(tmp_path.iterdir()) == [tmp_path / "x.zip"]


def test_backslashes_part_folders_in_zips_of_windows_alone(tmp_path):
    def made(path: Path, system: int, *names: str) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                member = zipfile.ZipInfo(name)
                member.create_system = system
                archive.writestr(member, notebook(name))
        return path

    names = ["ada\\vae.ipynb", "bob\\vae.ipynb"]
    assert students(made(tmp_path / "windows.zip", 0, *names)) == ["ada", "bob"]
    for path in (made(tmp_path / "unix.zip", 3, *names), made(tmp_path / "mixed.zip", 0, *names, "eve/vae.ipynb")):
        found, _ = find_submissions("vae", [path])
        assert {item.student for item in found}.isdisjoint({"ada", "bob"}) and len(found) >= 2


@pytest.mark.parametrize("name", ["mallory:/ada/vae.ipynb", "mallory\\ada/vae.ipynb", "mallory\0/ada/vae.ipynb"])
def test_what_stands_before_an_odd_character_still_is_the_outermost_name(tmp_path, name):
    path = zipped(tmp_path / "x.zip", "eve/vae.ipynb", "Xmallory".ljust(len(name), "X") + ".ipynb")
    data = path.read_bytes().replace(b"Xmallory".ljust(len(name), b"X") + b".ipynb", name.encode() + b".ipynb")
    path.write_bytes(data)
    found, problems = find_submissions("vae", [path])
    assert problems == []
    assert [item.student.partition("-")[0] for item in found] in (["eve", "mallory_"], ["eve", "mallory_ada"])


@pytest.mark.parametrize("name", ["..", ".", "///", "\u202e", " "])
def test_a_student_always_has_a_name_for_files(name):
    made = student_name(name)
    assert made.strip(". ") == made and made and "/" not in made and made.isprintable()


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    zipped(tmp_path / "x.zip", "ada/vae.ipynb", **{"bob/vae.ipynb": b" " * 3_000_000})
    read = []
    monkeypatch.setattr(archives, "MAX_BYTES", 1_000_000)
    monkeypatch.setattr(attempts, "read_notebook", lambda data, where: read.append(len(data)))
    find_submissions("vae", [tmp_path / "x.zip"])
    assert max(read) == 1_000_001  # one byte above the bound is enough to know


def test_the_notebooks_of_a_zip_are_bounded_together(tmp_path, monkeypatch):
    zipped(tmp_path / "x.zip", "ada.ipynb", "bob.ipynb", "cleo.ipynb")
    monkeypatch.setattr(archives, "MAX_ZIP_BYTES", len(notebook("ada.ipynb")))
    found, problems = find_submissions("vae", [tmp_path / "x.zip"])
    assert [submission.student for submission in found] == ["ada"]
    for student, problem in zip(("bob", "cleo"), problems, strict=True):
        assert f"x.zip:{student}.ipynb: the files before it fill what is read of a zip; unpack it" in problem


def test_one_students_many_notebooks_are_bounded_together(tmp_path, monkeypatch):
    put(tmp_path, "ada/1.ipynb", "ada/2.ipynb", "ada/3.ipynb", "bob/vae.ipynb")
    monkeypatch.setattr(attempts, "MOST_BYTES", 10)
    found, problems = find_submissions("vae", [tmp_path], notes=[])
    assert [submission.student for submission in found] == ["ada", "bob"]
    assert [problem.partition(": is not read")[0] for problem in problems] == [
        str(tmp_path / f"ada/{number}.ipynb") for number in (2, 3)
    ]


def test_a_zip_in_a_zip_is_bounded(tmp_path, monkeypatch):
    for name, members in (("bob", 3), ("eve", 1)):
        zipped(tmp_path / f"{name}.zip", *(f"{number}.ipynb" for number in range(members)))
    zips = {f"{name}/hw.zip": (tmp_path / f"{name}.zip").read_bytes() for name in ("bob", "eve")}
    path = zipped(tmp_path / "x.zip", "ada/vae.ipynb", **zips, **{"mia/hw.zip": b"no zip"})
    assert [one.student for one in find_submissions("vae", [path])[0]] == ["ada", "eve"]  # bob has three
    monkeypatch.setattr(archives, "MAX_INNER_MEMBERS", 2)
    found, problems = find_submissions("vae", [path])
    assert [submission.student for submission in found] == ["ada", "eve"]
    assert len(problems) == 2 and all("hw.zip: is an archive in what was given" in problem for problem in problems)
    monkeypatch.setattr(archives, "MAX_OTHER_BYTES", 10)
    found, problems = find_submissions("vae", [path])
    assert [submission.student for submission in found] == ["ada"] and len(problems) == 3


def test_a_zip_with_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    zipped(tmp_path / "x.zip", "ada.ipynb", "bob.ipynb", "cleo.ipynb")
    assert "x.zip: holds more than 2 files; split it" in only_problem(tmp_path / "x.zip")


@pytest.mark.parametrize("is_inner", [False, True])
def test_the_directory_of_a_zip_is_bounded_before_it_is_read(tmp_path, monkeypatch, is_inner):
    """Whatever number of files its end tells: `zipfile` goes by the directory's size."""
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as made:
        made.writestr("vae.ipynb", notebook())
        for number in range(3_000):
            made.writestr(str(number), b"")
    data = (tmp_path / "many.zip").read_bytes()
    (tmp_path / "many.zip").write_bytes(data[:-14] + b"\1\0\1\0" + data[-10:])
    path = zipped(tmp_path / "class.zip", "ada.ipynb", **{"bob/many.zip": (tmp_path / "many.zip").read_bytes()})
    members = []

    class Counted(zipfile.ZipInfo):
        def __init__(self, *given):
            members.append(given)
            super().__init__(*given)

    monkeypatch.setattr(zipfile, "ZipInfo", Counted)
    monkeypatch.setattr(archives, "END_BYTES", 70_000)
    monkeypatch.setattr(archives, "MAX_INNER_MEMBERS" if is_inner else "MAX_MEMBERS", 10)
    found, (problem,) = find_submissions("vae", [path if is_inner else tmp_path / "many.zip"])
    assert [item.student for item in found] == ["ada"] * is_inner and len(members) == 2 * is_inner
    assert problem.endswith("; split it" if not is_inner else "unpack it, or give it by itself")


def test_encrypted_links_and_odd_members_of_a_zip(tmp_path):
    link = zipfile.ZipInfo("ada.ipynb")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert "is a link" in only_problem(tmp_path / "link.zip")
    with zipfile.ZipFile(tmp_path / "odd.zip", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("ada.ipynb", notebook())
    assert "is packed in an unusual way" in only_problem(tmp_path / "odd.zip")
    plain = zipped(tmp_path / "locked.zip", "ada.ipynb").read_bytes()
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = plain.index(signature) + offset
        plain = plain[:at] + b"\x01" + plain[at + 1 :]
    (tmp_path / "locked.zip").write_bytes(plain)
    assert "is encrypted" in only_problem(tmp_path / "locked.zip")


def test_a_zip_with_any_byte_damaged_is_read_or_refused(tmp_path):
    """Each byte of a small zip in turn: never an exception."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ada/vae.ipynb", notebook())
    whole = buffer.getvalue()
    for at in range(len(whole)):
        damaged = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        (tmp_path / "x.zip").write_bytes(damaged)
        found, problems = find_submissions("vae", [tmp_path / "x.zip"])
        assert len(found) + len(problems) >= 1
