"""Pictures of the foundations notebook: graphical models, a tagger's tables and costs, a kernel that slides."""

import io

import ipywidgets
import numpy as np
import pytest
import torch
from matplotlib.patches import FancyArrowPatch, Rectangle
from PIL import Image
from torch.nn import functional as F

from fixmelab.pictures import kernel_slider
from fixmelab.pictures.graphical_models import plot_arcs, plot_factor_graph
from fixmelab.pictures.plotting import Figure
from fixmelab.pictures.tagging import plot_costs, plot_tags

IMAGE = torch.arange(12.0).view(3, 4) / 11


def padding(height, width):
    left, top = width // 2, height // 2
    return left, width - 1 - left, top, height - 1 - top


def convolve(x, theta, theta_0):
    return F.conv2d(F.pad(x, padding(*theta.shape[1:]))[None], theta[None])[0] + theta_0


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(figure._repr_png_())).convert("RGB"))


def test_every_arc_is_an_arrow_and_is_counted():
    figure = plot_arcs({"all": torch.tensor([[0, 1], [0, 2], [1, 2]]), "one": [(2, 0)]}, ["a", "b", "c"])
    assert [axes.get_title() for axes in figure.axes] == ["all: 3 arcs", "one: 1 arcs"]
    assert [sum(isinstance(item, FancyArrowPatch) for item in axes.patches) for axes in figure.axes] == [3, 1]
    assert pixels(figure).std() > 5


@pytest.mark.parametrize("arc", [(0, 0), (0, 3), (-1, 0), (0, 1, 2)])
def test_what_is_no_arc_is_refused(arc):
    with pytest.raises(ValueError, match="is no arc"):
        plot_arcs({"arcs": [arc]}, ["a", "b", "c"])


def test_a_factor_graph_counts_variables_and_factors():
    figure = plot_factor_graph({"pairs": [{"t1", "w1"}, {"t2", "w_1"}, {"t1", "t2"}], "alone": [{"t1"}]})
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["pairs: 3 variables, 3 factors", "alone: 1 variables, 1 factors"]
    assert pixels(figure).std() > 5


@pytest.mark.parametrize(
    ("factors", "problem"), [([{"x1"}], "is no variable"), ([set()], "no factors"), ([], "no fac")]
)
def test_what_is_no_factor_is_refused(factors, problem):
    with pytest.raises(ValueError, match=problem):
        plot_factor_graph({"factors": factors})


def test_the_most_probable_tags_are_framed():
    table = torch.tensor([[0.2, 0.8], [0.9, 0.1]])
    figure = plot_tags({"both": table, "first": table[:1]}, ["old", "man"], ["noun", "verb"])
    framed = [[item.get_xy() for item in axes.patches if isinstance(item, Rectangle)] for axes in figure.axes]
    assert [[(round(x), round(y)) for x, y in corners] for corners in framed] == [[(0, 1), (1, 0)], [(0, 1)]]
    assert pixels(figure).std() > 5


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (torch.full((3, 2), 0.5), "≤ 2 words"),
        (torch.full((2, 3), 1 / 3), "give"),
        (torch.ones(2, 2), "do not sum to 1"),
    ],
)
def test_tags_that_do_not_fit_are_refused(table, problem):
    with pytest.raises(ValueError, match=problem):
        plot_tags({"table": table}, ["old", "man"], ["noun", "verb"])


def test_costs_are_drawn_over_their_sizes_on_a_logarithmic_axis():
    figure = plot_costs(range(1, 4), {"all": [1e-4, 1e-3, 1.0], "one": [2e-5, 2e-5, 3e-5]}, "words")
    (axes,) = figure.axes
    assert axes.get_yscale() == "log" and [list(line.get_xdata()) for line in axes.lines] == [[1, 2, 3]] * 2
    figure.draw_without_rendering()
    assert {"1 s", "1 ms", "100 µs"} <= {text.get_text() for text in axes.get_yticklabels()}


@pytest.mark.parametrize("seconds", [[1.0], [1.0, 0.0]])
def test_costs_that_do_not_fit_are_refused(seconds):
    with pytest.raises(ValueError, match="all positive"):
        plot_costs([1, 2], {"all": seconds}, "words")


def test_pixels_are_drawn_with_a_scale():
    figure = kernel_slider.plot_pixels(IMAGE, "an image")
    assert len(figure.axes) == 2 and pixels(figure).std() > 5
    with pytest.raises(ValueError, match="give \\(H, W\\)"):
        kernel_slider.plot_pixels(IMAGE[None])


def test_the_slider_follows_its_sliders_and_the_play_button(monkeypatch):
    monkeypatch.setattr(kernel_slider, "is_watched", lambda: True)
    kernels = {"edges": torch.tensor([[-1.0, 1.0]]), "mean": torch.full((2, 3), 1 / 6)}
    box = kernel_slider.kernel_slider(IMAGE, kernels, padding, convolve)
    controls, pictures = box.children
    which, row, column, play = controls.children
    window, output = pictures.children
    assert Image.open(io.BytesIO(window.value)).size == kernel_slider.SIZE
    seen = [bytes(window.value)]
    for move in (
        lambda: setattr(row, "value", 1),
        lambda: setattr(column, "value", 2),
        lambda: setattr(play, "value", 11),
        lambda: setattr(which, "value", "mean"),
    ):
        move()
        assert bytes(window.value) not in seen
        seen.append(bytes(window.value))
    assert (row.value, column.value, play.value) == (2, 3, 11)
    row.value = 0
    assert play.value == 3
    assert window.text == "the padded image, and the window at row 0, column 3"
    assert output.text.startswith("the output up to there; y[0, 3] = ")
    assert isinstance(box, ipywidgets.VBox) and bytes(output.value).startswith(b"\x89PNG")


def test_without_a_reader_the_slider_is_a_figure(monkeypatch):
    monkeypatch.setattr(kernel_slider, "is_watched", lambda: False)
    figure = kernel_slider.kernel_slider(IMAGE, {"mean": torch.full((2, 2), 0.25)}, padding, convolve)
    assert isinstance(figure, Figure) and len(figure.axes) == 6
    assert "y[2, 3]" in figure.axes[-1].get_title() or "y[2, 3]" in " ".join(axes.get_title() for axes in figure.axes)
    assert pixels(figure).std() > 5


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((IMAGE[None], torch.ones(2, 2), padding, convolve), "give"),
        ((IMAGE, torch.ones(2, 2), lambda height, width: (-1, 0, 0, 0), convolve), "four numbers"),
        ((IMAGE, torch.ones(2, 2), lambda height, width: (0, 0, 0, 0), convolve), "too narrow"),
        ((IMAGE, torch.ones(2, 2), padding, lambda x, theta, theta_0: x[0]), "convolve gave shape"),
    ],
)
def test_what_does_not_fit_is_said(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        kernel_slider.kernel_slider_static(*arguments)


def test_a_slider_without_kernels_is_refused():
    with pytest.raises(ValueError, match="no kernels"):
        kernel_slider.kernel_slider(IMAGE, {}, padding, convolve)


@pytest.mark.parametrize(("value", "text"), [(1 / 12, ".08"), (0.0, "0"), (-1.0, "−1"), (-0.25, "−.25"), (12.0, "12")])
def test_numbers_are_short(value, text):
    assert kernel_slider._short(value) == text
