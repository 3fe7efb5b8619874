"""How what a class handed in lies there, as each platform and each teacher arranges it."""

from pathlib import Path

from tests.handed_in.made import blank, code, found, put, put_as, solved, zipped

A, B = "homework-ada", "homework-bob"
N = "foundations"


@found({A: f"release/{N}/{N}.ipynb", B: f"{B}/release/{N}/{N}.ipynb"}, source="GitHub Classroom: gh classroom clone")
def clones_of_the_published_tree(root: Path) -> None:
    put(root, *(f"{who}/release/{N}/{N}.ipynb" for who in (A, B)))
    put_as(root / A / "release/vae/vae.ipynb", blank("vae"))


@found({A: f"{N}.ipynb", B: f"{N}.ipynb"}, source="GitHub Classroom")
def clones_given_one_by_one(root: Path) -> list[Path]:
    clones_of_the_published_tree(root)
    return sorted(root.iterdir())


@found({A: f"{N}.ipynb"}, source="")
def one_clone(root: Path) -> list[Path]:
    put(root, f"{A}/release/{N}/{N}.ipynb")
    return [root / A]


@found({A: f"{N}.ipynb", B: f"{N}.ipynb"}, source="")
def clones_in_a_folder_in_a_zip(root: Path) -> list[Path]:
    put_as(root / "all.zip", zipped({f"hw3-submissions/{who}/release/{N}/{N}.ipynb": solved() for who in (A, B)}))
    return [root / "all.zip"]


@found({A: "my answers.ipynb"}, source="")
def answered_copy_beside_the_untouched_release(root: Path) -> None:
    put_as(root / A / f"release/{N}/{N}.ipynb", blank())
    put_as(root / A / "my answers.ipynb", solved())


@found({"ada": f"hw3/{N}/{N}.ipynb", "bob": f"hw3/{N}/{N}.ipynb"}, source="")
def a_folder_for_the_homework_in_each(root: Path) -> None:
    put(root, *(f"{who}/hw3/{N}/{N}.ipynb" for who in ("ada", "bob")))


@found({"ada": f"ada/{N}.ipynb", "bob": f"bob/{N}.ipynb"}, source="")
def wrapped_twice(root: Path) -> None:
    put(root, *(f"download/class 3/{who}/{N}.ipynb" for who in ("ada", "bob")))


@found({"ada": f"ada/{N}.ipynb", "bob": f"bob/{N}.ipynb"}, source="")
def wrapped_twice_in_a_zip(root: Path) -> list[Path]:
    members = {f"download/class 3/{who}/{N}.ipynb": solved() for who in ("ada", "bob")}
    put_as(root / "x.zip", zipped({**members, "__MACOSX/._x": b""}))
    return [root / "x.zip"]


@found({"ada": f"{N}.ipynb", "bob": f"{N}.ipynb"}, source="")
def a_zip_a_student(root: Path) -> list[Path]:
    for who in ("ada", "bob"):
        put_as(root / f"{who}.zip", zipped({f"{N}.ipynb": {**solved(), "by": who}}))
    return sorted(root.iterdir())


@found({"ada": f"hw3/{N}.ipynb", "bob": f"hw3/{N}.ipynb", "eve": f"hw3/{N}.ipynb"}, source="")
def the_same_folder_in_a_zip_or_folder_of_each(root: Path) -> list[Path]:
    for who in ("ada", "bob"):
        put_as(root / f"{who}.zip", zipped({f"hw3/{N}.ipynb": {**solved(), "by": who}}))
    put(root, f"eve/hw3/{N}.ipynb")
    return sorted(root.iterdir())


MOODLE = {
    "Jane Doe": "vae",
    "John Roe": "vae (1)",
    "Mia Poe": "Copy of vae",
    "Li Noe": "vae-Copy1",
    "Al Loe": "x.final",
}


@found(
    {who: f"{file}.ipynb" for who, file in MOODLE.items()}, source="moodle/moodle, mod/assign/classes/downloader.php"
)
def moodle_without_folders(root: Path) -> list[Path]:
    names = (f"{who}_{n}_assignsubmission_file_{file}.ipynb" for n, (who, file) in enumerate(MOODLE.items(), 30412))
    put_as(root / "moodle.zip", zipped(dict.fromkeys(names, solved())))
    return [root / "moodle.zip"]


@found({"Jane Doe": "a.ipynb", "John Roe": "b.ipynb"}, "no notebook of Mia Poe", source="moodle/moodle")
def moodle_with_folders(root: Path) -> None:
    put(root, "Jane Doe_1_assignsubmission_file_/a.ipynb", "John Roe_2_assignsubmission_file/b.ipynb")
    put_as(root / "Jane Doe_1_assignsubmission_onlinetext_/onlinetext.html", "<p>See my file</p>")
    put_as(root / "Mia Poe_3_assignsubmission_file_/c.pdf", b"%PDF")


@found({"Team A": "a.ipynb", "Default group": "a.ipynb"}, source="moodle/moodle: group submissions")
def moodle_teams(root: Path) -> None:
    put(root, *(f"{team}_assignsubmission_file/a.ipynb" for team in ("Team A_7", "Default group")))


@found({"Jane Doe": "hw.zip:hw/a.ipynb", "John Roe": "b.ipynb"}, source="moodle/moodle, mikewesthad/canvas-unzipper")
def zips_that_students_handed_in(root: Path) -> list[Path]:
    zips = {"Jane Doe_1_assignsubmission_file_hw.zip": zipped({"hw/a.ipynb": solved(), "hw/data.csv": ""})}
    put_as(root / "all.zip", zipped({**zips, "John Roe_2_assignsubmission_file_b.ipynb": solved()}))
    return [root / "all.zip"]


@found({"bob": "bob/hw.zip:a.ipynb"}, "ada/hw.zip: is an archive in what was given; unpack it", source="")
def a_zip_in_a_zip_in_a_zip(root: Path) -> list[Path]:
    inner = zipped({"a.ipynb": solved()})
    put_as(root / "all.zip", zipped({"ada/hw.zip": zipped({"hw.zip": inner}), "bob/hw.zip": inner}))
    return [root / "all.zip"]


@found(
    {"ada": "ada/vae.ipynb", "bob": "bob/work.ipynb", "cleo": f"cleo/hw.zip:{N}/a.ipynb", "dan": "dan/a.ipynb"},
    f"ada/old.zip:{N}/{N}.ipynb: lies in a zip of ada's; ",
    "two notebooks for one student, eve: ",
    "eve/old.zip:a.ipynb: lies in a zip of eve's; ",
    "dan/a.zip:b.ipynb: the same as ",
    source="",
)
def a_notebook_beside_a_zip(root: Path) -> None:
    old = {**solved(), "by": "before"}
    put(root, "ada/vae.ipynb", "bob/work.ipynb", "dan/a.ipynb", "eve/a.ipynb", "eve/b.ipynb")
    put_as(root / "ada/old.zip", zipped({f"{N}/{N}.ipynb": old}))
    put_as(root / "bob/data.zip", zipped({f"{N}/scratch.ipynb": {"cells": [code("1 + 1")]}}))
    put_as(root / f"cleo/{N}.ipynb", blank())
    put_as(root / "cleo/hw.zip", zipped({f"{N}/a.ipynb": old}))
    put_as(root / "dan/a.zip", zipped({"b.ipynb": (root / "dan/a.ipynb").read_bytes()}))
    put_as(root / "eve/old.zip", zipped({"a.ipynb": old}))


@found({A: f"{A}/release/{N}/{N}.ipynb", B: f"{B}/release/{N}/{N}.ipynb"}, source="")
def the_one_zip_in_a_folder_is_as_if_given(root: Path) -> None:
    put_as(root / "all.zip", zipped({f"{who}/release/{N}/{N}.ipynb": solved() for who in (A, B)}))


@found(
    {"Ada Byron": "Ada Byron - vae.ipynb", "Bob Roe": "Bob Roe - vae.ipynb"}, source="Google Drive: folders in parts"
)
def google_drive_in_parts(root: Path) -> None:
    for part, name in enumerate(("Ada Byron", "Bob Roe"), 1):
        put_as(root / f"HW-20261128T101530Z-1-00{part}.zip", zipped({f"HW/{name} - vae.ipynb": solved()}))


@found({"Participant_11": "a.ipynb", "Participant_12": "a.ipynb"}, source="moodle/moodle: blind marking")
def moodle_blind(root: Path) -> None:
    put(root, *(f"Participant_{n}_assignsubmission_file_/a.ipynb" for n in (11, 12)))


@found(
    {"byronada": "67999_vae-1.ipynb", "roebob": "_vae.ipynb"},
    "67890_vae.ipynb: an earlier attempt of byronada",
    source="mikewesthad/canvas-unzipper; instructure/canvas-lms",
)
def canvas_late_and_uploaded_again(root: Path) -> None:
    put(
        root,
        "byronada_12345_67890_vae.ipynb",
        "byronada_LATE_12345_67999_vae-1.ipynb",
        "roebob_LATE_54321_67891_vae.ipynb",
    )


@found({"anon_aB3xZ": "67890_a.ipynb", "anon_Qq7rT": "67891_a.ipynb"}, source="instructure/canvas-lms: content_zipper")
def canvas_anonymous(root: Path) -> None:
    put(root, "anon_aB3xZ_67890_a.ipynb", "LATE_anon_Qq7rT_67891_a.ipynb")


@found({"anon_aB3xZ": "_a.ipynb"}, source="instructure/canvas-lms: content_zipper")
def only_one_anonymous_in_canvas(root: Path) -> None:
    put(root, "anon_aB3xZ_67890_a.ipynb")


@found(
    {"ada_b": "11-15-30_vae.ipynb", "bob": "_vae (1).ipynb"},
    "10-15-30_vae.ipynb: an earlier attempt of ada_b",
    source="jupyter/nbgrader#511; kwurst/bb-file-cleanup",
)
def blackboard(root: Path) -> None:
    files = ("ada_b_attempt_2026-11-28-10-15-30_vae", "ada_b_attempt_2026-11-28-11-15-30_vae")
    put(root, *(f"Home_work 1_{name}.ipynb" for name in (*files, "bob_attempt_2026-11-28-09-15-30_vae (1)")))
    put_as(root / "Home_work 1_bob_attempt_2026-11-28-09-15-30.txt", "Name: Bob")


@found(
    {"Ada Byron": "1020 AM/vae.ipynb", "Bob Roe": "1016 AM/b.ipynb"},
    "1015 AM/vae.ipynb: an earlier attempt of Ada Byron",
    source="seen in public scripts that sort downloads",
)
def brightspace_with_folders(root: Path) -> None:
    put(root, *(f"12-9 - Ada Byron - Nov 28, 2026 {time} AM/vae.ipynb" for time in (1015, 1020)))
    put(root, "13-9 - Bob Roe - Nov 28, 2026 1016 AM/b.ipynb")
    put_as(root / "index.html", "<html>")


@found({"Ada Byron": "vae.ipynb", "Bob Roe": "b.ipynb"}, source="seen in public scripts that sort downloads")
def brightspace_without_folders(root: Path) -> None:
    put(
        root,
        "12-9 - Ada Byron - 28 November, 2026 1015 AM - vae.ipynb",
        "13-9 - Bob Roe - 28 November, 2026 116 PM - b.ipynb",
    )


@found({"Byron, Ada": "vae.ipynb", "Roe, Bob": "b.ipynb"}, source="jupyter/nbgrader#526")
def sakai(root: Path) -> list[Path]:
    given = "HW/{}/Submission attachment(s)/{}.ipynb"
    members = {given.format("Byron, Ada(ada)", "vae"): solved(), given.format("Roe, Bob(bob)", "b"): solved()}
    members |= {"HW/grades.csv": "", "HW/Roe, Bob(bob)/timestamp.txt": "20261128101530000"}
    members |= {"HW/Roe, Bob(bob)/Feedback Attachment(s)/returned.ipynb": solved()}
    put_as(root / "bulk_download.zip", zipped(members))
    return [root / "bulk_download.zip"]


@found(
    {"Ada Byron": "20261128111530_vae.ipynb", "Bob Roe": "b.ipynb"},
    "20261128101530_vae.ipynb: an earlier attempt",
    source="jupyter/nbgrader#796",
)
def ilias(root: Path) -> None:
    put(root, *(f"Ex 1/Byron_Ada_ada_1234/{time}_vae.ipynb" for time in (20261128101530, 20261128111530)))
    put(root, "Ex 1/Roe_Bob_bob_1235/b.ipynb")


@found({"Ada Byron": "a.ipynb", "Bob Roe and Mia Poe": "b.ipynb"}, source="otter-grader: GradescopeParser")
def gradescope(root: Path) -> None:
    put(root, "assignment_7_export/submission_11/a.ipynb", "assignment_7_export/submission_12/b.ipynb")
    who = "submission_11:\n  :submitters:\n  - :name: Ada Byron\n    :sid: '1'\n  :created_at: 2026\n  :history:\n"
    who += "  - :submitters:\n    - :name: Old Name\n"
    who += "submission_12:\n  :submitters:\n  - :name: Bob Roe\n  - :name: Mia Poe\n"
    put_as(root / "assignment_7_export/submission_metadata.yml", who)


@found(
    {
        "Ada Byron": "vae.ipynb",
        "Bob Roe": "Copy of vae.ipynb",
        "Mia Poe": "vae (1).ipynb",
        "Li Noe": "vae - final.ipynb",
    },
    source="seen in folders of Google Classroom",
)
def google_classroom(root: Path) -> None:
    names = ("Ada Byron - vae", "Bob Roe - Copy of vae", "Mia Poe - vae (1)", "Li Noe - vae - final")
    put(root, *(f"Homework/{name}.ipynb" for name in names))


@found({"ada": f"{N}/{N}.ipynb", "bob": "work.ipynb"}, source="")
def only_those_of_this_assignment(root: Path) -> None:
    put_as(root / "ada" / N / f"{N}.ipynb", solved())
    put_as(root / "ada" / N / "Untitled.ipynb", {"cells": [code("1 + 1")]})
    put_as(root / "bob/work.ipynb", solved())
    put_as(root / "bob/vae.ipynb", blank("vae"))


@found({"ada": "hw3.ipynb"}, source="")
def an_answered_notebook_beside_a_rough_one(root: Path) -> None:
    put_as(root / "ada/hw3.ipynb", solved())
    put_as(root / "ada/scratch.ipynb", {"cells": [code("1 + 1")]})


@found({}, *(f"two notebooks for one student, {n}" for n in (1, 2)), source="")
def two_sections_of_a_class(root: Path) -> None:
    put(root, *(f"hw/{section}/{who}/a.ipynb" for section, who in ((1, "ada"), (1, "bob"), (2, "cleo"), (2, "dan"))))


@found({"eve": "eve.ipynb"}, "two notebooks for one student, ada", source="")
def which_of_two_is_for_a_person_to_say(root: Path) -> None:
    put(root, f"ada/{N}.ipynb", f"ada/{N}-Copy1.ipynb", "eve.ipynb")


@found({"ada": f"{N}.ipynb", "eve": "eve.ipynb"}, f"{N} (1).ipynb: the same as ", source="")
def the_same_file_twice_is_one(root: Path) -> None:
    for name in (f"ada/{N}.ipynb", f"ada/{N} (1).ipynb", "eve.ipynb"):
        put_as(root / name, solved())


NAMES = {"gbk": "张伟", "cp932": "山田太郎", "cp866": "Иван Петров", "cp437": "José Peña", "utf-8": "Åsa Öberg"}


def _encoded(encoding: str):
    def make(root: Path) -> list[Path]:
        members = {f"{NAMES[encoding]}/a.ipynb".encode(encoding): solved(), b"bob/b.ipynb": solved()}
        put_as(root / "x.zip", zipped(members))
        return [root / "x.zip"]

    make.__name__ = f"names_in_{encoding}"
    return make


for encoding, name in NAMES.items():
    found({name: "a.ipynb", "bob": "b.ipynb"}, source="zips by Windows")(_encoded(encoding))
