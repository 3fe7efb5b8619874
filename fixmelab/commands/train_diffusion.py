"""`fixmelab train diffusion`: train the class `Diffusion` of a student's notebook, or draw what it has learnt."""

import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

from fixmelab import checkpoint as checkpoints
from fixmelab import environment, student_code
from fixmelab.commands.diffusion_options import Options
from fixmelab.commands.fid import Fid, best_features
from fixmelab.commands.log import Log, Wandb
from fixmelab.commands.outputs import require_folder, save_figure
from fixmelab.commands.students_diffusion import SEED, Diffusion, errors_in_one_line, make, sample_images, speed_up
from fixmelab.data import load_pictures
from fixmelab.pictures import plotting
from fixmelab.training import Run, random_numbers

CHECKPOINT = "checkpoint.safetensors"
SAMPLES = 25
ROWS = 4  # of the strips
BETWEEN_CHECKPOINTS = 10.0  # seconds that a kill may cost, or 20 times what writing takes
SLICE = 10  # steps between two looks at the clock


def run(options: Options) -> None:
    """Train, or with `visualize` draw. Raises ValueError or OSError, in one line, where something is not as it must be.

    Interrupting (KeyboardInterrupt) goes through, after a line on what is kept.
    """
    options.require()
    wanted = ["Diffusion", *(["plot_forward", "plot_backward"] if options.visualize else [])]
    student = student_code.load(options.notebook, wanted)
    require_folder(options.save_folder)
    with errors_in_one_line(student):
        diffusion = make(student, options)
        pictures = load_pictures(options.data_path, data_class=options.data_class, image_size=options.image_size)
        if options.visualize and options.load_path is not None:
            _visualize(student, diffusion, pictures.images, options.load_path, options)
        else:
            _Training(diffusion, pictures.images, pictures.name, options).run()


class _Training:
    """One call of the command. What a step needs lies in the checkpoint, so the next call goes on from there."""

    def __init__(self, diffusion: Diffusion, images: Tensor, name: str, options: Options) -> None:
        self.options, self.folder = options, options.save_folder
        device = environment.device()
        autocast = speed_up(diffusion, device)
        self.diffusion = diffusion.to(device)
        self.loop = Run(
            self.diffusion,
            lambda diffusion, batch: diffusion(batch),
            images.to(device),
            batch_size=options.batch_size,
            learning_rate=options.learning_rate,
            seed=SEED,
            settings={**options.sizes, "data": name},
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
            curve = plotting.plot_fid(list(self.log.fids), list(self.log.fids.values()), title)
            save_figure(curve, self.folder / "fid.png")
        bar.set_description("sampling")
        steps = range(1, step + 1)
        save_figure(plotting.plot_losses(steps, self.log.losses, ylabel="loss"), self.folder / "loss.png")
        samples = plotting.show_images(torch.cat(list(self._sampled(SAMPLES, "samples"))), columns=5)
        if self.wandb:
            self.wandb.outputs(step, samples, self.log.fids.get(step))
        save_figure(samples, self._samples_path())
        bar.set_description("training")

    def _sampled(self, count: int, purpose: str) -> Iterator[Tensor]:
        """`count` new images in batches, the same for the same step."""
        for first in range(0, count, 64):
            seed = f"{SEED} {purpose} {self.loop.step} {first}"
            yield sample_images(self.diffusion, min(64, count - first), seed, self.loop.device)

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


def _visualize(
    student: student_code.StudentCode, diffusion: Diffusion, images: Tensor, trained: Path, options: Options
) -> None:
    """Draw a trained model's samples, and by the student's own functions the way to noise and back."""
    found = checkpoints.read(trained)
    why = checkpoints.misfit(found, diffusion, options.sizes)
    if why is not None:
        raise ValueError(f"{trained} was made with {why}: give the flags that it was trained with")
    checkpoints.restore_model(found, diffusion)
    diffusion.eval()
    cpu = torch.device("cpu")
    samples = sample_images(diffusion, SAMPLES, f"{SEED} visualize", cpu)
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
        save_figure(figure, options.save_folder / f"{name}.png")
    print(f"samples.png, forward.png and backward.png are in {options.save_folder}")


def _fid_images() -> int:
    return environment.budget(full=1024, cpu=128, smoke=64)
