"""What a student should mend in a notebook before they hand in, and what grading mends itself."""

import re
from collections.abc import Iterator

from fixmelab import cells
from fixmelab.cells import ANCHOR
from fixmelab.restoring.cell_text import ELSEWHERE
from fixmelab.restoring.state import NOTHING
from fixmelab.standing import released
from fixmelab.standing.found import Found

MOST_FIGURES = 3  # that are named one by one
MOST_NAMES = 4  # in one line
# What a grader reads, and what a student does.
WORDS = {
    "the source's stand": "grading takes what was given out",
    "the source's order stands": "grading takes the order that was given out",
    "the answer was found in a Markdown cell": "it stands in a Markdown cell: make that a code cell again",
    "the answer was found in a raw cell": "it stands in a raw cell: make that a code cell again",
    "metadata restored; the cell was found by its anchor": "metadata are lost, and not needed",
}


def figures(found: Found) -> Iterator[str]:
    """The cells that draw or train, and show nothing: nobody runs them again."""
    heading, empty = "", list[str]()
    for released_cell, cell in zip(found.release.cells, found.filled, strict=True):
        if released_cell.cell_type == "markdown":
            heading = (re.findall(r"^#{1,6} (.*)$", released_cell.source, re.MULTILINE) or [heading])[-1]
        elif not cells.is_executed_in_grading(released_cell) and not cell.get("outputs"):
            first = next((line for line in released_cell.source.split("\n") if line.strip()), "")
            empty.append(f"below “{heading}” (`{first[:40].strip()} …`)")
    if len(empty) > MOST_FIGURES:
        yield f"{len(empty)} cells that draw or train have no output, the first {empty[0]}: run them once"
    else:
        yield from (f"a cell that draws or trains has no output, {place}: run it" for place in empty)


def anchors(found: Found) -> Iterator[str]:
    """The exercises whose `# exercise:` line is gone: a cell that loses its metadata, too, may not be found."""
    filled = found.filled
    for task in released.tasks(found.release):
        text = filled[task.place].source
        if not task.is_question and ELSEWHERE not in text and task.name not in ANCHOR.findall(text):
            yield f"{task.name}: its line `# exercise: {task.name}` is missing: write it at the top of the answer"


def repairs(found: Found) -> Iterator[tuple[bool, str]]:
    """What the grader would have to mend, each with whether that is in the way; one line for many of a kind."""
    concerned: dict[tuple[bool, str], list[str]] = {}
    for repair in found.restored.repairs:
        is_by_guess = repair.how in ("name", "similarity") and repair.what.startswith("metadata restored")
        if repair.what == NOTHING or is_by_guess:
            continue  # the table says so, or the line that is missing does
        is_in_the_way = "copies of this cell" in repair.what
        what = repair.what + (": delete the others" if is_in_the_way else "")
        for theirs, ours in WORDS.items():
            what = what.replace(theirs, ours)
        concerned.setdefault((is_in_the_way, what), []).append(repair.exercise or "")
    for (is_in_the_way, what), names in concerned.items():
        known = list(dict.fromkeys(filter(None, names)))
        listed = ", ".join(known[:MOST_NAMES]) + (f" and {len(known) - MOST_NAMES} more" if known[MOST_NAMES:] else "")
        yield is_in_the_way, f"{listed}: {what}" if listed else what
