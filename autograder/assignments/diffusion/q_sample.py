"""x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε in one leap, with the noise that is given or with fresh noise.

Fresh noise is recovered from thousands of images and must be standard normal and independent. Common mistakes lose a
root, write α_t for ᾱ_t, miss the index by one, ignore the noise, or share it among images.
"""

import torch

from autograder.assignments.diffusion import common, trials
from autograder.assignments.diffusion.reference import Diffusion, extract
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.q_sample")
def q_sample(student: Remote, draw: Draw) -> None:
    steps = draw.integer(25, 45)
    trial = trials.trial_on_toy(student, draw, size=4, channels=2, steps=steps)
    x_0, noise = common.images(draw, 5, 2, 4, 4), draw.normal(5, 2, 4, 4)
    t = torch.tensor([0, steps - 1, *(draw.integer(3, steps - 2) for _ in range(3))])
    for count in (5, 1):
        wanted = common.noised(x_0[:count], trial.alpha_bars[t[:count]], noise[:count])
        expect(trial.diffusion.q_sample(x_0[:count], t[:count], noise[:count])).close(wanted, atol=2e-3)
    wanted = common.noised(x_0, trial.alpha_bars[t], 0 * noise)
    got = trial.diffusion.q_sample(x_0, t, noise=torch.zeros_like(noise))
    expect(got, "x_t for noise 0").close(wanted, atol=2e-3)
    count, noises = 3000, []
    many = common.images(draw, count, 2, 2, 2)
    for steps_of_two in ((draw.integer(10, 16), draw.integer(16, 20)), (draw.integer(10, 16), steps - 2)):
        t = torch.tensor(steps_of_two).repeat(count // 2)
        got = trial.diffusion.q_sample(many, t)
        x_t = expect(got, "x_t without noise given").shape(*many.shape).finite().value
        alpha_bars = trial.alpha_bars[t].view(-1, 1, 1, 1)
        noises.append((x_t - alpha_bars.sqrt() * many) / (1 - alpha_bars).sqrt())
    trials.expect_white_noise(noises, "q_sample, where no noise is given")
    expect_any_device(trial.diffusion.q_sample, x_0, t[:5], mistake="made_on_the_cpu")


@mistake("ᾱ_t enters without its root: the mean is √ᾱ_t x_0.")
class signal_without_root(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        a = extract(self.alpha_bars, t, x_0.shape)
        return a * x_0 + (1 - a).sqrt() * noise


@mistake("The noise enters with its variance: its factor is √(1 − ᾱ_t).")
class noise_without_root(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        a = extract(self.alpha_bars, t, x_0.shape)
        return a.sqrt() * x_0 + (1 - a) * noise


@mistake("√(1 − α_t) and √α_t stand where √(1 − ᾱ_t) and √ᾱ_t belong: this is one step, not t.")
class one_step_only(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        a = extract(self.alphas, t, x_0.shape)
        return a.sqrt() * x_0 + (1 - a).sqrt() * noise


@mistake("√(1 − α_t) stands where √(1 − ᾱ_t) belongs, a common misprint.")
class handout_noise_of_one_step(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        a, b = extract(self.alpha_bars, t, x_0.shape), extract(self.betas, t, x_0.shape)
        return a.sqrt() * x_0 + b.sqrt() * noise


@mistake("The whole batch is taken to the step of its first example.")
class step_of_the_first(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t[:1].expand(len(x_0)), noise)


@mistake("The index is off by one: alpha_bars[t] belongs to the 0-based t that is given.")
class off_by_one(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, (t - 1).clamp(min=0), noise)


@mistake("The noise that is given is ignored.")
class ignores_the_noise(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        generator = torch.Generator().manual_seed(0)
        return super().q_sample(x_0, t, torch.randn(x_0.shape, generator=generator))


@mistake("Where no noise is given, none is added.")
class no_noise(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t, torch.zeros_like(x_0) if noise is None else noise)


@mistake("The images of a batch share one noise: draw noise of the shape of x_0.")
class one_noise_for_the_batch(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t, torch.randn_like(x_0[:1]).expand_as(x_0) if noise is None else noise)


@mistake("All entries of an image share one number: draw noise of the shape of x_0.")
class one_number_for_an_image(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t, torch.randn(len(x_0), 1, 1, 1).expand_as(x_0) if noise is None else noise)


@mistake("The noise is not standard normal (torch.randn): it is uniform, cut off, or of another size.")
class other_noise(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t, torch.rand_like(x_0) if noise is None else noise)


@mistake("The noise of one entry, image or call tells that of another: draw every number afresh.")
class noise_used_again(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        if noise is None:
            noise = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(3))
        return super().q_sample(x_0, t, noise)


@noise_used_again.also  # type: ignore[attr-defined]  # mypy takes no notice of what decorates a class
class first_image_for_fresh_noise(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        if noise is None:
            return super().q_sample(x_0[:1].expand_as(x_0), t[:1].expand_as(t), torch.randn_like(x_0))
        return super().q_sample(x_0, t, noise)


@mistake("x_t is cut to [−1, 1]: a noisy image may lie outside.")
class clamps_x_t(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t, noise).clamp(-1, 1)


@mistake("It changes x_0 in place; the caller still needs it.")
class changes_its_argument(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        a = extract(self.alpha_bars, t, x_0.shape)
        return x_0.mul_(a.sqrt()).add_((1 - a).sqrt() * noise)


@mistake(SENTENCE)
class made_on_the_cpu(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        return super().q_sample(x_0, t, torch.randn(x_0.shape) if noise is None else noise)


@equivalent
class FromPrecomputedRoots(common.Precomputed):
    def q_sample(self, x_0, t, noise=None):
        if noise is None:
            noise = torch.normal(0.0, 1.0, x_0.shape, device=x_0.device)
        return extract(self.root_alpha_bars, t, x_0.shape) * x_0 + extract(self.root_of_the_rest, t, x_0.shape) * noise


@equivalent
class FromDoubleBuffers(Diffusion):
    def q_sample(self, x_0, t, noise=None):
        a = self.alpha_bars.double()[t][:, None, None, None]
        noise = torch.empty_like(x_0).normal_() if noise is None else noise
        return (a**0.5 * x_0 + (1 - a) ** 0.5 * noise).to(x_0.dtype)


HARMLESS = {
    "q_sample without gradients": "Pictures are data, and noise is drawn: nothing is trained through either.",
    "torch.randn_like(x_0) if noise is None else noise → torch.randn_like(x_0) if noise is None else noise.detach()": "Pictures are data, and noise is drawn: nothing is trained through either.",
    "extract(self.alpha_bars, t, x_0.shape) → extract(self.alpha_bars, t.detach(), x_0.shape)": "Steps are whole numbers, which have no gradient.",
    "extract(self.alpha_bars, t, x_0.shape) → extract(self.alpha_bars, t, noise.shape)": "Both have one shape.",
    "return alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * noise → return (alpha_bar.sqrt() * x_0 + (1 - alpha_bar).sqrt() * noise).float()": "Pictures and network are float32, and so is this.",
    "alpha_bar.sqrt() * x_0 → alpha_bar.sqrt() * x_0.detach()": "Pictures are data, and noise is drawn: nothing is trained through either.",
    "(1 - alpha_bar).sqrt() * noise → (1 - alpha_bar).sqrt() * noise.detach()": "Pictures are data, and noise is drawn: nothing is trained through either.",
}
