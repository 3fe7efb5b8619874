"""What the text of a source cell says: its form in the release, the answer in it, and whether that is open still."""

from typing import Any

from autograder.regions import MARKER, SOLUTION
from fixmelab.cells import ANCHOR, grade_id
from fixmelab.restoring.cell_text import FIXME, is_still, tidy


def release_text(cell: Any) -> str:
    """The text of a source cell as students get it: without solutions, hidden tests and mark scheme."""
    lines, name, inside = [], grade_id(cell), False
    for line in cell["source"].split("\n"):
        if anchor := ANCHOR.match(line):
            name = anchor[1]
        if marker := MARKER.search(line):
            inside = marker[1] == "BEGIN"
            if inside and marker[2] == SOLUTION:
                indent = line[: len(line) - len(line.lstrip())]
                lines.append(f'{indent}raise NotImplementedError("{FIXME}{name}")')
        elif not inside:
            lines.append(line)
    return "\n".join(lines)


def answer_text(cell: Any) -> str:
    """The text of a solution's cell as a student would have written it: without the lines that mark regions."""
    return "\n".join(line for line in cell["source"].split("\n") if not MARKER.search(line))


def is_untouched(source_cell: Any, answer: Any, exercise: str | None = None) -> bool:
    """Whether the answer cell still is as it was released, or holds nothing.

    A written answer is untouched when it is empty or the stub; a FIXME cell when its FIXMEs still raise.
    `exercise` asks for the FIXME of that exercise alone, in a cell that holds several.
    """
    stub, is_code = tidy(release_text(source_cell)), source_cell["cell_type"] == "code"
    return is_still(stub, tidy(answer["source"]), is_code, exercise)
