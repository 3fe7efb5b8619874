"""The flags of `fixmelab train diffusion`."""

import math
from dataclasses import dataclass
from pathlib import Path


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

    @property
    def sizes(self) -> dict[str, int]:
        """What a checkpoint's model was made with."""
        return {"image_size": self.image_size, "time_steps": self.time_steps, "unet_dim": self.unet_dim}
