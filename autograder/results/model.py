"""The result of grading: what results.json holds, one model a level."""

from importlib import metadata
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from autograder.judge.verdict import Verdict

Budget = Literal["smoke", "cpu", "gpu"]


def package_version() -> str:
    """The version of the package that grades; "" if it is used without having been installed."""
    try:
        return metadata.version("fixmelab-autograder")
    except metadata.PackageNotFoundError:
        return ""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExerciseResult(Model):
    """Verdict on one exercise. `message` is for the student; `mistake` names a known mistake, if it is one; `traceback`
    is for the author of a check that failed, and travels no further than to them."""

    id: str
    verdict: Verdict
    score: float
    max_score: float
    message: str = ""
    mistake: str | None = None
    traceback: str = Field(default="", exclude=True, repr=False)


class Repair(Model):
    """One thing that restoring the notebook had to mend. `confidence` lies in [0, 1]."""

    exercise: str | None
    how: Literal["id", "anchor", "name", "similarity", "source"]
    confidence: float
    what: str


class Conditions(Model):
    """What decides results beside the submissions, a digest for each part: the source notebook, the code that grades,
    the students' package, Python and the libraries, budget and limits and sandbox, the course's key, the check of each
    exercise by its name, and what the checks share."""

    source: str
    grader: str
    package: str
    library: str
    settings: str
    key: str
    shared: str
    checks: dict[str, str]


class SubmissionResult(Model):
    """Result of one submission. `score` and `max_score` count what is judged automatically;
    `manual_max_score` counts the points that a person gives. `canvas_id` is the student's number in Canvas, if the name
    of the file says it; `conditions` is the digest of those under which it was graded, "" if nothing noted them.
    `adjustments` are lines on what people changed of the points, which results.json does not hold."""

    student: str
    canvas_id: str = ""
    path: str
    digest: str
    score: float
    max_score: float
    manual_max_score: float
    exercises: list[ExerciseResult]
    repairs: list[Repair]
    conditions: str = ""
    adjustments: list[str] = Field(default=[], exclude=True)

    @property
    def waiting(self) -> float:
        """The points that a person has still to decide on: an answer that was not written gets none."""
        return sum(exercise.max_score for exercise in self.exercises if exercise.verdict == "manual")

    @property
    def has_fault(self) -> bool:
        """Whether a check failed whose points nobody has decided on: they are neither earned nor lost."""
        return any(item.verdict == "fault" and item.max_score > 0 and not item.score for item in self.exercises)


class RunResult(Model):
    """Results of one run of `autograder grade`, the same for the same submissions and settings: `digest` covers all
    that decides them but the submissions. `version` is the version of the package that graded, "" if it wrote none.
    `sandbox` says whether it was on. `ungraded` names the students whose turn had not come yet when this was
    written; once all have had theirs, it is not there. `conditions` are all under which a submission was graded, by
    their digests: of the run's own, and of earlier ones whose results stand beside."""

    assignment: str
    version: str = ""
    digest: str
    budget: Budget
    sandbox: bool
    submissions: list[SubmissionResult]
    ungraded: list[str] = []
    conditions: dict[str, Conditions] = {}


class Record(Model):
    """What is kept of one graded submission: its result, the seconds that it took, and the SHA-256 of the executed
    notebook, which is a file of its own.

    `executed` is the notebook's text, and "" once it is in its file; `is_known` says that it was there before this run.
    """

    result: SubmissionResult
    seconds: float
    executed: str = Field(default="", exclude=True)
    executed_digest: str = ""
    is_known: bool = Field(default=False, exclude=True)
