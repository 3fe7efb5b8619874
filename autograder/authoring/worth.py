"""What exercises, sections and the whole notebook are worth, and how long they take: lines that `build` writes.

The points and minutes stand in the headers of test cells and questions, and nowhere else.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autograder import cells
from autograder.authoring import rules
from autograder.authoring.authored import Authored

MOST_MINUTES = 90  # longer times are told in hours
_HEADING = re.compile(r"#{1,6} ")
_SECTION = re.compile(r"^## ", re.MULTILINE)


@dataclass(frozen=True)
class Worth:
    """Points, and the minutes that a student needs; None if the author does not say."""

    points: float
    minutes: int | None

    def __str__(self) -> str:
        points = f"{self.points:g} point{'' if self.points == 1 else 's'}"
        return points if self.minutes is None else f"{points}, about {_duration(self.minutes)}"


class Worths:
    """The worth of every exercise of a text, and by place in it of every section.

    Raises InputError if points or minutes are no numbers, or only some of the exercises have minutes.
    """

    def __init__(self, authored: Sequence[Authored]) -> None:
        graded = {number: _worth(cell) for number, cell in enumerate(authored) if _name(cell)}
        for number, worth in graded.items():
            if (worth.minutes is None) != (next(iter(graded.values())).minutes is None):
                raise authored[number].error("only some exercises have minutes; give them to all, or to none")
        self._exercises = {_name(authored[number]): worth for number, worth in graded.items()}
        sections = [number for number, cell in enumerate(authored) if _begins_section(cell)]
        self._headed = {id(authored[number]): worth for number, worth in graded.items()}
        for first, last in zip(sections, [*sections, len(authored)][1:], strict=True):
            inside = [worth for number, worth in graded.items() if first <= number < last]
            self._headed |= {id(authored[first]): _sum(inside)} if inside else {}
        self._headed |= {id(cell): _sum(graded.values()) for cell in authored if cell.is_title and graded}

    def below_anchors(self, cell: Authored) -> str:
        """A FIXME cell's source, each anchor followed by what its exercise is worth."""

        def with_worth(anchor: re.Match[str]) -> str:
            worth = self._exercises.get(anchor[1])
            indent = anchor[0][: anchor[0].index("#")]
            return f"{anchor[0]}\n{indent}# {worth}" if worth else anchor[0]

        return cells.ANCHOR.sub(with_worth, cell.source)

    def below_heading(self, cell: Authored) -> str:
        """A Markdown cell's source with what its question or section is worth below the heading; others as they are."""
        worth = self._headed.get(id(cell))
        if worth is None or cell.cell_type != "markdown":
            return cell.source
        lines = cell.source.split("\n")
        section = next((number for number, line in enumerate(lines) if _SECTION.match(line)), 0)
        at = section if _begins_section(cell) else 0
        if _HEADING.match(lines[at]):
            return "\n".join([*lines[: at + 1], "", f"*{worth}*", *lines[at + 1 :]])
        return "\n".join([f"*{worth}*", "", *lines])


def _name(cell: Authored) -> str:
    """The exercise that a test cell or a question earns points for; empty for another cell."""
    return str(cell.header.get("tests") or cell.header.get("written") or "")


def _worth(cell: Authored) -> Worth:
    return Worth(rules.points_of(cell), rules.minutes_of(cell))


def _begins_section(cell: Authored) -> bool:
    return cell.cell_type == "markdown" and not cell.header and bool(_SECTION.search(cell.source))


def _sum(worths: Iterable[Worth]) -> Worth:
    every = list(worths)
    minutes = [worth.minutes for worth in every if worth.minutes is not None]
    return Worth(sum(worth.points for worth in every), sum(minutes) if minutes else None)


def _duration(minutes: int) -> str:
    if minutes <= MOST_MINUTES:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{round(minutes / 30) / 2:g} hours"
