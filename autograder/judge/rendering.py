"""A student's figure as the judge sees it: pixels, and the parts of them that may be pictures.

What this costs is bounded, whatever the figure holds: MOST_SAMPLES in all places, and in all parts together.
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
MOST_SAMPLES = 4_000_000  # that are taken of all places together, and in all panels
MOST_PANELS = 1_000
Edges = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Panels:
    """Parts of a figure that may be one picture of H × W each: colours (H · W, P, 3), and where they lie."""

    colours: Tensor
    edges: list[Edges]

    def spread(self) -> Tensor:
        """The sum of squares of each channel about its mean, (P, 3)."""
        return (self.colours - self.colours.mean(dim=0)).square().sum(dim=0)


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
        """All that may show a picture of this height and width, MOST_SAMPLES in all."""
        most = min(MOST_PANELS, MOST_SAMPLES // (height * width))
        found: dict[tuple[int, ...], tuple[Tensor, Edges]] = {}  # by their pixels: what fills its axes counts once
        for colours, edges in islice(self._tried(height, width), most):
            found.setdefault(tuple(map(round, edges)), (colours, edges))
        colours = torch.zeros(height * width, len(found), 3)
        for number, (pixels, _) in enumerate(found.values()):
            colours[:, number] = pixels.flatten(0, 1)
        return Panels(colours, [edges for _, edges in found.values()])

    def filled(self) -> list[Tensor]:
        """What is drawn, whatever it is, in places that do not overlap: colours (H, W, 3), not all of them one."""
        side, edge = 200, 8  # samples of each place, and how many at its edge may belong to its frame
        apart: list[Edges] = []
        found = []
        places = {tuple(map(round, place[:4])): _edges(place) for place in self._places}
        for edges in sorted(islice(places.values(), MOST_SAMPLES // side**2), key=_area):
            inside = self._sampled(edges, side, side)[edge:-edge, edge:-edge]
            if bool((inside != inside[:1, :1]).any()) and not any(holds_the_middle_of(edges, other) for other in apart):
                apart.append(edges)
                found.append(inside)
        return found

    def _tried(self, height: int, width: int) -> Iterator[tuple[Tensor, Edges]]:
        """What may show a picture of this height and width: colours and edges."""
        for (left, top, right, bottom), drawn in self._drawn(height, width):
            rows, columns = drawn.shape[:2]
            across, down = (right - left) / columns, (bottom - top) / rows
            for y, x in _tiles(rows, columns, height, width):
                ends = left + (x + width) * across, top + (y + height) * down
                yield drawn[y : y + height, x : x + width], (left + x * across, top + y * down, *ends)

    def _drawn(self, height: int, width: int) -> Iterator[tuple[Edges, Tensor]]:
        """Edges and colours (rows, columns, 3) of each place: as many as were drawn there, and as of one picture of
        this height and width.

        If it is not known how many were drawn, the middles of the outer pixels may lie on the edges, too, as those of
        contours and points do: there they are looked for a bit further in, since a frame may cover the edge itself.
        """
        samples, seen = 0, set()
        for place in self._places:
            (left, top, right, bottom), (rows, columns) = _edges(place), map(int, place[4:])
            pixels = tuple(map(round, place[:4]))
            ways = [(_edges(place), rows, columns)] if rows and columns else []
            if pixels not in seen:
                ways.append((_edges(place), height, width))
                if ways[0][1:] != (rows, columns):
                    x, y = 0.4 * (right - left) / max(width - 1, 1), 0.4 * (bottom - top) / max(height - 1, 1)
                    ways.append(((left - x, top - y, right + x, bottom + y), height, width))
            seen.add(pixels)
            for edges, down, across in dict.fromkeys(ways):
                samples += down * across
                if samples > MOST_SAMPLES:
                    return
                yield edges, self._sampled(edges, down, across)

    def _sampled(self, edges: Edges, rows: int, columns: int) -> Tensor:
        """The colours in the middle of rows × columns equal parts between the edges, (rows, columns, 3) uint8."""
        left, top, right, bottom = edges
        lines = self._pixels[_centres(top, bottom, rows, self._pixels.shape[0])]
        return lines[:, _centres(left, right, columns, self._pixels.shape[1])]

    def refuse(self) -> None:
        """Fail, for a figure that does not show what it must."""
        expect(self).holds(bool(self.filled()), "The figure is empty: nothing is drawn in it.", "empty_figure")
        expect(self).holds(False, "The figure shows something else than it should.", "figure_of_something_else")


def _is_place(place: object) -> bool:
    """Six finite numbers: edges that lie in order and not far outside, rows and columns."""
    if not isinstance(place, list) or len(place) != 6 or not all(type(number) in (int, float) for number in place):
        return False
    left, top, right, bottom, rows, columns = place
    is_near = all(abs(edge) <= 10 * PIXELS for edge in place[:4])
    return is_near and left < right and top < bottom and 0 <= rows <= 2 * PIXELS and 0 <= columns <= 2 * PIXELS


def _edges(place: list[float]) -> Edges:
    left, top, right, bottom = place[:4]
    return left, top, right, bottom


def _area(edges: Edges) -> float:
    return (edges[2] - edges[0]) * (edges[3] - edges[1])


def holds_the_middle_of(edges: Edges, other: Edges) -> bool:
    """Whether the middle of the second lies in the first."""
    x, y = (other[0] + other[2]) / 2, (other[1] + other[3]) / 2
    return edges[0] <= x <= edges[2] and edges[1] <= y <= edges[3]


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
