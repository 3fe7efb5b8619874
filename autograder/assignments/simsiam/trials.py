"""What was asked of a simulation of linear SimSiam and what came, and what holds along every solution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from autograder.assignments.simsiam import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import Mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote

ROOM = 0.015  # of the largest value, and as much of each
LIKE_EULER = 0.5  # how much of what a right flow in too long steps is off by is not a multiple of Euler's error
AT_MANY_TIMES = {"predictor": False, "weight_decay": 0.3}  # where time that is left out shows most
CASES: tuple[tuple[int, int, dict[str, Any]], ...] = (
    (2, 3, {"predictor_rate": 0.0}),
    (3, 2, {"predictor_rate": 0.0, "stop_gradient": False}),
    (2, 4, AT_MANY_TIMES),
    (3, 3, {"predictor": False, "stop_gradient": False, "weight_decay": 0.2, "predictor_rate": 2.0}),
    (3, 4, {"weight_decay": 0.35, "predictor_rate": 2.5}),
    (2, 3, {"weight_decay": 0.3, "predictor_rate": 0.4, "stop_gradient": False}),
    (3, 2, {}),
)


@dataclass(frozen=True, eq=False)
class Solution:
    """What was asked, and what came: norms (T, 2), eigenvalues (T, n_2) and W (T, n_2, n_1). As a key it is only what
    was asked."""

    start: tuple[Tensor, ...]
    times: Tensor
    options: dict[str, Any]
    got: tuple[Tensor, ...]

    def world(self) -> str:
        """What was asked for, in words."""
        stops, learns, decay, _ = reference.Options(**self.options)
        parts = {"stop-gradient": stops, "predictor": learns, "weight decay": bool(decay)}
        return ", ".join(f"{'with' if there else 'without'} {part}" for part, there in parts.items())

    @property
    def right(self) -> Sequence[Tensor]:
        """What the reference gives."""
        return self.by(reference.simulate)

    def by(self, answer: Callable[..., Sequence[Tensor]]) -> Sequence[Tensor]:
        """What another answer gives."""
        return _simulated(answer, self)

    def _asked(self) -> tuple[object, ...]:
        numbers = [tensor.numpy().tobytes() for tensor in (*self.start, self.times)]
        return (*numbers, self.start[0].shape, *self.options.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Solution) and self._asked() == other._asked()

    def __hash__(self) -> int:
        return hash(self._asked())


@lru_cache(500)  # each mistake that is tried on a wrong answer asks for the same ones again
def _simulated(answer: Callable[..., Sequence[Tensor]], solution: Solution) -> Sequence[Tensor]:
    return answer(*solution.start, solution.times, **solution.options)


def times(draw: Draw) -> tuple[Tensor, Tensor]:
    """Few times at different distances, and many, most of them so near each other that what is left out between any two
    adds up. Neither begins at 0."""
    few, many = draw.uniform(0.3, 0.7, 6), draw.uniform(0.012, 0.038, 62)
    many[:2] = few[:2]
    begin = draw.uniform(0.4, 0.9, 1)
    few, many = (torch.cat([begin, gaps]).double().cumsum(dim=0) for gaps in (few, many))
    return few, many


def start(draw: Draw, n_2: int, n_1: int) -> tuple[Tensor, ...]:
    """W, W_p, X and X', of a size that no usual integrator stumbles over."""
    W, W_p, X, X_prime = common.linear_network(draw, n_2, n_1, torch.float64)
    W, W_p = W / torch.linalg.matrix_norm(W, 2), W_p / torch.linalg.matrix_norm(W_p, 2)
    X, X_prime = X / torch.linalg.matrix_norm(X, 2), X_prime / torch.linalg.matrix_norm(X_prime, 2)
    return 1.2 * W, 0.9 * W_p, 1.5 * X, 0.8 * X_prime


def asked(student: Remote, start: tuple[Tensor, ...], times: Tensor, options: dict[str, Any]) -> Solution:
    """The student's trajectories, which have the right shapes."""
    (n_2, n_1), count = start[0].shape, len(times)
    norms, eigenvalues, encoders = expect(student(*start, times, **options)).items(3)
    shapes = {"the norms": (norms, 2), "the eigenvalues": (eigenvalues, n_2), "W over time": (encoders, n_2, n_1)}
    got = [
        expect(item, label).shape(count, *shape).dtype(times.dtype).finite().value
        for label, (item, *shape) in shapes.items()
    ]
    return Solution(start, times, options, tuple(got))


def agree(got: Sequence[Tensor], wanted: Sequence[Tensor], room: float = ROOM) -> bool:
    return all(
        one.shape == other.shape and torch.allclose(one, other, rtol=room, atol=room * float(other.abs().max()))
        for one, other in zip(got, wanted, strict=True)
    )


def are_all_by(answer: Callable[..., Sequence[Tensor]], solutions: list[Solution]) -> bool:
    # Most differ soonest in the last cases, which ask for several things at once.
    return all(agree(solution.got, solution.by(answer)) for solution in reversed(solutions))


def are_right(solutions: list[Solution]) -> bool:
    return all(agree(solution.got, solution.right) for solution in solutions)


def known_by(solutions: list[Solution], known: list[Mistake]) -> str | None:
    """The mistake that explains all solutions, whatever the integrator."""
    for item in known:
        if are_all_by(item.answer, solutions):
            return item.name
    return "one_step_an_interval" if _are_steps_too_long(solutions) else None


def _are_steps_too_long(solutions: list[Solution]) -> bool:
    """Whether W is off in some by more than there is room for, and in all by a multiple of what Euler's rule is off by,
    about the same for each."""
    multiples, is_off = [], False
    for solution in solutions:
        W, W_p, X, X_prime = solution.start
        options = reference.Options(**solution.options)
        W_p = W_p if options.predictor else common.eye_like(W_p)
        exact = solution.right[2]
        is_off = is_off or not agree(solution.got[2:], [exact])
        rough, _ = reference.integrate(reference.flow(X, X_prime, options), W, W_p, solution.times, 0.05, euler)
        off, of_euler = solution.got[2] - exact, rough - exact
        multiple = float((off * of_euler).sum() / of_euler.square().sum().clamp(min=1e-12))
        if float((off - multiple * of_euler).norm()) > LIKE_EULER * float(off.norm()):
            return False
        multiples.append(multiple)
    return is_off and 0 < max(multiples) < 3 * min(multiples)


def euler(velocity: reference.Velocity, W: Tensor, W_p: Tensor, h: float) -> tuple[Tensor, Tensor]:
    """W and W_p after a step of length h."""
    by_encoder, by_predictor = velocity(W, W_p)
    return W.add(by_encoder, alpha=h), W_p.add(by_predictor, alpha=h)


def expect_agreement(solution: Solution, name: str | None) -> None:
    wanted, world = solution.right, solution.world()
    for number, part in ((2, "W over time"), (0, "the norms"), (1, "the eigenvalues")):
        found, right, label = solution.got[number], wanted[number], f"{world}, {part}"
        moved = "starts_after_a_step" if number == 2 else None  # whatever else is wrong, W has moved
        expect(found[0], f"{label} at the first time").close(right[0], rtol=1e-4, mistake=name or moved)
        expect(found, label).close(right, rtol=ROOM, atol=0, mistake=name)


def expect_invariants(solution: Solution) -> None:
    """What holds along every solution, whatever the integrator."""
    (W, W_p, X, X_prime), times, options = solution.start, solution.times, solution.options
    norms, eigenvalues, _ = solution.got
    stops, learns, decay, rate = reference.Options(**options)
    square = norms[:, 0] ** 2
    expect(eigenvalues.sum(dim=1), "the sum of the eigenvalues of W Wᵀ, which is ‖W‖²,").close(square, rtol=1e-3)
    if stops and learns and rate:
        kept = square - norms[:, 1] ** 2 / rate
        wanted = (W.square().sum() - W_p.square().sum() / rate) * torch.exp(-2 * decay * (times - times[0]))
        error = float((kept - wanted).abs().max() / max(float(square.max()), float(wanted.abs().max())))
        expect(kept).holds(
            error < 4 * ROOM, "‖W‖² − ‖W_p‖²/α does not decay as e^{−2ηt}: the two matrices do not move together."
        )
    if not learns or not (rate or decay):
        predictor = W_p if learns else common.eye_like(W_p)
        velocity = reference.flow(X, X_prime, reference.Options(stops, False, decay))
        exact = reference.encoders_by_exponential(lambda moved: velocity(moved, predictor)[0], W, times - times[0])
        expect(norms[:, 0], "‖W‖ for a predictor that stands still").close(exact.flatten(1).norm(dim=1), rtol=ROOM)
    if not stops:
        expect(square).holds(
            bool((square.diff() <= ROOM * square.max()).all()),
            "Without stop-gradient ‖W‖ grows at some time; H has no negative eigenvalue, so it cannot.",
        )
