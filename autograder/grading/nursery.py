"""The process that has imported the grader once, and is forked for each worker.

Over the socket that it is started with it is handed one end of a line for each worker, and ends when that closes. A
worker has a guard, its parent, which ends it when its line closes: at once, whatever it is doing, so that none
outlives the run or its time.
"""

import contextlib
import gc
import os
import resource
import select
import signal
import socket
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from autograder.errors import InputError, SandboxError
from autograder.sandbox.inside import linux

if TYPE_CHECKING:
    from autograder.grading.crews import Outcome, Work
    from autograder.grading.submissions import Submission
    from autograder.sandbox.zygote import Address


MOST_BYTES = 3 * 2**29  # of a worker's data, above what it is born with; honest notebooks need a tenth


def main(descriptor: int, assignment: str | None, niceness: int) -> None:
    """Fork a worker for each line that comes over the socket `descriptor`, until that closes."""
    linux.give_way(niceness)
    gc.disable()  # a third of the imports' time
    _import_grader(assignment)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # no one asks how a worker ended
    gc.freeze()  # what is never looked at again is never copied
    gc.enable()
    with socket.socket(fileno=descriptor) as orders:
        while True:
            data, lines, _, _ = socket.recv_fds(orders, 1, 1)
            if not data:
                break
            with contextlib.suppress(OSError):  # without a worker the line closes, and that is seen
                if os.fork() == 0:
                    orders.close()
                    _guard(lines[0])
            os.close(lines[0])


def _import_grader(assignment: str | None) -> None:
    """All that each worker would otherwise pay for itself."""
    import IPython.core.inputtransformer2  # noqa: F401  # reads written answers, which are no Python
    import nbformat
    import torch

    from autograder.assignments import exercises_of
    from autograder.grading import grade, regrade, run  # noqa: F401
    from autograder.sandbox.inside.uncompiled import defer_compiler

    defer_compiler()
    torch.set_num_threads(1)
    # Compiles its schema. nbformat says no types.
    nbformat.writes(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()]))  # type: ignore[no-untyped-call]
    if assignment:
        # What is wrong with an assignment is said by the worker that meets it.
        with contextlib.suppress(Exception):
            exercises_of(assignment)


def _guard(descriptor: int) -> None:
    """Fork the worker, and end it when its line closes. Never returns.

    A thread of the worker's own would wait where a single call into C holds Python's lock for hours.
    """
    guard = os.getpid()
    worker = os.fork()
    if worker == 0:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == guard:
            _work(descriptor)
        os._exit(1)
    with contextlib.suppress(OSError):  # it has ended
        held = os.pidfd_open(worker)
        watch = select.poll()
        watch.register(descriptor, select.POLLRDHUP)
        watch.register(held, select.POLLIN)
        watch.poll()
        signal.pidfd_send_signal(held, signal.SIGKILL)
    os._exit(0)


def _work(descriptor: int) -> None:
    """In a worker: what is to be done comes first, then one submission at a time. Never returns."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _bound_memory()
        line = Connection(descriptor)
        work, core = line.recv()
        os.sched_setaffinity(0, {core})
        while True:
            submission, address = line.recv()
            line.send(_outcome(work, submission, address))
    except (EOFError, OSError):
        pass
    finally:
        os._exit(1)


def _bound_memory() -> None:
    """Bound the data of this worker, whatever an answer talks the judge into: at the bound it is a MemoryError there,
    which is a verdict, and not the end of others on this machine."""
    with open("/proc/self/status") as status:
        held = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData:"))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (held + MOST_BYTES, hard))


def _outcome(work: "Work", submission: "Submission", address: "Address") -> "Outcome":
    """What `work` makes of a submission, or the fault: the submission's own, or that of this machine."""
    try:
        return work(submission, address)
    except (InputError, SandboxError) as error:
        return error
    except OSError as error:
        return SandboxError(f"{type(error).__name__}: {str(error)[:200]}")
    except Exception as error:
        # Whatever one notebook brings about, it costs no other its result.
        return InputError(
            f"{submission.path}: could not be graded ({type(error).__name__}: {str(error)[:200]!r}); "
            "look into the notebook for what provokes it"
        )
