"""Trajectories of ‖W‖, ‖W_p‖ and the eigenvalues of W Wᵀ, with and without stop-gradient, predictor and weight decay.

Any integrator will do: what counts is what must hold of every solution. Where W_p stands still W is a matrix
exponential, with stop-gradient W Wᵀ − W_pᵀW_p / α decays as e^{−2ηt}, and else 1.5 % are room enough. Answers let the
rate or the decay act on the wrong matrix, ignore a flag, step too far, or return other norms or eigenvalues.
"""

import math
from functools import cache

import torch

from autograder.assignments.simsiam import common, reference, trials
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import Mistake, equivalent, exercise, mistake
from autograder.judge.student import Remote


@exercise("simsiam.simulate")
def simulate(student: Remote, draw: Draw) -> None:
    few, many = trials.times(draw)
    solutions = [
        trials.asked(student, trials.start(draw, n_2, n_1), many if options is trials.AT_MANY_TIMES else few, options)
        for n_2, n_1, options in trials.CASES
    ]
    name = None if trials.are_right(solutions) else trials.known_by(solutions, KNOWN)
    for solution in solutions:
        trials.expect_agreement(solution, name)
        trials.expect_invariants(solution)
    for predictor in (True, False):
        start = trials.start(draw, 2, 3)
        expect_any_device(student, *start, few[:2], predictor=predictor, mistake="made_on_the_cpu")


def _simulated(change):
    """A simulation whose velocities are `change(velocity, W, W_p, options)`; velocity(**options) makes right ones."""

    def answer(W, W_p, X, X_prime, times, **options):
        asked = reference.Options(**options)

        @cache
        def flow(**other):
            return reference.flow(X, X_prime, asked._replace(**other))

        def velocity(W, W_p, **other):
            return flow(**other)(W, W_p)

        W_p = W_p if asked.predictor else common.eye_like(W_p)
        moved = reference.integrate(lambda a, b: change(velocity, a, b, asked), W, W_p, times, 0.1)
        return reference.observed(*moved)

    return answer


@mistake("weight_decay is ignored.")
def weight_decay_ignored(*given, **options):
    return _simulated(lambda velocity, W, W_p, _: velocity(W, W_p, weight_decay=0.0))(*given, **options)


@mistake("Weight decay acts on W alone; it shrinks both matrices.")
def decay_of_the_encoder_alone(*given, **options):
    def change(velocity, W, W_p, _):
        return velocity(W, W_p)[0], velocity(W, W_p, weight_decay=0.0)[1]

    return _simulated(change)(*given, **options)


@mistake("Weight decay acts on W_p alone; it shrinks both matrices.")
def decay_of_the_predictor_alone(*given, **options):
    def change(velocity, W, W_p, _):
        return velocity(W, W_p, weight_decay=0.0)[0], velocity(W, W_p)[1]

    return _simulated(change)(*given, **options)


@mistake("Weight decay is twice as strong as it should be: W and W_p themselves shrink with the rate η.")
def decay_doubled(*given, **options):
    return _simulated(lambda velocity, W, W_p, o: velocity(W, W_p, weight_decay=2 * o.weight_decay))(*given, **options)


@mistake("Weight decay has the wrong sign: it makes the matrices grow.")
def decay_that_grows(*given, **options):
    return _simulated(lambda velocity, W, W_p, o: velocity(W, W_p, weight_decay=-o.weight_decay))(*given, **options)


@mistake("predictor_rate is ignored: α multiplies the gradient of W_p.")
def rate_ignored(*given, **options):
    return _simulated(lambda velocity, W, W_p, _: velocity(W, W_p, predictor_rate=1.0))(*given, **options)


@mistake("predictor_rate multiplies the gradient of W as well; it belongs to W_p alone.")
def rate_of_both(*given, **options):
    def change(velocity, W, W_p, o):
        gradient = velocity(W, W_p, weight_decay=0.0)[0]
        return o.predictor_rate * gradient - o.weight_decay * W, velocity(W, W_p)[1]

    return _simulated(change)(*given, **options)


@mistake("predictor_rate multiplies the weight decay of W_p as well; it belongs to the gradient alone.")
def rate_of_the_decay(*given, **options):
    def change(velocity, W, W_p, o):
        scaled = velocity(W, W_p, weight_decay=o.predictor_rate * o.weight_decay)[1]
        return velocity(W, W_p)[0], scaled

    return _simulated(change)(*given, **options)


@mistake("stop_gradient is ignored: W moves with stop-gradient in every case.")
def always_stops(*given, **options):
    return _simulated(lambda velocity, W, W_p, _: velocity(W, W_p, stop_gradient=True))(*given, **options)


@mistake("stop_gradient is ignored: W moves without stop-gradient in every case.")
def never_stops(*given, **options):
    return _simulated(lambda velocity, W, W_p, _: velocity(W, W_p, stop_gradient=False))(*given, **options)


@mistake("stop_gradient does the opposite of what it says.")
def flag_turned_round(*given, **options):
    return _simulated(lambda velocity, W, W_p, o: velocity(W, W_p, stop_gradient=not o.stop_gradient))(
        *given, **options
    )


@mistake("predictor is ignored: without it, W_p must be the identity and stay so.")
def predictor_in_every_case(*given, **options):
    return _simulated(lambda velocity, W, W_p, _: velocity(W, W_p))(*given, **options | {"predictor": True})


@mistake("Without predictor W_p starts as the identity, but then it learns: it must stay where it is.")
def identity_that_learns(*given, **options):
    return _simulated(lambda velocity, W, W_p, _: velocity(W, W_p, predictor=True))(*given, **options)


@mistake("Without predictor W_p stands still at its start; it must be the identity.")
def predictor_that_stands_still(W, W_p, X, X_prime, times, **options):
    if options.get("predictor", True):
        return reference.simulate(W, W_p, X, X_prime, times, **options)
    velocity = reference.flow(X, X_prime, reference.Options(**options))
    return reference.observed(*reference.integrate(velocity, W, W_p, times, 0.1))


@mistake("Without predictor the second norm is still that of the W_p handed in; it must be that of the identity.")
def norm_of_the_predictor_handed_in(W, W_p, X, X_prime, times, **options):
    norms, eigenvalues, encoders = reference.simulate(W, W_p, X, X_prime, times, **options)
    if not options.get("predictor", True):
        norms = torch.stack([norms[:, 0], W_p.norm().expand(len(times))], dim=1)
    return norms, eigenvalues, encoders


@mistake("The predictor never learns: both matrices move.")
def predictor_never_learns(*given, **options):
    return _simulated(lambda velocity, W, W_p, _: (velocity(W, W_p)[0], 0 * W_p))(*given, **options)


@mistake("The encoder never moves: both matrices do.")
def encoder_never_moves(*given, **options):
    return _simulated(lambda velocity, W, W_p, _: (0 * W, velocity(W, W_p)[1]))(*given, **options)


@mistake("The steps are too long, one from each time to the next for example: halve them until nothing changes.")
def one_step_an_interval(W, W_p, X, X_prime, times, **options):
    velocity, W_p = _velocity_and_start(W_p, X, X_prime, **options)
    return reference.observed(*reference.integrate(velocity, W, W_p, times, 1.0, trials.euler))


def _velocity_and_start(W_p, X, X_prime, **options):
    asked = reference.Options(**options)
    return reference.flow(X, X_prime, asked), W_p if asked.predictor else common.eye_like(W_p)


@mistake("The times are taken for evenly spaced; they may lie at uneven distances.")
def evenly_spaced(W, W_p, X, X_prime, times, **options):
    even = torch.linspace(float(times[0]), float(times[-1]), len(times), dtype=times.dtype)
    return reference.simulate(W, W_p, X, X_prime, even, **options)


@mistake("Every gap is taken to be as long as the first; they differ.")
def first_gap_for_all(W, W_p, X, X_prime, times, **options):
    even = times[0] + (times[1] - times[0]) * torch.arange(len(times)).to(times)
    return reference.simulate(W, W_p, X, X_prime, even, **options)


@mistake("The weights are those handed in at the first of the times, not at t = 0: nothing moves before it.")
def runs_from_zero(W, W_p, X, X_prime, times, **options):
    longer = torch.cat([torch.zeros_like(times[:1]), times])
    return tuple(part[1:] for part in reference.simulate(W, W_p, X, X_prime, longer, **options))


@mistake("The first time must show the start itself, before any step.")
def starts_after_a_step(W, W_p, X, X_prime, times, **options):
    later = torch.cat([times[:1], times + 0.2])
    norms, eigenvalues, encoders = reference.simulate(W, W_p, X, X_prime, later, **options)
    return norms[1:], eigenvalues[1:], encoders[1:]


def _with(**changed):
    """The right trajectories, but for a part that is made from W."""

    def answer(*given, **options):
        norms, eigenvalues, encoders = reference.simulate(*given, **options)
        parts = {"norms": norms, "eigenvalues": eigenvalues, "encoders": encoders}
        return tuple(changed[name](parts) if name in changed else part for name, part in parts.items())

    return answer


@mistake("The norms are squared.")
def squared_norms(*given, **options):
    return _with(norms=lambda parts: parts["norms"] ** 2)(*given, **options)


@mistake("The norm is the largest singular value; Frobenius' norm is the root of the sum of all squares.")
def spectral_norms(*given, **options):
    def largest(parts):
        return torch.stack([parts["eigenvalues"][:, -1].clamp(min=0).sqrt(), parts["norms"][:, 1]], dim=1)

    return _with(norms=largest)(*given, **options)


@spectral_norms.also
def spectral_norms_of_both(W, W_p, X, X_prime, times, **options):
    velocity, W_p = _velocity_and_start(W_p, X, X_prime, **options)
    moved = reference.integrate(velocity, W, W_p, times, 0.1)
    norms = torch.stack([torch.linalg.matrix_norm(part, 2) for part in moved], dim=1)
    return norms, *reference.observed(*moved)[1:]


@mistake("The norms are in the other order: first that of W, then that of W_p.")
def norms_in_the_other_order(*given, **options):
    return _with(norms=lambda parts: parts["norms"].flip(1))(*given, **options)


@mistake("These are singular values of W; the eigenvalues of W Wᵀ are their squares.")
def singular_values(*given, **options):
    return _with(eigenvalues=lambda parts: parts["eigenvalues"].clamp(min=0).sqrt())(*given, **options)


@mistake("The eigenvalues fall; the smallest comes first.")
def falling_eigenvalues(*given, **options):
    return _with(eigenvalues=lambda parts: parts["eigenvalues"].flip(1))(*given, **options)


@mistake("These are eigenvalues of WᵀW, (n_1, n_1); those of W Wᵀ, (n_2, n_2), are asked for.")
def eigenvalues_of_the_other_product(*given, **options):
    return _with(eigenvalues=lambda parts: torch.linalg.eigvalsh(parts["encoders"].mT @ parts["encoders"]))(
        *given, **options
    )


@mistake(SENTENCE)
def made_on_the_cpu(W, W_p, X, X_prime, times, **options):
    asked = reference.Options(**options)
    W_p = W_p if asked.predictor else common.eye_on_the_cpu(W_p)
    return reference.observed(*reference.integrate(reference.flow(X, X_prime, asked), W, W_p, times, 0.1))


@mistake("Gaps between times are not filled with steps to their end: what is lost in each of many short ones adds up.")
def a_step_too_few(W, W_p, X, X_prime, times, **options):
    return _in_steps(0.01, lambda count: math.ceil(count) - 1, W, W_p, X, X_prime, times, **options)


@a_step_too_few.also
def a_rest_left_over(W, W_p, X, X_prime, times, **options):
    return _in_steps(0.01, math.floor, W, W_p, X, X_prime, times, **options)


def _in_steps(step, count_of, W, W_p, X, X_prime, times, **options):
    velocity, W_p = _velocity_and_start(W_p, X, X_prime, **options)
    kept = [(W, W_p)]
    for gap in times.diff().tolist():
        length = step if count_of is math.floor else gap / math.ceil(gap / step)
        for _ in range(count_of(gap / step)):
            W, W_p = trials.euler(velocity, W, W_p, length)
        kept.append((W, W_p))
    return reference.observed(*map(torch.stack, zip(*kept, strict=True)))


KNOWN = [item for item in list(globals().values()) if isinstance(item, Mistake)]


@equivalent
def by_many_small_euler_steps(W, W_p, X, X_prime, times, **options):
    velocity, W_p = _velocity_and_start(W_p, X, X_prime, **options)
    return reference.observed(*reference.integrate(velocity, W, W_p, times, 0.01, trials.euler))


@equivalent
def by_heun_with_singular_values(W, W_p, X, X_prime, times, **options):
    velocity, W_p = _velocity_and_start(W_p, X, X_prime, **options)
    norms, eigenvalues, encoders = [], [], []
    for gap in [0.0, *times.diff().tolist()]:
        for _ in range(20):
            a, a_p = velocity(W, W_p)
            b, b_p = velocity(W + gap / 20 * a, W_p + gap / 20 * a_p)
            W, W_p = W + gap / 40 * (a + b), W_p + gap / 40 * (a_p + b_p)
        norms.append(torch.stack([torch.linalg.matrix_norm(W), torch.linalg.matrix_norm(W_p)]))
        spectrum = torch.linalg.svdvals(W).flip(0) ** 2
        eigenvalues.append(torch.nn.functional.pad(spectrum, (len(W) - len(spectrum), 0)))
        encoders.append(W)
    return torch.stack(norms), torch.stack(eigenvalues), torch.stack(encoders)


@equivalent
def by_alternating_steps(W, W_p, X, X_prime, times, **options):
    velocity, W_p = _velocity_and_start(W_p, X, X_prime, **options)
    kept = [(W, W_p)]
    for gap in times.diff():
        for _ in range(100):
            W = W + gap / 100 * velocity(W, W_p)[0]
            W_p = W_p + gap / 100 * velocity(W, W_p)[1]
        kept.append((W, W_p))
    return [*reference.observed(*map(torch.stack, zip(*kept, strict=True)))]


HARMLESS = {
    "graph": "A simulation is looked at, and nothing is differentiated through it.",
    "len(W) → len(W_p)": "Both are n_2.",
    "torch.eye(len(W), dtype=W.dtype, device=W.device) → torch.eye(len(W), dtype=W_p.dtype, device=W.device)": "All arguments have one dtype.",
    "torch.eye(len(W), dtype=W.dtype, device=W.device) → torch.eye(len(W), dtype=X.dtype, device=W.device)": "All arguments have one dtype.",
    "torch.eye(len(W), dtype=W.dtype, device=W.device) → torch.eye(len(W), dtype=X_prime.dtype, device=W.device)": "All arguments have one dtype.",
    "torch.eye(len(W), dtype=W.dtype, device=W.device) → torch.eye(len(W), dtype=times.dtype, device=W.device)": "All arguments have one dtype.",
    "torch.eye(len(W), dtype=W.dtype, device=W.device) → torch.eye(len(W), dtype=W.dtype, device=W_p.device)": "All arguments lie on one device.",
    "torch.eye(len(W), dtype=W.dtype, device=W.device) → torch.eye(len(W), dtype=W.dtype, device=X.device)": "All arguments lie on one device.",
    "torch.eye(len(W), dtype=W.dtype, device=W.device) → torch.eye(len(W), dtype=W.dtype, device=X_prime.device)": "All arguments lie on one device.",
    "torch.eye(len(W), dtype=W.dtype, device=W.device) → torch.eye(len(W), dtype=W.dtype, device=times.device)": "All arguments lie on one device.",
    "gap / 0.01": "How long the steps are is free, as long as they are short.",
    "for … in range(count) → list(range(count))[::-1]": "The number of the step is not used.",
    "Ws.transpose(1, 2) → Ws.transpose(2, 1)": "Both exchange the same two dimensions.",
}
