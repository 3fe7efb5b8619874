"""Restores a submission: locked cells from the source, answers from the student, and a note of all that was mended."""

import copy
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from nbformat import NotebookNode

from autograder import cells
from autograder.errors import InputError
from autograder.grading.cell_text import ELSEWHERE, additions, is_untouched, similarity
from autograder.grading.places import (
    COPY_SIMILARITY,
    Place,
    StudentCell,
    exercise_of,
    exercises_found,
    names_of,
    places_of,
)
from autograder.results.model import Repair

__all__ = ["Restored", "is_untouched", "restore"]

How = Literal["id", "anchor", "name", "similarity", "source"]
CONFIDENCE: dict[How, float] = {"id": 1.0, "anchor": 1.0, "name": 0.9}

ANSWER_SIMILARITY = 0.6  # an answer without any name is the cell that is at least so like the stub or the solution
VERSION_SIMILARITY = 0.5  # two written texts that are less alike are parts of one answer

NOTHING = "no answer was found; the empty cell was put in"
STRIPPED = "without metadata"
KINDS = {"code": "code", "markdown": "Markdown", "raw": "raw"}


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
    student = [StudentCell(index, cell) for index, cell in enumerate(submission.cells)]
    places = places_of(source)
    _require_assignment(places, student, assignment, where, others or {})
    return _Restoration(source, places, student, assignment).restored()


class _Choice(NamedTuple):
    """The cell that holds an answer, how it was found, and how sure that is."""

    cell: StudentCell
    how: How
    certainty: float


@dataclass
class _Answer:
    """What stands in an answer cell. Without cells it is the stub."""

    cells: list[StudentCell] = field(default_factory=list)
    text: str = ""


def _require_assignment(
    places: list[Place],
    student: list[StudentCell],
    assignment: str,
    where: str,
    others: Mapping[str, NotebookNode],
) -> None:
    total, found = exercises_found(places, student)
    if total and 2 * found >= total:
        return
    counts = {
        name: exercises_found(places_of(other), student)[1] for name, other in others.items() if name != assignment
    }
    nearest = max(sorted(counts), key=counts.__getitem__, default="")
    belongs = counts.get(nearest, 0) > found
    if total and found and not belongs:
        return
    how_many = f"none of its {total} exercises is" if not found else f"only {found} of its {total} exercises are"
    advice = f"it belongs to {nearest}" if belongs else "check the file"
    raise InputError(f"{where} is not a notebook of {assignment or 'this assignment'}: {how_many} in it; {advice}")


class _Restoration:
    """The state of one restoration. Each cell of the submission ends in exactly one way: as the answer to a place,
    as a locked place, dropped as a copy of either, or kept as an addition of the student's."""

    def __init__(self, source: NotebookNode, places: list[Place], student: list[StudentCell], assignment: str):
        self.source = source
        self.student = student
        self.assignment = assignment
        self.places = places
        self.locked = [place for place in self.places if not place.is_answer]
        self.locked_texts: dict[str, list[Place]] = defaultdict(list)
        for place in self.locked:
            for form in dict.fromkeys(place.forms):
                if form:
                    self.locked_texts[form].append(place)
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

    def _keep_outputs(self, place: Place, found: list[StudentCell]) -> None:
        """Keep what the student's last run shows, where grading does not run the cell."""
        shown = [cell.cell for cell in found if cell.cell.get("outputs")]
        if shown and not cells.is_executed_in_grading(place.cell):
            self.outputs[place.index] = shown[-1]

    def _is_used(self, cell: StudentCell) -> bool:
        return cell.index in self.place_of or cell.index in self.dropped

    # FIXME cells

    def _find_answers(self) -> None:
        claims = self._claims()
        fixmes = [place for place in self.places if place.is_fixme]
        found = {place.index: self._choose(place, claims[place.index]) for place in fixmes}
        taken = {choice.cell.index for choice in found.values() if choice}
        for place in fixmes:
            if found[place.index] is None and (choice := self._most_similar(place, taken)):
                found[place.index] = choice
                taken.add(choice.cell.index)
        for place in fixmes:
            if choice := found[place.index]:
                self._take(place, choice, claims[place.index], taken)
            else:
                self._note(self._exercise(place), "source", 1.0, NOTHING)
        for place in self.places:
            if place.is_written and claims[place.index]:
                self._join_written(place, claims[place.index])

    def _exercise(self, place: Place) -> str:
        return place.anchors[0] if place.anchors else exercise_of(place.cell) or place.id

    def _claims(self) -> dict[int, list[StudentCell]]:
        """The cells that say themselves which answer they are: by anchor, or by id where no anchor contradicts."""
        by_anchor = {name: place for place in self.places if place.is_fixme for name in place.anchors}
        by_id = {place.id: place for place in self.places if place.is_answer and place.id}
        claims: dict[int, list[StudentCell]] = defaultdict(list)
        for cell in self.student:
            if cell.plain in self.locked_texts:
                continue
            named = [by_anchor[name] for name in cell.anchors if name in by_anchor]
            own = by_id.get(cell.id)
            if cell.kind != "code" and not (cell.is_code or cell.names.functions):
                named = []  # prose about the exercise
            if own and (not named or (own.is_written and cell.kind != "code")):
                named = [own]
            for index in dict.fromkeys(place.index for place in named):
                claims[index].append(cell)
        return claims

    def _choose(self, place: Place, claiming: list[StudentCell]) -> _Choice | None:
        """The last edited cell that claims to be this one or, where none does, that defines its name."""
        edited = [cell for cell in claiming if not place.is_open(cell)]
        if not edited:
            named = [
                cell
                for cell in self.student
                if cell.names.all & place.expected
                and cell not in claiming
                and cell.plain not in self.locked_texts
                and cell.is_code
                and (cell.kind == "code" or not cell.id)
                and not place.is_open(cell)
            ]
            if named:
                return _Choice(named[-1], "name", CONFIDENCE["name"])
        if not claiming:
            return None

        def rank(cell: StudentCell) -> tuple:
            defines = bool(cell.names.all & place.expected)
            return defines, not defines and cell.id == place.id, cell.index

        best = max(edited or claiming, key=rank)
        how: How = "id" if best.id == place.id else "anchor"
        return _Choice(best, how, CONFIDENCE[how])

    def _most_similar(self, place: Place, taken: set[int]) -> _Choice | None:
        """The cell without any name of an answer that is most like the stub or the solution."""
        ids = {other.id for other in self.places} - {""}
        names = frozenset().union(*(other.expected for other in self.places))
        best, ratio = None, 0.0
        for cell in self.student:
            if cell.index in taken or cell.id in ids or cell.anchors or cell.names.all & names:
                continue
            if not cell.is_code or cell.plain in self.locked_texts:
                continue
            if place.names.functions and not cell.names.functions:
                continue
            if (likeness := place.likeness(cell, ANSWER_SIMILARITY)) > ratio:
                best, ratio = cell, likeness
        return _Choice(best, "similarity", ratio) if best else None

    def _take(self, place: Place, choice: _Choice, claiming: list[StudentCell], taken: set[int]) -> None:
        cell, how, certainty = choice
        exercise = self._exercise(place)
        copies = self._drop_copies(place, claiming, taken, cell)
        if cell.index in self.place_of:  # the cell answers an earlier place too: it runs there, and only there
            first = self._exercise(self.places[self.place_of[cell.index]])
            pointer = f"# exercise: {exercise}\n{ELSEWHERE}{first}."
            self.answers[place.index] = _Answer([cell], pointer)
            if not any(copied.plain == pointer for copied in copies):
                self._note(exercise, how, certainty, f"the answer stood in one cell with that of {first}")
            return
        self.place_of[cell.index] = place.index
        self.certainty[place.index] = certainty
        self.answers[place.index] = _Answer([cell], cell.as_kind("code"))
        self._keep_outputs(place, [cell])
        if copies:
            self._note(exercise, how, certainty, _on_copies(place, cell, copies))
        if how == "anchor" and cell.id in {other.id for other in self.places} - {""}:
            self._note(exercise, how, certainty, "its id was that of another cell; found by its anchor")
        elif how != "id":
            by = {"anchor": "its anchor", "name": "the name that it defines", "similarity": "its likeness"}[how]
            self._note(exercise, how, certainty, f"metadata restored; the cell was found by {by}")
        if cell.has_foreign_spaces:
            self._note(exercise, how, certainty, "foreign spaces in the code were replaced by plain ones")
        self._note_damage(place, cell, how, certainty)

    def _drop_copies(
        self, place: Place, claiming: list[StudentCell], taken: set[int], cell: StudentCell
    ) -> list[StudentCell]:
        """Drop the other cells that are this answer again. One that defines more stays as an addition."""
        known = cell.names.all | place.expected
        copies = [
            other
            for other in claiming
            if other.index not in taken
            and (
                other.plain == cell.plain
                or ELSEWHERE in other.plain
                or place.is_open(other)
                or (other.names.all & place.expected and other.names.all <= known)
            )
        ]
        self.dropped.update(other.index for other in copies)
        return copies

    def _note_damage(self, place: Place, cell: StudentCell, how: How, certainty: float) -> None:
        exercise = self._exercise(place)
        if cell.kind != place.kind:
            self._note(exercise, how, certainty, f"the answer was found in a {KINDS[cell.kind]} cell")
        if place.has_other_metadata(cell):
            what = "points or flags in the metadata were changed; the source's stand"
            self._note(exercise, "source", 1.0, what)

    # Written answers

    def _join_written(self, place: Place, claiming: list[StudentCell]) -> None:
        """Take the answer from the cells with its id: the last of several versions, or all parts of one text."""
        parts: list[StudentCell] = []
        for cell in claiming:
            if not place.is_open(cell):
                parts = [part for part in parts if not _are_versions(part, cell)] + [cell]
        kept = parts[-1] if parts else claiming[0]
        self.place_of[kept.index] = place.index
        self.dropped.update(cell.index for cell in claiming if cell is not kept)
        self.certainty[place.index] = CONFIDENCE["id"]
        if parts:
            self.answers[place.index] = _written(place, parts)
        if len(parts) > 1:
            self._note(place.id, "id", 1.0, f"{len(parts)} cells held parts of this answer; they were joined")
        elif len(claiming) > 1:
            rest = [cell for cell in claiming if cell is not kept]
            self._note(place.id, "id", 1.0, _on_copies(place, kept, rest))
        self._note_damage(place, kept, "id", CONFIDENCE["id"])

    def _gather_written(self, after: dict[int, int]) -> None:
        """Where a written answer is empty, take what the student wrote below its question or below the stub."""
        for place in self.places:
            if not place.is_written or self.answers[place.index].cells:
                continue
            around = (place.index - 1, place.index)
            below = [cell for cell in self.student if after.get(cell.index) in around]
            parts = [cell for cell in below if cell.plain and not (cell.kind == "code" and cell.is_code)]
            if parts:
                self.answers[place.index] = _written(place, parts)
                certainty = max(self.certainty.get(index, 0.0) for index in around)
                self._note(place.id, "similarity", certainty, "the answer was found below its question")
                for cell in parts:
                    del after[cell.index]
            elif place.index not in self.certainty:
                self._note(place.id, "source", 1.0, NOTHING)

    # Locked cells

    def _find_locked(self) -> None:
        groups = self._locked_groups()
        counts: dict[str, int] = defaultdict(int)
        for place in self.locked:
            found = groups[place.index]
            for what in self._fill_locked(place, found) if found else ["missing"]:
                if (exercise := exercise_of(place.cell)) and what != STRIPPED:
                    noun = "tests" if cells.is_tests(place.cell) else "question"
                    self._note(exercise, "source", 1.0, f"{noun} {what}; the source's stand")
                else:
                    counts[what] += 1
        for what, count in counts.items():
            noun = "locked cell" if count == 1 else "locked cells"
            self._note("", "source", 1.0, f"{count} {noun} {what}; the source's stand")
        if self.rescued:
            self._note("", "source", 1.0, "imports and functions added to locked cells were kept beside them")

    def _locked_groups(self) -> dict[int, list[StudentCell]]:
        """The cells that are each locked place, by index of the place: exact ones first, then edited ones."""
        by_id = {place.id: place for place in self.locked if place.id}
        groups: dict[int, list[StudentCell]] = defaultdict(list)
        closest: dict[int, StudentCell] = {}
        left = [cell for cell in self.student if not self._is_used(cell)]

        def of_id_and_text(cell: StudentCell) -> Place | None:
            place = by_id.get(cell.id)
            return place if place and cell.plain in place.forms else None

        def of_text(cell: StudentCell) -> Place | None:
            places = self.locked_texts.get(cell.plain, [])
            return next((place for place in places if not groups[place.index]), places[0] if places else None)

        def of_id(cell: StudentCell) -> Place | None:
            place = by_id.get(cell.id)
            if place is None or groups[place.index]:
                return None
            if place.index not in closest:
                rivals = [other for other in left if other.id == cell.id]
                closest[place.index] = max(rivals, key=lambda rival: place.likeness(rival, COPY_SIMILARITY))
            return place if closest[place.index] is cell else None

        def of_likeness(cell: StudentCell) -> Place | None:
            likeness = {place.index: place.copied_by(cell) for place in self.locked}
            best = max(likeness, key=lambda index: (likeness[index], not groups[index], -index), default=-1)
            return self.places[best] if likeness.get(best) else None

        rounds: tuple[Callable[[StudentCell], Place | None], ...] = (of_id_and_text, of_text, of_id, of_likeness)
        for find in rounds:
            rest = []
            for cell in left:
                if place := find(cell):
                    groups[place.index].append(cell)
                else:
                    rest.append(cell)
            left = rest
        return groups

    def _fill_locked(self, place: Place, found: list[StudentCell]) -> list[str]:
        """Put the source's cell in its place, and return what was wrong with the student's."""
        first, *rest = found
        self.place_of[first.index] = place.index
        self.dropped.update(cell.index for cell in rest)
        self.certainty[place.index] = CONFIDENCE["id"]
        self._keep_outputs(place, found)
        wrong = []
        is_edited = first.plain not in place.forms
        if is_edited:
            wrong.append("edited")
            if place.id != first.id:
                self.certainty[place.index] = place.likeness(first)
        if first.kind != place.kind:
            wrong.append(f"turned into a {KINDS[first.kind]} cell")
        if rest:
            wrong.append("copied")
        if place.id and not first.id:
            wrong.append(STRIPPED)
        elif place.has_other_metadata(first):
            wrong.append("with other points or flags in the metadata")
        if is_edited and first.kind == place.kind == "code" and not cells.is_tests(place.cell):
            added = additions(first.text, names_of(self.places))
            if added:
                self.rescued[place.index] = added
        return wrong

    # Cells that the student added

    def _place_additions(self) -> dict[int, int]:
        """Index of the place that each added cell comes after (-1 at the top), by index of the cell."""
        after: dict[int, int] = {}
        last = -1
        for cell in self.student:
            if cell.index in self.place_of:
                last = self.place_of[cell.index]
            elif not self._is_used(cell) and not self._is_stub(cell):
                after[cell.index] = last
        # Where cells stood in another order, what an answer uses must still come before it.
        users: list[tuple[set[str], int]] = []
        for cell in reversed(self.student):
            if cell.index in after:
                bounds = [bound for words, bound in users if cell.defines & words]
                after[cell.index] = min([after[cell.index], *bounds])
                users.append((set(cell.tokens), after[cell.index]))
            elif cell.index in self.place_of and self.places[self.place_of[cell.index]].is_fixme:
                users.append((set(cell.tokens), self.place_of[cell.index] - 1))
        return after

    def _is_stub(self, cell: StudentCell) -> bool:
        """Whether the cell is one more copy of an answer cell as it was released."""
        return any(
            cell.plain == place.forms[0] or (cell.names.all & place.expected and place.is_open(cell))
            for place in self.places
            if place.is_answer
        )

    def _note_order(self) -> None:
        order = [self.place_of[cell.index] for cell in self.student if cell.index in self.place_of]
        if order != sorted(order):
            self._note("", "source", 1.0, "the cells stood in another order; the source's order stands")

    # The notebook

    def _assembled(self, after: dict[int, int]) -> NotebookNode:
        added: dict[int, list[NotebookNode]] = defaultdict(list)
        for index, code in self.rescued.items():
            added[index].append(_new_cell("code", code))
        for cell in self.student:
            if cell.index in after:
                added[after[cell.index]].append(_added_cell(cell))
        notebook = copy.deepcopy(NotebookNode({key: self.source[key] for key in self.source if key != "cells"}))
        notebook.cells = list(added[-1])
        for place in self.places:
            notebook.cells.append(self._filled(place))
            notebook.cells.extend(added[place.index])
        if (notebook.nbformat, notebook.nbformat_minor) >= (4, 5):
            _number([cell for cells_ in added.values() for cell in cells_], notebook)
        return notebook

    def _filled(self, place: Place) -> NotebookNode:
        cell = copy.deepcopy(place.cell)
        if place.kind == "code":
            cell.outputs, cell.execution_count = [], None
            kept = self.outputs.get(place.index)
            if kept is not None:
                cell.outputs = copy.deepcopy(kept.outputs)
                cell.execution_count = kept.get("execution_count")
        if place.is_answer:
            answer = self.answers[place.index]
            cell.source = answer.text if answer.cells else place.stub
            attachments = {k: v for part in answer.cells for k, v in part.cell.get("attachments", {}).items()}
            if attachments and place.is_written:
                cell.attachments = copy.deepcopy(NotebookNode(attachments))
        return cell


def _on_copies(place: Place, cell: StudentCell, copies: list[StudentCell]) -> str:
    if all(other.plain == cell.plain for other in copies):
        which = "they are the same"
    elif all(other.plain == cell.plain or place.is_open(other) for other in copies):
        which = "the edited one was taken"
    else:
        which = "the last edited one was taken"
    return f"{len(copies) + 1} copies of this cell; {which}"


def _are_versions(one: StudentCell, other: StudentCell) -> bool:
    """Whether two texts are versions of one, rather than two parts of a longer one."""
    if one.plain in other.plain or other.plain in one.plain:
        return True
    return similarity(one.tokens, other.tokens, VERSION_SIMILARITY) > 0


def _written(place: Place, parts: list[StudentCell]) -> _Answer:
    return _Answer(parts, "\n\n".join(part.as_kind(place.kind) for part in parts))


def _new_cell(kind: str, text: str) -> NotebookNode:
    cell = NotebookNode(cell_type=kind, metadata=NotebookNode(), source=text)
    if kind == "code":
        cell.update(outputs=[], execution_count=None)
    return cell


def _added_cell(added: StudentCell) -> NotebookNode:
    """A cell of the student's, without metadata that could make it count as one of the source's."""
    cell = _new_cell(added.kind, added.as_kind(added.kind))
    if added.kind != "code" and added.cell.get("attachments"):
        cell.attachments = copy.deepcopy(added.cell.attachments)
    return cell


def _number(added: list[NotebookNode], notebook: NotebookNode) -> None:
    """Give the added cells ids that no other cell has."""
    new = {id(cell) for cell in added}
    taken = {cell.get("id") for cell in notebook.cells if id(cell) not in new}
    free = (f"added-{number}" for number in itertools.count(1) if f"added-{number}" not in taken)
    for cell in notebook.cells:
        if id(cell) in new:
            cell["id"] = next(free)
