"""The names that learning platforms give to what they export, and whom they mean.

What a student chooses for themselves is the name of their file, on the right, and in places their own name, on the
left: whatever can be read in two ways means nobody.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Account:
    """Whom a name means: `name` as it stands there, `number` the platform's own, which tells namesakes apart.

    `order` grows from attempt to attempt; it is empty if the name does not tell. `time` is when it was handed in, in
    ISO 8601; it is empty for most.
    """

    platform: str
    name: str
    number: str
    order: str = ""
    time: str = ""


@dataclass(frozen=True)
class Rule:
    """How a platform names the folder of a student, or their files: `pattern` matches the whole or what stands between
    the name and the file. `source` is where that can be read, or where it was seen."""

    platform: str
    pattern: re.Pattern[str]
    source: str


# A name, and when something was handed in.
_BRIGHTSPACE = Rule(
    "brightspace",
    re.compile(r"(?P<number>[0-9]{1,20}-[0-9]{1,20}) - (?P<name>[^\n]+?) - (?P<time>[^-\n]*[0-9]{4}[^-\n]*)"),
    "seen in public scripts that sort such downloads; Brightspace's own source is closed",
)
# The platform's part stands at the right end of a folder's name.
FOLDERS = (
    Rule(
        "moodle",
        # A team has a number as students have, but for the one of those who are in none.
        re.compile(r"(?P<name>.+?)(?:_(?P<number>[0-9]{1,20}))?_assignsubmission_[a-z]+_?", re.S),
        "moodle/moodle, mod/assign/classes/downloader.php, before 4.1 mod/assign/locallib.php",
    ),
    _BRIGHTSPACE,
    Rule(
        "sakai",
        re.compile(r"(?P<name>[^(),\n]+, [^(),\n]*)\((?P<number>[^()\n]+)\)"),
        "sakaiproject/sakai, assignment: zipSubmissions; jupyter/nbgrader#526",
    ),
    Rule(
        "ilias",
        re.compile(r"(?P<number>(?P<name>[^\W\d_a-z][^_\n]*_[^\W\d_a-z][^_\n]*)_[^_\n]+_[0-9]{2,20})"),
        "DigiKlausur/ilias2nbgrader; jupyter/nbgrader#796",
    ),
    Rule(
        "gradescope",
        re.compile(r"(?P<name>submission_(?P<number>[0-9]{1,20}))"),
        "ucbds-infra/otter-grader: GradescopeParser",
    ),
)
# In a file's name it stands between two that are the student's.
FILES = (
    Rule(
        "moodle",
        re.compile(r"(?:_(?P<number>[0-9]{1,20}))?_assignsubmission_[a-z]+_(?=.)", re.S),
        "moodle/moodle, mod/assign/classes/downloader.php: `downloadasfolders` is off",
    ),
    Rule(
        "canvas",
        re.compile(r"_(?:LATE_)?(?=(?P<number>[0-9]{3,20})_(?P<order>[0-9]{3,20})_.)", re.S),
        "instructure/canvas-lms, lib/content_zipper.rb: get_filename; mikewesthad/canvas-unzipper",
    ),
    Rule(
        "canvas, anonymous",
        re.compile(r"\A(?:LATE_)?(?P<name>anon_(?P<number>[A-Za-z0-9]{5}))_(?P<order>[0-9]{3,20})_(?=.)", re.S),
        "instructure/canvas-lms, lib/content_zipper.rb: get_filename",
    ),
    Rule(
        "blackboard",
        re.compile(r"_attempt_(?P<order>[0-9]{4}(?:-[0-9]{2}){5})(?=[_.].)", re.S),
        "jupyter/nbgrader#511; kwurst/bb-file-cleanup",
    ),
)
# Where Sakai puts what a student has handed in, and what it gave back to them.
SAKAI_HANDED_IN, SAKAI_RETURNED = "Submission attachment(s)", "Feedback Attachment(s)"
# What platforms put beside the work of students.
KNOWN_FILES = re.compile(
    r"index\.html?|grades?\.(csv|xlsx?)|timestamp\.txt|comments\.txt|submission_metadata\.ya?ml|students?\.csv"
    r"|.*_attempt_[0-9-]+\.txt|.*_onlinetext.*\.html?|readme(\..*)?|license.*|requirements\.txt|.*\.(csv|md|ya?ml|toml|log)",
    re.I,
)
_TIMES = ("%b %d, %Y %I%M %p", "%d %B, %Y %I%M %p", "%B %d, %Y %I%M %p", "%b %d, %Y %I:%M %p", "%d %b, %Y %I%M %p")
_BEGINS_WITH_TIME = re.compile(r"[0-9]{14}(?=_)")  # ILIAS, in front of a file


def account_in(text: str) -> Account | None:
    """Whom the name of a file or folder means; None if no platform has made it, or if it can be read in two ways."""
    found = readings(text)
    return found[0] if len(found) == 1 else None


def readings(text: str) -> list[Account]:
    """All that a name can mean.

    The name of a folder is read from its right end, where the platform's part stands. That of a file has the
    student's own name on the left and the student's own file on the right: either can be made to look like the
    platform's part, and then nobody can tell which it is.
    """
    for rule in FOLDERS:
        if folder := rule.pattern.fullmatch(text):
            return [_account(rule, folder, folder["name"])]
    return [*_brightspace_file(text), *(account for rule in FILES for account in _within(rule, text))]


def attempt_in(file: str) -> str:
    """What ILIAS writes in front of a file: when it was handed in; "" if nothing stands there."""
    found = _BEGINS_WITH_TIME.match(file)
    return found[0] if found else ""


def time_of(attempt: str, form: str = "%Y%m%d%H%M%S") -> str:
    """A time as a platform writes it, in ISO 8601; "" if it is none."""
    try:
        return datetime.strptime(attempt, form).isoformat()
    except ValueError:
        return ""


def _brightspace_file(text: str) -> list[Account]:
    """Whom the name of a file means that begins as Brightspace's folders are called, [] if it does not.

    The number tells who it is. The student's own name before the time, and the file's behind it, may hold a time as
    well: the latest is believed, which nobody gains by.
    """
    ends = re.finditer(" - (?=.)", text[:256])  # no file of theirs has a longer name
    begins = (_BRIGHTSPACE.pattern.fullmatch(text, 0, end.start()) for end in ends)
    accounts = [_account(_BRIGHTSPACE, begin, begin["name"]) for begin in begins if begin]
    return [max(accounts, key=lambda account: account.time)] if accounts else []


def _within(rule: Rule, text: str) -> Iterator[Account]:
    for match in rule.pattern.finditer(text):
        before = text[: match.start()]
        if rule.platform == "blackboard":
            # The first is the platform's: what follows is the student's file. Whose it is, the place tells: see
            # `students.py`.
            time = time_of(match["order"], "%Y-%m-%d-%H-%M-%S")
            yield Account(rule.platform, before, before, match["order"], time)
            return
        if name := match.groupdict().get("name") or before:
            yield _account(rule, match, name)


def _account(rule: Rule, match: re.Match[str], name: str) -> Account:
    found = match.groupdict()
    number, order = found.get("number") or "", found.get("order") or ""
    if time := found.get("time"):
        order = _sortable(time.strip())
    if rule.platform == "ilias":
        name = " ".join(reversed(name.split("_")))
    is_time = "time" in found
    return Account(rule.platform, name, number, order.zfill(20) if order.isdigit() else order, order if is_time else "")


def _sortable(time: str) -> str:
    for form in _TIMES:
        try:
            return datetime.strptime(time, form).isoformat()
        except ValueError:
            continue
    return ""
