"""The result of grading: what results.json holds, one model a level."""

from importlib import metadata
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from autograder.judge.verdict import Finding, Verdict

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
    is for the author of a check that failed, and travels no further than to them. `is_marked` says that a person gave
    the points, and `comment` is what they wrote; `judged` is the share of the points, in [0, 1], that it had before
    people adjusted any, None if they adjusted none; results.json holds none of these. `conditions` is the digest of
    those under which it was judged, and there only if they are not the submission's."""

    id: str
    verdict: Verdict
    score: float
    max_score: float
    message: str = ""
    mistake: str | None = None
    traceback: str = Field(default="", exclude=True, repr=False)
    is_marked: bool = Field(default=False, exclude=True)
    comment: str = Field(default="", exclude=True)
    judged: float | None = Field(default=None, exclude=True)
    conditions: str = ""

    @model_serializer(mode="wrap")
    def _unless_they_are_the_submissions(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        if not self.conditions:
            data.pop("conditions", None)
        return data

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided on its points: a person has still to grade it, or its check failed."""
        return self.verdict in ("manual", "fault") and not self.score and not self.is_marked


class Repair(Model):
    """One thing that restoring the notebook had to mend. `confidence` lies in [0, 1]."""

    exercise: str | None
    how: Literal["id", "anchor", "name", "similarity", "source"]
    confidence: float
    what: str


class Basis(Model):
    """What decides one verdict beside the bytes of the submission, a digest for each part: the code that is executed,
    the check's own module, what that imports, and the parts of the `Conditions` that are common to all exercises."""

    source: str
    check: str
    shared: str
    grader: str
    package: str
    library: str
    settings: str
    key: str


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

    def basis(self, exercise: str) -> Basis:
        """What of them decides the verdict on one exercise, by its name."""
        return Basis(**self.model_dump(exclude={"checks"}), check=self.checks.get(exercise, ""))


class SubmissionResult(Model):
    """Result of one submission. `score` and `max_score` count what is judged automatically;
    `manual_max_score` counts the points that a person gives. `account` is the student's on a learning platform, as in
    "canvas 12345", if the name of the file says it; `submitted` is when the platform says that this was handed in, in
    ISO 8601 and perhaps without a zone, "" if it does not. `conditions` is the digest of those under which it was
    graded, "" if nothing noted them.

    What people decide about points is not in results.json: `has_marks` says that their marks are in the scores,
    `adjustments` are lines on what they changed, `late` is how late it is in words, `excused` is why it does not count,
    `groups` are those that the student is in.
    """

    student: str
    account: str = ""
    submitted: str = ""
    path: str
    digest: str
    score: float
    max_score: float
    manual_max_score: float
    exercises: list[ExerciseResult]
    repairs: list[Repair]
    conditions: str = ""
    adjustments: list[str] = Field(default=[], exclude=True)
    has_marks: bool = Field(default=False, exclude=True)
    late: str = Field(default="", exclude=True)
    excused: str = Field(default="", exclude=True)
    groups: list[str] = Field(default=[], exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _with_account(cls, data: Any) -> Any:
        """Results of version 0.2 know Canvas's number alone."""
        if isinstance(data, dict) and "canvas_id" in data:
            number = data["canvas_id"]
            rest = {key: value for key, value in data.items() if key != "canvas_id"}
            return rest | ({"account": f"canvas {number}"} if number else {})
        return data

    def number_in(self, platform: str) -> str:
        """The student's number on a platform, "" if it is not known."""
        name, _, number = self.account.rpartition(" ")
        return number if name == platform else ""

    @property
    def all_conditions(self) -> set[str]:
        """The digests of those under which any of its exercises was judged."""
        return {self.conditions, *(item.conditions for item in self.exercises if item.conditions)}

    @property
    def waiting(self) -> float:
        """The points that a person has still to decide on: an answer that was not written gets none."""
        return sum(item.max_score for item in self.exercises if item.verdict == "manual" and not item.is_marked)

    @property
    def has_fault(self) -> bool:
        """Whether a check failed whose points nobody has decided on: they are neither earned nor lost."""
        return any(item.verdict == "fault" and item.max_score > 0 and item.is_open for item in self.exercises)


class RunResult(Model):
    """Results of one run of `autograder grade`, the same for the same submissions and settings: `digest` covers all
    that decides them but the submissions. `version` is the version of the package that graded, "" if it wrote none.
    `sandbox` says whether it was on. `ungraded` names the students whose turn had not come yet when this was
    written; once all have had theirs, it is not there. Nor is `refused` then: the digest of each submission, by
    student, that cannot be graded, so that nobody waits for it. `conditions` are all under which a submission was
    graded, by their digests: of the run's own, and of earlier ones whose results stand beside."""

    assignment: str
    version: str = ""
    digest: str
    budget: Budget
    sandbox: bool
    submissions: list[SubmissionResult]
    ungraded: list[str] = []
    refused: dict[str, str] = {}
    conditions: dict[str, Conditions] = {}


class Judged(Model):
    """A verdict that is kept: what was found before anything was said of other exercises, what it rests on, and the
    digest of the conditions under which it was judged, or would be judged in the same way."""

    finding: Finding
    basis: Basis
    conditions: str


class Record(Model):
    """What is kept of one graded submission: its result, the seconds that it took, the SHA-256 of the executed
    notebook, which is a file of its own, and the verdicts by name of the exercise, but for faults.

    `executed` is the notebook's text, and "" once it is in its file. `anew` tells of the exercises that were judged in
    this run why that was, in words: nothing for one of which no verdict was kept.
    """

    result: SubmissionResult
    seconds: float
    executed: str = Field(default="", exclude=True)
    executed_digest: str = ""
    judged: dict[str, Judged] = {}
    anew: dict[str, tuple[str, ...]] = Field(default={}, exclude=True)

    @property
    def is_known(self) -> bool:
        """Whether all of its verdicts were there before this run."""
        return not self.anew
