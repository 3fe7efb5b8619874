"""A training run at the end of an epoch: copied, kept in one safetensors file, and put back."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

METADATA_KEY = "fixmelab.training"


@dataclass(frozen=True)
class Record:
    """The part of a checkpoint that is not tensors.

    `epochs`: mean loss of each finished epoch. `settings`: what has to be the same when training goes on.
    `loss`: the loss on the first batch at the end of the last one, in evaluation mode. `device`: the type
    of the device it was computed on.
    """

    epochs: list[float]
    settings: dict[str, Any]
    loss: float
    device: str

    def __post_init__(self) -> None:
        numbers = isinstance(self.epochs, list) and all(isinstance(x, float) for x in [*self.epochs, self.loss])
        if not numbers or not isinstance(self.settings, dict) or not isinstance(self.device, str):
            raise TypeError("a field of the record is of the wrong type")


@dataclass(frozen=True)
class Checkpoint:
    """`tensors`, all on the CPU: `model.NAME`, `optimizer.INDEX.NAME`, and `steps`, the loss of each step."""

    record: Record
    tensors: dict[str, Tensor]

    @property
    def steps(self) -> list[float]:
        return self.tensors["steps"].tolist()


def take(record: Record, steps: list[float], model: nn.Module, optimizer: torch.optim.Optimizer) -> Checkpoint:
    """Copy the state of `model` and `optimizer` into a checkpoint."""
    found = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        found |= {f"optimizer.{index}.{name}": tensor for name, tensor in state.items()}
    tensors = {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in found.items()
    }
    return Checkpoint(record, tensors | {"steps": torch.tensor(steps, dtype=torch.float64)})


def restore(checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put the states of a checkpoint that fits (see `misfit`) back into `model` and `optimizer`."""
    model.load_state_dict(_part(checkpoint.tensors, "model."))
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in _part(checkpoint.tensors, "optimizer.").items():
        index, name = key.split(".", 1)
        # A copy: the optimiser writes into what it is given, and a checkpoint may be restored twice.
        state.setdefault(int(index), {})[name] = tensor.clone()
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def misfit(checkpoint: Checkpoint, model: nn.Module, settings: dict[str, Any]) -> str | None:
    """Say how a checkpoint's model or settings differ from these; None where they agree."""
    theirs, ours = _shapes(_part(checkpoint.tensors, "model.")), _shapes(model.state_dict())
    for name in sorted(theirs.keys() | ours.keys()):
        if theirs.get(name) != ours.get(name):
            there, here = theirs.get(name, "absent"), ours.get(name, "absent")
            return f"another model ({name} is {there} there and {here} here)"
    before = checkpoint.record.settings
    changed = [
        f"{name} {before.get(name)}, not {value}" for name, value in settings.items() if before.get(name) != value
    ]
    return "; ".join(changed) or None


def write(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint so that `path` always holds a whole one. Raises OSError, in one line."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(checkpoint.tensors, temporary, metadata={METADATA_KEY: json.dumps(asdict(checkpoint.record))})
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise OSError(f"the checkpoint {path} cannot be written: {error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def read(path: Path) -> Checkpoint:
    """Read what `write` wrote. Raises ValueError where the file is damaged or something else."""
    try:
        with safe_open(path, "pt") as file:
            record = Record(**json.loads(file.metadata()[METADATA_KEY]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no dict
        checkpoint = Checkpoint(record, tensors)
        if not len(checkpoint.steps) >= len(record.epochs) > 0:
            raise ValueError("there are fewer steps than epochs, or none")
        return checkpoint
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged or no checkpoint: delete it to train from the start") from error
    except OSError as error:
        raise OSError(f"the checkpoint {path} cannot be read: {error}") from error


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _shapes(tensors: dict[str, Tensor]) -> dict[str, str]:
    return {name: f"{tuple(tensor.shape)} {tensor.dtype}" for name, tensor in tensors.items()}
