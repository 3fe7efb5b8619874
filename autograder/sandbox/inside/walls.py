"""The walls around one kernel, built after the fork: namespaces, private folders, limits, no powers."""

import os
import resource
import signal
import socket

from inside import filter, linux, users
from inside.places import HOME, JUDGE, SHARED, USER, WORK

_QUIET = linux.MS_NOSUID | linux.MS_NODEV
_PRIVATE = (HOME, "/tmp", "/dev/shm")
_OPEN_FILES = 512
# Where no namespace tells them apart, and before Linux 5.14, the system counts the processes of a user over the whole
# machine.
_PROCESSES_OF_OTHERS = 1000
# Of some things Linux has a number for the whole machine, and of signals that wait one for each user: a share each.
_TERMINALS = 16
_SIGNALS = 128
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def enter_namespaces() -> None:
    """Leave the zygote's namespaces; the next child is process 1 of its own. Raises OSError."""
    linux.unshare(
        linux.CLONE_NEWUSER
        | linux.CLONE_NEWNS
        | linux.CLONE_NEWPID
        | linux.CLONE_NEWIPC
        | linux.CLONE_NEWNET
        | linux.CLONE_NEWUTS
        | linux.CLONE_NEWCGROUP
    )
    for name, line in (("setgroups", "deny"), ("uid_map", f"{USER} {USER} 1"), ("gid_map", f"{USER} {USER} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


def mount_private_folders(session: str, shown: list[str], disk: int, files: int) -> None:
    """Empty folders that nobody else sees, the judge's socket, and nothing of /proc. Raises OSError.

    `disk` (bytes) and `files` bound each of home, /tmp and /dev/shm; what of `shown` lies there is shown again.
    """
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    below = [path for path in shown if path.startswith(tuple(f"{place}/" for place in _PRIVATE))]
    held = {path: os.open(path, os.O_PATH) for path in sorted(below)}
    for place in _PRIVATE:
        linux.mount("tmpfs", place, "tmpfs", _QUIET, f"size={disk},nr_inodes={files},mode=1777")
    for path, number in held.items():
        os.makedirs(path, exist_ok=True)
        linux.mount(f"/proc/self/fd/{number}", path, flags=linux.MS_BIND | linux.MS_REC)
        os.close(number)
    os.mkdir(WORK)
    options = f"newinstance,ptmxmode=0666,mode=620,max={_TERMINALS}"
    linux.mount("devpts", "/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, options)
    linux.mount(f"{SHARED}/sessions/{session}", JUDGE, flags=linux.MS_BIND)
    linux.mount("none", JUDGE, flags=linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _QUIET)
    # It reads the same, and cannot be mapped as memory that no process counts as its own.
    linux.mount("/dev/full", "/dev/zero", flags=linux.MS_BIND)
    # A device can be written to all the same, but not its owner and mode, which are the host's.
    for name in _DEVICES:
        place = f"/dev/{name}"
        # What is set must stay set; the flags of statvfs are those of mount here.
        kept = os.statvfs(place).f_flag & (_QUIET | linux.MS_NOEXEC)
        linux.mount("none", place, flags=linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | kept)
    for place in (SHARED, "/proc"):
        linux.mount("tmpfs", place, "tmpfs", _QUIET | linux.MS_RDONLY, "size=4k,mode=555")


def bound_resources(memory: int, disk: int, seconds: float, processes: int) -> None:
    """Limits of each single process; the supervisor holds those of all together.

    `memory` bounds the bytes of data, `disk` those of a file, `seconds` the processor time, `processes` how many there
    are while the supervisor looks away.
    """
    for kind, bound in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 2**16),
        (resource.RLIMIT_SIGPENDING, _SIGNALS),
        (resource.RLIMIT_NPROC, processes + _PROCESSES_OF_OTHERS),
        (resource.RLIMIT_RTPRIO, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, disk),
        (resource.RLIMIT_DATA, memory),
        # The supervisor comes first; this is for the case that it cannot.
        (resource.RLIMIT_CPU, int(2 * seconds) + 10),
    ):
        _, hard = resource.getrlimit(kind)
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(kind, (bound, bound))


def give_up_powers() -> None:
    """No capabilities, no new privileges, and the system-call filter. Raises OSError."""
    linux.drop_capabilities()
    filter.apply()


def become_other_user(user: int) -> None:
    """In the place of namespaces: be `user`, with no capabilities, no new privileges, no sockets but Unix ones, and
    the system-call filter. Raises OSError."""
    users.become(user)
    filter.apply(families=(socket.AF_UNIX,))


def adopt_orphans() -> None:
    """Be the parent of what loses its own, so that it stays within the supervisor's account of the kernel."""
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent() -> None:
    """Be killed when the parent ends: for a kernel without walls, whose processes nothing else holds together."""
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)


def data_bytes() -> int:
    """Bytes of data of this process, as RLIMIT_DATA counts them."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmData:"))
