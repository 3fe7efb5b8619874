"""Another user for the student's code: that it can reach nothing, and that nothing of its outlives it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from own_processes import alone

from autograder.errors import SandboxError
from autograder.sandbox import other_user
from autograder.sandbox.inside import users

USER = 61919
PRELUDE = f"""
import os, subprocess, sys, time
assert os.readlink("/proc/self/ns/pid") != sys.argv[1]  # in a process table of its own
sys.path.insert(0, {str(Path(users.__file__).parent)!r})
import users
U = {USER}
def run(user, *command):
    return subprocess.Popen(command, user=user, group=user, extra_groups=[], cwd="/")
witnesses = [subprocess.Popen(["sleep", "600"]), run(U + 1, "sleep", "600")]
"""
# The first has no process that lives long enough to be found on a list; it shows that it lives by a file that grows.
TRICKS = {
    "runs_away": "os.setsid()\nwhile True:\n    if os.fork():\n        os._exit(0)\n    os.write(mark, b'.')",
    "kills_its_killer": "while True:\n    os.write(mark, b'.')\n    try: os.kill(-1, 9)\n    except OSError: pass",
    "stops_its_killer": "while True:\n    os.write(mark, b'.')\n    try: os.kill(-1, 19)\n    except OSError: pass",
}


def in_own_table(code: str) -> str:
    """What a program prints that runs as root in a process table of its own."""
    command = alone(["/usr/bin/env", "python3", "-c", PRELUDE + code, os.readlink("/proc/self/ns/pid")])
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_of_a_user_is_ended_and_nobody_else():
    code = """
mine = [run(U, "sleep", "600") for _ in range(5)]
while len(users.processes_of(U)) < 5: time.sleep(0.01)
users.end_all_of(U)
print(users.processes_of(U), [item.wait() for item in mine], [item.poll() for item in witnesses])
"""
    assert in_own_table(code) == "[] [-9, -9, -9, -9, -9] [None, None]"


@pytest.mark.parametrize("trick", TRICKS)
def test_neither_fast_forks_nor_counter_attacks_help(trick):
    code = f"""
import tempfile
grows = tempfile.TemporaryFile()
os.dup2(grows.fileno(), 9)
program = "import os\\nmark = 9\\n" + {TRICKS[trick]!r}
subprocess.Popen(["/usr/bin/env", "python3", "-c", program], user=U, group=U, extra_groups=[], cwd="/", pass_fds=[9])
size = lambda: os.fstat(9).st_size
while size() < 100: time.sleep(0.01)
users.end_all_of(U)
before = size()
time.sleep(0.5)
print(size() - before, users.processes_of(U), [item.poll() for item in witnesses])
"""
    assert in_own_table(code) == "0 [] [None, None]"


@pytest.mark.parametrize("user", [0, -1])
def test_root_s_processes_are_never_ended(user):
    # Said before anything is looked at, let alone killed.
    with pytest.raises(OSError, match="are not to be ended"):
        users.end_all_of(user)


def test_root_is_no_other_user(tmp_path):
    with pytest.raises(SandboxError):
        other_user.require_other_user(0, [tmp_path])
    with pytest.raises(OSError, match="no other user"):
        users.become(0)


def test_who_is_not_root_cannot_have_another_user(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SandboxError, match="not run by root"):
        other_user.require_other_user(USER, [tmp_path])


@pytest.fixture
def open_python(monkeypatch):
    """As if Python were where all can read it."""
    monkeypatch.setattr(sys, "executable", "/bin/sh")
    monkeypatch.setattr(os, "__file__", "/bin/sh")


@pytest.fixture
def place():
    """A folder to which every user comes, unlike those of pytest."""
    import shutil
    import tempfile

    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def test_a_user_who_reaches_nothing_private_is_accepted(place, open_python):
    (place / "key").write_text("secret")
    place.chmod(0o700)
    other_user.require_other_user(USER, [place, place / "key"])


@pytest.mark.parametrize("mode", [0o704, 0o702, 0o701])
def test_a_user_who_can_read_write_or_enter_is_refused(place, open_python, mode):
    place.chmod(mode)
    with pytest.raises(SandboxError, match="can reach"):
        other_user.require_other_user(USER, [place])


def test_a_python_that_the_user_cannot_run_is_refused(place, monkeypatch):
    place.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(place / "python"))
    with pytest.raises(SandboxError, match="install Python where everybody can"):
        other_user.require_other_user(USER, [place])


def test_a_user_who_runs_something_already_is_refused(place):
    with subprocess.Popen(["sleep", "600"], user=USER, group=USER, extra_groups=[], cwd="/") as running:
        try:
            with pytest.raises(SandboxError, match="runs something already"):
                other_user.require_other_user(USER, [place])
        finally:
            running.kill()
