"""What nbgrader's gradebook knows of an assignment: which cells earn points and which hold answers."""

import copy
import json
import logging

from nbformat import NotebookNode
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    Notebook,
    SolutionCell,
    SourceCell,
    SubmittedNotebook,
)
from nbgrader.preprocessors import ClearSolutions, ComputeChecksums, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_locked, is_solution

from autograder import cells
from autograder.errors import InputError
from autograder.nbgrader_settings import NameStubs, settings

# What `nbgrader generate_assignment` does before it saves the cells.
STEPS: tuple[type[NbGraderPreprocessor], ...] = (ClearSolutions, NameStubs, ComputeChecksums)


def without_solutions(source: NotebookNode) -> NotebookNode:
    """The source notebook as nbgrader saves it to the gradebook: stubs and checksums in, solutions out."""
    notebook, config, quiet = copy.deepcopy(source), settings(), logging.Logger("nbgrader")
    for step in STEPS:
        notebook, _ = step(config=config, log=quiet).preprocess(notebook, {})
    return notebook


def save_structure(gradebook: Gradebook, assignment: str, saved: NotebookNode) -> Notebook:
    """Bring the gradebook's cells of an assignment up to date with `saved`, a notebook of `without_solutions`.

    The notebook is called like its assignment. Grades and comments of cells that stay are left alone; those of new
    cells are made for every submission there is.

    Raises InputError where a cell is gone to which somebody has given marks or a comment.
    """
    gradebook.update_or_create_assignment(assignment)
    kernel = json.dumps(saved.metadata.get("kernelspec", {}))
    notebook = gradebook.update_or_create_notebook(assignment, assignment, kernelspec=kernel)
    _remove_others(gradebook, notebook, assignment, saved)
    rows = (*notebook.grade_cells, *notebook.solution_cells, *notebook.source_cells)
    known = {(type(row), row.name): row for row in rows}

    # Not by nbgrader's own methods, which ask the database several times for each cell, and commit.
    def bring(kind: type, name: str, **values: object) -> None:
        if (row := known.get((kind, name))) is None:
            gradebook.db.add(kind(name=name, notebook=notebook, **values))
            return
        for attribute, value in values.items():
            setattr(row, attribute, value)

    for cell in saved.cells:
        name = cells.grade_id(cell)
        if is_grade(cell):
            bring(GradeCell, name, max_score=cells.points(cell), cell_type=cell.cell_type)
        if is_solution(cell):
            bring(SolutionCell, name)
        if is_grade(cell) or is_solution(cell) or is_locked(cell):
            bring(
                SourceCell,
                name,
                cell_type=cell.cell_type,
                locked=bool(is_locked(cell)),
                source=cell.source,
                checksum=cells.nbgrader_metadata(cell).get("checksum"),
            )
    gradebook.db.flush()
    gradebook.db.expire_all()
    for submitted in notebook.submissions:
        complete(gradebook, submitted)
    return notebook


def complete(gradebook: Gradebook, submitted: SubmittedNotebook) -> None:
    """Give a submitted notebook the grades and comments of its cells that it lacks."""
    graded = {grade.cell_id for grade in submitted.grades}
    commented = {comment.cell_id for comment in submitted.comments}
    for cell in submitted.notebook.grade_cells:
        if cell.id not in graded:
            gradebook.db.add(Grade(cell_id=cell.id, notebook=submitted))
    for cell in submitted.notebook.solution_cells:
        if cell.id not in commented:
            gradebook.db.add(Comment(cell_id=cell.id, notebook=submitted))
    gradebook.db.flush()
    gradebook.db.expire(submitted)


def _remove_others(gradebook: Gradebook, notebook: Notebook, assignment: str, saved: NotebookNode) -> None:
    """Remove the cells that are not in `saved` any more."""
    session = gradebook.db
    wanted = {kind: {cells.grade_id(cell) for cell in saved.cells if kind(cell)} for kind in (is_grade, is_solution)}
    names = {cells.grade_id(cell) for cell in saved.cells}
    gone: list[BaseCell] = [cell for cell in notebook.solution_cells if cell.name not in wanted[is_solution]]
    gone += [cell for cell in notebook.grade_cells if cell.name not in wanted[is_grade]]
    gone += list(notebook.task_cells)  # our notebooks have none
    for cell in gone:
        grades = session.query(Grade).filter(Grade.cell_id == cell.id).all()
        comments = session.query(Comment).filter(Comment.cell_id == cell.id).all()
        if any(grade.manual_score is not None or grade.extra_credit for grade in grades) or any(
            comment.manual_comment for comment in comments
        ):
            raise InputError(
                f"{assignment}: the gradebook holds marks or comments that people gave to {cell.name!r}, which the "
                "assignment has no longer; put it back, or record into another gradebook with --db"
            )
        for row in (*grades, *comments, cell):
            session.delete(row)
    for cell in session.query(SourceCell).filter(SourceCell.notebook_id == notebook.id):
        if cell.name not in names:
            session.delete(cell)
    session.flush()
    session.expire_all()
