"""What grading gives out as text, and what must not stand in it."""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from nbformat import NotebookNode

from autograder import course
from autograder.authoring.build import ASSIGNMENTS
from autograder.authoring.secrecy import Secret, secrets_of, squeeze
from autograder.results.model import SubmissionResult

# How an attack says that it got what it wanted, and that it came to its end.
STOLEN = "STOLEN"
REACHED = "reached"

# Of all that is secret in a release, what is also secret in a result: there, sentences on mistakes are the messages.
_SECRET = ("solution", "mark scheme", "reference", "check", "mistake")
_LONG_LINE = 30  # characters, without white space: no chance


def secret_lines() -> dict[str, Secret]:
    """Lines of solutions, mark schemes, references, checks and mistakes, by their text as `squeeze` makes it."""
    sources = [course.read_source(name) for name in course.assignment_names()]
    lines = secrets_of(sources, course.ROOT / ASSIGNMENTS).lines
    return {line: secret for line, secret in lines.items() if secret.kind in _SECRET and len(line) >= _LONG_LINE}


def first_secret(text: str, lines: Collection[str]) -> str | None:
    """The first of the secret lines that stands in a text, in whatever layout."""
    squeezed, known = squeeze(text), tuple(lines)
    size, places = _blocks(known)
    blocks = {squeezed[at : at + size] for at in range(0, len(squeezed), size)}
    candidates = {place for block in blocks for place in places.get(block, ())}
    return next((known[place] for place in sorted(candidates) if known[place] in squeezed), None)


@lru_cache(maxsize=1)
def _blocks(lines: tuple[str, ...]) -> tuple[int, dict[str, list[int]]]:
    """A size, and by block of that size the places of the lines that hold it among their first ones.

    If a text, which may be long, is cut into blocks of that size, each line in it, wherever it stands, begins with less
    than a block and then holds a whole one. So the text is searched only for lines that hold one of its blocks there.
    """
    size = max(1, min(map(len, lines), default=0) // 2)
    places: dict[str, list[int]] = {}
    for place, line in enumerate(lines):
        for block in {line[at : at + size] for at in range(size)}:
            places.setdefault(block, []).append(place)
    return size, places


def shown_text(results: Iterable[SubmissionResult], notebooks: Iterable[NotebookNode]) -> str:
    """All text that grading gave out, but for the cells themselves."""
    outputs = [
        text
        for notebook in notebooks
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        for text in strings(output)
    ]
    return "\n".join([text for result in results for text in strings(result.model_dump())] + outputs)


def printed_lines(notebook: NotebookNode) -> list[str]:
    """What the cells of an executed notebook printed."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    texts = [output.get("text", "") for output in outputs if output.get("output_type") == "stream"]
    return "\n".join(texts).splitlines()


def last_error(notebook: NotebookNode) -> str:
    """The end of what the cells of an executed notebook raised and wrote to stderr."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    found = [f"{item.ename}: {item.evalue}" for item in outputs if item.output_type == "error"]
    found += [item.text for item in outputs if item.output_type == "stream" and item.name == "stderr"]
    return " | ".join(found)[-300:] or "and says nothing"


def unseen(text: str) -> str:
    """The first character that a terminal obeys instead of showing it; else nothing."""
    return next((char for char in text if char != "\n" and unicodedata.category(char)[0] == "C"), "")


def strings(value: object) -> Iterator[str]:
    """All strings in nested lists and maps, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from strings(item)
