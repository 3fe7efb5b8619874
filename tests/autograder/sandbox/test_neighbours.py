"""What Linux counts for a user or for the machine, no kernel can use up, and the system's own memory is bounded."""

import contextlib
import socket

import pytest

from autograder.sandbox.kernel import Kernel
from autograder.sandbox.limits import Limits
from autograder.sandbox.zygote import Address, judge_socket, session

pytestmark = pytest.mark.slow


@contextlib.contextmanager
def kernel(zygote: Address, limits: Limits | None = None):
    with session(zygote) as folder, socket.socket(socket.AF_UNIX) as judge:
        judge.bind(str(judge_socket(folder)))
        with Kernel(zygote, folder, budget="smoke", limits=limits or Limits()) as running:
            yield running


def said(running: Kernel, source: str) -> list[str]:
    ending, cell = running.run(source)
    assert ending.how == "ok", ending
    return "".join(output.text for output in cell.outputs).split()


# What uses something up and prints how much it got, what a neighbour still has to get, and the most that is had.
SHARES = {
    "terminals": ("import os", "os.openpty()", 16),
    "signals that wait": (
        "import ctypes, os, signal; libc = ctypes.CDLL(None, use_errno=True)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMIN})",
        "check(libc.sigqueue(os.getpid(), signal.SIGRTMIN, ctypes.c_void_p(0)))",
        128,
    ),
    "clocks": (
        "import ctypes; libc = ctypes.CDLL(None, use_errno=True)",
        "check(libc.timer_create(1, None, ctypes.byref(ctypes.c_void_p())))",
        128,
    ),
}
TAKE = """
{prepare}
def check(answer):
    if answer != 0:
        raise OSError("no more")
held = []
try:
    for _ in range({most} + 10):
        held.append({take})
except OSError:
    pass
print(len(held))
"""


@pytest.mark.parametrize("kind", SHARES)
def test_one_kernel_leaves_a_neighbour_as_much_as_it_has_itself(zygote, kind):
    prepare, take, most = SHARES[kind]
    code = TAKE.format(prepare=prepare, take=take, most=most)
    with kernel(zygote) as one, kernel(zygote) as other:
        assert said(one, code) == [str(most)]
        assert said(other, code) == [str(most)]


def test_pipes_of_a_neighbour_work_if_all_large_ones_are_taken(zygote):
    fill = """
import os
held = []
for _ in range(6):
    if os.fork():
        while True:
            try:
                held.append(os.pipe())
                os.set_blocking(held[-1][1], False)
                while os.write(held[-1][1], bytes(4096)): pass
            except BlockingIOError: pass
            except OSError: break
        break
print(len(held))
"""
    with kernel(zygote) as one, kernel(zygote) as other:
        assert int(said(one, fill)[0]) > 200
        read = "import os, subprocess\nr, w = os.pipe()\nprint(os.write(w, bytes(8192)))\n"
        assert said(other, read + "print(len(subprocess.run(['head', '-c', '300000', '/dev/zero'], "
                    "capture_output=True).stdout))") == ["8192", "300000"]  # fmt: skip


def test_asyncio_and_child_processes_work_without_epoll(zygote):
    code = """
import asyncio, selectors, subprocess
async def add():
    child = await asyncio.create_subprocess_exec("echo", "2", stdout=subprocess.PIPE)
    return 1 + int((await child.communicate())[0])
print(await add(), selectors.DefaultSelector.__name__, subprocess.check_output(["echo", "x"], text=True))
"""
    with kernel(zygote) as running:
        assert said(running, code) == ["3", "PollSelector", "x"]


TABLES = """
import mmap
held = mmap.mmap(-1, 2**40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=mmap.PROT_READ)
for at in range(0, 2**40, 2**21):
    held[at]
"""


def test_page_tables_count_as_memory(zygote):
    with kernel(zygote, Limits(memory=300 * 2**20)) as running:
        ending, _ = running.run(TABLES)
    assert (ending.how, ending.reason) == ("oom", "memory")


def test_calls_that_are_younger_than_the_filter_are_not_there(zygote):
    code = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in (457, 458, 467, 468, 469, 600):  # statmount, listmount, open_tree_attr, file_getattr, file_setattr
    print(libc.syscall(number, 0, 0, 0, 0, 0, 0), ctypes.get_errno())
"""
    with kernel(zygote) as running:
        assert said(running, code) == 6 * ["-1", "38"]


def test_what_a_kernel_does_to_files_that_others_read_stays_without_effect(zygote):
    code = """
import ctypes, mmap, os, random
libc = ctypes.CDLL(None, use_errno=True)
shared = os.open(random.__file__, os.O_RDONLY)
print(os.posix_fadvise(shared, 0, 0, os.POSIX_FADV_DONTNEED), os.fsync(shared), os.fdatasync(shared))
libc.mmap.restype = ctypes.c_void_p
start = libc.mmap(None, ctypes.c_size_t(4096), 1, 2, shared, ctypes.c_long(0))
print(libc.mincore(ctypes.c_void_p(start), ctypes.c_size_t(4096), (ctypes.c_ubyte * 8)()))
with open("own", "w") as own:
    own.write("x"); own.flush(); os.fsync(own.fileno())
print(open("own").read())
"""
    with kernel(zygote) as running:
        assert said(running, code) == ["None", "None", "None", "-1", "x"]
