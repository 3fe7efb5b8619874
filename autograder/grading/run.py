"""Grades many submissions, in worker processes of this machine, and writes down what came out."""

import hashlib
import json
import multiprocessing
import os
import re
import secrets
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import nbformat
import torch
from nbformat import NotebookNode

from autograder import course
from autograder.errors import InputError, SandboxError
from autograder.grading.grade import grade
from autograder.grading.result import Budget, RunResult, SubmissionResult
from autograder.grading.submissions import Submission
from autograder.judge.exercise import Exercise
from autograder.sandbox.kernel import Limits
from autograder.sandbox.layers import require_sandbox

KEY_BYTES = 32
KEY_VARIABLE = "FIXMELAB_KEY_FILE"

Graded = tuple[SubmissionResult, NotebookNode] | InputError
Work = Callable[[Submission], Graded]


def grade_all(
    assignment: str,
    submissions: Iterable[Submission],
    *,
    key: bytes,
    budget: Budget,
    jobs: int = 1,
    sandbox: bool = True,
    limits: Limits | None = None,
    exercises: Mapping[str, Exercise] | None = None,
    on_result: Callable[[SubmissionResult, NotebookNode], None] = lambda result, notebook: None,
    on_problem: Callable[[str], None] | None = None,
) -> list[SubmissionResult]:
    """Grade submissions in `jobs` processes. Results come back sorted by student, whatever the order and `jobs`.
    `exercises` holds the checks by id, those of the assignment where they are not given.

    `on_result` is called in this process as each is ready, with its result and executed notebook; `on_problem` with
    the line on a submission that cannot be graded, for example of another assignment, and the rest goes on. A
    submission whose worker died is tried once more in a process of its own.

    Raises InputError for an unknown or unbuilt assignment, and for such a submission where there is no
    `on_problem`; SandboxError where the sandbox does not work or a worker died twice.
    """
    if sandbox:
        require_sandbox()
    work = partial(
        _grade_one,
        course.read_source(course.require_assignment(assignment)),
        assignment,
        key=key,
        budget=budget,
        sandbox=sandbox,
        limits=limits,
        exercises=exercises,
        others=_other_sources(assignment),
    )
    results = []
    for graded in _in_processes(work, deque(submissions), max(jobs, 1)):
        if not isinstance(graded, InputError):
            results.append(graded[0])
            on_result(*graded)
        elif on_problem is None:
            raise graded
        else:
            on_problem(str(graded))
    return sorted(results, key=lambda result: (result.student, result.path))


def _other_sources(assignment: str) -> dict[str, NotebookNode]:
    names = [name for name in course.assignment_names() if name != assignment and course.source_path(name).exists()]
    return {name: course.read_source(name) for name in names}


def run_digest(assignment: str) -> str:
    """SHA-256 over what decides a result beside the submission: the source notebook and the assignment's code."""
    folder = course.ROOT / "autograder" / "assignments" / assignment
    digest = hashlib.sha256()
    for path in [course.source_path(assignment), *sorted(folder.rglob("*.py"))]:
        data = path.read_bytes()
        digest.update(f"{path.relative_to(course.ROOT).as_posix()}\n{len(data)}\n".encode() + data)
    return digest.hexdigest()


# Workers


def _grade_one(source: NotebookNode, assignment: str, submission: Submission, **options: object) -> Graded:
    named = {"assignment": assignment, "student": submission.student, "path": submission.path}
    try:
        return grade(source, submission.data, **named, **options)
    except InputError as error:
        return error
    except SandboxError:
        raise
    except Exception as error:
        # Whatever one notebook brings about, it costs no other its result.
        return InputError(
            f"{submission.path}: could not be graded ({type(error).__name__}: {str(error)[:200]!r}); "
            "look into the notebook for what provokes it"
        )


def _pool(jobs: int) -> ProcessPoolExecutor:
    """Workers forked from a server that has imported the grader, and torch with it, once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([grade.__module__])
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin_worker)


def _begin_worker() -> None:
    # Ctrl-C ends a worker at once, and its sandbox with it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    torch.set_num_threads(1)


def _in_processes(work: Work, waiting: deque[Submission], jobs: int) -> Iterable[Graded]:
    """Yield what `work` makes of each submission, as it is ready."""
    while waiting:
        running: dict[Future[Graded], Submission] = {}
        pool = _pool(min(jobs, len(waiting)))
        try:
            # No more at a time than there are workers: when one dies, the culprit is among these few.
            while waiting or running:
                while waiting and len(running) < jobs:
                    future = pool.submit(work, waiting[0])
                    running[future] = waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    graded = future.result()
                    del running[future]
                    yield graded
        except BrokenProcessPool:
            for submission in running.values():
                yield _alone(work, submission)
        finally:
            pool.shutdown(cancel_futures=True)


def _alone(work: Work, submission: Submission) -> Graded:
    with _pool(1) as pool:
        try:
            return pool.submit(work, submission).result()
        except BrokenProcessPool:
            raise SandboxError(
                f"{submission.path}: the worker that graded it died twice (is memory exhausted?): nothing is recorded"
            ) from None


# The course's key


def course_key(path: Path | None = None) -> bytes:
    """The course's secret key, from which the inputs of checks are drawn: 32 random bytes.

    It stands in `path`, else in the file that FIXMELAB_KEY_FILE names, else in course.key at the repository's root,
    which is made where it is missing. Raises InputError where the file cannot be read or holds fewer bytes.
    """
    named = path or os.environ.get(KEY_VARIABLE)
    file = Path(named) if named else course.ROOT / "course.key"
    try:
        if not named and not file.exists():
            _make_key(file)
        key = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: the course's key cannot be read ({error.strerror}): mend {KEY_VARIABLE}") from None
    if len(key) < KEY_BYTES:
        raise InputError(
            f"{file}: the course's key has {len(key)} bytes, not {KEY_BYTES}: restore it, or make a new one"
        )
    return key


def _make_key(file: Path) -> None:
    """Make a key that only its owner can read; where two do so at once, both use the one that was first."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".course.key-")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_bytes(KEY_BYTES))
        os.link(temporary, file)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)


# What is written


def prepare_output(out: Path) -> None:
    """Make sure before the work that its results can be kept: raises InputError where `out` cannot be written to."""
    _write(out / ".writable", "")
    (out / ".writable").unlink()


def write_run(out: Path, run: RunResult, notebooks: Mapping[str, NotebookNode]) -> Path:
    """Write OUT/results.json, and OUT/executed/STUDENT.ipynb for each executed notebook, by student.

    Each file appears complete or not at all. Returns the path of results.json. Raises InputError where `out` cannot
    be written to.
    """
    ordered = run.model_copy(
        update={"submissions": sorted(run.submissions, key=lambda item: (item.student, item.path))}
    )
    for student, notebook in notebooks.items():
        _write(notebook_path(out, student), nbformat.writes(notebook))
    results = json.dumps(ordered.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    return _write(out / "results.json", results)


def write_report(out: Path, html: str) -> Path:
    """Write OUT/report.html, complete or not at all. Raises InputError where `out` cannot be written to."""
    return _write(out / "report.html", html)


def notebook_path(out: Path, student: str) -> Path:
    """Where `write_run` puts the executed notebook of a student. Never outside `out`, whatever the name."""
    name = re.sub(r"[^\w .@+-]", "_", student).strip(". ") or "unnamed"
    if name != student:
        name = f"{name}-{hashlib.sha256(student.encode('utf-8', 'replace')).hexdigest()[:8]}"
    return out / "executed" / f"{name}.ipynb"


def _write(path: Path, text: str) -> Path:
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # The kernel may have sent lone surrogates, which no file can hold.
            temporary.write_text(text, encoding="utf-8", errors="replace")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give another folder with --out") from None
    return path
