"""What the attacks are tried on: the beginning of the VAE notebook, as an instructor has it and as it is handed in."""

import copies
import nbformat
from nbformat import NotebookNode, v4

from autograder import cells, course
from autograder.attacks.corpus import notebook_of
from autograder.attacks.outputs import REACHED
from autograder.attacks.witness import excerpt, witness

# What an attack prints goes to a file as well, since not every grader keeps what a notebook prints.
_PRINT = """\
def print(*values, really=print, **options):
    really(*values, **options)
    try:
        with open({path!r}, "a") as file:
            if file.tell() < 1_000_000:
                really(*values, file=file)
    except OSError:
        pass
"""
_ASKS = f'print("{REACHED}" if '


def source(canary: str) -> NotebookNode:
    """The instructor's notebook; `canary` stands in each of its solutions."""
    made = copies.without_training(excerpt(course.read_source(copies.ASSIGNMENT)))
    for cell in made.cells:
        if cells.is_fixme(cell):
            cell.source = cell.source.replace("### END SOLUTION", f"# {canary}\n    ### END SOLUTION")
    return made


def honest(canary: str) -> NotebookNode:
    """The neighbour: two exercises are right, one is a known mistake, one is left open; `canary` stands in a cell."""
    answers = nbformat.reads(witness(excerpt(course.read_source(copies.ASSIGNMENT)), canary).decode(), as_version=4)
    return handed_in(answers)


def attacking(text: str, printed: str) -> NotebookNode:
    """The attack with the text `text`; what it prints is added to the file `printed` too, if it can be written.

    If its last line asks whether the trick took effect, and it has not yet, it asks again as its process ends: not
    every grader tests an answer before that line.
    """
    made = handed_in(notebook_of(text))
    made.cells.insert(0, v4.new_code_cell(_PRINT.format(path=printed)))
    last = text.rstrip().rpartition("\n")[2]
    if last.startswith(_ASKS):
        reached = f"{REACHED!r} in open({printed!r}).read().split()"
        made.cells.append(v4.new_code_cell(f"import atexit\n\natexit.register(lambda: {reached} or {last})"))
    return made


def handed_in(answers: NotebookNode) -> NotebookNode:
    """The students' notebook with these answers, each in the place of its FIXME; a cell without an anchor stands right
    before the answer that follows it, or last."""
    made = copies.without_training(excerpt(course.read_release(copies.ASSIGNMENT)))
    waiting = list(answers.cells)
    found = []
    for cell in made.cells:
        last = _index_of_answer(waiting, cell) if cells.is_fixme(cell) else None
        if last is None:
            found.append(cell)
            continue
        *before, answer = waiting[: last + 1]
        del waiting[: last + 1]
        answer.metadata = NotebookNode({**cell.metadata, **answer.metadata})
        found += [*before, answer]
    made.cells = found + waiting
    return made


def _index_of_answer(waiting: list[NotebookNode], cell: NotebookNode) -> int | None:
    wanted = cells.anchors(cell)
    return next((index for index, answer in enumerate(waiting) if cells.anchors(answer) == wanted), None)
