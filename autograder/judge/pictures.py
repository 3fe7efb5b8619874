"""Whether a student's figure shows what it must: looked at in its pixels, whatever draws it.

The student's process renders the figure and says where pictures lie in it; a place that it makes up holds the wrong
pixels. Colour maps, brightness, gaps, titles and sizes are free, and so is whether each picture has axes of its own or
many are put together into one. A process that sends such pixels has drawn the figure.
"""

import torch
from torch import Tensor

from autograder.judge.expect import expect
from autograder.judge.rendering import Edges, Panels, Rendering, holds_the_middle_of

# The squared differences between pixels whose values are neighbours, over those between pixels at random: almost 0 for
# the right picture, 1 for any other, within an eighth or so for the smallest pictures that are looked for, 64 pixels.
STRAY = 0.5
# How much of their ink lies apart in two drawings: 0.02 at most if they are the same, 0.2 at least if they are not.
SAME_INK = 0.08
STRAY_OF_TILES = 0.7  # for pictures of 784 pixels, of which labels may cover a part


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
    """Something of its own is drawn in `count` panels of the figure at least: curves, points or pictures.

    `mistake` names the known mistake of a figure that draws one thing again and again.
    """
    filled = Rendering(figure).filled()
    drawn = f"Something is drawn in {len(filled)} panels, of {count}."
    expect(figure).holds(len(filled) >= count, drawn, "empty_figure")
    different = _count_different(torch.stack(filled).float())
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
    if not panels.edges:
        return False
    strays = _strays(panels, tiles.flatten(0, 1)[:, None])
    least = strays.amin(dim=0)
    chosen: list[int] = []
    for k in least.argsort().tolist():
        if least[k] >= STRAY_OF_TILES or len(chosen) > rows * columns:
            break
        if not any(holds_the_middle_of(panels.edges[other], panels.edges[k]) for other in chosen):
            chosen.append(k)
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


def _shown_best(panels: Panels, pictures: Tensor) -> list[list[Edges]]:
    """For each of the pictures (N, C, H, W) where the panels lie that show it, and show it better than any other."""
    strays = _strays(panels, pictures)
    found: list[list[Edges]] = [[] for _ in pictures]
    if panels.edges:
        for edges, least, number in zip(panels.edges, *(part.tolist() for part in strays.min(dim=0)), strict=True):
            if least < STRAY:
                found[number].append(edges)
    return found


def _strays(panels: Panels, pictures: Tensor) -> Tensor:
    """How far panels are from following the values of pictures (N, C, H, W), C = 1 or 3: (N, P).

    That is von Neumann's ratio, halved, of the colours in the order of the values; 1 if nothing varies. See STRAY. A
    picture of three channels may be shown in its colours, or as one channel. Upside down is as good, since that is how
    matplotlib draws meshes and images whose origin is below.
    """
    spread, by_channel = panels.spread(), panels.colours.permute(2, 0, 1).contiguous()
    found = []
    for picture in pictures:
        ways = []
        for values in (picture, picture.flip(1)):
            ways.append(_ratio(_steps(panels.colours, values.mean(dim=0)).sum(dim=1), spread.sum(dim=1)))
            if len(picture) == 3:
                channels = [_ratio(_steps(by_channel[c], values[c]), spread[:, c]) for c in range(3)]
                ways.append(torch.stack(channels).amax(dim=0))
        found.append(torch.stack(ways).amin(dim=0))
    return torch.stack(found)


def _steps(colours: Tensor, values: Tensor) -> Tensor:
    """The sum of squared differences between neighbours in colours (N, …), in the order of values, N of them: (…)."""
    ordered = colours.index_select(0, values.flatten().argsort())
    return (ordered[1:] - ordered[:-1]).square_().sum(dim=0)


def _ratio(steps: Tensor, spread: Tensor) -> Tensor:
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
