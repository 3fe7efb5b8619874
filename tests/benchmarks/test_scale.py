"""The benchmark of large classes runs, here and on a cluster, and what it says on paper follows from its figures."""

import re
import subprocess
import sys

import pytest

from autograder import course


@pytest.fixture
def paper(imported):
    return imported("paper")


def made(paper, count: int, seconds: float, cpu: tuple[float, float], megabytes: float):
    memory = {"command": [50.0, megabytes], "kernel": [0.0, 30.0, 31.0, 32.0, 33.0, 0.0]}
    return paper.Run("one machine", count, 2, seconds, 3.0, cpu, memory)


def test_the_sum_on_paper_counts_what_a_larger_class_takes_and_not_the_start(paper):
    few, many = made(paper, 1_000, 300.0, (5.0, 4.0), 90.0), made(paper, 2_000, 600.0, (7.0, 5.0), 100.0)
    measured, sum_, limit = paper.on_paper([few, many], load=0.5)
    assert "takes 0.60 seconds of a core" in measured and "2.0 ms until it is kept and 1.0 ms at the end" in measured
    # 100,000 × 0.6 s / 64 is 15.6 minutes, 100,000 × 1 ms is 1.7, and 100,000 × 10 kB is 1 GB.
    assert "take 16 minutes, and the end 2 more" in sum_ and "has 1.0 GB then" in sum_
    assert "beyond 300 cores" in limit
    slow_keeping = made(paper, 2_000, 600.0, (45.0, 5.0), 100.0)
    assert "take 67 minutes" in list(paper.on_paper([few, slow_keeping], load=0.5))[1]


def test_a_small_run_is_called_one(paper):
    small = [made(paper, 10, 30.0, (1.0, 1.0), 80.0), made(paper, 40, 90.0, (2.0, 2.0), 82.0)]
    assert list(paper.on_paper(small, load=9.0))[-1].startswith("from a small run: 40 submissions, with a load of 9.0 ")
    assert list(paper.on_paper(small[:1], load=9.0)) == [
        "on paper: nothing follows from one size; give --most 11 or more"
    ]


def test_growth_is_seen_between_the_first_third_and_the_last(paper):
    run = made(paper, 10, 30.0, (1.0, 1.0), 80.0)
    assert run.grown("kernel") == (30.0, 33.0) and run.grown("zygote") == (0.0, 0.0)


@pytest.mark.slow
def test_a_handful_is_graded_here_and_on_a_cluster_with_the_same_results():
    command = [sys.executable, str(course.ROOT / "benchmarks" / "scale.py"), "--most", "3", "--samples", "untouched"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    rows = re.findall(r"^│ +3 │ (one machine|Dask) +│ +([\d.]+) │ +([\d.]+) s │", done.stdout, re.MULTILINE)
    assert [row[0] for row in rows] == ["one machine", "Dask"] and all(float(row[1]) > 0 for row in rows)
    assert all(0 < float(first) <= 1.5 * 3 / float(rate) for _, rate, first in rows)
