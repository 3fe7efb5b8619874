"""What the command line has imported when the crew starts, and what it never imports: the crew does."""

import subprocess
import sys

SLOW = ("IPython", "jinja2", "jsonschema", "nbformat", "numpy", "torch")

AT_THE_START = f"""
import sys
from autograder.commands.app import main
from autograder.grading.workers import Crew

def begin(crew):
    print(*(name for name in {SLOW} if name in sys.modules))
    raise SystemExit

Crew.__enter__ = begin
sys.argv = ["autograder", "grade", "vae", "source/vae/vae.ipynb", "--out", "never written"]
main()
"""

ALL = """
import sys
import autograder.commands.app
from autograder.commands.grade import _prepare_report
from autograder.grading import answered, digest, key, run, shares, store, submissions
from autograder.points import adjusting, rules
from autograder.results import comparing, reading, writing

_prepare_report()
print("autograder.reports.report" in sys.modules, "torch" in sys.modules)
"""


def _said(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert not done.stderr, done.stderr
    return done.stdout.strip()


def test_the_crew_starts_before_anything_slow_is_imported():
    assert _said(AT_THE_START) == ""


def test_torch_is_imported_in_the_crew_alone():
    assert _said(ALL) == "True False"
