"""How late something is, and what that costs."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

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
        return f"late by {_duration(self.handed_in - self.due)} (due {shown(self.due)}): {begun}"


def lateness(late: Late, due: datetime, handed_in: datetime | None, left: int) -> Lateness:
    """How late it is; of the `left` free hours or days of the student it takes as many as it needs."""
    started = math.ceil((handed_in - due) / LENGTHS[late.every]) if handed_in and handed_in > due else 0
    return Lateness(due, handed_in, late.every, started, min(started, left))


def after_penalty(late: Late, how_late: Lateness, score: float, possible: float) -> float:
    """The points that are left of a score, of `possible` ones."""
    if late.until is not None and how_late.started > late.until:
        return 0.0
    lost = (how_late.started - how_late.free) * late.penalty.of(possible)
    lost = min(lost, late.most.of(possible)) if late.most else lost
    # Whoever has less than the least without being late keeps that.
    least = min(score, late.least.of(possible)) if late.least else 0.0
    return max(score - lost, least, 0.0)


def shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".rstrip()


def counted(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _duration(time: timedelta) -> str:
    minutes = math.ceil(time.total_seconds() / 60)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{count} {unit}" for count, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if count]
    return " ".join(parts[:2])
