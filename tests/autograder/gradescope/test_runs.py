"""The archive in Gradescope's layout, with bubblewrap and without namespaces: always a valid results.json."""

import contextlib
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest
from conftest import USER, alone
from gradescope_form import Results

from autograder import cells, course
from autograder.attacks.corpus import attacks, notebook_of
from tests.marked import alone_with_marks

pytestmark = pytest.mark.slow

SAMPLES = course.ROOT / "tests" / "submissions" / "vae"
TIGHT = ["cell=3", "notebook=40", "idle=5", "wall=120", "memory=400M", "processes=64", "files=500", "output=200000"]
HOSTILE = (
    "points/deletes_asserts_by_ast_transformer",
    "points/writes_a_results_file",
    "wire/takes_over_the_line_of_the_kernel",
    "knowledge/searches_the_file_system",
    "output/script_in_messages_to_the_student",
    "harm/becomes_another_user",
    "harm/fork_bomb",
    "harm/kills_everybody_else",
    "harm/leaves_daemons_behind",
    "harm/memory_bomb_over_many_processes",
    "harm/stops_everybody_else",
    "harm/takes_the_judges_socket_away",
)


def sample(name: str) -> tuple[str, bytes]:
    return "vae.ipynb", (SAMPLES / name / "vae" / "vae.ipynb").read_bytes()


@pytest.fixture
def tight(container):
    """Limits as low as those under which attacks are tried."""
    path = container.root / "source" / "settings.json"
    before = path.read_text()
    path.write_text(json.dumps(json.loads(before) | {"limits": TIGHT}))
    yield
    path.write_text(before)


MISTAKES = {"grad_mu_sigma", "plot_latents", "aggregate_moments"}


@pytest.mark.parametrize(
    ("walls", "how", "name", "lost"),
    [
        # With namespaces it is graded as by `autograder grade`, where all samples are.
        ("namespaces", "container", "three_mistakes", MISTAKES),
        ("user", "without_namespaces", "perfect", set()),
        ("user", "warm", "three_mistakes", MISTAKES),
        ("user", "warm", "cheat_forges_a_verdict", None),
    ],
)
def test_samples_get_what_they_deserve(request, walls, how, name, lost):
    container = request.getfixturevalue(how)
    results = container.run(sample(name))
    assert results.extra_data["walls"] == walls, container.said
    everything = {test.name for test in results.tests}
    right = {test.name for test in results.tests if test.status == "passed"}
    assert len(everything) == 19
    assert everything - right == (everything if lost is None else lost)
    assert results.score == sum(test.max_score for test in results.tests if test.name in right)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), "there is no notebook (.ipynb) in this submission"),
        ((("a.ipynb", "{}"), sample("perfect")), "a.ipynb"),
        ((sample("perfect"), ("again.ipynb", sample("perfect")[1])), "there are 2 notebooks"),
        ((("vae.ipynb", sample("perfect")[1][:5000]),), "vae.ipynb"),
        ((("vae.ipynb", b"\x00\xff" * 1000),), "vae.ipynb"),
        ((("vae.ipynb", json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})),), "vae"),
    ],
    ids=["none", "one_broken", "two", "cut_off", "noise", "another"],
)
def test_what_cannot_be_graded_is_said_to_the_student(warm, files, said):
    results = warm.run(*files)
    assert results.score == 0.0 and said in results.output
    assert str(warm.root) not in results.output
    assert [(test.status, test.visibility) for test in results.tests] == [("failed", "visible")]
    assert results.tests[0].max_score == sum(map(cells.points, filter(cells.is_tests, course.read_source("vae").cells)))


@pytest.mark.parametrize("name", HOSTILE)
def test_attacks_earn_nothing_and_leave_nothing(warm, tight, name):
    """With namespaces, `autograder prove --attacks` tries them all."""
    (attack,) = [item for item in attacks() if item.name == name]
    with alone_with_marks():
        results = warm.run(("vae.ipynb", nbformat.writes(notebook_of(attack.text))))
    assert results.score <= attack.honest
    assert len(results.model_dump_json()) < 100_000
    assert results.extra_data.get("walls") == "user", warm.said
    if attack.ends:
        (test,) = [test for test in results.tests if test.name == attack.on]
        assert len(test.tags) == 1 and test.tags[0] in attack.ends


# What a student's code sees; it says so in the exception with which an answer ends, its only way out.
LOOK = """
import ctypes, importlib, json, os, socket
def can(action):
    try:
        action()
        return True
    except Exception:
        return False
def read(path):
    return open(path).read()
root, place = {root!r}, {place!r}
status = dict(line.split(":", 1) for line in read("/proc/self/status").splitlines())
parents = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
zygote = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.getcwd()))))
seen = {{
    "user": [os.getresuid(), os.getresgid(), os.getgroups()],
    "powers": [status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp")],
    "entered": [path for path in ("", "/source", "/submission", "/results", "/source/course/autograder")
                if can(lambda: os.listdir(root + path)) or can(lambda: os.chdir(root + path))],
    "read": [path for path in ("/source/course/course.key", "/source/course/source/vae/vae.ipynb",
             "/submission_metadata.json", "/results/results.json", "/source/settings.json")
             if can(lambda: read(root + path))],
    "written": [path for path in (root + "/results/results.json", root + "/x", place + "/user", importlib.__file__)
                if can(lambda: open(path, "a").close())],
    "imported": can(lambda: importlib.import_module("autograder")),
    "inet": can(lambda: socket.socket(socket.AF_INET)), "inet6": can(lambda: socket.socket(socket.AF_INET6)),
    "zygote": [path for path in ("zygote", "log", "lock", "sessions")
               if can(lambda: socket.socket(socket.AF_UNIX).connect(zygote + "/" + path))
               or can(lambda: os.listdir(zygote + "/" + path)) or can(lambda: read(zygote + "/" + path))],
    "signalled": [pid for pid in parents if can(lambda: os.kill(pid, 0))],
    "looked_into": [pid for pid in parents
                    if can(lambda: read(f"/proc/{{pid}}/environ")) or can(lambda: os.listdir(f"/proc/{{pid}}/fd"))
                    or can(lambda: open(f"/proc/{{pid}}/mem", "rb").close())],
    "unshare": ctypes.CDLL(None).unshare(0x10000000), "there": can(lambda: importlib.import_module("fixmelab.probe")),
    "variables": sorted(name for name in os.environ if "AUTOGRADER" in name or "KEY" in name or "PLACE" in name),
    "library": can(lambda: importlib.import_module("wave")), "home": can(lambda: open("own", "w").close()),
}}
"""
EXPECTED = {
    "user": [[USER] * 3, [USER] * 3, []],
    "powers": ["0" * 16] * 4 + ["1", "2"],
    **dict.fromkeys(("entered", "read", "written", "zygote", "signalled", "looked_into", "variables"), []),
    **dict.fromkeys(("imported", "inet", "inet6"), False),
    **dict.fromkeys(("there", "library", "home"), True),
    "unshare": -1,
}


def test_without_namespaces_the_students_code_reaches_nothing(warm, release):
    found = {}
    # A message is short: one thing is told at a time.
    for names in (list(EXPECTED)[:8], list(EXPECTED)[8:]):
        told = "{name: seen[name] for name in " + repr(names) + "}"
        code = LOOK.format(root=str(warm.root), place=str(warm.place))
        results = warm.run(telling(release, code, told))
        found |= told_by(results)
    assert found == EXPECTED


def telling(release, code: str, told: str) -> tuple[str, str]:
    """A notebook whose first answer runs `code` and raises what `told` then is, as JSON."""
    notebook = nbformat.from_dict(json.loads(json.dumps(release)))
    cell = next(cell for cell in notebook.cells if cells.is_fixme(cell))
    name = cells.anchors(cell)[0]
    cell.source = f"# exercise: {name}\n{code}\ndef {name}(*_, **__):\n    raise ValueError(json.dumps({told}))"
    return "vae.ipynb", nbformat.writes(notebook)


def told_by(results: Results) -> dict:
    said = results.tests[0].output
    found = re.search(r"ValueError: (\{.*\})", said)
    assert found, said
    return json.loads(found[1])


@pytest.fixture
def tmp_path_open() -> Iterator[Path]:
    """A folder in /tmp that all may enter, with one in it that all may write to."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        (Path(folder) / "theirs").mkdir()
        (Path(folder) / "theirs").chmod(0o777)
        yield Path(folder)


def test_nothing_of_a_users_lies_about_after_grading(warm, release, tmp_path_open):
    mark = f"left-{time.time_ns()}"
    # One lies in folders of the user's own, which are closed to all, in one of others that may be entered.
    places = ("/tmp", "/var/tmp", "/dev/shm", str(tmp_path_open / "theirs"))
    code = f"import json, os\nfor place in {places}:\n    os.makedirs(place + '/{mark}/inside', 0o700)\n"
    code += f"    open(place + '/{mark}/inside/file', 'w').close()"
    results = warm.run(telling(release, code, f"[os.path.exists('/tmp/{mark}/inside/file')] and {{'wrote': True}}"))
    assert told_by(results) == {"wrote": True}
    assert not [place for place in places if (Path(place) / mark).exists()]


def test_where_another_user_can_reach_the_course_nothing_is_graded(without_namespaces):
    """Fail closed: here because the folders are open and stay so."""
    run = without_namespaces.root / "source" / "course" / "autograder" / "gradescope" / "run.py"
    before = run.read_text()
    run.write_text(
        before.replace("    _shut(layout)\n", "    os.chmod(layout.source, 0o755), os.chmod(layout.root, 0o755)\n")
    )
    try:
        results = without_namespaces.run(sample("perfect"))
    finally:
        run.write_text(before)
        (without_namespaces.root / "source").chmod(0o700)
    assert results.score == 0.0 and "did not come to its end" in results.output
    assert f"user {USER}" in without_namespaces.said and "can reach" in without_namespaces.said


@pytest.mark.parametrize("victim", ["container", "run"])
def test_a_killed_grader_leaves_valid_results(without_namespaces, with_cell, victim):
    container = without_namespaces
    container.submit(with_cell("import time\nfor _ in range(50): time.sleep(1)"))
    command = alone([str(container.root / "run_autograder")])
    with subprocess.Popen(command, env=container.environment, stdin=subprocess.DEVNULL) as running:
        started = psutil.Process(running.pid)
        deadline = time.monotonic() + 120
        while not any(_user(item) == USER for item in started.children(recursive=True)):
            assert time.monotonic() < deadline and running.poll() is None
            time.sleep(0.1)
        module = f"autograder.gradescope.{victim}"
        # Parents come first: what they fork bears their name until it runs something else.
        grader = next(item for item in started.children(recursive=True) if module in _command(item))
        grader.kill()
    results = container.results()
    assert results.score == 0.0 and "did not come to its end" in results.output


def _user(process: psutil.Process) -> int | None:
    with contextlib.suppress(psutil.Error):  # it has ended
        return process.uids().real
    return None


def _command(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


def test_a_grader_that_takes_too_long_is_ended(without_namespaces, with_cell):
    container = without_namespaces
    container.submit(with_cell("import time\nfor _ in range(50): time.sleep(1)"))
    begin = "import sys; from autograder.gradescope import run; run.LAST_SECONDS = 590; run.main(*sys.argv[1:])"
    command = [str(container.python), "-B", "-c", begin, str(container.root), str(container.place)]
    done = subprocess.run(
        alone(command),
        cwd=container.root / "source" / "course",
        env=container.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "ended after 10 s" in done.stdout
    results = container.results()
    assert results.score == 0.0 and "ran out of time" in results.output


def test_setting_up_again_changes_nothing(container):
    done = container.set_up()
    assert done.returncode == 0, done.stderr
    assert (container.place / "user").read_text() == f"{USER}\n"


def test_a_python_that_students_cannot_run_is_said_at_once(container, tmp_path):
    hidden = tmp_path / "python"
    hidden.write_text(f'#!/bin/sh\nexec "{container.python}" "$@"\n')
    hidden.chmod(0o700)
    done = replace(container, python=hidden, place=tmp_path / "place").set_up()
    assert done.returncode == 1 and "error: user" in done.stdout + done.stderr
