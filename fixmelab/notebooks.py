"""Reads a notebook that someone else's tools wrote: what can be put in order is, the rest is one clear sentence.

Grading, training and checking all read by this.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from fixmelab.json_values import count_or_none, joined, json_value, media_bundle
from fixmelab.old_notebooks import cells_of_old_format

MAX_BYTES = 50 * 2**20
MAX_DEPTH = 100
MAX_CELLS = 2_000
MAX_VALUES = 1_000_000
START_BYTES = 4096  # by which a file is known
CELL_TYPES = ("code", "markdown", "raw")
# Of these, nbformat says what they may hold, and nobody here reads any.
UNREAD_METADATA = ("collapsed", "execution", "format", "jupyter", "name", "scrolled")
AGAIN = "get a whole copy of it"
DOWNLOAD = "download the notebook itself (in Colab: File → Download → .ipynb)"

# How other files begin, and what they are.
_OTHER_FILES = tuple(
    (re.compile(begins, re.I | re.S), what)
    for begins, what in (
        (rb"PK\x03\x04", "it is a zip archive, or a Word file; unpack it, or export the notebook"),
        (rb"%PDF", f"it is a PDF; {DOWNLOAD}"),
        (rb"\x89PNG|\xff\xd8\xff|GIF8", f"it is a picture; {DOWNLOAD}"),
        (rb"\x1f\x8b|Rar!|7z\xbc\xaf", "it is a packed archive; unpack it"),
        (rb"version https://git-lfs", "it is a pointer of Git LFS without the file; fetch it by git lfs pull"),
        (rb"\s*\[InternetShortcut\]|\s*\{\s*\"url\": *\"http", f"it is a link to one; {DOWNLOAD}"),
        (rb"\s*(<!--.*?-->\s*)?<(!doctype|html|head|body|\?xml)", f"it is a saved web page; {DOWNLOAD}"),
        (rb"\s*(# %%|#!/|# -\*-|# ---\s|import \w|from \w+ import |\"\"\")", f"it is a Python file; {DOWNLOAD}"),
    )
)
_CONTAINERS = (dict, list)
_CONFLICT = re.compile(r"^(<<<<<<<|>>>>>>>)(?: .*)?$", re.MULTILINE)


class NotebookError(ValueError):
    """The notebook cannot be used: in one line, why, and what to do."""


def read_notebook(data: bytes) -> dict[str, Any]:
    """Return the notebook in `data` in nbformat 4.5, every cell well formed, as plain dicts and lists.

    UTF-8 and UTF-16 are read, with or without a byte-order mark. Older formats are upgraded. Fields that are missing,
    superfluous or of a wrong type are put right in silence, and so are numbers that JSON does not know. Raises
    NotebookError for what is no notebook at all.
    """
    cells = [_cell(json_value(cell), index) for index, cell in enumerate(_cells(data)) if isinstance(cell, dict)]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def require_notebook(data: bytes, quick: Callable[[bytes], Any] | None = None) -> None:
    """Raise NotebookError just where `read_notebook` does, in a tenth of its time.

    `quick` may be another reader of JSON: one that takes nothing that json does not, and raises ValueError.
    """
    _cells(data, quick)


def _cells(data: bytes, quick: Callable[[bytes], Any] | None = None) -> list[Any]:
    """The cells as they stand in `data`, of whatever type."""
    raw = _parse(data, quick)
    if isinstance(raw, dict) and isinstance(raw.get("content"), dict):  # as Jupyter's server hands it over
        raw = raw["content"]
    if not isinstance(raw, dict) or not isinstance(raw.get("cells", raw.get("worksheets")), list):
        raise NotebookError("is not a notebook: it is JSON without cells; give a .ipynb file")
    found: list[Any] = raw["cells"] if "cells" in raw else cells_of_old_format(raw["worksheets"])
    if len(found) > MAX_CELLS:
        raise NotebookError(f"has {len(found)} cells, more than {MAX_CELLS}; get a copy with fewer")
    return found


def looks_like_a_notebook(data: bytes) -> bool:
    """Whether a file is a notebook, whatever it is called: JSON that may be cut off, and that says it has cells."""
    return may_be_a_notebook(data) and (b"nbformat" in data or b'"cell_type"' in data or '"cell' in _beginning(data))


def may_be_a_notebook(data: bytes) -> bool:
    """Whether the first START_BYTES of a file can be a notebook's."""
    return _beginning(data).startswith("{")


def _beginning(data: bytes) -> str:
    start = data[:START_BYTES]
    return start.decode(json.detect_encoding(start), "replace").lstrip("\ufeff \t\r\n")


def _parse(data: bytes, quick: Callable[[bytes], Any] | None) -> Any:
    if len(data) > MAX_BYTES:
        raise NotebookError(f"is larger than {MAX_BYTES >> 20} MB; get a copy without its largest outputs")
    if not data.strip(b"\0 \t\r\n\x1a"):
        raise NotebookError(f"is empty; {AGAIN}")
    for begins, what in _OTHER_FILES:
        if begins.match(data[:2000].removeprefix(b"\xef\xbb\xbf")):
            raise NotebookError(f"is not a notebook: {what}")
    if len(data) > MAX_VALUES:
        before_values = len(data) - len(data.translate(None, b",[{"))  # at most, if none stands in a text
        if before_values > MAX_VALUES and _holds_more_values_than(MAX_VALUES, _decoded(data)):
            raise NotebookError(f"holds more than {MAX_VALUES} values; get a copy without its largest outputs")
    raw = _read(data, quick)
    level = [child for child in [raw] if isinstance(child, _CONTAINERS)]
    for _ in range(MAX_DEPTH):
        if not level:
            return raw
        level = [child for value in level for child in _children(value) if isinstance(child, _CONTAINERS)]
    raise NotebookError(f"is not a notebook: its JSON is nested too deep; {AGAIN}")


def _read(data: bytes, quick: Callable[[bytes], Any] | None) -> Any:
    if quick:
        with contextlib.suppress(ValueError):  # json may take it all the same, or knows why not
            return quick(data)
    text = _decoded(data)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise NotebookError(_why_no_json(text, error)) from None
    except ValueError:
        raise NotebookError(f"is not valid JSON: it holds a number that is too long; {AGAIN}") from None
    except RecursionError:
        raise NotebookError(f"is not a notebook: its JSON is nested too deep; {AGAIN}") from None


def _decoded(data: bytes) -> str:
    """The text, without byte-order mark and what some programs leave behind the last line: NULs and Control-Z."""
    encoding = json.detect_encoding(data[:4])
    try:
        return data.decode(encoding).lstrip("\ufeff").rstrip("\0\x1a \t\r\n")
    except UnicodeDecodeError as error:
        place = f"byte {error.start} is not {encoding.removesuffix('-sig').upper()} text"
        raise NotebookError(f"is not a notebook: {place}; save it as UTF-8") from None


def _why_no_json(text: str, error: json.JSONDecodeError) -> str:
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        return f"holds an unresolved merge conflict (line {line}); keep one side of it, and save it again"
    place = f"line {error.lineno}, column {error.colno}"
    if error.msg == "Extra data":
        return f"is not valid JSON: text stands behind the end of the notebook ({place}); delete that text"
    if error.pos >= len(text) or error.msg.startswith("Unterminated string"):
        return f"is not valid JSON ({place}): cut off; {AGAIN}"
    return f"is not valid JSON ({place}): damaged, or edited by hand; {AGAIN}"


def _holds_more_values_than(count: int, text: str) -> bool:
    """Whether that many values, each of which takes far more memory than its text, stand in JSON: outside of texts
    there is a comma or a bracket before each."""
    plain = text.replace(r"\\", "").replace(r"\"", "")
    if plain.count('"') > 4 * count:  # a key and a text are two quotes each
        return True
    bare = "".join(plain.split('"')[::2])
    return sum(map(bare.count, (",", "[", "{"))) > count


def _children(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _cell(raw: dict[str, Any], index: int) -> dict[str, Any]:
    metadata = {key: value for key, value in _mapping(raw.get("metadata")).items() if key not in UNREAD_METADATA}
    if "tags" in metadata:
        metadata["tags"] = _tags(metadata["tags"])
    kind = raw.get("cell_type")
    if kind not in CELL_TYPES:
        kind = "code" if "outputs" in raw else "markdown"
    cell = {
        "cell_type": kind,
        "id": f"cell-{index}",  # ids of submissions are often missing or doubled; nothing depends on them
        "metadata": metadata,
        "source": joined(raw.get("source")),
    }
    if kind == "code":
        outputs = raw.get("outputs")
        outputs = [_output(output) for output in outputs] if isinstance(outputs, list) else []
        cell["outputs"] = [output for output in outputs if output]
        cell["execution_count"] = count_or_none(raw.get("execution_count"))
    elif attachments := _attachments(raw.get("attachments")):
        cell["attachments"] = attachments
    return cell


def _tags(value: Any) -> list[str]:
    tags = value if isinstance(value, list) else []
    return list(dict.fromkeys(tag for tag in tags if isinstance(tag, str) and tag and "," not in tag))


def _attachments(value: Any) -> dict[str, Any]:
    bundles = {name: media_bundle(item) for name, item in _mapping(value).items()}
    return {name: bundle for name, bundle in bundles.items() if bundle}


def _output(raw: Any) -> dict[str, Any] | None:
    """The output as nbformat 4 wants it, or None if nothing can be made of it."""
    raw = _mapping(raw)
    kind = raw.get("output_type")
    if kind == "stream":
        name = "stderr" if raw.get("name") == "stderr" else "stdout"
        return {"output_type": kind, "name": name, "text": joined(raw.get("text"))}
    if kind == "error":
        traceback = raw.get("traceback")
        lines = traceback if isinstance(traceback, list) else []
        return {
            "output_type": kind,
            "ename": joined(raw.get("ename")),
            "evalue": joined(raw.get("evalue")),
            "traceback": [line for line in lines if isinstance(line, str)],
        }
    if kind not in ("display_data", "execute_result"):
        return None
    output = {
        "output_type": kind,
        "data": media_bundle(raw.get("data")),
        "metadata": _mapping(raw.get("metadata")),
    }
    if kind == "execute_result":
        output["execution_count"] = count_or_none(raw.get("execution_count"))
    return output
