"""What a Dask worker does for a run: it says what it would grade by, takes the work over a line of its own, and grades.

The scheduler never sees the work, which holds the course's key: no task, and nothing that Dask logs, shows or spills to
disk, has it in it.
"""

import asyncio
import contextlib
import pickle
from typing import TYPE_CHECKING, Any

from distributed import Status, Worker, WorkerPlugin, get_worker
from distributed.comm import Comm

from autograder.errors import SandboxError
from autograder.grading.crews import CrewError, Outcome, Work
from autograder.grading.digest import conditions_of, library_versions
from autograder.grading.grading import Grading
from autograder.grading.loaded import require_code_as_loaded
from autograder.grading.workers import Crew

if TYPE_CHECKING:
    from autograder.grading.submissions import Submission


def about(grading: Grading) -> dict[str, Any]:
    """What decides results in this process, as it lies on its disk: conditions, but for the key, and versions."""
    return {"conditions": conditions_of(grading).model_dump(), "libraries": library_versions()}


def graded(name: str, submission: "Submission") -> tuple[str, Outcome]:
    """A task: the address of the worker, and what the run called `name` makes of a submission there."""
    worker = get_worker()
    grades = worker.plugins.get(name)
    return worker.address, grades.outcome(submission) if isinstance(grades, Grades) else CrewError("the run has ended")


class Grades(WorkerPlugin):
    """A worker process's nursery and zygote, for the run called `name`.

    They are there while the line is open that the run's process has opened to them, and end with it or the worker.
    Dask logs what comes with the name of an operation, if it is told to log all; what a line brings later it does not.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._crew: Crew | None = None
        self._work: Work | None = None

    def __reduce__(self) -> tuple[type["Grades"], tuple[str]]:
        return Grades, (self.name,)

    def setup(self, worker: Worker) -> None:
        self._worker = worker
        worker.handlers[self.name] = self.serve

    def teardown(self, worker: Worker) -> None:
        worker.handlers.pop(self.name, None)
        crew, self._crew, self._work = self._crew, None, None
        if crew:
            crew.__exit__()

    async def serve(self, comm: Comm, grading: bytes) -> Status:
        """One line, until the other end closes it."""
        try:
            bare = pickle.loads(grading)
            await asyncio.to_thread(require_code_as_loaded)
            await comm.write(await asyncio.to_thread(about, bare))
            order = await comm.read()  # which does not come if this worker is refused
            self._work, self._seconds = pickle.loads(order["work"])
            crew = Crew(
                bare.assignment,
                jobs=self._worker.state.nthreads,
                sandbox=bare.sandbox,
                first_core=order["first_core"],
            )
            self._crew = crew.__enter__()
            await comm.write({"is_ready": True})
            await comm.read()
        except OSError:
            pass  # the line is closed
        except Exception as error:
            with contextlib.suppress(OSError):
                await comm.write({"refused": str(error) or type(error).__name__})
        finally:
            if self._worker.plugins.get(self.name) is self:
                await self._worker.plugin_remove(self.name)
        return Status.dont_reply

    def outcome(self, submission: "Submission") -> Outcome:
        """What comes of a submission; called in the worker's threads."""
        crew, work = self._crew, self._work
        if crew is None or work is None:
            return CrewError("the run has ended")
        try:
            return next(outcome for _, outcome in crew.outcomes(work, [submission], self._seconds))
        except SandboxError as error:
            return error
