"""A 10×10 grid of decoded images over z_i (columns) and z_j (rows), as a canvas (280, 280) and its figure.

With a known linear decoder the canvas is compared pixel by pixel; the figure must show it, in any brightness. Wrong
grids come out transposed, mirrored or upside down, with tiles cut up, other latents varied, or another range of values.
"""

from collections.abc import Callable
from typing import Any

import numpy
import torch
from torch import Tensor

from autograder.assignments.vae import reference
from autograder.judge.draw import Draw
from autograder.judge.drawing import figure_when_shown, new_figure
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.pictures import expect_canvas
from autograder.judge.student import Remote
from fixmelab.judged.toys import LinearDecoder


@exercise("vae.plot_latents")
def plot_latents(student: Remote, draw: Draw) -> None:
    latent_dim, side = 4, reference.SIDE
    weight, bias = 0.3 * draw.normal(side * side, latent_dim), 0.3 * draw.normal(side * side)
    # The notebook's own test looks at i = 0 and j = 1, the values that stand in the signature.
    figure, wanted = _figure_and_canvas(student, weight, bias, 2, 1)
    tiles = wanted.view(10, side, 10, side).transpose(1, 2)
    expect_canvas(figure, tiles)
    _figure_and_canvas(student, weight.flip(0), bias, 0, 3)  # no figure is kept for arguments of these kinds


def _figure_and_canvas(student: Remote, weight: Tensor, bias: Tensor, i: int, j: int) -> tuple[Any, Tensor]:
    """The figure for z_i and z_j, whose canvas is right, and that canvas."""

    def asked(weight: Tensor) -> tuple[Any, Tensor]:
        figure, canvas = expect(student(LinearDecoder(weight, bias), i=i, j=j), "what plot_latents returns").items(2)
        if isinstance(canvas, numpy.ndarray):
            canvas = torch.from_numpy(canvas)
        return figure, expect(canvas, "the canvas").shape(10 * reference.SIDE, 10 * reference.SIDE).value.float()

    def told() -> str | None:
        if not torch.equal(asked(weight)[1], canvas):
            return "another_at_each_call"
        return _told_of_grid(lambda weight: asked(weight)[1], bias, i, j)

    figure, canvas = asked(weight)
    wanted = reference.latent_canvas(weight, bias, i, j)
    expect(canvas, "the canvas").close(wanted, atol=1e-4, otherwise=told)
    return figure, wanted


def _told_of_grid(canvas_of: Callable[[Tensor], Tensor], bias: Tensor, i: int, j: int) -> str | None:
    """What is wrong with the ten values of z_i or z_j: each is seen by a decoder in which every pixel grows with it."""
    values, are_right = reference.latent_values(), []
    for latent, is_z_j in ((i, False), (j, True)):
        weight = torch.zeros(reference.SIDE**2, 4)
        weight[:, latent] = 0.3
        moved = (torch.logit(canvas_of(weight)) - bias.view(reference.SIDE, -1).repeat(10, 10)) / 0.3
        moved = moved.T if is_z_j else moved  # so that it should grow along the columns
        tiles = moved[:: reference.SIDE, :: reference.SIDE]
        grows_by_column, grows_by_row = (
            torch.allclose(
                wanted.repeat_interleave(reference.SIDE, 0).repeat_interleave(reference.SIDE, 1), moved, atol=1e-3
            )
            for wanted in (tiles[:1].expand(10, 10), tiles[:, :1].expand(10, 10))
        )
        if not grows_by_column and not grows_by_row:
            return None
        are_right.append(grows_by_column)
        if grows_by_column and not torch.allclose(tiles[0], values, atol=1e-3):
            return "other_values"
    return "both_in_one_direction" if sum(are_right) == 1 else None


def _with_figure(canvas):
    def draw(figure):
        figure.add_subplot().imshow(canvas, interpolation="nearest")

    return figure_when_shown(draw, figsize=(8, 3)), canvas  # low: fewer pixels, two for each of the canvas


def _decoded(model, z):
    with torch.no_grad():
        return model.decode(z.reshape(100, -1)).view(10, 10, 28, 28)


def _assembled(tiles):
    return _with_figure(tiles.permute(0, 2, 1, 3).reshape(280, 280))


@mistake("Rows and columns are swapped: z_i belongs to the columns, z_j to the rows.")
def rows_and_columns_swapped(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(model.latent_dim, j, i)))


@mistake("The grid stands on its head: the smallest z_j belongs to the top row.")
def upside_down(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j).flip(0)))


@mistake("The codes are drawn at random; they should form a regular grid.")
def random_codes(model, i=0, j=1):
    return _assembled(_decoded(model, torch.randn(10, 10, model.latent_dim)))


@mistake("The canvas is another at each call: nothing of it is random, and all other latents are 0.", broad=True)
def another_at_each_call(model, i=0, j=1):
    z = reference.latent_grid(model.latent_dim, i, j)
    return _assembled(_decoded(model, z + 0.1 * torch.randn(model.latent_dim) * (z == 0)))


@mistake(
    "The ten values of z_i, or of z_j, are not those asked for: ten from −3 to 3, both ends among them, equally far apart.",
    broad=True,
)
def other_values(model, i=0, j=1):
    z = reference.latent_grid(model.latent_dim, i, j)
    z[:, :, i] *= 1.5
    return _assembled(_decoded(model, z))


@mistake("z_i and z_j grow in the same direction: z_i belongs to the columns, z_j to the rows.", broad=True)
def both_in_one_direction(model, i=0, j=1):
    z = reference.latent_grid(model.latent_dim, i, j)
    z[:, :, i] = z[:, :, j]
    return _assembled(_decoded(model, z))


@mistake("The other latents are not 0.")
def other_latents_not_zero(model, i=0, j=1):
    z = reference.latent_grid(model.latent_dim, i, j)
    rest = torch.ones(model.latent_dim)
    rest[[i, j]] = 0
    return _assembled(_decoded(model, z + rest))


@mistake("The arguments i and j go unused: always the same two latents are varied.")
def always_the_first_two(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(model.latent_dim, 0, 1)))


@mistake(
    "The tiles are cut up: pixels of one tile do not stay together. Mind the order of the dimensions before reshaping."
)
def tiles_cut_up(model, i=0, j=1):
    return _with_figure(_decoded(model, reference.latent_grid(model.latent_dim, i, j)).reshape(280, 280))


@mistake("Each garment lies on its side: height and width within the tiles are swapped.")
def tiles_on_their_side(model, i=0, j=1):
    tiles = _decoded(model, reference.latent_grid(model.latent_dim, i, j))
    return _assembled(tiles.transpose(2, 3))


@mistake("The grid covers another range of values than the one asked for.")
def narrow_range(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j) / 3))


@mistake("The last value of the range is missing: both ends belong to the grid.")
def without_the_last_value(model, i=0, j=1):
    values = torch.arange(10) * 0.6 - 3
    z = reference.latent_grid(model.latent_dim, i, j)
    z[:, :, i], z[:, :, j] = values[None, :], values[:, None]
    return _assembled(_decoded(model, z))


@mistake("It works for two latents only; latent_dim may be larger.")
def two_latents_assumed(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(2, i, j)))


@mistake("The tiles come back apart; put them together into one canvas of (280, 280).")
def tiles_apart(model, i=0, j=1):
    tiles = _decoded(model, reference.latent_grid(model.latent_dim, i, j))
    return _with_figure(tiles.reshape(280, 280))[0], tiles


@mistake("The figure is empty: nothing is drawn in it.")
def empty_figure(model, i=0, j=1):
    _, canvas = _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j)))
    return new_figure(), canvas


@mistake("The grid is mirrored: the smallest z_i belongs to the leftmost column.")
def mirrored(model, i=0, j=1):
    return _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j).flip(1)))


@mistake("The finished canvas is transposed: rows and columns are swapped, and every tile lies on its side.")
def canvas_transposed(model, i=0, j=1):
    return _with_figure(_assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j)))[1].T)


@mistake("The grid covers another range of values than the one asked for: negative codes belong to it.")
def positive_range(model, i=0, j=1):
    values = torch.linspace(0, 1, 10)
    z = reference.latent_grid(model.latent_dim, i, j)
    z[:, :, i], z[:, :, j] = values[None, :], values[:, None]
    return _assembled(_decoded(model, z))


@mistake("The pixels are changed on the way into the canvas; they should be the decoder's own.")
def pixels_changed(model, i=0, j=1):
    return _assembled(1 - _decoded(model, reference.latent_grid(model.latent_dim, i, j)))


@mistake("The figure shows something else than the canvas that is returned.")
def figure_of_something_else(model, i=0, j=1):
    canvas = _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j)))[1]
    return _with_figure(canvas.T)[0], canvas


@equivalent
def grid_tile_by_tile(model, i=0, j=1):
    values, canvas = torch.linspace(-3, 3, 10), torch.zeros(280, 280)
    for row in range(10):
        for column in range(10):
            z = torch.zeros(1, model.latent_dim)
            z[0, i], z[0, j] = values[column], values[row]
            tile = model.decode(z).detach()[0, 0]
            canvas[28 * row : 28 * row + 28, 28 * column : 28 * column + 28] = tile
    return _with_figure(canvas.numpy())


@equivalent
def grid_with_one_picture_a_tile(model, i=0, j=1):
    tiles = _decoded(model, reference.latent_grid(model.latent_dim, i, j))
    figure = new_figure()
    for axis, tile in zip(figure.subplots(10, 10).flat, tiles.reshape(100, 28, 28), strict=True):
        axis.imshow(tile, cmap="gray")
    return figure, torch.cat([torch.cat(list(row), dim=1) for row in tiles], dim=0)


@equivalent
def grid_by_pcolormesh(model, i=0, j=1):
    _, canvas = _assembled(_decoded(model, reference.latent_grid(model.latent_dim, i, j)))
    figure = new_figure()
    figure.add_subplot().pcolormesh(canvas.flip(0), cmap="gray")
    return figure, canvas


HARMLESS = {
    "plot_latents without gradients": "Pictures are looked at.",
    "z.view(100, -1) → z": "A decoder of layers takes codes of any shape (…, K).",
    "plt.subplots(figsize=(6, 6))": "The size of the figure is free.",
    "-10 / 3": "The numbers at the axes are not asked for.",
    "10 / 3": "The numbers at the axes are not asked for.",
    "axes.set(xlabel=f'z_{i}', ylabel=f'z_{j}', title='What the decoder makes of each code') → pass": "The words at the axes are not asked for.",
    "f'z_{i}'": "The words at the axes are not asked for.",
    "f'z_{j}'": "The words at the axes are not asked for.",
    "plt.close(figure) → pass": "That is advice for Jupyter; the figure is the same.",
}
