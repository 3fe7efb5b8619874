"""The course's answers in the place of a student's others: how they get there, and what they answer."""

import pytest
import torch
from torch import nn

from autograder.judge.again import Leaning, second
from autograder.judge.exercise import Exercise
from autograder.judge.expect import expect
from autograder.judge.judging import judge
from autograder.judge.lending import Lender
from autograder.judge.parts import part
from autograder.judge.solution import Solution
from autograder.judge.student import in_this_process
from fixmelab.judged import wire
from fixmelab.judged.loans import Loan, Replaced
from fixmelab.judged.toys import Identity, Recorder

SEED = b"seed" * 8
TORCH = "import functools\nimport torch\nfrom torch import nn"
TWICE = """
def twice(x):
    return {} * x
"""


def check_thrice(student, draw):
    x = draw.positive(4)
    expect(student(x)).close(3 * x)
    (gradient,) = student.gradient(x, wrt=[0], weights=[torch.ones(4)])
    expect(gradient).close(torch.full((4,), 3.0))


def judged(cell: str, answer: str, check=check_thrice, right: str = TWICE.format(2), borrows=("twice",), parts=None):
    """The finding on what `answer` names in a notebook with `cell`, and the notebook's names afterwards."""
    names: dict = {}
    exec(f"{TORCH}\n{cell}", names)
    solution = Solution(f"{right}\n", answer, (TORCH,))
    exercise = Exercise("toy.thrice", check, solution=solution, borrows=borrows, parts=parts or {})
    return judge(exercise, in_this_process(names[answer], names=names), SEED), names


@pytest.mark.parametrize(
    "thrice",
    [
        "def thrice(x): return x + twice(x)",
        "def thrice(x, of=twice): return x + of(x)",
        "others = [twice]\ndef thrice(x): return x + others[0](x)",
        "def thrice(x, of=functools.partial(twice)): return x + of(x)",
        "again = twice\ndef thrice(x): return x + again(x)",
        "def made(of):\n    return lambda x: x + of(x)\nthrice = made(twice)",
    ],
)
def test_it_is_asked_wherever_the_function_is_held_and_taken_back(thrice):
    finding, names = judged(TWICE.format(5) + thrice, "thrice")
    assert (finding.verdict, finding.borrowed) == ("pass", True)
    assert names["thrice"](1) == 6 and names["twice"](1) == 5


def test_nothing_is_lent_that_is_not_asked_for():
    finding, _ = judged(TWICE.format(5) + "def thrice(x): return x + twice(x)", "thrice", borrows=())
    assert (finding.verdict, finding.borrowed) == ("fail", False)
    finding, names = judged("def thrice(x): return 3 * x", "thrice")
    assert (finding.verdict, finding.borrowed) == ("pass", False) and "twice" not in names


def test_parts_that_use_what_is_lent_earn_their_points_by_it_and_others_lose_theirs():
    def check(student, draw):
        x = draw.positive(4)
        with part("thrice"):
            expect(student(x)[0]).close(3 * x)
        with part("half"):
            expect(student(x)[1]).close(x / 2)

    def found(borrows=()):
        answer = "def both(x): return x + twice(x), x / 3"
        parts = {"thrice": 2, "half": 1}
        return judged(TWICE.format(5) + answer, "both", check, borrows=borrows, parts=parts)[0]

    first, again = found(), found(("twice",))
    assert (first.verdict, first.earned, first.borrowed) == ("fail", 0, False)
    assert (again.verdict, again.earned, again.borrowed) == ("fail", 2, True)
    assert again.told.startswith("2 of 3 points: for thrice, but not for half.")
    assert second(first, again, Leaning(("twice",)), is_visible=False) is again


def test_a_decorated_function_and_one_that_is_missing_are_replaced():
    wrong = "@torch.no_grad()\ndef twice(x):\n    return 5 * x\n"
    for cell in (wrong, "twice = None\n", ""):
        finding, names = judged(cell + "def thrice(x): return x + twice(x)", "thrice")
        assert finding.verdict == "pass" and ("twice" in names) == bool(cell)


def test_a_function_of_a_library_is_not_changed():
    names = {"relu": nn.functional.relu}
    replaced, before = Replaced(names), nn.functional.relu.__code__
    replaced.put("relu", lambda x: "lent")
    assert names["relu"](1) == "lent" and nn.functional.relu.__code__ is before
    replaced.put_back()
    assert names["relu"] is nn.functional.relu


def test_functions_that_are_handed_on_are_called_forward_and_backward():
    """Gradients reach what the function is given, and what it holds."""
    right = "def applied(f, x): return f(x) * x"
    cell = "def applied(f, x): return 0\ndef answer(x, y): return applied(lambda z: z * y, x)"

    def check(student, draw):
        x, y = draw.positive(3), draw.positive(3)
        expect(student(x, y)).close(x * x * y)
        for_x, for_y = student.gradient(x, y, wrt=[0, 1], weights=[torch.ones(3)])
        expect(for_x).close(2 * x * y)
        expect(for_y).close(x * x)

    finding, _ = judged(cell, "answer", check, right, ("applied",))
    assert finding.verdict == "pass", finding.message


MODEL = """
class Model(nn.Module):
    def __init__(self, network, steps):
        super().__init__()
        self.network, self.steps = network, steps
        self.register_buffer("scale", torch.full((steps,), {scale}))

    def step(self, x):
        return self.network(x, torch.zeros(len(x), dtype=torch.long)) * {step}

    def walk(self, x):
        self.network.eval()
        for _ in range(self.steps):
            x = self.step(x)
        return x * self.scale[0]
"""


@pytest.mark.parametrize(
    ("scale", "step", "borrows"), [(2.0, "5", ("step",)), (3.0, "1", ("Model",)), (3.0, "5", ("Model", "step"))]
)
def test_methods_and_how_an_object_is_made_are_lent_around_the_very_toy(scale, step, borrows):
    def check(student, draw):
        toy = Recorder(torch.full((1,), 2.0), torch.zeros(1))
        model, x = student.kept(toy, 3), draw.positive(2, 4)
        expect(model.walk(x)).close(16 * x)
        expect(toy.modes).holds(len(toy.inputs) == 3 and not any(toy.modes), "the network is asked otherwise")

    finding, _ = judged(
        MODEL.format(scale=scale, step=step), "Model", check, MODEL.format(scale=2.0, step="1"), borrows
    )
    assert (finding.verdict, finding.borrowed) == ("pass", True), finding.message


LAYERS = """
class Model(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.layer = nn.Linear(size, size)

    def code(self, x):
        return self.layer(x)

    def forward(self, x):
        return {}
"""


def test_a_method_that_is_lent_calls_the_students_others_and_trains_their_layers():
    def check(student, draw):
        model, x = student.kept(3), draw.positive(2, 3)
        expect(model(x)).close(2 * model.code(x))
        sizes = model.gradient(x, wrt=model, weights=[torch.ones(2, 3)])
        expect(sizes).holds(all(size for size in sizes), "no gradient")

    finding, _ = judged(LAYERS.format("x"), "Model", check, LAYERS.format("2 * self.code(x)"), ("forward",))
    assert (finding.verdict, finding.borrowed) == ("pass", True), finding.message


def answer_to(lent, items: list) -> dict:
    lender = Lender()
    lender.lend(lent)
    return wire.decode(lender.answer(wire.encode([0, "call", "__call__", items, [], [], True]), bytes))


@pytest.mark.parametrize("items", [[torch.ones(30_000, 1), torch.ones(1, 30_000)], [10**9, 1]])
def test_arguments_that_would_fill_the_judges_memory_are_refused(items):
    called = []
    assert answer_to(Loan(lambda *given: called.append(given)), items)["raised"] == "ValueError"
    assert not called


def test_a_call_without_a_graph_gets_no_gradients_and_not_those_of_the_call_before_it():
    lender, x = Lender(), torch.ones(4)
    lender.lend(Loan(lambda x: 2 * x))

    def asked(*question):
        return wire.decode(lender.answer(wire.encode([0, *question]), bytes))

    moving = asked("call", "__call__", [x], [], [0], True)["call"]
    still = asked("call", "__call__", [x[:2]], [], [], True)["call"]
    assert asked("back", still, [x[:2]])["value"] == []
    assert asked("back", moving, [x])["value"][0].equal(2 * x)


def test_a_toy_takes_no_functions():
    assert answer_to(Identity(), [wire.Handle(0, "function")])["raised"] == "TypeError"


def test_questions_in_calls_in_questions_come_to_an_end():
    """A function that is handed on may ask the same again, and hand itself on."""
    cell = "def applied(f, x): return 0\ndef answer(x): return applied(answer, x)"

    def check(student, draw):
        expect(student(torch.ones(1))).close(torch.ones(1))

    finding, _ = judged(cell, "answer", check, "def applied(f, x): return f(x)", ("applied",))
    assert finding.verdict == "error"
