"""JSON that every program can read, made of whatever an untrusted notebook or kernel holds."""

import json
import math
import re
from typing import Any

MOST_COUNT = 10**6
# As in nbformat's schema, where other kinds hold text.
_JSON_KIND = re.compile(r"application/(?:.*\+)?json")


def json_value(value: Any) -> Any:
    """The value in JSON's own terms: None in the place of NaN, infinities and what JSON has no word for, such as a
    tensor; lone surrogates, which no file can hold, replaced."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {json_value(str(key)): json_value(item) for key, item in value.items()}
    return None


def json_text(value: Any) -> str:
    """The value as strict JSON. Raises ValueError for NaN and infinities, which `json_value` takes out."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def media_bundle(data: Any) -> dict[str, Any]:
    """Representations of one thing by media type as nbformat has them: any JSON for JSON's kinds, text for all others.

    What is neither is left out; a list of lines is joined.
    """
    bundle = json_value(data) if isinstance(data, dict) else {}
    is_json = {kind: _JSON_KIND.fullmatch(kind) is not None for kind in bundle}
    return {
        kind: value if is_json[kind] else joined(value)
        for kind, value in bundle.items()
        if is_json[kind] or isinstance(value, str | list)
    }


def joined(value: Any) -> str:
    """Text that is stored as a string or as a list of lines; "" for anything else."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def count_or_none(value: Any) -> int | None:
    """A number of an execution, if it can be one."""
    return value if type(value) is int and 0 <= value < MOST_COUNT else None
