"""Processes that grade: forks, so that an attack on the grader ends one of them, and nothing else."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.errors import InputError
from autograder.grading.grade import grade
from autograder.grading.grading import Grading
from autograder.grading.submissions import Submission, find_submissions
from autograder.results.model import SubmissionResult
from autograder.sandbox.zygote import Address

# An attack that takes longer has brought the grader to a stop.
MOST_SECONDS = 600.0


@dataclass
class Graded:
    """What came out of one process that graded: results, executed notebooks, lines on problems."""

    results: list[SubmissionResult] = field(default_factory=list)
    notebooks: list[NotebookNode] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    fault: str = ""


@dataclass
class Grader:
    """A fork of this process that grades, and the pipe on which it tells what came out."""

    process: BaseProcess
    pipe: Connection
    deadline: float


def start(work: Callable[..., Graded], *arguments: Any) -> Grader:
    """Begin `work(*arguments)` in a fork."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, work, *arguments))
    process.start()
    theirs.close()
    return Grader(process, ours, time.monotonic() + MOST_SECONDS)


def finish(started: Grader) -> Graded:
    """Wait for what came out; a grader that takes too long, or dies, is a fault."""
    try:
        if not started.pipe.poll(max(started.deadline - time.monotonic(), 0)):
            return Graded(fault=f"it was not done after {MOST_SECONDS:g} s")
        graded: Graded = started.pipe.recv()
        return graded
    except EOFError:
        started.process.join()
        return Graded(fault=f"its process ended with code {started.process.exitcode}")
    finally:
        started.process.kill()
        started.process.join()
        started.pipe.close()


def _work(pipe: Connection, work: Callable[..., Graded], *arguments: Any) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        graded = work(*arguments)
    except Exception as error:
        graded = Graded(fault=f"{type(error).__name__}: {str(error)[:300]}")
    pipe.send(graded)
    pipe.close()


def grade_submissions(grading: Grading, submissions: list[Submission], zygote: Address) -> Graded:
    """Grade as the workers of a run do, one after the other."""
    graded = Graded()
    for submission in submissions:
        try:
            result, notebook = grade(grading, submission, zygote)
        except InputError as error:
            graded.problems.append(str(error))
        else:
            graded.results.append(result)
            graded.notebooks.append(notebook)
    return graded


def grade_archive(
    grading: Grading, build: Callable[[Path, bytes], None], folder: Path, notebook: bytes, zygote: Address
) -> Graded:
    """Let `build` put files into `folder`, and grade whatever lies there."""
    build(folder, notebook)
    submissions, problems = find_submissions(grading.assignment, sorted(folder.iterdir()))
    graded = grade_submissions(grading, submissions, zygote)
    graded.problems += problems
    return graded
