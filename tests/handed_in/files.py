"""Files that are no notebook, or look odd and are one."""

import json
from pathlib import Path

from tests.handed_in.made import as_bytes, found, put_as, solved, zipped

WHOLE = json.dumps(solved(), indent=1)
LINES = WHOLE.split("\n")


@found({"ada": "ada.ipynb"}, source="microsoft/markitdown#2425")
def byte_order_mark(root: Path) -> None:
    put_as(root / "ada.ipynb", b"\xef\xbb\xbf" + as_bytes(solved()))


@found({"ada": "ada.ipynb"}, source="jupyter/nbdime#506")
def utf_16_as_notepad_saves_unicode(root: Path) -> None:
    put_as(root / "ada.ipynb", WHOLE.encode("utf-16"))


@found({"ada": "ada.ipynb"}, source="")
def utf_16_without_a_mark(root: Path) -> None:
    put_as(root / "ada.ipynb", WHOLE.encode("utf-16-le"))


@found({"ada": "ada.ipynb"}, source="")
def no_minor_version_and_no_metadata(root: Path) -> None:
    notebook = solved()
    put_as(root / "ada.ipynb", {"cells": [{k: c[k] for k in ("cell_type", "source")} for c in notebook["cells"]]})


@found({"ada": "ada.ipynb"}, source="")
def tags_are_null(root: Path) -> None:
    notebook = solved()
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = None
    put_as(root / "ada.ipynb", notebook)


@found({"ada": "ada.ipynb"}, source="")
def nan_in_an_output(root: Path) -> None:
    notebook = solved()
    data = {"application/json": {"loss": float("nan")}, "text/plain": "x"}
    notebook["cells"][4]["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {"a": float("inf")}}]
    put_as(root / "ada.ipynb", notebook)


@found({"sound": "sound.ipynb"}, "(line 41); keep one side", source="nbdime's reason to be: jupyter/nbdime")
def merge_conflict(root: Path) -> None:
    put_as(root / "sound.ipynb", WHOLE)
    both = [*LINES[:40], "<<<<<<< HEAD", LINES[40], "=======", LINES[40], ">>>>>>> theirs", *LINES[41:]]
    put_as(root / "bob.ipynb", "\n".join(both))


@found({"sound": "sound.ipynb"}, "bob.ipynb: is not a notebook: it is a saved web page", source="")
def web_page_saved_as_a_notebook(root: Path) -> None:
    put_as(root / "sound.ipynb", WHOLE)
    put_as(root / "bob.ipynb", "\n<!DOCTYPE html>\n<html><title>Colab</title></html>")


@found({"sound": "sound.ipynb"}, "text stands behind the end of the notebook", source="")
def text_behind_the_end(root: Path) -> None:
    put_as(root / "sound.ipynb", WHOLE)
    put_as(root / "bob.ipynb", WHOLE + "\n{}\n")


@found({"ada": "ada.ipynb"}, source="")
def zeros_behind_the_end_after_a_full_disk(root: Path) -> None:
    put_as(root / "ada.ipynb", WHOLE.encode() + b"\n" + b"\0" * 4096)


@found({"sound": "sound.ipynb"}, "cut off", source="")
def half_an_upload(root: Path) -> None:
    put_as(root / "sound.ipynb", WHOLE)
    put_as(root / "bob.ipynb", WHOLE[: len(WHOLE) // 2])


@found({"sound": "sound.ipynb"}, "bob.ipynb: is not a notebook: it is a zip archive", source="")
def zip_called_notebook(root: Path) -> None:
    put_as(root / "sound.ipynb", WHOLE)
    put_as(root / "bob.ipynb", zipped({"a.ipynb": solved()}))


@found({"sound": "sound.ipynb"}, "bob.ipynb: is not a notebook: it is a link", source="")
def shortcut_of_google_drive(root: Path) -> None:
    put_as(root / "sound.ipynb", WHOLE)
    put_as(root / "bob.ipynb", '{"url": "https://colab.research.google.com/drive/1", "doc_id": "1"}')


@found(
    {
        "ada": "ada.ipynb",
        "bob": "bob.ipynb.json",
        "cleo": "cleo.ipynb.txt",
        "dan": "dan.json",
        "eli": "eli",
        "eve": "eve.zip:foundations.ipynb",
    },
    source="ucbds-infra/otter-grader#617: browsers append .json",
)
def other_suffixes(root: Path) -> None:
    for name in ("ada.ipynb", "bob.ipynb.json", "cleo.ipynb.txt", "dan.json", "eli"):
        put_as(root / name, as_bytes(solved()))
    put_as(root / "eve.zip", zipped({"foundations.ipynb": solved()}))


@found(
    {"ada": "ada.ipynb"},
    "bob: no notebook of bob",
    "cleo.pdf: is not a notebook, and not graded",
    "dan/answers.7z: is an archive",
    source="",
)
def what_is_no_notebook(root: Path) -> None:
    put_as(root / "ada.ipynb", WHOLE)
    put_as(root / "bob/answers.docx", b"PK\x03\x04")
    put_as(root / "cleo.pdf", b"%PDF")
    put_as(root / "dan/answers.7z", b"7z")
    for name in ("Thumbs.db", "bob/desktop.ini", "bob/~$answers.docx"):
        put_as(root / name, b"left by Windows")
    put_as(root / "README.md", "What this folder is")
