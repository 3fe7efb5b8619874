"""Cells of notebooks in formats before 4, which had worksheets, as format 4 has them."""

from typing import Any

from fixmelab.json_values import joined

# What format 3 called the kinds of an output, and its media types.
_OUTPUTS = {"pyout": "execute_result", "pyerr": "error"}
_KINDS = {
    "text": "text/plain",
    "html": "text/html",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "latex": "text/latex",
    "json": "application/json",
    "javascript": "application/javascript",
}


def cells_of_old_format(worksheets: list[Any]) -> list[Any]:
    """The cells of all worksheets, one after the other. What is odd in them is left to the reader."""
    sheets = [sheet.get("cells") for sheet in worksheets if isinstance(sheet, dict)]
    return [_cell(cell) for cells in sheets if isinstance(cells, list) for cell in cells]


def _cell(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    kind = raw.get("cell_type")
    if kind == "code":
        outputs = raw.get("outputs")
        shown = [_output(output) for output in outputs] if isinstance(outputs, list) else []
        count = raw.get("prompt_number")
        return {**raw, "source": raw.get("input", raw.get("source")), "outputs": shown, "execution_count": count}
    if kind == "heading":
        level = raw.get("level")
        marks = "#" * (level if isinstance(level, int) and 1 <= level <= 6 else 1)
        return {**raw, "cell_type": "markdown", "source": f"{marks} {joined(raw.get('source'))}"}
    return {**raw, "cell_type": "markdown"} if kind == "html" else raw


def _output(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    kind = _OUTPUTS.get(str(raw.get("output_type")), raw.get("output_type"))
    if kind == "stream":
        return {**raw, "output_type": kind, "name": raw.get("stream", raw.get("name"))}
    if kind not in ("execute_result", "display_data"):
        return {**raw, "output_type": kind}
    data = {media: raw[key] for key, media in _KINDS.items() if key in raw}
    return {"output_type": kind, "data": data, "execution_count": raw.get("prompt_number")}
