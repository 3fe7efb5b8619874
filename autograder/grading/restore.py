"""Restores a submission: locked cells from the source, answers from the student, and a note of all that was mended."""

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode

from autograder import cells
from autograder.errors import InputError
from autograder.grading.cell_text import (
    ELSEWHERE,
    Names,
    additions,
    is_untouched,
    names_in,
    release_text,
    similarity,
    tidy,
    tokens,
    uniform,
    with_plain_spaces,
    without_fence,
)
from autograder.grading.result import Repair

__all__ = ["Restored", "is_untouched", "restore"]

How = Literal["id", "anchor", "name", "similarity", "source"]
CONFIDENCE: dict[How, float] = {"id": 1.0, "anchor": 1.0, "name": 0.9}

ANSWER_SIMILARITY = 0.6  # an answer without any name is the cell that is at least so like the stub or the solution
COPY_SIMILARITY = 0.85  # a cell that is at least so like a locked one is that one

KINDS = {"code": "code", "markdown": "Markdown", "raw": "raw"}
LOCKED_METADATA = ("points", "grade", "solution", "locked")


@dataclass(frozen=True)
class Restored:
    """The notebook to execute, and what had to be mended to get it."""

    notebook: NotebookNode
    repairs: list[Repair]


def restore(
    source: NotebookNode,
    submission: NotebookNode,
    *,
    assignment: str = "",
    where: str = "the notebook",
    others: Mapping[str, NotebookNode] | None = None,
) -> Restored:
    """Return the source's notebook with the student's answers in it.

    The cells are the source's, in its order. FIXME and written cells hold the student's text; cells tagged
    `train` or `keep` hold the student's outputs. Cells that the student added stay behind the source's cell that
    they followed. The arguments are not changed.

    Raises InputError, which names `where`, when the submission is of another assignment: none of the source's
    exercises is in it, or fewer than half and more of one of `others` (sources by name of assignment).
    """
    student = [_Cell(index, cell) for index, cell in enumerate(submission.cells)]
    _require_assignment(source, student, assignment, where, others or {})
    return _Restoration(source, student, assignment).restored()


class _Cell:
    """A cell of the submission."""

    def __init__(self, index: int, cell: NotebookNode):
        self.index = index
        self.cell = cell
        self.kind: str = cell.cell_type
        self.text = uniform(cell.source)
        self.plain = tidy(self.text)
        self.id = cells.grade_id(cell)
        self.anchors: list[str] = cells.ANCHOR.findall(self.plain)

    @cached_property
    def names(self) -> Names:
        return names_in(self.plain)

    @cached_property
    def tokens(self) -> list[str]:
        return tokens(self.plain)

    @property
    def defines(self) -> frozenset[str]:
        """Names that the cell binds when it runs."""
        return self.names.all if self.kind == "code" else frozenset()

    def as_kind(self, kind: str) -> str:
        """The text as it stands in a cell of another kind."""
        text = self.text if self.kind == kind or kind != "code" else without_fence(self.text)
        return with_plain_spaces(text) if kind == "code" else text


class _Place:
    """A cell of the source, and what takes its place."""

    def __init__(self, index: int, cell: NotebookNode):
        self.index = index
        self.cell = cell
        self.kind: str = cell.cell_type
        self.id = cells.grade_id(cell)
        self.is_answer = cells.is_answer(cell)
        self.is_fixme = self.is_answer and self.kind == "code"
        self.is_written = self.is_answer and not self.is_fixme
        self.anchors = cells.anchors(cell)
        self.stub = release_text(cell)
        self.forms = (tidy(self.stub), tidy(cell.source))

    @cached_property
    def names(self) -> Names:
        return names_in(self.forms[1])

    @cached_property
    def expected(self) -> frozenset[str]:
        """Names by which an answer is known: its exercises, and what the source's cell defines."""
        return frozenset(self.anchors) | (self.names.functions or self.names.others)

    @cached_property
    def tokens(self) -> tuple[list[str], list[str]]:
        return tokens(self.forms[0]), tokens(self.forms[1])

    def likeness(self, cell: _Cell, at_least: float = 0.0) -> float:
        return max(similarity(cell.tokens, own, at_least) for own in self.tokens)

    def is_copied_by(self, cell: _Cell) -> bool:
        """Whether the cell is this one all but for small changes, and binds no name of its own."""
        if cell.plain in self.forms:
            return True
        if self.kind == "code" and not cell.names.all <= self.names.all:
            return False
        return self.likeness(cell, COPY_SIMILARITY) > 0

    def is_open(self, cell: _Cell) -> bool:
        return is_untouched(self.cell, {"source": cell.as_kind(self.kind)})


@dataclass
class _Answer:
    """What stands in an answer cell. Without cells it is the stub."""

    cells: list[_Cell] = field(default_factory=list)
    text: str = ""


def _places(source: NotebookNode) -> list[_Place]:
    return [_Place(index, cell) for index, cell in enumerate(source.cells)]


def _exercise_of(cell: Any) -> str:
    """Name of the exercise that a test, written or question cell belongs to; empty for another cell."""
    if cells.is_tests(cell) or cells.is_written(cell):
        return cells.exercise_name(cell)
    name = cells.grade_id(cell)
    is_question = name.startswith(cells.QUESTION_PREFIX) and not cells.is_answer(cell)
    return name.removeprefix(cells.QUESTION_PREFIX) if is_question else ""


def _require_assignment(
    source: NotebookNode,
    student: list[_Cell],
    assignment: str,
    where: str,
    others: Mapping[str, NotebookNode],
) -> None:
    total, found = _exercises_found(source, student)
    if total and 2 * found >= total:
        return
    counts = {name: _exercises_found(other, student)[1] for name, other in others.items() if name != assignment}
    nearest = max(sorted(counts), key=counts.__getitem__, default="")
    belongs = counts.get(nearest, 0) > found
    if total and found and not belongs:
        return
    how_many = f"none of its {total} exercises is" if not found else f"only {found} of its {total} exercises are"
    advice = f"it belongs to {nearest}" if belongs else "check the file"
    raise InputError(f"{where} is not a notebook of {assignment or 'this assignment'}: {how_many} in it; {advice}")


def _exercises_found(source: NotebookNode, student: list[_Cell]) -> tuple[int, int]:
    """How many exercises the source has, and how many of them show in the submission by id, anchor or name."""
    places = _places(source)
    exercises = {_exercise_of(place.cell) for place in places} - {""}
    ids = {place.id: _exercise_of(place.cell) or place.id for place in places if place.id}
    found = set()
    for cell in student:
        found.update(cell.anchors)
        found.add(ids.get(cell.id, ""))
        for place in places:
            if place.is_fixme and cell.defines & place.expected:
                found.update(place.anchors)
    return len(exercises), len(exercises & found)


class _Restoration:
    """The state of one restoration. Each cell of the submission ends in exactly one way: as the answer to a place,
    as a locked place, dropped as a copy of either, or kept as an addition of the student's."""

    def __init__(self, source: NotebookNode, student: list[_Cell], assignment: str):
        self.source = source
        self.student = student
        self.assignment = assignment
        self.places = _places(source)
        self.locked = [place for place in self.places if not place.is_answer]
        self.repairs: list[Repair] = []
        self.answers: dict[int, _Answer] = {place.index: _Answer() for place in self.places if place.is_answer}
        self.outputs: dict[int, NotebookNode] = {}  # cells whose outputs stay, by index of the place
        self.place_of: dict[int, int] = {}  # index of the place that a cell fills, by index of the cell
        self.dropped: set[int] = set()
        self.rescued: dict[int, str] = {}  # code that the student added to a locked place, by its index
        self.certainty: dict[int, float] = {}  # of a place that was found, by its index

    def restored(self) -> Restored:
        self._find_answers()
        self._find_locked()
        self._note_order()
        after = self._place_additions()
        self._gather_written(after)
        return Restored(self._assembled(after), self.repairs)

    def _note(self, exercise: str, how: How, confidence: float, what: str) -> None:
        name = f"{self.assignment}.{exercise}" if self.assignment and exercise else exercise
        self.repairs.append(Repair(exercise=name or None, how=how, confidence=round(confidence, 3), what=what))

    def _is_used(self, cell: _Cell) -> bool:
        return cell.index in self.place_of or cell.index in self.dropped

    # Answers

    def _find_answers(self) -> None:
        claims = self._claims()
        chosen: dict[int, tuple[_Cell, How, float]] = {}
        for place in self.places:
            if place.is_fixme:
                found = claims[place.index]
                if choice := self._choose(place, found):
                    chosen[place.index] = choice
            elif place.is_written:
                self._join_written(place, claims[place.index])
        taken = {cell.index for cell, _, _ in chosen.values()}
        for place in self.places:
            if place.is_fixme:
                if place.index in chosen:
                    self._take(place, claims[place.index], taken, *chosen[place.index])
                else:
                    self._note(self._exercise(place), "source", 1.0, "no answer was found; the empty cell was put in")

    def _exercise(self, place: _Place) -> str:
        return place.anchors[0] if place.anchors else _exercise_of(place.cell) or place.id

    def _claims(self) -> dict[int, list[_Cell]]:
        """The cells that say themselves which answer they are: by anchor, or by id where no anchor contradicts."""
        by_anchor = {name: place for place in self.places if place.is_fixme for name in place.anchors}
        by_id = {place.id: place for place in self.places if place.is_answer and place.id}
        claims: dict[int, list[_Cell]] = defaultdict(list)
        for cell in self.student:
            if self._is_locked_text(cell):
                continue
            named = [by_anchor[name] for name in cell.anchors if name in by_anchor]
            own = by_id.get(cell.id)
            if own and (not named or (own.is_written and cell.kind != "code")):
                named = [own]
            for index in dict.fromkeys(place.index for place in named):
                claims[index].append(cell)
        return claims

    @cached_property
    def _locked_texts(self) -> dict[str, list[_Place]]:
        texts: dict[str, list[_Place]] = defaultdict(list)
        for place in self.locked:
            for form in dict.fromkeys(place.forms):
                texts[form].append(place)
        return texts

    def _is_locked_text(self, cell: _Cell) -> bool:
        return bool(cell.plain) and cell.plain in self._locked_texts

    def _choose(self, place: _Place, claiming: list[_Cell]) -> tuple[_Cell, How, float] | None:
        """The cell that holds the answer to a FIXME, how it was found, and how sure that is."""
        edited = [cell for cell in claiming if not place.is_open(cell)]
        if not edited:
            named = [
                cell
                for cell in self.student
                if cell.names.all & place.expected
                and cell not in claiming
                and not self._is_locked_text(cell)
                and not place.is_open(cell)
            ]
            if named:
                return named[-1], "name", CONFIDENCE["name"]
        if claiming:
            # The last that defines what is asked for; else the one with the id, which a later run finds again.
            def rank(cell: _Cell) -> tuple:
                defines = bool(cell.names.all & place.expected)
                return defines, not defines and cell.id == place.id, cell.index

            best = max(edited or claiming, key=rank)
            how: How = "id" if best.id == place.id else "anchor"
            return best, how, CONFIDENCE[how]
        return self._most_similar(place)

    def _most_similar(self, place: _Place) -> tuple[_Cell, How, float] | None:
        known = {other.id for other in self.places} - {""}
        best, ratio = None, 0.0
        for cell in self.student:
            if cell.id in known or cell.anchors or self._is_locked_text(cell):
                continue
            if place.names.functions and not cell.names.functions:
                continue
            if cell.names.all & frozenset().union(*(other.expected for other in self.places if other.is_fixme)):
                continue
            if (found := place.likeness(cell, ANSWER_SIMILARITY)) > ratio:
                best, ratio = cell, found
        return (best, "similarity", ratio) if best else None

    def _take(
        self, place: _Place, claiming: list[_Cell], taken: set[int], cell: _Cell, how: How, certainty: float
    ) -> None:
        exercise = self._exercise(place)
        first = self.place_of.get(cell.index)
        copies = self._drop_copies(place, claiming, taken, cell)
        if first is not None:  # the cell answers an earlier place too: it runs there, and only there
            pointer = f"# exercise: {exercise}\n{ELSEWHERE}{self._exercise(self.places[first])}."
            self.answers[place.index].text = pointer
            if not any(copied.plain == pointer for copied in copies):
                what = f"the answer stood in one cell with that of {self._exercise(self.places[first])}"
                self._note(exercise, how, certainty, what)
            return
        self.place_of[cell.index] = place.index
        self.certainty[place.index] = certainty
        text = cell.as_kind("code")
        self.answers[place.index] = _Answer([cell], text)
        self._note_copies(place, cell, copies, how, certainty)
        if how == "similarity":
            what = "cell found because it is like the released or the solved one"
            self._note(exercise, how, certainty, what)
        elif how == "name":
            self._note(exercise, how, certainty, "cell found by the name that it defines")
        elif how == "anchor" and not cell.id:
            self._note(exercise, how, certainty, "metadata restored; cell found by its anchor")
        elif how == "anchor":
            self._note(exercise, how, certainty, "the id was another cell's; cell found by its anchor")
        self._note_damage(place, cell, how, certainty)
        if text != (cell.text if cell.kind == "code" else without_fence(cell.text)):
            self._note(exercise, how, certainty, "foreign spaces in the code were replaced by plain ones")

    def _note_damage(self, place: _Place, cell: _Cell, how: How, certainty: float) -> None:
        exercise = self._exercise(place)
        if cell.kind != place.kind:
            self._note(exercise, how, certainty, f"the answer was found in a {KINDS[cell.kind]} cell")
        if cell.id == place.id and self._has_changed_metadata(place, cell):
            self._note(exercise, "source", 1.0, "points or flags in the metadata were changed; the source's stand")

    def _has_changed_metadata(self, place: _Place, cell: _Cell) -> bool:
        theirs, ours = cells.nbgrader_metadata(cell.cell), cells.nbgrader_metadata(place.cell)
        return any(key in ours and theirs.get(key) != ours[key] for key in LOCKED_METADATA)

    def _drop_copies(self, place: _Place, claiming: list[_Cell], taken: set[int], cell: _Cell) -> list[_Cell]:
        """Drop the other cells that are this answer again. One that defines more stays as an addition."""
        keep = cell.names.all | place.expected
        copies = [
            other
            for other in claiming
            if other.index not in taken
            and not self._is_used(other)
            and (other.plain == cell.plain or ELSEWHERE in other.plain or place.is_open(other)
                 or (other.names.all & place.expected and other.names.all <= keep))
        ]  # fmt: skip
        self.dropped.update(copy.index for copy in copies)
        return copies

    def _note_copies(self, place: _Place, cell: _Cell, copies: list[_Cell], how: How, certainty: float) -> None:
        if not copies:
            return
        if all(copy.plain == cell.plain for copy in copies):
            which = "they are the same"
        elif all(copy.plain == cell.plain or place.is_open(copy) for copy in copies):
            which = "the edited one was taken"
        else:
            which = "the last edited one was taken"
        self._note(self._exercise(place), how, certainty, f"{len(copies) + 1} copies of this cell; {which}")

    # Written answers

    def _join_written(self, place: _Place, claiming: list[_Cell]) -> None:
        """Take the answer from the cells with its id: the last of several versions, or all parts of one text."""
        self.place_of.update((cell.index, place.index) for cell in claiming[:1])
        self.dropped.update(cell.index for cell in claiming)
        if not claiming:
            return
        self.certainty[place.index] = 1.0
        parts: list[_Cell] = []
        for cell in (cell for cell in claiming if not place.is_open(cell)):
            parts = [part for part in parts if not _is_version(part, cell)] + [cell]
        if parts:
            self.place_of.pop(claiming[0].index)
            self.place_of[parts[-1].index] = place.index
            self._answer_written(place, parts)
        if len(claiming) > 1:
            which = f"{len(parts)} different ones were joined" if len(parts) > 1 else "the last edited one was taken"
            self._note(place.id, "id", 1.0, f"{len(claiming)} copies of this cell; {which}")
        for cell in (parts or claiming)[-1:]:
            self._note_damage(place, cell, "id", 1.0)

    def _answer_written(self, place: _Place, parts: list[_Cell]) -> None:
        self.answers[place.index] = _Answer(parts, "\n\n".join(part.as_kind(place.kind) for part in parts))

    def _gather_written(self, after: dict[int, int]) -> None:
        """Where a written answer is empty, take what the student wrote below its question or below the stub."""
        for place in self.places:
            if not place.is_written or self.answers[place.index].cells:
                continue
            around = (place.index - 1, place.index)
            parts = [
                cell
                for cell in self.student
                if after.get(cell.index) in around and cell.plain and not (cell.kind == "code" and cell.names.all)
                and (cell.kind != "code" or not _is_code(cell))
            ]  # fmt: skip
            if parts:
                certainty = max(self.certainty.get(index, 0.0) for index in around)
                self._answer_written(place, parts)
                self._note(place.id, "similarity", certainty, "the answer was found below its question")
                for cell in parts:
                    del after[cell.index]
            elif place.index not in self.certainty:
                self._note(place.id, "source", 1.0, "no answer was found; the empty cell was put in")
