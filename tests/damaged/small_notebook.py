"""A small assignment of every kind of cell, and what a student makes of a source: nothing here is kept on disk."""

import copy

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder import cells
from autograder.grading.source_text import release_text
from autograder.regions import MARKER

STUB = "*Write your answer here.*"

MEAN = '''# exercise: mean_of
def mean_of(x):
    """Mean of the entries of a list."""
    ### BEGIN SOLUTION
    return sum(x) / len(x)
    ### END SOLUTION'''

SCALE = '''# exercise: scale_by
def scale_by(x, factor):
    """Every entry times a factor."""
    ### BEGIN SOLUTION
    return [factor * entry for entry in x]
    ### END SOLUTION'''

STORE = '''# exercise: push
class Store:
    """A stack of numbers."""

    def __init__(self):
        self.items = []

    def push(self, item):
        ### BEGIN SOLUTION
        self.items.append(item)
        ### END SOLUTION

    # exercise: total
    def total(self):
        ### BEGIN SOLUTION
        return sum(self.items)
        ### END SOLUTION

    # exercise: largest
    def largest(self):
        ### BEGIN SOLUTION
        return max(self.items)
        ### END SOLUTION'''


def _marked(cell: NotebookNode, grade_id: str, **flags) -> NotebookNode:
    cell.metadata["nbgrader"] = {
        "grade": False,
        "solution": False,
        "locked": False,
        "schema_version": 3,
        "task": False,
        "grade_id": grade_id,
        **flags,
    }
    return cell


def locked(number: int, text: str, tags: tuple[str, ...] = (), kind=new_code_cell) -> NotebookNode:
    cell = kind(text, id=f"locked-{number}")
    if tags:
        cell.metadata["tags"] = list(tags)
    return _marked(cell, f"cell-{number:04x}", locked=True)


def fixme(text: str) -> NotebookNode:
    name = cells.ANCHOR.search(text)[1]
    return _marked(new_code_cell(text, id=name), name, solution=True)


def tests(name: str, visible: str, points: float, prefix: str = "small") -> NotebookNode:
    hidden = f'from fixmelab.probe import check\ncheck("{prefix}.{name}", {name})'
    text = f"{visible}\n### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    cell = new_code_cell(text, id=f"test_{name}")
    return _marked(cell, f"test_{name}", grade=True, locked=True, points=points)


def written(name: str, question: str, rubric: str, points: float) -> list[NotebookNode]:
    text = f"{question}\n\n### BEGIN MARK SCHEME\n{rubric}\n### END MARK SCHEME"
    ask = _marked(new_markdown_cell(text, id=f"question_{name}"), f"question_{name}", locked=True)
    answer = _marked(new_markdown_cell(STUB, id=name), name, grade=True, solution=True, points=points)
    return [ask, answer]


def predicted(name: str, question: str) -> list[NotebookNode]:
    ask = _marked(new_markdown_cell(question, id=f"predict_{name}"), f"predict_{name}", locked=True)
    place = new_markdown_cell(cells.PREDICTION_STUB, id=f"prediction_{name}")
    return [ask, _marked(place, f"prediction_{name}")]


def small_source() -> NotebookNode:
    """The instructor's version."""
    return new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        cells=[
            locked(1, "# Numbers\n\nWhat a list of numbers tells.", kind=new_markdown_cell),
            locked(2, "import math\nimport random\n\nrandom.seed(0)\nNUMBERS = [3, 1, 4, 1, 5]"),
            locked(3, "## The mean\n\nAdd up, divide by how many there are.", kind=new_markdown_cell),
            fixme(MEAN),
            tests("mean_of", 'assert mean_of([1, 3]) == 2, "the mean of 1 and 3 is 2"\nassert mean_of([5]) == 5', 2),
            *written("why_mean", "Why is the mean sensitive to outliers?", "It weighs every entry alike.", 3),
            fixme(SCALE),
            tests("scale_by", "assert scale_by([1, 2], 3) == [3, 6]\nassert scale_by([], 3) == []", 1),
            *predicted("growth", "**Predict first.** Does the mean grow with each number that comes?"),
            locked(4, "## A store\n\nA class keeps what it is given.", kind=new_markdown_cell),
            fixme(STORE),
            tests("push", "store = Store()\nstore.push(2)\nassert store.items == [2]", 1),
            tests("total", "store = Store()\nassert store.total() == 0", 1),
            tests("largest", "store = Store()\nstore.push(7)\nassert store.largest() == 7", 1),
            locked(5, "history = [mean_of(NUMBERS[:n]) for n in range(1, 6)]\nprint(history)", ("train",)),
            *written("limits", "What does the mean not tell?", "Spread, shape, outliers.", 2),
            locked(6, "print(math.fsum(NUMBERS))", ("keep",)),
        ],
    )


def other_source() -> NotebookNode:
    """The instructor's version of another assignment, which shares an exercise's name with the small one."""
    median = (
        "# exercise: median_of\ndef median_of(x):\n    ### BEGIN SOLUTION\n    return sorted(x)\n    ### END SOLUTION"
    )
    return new_notebook(
        cells=[
            fixme(median),
            tests("median_of", "assert median_of([1]) == [1]", 1, "other"),
            fixme(MEAN),
            tests("mean_of", "assert mean_of([1]) == 1", 1, "other"),
        ]
    )


def released(source: NotebookNode) -> NotebookNode:
    """The student version."""
    notebook = copy.deepcopy(source)
    for cell in notebook.cells:
        cell.source = release_text(cell)
    return notebook


def solved(source: NotebookNode) -> NotebookNode:
    """The student version with every answer written, and every code cell run."""
    notebook = released(source)
    for count, (cell, original) in enumerate(zip(notebook.cells, source.cells, strict=True)):
        if cells.is_fixme(cell):
            cell.source = "\n".join(line for line in original.source.split("\n") if not MARKER.search(line))
        elif cells.is_written(cell):
            cell.source = f"My thoughts on {cells.exercise_name(cell)}: it depends on the numbers."
        elif cells.is_prediction(cell):
            cell.source = "It grows until the 1 comes, and falls then."
        if cell.cell_type == "code":
            cell.execution_count = count
            cell.outputs = [new_output("stream", name="stdout", text=f"run {count}")]
    return notebook
