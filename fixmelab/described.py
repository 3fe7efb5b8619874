"""Figures in words: what a screen reader says where others see a picture. `describe_figures` hangs it into IPython.

A figure is shown as HTML too, since JupyterLab gives pictures in PNG no alternative text. In a narrow window a wide
figure scrolls sideways instead of becoming too small to read.
"""

import base64
import html
import io
import re
import sys
from collections.abc import Iterator
from typing import Any

MOST_PANELS, MOST_NAMES = 6, 8
LEAST_SCALE = 0.6  # of a figure's own size; below it letters cannot be read


def describe_figures() -> None:
    """Show every matplotlib figure of this IPython shell with its alternative text. Once is enough."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    if shell is not None:
        shell.display_formatter.formatters["text/html"].for_type_by_name("matplotlib.figure", "Figure", as_html)


def as_html(figure: Any) -> str:
    """A figure as an image with its alternative text."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=figure.dpi, bbox_inches="tight")
    data = buffer.getvalue()
    width = int.from_bytes(data[16:20], "big")  # PNG's header
    style = f"max-width: 100%; min-width: {round(LEAST_SCALE * width)}px"
    text = html.escape(alternative_text(figure))
    image = f'<img src="data:image/png;base64,{base64.b64encode(data).decode()}" alt="{text}" style="{style}">'
    return f'<div style="overflow-x: auto">{image}</div>'


def alternative_text(figure: Any) -> str:
    """Title, panels, axes and curves of a figure, in a few sentences."""
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    title = figure.get_suptitle() if hasattr(figure, "get_suptitle") else ""
    said = [_plain(title)] if title else []
    described = [words for words in map(_panel, panels) if words]
    if len(panels) > 1:
        said.append(f"{len(panels)} panels")
        described = [f"panel {number}: {words}" for number, words in enumerate(described, 1)]
    said += described[:MOST_PANELS]
    bars = [_plain(axes.get_ylabel() or axes.get_xlabel()) for axes in figure.axes if axes not in panels]
    said += [f"colours: {label}" for label in bars if label]
    return "Figure: " + ". ".join(said or ["without a title"]) + "."


def _panel(axes: Any) -> str:
    return "; ".join(_parts(axes))


def _parts(axes: Any) -> Iterator[str]:
    title = " ".join(filter(None, (axes.get_title(loc=side) for side in ("left", "center", "right"))))
    if title:
        yield _plain(title)
    if axes.axison and (axes.get_xlabel() or axes.get_ylabel()):
        yield f"{_plain(axes.get_ylabel()) or 'values'} over {_plain(axes.get_xlabel()) or 'their number'}"
    names = [_plain(line.get_label()) for line in axes.lines if not line.get_label().startswith("_")]
    if names:
        yield f"lines: {', '.join(names[:MOST_NAMES])}"
    if len(axes.images) > 1:
        yield f"{len(axes.images)} pictures"
    elif axes.images and not title:
        yield "a picture"
    texts = dict.fromkeys(_plain(text.get_text()) for text in axes.texts)
    if words := [text for text in texts if any(map(str.isalpha, text))]:
        yield f"marked: {', '.join(words[:MOST_NAMES])}"


def _plain(text: str) -> str:
    """Text without line breaks and the signs of formulas."""
    return " ".join(re.sub(r"[$\\{}]", "", text).split()).rstrip(".")
