"""The class as a whole: its attributes, and the cosine schedule in registered buffers.

A change of precision tells buffers from plain attributes, since it moves what is registered, as .to(device) would. Usual mistakes:
plain attributes or parameters for buffers, another schedule, α_t for ᾱ_t, a fixed number of steps.
"""

import torch
from torch import Tensor, nn

from autograder.assignments.diffusion import common, reference, trials
from autograder.assignments.diffusion.reference import Diffusion
from autograder.judge.draw import Draw
from autograder.judge.exercise import equivalent, exercise, mistake
from autograder.judge.expect import expect
from autograder.judge.student import Remote
from autograder.judge.verdict import AnswerRaised


@exercise("diffusion.Diffusion")
def whole_class(student: Remote, draw: Draw) -> None:
    for steps, size, channels in ((draw.integer(30, 60), 4, 2), (draw.integer(9, 20), 6, 3)):
        trial = trials.trial_on_toy(student, draw, size=size, channels=channels, steps=steps)
        for name, wanted in (("image_size", size), ("channels", channels), ("timesteps", steps)):
            found = trial.diffusion.attribute(name)
            expect(found).holds(found == wanted, f"The attribute {name} is not what was asked for.")
        schedules = {"betas": trial.betas, "alphas": 1 - trial.betas, "alpha_bars": trial.alpha_bars}
        # From outside, as a module within another: methods that the class may have of its own are not asked.
        holder = student.make("Holder", trial.diffusion)
        for name, right in schedules.items():
            found = expect(trial.diffusion.attribute(name), name).shape(steps).finite().value.double()
            is_close = torch.allclose(found[:-1], right[:-1].double(), rtol=0, atol=1e-3)
            last = abs(float(found[-1] - right[-1])) < (1e-4 if name == "alpha_bars" else 2e-3)
            expect(found).holds(is_close and last, f"{name} has the right shape, but its numbers are wrong.")
            expect(found).holds(
                not _is_parameter(holder, name),
                f"{name} is a parameter, so training would change it: register a buffer.",
                "parameters_for_buffers",
            )
        # As .to(device) would, it moves what is registered, and nothing else.
        move, dtype = (("half", torch.float16), ("bfloat16", torch.bfloat16))[draw.integer(0, 2)]
        (holder.half if move == "half" else holder.bfloat16).kept()
        for name in schedules:
            found = trial.diffusion.attribute(name)
            expect(found).holds(
                isinstance(found, Tensor) and found.dtype == dtype,
                f"{name} does not move with the module: register it as a buffer.",
                "plain_attributes",
            )


def _is_parameter(holder: Remote, name: str) -> bool:
    try:
        holder.get_parameter.kept(f"held.{name}")
    except AnswerRaised:
        return False
    return True


@mistake("The linear schedule is used; the class is to use the cosine one.")
class linear_schedule_in_the_class(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        betas = reference.linear_schedule(timesteps)
        self.betas, self.alphas, self.alpha_bars = betas, 1 - betas, torch.cumprod(1 - betas, dim=0)


@mistake("The schedules are plain attributes, which stay behind when the module moves to a GPU: use register_buffer.")
class plain_attributes(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        for name in ("betas", "alphas", "alpha_bars"):
            value = getattr(self, name)
            delattr(self, name)
            object.__setattr__(self, name, value)


@mistake("The schedules are parameters, so training would change them: use register_buffer.")
class parameters_for_buffers(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        for name in ("betas", "alphas", "alpha_bars"):
            value = getattr(self, name)
            delattr(self, name)
            setattr(self, name, nn.Parameter(value))


@mistake("alpha_bars holds α_t: it is the cumulative product of the alphas.")
class alphas_for_alpha_bars(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        self.alpha_bars = self.alphas.clone()


@mistake("alpha_bars is a cumulative sum; it is a product.")
class sum_for_product(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        self.alpha_bars = torch.cumsum(self.alphas, dim=0)


@mistake("alpha_bars starts with ᾱ_0 = 1: entry 0 belongs to t = 1.")
class alpha_bars_start_at_one(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        self.alpha_bars = reference.alpha_bars_before(self.betas)


@mistake("The number of steps is fixed: use the argument timesteps.")
class ignores_timesteps(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=1000)


@equivalent
class DoubleBuffers(Diffusion):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__(model, image_size=image_size, channels=channels, timesteps=timesteps)
        for name in ("betas", "alphas", "alpha_bars"):
            setattr(self, name, getattr(self, name).double())


@equivalent
class MoreBuffers(common.Precomputed):
    pass


HARMLESS = {
    "__init__ without gradients": "A schedule has no gradient.",
    "torch.cumprod(1 - betas, dim=0) → torch.cumprod(1 - betas, dim=-1)": "The tensor has one dimension.",
}
