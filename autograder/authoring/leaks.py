"""The leak scan: what of the course's secrets stands under release/ or fixmelab/, and where."""

import base64
import binascii
import html
import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from autograder.authoring.finding import found_in
from autograder.authoring.secrecy import Secret, Secrets
from autograder.authoring.telling import numbers_in, squeeze

PUBLISHED = ("release", "fixmelab")
_SKIPPED = {"__pycache__", ".ipynb_checkpoints"}  # git ignores them, too
_WITH_NUMBERS = (".py", ".ipynb", ".md")  # a table of data may hold any number

_WORD = re.compile(r"\w+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_EXCERPT = 70


@dataclass(frozen=True)
class Leak:
    """A secret that is published. `where` is a path, and the cell or line."""

    where: str
    kind: str
    excerpt: str

    def __str__(self) -> str:
        return f"{self.where}: {self.kind}: {self.excerpt}"


@dataclass(frozen=True)
class Piece:
    """A text to look through, and where it stands."""

    where: str
    text: str
    with_numbers: bool


def published_files(root: Path) -> dict[str, bytes]:
    """Contents of all files under release/ and fixmelab/, by path relative to `root`."""
    files = {}
    for folder in PUBLISHED:
        for path in sorted((root / folder).rglob("*")):
            relative = path.relative_to(root)
            if path.is_file() and not _SKIPPED & set(relative.parts):
                files[relative.as_posix()] = path.read_bytes()
    return files


def find_leaks(files: Mapping[str, bytes], secrets: Secrets) -> list[Leak]:
    """Every secret in the files, once a place. An output or an execution count is a leak as well."""
    pieces: list[Piece] = []
    leaks: list[Leak] = []
    for path, content in files.items():
        text = content.decode("utf-8", errors="replace")
        notebook = _notebook(text) if path.endswith(".ipynb") else None
        if notebook is None:
            pieces.append(Piece(path, text, path.endswith(_WITH_NUMBERS)))
        else:
            pieces += _pieces(path, notebook)
            leaks += _outputs(path, notebook)
    pieces = [part for piece in pieces for part in (piece, *_decoded(piece))]
    # Few secrets, mostly none, stand anywhere at all: only these are looked for piece by piece.
    lines = found_in("\0".join(squeeze(piece.text) for piece in pieces), secrets.lines)
    present = replace(secrets, lines={line: item for line, item in secrets.lines.items() if line in lines})
    found: dict[tuple[str, str], Leak] = {}
    for leak in (*leaks, *(leak for piece in pieces for leak in _search(piece, present))):
        # A statement and its lines are secrets each: the longest says it all.
        key = leak.where, leak.kind
        if key not in found or len(found[key].excerpt) < len(leak.excerpt):
            found[key] = leak
    return list(found.values())


def _search(piece: Piece, secrets: Secrets) -> Iterator[Leak]:
    lines = piece.text.split("\n")
    if secrets.lines:
        squeezed = [squeeze(line) for line in lines]
        whole, starts = "".join(squeezed), [0, *accumulate(map(len, squeezed))]
        for line, secret in secrets.lines.items():
            at = whole.find(line)
            if at >= 0:
                yield _leak(piece, bisect_right(starts, at), secret)
    for number, line in enumerate(lines, 1):
        for name in secrets.names.keys() & set(_WORD.findall(line)):
            yield _leak(piece, number, secrets.names[name])
        if secrets.numbers and piece.with_numbers:
            for value in secrets.numbers.keys() & numbers_in(line):
                yield _leak(piece, number, secrets.numbers[value])


def _leak(piece: Piece, line: int, secret: Secret) -> Leak:
    excerpt = secret.text if len(secret.text) <= _EXCERPT else secret.text[: _EXCERPT - 1] + "…"
    return Leak(f"{piece.where}, line {line}", secret.kind, excerpt)


def _notebook(text: str) -> dict | None:
    """The notebook as plain data, or None where it is none; it is then looked through as text."""
    try:
        data = json.loads(text)
    except ValueError:
        return None
    is_notebook = isinstance(data, dict) and isinstance(data.get("cells"), list)
    return data if is_notebook and all(isinstance(cell, dict) for cell in data["cells"]) else None


def _pieces(path: str, notebook: dict) -> Iterator[Piece]:
    for number, cell in enumerate(notebook["cells"], 1):
        where = f"{path}, cell {number}"
        yield Piece(where, _joined(cell.get("source", "")), True)
        for part in sorted(cell.keys() - {"source", "cell_type", "execution_count"}):
            yield Piece(f"{where}, {part}", "\n\n".join(_strings(cell[part])), True)
    rest = {key: value for key, value in notebook.items() if key != "cells"}
    yield Piece(f"{path}, metadata", "\n\n".join(_strings(rest)), True)


def _outputs(path: str, notebook: dict) -> Iterator[Leak]:
    for number, cell in enumerate(notebook["cells"], 1):
        if cell.get("outputs"):
            first = " ".join(" ".join(_strings(cell["outputs"][0])).split())
            yield Leak(f"{path}, cell {number}", "output", first[:_EXCERPT])
        if cell.get("execution_count") is not None:
            yield Leak(f"{path}, cell {number}", "execution count", str(cell["execution_count"]))


def _joined(source: Any) -> str:
    return "".join(_strings(source))


def _strings(value: Any) -> Iterator[str]:
    """All strings in plain data, keys included. A list of lines, as notebooks keep them, is one string."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield "".join(value)
        else:
            for item in value:
                yield from _strings(item)


def _decoded(piece: Piece) -> Iterator[Piece]:
    """Texts that stand in a piece in characters of HTML or of an address, or in base64, over one line or several."""
    for how, decoded in ("HTML", html.unescape(piece.text)), ("an address", unquote(piece.text)):
        if decoded != piece.text:
            yield Piece(f"{piece.where}, as {how}", decoded, piece.with_numbers)
    for text in {piece.text, re.sub(r"(?<=\S)\n(?=\S)", "", piece.text)}:
        for match in _BASE64.finditer(text):
            run = match[0].translate(str.maketrans("-_", "+/"))
            try:
                decoded = base64.b64decode(run + "=" * (-len(run) % 4)).decode("utf-8")
            except (binascii.Error, UnicodeDecodeError):
                continue
            yield Piece(f"{piece.where}, in base64", decoded, piece.with_numbers)
