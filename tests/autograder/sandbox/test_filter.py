"""The system-call filter: its tables against the system's own headers, and what it refuses in a real kernel."""

import platform
import re
import sys
from pathlib import Path

import pytest

from autograder.sandbox import zygote as zygotes

sys.path.insert(0, str(zygotes.INSIDE.parent))
from inside import filter

sys.path.pop(0)

HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", HEADERS)
def test_numbers_are_those_of_the_systems_headers(machine):
    if not HEADERS[machine].exists():
        pytest.skip("the kernel's headers are not installed (linux-libc-dev)")
    found = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", HEADERS[machine].read_text()))
    _, numbers = filter.TABLES[machine]
    known = {name: number for name, number in numbers.items() if name in found}
    assert len(known) > 0.9 * len(numbers)
    assert known == {name: int(found[name]) for name in known}


@pytest.mark.parametrize("machine", filter.TABLES)
def test_every_path_through_the_program_ends(machine):
    steps = filter.program(machine)
    assert len(steps) < 4096
    for place, (code, yes, no, _) in enumerate(steps):
        if code in (0x15, 0x35, 0x45):
            assert 0 <= yes < 256 and 0 <= no < 256
            assert place + 1 + max(yes, no) < len(steps)
    assert steps[-1][0] == 0x06


def run(steps, architecture: int, number: int, *arguments: int) -> int:
    """What the program returns for a system call: a small BPF machine."""
    words = dict.fromkeys(range(16, 64, 8), 0) | {4: architecture, 0: number}
    words |= {16 + 8 * place: argument for place, argument in enumerate(arguments)}
    accumulator, place = 0, 0
    while True:
        code, yes, no, operand = steps[place]
        if code == 0x06:
            return operand
        if code == 0x20:
            accumulator = words[operand]
        elif code == 0x54:
            accumulator &= operand
        else:
            holds = {0x15: accumulator == operand, 0x35: accumulator >= operand, 0x45: bool(accumulator & operand)}
            place += yes if holds[code] else no
        place += 1


ALLOW, EPERM, ENOSYS, DONE = 0x7FFF0000, 0x00050001, 0x00050000 + 38, 0x00050000


@pytest.mark.parametrize("machine", filter.TABLES)
def test_what_is_listed_is_refused_and_the_rest_allowed(machine):
    audit, numbers = filter.TABLES[machine]
    steps = filter.program(machine)
    answers = {None: ALLOW, "clone3": ENOSYS, "clone": ALLOW, "mmap": ALLOW, "setsockopt": ALLOW, "fcntl": ALLOW}
    answers |= dict.fromkeys(("flock", "sync", "syncfs", "fsync", "fdatasync", "sync_file_range", "fadvise64"), DONE)
    for number in range(filter.NEWEST + 1):
        name = next((name for name, listed in numbers.items() if listed == number), None)
        assert run(steps, audit, number) == answers.get(name, EPERM) or name == "socket", (name, number)
    # statmount, listmount, open_tree_attr, and what nobody has thought of yet
    assert {run(steps, audit, number) for number in range(filter.NEWEST + 1, 0x40000000, 12345)} == {ENOSYS}
    assert {run(steps, audit, number) for number in (457, 458, 467)} == {ENOSYS}
    for command, answer in ((1, ALLOW), (3, ALLOW), (1030, ALLOW), (5, ALLOW), (6, DONE), (7, DONE), (37, DONE)):
        assert run(steps, audit, numbers["fcntl"], 3, command) == answer
    assert {run(steps, audit, numbers["fcntl"], 3, command) for command in (1024, 1026, 1031)} == {EPERM}
    assert run(steps, audit, numbers["clone"], 0x00100011) == ALLOW  # a thread, a fork
    assert run(steps, audit, numbers["clone"], 0x10000011) == EPERM  # a user namespace
    for flags, answer in ((0x22, ALLOW), (0x01, ALLOW), (0x21, EPERM), (0x23, EPERM), (0x8021, EPERM)):
        assert (
            run(steps, audit, numbers["mmap"], 0, 0, 0, flags) == answer
        )  # private, of a file, shared by nobody's file
    for level, kind, answer in ((1, 7, EPERM), (1, 32, EPERM), (1, 8, ALLOW), (1, 2, ALLOW), (6, 7, ALLOW)):
        assert run(steps, audit, numbers["setsockopt"], 3, level, kind) == answer
    assert [run(steps, audit, numbers["socket"], family) == ALLOW for family in (1, 2, 10, 16, 17, 38, 40)] == [
        *3 * [True], *4 * [False]
    ]  # fmt: skip
    assert run(steps, 0x40000003, 1) == EPERM  # 32-bit calls have other numbers
    assert run(steps, audit, 0x40000000 + 1) == EPERM


@pytest.mark.skipif(platform.machine() not in filter.TABLES, reason="no filter for this architecture")
@pytest.mark.slow
def test_calls_are_refused_in_a_kernel(zygote):
    from autograder.sandbox.kernel import Kernel
    from autograder.sandbox.limits import Limits
    from autograder.sandbox.zygote import judge_socket, session

    _, numbers = filter.TABLES[platform.machine()]
    code = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for name, number in {dict(numbers)!r}.items():
    if name == "clone3" or name not in {filter.LOOKED_INTO!r}:
        ctypes.set_errno(0)
        print(name, libc.syscall(number, 0, 0, 0, 0, 0, 0), ctypes.get_errno())
"""
    with session(zygote) as folder:
        judge_socket(folder).touch()
        with Kernel(zygote, folder, budget="smoke", limits=Limits()) as kernel:
            ending, cell = kernel.run(code)
    assert ending.how == "ok"
    answers = dict(line.split(" ", 1) for line in cell.outputs[0].text.splitlines())
    assert {"landlock_add_rule", "mincore", "vmsplice", "epoll_create1"} < answers.keys()
    assert len(answers) == len(numbers) - len(filter.LOOKED_INTO) + 1
    assert answers == {name: "-1 38" if name == "clone3" else "-1 1" for name in answers}


@pytest.mark.skipif(platform.machine() not in filter.TABLES, reason="no filter for this architecture")
@pytest.mark.slow
def test_files_that_others_read_are_neither_locked_nor_leased_nor_watched_in_a_kernel(zygote):
    from autograder.sandbox.kernel import Kernel
    from autograder.sandbox.limits import Limits
    from autograder.sandbox.zygote import judge_socket, session

    code = """
import ctypes, fcntl, os, random, signal, sqlite3
libc = ctypes.CDLL(None, use_errno=True)
def told(*call):
    try:
        return call[0](*call[1:]) or "done"
    except OSError as error:
        return error.strerror
shared = open(random.__file__)
print(told(fcntl.fcntl, shared, fcntl.F_SETLEASE, fcntl.F_RDLCK))
print(told(fcntl.fcntl, os.open(os.path.dirname(random.__file__), os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS))
print(told(fcntl.flock, shared, fcntl.LOCK_EX), told(fcntl.lockf, shared, fcntl.LOCK_SH))
print(told(fcntl.flock, open(random.__file__), fcntl.LOCK_EX | fcntl.LOCK_NB))
print(libc.inotify_init(), libc.inotify_init1(0), told(os.sync))
with sqlite3.connect("/tmp/own.db") as own:
    own.execute("create table kept (x)"); own.execute("insert into kept values (7)")
print(sqlite3.connect("/tmp/own.db").execute("select x from kept").fetchone())
"""
    with session(zygote) as folder:
        judge_socket(folder).touch()
        with Kernel(zygote, folder, budget="smoke", limits=Limits()) as kernel:
            ending, cell = kernel.run(code)
    assert ending.how == "ok", ending
    refused = "Operation not permitted"
    assert cell.outputs[0].text.splitlines() == [refused, refused, "done done", "done", "-1 -1 done", "(7,)"]
