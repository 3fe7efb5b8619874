"""Why a name is missing: which cell of the student's failed to make it, and what an error says about the machine."""

import re

from autograder.grading import messages
from autograder.sandbox.kernel import CellError
from fixmelab.machine import NO_GPU, lacks_gpu
from fixmelab.restoring.cell_text import names_bound_at

INSTALLED = "numpy, torch, torchvision, matplotlib, tqdm, ipywidgets and fixmelab"
LENGTH = 60  # of a statement in a message

_NAME = re.compile(r"NameError: (?:free variable|name) '(\w{1,80})' (?:is not defined|referenced before)")
_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]{1,80})'")


def about_the_machine(message: str) -> str:
    """What an error means that comes from where it is graded: a GPU, or a package, that is not there. Else ""."""
    if lacks_gpu(message):
        return NO_GPU
    if found := _MODULE.search(message):
        return f"{found[1].split('.')[0]} is not installed where it is graded; use {INSTALLED}."
    return ""


class Stopped:
    """The statements that failed in the student's cells, by the names that they would have bound."""

    def __init__(self) -> None:
        self._by_name: dict[str, tuple[str, str]] = {}

    def note(self, called: str, source: str, errors: tuple[CellError, ...]) -> None:
        """Remember the errors of a cell that is `called` so, as in "cell 7"."""
        for error in errors:
            line = "".join(source.split("\n")[max(error.line - 1, 0) : error.line]).strip()  # if there is one
            place = f"{called} stopped at `{messages.clean(line, LENGTH)}`" if line else f"{called} stopped"
            for name in names_bound_at(source, error.line):
                self._by_name[name] = place, messages.raised(error)

    def forget(self, source_names: frozenset[str]) -> None:
        """These names have been bound after all, by a later cell."""
        for name in source_names:
            self._by_name.pop(name, None)

    def why(self, message: str) -> str:
        """Why the name that an error message says is missing is missing, in one sentence; "" if it is not known."""
        sentence, seen = "", set()
        while (found := _NAME.search(message)) and found[1] in self._by_name and found[1] not in seen:
            seen.add(found[1])
            place, message = self._by_name[found[1]]
            sentence = f"{place[0].upper()}{place[1:]}: {about_the_machine(message) or message}"
        return sentence
