"""What the files of grades look like that Canvas, Moodle and Blackboard export and import.

Moodle's is the grading worksheet of an assignment, which goes by Identifier, takes Grade, and passes over grades above
the maximum (moodle/moodle, mod/assign/feedback/offline). Blackboard's is that of "Work Offline", which goes by
Username, and knows a column by the number behind its title (help.blackboard.com, Work offline with grade data).
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Platform:
    """`account` is the platform's name in results. `headers` are what files begin with; `number` is the column of its
    own number, `keys` those of logins and further keys, `address` one whose part before "@" may be the login, `names`
    those that students choose. `excused` is what stands for an excuse, "" if its import takes none; `title` matches the
    header of a column of points. With `bom`, all cells are in quotes behind a byte-order mark."""

    name: str
    account: str
    headers: tuple[tuple[str, ...], ...]
    number: str
    keys: tuple[str, ...]
    address: str
    names: tuple[str, ...]
    title: re.Pattern[str]
    excused: str = ""
    bom: bool = False


CANVAS = Platform(
    name="Canvas",
    account="canvas",
    headers=(("Student", "ID"), ("LastName", "FirstName", "ID")),
    number="ID",
    keys=("SIS Login ID", "SIS User ID", "ID"),
    address="SIS Login ID",
    names=("Student", "LastName", "FirstName"),
    title=re.compile(r"(?P<title>.*?)(?:[ ]\((?P<id>\d+)\))?", re.S),
    excused="EX",
)
MOODLE = Platform(
    name="Moodle",
    account="moodle",
    headers=(("Identifier",),),
    number="Identifier",
    keys=("Username", "ID number", "Email address"),
    address="Email address",
    names=("Full name",),
    title=re.compile(r"(?P<title>Grade)"),
)
BLACKBOARD = Platform(
    name="Blackboard",
    account="blackboard",
    headers=(("Last Name", "First Name", "Username"),),
    number="",
    keys=("Username", "Student ID"),
    address="Username",
    names=("Last Name", "First Name"),
    title=re.compile(r"(?P<title>.*?) \[Total Pts:[^\]]*?(?P<most>[\d.,]+)[^\]\d]*\](?: [^|]*)?\|(?P<id>\d+)", re.S),
    bom=True,
)
PLATFORMS = {platform.account: platform for platform in (CANVAS, MOODLE, BLACKBOARD)}
