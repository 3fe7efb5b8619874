"""How late something is, and what that costs."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from autograder.points.course_file import Late

LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True)
class Lateness:
    """How late a submission is: `started` hours or days have begun since it was due, of which the `free` cost nothing.
    `handed_in` is None if nobody knows."""

    due: datetime
    handed_in: datetime | None
    unit: str
    started: int = 0
    free: int = 0

    @property
    def units(self) -> str:
        """How late it is, as a spreadsheet shows it: "no", "unknown", "2 days"."""
        return "unknown" if self.handed_in is None else counted(self.started, self.unit) if self.started else "no"

    def __str__(self) -> str:
        assert self.handed_in is not None
        free = f", {self.free} of them free" if 0 < self.free < self.started else ""
        free = ", which the student's free ones cover" if self.free == self.started else free
        begun = f"{counted(self.started, self.unit)} begun{free}"
        return f"late by {_duration(_between(self.due, self.handed_in))} (due {shown(self.due)}): {begun}"


def lateness(late: Late, due: datetime, handed_in: datetime | None, left: int) -> Lateness:
    """How late it is; of the `left` free hours or days of the student it takes as many as it needs, and
    none if it is so late that it counts for nothing."""
    time = _between(due, handed_in) if handed_in else timedelta()
    started = max(math.ceil(time / LENGTHS[late.every]), 0)
    if _is_worthless(late, started):
        left = 0
    return Lateness(due, handed_in, late.every, started, min(started, left))


def after_penalty(late: Late, how_late: Lateness, score: float, possible: float) -> float:
    """The points that are left of a score, of `possible` ones."""
    if _is_worthless(late, how_late.started):
        return 0.0
    lost = (how_late.started - how_late.free) * late.penalty.of(possible)
    lost = min(lost, late.most.of(possible)) if late.most else lost
    # Whoever has less than the least without being late keeps that.
    least = min(score, late.least.of(possible)) if late.least else 0.0
    return max(score - lost, least, 0.0)


def _is_worthless(late: Late, started: int) -> bool:
    return late.until is not None and started > late.until


def _between(one: datetime, other: datetime) -> timedelta:
    """The time that passes: two clocks of one zone differ by an hour more or less when daylight saving changes."""
    return other.astimezone(timezone.utc) - one.astimezone(timezone.utc)


def shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".rstrip()


def counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _duration(time: timedelta) -> str:
    minutes = math.ceil(time.total_seconds() / 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(parts[:2])
