"""The noise predictors that are compared, and what is measured of one in a process of its own.

`python networks.py REQUEST`, a JSON object, prints one JSON object: diffusion.py asks.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import measuring
import torch
from torch import Tensor, nn

TIMESTEPS = 50
BATCH = 32
SIZE = 32
LEARNING_RATE = 1e-3
WARM_UP = 3
PROFILED = 5


def fixmelab() -> Callable[[], nn.Module]:
    from fixmelab.models.unet import UNet

    return lambda: UNet(16)


def lucidrains() -> Callable[[], nn.Module]:
    from denoising_diffusion_pytorch import Unet

    return lambda: Unet(16)


def diffusers() -> Callable[[], nn.Module]:
    from diffusers import UNet2DModel

    class Predictor(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = UNet2DModel(
                sample_size=SIZE,
                block_out_channels=(16, 32, 64, 96),
                layers_per_block=2,
                norm_num_groups=8,
                down_block_types=("DownBlock2D", "DownBlock2D", "DownBlock2D", "AttnDownBlock2D"),
                up_block_types=("AttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"),
            )

        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            return self.inner(x, t).sample

    return Predictor


NETWORKS = {"fixmelab": fixmelab, "lucidrains": lucidrains, "diffusers": diffusers}

# What an operation of torch counts as, by what its name holds: the first that fits.
KINDS = {
    "convolution": ("conv",),
    "normalisation": ("_Normalise", "layer_norm", "group_norm", "rms_norm", "linalg_vector_norm"),
    "attention": ("scaled_dot_product", "bmm", "softmax"),
    "optimiser": ("_fused_adam_",),
    "linear layers": ("addmm", "mm"),
}


class Diffusion:
    """What all are trained by: T = 50, cosine schedule (Nichol & Dhariwal, 2021, equation 17), squared error in ε."""

    def __init__(self) -> None:
        t = torch.arange(TIMESTEPS + 1, dtype=torch.float64)
        f = torch.cos((t / TIMESTEPS + 0.008) / 1.008 * math.pi / 2) ** 2
        self.alpha_bars = (f[1:] / f[:-1]).clamp(min=0.001).cumprod(0).float()

    def loss(self, model: nn.Module, x: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        kept = self.alpha_bars[t].view(-1, 1, 1, 1)
        return (model(kept.sqrt() * x + (1 - kept).sqrt() * noise, t) - noise).square().mean()

    def held_out(self, model: nn.Module, images: Tensor) -> float:
        """The loss on pictures that are not trained on, with the same noise and the same t for every network."""
        t = torch.arange(len(images)) % TIMESTEPS
        noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
        model.eval()
        with torch.no_grad():
            parts = zip(images.split(BATCH), t.split(BATCH), noise.split(BATCH), strict=True)
            losses = [self.loss(model, *part).item() * len(part[0]) for part in parts]
        model.train()
        return sum(losses) / len(images)


def pictures(path: str, count: int) -> dict[str, Any]:
    """Draw the cats, once for all, into a file of (count, 3, 32, 32) in [-1, 1]."""
    from fixmelab.data import cats

    torch.save(cats(count) * 2 - 1, path)
    return {}


def turn(name: str, path: str, held_out: int, steps: int, every: int, seed: int) -> dict[str, Any]:
    """Train one network, and time it. `curve`: (seconds of training, held-out loss) after every `every` steps."""
    make = NETWORKS[name]()
    images = torch.load(path)
    train, test = images[:-held_out], images[-held_out:]
    before = measuring.peak_memory()
    torch.manual_seed(seed)
    model, diffusion = make(), Diffusion()
    step = _training_step(model, diffusion, train, seed)
    training, curve = [], [(0.0, diffusion.held_out(model, test))]
    for number in range(1, steps + 1):
        training.append(measuring.seconds(step))
        if number % every == 0 or number == steps:
            curve.append((sum(training), diffusion.held_out(model, test)))
    sampling = _sampling_step(model.eval())
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "training": 1e3 * statistics.median(training),
        "sampling": 1e3 * statistics.median([measuring.seconds(sampling) for _ in range(WARM_UP + 20)][WARM_UP:]),
        "memory": measuring.peak_memory() - before,
        "curve": curve,
    }


def profile(name: str) -> dict[str, Any]:
    """Where a training step's milliseconds go, and its floating-point operations."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as profiler
    from torch.utils.flop_counter import FlopCounterMode

    torch.manual_seed(0)
    model = NETWORKS[name]()()
    step = _training_step(model, Diffusion(), torch.randn(BATCH, 3, SIZE, SIZE), 0)
    counter = FlopCounterMode(display=False)
    with counter:
        step()
    times = [measuring.seconds(step) for _ in range(WARM_UP + PROFILED)][WARM_UP:]
    with profiler(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(PROFILED):
            step()
    spent = defaultdict(float)
    for event in seen.events():
        spent[_kind(event)] += event.self_cpu_time_total / PROFILED / 1e3
    return {
        "parts": spent,
        "gflop": counter.get_total_flops() / 1e9,
        "seconds": statistics.median(times),
    }


def processor() -> dict[str, float]:
    """GFLOP/s of one large float32 convolution and of one large float32 product of matrices: the best of ten."""
    x, weight = torch.randn(32, 128, 64, 64), torch.randn(128, 128, 3, 3)
    x, weight = (tensor.contiguous(memory_format=torch.channels_last) for tensor in (x, weight))
    a, b = torch.randn(2, 2048, 2048)
    with torch.no_grad():
        convolution = min(measuring.seconds(lambda: nn.functional.conv2d(x, weight, padding=1)) for _ in range(10))
        product = min(measuring.seconds(lambda: a @ b) for _ in range(10))
    return {
        "convolution": 2 * 9 * 128 * x.numel() / convolution / 1e9,
        "product": 2 * 2048**3 / product / 1e9,
    }


def _kind(event: Any) -> str:
    """What an operation counts as: what its name says, else what it is a part of."""
    while event is not None:
        for kind, parts in KINDS.items():
            if any(part in event.name for part in parts):
                return kind
        event = event.cpu_parent
    return "rest"


def _training_step(model: nn.Module, diffusion: Diffusion, images: Tensor, seed: int) -> Callable[[], None]:
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    generator = torch.Generator().manual_seed(seed)

    def step() -> None:
        chosen = torch.randint(0, len(images), (BATCH,), generator=generator)
        t = torch.randint(0, TIMESTEPS, (BATCH,), generator=generator)
        noise = torch.randn(BATCH, *images.shape[1:], generator=generator)
        optimizer.zero_grad()
        diffusion.loss(model, images[chosen], t, noise).backward()
        optimizer.step()

    return step


def _sampling_step(model: nn.Module) -> Callable[[], None]:
    x, t = torch.randn(BATCH, 3, SIZE, SIZE), torch.full((BATCH,), TIMESTEPS // 2)

    def step() -> None:
        with torch.no_grad():
            model(x, t)

    return step


REQUESTS = {"pictures": pictures, "turn": turn, "profile": profile, "processor": processor}

if __name__ == "__main__":
    measuring.serve(REQUESTS)
