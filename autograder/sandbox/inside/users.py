"""Another user for the student's code, where namespaces are forbidden: becoming it, and ending all that it runs.

Both sides use it: the zygote, and the grader, which imports it as autograder.sandbox.inside.users.
"""

import contextlib
import os
import signal
import time

# SIGKILL takes effect at once, but for a process that waits for a disk.
END_SECONDS = 20.0


def become(user: int) -> None:
    """Be `user` for good, with the group of the same number and no other; capabilities go with it. Raises OSError."""
    if user <= 0:
        raise OSError(f"{user} is no other user than root")
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def processes_of(user: int) -> list[int]:
    """Processes that run as `user`. Not by the owner of /proc/PID, which is root for one that has changed its user."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):  # it has ended
                if _real_user(int(name)) == user:
                    found.append(int(name))
    return found


def end_all_of(user: int) -> None:
    """Kill every process of `user`, however fast they multiply or fight back, and nobody else's. Raises OSError where
    one is left.

    That a list of processes names none proves nothing: one that is forked anew all the time is on no list. One
    kill(-1) that has come to its end does, since it meets all there are, and none of them can fork any more.
    """
    if user <= 0:
        raise OSError(f"the processes of user {user} are not to be ended")
    deadline = time.monotonic() + END_SECONDS
    is_done = False
    while not is_done or processes_of(user):
        if time.monotonic() > deadline:
            raise OSError(f"processes of user {user} cannot be ended")
        is_done = _kill_as(user) or is_done
        # By root, whom none of them can stop or kill first.
        for pid in processes_of(user):
            _end(pid, user)
        time.sleep(0.005)


def _kill_as(user: int) -> bool:
    """Send SIGKILL to all that `user` may signal, as that user. Whether it came to that: they may kill or stop it."""
    killer = os.fork()
    if killer == 0:
        code = 1
        try:
            become(user)
            # A sender may signal whoever has its real or its effective user, and everybody with the power to.
            if os.getresuid() == (user, user, user) and _has_no_powers():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
                code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(killer, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        os.kill(killer, signal.SIGKILL)
        _, status = os.waitpid(killer, 0)
    return os.waitstatus_to_exitcode(status) == 0


def _end(pid: int, user: int) -> None:
    """Kill the process `pid` if it is still one of `user`: its number may be another's by now."""
    with contextlib.suppress(OSError):
        held = os.pidfd_open(pid)
        try:
            if _real_user(pid) == user:
                signal.pidfd_send_signal(held, signal.SIGKILL)
        finally:
            os.close(held)


def _real_user(pid: int) -> int | None:
    """The real user of a process that runs; None for one that has ended. Raises OSError if it is gone."""
    with open(f"/proc/{pid}/status", "rb") as file:
        lines = dict(line.split(b":", 1) for line in file if b":" in line)
    return None if lines[b"State"].split()[0] in (b"Z", b"X") else int(lines[b"Uid"].split()[0])


def _has_no_powers() -> bool:
    """Whether this process is without effective capabilities."""
    with open("/proc/self/status", "rb") as file:
        return any(line.split() == [b"CapEff:", b"0" * 16] for line in file)
