"""The diffusion references against the field's libraries, each other, and the data that they must give back."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from autograder.assignments.diffusion import reference
from autograder.assignments.diffusion.reference import Diffusion

STEPS = (10, 50, 1000)


class Answer(nn.Module):
    """A fixed, non-linear answer in the place of a network; takes what each library hands to it."""

    def __init__(self) -> None:
        super().__init__()
        self.channels, self.out_dim, self.self_condition, self.random_or_learned_sinusoidal_cond = 3, 3, False, False
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x, t, x_self_cond=None):
        return self.weight * (torch.tanh(x) + 0.01 * torch.as_tensor(t).float().view(-1, 1, 1, 1))


@pytest.fixture(params=STEPS)
def steps(request):
    return request.param


@pytest.fixture
def ours(steps):
    return Diffusion(Answer(), image_size=8, timesteps=steps)


@pytest.fixture
def scheduler(steps):
    diffusers = pytest.importorskip("diffusers")
    return diffusers.DDPMScheduler(steps, beta_schedule="squaredcos_cap_v2", variance_type="fixed_small")


@pytest.fixture
def lucidrains(steps):
    library = pytest.importorskip("denoising_diffusion_pytorch")
    options = {"objective": "pred_noise", "beta_schedule": "cosine", "auto_normalize": False}
    return library.GaussianDiffusion(Answer(), image_size=8, timesteps=steps, **options)


def images(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(4, 3, 8, 8, generator=generator) - 1, torch.randn(4, 3, 8, 8, generator=generator)


def indices(steps):
    return torch.tensor([0, 1, steps // 2, steps - 1])


# Schedules


def test_the_cosine_schedule_is_that_of_both_libraries(ours, scheduler, lucidrains):
    assert torch.allclose(ours.alpha_bars, scheduler.alphas_cumprod, atol=1e-6)
    assert torch.allclose(ours.alpha_bars, lucidrains.alphas_cumprod, atol=1e-6)
    assert torch.allclose(ours.betas[:-1], scheduler.betas[:-1], atol=1e-5)
    assert math.isclose(float(ours.betas[-1]), 0.999, rel_tol=1e-5)


def test_the_linear_schedule_is_that_of_diffusers_and_of_lucidrains_at_1000_steps(steps):
    diffusers = pytest.importorskip("diffusers")
    found = diffusers.DDPMScheduler(steps, beta_start=1e-4, beta_end=0.02, beta_schedule="linear").betas
    assert torch.allclose(reference.linear_schedule(steps), found, atol=1e-8)
    from denoising_diffusion_pytorch.denoising_diffusion_pytorch import linear_beta_schedule

    scaled = linear_beta_schedule(steps)
    assert torch.allclose(reference.linear_schedule(steps).double() * 1000 / steps, scaled, atol=1e-6)
    assert (steps <= 20) == bool((scaled >= 1).any())


# Forward


def test_q_sample_is_that_of_both_libraries(ours, scheduler, lucidrains, steps):
    x_0, noise = images()
    t = indices(steps)
    found = ours.q_sample(x_0, t, noise)
    assert torch.allclose(found, scheduler.add_noise(x_0, noise, t), atol=1e-5)
    assert torch.allclose(found, lucidrains.q_sample(x_0, t, noise), atol=1e-5)


def test_the_loss_is_that_of_lucidrains(ours, lucidrains, steps):
    x_0, noise = images()
    t = indices(steps)
    # Theirs has weights of its own, which are 1 for this objective.
    assert torch.allclose(ours.p_losses(x_0, t, noise), lucidrains.p_losses(x_0, t, noise=noise), rtol=1e-4)


def test_chain_and_closed_form_have_the_same_moments():
    betas = reference.cosine_schedule(30).double()
    m, v = torch.ones(()).double(), torch.zeros(()).double()
    wanted_m, wanted_v = reference.chain_moments(betas)
    for k, beta in enumerate(betas):
        m, v = (1 - beta).sqrt() * m, (1 - beta) * v + beta
        assert torch.isclose(m, wanted_m[k]) and torch.isclose(v, wanted_v[k])


# Backward


def test_the_posterior_is_that_of_both_libraries(ours, scheduler, lucidrains, steps):
    x_0, x_t = images()
    t = indices(steps)
    mean, variance = reference.q_posterior(x_0, x_t, t, ours.betas)
    their_mean, their_variance, _ = lucidrains.q_posterior(x_0, x_t, t)
    assert torch.allclose(mean, their_mean, atol=1e-4)
    assert torch.allclose(variance, their_variance, atol=1e-4)
    for k, value in zip(t.tolist(), variance.flatten().tolist(), strict=True):
        # Theirs is clamped to 1e-20, ours is 0 at the first step.
        assert math.isclose(value, float(scheduler._get_variance(k)), rel_tol=2e-3, abs_tol=1e-7)


def test_one_step_back_is_that_of_both_libraries(ours, scheduler, lucidrains, steps):
    x, _ = images(1)
    for k in indices(steps).tolist():
        t = torch.full((4,), k)
        torch.manual_seed(k)
        found = ours.p_sample(x, t, k)
        torch.manual_seed(k)
        theirs = scheduler.step(ours.model(x, t), k, x).prev_sample
        torch.manual_seed(k)
        others, _ = lucidrains.p_sample(x, k)
        assert torch.allclose(found, theirs, atol=1e-4)
        assert torch.allclose(found, others, atol=1e-4)


def test_the_whole_chain_back_is_that_of_both_libraries(ours, scheduler, lucidrains, steps):
    _, start = images(2)
    torch.manual_seed(0)
    found = ours.p_sample_loop(start)
    torch.manual_seed(0)
    theirs = start
    for k in reversed(range(steps)):
        theirs = scheduler.step(ours.model(theirs, torch.full((4,), k)), k, theirs).prev_sample
    torch.manual_seed(0)
    others = start
    with torch.no_grad():
        for k in reversed(range(steps)):
            others, _ = lucidrains.p_sample(others, k)
    assert torch.allclose(found, theirs.detach(), atol=1e-3)
    assert torch.allclose(found, others, atol=1e-3)


def test_the_mean_in_terms_of_the_noise_is_the_mean_of_the_posterior(steps):
    betas = reference.cosine_schedule(steps).double()
    x_0, eps = (image.double() for image in images())
    t = indices(steps)
    a = reference.extract(reference.alpha_bars_of(betas), t, x_0.shape)
    x_t = a.sqrt() * x_0 + (1 - a).sqrt() * eps
    by_eps = reference.posterior_mean_from_eps(x_t, eps, t, betas)
    assert torch.allclose(by_eps, reference.q_posterior(x_0, x_t, t, betas)[0], atol=1e-6)


def test_the_posterior_is_what_bayes_gives_on_a_grid():
    betas = reference.cosine_schedule(40).double()
    grid = torch.linspace(-5, 5, 4001).double()
    before = reference.alpha_bars_before(betas)
    for k, x_0, x_t in ((3, 0.4, -0.2), (20, -0.9, 1.4), (38, 0.1, 0.6)):
        density = reference.bayes_on_grid(grid, x_0, x_t, float(betas[k]), float(before[k]))
        one = [torch.tensor([value]).double() for value in (x_0, x_t)]
        mean, variance = reference.q_posterior(*one, torch.tensor([k]), betas)
        spacing = grid[1] - grid[0]
        found = (density * grid).sum() * spacing
        assert math.isclose(float(found), float(mean), abs_tol=1e-4)
        assert math.isclose(float((density * (grid - found) ** 2).sum() * spacing), float(variance), rel_tol=1e-3)


# One dimension, where everything is known


def test_the_terms_add_up_to_the_elbo():
    """By another way: every factor of p(x_{0:T}) / q(x_{1:T} | x_0) is Gaussian, and x_{0:T} jointly so."""
    mean, std = 0.5, 0.4
    betas = reference.cosine_schedule(12).double()
    alpha_bars = reference.alpha_bars_of(betas)
    count = 400_000
    generator = torch.Generator().manual_seed(0)
    x = mean + std * torch.randn(count, generator=generator, dtype=torch.float64)
    total, normal = torch.zeros(count, dtype=torch.float64), torch.distributions.Normal
    for k, beta in enumerate(betas):
        following = (1 - beta).sqrt() * x + beta.sqrt() * torch.randn(count, generator=generator, dtype=torch.float64)
        eps = reference.optimal_eps(following, alpha_bars[k], mean, std)
        back = reference.posterior_mean_from_eps(following, eps, torch.full((count,), k), betas)
        total += normal(back, beta.sqrt()).log_prob(x) - normal((1 - beta).sqrt() * x, beta.sqrt()).log_prob(following)
        x = following
    total += normal(0, 1).log_prob(x)
    l_0, between, l_T = reference.elbo_terms(mean, std, betas)
    wanted = -float(l_0 + between.sum() + l_T)
    # Within 6 standard errors: a false alarm in 5e8 seeds, and this seed is fixed.
    assert abs(float(total.mean()) - wanted) < 6 * float(total.std()) / count**0.5
    assert wanted < -0.5 * math.log(2 * math.pi * math.e * std**2)


def test_the_optimal_noise_is_the_regression_of_the_noise_on_x_t():
    generator = torch.Generator().manual_seed(0)
    x_0 = 0.7 + 0.3 * torch.randn(200_000, generator=generator).double()
    eps = torch.randn(200_000, generator=generator).double()
    x_t = math.sqrt(0.4) * x_0 + math.sqrt(0.6) * eps
    design = torch.stack([torch.ones_like(x_t), x_t], dim=1)
    intercept, slope = torch.linalg.lstsq(design, eps[:, None]).solution.flatten().tolist()
    at = torch.tensor([0.0, 1.0]).double()
    found = reference.optimal_eps(at, 0.4, 0.7, 0.3)
    assert math.isclose(float(found[0]), intercept, abs_tol=0.02)
    assert math.isclose(float(found[1] - found[0]), slope, abs_tol=0.02)


def back(steps, mean, std):
    """Mean and standard deviation of the reverse chain with the true noise, which is linear in x_t: exact."""
    betas = reference.cosine_schedule(steps).double()
    alpha_bars = reference.alpha_bars_of(betas)
    variances = reference.posterior_coefficients(betas)[2]
    m, v = 0.0, 1.0
    for k in reversed(range(steps)):
        at = torch.tensor([0.0, 1.0]).double()
        eps = reference.optimal_eps(at, alpha_bars[k], mean, std)
        offset, end = reference.posterior_mean_from_eps(at, eps, torch.tensor([k, k]), betas).tolist()
        m, v = offset + (end - offset) * m, (end - offset) ** 2 * v + float(variances[k])
    return m, math.sqrt(v)


@pytest.mark.parametrize(("steps", "off"), [(100, 0.2), (1000, 0.02)])
def test_the_reverse_chain_with_the_true_noise_comes_to_the_data(steps, off):
    mean, std = back(steps, -0.3, 0.1)
    assert math.isclose(mean, -0.3, abs_tol=1e-3)
    assert math.isclose(std, 0.1, rel_tol=off)


def test_the_class_runs_that_chain_and_gives_the_data_back():
    """One Gaussian a channel, through sample: moments within six standard errors of the exact ones of the chain."""
    steps, count = 200, 20_000
    means, stds = torch.tensor([-0.3, 0.25]), torch.tensor([0.1, 0.15])
    alpha_bars = reference.alpha_bars_of(reference.cosine_schedule(steps))

    class Best(nn.Module):
        def forward(self, x, t):
            columns = [reference.optimal_eps(x[:, c], alpha_bars[t[0]], means[c], stds[c]) for c in range(2)]
            return torch.stack(columns, dim=1)

    diffusion = Diffusion(Best(), image_size=1, channels=2, timesteps=steps)
    torch.manual_seed(0)
    found = 2 * diffusion.sample(count).flatten(1) - 1
    exact = torch.tensor([back(steps, float(mean), float(std)) for mean, std in zip(means, stds, strict=True)])
    assert torch.allclose(found.mean(dim=0), exact[:, 0], rtol=0, atol=6 * 0.15 / count**0.5 + 1e-3)
    assert torch.allclose(found.std(dim=0), exact[:, 1], rtol=6 / (2 * count) ** 0.5 + 5e-3)
    assert torch.allclose(exact[:, 1], stds, rtol=0.1)
    assert abs(float(torch.corrcoef(found.T)[0, 1])) < 6 / count**0.5


def test_the_divergence_from_the_prior_is_that_of_torch():
    x_0, _ = images()
    a = 0.3
    q = torch.distributions.Normal(math.sqrt(a) * x_0, math.sqrt(1 - a))
    wanted = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).flatten(1).sum(dim=1)
    assert torch.allclose(reference.kl_to_prior(x_0, a), wanted, rtol=1e-4)


def test_states_count_steps_of_noise():
    from fixmelab.judged.toys import Drift

    toy = Drift(torch.arange(8.0))
    zero = torch.zeros(1, 1, 1, 1)
    assert reference.states_on_the_way(toy, zero, 8, [8, 7, 0]).flatten().tolist() == [0.0, 7.0, 28.0]
    assert reference.steps_at(200) == [0, 50, 100, 150, 198]
    asked = SimpleNamespace(timesteps=4, q_sample=lambda x_0, t: x_0 + t.view(-1, 1, 1, 1))
    assert reference.forward_states(asked, zero).flatten().tolist() == [0.0, 0.0, 1.0, 2.0, 2.0]
