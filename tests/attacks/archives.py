"""Attacks by the files that are handed in: archives, folders and notebooks that no kernel has written.

Each function puts files into a folder; all that lies there is given to the grader. `notebook` is an honest submission.
"""

import base64
import copy
import io
import json
import os
import socket
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from autograder.attacks.corpus import archive

MARK = "left-by-attack"
SCRIPT = f"<script>alert('{MARK}')</script><img src=x onerror=alert(1) id={MARK}>"
ANSWER = "# exercise: gaussian_kl\ndef gaussian_kl(mu, sigma):\n    return torch.zeros(len(mu))\n"


def book(*cells: dict, **fields: object) -> dict:
    """A notebook with a wrong answer and the given cells."""
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code(ANSWER), *cells], **fields}


def code(source: object, **fields: object) -> dict:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None, **fields}


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def zipped(path: Path, members: dict[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", kind) as made:
        for name, data in members.items():
            made.writestr(name, data)


# Bombs


@archive("hand in a zip whose one notebook takes two gigabytes when it is unpacked", graded=1)
def zip_bomb(folder: Path, notebook: bytes) -> None:
    with zipfile.ZipFile(folder / "class.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr("ada/vae.ipynb", notebook)
        with made.open("mallory/vae.ipynb", "w", force_zip64=True) as member:
            for _ in range(128):
                member.write(bytes(2**24))


@archive("hand in a zip of zips of zips, and a notebook that is a zip itself", graded=1)
def nested_bomb(folder: Path, notebook: bytes) -> None:
    inner = bytes(10**7)
    for _ in range(6):
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
            for number in range(10):
                made.writestr(f"{number}.zip", inner)
        inner = held.getvalue()
    zipped(folder / "class.zip", {"ada/vae.ipynb": notebook, "mallory/vae.zip": inner, "eve/vae.ipynb": inner})


@archive("hand in a zip whose members all lie on the same bytes, so that little is read again and again")
def overlapping_bomb(folder: Path, notebook: bytes) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("s0/vae.ipynb", b" " * 2**25)
    data = held.getvalue()
    start = data.index(b"PK\x01\x02")
    entry = data[start : data.index(b"PK\x05\x06")]
    entries = b"".join(entry.replace(b"s0/vae", b"s%d/vae" % number) for number in range(10))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 10, 10, len(entries), start, 0)
    (folder / "class.zip").write_bytes(data[:start] + entries + end)


@archive("hand in a zip of a hundred thousand empty files")
def many_members(folder: Path, notebook: bytes) -> None:
    with zipfile.ZipFile(folder / "class.zip", "w") as made:
        for number in range(100_000):
            made.writestr(f"{number}/vae.ipynb", b"")


@archive("hand in a zip that lies about sizes, checksums, methods, offsets and the number of its members", graded=1)
def lying_zip(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    zipped(folder / "sizes.zip", {"mallory/vae.ipynb": notebook})
    data = bytearray((folder / "sizes.zip").read_bytes())
    start = data.index(b"PK\x01\x02")
    for name, offset, change in (
        ("sizes", 20, struct.pack("<LL", 2**32 - 2, 1)),
        ("checksum", 16, b"\xff" * 4),
        ("method", 10, b"\x63\x00"),
        ("encrypted", 8, b"\x01\x00"),
        ("offset", 42, struct.pack("<L", 2**31)),
    ):
        (folder / f"{name}.zip").write_bytes(data[: start + offset] + change + data[start + offset + len(change) :])
    (folder / "cut.zip").write_bytes(data[: len(data) // 2])
    (folder / "ends.zip").write_bytes(data[-22:])
    (folder / "empty.zip").write_bytes(b"")
    (folder / "noise.zip").write_bytes(b"PK\x03\x04" + os.urandom(10_000) + data[-22:])


@archive("hand in a notebook of 200 MB", graded=1)
def huge_notebook(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    with (folder / "mallory.ipynb").open("wb") as file:
        file.write(b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": "')
        for _ in range(200):
            file.write(b"x" * 2**20)
        file.write(b'"}]}')


@archive("hand in JSON that is nested 100,000 deep, in lists, maps and where a notebook has its outputs", graded=1)
def deep_json(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    put(folder / "lists.ipynb", b"[" * 100_000)
    put(folder / "maps.ipynb", b'{"cells":' * 100_000 + b"[]" + b"}" * 100_000)
    outputs = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    whole = json.dumps(book(code("1", outputs=["X"]))).encode()
    put(folder / "outputs.ipynb", whole.replace(b'"X"', outputs))
    put(folder / "fits.ipynb", whole.replace(b'"X"', b'{"a":' * 900 + b"1" + b"}" * 900))


@archive("hand in JSON with numbers of a million digits, infinities, and keys that occur twice", graded=1)
def odd_json(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    whole = json.dumps(book(code("X"))).encode()
    put(folder / "digits.ipynb", whole.replace(b'"nbformat": 4', b'"nbformat": ' + b"4" * 10**6))
    put(folder / "exponent.ipynb", whole.replace(b'"nbformat": 4', b'"nbformat": 4e999999'))
    put(folder / "infinite.ipynb", whole.replace(b'"execution_count": null', b'"execution_count": Infinity'))
    put(folder / "negative.ipynb", whole.replace(b'"nbformat": 4', b'"nbformat": -1'))
    put(folder / "twice.ipynb", whole[:-1] + b', "cells": [], "cells": ' + json.dumps([code(ANSWER)]).encode() + b"}")
    put(
        folder / "constructor.ipynb",
        whole.replace(b'"metadata": {}', b'"metadata": {"__class__": {"__reduce__": 1}}', 1),
    )
    put(folder / "utf16.ipynb", whole.decode().encode("utf-16"))
    put(folder / "surrogates.ipynb", whole.replace(b'"X"', b'"print(1) # \\ud800\\udfff \\u0000"'))
    put(folder / "invalid.ipynb", whole.replace(b'"X"', b'"\xff\xfe"'))
    put(folder / "trailing.ipynb", whole + b"\n" + whole)


@archive("hand in a notebook of a million cells, and one whose one cell is a million lines", graded=1)
def many_cells(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    # The cells come last, so that they can be added to as text.
    put(folder / "cells.ipynb", json.dumps(book())[:-2].encode() + b", {}" * 10**6 + b"]}")
    put(folder / "lines.ipynb", book(code(["pass\n"] * 10**6)))


@archive("hand in a notebook whose fields all have wrong types", graded=1)
def wrong_types(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    honest = book(code("1"))
    for number, value in enumerate([None, 5, "x", [[]], {"a": {}}]):
        for field in ("nbformat", "metadata", "cells"):
            put(folder / f"{field}-{number}.ipynb", {**honest, field: value})
        put(folder / f"all-{number}.ipynb", book(*({**code("1"), field: value} for field in code("1")), value))
        nbgrader = {"grade_id": value, "grade": value, "solution": value, "points": value, "locked": value}
        output = {"output_type": value, "data": value, "text": value, "metadata": value, "traceback": value}
        fields = {"metadata": {"nbgrader": nbgrader, "tags": value}, "id": value, "attachments": value}
        put(folder / f"cell-{number}.ipynb", book(code("1") | {"outputs": [output, value], **fields}))
    for name, data in (
        ("number", b"5"),
        ("text", b'"x"'),
        ("nothing", b""),
        ("null", b"null"),
        ("noise", os.urandom(5000)),
    ):
        put(folder / f"{name}.ipynb", data)


@archive("stop the parser of Python by cells that are nested, long or odd beyond measure", graded=1)
def hostile_code(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    sources = {
        "brackets": "(" * 9000,
        "closed": "(" * 4500 + ")" * 4500,
        "minus": "-" * 9000 + "1",
        "attributes": "a" + ".a" * 4500,
        "blocks": "".join(" " * depth + "if 1:\n" for depth in range(95)) + " " * 95 + "pass",
        "fstrings": "f'{" * 50 + "1" + "}'" * 50,
        "nul": "x = 1\0\nimport os",
        "form feeds": "\f\v\x1c\x1d\x1e\u2028\u2029\r x = 1",
        "anchors": "# exercise: gaussian_kl\n" * 20_000,
        "almost anchors": "# exercise: " + "a" * 500_000,
        "names": "\n".join(f"def f{number}(): pass" for number in range(500)),
        "blanks": " \t" * 500_000 + "\n" * 100_000,
        "words": "gaussian_kl mu sigma torch " * 40_000,
        "coding": "# -*- coding: utf-7 -*-\n+AGkAbQBwAG8AcgB0- os",
        "number": "x = " + "9" * 9000,
    }
    for name, source in sources.items():
        put(folder / f"{name}.ipynb", book(code(source), code(f"# exercise: reparameterize\n{source}")))
    put(folder / "all.ipynb", book(*(code(source) for source in sources.values())))


# Ways out of the folder


@archive("hand in a zip whose names lead out of it, by .., roots, drives and backslashes")
def path_traversal(folder: Path, notebook: bytes) -> None:
    blank = json.dumps(book()).encode()
    names = [
        f"../../../../../../tmp/{MARK}/vae.ipynb",
        f"/tmp/{MARK}.ipynb",
        f"C:\\Windows\\{MARK}.ipynb",
        f"..\\..\\{MARK}\\vae.ipynb",
        f"a/../../{MARK}2/vae.ipynb",
        f"//host/share/{MARK}3/vae.ipynb",
        "../.ipynb",
        f"./{MARK}4/./vae.ipynb",
        f"~/{MARK}5.ipynb",
    ]
    zipped(folder / "class.zip", dict.fromkeys(names, blank))


@archive("hand in links to files of the host: in folders, in zips, and as the folder itself", graded=1)
def symbolic_links(folder: Path, notebook: bytes) -> None:
    put(folder / "class" / "ada" / "vae" / "vae.ipynb", notebook)
    course = next(iter(Path("/tmp").glob("fixmelab-course-*")), Path("/etc"))
    for student, target in (
        ("mallory", folder / "class" / "ada" / "vae" / "vae.ipynb"),
        ("eve", course / "course.key"),
        ("oscar", "/etc/passwd"),
        ("loop", "vae.ipynb"),
        ("trudy", "/dev/zero"),
    ):
        (folder / "class" / student / "vae").mkdir(parents=True)
        (folder / "class" / student / "vae" / "vae.ipynb").symlink_to(target)
    (folder / "class" / "root").symlink_to("/")
    (folder / "class" / "itself").symlink_to(folder / "class")
    with zipfile.ZipFile(folder / "links.zip", "w") as made:
        for number, target in enumerate(("/etc/passwd", str(course / "course.key"), "../ada/vae.ipynb")):
            member = zipfile.ZipInfo(f"link{number}/vae.ipynb")
            member.external_attr = (stat.S_IFLNK | 0o777) << 16
            made.writestr(member, target)


@archive("hand in hard links to another's work and to a secret, and a file that is another's under a second name")
def hard_links(folder: Path, notebook: bytes) -> None:
    secret = folder.parent / f"{folder.name}-secret"
    secret.write_text("canary-" + "0" * 24)
    (folder / "mallory" / "vae").mkdir(parents=True)
    try:
        os.link(secret, folder / "mallory" / "vae" / "vae.ipynb")
    finally:
        secret.unlink()
    put(folder / "eve" / "vae" / "one.ipynb", book())
    os.link(folder / "eve" / "vae" / "one.ipynb", folder / "eve" / "vae" / "two.ipynb")


@archive("hand in devices, pipes and sockets, reading which never ends", graded=1)
def devices(folder: Path, notebook: bytes) -> None:
    put(folder / "ada" / "vae" / "vae.ipynb", notebook)
    for student in ("mallory", "eve", "trudy"):
        (folder / student / "vae").mkdir(parents=True)
    os.mkfifo(folder / "mallory" / "vae" / "vae.ipynb")
    here = os.getcwd()
    os.chdir(folder / "eve" / "vae")  # the name of a socket is short
    socket.socket(socket.AF_UNIX).bind("vae.ipynb")
    os.chdir(here)
    try:
        os.mknod(folder / "trudy" / "vae" / "vae.ipynb", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except OSError:
        (folder / "trudy" / "vae" / "vae.ipynb").mkdir()  # only root makes devices
    with zipfile.ZipFile(folder / "class.zip", "w") as made:
        for number, kind in enumerate((stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFBLK, stat.S_IFDIR)):
            member = zipfile.ZipInfo(f"device{number}/vae.ipynb")
            member.external_attr = (kind | 0o666) << 16
            made.writestr(member, b"\0" * 100)


@archive("hand in folders a thousand deep, and a loop of folders that cannot be read", graded=1)
def deep_folders(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    deep = os.open(folder, os.O_RDONLY)
    for _ in range(1200):
        os.mkdir("d", dir_fd=deep)
        deeper = os.open("d", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.close(deep)
    zipped(folder / "deep.zip", {"/".join(["d"] * 10_000) + "/vae.ipynb": b"{}"})


# Names


@archive(
    "hand in names of control characters, terminal sequences, markup, marks of direction and bytes that are no text"
)
def odd_names(folder: Path, notebook: bytes) -> None:
    blank = json.dumps(book()).encode()
    names = [
        "\x1b[2J\x1b]0;title\x07clears",
        "new\nline",
        "tab\tand\rreturn\x08\x7f",
        "<script>alert(1)<",
        '"><img src=x onerror=alert(1)>',
        "{{ 7 * 7 }}{% raw %}",
        "[bold red]rich[/]",
        "\u202egnp.ipynb.exe",
        "\u200b\u2066\u2069",
        "a\u0301",
        "á",
        "=HYPERLINK(1)",
        "-rf",
        "--out",
        "CON",
        "nul.txt",
        "..hidden",
        "$(touch x)`id`;|&",
        "%s%n%d",
        "'; DROP TABLE students; --",
        "x" * 255,
        "é" * 127,
        " ",
        "student",
        "results.json",
        "executed",
    ]
    for name in names:
        put(folder / name / "vae" / "vae.ipynb", blank)
    for raw in (b"\xff\xfe", b"\xed\xa0\x80", b"\x80abc"):
        os.makedirs(os.path.join(os.fsencode(folder), raw, b"vae"))
        with open(os.path.join(os.fsencode(folder), raw, b"vae", b"vae.ipynb"), "wb") as file:
            file.write(blank)
    members = {
        name.replace("/", "_") + "/vae.ipynb": blank for name in [*names, "n" * 60_000, "\x9b31m", "e\u0301" * 300]
    }
    zipped(folder / "class.zip", members)
    # A name of no code page, which is looked for in all of them.
    zipped(folder / "odd.zip", {f"{'a' * 60}~/vae.ipynb": blank})
    path = folder / "odd.zip"
    path.write_bytes(path.read_bytes().replace(b"a~/", b"a\xff/"))


@archive("hand in names that differ by case, by spaces, by normal form or by an extension alone", graded=2)
def names_that_clash(folder: Path, notebook: bytes) -> None:
    blank = json.dumps(book()).encode()
    put(folder / "ada" / "vae" / "vae.ipynb", notebook)
    put(folder / "Grace" / "vae" / "vae.ipynb", notebook)
    for name in ("Ada", "ADA", "ad\u0430", "ad\u200ba", "grace", "Gra\u0441e", "eve", "eve ", " eve", "eve."):
        put(folder / name / "vae" / "vae.ipynb", blank)


@archive("hand in one student's name twice, so that a good notebook counts for a bad one", graded=1)
def two_for_one(folder: Path, notebook: bytes) -> None:
    blank = json.dumps(book()).encode()
    put(folder / "ada" / "vae" / "vae.ipynb", notebook)
    put(folder / "mallory" / "vae" / "vae.ipynb", blank)
    put(folder / "mallory" / "vae" / "ada.ipynb", notebook)
    zipped(folder / "class.zip", {"eve/vae.ipynb": blank})


# Notebooks that no kernel has written


@archive("hand in outputs, attachments and metadata with scripts, in cells that grading does not run")
def scripts_in_kept_outputs(folder: Path, notebook: bytes) -> None:
    tagged = {"tags": ["keep", "train"], "nbgrader": {"grade_id": "cell-ac95cb37a4fa", "locked": True}, SCRIPT: SCRIPT}
    picture = base64.b64encode(f"\x89PNG\r\n\x1a\n{SCRIPT}".encode("latin-1")).decode()
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": SCRIPT},
        {
            "output_type": "display_data",
            "data": {"text/html": SCRIPT, "image/png": picture},
            "metadata": {SCRIPT: SCRIPT},
        },
        {"output_type": "display_data", "data": {"image/png": SCRIPT, "image/svg+xml": SCRIPT}, "metadata": {}},
        {"output_type": "execute_result", "data": {SCRIPT: SCRIPT}, "metadata": {}, "execution_count": 1},
        {"output_type": "error", "ename": SCRIPT, "evalue": SCRIPT, "traceback": [SCRIPT, "\x1b[2J"]},
        {"output_type": SCRIPT, "data": SCRIPT},
    ]
    written = {"grade_id": "gradient_inside", "grade": True, "solution": True, "points": 1000, "schema_version": 3}
    answer = {
        "cell_type": "markdown",
        "id": SCRIPT,
        "metadata": {"nbgrader": written},
        "source": f"{SCRIPT}\n\x1b[2J\n### BEGIN MARK SCHEME\n\u202e\n![x](attachment:x.png) {{{{ 7 * 7 }}}}",
        "attachments": {"x.png": {"image/png": SCRIPT}, SCRIPT: {SCRIPT: SCRIPT}, "../../x": {}},
    }
    tests = {"grade_id": "test_gaussian_kl", "grade": True, "solution": False, "locked": True, "points": 2}
    kept_test = code("assert True", metadata={"nbgrader": tests, "tags": ["keep"]}, outputs=outputs)
    metadata = {"kernelspec": {"name": SCRIPT, "language": SCRIPT}, "title": SCRIPT, "widgets": {SCRIPT: SCRIPT}}
    put(
        folder / "mallory.ipynb",
        book(code("train_set = load_images()", metadata=tagged, outputs=outputs), answer, kept_test, metadata=metadata),
    )


@archive("hand in pictures that are small as files and huge when shown, as the student's own plots")
def picture_bombs_in_kept_outputs(folder: Path, notebook: bytes) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def picture(width: int, height: int) -> dict:
        header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
        data = chunk(b"IHDR", header) + packed + chunk(b"IEND", b"")
        encoded = base64.b64encode(b"\x89PNG\r\n\x1a\n" + data).decode()
        return {"output_type": "display_data", "data": {"image/png": encoded}, "metadata": {}}

    packed = chunk(b"IDAT", zlib.compress(bytes(10**7), 9))
    sizes = [(60_000, 60_000), (2**31 - 1, 1), (2**32 - 1, 2**32 - 1), (1, 1), *((8, 8),) * 100]
    kept = {"tags": ["keep"], "nbgrader": {"grade_id": "cell-ac95cb37a4fa", "locked": True}}
    put(
        folder / "mallory.ipynb",
        book(code("train_set = load_images()", metadata=kept, outputs=[picture(*size) for size in sizes])),
    )


@archive("hand in tests that are tagged as not to be run, with outputs that say that they passed")
def tests_tagged_as_kept(folder: Path, notebook: bytes) -> None:
    passed = [{"output_type": "stream", "name": "stdout", "text": "pass\n"}]
    made = book()
    for name in ("gaussian_kl", "reparameterize", "pathwise_gradient"):
        nbgrader = {"grade_id": f"test_{name}", "grade": True, "solution": False, "locked": True, "points": 100}
        test = code("assert True", metadata={"nbgrader": nbgrader, "tags": ["keep"]}, outputs=passed)
        as_raw = {**copy.deepcopy(test), "cell_type": "raw"}
        as_text = {**copy.deepcopy(test), "cell_type": "markdown"}
        made["cells"] += [code(f"# exercise: {name}\ndef {name}(*arguments):\n    return 0"), test, as_raw, as_text]
    put(folder / "mallory.ipynb", made)


@archive("hand in a notebook of an older format, of another language, and of another assignment", graded=2)
def other_notebooks(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    cells = [{"cell_type": "code", "input": ANSWER, "language": "python", "outputs": [], "prompt_number": 10**30}]
    put(
        folder / "old.ipynb",
        {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": SCRIPT}, "worksheets": [{"cells": cells}]},
    )
    put(folder / "older.ipynb", {"nbformat": 1, "cells": cells})
    put(folder / "newer.ipynb", book(nbformat=99))
    put(folder / "language.ipynb", book(metadata={"kernelspec": {"name": "bash", "language": "bash"}}))
    put(folder / "empty.ipynb", {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []})
    put(folder / "other.ipynb", {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code("print(1)")]})
    put(folder / "quarto.qmd", b"x")
    put(folder / "vae.py", notebook)
    put(folder / "vae.ipynb.exe", notebook)


# What restoring may cost


def written(text: str, name: str = "gradient_inside") -> dict:
    """A cell that says that it is a written answer."""
    nbgrader = {"grade_id": name, "grade": True, "solution": True, "points": 2, "schema_version": 3}
    return {"cell_type": "markdown", "metadata": {"nbgrader": nbgrader}, "source": text}


def prose(words: int, seed: int) -> str:
    """Words that no two seeds have in common."""
    return " ".join(f"word{seed}x{number}" for number in range(words))


@archive("hand in 1,900 parts of one written answer, each to be compared with all others", graded=1)
def cells_with_one_id(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    put(folder / "parts.ipynb", book(*(written(prose(200, number)) for number in range(1900))))
    stubs = [written("*Write your answer here.*" + " " * number) for number in range(1900)]
    put(folder / "stubs.ipynb", book(*stubs))


@archive("hand in 1,800 cells that define the names of all exercises, and use them", graded=1)
def cells_that_define_every_name(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    names = ["gaussian_kl", "reparameterize", "pathwise_gradient", "score_function_gradient", "grad_mu_sigma"]
    stubs = "".join(f"def {name}(*all):\n    raise NotImplementedError('FIXME: {name}')\n" for name in names)
    cells = [code(f"{stubs}x{number} = {' + '.join(names[:1] * 100)}\n") for number in range(1800)]
    for cell in cells:
        cell["cell_type"] = "raw"  # so that they cost the grader's time, and not that of the kernel
    put(folder / "mallory.ipynb", book(*cells))
    put(folder / "eve.ipynb", book(*(cell | {"metadata": written("", "gaussian_kl")["metadata"]} for cell in cells)))


@archive("hand in 1,900 cells with the words of the assignment's own ones in another order", graded=1)
def cells_that_are_almost_the_assignments(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    solved = json.loads(notebook)["cells"]
    words = [word for cell in solved for word in "".join(cell["source"]).replace("(", " ( ").split()]
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": " ".join(words[number % 97 :: 2] + words[: number % 89])}
        for number in range(1900)
    ]
    put(folder / "mallory.ipynb", book(*cells))


@archive("hand in a line of 20 MB, and lines without end of blanks, colons, anchors, addresses and escapes", graded=1)
def lines_without_end(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    sources = (
        "x" * 20_000_000,
        (" " * 999 + "\u00a0") * 1_000 + "x",
        "a" + ":b" * 1_000_000,
        "# exercise: gaussian_kl\n" * 100_000,
        "https://colab.research.google.com/github/a/b/blob/" * 10_000 + "x" * 1_000_000,
        "\x1b[" * 300_000 + "0;" * 300_000,
        "### BEGIN SOLUTION\n### END HIDDEN TESTS\n" * 30_000,
    )
    raw = [{"cell_type": "raw", "metadata": {}, "source": text} for text in sources]
    put(folder / "mallory.ipynb", book(*raw, *(written(text) for text in sources[1:])))
    put(folder / "eve.ipynb", book(code(f"raise SystemError\n{sources[3]}")))


@archive("hand in 200 cells that are as slow to parse as their length allows, and locked ones that go on", graded=1)
def cells_that_are_slow_to_parse(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    forms = (
        "a;" * 4_990,
        "[" * 90 + "]" * 90 + "\n",
        "x=" * 4_900 + "1",
        "lambda:" * 900 + "1",
        "(" + "1+" * 4_900 + "1)",
        " " * 9_900 + ")",
        "%ls\n" * 60 + ")",
    )
    cells = [
        {"cell_type": "raw", "metadata": {}, "source": f"# {number}\n{forms[number % len(forms)]}"}
        for number in range(200)
    ]
    put(folder / "mallory.ipynb", book(*cells))
    locked = {"nbgrader": {"grade_id": "cell-1f14e6ff46b8", "locked": True}}
    put(folder / "eve.ipynb", book(code("import torch\nx = " + "1+" * 5_000_000 + "1", metadata=locked)))


@archive("hand in 5,000 outputs, and pictures of millions of blanks, in a cell that grading does not run", graded=1)
def outputs_without_end(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    kept = {"tags": ["keep"], "nbgrader": {"grade_id": "cell-ac95cb37a4fa", "locked": True}}
    outputs: list[dict] = [{"output_type": "stream", "name": "stdout", "text": "x"}] * 5_000
    outputs += [{"output_type": "display_data", "data": {"image/png": "ab " * 5_000_000}, "metadata": {}}]
    put(folder / "mallory.ipynb", book(code("train_set = load_images()", metadata=kept, outputs=outputs)))


@archive("hand in sixteen million empty lists, each of which takes fifty times its bytes of memory", graded=1)
def values_without_end(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    whole = json.dumps(book(metadata={"held": "X"})).encode()
    put(folder / "lists.ipynb", whole.replace(b'"X"', b"[" + b"[]," * 16_000_000 + b"[]]"))
    put(folder / "maps.ipynb", whole.replace(b'"X"', b"[" + b'{"":{}},' * 6_000_000 + b"0]"))
    put(folder / "texts.ipynb", whole.replace(b'"X"', b"[" + b'"\\"",' * 8_000_000 + b"0]"))


@archive("hand in an older format whose tags are compared each with each", graded=1)
def tags_of_an_older_format(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    tags = [{str(number): number} for number in range(200_000)]
    cell = {"cell_type": "code", "input": ANSWER, "language": "python", "outputs": [], "metadata": {"tags": tags}}
    sheets = [{"cells": [cell], "metadata": {"tags": tags}}]
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": "", "tags": tags}, "worksheets": sheets}
    put(folder / "mallory.ipynb", old)


@archive("hand in 800 cells that end the kernel, so that all cells before are run again each time", graded=1)
def kernels_that_end_again_and_again(folder: Path, notebook: bytes) -> None:
    put(folder / "ada.ipynb", notebook)
    cells = [code("import os; os._exit(0)" if number % 2 else f"x{number} = 1") for number in range(800)]
    put(folder / "mallory.ipynb", book(*cells))
