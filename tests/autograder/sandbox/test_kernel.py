"""A kernel for untrusted code, with and without the sandbox."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from autograder.errors import SandboxError
from autograder.sandbox import kernel as module
from autograder.sandbox import zygote as zygotes
from autograder.sandbox.kernel import Ending, Kernel
from autograder.sandbox.limits import Limits
from autograder.sandbox.outputs import Outputs
from autograder.sandbox.zygote import Address, Zygote, judge_socket, session

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def started(address: Address, limits: Limits | None = None) -> Iterator[Kernel]:
    """A kernel, with a listening socket in the judge's place."""
    with session(address) as folder, socket.socket(socket.AF_UNIX) as judge:
        judge.bind(str(judge_socket(folder)))
        judge.listen()
        with Kernel(address, folder, budget="smoke", limits=limits or Limits()) as kernel:
            yield kernel


def run_at(address: Address, *sources: str, limits: Limits | None = None) -> list:
    """(ending, cell) of each source, run in one kernel."""
    with started(address, limits) as kernel:
        return [kernel.run(source) for source in sources]


@pytest.fixture
def run(zygote, unconfined_zygote):
    def run_all(*sources: str, sandbox: bool = True, limits: Limits | None = None) -> list:
        return run_at(zygote if sandbox else unconfined_zygote, *sources, limits=limits)

    return run_all


def text(cell) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.parametrize("sandbox", [True, False])
def test_cells_share_a_state_and_say_how_they_ended(sandbox, run):
    look = "import os; judge = os.environ['FIXMELAB_JUDGE']\n"
    look += "print(a + 1, os.environ['FIXMELAB_BUDGET'], os.path.exists(judge), os.listdir())"
    first, second, third, fourth = run("a = 1", look, "1/0", "input('name? ')", sandbox=sandbox)
    assert first[0] == Ending("ok")
    assert text(second[1]) == "2 smoke True []\n"
    assert (third[0].how, third[0].error.name, third[0].error.text) == (
        "error",
        "ZeroDivisionError",
        "division by zero",
    )
    assert "line 1" in third[0].error.traceback
    assert fourth[0].error.name == "StdinNotImplementedError"


@pytest.mark.parametrize("number", [10**30, -(10**30)])
def test_a_cell_may_give_itself_any_number(number, run):
    for ending, cell in run(f"get_ipython().execution_count = {number}", limits=Limits(idle=5)):
        assert ending == Ending("ok") and cell.execution_count is None


def test_text_that_no_file_can_hold_is_shown_as_escapes(run):
    (shown, failed) = run("print('\\ud800 shown')", "raise ValueError('\\ud800')", limits=Limits(idle=5))
    assert text(shown[1]) == "\\ud800 shown\n"
    assert (failed[0].how, failed[0].error.name, failed[0].error.text) == ("error", "ValueError", "\\ud800")


ODD_TEXT = """
class Text(str):
    def __getitem__(self, part):
        return object()
    def encode(self, *_):
        return object()
class Odd(Exception):
    def __str__(self):
        return Text("whole")
raise Odd
"""


FULL = """
held = []
for size in (2**20, 2**16, 2**12, 2**9, 64):
    try:
        while True:
            held.append(bytearray(size))
    except MemoryError:
        pass
print("full")
"""


def test_a_cell_that_leaves_no_memory_to_tell_its_end_has_run_out_of_it(run):
    ((ending, _),) = run(FULL, limits=Limits(memory=400 * 2**20))
    assert ending == Ending("oom", reason="memory")


def test_the_end_of_a_cell_is_told_whatever_the_text_of_its_error_is(run):
    ((ending, _),) = run(ODD_TEXT, limits=Limits(idle=5))
    assert (ending.how, ending.error.text) == ("error", "whole")


def test_torch_computes_as_it_does_outside(run):
    """It asks once for what the processor can, and in a kernel nothing answers: the zygote must have asked."""
    ((_, cell),) = run("import torch; print(torch.backends.cpu.get_cpu_capability())")
    assert text(cell).strip() == torch.backends.cpu.get_cpu_capability()


def test_the_zygote_imports_without_the_collector_and_its_kernels_have_it(run):
    ((_, cell),) = run("import gc; print(gc.isenabled(), gc.get_stats()[0]['collections'])")
    is_on, times = text(cell).split()
    assert is_on == "True"
    assert int(times) < 100  # with it torch alone takes hundreds


@pytest.mark.parametrize("sandbox", [True, False])
def test_the_environment_holds_only_what_is_allowed(sandbox, monkeypatch, run):
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    look = "import os; print('SECRET_TOKEN' in os.environ, 'PYTHONPATH' in os.environ, os.environ['HOME'])"
    ((_, cell),) = run(look, sandbox=sandbox)
    said = text(cell).split()
    assert said[:2] == ["False", "False"]
    assert said[2] != str(Path.home())


def test_downloads_that_are_at_hand_can_be_read_and_not_changed(tmp_path, monkeypatch):
    monkeypatch.setenv("FIXMELAB_CACHE", str(tmp_path))
    (tmp_path / "images").write_text("pixels")
    look = (
        "import os, pathlib; cache = pathlib.Path(os.environ['FIXMELAB_CACHE']); print((cache / 'images').read_text())"
    )
    with Zygote() as own:
        read, write = run_at(own.address, look, "(cache / 'images').unlink()")
    assert text(read[1]) == "pixels\n"
    assert write[0].error.name == "OSError"


def test_attacks_from_a_cell_reach_nothing(run):
    attack = f"""
import os, pathlib, signal, socket, subprocess, sys
found = {{}}
def attempt(name, action):
    try:
        found[name] = action()
    except Exception as error:
        found[name] = type(error).__name__
judge = pathlib.Path(os.environ["FIXMELAB_JUDGE"])
attempt("package", lambda: __import__("autograder"))
attempt("path", lambda: sys.path.append({str(Path(module.__file__).parents[2])!r}) or __import__("autograder"))
attempt("unlink", judge.unlink)
attempt("replace", lambda: os.rename("/etc/localtime", judge))
attempt("new", lambda: judge.with_name("other").write_text("x"))
attempt("connect", lambda: socket.socket(socket.AF_UNIX).connect(str(judge)))
attempt("network", lambda: socket.create_connection(("1.1.1.1", 80), 2))
attempt("grader", lambda: os.kill({os.getpid()}, signal.SIGKILL) if {os.getpid()} > 1000 else os.kill(10**6, 9))
attempt("init", lambda: os.kill(1, signal.SIGKILL))
attempt("mount", lambda: subprocess.run(["mount", "-t", "tmpfs", "x", "/usr"], capture_output=True).returncode != 0)
attempt("sessions", lambda: len(os.listdir("/run/fixmelab")) + len(os.listdir("/judge")))
attempt("proc", lambda: len(os.listdir("/proc")))
attempt("device", lambda: os.chmod("/dev/null", 0o600))
for name, what in found.items():
    print(name, what)
"""
    ((ending, cell),) = run(attack)
    assert ending.how == "ok", ending
    assert dict(line.split() for line in text(cell).splitlines()) == {
        "package": "ModuleNotFoundError",
        "path": "ModuleNotFoundError",
        "unlink": "OSError",
        "replace": "OSError",
        "new": "OSError",
        "connect": "None",
        "network": "OSError",
        "grader": "ProcessLookupError",
        "init": "None",
        "mount": "True",
        "sessions": "1",
        "proc": "0",
        "device": "OSError",
    }


def test_a_cell_that_does_not_end_is_stopped_and_its_line_is_known(run):
    ((ending, _),) = run("import time\nwhile True:\n    time.sleep(0.01)", limits=Limits(idle=1))
    assert (ending.how, ending.alive) == ("timeout", False)
    assert ending.error.name == "KeyboardInterrupt"


def test_a_cell_that_ignores_the_interrupt_is_left_behind(run):
    stubborn = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    time.sleep(0.01)"
    ((ending, _),) = run(stubborn, limits=Limits(idle=1))
    assert (ending.how, ending.error) == ("timeout", None)


@pytest.mark.parametrize("sandbox", [True, False])
@pytest.mark.parametrize("end", ["import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)", "quit()"])
def test_a_cell_that_ends_the_kernel_is_known(sandbox, end, run):
    ((ending, _),) = run(end, sandbox=sandbox)
    assert ending == Ending("crashed")


@pytest.mark.parametrize(
    "bomb",
    ["print('x' * 5_000_000)", "for i in range(20_000): print('x' * 100)", "raise ValueError('x' * 5_000_000)",
     "for i in range(3_000): display(i)", "h = display(0, display_id=True)\nfor i in range(3_000): h.update(i)"],
)  # fmt: skip
def test_outputs_are_capped_with_a_note(bomb, run):
    ((_, cell), (_, after)) = run(bomb, "print('fine')", limits=Limits(output=100_000))
    assert sum(len(str(output)) for output in cell.outputs) < 150_000
    assert "more than 100000 characters of output" in str(cell.outputs)
    assert text(after) == "fine\n"


def test_a_kernel_that_sends_without_end_is_not_listened_to_for_long(monkeypatch, run):
    monkeypatch.setattr(module, "FLOOD", 0.05)
    flood = "line = get_ipython().line.connection\nfrom fixmelab.judged import wire\n"
    flood += "while True: wire.send(line, wire.encode({'stream': 'stdout', 'text': 'x' * 1000}))"
    ((ending, cell),) = run(flood, limits=Limits(output=10_000))
    assert (ending.how, ending.reason) == ("crashed", "flood")
    assert len(text(cell)) < 20_000


def test_cleared_output_makes_room_again(run):
    draw = "from IPython.display import clear_output\n"
    draw += "for i in range(50):\n    clear_output(wait=True)\n    print(str(i) * 5000)"
    ((_, cell),) = run(draw, limits=Limits(output=50_000))
    assert text(cell) == "49" * 5000 + "\n"


def test_streams_are_joined_and_widgets_are_not_followed(run):
    ((ending, cell),) = run(
        "import ipywidgets\nbox = ipywidgets.Output()\nprint('a')\nprint('b')\nwith box:\n    print('c')\n"
    )
    assert ending == Ending("ok")
    assert [(output.output_type, output.text) for output in cell.outputs] == [("stream", "a\nb\nc\n")]


def test_forged_messages_are_left_out(run):
    forge = """
from fixmelab.judged import wire
line = get_ipython().line.connection
for message in (
    {}, {"stream": "stdout"}, {"stream": "stdin", "text": "x"}, {"stream": "stdout", "text": 7},
    {"stream": "stdout", "text": "\\ud800"}, {"display": {"text/plain": 7}, "metadata": 3}, {"display": [1]},
    {"update": {"text/plain": "x"}, "metadata": {}, "id": "nobody"}, {"clear": 7}, {"made_up": 1}, {"cut": 1},
):
    try:
        wire.send(line, wire.encode(message))
    except wire.WireError:
        pass
print("done")
"""
    (ending, cell), after = run(forge, "print('fine')")
    assert ending.how == "ok"
    assert set(text(cell).split()) <= {"done", *module_note()}
    assert text(after[1]) == "fine\n"


def module_note() -> list[str]:
    return Outputs("", Limits().output)._note().split()


@pytest.mark.parametrize("frame", ["b'\\xff\\xff\\xff\\xff'", "b'\\0\\0\\0\\1x'", "b'\\0\\0\\0\\2\\x92\\x01'", "b''"])
def test_what_is_no_message_costs_the_kernel_and_not_the_grader(frame, run):
    break_off = f"line = get_ipython().line.connection\nline.sendall({frame})\nline.shutdown(2)"
    ((ending, _),) = run(break_off)
    assert ending.how == "crashed"


def test_a_kernel_whose_end_has_been_told_is_not_alive_before_its_connection_is_closed(zygote):
    with started(zygote) as kernel:
        ending, _ = kernel.run("raise KeyboardInterrupt")
        assert (ending.how, ending.error.name) == ("error", "KeyboardInterrupt")
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        with ours, theirs, contextlib.closing(kernel._watch):
            kernel._watch = ours
            assert not kernel.is_alive()


def test_a_zygote_that_does_not_start_is_the_sandboxs_fault(monkeypatch):
    monkeypatch.setattr(zygotes.sys, "executable", "/usr/bin/false")
    with Zygote(sandbox=False) as dead, pytest.raises(SandboxError, match="kernel did not start"):
        run_at(dead.address, "1")


def test_a_zygote_that_is_gone_is_the_sandboxs_fault():
    with Zygote() as own:
        run_at(own.address, "1")
        own._process.kill()
        own._process.wait()
        assert not own.is_alive()
        with pytest.raises(SandboxError, match="kernel did not start"):
            run_at(own.address, "1")


def test_nothing_is_left_of_a_session(zygote):
    with contextlib.suppress(ZeroDivisionError), session(zygote) as folder:
        (folder / "x").touch()
        raise ZeroDivisionError
    assert not folder.exists()
    assert len(str(judge_socket(folder))) < 60


@pytest.mark.parametrize(
    ("forged", "how"),
    [("reply['count'] = 'x'", "ok"), ("reply['errors'] = 5", "error"), ("reply['errors'] = [{'name': 3}]", "error")],
)
def test_forged_replies_cost_nothing_but_the_cell(forged, how, run):
    forge = f"""
tell = get_ipython().line.tell
def forging(reply):
    if "end" in reply:
        {forged}
    tell(reply)
get_ipython().line.tell = forging
"""
    _, (ending, _), (again, _) = run(forge, "print('fine')", "1")
    assert (ending.how, again.how) == (how, how)


# Limits


def test_processor_time_of_all_processes_counts(run):
    burn = "import os\nfor _ in range(4):\n    if os.fork() == 0:\n        while True: pass\nos.wait()"
    ((ending, _),) = run(burn, limits=Limits(cell=1))
    assert (ending.how, ending.reason) == ("timeout", "cell")


def test_a_cell_that_only_waits_is_stopped_by_its_own_limit(run):
    ((ending, _),) = run("import time\ntime.sleep(1000)", limits=Limits(idle=0.5))
    assert (ending.how, ending.reason) == ("timeout", "idle")
    assert "line 2" in ending.error.traceback


def test_the_whole_notebook_has_a_limit(run):
    burn = "import time\nbegan = time.process_time()\nwhile time.process_time() - began < 0.4: pass"
    endings = [ending for ending, _ in run(*6 * [burn], limits=Limits(notebook=1.5))]
    assert (endings[0].how, endings[-1].alive) == ("ok", False)
    assert "notebook" in {ending.reason for ending in endings}


def test_the_far_bound_is_wall_time(run):
    ((ending, _),) = run("import time\nwhile True: time.sleep(0.001)", limits=Limits(wall=1))
    assert (ending.how, ending.reason) == ("timeout", "wall")


def test_memory_is_refused_where_one_process_asks_for_it(run):
    asks = "try:\n    bytearray(2**30)\nexcept MemoryError:\n    print('refused')"
    (first, cell), (second, _) = run(asks, "import torch; torch.zeros(2**30)", limits=Limits(memory=2**29))
    assert (first.how, text(cell)) == ("ok", "refused\n")
    assert second.error.name == "RuntimeError"


def test_memory_of_all_processes_together_is_bounded(run):
    fork = "import os\nfor _ in range(16):\n    if os.fork() == 0:\n        x = bytearray(b'1') * 2**26\n"
    fork += "        while True: pass\nwhile True: pass"
    ((ending, _),) = run(fork, limits=Limits(memory=2**28))
    assert (ending.how, ending.reason) == ("oom", "memory")


def test_memory_that_no_process_counts_as_its_own_is_bounded(run):
    zero = "import mmap, os\nmmap.mmap(os.open('/dev/zero', os.O_RDWR), 2**20, mmap.MAP_SHARED)"
    (first, _), (second, _) = run("import mmap\nmmap.mmap(-1, 2**20)", zero)
    assert (first.error.name, second.error.name) == ("PermissionError", "OSError")
    sockets = "import os, socket, time\nfor _ in range(3): os.fork()\n"
    sockets += "held = [socket.socketpair() for _ in range(200)]\ntime.sleep(30)"
    ((ending, _),) = run(sockets, limits=Limits(memory=2**28))
    assert (ending.how, ending.reason) == ("oom", "memory")


@pytest.mark.parametrize(
    "bomb",
    ["import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()",
     "import os\nwhile True: os.fork()"],
)  # fmt: skip
def test_processes_and_threads_are_bounded(bomb, run):
    ((ending, _),) = run(bomb, limits=Limits(processes=40))
    assert (ending.how, ending.reason) == ("crashed", "processes")


@pytest.mark.parametrize(("threads", "how"), [(60, "crashed"), (0, "ok")])
def test_what_a_cell_leaves_behind_is_looked_at_when_asked(threads, how, zygote):
    leave = f"import threading, time\nfor _ in range({threads}):\n"
    leave += "    threading.Thread(target=time.sleep, args=(60,)).start()"
    with started(zygote, limits=Limits(processes=40)) as kernel:
        ending, _ = kernel.run(leave)
        ending = kernel.looked_at(ending)
        assert (ending.how, kernel.is_alive()) == (how, how == "ok")
        assert ending.reason == ("processes" if threads else "")


@pytest.mark.parametrize("place", ["/tmp", "/home/student", "/home/student/work", "/dev/shm"])
def test_disk_and_the_number_of_files_are_bounded(place, run):
    fill = f"import os\nos.chdir({place!r})\nfor k in range(3): open(f'f{{k}}', 'wb').write(b'x' * 2**22)"
    many = "for k in range(300): open(f'g{k}', 'w')"
    (first, _), (second, _) = run(fill, many, limits=Limits(disk=2**23, files=100))
    assert (first.error.name, second.error.name) == ("OSError", "OSError")
    assert "No space left" in first.error.text and "No space left" in second.error.text


def test_a_single_file_is_bounded(run):
    sparse = "file = open('sparse', 'wb')\nfile.truncate(2**40)"
    ((ending, _),) = run(sparse, limits=Limits(disk=2**22))
    assert ending.error.name == "OSError"


# Neighbours


def test_kernels_of_one_zygote_know_nothing_of_each_other(zygote):
    look = "import os\nprint([name for at in ('/tmp', '/dev/shm', '.') for name in os.listdir(at) if name == 'left'])"
    leave = "import os, torch\nfor place in ('/tmp', '/dev/shm', '.'): open(place + '/left', 'w').write('x')\n"
    leave += "torch.left = 1\nos.environ['LEFT'] = '1'\nif os.fork() == 0:\n    os.setsid()\n    while True: pass"
    with session(zygote) as one, session(zygote) as two:
        for folder in (one, two):
            judge_socket(folder).touch()
        with Kernel(zygote, one, budget="smoke", limits=Limits()) as first:
            assert first.run(leave)[0].how == "ok"
            with Kernel(zygote, two, budget="smoke", limits=Limits()) as second:
                assert text(second.run(look)[1]) == "[]\n"
                after = "import os, torch\nprint(hasattr(torch, 'left'), 'LEFT' in os.environ, os.getpid())"
                assert text(second.run(after)[1]) == "False False 2\n"
                kill = (
                    "import os, signal\nfor pid in range(3, 300):\n    try: os.kill(pid, 9)\n    except OSError: pass"
                )
                second.run(kill)
            assert text(first.run("print('alive')")[1]) == "alive\n"


def test_a_kernel_holds_one_line_and_writes_to_no_log(zygote):
    look = """
import os, socket, stat
found = []
for number in range(256):
    try:
        found.append((number, stat.S_IFMT(os.fstat(number).st_mode) == stat.S_IFSOCK))
    except OSError:
        pass
print(found, {os.fstat(number).st_rdev for number in range(3)} == {os.stat("/dev/null").st_rdev})
"""
    with session(zygote) as one, session(zygote) as two:
        for folder in (one, two):
            judge_socket(folder).touch()
        with (
            Kernel(zygote, one, budget="smoke", limits=Limits()),
            Kernel(zygote, two, budget="smoke", limits=Limits()) as second,
        ):
            said = text(second.run(look)[1])
    found, nowhere = said.rsplit(maxsplit=1)
    assert nowhere == "True"
    assert [is_socket for _, is_socket in eval(found)] == [False, False, False, True]


def test_the_zygote_shares_no_writable_memory_with_its_kernels(zygote, run):
    run("1")
    folder, maps = Path(zygote.sessions).parent.name, []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            shown = (process / "maps").read_text()
            # The zygote, and perhaps the last kernels of the test before.
            if (
                "libtorch" in shown
                and folder in (process / "mountinfo").read_text()
                and process.name != str(os.getpid())
            ):
                maps.append(shown)
    assert maps
    assert [line for shown in maps for line in shown.splitlines() if " rw-s " in line] == []


@pytest.mark.parametrize("sandbox", [True, False])
def test_nothing_is_left_running(sandbox, run):
    mark = f"fixmelab-left-{os.getpid()}-{sandbox}"
    daemon = f"import subprocess\nsubprocess.Popen(['python3', '-c', 'import time; time.sleep(500)', {mark!r}], "
    daemon += "start_new_session=True)\nprint('started')"
    ((ending, cell),) = run(daemon, sandbox=sandbox)
    assert (ending.how, text(cell)) == ("ok", "started\n")
    deadline = time.monotonic() + 10
    while any(mark in line for line in command_lines()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(mark in line for line in command_lines())


def command_lines() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(path.read_text(errors="replace"))
    return found


@pytest.mark.parametrize("patience", [0.0, 0.02, 0.3, 2.0])
def test_a_zygote_is_gone_however_early_it_is_ended(patience):
    with Zygote() as short_lived:
        time.sleep(patience)
    name = short_lived.address.sessions
    deadline = time.monotonic() + 30
    while any(name in line for line in command_lines()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [line for line in command_lines() if name in line]


def test_a_grader_that_is_killed_takes_its_sandbox_along():
    start = "import sys, time\nfrom autograder.sandbox.zygote import Zygote\n"
    start += "with Zygote() as zygote:\n    print(zygote._process.pid, flush=True)\n    time.sleep(500)"
    start = start.replace("print(", "print(zygote._folder, ")
    with subprocess.Popen([sys.executable, "-c", start], stdout=subprocess.PIPE, text=True) as grader:
        folder, sandbox = grader.stdout.readline().split()
        grader.kill()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{sandbox}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{sandbox}").exists()
    with Zygote() as other:
        # The next one, if no other test's was before it, tidies up, and leaves alone what is in use.
        assert not Path(folder).exists()
        with Zygote():
            assert Path(other.address.socket).exists()
