"""The whole chain back from x_T = img to x_0, steps T − 1 … 0, with the network in evaluation mode.

A toy network records each state, from which the noise of each step is recovered. Wrong chains run forward, leave out a
step, use noise again, start elsewhere, keep training mode, or return all states.
"""

import torch

from autograder.assignments.diffusion import common, reference, trials
from autograder.assignments.diffusion.reference import Diffusion
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.p_sample_loop")
def p_sample_loop(student: Remote, draw: Draw) -> None:
    steps, batch, const = draw.integer(8, 12), 900, float(draw.uniform(0.2, 0.6, 1)[0])
    trial = trials.trial_on_toy(student, draw, size=2, channels=2, steps=steps, const=const)
    trial.diffusion.train.kept()
    noises = []
    for start in (draw.normal(batch, 2, 2, 2), draw.normal(batch, 2, 2, 2)):
        got = expect(trial.diffusion.p_sample_loop(start), "x_0").shape(*start.shape).finite()
        chain = trials.expect_chain(trial, start.shape, start)
        trials.expect_white_noise([start, *chain.noises], "the chain")
        is_before = torch.allclose(got.value.float(), chain.before, atol=2e-3)
        got.holds(not is_before, "The last step is missing from what is returned.", "returns_another_state")
        got.close(chain.end, rtol=1e-3, atol=2e-3)
        trials.expect_evaluation_mode(trial)
        noises += [start, *chain.noises]
    trials.expect_white_noise(noises, "two chains")
    kept = trial.diffusion.p_sample_loop.kept(start[:3])
    expect(kept).holds(
        kept.attribute("requires_grad") is False,
        "The result carries a graph, which fills the memory over T steps: use no_grad.",
        "keeps_a_graph",
    )
    expect_any_device(trial.diffusion.p_sample_loop, start[:3], mistake="made_on_the_cpu")


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
            img = self.p_sample(img, torch.full((len(img),), k, device=img.device), k)
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


@mistake("All states are returned; return only the last one, x_0.")
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


@mistake("The last step is missing from what is returned: x_0 is what the step with index 0 gives.")
class returns_another_state(Diffusion):
    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        for k in reversed(range(self.timesteps)):
            before, img = img, self.p_sample(img, torch.full((len(img),), k), k)
        return before


@mistake("The result carries a graph, which fills the memory over T steps: decorate with torch.no_grad().")
class keeps_a_graph(Diffusion):
    def p_sample_loop(self, img):
        self.eval()
        for k in reversed(range(self.timesteps)):
            t = torch.full((len(img),), k)
            mean, variance = reference.q_posterior(self.predicted_x_0(img, t), img, t, self.betas)
            img = mean + variance.sqrt() * torch.randn_like(img) if k else mean
        return img


@mistake("The network is not called: each step of the chain asks it for the noise, by p_sample.")
class network_not_called(Diffusion):
    def p_sample_loop(self, img):
        return img.clamp(-1, 1)


@mistake("The t that a step is given holds one number: it takes the index once for each image, torch.full((B,), k).")
class one_step_for_the_batch(_Looping):
    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        for k in self.indices():
            img = self.p_sample(img, torch.tensor([k]), k)
        return img


@mistake("Some step lies outside 0 … T − 1: the first one back has the index T − 1, the last one 0.")
class steps_outside(_Looping):
    def indices(self):
        return range(self.timesteps - 1, -2, -1)


@mistake("No noise is added on the way: call p_sample, which adds some at each step but the last.")
class no_noise(common.LoopOfOwnNoise):
    def noise(self, img):
        return torch.zeros_like(img)


@mistake("The images of a batch share one noise at a step: each must have its own.")
class one_noise_for_the_batch(common.LoopOfOwnNoise):
    def noise(self, img):
        return torch.randn_like(img[:1]).expand_as(img)


@mistake("All entries of an image share one number at a step: draw noise of the shape of img.")
class one_number_for_an_image(common.LoopOfOwnNoise):
    def noise(self, img):
        return torch.randn(len(img), 1, 1, 1).expand_as(img)


@mistake("The noise of a step is not standard normal (torch.randn): it is uniform, cut off, or of another size.")
class other_noise(common.LoopOfOwnNoise):
    def noise(self, img):
        return torch.rand_like(img)


@mistake(SENTENCE)
class made_on_the_cpu(Diffusion):
    @torch.no_grad()
    def p_sample_loop(self, img):
        self.eval()
        for k in reversed(range(self.timesteps)):
            img = self.p_sample(img, torch.full((len(img),), k), k)
        return img


@equivalent
class LoopByWhile(Diffusion):
    def p_sample_loop(self, img):
        self.model.eval()
        with torch.no_grad():
            k = self.timesteps - 1
            while k >= 0:
                img = self.p_sample(img, k * torch.ones(img.shape[0], dtype=torch.long, device=img.device), k)
                k -= 1
        return img


@equivalent
class LoopAllInOne(Diffusion):
    @torch.inference_mode()
    def p_sample_loop(self, img):
        self.eval()
        noises = torch.randn(self.timesteps, *img.shape, device=img.device)
        for k in range(self.timesteps - 1, -1, -1):
            t = torch.full((len(img),), k, device=img.device)
            mean, variance = reference.q_posterior(self.predicted_x_0(img, t), img, t, self.betas)
            img = mean + (k > 0) * variance.sqrt() * noises[k]
        self.train()
        return img.clone()


HARMLESS = {
    "p_sample_loop with gradients": "No step of it builds a graph.",
    "self.p_sample(img, t, t_index) → self.p_sample(img.detach(), t, t_index)": "Sampling builds no graph.",
    "self.model.train(was_training) → pass": "The text asks for evaluation mode in the loop, and for nothing after it.",
    "return img → return img.float()": "Pictures and network are float32, and so is this.",
    "return img → return img.detach()": "Sampling builds no graph.",
}
