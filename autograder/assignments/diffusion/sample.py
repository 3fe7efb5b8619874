"""New images in [0, 1]: standard normal x_T, the whole chain back, and (x + 1)/2.

A toy network records the chain, and the starts of two calls must be independent. Mistakes leave the images in [−1, 1]
or cut them, start all of them from one noise or from none, keep training mode, or fix three channels.
"""

import torch

from autograder.assignments.diffusion import common
from autograder.assignments.diffusion.reference import Diffusion
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote


@exercise("diffusion.sample")
def sample(student: Remote, draw: Draw) -> None:
    steps, batch, const = 8, 700, float(draw.uniform(0.2, 0.6, 1)[0])
    trial = common.trial_on_toy(student, draw, size=3, channels=2, steps=steps, const=const)
    trial.diffusion.train.kept()
    images = expect(trial.diffusion.sample(batch), "the images").shape(batch, 2, 3, 3)
    got = images.dtype(torch.float32).finite().value
    expect(got).holds(
        not torch.allclose(got, torch.full_like(got, const), atol=1e-2),
        "The images lie in [−1, 1]: map them to [0, 1].",
        "images_in_minus_one_to_one",
    )
    start = common.expect_chain(trial, None, steps)
    common.expect_white_noise([start], "the start of sample")
    expect(got, "the images").close(torch.full_like(got, (const + 1) / 2), rtol=1e-2, atol=1e-2)
    common.expect_evaluation_mode(trial)
    expect(trial.diffusion.sample(batch), "another batch").shape(batch, 2, 3, 3).within(-1e-3, 1 + 1e-3)
    common.expect_white_noise([start, trial.calls()[0][-steps]], "the starts of two calls of sample")
    expect(trial.diffusion.sample(1), "a single image").shape(1, 2, 3, 3).within(-1e-3, 1 + 1e-3)


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


@equivalent
class SampleByHalves(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        start = torch.empty(batch_size, self.channels, self.image_size, self.image_size).normal_()
        return self.p_sample_loop(start).mul(0.5).add(0.5).clamp(0, 1)


@equivalent
class SampleImageByImage(Diffusion):
    @torch.no_grad()
    def sample(self, batch_size):
        shape = (self.channels, self.image_size, self.image_size)
        start = torch.stack([torch.randn(shape) for _ in range(batch_size)])
        return (1 + self.p_sample_loop(start)) / 2
