"""Known wrong answers to the diffusion notebook, each with the sentence for the student, and other right answers."""

import math

import torch
from torch import nn
from torch.nn import functional

import fixmelab
from autograder.assignments.diffusion import reference
from autograder.assignments.diffusion.reference import Diffusion, extract
from autograder.judge.exercise import equivalent, mistake

# Schedules


@mistake(
    "constant_schedule", "beta is a number, one for all steps; what is wanted is a tensor with an entry for each step."
)
def one_number(timesteps, beta=0.02):
    return torch.tensor(beta)


@mistake("constant_schedule", "These are the ᾱ_t; a schedule is the β_t themselves.")
def alpha_bars_for_betas(timesteps, beta=0.02):
    return torch.cumprod(torch.full((timesteps,), 1 - beta), dim=0)


@mistake("constant_schedule", "These are the α_t = 1 − β_t; return the β_t.")
def alphas_for_betas(timesteps, beta=0.02):
    return torch.full((timesteps,), 1 - beta)


@mistake("constant_schedule", "There is one entry too many: ᾱ_0 = 1 is not a step, and index 0 belongs to t = 1.")
def one_too_many(timesteps, beta=0.02):
    return torch.full((timesteps + 1,), beta)


@mistake("constant_schedule", "The argument beta is ignored: use it, not its default.")
def ignores_beta(timesteps, beta=0.02):
    return torch.full((timesteps,), 0.02)


@equivalent("constant_schedule")
def ones_times_beta(timesteps, beta=0.02):
    return beta * torch.ones(timesteps)


@equivalent("constant_schedule")
def in_double_precision(timesteps, beta=0.02):
    return torch.tensor([beta] * timesteps, dtype=torch.float64)


@mistake(
    "linear_schedule",
    "The ends are scaled with 1000 / T. Some libraries do that; here β runs from beta_start to beta_end whatever T is.",
)
def scaled_with_the_number_of_steps(timesteps, beta_start=1e-4, beta_end=0.02):
    scale = 1000 / timesteps
    return torch.linspace(scale * beta_start, scale * beta_end, timesteps)


@mistake("linear_schedule", "The last step must have beta_end itself: both ends are included.")
def without_the_end(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.linspace(beta_start, beta_end, timesteps + 1)[:-1]


@mistake("linear_schedule", "The first step must have beta_start itself: index 0 is the first step, not one before it.")
def without_the_start(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.linspace(beta_start, beta_end, timesteps + 1)[1:]


@mistake("linear_schedule", "The schedule runs backward: noise grows with t.")
def runs_backward(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.linspace(beta_end, beta_start, timesteps)


@mistake(
    "linear_schedule", "The roots are evenly spaced, not the β: that is the scaled-linear schedule of latent diffusion."
)
def evenly_spaced_roots(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.linspace(beta_start**0.5, beta_end**0.5, timesteps) ** 2


@mistake("linear_schedule", "The β are evenly spaced in their logarithm; they should be evenly spaced themselves.")
def evenly_spaced_logarithms(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.logspace(math.log10(beta_start), math.log10(beta_end), timesteps)


@mistake("linear_schedule", "The arguments beta_start and beta_end are ignored: use them, not their defaults.")
def ignores_the_ends(timesteps, beta_start=1e-4, beta_end=0.02):
    return torch.linspace(1e-4, 0.02, timesteps)


@equivalent("linear_schedule")
def by_hand(timesteps, beta_start=1e-4, beta_end=0.02):
    return beta_start + (beta_end - beta_start) * torch.arange(timesteps, dtype=torch.float64) / (timesteps - 1)


def _cosine(timesteps, s, power=2, shift=0.0):
    t = torch.arange(timesteps + 1, dtype=torch.float64) + shift
    return torch.cos((t / timesteps + s) / (1 + s) * math.pi / 2) ** power


@mistake("cosine_schedule", "The last α is 0, and whatever is divided by it infinite: clip α to at least 0.001.")
def forgets_the_clip(timesteps, s=0.008):
    f = _cosine(timesteps, s)
    return (1 - f[1:] / f[:-1]).float()


@mistake("cosine_schedule", "The offset s is missing, so that the first steps hardly add any noise.")
def without_the_offset(timesteps, s=0.008):
    f = _cosine(timesteps, 0.0)
    return (1 - (f[1:] / f[:-1]).clamp(0.001, 1)).float()


@mistake("cosine_schedule", "The argument s is ignored: use it, not its default.")
def ignores_s(timesteps, s=0.008):
    return reference.cosine_schedule(timesteps)


@mistake("cosine_schedule", "The cosine must be squared.")
def without_the_square(timesteps, s=0.008):
    f = _cosine(timesteps, s, power=1)
    return (1 - (f[1:] / f[:-1]).clamp(0.001, 1)).float()


@mistake("cosine_schedule", "These are the ᾱ_t = f(t) / f(0); return β_t = 1 − ᾱ_t / ᾱ_{t−1}.")
def returns_alpha_bars(timesteps, s=0.008):
    return reference.alpha_bars_of(reference.cosine_schedule(timesteps, s))


@mistake("cosine_schedule", "These are the α_t; return β_t = 1 − α_t.")
def returns_alphas(timesteps, s=0.008):
    return 1 - reference.cosine_schedule(timesteps, s)


@mistake("cosine_schedule", "The steps are off by one: index 0 belongs to t = 1, so its α is f(1) / f(0).")
def one_step_early(timesteps, s=0.008):
    f = _cosine(timesteps, s, shift=-1.0)
    return (1 - (f[1:] / f[:-1]).clamp(0.001, 1)).float()


@mistake(
    "cosine_schedule",
    "t runs over T numbers from 0 to 1, ends included; then t / T is wrong at every step: it takes T + 1 numbers, 0 … T.",
)
def divides_by_one_less(timesteps, s=0.008):
    t = torch.linspace(0, 1, timesteps, dtype=torch.float64)
    f = torch.cos((t + s) / (1 + s) * math.pi / 2) ** 2
    f = torch.cat([f[:1], f])
    return (1 - (f[1:] / f[:-1]).clamp(0.001, 1)).float()


@mistake("cosine_schedule", "s stands in the numerator only; it is divided by 1 + s as a whole, so that f(T) = 0.")
def offset_not_divided(timesteps, s=0.008):
    t = torch.arange(timesteps + 1, dtype=torch.float64)
    f = torch.cos((t / timesteps + s) * math.pi / 2) ** 2
    return (1 - (f[1:] / f[:-1]).clamp(0.001, 1)).float()


@mistake("cosine_schedule", "β is clipped far too early: α may fall to 0.001.")
def clips_too_early(timesteps, s=0.008):
    return reference.cosine_schedule(timesteps, s).clamp(max=0.02)


@mistake("cosine_schedule", "α is clipped at another bound than 0.001.", "another_bound")
def another_bound(timesteps, s=0.008):
    return reference.cosine_schedule(timesteps, s).clamp(max=0.99)


@equivalent("cosine_schedule")
def clips_betas(timesteps, s=0.008):
    f = _cosine(timesteps, s)
    alpha_bars = f / f[0]
    return torch.clip(1 - alpha_bars[1:] / alpha_bars[:-1], 0, 0.999)


@equivalent("cosine_schedule")
def clips_betas_below_too(timesteps, s=0.008):
    f = _cosine(timesteps, s)
    return torch.clip(1 - f[1:] / f[:-1], 1e-4, 0.9999)


@equivalent("cosine_schedule")
def in_a_loop(timesteps, s=0.008):
    def left(t):
        return math.cos((t / timesteps + s) / (1 + s) * math.pi / 2) ** 2

    return torch.tensor([min(1 - left(t) / left(t - 1), 0.999) for t in range(1, timesteps + 1)])


@equivalent("cosine_schedule")
def in_single_precision(timesteps, s=0.008):
    t = torch.linspace(0, timesteps, timesteps + 1)
    f = torch.cos((t / timesteps + s) / (1 + s) * math.pi * 0.5) ** 2
    return 1 - torch.clip((f / f[0])[1:] / (f / f[0])[:-1], 0.001, 1)


# q_step, q_chain, chain_moments


@mistake("q_step", "The noise enters with its variance: a Gaussian of variance β is √β times standard noise.")
def variance_for_deviation(x_prev, beta, noise):
    return (1 - beta) ** 0.5 * x_prev + beta * noise


@mistake("q_step", "The signal must shrink by the root of 1 − β, so that a variance of 1 stays 1.")
def signal_without_the_root(x_prev, beta, noise):
    return (1 - beta) * x_prev + beta**0.5 * noise


@mistake("q_step", "The signal does not shrink: with every step the variance would grow.")
def signal_does_not_shrink(x_prev, beta, noise):
    return x_prev + beta**0.5 * noise


@mistake("q_step", "Signal and noise have each other's factors.")
def factors_swapped(x_prev, beta, noise):
    return beta**0.5 * x_prev + (1 - beta) ** 0.5 * noise


@mistake("q_step", "The noise is subtracted: it is added.")
def step_subtracts_the_noise(x_prev, beta, noise):
    return (1 - beta) ** 0.5 * x_prev - beta**0.5 * noise


@mistake("q_step", "Fresh noise is drawn: use the noise that is given.", "draws_its_own_noise")
def draws_its_own_noise(x_prev, beta, noise):
    return (1 - beta) ** 0.5 * x_prev + beta**0.5 * torch.randn_like(x_prev)


@mistake(
    "q_step",
    "It changes an argument in place; the caller still needs it. Write x = x * …, not x *= ….",
    "changes_its_argument",
)
def step_in_place(x_prev, beta, noise):
    return x_prev.mul_((1 - beta) ** 0.5) + beta**0.5 * noise


@equivalent("q_step")
def with_tensor_roots(x_prev, beta, noise):
    beta = torch.as_tensor(beta, dtype=x_prev.dtype)
    return torch.sqrt(1 - beta) * x_prev + torch.sqrt(beta) * noise


@mistake("q_chain", "The noise of the first step is used at every step: each step has its own.")
def same_noise_at_every_step(x_0, betas, noises):
    x = x_0
    for k in range(len(noises)):
        x = reference.q_step(x, betas[k], noises[0])
    return x


@mistake("q_chain", "All of betas are run through: t is the number of noises that are given.")
def runs_all_betas(x_0, betas, noises):
    x = x_0
    for k in range(len(betas)):
        x = reference.q_step(x, betas[k], noises[min(k, len(noises) - 1)])
    return x


@mistake("q_chain", "The steps are taken in the wrong order: first betas[0] with noises[0].")
def chain_backward(x_0, betas, noises):
    x = x_0
    for k in reversed(range(len(noises))):
        x = reference.q_step(x, betas[k], noises[k])
    return x


@mistake("q_chain", "Every step starts from x_0 again: it must start from what the step before gave.")
def always_from_x_0(x_0, betas, noises):
    x = x_0
    for k in range(len(noises)):
        x = reference.q_step(x_0, betas[k], noises[k])
    return x


@mistake("q_chain", "One step is missing: with t noises there are t steps.")
def one_step_less(x_0, betas, noises):
    return reference.q_chain(x_0, betas, noises[:-1])


@mistake("q_chain", "All states are returned; only the last one, x_t, is wanted.")
def all_states(x_0, betas, noises):
    states = []
    for beta, noise in zip(betas, noises, strict=False):
        states.append(reference.q_step(states[-1] if states else x_0, beta, noise))
    return torch.stack(states)


@equivalent("q_chain")
def written_out(x_0, betas, noises):
    x = x_0.clone()
    for beta, noise in zip(betas[: len(noises)], noises, strict=True):
        x = (1 - beta).sqrt() * x + beta.sqrt() * noise
    return x


@mistake("chain_moments", "The factor of x_0 is the root of ᾱ_t: a step scales the state by √(1 − β).")
def factor_without_the_root(betas):
    m, v = reference.chain_moments(betas)
    return m**2, v


@mistake("chain_moments", "v is a variance, not a standard deviation.")
def deviation_for_variance(betas):
    m, v = reference.chain_moments(betas)
    return m, v.sqrt()


@mistake(
    "chain_moments", "The variances are only added up: each step also shrinks the variance that was there, by 1 − β."
)
def adds_the_variances(betas):
    return reference.chain_moments(betas)[0], torch.cumsum(betas, dim=0)


@mistake("chain_moments", "A step scales the variance by the *square* of its factor, that is, by 1 − β.")
def variance_scaled_by_the_root(betas):
    v, found = torch.zeros((), dtype=betas.dtype), []
    for beta in betas:
        v = (1 - beta).sqrt() * v + beta
        found.append(v)
    return reference.chain_moments(betas)[0], torch.stack(found)


@mistake("chain_moments", "m_0 = 1 and v_0 = 0 belong to no step: the first entry is t = 1.")
def starts_at_zero(betas):
    m, v = reference.chain_moments(betas)
    return torch.cat([torch.ones_like(m[:1]), m[:-1]]), torch.cat([torch.zeros_like(v[:1]), v[:-1]])


@mistake("chain_moments", "α_t stands where the product of all α up to t belongs.")
def alpha_for_alpha_bar(betas):
    return (1 - betas).sqrt(), betas


@equivalent("chain_moments")
def by_products(betas):
    alpha_bars = torch.exp(torch.cumsum(torch.log1p(-betas), dim=0))
    return torch.sqrt(alpha_bars), 1 - alpha_bars


# kl_to_prior


@mistake("kl_to_prior", "The whole batch is summed; one number for each example is wanted.")
def sums_the_batch(x_0, alpha_bar):
    return reference.kl_to_prior(x_0, alpha_bar).sum()


@mistake("kl_to_prior", "Entries are averaged: the divergences of independent entries add up.")
def averages_the_entries(x_0, alpha_bar):
    return reference.kl_to_prior(x_0, alpha_bar) / x_0[0].numel()


@mistake("kl_to_prior", "The factor ½ is missing.")
def forgets_the_half(x_0, alpha_bar):
    return 2 * reference.kl_to_prior(x_0, alpha_bar)


@mistake("kl_to_prior", "d counts only one dimension of x_0; it is the number of all entries of an example.")
def d_of_one_dimension(x_0, alpha_bar):
    a, d = torch.as_tensor(alpha_bar, dtype=x_0.dtype), x_0.shape[1]
    return 0.5 * (a * (x_0.flatten(1) ** 2).sum(dim=1) + d * (1 - a) - d * torch.log(1 - a) - d)


@mistake("kl_to_prior", "‖x_0‖² is the sum of squares; here it is the norm without its square.")
def norm_without_the_square(x_0, alpha_bar):
    a, flat = torch.as_tensor(alpha_bar, dtype=x_0.dtype), x_0.flatten(1)
    d = flat.shape[1]
    return 0.5 * (a * flat.norm(dim=1) + d * (1 - a) - d * torch.log(1 - a) - d)


@mistake("kl_to_prior", "The mean is √ᾱ x_0, so its square has the factor ᾱ, not √ᾱ.")
def root_of_alpha_bar_in_the_mean(x_0, alpha_bar):
    a, flat = torch.as_tensor(alpha_bar, dtype=x_0.dtype), x_0.flatten(1)
    d = flat.shape[1]
    return 0.5 * (a.sqrt() * (flat**2).sum(dim=1) + d * (1 - a) - d * torch.log(1 - a) - d)


@mistake("kl_to_prior", "The logarithm is of the variance 1 − ᾱ, and it has d as its factor.")
def logarithm_counts_once(x_0, alpha_bar):
    a, flat = torch.as_tensor(alpha_bar, dtype=x_0.dtype), x_0.flatten(1)
    d = flat.shape[1]
    return 0.5 * (a * (flat**2).sum(dim=1) + d * (1 - a) - torch.log(1 - a) - d)


@mistake("kl_to_prior", "This is KL(N(0, I) ‖ q): the divergence is not symmetric, and q comes first.")
def reversed_divergence(x_0, alpha_bar):
    a, flat = torch.as_tensor(alpha_bar, dtype=x_0.dtype), x_0.flatten(1)
    d = flat.shape[1]
    return 0.5 * (((a * (flat**2).sum(dim=1)) + d) / (1 - a) - d + d * torch.log(1 - a))


@equivalent("kl_to_prior")
def by_distributions(x_0, alpha_bar):
    a = torch.as_tensor(alpha_bar, dtype=x_0.dtype)
    q = torch.distributions.Normal(a.sqrt() * x_0, (1 - a).sqrt().expand_as(x_0))
    p = torch.distributions.Normal(torch.zeros_like(x_0), torch.ones_like(x_0))
    return torch.distributions.kl_divergence(q, p).flatten(1).sum(dim=1)


@equivalent("kl_to_prior")
def by_one_mean(x_0, alpha_bar):
    per_entry = alpha_bar * x_0**2 + (1 - alpha_bar) - math.log(1 - alpha_bar) - 1
    return per_entry.reshape(len(x_0), -1).sum(dim=-1) / 2


# bayes_on_grid, q_posterior


def _products(grid, x_0, x_t, beta, before):
    step = torch.distributions.Normal(math.sqrt(1 - beta) * grid, math.sqrt(beta)).log_prob(
        torch.tensor(x_t, dtype=grid.dtype)
    )
    prior = torch.distributions.Normal(math.sqrt(before) * x_0, math.sqrt(1 - before)).log_prob(grid)
    return step, prior


@mistake("bayes_on_grid", "The product is not normalised: a density sums to 1, times the grid's spacing.")
def not_normalised(grid, x_0, x_t, beta, alpha_bar_before):
    step, prior = _products(grid, x_0, x_t, beta, alpha_bar_before)
    return (step + prior).exp()


@mistake("bayes_on_grid", "These are probabilities of the grid's cells: divide by the spacing to get a density.")
def probabilities_for_a_density(grid, x_0, x_t, beta, alpha_bar_before):
    return reference.bayes_on_grid(grid, x_0, x_t, beta, alpha_bar_before) * (grid[1] - grid[0])


@mistake("bayes_on_grid", "This is q(x_t | x_{t−1}) alone: Bayes' rule multiplies it with q(x_{t−1} | x_0).")
def likelihood_alone(grid, x_0, x_t, beta, alpha_bar_before):
    step, _ = _products(grid, x_0, x_t, beta, alpha_bar_before)
    return torch.softmax(step, dim=0) / (grid[1] - grid[0])


@mistake("bayes_on_grid", "This is q(x_{t−1} | x_0) alone: Bayes' rule multiplies it with q(x_t | x_{t−1}).")
def prior_alone(grid, x_0, x_t, beta, alpha_bar_before):
    _, prior = _products(grid, x_0, x_t, beta, alpha_bar_before)
    return torch.softmax(prior, dim=0) / (grid[1] - grid[0])


@mistake("bayes_on_grid", "β is a variance: the standard deviation of a step is its root.")
def beta_as_a_deviation(grid, x_0, x_t, beta, alpha_bar_before):
    step = torch.distributions.Normal(math.sqrt(1 - beta) * grid, beta).log_prob(torch.tensor(x_t, dtype=grid.dtype))
    _, prior = _products(grid, x_0, x_t, beta, alpha_bar_before)
    return torch.softmax(step + prior, dim=0) / (grid[1] - grid[0])


@mistake("bayes_on_grid", "The step's mean is √(1 − β) times x_{t−1}, the point of the grid: here it is not scaled.")
def step_without_its_factor(grid, x_0, x_t, beta, alpha_bar_before):
    step = torch.distributions.Normal(grid, math.sqrt(beta)).log_prob(torch.tensor(x_t, dtype=grid.dtype))
    _, prior = _products(grid, x_0, x_t, beta, alpha_bar_before)
    return torch.softmax(step + prior, dim=0) / (grid[1] - grid[0])


@equivalent("bayes_on_grid")
def product_of_densities(grid, x_0, x_t, beta, alpha_bar_before):
    step, prior = _products(grid, x_0, x_t, beta, alpha_bar_before)
    product = step.exp() * prior.exp()
    return product / (product.sum() * (grid[1] - grid[0]))


@equivalent("bayes_on_grid")
def by_the_trapezoid_rule(grid, x_0, x_t, beta, alpha_bar_before):
    step, prior = _products(grid, x_0, x_t, beta, alpha_bar_before)
    product = (step + prior - (step + prior).max()).exp()
    return product / torch.trapezoid(product, grid)


def _posterior(x_0, x_t, t, betas, of_x_t=None, of_x_0=None, variance=None, before=None):
    alpha_bars = reference.alpha_bars_of(betas)
    before = reference.alpha_bars_before(betas) if before is None else before
    of_x_0 = before.sqrt() * betas / (1 - alpha_bars) if of_x_0 is None else of_x_0
    of_x_t = (1 - betas).sqrt() * (1 - before) / (1 - alpha_bars) if of_x_t is None else of_x_t
    variance = betas * (1 - before) / (1 - alpha_bars) if variance is None else variance
    mean = extract(of_x_0, t, x_t.shape) * x_0 + extract(of_x_t, t, x_t.shape) * x_t
    return mean, extract(variance, t, x_t.shape)


@mistake("q_posterior", "√ᾱ_t stands in the factor of x_t, as one handout prints it; right is √α_t, of this one step.")
def handout_root_of_alpha_bar(x_0, x_t, t, betas):
    alpha_bars, before = reference.alpha_bars_of(betas), reference.alpha_bars_before(betas)
    return _posterior(x_0, x_t, t, betas, of_x_t=alpha_bars.sqrt() * (1 - before) / (1 - alpha_bars))


@mistake(
    "q_posterior",
    "The root in the factor of x_t covers the whole product, as one handout prints it; it covers α_t only.",
)
def handout_root_over_the_product(x_0, x_t, t, betas):
    alpha_bars, before = reference.alpha_bars_of(betas), reference.alpha_bars_before(betas)
    return _posterior(x_0, x_t, t, betas, of_x_t=((1 - betas) * (1 - before)).sqrt() / (1 - alpha_bars))


@mistake(
    "q_posterior",
    "The variance is β_t, that of the forward step; knowing x_0 makes it smaller, by (1 − ᾱ_{t−1}) / (1 − ᾱ_t).",
)
def variance_of_the_forward_step(x_0, x_t, t, betas):
    return _posterior(x_0, x_t, t, betas, variance=betas)


@mistake(
    "q_posterior",
    "The quotient of the variance has 1 − α in it, as one handout's last line prints it, and is 1; right is (1 − ᾱ_{t−1}) / (1 − ᾱ_t).",
    "handout_quotient_of_alphas",
)
def handout_quotient_of_alphas(x_0, x_t, t, betas):
    shifted = torch.cat([betas[:1], betas[:-1]])
    return _posterior(x_0, x_t, t, betas, variance=betas * shifted / betas)


@mistake("q_posterior", "A standard deviation is returned; the variance is wanted.")
def posterior_deviation(x_0, x_t, t, betas):
    mean, variance = reference.q_posterior(x_0, x_t, t, betas)
    return mean, variance.sqrt()


@mistake("q_posterior", "x_0 and x_t have each other's factors.")
def posterior_factors_swapped(x_0, x_t, t, betas):
    return reference.q_posterior(x_t, x_0, t, betas)


@mistake("q_posterior", "ᾱ_{t−1} at the first step is taken from the end of the schedule (index −1); it is ᾱ_0 = 1.")
def before_wraps_around(x_0, x_t, t, betas):
    return _posterior(x_0, x_t, t, betas, before=reference.alpha_bars_of(betas).roll(1))


@mistake(
    "q_posterior", "ᾱ_{t−1} at the first step is ᾱ_1 again; it is ᾱ_0 = 1, so that the mean is x_0 and the variance 0."
)
def before_repeats_the_first(x_0, x_t, t, betas):
    alpha_bars = reference.alpha_bars_of(betas)
    return _posterior(x_0, x_t, t, betas, before=torch.cat([alpha_bars[:1], alpha_bars[:-1]]))


@mistake("q_posterior", "ᾱ_t stands where ᾱ_{t−1} belongs.")
def alpha_bar_of_the_same_step(x_0, x_t, t, betas):
    return _posterior(x_0, x_t, t, betas, before=reference.alpha_bars_of(betas))


@mistake("q_posterior", "The factor of x_0 has ᾱ_{t−1} without its root.")
def alpha_bar_without_the_root(x_0, x_t, t, betas):
    alpha_bars, before = reference.alpha_bars_of(betas), reference.alpha_bars_before(betas)
    return _posterior(x_0, x_t, t, betas, of_x_0=before * betas / (1 - alpha_bars))


@mistake("q_posterior", "t is taken as 1-based: betas[0] belongs to t = 0 in code, the first step.")
def posterior_one_based(x_0, x_t, t, betas):
    return reference.q_posterior(x_0, x_t, (t - 1).clamp(min=0), betas)


@equivalent("q_posterior")
def by_precisions(x_0, x_t, t, betas):
    alphas, before = 1 - betas, torch.nn.functional.pad(torch.cumprod(1 - betas, 0)[:-1], (1, 0), value=1.0)
    variance = betas * (1 - before) / (alphas * (1 - before) + betas)
    of_x_t, of_x_0 = alphas.sqrt() * variance / betas, before.sqrt() * betas / (alphas * (1 - before) + betas)
    return extract(of_x_0, t, x_t.shape) * x_0 + extract(of_x_t, t, x_t.shape) * x_t, extract(variance, t, x_t.shape)


@equivalent("q_posterior")
def variance_spread_out(x_0, x_t, t, betas):
    mean, variance = reference.q_posterior(x_0, x_t, t, betas)
    return mean, variance.expand_as(x_t)


# posterior_mean_from_eps, loss_weight


def _from_eps(x_t, eps, t, factor, divisor):
    return (x_t - extract(factor, t, x_t.shape) * eps) / extract(divisor, t, x_t.shape)


@mistake("posterior_mean_from_eps", "√(1 − α_t) stands where √(1 − ᾱ_t) belongs, as one handout prints it.")
def handout_alpha_for_alpha_bar(x_t, eps, t, betas):
    return _from_eps(x_t, eps, t, betas / betas.sqrt(), (1 - betas).sqrt())


@mistake("posterior_mean_from_eps", "The whole is divided by √ᾱ_t; it is √α_t, of this one step.")
def divides_by_alpha_bar(x_t, eps, t, betas):
    alpha_bars = reference.alpha_bars_of(betas)
    return _from_eps(x_t, eps, t, betas / (1 - alpha_bars).sqrt(), alpha_bars.sqrt())


@mistake("posterior_mean_from_eps", "This is x̂_0, not the mean of x_{t−1}: one step takes away only part of the noise.")
def jumps_to_x_0(x_t, eps, t, betas):
    alpha_bars = reference.alpha_bars_of(betas)
    return _from_eps(x_t, eps, t, (1 - alpha_bars).sqrt(), alpha_bars.sqrt())


@mistake("posterior_mean_from_eps", "The root under β_t is missing: β_t is divided by √(1 − ᾱ_t).")
def noise_without_the_root(x_t, eps, t, betas):
    return _from_eps(x_t, eps, t, betas / (1 - reference.alpha_bars_of(betas)), (1 - betas).sqrt())


@mistake("posterior_mean_from_eps", "The noise is added; it is taken away.")
def adds_the_noise(x_t, eps, t, betas):
    return reference.posterior_mean_from_eps(x_t, -eps, t, betas)


@mistake("posterior_mean_from_eps", "The division by √α_t is missing.")
def forgets_to_rescale(x_t, eps, t, betas):
    return _from_eps(x_t, eps, t, betas / (1 - reference.alpha_bars_of(betas)).sqrt(), torch.ones_like(betas))


@equivalent("posterior_mean_from_eps")
def by_way_of_x_0(x_t, eps, t, betas):
    alpha_bar = extract(reference.alpha_bars_of(betas), t, x_t.shape)
    return reference.q_posterior((x_t - (1 - alpha_bar).sqrt() * eps) / alpha_bar.sqrt(), x_t, t, betas)[0]


@mistake("loss_weight", "The 2 is missing in the denominator.")
def weight_without_the_half(betas, variances):
    return 2 * reference.loss_weight(betas, variances)


@mistake("loss_weight", "variances are σ_t² already; here they are squared once more.")
def squares_the_variance(betas, variances):
    return reference.loss_weight(betas, variances**2)


@mistake("loss_weight", "β_t is not squared: the factor of ε in the mean is, since the distance is.")
def beta_not_squared(betas, variances):
    return reference.loss_weight(betas, variances) / betas


@mistake("loss_weight", "ᾱ_t stands where α_t belongs.")
def alpha_bar_for_alpha_in_the_weight(betas, variances):
    alpha_bars = reference.alpha_bars_of(betas)
    return betas**2 / (2 * variances * alpha_bars * (1 - alpha_bars))


@mistake("loss_weight", "1 − α_t stands where 1 − ᾱ_t belongs.")
def alpha_for_alpha_bar_in_the_weight(betas, variances):
    return betas**2 / (2 * variances * (1 - betas) * betas)


@mistake("loss_weight", "This is the factor of ε in the mean; the weight is its square over 2 σ_t².")
def factor_for_weight(betas, variances):
    return betas / ((1 - betas) * (1 - reference.alpha_bars_of(betas))).sqrt()


@equivalent("loss_weight")
def factor_squared(betas, variances):
    alphas = 1 - betas
    factor = betas / (alphas.sqrt() * (1 - alphas.cumprod(0)).sqrt())
    return factor.square() / (2 * variances)


# optimal_eps, elbo_terms


@mistake("optimal_eps", "The mean of x_t is √ᾱ times the data's mean: here the data's mean is taken away as it is.")
def mean_not_scaled(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (1 - a).sqrt() * (x_t - mean) / (a * std**2 + 1 - a)


@mistake("optimal_eps", "std is squared in the variance of x_t; here it is not.")
def std_not_squared(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (1 - a).sqrt() * (x_t - a.sqrt() * mean) / (a * std + 1 - a)


@mistake("optimal_eps", "The variance of x_t is ᾱ std² + 1 − ᾱ: the noise is part of it.")
def variance_without_the_noise(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (1 - a).sqrt() * (x_t - a.sqrt() * mean) / (a * std**2)


@mistake("optimal_eps", "This is the noise if x_0 were the data's mean; the data have a spread as well.")
def as_if_the_data_were_their_mean(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (x_t - a.sqrt() * mean) / (1 - a).sqrt()


@mistake("optimal_eps", "This is E[x_0 | x_t]; the noise is wanted.")
def expected_data(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (x_t - (1 - a).sqrt() * reference.optimal_eps(x_t, a, mean, std)) / a.sqrt()


@mistake("optimal_eps", "The covariance of ε and x_t is √(1 − ᾱ), not 1 − ᾱ.")
def covariance_without_the_root(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return (1 - a) * (x_t - a.sqrt() * mean) / (a * std**2 + 1 - a)


@mistake("optimal_eps", "This is the score, ∇ log q(x_t); the noise is −√(1 − ᾱ) times it.")
def score_for_noise(x_t, alpha_bar, mean, std):
    a = torch.as_tensor(alpha_bar, dtype=x_t.dtype)
    return -(x_t - a.sqrt() * mean) / (a * std**2 + 1 - a)


@equivalent("optimal_eps")
def by_way_of_the_score(x_t, alpha_bar, mean, std):
    a = float(alpha_bar)
    score = -(x_t - math.sqrt(a) * mean) / (a * std**2 + 1 - a)
    return -math.sqrt(1 - a) * score


@equivalent("optimal_eps")
def by_way_of_the_data(x_t, alpha_bar, mean, std):
    a = float(alpha_bar)
    x_0 = mean + math.sqrt(a) * std**2 / (a * std**2 + 1 - a) * (x_t - math.sqrt(a) * mean)
    return (x_t - math.sqrt(a) * x_0) / math.sqrt(1 - a)


def _terms(mean, std, betas, **changed):
    l_0, between, l_T = reference.elbo_terms(mean, std, betas)
    return changed.get("l_0", l_0), changed.get("between", between), changed.get("l_T", l_T)


@mistake(
    "elbo_terms",
    "The terms L_1 … L_{T−1} hold only the part from the means: the variances of the two Gaussians differ, and that costs something.",
)
def without_the_part_from_the_variances(mean, std, betas):
    error = reference.eps_variance(reference.alpha_bars_of(betas), std)
    return _terms(mean, std, betas, between=(reference.loss_weight(betas, betas) * error)[1:])


@mistake("elbo_terms", "L_0 is a log-likelihood of a density: its constant ½ log(2π β_1) is missing.")
def without_the_constant(mean, std, betas):
    l_0 = reference.elbo_terms(mean, std, betas)[0]
    return _terms(mean, std, betas, l_0=l_0 - 0.5 * torch.log(2 * math.pi * betas[0]))


@mistake("elbo_terms", "L_0 has the wrong sign in its constant.")
def constant_with_the_wrong_sign(mean, std, betas):
    l_0 = reference.elbo_terms(mean, std, betas)[0]
    return _terms(mean, std, betas, l_0=l_0 - torch.log(2 * math.pi * betas[0]))


@mistake("elbo_terms", "L_T uses x_0 = mean only: averaged over the data, ‖x_0‖² is mean² + std².")
def prior_term_at_the_mean(mean, std, betas):
    last = reference.alpha_bars_of(betas)[-1]
    return _terms(mean, std, betas, l_T=0.5 * (last * mean**2 - last - torch.log(1 - last)))


@mistake("elbo_terms", "The terms are those of the ELBO; the negative ELBO is wanted, whose divergences are positive.")
def terms_of_the_elbo(mean, std, betas):
    return tuple(-term for term in reference.elbo_terms(mean, std, betas))


@mistake("elbo_terms", "The second result holds T terms: the first step belongs to L_0 and is no divergence.")
def first_step_among_the_divergences(mean, std, betas):
    l_0, between, l_T = reference.elbo_terms(mean, std, betas)
    return l_0, torch.cat([l_0[None], between]), l_T


@mistake("elbo_terms", "The terms between are added up: return them one by one, (T − 1,).")
def sums_the_terms(mean, std, betas):
    l_0, between, l_T = reference.elbo_terms(mean, std, betas)
    return l_0, between.sum(), l_T


@mistake("elbo_terms", "The weight λ_t is missing: in nats, the squared error of ε counts λ_t times.")
def without_the_weight(mean, std, betas):
    alpha_bars = reference.alpha_bars_of(betas)
    error = reference.eps_variance(alpha_bars, std)
    between = reference.elbo_terms(mean, std, betas)[1] - ((reference.loss_weight(betas, betas) - 1) * error)[1:]
    return _terms(mean, std, betas, between=between)


@equivalent("elbo_terms")
def by_divergences_of_gaussians(mean, std, betas):
    alpha_bars, before = reference.alpha_bars_of(betas), reference.alpha_bars_before(betas)
    tilde = betas * (1 - before) / (1 - alpha_bars)
    gap = betas**2 / ((1 - betas) * (1 - alpha_bars)) * alpha_bars * std**2 / (alpha_bars * std**2 + 1 - alpha_bars)
    between = 0.5 * ((betas / tilde).log() + (tilde + gap) / betas - 1)[1:]
    l_0 = 0.5 * (torch.log(2 * math.pi * betas[0]) + gap[0] / betas[0])
    a = alpha_bars[-1]
    return l_0, between, 0.5 * (a * (std**2 + mean**2 - 1) - torch.log(1 - a))


# eps_loss


@mistake("eps_loss", "The squares are added up: take their mean, or the loss grows with the size of the images.")
def adds_up(eps, eps_hat, kind="l2"):
    return reference.eps_loss(eps, eps_hat, kind) * eps.numel()


@mistake("eps_loss", "Differences are averaged with their signs, so that they cancel.")
def signs_cancel(eps, eps_hat, kind="l2"):
    if kind not in ("l1", "l2"):
        raise ValueError(kind)
    return (eps - eps_hat).mean()


@mistake("eps_loss", "l1 and l2 are swapped: l2 is the squared one.")
def kinds_swapped(eps, eps_hat, kind="l2"):
    return reference.eps_loss(eps, eps_hat, {"l1": "l2", "l2": "l1"}.get(kind, kind))


@mistake("eps_loss", "The kind is ignored: l1 is the absolute difference.")
def kind_ignored(eps, eps_hat, kind="l2"):
    if kind not in ("l1", "l2"):
        raise ValueError(kind)
    return reference.eps_loss(eps, eps_hat)


@mistake("eps_loss", "A root is taken: the loss is the mean square itself.")
def root_mean_square(eps, eps_hat, kind="l2"):
    value = reference.eps_loss(eps, eps_hat, kind)
    return value.sqrt() if kind == "l2" else value


@mistake("eps_loss", "An unknown kind must not pass silently: raise ValueError.", "accepts_any_kind")
def accepts_any_kind(eps, eps_hat, kind="l2"):
    return reference.eps_loss(eps, eps_hat, "l1" if kind == "l1" else "l2")


@mistake("eps_loss", "No gradient reaches eps_hat: the graph is cut (detach, no_grad, item or numpy).", "detached")
def loss_detached(eps, eps_hat, kind="l2"):
    return reference.eps_loss(eps, eps_hat.detach(), kind)


@equivalent("eps_loss")
def by_functional(eps, eps_hat, kind="l2"):
    losses = {"l1": functional.l1_loss, "l2": functional.mse_loss}
    if kind not in losses:
        raise ValueError(f"unknown kind {kind}")
    return losses[kind](eps, eps_hat)


# Diffusion: the buffers


class _WithBetas(Diffusion):
    """With another schedule."""

    def _betas(self, timesteps):
        return reference.cosine_schedule(timesteps)

    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        betas = self._betas(timesteps)
        self.betas, self.alphas, self.alpha_bars = betas, 1 - betas, torch.cumprod(1 - betas, dim=0)


@mistake(
    "Diffusion", "The linear schedule is used; the class is to use the cosine one.", "linear_schedule_in_the_class"
)
class LinearInside(_WithBetas):
    def _betas(self, timesteps):
        return reference.linear_schedule(timesteps)


@mistake(
    "Diffusion",
    "The schedules are plain attributes, which stay behind when the module moves to a GPU: use register_buffer.",
    "plain_attributes",
)
class PlainAttributes(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        for name in ("betas", "alphas", "alpha_bars"):
            value = getattr(self, name)
            delattr(self, name)
            object.__setattr__(self, name, value)


@mistake(
    "Diffusion",
    "The schedules are parameters, so training would change them: use register_buffer.",
    "parameters_for_buffers",
)
class ParametersForBuffers(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        for name in ("betas", "alphas", "alpha_bars"):
            value = getattr(self, name)
            delattr(self, name)
            setattr(self, name, nn.Parameter(value))


@mistake("Diffusion", "alpha_bars holds α_t: it is the cumulative product of the alphas.", "alphas_for_alpha_bars")
class AlphasForAlphaBars(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        self.alpha_bars = self.alphas.clone()


@mistake("Diffusion", "alpha_bars is a cumulative sum; it is a product.", "sum_for_product")
class SumForProduct(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        self.alpha_bars = torch.cumsum(self.alphas, dim=0)


@mistake("Diffusion", "alpha_bars starts with ᾱ_0 = 1: entry 0 belongs to t = 1.", "alpha_bars_start_at_one")
class AlphaBarsStartAtOne(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        self.alpha_bars = reference.alpha_bars_before(self.betas)


@mistake("Diffusion", "The number of steps is fixed: use the argument timesteps.", "ignores_timesteps")
class IgnoresTimesteps(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=1000)


@equivalent("Diffusion")
class DoubleBuffers(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        for name in ("betas", "alphas", "alpha_bars"):
            setattr(self, name, getattr(self, name).double())


class _Precomputed(Diffusion):
    """As many course copies do it: all that is ever needed is precomputed, and none of it kept in checkpoints."""

    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        nn.Module.__init__(self)
        self.model, self.image_size, self.channels, self.timesteps = model, image_size, channels, timesteps
        self.loss_kind = "l2"
        betas = reference.cosine_schedule(timesteps)
        alpha_bars = torch.cumprod(1 - betas, dim=0)
        before = functional.pad(alpha_bars[:-1], (1, 0), value=1.0)
        for name, value in {
            "betas": betas,
            "alphas": 1 - betas,
            "alpha_bars": alpha_bars,
            "root_alpha_bars": alpha_bars.sqrt(),
            "root_of_the_rest": (1 - alpha_bars).sqrt(),
            "of_x_0": before.sqrt() * betas / (1 - alpha_bars),
            "of_x_t": (1 - betas).sqrt() * (1 - before) / (1 - alpha_bars),
            "log_variance": (betas * (1 - before) / (1 - alpha_bars)).clamp(min=1e-20).log(),
        }.items():
            self.register_buffer(name, value, persistent=False)


@equivalent("Diffusion")
class MoreBuffers(_Precomputed):
    pass


# q_sample


@mistake("q_sample", "ᾱ_t enters without its root: the mean is √ᾱ_t x_0.", "signal_without_root")
class SignalWithoutRoot(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        a = extract(self.alpha_bars, t, x_0.shape)
        return a * x_0 + (1 - a).sqrt() * noise


@mistake("q_sample", "The noise enters with its variance: its factor is √(1 − ᾱ_t).", "noise_without_root")
class NoiseWithoutRoot(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        a = extract(self.alpha_bars, t, x_0.shape)
        return a.sqrt() * x_0 + (1 - a) * noise


@mistake(
    "q_sample", "√(1 − α_t) and √α_t stand where √(1 − ᾱ_t) and √ᾱ_t belong: this is one step, not t.", "one_step_only"
)
class OneStepOnly(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        a = extract(self.alphas, t, x_0.shape)
        return a.sqrt() * x_0 + (1 - a).sqrt() * noise


@mistake(
    "q_sample", "√(1 − α_t) stands where √(1 − ᾱ_t) belongs, as one handout prints it.", "handout_noise_of_one_step"
)
class HandoutNoiseOfOneStep(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        a, b = extract(self.alpha_bars, t, x_0.shape), extract(self.betas, t, x_0.shape)
        return a.sqrt() * x_0 + b.sqrt() * noise


@mistake("q_sample", "The whole batch is taken to the step of its first example.", "step_of_the_first")
class StepOfTheFirst(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t[:1].expand(len(x_0)), noise)


@mistake("q_sample", "The index is off by one: alpha_bars[t] belongs to the 0-based t that is given.", "off_by_one")
class OffByOne(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, (t - 1).clamp(min=0), noise)


@mistake("q_sample", "The noise that is given is ignored.", "ignores_the_noise")
class QSampleIgnoresNoise(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        generator = torch.Generator().manual_seed(0)
        return super().q_sample(x_0, t, torch.randn(x_0.shape, generator=generator))


@mistake("q_sample", "Where no noise is given, none is added.", "no_noise")
class NoNoise(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t, torch.zeros_like(x_0) if noise is None else noise)


@mistake(
    "q_sample", "The images of a batch share one noise: draw noise of the shape of x_0.", "one_noise_for_the_batch"
)
class QSampleSharesNoise(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t, torch.randn_like(x_0[:1]).expand_as(x_0) if noise is None else noise)


@mistake(
    "q_sample",
    "The noise is not standard normal (torch.randn): it is uniform, cut off, or of another size.",
    "other_noise",
)
class UniformNoise(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t, torch.rand_like(x_0) if noise is None else noise)


@mistake(
    "q_sample",
    "The noise of one entry, image or call tells that of another: draw every number afresh.",
    "noise_used_again",
)
class QSampleKeepsNoise(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        if noise is None:
            noise = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(3))
        return super().q_sample(x_0, t, noise)


@mistake("q_sample", "x_t is cut to [−1, 1]: a noisy image may lie outside.", "clamps_x_t")
class ClampsXt(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t, noise).clamp(-1, 1)


@mistake("q_sample", "It changes x_0 in place; the caller still needs it.", "changes_its_argument")
class QSampleInPlace(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        a = extract(self.alpha_bars, t, x_0.shape)
        return x_0.mul_(a.sqrt()).add_((1 - a).sqrt() * noise)


@equivalent("q_sample")
class FromPrecomputedRoots(_Precomputed):
    def q_sample(self, x_0, t, noise=None):
        if noise is None:
            noise = torch.normal(0.0, 1.0, x_0.shape)
        return extract(self.root_alpha_bars, t, x_0.shape) * x_0 + extract(self.root_of_the_rest, t, x_0.shape) * noise


@equivalent("q_sample")
class FromDoubleBuffers(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        a = self.alpha_bars.double()[t][:, None, None, None]
        noise = torch.empty_like(x_0).normal_() if noise is None else noise
        return (a**0.5 * x_0 + (1 - a) ** 0.5 * noise).to(x_0.dtype)


# p_losses


@mistake("p_losses", "The network is shown x_0; it must be shown x_t.", "shows_x_0")
class ShowsX0(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(noise, self.model(x_0, t), self.loss_kind)


@mistake("p_losses", "The prediction is compared with x_0; the network predicts the noise.", "compares_with_x_0")
class ComparesWithX0(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(x_0, self.model(self.q_sample(x_0, t, noise), t), self.loss_kind)


@mistake(
    "p_losses",
    "The target is x_t − x_0, as if that were the noise, as one handout has it; it is the ε of x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε.",
    "handout_difference_for_noise",
)
class HandoutDifferenceForNoise(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        x_t = self.q_sample(x_0, t, noise)
        return reference.eps_loss(x_t - x_0, self.model(x_t, t), self.loss_kind)


@mistake("p_losses", "x_t is made with other noise than the prediction is compared with.", "two_noises")
class TwoNoises(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(noise, self.model(self.q_sample(x_0, t), t), self.loss_kind)


@mistake("p_losses", "The noise that is given is ignored: x_t and the loss use other noise.", "losses_ignore_the_noise")
class LossesIgnoreTheNoise(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        return super().p_losses(x_0, t)


@mistake(
    "p_losses",
    "The loss sends no gradient to the network: look for detach, no_grad or item.",
    "loss_without_a_gradient",
)
class LossWithoutAGradient(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        with torch.no_grad():
            return super().p_losses(x_0, t, noise)


@mistake("p_losses", "The loss is always squared: use the kind that self.loss_kind names.", "kind_of_loss_ignored")
class KindOfLossIgnored(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return functional.mse_loss(self.model(self.q_sample(x_0, t, noise), t), noise)


@mistake("p_losses", "The squares are added up over the images: take the mean.", "sum_of_losses")
class SumOfLosses(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        return super().p_losses(x_0, t, noise) * x_0.numel()


@mistake("p_losses", "One loss an example is returned; training needs their mean, one number.", "loss_of_each_example")
class LossOfEachExample(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return ((noise - self.model(self.q_sample(x_0, t, noise), t)) ** 2).flatten(1).mean(dim=1)


@mistake("p_losses", "The network is given other steps t than those that x_t was made with.", "other_steps")
class TellsOtherSteps(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        later = (t + 1).clamp(max=self.timesteps - 1)
        return reference.eps_loss(noise, self.model(self.q_sample(x_0, t, noise), later), self.loss_kind)


@mistake(
    "p_losses", "The images of a batch share one noise: draw noise of the shape of x_0.", "one_noise_for_the_batch"
)
class LossesShareNoise(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        return super().p_losses(x_0, t, torch.randn_like(x_0[:1]).expand_as(x_0) if noise is None else noise)


@mistake("p_losses", "Where no noise is given, none is drawn: the network would learn to predict 0.", "no_noise")
class LossesWithoutNoise(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        return super().p_losses(x_0, t, torch.zeros_like(x_0) if noise is None else noise)


@mistake(
    "p_losses",
    "The network is put into evaluation mode for the loss, so that dropout would not train: call eval() for sampling only.",
    "trains_in_evaluation_mode",
)
class TrainsInEvaluationMode(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        self.model.eval()
        return super().p_losses(x_0, t, noise)


@mistake(
    "p_losses",
    "The noise of one entry, image or call tells that of another: draw every number afresh.",
    "noise_used_again",
)
class LossesUseTheirNoiseAgain(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        if noise is None:
            noise = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(5))
        return super().p_losses(x_0, t, noise)


@equivalent("p_losses")
class LossesByHand(_Precomputed):
    def p_losses(self, x_0, t, noise=None):
        if noise is None:
            noise = torch.randn(*x_0.shape)
        x_t = extract(self.root_alpha_bars, t, x_0.shape) * x_0 + extract(self.root_of_the_rest, t, x_0.shape) * noise
        difference = self.model(x_t, t) - noise
        return difference.abs().mean() if self.loss_kind == "l1" else difference.square().flatten(1).mean(dim=1).mean()


# forward


@mistake("forward", "The whole batch has one step t: every example needs a step of its own.", "one_step_for_the_batch")
class OneStepForTheBatch(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, torch.randint(0, self.timesteps, (1,)).expand(len(x_0)), noise)


@mistake(
    "forward",
    "The first step, index 0, is never drawn: torch.randint(0, T, …) includes 0 and leaves out T.",
    "never_the_first_step",
)
class NeverTheFirstStep(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, torch.randint(1, self.timesteps, (len(x_0),)), noise)


@mistake(
    "forward",
    "The last step, index T − 1, is never drawn: torch.randint leaves out its upper end already.",
    "never_the_last_step",
)
class NeverTheLastStep(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, torch.randint(0, self.timesteps - 1, (len(x_0),)), noise)


@mistake("forward", "The noise that is given is not the noise in x_t: it is ignored or changed.", "ignores_its_noise")
class ForwardIgnoresItsNoise(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, torch.randint(0, self.timesteps, (len(x_0),)))


@mistake("forward", "The noise that is given is doubled.", "doubles_the_noise")
class ForwardDoublesTheNoise(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),))
        return self.p_losses(x_0, t, None if noise is None else 2 * noise)


@mistake("forward", "Without noise given, none is used.", "no_noise")
class ForwardWithoutNoise(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),))
        return self.p_losses(x_0, t, torch.zeros_like(x_0) if noise is None else noise)


@mistake("forward", "Without noise given, the images of a batch share one noise.", "one_noise_for_the_batch")
class ForwardSharesItsNoise(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),))
        return self.p_losses(x_0, t, torch.randn_like(x_0[:1]).expand_as(x_0) if noise is None else noise)


@mistake(
    "forward",
    "Without noise given, the noise of one entry, image or call tells that of another: draw every number afresh.",
    "noise_used_again",
)
class ForwardKeepsItsNoise(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),))
        noise = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(1)) if noise is None else noise
        return self.p_losses(x_0, t, noise)


@mistake("forward", "Some steps are drawn more often than others: all T are equally likely.", "steps_not_uniform")
class StepsNotUniform(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, (torch.rand(len(x_0)) ** 2 * self.timesteps).long(), noise)


@mistake("forward", "The steps are the same at every call: draw them afresh.", "steps_drawn_once")
class StepsDrawnOnce(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),), generator=torch.Generator().manual_seed(0))
        return self.p_losses(x_0, t, noise)


@mistake(
    "forward", "The loss sends no gradient to the network: look for detach, no_grad or item.", "loss_without_a_gradient"
)
class ForwardWithoutAGradient(Diffusion):
    def forward(self, x_0, noise=None):
        return super().forward(x_0, noise).detach()


@mistake("forward", "The loss is added up over the batch: p_losses is the mean already.", "loss_times_the_batch")
class LossTimesTheBatch(Diffusion):
    def forward(self, x_0, noise=None):
        return super().forward(x_0, noise) * len(x_0)


@mistake(
    "forward", "The loss of one step is returned for each of them: return p_losses itself.", "returns_the_steps_too"
)
class ReturnsTheStepsToo(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),))
        return self.p_losses(x_0, t, noise), t


@equivalent("forward")
class StepsByRounding(Diffusion):
    def forward(self, x_0, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        t = torch.floor(torch.rand(x_0.shape[0]) * self.timesteps).long()
        return self.p_losses(x_0, t, noise=noise)


@equivalent("forward")
class StepsFromADistribution(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.distributions.Categorical(logits=torch.zeros(self.timesteps)).sample((len(x_0),))
        return self.p_losses(x_0, t, noise)


@equivalent("forward")
class AllInOne(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(self.timesteps, (len(x_0),))
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(noise, self.model(self.q_sample(x_0, t, noise), t), self.loss_kind)


# p_sample


class _Stepping(Diffusion):
    """The step taken apart, so that each part can go wrong alone."""

    def clean(self, x, t):
        return self.free(x, t).clamp(-1, 1)

    def free(self, x, t):
        a = extract(self.alpha_bars, t, x.shape)
        return (x - (1 - a).sqrt() * self.model(x, t)) / a.sqrt()

    def mean(self, x, t, t_index):
        return reference.q_posterior(self.clean(x, t), x, t, self.betas)[0]

    def deviation(self, x, t):
        return reference.q_posterior(x, x, t, self.betas)[1].sqrt()

    def noise(self, x, t_index):
        return torch.randn_like(x) if t_index > 0 else torch.zeros_like(x)

    @torch.no_grad()
    def p_sample(self, x, t, t_index):
        return self.mean(x, t, t_index) + self.deviation(x, t) * self.noise(x, t_index)


@mistake("p_sample", "x̂_0 is not clamped to [−1, 1]: at large t it is far outside.", "forgets_the_clamp")
class ForgetsTheClamp(_Stepping):
    def clean(self, x, t):
        return self.free(x, t)


@mistake("p_sample", "x̂_0 is clamped to [0, 1]; images lie in [−1, 1] here.", "clamps_to_zero_and_one")
class ClampsToZeroAndOne(_Stepping):
    def clean(self, x, t):
        return self.free(x, t).clamp(0, 1)


@mistake("p_sample", "The mean is x̂_0 itself: one step goes only a little of the way.", "jumps_to_x_0")
class StepJumpsToX0(_Stepping):
    def mean(self, x, t, t_index):
        return self.clean(x, t)


@mistake("p_sample", "√ᾱ_t stands in the factor of x_t, as one handout prints it; right is √α_t.", "root_of_alpha_bar")
class StepWithRootOfAlphaBar(_Stepping):
    def mean(self, x, t, t_index):
        return handout_root_of_alpha_bar.answer(self.clean(x, t), x, t, self.betas)[0]


@mistake(
    "p_sample",
    "The root in the factor of x_t covers the whole product, as one handout prints it; it covers α_t only.",
    "root_over_the_product",
)
class StepWithRootOverTheProduct(_Stepping):
    def mean(self, x, t, t_index):
        return handout_root_over_the_product.answer(self.clean(x, t), x, t, self.betas)[0]


@mistake("p_sample", "The last step, index 0, adds noise: it returns the mean alone.", "noise_at_the_last_step")
class NoiseAtTheLastStep(_Stepping):
    def deviation(self, x, t):
        return extract(self.betas, t, x.shape).sqrt()

    def noise(self, x, t_index):
        return torch.randn_like(x)


@mistake(
    "p_sample",
    "There is a step before the last that adds no noise; only the last one, index 0, adds none.",
    "never_any_noise",
)
class NeverAnyNoise(_Stepping):
    def noise(self, x, t_index):
        return torch.zeros_like(x)


@mistake(
    "p_sample",
    "The noise is multiplied with the variance β̃_t: its root is the standard deviation.",
    "variance_for_the_standard_deviation",
)
class VarianceForDeviation(_Stepping):
    def deviation(self, x, t):
        return super().deviation(x, t) ** 2


@mistake(
    "p_sample", "The noise has the variance β_t of the forward step; given x̂_0 it is β̃_t.", "noise_of_the_forward_step"
)
class NoiseOfTheForwardStep(_Stepping):
    def deviation(self, x, t):
        return extract(self.betas, t, x.shape).sqrt()


@mistake(
    "p_sample", "The noise is multiplied with β_t; its standard deviation is √β̃_t.", "beta_for_the_standard_deviation"
)
class BetaForDeviation(_Stepping):
    def deviation(self, x, t):
        return extract(self.betas, t, x.shape)


@mistake("p_sample", "The noise has a standard deviation of 1 at every step; it is √β̃_t.", "unit_noise")
class UnitNoise(_Stepping):
    def deviation(self, x, t):
        return torch.ones_like(x)


@mistake("p_sample", "The images of a batch share one noise: draw noise of the shape of x.", "one_noise_for_the_batch")
class StepSharesItsNoise(_Stepping):
    def noise(self, x, t_index):
        return torch.randn_like(x[:1]).expand_as(x) if t_index > 0 else torch.zeros_like(x)


@mistake(
    "p_sample", "All entries of an image share one number: draw noise of the shape of x.", "one_number_for_an_image"
)
class OneNumberForAnImage(_Stepping):
    def noise(self, x, t_index):
        return torch.randn(len(x), 1, 1, 1) if t_index > 0 else torch.zeros_like(x)


@mistake(
    "p_sample",
    "The noise of one entry, image or call tells that of another: draw every number afresh.",
    "noise_used_again",
)
class StepUsesItsNoiseAgain(_Stepping):
    def noise(self, x, t_index):
        return torch.randn(x.shape, generator=torch.Generator().manual_seed(2)) if t_index > 0 else torch.zeros_like(x)


@mistake(
    "p_sample",
    "The noise is not standard normal (torch.randn): it is uniform, cut off, or of another size.",
    "other_noise",
)
class StepWithUniformNoise(_Stepping):
    def noise(self, x, t_index):
        return (torch.rand_like(x) - 0.5) * 12**0.5 if t_index > 0 else torch.zeros_like(x)


@mistake(
    "p_sample",
    "The result carries a graph, which fills the memory over T steps: decorate with torch.no_grad().",
    "keeps_a_graph",
)
class KeepsAGraph(_Stepping):
    def p_sample(self, x, t, t_index):
        return self.mean(x, t, t_index) + self.deviation(x, t) * self.noise(x, t_index)


@mistake("p_sample", "The network is given other steps t than p_sample was.", "other_steps")
class StepTellsOtherSteps(_Stepping):
    def free(self, x, t):
        a = extract(self.alpha_bars, t, x.shape)
        return (x - (1 - a).sqrt() * self.model(x, (t - 1).clamp(min=0))) / a.sqrt()


@mistake("p_sample", "x_{t−1} is clamped as a whole: clamp x̂_0 only, or the noise is cut off.", "clamps_the_state")
class ClampsTheState(_Stepping):
    @torch.no_grad()
    def p_sample(self, x, t, t_index):
        return (self.mean(x, t, t_index) + self.deviation(x, t) * self.noise(x, t_index)).clamp(-1, 1)


@equivalent("p_sample")
class StepFromPrecomputed(_Precomputed):
    @torch.no_grad()
    def p_sample(self, x, t, t_index):
        x_0 = (x - extract(self.root_of_the_rest, t, x.shape) * self.model(x, t)) / extract(
            self.root_alpha_bars, t, x.shape
        )
        mean = extract(self.of_x_0, t, x.shape) * x_0.clamp(-1.0, 1.0) + extract(self.of_x_t, t, x.shape) * x
        mask = (t > 0).float().view(-1, 1, 1, 1)
        return mean + mask * torch.exp(0.5 * extract(self.log_variance, t, x.shape)) * torch.randn_like(x)


@equivalent("p_sample")
class StepInEpsForm(_Stepping):
    """The ε form of the mean, with the ε that belongs to the clamped x̂_0."""

    def mean(self, x, t, t_index):
        a = extract(self.alpha_bars, t, x.shape)
        eps = (x - a.sqrt() * self.clean(x, t)) / (1 - a).sqrt()
        return reference.posterior_mean_from_eps(x, eps, t, self.betas)


@equivalent("p_sample")
class StepByNumbers(Diffusion):
    """By t_index alone, in Python numbers."""

    def p_sample(self, x, t, t_index):
        with torch.inference_mode():
            alpha_bars = self.alpha_bars.double().tolist()
            now, before = alpha_bars[t_index], alpha_bars[t_index - 1] if t_index else 1.0
            alpha = now / before
            x_0 = torch.clip((x - (1 - now) ** 0.5 * self.model(x, t)) / now**0.5, -1, 1)
            x = before**0.5 * (1 - alpha) / (1 - now) * x_0 + alpha**0.5 * (1 - before) / (1 - now) * x
            if t_index:
                x = x + ((1 - before) / (1 - now) * (1 - alpha)) ** 0.5 * torch.randn(x.shape)
            return x.clone()


# p_sample_loop


@mistake(
    "p_sample_loop", "The network samples in training mode: call self.model.eval() first.", "samples_in_training_mode"
)
class SamplesInTrainingMode(Diffusion):
    @torch.no_grad()
    def p_sample_loop(self, img):
        for k in reversed(range(self.timesteps)):
            img = self.p_sample(img, torch.full((len(img),), k), k)
        return img


class _Looping(Diffusion):
    """The loop taken apart."""

    def indices(self):
        return reversed(range(self.timesteps))

    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        for k in self.indices():
            img = self.p_sample(img, torch.full((len(img),), k), k)
        return img


@mistake("p_sample_loop", "The steps run from index 0 up to T − 1: the reverse chain runs down.", "runs_forward")
class RunsForward(_Looping):
    def indices(self):
        return range(self.timesteps)


@mistake(
    "p_sample_loop", "One step is left out: the indices go from T − 1 down to 0, both included.", "leaves_a_step_out"
)
class LeavesTheLastStepOut(_Looping):
    def indices(self):
        return range(self.timesteps - 1, 0, -1)


@mistake(
    "p_sample_loop", "One step is left out: the indices go from T − 1 down to 0, both included.", "leaves_a_step_out"
)
class LeavesTheFirstStepOut(_Looping):
    def indices(self):
        return range(self.timesteps - 2, -1, -1)


@mistake(
    "p_sample_loop",
    "The chain does not start from img as it is: it starts from other noise, or from an img that was changed.",
    "starts_elsewhere",
)
class StartsElsewhere(_Looping):
    def p_sample_loop(self, img):
        return super().p_sample_loop(torch.randn_like(img))


@mistake(
    "p_sample_loop",
    "One noise is drawn before the loop and used at every step: each step needs fresh noise.",
    "noise_used_again",
)
class OneNoiseForAllSteps(Diffusion):
    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        noise = torch.randn_like(img)
        for k in reversed(range(self.timesteps)):
            t = torch.full((len(img),), k)
            mean, variance = reference.q_posterior(self.predicted_x_0(img, t), img, t, self.betas)
            img = mean + variance.sqrt() * noise if k else mean
        return img


@mistake(
    "p_sample_loop",
    "The state is reset: every step must start from what the step before gave.",
    "always_from_the_start",
)
class AlwaysFromTheStart(Diffusion):
    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        for k in reversed(range(self.timesteps)):
            x = self.p_sample(img, torch.full((len(img),), k), k)
        return x


@mistake("p_sample_loop", "All states are returned; only the last one, x_0, is wanted.", "returns_all_states")
class ReturnsAllStates(Diffusion):
    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        states = [img]
        for k in reversed(range(self.timesteps)):
            states.append(self.p_sample(states[-1], torch.full((len(img),), k), k))
        return torch.stack(states)


@mistake(
    "p_sample_loop",
    "The result is mapped to [0, 1] already: that is what sample does; here x_0 stays in [−1, 1].",
    "maps_in_the_loop",
)
class MapsInTheLoop(Diffusion):
    def p_sample_loop(self, img):
        return (super().p_sample_loop(img) + 1) / 2


@equivalent("p_sample_loop")
class LoopByWhile(Diffusion):
    def p_sample_loop(self, img):
        self.model.eval()
        with torch.no_grad():
            k = self.timesteps - 1
            while k >= 0:
                img = self.p_sample(img, k * torch.ones(img.shape[0], dtype=torch.long), k)
                k -= 1
        return img


@equivalent("p_sample_loop")
class LoopAllInOne(Diffusion):
    @torch.inference_mode()
    def p_sample_loop(self, img):
        self.eval()
        noises = torch.randn(self.timesteps, *img.shape)
        for k in range(self.timesteps - 1, -1, -1):
            t = torch.full((len(img),), k)
            mean, variance = reference.q_posterior(self.predicted_x_0(img, t), img, t, self.betas)
            img = mean + (k > 0) * variance.sqrt() * noises[k]
        self.train()
        return img.clone()


# sample


@mistake(
    "sample",
    "The images are not mapped to [0, 1] by (x + 1) / 2: they lie in [−1, 1], or were cut.",
    "images_in_minus_one_to_one",
)
class ImagesInMinusOneToOne(Diffusion):
    def sample(self, batch_size):
        return super().sample(batch_size) * 2 - 1


@mistake(
    "sample",
    "The images are not mapped to [0, 1] by (x + 1) / 2: they lie in [−1, 1], or were cut.",
    "images_in_minus_one_to_one",
)
class ClampsInsteadOfMapping(Diffusion):
    def sample(self, batch_size):
        return (super().sample(batch_size) * 2 - 1).clamp(0, 1)


@mistake("sample", "All images start from the same noise: draw noise for each of them.", "one_noise_for_the_batch")
class SameStartForAll(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        start = torch.randn(1, self.channels, self.image_size, self.image_size).expand(batch_size, -1, -1, -1)
        return (self.p_sample_loop(start) + 1) / 2


@mistake("sample", "The chain starts from zeros: it starts from standard normal noise.", "no_noise")
class StartsFromZeros(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        start = torch.zeros(batch_size, self.channels, self.image_size, self.image_size)
        return (self.p_sample_loop(start) + 1) / 2


@mistake(
    "sample",
    "The noise at the start is not standard normal (torch.randn): it is uniform, cut off, or of another size.",
    "other_noise",
)
class StartsFromUniformNoise(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        start = torch.rand(batch_size, self.channels, self.image_size, self.image_size)
        return (self.p_sample_loop(start) + 1) / 2


@mistake("sample", "The network samples in training mode: call self.model.eval() first.", "samples_in_training_mode")
class SampleInTrainingMode(SamplesInTrainingMode.answer):
    pass


@mistake(
    "sample",
    "The starting noise of one entry, image or call tells that of another: draw every number afresh.",
    "noise_used_again",
)
class SampleUsesItsNoiseAgain(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        shape = (batch_size, self.channels, self.image_size, self.image_size)
        start = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        return (self.p_sample_loop(start) + 1) / 2


@mistake("sample", "The number of channels is fixed at 3: use self.channels.", "three_channels")
class ThreeChannels(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        return (self.p_sample_loop(torch.randn(batch_size, 3, self.image_size, self.image_size)) + 1) / 2


@equivalent("sample")
class SampleByHalves(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        start = torch.empty(batch_size, self.channels, self.image_size, self.image_size).normal_()
        return self.p_sample_loop(start).mul(0.5).add(0.5).clamp(0, 1)


@equivalent("sample")
class SampleImageByImage(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        shape = (self.channels, self.image_size, self.image_size)
        start = torch.stack([torch.randn(shape) for _ in range(batch_size)])
        return (1 + self.p_sample_loop(start)) / 2


# Figures


def _strip(states):
    return fixmelab.show_strip(states, range(len(states))), states


@mistake(
    "plot_forward",
    "The index t stands for the step t: after t steps the index is t − 1, and t = 0 is x_0 itself.",
    "counts_from_the_index",
)
def counts_from_the_index(diffusion, x_0):
    times = reference.steps_at(diffusion.timesteps)
    return _strip(torch.stack([diffusion.q_sample(x_0, torch.full((len(x_0),), t)) for t in times]))


@mistake(
    "plot_forward",
    "The states are mapped to [0, 1]: return them as they are; only the picture is scaled.",
    "rescales_the_states",
)
def forward_rescaled(diffusion, x_0):
    return _strip((reference.forward_states(diffusion, x_0) + 1) / 2)


@mistake(
    "plot_forward",
    "The states are cut to [−1, 1]: return them as they are; only the picture is cut.",
    "clips_the_states",
)
def forward_clipped(diffusion, x_0):
    return _strip(reference.forward_states(diffusion, x_0).clamp(-1, 1))


@mistake(
    "plot_forward", "The states are cut and mapped to [0, 1]: return them as they are.", "clips_and_rescales_the_states"
)
def forward_clipped_and_rescaled(diffusion, x_0):
    return _strip((reference.forward_states(diffusion, x_0).clamp(-1, 1) + 1) / 2)


@mistake("plot_forward", "The last state is that of 100 %; wanted is 99 %.", "ends_at_the_end")
def ends_at_the_end(diffusion, x_0):
    states = reference.forward_states(diffusion, x_0).clone()
    states[-1] = diffusion.q_sample(x_0, torch.full((len(x_0),), diffusion.timesteps - 1))
    return _strip(states)


@mistake(
    "plot_forward",
    "Each state is made from the one before, so that it is noisier than it should be: start from x_0 each time.",
    "noise_upon_noise",
)
def noise_upon_noise(diffusion, x_0):
    states = [x_0]
    for t in reference.steps_at(diffusion.timesteps)[1:]:
        states.append(diffusion.q_sample(states[-1], torch.full((len(x_0),), t - 1)))
    return _strip(torch.stack(states))


@equivalent("plot_forward")
def forward_with_pyplot(diffusion, x_0):
    import matplotlib.pyplot as plt

    states = reference.forward_states(diffusion, x_0)
    figure, axes = plt.subplots(len(x_0), 5, squeeze=False)
    for row, line in zip(axes, states.transpose(0, 1), strict=True):
        for cell, image in zip(row, line, strict=True):
            cell.imshow(((image + 1) / 2).clamp(0, 1).permute(1, 2, 0).numpy())
    plt.close(figure)
    return figure, states.numpy()


def _back(diffusion, x, start=None, percentages=(99, 75, 50, 25, 0)):
    times = reference.steps_at(diffusion.timesteps, percentages)
    return reference.states_on_the_way(diffusion, x, times[0] if start is None else start, times)


@mistake(
    "plot_backward",
    "The chain starts from an image that was already mapped to [0, 1] for a plot; that is no sample of x_t.",
    "starts_from_a_rescaled_image",
)
def starts_from_a_rescaled_image(diffusion, x):
    return _strip(_back(diffusion, (x + 1) / 2))


@mistake(
    "plot_backward",
    "The chain starts from an image that was cut to [−1, 1] for a plot; that is no sample of x_t.",
    "starts_from_a_clipped_image",
)
def starts_from_a_clipped_image(diffusion, x):
    return _strip(_back(diffusion, x.clamp(-1, 1)))


@mistake(
    "plot_backward",
    "The chain starts at t = T, but x is the state at 99 %: the first step back has the index ⌊99 T / 100⌋ − 1.",
    "starts_at_the_very_end",
)
def starts_at_the_very_end(diffusion, x):
    T = diffusion.timesteps
    times = reference.steps_at(T, (99, 75, 50, 25, 0))
    return _strip(reference.states_on_the_way(diffusion, x, T, [T, *times[1:]]))


@mistake("plot_backward", "The states are mapped to [0, 1]: return them as they are.", "rescales_the_states")
def backward_rescaled(diffusion, x):
    return _strip((_back(diffusion, x) + 1) / 2)


@mistake(
    "plot_backward",
    "The states are in the order of the forward figure; the reverse chain goes from 99 % to 0.",
    "in_the_other_order",
)
def backward_in_the_other_order(diffusion, x):
    return _strip(_back(diffusion, x).flip(0))


@mistake(
    "plot_backward",
    "Every state is one step too late: x itself is the state at 99 %, before the first step back.",
    "one_step_late",
)
def backward_one_step_late(diffusion, x):
    times = reference.steps_at(diffusion.timesteps, (99, 75, 50, 25, 0))
    late = [times[0] - 1, *(max(t - 1, 0) for t in times[1:])]
    return _strip(reference.states_on_the_way(diffusion, x, times[0], late))


@equivalent("plot_backward")
def backward_in_one_loop(diffusion, x):
    times, states = [99 * diffusion.timesteps // 100], [x]
    wanted = [p * diffusion.timesteps // 100 for p in (75, 50, 25, 0)]
    for t in range(times[0], 0, -1):
        x = diffusion.p_sample(x, torch.full((x.shape[0],), t - 1, dtype=torch.long), t - 1)
        if t - 1 in wanted:
            states.append(x.clone())
    return fixmelab.show_strip(torch.stack(states), ["99 %", "75 %", "50 %", "25 %", "0 %"]), torch.stack(states)


@mistake(
    "plot_denoising",
    "There are five panels for six times: t = T is pure noise, x_T itself, before any step.",
    "drops_the_panel_of_pure_noise",
)
def drops_the_panel(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    kept, x = {}, x_T
    for k in reversed(range(diffusion.timesteps)):
        x = diffusion.p_sample(x, torch.full((len(x),), k), k)
        kept[k] = x
    return _strip(torch.stack([kept[t] for t in times if t in kept]))


@mistake(
    "plot_denoising",
    "Every panel is one step too late: t = T is x_T itself, and the state at t has T − t steps behind it.",
    "drops_the_panel_of_pure_noise",
)
def denoising_one_step_late(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    late = [max(t - 1, 0) for t in times]
    return _strip(reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, late))


@mistake("plot_denoising", "The states are mapped to [0, 1]: return them as they are.", "rescales_the_states")
def denoising_rescaled(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    return _strip((reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, list(times)) + 1) / 2)


@mistake(
    "plot_denoising",
    "The panels are in the wrong order: from noise to image, as times gives them.",
    "in_the_other_order",
)
def denoising_in_the_other_order(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    return _strip(reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, list(times)).flip(0))


@mistake(
    "plot_denoising",
    "The times are always 200, 100, …: use the argument times, and diffusion.timesteps for T.",
    "ignores_the_times",
)
def ignores_the_times(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    chosen = [min(t, diffusion.timesteps) for t in (200, 100, 50, 20, 10, 0)]
    return _strip(reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, chosen))


@mistake(
    "plot_denoising",
    "A new chain is run for each panel, so that the panels show different images: run one, and keep its states.",
    "a_chain_for_each_panel",
)
def a_chain_for_each_panel(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    states = [reference.states_on_the_way(diffusion, x_T, diffusion.timesteps, [t])[0] for t in times]
    return _strip(torch.stack(states))


@mistake(
    "plot_denoising",
    "The chain starts at the first of times; it starts at t = T, whatever is shown.",
    "starts_at_the_first_time",
)
def starts_at_the_first_time(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    return _strip(reference.states_on_the_way(diffusion, x_T, times[0], list(times)))


@equivalent("plot_denoising")
def denoising_in_one_loop(diffusion, x_T, times=(200, 100, 50, 20, 10, 0)):
    states, x = [], x_T
    for t in range(diffusion.timesteps, -1, -1):
        if t in times:
            states.append(x)
        if t:
            x = diffusion.p_sample(x, torch.full((len(x),), t - 1), t - 1)
    return _strip(torch.stack(states))
