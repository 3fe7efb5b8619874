"""L_0, L_1 … L_{T−1} and L_T in nats, exactly, for Gaussian data in one dimension, whose optimal ε is known.

Mistakes lose the part of a divergence that comes from the variances, the constant of L_0 or the weight λ_t, average L_T
wrongly over the data, or sum the terms.
"""

import math

import torch

from autograder.assignments.diffusion import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.parts import part
from autograder.judge.student import Remote


@exercise("diffusion.elbo_terms", parts={"L_0": 1, "L_1 … L_{T−1}": 1, "L_T": 1})
def elbo_terms(student: Remote, draw: Draw) -> None:
    for steps, factor in draw.again((draw.integer(5, 9), 1.0), (draw.integer(9, 14), 0.02), (2, 1.0)):
        betas = factor * common.random_betas(draw, steps, torch.float64)
        mean, std = 2 * float(draw.normal(1)[0]), float(draw.positive(1)[0])
        found = expect(student(mean, std, betas)).items(3)
        names, wanted = ("L_0", "L_1 … L_{T−1}", "L_T"), reference.elbo_terms(mean, std, betas)
        for got, right, name in zip(found, wanted, names, strict=True):
            with part(name):
                expect(got, name).close(right)


def _terms_with(mean, std, betas, **changed):
    """The right terms, but for those that are given."""
    l_0, between, l_T = reference.elbo_terms(mean, std, betas)
    return changed.get("l_0", l_0), changed.get("between", between), changed.get("l_T", l_T)


@mistake(
    "The terms L_1 … L_{T−1} hold only the part from the means: the variances of the two Gaussians differ, and that costs something.",
    earns=2,
)
def without_the_part_from_the_variances(mean, std, betas):
    error = reference.eps_variance(reference.alpha_bars_of(betas), std)
    return _terms_with(mean, std, betas, between=(reference.loss_weight(betas, betas) * error)[1:])


@mistake("L_0 is a log-likelihood of a density: its constant ½ log(2π β_1) is missing.", earns=2)
def without_the_constant(mean, std, betas):
    l_0 = reference.elbo_terms(mean, std, betas)[0]
    return _terms_with(mean, std, betas, l_0=l_0 - 0.5 * torch.log(2 * math.pi * betas[0]))


@mistake("L_0 has the wrong sign in its constant.", earns=2)
def constant_with_the_wrong_sign(mean, std, betas):
    l_0 = reference.elbo_terms(mean, std, betas)[0]
    return _terms_with(mean, std, betas, l_0=l_0 - torch.log(2 * math.pi * betas[0]))


@mistake("L_T uses x_0 = mean only: averaged over the data, ‖x_0‖² is mean² + std².", earns=2)
def prior_term_at_the_mean(mean, std, betas):
    last = reference.alpha_bars_of(betas)[-1]
    return _terms_with(mean, std, betas, l_T=0.5 * (last * mean**2 - last - torch.log(1 - last)))


@mistake("The terms are those of the ELBO; return those of the negative ELBO, whose divergences are positive.")
def terms_of_the_elbo(mean, std, betas):
    return tuple(-term for term in reference.elbo_terms(mean, std, betas))


@mistake("The second result holds T terms: the first step belongs to L_0 and is no divergence.", earns=2)
def first_step_among_the_divergences(mean, std, betas):
    l_0, between, l_T = reference.elbo_terms(mean, std, betas)
    return l_0, torch.cat([l_0[None], between]), l_T


@mistake("The terms between are added up: return them one by one, (T − 1,).", earns=2)
def sums_the_terms(mean, std, betas):
    l_0, between, l_T = reference.elbo_terms(mean, std, betas)
    return l_0, between.sum(), l_T


@mistake("The weight λ_t is missing: in nats, the squared error of ε counts λ_t times.", earns=2)
def without_the_weight(mean, std, betas):
    alpha_bars = reference.alpha_bars_of(betas)
    error = reference.eps_variance(alpha_bars, std)
    between = reference.elbo_terms(mean, std, betas)[1] - ((reference.loss_weight(betas, betas) - 1) * error)[1:]
    return _terms_with(mean, std, betas, between=between)


@equivalent
def by_divergences_of_gaussians(mean, std, betas):
    alpha_bars, before = reference.alpha_bars_of(betas), reference.alpha_bars_before(betas)
    tilde = betas * (1 - before) / (1 - alpha_bars)
    gap = betas**2 / ((1 - betas) * (1 - alpha_bars)) * alpha_bars * std**2 / (alpha_bars * std**2 + 1 - alpha_bars)
    between = 0.5 * ((betas / tilde).log() + (tilde + gap) / betas - 1)[1:]
    l_0 = 0.5 * (torch.log(2 * math.pi * betas[0]) + gap[0] / betas[0])
    a = alpha_bars[-1]
    return l_0, between, 0.5 * (a * (std**2 + mean**2 - 1) - torch.log(1 - a))


HARMLESS = {
    "graph": "A schedule has no gradient.",
    "torch.cumprod(1 - betas, dim=0) → torch.cumprod(1 - betas, dim=-1)": "The tensor has one dimension.",
}
