"""The training loop: what it learns, how it resumes, and what it refuses."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from fixmelab import checkpoint as checkpoints
from fixmelab import training
from fixmelab.training import History, train


class Noisy(nn.Module):
    """A model with a buffer that training changes, and random numbers in its forward pass."""

    def __init__(self, hidden: int = 5) -> None:
        super().__init__()
        self.inner, self.norm, self.outer = nn.Linear(6, hidden), nn.BatchNorm1d(hidden), nn.Linear(hidden, 6)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(torch.tanh(self.inner(x.flatten(1))))
        return self.outer(h + 0.1 * torch.randn_like(h)).view_as(x)


def loss(model: nn.Module, batch: Tensor) -> Tensor:
    return (model(batch) - batch).square().mean()


def model(seed: int = 0, hidden: int = 5) -> Noisy:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Noisy(hidden)


def frozen(made: Noisy) -> Noisy:
    made.inner.requires_grad_(False)
    return made


@pytest.fixture
def images() -> Tensor:
    return torch.rand(50, 1, 2, 3, generator=torch.Generator().manual_seed(1))


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def run(made: nn.Module, images: Tensor, epochs: int, **options) -> History:
    return train(made, options.pop("loss", loss), images, epochs=epochs, batch_size=16, device="cpu", **options)


class StopAt:
    """A loss that raises at a given call, counted from 1."""

    def __init__(self, call: int, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.left, self.error = call, error

    def __call__(self, model: nn.Module, batch: Tensor) -> Tensor:
        self.left -= 1
        if self.left == 0:
            raise self.error
        return loss(model, batch)


def test_the_loss_falls_and_the_history_adds_up(images) -> None:
    trained = model()
    history = run(trained, images, 30, learning_rate=0.05)
    assert len(history.epochs) == 30 and len(history.steps) == 30 * 4
    assert history.epochs[-1] < 0.5 * history.epochs[0]
    sizes = np.array([16, 16, 16, 2])  # the mean is over images: the short last batch counts for less
    weighted = np.array(history.steps).reshape(30, 4) @ sizes / 50
    assert np.allclose(weighted, history.epochs)


def test_it_takes_the_steps_of_adam(images) -> None:
    """Without shuffling and noise in play (one batch, linear model) the result is Adam's, written out."""
    ours, theirs = nn.Linear(3, 3), nn.Linear(3, 3)
    theirs.load_state_dict(ours.state_dict())
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01)
    expected = []
    for _ in range(5):
        optimizer.zero_grad()
        value = loss(theirs, images)
        value.backward()
        optimizer.step()
        expected.append(value.item())
    history = train(ours, loss, images, epochs=5, batch_size=50, learning_rate=0.01, device="cpu")
    assert np.allclose(history.epochs, expected, rtol=1e-5)
    assert torch.allclose(ours.weight, theirs.weight, atol=1e-6)


def test_every_image_is_seen_once_an_epoch_in_an_order_that_changes() -> None:
    seen: list[float] = []

    def watch(model: nn.Module, batch: Tensor) -> Tensor:
        if model.training:
            seen.extend(batch.flatten().tolist())
        return model(batch).square().mean()

    numbers = torch.arange(20.0)[:, None]
    train(nn.Linear(1, 1), watch, numbers, epochs=2, batch_size=8, device="cpu")
    first, second = seen[:20], seen[20:]
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second and first != sorted(first)


def test_one_seed_gives_one_run_and_another_seed_another(images) -> None:
    runs = [run(model(), images, 2, seed=seed) for seed in (3, 3, 4)]
    assert runs[0] == runs[1] != runs[2]


def test_random_numbers_outside_are_not_touched(images) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run(model(), images, 2)
    assert torch.equal(torch.rand(3), expected)


def test_images_and_the_mode_of_the_model_stay_as_they_were(images) -> None:
    def damaging(model: nn.Module, batch: Tensor) -> Tensor:
        batch.mul_(0)
        return loss(model, batch)

    before, trained = images.clone(), model().eval()
    run(trained, images, 1, loss=damaging)
    assert torch.equal(images, before)
    assert not trained.training


@pytest.mark.parametrize("stop", [2, 6, 11])
def test_an_interrupted_run_goes_on_as_if_nothing_had_been(images, tmp_path, capsys, stop) -> None:
    whole = model()
    expected = run(whole, images, 4)
    path = tmp_path / "run" / "model.safetensors"
    broken = model()
    kept = run(broken, images, 4, checkpoint=path, loss=StopAt(stop))
    done = (stop - 1) // 5  # four steps an epoch, and one look at the first batch
    assert kept.epochs == expected.epochs[:done]
    assert f"interrupted: {done} of 4 epochs are kept; run the cell again" in capsys.readouterr().out
    assert path.exists() == (done > 0)
    resumed = model(seed=9) if done else broken
    assert run(resumed, images, 4, checkpoint=path) == expected
    assert same(resumed, whole)
    printed = capsys.readouterr().out
    assert printed == (f"resumed at epoch {done + 1} of 4\n" if done else "")


def test_an_interruption_leaves_the_model_at_the_last_finished_epoch(images) -> None:
    two, broken = model(), model()
    run(two, images, 2)
    run(broken, images, 4, loss=StopAt(13))
    assert same(two, broken)


def test_a_run_can_be_made_longer(images, tmp_path) -> None:
    path = tmp_path / "model.safetensors"
    run(model(), images, 2, checkpoint=path)
    longer, whole = model(seed=9), model()
    assert run(longer, images, 4, checkpoint=path) == run(whole, images, 4)
    assert same(longer, whole)


def test_a_finished_run_is_loaded_and_not_trained(images, tmp_path, capsys) -> None:
    path, trained, loaded = tmp_path / "model.safetensors", model(), model(seed=9)
    expected = run(trained, images, 3, checkpoint=path)
    written = path.read_bytes()
    capsys.readouterr()
    assert run(loaded, images, 2, checkpoint=path) == expected
    assert same(loaded, trained) and path.read_bytes() == written
    assert capsys.readouterr().out == f"{path} already holds 3 epochs: loaded, nothing left to train\n"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"seed": 1}, "seed 0, not 1"),
        ({"batch_size": 8}, "batch size 16, not 8"),
        ({"learning_rate": 0.01}, "learning rate 0.001, not 0.01"),
        ({"images": torch.rand(49, 1, 2, 3)}, "number of images 50, not 49"),
        ({"images": torch.rand(50, 1, 2, 3) + 1}, "another loss, other images or other code"),
        ({"loss": lambda model, batch: 2 * loss(model, batch)}, "another loss, other images or other code"),
        ({"model": model(hidden=7)}, r"another model \(inner.bias is \(5,\) torch.float32 there and \(7,\)"),
        ({"model": nn.Linear(3, 3)}, "another model .*absent"),
        ({"model": frozen(model())}, "trained parameters 81, not 46"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(images, tmp_path, changes, why) -> None:
    path = tmp_path / "model.safetensors"
    run(model(), images, 1, checkpoint=path)
    arguments = {"model": model(), "loss": loss, "images": images, "batch_size": 16, "epochs": 2} | changes
    before = {name: tensor.clone() for name, tensor in arguments["model"].state_dict().items()}
    with pytest.raises(ValueError, match=why) as caught:
        train(**arguments, checkpoint=path, device="cpu")
    assert str(path) in str(caught.value) and "delete it" in str(caught.value) and "\n" not in str(caught.value)
    assert all(torch.equal(before[name], tensor) for name, tensor in arguments["model"].state_dict().items())


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def edit(path: Path, **changes) -> None:
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        tensors["steps"] = changes.pop("steps", tensors["steps"])
        record = json.loads(file.metadata()[checkpoints.METADATA_KEY]) | changes
    tensors = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    save_file(tensors, path, metadata={checkpoints.METADATA_KEY: json.dumps(record)})


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("not a checkpoint"),
        lambda path: save_file({"a": torch.zeros(2)}, path),
        lambda path: edit(path, unknown=1),
        lambda path: edit(path, steps=torch.zeros(0)),
        lambda path: edit(path, steps=None),
        lambda path: edit(path, settings=None),
        lambda path: edit(path, loss="low"),
    ],
    ids=["truncated", "empty", "text", "other", "field", "none", "steps", "settings", "loss"],
)
def test_a_damaged_checkpoint_is_refused_in_one_line(images, tmp_path, damage) -> None:
    path = tmp_path / "model.safetensors"
    run(model(), images, 1, checkpoint=path)
    damage(path)
    with pytest.raises(ValueError, match="delete it") as caught:
        run(model(), images, 2, checkpoint=path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_checkpoint_that_is_a_folder_is_refused(images, tmp_path) -> None:
    with pytest.raises(OSError, match="cannot be read"):
        run(model(), images, 1, checkpoint=tmp_path)


def test_a_checkpoint_that_cannot_be_written_is_reported(images, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be written"):
        run(model(), images, 1, checkpoint=tmp_path / "file" / "model.safetensors")


def test_a_crash_while_writing_leaves_the_last_checkpoint_whole(images, tmp_path, monkeypatch) -> None:
    path = tmp_path / "model.safetensors"
    run(model(), images, 1, checkpoint=path)
    written = path.read_bytes()

    def crash(source: Path, target: Path) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="the disk is full"):
        run(model(), images, 2, checkpoint=path)
    assert path.read_bytes() == written
    assert os.listdir(tmp_path) == ["model.safetensors"]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda model, batch: loss(model, batch).item(), "a float in epoch 1 of 2, step 1 of 4: return a tensor"),
        (lambda model, batch: (model(batch) - batch).flatten(1).sum(1), r"shape \(16,\) in epoch 1.*one number"),
        (lambda model, batch: loss(model, batch).detach(), "no gradient in epoch 1"),
        (lambda model, batch: loss(model, batch) * float("nan"), "nan in epoch 1 of 2, step 1 of 4: look for"),
        (lambda model, batch: torch.log(0 * loss(model, batch)), "-inf in epoch 1 of 2, step 1 of 4"),
    ],
)
def test_an_unfit_loss_is_refused_with_its_place_and_cause(images, wrong, why) -> None:
    trained = model()
    weights = [parameter.clone() for parameter in trained.parameters()]
    with pytest.raises(ValueError, match=why):
        run(trained, images, 2, loss=wrong)
    assert all(torch.equal(a, b) for a, b in zip(weights, trained.parameters(), strict=True))


def test_a_loss_that_turns_infinite_later_names_where(images) -> None:
    calls = []

    def later(model: nn.Module, batch: Tensor) -> Tensor:
        calls.append(model.training)
        return loss(model, batch) * (float("inf") if sum(calls) == 7 else 1)

    with pytest.raises(ValueError, match="inf in epoch 2 of 3, step 3 of 4"):
        run(model(), images, 3, loss=later)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"images": np.zeros((3, 2))}, "images are ndarray"),
        ({"images": torch.zeros(3, 2, dtype=torch.uint8)}, "torch.uint8: give one floating-point tensor"),
        ({"images": torch.zeros(0, 2)}, r"images are \(0, 2\)"),
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"model": nn.Flatten()}, "no parameters to train"),
    ],
)
def test_unfit_arguments_are_refused(images, changes, why) -> None:
    with pytest.raises(ValueError, match=why):
        train(**({"model": model(), "loss": loss, "images": images, "epochs": 1} | changes))


def test_progress_shows_epoch_loss_and_images_a_second(images, capsys) -> None:
    run(model(), images, 2)
    shown = capsys.readouterr().err
    assert "epoch 2/2" in shown and "loss " in shown and " images/s" in shown


def test_parameters_that_get_no_gradient_and_tied_weights_survive_a_checkpoint(images, tmp_path) -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.unused = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(2, 2)
            self.two.weight = self.one.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.two(self.one(x.flatten(1))).view_as(x)

    torch.manual_seed(0)
    whole = Tied()
    half = Tied()
    half.load_state_dict(whole.state_dict())
    expected = run(whole, images, 2)
    run(half, images, 1, checkpoint=tmp_path / "tied")
    assert run(half, images, 2, checkpoint=tmp_path / "tied") == expected
    assert same(half, whole)


def test_a_run_resumes_where_weights_lie_with_channels_last(images, tmp_path) -> None:
    """The optimiser's state has to come back in the same order: its fused kernel reads both side by side."""

    class Convolutions(nn.Sequential):
        def __init__(self) -> None:
            with torch.random.fork_rng():
                torch.manual_seed(0)
                super().__init__(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 5, 3, padding=1), nn.Conv2d(5, 1, 1))
            self.to(memory_format=torch.channels_last)

    whole, half = Convolutions(), Convolutions()
    expected = run(whole, images, 3, learning_rate=0.01)
    run(half, images, 1, learning_rate=0.01, checkpoint=tmp_path / "half")
    resumed = Convolutions()
    assert run(resumed, images, 3, learning_rate=0.01, checkpoint=tmp_path / "half") == expected
    assert same(resumed, whole)
    assert not whole[1].weight.is_contiguous() and not resumed[1].weight.is_contiguous()


def test_a_run_stops_and_resumes_within_an_epoch(images, tmp_path) -> None:
    """At any step, and to the very same numbers; with whole batches, the two images left over come another time."""

    def started(**options) -> training.Run:
        options = {"batch_size": 16, "learning_rate": 0.01, "seed": 0, "whole_batches": True} | options
        return training.Run(model(), loss, images, **options)

    def advance(one: training.Run, until: int) -> None:
        one.advance(until, lambda value, size: sizes.append(size), lambda step: f"at {step}")

    sizes: list[int] = []
    whole, path = started(), tmp_path / "model.safetensors"
    advance(whole, 11)
    assert whole.steps_per_epoch == 3 and sizes == [16] * 11
    for stop in (2, 4, 11):
        part = started()
        if path.exists():
            part.resume(path, "no advice")
        advance(part, stop)
        part.keep()
        checkpoints.write(part.kept, path)
    assert part.losses == whole.losses and same(part.model, whole.model)
    assert len(part.history.epochs) == 3
    with pytest.raises(ValueError, match="size None, not 3: take another"):
        started(settings={"size": 3}).resume(path, "take another")


def test_fewer_images_than_a_batch_are_one_batch(images) -> None:
    few = training.Run(model(), loss, images[:5], batch_size=16, learning_rate=0.01, seed=0, whole_batches=True)
    sizes: list[int] = []
    few.advance(3, lambda value, size: sizes.append(size), str)
    assert sizes == [5, 5, 5]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_a_gpu_model_and_images_move_there_and_a_run_resumes(images, tmp_path) -> None:
    path = tmp_path / "model.safetensors"
    trained = model()
    train(trained, loss, images, epochs=2, checkpoint=path)
    assert next(trained.parameters()).is_cuda
    assert len(train(trained, loss, images, epochs=3, checkpoint=path).epochs) == 3
    assert len(train(model(), loss, images, epochs=4, checkpoint=path, device="cpu").epochs) == 4
