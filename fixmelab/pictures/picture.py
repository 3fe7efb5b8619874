"""The picture of a widget, in words as well: the one that comes with ipywidgets has no alternative text."""

from pathlib import Path

import anywidget
import traitlets


class Picture(anywidget.AnyWidget):
    """A picture, `width` pixels wide if there is room and never narrower than `least_width`. `value` is its PNG, and
    `text` what a screen reader says of it."""

    _esm = Path(__file__).with_name("picture.js").read_text("utf-8")
    value = traitlets.Bytes().tag(sync=True)
    text = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int().tag(sync=True)
    least_width = traitlets.Int(0).tag(sync=True)
