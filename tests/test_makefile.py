"""`make test` runs all there is, the long proofs among it, and ends with pytest's own summary."""

import os
import re
import subprocess

from tests.held import ROOT

KILLED_RUN = "tests/autograder/grading/test_killed_run.py"


def steps(target: str) -> list[str]:
    alone = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [line.removeprefix(".venv/bin/") for line in done.stdout.splitlines()]


def notebooks_read() -> list[str]:
    """Those whose surviving mutants have been read: the first column of docs/proof.md's table of mutants."""
    told = (
        (ROOT / "docs/proof.md").read_text(encoding="utf-8").partition("| notebook | mutants |")[2].partition("\n\n")[0]
    )
    return re.findall(r"^\| (\w+) \|", told, re.MULTILINE)


def test_all_mutants_of_the_notebooks_read_are_tried_at_night():
    assert notebooks_read()
    assert f"autograder prove --mutants {' '.join(notebooks_read())} --messages" in steps("nightly")


def test_a_proof_is_passed_over_only_by_what_it_held_before():
    held, read = "python tests/held.py", " ".join(notebooks_read())
    assert [line for line in steps("test") if line.startswith(held)] == [
        f"{held} seeds .venv/bin/autograder prove --seeds 50 --jobs 2",
        f"{held} mutants .venv/bin/autograder prove --mutants {read} --sample 250 --jobs 2",
        f"{held} attacks .venv/bin/autograder prove --attacks --jobs 3",
        f"{held} kills .venv/bin/python -m pytest -q {KILLED_RUN}",
    ]
    assert sum("autograder prove" in line for line in steps("test")) == 3


def test_every_test_is_run_once_and_the_summary_comes_last():
    alone, beside = [line.partition("-m pytest ")[2] for line in steps("test") if "-m pytest" in line]
    assert alone == f"-q {KILLED_RUN}"
    assert beside == f"--dist loadfile --no-loadscope-reorder -n 3 --ignore {KILLED_RUN} --durations 15"
    assert steps("test")[-1].endswith(beside)


def test_what_is_checked_is_tested_too():
    checked = steps("check")
    assert {"ruff check .", "ruff format --check .", "mypy", "autograder build --check"} <= set(checked)
    assert checked[-1].endswith('-m "not slow"')
    assert set(checked[:-1]) <= set(steps("test"))


def test_ci_runs_the_tests_and_no_more():
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == "exec make test"


def test_without_a_target_the_targets_are_told():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    told = [line.partition(":")[0] for line in done.stdout.splitlines() if line.startswith("make ")]
    named = ("demo", "check", "test", "nightly", "benchmark", "benchmark-attacks", "clean")
    assert told == [f"make {target}" for target in named]
