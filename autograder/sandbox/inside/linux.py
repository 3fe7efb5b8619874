"""System calls that Python does not offer before 3.12, or at all."""

import contextlib
import ctypes
import os
import time

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18

MADV_COLLAPSE = 25
LARGE_PAGE = 2 << 20

PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

AUTOGROUP_SECONDS = 0.1  # in which Linux takes one change, if it does not come from root

_CAPABILITY_VERSION = 0x20080522
# Read once: the processes that need it see no /proc.
with open("/proc/sys/kernel/cap_last_cap") as _file:
    _LAST_CAPABILITY = int(_file.read())
_libc = ctypes.CDLL(None, use_errno=True)


def _require_zero(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def prctl(option: int, *arguments: int) -> None:
    """prctl(2). Raises OSError."""
    padded = [ctypes.c_ulong(item) for item in (*arguments, 0, 0, 0, 0)[:4]]
    _require_zero(_libc.prctl(option, *padded), f"prctl {option}")


def unshare(flags: int) -> None:
    """unshare(2). Raises OSError."""
    _require_zero(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2). Raises OSError."""
    done = _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    _require_zero(done, f"mount {target}")


def give_way(niceness: int) -> None:
    """Leave the processor to others, as nice(1) does, from now on and with all processes that are started here."""
    os.nice(niceness)
    share_by_niceness()


def share_by_niceness(proc: int | None = None) -> None:
    """Have this session's share of the processor be by the niceness of this process. Else Linux gives a new session as
    much as any other (sched(7), "The autogroup feature"). `proc` is an open folder /proc, if it is out of sight."""
    niceness = os.getpriority(os.PRIO_PROCESS, 0)
    for _ in range(5 if niceness else 0):
        with contextlib.suppress(OSError):
            place = os.open("/proc/self/autogroup" if proc is None else "self/autogroup", os.O_WRONLY, dir_fd=proc)
            try:
                os.write(place, str(niceness).encode())
            except BlockingIOError:
                time.sleep(AUTOGROUP_SECONDS)
                continue
            finally:
                os.close(place)
        return


def collapse(start: int, end: int) -> bool:
    """Have what lies in [start, end), multiples of LARGE_PAGE, in large pages, where the system can (Linux 6.1)."""
    return bool(_libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_COLLAPSE) == 0)


def drop_capabilities() -> None:
    """Give up every capability of this process, for good. Raises OSError."""
    for number in range(_LAST_CAPABILITY + 1):
        prctl(PR_CAPBSET_DROP, number)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _require_zero(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
