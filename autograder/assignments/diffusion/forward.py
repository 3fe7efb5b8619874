"""The training loss at steps drawn uniformly from all T, one for each example.

A toy network records steps and x_t of 4,000 images, so that both are tested for their distribution and independence.
The commonest mistakes draw one step for the batch, never the first or the last, or ignore the noise that is given.
"""

import torch
from torch import Tensor

from autograder.assignments.diffusion import common, reference, trials
from autograder.assignments.diffusion.reference import Diffusion
from autograder.judge.chance import is_repetitive, is_too_even
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.forward")
def forward(student: Remote, draw: Draw) -> None:
    steps, count = draw.integer(10, 16), 4000
    trial = trials.trial_on_toy(student, draw, size=2, channels=2, steps=steps)
    x_0 = common.images(draw, count, 2, 2, 2)
    noise = draw.normal(count, 2, 2, 2)
    calls = []
    for given, kind in ((noise, "l2"), (None, "l1"), (None, "l2")):
        trial.diffusion.assign("loss_kind", kind)
        got = trial.diffusion(x_0) if given is None else trial.diffusion(x_0, noise=given)
        x_t, t = trial.last_call(x_0.shape)
        expect(t).holds(
            len(t.unique()) > 1,
            "The whole batch has one step t: every example needs a step of its own.",
            "one_step_for_the_batch",
        )
        expect(x_t, "what the network is shown").dtype(torch.float32)
        alpha_bars = trial.alpha_bars[t].view(-1, 1, 1, 1)
        found = (x_t - alpha_bars.sqrt() * x_0) / (1 - alpha_bars).sqrt()
        if given is not None:
            for factor, mistake in ((0.0, "no_noise"), (2.0, "doubles_the_noise")):
                expect(found).holds(
                    not torch.allclose(found, factor * given, atol=2e-2),
                    "The noise does not enter as it is given.",
                    mistake,
                )
            expect(found).holds(
                torch.allclose(found, given, atol=2e-2),
                "The noise that is given is not the noise in x_t: it is ignored or changed.",
                "ignores_its_noise",
            )
        expect(got, "the loss").close(reference.eps_loss(found, trial.predicted_eps(x_t, t), kind), rtol=2e-2)
        calls.append((t, found))
    t = torch.cat([t for t, _ in calls])
    _expect_uniform(t, steps)
    expect(calls).holds(
        not torch.equal(calls[1][0], calls[2][0]),
        "Two calls use the same steps t: draw them at every call.",
        "steps_drawn_once",
    )
    fresh = [found for _, found in calls[1:]]
    trials.expect_white_noise(fresh, "forward, where no noise is given")
    trials.expect_white_noise([noise, *fresh], "forward, where noise was given before")
    trials.expect_noise_apart_from_steps(torch.cat([noise, *fresh]), t, steps)
    trials.expect_trained(trial, trial.diffusion, x_0[:5], kind="l2")
    trials.expect_training_mode(trial)
    expect_any_device(trial.diffusion, x_0[:5], mistake="made_on_the_cpu")


def _expect_uniform(t: Tensor, steps: int) -> None:
    """Each step as often as any other: counts within SIGMAS standard errors (false alarms: 1e-9 for 12 steps)."""
    counts = torch.bincount(t, minlength=steps).double()
    expect(t).holds(
        bool(counts[0] > 0),
        "The first step, index 0, is never drawn: t must come from all of 0 … T − 1.",
        "never_the_first_step",
    )
    expect(t).holds(
        bool(counts[-1] > 0),
        "The last step, index T − 1, is never drawn: t must come from all of 0 … T − 1.",
        "never_the_last_step",
    )
    expected = len(t) / steps
    centred = (t - t.double().mean()) / t.double().std()
    is_apart = abs(float((centred[1:] * centred[:-1]).mean())) < trials.SIGMAS / len(t) ** 0.5
    expect(t).holds(is_apart, "Neighbouring examples have the same or similar steps: draw each by itself.")
    is_even = float((counts - expected).abs().max()) < trials.SIGMAS * (expected * (1 - 1 / steps)) ** 0.5
    expect(t).holds(is_even, "The steps are not drawn uniformly.", "steps_not_uniform")
    is_dealt = is_too_even((counts - expected) ** 2 / expected, steps - 1) or is_repetitive(t)
    expect(t).holds(not is_dealt, "The steps are not drawn independently: draw each by itself.")


@mistake("The whole batch has one step t: every example needs a step of its own.")
class one_step_for_the_batch(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, torch.randint(0, self.timesteps, (1,)).expand(len(x_0)), noise)


@mistake("The first step, index 0, is never drawn: torch.randint(0, T, …) includes 0 and leaves out T.")
class never_the_first_step(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, torch.randint(1, self.timesteps, (len(x_0),)), noise)


@mistake("The last step, index T − 1, is never drawn: torch.randint leaves out its upper end already.")
class never_the_last_step(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, torch.randint(0, self.timesteps - 1, (len(x_0),)), noise)


@mistake("The noise that is given is not the noise in x_t: it is ignored or changed.")
class ignores_its_noise(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, torch.randint(0, self.timesteps, (len(x_0),)))


@ignores_its_noise.also  # type: ignore[attr-defined]  # mypy takes no notice of what decorates a class
class first_image_for_all(Diffusion):
    def forward(self, x_0, noise=None):
        return super().forward(x_0[:1].expand_as(x_0), noise)


@mistake("The noise that is given is doubled.")
class doubles_the_noise(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),))
        return self.p_losses(x_0, t, None if noise is None else 2 * noise)


@mistake("Without noise given, none is used.")
class no_noise(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),))
        return self.p_losses(x_0, t, torch.zeros_like(x_0) if noise is None else noise)


@mistake("Without noise given, the images of a batch share one noise.")
class one_noise_for_the_batch(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),))
        return self.p_losses(x_0, t, torch.randn_like(x_0[:1]).expand_as(x_0) if noise is None else noise)


@mistake("Without noise given, all entries of an image share one number: draw noise of the shape of x_0.")
class one_number_for_an_image(Diffusion):
    def forward(self, x_0, noise=None):
        return super().forward(x_0, torch.randn(len(x_0), 1, 1, 1).expand_as(x_0) if noise is None else noise)


@mistake(
    "Without noise given, the noise is not standard normal (torch.randn): it is uniform, cut off, or of another size."
)
class other_noise(Diffusion):
    def forward(self, x_0, noise=None):
        return super().forward(x_0, torch.rand_like(x_0) if noise is None else noise)


@mistake(
    "The network is put into evaluation mode for the loss, so that dropout would not train: call eval() for sampling only."
)
class trains_in_evaluation_mode(Diffusion):
    def forward(self, x_0, noise=None):
        self.model.eval()
        return super().forward(x_0, noise)


@mistake("Without noise given, the noise of one entry, image or call tells that of another: draw every number afresh.")
class noise_used_again(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),))
        noise = torch.randn(x_0.shape, generator=torch.Generator().manual_seed(1)) if noise is None else noise
        return self.p_losses(x_0, t, noise)


@mistake("Some step lies outside 0 … T − 1: −1 is taken for the last one, as Python counts.")
class steps_outside(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, torch.randint(0, self.timesteps, (len(x_0),)) - 1, noise)


@mistake("The network is not called: the loss compares what it answers to x_t with the noise.")
class network_not_called(Diffusion):
    def forward(self, x_0, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(noise, self.q_sample(x_0, torch.randint(0, self.timesteps, (len(x_0),)), noise))


@mistake("Some steps are drawn more often than others: all T are equally likely.")
class steps_not_uniform(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, (torch.rand(len(x_0)) ** 2 * self.timesteps).long(), noise)


@mistake("The steps are the same at every call: draw them afresh.")
class steps_drawn_once(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),), generator=torch.Generator().manual_seed(0))
        return self.p_losses(x_0, t, noise)


@mistake("The loss sends no gradient to the network: look for detach, no_grad or item.")
class loss_without_a_gradient(Diffusion):
    def forward(self, x_0, noise=None):
        return super().forward(x_0, noise).detach()


@mistake("The loss is added up over the batch: p_losses is the mean already.")
class loss_times_the_batch(Diffusion):
    def forward(self, x_0, noise=None):
        return super().forward(x_0, noise) * len(x_0)


@mistake("The loss of one step is returned for each of them: return p_losses itself.")
class returns_the_steps_too(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(0, self.timesteps, (len(x_0),))
        return self.p_losses(x_0, t, noise), t


@mistake(SENTENCE)
class made_on_the_cpu(Diffusion):
    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, torch.randint(0, self.timesteps, (len(x_0),)), noise)


@equivalent
class StepsByRounding(Diffusion):
    def forward(self, x_0, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        t = torch.floor(torch.rand(x_0.shape[0], device=x_0.device) * self.timesteps).long()
        return self.p_losses(x_0, t, noise=noise)


@equivalent
class StepsFromADistribution(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.distributions.Categorical(logits=x_0.new_zeros(self.timesteps)).sample((len(x_0),))
        return self.p_losses(x_0, t, noise)


@equivalent
class AllInOne(Diffusion):
    def forward(self, x_0, noise=None):
        t = torch.randint(self.timesteps, (len(x_0),)).to(x_0.device)
        noise = torch.randn_like(x_0) if noise is None else noise
        return reference.eps_loss(noise, self.model(self.q_sample(x_0, t, noise), t), self.loss_kind)


HARMLESS = {
    "return self.p_losses(x_0, t, noise) → return self.p_losses(x_0, t, noise).float()": "Pictures and network are float32, and so is this.",
    "return self.p_losses(x_0, t, noise) → return self.p_losses(x_0, t, noise).squeeze()": "A number has no side to lose.",
    "self.p_losses(x_0, t, noise) → self.p_losses(x_0.detach(), t, noise)": "Pictures are data, and noise is drawn: nothing is trained through either.",
}
