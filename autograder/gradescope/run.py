"""`run_autograder`: has the submission graded in a process of its own, and sees to it that this ends, and to the end.

results.json has been there before this began, as "not graded"; it is replaced once, by what the grader writes or, where
that failed or took too long, by a line that says so.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from autograder.gradescope.form import NOT_GRADED, refused
from autograder.gradescope.settings import Layout
from autograder.results import files
from autograder.sandbox.inside import users

# What is left of Gradescope's time when the grader is ended.
LAST_SECONDS = 30
TOO_LATE = (
    "The autograder ran out of time, so nothing is known about this notebook. Does it train where it should not, "
    "or wait for something? If not, tell the course staff."
)
# Where a user's processes can leave files beside the folders that the grader makes.
WRITABLE = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock")


def main(root: str, place: str) -> None:
    """Grade what lies in ROOT/submission. Always returns; says on standard output, for the staff, what went wrong."""
    layout = Layout(Path(root), Path(place))
    settings = layout.settings()
    _shut(layout)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    seconds = 60 * settings.minutes - LAST_SECONDS
    command = [sys.executable, "-B", "-m", "autograder.gradescope.container", root, place, str(seconds)]
    grader = subprocess.Popen(command, start_new_session=True, stdin=subprocess.DEVNULL)
    reason = ""
    try:
        if grader.wait(seconds) != 0:
            reason = NOT_GRADED
            print(f"The grader ended with exit code {grader.returncode}.")
    except subprocess.TimeoutExpired:
        reason = TOO_LATE
        print(f"The grader was ended after {seconds} s; --minutes says how long Gradescope waits.")
    finally:
        _end(grader, layout.user)
    if reason:
        files.write(layout.results, json.dumps(refused([reason], settings.max_score), indent=1) + "\n")


def _shut(layout: Layout) -> None:
    """Nothing of /autograder is for others."""
    for path in (layout.root, *layout.root.iterdir()):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o770)


def _end(grader: subprocess.Popen, user: int) -> None:
    """End the grader, whose own processes end with it, and what runs or lies about of the students' user."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(grader.pid, signal.SIGKILL)
    grader.wait()
    with contextlib.suppress(OSError):
        users.end_all_of(user)
    places = [place for place in WRITABLE if os.path.isdir(place)]
    # Not in folders that the user cannot enter, of which others may have left large ones.
    entered = f"( -perm -o=x -o -uid {user} -o -gid {user} )"
    look = f"-xdev -type d ! {entered} -prune -o -uid {user} -exec rm -rf --one-file-system -- {{}} +"
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            ["find", *places, *look.split()],
            stderr=subprocess.DEVNULL,
            timeout=LAST_SECONDS / 2,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
