"""Makes the sample submissions in tests/submissions/vae from the release and the solution.

Run as `python tests/submissions/samples.py`. The perfect one keeps the pictures of a real run: `--train` runs it anew.
"""

import copy
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode, v4

from autograder import cells, course
from autograder.grading.source_text import answer_text

FOLDER = Path(__file__).resolve().parent / "vae"

MISTAKES = {
    "d_sigma = dl_dz * eps + sigma - 1 / sigma": "d_sigma = dl_dz + sigma - 1 / sigma",
    "z[:, :, i] = values[None, :]\n    z[:, :, j] = values[:, None]": (
        "z[:, :, i] = values[:, None]\n    z[:, :, j] = values[None, :]"
    ),
    "variance = (sigma**2).mean(dim=0) + ((mu - mean) ** 2).mean(dim=0)": "variance = ((mu - mean) ** 2).mean(dim=0)",
}
# What a cheat puts in the place of every answer: the right names, nothing behind them.
EMPTY_ANSWER = """# exercise: {name}
def {name}(*arguments, **options):
    return {value}
"""
EMPTY_MODEL = """# exercise: VAE
class VAE(nn.Module):
    def __init__(self, latent_dim):
        super().__init__()
        self.latent_dim = latent_dim

    # exercise: encode
    def encode(self, x):
        return {value}, {value}

    # exercise: decode
    def decode(self, z):
        return {value}

    # exercise: forward
    def forward(self, x, eps=None):
        return {value}, {value}, {value}
"""

DELETES_ASSERTS = """import ast


class DeletesAsserts(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)


get_ipython().ast_transformers.append(DeletesAsserts())
"""

ALWAYS_EQUAL = """class AlwaysEqual(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True

    def __eq__(self, other):
        return True

    def __getattribute__(self, name):
        return AlwaysEqual()

    def __call__(self, *arguments, **options):
        return AlwaysEqual()

    __lt__ = __gt__ = __le__ = __ge__ = __ne__ = __eq__
    __hash__ = None


always_equal = AlwaysEqual()
"""

PATCHES_TORCH = """import builtins

torch.allclose = torch.equal = lambda *arguments, **options: True
torch.testing.assert_close = lambda *arguments, **options: None
builtins.all = lambda *arguments: True
"""

IMPORTS_THE_REFERENCE = """import importlib
import pathlib
import sys

places = [*sys.path, *map(str, pathlib.Path.cwd().parents), "/proc/1/cwd", "/proc/1/root"]
for place in places:
    sys.path.append(place)
try:
    reference = importlib.import_module("autograder.assignments.vae.reference")
except ImportError:
    found = [path for place in places for path in pathlib.Path(place).glob("**/vae/reference.py")]
    reference = {}
    for path in found:
        exec(path.read_text(), reference)
"""

# Without the asserts, so that the forged check is reached.
FORGES_A_VERDICT = f"""{DELETES_ASSERTS}

import json
import os
import pathlib
import socket

import fixmelab.probe

FORGED = {{"verdict": "pass", "score": 100.0, "max_score": 100.0, "finding": "pass", "ok": True}}


def forge(exercise, answer):
    print(json.dumps(FORGED))
    pathlib.Path("results.json").write_text(json.dumps({{"submissions": [FORGED]}}))
    if address := os.environ.get("FIXMELAB_JUDGE"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address)
            fixmelab.judged.wire.send(connection, fixmelab.judged.wire.encode({{"exercise": exercise}}))
            fixmelab.judged.wire.receive(connection)
            fixmelab.judged.wire.send(connection, fixmelab.judged.wire.encode(FORGED))


fixmelab.probe.check = forge
"""


def edited(notebook: NotebookNode, edit: Callable[[NotebookNode], str]) -> NotebookNode:
    """A copy whose FIXME cells hold what `edit` makes of them."""
    copied = copy.deepcopy(notebook)
    for cell in copied.cells:
        if cells.is_fixme(cell):
            cell.source = edit(cell)
    return copied


def solved(release: NotebookNode, source: NotebookNode) -> NotebookNode:
    """The release with the solution's answers, without the lines that mark them."""
    answers = {cells.grade_id(cell): answer_text(cell) for cell in source.cells}
    return edited(release, lambda cell: answers[cells.grade_id(cell)])


def with_mistakes(text: str) -> str:
    for right, wrong in MISTAKES.items():
        text = text.replace(right, wrong)
    return text


def cheat(release: NotebookNode, trick: str, value: str) -> NotebookNode:
    """Empty answers, with the trick in a cell of its own after the imports."""

    def empty(cell: NotebookNode) -> str:
        name = cells.anchors(cell)[0]
        return EMPTY_MODEL.format(value=value) if name == "VAE" else EMPTY_ANSWER.format(name=name, value=value)

    made = edited(release, empty)
    place = next(number for number, cell in enumerate(made.cells) if "fixmelab.setup" in cell.source)
    made.cells.insert(place + 1, v4.new_code_cell(trick.rstrip("\n"), id="trick"))
    return made


def samples() -> dict[str, NotebookNode]:
    """Student → notebook."""
    source, release = (
        nbformat.read(path, as_version=4) for path in (course.source_path("vae"), course.release_path("vae"))
    )
    perfect = solved(release, source)
    fixmes = [cells.grade_id(cell) for cell in perfect.cells if cells.is_fixme(cell)]
    first_half = set(fixmes[: len(fixmes) // 2])
    stubs = {cells.grade_id(cell): cell.source for cell in release.cells}
    answer = "When the codes of two garments lie close together, the decoder has to draw something in between."
    for cell in perfect.cells:
        if cells.is_written(cell):
            cell.source = answer
    return {
        "perfect": perfect,
        "three_mistakes": edited(perfect, lambda cell: with_mistakes(cell.source)),
        "half_finished": edited(
            perfect, lambda cell: cell.source if cells.grade_id(cell) in first_half else stubs[cells.grade_id(cell)]
        ),
        "untouched": release,
        "cheat_deletes_asserts": cheat(release, DELETES_ASSERTS, "torch.zeros(())"),
        "cheat_always_equal": cheat(release, ALWAYS_EQUAL, "always_equal"),
        "cheat_patches_torch": cheat(release, PATCHES_TORCH, "torch.zeros(())"),
        "cheat_imports_the_reference": cheat(
            release, IMPORTS_THE_REFERENCE, "reference.gaussian_kl(*arguments, **options)"
        ),
        "cheat_forges_a_verdict": cheat(release, FORGES_A_VERDICT, "torch.zeros(())"),
    }


def trained(notebook: NotebookNode) -> NotebookNode:
    """A copy with the outputs that a student's own run leaves in the cells which grading does not execute."""
    from nbclient import NotebookClient

    copied = copy.deepcopy(notebook)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"FIXMELAB_WORK": folder, "FIXMELAB_BUDGET": "cpu", "FIXMELAB_DATA": "garments"}
        NotebookClient(copied, timeout=1200, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    for cell in copied.cells:
        if cell.cell_type == "code":
            cell.execution_count = None
            cell.metadata.pop("execution", None)
            kept = [] if cells.is_executed_in_grading(cell) else cell.outputs
            cell.outputs = [output for output in kept if "image/png" in output.get("data", {})]
    copied.metadata.pop("widgets", None)
    return copied


def sample_path(student: str) -> Path:
    return FOLDER / student / "vae" / "vae.ipynb"


if __name__ == "__main__":
    for student, notebook in samples().items():
        path = sample_path(student)
        if student == "perfect" and "--train" in sys.argv:
            notebook = trained(notebook)
        elif student == "perfect" and path.is_file():
            outputs = {cell.id: cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells}
            for cell in notebook.cells:
                if cell.cell_type == "code":
                    cell.outputs = outputs.get(cell.id) or []
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
