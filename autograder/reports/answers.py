"""The answers in an executed notebook, exercise by exercise: code and prose, as the student wrote them."""

import io
import re
import textwrap
import tokenize
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from autograder import cells
from autograder.reports.work import Outline

MOST_CHARACTERS = 20_000  # of one answer

_WORD = re.compile(r"\w+")
# Of tokens, what is no code, and what stands for ends of lines and for blocks.
_SKIPPED = (tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER)
_MARKS = {tokenize.NEWLINE: ";", tokenize.INDENT: "{", tokenize.DEDENT: "}"}


@dataclass(frozen=True)
class Answers:
    """What a student wrote: the code of each exercise and the prose of each written one, by the exercise's name. In
    `cells` is the whole cell in which the code of an exercise stands, which may hold that of others."""

    code: dict[str, str]
    prose: dict[str, str]
    cells: dict[str, str]

    def leaning(self, exercise: str) -> str:
        """The cell of an exercise's code, and those of all that it uses of others, without comments and white space:
        two that share it are the same answer."""
        found = {exercise: self.cells.get(exercise, "")}
        waiting = [exercise]
        while waiting:
            for word in _words(found[waiting.pop()]):
                if word in self.cells and word not in found:
                    found[word] = self.cells[word]
                    waiting.append(word)
        return "\n".join(sorted(set(map(bare_code, found.values()))))


def _words(text: str) -> set[str]:
    """The words of code, each as Python reads it as a name, whatever letters it is written in (PEP 3131)."""
    return {unicodedata.normalize("NFKC", word) for word in set(_WORD.findall(text))}


def bare_code(text: str) -> str:
    """Code without comments and what else of its layout changes nothing; as it is if it is long, or no Python."""
    if len(text) > MOST_CHARACTERS:
        return text
    try:
        tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in _SKIPPED]
    except (tokenize.TokenError, SyntaxError):
        return text
    return " ".join(_MARKS.get(token.type, token.string) for token in tokens)


def answers_in(notebook: Mapping[str, Any], source: Outline) -> Answers:
    """The answers of a notebook that was restored from a source. All but whole cells are cut at 20,000 characters.

    A cell that holds several exercises is divided at its anchors; what stands above the first belongs to it.
    """
    found = Answers({}, {}, {})
    for cell in notebook["cells"]:
        original = source.answers.get(cells.grade_id(cell))
        if original is None:
            continue
        text = cell["source"]
        if cells.is_written(original):
            found.prose[cells.exercise_name(original)] = text[:MOST_CHARACTERS]
        elif cells.is_fixme(original):
            names = cells.anchors(original)
            found.cells.update(dict.fromkeys(names, text))
            found.code.update(_by_anchor(text, names))
    return found


def added_code(notebook: Mapping[str, Any], source: NotebookNode) -> str:
    """The code of a restored notebook that is neither its source's nor an answer, as `bare_code`."""
    given = {cell.source for cell in source.cells}
    ids = {cells.grade_id(cell) for cell in source.cells} - {""}
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and cells.grade_id(cell) not in ids]
    return "\n".join(bare_code(cell["source"]) for cell in code if cell["source"] not in given)


def _by_anchor(text: str, names: list[str]) -> Iterator[tuple[str, str]]:
    found = [anchor for anchor in cells.ANCHOR.finditer(text) if anchor[1] in names]
    if sorted(anchor[1] for anchor in found) != sorted(names):
        yield from ((name, text[:MOST_CHARACTERS]) for name in names)
        return
    starts = [0, *(anchor.start() for anchor in found[1:]), len(text)]
    for anchor, start, end in zip(found, starts, starts[1:], strict=False):
        yield anchor[1], textwrap.dedent(text[start:end]).strip("\n")[:MOST_CHARACTERS]
