"""Examines the sandbox on this machine: each layer is tried in a real kernel, not read off a configuration."""

import json
import platform
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from autograder.course import ROOT
from autograder.errors import SandboxError
from autograder.sandbox import layers
from autograder.sandbox.kernel import Kernel
from autograder.sandbox.limits import Limits
from autograder.sandbox.zygote import Zygote, judge_socket, session

State = Literal["on", "off", "not available"]
USERNS = "allow unprivileged user namespaces, for example `sysctl -w kernel.apparmor_restrict_unprivileged_userns=0`"
REPORT_IT = "this is a fault of the grader: do not grade, and report it"


@dataclass(frozen=True)
class Layer:
    """One layer of the sandbox: what was seen of it, and what follows. Without an essential one nothing is graded."""

    name: str
    state: State
    seen: str
    follows: str = ""
    essential: bool = True

    @property
    def is_lacking(self) -> bool:
        return self.essential and self.state != "on"


# Run in a kernel; prints what it sees as JSON. {port}, {abstract} and {secrets} are the grader's own.
LOOK = """
import ctypes, json, os, resource, socket
libc = ctypes.CDLL(None)
def can(action):
    try:
        action()
        return True
    except OSError:
        return False
def reach(family, address):
    with socket.socket(family) as line:
        line.settimeout(2)
        line.connect(address)
held = (ctypes.c_uint32 * 6)()
libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), held)
print(json.dumps({{
    "pid": os.getpid(), "user": os.getuid(), "host": os.uname().nodename, "proc": len(os.listdir("/proc")),
    "network": can(lambda: reach(socket.AF_INET, ("127.0.0.1", {port}))),
    "abstract": can(lambda: reach(socket.AF_UNIX, {abstract!r})),
    "secrets": [path for path in {secrets!r} if os.path.exists(path)],
    "system": can(lambda: os.rmdir(os.mkdir("/usr/fixmelab") or "/usr/fixmelab")),
    "devices": can(lambda: os.chmod("/dev/null", 0o666)),
    "own": [f"{{place}}/{{name}}" for place in ("/tmp", "/dev/shm", os.getcwd()) for name in os.listdir(place)],
    "capabilities": list(held), "bounding": [libc.prctl(23, k, 0, 0, 0) for k in range(3)],
    "privileges": libc.prctl(39, 0, 0, 0, 0), "filter": libc.prctl(21, 0, 0, 0, 0),
    "unshare": libc.unshare(0x10000000), "cores": len(os.sched_getaffinity(0)),
    "data": resource.getrlimit(resource.RLIMIT_DATA)[1], "file": resource.getrlimit(resource.RLIMIT_FSIZE)[1],
    "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
}}))
"""
SPIN = "while True: pass"
SPREAD = "import os\nwhile True: os.fork()"
HOARD = """import os
for _ in range(16):
    if os.fork() == 0:
        held = bytearray(b"x") * 2**26
        while True: pass
while True: pass"""


def examine() -> list[Layer]:
    """All layers, outermost first. Takes some seconds: a zygote is started and kernels are run."""
    found = [_bubblewrap(), _outer_walls()]
    if any(layer.is_lacking for layer in found):
        return [*found, *_optional()]
    try:
        with Zygote() as zygote:
            seen = _look(zygote)
            found += [Layer("a kernel's own namespaces", "on", "user, pid, mount, ipc, network, uts, cgroup")]
            found += [_judged(*row, seen) for row in SEEN]
            found += [_stopped(zygote, *row) for row in STOPPED]
    except SandboxError as error:
        found.append(Layer("a kernel's own namespaces", "not available", str(error), USERNS))
    return [*found, *_optional()]


def _bubblewrap() -> Layer:
    if shutil.which("bwrap") is None:
        return Layer("bubblewrap", "not available", "there is no bwrap on the PATH", "`apt-get install bubblewrap`")
    version = subprocess.run(["bwrap", "--version"], capture_output=True, text=True).stdout.strip()
    return Layer("bubblewrap", "on", version)


def _outer_walls() -> Layer:
    name = "the zygote's namespaces"
    try:
        layers.require_sandbox()
    except SandboxError as error:
        return Layer(name, "not available", str(error), USERNS)
    return Layer(name, "on", "user, pid, mount, ipc, network, uts, cgroup")


def _look(zygote: Zygote) -> dict[str, Any]:
    """What a kernel sees, with a listener of ours on the loopback address and one with an abstract name."""
    name = f"\0fixmelab-doctor-{zygote.address.socket}"
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(name)
        abstract.listen()
        secrets = [str(ROOT / part) for part in ("autograder", "source", "tests", "course.key", ".git")]
        secrets += [str(Path.home() / ".ssh"), "/etc/shadow", "/run/fixmelab/sessions"]
        code = LOOK.format(port=listener.getsockname()[1], abstract=name, secrets=secrets)
        with _kernel(zygote, Limits()) as kernel:
            ending, cell = kernel.run(code)
    if ending.how != "ok":
        raise SandboxError(f"a kernel cannot look around: {ending.error or ending.how}")
    seen: dict[str, Any] = json.loads(cell.outputs[0].text)
    return seen


@contextmanager
def _kernel(zygote: Zygote, limits: Limits) -> Iterator[Kernel]:
    with session(zygote.address) as folder:
        judge_socket(folder).touch()
        with Kernel(zygote.address, folder, budget="smoke", limits=limits) as kernel:
            yield kernel


# Layer → whether what a kernel sees shows that it holds, and what it is.
SEEN: tuple[tuple[str, Callable[[dict[str, Any]], bool], str], ...] = (
    ("processes", lambda seen: seen["pid"] == 2 and seen["proc"] == 0, "its own process table; /proc is empty"),
    ("network", lambda seen: not seen["network"] and not seen["abstract"], "neither loopback nor abstract sockets"),
    ("files", lambda seen: not seen["secrets"], "no course, no grader, no other session, no home"),
    ("read-only system", lambda seen: not seen["system"] and not seen["devices"], "system and devices"),
    # A Python that is installed below /tmp is shown there.
    (
        "private folders",
        lambda seen: all(any(f"{path}/".startswith(f"{own}/") for path in layers.shown()) for own in seen["own"]),
        "home, /tmp and /dev/shm are new for each kernel",
    ),
    ("capabilities", lambda seen: not any(seen["capabilities"] + seen["bounding"]), "none, and none to be had"),
    ("no new privileges", lambda seen: seen["privileges"] == 1, "set-user-ID programs give nothing"),
    ("system-call filter", lambda seen: seen["filter"] == 2 and seen["unshare"] == -1, platform.machine()),
    ("limits of a process", lambda seen: seen["core"] == 0 < min(seen["data"], seen["file"]), "data, files, no core"),
    ("one core a kernel", lambda seen: seen["cores"] == 1, "none can slow another"),
)
# Layer → code that goes beyond a limit, the limit, and the reason that must be given.
STOPPED = (
    ("processor time", SPIN, Limits(cell=0.2), "cell"),
    ("number of processes", SPREAD, Limits(processes=32), "processes"),
    ("memory of all processes", HOARD, Limits(memory=2**28), "memory"),
)


def _judged(name: str, holds: Callable[[dict[str, Any]], bool], seen: str, looked: dict[str, Any]) -> Layer:
    return Layer(name, "on", seen) if holds(looked) else Layer(name, "off", "a kernel gets through", REPORT_IT)


def _stopped(zygote: Zygote, name: str, code: str, limits: Limits, reason: str) -> Layer:
    with _kernel(zygote, limits) as kernel:
        ending, _ = kernel.run(code)
    if ending.reason == reason:
        return Layer(name, "on", f"stopped by the supervisor: {ending.how}")
    return Layer(name, "off", f"not stopped: {ending.how}", REPORT_IT)


def _optional() -> list[Layer]:
    """What the sandbox does without."""
    passed = "a kernel computes on the processor"
    gpu = "not passed on" if Path("/dev/nvidia0").exists() else "none here"
    counted = "memory and processes are counted by the supervisor, every 50 ms"
    return [
        Layer("control groups", "off", "not used, so none has to be delegated", counted, essential=False),
        Layer("GPU", "off", gpu, passed, essential=False),
    ]
