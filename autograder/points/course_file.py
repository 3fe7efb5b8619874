"""course.toml, beside course.key: due dates, late work, extensions, excuses, groups, weights, which attempt counts, how
much messages tell, and what `autograder serve` lets students do."""

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from autograder import course
from autograder.errors import InputError
from autograder.results.text import one_line
from autograder.toml import tomllib

NAME = "course.toml"
GROUP = "@"  # before the name of a group, where a student's may stand
Attempt = Literal["last", "last before due", "first", "best"]
Told = Literal["nothing", "verdict", "message", "hint"]  # "hint" is message and hint
Messages = Literal["full", "plain"]  # plain ones do not say which slip gives an answer's numbers

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


@dataclass(frozen=True)
class Amount:
    """Points, or a share of those that there are to earn."""

    value: float
    is_share: bool = False

    def of(self, possible: float) -> float:
        return self.value * possible if self.is_share else self.value


def _amount(given: object) -> Amount:
    number = given.strip() if isinstance(given, str) else ""
    if number.endswith("%") and re.fullmatch(r"\d{1,3}(\.\d+)?\s*", number[:-1]) and float(number[:-1]) <= 100:
        return Amount(float(number[:-1]) / 100, is_share=True)
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given < 1e6:
        return Amount(float(given))
    raise ValueError('write points, as 1.5, or a share of what there is to earn, as "10%"')


def _moment(given: object, of_day: time = time.max) -> datetime:
    """A time; a date is the end of its day, unless another time `of_day` is given."""
    if isinstance(given, datetime):
        return given
    if isinstance(given, date):
        return datetime.combine(given, of_day)
    raise ValueError("write a date or a time without quotes, as 2026-11-28 or 2026-11-28T18:00:00")


def _zone(given: object) -> ZoneInfo:
    try:
        return ZoneInfo(str(given))
    except (ValueError, OSError, LookupError):
        raise ValueError('is no time zone; write one such as "Europe/Berlin"') from None


_Amount = Annotated[Amount, BeforeValidator(_amount)]
_Moment = Annotated[datetime, BeforeValidator(_moment)]
_Opening = Annotated[datetime, BeforeValidator(lambda given: _moment(given, time.min))]
_Weight = Annotated[float, Field(ge=0, le=1000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


class Late(_Part):
    """What late work costs: `penalty` for each started hour or day, `most` at most, and nobody falls below `least`
    through it; after `until` hours or days work counts for nothing. `free` is each student's bank for the term, of
    hours or days that cost nothing."""

    every: Literal["hour", "day"] = "day"
    penalty: _Amount = Amount(0.0)
    most: _Amount | None = None
    least: _Amount | None = None
    until: Annotated[int, Field(ge=1)] | None = None
    free: Annotated[int, Field(ge=0)] = 0


class Serve(_Part):
    """What holds while students hand in to `autograder serve`. `tries_per_hour` and `tries` (in all) are how often a
    student may try one assignment, `tries_per_exercise` how many wrong answers to one exercise are told of; `told` is
    how much a try tells about each exercise; if hints, the next one follows every `hint_after` wrong answers to it."""

    tries_per_hour: Annotated[int, Field(ge=1)] = 6
    tries: Annotated[int, Field(ge=1)] | None = None
    tries_per_exercise: Annotated[int, Field(ge=1)] | None = None
    told: Told = "message"
    hint_after: Annotated[int, Field(ge=1)] = 2


class Assignment(_Part):
    """What holds for one assignment. From `opens` to `closes` `autograder serve` takes what is handed in; an extension
    keeps the doors open longer. `results` is the folder of its results, from which `free` late days that it took are
    known when a later one is graded."""

    due: _Moment | None = None
    opens: _Opening | None = None
    closes: _Moment | None = None
    serve: Serve | None = None
    late: Late | None = None
    attempt: Attempt | None = None
    messages: Messages | None = None
    weight: _Weight = 1.0
    weights: dict[str, _Weight] = {}
    extensions: dict[str, _Moment] = {}
    excused: dict[str, Annotated[str, Field(min_length=1)]] = {}
    results: str = ""


class CourseFile(_Part):
    """The whole file; `late`, `serve`, `attempt` and `messages` hold for all assignments that do not say otherwise."""

    time_zone: Annotated[ZoneInfo, BeforeValidator(_zone)] | None = None
    late: Late = Late()
    serve: Serve = Serve()
    attempt: Attempt = "last"
    messages: Messages = "full"
    groups: dict[str, list[str]] = {}
    assignments: dict[str, Assignment] = {}

    def of(self, assignment: str) -> Assignment:
        return self.assignments.get(assignment, Assignment())

    def messages_of(self, assignment: str) -> Messages:
        return self.of(assignment).messages or self.messages

    def late_of(self, assignment: str) -> Late:
        return self.of(assignment).late or self.late

    def serve_of(self, assignment: str) -> Serve:
        return self.of(assignment).serve or self.serve

    def opens(self, assignment: str) -> datetime | None:
        """From when on `autograder serve` takes submissions; None if it always did."""
        opens = self.of(assignment).opens
        return opens and self.zoned(opens)

    def closes(self, assignment: str, student: str) -> datetime | None:
        """Until when `autograder serve` takes a student's submissions; None if there is no end."""
        closes = self.of(assignment).closes
        extended = self._extended(assignment, student)
        return closes and max(self.zoned(closes), extended or self.zoned(closes))

    def _extended(self, assignment: str, student: str) -> datetime | None:
        """The latest of a student's extensions; None if they have none."""
        extensions = self.of(assignment).extensions
        return max((self.zoned(moment) for key, moment in extensions.items() if self.names(key, student)), default=None)

    def groups_of(self, student: str) -> list[str]:
        return [name for name, members in self.groups.items() if student in members]

    def names(self, key: str, student: str) -> bool:
        """Whether a key, a student or the group "@NAME", means a student."""
        return student in self.groups.get(key[1:], ()) if key.startswith(GROUP) else key == student

    def due(self, assignment: str, student: str) -> datetime | None:
        """When a student's work is due: the latest of their extensions, if there is one."""
        due = self.of(assignment).due
        return due and (self._extended(assignment, student) or self.zoned(due))

    def excused(self, assignment: str, student: str) -> str:
        """Why a student is excused, "" if they are not."""
        reasons = self.of(assignment).excused
        return next((reason for key, reason in reasons.items() if self.names(key, student)), "")

    def zoned(self, moment: datetime) -> datetime:
        """A time with its zone: the course's, if it names none."""
        return moment if moment.tzinfo else moment.replace(tzinfo=self.time_zone or ZoneInfo("UTC"))


def read_course_file(folder: Path | None = None, names: Collection[str] | None = None) -> tuple[CourseFile, str]:
    """course.toml in `folder`, by default the course's, and its text; an empty one if there is none. `names` are those
    of the assignments there are, by default the course's.

    Raises InputError, a line for each key that is wrong, with the number of its line.
    """
    path = (folder or course.ROOT) / NAME
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return CourseFile(), ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); save it as UTF-8 text") from None
    return sound(text, names, path), text


def sound(text: str, names: Collection[str] | None = None, path: Path = Path(NAME)) -> CourseFile:
    """What a text of course.toml says. Raises InputError, as `read_course_file` does."""
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers that are too long, and brackets too deep
        raise InputError(f"{path}: is no sound TOML: {one_line(str(error))}") from None
    try:
        found = CourseFile.model_validate(content)
    except ValidationError as error:
        problems = [(tuple(map(str, item["loc"])), _said(item)) for item in error.errors()]
    else:
        problems = list(_problems(found, course.assignment_names() if names is None else names))
    if problems:
        lines = sorted({(line_of(text, key), f"{'.'.join(key)}: {said}") for key, said in problems})
        raise InputError("\n".join(f"{NAME}:{number}: {one_line(line, 300)}" for number, line in lines))
    return found


def require_exercises(found: CourseFile, text: str, assignment: str, names: Collection[str]) -> None:
    """Raise InputError for a weight of an exercise that the assignment does not have."""
    for name in found.of(assignment).weights:
        if name not in names:
            where = f"{NAME}:{line_of(text, ('assignments', assignment, 'weights', name))}"
            raise InputError(f"{where}: {assignment} has no exercise {name!r}{did_you_mean(name, names)}")


def did_you_mean(name: str, names: Collection[str]) -> str:
    near = difflib.get_close_matches(name, sorted(names), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def line_of(text: str, key: tuple[str, ...]) -> int:
    """The number of the line of a key, or of the nearest table or key above it; 1 if there is none."""
    best, number, table = 0, 1, tuple[str, ...]()
    for at, line in enumerate(text.splitlines(), 1):
        given = _KEY.match(line)
        if header := table_of(line):
            table = here = header
        elif given:
            here = table + _parts(given[1])
        else:
            continue
        if len(here) > best and key[: len(here)] == here:
            best, number = len(here), at
    return number


def table_of(line: str) -> tuple[str, ...]:
    """The table that begins with a line, () if none does."""
    header = _HEADER.match(line)
    return _parts(header[1]) if header else ()


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(next(part for part in found if part) for found in _PART.findall(dotted) if any(found))


def _said(item: Any) -> str:
    """What is wrong with a key, in our words if pydantic has none for people."""
    last = str(item["loc"][-1])
    if item["type"] == "extra_forbidden":
        known = _keys_at(item["loc"][:-1])
        return f"is no key here{did_you_mean(last, known) or '; there are ' + ', '.join(sorted(known))}"
    return one_line(str(item["msg"]).removeprefix("Value error, "))


def _keys_at(place: tuple[Any, ...]) -> Collection[str]:
    parts: dict[Any, type[_Part]] = {"late": Late, "serve": Serve}
    model = parts.get(place[-1] if place else "") or (Assignment if place[:1] == ("assignments",) else CourseFile)
    return model.model_fields


def _problems(found: CourseFile, names: Collection[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    for assignment, own in found.assignments.items():
        place = ("assignments", assignment)
        if assignment not in names:
            yield (
                place,
                f"there is no such assignment{did_you_mean(assignment, names) or '; there are ' + ', '.join(names)}",
            )
        moments = {("due",): own.due, ("opens",): own.opens, ("closes",): own.closes} | {
            ("extensions", key): moment for key, moment in own.extensions.items()
        }
        for key, moment in moments.items():
            if moment and moment.tzinfo is None and found.time_zone is None:
                yield (
                    (*place, *key),
                    'names no zone; write time_zone = "Europe/Berlin" at the top, or an offset, as +01:00',
                )
        if own.opens and own.closes and found.zoned(own.closes) <= found.zoned(own.opens):
            yield (*place, "closes"), "is not after opens"
        if own.due and own.closes and found.zoned(own.closes) < found.zoned(own.due):
            yield (*place, "closes"), "is before the due date; whoever is in time would find closed doors"
        for name, moment in own.extensions.items():
            if own.due and found.zoned(moment) < found.zoned(own.due):
                yield (*place, "extensions", name), "is before the due date; an extension is later"
        if own.extensions and not own.due:
            yield (*place, "extensions"), "there is no due date to extend; write due"
        if own.late and own.late.free:
            yield (*place, "late", "free"), "the bank is for the whole term; write it in [late]"
        if own.late and found.late.free and own.late.every != found.late.every:
            yield (*place, "late", "every"), f"the bank of the term is in {found.late.every}s; write the same here"
        for part in ("extensions", "excused"):
            for key in getattr(own, part):
                if key.startswith(GROUP) and key[1:] not in found.groups:
                    yield (*place, part, key), f"there is no group {key[1:]!r}{did_you_mean(key[1:], found.groups)}"
