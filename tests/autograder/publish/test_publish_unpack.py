"""Secrets are found beneath the surface of a file, and what cannot be opened is never passed over."""

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import tarfile
import zipfile
import zlib

import nbformat
import pytest

from autograder.authoring.secrecy import Secrets
from autograder.errors import InputError
from autograder.publish import archives, parts, unpack
from autograder.publish.destination import Destination
from autograder.publish.publish import publish
from autograder.publish.scan import LEAST_KEY, UNSEARCHED, leaks_in_tree
from tests.autograder.publish.conftest import commit, git

CODE = (
    b"import math\n\ndef mixed(mu, sigma, eps):\n    scaled = sigma * eps + mu - sigma / 2 ** eps\n    return scaled\n"
)
LINE = "scaled = sigma * eps + mu - sigma / 2 ** eps"
KEY = bytes(range(7, 39))
TEXT_KEY = (bytes(range(100, 132)).hex() + "\n").encode()


@pytest.fixture
def found():
    """Kinds of what is found in a file of these bytes."""
    secrets = Secrets()
    secrets.add("solution", [LINE])

    def find(content: bytes, path: str = "thing.txt", keys=(KEY, TEXT_KEY)):
        return {leak.kind for leak in leaks_in_tree({path: content}, secrets, keys)}

    return find


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(*members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def changed(data: bytes, *changes: tuple[bytes, int, int]) -> bytes:
    """With bits turned over at an offset from where a text stands first."""
    changed = bytearray(data)
    for text, offset, bits in changes:
        changed[data.index(text) + offset] ^= bits
    return bytes(changed)


def lines(data: bytes, before: str = "", behind: str = "\n", width: int = 76) -> bytes:
    text = base64.b64encode(data).decode()
    return "".join(before + text[at : at + width] + behind for at in range(0, len(text), width)).encode()


def exported(code: str) -> bytes:
    from nbconvert import HTMLExporter

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    return HTMLExporter().from_notebook_node(notebook)[0].encode()


def bundled(folder, data: bytes) -> bytes:
    git(folder, "init", "--quiet", "bundled")
    (folder / "bundled/answers.py").write_bytes(data)
    commit(folder / "bundled")
    git(folder / "bundled", "bundle", "create", "--quiet", "../all.bundle", "--all")
    return (folder / "all.bundle").read_bytes()


PACKED = gzip.compress(CODE)
TWO = zipped(("a.txt", b"x" * 9), ("b.py", CODE))
FORMS = {
    "base64 of gzip": lines(PACKED),
    "base64 in one line": b"data:application/gzip;base64," + base64.b64encode(PACKED) + b" end",
    "base64 for addresses": base64.urlsafe_b64encode(b"\xff\xfe" + CODE.decode().encode("utf-16-le")),
    "base64 with CRLF": lines(PACKED, behind="\r\n"),
    "base64 below a word": b"answer:\nsolution\n" + lines(PACKED) + b"and\nso on\n",
    "base64 below a long line": b"see/" + b"a" * 90 + b"\n" + lines(PACKED),
    "base64, indented": b"data: |\n" + lines(PACKED, "    "),
    "base64, quoted in a letter": lines(PACKED, "> "),
    "base64 as strings of Python": b"DATA = (\n" + lines(PACKED, '    "', '"\n') + b")\n",
    "base64 as bytes in a notebook": json.dumps({"cells": [{"source": lines(PACKED).decode()}]}).encode(),
    "base64 of base64 of zip": lines(lines(zipped(("a.py", CODE)))),
    "base64 of Latin-1": lines(b"# caf\xe9\n" + CODE),
    "hexadecimal": CODE.hex().encode(),
    "hexadecimal of gzip, in lines": "\n".join(PACKED.hex()[at : at + 60] for at in range(0, 400, 60)).encode(),
    "hexadecimal in front of a word": PACKED.hex().encode() + b"\nword\n",
    "entities": html.escape(LINE).replace("*", "&#42;").replace("+", "&plus;").encode(),
    "entities for spaces": LINE.replace(" ", "&nbsp;").encode(),
    "HTML with each word in a tag": "</b> ".join(f'<b class="w\n">{word}' for word in LINE.split()).encode(),
    "HTML in HTML": html.escape("</b> ".join(f"<b>{word}" for word in LINE.split())).encode(),
    "HTML in a notebook": json.dumps({"cells": [{"source": LINE.replace("*", '<i class="o">*</i>')}]}).encode(),
    "zlib": zlib.compress(CODE),
    "old lzma": lzma.compress(CODE, format=lzma.FORMAT_ALONE),
    "gzip, several": gzip.compress(b"one\n") + PACKED,
    "gzip in front of it": PACKED + b"rest",
    "gzip behind another": gzip.compress(b"one\n") + b"\0" * 9 + bz2.compress(CODE),
    "old tar": gzip.compress(tarred(("a.py", CODE)).replace(b"ustar\x0000", b"\0" * 8)),
    "two tars": tarred(("a.txt", b"x")) + tarred(("a.gz", PACKED)),
    "zip behind a damaged member": changed(TWO, (b"PK\x01\x02", 16, 1)),
    "zip behind an encrypted member": changed(TWO, (b"PK\x03\x04", 6, 1), (b"PK\x01\x02", 8, 1)),
    "zip with much behind it": TWO + b"\n" * 80_000,
    "zip with a comment": TWO[:-2] + b"\3\0abc",
    "zip behind other bytes": b"#!/bin/sh\n" + TWO,
    "zip in front of a zip": TWO + zipped(("a.txt", b"x")),
    "zip in a tar": tarred(("a.zip", TWO), ("b.zip", zipped(("a.txt", b"x")))),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_solution_is_found(found, form):
    assert "solution" in found(FORMS[form]), FORMS[form][:100]


def test_a_solution_is_found_deep_inside(found):
    data = CODE
    for number in range(unpack.DEEPEST):
        data = zipped((f"{number}.zip", data)) if number % 2 else gzip.compress(data)
    assert found(data) == {"solution"}
    assert found(gzip.compress(data)) == {UNSEARCHED}


def test_a_solved_notebook_that_was_exported_to_html_is_found(found):
    assert found(exported(f"def mixed(mu, sigma, eps):\n    {LINE}\n    return scaled"), "solved.html") == {"solution"}
    assert found(exported("scaled = sigma"), "solved.html") == set()


@pytest.mark.parametrize("wrap", [bytes, lines, gzip.compress])
def test_a_solution_in_a_bundle_of_git_is_found(found, tmp_path, wrap):
    bundle = bundled(tmp_path, CODE)
    assert found(wrap(bundle)) == {"solution"}
    assert found(wrap(bundle[bundle.index(b"PACK") :])) == {"solution"}
    assert found(wrap(bundle[:-30])) == {UNSEARCHED}


def test_a_bundle_that_builds_on_what_is_not_in_it_cannot_be_searched(found, tmp_path):
    bundled(tmp_path, CODE)
    repository = tmp_path / "bundled"
    (repository / "answers.py").write_bytes(CODE * 40)
    commit(repository)
    (repository / "answers.py").write_bytes(CODE * 40 + b"# end\n")
    commit(repository)
    git(repository, "bundle", "create", "--quiet", "../thin.bundle", "HEAD~1..main")
    assert found((tmp_path / "thin.bundle").read_bytes()) == {UNSEARCHED}


KEYS = {
    "raw": KEY,
    "text": TEXT_KEY,
    "text in UTF-16": TEXT_KEY.decode().encode("utf-16"),
    "text in capitals": TEXT_KEY.upper(),
    "what the text stands for": bytes.fromhex(TEXT_KEY.decode()),
    "text in lines of base64": base64.encodebytes(TEXT_KEY),
    "in lines of base64": lines(KEY, width=20),
    "in lines": b"\n".join(TEXT_KEY[at : at + 10] for at in range(0, 64, 10)),
    "in words": KEY.hex(" ").encode(),
    "in words of four, and lines": KEY.hex(" ", 2).replace(" ", "\r\n").encode(),
    "bytes of Python": repr(KEY).encode(),
    "list of Python": str(list(KEY)).encode(),
    "base64 of gzip": base64.b64encode(gzip.compress(KEY)),
    "HTML": "<br>".join([f"<b>{KEY.hex()[:20]}</b>{KEY.hex()[20:]}"]).encode(),
}


@pytest.mark.parametrize("form", KEYS)
def test_the_courses_key_is_found(found, form):
    assert "course key" in found(b"key: " + KEYS[form] + b"." if form != "text in UTF-16" else KEYS[form])


def test_a_key_of_few_bytes_is_not_looked_for(found):
    assert found(b"k" * LEAST_KEY, keys=[b"k"]) == set()


UNREADABLE = {
    "gzip that is cut off": PACKED[:-10],
    "gzip that is damaged": PACKED[:20] + b"\xff" * 9 + PACKED[29:],
    "xz that is cut off": lzma.compress(CODE)[:-10],
    "bzip2 that is cut off": bz2.compress(CODE)[:-10],
    "zip that is cut off": TWO[:-30],
    "zip with a damaged directory": changed(TWO, (b"PK\x01\x02", 0, 1)),
    "zip that is encrypted": changed(zipped(("a", CODE)), (b"PK\x03\x04", 6, 1), (b"PK\x01\x02", 8, 1)),
    "zip packed in an unknown way": changed(zipped(("a", CODE)), (b"PK\x03\x04", 8, 1), (b"PK\x01\x02", 10, 1)),
    "zip of a later version": changed(zipped(("a", b"x")), (b"PK\x01\x02", 6, 0x80)),
    "zip with a damaged member": changed(zipped(("a", b"x")), (b"PK\x01\x02", 16, 1)),
    "tar that is cut off": tarred(("a", gzip.compress(bytes(range(256)) * 9)))[:600],
    "tar that is damaged": changed(tarred(("a", b"x"), ("b.gz", PACKED)), (b"b.gz", 0, 1)),
    "base64 of gzip that is cut off": lines(PACKED[:-10]),
    "7z": b"7z\xbc\xaf\x27\x1c\0\4",
    "rar": b"Rar!\x1a\x07\x01\0",
    "zstd": b"\x28\xb5\x2f\xfd\x04",
}


@pytest.mark.parametrize("form", UNREADABLE)
def test_what_cannot_be_read_to_its_end_is_said(found, form):
    assert UNSEARCHED in found(UNREADABLE[form], "thing.bin")


def test_what_cannot_be_searched_is_refused_in_one_line(small_course, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/notes.gz").write_bytes(PACKED[:-10])
    with pytest.raises(InputError) as caught:
        publish(tmp_path / "tree", Destination.parse("ada/homework"), root=small_course)
    assert str(caught.value).splitlines() == [
        "notes.gz: cannot be searched: is an archive that is damaged or cut off",
        "the tree holds what cannot be searched for secrets: mend it, or take it out (nothing was written)",
    ]


def test_what_would_fill_the_memory_is_said(found, monkeypatch):
    monkeypatch.setattr(parts, "MOST_UNPACKED", 10_000)
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    big = b"\0" * 10_001
    for data in (gzip.compress(big), bz2.compress(big), zlib.compress(big), zipped(("a", big)), tarred(("a", big))):
        assert found(data) == {UNSEARCHED}
    assert found(zipped(*((name, name.encode() * 4_000) for name in "abc"))) == {UNSEARCHED}
    for pack in (zipped, tarred):
        assert found(pack(*((name, b"x") for name in "abcd"))) == {UNSEARCHED}
        assert found(pack(*((name, b"x") for name in "abc"))) == set()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\0" * 2000, b"x^2 + y", b"x\x9c", b"BZhao, a name", b"PK", b"\x1f\x8b", bytes(range(255, -1, -1)) * 9),
        *(b"a < b and c > d", b"&amp;" * 9, b"&amp;amp;amp;amp;amp;amp;amp;amp;amp;amp;lt;", b"A" * 5000, b"0" * 4097),
        *(KEY[:20].hex().encode(), hashes := b"\n".join([b"0123456789abcdef" * 4] * 50), lines(hashes), b"</a>" * 9),
        *(zipped(), zipped(("a", b"")), tarred(), tarred(("a", b"x")) + b"\0" * 99, gzip.compress(b""), b"\xff\xfe\0"),
        *(zipped(("a", b"x"), method=zipfile.ZIP_STORED) + b"\n", b"\xfe\xff" + b"\xd8\0" * 9, b"-" * 80 + b"\n" * 80),
    ],
    ids=lambda _: "content",  # gzip writes the time, and ids have to be the same in all processes
)
def test_other_files_are_left_alone(found, content):
    assert found(content) == set()
