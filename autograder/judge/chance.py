"""What chance allows: tests that look at both sides, since numbers too even to be drawn are no draws either."""

import math

import numpy
import torch
from torch import Tensor

SIGMAS = 8.0  # a false alarm in 8e14 looks at a normal number

RATE = 1e-9  # of false alarms

PARTS = 24  # into which rows are cut before they are compared number by number


def is_too_even(squares: Tensor, freedom: int | None = None) -> bool:
    """Whether the sum of squares of independent standard normal numbers is smaller than chance lets it be.

    `freedom` is how many of them are independent, all unless given. By Chernoff's bound, P(χ²_d ≤ r d) ≤
    (r e^{1−r})^{d/2} for r ≤ 1, which is below RATE where this is True.
    """
    freedom = squares.numel() if freedom is None else freedom
    ratio = float(squares.double().sum()) / freedom
    if ratio >= 1:
        return False
    return ratio == 0 or freedom / 2 * (math.log(ratio) + 1 - ratio) < math.log(RATE)


def is_repetitive(values: Tensor) -> bool:
    """Whether numbers that should be independent, taken in a row, are correlated with themselves at any distance.

    Autocorrelations are normal with deviation 1/√n if the numbers are independent; all n/2 of them are looked at, by
    way of the Fourier transform (Wiener and Khinchin), and must lie within SIGMAS deviations. False alarms: below 1e-9
    for a million numbers.
    """
    row = values.flatten().double()
    count, centred = len(row), row - row.mean()
    # Zeros up to a power of two: a transform of just these numbers takes ten times as long if their count is a prime.
    padded = 2 ** (2 * count - 1).bit_length()
    beside = torch.fft.irfft(torch.fft.rfft(centred, n=padded).abs() ** 2, n=padded)[:count]
    if not beside[0] > 0:
        return True
    around = beside[1:] + beside[1:].flip(0)  # what lies k apart in a circle lies k or n − k apart in the row
    return bool((around.abs() / beside[0]).max() > SIGMAS / count**0.5)


def are_shuffled(rows: Tensor) -> bool:
    """Whether a row of standard normal numbers (R, N), R ≥ 2, holds those of another, or their opposites, in any order.

    Numbers in order lie √(2/N) ∫|b| / φ apart on average if the rows are independent, b a Brownian bridge and 1/φ at
    least 2.5. They are taken for the same below 0.2/√N; P(∫|b| < ε) ~ e^(−0.16/ε²) makes that e^(−49) for a pair.
    """
    # NumPy sorts several times faster.
    ordered = torch.from_numpy(numpy.sort(rows.double().numpy(), axis=1))
    near = 0.2 * rows.shape[1] ** 0.5
    # A row of pairs of opposite signs is too even: it is not compared with itself either.
    return _are_some_near(ordered, ordered, near) or _are_some_near(ordered, -ordered.flip(1), near)


def _are_some_near(rows: Tensor, others: Tensor, near: float) -> bool:
    """Whether the differences of a row (R, N) and another's in `others` (R, N), but that of its number, come to less
    than `near`. Differences of sums over parts of two rows come to no more than those of the rows, and are few."""
    parts, of_others = (
        torch.stack([part.sum(dim=1) for part in some.tensor_split(PARTS, dim=1)], dim=1) for some in (rows, others)
    )
    may_be = torch.cdist(parts, of_others, p=1) < 1.001 * near  # rounding aside
    may_be.fill_diagonal_(False)
    return any(
        bool(((row - others[which]).abs().sum(dim=1) < near).any())
        for row, which in zip(rows, may_be, strict=True)
        if which.any()
    )
