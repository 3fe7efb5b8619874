"""The course's pictures: what they show, that nothing leaks, and what they refuse."""

import io

import matplotlib
import nbformat
import numpy as np
import pytest
import torch
from matplotlib import colors
from nbclient import NotebookClient
from PIL import Image

from fixmelab.pictures import plotting
from fixmelab.pictures.plotting import plot_curves, plot_history, show_images, show_latent_map
from fixmelab.training import History

NAMES = ["T-shirt", "Trouser", "Pullover"]


def drawn_images(figure) -> list[np.ndarray]:
    return [np.asarray(image.get_array()) for image in figure.axes[0].images]


def pixels(figure) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(figure._repr_png_())).convert("RGB"))


def latent(count: int = 30) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(count, 2, generator=torch.Generator().manual_seed(0)), torch.arange(count) % 3


@pytest.mark.parametrize("shape", [(7, 4, 5), (7, 1, 4, 5), (7, 3, 4, 5)])
@pytest.mark.parametrize("kind", ["tensor", "array", "needs gradient"])
def test_images_are_shown_row_by_row(shape, kind) -> None:
    images = torch.rand(shape)
    given = {"tensor": images, "array": images.numpy(), "needs gradient": images.clone().requires_grad_()}[kind]
    figure = show_images(given, columns=3)
    shown = drawn_images(figure)
    assert len(shown) == 7
    for original, image in zip(images, shown, strict=True):
        expected = original.permute(1, 2, 0) if len(shape) == 4 and shape[1] == 3 else original.reshape(4, 5)
        assert np.allclose(image, expected)
    left, _, _, top = np.array([image.get_extent() for image in figure.axes[0].images]).T
    assert len(set(left)) == len(set(top)) == 3
    assert list(left[:3]) == sorted(left[:3]) and left[3] == left[0] and top[3] > top[0]


def test_grey_is_black_at_0_and_white_at_1_whatever_else_is_there() -> None:
    figure = show_images(torch.full((1, 8, 8), 0.5))
    shown = pixels(figure)
    assert (shown[shown.shape[0] // 2, shown.shape[1] // 2] == [127, 127, 127]).all() or (
        shown[shown.shape[0] // 2, shown.shape[1] // 2] == [128, 128, 128]
    ).all()
    assert drawn_images(show_images(torch.tensor([[[-1.0, 2.0]]])))[0].tolist() == [[0.0, 1.0]]


def test_titles_stand_over_their_images() -> None:
    figure = show_images(torch.rand(3, 4, 4), titles=["a", 2, "$c"], title="three")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["a", "2", "$c"]
    for text, image in zip(axes.texts, axes.images, strict=True):
        left, right, _, top = image.get_extent()
        assert left < text.get_position()[0] < right and text.get_position()[1] < top
    assert figure.get_suptitle() == "three"
    pixels(figure)


def test_scale_is_the_width_of_an_image() -> None:
    one = show_images(torch.rand(1, 4, 4), scale=2).get_figwidth()
    assert one == pytest.approx(2)


@pytest.mark.parametrize(
    ("images", "options", "why"),
    [
        (torch.rand(4, 4), {}, r"\(4, 4\)"),
        (torch.rand(2, 2, 4, 4), {}, r"\(2, 2, 4, 4\)"),
        (torch.rand(0, 4, 4), {}, r"\(0, 4, 4\)"),
        (torch.rand(2, 4, 4), {"titles": ["a"]}, "1 titles for 2 images"),
        (torch.rand(2, 4, 4), {"columns": 0}, "columns is 0"),
    ],
)
def test_unfit_images_are_refused(images, options, why) -> None:
    with pytest.raises(ValueError, match=why):
        show_images(images, **options)


def test_the_history_shows_epochs_over_steps() -> None:
    history = History(epochs=[3.0, 2.0], steps=[4.0, 2.0, 2.5, 1.5])
    axes = plot_history(history).axes[0]
    steps, epochs = axes.lines
    assert list(epochs.get_ydata()) == [3.0, 2.0] and list(epochs.get_xdata()) == [0.5, 1.5]
    assert list(steps.get_ydata()) == history.steps and list(steps.get_xdata()) == [0.5, 1.0, 1.5, 2.0]
    assert axes.get_ylabel() == "loss (nats per image)" and "epoch" in axes.get_xlabel()
    with pytest.raises(ValueError, match="train for at least one epoch"):
        plot_history(History([], []))


def test_one_high_step_does_not_flatten_the_history() -> None:
    history = History(epochs=[2.0], steps=[1000.0] + [2.0] * 99)
    assert plot_history(history).axes[0].get_ylim()[1] < 10


def test_the_expected_end_is_a_band_that_is_seen() -> None:
    axes = plot_history(History(epochs=[2.0], steps=[3.0, 1.0]), expected=(5.0, 7.0)).axes[0]
    (band,) = axes.patches
    extent = band.get_path().get_extents(band.get_patch_transform())
    assert (extent.y0, extent.y1) == (5.0, 7.0) and axes.get_ylim()[1] > 7
    assert "expected at the end" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_axes_may_be_logarithmic() -> None:
    axes = plot_curves([1, 10, 100], {"a": [1.0, 0.1, 0.01]}, "x", "y", log="y").axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")
    assert list(axes.lines[0].get_ydata()) == [1.0, 0.1, 0.01]


def test_losses_are_shown_with_a_running_mean() -> None:
    losses = [1000.0] + [2.0, 4.0] * 50
    axes = plotting.plot_losses(range(1, 102), losses).axes[0]
    steps, mean = axes.lines
    assert list(steps.get_ydata()) == losses and list(steps.get_xdata()) == list(range(1, 102))
    assert mean.get_label() == "mean of 10 steps" and mean.get_xdata()[0] == 6  # in the middle of its ten
    assert mean.get_ydata()[0] == pytest.approx((1000 + 2 * 5 + 4 * 4) / 10)
    assert mean.get_ydata()[1:] == pytest.approx([3.0] * 91)
    assert axes.get_ylim()[1] < 10  # the first step does not flatten the rest
    assert len(plotting.plot_losses([1], [2.0]).axes[0].lines) == 1
    for unfit in (([], []), ([1, 2], [3.0]), ([[1]], [[2.0]])):
        with pytest.raises(ValueError, match="give"):
            plotting.plot_losses(*unfit)


def test_the_fid_is_shown_from_0_and_says_of_what() -> None:
    axes = plotting.plot_fid([10, 20], [5.0, 3.0], "FID on a small network").axes[0]
    assert list(axes.lines[0].get_ydata()) == [5.0, 3.0] and axes.get_ylim()[0] == 0
    assert axes.get_title(loc="left") == "FID on a small network" and "lower is better" in axes.get_ylabel()


def test_curves_are_labelled_and_told_apart_without_colour() -> None:
    figure = plot_curves(torch.arange(3), {"ELBO": torch.arange(3.0), "evidence": [2, 2, 2]}, "μ", "nats", "bound")
    axes = figure.axes[0]
    assert [line.get_label() for line in axes.lines] == ["ELBO", "evidence"]
    assert list(axes.lines[0].get_ydata()) == [0, 1, 2]
    assert axes.lines[0].get_linestyle() != axes.lines[1].get_linestyle()
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("μ", "nats", "bound")
    with pytest.raises(ValueError, match="'ELBO' has 2 values for 3 of x"):
        plot_curves([1, 2, 3], {"ELBO": [1, 2]}, "x", "y")


def test_the_latent_map_shows_each_mean_in_its_colour() -> None:
    means, labels = latent()
    axes = show_latent_map(means, labels, NAMES).axes[0]
    dots = axes.collections[0]
    where = {tuple(point): index for index, point in enumerate(means.numpy())}
    for point, colour in zip(np.asarray(dots.get_offsets(), np.float32), dots.get_facecolors(), strict=True):
        label = int(labels[where.pop(tuple(point))])
        assert colors.to_hex(colour) == plotting.COLOURS[label]
    assert not where
    assert [text.get_text() for text in axes.texts] == NAMES
    assert axes.get_xlim() == (-3, 3) and axes.get_ylim() == (3, -3)  # downwards, as the rows of the grid


@pytest.mark.parametrize(
    ("means", "labels", "why"),
    [
        (torch.zeros(4, 3), torch.zeros(4, dtype=int), r"means have shape \(4, 3\)"),
        (torch.zeros(0, 2), torch.zeros(0, dtype=int), r"means have shape \(0, 2\)"),
        (torch.zeros(4, 2), torch.zeros(3, dtype=int), r"labels have shape \(3,\)"),
        (torch.full((4, 2), float("nan")), torch.zeros(4, dtype=int), "nan or infinite"),
        (torch.zeros(4, 2), torch.full((4,), 3), "labels run from 3 to 3 and there are 3"),
    ],
)
def test_an_unfit_map_is_refused(means, labels, why) -> None:
    with pytest.raises(ValueError, match=why):
        show_latent_map(means, labels, NAMES)


def test_names_on_the_map_keep_clear_of_each_other_and_of_marks() -> None:
    points = np.zeros((40, 2), np.float32)
    places = plotting.label_places(points, np.arange(40) % 4, ["one", "two", "three", "four"], 3.0, [(0.0, 0.0)])
    heights = sorted([up for _, up in places.values()] + [0.0])
    assert min(np.diff(heights)) > 0.08 * 3 * 0.99


def test_the_map_is_wide_enough_for_the_means_and_the_prior() -> None:
    assert plotting.map_radius(np.zeros((5, 2))) == 3
    assert 20 <= plotting.map_radius(np.full((5, 2), -20.0)) <= 21


def test_class_colours_can_be_read_on_white() -> None:
    assert len(set(plotting.COLOURS)) == 10
    for index in range(10):
        linear = np.array(
            [
                c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
                for c in colors.to_rgb(plotting.label_colour(index))
            ]
        )
        assert 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) >= 4.5  # WCAG 2.1, level AA


def test_no_global_setting_is_touched() -> None:
    before = dict(matplotlib.rcParams)
    show_images(torch.rand(2, 4, 4))
    show_latent_map(*latent(), NAMES)
    plot_curves([1, 2], {"a": [1, 2]}, "x", "y")
    assert dict(matplotlib.rcParams) == before


@pytest.mark.slow
def test_a_notebook_shows_a_figure_once() -> None:
    """In a kernel: before pyplot is imported, with it, and in a cell that also draws with pyplot."""
    cells = [
        "import torch\nfrom fixmelab import show_images\nshow_images(torch.rand(2, 4, 4))",
        "import matplotlib.pyplot as plt\nshow_images(torch.rand(2, 4, 4))",
        "%matplotlib inline\nplt.plot([1, 2])\nplt.show()\nshow_images(torch.rand(2, 4, 4))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [[out.output_type for out in cell.outputs if "image/png" in out.get("data", {})] for cell in notebook.cells]
    assert shown == [["execute_result"], ["execute_result"], ["display_data", "execute_result"]]
