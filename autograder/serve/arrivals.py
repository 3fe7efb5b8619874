"""How many submissions came when, as bars of equal length in time."""

from datetime import datetime, tzinfo

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from autograder.serve.tables import Submission

MOST_BARS = 72
LENGTHS = {  # in seconds, and as people call them
    300.0: "five minutes",
    900.0: "a quarter of an hour",
    3600.0: "an hour",
    6 * 3600.0: "six hours",
    86400.0: "a day",
    7 * 86400.0: "a week",
}


class Arrivals(BaseModel):
    """Submissions from the first to now: bars of so many `seconds`, the first of which begins at `since`, and how many
    came in each. `each` is the length in words. No bars if nothing has come."""

    since: float
    seconds: float
    each: str
    counts: list[int]

    def place(self, at: datetime | None) -> float | None:
        """Where a moment lies on the axis, in bars from its begin; None if it does not."""
        found = (at.timestamp() - self.since) / self.seconds if at and self.counts else -1.0
        return found if 0 <= found <= len(self.counts) else None


def arrivals(session: Session, assignment: str, now: float, zone: tzinfo) -> Arrivals:
    """The shortest bars of which not too many are needed; they begin at midnight of the first day in `zone`, plus whole
    lengths."""
    times = session.scalars(select(Submission.received_at).where(Submission.assignment == assignment)).all()
    first, last = min(times, default=now), max([now, *times])
    midnight = datetime.fromtimestamp(first, zone).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    for seconds in LENGTHS:
        since = midnight + (first - midnight) // seconds * seconds
        bars = int((last - since) // seconds) + 1
        if bars <= MOST_BARS:
            break
    counts = [0] * bars if times else []
    for at in times:
        counts[int((at - since) // seconds)] += 1
    return Arrivals(since=since, seconds=seconds, each=LENGTHS[seconds], counts=counts)
