"""The training loss at given steps: the network is shown x_t, and its answer is compared with ε.

A toy network records what it is shown and answers by a known formula. Some show it x_0, compare with x_0 or, as one
handout has it, with x_t − x_0, use two different noises, ignore loss_kind, or cut the gradient.
"""

import torch
from torch import Tensor
from torch.nn import functional

from autograder.assignments.diffusion import common, reference, trials
from autograder.assignments.diffusion.reference import Diffusion, extract
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.p_losses")
def p_losses(student: Remote, draw: Draw) -> None:
    steps = draw.integer(20, 40)
    trial = trials.trial_on_toy(student, draw, size=3, channels=2, steps=steps)
    x_0, noise = common.images(draw, 4, 2, 3, 3), draw.normal(4, 2, 3, 3)
    t = torch.tensor([0, steps - 1, draw.integer(3, 12), draw.integer(13, steps - 1)])
    for kind in ("l2", "l1"):
        trial.diffusion.assign("loss_kind", kind)
        got = trial.diffusion.p_losses(x_0, t, noise)
        x_t, predicted = _prediction(trial, x_0, t)
        expect(x_t, "what the network is shown").close(common.noised(x_0, trial.alpha_bars[t], noise), atol=2e-3)
        expect(got, f"the loss of kind {kind!r}").close(reference.eps_loss(noise, predicted, kind), rtol=1e-3)
    trials.expect_trained(trial, trial.diffusion.p_losses, x_0, t, noise, kind="l1")
    trials.expect_training_mode(trial)
    trial.diffusion.assign("loss_kind", "l2")
    count, noises = 1500, []
    many = common.images(draw, count, 2, 3, 3)
    for steps_of_two in ((draw.integer(8, 12), draw.integer(12, 16)), (draw.integer(8, 12), steps - 2)):
        times = torch.tensor(steps_of_two).repeat(count // 2)
        got = trial.diffusion.p_losses(many, times)
        x_t, predicted = _prediction(trial, many, times)
        alpha_bars = trial.alpha_bars[times].view(-1, 1, 1, 1)
        fresh = (x_t - alpha_bars.sqrt() * many) / (1 - alpha_bars).sqrt()
        expect(got, "the loss without noise given").close(reference.eps_loss(fresh, predicted), rtol=1e-2)
        noises.append(fresh)
    trials.expect_white_noise(noises, "p_losses, where no noise is given")


def _prediction(trial: trials.Trial, x_0: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """What the network was shown in its last call, and what it answered."""
    x_t, given = trial.last_call(x_0.shape)
    expect(given, "the t that the network is given").holds(
        torch.equal(given, t),
        "The network is given other steps t than those that x_t was made with.",
        "other_steps",
    )
    return x_t, trial.predicted_eps(x_t, t)


@mistake("The network is shown x_0; it must be shown x_t.")
class shows_x_0(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(noise, self.model(x_0, t), self.loss_kind)


@mistake("Where no noise is given, the mean of the batch stands for each x_0.")
class mean_image_for_fresh_noise(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        return super().p_losses(x_0.mean(dim=0).expand_as(x_0) if noise is None else x_0, t, noise)


@mistake("The prediction is compared with x_0; the network predicts the noise.")
class compares_with_x_0(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(x_0, self.model(self.q_sample(x_0, t, noise), t), self.loss_kind)


@mistake("The target is x_t − x_0, as if that were the noise; it is the ε of x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ε.")
class handout_difference_for_noise(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        x_t = self.q_sample(x_0, t, noise)
        return reference.eps_loss(x_t - x_0, self.model(x_t, t), self.loss_kind)


@mistake("x_t is made with other noise than the prediction is compared with.")
class two_noises(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(noise, self.model(self.q_sample(x_0, t), t), self.loss_kind)


@mistake("The noise that is given is ignored: x_t and the loss use other noise.")
class losses_ignore_the_noise(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        return super().p_losses(x_0, t)


@mistake("The loss sends no gradient to the network: look for detach, no_grad or item.")
class loss_without_a_gradient(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        with torch.no_grad():
            return super().p_losses(x_0, t, noise)


@mistake("The loss is always squared: use the kind that self.loss_kind names.")
class kind_of_loss_ignored(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return functional.mse_loss(self.model(self.q_sample(x_0, t, noise), t), noise)


@mistake("The squares are added up over the images: take the mean.")
class sum_of_losses(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        return super().p_losses(x_0, t, noise) * x_0.numel()


@mistake("One loss an example is returned; training needs their mean, one number.")
class loss_of_each_example(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return ((noise - self.model(self.q_sample(x_0, t, noise), t)) ** 2).flatten(1).mean(dim=1)


@mistake("The network is given other steps t than those that x_t was made with.")
class other_steps(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        later = (t + 1).clamp(max=self.timesteps - 1)
        return reference.eps_loss(noise, self.model(self.q_sample(x_0, t, noise), later), self.loss_kind)


@mistake("The network is not called: the loss compares what it answers to x_t with the noise.")
class network_not_called(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(noise, self.q_sample(x_0, t, noise), self.loss_kind)


@mistake("The network is given one step for the whole batch: it takes t as it comes, (B,), a step for each image.")
class one_step_for_the_batch(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(noise, self.model(self.q_sample(x_0, t, noise), t[:1]), self.loss_kind)


@mistake("The network is given an index below 0: t is an index already, from 0 to T − 1, so nothing is taken off.")
class steps_outside(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(noise, self.model(self.q_sample(x_0, t, noise), t - 1), self.loss_kind)


@mistake("All entries of an image share one number: draw noise of the shape of x_0.")
class one_number_for_an_image(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        return super().p_losses(x_0, t, torch.randn(len(x_0), 1, 1, 1).expand_as(x_0) if noise is None else noise)


@mistake("The noise is not standard normal (torch.randn): it is uniform, cut off, or of another size.")
class other_noise(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        return super().p_losses(x_0, t, torch.rand_like(x_0) if noise is None else noise)


@mistake("The images of a batch share one noise: draw noise of the shape of x_0.")
class one_noise_for_the_batch(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        return super().p_losses(x_0, t, torch.randn_like(x_0[:1]).expand_as(x_0) if noise is None else noise)


@mistake("Where no noise is given, none is drawn: the network would learn to predict 0.")
class no_noise(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        return super().p_losses(x_0, t, torch.zeros_like(x_0) if noise is None else noise)


@mistake(
    "The network is put into evaluation mode for the loss, so that dropout would not train: call eval() for sampling only."
)
class trains_in_evaluation_mode(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        self.model.eval()
        return super().p_losses(x_0, t, noise)


@mistake("The noise of one entry, image or call tells that of another: draw every number afresh.")
class noise_used_again(Diffusion):
    def p_losses(self, x_0, t, noise=None):
        if noise is None:
            noise = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(5))
        return super().p_losses(x_0, t, noise)


@equivalent
class LossesByHand(common.Precomputed):
    def p_losses(self, x_0, t, noise=None):
        if noise is None:
            noise = torch.randn(*x_0.shape)
        x_t = extract(self.root_alpha_bars, t, x_0.shape) * x_0 + extract(self.root_of_the_rest, t, x_0.shape) * noise
        difference = self.model(x_t, t) - noise
        return difference.abs().mean() if self.loss_kind == "l1" else difference.square().flatten(1).mean(dim=1).mean()


HARMLESS = {
    "torch.randn_like(x_0) if noise is None else noise → torch.randn_like(x_0) if noise is None else noise.detach() (2)": "Pictures are data, and noise is drawn: nothing is trained through either.",
    "self.q_sample(x_0, t, noise) → self.q_sample(x_0.detach(), t, noise)": "Pictures are data, and noise is drawn: nothing is trained through either.",
    "self.q_sample(x_0, t, noise) → self.q_sample(x_0, t.detach(), noise)": "Steps are whole numbers, which have no gradient.",
    "self.q_sample(x_0, t, noise) → self.q_sample(x_0, t, noise.detach())": "Pictures are data, and noise is drawn: nothing is trained through either.",
    "self.model(self.q_sample(x_0, t, noise), t) → self.model(self.q_sample(x_0, t, noise), t.detach())": "Steps are whole numbers, which have no gradient.",
    "return eps_loss(noise, predicted, self.loss_kind) → return eps_loss(noise, predicted, self.loss_kind).float()": "Pictures and network are float32, and so is this.",
    "return eps_loss(noise, predicted, self.loss_kind) → return eps_loss(noise, predicted, self.loss_kind).squeeze()": "A number has no side to lose.",
    "eps_loss(noise, predicted, self.loss_kind) → eps_loss(predicted, noise, self.loss_kind)": "The distance is the same from either side.",
    "eps_loss(noise, predicted, self.loss_kind) → eps_loss(noise.detach(), predicted, self.loss_kind)": "Pictures are data, and noise is drawn: nothing is trained through either.",
}
