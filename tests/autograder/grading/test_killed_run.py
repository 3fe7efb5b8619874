"""A run that is killed again and again ends as one that was left alone."""

import multiprocessing
import random
import secrets
import subprocess
import sys
import time
from pathlib import Path

import killed_run
import nbformat
import pytest

from autograder.grading import grade, regrade  # noqa: F401  (with all that the forks need)
from autograder.results.files import notebook_path
from autograder.sandbox.zygote import Address

KILLS = 20
AT_THE_START = 3  # of them, while everything is still being set up


def start(root: Path, out: Path) -> subprocess.Popen:
    command = [sys.executable, killed_run.__file__, str(root), str(out), str(log_of(out))]
    return subprocess.Popen(command, stderr=(root / "errors").open("ab"))


def log_of(out: Path) -> Path:
    return out.with_suffix(".log")


def kept(out: Path) -> int:
    return len(list((out / ".results").glob("*.json")))


def kill(process: subprocess.Popen | multiprocessing.Process) -> int:
    """The code with which it ends."""
    process.kill()
    if isinstance(process, subprocess.Popen):
        return process.wait()
    process.join()
    return process.exitcode


def killed_after(root: Path, out: Path, moment: int, seconds: float, zygote: Address) -> int:
    """A run that is killed some time after it has kept so many results, or when all is still being set up."""
    if not moment:
        process = start(root, out)
    else:
        # To start takes longest: only those that are killed meanwhile do, and the last, which goes on.
        process = killed_run.forked(root, out, log_of(out), zygote)
        while kept(out) < moment and process.is_alive():
            time.sleep(0.002)
    time.sleep(seconds)
    return kill(process)


@pytest.mark.slow
def test_killed_at_20_random_moments_nothing_is_lost_or_graded_twice(tmp_path, zygote):
    killed_run.lay_out(tmp_path)
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    assert start(tmp_path, alone).wait() == 0, (tmp_path / "errors").read_text()

    seed = secrets.randbits(32)
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(1, killed_run.COUNT), KILLS - AT_THE_START))
    for moment in [0] * AT_THE_START + moments:
        code = killed_after(tmp_path, killed, moment, chance.uniform(0, 0.1 if moment else 4), zygote)
        assert code == -9, f"seed {seed}: it had ended before: {(tmp_path / 'errors').read_text()}"
    before = kept(killed)
    assert start(tmp_path, killed).wait() == 0, (tmp_path / "errors").read_text()

    assert (killed / "results.json").read_bytes() == (alone / "results.json").read_bytes(), f"seed {seed}"
    graded = log_of(killed).read_text().split()
    assert len(graded) == len(set(graded)), f"seed {seed}: graded twice"
    # One for each worker may have been kept and not yet been told of when the kill came.
    assert moments[-1] <= before and killed_run.COUNT - KILLS <= len(graded) <= killed_run.COUNT
    for student in (path.stem for path in (tmp_path / "submitted").iterdir()):
        one, other = (nbformat.read(notebook_path(out, student), as_version=4) for out in (killed, alone))
        assert one == other, f"seed {seed}: {student}"
