"""Holes in pictures, and how rough what lies in them is."""

import torch
from torch import Tensor

SIDE = 28
MARGIN = 4  # pixels that are always left at each edge


def square_holes(count: int, size: int = 16, *, device: torch.device | str | None = None) -> Tensor:
    """Masks (count, 1, 28, 28): 1 in a square of size × size pixels at a random place, 0 around it.

    At least four pixels are left at each edge. Places come from torch's own random numbers on `device`.
    Raises ValueError if the square does not fit.
    """
    places = SIDE - 2 * MARGIN - size + 1
    if size < 1 or places < 1:
        raise ValueError(f"size is {size}: give 1 to {SIDE - 2 * MARGIN} pixels")
    corners = MARGIN + torch.randint(places, (2, count, 1), device=device)
    pixels = torch.arange(SIDE, device=device)
    rows, columns = ((pixels >= corner) & (pixels < corner + size) for corner in corners)
    return (rows[:, :, None] & columns[:, None, :])[:, None].float()


def roughness(images: Tensor, m: Tensor) -> float:
    """How much neighbouring pixels in the holes differ: the mean of |difference| over all pairs, side by side or one
    above the other, that lie in the hole of m. A blurred picture has less of it than a sharp one.

    images: (B, C, H, W); m: (B, 1, H, W), 1 in the hole. Raises ValueError if no two neighbours lie in a hole.
    """
    total, pairs = 0.0, 0.0
    for dim in (2, 3):
        inside = m.diff(dim=dim).eq(0) & m.narrow(dim, 0, m.shape[dim] - 1).gt(0)
        total += float((images.diff(dim=dim).abs() * inside).sum())
        pairs += float(inside.sum()) * images.shape[1]
    if not pairs:
        raise ValueError("no two neighbours lie in a hole: look at m, which is 1 in the hole")
    return total / pairs
