"""The JavaScript of the maps that can be dragged on."""

from pathlib import Path


def script(name: str) -> str:
    """The text of a map's own file, with what all maps share (chart.js) in front of it: a widget has but one file."""
    return "\n".join(Path(__file__).with_name(part).read_text("utf-8") for part in ("chart.js", name))
