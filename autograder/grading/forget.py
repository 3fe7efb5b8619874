"""Takes students out of the results of a folder."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from autograder.errors import InputError
from autograder.grading.store import Store
from autograder.results.model import RunResult
from autograder.results.reading import read_results
from autograder.results.text import name_line
from autograder.results.writing import write_run


def forget(out: Path, students: Sequence[str]) -> RunResult:
    """Remove all that the folder of a run holds of these students: results, executed notebooks, what is kept of them.

    Returns the run without them, as it is written now. Raises InputError, and removes nothing, if the results cannot be
    read, or hold nobody of a name. Whoever an ended run has not come to may be removed as well.
    """
    run = read_results(out, unfinished=True).run  # before a folder for the store is made where there is nothing
    with Store(out) as store:
        there = {*(item.student for item in run.submissions), *run.ungraded}
        for student in students:
            if student not in there:
                near = difflib.get_close_matches(student, sorted(there), n=1)
                hint = f"did you mean {name_line(near[0], 80)}?" if near else "the names are those in its report"
                raise InputError(f"{out}: has no result of {name_line(student, 80)!r}; {hint}")
        left = [item for item in run.submissions if item.student not in students]
        waiting = [student for student in run.ungraded if student not in students]
        run = run.model_copy(update={"submissions": left, "ungraded": waiting})
        write_run(out, run, [])
        store.drop(students)
    return run
