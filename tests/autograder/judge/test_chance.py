"""Draws that scatter too little are no draws; honest ones are accused less than once in 10⁹."""

import math

import pytest
import torch

from autograder.assignments.diffusion import trials as diffusion
from autograder.assignments.gcn import common as gcn
from autograder.judge.chance import RATE, are_shuffled, is_too_even
from autograder.judge.verdict import ExpectationFailed


def test_balanced_numbers_are_seen_and_drawn_ones_are_not():
    drawn = torch.randn(1000, 8, generator=torch.Generator().manual_seed(0)) ** 2
    assert not any(is_too_even(row) for row in drawn)
    assert is_too_even(torch.zeros(8)) and is_too_even(torch.full((8,), 1e-3))


@pytest.mark.parametrize("freedom", [2, 8, 24, 48])
def test_the_bound_keeps_the_stated_rate(freedom):
    """The distribution of χ² below the largest sum that is refused, by its series."""
    low, high = 0.0, float(freedom)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if is_too_even(torch.full((freedom,), middle / freedom)) else (low, middle)
    half = low / 2
    chance = sum(
        math.exp(-half + (freedom / 2 + n) * math.log(half) - math.lgamma(freedom / 2 + n + 1)) for n in range(60)
    )
    assert chance <= RATE


def noises(pairs: bool) -> list[torch.Tensor]:
    """Two draws of noise for 1,400 images, each half of it the other's opposite if `pairs`."""
    drawn = torch.randn(2, 1400, 2, 3, 2, generator=torch.Generator().manual_seed(1))
    if pairs:
        drawn[:, 700:] = -drawn[:, :700]
    return list(drawn[:, torch.randperm(1400, generator=torch.Generator().manual_seed(2))])


def test_noise_in_pairs_of_opposite_signs_is_refused():
    diffusion.expect_white_noise(noises(pairs=False), "a test")
    with pytest.raises(ExpectationFailed, match="too exact"):
        diffusion.expect_white_noise(noises(pairs=True), "a test")


def test_a_shuffled_deck_is_refused_and_draws_are_not():
    chances = torch.tensor([0.5, 0.3, 0.2, 0.0], dtype=torch.float64)
    deck = torch.tensor([0] * 100 + [1] * 60 + [2] * 40)
    dealt = [deck[torch.randperm(200)].view(50, 4) for _ in range(12)]
    with pytest.raises(ExpectationFailed, match="too exactly"):
        gcn.expect_scatter(dealt, chances)
    for _ in range(200):
        gcn.expect_scatter([torch.multinomial(chances, 200, replacement=True).view(50, 4) for _ in range(12)], chances)


def test_an_index_that_is_far_too_large_takes_no_memory():
    with pytest.raises(ExpectationFailed, match="do not follow"):
        gcn.expect_scatter([torch.tensor([[400_000_000_000]])], torch.full((4,), 0.25, dtype=torch.float64))


@pytest.mark.parametrize("change", [lambda row: row.flip(0), lambda row: -row, lambda row: row[torch.randperm(900)]])
def test_numbers_in_another_order_are_seen_and_drawn_ones_are_not(change):
    drawn = torch.randn(40, 900, generator=torch.Generator().manual_seed(3))
    assert not are_shuffled(drawn)
    drawn[7] = change(drawn[31]) + 1e-5
    assert are_shuffled(drawn)


def test_just_the_right_counts_come_by_chance():
    """With two outcomes they do once in a hundred times."""
    dealt = (torch.arange(2400) % 2)[torch.randperm(2400, generator=torch.Generator().manual_seed(3))].view(600, 4)
    gcn.expect_draws(dealt, torch.tensor([0.5, 0.5], dtype=torch.float64), (600, 4), {})


@pytest.mark.parametrize("noise", (0.0, 0.05, 0.1, 0.2, 0.3, 0.5))
@pytest.mark.parametrize("count", (1, 7, 24, 300))
def test_rows_that_are_compared_in_parts_first_come_to_the_same(count: int, noise: float) -> None:
    generator, near = torch.Generator().manual_seed(count), 0.2 * count**0.5
    for sign in (1, -1):
        rows = torch.randn(5, count, generator=generator).double()
        again = rows[0, torch.randperm(count, generator=generator)]
        rows[3] = sign * again + noise * torch.randn(count, generator=generator)
        ordered = rows.sort(dim=1).values
        apart = [torch.cdist(ordered, other, p=1).fill_diagonal_(torch.inf) for other in (ordered, -ordered.flip(1))]
        assert are_shuffled(rows) == bool(torch.minimum(*apart).min() < near)
