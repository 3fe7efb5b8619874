"""A training run after some step: copied, kept in one safetensors file, and put back."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from fixmelab.files import write_whole

METADATA_KEY = "fixmelab.training"
PARAMETERS = "trained parameters"  # the setting that counts them


@dataclass(frozen=True)
class Record:
    """The part of a checkpoint that is not tensors.

    `settings`: what has to be the same when training goes on. `loss`: the loss on the first batch after the
    last step, in evaluation mode. `device`: the type of the device it was computed on.
    """

    settings: dict[str, Any]
    loss: float
    device: str

    def __post_init__(self) -> None:
        fields = (self.settings, dict), (self.loss, float), (self.device, str)
        if not all(isinstance(value, kind) for value, kind in fields):
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


def restore_model(checkpoint: Checkpoint, model: nn.Module) -> None:
    """Put the model of a checkpoint that fits (see `misfit`) back into `model`."""
    model.load_state_dict(_part(checkpoint.tensors, "model."))


def restore(checkpoint: Checkpoint, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put the states of a checkpoint that fits (see `misfit`) back into `model` and `optimizer`."""
    restore_model(checkpoint, model)
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in _part(checkpoint.tensors, "optimizer.").items():
        index, name = key.split(".", 1)
        # A copy: the optimiser writes into what it is given, and a checkpoint may be restored twice. Laid out in
        # memory as the parameter is: the fused optimiser of the CPU goes through both side by side.
        like = parameters[int(index)] if tensor.shape == parameters[int(index)].shape else tensor
        state.setdefault(int(index), {})[name] = torch.empty_like(like, dtype=tensor.dtype, device="cpu").copy_(tensor)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def misfit(checkpoint: Checkpoint, model: nn.Module, settings: dict[str, Any]) -> str | None:
    """Say how a checkpoint's settings or model differ from these; None where they agree."""
    before = checkpoint.record.settings
    changed = {
        name: f"{name} {before.get(name)}, not {now}" for name, now in settings.items() if before.get(name) != now
    }
    if changed.keys() <= {PARAMETERS}:  # a name and a shape say more than their number
        theirs, ours = _shapes(_part(checkpoint.tensors, "model.")), _shapes(model.state_dict())
        for name in sorted(theirs.keys() | ours.keys()):
            if theirs.get(name) != ours.get(name):
                there, here = theirs.get(name, "absent"), ours.get(name, "absent")
                return f"another model ({name} is {there} there and {here} here)"
    return "; ".join(changed.values()) or None


def write(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint so that `path` always holds a whole one. Raises OSError, in one line."""
    metadata = {METADATA_KEY: json.dumps(asdict(checkpoint.record))}
    try:
        write_whole(path, lambda file: save_file(checkpoint.tensors, file, metadata=metadata))
    except (OSError, SafetensorError) as error:
        raise OSError(f"the checkpoint {path} cannot be written: {error}") from error


def read(path: Path) -> Checkpoint:
    """Read what `write` wrote. Raises ValueError if the file is damaged or something else, OSError where it is not
    to be read."""
    try:
        with safe_open(path, "pt") as file:
            record = Record(**json.loads(file.metadata()[METADATA_KEY]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no dict
        checkpoint = Checkpoint(record, tensors)
        if not checkpoint.steps:
            raise ValueError("there are no steps")
        return checkpoint
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged or no checkpoint: delete it to train from the start") from error
    except OSError as error:
        raise OSError(f"the checkpoint {path} cannot be read: {error}") from error


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _shapes(tensors: dict[str, Tensor]) -> dict[str, str]:
    return {name: f"{tuple(tensor.shape)} {tensor.dtype}" for name, tensor in tensors.items()}
