"""The SimSiam references against the formulas of the syllabus, samples and the equilibria of theory."""

import pytest
import torch

from autograder.assignments import exercises_of
from autograder.assignments.simsiam import common, reference, trials
from autograder.judge.draw import Draw, seed_for
from autograder.judge.judging import judge
from autograder.judge.student import in_this_process


@pytest.fixture
def given():
    """W (3, 5), W_p (3, 3), X and X' (5, 5)."""
    return common.linear_network(Draw(b"simsiam!"), 3, 5, torch.float64)


def test_the_objective_by_traces_and_by_samples(given):
    W, W_p, X, X_prime = given
    F_1, F_12 = common.correlations(W, X, X_prime)
    traces = torch.trace(W_p.T @ W_p @ F_1) - torch.trace(W_p @ F_12) - torch.trace(F_12 @ W_p) + torch.trace(F_1)
    assert torch.allclose(reference.objective(*given), traces / 2)
    generator, root = torch.Generator().manual_seed(0), torch.linalg.cholesky(X)
    signal = torch.randn(200_000, 5, generator=generator, dtype=torch.float64) @ root.T
    noise = torch.linalg.cholesky(X_prime).T
    x_1, x_2 = (signal + torch.randn(200_000, 5, generator=generator, dtype=torch.float64) @ noise for _ in range(2))
    losses = ((x_1 @ W.T @ W_p.T - x_2 @ W.T) ** 2).sum(dim=1) / 2
    assert abs(losses.mean() - traces / 2) < 6 * losses.std() / len(losses) ** 0.5
    found_X, found_X_prime = reference.second_moments(x_1, x_2)
    assert torch.allclose(found_X, X, atol=0.05) and torch.allclose(found_X_prime, X_prime, atol=0.05)


def test_velocities_by_formula(given):
    W, W_p, X, X_prime = given
    F_1, F_12 = common.correlations(W, X, X_prime)
    assert torch.allclose(reference.predictor_velocity(*given), F_12 - W_p @ F_1)
    assert torch.allclose(reference.encoder_velocity(*given, True), common.stopped_velocity(*given))
    assert torch.allclose(reference.encoder_velocity(*given, False), common.full_velocity(*given))
    assert torch.allclose(reference.velocity_without_both(W, X_prime), -2 * W @ X_prime)
    for stop in (True, False):
        by_encoder, by_predictor = reference.flow(X, X_prime, reference.Options(stop, True, 0.3, 2.0))(W, W_p)
        assert torch.allclose(by_encoder, reference.encoder_velocity(*given, stop) - 0.3 * W)
        assert torch.allclose(by_predictor, 2 * reference.predictor_velocity(*given) - 0.3 * W_p)


def test_the_matrix_of_the_flow_stacks_columns(given):
    W, W_p, X, X_prime = given
    H = reference.flow_matrix(W_p, X, X_prime)
    identity = torch.eye(3, dtype=torch.float64)
    shifted = W_p - identity
    assert torch.allclose(H, torch.kron(X_prime, W_p.T @ W_p + identity) + torch.kron(X, shifted.T @ shifted))
    assert torch.allclose(H @ reference.columns(W), -reference.columns(reference.encoder_velocity(*given, False)))


def test_the_norm_stays_below_the_bound_and_not_on_it(given):
    W, W_p, X, X_prime = given
    times = torch.linspace(0, 2, 9, dtype=torch.float64)
    norms, _, _ = reference.simulate(*given, times, stop_gradient=False, predictor_rate=0.0, step=0.02)
    smallest = float(torch.linalg.eigvalsh(reference.flow_matrix(W_p, X, X_prime))[0])
    bound = reference.norm_bound(float(W.norm()), smallest, times)
    assert (norms[1:, 0] < 0.9 * bound[1:]).all() and torch.allclose(norms[0, 0], bound[0])


def test_a_simulation_keeps_the_law_of_both_matrices():
    W, W_p, X, X_prime = (part / torch.linalg.matrix_norm(part, 2) for part in _given(4))
    times = torch.tensor([0.0, 0.7, 2.0, 5.0], dtype=torch.float64)
    norms, eigenvalues, encoders = reference.simulate(W, W_p, X, X_prime, times, weight_decay=0.2, predictor_rate=3.0)
    kept = (norms[:, 0] ** 2 - norms[:, 1] ** 2 / 3) * torch.exp(0.4 * times)
    assert torch.allclose(kept, kept[0].expand(4), rtol=1e-4)
    assert torch.allclose(eigenvalues.sum(dim=1), norms[:, 0] ** 2)
    alone, _, _ = reference.simulate(W, W_p, X, X_prime, times, predictor=False, weight_decay=0.2)
    exact = W @ torch.linalg.matrix_exp(-times[:, None, None] * (X_prime + 0.2 * torch.eye(3).double()))
    assert torch.allclose(alone[:, 0], exact.flatten(1).norm(dim=1), rtol=1e-4)
    assert encoders.shape == (4, 4, 3)


def _given(n_2):
    return common.linear_network(Draw(b"of a law"), n_2, 3, torch.float64)


def test_a_mode_rests_where_theory_says():
    sigma, decay, rate = 0.5, 0.1, 2.0
    root = (1 - 4 * decay * (1 + sigma**2)) ** 0.5
    p = torch.tensor([0.0, (1 - root) / 2.5, (1 + root) / 2.5], dtype=torch.float64)
    for velocity in reference.mode_velocity(p, p**2 / rate, sigma, decay, rate):
        assert torch.allclose(velocity, torch.zeros(3, dtype=torch.float64), atol=1e-12)


def test_codes_spread_evenly_have_the_largest_deviation():
    z = torch.randn(50_000, 16, generator=torch.Generator().manual_seed(0))
    assert abs(float(reference.output_deviation(z)) - 1 / 4) < 1e-3
    assert float(reference.output_deviation(z + 100)) < 0.01


def test_the_loss_is_least_for_equal_directions():
    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(reference.simsiam_loss(2 * z, z, z, 3 * z), torch.tensor(-1.0))


def euler(step, decay_of_W=lambda W: W):
    """A simulation by Euler's rule, with another form of weight decay on W."""

    def simulate(W, W_p, X, X_prime, times, **options):
        asked = reference.Options(**options)
        right = reference.flow(X, X_prime, asked)

        def velocity(W, W_p):
            by_encoder, by_predictor = right(W, W_p)
            return by_encoder + asked.weight_decay * (W - decay_of_W(W)), by_predictor

        W_p = W_p if asked.predictor else common.eye_like(W_p)
        return reference.observed(*reference.integrate(velocity, W, W_p, times, step, trials.euler))

    return simulate


@pytest.mark.parametrize(
    ("answer", "verdict", "mistake"),
    [
        (euler(0.01), "pass", None),
        (euler(0.1), "fail", "one_step_an_interval"),
        (euler(0.01, lambda W: 0 * W), "fail", "decay_of_the_predictor_alone"),
        (euler(0.01, lambda W: W.norm() * W), "fail", None),  # whose error is small, too
    ],
)
def test_a_simulation_is_named_whatever_its_integrator(answer, verdict, mistake):
    id = "simsiam.simulate"
    found = judge(exercises_of("simsiam")[id], in_this_process(answer), seed_for(b"euler", "", id))
    assert (found.verdict, found.mistake) == (verdict, mistake)
