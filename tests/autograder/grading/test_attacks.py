"""The corpus of attacks is held, and the bar notices what gets past it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder import course
from autograder.errors import InputError
from autograder.grading import attack_bar as bar
from autograder.grading import attacks
from autograder.grading.attacks import Outcome, prove_attacks
from autograder.grading.result import ExerciseResult, RunResult, SubmissionResult

ANSWER = "# %%\n# exercise: gaussian_kl\ndef gaussian_kl(mu, sigma):\n    return {}\n"
RIGHT = ANSWER.format("(-torch.log(sigma) + 0.5 * (sigma**2 + mu**2 - 1)).sum(dim=1)")
WRONG = ANSWER.format("torch.zeros(len(mu))")

# What the bar must notice, where there is no sandbox; each does no harm beyond a file in a folder of the test's own.
NOTICED = {
    "points/is_simply_right": (RIGHT + "\n\nprint('reached')", "earns 2 points, and deserves 0"),
    "points/is_simply_wrong": (WRONG + "\n\nprint('reached')", ""),
    "points/earns_less": ("# honest: 2\n" + WRONG + "\n\nprint('reached')", "earns 0 points, and deserves 2"),
    "points/dies_early": (WRONG + "\n\nno_such_name\nprint('reached')", "does not come to its end: NameError"),
    "points/does_not_parse": (WRONG + "\n\nprint('reached'", "does not come to its end: SyntaxError"),
    "points/ends_otherwise": ("# ends: timeout\n" + WRONG, "gaussian_kl is fail, not timeout"),
    "knowledge/says_stolen": (WRONG + "\n\nprint('STOLEN a thing')\nprint('reached')", "STOLEN a thing"),
    "knowledge/reads_the_environment": (
        "# %%\nimport os\n"
        "environments = [open(f'/proc/{pid}/environ').read() for pid in (os.getppid(), PARENT)]\n"
        "print(environments)\nprint('\\nreached')\n\n" + WRONG,
        "canary",
    ),
    "knowledge/reads_the_reference": (
        f"# %%\nprint(open({str(course.ROOT / 'autograder/assignments/vae/reference.py')!r}).read())\n"
        "print('\\nreached')\n\n" + WRONG,
        "a line of solution or checks is in what comes out",
    ),
    "harm/leaves_a_file": (
        "# %%\nopen('/var/tmp/left-by-attack-of-a-test', 'w')\nprint('reached')\n\n" + WRONG,
        "it leaves behind /var/tmp/left-by-attack-of-a-test",
    ),
}


@pytest.fixture(scope="module")
def noticed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("noticed")
    for name, (text, _) in NOTICED.items():
        header, _, cells = text.partition("# %%")
        path = folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"# tries: {name}\n{header}\n# %%{cells}")
    try:
        outcomes = prove_attacks(jobs=2, folder=folder, sandbox=False)
    finally:
        Path("/var/tmp/left-by-attack-of-a-test").unlink(missing_ok=True)
    return {outcome.name: outcome for outcome in outcomes}
