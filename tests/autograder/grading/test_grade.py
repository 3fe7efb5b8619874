"""Grades submissions of a small course with the real judge, in a real sandbox."""

import nbformat
import pytest
from toy_course import EXERCISES, RIGHT, source, submission

from autograder.errors import InputError
from autograder.grading.grade import grade
from autograder.grading.grading import Grading
from autograder.grading.submissions import Submission
from autograder.sandbox.limits import Limits

pytestmark = pytest.mark.slow
ADDRESSES = []


@pytest.fixture(autouse=True, scope="module")
def addresses(zygote):
    ADDRESSES[:] = [zygote]


def graded(notebook, key=b"k" * 32, **options):
    data = nbformat.writes(notebook).encode()
    grading = Grading("toy", source(), key, exercises=EXERCISES, **options)
    return grade(grading, Submission("ada", "ada.ipynb", data), ADDRESSES[0])


def verdicts(result):
    return {item.id: (item.verdict, item.score, item.max_score) for item in result.exercises}


def test_right_answers_earn_their_points_in_the_order_of_the_source():
    result, notebook = graded(submission(**RIGHT, why="Because."))
    assert list(verdicts(result).items()) == [
        ("toy.double", ("pass", 2.0, 2.0)),
        ("toy.why", ("manual", 0.0, 4.0)),
        ("toy.square", ("pass", 1.5, 1.5)),
    ]
    assert (result.score, result.max_score, result.manual_max_score) == (3.5, 3.5, 4.0)
    assert (result.student, result.path, len(result.digest)) == ("ada", "ada.ipynb", 64)
    nbformat.validate(notebook)


def test_nothing_filled_in_earns_nothing():
    result, _ = graded(submission())
    assert verdicts(result) == {
        "toy.double": ("missing", 0.0, 2.0),
        "toy.why": ("missing", 0.0, 4.0),
        "toy.square": ("missing", 0.0, 1.5),
    }
    assert {item.message for item in result.exercises if item.id != "toy.why"} == {"This FIXME is not filled in yet."}


def test_a_known_mistake_is_named_even_where_a_visible_assertion_came_first():
    result, _ = graded(submission(double="return x + 2", square="return x * abs(x)"))
    double, _, square = result.exercises
    assert (double.verdict, double.message, double.mistake) == ("fail", "Times, not plus.", "plus_two")
    assert (square.verdict, square.mistake) == ("fail", None)
    assert square.message


def test_plain_messages_say_of_no_slip():
    doubled = submission(double="return 4 * x")
    full, plain = (graded(doubled, messages=messages)[0].exercises[0].message for messages in ("full", "plain"))
    assert full == f"{plain} The numbers come out as if the result were doubled."


def test_a_result_depends_on_its_inputs_alone():
    notebook = submission(double="return x + 2", square=RIGHT["square"])
    one, again = graded(notebook)[0], graded(notebook)[0]
    assert one.model_copy(update={"seconds": 0.0}) == again.model_copy(update={"seconds": 0.0})


@pytest.mark.parametrize(
    "cheat",
    [
        # Asserts are taken out of every cell that comes.
        "return x\nimport ast\nclass NoAsserts(ast.NodeTransformer):\n    def visit_Assert(self, node):\n"
        "        return ast.Pass()\nget_ipython().ast_transformers.append(NoAsserts())",
        # The answer is equal to anything.
        "class Same:\n        def __eq__(self, other): return True\n        def __getattr__(self, name): return self\n"
        "        def __call__(self, *a, **k): return self\n    return Same()",
        # Comparison is patched.
        "import torch\n    torch.allclose = torch.equal = lambda *a, **k: True\n    return x * 0",
        # The reference is imported.
        "from autograder.assignments.vae import reference\n    return reference.double(x)",
        # The kernel ends with success as soon as a check begins.
        "import os\n    os._exit(0)",
        # The assertion is told that it holds, and then nothing is.
        "if isinstance(x, float): return 0\n    raise SystemExit(0)",
    ],
)
def test_a_cheat_earns_nothing_and_costs_only_itself(cheat):
    result, _ = graded(submission(double=cheat, square=RIGHT["square"]), limits=Limits(cell=15))
    double, _, square = result.exercises
    assert double.score == 0
    assert double.verdict in ("fail", "error", "crashed")
    assert double.message
    assert square.verdict == "pass"


@pytest.mark.parametrize(
    "forgery",
    [
        "return x * 0\nimport fixmelab.probe\nfixmelab.probe.check = lambda *a: print('pass')",
        "return x * 0\nimport fixmelab.probe, socket, os\n"
        "def check(*a):\n    line = socket.socket(socket.AF_UNIX)\n    line.connect(os.environ['FIXMELAB_JUDGE'])\n"
        "    line.sendall(b'\\x00\\x00\\x00\\x04pass')\nfixmelab.probe.check = check",
    ],
)
def test_a_forged_verdict_earns_nothing(forgery):
    result, _ = graded(submission(double=forgery, square=RIGHT["square"]), limits=Limits(cell=15))
    assert (result.exercises[0].verdict, result.score) == ("error", 0.0)


def test_a_call_that_does_not_end_is_a_timeout_of_its_own_exercise():
    endless = "while isinstance(x, torch.Tensor):\n        pass\n    return 0"
    result, _ = graded(submission(double=endless, square=RIGHT["square"]), limits=Limits(cell=8))
    double, _, square = result.exercises
    assert (double.verdict, square.verdict) == ("timeout", "pass")


def test_what_is_no_notebook_of_this_assignment_is_the_instructors_to_mend():
    with pytest.raises(InputError, match=r"ada\.ipynb"):
        graded(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")]))
