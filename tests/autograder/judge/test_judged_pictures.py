"""A figure is judged by its pixels: however students draw the states it passes, and whatever else is drawn does not."""

import itertools
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import numpy
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

import fixmelab
from autograder.judge import pictures, rendering
from autograder.judge.draw import Draw
from autograder.judge.student import in_this_process, student_of
from autograder.judge.verdict import AnswerRaised, ExpectationFailed
from fixmelab.judged.probe import Probe
from fixmelab.judged.rendered import render

pytestmark = pytest.mark.slow

SEED = b"pictures"
SHAPES = [(5, 2, 3, 8, 8), (6, 3, 1, 9, 8)]


def states_of(shape) -> torch.Tensor:
    """Independent pictures for the states; the images of a batch differ a little."""
    draw = Draw(SEED)
    states, batch, *image = shape
    return draw.uniform(-0.6, 0.6, states, 1, *image) + draw.uniform(-0.4, 0.4, 1, batch, *image)


def flat(state, image=0):
    """One image as imshow takes it: (H, W) or (H, W, 3) in [0, 1]."""
    return ((state[image] + 1) / 2).clamp(0, 1).permute(1, 2, 0).squeeze(-1).numpy()


# What students draw


def with_the_courses_strip(states):
    return fixmelab.show_strip(states, range(len(states)), title="Diffusion")


def with_subplots(states, **options):
    figure, axes = plt.subplots(states.shape[1], len(states), squeeze=False)
    for row, column in itertools.product(range(states.shape[1]), range(len(states))):
        axes[row, column].imshow(flat(states[column], row), **options)
        axes[row, column].axis("off")
    figure.tight_layout()
    plt.close(figure)
    return figure


def with_the_states_as_rows(states):
    figure, axes = plt.subplots(len(states), states.shape[1], squeeze=False, figsize=(3, 9))
    for row, column in itertools.product(range(len(states)), range(states.shape[1])):
        axes[row, column].imshow(flat(states[row], column))
        axes[row, column].set_title(f"t = {row}", fontsize=8)
    plt.close(figure)
    return figure


def with_one_image_alone(states):
    figure, axes = plt.subplots(1, len(states), figsize=(10, 2))
    for axis, state in zip(axes, states, strict=True):
        axis.imshow(flat(state, 1))
    plt.close(figure)
    return figure


def with_lines_of_three(states):
    figure = plt.figure()
    for k, state in enumerate(states):
        figure.add_subplot(2, 3, k + 1).imshow(flat(state))
    plt.close(figure)
    return figure


def with_columns_of_three(states):
    figure = Figure()
    axes = figure.subplots(3, 2)
    for k, state in enumerate(states):
        axes[k % 3, k // 3].imshow(flat(state))
    return figure


def with_a_grid_spec(states):
    figure = plt.figure(figsize=(9, 3))
    grid = GridSpec(1, len(states), figure=figure, wspace=0)
    for k, state in enumerate(states):
        axis = figure.add_subplot(grid[0, k])
        axis.imshow(flat(state), aspect="auto")
        axis.set_xticks([])
    plt.close(figure)
    return figure


def make_grid(*given, **options):
    # Not imported above: it takes seconds, in every process that collects tests.
    from torchvision.utils import make_grid

    return make_grid(*given, **options)


def with_one_grid_of_torchvision(states):
    tiles = (states.flatten(0, 1) + 1) / 2
    figure, axes = plt.subplots()
    axes.imshow(make_grid(tiles, nrow=states.shape[1]).permute(1, 2, 0).clamp(0, 1))
    plt.close(figure)
    return figure


def with_a_grid_of_eight_in_a_row(states):
    figure, axes = plt.subplots(figsize=(7, 3))
    axes.imshow(make_grid(states.flatten(0, 1), normalize=True, pad_value=1).permute(1, 2, 0))
    plt.close(figure)
    return figure


def with_a_grid_in_each_panel(states):
    figure, axes = plt.subplots(1, len(states))
    for axis, state in zip(axes, states, strict=True):
        axis.imshow(make_grid(state, nrow=1, padding=0, normalize=True).permute(1, 2, 0))
    plt.close(figure)
    return figure


def with_frames(states):
    """A frame around each image of a panel, so that gaps are twice as wide as margins."""
    figure, axes = plt.subplots(1, len(states))
    for axis, state in zip(axes, states, strict=True):
        axis.imshow(
            numpy.concatenate(
                [numpy.pad(flat(state, k), [(2, 2), (2, 2), (0, 0)][: flat(state, k).ndim]) for k in range(2)]
            )
        )
    plt.close(figure)
    return figure


def with_one_array(states):
    figure, axes = plt.subplots()
    axes.imshow(numpy.concatenate([flat(state) for state in states], axis=1))
    plt.close(figure)
    return figure


def with_values_as_they_are(states):
    figure, axes = plt.subplots(1, len(states))
    for axis, state in zip(axes, states, strict=True):
        axis.imshow(state[0].permute(1, 2, 0).clamp(0, 1).squeeze(-1))
    plt.close(figure)
    return figure


def with_gray_levels(cmap):
    def draw(states):
        figure, axes = plt.subplots(1, len(states))
        for axis, state in zip(axes, states, strict=True):
            axis.imshow(state[0].mean(dim=0), cmap=cmap)
        plt.close(figure)
        return figure

    return draw


def with_colour_bars(states):
    figure = Figure(layout="constrained", figsize=(12, 3))
    for axis, state in zip(figure.subplots(1, len(states)), states, strict=True):
        figure.colorbar(axis.imshow(state[0].mean(dim=0)), ax=axis)
    return figure


def with_a_mesh(states):
    figure, axes = plt.subplots(1, len(states))
    for axis, state in zip(axes, states, strict=True):
        axis.pcolormesh(state[0].mean(dim=0), cmap="gray")
    plt.close(figure)
    return figure


def with_squares(states):
    figure, axes = plt.subplots(1, len(states))
    for axis, state in zip(axes, states, strict=True):
        axis.pcolor(state[0].mean(dim=0).numpy())
    plt.close(figure)
    return figure


def from_below(states):
    return with_subplots(states, origin="lower")


def smoothed(states):
    return with_subplots(states, interpolation="bilinear")


def small(states):
    figure = with_subplots(states)
    figure.set_size_inches(2, 0.8)
    return figure


def fine(states):
    figure = with_subplots(states)
    figure.set_dpi(400)
    return figure


def on_black(states):
    with plt.style.context("dark_background"):
        return with_one_grid_of_torchvision(states)


def in_parts(states):
    figure = Figure(figsize=(10, 2))
    for part, state in zip(figure.subfigures(1, len(states)), states, strict=True):
        part.subplots().imshow(flat(state))
    return figure


def in_places_of_its_own(states):
    figure = Figure(figsize=(8, 2))
    axes = figure.add_axes((0, 0, 1, 1))
    for k, state in enumerate(states):
        axes.imshow(flat(state), extent=(k * 1.2, k * 1.2 + 1, 0, 1))
    axes.set(xlim=(-0.1, 1.2 * len(states)), ylim=(-0.2, 1.2))
    return figure


def with_curves_beside(states):
    figure, axes = plt.subplots(2, len(states), figsize=(10, 4))
    for above, below, state in zip(*axes, states, strict=True):
        above.imshow(flat(state))
        below.hist(state.flatten().numpy(), bins=20)
    plt.close(figure)
    return figure


def with_boxes_in_axes(states):
    figure, axes = plt.subplots(figsize=(9, 2))
    for k, state in enumerate(states):
        axes.add_artist(AnnotationBbox(OffsetImage(flat(state), zoom=6), (k, 0), frameon=False))
    axes.set(xlim=(-1, len(states)), ylim=(-1, 1))
    plt.close(figure)
    return figure


def with_contours(states):
    figure, axes = plt.subplots(1, len(states))
    for axis, state in zip(axes, states, strict=True):
        axis.contourf(state[0].mean(dim=0), levels=12)
        axis.invert_yaxis()
    plt.close(figure)
    return figure


def with_a_smooth_mesh(states):
    figure, axes = plt.subplots(1, len(states))
    for axis, state in zip(axes, states, strict=True):
        axis.pcolormesh(state[0].mean(dim=0), shading="gouraud")
    plt.close(figure)
    return figure


def with_points(states):
    figure, axes = plt.subplots(1, len(states), figsize=(10, 2))
    for axis, state in zip(axes, states, strict=True):
        values = state[0].mean(dim=0)
        y, x = numpy.indices(values.shape)
        axis.scatter(x, -y, c=values, marker="s", s=60)
    plt.close(figure)
    return figure


def enlarged(states):
    return with_subplots(states.repeat_interleave(5, dim=3).repeat_interleave(5, dim=4))


RIGHT = [
    *(with_the_courses_strip, with_subplots, with_the_states_as_rows, with_one_image_alone, with_lines_of_three),
    *(with_columns_of_three, with_a_grid_spec, with_one_grid_of_torchvision, with_a_grid_of_eight_in_a_row),
    *(
        with_a_grid_in_each_panel,
        with_frames,
        with_one_array,
        with_values_as_they_are,
        with_colour_bars,
        with_a_mesh,
        with_squares,
        with_boxes_in_axes,
        with_contours,
        with_a_smooth_mesh,
        with_points,
        enlarged,
    ),
    *(from_below, smoothed, small, fine, on_black, in_parts, in_places_of_its_own, with_curves_beside),
    *map(with_gray_levels, ("gray", "gray_r", "viridis", "magma", "jet", "coolwarm", "twilight")),
]


def shown(draw, states, serve=Probe):
    """What is said of a figure, or nothing if it passes."""
    student = student_of(in_this_process(draw, serve), Draw(SEED))[0]
    try:
        pictures.expect_shown(student(states), states)
    except ExpectationFailed as failure:
        return failure.mistake or "unnamed"


@pytest.mark.parametrize("shape", SHAPES, ids=["colour", "gray"])
@pytest.mark.parametrize("draw", RIGHT, ids=lambda draw: draw.__name__)
def test_however_students_draw_the_states_they_are_found(draw, shape):
    with matplotlib.rc_context():
        assert shown(draw, states_of(shape)) is None


def other(change):
    return lambda states: with_subplots(change(states))


def text_alone(states):
    figure = Figure()
    figure.text(0.5, 0.5, "five pictures")
    return figure


WRONG = {
    "nothing": (lambda states: Figure(), "empty_figure"),
    "empty axes": (lambda states: plt.subplots(1, 5)[0], "empty_figure"),
    "text": (text_alone, "empty_figure"),
    "one colour": (other(torch.zeros_like), "empty_figure"),
    "noise": (other(torch.randn_like), "figure_of_something_else"),
    "another order": (other(lambda states: states.flip(0)), "figure_of_something_else"),
    "two in the wrong order": (
        other(lambda states: states[[1, 0, *range(2, len(states))]]),
        "figure_of_something_else",
    ),
    "one state": (other(lambda states: states[:1].expand_as(states)), "figure_of_something_else"),
    "one state too few": (other(lambda states: states[1:]), "figure_of_something_else"),
    "lying on their side": (other(lambda states: states[..., :8, :].transpose(3, 4)), "figure_of_something_else"),
}


@pytest.mark.parametrize("shape", SHAPES, ids=["colour", "gray"])
@pytest.mark.parametrize(("draw", "mistake"), WRONG.values(), ids=WRONG)
def test_what_else_is_drawn_is_refused_and_named(draw, mistake, shape):
    assert shown(draw, states_of(shape)) == mistake
    plt.close("all")


class Figure_(SimpleNamespace):
    """Nothing but a name."""


Figure_.__name__ = "Figure"


def test_a_class_of_the_same_name_is_no_figure():
    with pytest.raises(AnswerRaised, match="no matplotlib figure"):
        shown(lambda states: Figure_(axes=[]), states_of(SHAPES[0]))


class MadeUp(Probe):
    """Answers the judge's rendering with what it likes."""

    value: object = None

    def _render(self, **request):
        return {"value": self.value}


PIXELS = numpy.zeros((90, 90, 3), numpy.uint8)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"pixels": PIXELS},
        {"pixels": PIXELS.astype(float), "places": []},
        {"pixels": PIXELS[..., 0], "places": []},
        {"pixels": PIXELS[:0], "places": []},
        {"pixels": numpy.zeros((1, 4_000_000, 3), numpy.uint8), "places": []},
        {"pixels": PIXELS, "places": [None, [], [0, 0, 1, 1], ["a"] * 6, [True] * 6]},
        {"pixels": PIXELS, "places": [[0.0, 0.0, float("nan"), 1.0, 8, 8], [0.0, 0.0, float("inf"), 1.0, 8, 8]]},
        {"pixels": PIXELS, "places": [[-1e308, -1e308, 1e308, 1e308, 8, 8], [5, 5, 4, 4, 8, 8]]},
        {"pixels": PIXELS, "places": [[0.0, 0.0, 90.0, 90.0, 10**15, 10**15], [0.0, 0.0, 9.0, 9.0, -8, 8]]},
        {"pixels": PIXELS, "places": [[0.0, 0.0, 90.0, 90.0, 3600, 3600]] * 5000},
        {"pixels": PIXELS, "places": [[0.0, 0.0, 90.0, 90.0, 8, 8]] * 5000},
    ],
)
def test_a_made_up_rendering_is_refused_before_anything_is_made_of_it(value, monkeypatch):
    monkeypatch.setattr(MadeUp, "value", value)
    largest = []
    taken = rendering.Rendering.panels

    def panels(self, *size):
        found = taken(self, *size)
        largest.append(found.colours.numel())
        return found

    monkeypatch.setattr(rendering.Rendering, "panels", panels)
    assert shown(lambda states: Figure(), states_of(SHAPES[0]), MadeUp) is not None
    assert sum(largest) <= rendering.MOST_PANELS * 3 * 8 * 8


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (280, 280)])
def test_twice_as_many_places_take_no_more_than_twice_the_samples_and_never_more_than_the_most(size, monkeypatch):
    """2,000 axes that lie in different places, and as many images of many tiles."""
    taken = []
    sampled = rendering.Rendering._sampled

    def counted(self, edges, rows, columns):
        taken[-1] += rows * columns
        return sampled(self, edges, rows, columns)

    monkeypatch.setattr(rendering.Rendering, "_sampled", counted)
    for count in (125, 250, 500, 1000, 2000):
        places = [[0.5 * k, k, 0.5 * k + 90, k + 90, *((0, 0) if k % 2 else (168, 168))] for k in range(count)]
        monkeypatch.setattr(MadeUp, "value", {"pixels": numpy.zeros((1800, 1800, 3), numpy.uint8), "places": places})
        student = student_of(in_this_process(lambda: Figure(), MadeUp), Draw(SEED))[0]
        taken.append(0)
        panels = rendering.Rendering(student()).panels(*size)
        assert panels.colours.numel() <= 3 * rendering.MOST_SAMPLES
        taken[-1] += panels.colours.numel() // 3
    assert all(after <= 2.1 * before for before, after in itertools.pairwise(taken))
    assert max(taken) <= 2 * rendering.MOST_SAMPLES


def test_places_that_are_made_up_hold_the_wrong_pixels():
    """All places of the right figure, on the pixels of an empty one."""
    states = states_of(SHAPES[0])

    class Elsewhere(Probe):
        def _render(self, *, target, **request):
            real = super()._render(target=with_subplots(states), **request)["value"]
            return {"value": real | {"pixels": numpy.full_like(real["pixels"], 255)}}

    assert shown(lambda states: Figure(), states, Elsewhere) == "empty_figure"


def test_the_figure_is_left_as_it_was():
    from fixmelab.judged.rendered import render

    figure = with_subplots(states_of(SHAPES[0]))
    figure.axes[0].yaxis.set_visible(False)

    def looks():
        ticks = [axis.get_visible() for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
        return figure.dpi, figure.canvas, tuple(figure.get_size_inches()), ticks

    before = looks()
    rendered = render(figure, 900)
    assert max(rendered["pixels"].shape) == 900
    assert looks() == before


def test_ticks_and_their_labels_are_not_drawn():
    figure = Figure(figsize=(3, 3))
    figure.subplots()
    figure.axes[0].spines[:].set_visible(False)
    figure.axes[0].imshow(numpy.eye(9))
    rendered = render(figure, 300)
    [left, top, right, bottom] = [round(edge) for edge in rendered["places"][0][:4]]
    rendered["pixels"][top - 1 : bottom + 1, left - 1 : right + 1] = 255
    assert (rendered["pixels"] == 255).all()


def test_pictures_are_found_in_boxes_without_ticks_being_made_for_that():
    figure, axes = plt.subplots()
    axes.set_axis_off()
    axes.add_artist(AnnotationBbox(OffsetImage(numpy.eye(9)), (0.5, 0.5)))
    places = render(figure, 300)["places"]
    plt.close(figure)
    assert [9, 9] in [place[4:] for place in places]
    assert len(axes.xaxis.majorTicks) <= 1  # the first of those that are drawn is there from the start
