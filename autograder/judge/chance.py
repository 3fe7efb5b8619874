"""What chance allows: tests that look at both sides, since numbers too even to be drawn are no draws either."""

import math

import torch
from torch import Tensor

SIGMAS = 8.0  # a false alarm in 8e14 looks at a normal number

RATE = 1e-9  # of false alarms


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
    centred = row - row.mean()
    power = torch.fft.rfft(centred).abs() ** 2
    correlations = torch.fft.irfft(power, n=len(centred))
    if not correlations[0] > 0:
        return True
    return bool((correlations[1:].abs() / correlations[0]).max() > SIGMAS / len(centred) ** 0.5)


def are_shuffled(rows: Tensor) -> bool:
    """Whether a row of standard normal numbers (R, N), R ≥ 2, holds those of another, or their opposites, in any order.

    Numbers in order lie √(2/N) ∫|b| / φ apart on average if the rows are independent, b a Brownian bridge and 1/φ at
    least 2.5. They are taken for the same below 0.2/√N; P(∫|b| < ε) ~ e^(−0.16/ε²) makes that e^(−49) for a pair.
    """
    ordered = rows.double().sort(dim=1).values
    near = 0.2 * rows.shape[1] ** 0.5
    same = torch.cdist(ordered, ordered, p=1)
    same.fill_diagonal_(torch.inf)
    opposite = torch.cdist(ordered, -ordered.flip(1), p=1)
    opposite.fill_diagonal_(torch.inf)  # a row of pairs of opposite signs is too even
    return bool(torch.minimum(same, opposite).min() < near)
