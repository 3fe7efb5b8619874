"""m_t and v_t of q(x_t | x_0) = N(m_t x_0, v_t I), for each t of a schedule.

They are √ᾱ_t and 1 − ᾱ_t, in closed form or step by step. Common mistakes: a lost root, the β_t only added up, a
variance scaled by √(1 − β_t) at each step, a standard deviation for v_t, a start at t = 0.
"""

import torch

from autograder.assignments.diffusion import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.chain_moments")
def chain_moments(student: Remote, draw: Draw) -> None:
    for steps, dtype in draw.again((7, torch.float64), (1, torch.float32), (30, torch.float32)):
        betas = common.random_betas(draw, steps, dtype)
        m, v = expect(student(betas)).items(2)
        wanted = reference.chain_moments(betas)
        expect(m, "m, the factor of x_0").close(wanted[0])
        expect(v, "v, the variance").close(wanted[1])


@mistake("The factor of x_0 is the root of ᾱ_t: a step scales the state by √(1 − β).")
def factor_without_the_root(betas):
    m, v = reference.chain_moments(betas)
    return m**2, v


@mistake("v is a variance, not a standard deviation.")
def deviation_for_variance(betas):
    m, v = reference.chain_moments(betas)
    return m, v.sqrt()


@mistake("The variances are only added up: each step also shrinks the variance that was there, by 1 − β.")
def adds_the_variances(betas):
    return reference.chain_moments(betas)[0], torch.cumsum(betas, dim=0)


@mistake("A step scales the variance by the *square* of its factor, that is, by 1 − β.")
def variance_scaled_by_the_root(betas):
    v, found = torch.zeros((), dtype=betas.dtype), []
    for beta in betas:
        v = (1 - beta).sqrt() * v + beta
        found.append(v)
    return reference.chain_moments(betas)[0], torch.stack(found)


@mistake("m_0 = 1 and v_0 = 0 belong to no step: the first entry is t = 1.")
def starts_at_zero(betas):
    m, v = reference.chain_moments(betas)
    return torch.cat([torch.ones_like(m[:1]), m[:-1]]), torch.cat([torch.zeros_like(v[:1]), v[:-1]])


@mistake("α_t stands where the product of all α up to t belongs.")
def alpha_for_alpha_bar(betas):
    return (1 - betas).sqrt(), betas


@equivalent
def by_products(betas):
    alpha_bars = torch.exp(torch.cumsum(torch.log1p(-betas), dim=0))
    return torch.sqrt(alpha_bars), 1 - alpha_bars


HARMLESS = {
    "graph": "The forward chain has no parameters: nothing is trained through it.",
}
