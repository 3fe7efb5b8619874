"""Whether a student's figure shows what it must: looked at in its pixels, whatever draws it.

The student's process renders the figure and says where pictures lie in it; a place that it makes up holds the wrong
pixels. Colour maps, brightness, gaps, titles and sizes are free, and so is whether each picture has axes of its own or
many are put together into one. A process that sends such pixels has drawn the figure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy
import torch
from torch import Tensor

from autograder.judge.expect import expect
from autograder.judge.student import Remote

PIXELS = 1800  # of the rendered figure's longer side
MOST_PLACES = 2_000
MOST_SAMPLES = 4_000_000  # that are taken of all places together
MOST_PANELS = 1_000
# The squared differences between pixels whose values are neighbours, over those between pixels at random: almost 0 for
# the right picture, 1 for any other, within an eighth or so for the smallest pictures that are looked for, 64 pixels.
STRAY = 0.5
# How much of their ink lies apart in two drawings: 0.02 at most if they are the same, 0.2 at least if they are not.
SAME_INK = 0.08
STRAY_OF_TILES = 0.7  # for pictures of 784 pixels, of which labels may cover a part

Edges = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Panels:
    """Parts of a figure that may be one picture each: colours (P, H, W, 3), and where they lie."""

    colours: Tensor
    edges: list[Edges]


class Rendering:
    """A figure's pixels (H, W, 3), and the places where pictures may lie: their edges, rows and columns."""

    def __init__(self, figure: object) -> None:
        expect(figure, "the figure").kind("Figure")
        reply = figure.render(PIXELS) if isinstance(figure, Remote) else None
        pixels, places = (reply.get("pixels"), reply.get("places")) if isinstance(reply, dict) else (None, None)
        is_picture = (
            isinstance(pixels, numpy.ndarray)
            and pixels.dtype == numpy.uint8
            and pixels.ndim == 3
            and pixels.shape[2] == 3
            and 0 < max(pixels.shape[:2]) <= 2 * PIXELS
            and min(pixels.shape[:2]) > 0
        )
        if not isinstance(pixels, numpy.ndarray) or not is_picture or not isinstance(places, list):
            expect(reply).holds(False, "The figure cannot be rendered.")
            return
        self._pixels = torch.from_numpy(pixels)
        self._places = [place for place in places[:MOST_PLACES] if _is_place(place)]

    def panels(self, height: int, width: int) -> Panels:
        """All that may show a picture of this height and width."""
        colours: list[Tensor] = []
        edges: list[Edges] = []
        seen: set[tuple[int, ...]] = set()
        for (left, top, right, bottom, *_), drawn in self._drawn(height, width):
            pixels = tuple(map(round, (left, top, right, bottom)))
            if pixels in seen:  # axes that an image fills
                continue
            seen.add(pixels)
            rows, columns = drawn.shape[:2]
            across, down = (right - left) / columns, (bottom - top) / rows
            for y, x in islice(_tiles(rows, columns, height, width), MOST_PANELS - len(edges)):
                colours.append(drawn[y : y + height, x : x + width])
                ends = left + (x + width) * across, top + (y + height) * down
                edges.append((left + x * across, top + y * down, *ends))
        stacked = torch.stack(colours).float() if colours else torch.zeros(0, height, width, 3)
        return Panels(stacked, edges)

    def axes(self, side: int) -> Tensor:
        """The colours (P, side, side, 3) inside of each axes, whatever fills it."""
        found = {
            tuple(map(round, place[:4])): drawn
            for place, drawn in self._drawn(side, side)
            if not (place[4] or place[5])
        }
        return torch.stack(list(found.values())).float() if found else torch.zeros(0, side, side, 3)

    def _drawn(self, height: int, width: int) -> Iterator[tuple[list[float], Tensor]]:
        """Each place, and the colours (rows, columns, 3) in the middle of what was a pixel of what is drawn there; of
        axes, as if they were one picture of this height and width."""
        samples = 0
        for place in self._places:
            left, top, right, bottom, rows, columns = place
            rows, columns = int(rows) or height, int(columns) or width
            samples += rows * columns
            if samples > MOST_SAMPLES:
                return
            drawn = self._pixels[_centres(top, bottom, rows, self._pixels.shape[0])]
            yield place, drawn[:, _centres(left, right, columns, self._pixels.shape[1])]

    def refuse(self) -> None:
        """Fail, for a figure that does not show what it must."""
        is_drawn = any(place[4] and bool((drawn != drawn[:1, :1]).any()) for place, drawn in self._drawn(1, 1))
        expect(self).holds(is_drawn, "The figure is empty: nothing is drawn in it.", "empty_figure")
        expect(self).holds(False, "The figure shows something else than it should.", "figure_of_something_else")


def expect_shown(figure: object, states: Tensor) -> None:
    """The figure shows the states (S, B, C, H, W) of one image of the batch at least, each its own, in their order.

    In their order is from left to right or from top to bottom, in one line or in several.
    """
    rendering = Rendering(figure)
    panels = rendering.panels(*states.shape[3:])
    shown = _shown_best(panels, states.transpose(0, 1).flatten(0, 1))
    for first in range(0, len(shown), len(states)):
        found = shown[first : first + len(states)]
        turned = [[_turned(edges) for edges in places] for places in found]
        if _is_in_order(found) or _is_in_order(turned):
            return
    rendering.refuse()


def expect_canvas(figure: object, tiles: Tensor) -> None:
    """The figure shows the tiles (rows, columns, H, W) as a grid, in one picture or in one for each tile."""
    rows, columns, height, width = tiles.shape
    whole = tiles.permute(0, 2, 1, 3).reshape(1, rows * height, columns * width)
    rendering = Rendering(figure)
    if _shown_best(rendering.panels(rows * height, columns * width), whole[None])[0]:
        return
    if not _are_laid_out(rendering.panels(height, width), tiles):
        rendering.refuse()


def expect_drawn_panels(figure: object, count: int, mistake: str | None = None) -> None:
    """Something of its own is drawn in `count` axes of the figure at least, whatever it is: curves, points or pictures.

    `mistake` names the known mistake of a figure that draws one thing again and again.
    """
    side, edge = 200, 8  # samples of each axes, and how many at its edge may belong to its frame
    inside = Rendering(figure).axes(side)[:, edge:-edge, edge:-edge]
    filled = inside[(inside != inside[:, :1, :1]).flatten(1).any(dim=1)]
    drawn = f"Something is drawn in {len(filled)} panels, of {count}."
    expect(figure).holds(len(filled) >= count, drawn, "empty_figure")
    different = _count_different(filled)
    expect(figure).holds(different >= count, f"Only {different} of the panels differ, of {count}.", mistake)


def _count_different(colours: Tensor) -> int:
    """How many of the drawings (P, H, W, 3) differ, by the ink in each part: no two hit just the same pixels."""
    ink = (colours - colours.flatten(1, 2).median(dim=1).values[:, None, None]).movedim(3, 1)
    parts = torch.nn.functional.avg_pool2d(ink, ink.shape[2] // 8).flatten(1)
    apart = torch.cdist(parts, parts, p=1) / (parts.abs().sum(dim=1)[:, None] + parts.abs().sum(dim=1)).clamp(min=1e-9)
    kept: list[int] = []
    for number in range(len(parts)):
        if not kept or float(apart[number, kept].min()) > SAME_INK:
            kept.append(number)
    return len(kept)


def _are_laid_out(panels: Panels, tiles: Tensor) -> bool:
    """Whether there is a panel for each tile, and they show the tiles better than these turned or mirrored as a grid.

    Not each by itself: neighbours in a grid are alike, and labels of axes may cover much of a small panel.
    """
    rows, columns = tiles.shape[:2]
    strays = torch.stack([_strays(panels.colours, tile[None]) for tile in tiles.flatten(0, 1)])
    chosen = [k for k in range(len(panels.edges)) if float(strays[:, k].min()) < STRAY_OF_TILES]
    if len(chosen) != rows * columns:
        return False
    lines = sorted(chosen, key=lambda k: panels.edges[k][1])
    order = [
        sorted(lines[first : first + columns], key=lambda k: panels.edges[k][0])
        for first in range(0, len(lines), columns)
    ]
    numbers = torch.arange(rows * columns).view(rows, columns)
    turned = [numbers.rot90(turn) for turn in range(4)]
    found = torch.tensor([k for line in order for k in line])
    means = [float(strays[way.flatten(), found].mean()) for each in turned for way in (each, each.flip(0))]
    return means[0] < STRAY_OF_TILES and means[0] == min(means)


def _is_place(place: object) -> bool:
    """Six finite numbers: edges that lie in order and not far outside, rows and columns."""
    if not isinstance(place, list) or len(place) != 6 or not all(type(number) in (int, float) for number in place):
        return False
    left, top, right, bottom, rows, columns = place
    is_near = all(abs(edge) <= 10 * PIXELS for edge in place[:4])
    return is_near and left < right and top < bottom and 0 <= rows <= 2 * PIXELS and 0 <= columns <= 2 * PIXELS


def _centres(begin: float, end: float, count: int, size: int) -> Tensor:
    """The pixels in the middle of each of `count` equal parts."""
    parts = begin + (torch.arange(count, dtype=torch.float64) + 0.5) / count * (end - begin)
    return parts.floor().long().clamp(0, size - 1)


def _tiles(rows: int, columns: int, height: int, width: int) -> Iterator[tuple[int, int]]:
    """Where pictures of height × width begin in one of rows × columns: itself, or a grid with gaps or without."""
    for down, of_rows in _begins(rows, height):
        for across, of_columns in _begins(columns, width):
            # Gaps are the same in both directions; a single line leaves them open.
            if of_rows == of_columns or len(down) == 1 or len(across) == 1:
                yield from ((y, x) for y in down for x in across)


def _begins(size: int, part: int) -> Iterator[tuple[list[int], tuple[int, int]]]:
    """Where parts begin that fill a size with equal gaps between them; and (gap, margin).

    Around them is no margin, one like a gap, or half of one, as if each part had a margin of its own.
    """
    for count in range(1, size // part + 1):
        rest = size - count * part
        for units, of_gap, of_margin in ((count - 1, 1, 0), (count + 1, 1, 1), (2 * count, 2, 1)):
            unit = rest // units if units else 0
            if unit * units == rest and unit <= part and (unit or not of_margin):
                gap, margin = unit * of_gap, unit * of_margin
                yield [margin + k * (part + gap) for k in range(count)], (gap, margin)


def _shown_best(panels: Panels, pictures: Tensor) -> list[list[Edges]]:
    """For each of the pictures (N, C, H, W) where the panels lie that show it, and show it better than any other."""
    strays = torch.stack([_strays(panels.colours, picture) for picture in pictures])
    found: list[list[Edges]] = [[] for _ in pictures]
    if panels.edges:
        for edges, least, number in zip(panels.edges, *(part.tolist() for part in strays.min(dim=0)), strict=True):
            if least < STRAY:
                found[number].append(edges)
    return found


def _strays(colours: Tensor, picture: Tensor) -> Tensor:
    """How far colours (P, H, W, 3) are from following the values of a picture (C, H, W), C = 1 or 3; see STRAY. (P,).

    A picture of three channels may be shown in its colours, or as one channel. Upside down is as good, since that is
    how matplotlib draws meshes and images whose origin is below.
    """
    found = []
    for values in (picture, picture.flip(1)):
        found.append(_ratio(colours.flatten(1, 2), values.mean(dim=0)))
        if len(picture) == 3:
            channels = [_ratio(colours[..., c : c + 1].flatten(1, 2), values[c]) for c in range(3)]
            found.append(torch.stack(channels).amax(dim=0))
    return torch.stack(found).amin(dim=0)


def _ratio(shown: Tensor, values: Tensor) -> Tensor:
    """Von Neumann's ratio, halved, of shown (P, N, D) in the order of values, N of them: (P,). 1 if nothing varies."""
    spread = (shown - shown.mean(dim=1, keepdim=True)).square().sum(dim=(1, 2))
    steps = shown[:, values.flatten().argsort()].diff(dim=1).square().sum(dim=(1, 2))
    return torch.where(spread > 0, steps / (2 * spread), torch.ones_like(spread))


def _comes_after(one: Edges, other: Edges) -> bool:
    """Whether the second lies behind the first as in a text: to its right in the same line, or in a line below."""
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return y >= one[3] or (x >= one[2] and y >= one[1])


def _turned(edges: Edges) -> Edges:
    left, top, right, bottom = edges
    return top, left, bottom, right


def _is_in_order(found: list[list[Edges]]) -> bool:
    """Whether one place can be chosen for each picture such that each comes after the one before."""
    reached = found[0]
    for places in found[1:]:
        reached = [place for place in places if any(_comes_after(before, place) for before in reached)]
    return bool(reached)
