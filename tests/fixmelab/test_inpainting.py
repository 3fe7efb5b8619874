"""Holes, their roughness, and the two players of the notebook on adversarial training."""

import pytest
import torch

from fixmelab import HoleFiller, PictureCritic
from fixmelab.data import roughness, square_holes


@pytest.mark.parametrize("size", [1, 5, 16, 20])
def test_holes_are_squares_away_from_the_edge(size):
    torch.manual_seed(0)
    holes = square_holes(50, size)
    assert holes.shape == (50, 1, 28, 28) and holes.unique().tolist() == [0, 1]
    assert (holes.sum(dim=(1, 2, 3)) == size * size).all()
    assert (holes.amax(dim=3).sum(dim=2) == size).all() and (holes.amax(dim=2).sum(dim=2) == size).all()
    inside = torch.zeros(28, 28)
    inside[4:24, 4:24] = 1
    assert not (holes * (1 - inside)).any()
    if size < 20:
        assert len(holes.flatten(1).unique(dim=0)) > 5


@pytest.mark.parametrize("size", [0, 21])
def test_a_hole_must_fit(size):
    with pytest.raises(ValueError, match="give 1 to 20 pixels"):
        square_holes(2, size)


def test_roughness_counts_neighbours_in_the_hole():
    m = torch.zeros(1, 1, 4, 4)
    m[..., 1:3, 1:3] = 1
    images = torch.zeros(1, 1, 4, 4)
    images[..., 1, 1], images[..., 0, 0] = 1, 9
    assert roughness(images, m) == pytest.approx(2 / 4)  # of four pairs in the hole, two differ, by 1
    assert roughness(images.expand(-1, 3, -1, -1), m) == pytest.approx(2 / 4)
    with pytest.raises(ValueError, match="no two neighbours"):
        roughness(images, torch.zeros_like(m))


def test_the_players_take_pictures():
    filler, critic = HoleFiller(width=8), PictureCritic(channels=2)
    x, m = torch.rand(3, 1, 28, 28), torch.zeros(3, 1, 28, 28)
    filled = filler(x, m)
    assert filled.shape == x.shape and float(filled.min()) > 0 and float(filled.max()) < 1
    assert critic(filled).shape == (3,)
    assert not torch.equal(filled, filler(x, 1 - m))  # it looks at the mask
