"""Nobody gets another's result: whatever a student puts into their own folder, file or name."""

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.grading.submissions import Submission, find_submissions
from autograder.grading.submitted.platforms import account_in, readings


def notebook(text: str) -> bytes:
    cell = {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def put(root: Path, files: Mapping[str, str]) -> Path:
    """Write notebooks: for each path the name of the one who has written it."""
    for path, author in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(notebook(author))
    return root


def zipped(root: Path, files: Mapping[str, str]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(root / "class.zip", "w") as made:
        for path, author in files.items():
            made.writestr(path, notebook(author))
    return root / "class.zip"


def wrapped(root: Path, files: Mapping[str, str]) -> Path:
    return zipped(root, {f"export/{path}": author for path, author in files.items()})


def author(submission: Submission) -> str:
    return submission.notebook().cells[0].source


def authors(*places: Path) -> tuple[dict[str, str], list[str]]:
    """Whose work counts for whom, and what is said."""
    found, problems = find_submissions("vae", places)
    return {submission.student: author(submission) for submission in found}, problems


MOODLE = "{}_{}_assignsubmission_file_"


@pytest.mark.parametrize("give", [put, zipped, wrapped])
@pytest.mark.parametrize(
    "inside",
    [
        "ada_111_assignsubmission_file_/vae/vae.ipynb",
        "ada_111_222_vae/vae/x.ipynb",
        "ada/vae/vae.ipynb",
        "vae/ada.ipynb",
    ],
)
def test_a_folder_inside_ones_own_is_ones_own(tmp_path, give, inside):
    """In the manner of Moodle, of Canvas and of nbgrader; bob has handed in nothing."""
    files = {f"{MOODLE.format('ada', 111)}/work.ipynb": "ada", f"{MOODLE.format('eve', 333)}/work.ipynb": "eve"}
    for name in ("ada", "bob"):
        hostile = {f"{MOODLE.format('mallory', 222)}/{inside.replace('ada', name)}": "mallory"}
        found, problems = authors(give(tmp_path / name, files | hostile))
        assert (found, problems) == ({"ada": "ada", "eve": "eve", "mallory": "mallory"}, [])


@pytest.mark.parametrize("inside", ["{}/vae/x.ipynb", "vae/{}/vae/x.ipynb", "vae/vae/{}.ipynb", "vae/{}.ipynb"])
@pytest.mark.parametrize("victim", ["ada", "bob"])
def test_in_nbgraders_layout_the_exchanges_folder_decides(tmp_path, inside, victim):
    files = {"ada/vae/vae.ipynb": "ada", f"mallory/{inside.format(victim)}": "mallory"}
    assert authors(put(tmp_path / "submitted", files)) == ({"ada": "ada", "mallory": "mallory"}, [])


LIST = "submission_{}:\n  :submitters:\n  - :name: {}\n  :created_at: 2026-11-{} 12:00:00 Z\n"


@pytest.mark.parametrize("top", ["", "assignment_7_export/", "vae/"])
@pytest.mark.parametrize("inside", ["", "vae/", "hw.zip"])
def test_a_list_of_gradescopes_in_a_students_own_part_speaks_of_nobody(tmp_path, top, inside):
    """Nor of the student who has put it there."""
    put(tmp_path, {f"{top}submission_11/a.ipynb": "ada", f"{top}submission_12/b.ipynb": "mallory"})
    (tmp_path / top / "submission_metadata.yml").write_text(LIST.format(11, "Ada", 28) + LIST.format(12, "Mallory", 29))
    forged = "".join(LIST.format(number, "Eve", "01") for number in (11, 12))
    own = tmp_path / top / "submission_12" / inside
    if inside.endswith(".zip"):
        with zipfile.ZipFile(own, "w") as made:
            made.writestr("b.ipynb", notebook("mallory"))
            made.writestr("submission_metadata.yml", forged)
    else:
        own.mkdir(exist_ok=True)
        (own / "submission_metadata.yml").write_text(forged)
    found, problems = find_submissions("vae", [tmp_path])
    assert problems == []
    assert {item.student: item.submitted for item in found} == {
        "Ada": "2026-11-28T12:00:00+00:00",
        "Mallory": "2026-11-29T12:00:00+00:00",
    }


@pytest.mark.parametrize(
    "filler",
    ["\n" * 300_000, f"  - :name:{' ' * 300_000}\n", f"  - :name: Ada{' ' * 300_000}x\n"],
    ids=["lines", "blanks", "behind"],
)
def test_a_long_list_of_gradescopes_is_read_once(tmp_path, filler):
    """Not once from each of its blanks: that took hours."""
    put(tmp_path, {"submission_11/a.ipynb": "ada", "submission_12/b.ipynb": "mallory"})
    (tmp_path / "submission_metadata.yml").write_text(LIST.format(11, "Ada", 28) + LIST.format(12, "Mallory", 29))
    (tmp_path / "submission_12" / "submission_metadata.yml").write_text(f"submission_11:\n{filler}")
    found, problems = find_submissions("vae", [tmp_path])
    assert ([item.student for item in found], problems) == (["Ada", "Mallory"], [])


def test_students_folders_that_are_given_one_by_one_stay_theirs(tmp_path):
    """As a shell makes of submitted/* and submitted/*/vae."""
    files = {"ada/vae/vae.ipynb": "ada", "mallory/vae/bob.ipynb": "mallory", "mallory/vae/eve.ipynb": "mallory too"}
    put(tmp_path, files)
    for places in (tmp_path.glob("*"), tmp_path.glob("*/vae")):
        found, (problem,) = authors(*sorted(places))
        assert found == {"ada": "ada"} and problem.startswith("two notebooks for one student, mallory: ")


def test_two_collections_that_are_called_like_the_assignment_stay_collections(tmp_path):
    put(tmp_path / "monday/vae", {"ada.ipynb": "ada", "bob.ipynb": "bob"})
    put(tmp_path / "friday/vae", {"eve.ipynb": "eve", "joe.ipynb": "joe"})
    found, problems = authors(tmp_path / "monday/vae", tmp_path / "friday/vae")
    assert (list(found), problems) == (["ada", "bob", "eve", "joe"], [])


def test_the_outermost_of_several_places_decides(tmp_path):
    put(tmp_path / "submitted", {"ada/vae/vae.ipynb": "ada", "mallory/ada.ipynb": "mallory"})
    found, problems = authors(tmp_path / "submitted/mallory", tmp_path / "submitted")
    assert (found, problems) == ({"ada": "ada", "mallory": "mallory"}, [])


def test_two_claims_to_one_student_are_both_named(tmp_path):
    files = {"ada/vae/vae.ipynb": "ada", "ada.ipynb": "mallory", "eve.ipynb": "eve"}
    found, (problem,) = authors(put(tmp_path, files))
    assert found == {"eve": "eve"}
    assert problem.startswith("two notebooks for one student, ada: ")
    assert "ada/vae/vae.ipynb" in problem and f"{tmp_path}/ada.ipynb" in problem


def test_long_names_that_begin_alike_are_two_names(tmp_path):
    one, other = "x" * 120 + "1", "x" * 120 + "2"
    found, problems = authors(put(tmp_path, {f"{one}/vae.ipynb": "one", f"{other}/vae.ipynb": "other"}))
    assert problems == [] and sorted(found.values()) == ["one", "other"]
    assert all(name.startswith("x" * 90 + "-") and len(name) < 110 for name in found)


@pytest.mark.parametrize(
    "other", ["ada.", "ada ", " ada", "ada\u200b", "Ada", "ad\u0430", "ada\u0301" + "\u0335" * 300]
)
def test_a_name_that_looks_like_anothers_is_another(tmp_path, other):
    found, problems = authors(zipped(tmp_path, {"ada/vae.ipynb": "ada", f"{other}/vae.ipynb": "mallory"}))
    assert problems == [] and found["ada"] == "ada" and len(found) == 2
    assert all(len(name) < 30 for name in found)


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["ada", "\u0430\u0434\u0430"], "ada (Latin) and \u0430\u0434\u0430 (Cyrillic): look alike, "),
        (["ada", "\u0430da"], "ada (Latin) and \u0430da (Cyrillic, Latin): look alike, "),
        (["Nora", "\u039dora"], ""),  # a small letter of Nu's looks like v
        (["Tom", "\u03a4om", "tom"], "Tom (Latin) and tom (Latin) and \u03a4om (Greek, Latin): look alike, "),
        (["Ada", "ada"], "Ada and ada: look alike, "),
        (["ada", "\uff41\uff44\uff41"], "look alike, and are 2 students; check whose work each is"),
        (["ada", "adan", "eda", "\u0438\u0434\u0430"], ""),
    ],
)
def test_names_that_look_alike_are_told_of(tmp_path, names, line):
    notes: list[str] = []
    given = zipped(tmp_path, {f"{name}/vae.ipynb": name for name in names})
    found, problems = find_submissions("vae", [given], notes=notes)
    assert problems == [] and sorted(map(author, found)) == sorted(names)
    assert [line in note for note in notes] == [True] * bool(line)


def test_names_of_many_bytes_fit_into_every_file_system(tmp_path):
    ((name, _),) = authors(zipped(tmp_path, {"\N{GRINNING FACE}" * 120 + "/vae.ipynb": "ada"}))[0].items()
    assert len(name.encode()) < 230 and len(name) <= 128


# The names that platforms give


@pytest.mark.parametrize(
    ("text", "platform", "name", "number"),
    [
        ("Ada Byron_12345_assignsubmission_file_", "moodle", "Ada Byron", "12345"),
        ("Ada Byron_12345_assignsubmission_file", "moodle", "Ada Byron", "12345"),
        ("Ada_Byron_12345_assignsubmission_onlinetext_", "moodle", "Ada_Byron", "12345"),
        ("Ada Byron_12345_assignsubmission_file_final version.ipynb", "moodle", "Ada Byron", "12345"),
        ("Ada_1_assignsubmission_file_x_2_assignsubmission_file_", "moodle", "Ada_1_assignsubmission_file_x", "2"),
        ("byronada_12345_67890_vae.ipynb", "canvas", "byronada", "12345"),
        ("byronada_LATE_12345_67890_vae.ipynb", "canvas", "byronada", "12345"),
        ("byron_ada_12345_67890_vae-1.ipynb", "canvas", "byron_ada", "12345"),
    ],
)
def test_names_of_platforms_are_read(text, platform, name, number):
    account = account_in(text)
    assert (account.platform, account.name, account.number) == (platform, name, number)


def test_digits_of_other_scripts_are_no_numbers():
    assert account_in("ada_\u0661\u0661\u0661_222_333_vae.ipynb").number == "222"


@pytest.mark.parametrize(
    "text",
    [
        "ada_12345_666_777_vae.ipynb",  # ada's 777_vae.ipynb, or the vae.ipynb of somebody called ada_12345
        "ada_12345_67890_x_666_777_vae.ipynb",
        "ada_1_assignsubmission_file_x_2_assignsubmission_file_vae.ipynb",
        "ada_1_assignsubmission_file_x_666_777_vae.ipynb",
    ],
)
def test_a_name_that_can_be_read_in_two_ways_means_nobody(tmp_path, text):
    assert account_in(text) is None and len(readings(text)) == 2
    files = {text: "mallory", "eve_300_301_vae.ipynb": "eve"}
    found, problems = find_submissions("vae", [put(tmp_path, files)])
    assert problems == []
    assert {item.student: (author(item), item.account) for item in found} == {
        text.removesuffix(".ipynb"): ("mallory", ""),
        "eve": ("eve", "canvas 300"),
    }


def test_a_name_that_ends_like_a_number_cannot_be_a_namesakes(tmp_path):
    files = {"ada_111_900_x.ipynb": "ada", "ada_222_901_x.ipynb": "the other ada"}
    mallory = {f"{MOODLE.format('ada_111', 333)}/x.ipynb": "mallory"}
    found, problems = authors(put(tmp_path, files | mallory))
    assert problems == []
    assert found == {"ada_111": "ada", "ada_222": "the other ada", "ada_111_333": "mallory"}


def test_one_number_is_one_student_whatever_name_is_shown(tmp_path):
    notes: list[str] = []
    files = {"ada_111_900_x.ipynb": "first", "eve_111_901_x.ipynb": "second"}
    ((newest,), problems) = find_submissions("vae", [put(tmp_path, files)], notes=notes)
    assert (newest.student, author(newest), problems, len(notes)) == ("ada", "second", [], 1)


# Two parties, one of whom does what they like

WORDS = st.sampled_from(
    ["ada", "bob", "eve", "Ada", "ada.", "vae", "VAE", "gcn", "x", "export", "ada_111", "ada_111_900_vae"]
    + [MOODLE.format("ada", 111), MOODLE.format("bob", 444), "ada_LATE_111_900_x", "x_111_assignsubmission_file_"]
)
INSIDE = st.lists(
    st.tuples(st.lists(WORDS, max_size=3), WORDS).map(lambda parts: "/".join([*parts[0], f"{parts[1]}.ipynb"])),
    min_size=1,
    max_size=4,
    unique=True,
)
LAYOUTS: dict[str, Callable[[str, int, str], str]] = {
    "exchange": lambda name, number, inside: f"{name}/vae/{inside}",
    "exchange, the student's part": lambda name, number, inside: f"{name}/{inside}",
    "Moodle": lambda name, number, inside: f"{MOODLE.format(name, number)}/{inside}",
    "Moodle, files": lambda name, number, inside: MOODLE.format(name, number) + inside.replace("/", "_"),
    "Canvas": lambda name, number, inside: f"{name}_{number}_{number + 500}_{inside.replace('/', '_')}",
    "a folder for the assignment": lambda name, number, inside: f"vae/{name}/{inside}",
}


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(inside=INSIDE, give=st.sampled_from([put, zipped, wrapped]))
def test_what_one_party_puts_into_their_own_part_decides_nothing_of_the_others(tmp_path_factory, layout, inside, give):
    """Bob has handed in nothing, and gets nothing."""
    if layout == "a folder for the assignment" and give is wrapped:
        give = zipped  # export/vae/… may be one student's
    path = LAYOUTS[layout]
    honest = {path("ada", 111, "vae.ipynb"): "ada", path("eve", 333, "vae.ipynb"): "eve"}
    hostile = {path("mallory", 222, own): "mallory" for own in inside}
    found, problems = authors(give(tmp_path_factory.mktemp("class"), honest | hostile))
    theirs = {student: author for student, author in found.items() if author == "mallory"}
    assert {student: author for student, author in found.items() if student not in theirs} == {
        "ada": "ada",
        "eve": "eve",
    }
    assert all(student.startswith("mallory") for student in theirs)
    assert theirs or any("mallory" in problem for problem in problems)


SHOWN = st.sampled_from(
    [
        "ada",
        "bob",
        "ada_111",
        "ada_111_900",
        "ada_111_900_x",
        "ada_LATE",
        "ada_LATE_111",
        "ada_111_assignsubmission_file_",
    ]
)


@pytest.mark.parametrize("layout", ["Moodle", "Moodle, files", "Canvas"])
@settings(max_examples=80, deadline=None, derandomize=True)
@given(shown=SHOWN, inside=INSIDE.map(lambda paths: paths[:1]))
def test_whatever_name_one_shows_ones_number_stays_ones_own(tmp_path_factory, layout, shown, inside):
    """A name is not more than a name: nobody gets ada's number, nor the name of somebody with no number to tell."""
    path = LAYOUTS[layout]
    honest = {path("ada", 111, "vae.ipynb"): "ada", path("eve", 333, "vae.ipynb"): "eve"}
    hostile = {path(shown, 222, inside[0]): "mallory"}
    found, problems = find_submissions("vae", [put(tmp_path_factory.mktemp("class"), honest | hostile)])
    by_author = {author(item): item for item in found}
    assert problems == [] and sorted(by_author) == ["ada", "eve", "mallory"]
    assert (by_author["ada"].student in ("ada", "ada_111")) and by_author["eve"].student == "eve"
    number = by_author["mallory"].account.rpartition(" ")[2]
    assert number in ("", "222")
    if by_author["mallory"].student in ("ada", "bob", "eve"):
        assert (shown == "bob" and number == "222") or layout != "Canvas"
