"""The walls, seen from inside with plain Python, and what is said where they cannot be built."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import course
from autograder.errors import SandboxError
from autograder.sandbox import layers


def inside(code: str, **shown: list[Path]) -> str:
    """What a Python program prints inside the sandbox."""
    command = layers.confine([sys.executable, "-c", code], **shown)
    done = subprocess.run(command, env=layers.environment(layers.HOME), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def refused(code: str, **shown: list[Path]) -> str:
    """The type of the exception that ends a statement inside the sandbox."""
    wrapped = f"try:\n    {code}\nexcept Exception as error:\n    print(type(error).__name__)"
    return inside("import os, pathlib, socket\n" + wrapped, **shown)


@pytest.fixture(autouse=True)
def forget_trials():
    yield
    layers._trial.cache_clear()
    layers._proc.cache_clear()


def test_the_sandbox_works_here():
    layers.require_sandbox()


def test_python_and_the_students_package_are_there():
    assert inside("import numpy, fixmelab, fixmelab.wire; print('fine')") == "fine"


def test_the_instructors_package_is_not():
    assert refused("import autograder") == "ModuleNotFoundError"


@pytest.mark.parametrize("place", ["autograder", "notebooks", "source", "tests", "pyproject.toml", ".git"])
def test_nothing_else_of_the_repository_is_there(place):
    assert (course.ROOT / place).exists()
    assert inside(f"import os; print(os.path.exists({str(course.ROOT / place)!r}))") == "False"


def test_no_roundabout_way_leads_to_it():
    seen = inside(
        "import os\n"
        f"name = {str(course.ROOT)!r} + '/autograder/errors.py'\n"
        "pids = [pid for pid in os.listdir('/proc') if pid.isdigit()]\n"
        "ways = [f'/proc/{pid}/{way}{name}' for pid in pids for way in ('root', 'cwd')]\n"
        "print([way for way in ways if os.path.exists(way)], len(ways) > 1)"
    )
    assert seen == "[] True"


def test_a_checkout_inside_a_folder_that_is_shown_stays_hidden(tmp_path, monkeypatch):
    prefix, checkout = tmp_path / "prefix", tmp_path / "prefix" / "checkout"
    (checkout / "source").mkdir(parents=True)
    (checkout / "data").mkdir()
    (checkout / "source" / "secret").write_text("answer")
    monkeypatch.setattr(layers, "ROOT", checkout)
    look = f"import os; print(sorted(os.listdir({str(checkout)!r})))"
    assert inside(look, readable=[prefix, checkout / "data"]) == "['data']"


def test_an_environment_that_is_the_repository_itself_is_refused(monkeypatch):
    monkeypatch.setattr(layers, "ROOT", Path(sys.prefix).resolve())
    with pytest.raises(SandboxError, match="a folder of its own"):
        layers.confine(["true"])


def test_the_environment_is_cleared(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    look = (
        "import os, pathlib\n"
        "seen = [pathlib.Path(f'/proc/{pid}/environ').read_text() for pid in os.listdir('/proc') if pid.isdigit()]\n"
        "print(len(seen) > 1, 'hunter2' in ''.join(seen) + str(dict(os.environ)))"
    )
    assert inside(look) == "True False"


def test_the_home_of_the_grader_is_not_there():
    look = "import os; print(os.path.expanduser('~'), os.getcwd(), os.listdir())"
    assert inside(look) == f"{layers.HOME} {layers.WORK} []"
    # A folder on the way to Python may be there; what else lies in the grader's home is not.
    names = [name for name in os.listdir(Path.home()) if not sys.base_prefix.startswith(str(Path.home() / name))]
    assert (
        inside(f"import os; print(any(os.path.exists(p) for p in {[str(Path.home() / n) for n in names]!r}))")
        == "False"
    )


@pytest.mark.parametrize("place", ["/", "/usr", "/etc", "/proc/sys/kernel", sys.prefix, os.path.dirname(os.__file__)])
def test_the_system_is_read_only(place):
    assert refused(f"pathlib.Path({place!r}, 'new').write_text('x')") in (
        "OSError",
        "PermissionError",
        "FileNotFoundError",
    )


@pytest.mark.parametrize("place", ["/tmp", layers.HOME, layers.WORK])
def test_home_tmp_and_work_folder_can_be_written_and_leave_nothing_behind(place):
    name = f"{place}/left-by-a-test"
    assert inside(f"import pathlib; pathlib.Path({name!r}).write_text('x'); print('fine')") == "fine"
    assert not Path(name).exists()


def test_no_other_process_can_be_seen_or_signalled():
    look = "import os; print(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()) == [1, os.getpid()])"
    assert inside(look) == "True"
    assert refused(f"os.kill({os.getpid()}, 0) if {os.getpid()} > 100 else os.kill(99999, 0)") == "ProcessLookupError"
    assert inside("import os; os.kill(1, 9); print('fine')") == "fine"


def test_there_is_no_network():
    assert inside("import socket; print([name for _, name in socket.if_nameindex()])") == "['lo']"
    assert refused("socket.create_connection(('1.1.1.1', 53), timeout=2)") == "OSError"


def test_there_are_no_capabilities():
    names = "'CapEff', 'CapBnd', 'NoNewPrivs'"
    look = f"print([line.split()[1] for line in open('/proc/self/status') if line.startswith(({names}))])"
    assert inside(look) == "['0000000000000000', '0000000000000000', '1']"


def test_a_folder_that_is_readable_lets_connect_and_not_replace(tmp_path):
    import socket

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        name = str(tmp_path / "s")
        connect = f"import socket; socket.socket(socket.AF_UNIX).connect({name!r}); print('fine')"
        assert inside(connect, readable=[tmp_path]) == "fine"
        for attack in (f"os.unlink({name!r})", f"os.rename({name!r}, '/tmp/s')", f"os.link({name!r}, {name + '2'!r})"):
            assert refused(attack, readable=[tmp_path]) == "OSError"


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root to become someone else")
def test_an_ordinary_user_can_make_one(monkeypatch, tmp_path):
    # This Python may lie where only root can read.
    monkeypatch.setattr(layers, "_python", lambda: [])
    monkeypatch.setattr(layers, "_students_package", lambda: [])
    become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    done = subprocess.run([*become, *layers.confine(["id", "-u"])], capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stdout) == (0, "1000\n"), done.stderr


def test_where_no_proc_may_be_mounted_it_stays_empty():
    # As in many containers: parts of /proc are covered, so the kernel allows no other.
    outer = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--unshare-pid", "--proc", "/proc"]
    look = (
        "import subprocess\nfrom autograder.sandbox import layers\nlayers.require_sandbox()\n"
        "print(layers._proc(), subprocess.run(layers.confine(['ls', '/proc']), capture_output=True).stdout)"
    )
    done = subprocess.run([*outer, sys.executable, "-c", look], capture_output=True, text=True)
    assert done.stdout == "--tmpfs b''\n", done.stderr


def test_without_bubblewrap_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SandboxError, match="apt-get install bubblewrap.*--unsafe-no-sandbox") as raised:
        layers.require_sandbox()
    assert "\n" not in str(raised.value)


def test_a_bubblewrap_that_fails_is_quoted_in_one_line(monkeypatch, tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: setting up uid map:' >&2\necho 'Permission denied' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(layers, "environment", lambda home: dict(os.environ))
    layers._trial.cache_clear()
    layers._proc.cache_clear()
    with pytest.raises(SandboxError, match="uid map: Permission denied.*--unsafe-no-sandbox") as raised:
        layers.require_sandbox()
    assert "\n" not in str(raised.value)
