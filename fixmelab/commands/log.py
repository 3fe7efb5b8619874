"""What a training run writes down: a CSV file always, Weights & Biases when asked."""

import csv
import os
import secrets
import time
from pathlib import Path
from typing import Any

from fixmelab.files import write_whole
from fixmelab.pictures.plotting import Figure


class Log:
    """A row a step: step, loss, seconds since the start, learning rate, and FIDs in `fid_column` if that is named.

    A run that goes on from a checkpoint hands over its `losses`: rows beyond them are dropped, and those that are not
    in the file get no seconds. The file is always written whole.
    """

    def __init__(self, path: Path, losses: list[float], learning_rate: float, fid_column: str | None) -> None:
        self.path, self.learning_rate = path, learning_rate
        self.columns = ["step", "loss", "seconds", "learning_rate", *([fid_column] if fid_column else [])]
        before = _rows(path)
        self.losses, self.seconds, self.fids = list(losses), [], {}
        for step in range(1, len(losses) + 1):
            row = before.get(step, {})
            self.seconds.append(row.get("seconds") or "")
            if fid_column and row.get(fid_column):
                self.fids[step] = float(row[fid_column])
        timed = [float(seconds) for seconds in self.seconds if seconds]
        self._start = time.monotonic() - (timed[-1] if timed else 0.0)

    def add(self, loss: float) -> None:
        """The loss of the next step."""
        self.losses.append(loss)
        self.seconds.append(f"{time.monotonic() - self._start:.3f}")

    def write(self) -> None:
        """Raises OSError, in one line."""
        try:
            write_whole(self.path, self._write)
        except OSError as error:
            raise OSError(f"{self.path} cannot be written: {error.strerror or error}") from error

    def _write(self, path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.columns)
            for step, (loss, seconds) in enumerate(zip(self.losses, self.seconds, strict=True), 1):
                row = [step, loss, seconds, self.learning_rate, self.fids.get(step, "")]
                writer.writerow(row[: len(self.columns)])


def _rows(path: Path) -> dict[int, dict[str, str]]:
    """The rows of a log by step; none where there is no log, and without those that make no sense."""
    found = {}
    try:
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            for row in csv.DictReader(file):
                try:
                    numbers = [float(value) for key, value in row.items() if key and value]
                    if len(numbers) >= 2:
                        found[int(row["step"])] = row
                except (KeyError, TypeError, ValueError):
                    continue
    except (OSError, csv.Error):
        return {}
    return found


class Wandb:
    """Weights & Biases, in the mode that WANDB_MODE says. A resumed run goes on under the id that `folder` keeps.

    Raises ValueError if wandb is not installed or does not start.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        try:
            import wandb
        except ImportError as error:
            raise ValueError(f"--wandb needs wandb ({error}): pip install 'fixmelab[wandb]'") from error
        self._wandb, kept = wandb, folder / "wandb_id.txt"
        if not kept.exists():
            write_whole(kept, lambda file: file.write_text(secrets.token_hex(8)))
        os.environ.setdefault("WANDB_SILENT", "true")
        try:
            self._run = wandb.init(
                project="fixmelab-diffusion",
                id=kept.read_text().strip(),
                resume="allow",
                dir=str(folder),
                config=settings,
            )
        except Exception as error:  # an account, a network or a key that is wrong: wandb's own kinds of errors
            reason = " ".join(str(error).split())
            raise ValueError(f"wandb does not start ({reason}): WANDB_MODE=offline logs without a network") from error

    def step(self, step: int, loss: float, learning_rate: float) -> None:
        self._run.log({"loss": loss, "learning_rate": learning_rate}, step=step)

    def outputs(self, step: int, samples: Figure, fid: float | None) -> None:
        """Samples and FID of a step that has been logged already."""
        import io

        from PIL import Image

        with Image.open(io.BytesIO(samples._repr_png_())) as picture:
            values = {"samples": self._wandb.Image(picture)} | ({} if fid is None else {"fid": fid})
            self._run.log(values, step=step)

    def finish(self) -> None:
        self._run.finish()
