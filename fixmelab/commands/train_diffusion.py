"""`fixmelab train diffusion`: train the class `Diffusion` of a student's notebook, or draw what it has learnt."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from fixmelab import checkpoint as checkpoints
from fixmelab import environment, student_code
from fixmelab.commands.fid import Fid, best_features
from fixmelab.commands.log import Log, Wandb
from fixmelab.data import load_pictures
from fixmelab.files import remove_leftovers, write_whole
from fixmelab.models.unet import UNet
from fixmelab.pictures import plotting
from fixmelab.training import Run, random_numbers

CHECKPOINT = "checkpoint.safetensors"
SEED = 0
SAMPLES = 25
ROWS = 4  # of the strips
BETWEEN_CHECKPOINTS = 10.0  # seconds that a kill may cost, or 20 times what writing takes
SLICE = 10  # steps between two looks at the clock


@dataclass(frozen=True)
class Options:
    """The command's flags, under their own names; `notebook` is `--from`."""

    notebook: Path
    image_size: int = 32
    batch_size: int = 32
    data_class: str = "cat"
    save_folder: Path = Path("results")
    load_path: Path | None = None
    data_path: Path | None = None
    train_steps: int = 10_000
    time_steps: int = 50
    unet_dim: int = 16
    learning_rate: float = 1e-3
    save_and_sample_every: int = 1000
    fid: bool = False
    visualize: bool = False
    wandb: bool = False

    def require(self) -> None:
        """Raises ValueError for a number that no run can have, and a file that is not there."""
        counts = ("image_size", "batch_size", "train_steps", "time_steps", "unet_dim", "save_and_sample_every")
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} is {getattr(self, name)}: give a whole number of at least 1")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"--learning_rate is {self.learning_rate}: give a positive number")
        if self.visualize and self.load_path is None:
            raise ValueError("--visualize needs a trained model: name its checkpoint with --load_path")
        if self.load_path is not None and not self.load_path.is_file():
            raise ValueError(f"--load_path {self.load_path}: there is no such file")


def run(options: Options) -> None:
    """Train, or with `visualize` draw. Raises ValueError or OSError, in one line, where something is not as it must be.

    Interrupting (KeyboardInterrupt) goes through, after a line on what is kept.
    """
    options.require()
    wanted = ["Diffusion", *(["plot_forward", "plot_backward"] if options.visualize else [])]
    student = student_code.load(options.notebook, wanted)
    _require_folder(options.save_folder)
    with _in_one_line(student):
        diffusion = _make(student, options)
        pictures = load_pictures(options.data_path, data_class=options.data_class, image_size=options.image_size)
        if options.visualize:
            _visualize(student, diffusion, pictures.images, options)
        else:
            _Training(diffusion, pictures.images, pictures.name, options).run()


class _Training:
    """One call of the command. What a step needs lies in the checkpoint, so the next call goes on from there."""

    def __init__(self, diffusion: nn.Module, images: Tensor, name: str, options: Options) -> None:
        self.options, self.folder = options, options.save_folder
        device = environment.device()
        autocast = speed_up(diffusion, device)
        self.loop = Run(
            diffusion.to(device),
            lambda diffusion, batch: diffusion(batch),
            images.to(device),
            batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            seed=SEED,
            settings={**_sizes(options), "data": name},
            whole_batches=True,
            autocast=autocast,
        )
        self._resume()
        real = (images[torch.randperm(len(images), generator=torch.Generator().manual_seed(SEED))] + 1) / 2
        self.fid = Fid(real[: _fid_images()], best_features(real)) if options.fid else None
        column = self.fid.features.column if self.fid else None
        self.log = Log(self.folder / "log.csv", self.loop.losses, options.learning_rate, column)
        self.wandb = Wandb(self.folder, self.loop.settings) if options.wandb else None
        self._due, self._saved = 0.0, self.loop.step

    def run(self) -> None:
        total = self.options.train_steps
        self._was_saved(0.0)
        try:
            with tqdm(total=total, initial=min(self.loop.step, total), unit=" steps", desc="training") as bar:
                while True:
                    if self._is_save_point() and not self._has_outputs():
                        self._write_outputs(bar)
                    if self.loop.step >= total:
                        break
                    self._advance(bar)
        except KeyboardInterrupt:
            print(
                f"interrupted at step {self.loop.step}: kept up to step {self._saved}, the same command goes on there"
            )
            raise
        finally:
            if self.wandb:
                self.wandb.finish()
        print(f"{self.loop.step} steps: samples, curves, log.csv and {CHECKPOINT} are in {self.folder}")

    def _advance(self, bar: tqdm) -> None:
        """Some steps, at most up to where there is something to write; then a checkpoint where it is time."""
        every, total = self.options.save_and_sample_every, self.options.train_steps
        until = min((self.loop.step // every + 1) * every, self.loop.step + SLICE, total)

        def show(loss: float, _: int) -> None:
            self.log.add(loss)
            if self.wandb:
                self.wandb.step(len(self.log.losses), loss, self.options.learning_rate)
            bar.set_postfix_str(f"loss {loss:.4g}", refresh=False)
            bar.update()

        self.loop.advance(until, show, lambda step: f"at step {step + 1}")
        if self._is_save_point() or time.monotonic() > self._due:
            start = time.monotonic()
            self.loop.keep()
            self.log.write()
            checkpoints.write(self.loop.kept, self.folder / CHECKPOINT)
            self._was_saved(time.monotonic() - start)

    def _was_saved(self, seconds: float) -> None:
        self._saved, self._due = self.loop.step, time.monotonic() + max(BETWEEN_CHECKPOINTS, 20 * seconds)

    def _is_save_point(self) -> bool:
        step = self.loop.step
        return step > 0 and (step % self.options.save_and_sample_every == 0 or step >= self.options.train_steps)

    def _has_outputs(self) -> bool:
        """Whether an earlier call wrote what this step asks for. The samples are written last."""
        step = self.loop.step
        return self._samples_path().exists() and (self.fid is None or step in self.log.fids)

    def _samples_path(self) -> Path:
        return self.folder / f"samples-{self.loop.step:06d}.png"

    def _write_outputs(self, bar: tqdm) -> None:
        step = self.loop.step
        if self.fid:
            bar.set_description("measuring the FID")
            self.log.fids[step] = self.fid(self._sampled(_fid_images(), "fid"))
            self.log.write()
            title = f"{self.fid.features.name}, {_fid_images()} samples"
            _save(plotting.plot_fid(list(self.log.fids), list(self.log.fids.values()), title), self.folder / "fid.png")
        bar.set_description("sampling")
        steps = range(1, step + 1)
        _save(plotting.plot_losses(steps, self.log.losses, ylabel="loss"), self.folder / "loss.png")
        samples = plotting.show_images(torch.cat(list(self._sampled(SAMPLES, "samples"))), columns=5)
        if self.wandb:
            self.wandb.outputs(step, samples, self.log.fids.get(step))
        _save(samples, self._samples_path())
        bar.set_description("training")

    def _sampled(self, count: int, purpose: str) -> Iterator[Tensor]:
        """`count` new images in batches, the same for the same step."""
        for first in range(0, count, 64):
            seed = f"{SEED} {purpose} {self.loop.step} {first}"
            yield _sample(self.loop.model, min(64, count - first), seed, self.loop.device)

    def _resume(self) -> None:
        """Go on from the folder's checkpoint, else from the one that is named."""
        own, named = self.folder / CHECKPOINT, self.options.load_path
        found = own if own.exists() else named
        if found is None:
            return
        advice = f"name another --save_folder, or delete {own}" if found == own else "name another checkpoint"
        self.loop.resume(found, advice)
        if found == own and named is not None and not own.samefile(named):
            steps = checkpoints.read(named).steps
            if self.loop.losses[: len(steps)] != steps:
                raise ValueError(f"{own} does not go on from {named}: name another --save_folder, or delete {own}")
        total = self.options.train_steps
        left = f"resumed there, up to {total}" if self.loop.step < total else "nothing left to train"
        print(f"{found} holds {self.loop.step} steps: {left}")


def speed_up(diffusion: nn.Module, device: torch.device) -> torch.dtype | None:
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


def _make(student: student_code.StudentCode, options: Options) -> nn.Module:
    """The student's diffusion around a fresh network."""
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


def _visualize(student: student_code.StudentCode, diffusion: nn.Module, images: Tensor, options: Options) -> None:
    """Draw a trained model's samples, and by the student's own functions the way to noise and back."""
    found = checkpoints.read(options.load_path)
    why = checkpoints.misfit(found, diffusion, _sizes(options))
    if why is not None:
        raise ValueError(f"{options.load_path} was made with {why}: give the flags that it was trained with")
    checkpoints.restore_model(found, diffusion)
    diffusion.eval()
    cpu = torch.device("cpu")
    samples = _sample(diffusion, SAMPLES, f"{SEED} visualize", cpu)
    with torch.no_grad(), random_numbers(f"{SEED} strips", cpu):
        forward, states = student.found["plot_forward"](diffusion, images[:ROWS])
        # From the last state as it is: what was mapped to [0, 1] for a figure is no sample of x_t.
        backward, _ = student.found["plot_backward"](diffusion, states[-1])
    title = f"samples after {len(found.steps)} steps"
    figures = {
        "samples": plotting.show_images(samples, columns=5, title=title),
        "forward": forward,
        "backward": backward,
    }
    for name, figure in figures.items():
        _save(figure, options.save_folder / f"{name}.png")
    print(f"samples.png, forward.png and backward.png are in {options.save_folder}")


def _sample(diffusion: nn.Module, count: int, seed: str, device: torch.device) -> Tensor:
    """`count` new images (count, 3, H, W) in [0, 1], on the CPU. Raises ValueError where they are of another shape."""
    was_training = diffusion.training
    diffusion.eval()
    with torch.no_grad(), random_numbers(seed, device):
        made = diffusion.sample(count)
    diffusion.train(was_training)
    size = diffusion.model.channels, diffusion.image_size, diffusion.image_size
    if not isinstance(made, Tensor) or made.shape != (count, *size):
        shape = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
        raise ValueError(f"sample({count}) gives {shape}: ({count}, {', '.join(map(str, size))}) is wanted")
    return made.float().cpu()


def _fid_images() -> int:
    return environment.budget(full=1024, cpu=128, smoke=64)


def _sizes(options: Options) -> dict[str, Any]:
    return {name: getattr(options, name) for name in ("image_size", "time_steps", "unet_dim")}


def _require_folder(folder: Path) -> None:
    """Make the folder, rid it of what a killed run left, and see that it takes a file. Raises OSError, in one line."""
    trial = folder / "trial"
    remove_leftovers(folder)
    try:
        write_whole(trial, lambda file: file.write_bytes(b"\0" * 4096))
        trial.unlink()
    except OSError as error:
        raise OSError(f"--save_folder {folder} cannot be written: {error.strerror or error}") from error


def _save(figure: plotting.Figure, path: Path) -> None:
    """Write a figure as a whole file. Raises OSError, in one line."""
    save: Callable[[Path], None] = lambda file: figure.savefig(file, format="png", dpi=150, bbox_inches="tight")  # noqa: E731
    try:
        write_whole(path, save)
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from error


@contextmanager
def _in_one_line(student: student_code.StudentCode) -> Iterator[None]:
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
