"""ELBO and KL(q ‖ posterior) of one datum for every mean φ of a sweep; both have one optimum.

Both curves must be right to six digits. The usual mistakes: curves in the other order, −ELBO for the ELBO, the prior
for the posterior, σ² for σ.
"""

import torch

from autograder.assignments.vae import common, reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("vae.sweep_phi")
def sweep_phi(student: Remote, draw: Draw) -> None:
    for count, dtype in draw.again((41, torch.float64), (1, torch.float32)):
        x, W, b, s = common.linear_gaussian(draw, 1, 4, 1, dtype)
        sigma = float(draw.positive(1)[0])
        phis = 2 * draw.normal(count, dtype=dtype)
        elbos, divergences = expect(student(phis, sigma, x, W, b, s)).items(2)
        wanted = reference.sweep_phi(phis, sigma, x, W, b, s)
        expect(elbos, "the ELBO over phi").close(wanted[0])
        expect(divergences, "the divergence over phi").close(wanted[1])


@mistake("The two curves are returned in the other order: the ELBO comes first.")
def curves_swapped(phis, sigma, x, W, b, s):
    return reference.sweep_phi(phis, sigma, x, W, b, s)[::-1]


@mistake("The divergence is taken from the prior; the sweep compares the ELBO with the divergence from the posterior.")
def sweep_against_the_prior(phis, sigma, x, W, b, s):
    elbos, _ = reference.sweep_phi(phis, sigma, x, W, b, s)
    return elbos, reference.gaussian_kl(phis[:, None], torch.full((len(phis), 1), sigma, dtype=phis.dtype))


@mistake("sigma is squared or rooted on its way into q: it is q's standard deviation.")
def sweep_with_the_variance(phis, sigma, x, W, b, s):
    return reference.sweep_phi(phis, sigma**2, x, W, b, s)


@mistake("The first curve is the negative ELBO.")
def sweep_of_the_negative_elbo(phis, sigma, x, W, b, s):
    elbos, divergences = reference.sweep_phi(phis, sigma, x, W, b, s)
    return -elbos, divergences


@equivalent
def sweep_one_by_one(phis, sigma, x, W, b, s):
    spread = torch.full((1, 1), sigma, dtype=phis.dtype)
    mean, covariance = reference.posterior(x, W, b, s)
    elbos = [reference.elbo_from_kl(x, phi.view(1, 1), spread, W, b, s) for phi in phis]
    divergences = [reference.kl_to_posterior(phi.view(1, 1), spread, mean, covariance) for phi in phis]
    return torch.cat(elbos), torch.cat(divergences)


HARMLESS = {
    "graph": "Both curves are looked at, and no gradient of them is asked for.",
    "x.expand(len(phis), -1) → x": "Broadcasting does the same.",
    "mean.expand(len(phis), -1) → mean": "Broadcasting does the same.",
    "len(phis) → len(x)": "One row is broadcast to all.",
    "len(phis) → len(x) (2)": "One row is broadcast to all.",
    "mean.expand(len(phis), -1) → mean.expand(len(phis), 1)": "There is one latent.",
}
