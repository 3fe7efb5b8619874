"""results.json as Gradescope documents it (readthedocs: gradescope-autograders, "Autograder Specifications")."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, FiniteFloat, model_validator

Visibility = Literal["hidden", "after_due_date", "after_published", "visible"]
Format = Literal["text", "simple_format", "html", "md", "ansi"]


class _Documented(BaseModel):
    """Nothing that the documentation does not name; numbers are numbers."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Test(_Documented):
    __test__ = False

    score: FiniteFloat | None = None
    max_score: FiniteFloat | None = None
    status: Literal["passed", "failed"] | None = None
    name: str | None = None
    name_format: Format | None = None
    number: str | None = None
    output: str | None = None
    output_format: Format | None = None
    tags: list[str] | None = None
    visibility: Visibility | None = None
    extra_data: dict | None = None


class Rank(_Documented):
    name: str
    value: FiniteFloat | str
    order: Literal["asc", "desc"] | None = None


class Results(_Documented):
    score: FiniteFloat | None = None
    execution_time: FiniteFloat | None = None
    output: str | None = None
    output_format: Format | None = None
    test_output_format: Format | None = None
    test_name_format: Format | None = None
    visibility: Visibility | None = None
    stdout_visibility: Visibility | None = None
    extra_data: dict | None = None
    tests: list[Test] | None = None
    leaderboard: list[Rank] | None = None

    @model_validator(mode="after")
    def has_a_score(self) -> "Results":
        if self.score is None and not any(test.score is not None for test in self.tests or []):
            raise ValueError("a score is required, on top or with a test")
        return self
