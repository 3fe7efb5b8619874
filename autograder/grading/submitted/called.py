"""Whom the names in one place mean that only make sense together, or with what lies beside them."""

import contextlib
import os.path
import re
from collections import Counter
from dataclasses import replace

from autograder.errors import InputError
from autograder.grading.submitted.entries import File, Parts, Place, stem
from autograder.grading.submitted.platforms import SAKAI_HANDED_IN, Account, account_in

# Seen in folders of Google Drive: Classroom's own source is closed.
_CLASSROOM = re.compile(r"(?P<name>[^\n]+?) - (?P<title>[^\n]+)")
# What Google Drive, browsers and Jupyter add to the name of a copy.
_COPY = re.compile(r"^(?:(?:Copy of|Kopie von|Copie de|Copia de) )*|(?:[ _-]?\(\d+\)|-Copy\d*)*$", re.I)
# Gradescope's list of who has handed in each folder.
_LISTS = ("submission_metadata.yaml", "submission_metadata.yml")
_SUBMISSION = re.compile(r"^[\"']?(submission_\d+)[\"']?:", re.M)
# Not \s, which would read all blank lines below from each of them: a student's own file may be called so, too.
_HISTORY = re.compile(r"^[ \t]*:?history:", re.M)
# Ruby writes times of Rails in UTC.
_CREATED = re.compile(r"^[ \t]*:?created_at: (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? (?:Z|UTC)[ \t\r]*$", re.M)
_SUBMITTER = re.compile(r"^[ \t]*(?:- )?:?name:(.*\S.*)$", re.M)


class Names:
    """The accounts behind the names of the folders and files of a place."""

    def __init__(self, place: Place) -> None:
        self._sakai = {entry.parts[0] for entry in place.entries if SAKAI_HANDED_IN in entry.parts[1:]}
        self._gradescope = _submitters(place)
        files = {entry.parts[-1] for entry in place.entries if isinstance(entry, File) and len(entry.parts) == 1}
        prefixes = {one.name for name in files if (one := account_in(name)) and one.platform == "blackboard"}
        self._blackboard = _common(prefixes)
        titles = Counter(_title(found["title"]) for name in files if (found := _CLASSROOM.fullmatch(stem(name))))
        self._titles = {title for title, count in titles.items() if title and count > 1}

    def account(self, party: Parts, *, is_file: bool) -> Account | None:
        """Whom the name of a folder or file means; None if no platform has made it, or if it can be read in two
        ways."""
        name = party[-1]
        account = account_in(name)
        if account is None and is_file and (found := _CLASSROOM.fullmatch(stem(name))):
            # Google Classroom: the student's name, and the title that all copies of the notebook have.
            # Some write more behind it.
            is_copy = any(_title(found["title"]).startswith(title) for title in self._titles)
            return Account("google classroom", found["name"], found["name"]) if is_copy else None
        if account is None or (account.platform == "sakai" and name not in self._sakai):
            return None
        if account.platform == "blackboard":
            return replace(account, name=account.name[len(self._blackboard) :] or account.name)
        if account.platform == "gradescope":
            shown, time = self._gradescope.get(party, (name, ""))
            return replace(account, name=shown, time=time)
        return account


def _title(text: str) -> str:
    return _COPY.sub("", text).casefold()


def _common(prefixes: set[str]) -> str:
    """What stands in front of every user's name: the assignment's title, which may hold any character."""
    if len(prefixes) == 1:
        (only,) = prefixes
        return only[: only.rfind("_") + 1]
    common = os.path.commonprefix(sorted(prefixes))
    return common[: common.rfind("_") + 1]


def _submitters(place: Place) -> dict[Parts, tuple[str, str]]:
    """Who has handed in each of Gradescope's folders and when, by the list that lies beside them; a group is one name.

    A list that lies deeper speaks of nobody: students may have put it there.
    """
    found: dict[Parts, tuple[str, str]] = {}
    for entry in place.entries:
        if isinstance(entry, File) and entry.parts[-1] in _LISTS:
            with contextlib.suppress(InputError):
                parts = _SUBMISSION.split(entry.read().decode("utf-8", "replace"))
                for folder, text in zip(parts[1::2], parts[2::2], strict=True):
                    # What follows the submitters is the history of attempts.
                    last = _HISTORY.split(text, maxsplit=1)[0]
                    names, time = _SUBMITTER.findall(last), _CREATED.search(last)
                    shown = " and ".join(name.strip().strip("\"'") for name in names) or folder
                    found[(*entry.parts[:-1], folder)] = shown, f"{time[1]}T{time[2]}+00:00" if time else ""
    return found
