"""`fixmelab train diffusion`: a class trained from the command line, killed, resumed, looked at and refused."""

import csv
import functools
import importlib.util
import json
import multiprocessing
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from fixmelab.commands import diffusion_options, train_diffusion
from fixmelab.commands import main as cli
from fixmelab.commands.log import Log
from tests.fixmelab import small_diffusion as small

TINY = {"image_size": 8, "unet_dim": 4, "time_steps": 5, "train_steps": 6, "batch_size": 4, "save_and_sample_every": 3}
FIXMELAB = [sys.executable, "-m", "fixmelab", "train", "diffusion"]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory) -> Path:
    return small.write_notebook(tmp_path_factory.mktemp("notebook") / "mine.ipynb")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return small.write_pictures(tmp_path_factory.mktemp("pictures") / "train")


@pytest.fixture
def arguments(notebook, pictures, tmp_path, monkeypatch):
    """A function from changes of the tiny run to a command's arguments; None leaves a flag out, "" makes it bare."""
    monkeypatch.setenv("FIXMELAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FIXMELAB_BUDGET", "smoke")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def made(**changes) -> list[str]:
        flags = {"from": notebook, "data_path": pictures, "save_folder": tmp_path / "results"} | TINY | changes
        chosen = [(f"--{name}", str(value)) for name, value in flags.items() if value is not None]
        return [part for flag, value in chosen for part in ((flag, value) if value else (flag,))]

    yield made
    torch.set_num_threads(threads)


def start(arguments: list[str], **options) -> subprocess.Popen:
    return subprocess.Popen(
        [*FIXMELAB, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def fixmelab(arguments: list[str], **options) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in a process of its own."""
    process = start(arguments, **options)
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err


def forked(arguments: list[str]) -> multiprocessing.Process:
    """A command in a fork of this process, which has long imported torch and what measures the FID."""
    importlib.import_module("torchmetrics.image.fid")
    process = multiprocessing.get_context("fork").Process(target=_command, args=(arguments,))
    process.start()
    return process


def _command(arguments: list[str]) -> None:
    sys.argv = ["fixmelab", "train", "diffusion", *arguments]
    cli.main()


def confined(arguments: list[str], most_bytes: int) -> tuple[int, str]:
    """Exit code and stderr of a command in a fork that may write no larger file."""
    read, write = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=_confined, args=(arguments, most_bytes, write))
    process.start()
    os.close(write)
    with open(read) as file:
        err = file.read()
    return finished(process), err


def _confined(arguments: list[str], most_bytes: int, stderr: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    sys.stderr = os.fdopen(stderr, "w")
    _command(arguments)


def finished(process: multiprocessing.Process) -> int:
    """The exit code of a fork, negative after a signal."""
    process.join(240)
    return process.exitcode


def here(arguments: list[str], monkeypatch) -> int:
    """The exit code of a command in this process."""
    monkeypatch.setattr(sys, "argv", ["fixmelab", "train", "diffusion", *arguments])
    with torch.random.fork_rng(), pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code or 0


def error_line(capsys) -> str:
    """The only line on stderr, but for progress bars."""
    bars = ("training:", "sampling:", "measuring the FID:")
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.strip() and not line.startswith(bars)]
    assert line.startswith("error: ")
    return line


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same run: checkpoint and samples byte for byte, and the log but for the seconds."""
    names = [sorted(path.name for path in folder.iterdir() if path.name != "wandb") for folder in (one, other)]
    files = [name for name in names[0] if name != "log.csv"]
    logs = [[{**row, "seconds": ""} for row in rows(folder)] for folder in (one, other)]
    return (
        names[0] == names[1]
        and all((one / name).read_bytes() == (other / name).read_bytes() for name in files)
        and logs[0] == logs[1]
    )


def test_the_defaults_are_the_handouts(monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(train_diffusion, "run", seen.append)
    assert here(["--from", "mine.ipynb"], monkeypatch) == 0
    assert vars(seen[0]) == {
        "notebook": Path("mine.ipynb"),
        "image_size": 32,
        "batch_size": 32,
        "data_class": "cat",
        "save_folder": Path("results"),
        "load_path": None,
        "data_path": None,
        "train_steps": 10_000,
        "time_steps": 50,
        "unet_dim": 16,
        "learning_rate": 1e-3,
        "save_and_sample_every": 1000,
        "fid": False,
        "visualize": False,
        "wandb": False,
    }


@pytest.mark.parametrize(
    ("given", "fid", "visualize"),
    [
        (["--fid"], True, False),
        (["--fid", "--visualize"], True, True),
        (["--fid", "true", "--visualize", "false"], True, False),
        (["--fid", "True", "--visualize", "FALSE"], True, False),
        (["--fid=false", "--visualize=true"], False, True),
        (["--visualize", "--data_class", "all"], False, True),
    ],
)
def test_switches_are_bare_or_have_a_value(monkeypatch, given, fid, visualize) -> None:
    seen = []
    monkeypatch.setattr(train_diffusion, "run", seen.append)
    assert here(["--from", "mine.ipynb", *given], monkeypatch) == 0
    assert (seen[0].fid, seen[0].visualize) == (fid, visualize)


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["--from", "a", "--nonsense"],
        ["--from", "a", "--data_class", "cow"],
        ["--from", "a", "--image_size", "big"],
        ["--from", "a", "--fid", "maybe"],
    ],
)
def test_wrong_usage_ends_with_2_and_names_what_is_wrong(monkeypatch, capsys, given) -> None:
    assert here(given, monkeypatch) == 2
    assert not given or given[-2 if given[-1] == "big" else -1].strip("-") in capsys.readouterr().err


def test_help_is_quick_and_names_every_flag() -> None:
    code = "import sys; from fixmelab.commands.main import main\n"
    code += "sys.argv = ['fixmelab', 'train', 'diffusion', '--help']\n"
    code += "try: main()\nexcept SystemExit as ended: assert not ended.code\nassert 'torch' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"COLUMNS": "80"}
    )
    assert done.returncode == 0, done.stderr
    for name in diffusion_options.Options.__dataclass_fields__:
        assert f"--{name.replace('notebook', 'from')} " in done.stdout


@pytest.mark.slow
def test_a_run_writes_all_it_promises(arguments, tmp_path, monkeypatch, capsys) -> None:
    code, out, err = fixmelab(arguments())
    folder = tmp_path / "results"
    assert code == 0, err
    assert "6 steps: samples, curves, log.csv and checkpoint.safetensors are in" in out
    assert "6/6" in err and "loss " in err and " steps/s" in err
    assert {path.name for path in folder.iterdir()} == {
        "checkpoint.safetensors",
        "log.csv",
        "loss.png",
        "samples-000003.png",
        "samples-000006.png",
    }
    table = rows(folder)
    assert [row["step"] for row in table] == ["1", "2", "3", "4", "5", "6"]
    assert set(table[0]) == {"step", "loss", "seconds", "learning_rate"} and table[0]["learning_rate"] == "0.001"
    seconds = [float(row["seconds"]) for row in table]
    assert seconds == sorted(seconds) and seconds[-1] > 0
    steps = load_file(folder / "checkpoint.safetensors")["steps"]
    assert [float(row["loss"]) for row in table] == steps.tolist()
    for picture in folder.glob("*.png"):
        Image.open(picture).load()
    assert here(arguments(), monkeypatch) == 0
    assert "holds 6 steps: nothing left to train" in capsys.readouterr().out


def test_without_a_path_it_trains_on_the_embedded_cats(arguments, tmp_path, monkeypatch) -> None:
    assert here(arguments(data_path=None, train_steps=2), monkeypatch) == 0
    assert len(rows(tmp_path / "results")) == 2


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_as_if_nothing_had_been(arguments, tmp_path, monkeypatch) -> None:
    """Killed dead five times, wherever it is; then to the end, and nothing half-written is left."""
    monkeypatch.setattr("fixmelab.commands.fid.STEPS", 5)
    long = {"train_steps": 35, "save_and_sample_every": 5, "fid": "", "time_steps": 3}
    assert finished(forked(arguments(**long, save_folder=tmp_path / "whole"))) == 0
    moments, kills = random.Random(5), 0
    log = tmp_path / "results" / "log.csv"
    for _ in range(5):
        process = forked(arguments(**long))
        before = log.stat().st_mtime_ns if log.exists() else 0
        while process.is_alive() and (not log.exists() or log.stat().st_mtime_ns == before):
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.4))
        process.kill()
        kills += finished(process) == -signal.SIGKILL
    assert finished(forked(arguments(**long))) == 0
    assert kills >= 3
    assert same(tmp_path / "results", tmp_path / "whole")


@pytest.mark.slow
def test_ctrl_c_says_what_is_kept(arguments, tmp_path) -> None:
    # A shell ignores Ctrl-C for what it runs in the background, and so would its children.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = start(arguments(train_steps=100_000, save_and_sample_every=5), preexec_fn=heed)
    log = tmp_path / "results" / "log.csv"
    while process.poll() is None and not log.exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted at step" in out and "the same command goes on there" in out and "Traceback" not in err


@pytest.mark.slow
def test_a_longer_run_goes_on_from_a_shorter(arguments, tmp_path, monkeypatch) -> None:
    assert here(arguments(train_steps=4), monkeypatch) == 0
    assert here(arguments(train_steps=9), monkeypatch) == 0
    assert here(arguments(train_steps=9, save_folder=tmp_path / "whole"), monkeypatch) == 0
    (tmp_path / "results" / "samples-000004.png").unlink()  # where the shorter one ended
    assert same(tmp_path / "results", tmp_path / "whole")


@pytest.mark.slow
def test_load_path_starts_from_a_named_checkpoint(arguments, tmp_path, monkeypatch, capsys) -> None:
    named = tmp_path / "results" / "checkpoint.safetensors"
    assert here(arguments(train_steps=3), monkeypatch) == 0
    other = {"save_folder": tmp_path / "other", "load_path": named}
    assert here(arguments(train_steps=6, **other), monkeypatch) == 0
    assert f"{named} holds 3 steps: resumed there, up to 6" in capsys.readouterr().out.replace("\n", "")
    table = rows(tmp_path / "other")
    assert len(table) == 6 and [row["seconds"] == "" for row in table] == [True] * 3 + [False] * 3
    assert here(arguments(train_steps=8, **other), monkeypatch) == 0
    assert "other/checkpoint.safetensors holds 6 steps" in capsys.readouterr().out.replace("\n", "")
    assert here(arguments(train_steps=8), monkeypatch) == 0
    ours, theirs = (load_file(tmp_path / name / "checkpoint.safetensors") for name in ("results", "other"))
    assert ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
    alone = arguments(train_steps=3, learning_rate=1e-2, save_folder=tmp_path / "alone")
    assert here(alone, monkeypatch) == 0
    capsys.readouterr()
    unrelated = arguments(learning_rate=1e-2, save_folder=tmp_path / "alone", load_path=named)
    assert here(unrelated, monkeypatch) == 1
    assert "does not go on from" in error_line(capsys)


def test_a_lost_log_is_made_anew(arguments, tmp_path, monkeypatch) -> None:
    assert here(arguments(train_steps=3), monkeypatch) == 0
    (tmp_path / "results" / "log.csv").write_text("step,loss\n1,nonsense\nx,\n\0,")
    assert here(arguments(train_steps=6), monkeypatch) == 0
    assert [row["step"] for row in rows(tmp_path / "results")] == ["1", "2", "3", "4", "5", "6"]


def test_rows_beyond_the_checkpoint_are_cut_off_and_seconds_go_on(tmp_path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss,seconds,learning_rate,fid\n1,3.0,10.5,0.1,\n2,2.5,20.5,0.1,7.25\n3,2.0,30.5,0.1,\n")
    log = Log(path, [3.0, 2.5], 0.1, "fid")
    log.add(1.5)
    log.write()
    table = rows(tmp_path)
    assert [row["loss"] for row in table] == ["3.0", "2.5", "1.5"]
    assert [row["fid"] for row in table] == ["", "7.25", ""]
    assert 20.5 <= float(table[2]["seconds"]) < 25
    assert Log(path, [3.0, 2.5], 0.1, "fid_small_network").fids == {}  # of other features: no number to compare


def test_checkpoints_are_written_between_saves_as_well(arguments, tmp_path, monkeypatch) -> None:
    written = []
    monkeypatch.setattr(train_diffusion, "BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr(train_diffusion, "SLICE", 2)
    write = train_diffusion.checkpoints.write
    monkeypatch.setattr(
        train_diffusion.checkpoints, "write", lambda kept, path: (written.append(len(kept.steps)), write(kept, path))
    )
    monkeypatch.setattr(train_diffusion._Training, "_was_saved", lambda self, seconds: None)
    assert here(arguments(train_steps=10, save_and_sample_every=5), monkeypatch) == 0
    assert written == [2, 4, 5, 7, 9, 10]


def without_method(name: str) -> str:
    return small.DIFFUSION.replace(f"def {name}(", f"def not_{name}(")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"from": "nowhere.ipynb"}, "nowhere.ipynb cannot be read: No such file"),
        ({"image_size": 0}, "--image_size is 0: give a whole number of at least 1"),
        ({"image_size": 12}, "--image_size 12: "),
        ({"batch_size": -1}, "--batch_size is -1"),
        ({"train_steps": 0}, "--train_steps is 0"),
        ({"time_steps": 0}, "--time_steps is 0"),
        ({"unet_dim": 0}, "--unet_dim is 0"),
        ({"save_and_sample_every": 0}, "--save_and_sample_every is 0"),
        ({"learning_rate": "nan"}, "--learning_rate is nan"),
        ({"learning_rate": -1}, "--learning_rate is -1.0"),
        ({"load_path": "nowhere.safetensors"}, "--load_path nowhere.safetensors: there is no such file"),
        ({"visualize": ""}, "--visualize needs a trained model: name its checkpoint with --load_path"),
        ({"data_path": "nowhere"}, "nowhere"),
        ({"data_class": "wild"}, "wild"),
        ({"save_folder": "/dev/null/results"}, "--save_folder /dev/null/results cannot be written: Not a directory"),
        ({"learning_rate": 1e30}, "the loss is "),
    ],
)
def test_what_is_wrong_is_one_line(arguments, monkeypatch, capsys, changes, why) -> None:
    assert here(arguments(**changes), monkeypatch) == 1
    assert why in error_line(capsys)


@pytest.mark.parametrize(
    ("diffusion", "why"),
    [
        (small.DIFFUSION.replace("** TWO", "** THREE"), "cell 8, line 18, in p_losses (return ((self.model("),
        (small.DIFFUSION.replace(".mean()", ""), "the loss has shape (4, 3, 8, 8) at step 1: it must be one number"),
        (small.DIFFUSION.replace("timesteps=1000)", "steps=1000)"), "TypeError"),
        (small.DIFFUSION.replace("class Diffusion(nn.Module)", "class Diffusion"), "AttributeError"),
        (small.DIFFUSION.replace("self.model, self.image_size", "self.net, self.image_size"), "self.model"),
        (without_method("sample"), "sample"),
        (
            small.DIFFUSION.replace("return (self.p_sample_loop", "return 1, (self.p_sample_loop"),
            "sample(25) gives tuple",
        ),
        (
            small.DIFFUSION.replace("return self.p_losses", "raise NotImplementedError('FIXME: forward')"),
            "FIXME: forward",
        ),
    ],
    ids=["name", "mean", "argument", "module", "model", "missing", "tuple", "fixme"],
)
def test_what_is_wrong_with_the_class_is_one_line(arguments, tmp_path, monkeypatch, capsys, diffusion, why) -> None:
    path = small.write_notebook(tmp_path / "wrong.ipynb", small.cells(diffusion))
    assert here(arguments(**{"from": path}), monkeypatch) == 1
    assert why in error_line(capsys)


@pytest.mark.parametrize("damage", ["empty", "corrupt", "no pictures"])
def test_damaged_data_is_one_line(arguments, tmp_path, monkeypatch, capsys, damage) -> None:
    folder = tmp_path / "data"
    (folder / "cat").mkdir(parents=True)
    if damage == "corrupt":
        whole = next(small.write_pictures(tmp_path / "whole").rglob("*.png")).read_bytes()
        (folder / "cat" / "broken.png").write_bytes(whole[: len(whole) // 2])
    if damage == "no pictures":
        (folder / "cat" / "notes.txt").write_text("nothing to see")
    assert here(arguments(data_path=folder), monkeypatch) == 1
    line = error_line(capsys)
    assert str(folder) in line and ("broken.png" in line) == (damage == "corrupt")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"image_size": 16}, "image_size 8, not 16"),
        ({"unet_dim": 5}, "unet_dim 4, not 5"),
        ({"time_steps": 6}, "time_steps 5, not 6"),
        ({"batch_size": 5}, "batch size 4, not 5"),
        ({"learning_rate": 0.1}, "learning rate 0.001, not 0.1"),
        ({"data_class": "dog"}, "data train/cat, not train/dog"),
    ],
)
def test_a_checkpoint_of_something_else_is_one_line(arguments, tmp_path, monkeypatch, capsys, changes, why) -> None:
    assert here(arguments(train_steps=1), monkeypatch) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "results").iterdir()}
    capsys.readouterr()
    assert here(arguments(**changes), monkeypatch) == 1
    line = error_line(capsys)
    assert why in line and "name another --save_folder, or delete" in line
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "results").iterdir()}
    elsewhere = {"save_folder": tmp_path / "other", "load_path": tmp_path / "results" / "checkpoint.safetensors"}
    assert here(arguments(**elsewhere, **changes), monkeypatch) == 1
    line = error_line(capsys)
    assert why in line and "name another checkpoint" in line


def test_a_changed_class_is_told(arguments, tmp_path, monkeypatch, capsys) -> None:
    assert here(arguments(train_steps=1), monkeypatch) == 0
    capsys.readouterr()
    changed = small.write_notebook(tmp_path / "changed.ipynb", small.cells(small.DIFFUSION.replace("** TWO", "** 4")))
    assert here(arguments(**{"from": changed}), monkeypatch) == 1
    assert "another loss, other images or other code of the model" in error_line(capsys)


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None], ids=["empty", "text", "cut"])
def test_a_damaged_checkpoint_is_one_line(arguments, tmp_path, monkeypatch, capsys, damage) -> None:
    path = tmp_path / "results" / "checkpoint.safetensors"
    assert here(arguments(train_steps=1), monkeypatch) == 0
    path.write_bytes(path.read_bytes()[:-9] if damage is None else damage)
    capsys.readouterr()
    assert here(arguments(), monkeypatch) == 1
    assert f"{path} is damaged or no checkpoint: delete it" in error_line(capsys)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [2_000, 40_000])
def test_no_space_left_is_one_line_and_leaves_what_was_whole(arguments, tmp_path, monkeypatch, limit) -> None:
    """A limit on the size of a file stands in for a full disk: the trial file, or the checkpoint, does not fit."""
    folder = tmp_path / "results"
    assert here(arguments(train_steps=3), monkeypatch) == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code, err = confined(arguments(), limit)
    assert code == 1
    (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "cannot be written" in line and "Traceback" not in err
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert after.pop("log.csv") and before.pop("log.csv") and after == before
    assert here(arguments(), monkeypatch) == 0
    assert len(rows(folder)) == 6


def test_visualize_draws_what_a_trained_model_does(arguments, tmp_path, monkeypatch, capsys) -> None:
    assert here(arguments(), monkeypatch) == 0
    trained = tmp_path / "results" / "checkpoint.safetensors"
    before = trained.read_bytes()
    drawn = tmp_path / "drawn"
    assert here(arguments(visualize="", load_path=trained, save_folder=drawn), monkeypatch) == 0
    assert {path.name for path in drawn.iterdir()} == {"samples.png", "forward.png", "backward.png"}
    for path in drawn.iterdir():
        Image.open(path).load()
    assert trained.read_bytes() == before
    capsys.readouterr()
    assert here(arguments(visualize="true", load_path=trained, image_size=16), monkeypatch) == 1
    assert "image_size 8, not 16: give the flags that it was trained with" in error_line(capsys)
    unfinished = small.write_notebook(tmp_path / "unfinished.ipynb", small.cells()[:-1])
    assert here(arguments(visualize="", load_path=trained, **{"from": unfinished}), monkeypatch) == 1
    assert "defines no plot_forward" in error_line(capsys)


@pytest.mark.slow
def test_the_way_back_starts_from_the_last_state_as_it_is(arguments, tmp_path, monkeypatch) -> None:
    watched = small.STRIPS.replace("return fixmelab", "diffusion.seen = states[-1]; return fixmelab", 1).replace(
        "def plot_backward(diffusion, x):",
        "def plot_backward(diffusion, x):\n    assert torch.equal(x, diffusion.seen) and x.min() < 0",
    )
    path = small.write_notebook(tmp_path / "watched.ipynb", [*small.cells()[:-1], small.code(watched)])
    assert here(arguments(**{"from": path}), monkeypatch) == 0
    trained = tmp_path / "results" / "checkpoint.safetensors"
    assert here(arguments(visualize="", load_path=trained, **{"from": path}), monkeypatch) == 0


@pytest.mark.slow
def test_fid_is_measured_at_each_save(arguments, tmp_path, monkeypatch) -> None:
    pytest.importorskip("torchmetrics")
    monkeypatch.setattr("fixmelab.commands.fid.STEPS", 5)
    monkeypatch.setattr(train_diffusion.Fid, "__call__", watch := Watch(train_diffusion.Fid.__call__))
    assert here(arguments(fid=""), monkeypatch) == 0
    folder = tmp_path / "results"
    values = [row["fid_small_network"] for row in rows(folder)]
    assert [value != "" for value in values] == [False, False, True] * 2
    assert all(float(value) > 0 for value in values if value) and len(watch.values) == 2
    Image.open(folder / "fid.png").load()
    assert here(arguments(fid="true", train_steps=9), monkeypatch) == 0
    assert [row["fid_small_network"] for row in rows(folder)][:6] == values and len(watch.values) == 3


class Watch:
    """A method that remembers what it gave."""

    def __init__(self, method) -> None:
        self.method, self.values = method, []

    def __get__(self, instance, owner):
        def call(*arguments):
            self.values.append(self.method(instance, *arguments))
            return self.values[-1]

        return call


def test_fid_without_torchmetrics_is_one_line(arguments, monkeypatch, capsys) -> None:
    monkeypatch.setattr("fixmelab.commands.fid.STEPS", 1)
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    monkeypatch.setitem(sys.modules, "torchmetrics.image.fid", None)
    assert here(arguments(fid=""), monkeypatch) == 1
    assert "pip install 'fixmelab[fid]'" in error_line(capsys)


@pytest.mark.skipif(importlib.util.find_spec("wandb") is not None, reason="wandb is installed")
def test_wandb_that_is_missing_is_one_line(arguments, monkeypatch, capsys) -> None:
    assert here(arguments(wandb=""), monkeypatch) == 1
    assert "--wandb needs wandb" in (line := error_line(capsys)) and "pip install 'fixmelab[wandb]'" in line


@pytest.mark.slow
def test_wandb_logs_offline_and_goes_on_under_the_same_id(arguments, tmp_path, monkeypatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    for steps in (3, 6):
        code, _, err = fixmelab(arguments(wandb="", train_steps=steps))
        assert code == 0, err
    folder = tmp_path / "results"
    runs = sorted((folder / "wandb").glob("offline-run-*"))
    assert len(runs) == 2 and all(list(run.glob("run-*.wandb")) for run in runs)
    assert len({run.name.rsplit("-", 1)[1] for run in runs}) == 1 == len({json.dumps(rows(folder)[0])})


@pytest.mark.slow
def test_the_command_is_installed() -> None:
    command = Path(sys.executable).with_name("fixmelab")
    if not command.exists():
        pytest.skip("the package was installed before it had a command")
    done = subprocess.run([command, "train", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "diffusion" in done.stdout
