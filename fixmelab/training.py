"""The training loop of the course: fast, from one tensor in memory, and resumed after an interruption."""

import hashlib
import math
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    torch's random numbers inside `loss` follow from `seed` and the step; those outside are not touched.

    With `checkpoint`, a file is written after each epoch, and the next call goes on from there: on a CPU to
    the very same numbers as without the interruption. Interrupting (KeyboardInterrupt) ends the training
    at the last finished epoch.

    Raises ValueError if an argument or the loss is unfit, or where the checkpoint is damaged, of another
    model or of other settings; OSError where it cannot be read or written.
    """
    _require_arguments(images, epochs, batch_size, learning_rate)
    device = environment.device() if device is None else torch.device(device)
    path = None if checkpoint is None else Path(checkpoint)
    images = images.to(device)
    run = Run(model.to(device), loss, images, batch_size=batch_size, learning_rate=learning_rate, seed=seed)
    count = run.steps_per_epoch
    if path is not None and path.exists():
        run.resume(path, "delete it to train from the start, or name another checkpoint")
        done = len(run.history.epochs)
        if done >= epochs:
            print(f"{path} already holds {done} epochs: loaded, nothing left to train")
            return run.history
        print(f"resumed at epoch {done + 1} of {epochs}")
    was_training = model.training
    first = run.step // count
    bar = tqdm(total=epochs * len(images), initial=first * len(images), unit=" images", unit_scale=True)

    def show(loss: float, size: int) -> None:
        bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
        bar.update(size)

    def where(step: int) -> str:
        return f"in epoch {step // count + 1} of {epochs}, step {step % count + 1} of {count}"

    try:
        with bar:
            for epoch in range(first, epochs):
                bar.set_description(f"epoch {epoch + 1}/{epochs}")
                run.advance((epoch + 1) * count, show, where)
                run.keep()
                if path is not None:
                    checkpoints.write(run.kept, path)
    except KeyboardInterrupt:
        run.rewind()
        again = "run the cell again to resume" if path is not None else "give train a checkpoint to resume later"
        print(f"interrupted: {len(run.history.epochs)} of {epochs} epochs are kept; {again}")
    finally:
        model.train(was_training)
    return run.history


class Run:
    """A training run that can stop after any step and go on from there: a step follows from the state before it, the
    seed and its number. `step` is the number of steps done, `kept` the state when `keep` was called last.

    `settings`: what else has to be the same when the run is resumed. With `whole_batches`, images that fill no batch
    are left out of an epoch, so that all steps are alike; others come in the next. `autocast`: a short floating-point
    type for the layers that bear it (on a GPU), with gradients scaled where it is float16.

    Raises ValueError if the model has nothing to train.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        images: Tensor,
        *,
        batch_size: int,
        learning_rate: float,
        seed: int,
        settings: dict[str, Any] | None = None,
        whole_batches: bool = False,
        autocast: torch.dtype | None = None,
    ) -> None:
        self.model, self.loss, self.images, self.seed, self.autocast = model, loss, images, seed, autocast
        self.device, self.batch_size = images.device, batch_size
        whole, rest = divmod(len(images), batch_size)
        self.steps_per_epoch = max(whole, 1) if whole_batches else whole + (rest > 0)
        self._order: tuple[int, tuple[Tensor, ...]] = (-1, ())
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        if not parameters:
            raise ValueError("the model has no parameters to train: define its layers in __init__")
        self.optimizer = _adam(parameters, learning_rate)
        self.scaler = torch.amp.GradScaler(self.device.type) if autocast is torch.float16 else None
        self.settings = (settings or {}) | {
            "seed": seed,
            "batch size": batch_size,
            "learning rate": learning_rate,
            "number of images": len(images),
            checkpoints.PARAMETERS: sum(parameter.numel() for parameter in parameters),
        }
        self.losses: list[float] = []
        self.kept = self._take(math.nan)

    @property
    def step(self) -> int:
        return len(self.losses)

    @property
    def history(self) -> History:
        """The losses up to where `kept` was made."""
        steps, count = self.kept.steps, self.steps_per_epoch
        sizes = [min(self.batch_size, len(self.images) - step * self.batch_size) for step in range(count)]
        epochs = [steps[first : first + count] for first in range(0, len(steps) - count + 1, count)]
        means = [sum(map(operator.mul, epoch, sizes)) / sum(sizes) for epoch in epochs]
        return History(means, steps)

    def resume(self, path: Path, advice: str) -> None:
        """Go on from the checkpoint in `path`.

        Raises ValueError, ending in `advice`, where it does not belong to this run, and as `checkpoint.read` does.
        """
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
            raise ValueError(f"{path} was made with {why}: {advice}")

    def rewind(self) -> None:
        """Back to `kept`."""
        checkpoints.restore(self.kept, self.model, self.optimizer)
        self.losses = self.kept.steps

    def keep(self) -> None:
        """Let `kept` be the state of now."""
        self.kept = self._take(self._first_loss())

    def advance(self, until: int, on_step: Callable[[float, int], object], where: Callable[[int], str]) -> None:
        """Train until `until` steps are done.

        `on_step` is told the loss of each step and how many images it saw; `where` names a step, counted from 0, for
        the ValueError that a loss which cannot be trained on raises.
        """
        self.model.train()
        with _own_random_numbers(self.device) as seed:
            while self.step < until:
                epoch, place = divmod(self.step, self.steps_per_epoch)
                if self._order[0] != epoch:
                    seed(f"{self.seed} order {epoch}")
                    order = torch.randperm(len(self.images)).to(self.device)
                    self._order = epoch, order.split(self.batch_size)
                chosen = self._order[1][place]
                seed(f"{self.seed} step {self.step}")
                loss = self._step(self.images.index_select(0, chosen), where)
                self.losses.append(loss)
                on_step(loss, len(chosen))

    def _step(self, batch: Tensor, where: Callable[[int], str]) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._loss(batch)
        _require_scalar(loss, where, self.step)
        (loss if self.scaler is None else self.scaler.scale(loss)).backward()
        value = loss.item()  # after backward, where a GPU has its work queued
        if not math.isfinite(value):
            raise ValueError(
                f"the loss is {value} {where(self.step)}: look for the logarithm of 0, a division by 0 or an "
                "exponential that overflows, or lower the learning rate"
            )
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        return value

    def _loss(self, batch: Tensor) -> Tensor:
        with torch.autocast(self.device.type, self.autocast) if self.autocast else nullcontext():
            return self.loss(self.model, batch)

    def _take(self, loss: float) -> checkpoints.Checkpoint:
        record = checkpoints.Record(self.settings, loss, self.device.type)
        return checkpoints.take(record, self.losses, self.model, self.optimizer)

    def _first_loss(self) -> float:
        """The loss on the first batch, in evaluation mode and with fixed noise."""
        self.model.eval()
        with _own_random_numbers(self.device) as seed:
            seed(f"{self.seed} first loss")
            return self._loss(self.images[: self.batch_size].clone()).item()

    def _changed(self) -> str | None:
        """Whether model, loss or images have changed since `kept` was made: shown by the loss they give.

        Without it, a student who mends the loss and trains again would be handed the old weights.
        """
        before = self.kept.record
        if before.device != self.device.type:  # other random numbers
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
def random_numbers(seed: str, device: torch.device) -> Iterator[None]:
    """Inside, torch's random numbers follow from `seed`; outside, they go on as before."""
    with _own_random_numbers(device) as start:
        start(seed)
        yield


@contextmanager
def _own_random_numbers(device: torch.device) -> Iterator[Callable[[str], None]]:
    """Inside, torch's random numbers follow from the text that is given to what this yields."""

    def start(seed: str) -> None:
        derived = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
        torch.default_generator.manual_seed(derived)
        for one in cuda:
            with torch.cuda.device(one):
                torch.cuda.manual_seed(derived)

    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):
        yield start


def _require_arguments(images: Tensor, epochs: int, batch_size: int, learning_rate: float) -> None:
    if not isinstance(images, Tensor) or not images.is_floating_point() or images.ndim < 2 or not len(images):
        found = f"{tuple(images.shape)} {images.dtype}" if isinstance(images, Tensor) else type(images).__name__
        raise ValueError(f"images are {found}: give one floating-point tensor (N, …) with N ≥ 1")
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{name} is {value}: give a whole number of at least 1")
    if not 0 < learning_rate < math.inf:
        raise ValueError(f"learning_rate is {learning_rate}: give a positive number")


def _require_scalar(loss: object, where: Callable[[int], str], step: int) -> None:
    if not isinstance(loss, Tensor):
        raise ValueError(f"the loss is a {type(loss).__name__} {where(step)}: return a tensor, without .item()")
    if loss.ndim:
        raise ValueError(
            f"the loss has shape {tuple(loss.shape)} {where(step)}: it must be one number, the mean over the batch"
        )
    if not loss.requires_grad:
        raise ValueError(
            f"the loss has no gradient {where(step)}: look for .detach(), .item(), .data or torch.no_grad()"
        )
