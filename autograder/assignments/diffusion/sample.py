"""New images in [0, 1]: standard normal x_T, the whole chain back, and (x + 1)/2.

A toy network records the chain, and the starts of two calls must be independent. Mistakes leave the images in [−1, 1]
or cut them, start all of them from one noise or from none, keep training mode, or fix three channels.
"""

import torch

from autograder.assignments.diffusion import common, trials
from autograder.assignments.diffusion import p_sample_loop as loop
from autograder.assignments.diffusion.reference import Diffusion
from autograder.judge.devices import SENTENCE, expect_any_device
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.sample")
def sample(student: Remote, draw: Draw) -> None:
    steps, batch, const = draw.integer(7, 11), draw.integer(650, 750), float(draw.uniform(0.2, 0.6, 1)[0])
    trial = trials.trial_on_toy(student, draw, size=3, channels=2, steps=steps, const=const)
    trial.diffusion.train.kept()
    noises = []
    for _ in range(2):
        images = expect(trial.diffusion.sample(batch), "the images").shape(batch, 2, 3, 3)
        got = images.dtype(torch.float32).finite().value
        chain = trials.expect_chain(trial, got.shape)
        noises += [chain.start, *chain.noises]
        trials.expect_white_noise(noises, "the start and the steps of sample")
        expect(got).holds(
            not any(torch.allclose(got, end, atol=1e-2) for end in (chain.end, chain.end.clamp(0, 1))),
            "The images lie in [−1, 1]: map them to [0, 1].",
            "images_in_minus_one_to_one",
        )
        expect(got, "the images").close((chain.end + 1) / 2, rtol=1e-3, atol=2e-3)
        trials.expect_evaluation_mode(trial)
    expect(trial.diffusion.sample(1), "a single image").shape(1, 2, 3, 3).within(-1e-3, 1 + 1e-3)
    expect_any_device(trial.diffusion.sample, 3, mistake="made_on_the_cpu")


@mistake("The images are not mapped to [0, 1] by (x + 1) / 2: they lie in [−1, 1], or were cut.")
class images_in_minus_one_to_one(Diffusion):
    def sample(self, batch_size):
        return super().sample(batch_size) * 2 - 1


@images_in_minus_one_to_one.also  # type: ignore[attr-defined]  # mypy takes no notice of what decorates a class
class clamps_instead_of_mapping(Diffusion):
    def sample(self, batch_size):
        return (super().sample(batch_size) * 2 - 1).clamp(0, 1)


@mistake("All images start from the same noise: draw noise for each of them.")
class one_noise_for_the_batch(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        start = torch.randn(1, self.channels, self.image_size, self.image_size).expand(batch_size, -1, -1, -1)
        return (self.p_sample_loop(start) + 1) / 2


@mistake("The chain starts from zeros: it starts from standard normal noise.")
class no_noise(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        start = torch.zeros(batch_size, self.channels, self.image_size, self.image_size)
        return (self.p_sample_loop(start) + 1) / 2


@mistake("The noise at the start is not standard normal (torch.randn): it is uniform, cut off, or of another size.")
class other_noise(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        start = torch.rand(batch_size, self.channels, self.image_size, self.image_size)
        return (self.p_sample_loop(start) + 1) / 2


@mistake("The network samples in training mode: call self.model.eval() first.")
class samples_in_training_mode(common.SamplesInTrainingMode):
    pass


@mistake("The starting noise of one entry, image or call tells that of another: draw every number afresh.")
class noise_used_again(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        shape = (batch_size, self.channels, self.image_size, self.image_size)
        start = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        return (self.p_sample_loop(start) + 1) / 2


@mistake("The number of channels is fixed at 3: use self.channels.")
class three_channels(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        return (self.p_sample_loop(torch.randn(batch_size, 3, self.image_size, self.image_size)) + 1) / 2


@mistake("The network is not called: p_sample_loop makes images of noise.")
class network_not_called(Diffusion):
    def sample(self, batch_size):
        return torch.rand(batch_size, self.channels, self.image_size, self.image_size)


@mistake("Only some images are made, and given more than once: make as many as are asked for.")
class images_given_twice(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        start = torch.randn((batch_size + 1) // 2, self.channels, self.image_size, self.image_size)
        return (self.p_sample_loop(start).repeat(2, 1, 1, 1)[:batch_size] + 1) / 2


@mistake("The noise of the images has one number for all entries of an image: draw noise of their whole shape.")
class one_number_for_an_image(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        start = torch.randn(batch_size, 1, 1, 1).expand(-1, self.channels, self.image_size, self.image_size)
        return (self.p_sample_loop(start) + 1) / 2


@mistake("The steps run from index 0 up to T − 1: the reverse chain runs down.")
class runs_forward(loop.runs_forward.answer):  # type: ignore[name-defined]  # mypy takes no notice of what decorates a class
    pass


@mistake("One step is left out of the chain: the indices go from T − 1 down to 0, both included.")
class leaves_a_step_out(loop.leaves_a_step_out.answer):  # type: ignore[name-defined]  # mypy takes no notice of what decorates a class
    pass


@mistake("The state is reset on the way: every step must start from what the step before gave.")
class always_from_the_start(loop.always_from_the_start.answer):  # type: ignore[name-defined]  # mypy takes no notice of what decorates a class
    pass


@mistake("The t that a step is given holds one number: it takes the index once for each image, torch.full((B,), k).")
class one_step_for_the_batch(loop.one_step_for_the_batch.answer):  # type: ignore[name-defined]  # mypy takes no notice of what decorates a class
    pass


@mistake("Some step lies outside 0 … T − 1: the first one back has the index T − 1, the last one 0.")
class steps_outside(loop.steps_outside.answer):  # type: ignore[name-defined]  # mypy takes no notice of what decorates a class
    pass


@mistake(SENTENCE)
class made_on_the_cpu(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        return (self.p_sample_loop(torch.randn(batch_size, self.channels, self.image_size, self.image_size)) + 1) / 2


@equivalent
class SampleByHalves(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        start = self.betas.new_empty(batch_size, self.channels, self.image_size, self.image_size).normal_()
        return self.p_sample_loop(start).mul(0.5).add(0.5).clamp(0, 1)


@equivalent
class SampleImageByImage(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        shape = (self.channels, self.image_size, self.image_size)
        start = torch.stack([torch.randn(shape) for _ in range(batch_size)])
        return (1 + self.p_sample_loop(start.to(self.alpha_bars))) / 2


HARMLESS = {
    "sample with gradients": "No step of the loop builds a graph.",
    "return (self.p_sample_loop(noise) + 1) / 2 → return ((self.p_sample_loop(noise) + 1) / 2).float()": "Pictures and network are float32, and so is this.",
}
