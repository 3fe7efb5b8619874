"""The walls, seen from inside with plain Python, and what is said where they cannot be built."""

import errno
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder import course
from autograder.errors import SandboxError
from autograder.sandbox import layers
from autograder.sandbox.inside import places
from autograder.sandbox.kernel import Kernel
from autograder.sandbox.limits import Limits
from autograder.sandbox.zygote import Address, judge_socket, session

pytestmark = pytest.mark.slow


@pytest.fixture
def inside(zygote):
    """A function: what a cell prints in a kernel."""

    def look(code: str) -> str:
        with session(zygote) as folder:
            judge_socket(folder).touch()
            with Kernel(zygote, folder, budget="smoke", limits=Limits()) as kernel:
                ending, cell = kernel.run(code)
        assert ending.how == "ok", ending
        return "".join(output.get("text", "") for output in cell.outputs).strip()

    return look


@pytest.fixture
def refused(inside):
    """A function: the type of the exception that ends a statement in a kernel."""

    def attempt(code: str) -> str:
        wrapped = f"try:\n    {code}\nexcept Exception as error:\n    print(type(error).__name__)"
        return inside("import os, pathlib, socket\n" + wrapped)

    return attempt


def through_bubblewrap(code: str, **shown: list[Path]) -> str:
    """What a Python program prints inside the outer walls, where the zygote is."""
    command = layers.confine([sys.executable, "-c", code], **shown)
    done = subprocess.run(command, env=layers.environment(layers.HOME), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def forget_trials():
    yield
    layers._trial.cache_clear()


def test_the_sandbox_works_here():
    layers.require_sandbox()


def test_python_and_the_students_package_are_there(inside):
    assert inside("import numpy, fixmelab, fixmelab.judged.wire; print('fine')") == "fine"


def test_the_instructors_package_is_not(refused):
    assert refused("import autograder") == "ModuleNotFoundError"


@pytest.mark.parametrize("place", ["autograder", "notebooks", "source", "tests", "pyproject.toml", ".git"])
def test_nothing_else_of_the_repository_is_there(place, inside):
    assert (course.ROOT / place).exists()
    assert inside(f"import os; print(os.path.exists({str(course.ROOT / place)!r}))") == "False"


def test_no_roundabout_way_leads_to_it(inside):
    seen = inside(
        "import os\n"
        f"name = {str(course.ROOT)!r} + '/autograder/errors.py'\n"
        "pids = [pid for pid in os.listdir('/proc') if pid.isdigit()]\n"
        "ways = [f'/proc/{pid}/{way}{name}' for pid in pids for way in ('root', 'cwd')]\n"
        "print([way for way in ways if os.path.exists(way)], len(ways))"
    )
    assert seen == "[] 0"
    assert through_bubblewrap(f"import os; print(os.path.exists({str(course.ROOT / 'autograder')!r}))") == "False"


def test_a_checkout_inside_a_folder_that_is_shown_stays_hidden(tmp_path, monkeypatch):
    prefix, checkout = tmp_path / "prefix", tmp_path / "prefix" / "checkout"
    (checkout / "source").mkdir(parents=True)
    (checkout / "data").mkdir()
    (checkout / "source" / "secret").write_text("answer")
    monkeypatch.setattr(layers, "ROOT", checkout)
    look = f"import os; print(sorted(os.listdir({str(checkout)!r})))"
    assert through_bubblewrap(look, readable=[prefix, checkout / "data"]) == "['data']"


def test_settings_beside_python_with_keys_in_them_stay_hidden(tmp_path, monkeypatch):
    for name in ("etc/dask/key.pem", "etc/fonts/fonts.conf", "share/shown", "pip.conf", ".condarc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    python = layers._python()
    monkeypatch.setattr(layers, "_python", lambda: [*python, tmp_path])
    look = (
        "import pathlib\n"
        f"for path in sorted(pathlib.Path({str(tmp_path)!r}).rglob('*')):\n"
        "    try:\n"
        "        print(path.read_text())\n"
        "    except OSError:\n"  # a folder, or what cannot be read
        "        pass"
    )
    assert through_bubblewrap(look).split() == ["etc/fonts/fonts.conf", "share/shown"]


def test_folders_beside_the_data_of_the_package_stay_hidden(tmp_path, monkeypatch):
    """A server's, for one, if somebody has put it there."""
    for name in ("fixmelab/__init__.py", "data/__init__.py", "data/served/tokens.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path / "fixmelab")])
    monkeypatch.setattr(layers.importlib.util, "find_spec", lambda name: found)
    monkeypatch.setattr(layers, "ROOT", tmp_path)
    look = f"import pathlib; print(*sorted(path.name for path in pathlib.Path({str(tmp_path)!r}).rglob('*.*')))"
    assert through_bubblewrap(look) == "__init__.py __init__.py"


def test_an_environment_that_is_the_repository_itself_is_refused(monkeypatch):
    monkeypatch.setattr(layers, "ROOT", Path(sys.prefix).resolve())
    with pytest.raises(SandboxError, match="a folder of its own"):
        layers.confine(["true"])


def test_the_environment_is_cleared(monkeypatch, inside):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    look = (
        "import os, pathlib\n"
        "seen = [pathlib.Path(f'/proc/{pid}/environ').read_text() for pid in os.listdir('/proc') if pid.isdigit()]\n"
        "print(len(seen) > 1, 'hunter2' in ''.join(seen) + str(dict(os.environ)))"
    )
    assert through_bubblewrap(look) == "True False"
    assert inside("import os; print('hunter2' in str(os.environ))") == "False"


def test_the_home_of_the_grader_is_not_there(inside):
    look = "import os; print(os.path.expanduser('~'), os.getcwd(), os.listdir())"
    assert inside(look) == f"{places.HOME} {places.WORK} []"
    # A folder on the way to Python may be there; what else lies in the grader's home is not.
    names = [name for name in os.listdir(Path.home()) if not sys.base_prefix.startswith(str(Path.home() / name))]
    assert (
        inside(f"import os; print(any(os.path.exists(p) for p in {[str(Path.home() / n) for n in names]!r}))")
        == "False"
    )


def test_kernels_have_no_folder_in_common_in_which_one_could_leave_something(inside):
    """Whatever the outer walls are made of: all kernels see those."""
    mounted = through_bubblewrap("print(*{line.split()[1] for line in open('/proc/self/mounts')})").split()
    assert {str(course.ROOT), "/tmp", "/usr"} <= set(mounted)
    left = [f"{place}/left" for place in mounted]
    write = "try:\n        open(path, 'x').close()\n    except OSError:\n        pass\n    "
    seen = "print(*(path for path in paths if os.path.exists(path)))"
    assert "/tmp/left" in inside(f"import os\npaths = {left!r}\nfor path in paths:\n    {write}\n{seen}").split()
    assert inside(f"import os\npaths = {left!r}\n{seen}") == ""


@pytest.mark.parametrize("place", ["/", "/usr", "/etc", "/proc/sys/kernel", sys.prefix, os.path.dirname(os.__file__)])
def test_the_system_is_read_only(place, refused):
    assert refused(f"pathlib.Path({place!r}, 'new').write_text('x')") in (
        "OSError",
        "PermissionError",
        "FileNotFoundError",
    )


@pytest.mark.parametrize("place", ["/tmp", places.HOME, places.WORK, "/dev/shm"])
def test_home_tmp_and_work_folder_can_be_written_and_leave_nothing_behind(place, inside):
    name = f"{place}/left-by-a-test"
    assert inside(f"import pathlib; pathlib.Path({name!r}).write_text('x'); print('fine')") == "fine"
    assert not Path(name).exists()


def test_no_other_process_can_be_seen_or_signalled(inside, refused):
    assert inside("import os; print(os.listdir('/proc'), os.getpid(), os.getppid())") == "[] 2 1"
    assert refused(f"os.kill({os.getpid()}, 0) if {os.getpid()} > 100 else os.kill(99999, 0)") == "ProcessLookupError"
    assert inside("import os; os.kill(1, 9); os.kill(1, 2); print('fine')") == "fine"


def test_there_is_no_network(inside, refused):
    assert refused("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)") == "PermissionError"
    assert refused("socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)") == "PermissionError"
    assert refused("socket.create_connection(('1.1.1.1', 53), timeout=2)") == "OSError"


def test_there_are_no_capabilities(inside):
    look = (
        "import ctypes\nlibc = ctypes.CDLL(None)\nhave = (ctypes.c_uint32 * 6)()\n"
        "libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), have)\n"
        "PR_CAPBSET_READ, PR_GET_SECCOMP, PR_GET_NO_NEW_PRIVS = 23, 21, 39\n"
        "print(list(have), [libc.prctl(PR_CAPBSET_READ, k, 0, 0, 0) for k in range(3)])\n"
        "print(libc.prctl(PR_GET_SECCOMP, 0, 0, 0, 0), libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))"
    )
    assert inside(look) == "[0, 0, 0, 0, 0, 0] [0, 0, 0]\n2 1"


def test_the_judges_socket_can_be_connected_to_and_not_replaced(zygote):
    name = f"{places.JUDGE}/socket"
    code = f"""
import os, pathlib, socket
for action in (
    lambda: socket.socket(socket.AF_UNIX).connect({name!r}),
    lambda: os.unlink({name!r}), lambda: os.rename({name!r}, '/tmp/s'), lambda: os.link({name!r}, {name + "2"!r}),
    lambda: os.chmod({name!r}, 0), lambda: pathlib.Path({places.JUDGE!r}, 'other').write_text('x'),
):
    try:
        print(action())
    except OSError as error:
        print(error.errno)
"""
    with session(zygote) as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(judge_socket(folder)))
        listener.listen()
        with Kernel(zygote, folder, budget="smoke", limits=Limits()) as kernel:
            _, cell = kernel.run(code)
    assert cell.outputs[0].text.split() == ["None", *map(str, (errno.EROFS, errno.EXDEV, *3 * [errno.EROFS]))]


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root to become someone else")
def test_an_ordinary_user_can_make_one(monkeypatch, tmp_path):
    # This Python may lie where only root can read.
    monkeypatch.setattr(layers, "_python", lambda: [])
    monkeypatch.setattr(layers, "_students_package", lambda: [])
    become = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    done = subprocess.run([*become, *layers.confine(["id", "-u"])], capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stdout) == (0, "1000\n"), done.stderr


def test_where_no_proc_may_be_mounted_it_is_said():
    # As in many containers: parts of /proc are covered, so the kernel allows no other.
    outer = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--unshare-pid", "--proc", "/proc"]
    look = "from autograder.sandbox import layers\nlayers.require_sandbox()"
    done = subprocess.run([*outer, sys.executable, "-c", look], capture_output=True, text=True)
    assert "SandboxError" in done.stderr and "privileged" in done.stderr


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
    with pytest.raises(SandboxError, match="uid map: Permission denied.*--unsafe-no-sandbox") as raised:
        layers.require_sandbox()
    assert "\n" not in str(raised.value)


def test_memory_that_is_freed_is_not_given_back_and_cleared_anew(inside):
    look = (
        "import resource, torch\n"
        "faults = []\n"
        "for _ in range(6):\n"
        "    [torch.ones(2**20) for _ in range(8)]\n"  # 32 MB, 8,192 pages
        "    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)\n"
        "print(faults[-1] - faults[0] < 8192)\n"
    )
    assert inside(look) == "True"


def test_a_kernel_is_born_without_what_it_may_not_need(inside):
    assert inside("import sys; print({'sympy', 'torch._dynamo.eval_frame'} & set(sys.modules))") == "set()"
    draw = "torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2)).sample().shape"
    assert inside(f"import sys, torch; print({draw}, 'sympy' in sys.modules)") == "torch.Size([2]) False"


def test_nothing_of_a_session_is_left(tmp_path):
    for extra in ((), ("home",)):
        with session(Address("", str(tmp_path), sandbox=False)) as folder:
            judge_socket(folder).touch()
            for name in extra:
                (folder / name / "work").mkdir(parents=True)
        assert not any(tmp_path.iterdir())
