"""The whole chain back from x_T = img to x_0, steps T − 1 … 0, with the network in evaluation mode.

A toy network records each state, from which the noise of each step is recovered. Wrong chains run forward, leave out a
step, use noise again, start elsewhere, keep training mode, or return all states.
"""

import torch

from autograder.assignments.diffusion import common, reference
from autograder.assignments.diffusion.reference import Diffusion
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.p_sample_loop")
def p_sample_loop(student: Remote, draw: Draw) -> None:
    steps, batch, const = 9, 900, float(draw.uniform(0.2, 0.6, 1)[0])
    trial = common.trial_on_toy(student, draw, size=2, channels=2, steps=steps, const=const)
    trial.diffusion.train.kept()
    start = draw.normal(batch, 2, 2, 2)
    got = expect(trial.diffusion.p_sample_loop(start), "x_0").shape(batch, 2, 2, 2).finite().value
    common.expect_chain(trial, start, steps)
    expect(got, "x_0").close(torch.full_like(start, const), rtol=1e-2, atol=1e-2, mistake="returns_another_state")
    common.expect_evaluation_mode(trial)
    trial.diffusion.p_sample_loop(start)
    inputs, _ = trial.calls()
    expect(inputs).holds(
        not torch.equal(inputs[steps - 1], inputs[-1]), "Two chains use the same noise.", "noise_used_again"
    )
    kept = trial.diffusion.p_sample_loop.kept(start[:3])
    expect(kept).holds(
        kept.attribute("requires_grad") is False,
        "The result carries a graph, which fills the memory over T steps: use no_grad.",
        "keeps_a_graph",
    )


@mistake("The network samples in training mode: call self.model.eval() first.")
class samples_in_training_mode(common.SamplesInTrainingMode):
    pass


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


@mistake("The steps run from index 0 up to T − 1: the reverse chain runs down.")
class runs_forward(_Looping):
    def indices(self):
        return range(self.timesteps)


@mistake("One step is left out: the indices go from T − 1 down to 0, both included.")
class leaves_a_step_out(_Looping):
    def indices(self):
        return range(self.timesteps - 1, 0, -1)


@leaves_a_step_out.also  # type: ignore[attr-defined]  # mypy takes no notice of what decorates a class
class leaves_the_first_step_out(_Looping):
    def indices(self):
        return range(self.timesteps - 2, -1, -1)


@mistake("The chain does not start from img as it is: it starts from other noise, or from an img that was changed.")
class starts_elsewhere(_Looping):
    def p_sample_loop(self, img):
        return super().p_sample_loop(torch.randn_like(img))


@mistake("One noise is drawn before the loop and used at every step: each step needs fresh noise.")
class noise_used_again(Diffusion):
    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        noise = torch.randn_like(img)
        for k in reversed(range(self.timesteps)):
            t = torch.full((len(img),), k)
            mean, variance = reference.q_posterior(self.predicted_x_0(img, t), img, t, self.betas)
            img = mean + variance.sqrt() * noise if k else mean
        return img


@mistake("The state is reset: every step must start from what the step before gave.")
class always_from_the_start(Diffusion):
    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        for k in reversed(range(self.timesteps)):
            x = self.p_sample(img, torch.full((len(img),), k), k)
        return x


@mistake("All states are returned; only the last one, x_0, is wanted.")
class returns_all_states(Diffusion):
    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        states = [img]
        for k in reversed(range(self.timesteps)):
            states.append(self.p_sample(states[-1], torch.full((len(img),), k), k))
        return torch.stack(states)


@mistake("The result is mapped to [0, 1] already: that is what sample does; here x_0 stays in [−1, 1].")
class maps_in_the_loop(Diffusion):
    def p_sample_loop(self, img):
        return (super().p_sample_loop(img) + 1) / 2


@equivalent
class LoopByWhile(Diffusion):
    def p_sample_loop(self, img):
        self.model.eval()
        with torch.no_grad():
            k = self.timesteps - 1
            while k >= 0:
                img = self.p_sample(img, k * torch.ones(img.shape[0], dtype=torch.long), k)
                k -= 1
        return img


@equivalent
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
