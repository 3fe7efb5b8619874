"""One step back: x̂_0 clamped to [−1, 1], the posterior mean, and noise √β̃_t z, but none at the last step.

The mean, spread and independence of 3,000 draws are judged at several steps, around a toy network. The commonest
mistakes forget the clamp, add noise at the last step, take β̃_t or β_t for √β̃_t, or follow a handout's misprint.
"""

import torch
from torch import Tensor

from autograder.assignments.diffusion import common, reference, trials
from autograder.assignments.diffusion.reference import Diffusion, extract
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.p_sample")
def p_sample(student: Remote, draw: Draw) -> None:
    steps = draw.integer(18, 25)
    trial = trials.trial_on_toy(student, draw, size=4, channels=3, steps=steps)
    x, last = draw.normal(2, 3, 4, 4), torch.zeros(2, dtype=torch.long)
    got = trial.diffusion.p_sample(x, last, 0)
    expect(got, "the state after the last step").shape(2, 3, 4, 4).finite()
    again = trial.diffusion.p_sample(x, last, 0)
    expect(got).holds(_is_same(got, again), "The last step, index 0, adds noise.", "noise_at_the_last_step")
    wanted = trial.posterior_mean(x, 0)
    trial.calls(x.shape)
    expect(got, "the state after the last step").close(wanted, rtol=1e-3, atol=2e-3)
    # At the late steps, where 1 / √ᾱ is large, most is clamped, but for the network that knows x_0.
    count, const = 1500, float(draw.uniform(0.2, 0.6, 1)[0])
    knowing = trials.trial_on_toy(student, draw, size=4, channels=3, steps=steps, const=const)
    noises = []
    for used, k in ((trial, steps - 1), (trial, steps - 8), (trial, 1), (knowing, steps - 1)):
        one = draw.normal(1, 3, 2, 2)
        many, t = one.expand(count, -1, -1, -1).contiguous(), torch.full((count,), k)
        mean, std = used.posterior_mean(one, k), used.posterior_std(k)
        found = []
        for _ in range(2):
            got = expect(used.diffusion.p_sample(many, t, k), "the state after a step")
            found.append(got.shape(count, 3, 2, 2).finite().value)
            _, given = used.last_call(many.shape)
            expect(given).holds(
                torch.equal(given, t), "The network is given other steps t than p_sample was.", "other_steps"
            )
        expect(found).holds(
            float(found[0].std(dim=0).max()) > 0 or not torch.equal(*found),
            "At a step other than the last no noise is added.",
            "never_any_noise",
        )
        centre = torch.cat(found).double().mean(dim=0)
        # The mean of all draws, within SIGMAS standard errors, and room for float32.
        room = trials.SIGMAS * std / (2 * count) ** 0.5 + 2e-3
        expect(found).holds(
            float((centre - mean[0].double()).abs().max()) < room,
            "The mean of p_sample over many draws is wrong.",
            _which_mean(used, one, k, centre, room),
        )
        noise = torch.cat(found).double() - centre
        spread = float(noise.square().mean().sqrt()) / std
        is_right = abs(spread - 1) < trials.SIGMAS / (2 * noise.numel()) ** 0.5 + 2e-3
        expect(found).holds(
            is_right,
            "The noise of p_sample has a wrong standard deviation.",
            _which_std(used, k, spread * std),
        )
        noises += [(value - mean) / std for value in found]
        trials.expect_white_noise(noises, "p_sample")
    _expect_means_of_their_own(trial, draw.normal(2, 3, 2, 2), steps - 8, count)
    kept = knowing.diffusion.p_sample.kept(x, last + 3, 3)
    expect(kept).holds(
        kept.attribute("requires_grad") is False,
        "The result carries a graph, which fills the memory over T steps: use no_grad.",
        "keeps_a_graph",
    )
    expect_any_device(trial.diffusion.p_sample, x, last + 3, 3, mistake="made_on_the_cpu")


def _expect_means_of_their_own(trial: trials.Trial, two: Tensor, k: int, count: int) -> None:
    """Two images in one batch, turn by turn: the mean of each over its draws, within SIGMAS standard errors."""
    many = two.repeat(count, 1, 1, 1)
    got = expect(trial.diffusion.p_sample(many, torch.full((2 * count,), k), k), "the state after a step")
    found = got.shape(*many.shape).finite().value.double()
    trial.last_call(many.shape)
    means, room = trial.posterior_mean(two, k), trials.SIGMAS * trial.posterior_std(k) / count**0.5 + 2e-3
    for place, mean in enumerate(means):
        error = float((found[place::2].mean(dim=0) - mean.double()).abs().max())
        expect(got).holds(error < room, "The images of a batch do not each get the mean of their own x_t.")


def _is_same(one: object, other: object) -> bool:
    return isinstance(one, Tensor) and isinstance(other, Tensor) and torch.equal(one, other)


def _which_mean(trial: trials.Trial, x: Tensor, k: int, centre: Tensor, room: float) -> str | None:
    """The name of a known wrong mean within `room` of what was found."""
    t, alpha_bars, betas = torch.full((1,), k), trial.alpha_bars, trial.betas
    eps = trial.predicted_eps(x, t)
    free = (x - (1 - alpha_bars[k]).sqrt() * eps) / alpha_bars[k].sqrt()
    x_0, before = free.clamp(-1, 1), reference.alpha_bars_before(betas)[k]
    of_x_0 = before.sqrt() * betas[k] / (1 - alpha_bars[k])
    candidates = {
        "forgets_the_clamp": reference.posterior_mean_from_eps(x, eps, t, betas),
        "root_of_alpha_bar": of_x_0 * x_0 + alpha_bars[k].sqrt() * (1 - before) / (1 - alpha_bars[k]) * x,
        "root_over_the_product": of_x_0 * x_0 + ((1 - betas[k]) * (1 - before)).sqrt() / (1 - alpha_bars[k]) * x,
        "jumps_to_x_0": x_0,
        "clamps_to_zero_and_one": of_x_0 * free.clamp(0, 1)
        + (1 - betas[k]).sqrt() * (1 - before) / (1 - alpha_bars[k]) * x,
    }
    for name, value in candidates.items():
        if float((value[0].double() - centre).abs().max()) < room:
            return name
    return None


def _which_std(trial: trials.Trial, k: int, found: float) -> str | None:
    """The name of a known wrong standard deviation within 2 % of what was found."""
    betas, right = trial.betas, trial.posterior_std(k)
    candidates = {
        "variance_for_the_standard_deviation": right**2,
        "noise_of_the_forward_step": float(betas[k].sqrt()),
        "beta_for_the_standard_deviation": float(betas[k]),
        "unit_noise": 1.0,
    }
    return next((name for name, value in candidates.items() if abs(found / value - 1) < 0.02), None)


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


@mistake("x̂_0 is not clamped to [−1, 1]: at large t it is far outside.")
class forgets_the_clamp(_Stepping):
    def clean(self, x, t):
        return self.free(x, t)


@mistake("The mean is that of the first image for the whole batch: each x_t has its own.")
class mean_of_the_first_image(_Stepping):
    def mean(self, x, t, t_index):
        mean = super().mean(x, t, t_index)
        return mean[:1].expand_as(mean) if t_index else mean


@mistake("x̂_0 is clamped to [0, 1]; images lie in [−1, 1] here.")
class clamps_to_zero_and_one(_Stepping):
    def clean(self, x, t):
        return self.free(x, t).clamp(0, 1)


@mistake("The mean is x̂_0 itself: one step goes only a little of the way.")
class jumps_to_x_0(_Stepping):
    def mean(self, x, t, t_index):
        return self.clean(x, t)


@mistake("√ᾱ_t stands in the factor of x_t, a common misprint; right is √α_t.")
class root_of_alpha_bar(_Stepping):
    def mean(self, x, t, t_index):
        return common.posterior_with_root_of_alpha_bar(self.clean(x, t), x, t, self.betas)[0]


@mistake("The root in the factor of x_t covers the whole product, a common misprint; it covers α_t only.")
class root_over_the_product(_Stepping):
    def mean(self, x, t, t_index):
        return common.posterior_with_root_over_the_product(self.clean(x, t), x, t, self.betas)[0]


@mistake("The last step, index 0, adds noise: it returns the mean alone.")
class noise_at_the_last_step(_Stepping):
    def deviation(self, x, t):
        return extract(self.betas, t, x.shape).sqrt()

    def noise(self, x, t_index):
        return torch.randn_like(x)


@mistake("There is a step before the last that adds no noise; only the last one, index 0, adds none.")
class never_any_noise(_Stepping):
    def noise(self, x, t_index):
        return torch.zeros_like(x)


@mistake("The noise is hardly there: its standard deviation is √β̃_t.")
class no_noise(_Stepping):
    def deviation(self, x, t):
        return 0.01 * super().deviation(x, t)


@mistake("The noise is multiplied with the variance β̃_t: its root is the standard deviation.")
class variance_for_the_standard_deviation(_Stepping):
    def deviation(self, x, t):
        return super().deviation(x, t) ** 2


@mistake("The noise has the variance β_t of the forward step; given x̂_0 it is β̃_t.")
class noise_of_the_forward_step(_Stepping):
    def deviation(self, x, t):
        return extract(self.betas, t, x.shape).sqrt()


@mistake("The noise is multiplied with β_t; its standard deviation is √β̃_t.")
class beta_for_the_standard_deviation(_Stepping):
    def deviation(self, x, t):
        return extract(self.betas, t, x.shape)


@mistake("The noise has a standard deviation of 1 at every step; it is √β̃_t.")
class unit_noise(_Stepping):
    def deviation(self, x, t):
        return torch.ones_like(x)


@mistake("The images of a batch share one noise: draw noise of the shape of x.")
class one_noise_for_the_batch(_Stepping):
    def noise(self, x, t_index):
        return torch.randn_like(x[:1]).expand_as(x) if t_index > 0 else torch.zeros_like(x)


@mistake("All entries of an image share one number: draw noise of the shape of x.")
class one_number_for_an_image(_Stepping):
    def noise(self, x, t_index):
        return torch.randn(len(x), 1, 1, 1) if t_index > 0 else torch.zeros_like(x)


@mistake("The noise of one entry, image or call tells that of another: draw every number afresh.")
class noise_used_again(_Stepping):
    def noise(self, x, t_index):
        return torch.randn(x.shape, generator=torch.Generator().manual_seed(2)) if t_index > 0 else torch.zeros_like(x)


@mistake("The noise is not standard normal (torch.randn): it is uniform, cut off, or of another size.")
class other_noise(_Stepping):
    def noise(self, x, t_index):
        return (torch.rand_like(x) - 0.5) * 12**0.5 if t_index > 0 else torch.zeros_like(x)


@mistake("The result carries a graph, which fills the memory over T steps: decorate with torch.no_grad().")
class keeps_a_graph(_Stepping):
    def p_sample(self, x, t, t_index):
        return self.mean(x, t, t_index) + self.deviation(x, t) * self.noise(x, t_index)


@mistake("The network is given other steps t than p_sample was.")
class other_steps(_Stepping):
    def free(self, x, t):
        a = extract(self.alpha_bars, t, x.shape)
        return (x - (1 - a).sqrt() * self.model(x, (t - 1).clamp(min=0))) / a.sqrt()


@mistake("The network is not called: it predicts the noise, from which x̂_0 is made.")
class network_not_called(_Stepping):
    def free(self, x, t):
        return x / extract(self.alpha_bars, t, x.shape).sqrt()


@mistake("The network is given one step for the whole batch: it takes t as it comes, (B,), a step for each image.")
class one_step_for_the_batch(_Stepping):
    def free(self, x, t):
        a = extract(self.alpha_bars, t, x.shape)
        return (x - (1 - a).sqrt() * self.model(x, t[:1])) / a.sqrt()


@mistake("The network is given an index below 0: t is an index already, from 0 to T − 1, so nothing is taken off.")
class steps_outside(_Stepping):
    def free(self, x, t):
        a = extract(self.alpha_bars, t, x.shape)
        return (x - (1 - a).sqrt() * self.model(x, t - 1)) / a.sqrt()


@mistake("x_{t−1} is clamped as a whole: clamp x̂_0 only, or the noise is cut off.")
class clamps_the_state(_Stepping):
    @torch.no_grad()
    def p_sample(self, x, t, t_index):
        return (self.mean(x, t, t_index) + self.deviation(x, t) * self.noise(x, t_index)).clamp(-1, 1)


@mistake(SENTENCE)
class made_on_the_cpu(Diffusion):
    @torch.no_grad()
    def p_sample(self, x, t, t_index):
        mean, variance = reference.q_posterior(self.predicted_x_0(x, t), x, t, self.betas)
        return mean + variance.sqrt() * torch.randn(x.shape) if t_index > 0 else mean


@equivalent
class StepFromPrecomputed(common.Precomputed):
    @torch.no_grad()
    def p_sample(self, x, t, t_index):
        noise = extract(self.root_of_the_rest, t, x.shape) * self.model(x, t)
        x_0 = (x - noise) / extract(self.root_alpha_bars, t, x.shape)
        mean = extract(self.of_x_0, t, x.shape) * x_0.clamp(-1.0, 1.0) + extract(self.of_x_t, t, x.shape) * x
        mask = (t > 0).float().view(-1, 1, 1, 1)
        return mean + mask * torch.exp(0.5 * extract(self.log_variance, t, x.shape)) * torch.randn_like(x)


@equivalent
class StepInEpsForm(_Stepping):
    """The ε form of the mean, with the ε that belongs to the clamped x̂_0."""

    def mean(self, x, t, t_index):
        a = extract(self.alpha_bars, t, x.shape)
        eps = (x - a.sqrt() * self.clean(x, t)) / (1 - a).sqrt()
        return reference.posterior_mean_from_eps(x, eps, t, self.betas)


@equivalent
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
                x = x + ((1 - before) / (1 - now) * (1 - alpha)) ** 0.5 * torch.randn(x.shape, device=x.device)
            return x.clone()


HARMLESS = {
    "extract(self.alpha_bars, t, x.shape) → extract(self.alpha_bars, t.detach(), x.shape)": "Sampling builds no graph.",
    "x - (1 - alpha_bar).sqrt() * self.model(x, t) → x.detach() - (1 - alpha_bar).sqrt() * self.model(x, t)": "Sampling builds no graph.",
    "self.model(x, t) → self.model(x.detach(), t)": "Sampling builds no graph.",
    "self.model(x, t) → self.model(x, t.detach())": "Sampling builds no graph.",
    "q_posterior(x_0.clamp(-1, 1), x, t, self.betas) → q_posterior(x_0.clamp(-1, 1), x.detach(), t, self.betas)": "Sampling builds no graph.",
    "q_posterior(x_0.clamp(-1, 1), x, t, self.betas) → q_posterior(x_0.clamp(-1, 1), x, t.detach(), self.betas)": "Sampling builds no graph.",
    "return mean + variance.sqrt() * torch.randn_like(x) if t_index > 0 else mean → return (mean + variance.sqrt() * torch.randn_like(x) if t_index > 0 else mean).float()": "Pictures and network are float32, and so is this.",
    "mean + variance.sqrt() * torch.randn_like(x) if t_index > 0 else mean → mean + variance.sqrt() * torch.randn_like(x)": "At index 0 the variance is 0, and so is the noise.",
    "t_index > 0 → t_index >= 0": "At index 0 the variance is 0, and so is the noise.",
    "t_index > 0 → t_index > -1": "At index 0 the variance is 0, and so is the noise.",
    "mean + variance.sqrt() * torch.randn_like(x) → mean - variance.sqrt() * torch.randn_like(x)": "A normal number is as often of either sign.",
}
