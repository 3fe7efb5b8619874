"""How much the ELBO of each datum gains when its own μ and σ are optimised from the encoder's.

The ELBO is a bowl with a known maximum that remembers what it was asked, so that any optimiser will do. Common faults:
the last value instead of the best, only μ or only σ improved, another start, the encoder's answer overwritten.
"""

import torch

from autograder.assignments.vae import reference
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from fixmelab.judged.toys import Bowl


@exercise("vae.amortization_gap")
def amortization_gap(student: Remote, draw: Draw) -> None:
    batch, latent = 6, 3
    height, mean, std = draw.normal(batch), draw.normal(batch, latent), draw.positive(batch, latent)
    curvature = draw.uniform(0.5, 2.0, batch, latent)

    def bowl(data: slice = slice(None)) -> Bowl:
        return Bowl(height[data], mean[data], std[data], curvature[data])

    mu = mean + draw.uniform(-1.0, 1.0, batch, latent)
    sigma = std * torch.exp(draw.uniform(-1.0, 1.0, batch, latent))
    # So short a way, with so few data, that any usual optimiser goes it in these steps.
    few = slice(2)
    wanted = (curvature * ((mu - mean) ** 2 + (sigma / std).log() ** 2)).sum(dim=1)[few]
    expect(student(bowl(few), mu[few], sigma[few], steps=25, lr=0.2)).close(wanted, rtol=0.05, atol=0.05)
    expect(student(bowl(), mu, sigma, steps=0, lr=0.1), "the gap after 0 steps").close(torch.zeros(batch), atol=1e-5)
    one = Bowl(*(part[:1].double() for part in (height, mean, std, curvature)))
    got = student(one, mu[:1].double(), sigma[:1].double(), steps=0, lr=0.1)
    expect(got, "the gap of a single datum").close(torch.zeros(1, dtype=torch.float64), atol=1e-5)
    elbo = bowl()
    got = student(elbo, mu, sigma, steps=1, lr=1e-3)
    expect(got, "the gap after 1 step").shape(batch).finite().holds(
        bool((got > 0).all()), "After one small step the gap is still 0: the ELBO after the last step is not looked at."
    )
    asked = bool(elbo.best.isfinite().all())
    expect(elbo.best).holds(asked, "In one small step the ELBO was never looked at where it is a number.")
    begun = height - (curvature * ((mu - mean) ** 2 + (sigma / std).log() ** 2)).sum(dim=1)
    expect(got, "the gap after 1 step").close(elbo.best - begun, rtol=1e-3, atol=1e-4)
    expect(elbo.reach).holds(
        elbo.reach < 0.1,
        "One small step leads far away: the search must start at the encoder's mu and sigma.",
        "starts_elsewhere",
    )
    # Learning rates that leap over the optimum: what counts is the best that was seen, datum by datum.
    for start, steps, lr in ((mean + 1e-3, 2, 1.0), (mean + draw.uniform(0.6, 1.4, batch, latent), 4, 1.0)):
        elbo = bowl()
        got = student(elbo, start, std, steps=steps, lr=lr)
        before = height - (curvature * (start - mean) ** 2).sum(dim=1)
        expect(got, "the gap").shape(batch).finite()
        expect(got).holds(
            torch.allclose(got.float(), elbo.best - before, rtol=1e-3, atol=1e-4),
            "With a large learning rate the gap is not the distance from the start to the best ELBO that was seen.",
            "last_step_instead_of_best",
        )
        expect(elbo.reach).holds(elbo.reach > 0, "With a large learning rate the search stays where it begins.")
    kept = student.kept(bowl(), mu, sigma, steps=2, lr=0.1)
    expect(kept).holds(
        kept.attribute("requires_grad") is False, "The result still carries a graph: detach it.", "keeps_a_graph"
    )


@mistake("The gap is negative: it is the best that can be had less what the encoder gives.")
def gap_with_the_wrong_sign(elbo, mu, sigma, steps=200, lr=0.05):
    return -reference.amortization_gap(elbo, mu, sigma, steps, lr)


@mistake("One number comes back; every datum has its own gap.")
def gap_of_the_whole_batch(elbo, mu, sigma, steps=200, lr=0.05):
    return reference.amortization_gap(elbo, mu, sigma, steps, lr).mean()


@mistake("The gap is 0 whatever the ELBO: the search stays where it begins, or makes the ELBO smaller.")
def nothing_gained(elbo, mu, sigma, steps=200, lr=0.05):
    return torch.zeros_like(elbo(mu, sigma))


@mistake("Only mu is improved; sigma is a parameter of q as well.")
def improves_mu_alone(elbo, mu, sigma, steps=200, lr=0.05):
    return reference.amortization_gap(lambda mean, _: elbo(mean, sigma), mu, sigma, steps, lr)


@mistake("The ELBO after the search is returned; the gap is its distance from the encoder's ELBO.")
def final_elbo(elbo, mu, sigma, steps=200, lr=0.05):
    return reference.amortization_gap(elbo, mu, sigma, steps, lr) + elbo(mu, sigma)


@mistake("A step that made the ELBO worse is counted: keep, for each datum, the best that was seen.")
def last_step_instead_of_best(elbo, mu, sigma, steps=200, lr=0.05):
    mean, log_std = mu.clone().requires_grad_(), sigma.log().requires_grad_()
    optimizer = torch.optim.Adam([mean, log_std], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        (-elbo(mean, log_std.exp()).sum()).backward()
        optimizer.step()
    return (elbo(mean, log_std.exp()) - elbo(mu, sigma)).detach()


@mistake("It changes mu or sigma themselves: the encoder's answer is lost. Optimise copies.")
def changes_its_argument(elbo, mu, sigma, steps=200, lr=0.05):
    start = elbo(mu, sigma).detach()
    mu.requires_grad_()
    optimizer = torch.optim.Adam([mu], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        (-elbo(mu, sigma).sum()).backward()
        optimizer.step()
    return (elbo(mu, sigma) - start).detach()


@mistake("Only sigma is improved; mu is a parameter of q as well.")
def improves_sigma_alone(elbo, mu, sigma, steps=200, lr=0.05):
    return reference.amortization_gap(lambda _, spread: elbo(mu, spread), mu, sigma, steps, lr)


@mistake("The search must start at the encoder's mu and sigma: one small step led far away from there.")
def starts_elsewhere(elbo, mu, sigma, steps=200, lr=0.05):
    start, zero, one = elbo(mu, sigma), torch.zeros_like(mu), torch.ones_like(sigma)
    if steps == 0:
        return 0 * start
    found = reference.amortization_gap(elbo, zero, one, steps, lr) + elbo(zero, one) - start
    return found.clamp(min=1e-6)


@mistake("The search goes downhill: the ELBO is to be made larger.")
def goes_downhill(elbo, mu, sigma, steps=200, lr=0.05):
    return reference.amortization_gap(lambda mean, spread: -elbo(mean, spread), mu, sigma, steps, lr)


@mistake("The result still carries a graph: detach it.")
def keeps_a_graph(elbo, mu, sigma, steps=200, lr=0.05):
    gap = reference.amortization_gap(elbo, mu, sigma, steps, lr)
    start = elbo(mu, sigma.clone().requires_grad_())
    return gap + start - start.detach()


@equivalent
def gap_by_gradient_ascent(elbo, mu, sigma, steps=200, lr=0.05):
    mean, log_std = mu.clone(), sigma.log()
    start = best = elbo(mu, sigma)
    for _ in range(steps):
        mean, log_std = mean.detach().requires_grad_(), log_std.detach().requires_grad_()
        by_mean, by_log = torch.autograd.grad(elbo(mean, log_std.exp()).sum(), (mean, log_std))
        mean, log_std = mean + lr * by_mean, log_std + lr * by_log
        best = torch.maximum(best, elbo(mean, log_std.exp()))
    return (best - start).detach()


@equivalent
def gap_by_adamw_on_the_mean(elbo, mu, sigma, steps=200, lr=0.05):
    parameters = [mu.detach().clone().requires_grad_(), sigma.detach().clone().log().requires_grad_()]
    optimizer = torch.optim.AdamW(parameters, lr=lr, weight_decay=0)
    values = [elbo(mu, sigma).detach()]
    for _ in range(steps):
        optimizer.zero_grad()
        (-elbo(parameters[0], parameters[1].exp()).mean()).backward()
        optimizer.step()
        values.append(elbo(parameters[0], parameters[1].exp()).detach())
    return torch.stack(values).amax(dim=0) - values[0]


HARMLESS = {
    "mu.detach() → mu": "The encoder's answer comes without a graph.",
    "sigma.detach() → sigma": "The encoder's answer comes without a graph.",
    "elbo(mu, sigma).detach() → elbo(mu, sigma)": "The encoder's answer comes without a graph.",
    "for … in range(steps) → list(range(steps))[::-1]": "The number of the step is not used.",
    "elbo(mean, log_sigma.exp()).sum() → elbo(mean, log_sigma.exp()).mean()": "Adam goes as far for a gradient of any size.",
    "torch.maximum(best, elbo(mean, log_sigma.exp()).detach()) → torch.maximum(elbo(mean, log_sigma.exp()).detach(), best)": "The larger of two knows no order.",
}
