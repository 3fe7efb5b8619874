"""The benchmark of the VAE notebook trains each way on the same pictures, and says in one line what it cannot."""

import sys

import numpy as np
import pytest
import torch
from typer import Typer
from typer.testing import CliRunner

# A program that is used as the example is: it reads MNIST beside its working directory, and has `model` and `train`.
PROGRAM = """
import sys
import torch
from torchvision import datasets

model = torch.nn.Linear(784, 40)
model.forward = lambda x: (torch.full((len(x), 784), 0.5), *torch.zeros(2, len(x), 20))
given, seen = sys.argv[1:], []

def train(epoch):
    seen.append((epoch, datasets.MNIST("../data", train=True).data, datasets.MNIST("../data", train=False).data))
"""


@pytest.fixture(scope="module")
def benchmark(imported):
    return imported("vae"), imported("autoencoders")


@pytest.fixture
def images(tmp_path):
    made = [torch.randint(0, 30, (count, 28, 28), dtype=torch.uint8) for count in (130, 20)]
    torch.save(made, tmp_path / "pictures.pt")
    return made


@pytest.fixture
def examples(tmp_path, monkeypatch):
    (tmp_path / "examples" / "vae").mkdir(parents=True)
    (tmp_path / "examples" / "vae" / "main.py").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pytest"])
    return tmp_path / "examples"


def test_each_picture_is_one_of_those_given_moved_or_mirrored(benchmark):
    _, autoencoders = benchmark
    given = torch.zeros(2, 28, 28, dtype=torch.uint8)
    given[0, 10, 11], given[0, 10, 12], given[1, 10:12, 9] = 7, 8, 9
    made = autoencoders.moved(given, 2 * 2 * 49)
    assert {tuple(picture.unique().tolist()) for picture in made} == {(0, 7, 8), (0, 9)}
    assert len({picture.numpy().tobytes() for picture in made}) == 2 * 2 * 49
    places = {tuple(place) for picture in made for place in (picture == 7).nonzero().tolist()}
    assert places == {(row, column) for row in range(7, 14) for column in (*range(8, 15), *range(13, 20))}
    with pytest.raises(ValueError, match="2 pictures are too few to make 197"):
        autoencoders.moved(given, 2 * 2 * 49 + 1)


def test_an_npz_gives_pictures_to_train_on_and_others_held_out(benchmark, monkeypatch, tmp_path):
    _, autoencoders = benchmark
    images = np.zeros((100, 28, 28), np.uint8)
    images[:, 14, 14] = np.arange(100) + 1
    np.savez(tmp_path / "own.npz", images=images, labels=np.arange(100) % 10)
    monkeypatch.setattr(autoencoders, "TRAINING", 500)
    monkeypatch.setattr(autoencoders, "HELD_OUT", 50)
    autoencoders.pictures(str(tmp_path / "pictures.pt"), str(tmp_path / "own.npz"))
    train, test = torch.load(tmp_path / "pictures.pt")
    assert (train.shape, test.shape) == ((500, 28, 28), (50, 28, 28))
    of_train, of_test = (set(made.amax((1, 2)).tolist()) for made in (train, test))
    assert of_test <= set(range(91, 101)) and not of_train & of_test


def test_the_example_is_run_on_these_pictures(benchmark, images, examples, tmp_path):
    _, autoencoders = benchmark
    module = autoencoders.example(str(examples), str(tmp_path / "room"), images, 3)
    module.train(1)
    assert module.given == ["--no-accel", "--batch-size", "128", "--seed", "3"]
    [(_, train, test)] = module.seen
    assert torch.equal(train, images[0]) and torch.equal(test, images[1])


def test_the_loss_of_all_is_the_notebooks(benchmark, images, examples, tmp_path):
    found = benchmark[1].peer(str(tmp_path / "pictures.pt"), 2, 0, str(examples))
    assert found["loss"] == pytest.approx(784 * np.log(2), rel=1e-5)  # grey pictures, and codes that say nothing


def test_the_notebooks_training_lowers_the_loss(benchmark, images, tmp_path):
    found = benchmark[1].notebook(str(tmp_path / "pictures.pt"), 2, 0)
    assert found["loss"] < 784 * np.log(2)
    assert found["seconds"] > 0


def run(vae, monkeypatch, *options):
    monkeypatch.setattr(vae.console, "width", 120)
    app = Typer()
    app.command()(vae.main)
    with vae.console.capture() as printed:
        done = CliRunner().invoke(app, options)
    return done, printed.get()


def test_an_example_that_is_not_there_is_left_out(benchmark, monkeypatch):
    vae, _ = benchmark
    asked = []
    found = {"seconds": 2.0, "loss": 3.0, "parameters": 4}
    monkeypatch.setattr(vae, "answer", lambda what, **_: asked.append(what) or found)
    done, printed = run(vae, monkeypatch, "--epochs", "1")
    assert done.exit_code == 0
    assert asked == ["pictures", "notebook"]
    assert "pytorch/examples is left out: --examples must name a checkout" in printed.splitlines()


def test_ratios_are_to_the_example(benchmark, monkeypatch, examples):
    vae, _ = benchmark
    seconds = {"pictures": 0.0, "notebook": 2.0, "same network": 1.0, "example": 5.0}
    monkeypatch.setattr(vae, "answer", lambda what, **_: {"seconds": seconds[what], "loss": 3.0, "parameters": 4})
    _, printed = run(vae, monkeypatch, "--examples", str(examples))
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in printed.splitlines() if line.startswith("│")]
    assert {row[0]: row[3] for row in rows} == {
        "the notebook": "2.50",
        "the example's network in our loop": "5.00",
        "pytorch/examples": "1.00",
    }


def test_a_folder_without_the_example_is_refused(benchmark, monkeypatch, tmp_path):
    vae, _ = benchmark
    done, _ = run(vae, monkeypatch, "--examples", str(tmp_path))
    assert isinstance(done.exception, vae.BenchmarkError)
    assert str(done.exception) == f"--examples: there is no {tmp_path}/vae/main.py"
