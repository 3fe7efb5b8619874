"""Two mistakes in one notebook: they are put together, and the proof tells what a mistake costs others."""

import os
import subprocess
import sys

import pytest
import torch

from autograder import course
from autograder.assignments.diffusion import p_losses, p_sample_loop, reference
from autograder.authoring import pairs
from autograder.authoring.grafting import changes_of, grafted
from autograder.judge.again import Leaning


def test_a_mistake_of_a_class_is_grafted_on_another():
    mistake = p_sample_loop.runs_forward.answer
    assert changes_of(mistake) == {"indices", "p_sample_loop"}

    class Own(reference.Diffusion):
        def noise(self):
            return "its own"

    made = grafted(mistake, Own)
    assert made.noise is Own.noise and made.indices is mistake.indices


def test_super_of_a_method_that_is_grafted_is_what_it_is_grafted_on():
    class Own(reference.Diffusion):
        def p_losses(self, x_0, t, noise=None):
            return "its own"

    made = grafted(p_losses.sum_of_losses.answer, Own)
    one = made(torch.nn.Identity(), image_size=2, timesteps=3)
    assert one.p_losses(torch.zeros(2), None) == 2 * "its own"


def test_right_answers_keep_their_points_and_lose_them_if_nothing_is_lent(monkeypatch):
    source = course.read_source("foundations")
    shown = pairs.prove_pairs("foundations", source, sample=8, only=["tag_log_probability"])
    assert shown.problems == [] and shown.right >= shown.leaning > 0 and shown.wrong > 0
    monkeypatch.setattr(pairs.here, "_leans", lambda id: Leaning())
    shown = pairs.prove_pairs("foundations", source, sample=8, only=["tag_log_probability"])
    assert sum("the solution, with" in problem for problem in shown.problems) == shown.leaning > 0


@pytest.mark.slow
def test_threads_that_do_not_survive_a_fork_are_not_waited_for():
    """Else the command stands still for ever if the process has computed on several threads before."""
    code = (
        "import torch\nfrom autograder import course\nfrom autograder.authoring.pairs import prove_pairs\n"
        "torch.rand(2**22).sum()\nassert torch.get_num_threads() == 2\n"
        "source = course.read_source('foundations')\n"
        "shown = prove_pairs('foundations', source, sample=4, only=['tag_log_probability'])\n"
        "print(shown.right + shown.wrong, shown.problems)"
    )
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout == "4 []\n"
