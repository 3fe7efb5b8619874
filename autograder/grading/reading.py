"""Reads a notebook that someone else's tools wrote: what can be put in order is, the rest is one clear line."""

import hashlib
import json
import logging
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.errors import InputError
from autograder.grading.nodes import from_dict
from autograder.json_values import count_or_none, joined, json_value, media_bundle

MAX_BYTES = 50 * 2**20
MAX_DEPTH = 100
MAX_CELLS = 2_000
MAX_VALUES = 1_000_000
CELL_TYPES = ("code", "markdown", "raw")
# Of these, nbformat says what they may hold, and grading reads none.
UNREAD_METADATA = ("collapsed", "execution", "format", "jupyter", "name", "scrolled")
AGAIN = "ask for it again"


def submission_digest(data: bytes) -> str:
    """SHA-256 of a submission's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_notebook(data: bytes, where: str) -> NotebookNode:
    """Return the notebook in `data`, in nbformat 4 and with every cell well formed.

    Older formats are upgraded. Fields that are missing, superfluous or of a wrong type are put right in
    silence. Raises InputError, which names `where`, for what is no notebook at all.
    """
    raw = _parse(data, where)
    if not isinstance(raw, dict) or not isinstance(raw.get("cells", raw.get("worksheets")), list):
        raise InputError(f"{where}: is not a notebook: it is JSON without cells; give a .ipynb file")
    raw = json_value(raw)
    if "cells" not in raw:
        raw = _upgraded(raw, where)
    if len(raw["cells"]) > MAX_CELLS:
        raise InputError(f"{where}: has {len(raw['cells'])} cells, more than {MAX_CELLS}; {AGAIN} with fewer")
    return from_dict(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {},
            "cells": [_cell(cell, i) for i, cell in enumerate(raw["cells"]) if isinstance(cell, dict)],
        }
    )


def _parse(data: bytes, where: str) -> Any:
    if len(data) > MAX_BYTES:
        raise InputError(f"{where}: is larger than {MAX_BYTES >> 20} MB; {AGAIN} without its largest outputs")
    if not data.strip():
        raise InputError(f"{where}: is empty; {AGAIN}")
    if _may_hold_more_values_than(MAX_VALUES, data):
        raise InputError(f"{where}: holds more than {MAX_VALUES} values; {AGAIN} without its largest outputs")
    try:
        raw = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where}: is not a notebook: byte {error.start} is not UTF-8 text; save it as UTF-8"
        ) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{where}: is not valid JSON ({place}): damaged or cut off; {AGAIN}") from None
    except ValueError:
        raise InputError(f"{where}: is not valid JSON: it holds a number that is too long; {AGAIN}") from None
    except RecursionError:
        raise InputError(f"{where}: is not a notebook: its JSON is nested too deep; {AGAIN}") from None
    level = [raw]
    for _ in range(MAX_DEPTH):
        level = [child for value in level for child in _children(value)]
    if level:
        raise InputError(f"{where}: is not a notebook: its JSON is nested too deep; {AGAIN}")
    return raw


def _may_hold_more_values_than(count: int, data: bytes) -> bool:
    """Whether that many values, each of which takes far more memory than its bytes, stand in JSON: outside of texts
    there is a comma or a bracket before each."""
    plain = data.replace(rb"\\", b"").replace(rb"\"", b"")
    if plain.count(b'"') > 4 * count:  # a key and a text are two quotes each
        return True
    bare = b"".join(plain.split(b'"')[::2])
    return sum(map(bare.count, (b",", b"[", b"{"))) > count


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _upgraded(raw: dict[str, Any], where: str) -> dict[str, Any]:
    """The notebook of format 3 or older in format 4, without tags: these the converter compares each with each."""
    raw = _without_tags(raw)
    if not isinstance(raw.get("nbformat"), int):
        raw["nbformat"] = 3
    logger = logging.getLogger("nbformat")
    disabled, logger.disabled = logger.disabled, True  # its warnings would tear up the progress bar
    try:
        upgraded: dict[str, Any] = nbformat.convert(from_dict(raw), 4)  # type: ignore[no-untyped-call]  # as in nodes.py
        return upgraded
    except Exception:  # the converter has no errors of its own
        raise InputError(
            f"{where}: is in an old notebook format and cannot be upgraded; save it again in Jupyter"
        ) from None
    finally:
        logger.disabled = disabled


def _without_tags(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_tags(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_tags(item) for key, item in value.items() if key != "tags"}
    return value


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
