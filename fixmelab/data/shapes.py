"""Anti-aliased drawing of batches of small pictures with signed distances, in NumPy.

A distance is negative inside a shape and positive outside, in units of the picture, which spans [-1, 1] in x (to the
right) and y (downwards). Everything broadcasts over (count, size, size); `pixel` is a pixel's width, 2 / size.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import overload

import numpy as np

Array = np.ndarray | float


def centres(size: int) -> np.ndarray:
    """Coordinates of the pixels' centres, (size,) float32."""
    return ((np.arange(size, dtype=np.float32) + 0.5) * (2.0 / size) - 1.0).astype(np.float32)


@overload
def mix(start: Array, end: Array, share: np.ndarray) -> np.ndarray: ...


@overload
def mix(start: np.ndarray, end: Array, share: float) -> np.ndarray: ...


@overload
def mix(start: float, end: np.ndarray, share: float) -> np.ndarray: ...


def mix(start: Array, end: Array, share: Array) -> Array:
    """`start` where share is 0, `end` where it is 1."""
    return start + (end - start) * share


def smooth(edge_0: Array, edge_1: Array, value: Array) -> np.ndarray:
    """Smooth step from 0 at `edge_0` to 1 at `edge_1`."""
    t = np.clip((value - edge_0) / (edge_1 - edge_0), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def coverage(distance: np.ndarray, pixel: Array) -> np.ndarray:
    """Share of each pixel that a shape covers: the edge is one pixel wide."""
    return np.clip(0.5 - distance / pixel, 0.0, 1.0)


def join(one: np.ndarray, other: np.ndarray, reach: float) -> np.ndarray:
    """Union of two shapes, the notch between them filled smoothly where both edges are nearer than `reach`."""
    blend = np.maximum(0.0, reach - np.abs(one - other)) / reach
    return np.minimum(one, other) - blend * blend * (reach / 4)


def line(distance: np.ndarray, width: Array) -> np.ndarray:
    """Soft line along distance 0: 1 on it, below one half at `width` beside it, 0 from 1.7 widths on."""
    return np.square(np.maximum(1.0 - np.square(distance / (1.7 * width)), 0.0))


def curve(at: np.ndarray, knots: Sequence[tuple[Array, Array]]) -> np.ndarray:
    """Smooth curve through `knots` (position, value), positions ascending, constant beyond the ends.

    Cubic Hermite segments; the slope at a knot is the mean of the two neighbouring secants'.
    """
    position, value = zip(*knots, strict=True)
    secant = [(value[k + 1] - value[k]) / (position[k + 1] - position[k]) for k in range(len(knots) - 1)]
    slope = [secant[0], *((a + b) / 2 for a, b in zip(secant, secant[1:], strict=False)), secant[-1]]
    result = np.where(at < position[0], value[0], value[-1])
    for k in range(len(knots) - 1):
        step = position[k + 1] - position[k]
        t = (at - position[k]) / step
        bend = t * (1 - t) * ((slope[k] - secant[k]) * (1 - t) + (secant[k] - slope[k + 1]) * t) * step
        inside = (at >= position[k]) & (at < position[k + 1])
        result = np.where(inside, mix(value[k], value[k + 1], t) + bend, result)
    return result


def between(across: np.ndarray, low: np.ndarray, high: np.ndarray, axis: int, pixel: float) -> np.ndarray:
    """Distance to the region low < across < high, whose borders are curves along `axis` (-1 for x, -2 for y)."""
    tilt_low = np.sqrt(1.0 + np.square(np.gradient(low, pixel, axis=axis)))
    tilt_high = np.sqrt(1.0 + np.square(np.gradient(high, pixel, axis=axis)))
    return np.maximum((low - across) / tilt_low, (across - high) / tilt_high)


def convex(x: np.ndarray, y: np.ndarray, corners: Sequence[tuple[Array, Array]]) -> np.ndarray:
    """Distance to a convex polygon, its corners in clockwise order on the screen (exact inside and near the edges)."""
    return reduce(np.maximum, _beyond_sides(x, y, corners))


def _beyond_sides(x: np.ndarray, y: np.ndarray, corners: Sequence[tuple[Array, Array]]) -> Iterator[np.ndarray]:
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        ex, ey = bx - ax, by - ay
        length = np.sqrt(ex * ex + ey * ey)
        yield (x - ax) * (ey / length) - (y - ay) * (ex / length)


def ellipse(x: np.ndarray, y: np.ndarray, centre: tuple[Array, Array], radii: tuple[Array, Array]) -> np.ndarray:
    """First-order distance to an ellipse: its implicit function over the length of the gradient."""
    u, v = (x - centre[0]) / radii[0], (y - centre[1]) / radii[1]
    level = np.sqrt(u * u + v * v) + 1e-6
    gradient = np.sqrt(np.square(u / radii[0]) + np.square(v / radii[1])) / level + 1e-6
    return (level - 1.0) / gradient


def segment(x: np.ndarray, y: np.ndarray, start: tuple[Array, Array], end: tuple[Array, Array]) -> np.ndarray:
    """Unsigned distance to a line segment."""
    ex, ey = end[0] - start[0], end[1] - start[1]
    wx, wy = x - start[0], y - start[1]
    t = np.clip((wx * ex + wy * ey) / (ex * ex + ey * ey), 0.0, 1.0)
    return np.sqrt(np.square(wx - ex * t) + np.square(wy - ey * t))
