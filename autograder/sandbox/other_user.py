"""Whether the student's code can be held by being another user's, where bubblewrap cannot make namespaces."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox.inside import users


def require_other_user(user: int, private: Iterable[Path]) -> None:
    """Raise SandboxError unless `user` is one that nobody else uses, who can run Python and nothing of `private`.

    Each path of `private` is tried by a process of that user: it must be able neither to read, nor to write, nor to
    enter it.
    """
    if os.geteuid() != 0:
        raise SandboxError("the student's code cannot be another user's: the grader is not run by root")
    if user <= 0:
        raise SandboxError(f"user {user} cannot be the one of the student's code: it has to be another than root")
    if users.processes_of(user):
        raise SandboxError(f"user {user} runs something already: the student's code needs one of its own")
    open_to_it = _tried(user, [str(path) for path in private])
    if open_to_it:
        raise SandboxError(f"user {user}, the one of the student's code, {open_to_it}")


def _tried(user: int, private: list[str]) -> str:
    """What is wrong, as a process of `user` sees it; nothing where all is well."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            users.become(user)
            reached = [path for path in private if any(os.access(path, way) for way in (os.R_OK, os.W_OK, os.X_OK))]
            problem = f"can reach {reached[0]}" if reached else ""
            if not os.access(sys.executable, os.X_OK) or not os.access(os.__file__, os.R_OK):
                problem = f"cannot read {sys.executable} or its library: install Python where everybody can"
            os.write(write, f"ok {problem}".encode()[:1000])
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as file:
        answer = file.read().decode("utf-8", "replace")
    os.waitpid(child, 0)
    return answer[3:] if answer.startswith("ok ") else "cannot be become here"
