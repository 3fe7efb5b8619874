"""The class `Diffusion` of a student's notebook: made, sped up, sampled, and its errors told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fixmelab import environment, student_code
from fixmelab.commands.diffusion_options import Options
from fixmelab.models.unet import UNet
from fixmelab.training import random_numbers

SEED = 0


class Diffusion(nn.Module):
    """What the student's class must have. For type checkers alone: theirs derives from nn.Module."""

    model: UNet
    image_size: int

    def sample(self, count: int) -> Tensor:
        raise NotImplementedError


def make(student: student_code.StudentCode, options: Options) -> Diffusion:
    """The student's diffusion around a fresh network. Raises ValueError if it cannot be made or lacks something."""
    environment.seed_everything(SEED)
    size = options.image_size
    network = UNet(options.unet_dim)
    try:
        with torch.no_grad():
            network(torch.zeros(1, 3, size, size), torch.zeros(1, dtype=torch.long))
    except ValueError as error:
        raise ValueError(f"--image_size {size}: {error}") from error
    made = _called(student, options.notebook, network, image_size=size, timesteps=options.time_steps)
    problem = None
    if not isinstance(made, nn.Module) or getattr(made, "model", None) is not network:
        problem = "must be a torch.nn.Module that keeps the network as self.model"
    elif not callable(getattr(made, "sample", None)):
        problem = "has no method sample"
    if problem:
        raise ValueError(f"{options.notebook}: Diffusion {problem}")
    return made


def _called(student: student_code.StudentCode, notebook: Path, network: nn.Module, **arguments: int) -> Any:
    try:
        return student.found["Diffusion"](network, **arguments)
    except TypeError as error:
        if student.place(error):
            raise
        raise ValueError(f"{notebook}: Diffusion cannot be made: {student_code.describe(error)}") from error


def speed_up(diffusion: Diffusion, device: torch.device) -> torch.dtype | None:
    """On the gpu budget, compile the network and say in which short type to compute; elsewhere leave all as it is.

    bfloat16 needs no scaled gradients, but GPUs before compute capability 8.0 are slow at it. The network lays out its
    own weights and maps with channels last, which pays on a CPU as well.
    """
    if device.type != "cuda" or environment.budget_name() != "gpu":
        return None
    import torch._dynamo

    torch._dynamo.config.suppress_errors = True  # without a compiler at hand, it runs as it is
    diffusion.model.compile()
    return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16


def sample_images(diffusion: Diffusion, count: int, seed: str, device: torch.device) -> Tensor:
    """`count` new images (count, 3, H, W) in [0, 1], on the CPU. Raises ValueError if they have another
    shape."""
    was_training = diffusion.training
    diffusion.eval()
    with torch.no_grad(), random_numbers(seed, device):
        made = diffusion.sample(count)
    diffusion.train(was_training)
    size = diffusion.model.channels, diffusion.image_size, diffusion.image_size
    if not isinstance(made, Tensor) or made.shape != (count, *size):
        shape = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
        raise ValueError(f"sample({count}) gives {shape}: it must be ({count}, {', '.join(map(str, size))})")
    return made.float().cpu()


@contextmanager
def errors_in_one_line(student: student_code.StudentCode) -> Iterator[None]:
    """Errors of the student's code become a ValueError that names its line; so do those of torch, whosever they are."""
    try:
        yield
    except Exception as error:
        place = student.place(error)
        if place is not None:
            raise ValueError(place) from error
        if isinstance(error, RuntimeError):  # such as a backward pass that fails, or memory that is full
            raise ValueError(student_code.describe(error)) from error
        raise
