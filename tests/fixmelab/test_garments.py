"""The procedural garments: what they promise, and that each factor does what it says."""

import pytest
import torch

from fixmelab.data import CLASS_NAMES, FACTORS, draw_garments, garments
from fixmelab.data.wardrobe import USED


@pytest.fixture(scope="module")
def made():
    return garments(2_000, seed=0)


def steps(label: int, factor: str, count: int = 9):
    """One garment whose factor goes from 0 to 1 while the others stay."""
    factors = {name: torch.full((count,), 0.55) for name in FACTORS}
    factors[factor] = torch.linspace(0, 1, count)
    return draw_garments(torch.full((count,), label), factors)


def test_shapes_types_and_range(made):
    assert made.images.shape == (2_000, 1, 28, 28) and made.images.dtype == torch.float32
    assert made.labels.shape == (2_000,) and made.labels.dtype == torch.int64
    assert made.images.isfinite().all() and made.images.min() == 0 and 0.9 < made.images.max() <= 1
    assert set(made.factors) == set(FACTORS)
    for values in made.factors.values():
        assert values.shape == (2_000,) and values.dtype == torch.float32
        assert 0 <= values.min() < 0.05 and 0.95 < values.max() <= 1


def test_classes_are_balanced_in_every_prefix_of_tens(made):
    for count in (10, 130, 2_000):
        assert torch.bincount(made.labels[:count], minlength=10).tolist() == [count // 10] * 10
    assert made.labels[:10].tolist() != made.labels[10:20].tolist()


def test_the_same_seed_gives_the_same_bytes_whatever_the_count(made):
    fewer = garments(123, seed=0)
    assert torch.equal(fewer.images, made.images[:123])
    assert torch.equal(fewer.labels, made.labels[:123])
    assert all(torch.equal(fewer.factors[name], made.factors[name][:123]) for name in FACTORS)
    assert not torch.equal(garments(123, seed=1).images, fewer.images)


def test_pictures_follow_from_labels_and_factors(made):
    assert torch.equal(draw_garments(made.labels, made.factors), made.images)


def test_factors_are_independent_of_each_other_and_of_the_class(made):
    table = torch.stack([*made.factors.values(), made.labels.float()])
    off_diagonal = torch.corrcoef(table) - torch.eye(len(table))
    assert off_diagonal.abs().max() < 0.12


def test_the_things_stand_within_the_frame(made):
    assert made.images.mean(dim=(0, 1))[[0, 0, -1, -1], [0, -1, 0, -1]].max() < 0.01
    filled = (made.images > 0.1).float().mean(dim=(1, 2, 3))
    assert filled.min() > 0.05 and filled.max() < 0.75


@pytest.mark.parametrize("label", range(10), ids=CLASS_NAMES)
def test_a_factor_moves_the_picture_smoothly_or_not_at_all(label):
    for factor in FACTORS:
        pictures = steps(label, factor)
        if factor not in USED[CLASS_NAMES[label]]:
            assert torch.equal(pictures, pictures[:1].expand_as(pictures)), factor
            continue
        whole = (pictures[-1] - pictures[0]).norm()
        each = (pictures[1:] - pictures[:-1]).flatten(1).norm(dim=1)
        assert whole > 0.35, factor
        assert each.max() < 0.75 * each.sum(), factor  # no jump does all of it


def test_brightness_and_length_mean_what_they_say():
    bright = steps(0, "brightness").mean(dim=(1, 2, 3))
    assert (bright.diff() > 0).all()
    rows = (steps(3, "length") > 0.1).any(dim=3).sum(dim=(1, 2))
    assert (rows.diff() >= 0).all() and rows[-1] - rows[0] >= 4


def test_a_linear_classifier_tells_the_classes_apart(made):
    test = garments(500, seed=1)

    def inputs(images):
        return torch.cat([images.flatten(1), torch.ones(len(images), 1)], dim=1)

    x, y = inputs(made.images), torch.nn.functional.one_hot(made.labels, 10).float()
    weights = torch.linalg.solve(x.T @ x + 3.0 * torch.eye(785), x.T @ y)
    right = (inputs(test.images) @ weights).argmax(dim=1) == test.labels
    assert right.float().mean() > 0.9


def test_a_count_below_one_is_refused():
    with pytest.raises(ValueError, match="count is 0"):
        garments(0)


def test_what_cannot_be_drawn_is_refused():
    half = {name: torch.full((2,), 0.5) for name in FACTORS}
    with pytest.raises(ValueError, match="from 3 to 10"):
        draw_garments(torch.tensor([3, 10]), half)
    with pytest.raises(ValueError, match='factor "width"'):
        draw_garments(torch.tensor([3, 4, 5]), half)
    with pytest.raises(ValueError, match='factor "heel"'):
        draw_garments(torch.tensor([3, 4]), {name: value for name, value in half.items() if name != "heel"})
