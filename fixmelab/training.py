"""The training loop of the notebooks: fast, from one tensor in memory, and resumed after an interruption."""

import hashlib
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from fixmelab import checkpoint as checkpoints
from fixmelab import environment

Loss = Callable[[nn.Module, Tensor], Tensor]


@dataclass(frozen=True)
class History:
    """`epochs`: the loss of each epoch, a mean over its images. `steps`: the loss of each step, in order."""

    epochs: list[float]
    steps: list[float]


def train(
    model: nn.Module,
    loss: Loss,
    images: Tensor,
    *,
    epochs: int,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    checkpoint: str | Path | None = None,
    seed: int = 0,
    device: torch.device | str | None = None,
) -> History:
    """Train `model` in place by Adam (Kingma & Ba, 2015, algorithm 1) and return the losses.

    `images` (N, …) are floats; `loss(model, batch)` gives one number, a mean over the batch. `model` and
    `images` go to `device`, by default the GPU where there is one. The order of the images and all of
    torch's random numbers inside `loss` follow from `seed` and the epoch; those outside are not touched.

    With `checkpoint`, a file is written after each epoch, and the next call goes on from there: on a CPU to
    the very same numbers as without the interruption. Interrupting (KeyboardInterrupt) ends the training
    at the last finished epoch.

    Raises ValueError where an argument or the loss is unfit, or where the checkpoint is damaged, of another
    model or of other settings; OSError where it cannot be read or written.
    """
    _require_arguments(images, epochs, batch_size, learning_rate)
    device = environment.device() if device is None else torch.device(device)
    path = None if checkpoint is None else Path(checkpoint)
    images = images.to(device)
    run = _Run(model.to(device), loss, images, batch_size, learning_rate, seed)
    if path is not None and path.exists():
        run.resume(path)
        done = len(run.kept.record.epochs)
        if done >= epochs:
            print(f"{path} already holds {done} epochs: loaded, nothing left to train")
            return run.history
        print(f"resumed at epoch {done + 1} of {epochs}")
    was_training = model.training
    first = len(run.kept.record.epochs)
    bar = tqdm(total=epochs * len(images), initial=first * len(images), unit=" images", unit_scale=True)
    try:
        with bar:
            for epoch in range(first, epochs):
                bar.set_description(f"epoch {epoch + 1}/{epochs}")
                run.epoch(epoch, epochs, bar)
                if path is not None:
                    checkpoints.write(run.kept, path)
    except KeyboardInterrupt:
        run.rewind()
        again = "run the cell again to resume" if path is not None else "give train a checkpoint to resume later"
        print(f"interrupted: {len(run.history.epochs)} of {epochs} epochs are kept; {again}")
    finally:
        model.train(was_training)
    return run.history


class _Run:
    """A training run. `kept` is its state at the end of the last finished epoch."""

    def __init__(
        self, model: nn.Module, loss: Loss, images: Tensor, batch_size: int, learning_rate: float, seed: int
    ) -> None:
        self.model, self.loss, self.images, self.batch_size, self.seed = model, loss, images, batch_size, seed
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        if not parameters:
            raise ValueError("the model has no parameters to train: define its layers in __init__")
        self.optimizer = _adam(parameters, learning_rate)
        self.settings = {
            "seed": seed,
            "batch size": batch_size,
            "learning rate": learning_rate,
            "number of images": len(images),
            "trained parameters": sum(parameter.numel() for parameter in parameters),
        }
        self.kept = self._take([], [], math.nan)

    @property
    def history(self) -> History:
        return History(list(self.kept.record.epochs), self.kept.steps)

    def resume(self, path: Path) -> None:
        """Go on from the checkpoint in `path`. Raises ValueError where it does not belong to this run."""
        found = checkpoints.read(path)
        why = checkpoints.misfit(found, self.model, self.settings)
        if why is None:
            start, self.kept = self.kept, found
            self.rewind()
            why = self._changed()
            if why is not None:
                self.kept = start
                self.rewind()
        if why is not None:
            raise ValueError(
                f"{path} was made with {why}: delete it to train from the start, or name another checkpoint"
            )

    def rewind(self) -> None:
        """Back to the end of the last finished epoch."""
        checkpoints.restore(self.kept, self.model, self.optimizer)

    def epoch(self, epoch: int, epochs: int, bar: tqdm) -> None:
        """Train one epoch, counted from 0, and keep its end."""
        steps, total = [], 0.0
        count = math.ceil(len(self.images) / self.batch_size)
        self.model.train()
        with _random_numbers(self.seed, epoch, self.images.device):
            order = torch.randperm(len(self.images)).to(self.images.device)
            for step, chosen in enumerate(order.split(self.batch_size), 1):
                where = f"in epoch {epoch + 1} of {epochs}, step {step} of {count}"
                steps.append(self._step(self.images.index_select(0, chosen), where))
                total += steps[-1] * len(chosen)
                bar.set_postfix_str(f"loss {steps[-1]:.4g}", refresh=False)
                bar.update(len(chosen))
        means = [*self.kept.record.epochs, total / len(self.images)]
        self.kept = self._take(means, self.kept.steps + steps, self._first_loss())

    def _step(self, batch: Tensor, where: str) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.model, batch)
        _require_scalar(loss, where)
        loss.backward()
        value = loss.item()  # after backward, where a GPU has its work queued
        if not math.isfinite(value):
            raise ValueError(
                f"the loss is {value} {where}: look for the logarithm of 0, a division by 0 or an "
                "exponential that overflows, or lower the learning rate"
            )
        self.optimizer.step()
        return value

    def _take(self, epochs: list[float], steps: list[float], loss: float) -> checkpoints.Checkpoint:
        record = checkpoints.Record(epochs, self.settings, loss, self.images.device.type)
        return checkpoints.take(record, steps, self.model, self.optimizer)

    def _first_loss(self) -> float:
        """The loss on the first batch, in evaluation mode and with fixed noise."""
        self.model.eval()
        with _random_numbers(self.seed, -1, self.images.device):
            return self.loss(self.model, self.images[: self.batch_size].clone()).item()

    def _changed(self) -> str | None:
        """Whether model, loss or images have changed since `kept` was made: shown by the loss they give.

        Without it, a student who mends the loss and trains again would be handed the old weights.
        """
        before = self.kept.record
        if before.device != self.images.device.type:  # other random numbers
            return None
        now = self._first_loss()
        if math.isclose(now, before.loss, rel_tol=1e-3, abs_tol=1e-6):
            return None
        return f"another loss, other images or other code of the model (loss {before.loss:.6g}, now {now:.6g})"


def _adam(parameters: list[nn.Parameter], learning_rate: float) -> torch.optim.Adam:
    try:
        return torch.optim.Adam(parameters, lr=learning_rate, fused=True)  # about twice as fast on a CPU
    except RuntimeError:  # not on this device, or not in this torch
        return torch.optim.Adam(parameters, lr=learning_rate)


@contextmanager
def _random_numbers(seed: int, epoch: int, device: torch.device) -> Iterator[None]:
    """Inside, torch's random numbers follow from `seed` and `epoch`; outside, they go on as before."""
    derived = int.from_bytes(hashlib.sha256(f"{seed} {epoch}".encode()).digest()[:8], "big")
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        torch.default_generator.manual_seed(derived)
        for one in cuda:
            with torch.cuda.device(one):
                torch.cuda.manual_seed(derived)
        yield


def _require_arguments(images: Tensor, epochs: int, batch_size: int, learning_rate: float) -> None:
    if not isinstance(images, Tensor) or not images.is_floating_point() or images.ndim < 2 or not len(images):
        found = f"{tuple(images.shape)} {images.dtype}" if isinstance(images, Tensor) else type(images).__name__
        raise ValueError(f"images are {found}: give one floating-point tensor (N, …) with N ≥ 1")
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value}: give a whole number of at least 1")
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate is {learning_rate}: give a positive number")


def _require_scalar(loss: object, where: str) -> None:
    if not isinstance(loss, Tensor):
        raise ValueError(f"the loss is a {type(loss).__name__} {where}: return a tensor, without .item()")
    if loss.ndim:
        raise ValueError(
            f"the loss has shape {tuple(loss.shape)} {where}: it must be one number, the mean over the batch"
        )
    if not loss.requires_grad:
        raise ValueError(f"the loss has no gradient {where}: look for .detach(), .item(), .data or torch.no_grad()")
