"""A kernel for untrusted code, with and without the sandbox."""

import asyncio
import contextlib
import os
import socket
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.sandbox import kernel as module
from autograder.sandbox.kernel import Ending, Kernel, Limits, judge_socket, session_folder

pytestmark = pytest.mark.slow


def run(*sources: str, sandbox: bool = True, limits: Limits | None = None) -> list:
    """(ending, cell) of each source, run in one kernel, with a listening socket in the judge's place."""

    async def inner() -> list:
        with session_folder() as folder, socket.socket(socket.AF_UNIX) as judge:
            judge.bind(str(judge_socket(folder)))
            judge.listen()
            async with Kernel(folder, budget="smoke", sandbox=sandbox, limits=limits or Limits()) as kernel:
                return [await kernel.run(source) for source in sources]

    return asyncio.run(inner())


def text(cell) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.mark.parametrize("sandbox", [True, False])
def test_cells_share_a_state_and_say_how_they_ended(sandbox):
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


@pytest.mark.parametrize("sandbox", [True, False])
def test_the_environment_holds_only_what_is_allowed(sandbox, monkeypatch):
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
    read, write = run(look, "(cache / 'images').unlink()")
    assert text(read[1]) == "pixels\n"
    assert write[0].error.name == "OSError"


def test_attacks_from_a_cell_reach_nothing():
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
attempt("session", lambda: sorted(p.name for p in judge.parent.parent.iterdir()).index("judge"))
attempt("connection", lambda: next(judge.parent.parent.glob("k*/connection.json")).write_text("x"))
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
        "session": "0",
        "connection": "OSError",
    }


def test_a_cell_that_does_not_end_is_stopped_and_its_line_is_known():
    ((ending, _),) = run("import time\nwhile True:\n    time.sleep(0.01)", limits=Limits(cell=1))
    assert (ending.how, ending.alive) == ("timeout", False)
    assert ending.error.name == "KeyboardInterrupt"


def test_a_cell_that_ignores_the_interrupt_is_left_behind():
    stubborn = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    time.sleep(0.01)"
    ((ending, _),) = run(stubborn, limits=Limits(cell=1))
    assert (ending.how, ending.error) == ("timeout", None)


@pytest.mark.parametrize("sandbox", [True, False])
@pytest.mark.parametrize("end", ["import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)", "quit()"])
def test_a_cell_that_ends_the_kernel_is_known(sandbox, end):
    ((ending, _),) = run(end, sandbox=sandbox)
    assert ending == Ending("crashed")


@pytest.mark.parametrize(
    "bomb",
    ["print('x' * 5_000_000)", "for i in range(20_000): print('x' * 100)", "raise ValueError('x' * 5_000_000)",
     "for i in range(3_000): display(i)", "h = display(0, display_id=True)\nfor i in range(3_000): h.update(i)"],
)  # fmt: skip
def test_outputs_are_capped_with_a_note(bomb):
    ((_, cell), (_, after)) = run(bomb, "print('fine')", limits=Limits(output=100_000))
    assert sum(len(str(output)) for output in cell.outputs) < 150_000
    assert "more than 100000 characters of output" in text(cell)
    assert text(after) == "fine\n"


def test_a_message_too_large_to_read_costs_the_output_alone(monkeypatch):
    monkeypatch.setattr(module, "MESSAGE_BYTES", 100_000)
    huge, after = run("print('x' * 1_000_000)", "print('fine')", limits=Limits(cell=15))
    assert text(huge[1]) == ""
    assert text(after[1]) == "fine\n"


def test_cleared_output_makes_room_again():
    draw = "from IPython.display import clear_output\n"
    draw += "for i in range(50):\n    clear_output(wait=True)\n    print(str(i) * 5000)"
    ((_, cell),) = run(draw, limits=Limits(output=50_000))
    assert text(cell) == "49" * 5000 + "\n"


def test_streams_are_joined_and_widgets_are_not_followed():
    ((ending, cell),) = run(
        "import ipywidgets\nbox = ipywidgets.Output()\nprint('a')\nprint('b')\nwith box:\n    print('c')\n"
    )
    assert ending == Ending("ok")
    assert [(output.output_type, output.text) for output in cell.outputs] == [("stream", "a\nb\nc\n")]


def test_forged_messages_do_not_break_the_client():
    forge = """
import json
from ipykernel.kernelapp import IPKernelApp
kernel = IPKernelApp.instance().kernel
kernel.session.pack = lambda item: json.dumps(item, default=str).encode()
def send(kind, content):
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent())
for content in ({}, {"name": 7, "text": 7}, {"name": "stdout", "text": "\\ud800"}):
    send("stream", content)
send("display_data", {"data": [], "metadata": 3, "transient": {"display_id": [1]}})
send("status", {})
send("comm_open", {})
send("made_up", {"x": 1})
print("done")
"""
    (ending, cell), after = run(forge, "print('fine')")
    assert ending.how == "ok"
    assert "done" in str(cell.outputs)
    assert text(after[1]) == "fine\n"


def test_a_kernel_that_does_not_start_is_the_sandboxs_fault(monkeypatch):
    monkeypatch.setattr(module.sys, "executable", "/usr/bin/false")
    with pytest.raises(SandboxError, match="kernel did not start"):
        run("1")


def test_nothing_is_left_of_a_session():
    with session_folder() as folder:
        (folder / "judge" / "x").touch()
    assert not folder.exists()
    assert len(str(folder)) < 40
    with contextlib.suppress(ZeroDivisionError), session_folder() as folder:
        raise ZeroDivisionError
    assert not folder.exists()


def test_a_chain_of_folders_that_a_kernel_left_is_removed():
    with session_folder() as folder:
        here = os.open(folder, os.O_RDONLY)
        for _ in range(3000):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(here)
    assert not folder.exists()


@pytest.mark.slow
@pytest.mark.parametrize("forged", ['msg["content"]["execution_count"] = [1]', 'msg["content"]["payload"] = 5'])
def test_forged_replies_cost_the_kernel_and_not_the_grader(forged):
    forge = f"""
kernel = get_ipython().kernel
send = kernel.session.send
def forging_by_name(stream, msg_or_type, content=None, *args, **kwargs):
    if isinstance(msg_or_type, str) and msg_or_type.startswith("execute_"):
        msg = {{"content": content}}
        {forged}
        content = msg["content"]
    return send(stream, msg_or_type, content, *args, **kwargs)
kernel.session.send = forging_by_name
"""
    ran = run(forge, "print('fine')")
    assert all(ending.how in ("ok", "error", "crashed") for ending, _ in ran)
