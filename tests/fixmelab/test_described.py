"""Figures in words, and as HTML that carries them."""

import html

import numpy as np

from fixmelab.described import alternative_text, as_html
from fixmelab.pictures.plotting import Figure, plot_curves, show_images


def test_a_figure_says_its_title_axes_and_curves():
    drawn = plot_curves([1, 2], {"μ = 0": [0.0, 1.0], "μ = 1": [1.0, 2.0]}, "σ", "KL (nats)", "The price")
    text = alternative_text(drawn)
    assert text.startswith("Figure: ") and "The price" in text and "KL (nats) over σ" in text and "μ = 1" in text


def test_panels_and_pictures_are_counted_and_numbers_are_left_out():
    figure = Figure(figsize=(12, 3))
    for axes, name in zip(figure.subplots(1, 2), ("$\\alpha$ before", "after"), strict=True):
        axes.set_title(name)
        axes.text(0, 0, "0.25")
    assert alternative_text(figure) == "Figure: 2 panels. panel 1: alpha before. panel 2: after."
    assert "3 pictures" in alternative_text(show_images(np.zeros((3, 4, 4)), title="three"))


def test_html_carries_the_text_and_does_not_shrink_below_what_can_be_read():
    figure = Figure(figsize=(10, 2), dpi=100)
    figure.suptitle('a "quoted" <title>')
    figure.subplots()
    page = as_html(figure)
    assert f'alt="{html.escape(alternative_text(figure))}"' in page and "<title>" not in page
    assert "overflow-x: auto" in page and "min-width: " in page and "data:image/png;base64," in page
