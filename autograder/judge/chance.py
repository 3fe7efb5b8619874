"""What chance allows: tests that look at both sides, since numbers too even to be drawn are no draws either."""

import math

from torch import Tensor

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
