"""The system-call filter of a kernel: what no notebook needs, and attacks do, is refused with an error.

What is younger than NEWEST is not there at all. Locks of files, which would hold up or tell something to others who
read the same files, are taken by nobody: the call says that it went well. Names and numbers are those of the Linux
system-call tables; seccomp(2) and BPF as the kernel documents them.
"""

import ctypes
import errno
import fcntl
import mmap
import os
import platform
import socket
import struct
from collections.abc import Sequence

from inside import linux

# (architecture's audit number, {name: number}); a call by the numbers of any other architecture is refused.
_NEW = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_open": 434, "clone3": 435,
    "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447,
    "landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446,
    "process_mrelease": 448, "set_mempolicy_home_node": 450, "cachestat": 451,
}  # fmt: skip
NEWEST = 456  # futex_requeue, of Linux 6.7
TABLES = {
    "x86_64": (0xC000003E, _NEW | {
        "mincore": 27, "fsync": 74, "fdatasync": 75, "epoll_create": 213, "fadvise64": 221, "sync_file_range": 277,
        "vmsplice": 278, "epoll_create1": 291,
        "mmap": 9, "shmget": 29, "shmat": 30, "shmctl": 31, "socket": 41, "setsockopt": 54, "clone": 56, "semget": 64,
        "semop": 65, "semctl": 66, "fcntl": 72, "flock": 73, "sync": 162, "io_setup": 206, "inotify_init": 253,
        "inotify_add_watch": 254, "inotify_init1": 294, "fanotify_mark": 301, "syncfs": 306,
        "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "ptrace": 101, "syslog": 103, "uselib": 134,
        "personality": 135, "vhangup": 153, "modify_ldt": 154, "pivot_root": 155, "adjtimex": 159, "chroot": 161,
        "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169,
        "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "init_module": 175,
        "delete_module": 176, "quotactl": 179, "sched_setaffinity": 203, "lookup_dcookie": 212, "semtimedop": 220,
        "clock_settime": 227, "mbind": 237, "set_mempolicy": 238, "mq_open": 240, "kexec_load": 246, "add_key": 248,
        "request_key": 249, "keyctl": 250, "migrate_pages": 256, "unshare": 272, "move_pages": 279,
        "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303, "open_by_handle_at": 304,
        "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
        "finit_module": 313, "memfd_create": 319, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
    }),
    "aarch64": (0xC00000B7, _NEW | {
        "epoll_create1": 20, "vmsplice": 75, "fsync": 82, "fdatasync": 83, "sync_file_range": 84, "fadvise64": 223,
        "mincore": 232,
        "io_setup": 0, "lookup_dcookie": 18, "fcntl": 25, "inotify_init1": 26, "inotify_add_watch": 27, "flock": 32,
        "sync": 81, "fanotify_mark": 263, "syncfs": 267, "umount2": 39, "mount": 40, "pivot_root": 41,
        "chroot": 51, "vhangup": 58, "quotactl": 60, "acct": 89, "personality": 92, "unshare": 97, "kexec_load": 104,
        "init_module": 105,
        "delete_module": 106, "clock_settime": 112, "syslog": 116, "ptrace": 117, "sched_setaffinity": 122,
        "reboot": 142, "sethostname": 161, "setdomainname": 162, "settimeofday": 170, "adjtimex": 171, "mq_open": 180,
        "msgget": 186, "msgctl": 187, "msgrcv": 188, "msgsnd": 189, "semget": 190, "semctl": 191, "semtimedop": 192,
        "semop": 193, "shmget": 194, "shmctl": 195, "shmat": 196, "socket": 198, "setsockopt": 208,
        "add_key": 217, "request_key": 218,
        "keyctl": 219, "clone": 220, "mmap": 222, "swapon": 224, "swapoff": 225, "mbind": 235, "set_mempolicy": 237,
        "migrate_pages": 238, "move_pages": 239, "perf_event_open": 241, "fanotify_init": 262,
        "name_to_handle_at": 264, "open_by_handle_at": 265, "clock_adjtime": 266, "setns": 268,
        "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "finit_module": 273, "memfd_create": 279,
        "bpf": 280, "userfaultfd": 282, "kexec_file_load": 294,
    }),
}  # fmt: skip

# A socket of another family could reach past the network namespace (vsock) or into seldom used parts of the kernel.
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
NAMESPACES = (
    linux.CLONE_NEWNS
    | linux.CLONE_NEWCGROUP
    | linux.CLONE_NEWUTS
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWUSER
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWNET
)

# Memory that processes share without a file: nobody's table counts it where none of them touches it.
SHARED_MEMORY = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS

# What waits in a socket is in nobody's table, either: it stays at the size that the supervisor reckons with.
BUFFERS = (socket.SO_SNDBUF, 32)  # 32 is SO_SNDBUFFORCE
# Calls that do nothing and say that all went well, and commands of fcntl that do: they are about files that others
# have open as well, or about all files of the machine. What a kernel itself writes lies in memory.
FEIGNED = ("flock", "sync", "syncfs", "fsync", "fdatasync", "sync_file_range", "fadvise64")
FEIGNED_COMMANDS = (fcntl.F_SETLK, fcntl.F_SETLKW, 37, 38)  # the last two for locks of an open file
# A lease holds up others who open a file; a notice tells what others do; a large pipe is memory in nobody's table, as
# are pages that vmsplice puts into one, what epoll watches, and the rules of landlock.
REFUSED_COMMANDS = (fcntl.F_SETLEASE, fcntl.F_NOTIFY, fcntl.F_SETPIPE_SZ)
# Calls that are refused only with some arguments, or in another way.
LOOKED_INTO = ("clone", "clone3", "fcntl", "mmap", "setsockopt", "socket", *FEIGNED)

_LOAD, _AND, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, (16, 24, 32, 40)
_ALLOW = 0x7FFF0000
_X32 = 0x40000000


def _refuse(number: int) -> tuple[int, int, int, int]:
    return (_RETURN, 0, 0, 0x00050000 | number)


def program(machine: str, families: Sequence[int] = FAMILIES) -> list[tuple[int, int, int, int]]:
    """The filter for an architecture as BPF instructions (code, jump if true, jump if false, operand).

    Sockets are to be had of `families` alone.
    """
    audit, numbers = TABLES[machine]
    plain = sorted(number for name, number in numbers.items() if name not in LOOKED_INTO)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, audit),
        _refuse(errno.EPERM),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        _refuse(errno.EPERM),
        (_AT_LEAST, 0, 1, NEWEST + 1),
        _refuse(errno.ENOSYS),
        # With "no such call" the C library falls back on clone, whose flags can be looked at.
        (_EQUAL, 0, 1, numbers["clone3"]),
        _refuse(errno.ENOSYS),
    ]
    for number in plain:
        steps += [(_EQUAL, 0, 1, number), _refuse(errno.EPERM)]
    for name in FEIGNED:
        steps += [(_EQUAL, 0, 1, numbers[name]), _refuse(0)]
    commands = [(command, 0) for command in FEIGNED_COMMANDS]
    commands += [(command, errno.EPERM) for command in REFUSED_COMMANDS]
    steps += [(_EQUAL, 0, 2 * len(commands) + 2, numbers["fcntl"]), (_LOAD, 0, 0, _ARGUMENTS[1])]
    for command, answer in commands:
        steps += [(_EQUAL, 0, 1, command), _refuse(answer)]
    steps += [
        (_RETURN, 0, 0, _ALLOW),
        (_EQUAL, 0, 5, numbers["mmap"]),
        (_LOAD, 0, 0, _ARGUMENTS[3]),
        (_AND, 0, 0, SHARED_MEMORY),
        (_EQUAL, 0, 1, SHARED_MEMORY),
        _refuse(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
        (_EQUAL, 0, 7, numbers["setsockopt"]),
        (_LOAD, 0, 0, _ARGUMENTS[1]),
        (_EQUAL, 0, 4, socket.SOL_SOCKET),
        (_LOAD, 0, 0, _ARGUMENTS[2]),
        *((_EQUAL, len(BUFFERS) - 1 - place, place == len(BUFFERS) - 1, kind) for place, kind in enumerate(BUFFERS)),
        _refuse(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
        (_EQUAL, 0, 4, numbers["clone"]),
        (_LOAD, 0, 0, _ARGUMENTS[0]),
        (_ANY_BIT, 0, 1, NAMESPACES),
        _refuse(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
        (_EQUAL, 0, len(families) + 2, numbers["socket"]),
        (_LOAD, 0, 0, _ARGUMENTS[0]),
        *((_EQUAL, len(families) - place, 0, int(family)) for place, family in enumerate(families)),
        _refuse(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return steps


def is_available() -> bool:
    """Whether there is a filter for this machine's architecture."""
    return platform.machine() in TABLES


def apply(families: Sequence[int] = FAMILIES) -> None:
    """Filter this process and all that it starts, for good. Raises OSError if the kernel refuses."""
    steps = program(os.uname().machine, families)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    found = Program(len(steps), ctypes.addressof(code))
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.prctl(linux.PR_SET_SECCOMP, 2, ctypes.addressof(found))
