"""Strips, the flow of a density, and the slider over a trajectory."""

import io

import ipywidgets
import numpy as np
import pytest
import torch
from PIL import Image

from fixmelab.pictures import chains
from fixmelab.pictures.plotting import Figure


def pixels(figure):
    return np.asarray(Image.open(io.BytesIO(figure._repr_png_())).convert("RGB"))


def test_a_strip_has_a_column_for_each_state_and_a_row_for_each_image():
    states = torch.zeros(5, 2, 3, 4, 4)
    figure = chains.show_strip(states, [f"t = {t}" for t in range(5)], title="a chain")
    shown = figure.axes[0].get_images()
    assert len(shown) == 10
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert [text for text in texts if text] == [f"t = {t}" for t in range(5)]
    lefts = [image.get_extent()[0] for image in shown]
    assert lefts[:5] == sorted(lefts[:5]) and lefts[5:] == lefts[:5]


def test_a_strip_shows_minus_one_as_black_and_one_as_white():
    states = torch.stack([torch.full((1, 1, 2, 2), value) for value in (-1.0, 0.0, 1.0, 5.0)])
    shown = chains.show_strip(states, "abcd").axes[0].get_images()
    assert [float(image.get_array().max()) for image in shown] == [0.0, 0.5, 1.0, 1.0]


@pytest.mark.parametrize(
    ("states", "titles", "problem"),
    [
        (torch.zeros(5, 3, 4, 4), "abcde", "shape"),
        (torch.zeros(2, 1, 2, 4, 4), "ab", "shape"),
        (torch.zeros(2, 1, 3, 4, 4), "a", "1 titles for 2 states"),
    ],
)
def test_a_strip_of_another_shape_is_refused(states, titles, problem):
    with pytest.raises(ValueError, match=problem):
        chains.show_strip(states, titles)


def test_the_flow_is_dark_where_the_points_are():
    points = torch.randn(30, 5000, generator=torch.Generator().manual_seed(0)).clamp(-3, 3)
    points[:15] = 0.1 * points[:15] + 1.0
    figure = chains.plot_density_flow(points, title="flow")
    image = figure.axes[1].get_images()[0]
    dense = np.asarray(image.get_array())
    values = np.linspace(*image.get_extent()[2:], len(dense))
    peaks = values[dense.argmax(axis=0)]
    assert np.abs(peaks[:15] - 1).max() < 0.15 and np.abs(peaks[15:]).max() < 0.8
    assert pixels(figure).std() > 5


def test_a_flow_of_one_state_is_refused():
    with pytest.raises(ValueError, match="T \\+ 1"):
        chains.plot_density_flow(torch.zeros(1, 10))


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(chains, "is_watched", lambda: True)


def test_the_slider_moves_through_the_chosen_trajectory(watched):
    there = torch.stack([torch.full((3, 4, 4), value) for value in (-1.0, 0.0, 1.0)])
    box = chains.trajectory_slider({"forward": there, "backward": there.flip(0)}, [0, 10, 20])
    which, picture, caption, slider = box.children
    assert caption.value == "forward, t = 0"
    first = picture.value
    slider.value = 2
    assert caption.value == "forward, t = 20" and picture.value != first
    which.value = "backward"
    assert caption.value == picture.text == "backward, t = 20" and picture.value == first


def test_names_are_no_markup(watched):
    box = chains.trajectory_slider({"<b>": torch.zeros(1, 1, 2, 2)}, [0])
    assert "<b>" not in box.children[2].value
    assert isinstance(box, ipywidgets.VBox)


def test_where_nobody_watches_a_strip_is_shown(monkeypatch):
    monkeypatch.setattr(chains, "is_watched", lambda: False)
    figure = chains.trajectory_slider({"forward": torch.zeros(51, 3, 4, 4)}, range(51))
    assert isinstance(figure, Figure) and len(figure.axes[0].get_images()) == 9


def test_a_trajectory_of_another_length_is_refused():
    with pytest.raises(ValueError, match="'forward' has shape"):
        chains.trajectory_slider({"forward": torch.zeros(3, 3, 4, 4)}, [0, 1])
