"""What an archive is told when it is made, and finds again in Gradescope's container."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from autograder.gradescope.form import Visibility


class Settings(BaseModel):
    """settings.json of an archive. `minutes` is the time that Gradescope gives, `limits` are as in `--limit`;
    `max_score` is what can be earned automatically; `names` are those of the course's assignments, which course.toml
    may speak of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    assignment: str
    visibility: Visibility = "visible"
    minutes: int = Field(default=10, ge=3, le=40)
    limits: list[str] = []
    max_score: float
    names: list[str] = []


@dataclass(frozen=True)
class Layout:
    """Where things lie in the container: `root` is /autograder, `place` what setup.sh has made."""

    root: Path
    place: Path

    @property
    def source(self) -> Path:
        return self.root / "source"

    @property
    def metadata(self) -> Path:
        """What Gradescope says of the submission: who, and when."""
        return self.root / "submission_metadata.json"

    @property
    def submission(self) -> Path:
        return self.root / "submission"

    @property
    def results(self) -> Path:
        return self.root / "results" / "results.json"

    @property
    def user(self) -> int:
        """The number of the user whom students' code belongs to where there are no namespaces."""
        return int((self.place / "user").read_text())

    def settings(self) -> Settings:
        return Settings.model_validate_json((self.source / "settings.json").read_bytes())
