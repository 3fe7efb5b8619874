"""Random views of pictures: what stays of a garment that is shifted, turned, scaled, mirrored and lit otherwise."""

import math

import torch
from torch import Tensor
from torch.nn import functional


def random_views(images: Tensor, *, strength: float = 1.0) -> Tensor:
    """A random view of each image, (N, C, H, W) in [0, 1], on the images' device, from torch's random numbers.

    Each is mirrored by chance, turned by up to 20°, scaled by up to 25 %, shifted by up to 15 % of its side, made
    darker by up to half and strewn with noise of standard deviation 0.05; all times `strength`, mirroring aside.

    Raises ValueError if the images have another number of dimensions, or if the strength is negative.
    """
    if images.ndim != 4:
        raise ValueError(f"the images have shape {tuple(images.shape)}: give (N, C, H, W)")
    if strength < 0:
        raise ValueError(f"the strength is {strength}: give a number of at least 0")

    def between(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(len(images), device=images.device, dtype=images.dtype)

    angle = between(-1, 1) * math.radians(20) * strength
    scale = torch.exp(between(-0.25, 0.25) * strength)
    mirror = 1 - 2 * torch.randint(2, (len(images),), device=images.device).to(images.dtype)
    across, down = (between(-0.3, 0.3) * strength for _ in range(2))  # of half a side
    rows = [
        torch.stack([mirror * scale * angle.cos(), -scale * angle.sin(), across], dim=1),
        torch.stack([mirror * scale * angle.sin(), scale * angle.cos(), down], dim=1),
    ]
    grid = functional.affine_grid(torch.stack(rows, dim=1), list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, align_corners=False)
    light = (1 - between(0, 0.5) * strength).view(-1, 1, 1, 1)
    return (light * moved + 0.05 * strength * torch.randn_like(images)).clamp(0, 1)
