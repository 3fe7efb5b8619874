"""What the command line has imported when the crew starts, and what it never imports: the crew does."""

import os
import subprocess
import sys

import pytest

from autograder import course

SLOW = ("IPython", "jinja2", "jsonschema", "nbformat", "numpy", "torch")
REPORTING = ("jinja2", "numpy", "autograder.reports.html", "autograder.reports.report")
SUBMISSION = course.ROOT / "tests" / "submissions" / "vae" / "untouched"

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

AT_THE_END = f"""
import contextlib
import os
import sys
from autograder.commands.app import main

sys.argv = ["autograder", "grade", "vae", {str(SUBMISSION)!r}, "--out", "out"]
with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
    with contextlib.suppress(SystemExit):
        main()
print(os.path.exists("out/report.html"), "torch" in sys.modules)
"""

IN_BETWEEN = f"""
import contextlib
import os
import sys
import threading
from autograder.commands.app import main
from autograder.grading.workers import Crew
from autograder.sandbox.zygote import Zygote

began = threading.Event()
seen = []

def wait(zygote, real=Zygote.wait):
    began.set()
    real(zygote)
    seen.append([name for name in {REPORTING} if name in sys.modules])

def outcomes(crew, *given, real=Crew.outcomes):
    assert began.wait(60)
    yield from real(crew, *given)
    seen.append("graded")

Zygote.wait, Crew.outcomes = wait, outcomes
sys.argv = ["autograder", "grade", "vae", {str(SUBMISSION)!r}, "--out", "out"]
with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
    with contextlib.suppress(SystemExit):
        main()
print(os.path.exists("out/report.html"), *seen)
"""

SERVING = """
import sys
import autograder.serve.server

print("torch" in sys.modules)
"""


def _said(program: str, **settings) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, **settings)
    assert not done.stderr, done.stderr
    return done.stdout.strip()


def test_the_crew_starts_before_anything_slow_is_imported():
    assert _said(AT_THE_START) == ""


@pytest.mark.slow
def test_torch_is_imported_in_the_crew_alone(tmp_path):
    (tmp_path / "course.key").write_bytes(bytes(32))
    environment = os.environ | {"FIXMELAB_KEY_FILE": str(tmp_path / "course.key")}
    assert _said(AT_THE_END, cwd=tmp_path, env=environment) == "True False"


@pytest.mark.slow
def test_the_report_is_prepared_when_the_crew_has_started_and_before_the_first_result(tmp_path):
    (tmp_path / "course.key").write_bytes(bytes(32))
    environment = os.environ | {"FIXMELAB_KEY_FILE": str(tmp_path / "course.key")}
    assert _said(IN_BETWEEN, cwd=tmp_path, env=environment) == "True [] graded"


def test_what_serves_imports_no_torch():
    assert _said(SERVING) == "False"
