"""Attacks by names: of folders, of files, and those that students show, which are made to look like another's.

As in archives.py, each function puts files into a folder. Ada and eve hand in an honest notebook; bob hands in nothing.
"""

import io
import json
import warnings
import zipfile
from pathlib import Path

from autograder.attacks.corpus import archive

ANSWER = "# exercise: gaussian_kl\ndef gaussian_kl(mu, sigma):\n    return torch.zeros(len(mu))\n"
CELL = {"cell_type": "code", "metadata": {}, "source": ANSWER, "outputs": [], "execution_count": None}
WRONG = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [CELL]}).encode()
HONEST = ("ada", "eve")


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    return held.getvalue()


def moodle(name: str, number: int) -> str:
    return f"{name}_{number}_assignsubmission_file_"


def by_moodle(notebook: bytes) -> dict[str, bytes]:
    return {f"{moodle('ada', 111)}/vae.ipynb": notebook, f"{moodle('eve', 333)}/vae.ipynb": notebook}


def by_canvas(notebook: bytes) -> dict[str, bytes]:
    return {"ada_1110_9000_vae.ipynb": notebook, "eve_3330_9001_vae.ipynb": notebook}


def by_exchange(notebook: bytes) -> dict[str, bytes]:
    return {"ada/vae/vae.ipynb": notebook, "eve/vae/vae.ipynb": notebook}


# Folders and files inside one's own


@archive("hand in, inside one's own folder, a folder that Moodle would have made for another", students=HONEST)
def a_folder_by_moodle_inside_ones_own(folder: Path, notebook: bytes) -> None:
    own = moodle("mallory", 222)
    for number, inside in enumerate((moodle("ada", 111), f"{moodle('bob', 444)}/vae", f"vae/{moodle('ada', 111)}/vae")):
        (folder / f"{number}.zip").write_bytes(zipped({f"{own}/{inside}/vae.ipynb": WRONG}))
    put(folder / "class", by_moodle(notebook))


@archive("hand in, inside one's own folder, the folders that nbgrader's exchange makes for others", students=HONEST)
def folders_of_the_exchange_inside_ones_own(folder: Path, notebook: bytes) -> None:
    put(folder / "class", by_exchange(notebook) | {"mallory/bob/vae/vae.ipynb": WRONG})
    put(folder / "late", {"mallory-2/vae/ada/vae/x.ipynb": WRONG, "mallory-3/vae/vae/bob.ipynb": WRONG})


@archive("hand in a file whose own name goes on as Canvas would have begun another's", students=HONEST)
def a_file_that_goes_on_like_another_in_canvas(folder: Path, notebook: bytes) -> None:
    inside = ["ada_1110_9000_vae.ipynb", "1110_9000_vae.ipynb", "LATE_1110_9000_vae.ipynb"]
    put(folder / "class", by_canvas(notebook))
    for number, name in enumerate(inside):
        put(folder / f"late {number}", {f"mallory_2220_900{number}_{name}": WRONG})


@archive("show a name that goes on as the platform would, with another's number behind it", students=("eve",))
def a_shown_name_that_ends_in_anothers_number(folder: Path, notebook: bytes) -> None:
    shown = ["bob_1110", "bob_1110_9000", "bob_1110_9000_x", "bob_LATE_1110"]
    put(folder / "canvas", {f"{name}_2220_901{number}_vae.ipynb": WRONG for number, name in enumerate(shown)})
    put(folder / "moodle", {f"{moodle(moodle('bob', 111) + 'x', 222)}/vae.ipynb": WRONG})
    put(folder / "files", {f"{moodle(moodle('bob', 111) + 'x', 222)}vae.ipynb": WRONG})
    put(folder / "honest", {"eve_3330_9001_vae.ipynb": notebook})


@archive(
    "show the very name of another, so that theirs or one's own is taken for a second notebook", students=("ada_111",)
)
def the_same_name_with_another_number(folder: Path, notebook: bytes) -> None:
    files = {f"{moodle('ada', 111)}/vae.ipynb": notebook, f"{moodle('mallory_111', 222)}/vae.ipynb": WRONG}
    put(
        folder / "class", files | {f"{moodle('mallory', 333)}/vae.ipynb": WRONG, f"{moodle('mallory', 111)}/x.txt": b""}
    )
    put(folder / "class", {f"{moodle('ada', 555)}/vae.pdf": b"%PDF", f"{moodle('ada', 444)}/vae.ipynb": b"{}"})


@archive(
    "hand in the notebooks of a whole class where one's own belongs, given by the shell one by one", students=("ada",)
)
def a_class_in_ones_own_folder(folder: Path, notebook: bytes) -> None:
    put(folder, {"ada/vae/vae.ipynb": notebook, "mallory/vae/ada.ipynb": WRONG, "mallory/vae/bob.ipynb": WRONG})


@archive("leave one's own folder by a way up, in the names inside a zip of the platform's", students=HONEST)
def a_way_up_into_anothers_folder(folder: Path, notebook: bytes) -> None:
    own, other = moodle("mallory", 222), moodle("ada", 111)
    ways = [f"{own}/../{other}/vae.ipynb", f"{own}\\..\\{other}\\vae.ipynb", f"{own}/./{moodle('bob', 444)}//vae.ipynb"]
    (folder / "class.zip").write_bytes(zipped(by_moodle(notebook) | dict.fromkeys(ways, WRONG)))


@archive("hand in a zip, a folder and a file of other endings, all named for others, inside one's own", students=HONEST)
def archives_named_for_others(folder: Path, notebook: bytes) -> None:
    own = moodle("mallory", 222)
    inner = zipped({f"{moodle('bob', 444)}/vae.ipynb": WRONG, "ada/vae/vae.ipynb": WRONG})
    hostile = {
        f"{own}/{moodle('ada', 111)}.zip": inner,
        f"{own}/ada.ipynb/bob.ipynb": WRONG,
        f"{own}/class.zip": inner,
        f"{own}/bob.IPYNB.zip": inner,
    }
    (folder / "class.zip").write_bytes(zipped(by_moodle(notebook) | hostile))
    put(folder / "late", hostile)


# Names that are cut, folded or made to measure


@archive("bear a name that is another's for its first hundred characters", students=HONEST)
def a_long_name_that_begins_like_anothers(folder: Path, notebook: bytes) -> None:
    put(folder / "class", {f"mallory{'y' * 110}{end}/vae/vae.ipynb": WRONG for end in ("1", "2", "3")})
    put(folder / "class", by_exchange(notebook))


@archive("bear the name under which another's long or odd name is shown", students=HONEST)
def a_name_made_for_the_digest_of_another(folder: Path, notebook: bytes) -> None:
    from autograder.results.names import student_name

    long = "mallory" + "x" * 150
    names = [
        long,
        student_name(long),
        student_name(student_name(long)),
        "mallory?",
        student_name("mallory?"),
        "mallory_",
    ]
    (folder / "class.zip").write_bytes(
        zipped(by_exchange(notebook) | {f"{name}/vae/vae.ipynb": WRONG for name in names})
    )


@archive("bear another's name but for blanks, dots and characters that nobody sees", students=HONEST)
def a_name_with_what_nobody_sees(folder: Path, notebook: bytes) -> None:
    odd = ["mallory", "mallory.", "mallory ", " mallory", "mallory\u200b", "mallory\u2060", "mallory\u00ad"]
    files = {f"{name}/vae/vae.ipynb": WRONG for name in odd}
    (folder / "class.zip").write_bytes(zipped(by_exchange(notebook) | files))


@archive("bear a name of hundreds of marks, which would cover the lines above and below it", students=HONEST)
def a_name_of_heaped_marks(folder: Path, notebook: bytes) -> None:
    heap = "mallory" + "\u0335\u0338\u0489" * 25
    put(folder / "class", by_exchange(notebook) | {f"{heap}/vae/vae.ipynb": WRONG})


@archive("hand in one member of a zip twice, and one that is a file and a folder at once", students=HONEST)
def one_name_for_two_members(folder: Path, notebook: bytes) -> None:
    with zipfile.ZipFile(folder / "class.zip", "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in by_exchange(notebook).items():
            made.writestr(name, data)
        for _ in range(2):
            made.writestr("mallory/vae/vae.ipynb", WRONG)
        made.writestr("mallory/vae/vae.ipynb/ada/vae/vae.ipynb", WRONG)


@archive("write a name in one code page that is another's in the next", students=HONEST)
def a_name_in_another_code_page(folder: Path, notebook: bytes) -> None:
    data = zipped(by_exchange(notebook) | {"mallory-XX/vae/vae.ipynb": WRONG, "mallory-YYY/vae/vae.ipynb": WRONG})
    # The same letter as two bytes of UTF-8 and as overlong ones, and neither says which it is.
    (folder / "class.zip").write_bytes(data.replace(b"XX", b"\xc3\xa9").replace(b"YYY", b"\xe0\x81\xa1"))


# Values that no program reads


@archive("hand in outputs with numbers that JSON does not know, counts below zero and kinds of the wrong type")
def outputs_that_are_no_json(folder: Path, notebook: bytes) -> None:
    outputs = [
        {
            "output_type": "execute_result",
            "execution_count": -7,
            "data": {"text/plain": ["x"]},
            "metadata": {"a": "NAN"},
        },
        {"output_type": "display_data", "data": {"application/json": ["NAN", "INF"], "text/json": {"a": 1}}},
        {"output_type": "display_data", "data": {"json": [2], "x+json": 3, "": None, "image/png": {"a": 1}}},
        {"output_type": "error", "ename": {"a": 1}, "evalue": "NAN", "traceback": ["x", 7, None]},
    ]
    metadata = {
        "collapsed": 5,
        "scrolled": "x",
        "name": "",
        "jupyter": 7,
        "tags": ["keep"],
        "nbgrader": {"grade_id": "NAN"},
    }
    kept = {
        **CELL,
        "source": "train_set = load_images()",
        "metadata": metadata,
        "outputs": outputs,
        "execution_count": -1,
    }
    whole = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {"a": "NAN"}, "cells": [CELL, kept]})
    put(folder, {"mallory.ipynb": whole.replace('"NAN"', "NaN").replace('"INF"', "-1e999").encode()})
