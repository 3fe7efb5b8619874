"""A run that is killed again and again ends as one that was left alone."""

import random
import secrets
import subprocess
import sys
import time
from pathlib import Path

import killed_run
import nbformat
import pytest

from autograder.results.files import notebook_path

KILLS = 20
AT_THE_START = 3  # of them, while everything is still being set up


def start(root: Path, out: Path, *zygote: str) -> subprocess.Popen:
    command = [sys.executable, killed_run.__file__, str(root), str(out), str(root / f"{out.name}.log"), *zygote]
    return subprocess.Popen(command, stderr=(root / "errors").open("ab"))


def kept(out: Path) -> int:
    return len(list((out / ".results").glob("*.json")))


@pytest.mark.slow
def test_killed_at_20_random_moments_nothing_is_lost_or_graded_twice(tmp_path, zygote):
    killed_run.lay_out(tmp_path)
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    assert start(tmp_path, alone).wait() == 0, (tmp_path / "errors").read_text()

    seed = secrets.randbits(32)
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(1, killed_run.COUNT), KILLS - AT_THE_START))
    for moment in [0] * AT_THE_START + moments:
        # Starting a zygote takes longest: only those that are killed meanwhile do, and the last, which goes on.
        process = start(tmp_path, killed, *((zygote.socket, zygote.sessions) if moment else ()))
        if moment:
            while kept(killed) < moment and process.poll() is None:
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.1))
        else:
            time.sleep(chance.uniform(0, 4))
        process.kill()
        assert process.wait() == -9, f"seed {seed}: it had ended before: {(tmp_path / 'errors').read_text()}"
    before = kept(killed)
    assert start(tmp_path, killed).wait() == 0, (tmp_path / "errors").read_text()

    assert (killed / "results.json").read_bytes() == (alone / "results.json").read_bytes(), f"seed {seed}"
    graded = (tmp_path / "killed.log").read_text().split()
    assert len(graded) == len(set(graded)), f"seed {seed}: graded twice"
    # One for each worker may have been kept and not yet been told of when the kill came.
    assert moments[-1] <= before and killed_run.COUNT - KILLS <= len(graded) <= killed_run.COUNT
    for student in (path.stem for path in (tmp_path / "submitted").iterdir()):
        one, other = (nbformat.read(notebook_path(out, student), as_version=4) for out in (killed, alone))
        assert one == other, f"seed {seed}: {student}"
