"""The variational autoencoders that are compared, and what is measured of one in a process of its own.

`python autoencoders.py REQUEST`, a JSON object, prints one JSON object: vae.py asks.
"""

import importlib.util
import itertools
import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import measuring
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import fixmelab
from autograder import cells, course
from fixmelab.data import load_images

TRAINING, HELD_OUT = 60_000, 5_000
LATENT_DIM, BATCH, LEARNING_RATE = 20, 128, 1e-3  # the example's own
MARGIN = 3  # pixels by which a picture is moved at most
NEEDED = ("gaussian_kl", "reparameterize", "VAE", "elbo_loss")


def pictures(path: str, source: str | None) -> dict[str, Any]:
    """Write training and held-out pictures, bytes (N, 28, 28): made of those of an .npz, or else FashionMNIST."""
    made = []
    for train, count in ((True, TRAINING), (False, HELD_OUT)):
        found = (load_images(source or "fashion_mnist", train=train).images[:, 0] * 255).round().byte()
        made.append(found[:count] if source is None else moved(found, count))
    torch.save(made, path)
    return {}


def moved(images: Tensor, count: int) -> Tensor:
    """`count` pictures: of one of `images` (N, 28, 28) or its mirror image, moved by up to MARGIN pixels, each once.

    Raises ValueError where `images` are too few.
    """
    both = torch.cat([images, images.flip(2)])
    size, steps = images.shape[-1], range(2 * MARGIN + 1)
    padded = functional.pad(both, (MARGIN,) * 4)
    ways = list(itertools.product(steps, steps))
    if count > len(both) * len(ways):
        raise ValueError(f"{len(images)} pictures are too few to make {count} of them")
    chosen = torch.randperm(len(both) * len(ways), generator=torch.Generator().manual_seed(0))[:count]
    made = torch.empty(count, size, size, dtype=images.dtype)
    for number, (down, right) in enumerate(ways):
        rows = (chosen % len(ways) == number).nonzero()[:, 0]
        made[rows] = padded[chosen[rows] // len(ways), down : down + size, right : right + size]
    return made


def notebook(path: str, epochs: int, seed: int) -> dict[str, float]:
    """The notebook's network, trained as the notebook trains it."""
    answers = notebooks_answers()
    torch.manual_seed(seed)
    return trained(answers.VAE(LATENT_DIM), answers, path, epochs, seed)


def same_network(path: str, epochs: int, seed: int, examples: str) -> dict[str, float]:
    """The example's network, trained as the notebook trains its own."""
    with tempfile.TemporaryDirectory() as folder:
        model = example(examples, folder, torch.load(path), seed).model
        return trained(InTheNotebooksWay(model), notebooks_answers(), path, epochs, seed)


def trained(model: nn.Module, answers: SimpleNamespace, path: str, epochs: int, seed: int) -> dict[str, float]:
    train, test = (images[:, None].float() / 255 for images in torch.load(path))

    def loss(model: nn.Module, images: Tensor) -> Tensor:
        x_hat, mu, sigma = model(images)
        return answers.elbo_loss(x_hat, images, mu, sigma)

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "vae.safetensors"
        go = partial(fixmelab.train, model, loss, train, epochs=epochs, checkpoint=checkpoint, seed=seed, device="cpu")
        seconds = measuring.seconds(go)
    return result(seconds / epochs, model, partial(loss, model), test)


def peer(path: str, epochs: int, seed: int, examples: str) -> dict[str, float]:
    """The example as it is: its own loader, network and `train`."""
    with tempfile.TemporaryDirectory() as folder:
        images = torch.load(path)
        module = example(examples, folder, images, seed)
        seconds = sum(measuring.seconds(partial(module.train, epoch)) for epoch in range(1, 1 + epochs))
    model = InTheNotebooksWay(module.model)
    elbo_loss = notebooks_answers().elbo_loss

    def loss(images: Tensor) -> Tensor:
        x_hat, mu, sigma = model(images)
        return elbo_loss(x_hat, images, mu, sigma)

    return result(seconds / epochs, model, loss, images[1][:, None].float() / 255)


def result(seconds: float, model: nn.Module, loss: Callable[[Tensor], Tensor], test: Tensor) -> dict[str, float]:
    """Held-out loss in nats an image, with the same noise for every network of as many latents."""
    torch.manual_seed(0)
    model.eval()
    with torch.no_grad():
        total = sum(loss(images).item() * len(images) for images in test.split(BATCH))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {"seconds": seconds, "loss": total / len(test), "parameters": parameters}


def notebooks_answers() -> SimpleNamespace:
    """The functions of the source notebook that training needs."""
    names: dict[str, Any] = {"torch": torch, "nn": nn, "F": functional}
    for cell in course.read_source("vae").cells:
        if cells.is_fixme(cell) and cells.exercise_name(cell) in NEEDED:
            exec(cell.source, names)
    return SimpleNamespace(**{name: names[name] for name in NEEDED})


def example(examples: str, folder: str, images: list[Tensor], seed: int) -> ModuleType:
    """The example's own program, read from a checkout but not started, with these pictures in the place of MNIST.

    It looks for MNIST's files in ../data, so it gets a working directory beside them.
    """
    raw, working = Path(folder) / "data" / "MNIST" / "raw", Path(folder) / "vae"
    raw.mkdir(parents=True)
    working.mkdir()
    for name, these in zip(("train", "t10k"), images, strict=True):
        _write_idx(raw / f"{name}-images-idx3-ubyte", these)
        _write_idx(raw / f"{name}-labels-idx1-ubyte", torch.zeros(len(these), dtype=torch.uint8))
    program = Path(examples).expanduser().absolute() / "vae" / "main.py"
    os.chdir(working)
    sys.argv = [str(program), "--no-accel", "--batch-size", str(BATCH), "--seed", str(seed)]
    spec = importlib.util.spec_from_file_location("example", program)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _write_idx(path: Path, values: Tensor) -> None:
    """Bytes in MNIST's format: a magic number, the sizes, the values."""
    header = np.array([0x0800 + values.ndim, *values.shape], dtype=">i4")
    path.write_bytes(header.tobytes() + values.numpy().tobytes())


class InTheNotebooksWay(nn.Module):
    """The example's network with the notebook's shapes, and σ in the place of log σ²."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x_hat, mu, log_variance = self.inner(x)
        return x_hat.view_as(x), mu, (log_variance / 2).exp()


REQUESTS = {"pictures": pictures, "notebook": notebook, "same network": same_network, "example": peer}

if __name__ == "__main__":
    measuring.serve(REQUESTS)
