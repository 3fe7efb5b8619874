"""The procedural cats: what they promise, and that each factor does what it says."""

import pytest
import torch

from fixmelab.data import cats
from fixmelab.data.cats import FACTORS, draw_cats

# A factor shows only where the thing that it changes is there.
NEEDS = {"patch_side": {"patch": 1.0}}
JUMPS = {"patch_side"}


@pytest.fixture(scope="module")
def made():
    return cats(400, seed=0)


def steps(factor: str, count: int = 21, **others: float):
    """One plain cat whose factor goes from 0 to 1 while the others stay."""
    plain = dict.fromkeys(FACTORS, 0.5) | {"tabby": 0.0, "bib": 0.0, "patch": 0.0, "points": 0.0, "coat": 0.2}
    factors = {name: torch.full((count,), value) for name, value in (plain | NEEDS.get(factor, {}) | others).items()}
    factors[factor] = torch.linspace(0, 1, count)
    return draw_cats(factors)


def test_shapes_types_and_range(made):
    assert made.shape == (400, 3, 32, 32) and made.dtype == torch.float32 and made.is_contiguous()
    assert made.isfinite().all() and made.min() >= 0 and made.max() <= 1
    assert made.min() < 0.1 and made.max() > 0.95


@pytest.mark.parametrize("count", [1, 15, 16, 17, 123])  # around the size of the batches in which they are drawn
def test_the_same_seed_gives_the_same_bytes_whatever_the_count(made, count):
    assert torch.equal(cats(count, seed=0), made[:count])


def test_another_seed_gives_other_cats(made):
    assert (cats(16, seed=1) - made[:16]).abs().flatten(1).mean(dim=1).min() > 0.02


def test_no_two_cats_are_alike(made):
    assert torch.cdist(made.flatten(1), made.flatten(1)).fill_diagonal_(9).min() > 2


def test_every_cat_has_light_dark_and_colour(made):
    grey = made.mean(dim=1).flatten(1)
    assert grey.std(dim=1).min() > 0.04
    assert (grey.quantile(0.995, dim=1) - grey.quantile(0.005, dim=1)).min() > 0.35
    assert (made.amax(dim=1) - made.amin(dim=1)).mean(dim=(1, 2)).min() > 0.02


def test_the_set_is_varied_and_in_balance(made):
    assert (made.mean(dim=(0, 2, 3)) - 0.5).abs().max() < 0.15
    assert made.std(dim=0).min() > 0.1
    # Below 0.5 the mean cat would explain most: a set of nearly one picture.
    assert made.var(dim=0).mean() / made.var() > 0.5


def test_the_pictures_are_smooth_enough_to_learn(made):
    """Fifty directions of three thousand hold most of what varies."""
    centred = made.flatten(1) - made.flatten(1).mean(dim=0)
    power = torch.linalg.svdvals(centred).square()
    assert power[:50].sum() / power.sum() > 0.85
    across = (made[..., 1:] - made[..., :-1]).abs().mean()
    assert 0.01 < across < 0.08


def test_a_face_is_two_sided_and_its_eyes_stand_out():
    cat = steps("coat", count=1)[0]
    assert (cat - cat.flip(-1))[:, 4:].abs().mean() < 0.06  # but for the light, which comes from the left
    eyes, brow = cat[:, 15:20, 8:24].amin(dim=(0, 1)), cat[:, 8:11, 11:21].amin(dim=(0, 1))
    assert (eyes < 0.25).sum() >= 4 and brow.min() > 0.3


@pytest.mark.parametrize("factor", FACTORS)
def test_a_factor_moves_the_picture_and_smoothly(factor):
    pictures = steps(factor)
    each = (pictures[1:] - pictures[:-1]).flatten(1).norm(dim=1)
    assert each.sum() > 0.3
    if factor not in JUMPS:
        assert each.max() < 0.5 * each.sum()


def test_factors_mean_what_they_say():
    coats = steps("coat")[:, :, 9:12, 14:18].mean(dim=(1, 2, 3))
    assert coats[0] > 0.7 and coats[-1] < 0.35
    walls = steps("backdrop_light")[:, :, 0, 0].mean(dim=1)
    assert (walls.diff() > 0).all()
    lit = steps("light")[:, :, 9:12, 14:18].mean(dim=(1, 2, 3))
    assert (lit.diff() > 0).all()
    left, right = steps("patch_side", coat=0.0)[[0, -1]]
    assert ((left - right)[:, 8:14, 8:15].mean() < 0) and ((left - right)[:, 8:14, 17:24].mean() > 0)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="count is 0"):
        cats(0)
    half = {name: torch.full((2,), 0.5) for name in FACTORS}
    with pytest.raises(ValueError, match='factor "tilt"'):
        draw_cats({name: value for name, value in half.items() if name != "tilt"})
    with pytest.raises(ValueError, match='factor "near"'):
        draw_cats(half | {"near": torch.full((3,), 0.5)})
    with pytest.raises(ValueError, match='factor "coat"'):
        draw_cats({})
