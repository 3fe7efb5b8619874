"""A small solved notebook of the diffusion assignment, and pictures to train it on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SETUP = """
%matplotlib inline
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("fixmelab") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "fixmelab"], check=True)
"""

IMPORTS = """
import math
import torch
from torch import nn
import a_module_that_nobody_needs
import fixmelab

lab = fixmelab.setup("diffusion")
"""

HELPERS = """
# exercise: pick
TWO = 2

def pick(values, t):
    return values[t][:, None, None, None]
"""

UNFINISHED = """
# exercise: something_else
def something_else(x):
    raise NotImplementedError("FIXME: something_else")

raise NotImplementedError("FIXME: something_else")
"""

DIFFUSION = """
# exercise: Diffusion
class Diffusion(nn.Module):
    def __init__(self, model, *, image_size, channels=3, timesteps=1000):
        super().__init__()
        self.model, self.image_size, self.channels, self.timesteps = model, image_size, channels, timesteps
        betas = torch.linspace(1e-4, 0.02 * 1000 / timesteps, timesteps).clamp(max=0.999)
        self.register_buffer("betas", betas)
        self.register_buffer("alphas", 1 - betas)
        self.register_buffer("alpha_bars", torch.cumprod(1 - betas, 0))

    def q_sample(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        kept = pick(self.alpha_bars, t)
        return kept.sqrt() * x_0 + (1 - kept).sqrt() * noise

    def p_losses(self, x_0, t, noise=None):
        noise = torch.randn_like(x_0) if noise is None else noise
        return ((self.model(self.q_sample(x_0, t, noise), t) - noise) ** TWO).mean()

    def forward(self, x_0, noise=None):
        return self.p_losses(x_0, torch.randint(self.timesteps, (len(x_0),), device=x_0.device), noise)

    @torch.no_grad()
    def p_sample(self, x, t, t_index):
        beta, kept = pick(self.betas, t), pick(self.alpha_bars, t)
        mean = (x - beta / (1 - kept).sqrt() * self.model(x, t)) / (1 - beta).sqrt()
        return mean if t_index == 0 else mean + beta.sqrt() * torch.randn_like(x)

    @torch.no_grad()
    def p_sample_loop(self, img):
        for index in reversed(range(self.timesteps)):
            img = self.p_sample(img, torch.full((len(img),), index, device=img.device), index)
        return img

    @torch.no_grad()
    def sample(self, batch_size):
        noise = torch.randn(batch_size, self.channels, self.image_size, self.image_size, device=self.betas.device)
        return (self.p_sample_loop(noise).clamp(-1, 1) + 1) / 2
"""

STRIPS = """
def plot_forward(diffusion, x_0):
    last = diffusion.q_sample(x_0, torch.full((len(x_0),), diffusion.timesteps - 1))
    states = torch.stack([x_0, last])
    return fixmelab.show_images((states.flatten(0, 1) + 1) / 2), states


def plot_backward(diffusion, x):
    states = torch.stack([x, diffusion.p_sample_loop(x)])
    return fixmelab.show_images((states.flatten(0, 1) + 1) / 2), states
"""

TESTS = "assert False, 'tests do not run'\nDiffusion = None"
TRAINING = "Diffusion = None\nraise RuntimeError('training does not run')"


def code(text: str, **metadata: Any) -> dict[str, Any]:
    lines = text.strip("\n").splitlines(keepends=True)
    return {"cell_type": "code", "metadata": metadata, "source": lines, "outputs": [], "execution_count": None}


def cells(diffusion: str = DIFFUSION) -> list[dict[str, Any]]:
    """Cells of every kind; only those that the class needs can run."""
    tests = {"grade": True, "solution": False, "locked": True, "points": 1, "grade_id": "test_Diffusion"}
    return [
        {"cell_type": "markdown", "metadata": {}, "source": "# Diffusion\n\nDiffusion = None"},
        code(SETUP),
        code(IMPORTS),
        code(HELPERS, nbgrader={"grade": False, "solution": True}),
        code(UNFINISHED),
        code("this is no Python"),
        code("%%bash\nDiffusion = None"),
        code(diffusion, nbgrader={"grade": False, "solution": True}),
        code(TESTS, nbgrader=tests),
        code(TRAINING, tags=["train"]),
        code("Diffusion = None", tags=["keep"]),
        code("diffusion = Diffusion(None, image_size=8)\nraise RuntimeError('nobody needs this')"),
        code(STRIPS),
    ]


def write_notebook(path: Path, made: list[dict[str, Any]] | None = None) -> Path:
    made = cells() if made is None else made
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def write_python(path: Path) -> Path:
    """The same in jupytext's percent format."""
    parts = [
        "# %% [markdown]\n# # Diffusion",
        f"# %%{IMPORTS}",
        f'# %% exercise="pick"{HELPERS}',
        f'# %% exercise="Diffusion"{DIFFUSION}',
        f'# %% tests="Diffusion" points=1\n{TESTS}',
        f'# %% tags=["train"]\n{TRAINING}',
        f"# %%{STRIPS}",
    ]
    path.write_text("\n\n".join(parts))
    return path


def write_pictures(folder: Path, size: int = 16, count: int = 12) -> Path:
    """A folder of two classes of noisy squares, `count` pictures each."""
    numbers = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            pixels = numbers.integers(0, 80, (size, size, 3), dtype=np.uint8)
            left, top = numbers.integers(0, size // 2, 2)
            pixels[top : top + size // 2, left : left + size // 2] += 150
            Image.fromarray(pixels).save(folder / name / f"{index:02d}.png")
    return folder
