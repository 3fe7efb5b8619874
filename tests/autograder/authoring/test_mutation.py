"""Mutants: what is changed, what is told of each, and what a check lets through."""

import ast

import nbformat.v4 as v4
import pytest
from typer.testing import CliRunner

from autograder.authoring.mutation import prove
from autograder.authoring.mutation.mutate import OPERATORS, mutants_of
from autograder.authoring.mutation.said import OUTPUT, Said
from autograder.commands.app import app
from autograder.errors import InputError
from autograder.judge.exercise import Exercise
from autograder.judge.expect import expect

SCALE = """# exercise: scale
def scale(x, factor):
    \"\"\"Factor times x.\"\"\"
    ### BEGIN SOLUTION
    return factor * x
    ### END SOLUTION
"""


def changes(solution: str, head: str = "def f(x, y):", elsewhere: frozenset[str] = frozenset()) -> dict[str, list[str]]:
    """Operator → changes of a function with this solution."""
    body = "\n    ".join(solution.splitlines())
    cell = f"{head}\n    ### BEGIN SOLUTION\n    {body}\n    ### END SOLUTION\n"
    found: dict[str, list[str]] = {}
    for mutant in mutants_of(cell, elsewhere):
        ast.parse(mutant.code)
        found.setdefault(mutant.operator, []).append(mutant.change)
    return found


@pytest.mark.parametrize(
    ("operator", "solution", "change"),
    [
        ("arithmetic", "return x + y", "x + y → x - y"),
        ("arithmetic", "return x - y", "x - y → y - x"),
        ("comparison", "return x < y", "x < y → x <= y"),
        ("constant", "return 0.5 * x", "0.5 * x → 0.25 * x"),
        ("constant", "return x.sum(dim=1)", "x.sum(dim=1) → x.sum(dim=0)"),
        ("constant", "return g(x, keep=True)", "g(x, keep=True) → g(x, keep=False)"),
        ("swapped", "return g(x, y)", "g(x, y) → g(y, x)"),
        ("swapped", "return x.exp()", "x.exp() → y.exp()"),
        ("dropped", "return x * y", "x * y → y"),
        ("dropped", "x.zero_()\nreturn x", "x.zero_() → pass"),
        ("power", "return torch.sqrt(x)", "torch.sqrt(x) → x"),
        ("power", "return x * y", "x * y → x ** 2 * y"),
        ("transposed", "return x.T", "return x.T → return x"),
        ("transposed", "return x @ y", "x @ y → x @ y.T"),
        ("reduction", "return x.mean(dim=1)", "x.mean(dim=1) → x.sum(dim=1)"),
        ("reduction", "return torch.sum(x, 1)", "torch.sum(x, 1) → torch.sum(x)"),
        ("reduction", "return x.sum(1)", "x.sum(1) → x.sum(1, keepdim=True)"),
        ("in place", "return x + 1", "x + 1 → x.add_(1)"),
        ("in place", "return torch.log(x)", "torch.log(x) → x.log_()"),
        ("graph", "return x.detach() * 2", "x.detach() → x"),
        ("graph", "with torch.no_grad():\n    return x", "with torch.no_grad(): return x → return x"),
        ("graph", "return x * 2", "x * 2 → x.detach() * 2"),
        ("graph", "return x * 2", "f without gradients"),
        ("kind", "return x.exp()", "return x.exp() → return x.exp().double()"),
        ("kind", "return torch.ones(2, dtype=x.dtype)", "torch.ones(2, dtype=x.dtype) → torch.ones(2)"),
        ("shape", "return x.exp()", "return x.exp() → return x.exp().unsqueeze(0)"),
        ("shape", "return x.exp()", "x.exp(), its first row for all"),
        ("branch", "return 1 if x else y", "x → not x"),
        ("loop", "for k in range(x):\n    pass", "for … in range(x) → list(range(x))[:-1]"),
        ("loop", "return [k for k in y]", "for … in y → list(y)[::-1]"),
        ("state", "return torch.randn(x)", "f with torch.manual_seed(0) inside"),
        ("state", "return x.exp()", "f gives what it gave before to arguments of these shapes"),
    ],
)
def test_a_slip_is_made(operator, solution, change):
    assert change in changes(solution)[operator]


def test_the_table_above_has_every_operator():
    tried = {case[0] for case in test_a_slip_is_made.pytestmark[0].args[1]}
    assert tried == set(OPERATORS)


def test_an_argument_gives_way_to_a_global_of_its_name_only_if_there_is_one():
    assert "f with the notebook's x" in changes("return x", elsewhere=frozenset({"x"}))["state"]
    assert "f with the notebook's x" not in changes("return x")["state"]


def test_what_is_given_is_not_changed():
    given = "def f(x, k=2):\n    y = 3 * x\n    ### BEGIN SOLUTION\n    return y\n    ### END SOLUTION\n"
    assert all("3 * x" in mutant.code and "k=2" in mutant.code for mutant in mutants_of(given))


@pytest.mark.parametrize(
    "solution",
    [
        "len(x)",
        "x.shape[0]",
        "torch.eye(3)[x]",
        "x > 0",
        "torch.where(x, 1, 2)",
        "torch.zeros_like(x)",
        "(2 * x).detach()",
        "torch.randn_like(x)",
        "torch.multinomial(2 * x, 1)",
    ],
)
def test_nothing_is_detached_that_has_no_gradient(solution):
    assert not any("x.detach()" in change for change in changes(f"return {solution}")["graph"])


def test_a_detach_is_left_out_if_something_has_a_gradient_then():
    left_out = {
        change
        for solution in ("x.detach() + 1", "(x.detach() > 0) * x", "torch.rand_like(x.detach())")
        for change in changes(f"return {solution}")["graph"]
        if change.startswith("x.detach() → x")
    }
    assert left_out == {"x.detach() → x"} and "x.detach() → x" in changes("return x.detach() + 1")["graph"]
    assert "x.detach() → x" not in changes("return torch.rand_like(x.detach())")["graph"]


def test_names_are_unique_and_codes_differ():
    mutants = mutants_of(SCALE.replace("factor * x", "factor * x + factor * x"))
    assert len({mutant.change for mutant in mutants}) == len({mutant.code for mutant in mutants}) == len(mutants)


def careful(student, draw):
    x = draw.normal(3, 4)
    given = x.clone()
    expect(student(x, 2.5)).close(2.5 * x)
    expect(student(given + 1, 0.5)).close(0.5 * (given + 1))


def careless(student, draw):
    student(draw.normal(3, 4), 2.5)


def mutated(monkeypatch, check, harmless=None, source=SCALE, **options):
    scale = Exercise("small.scale", check, harmless=harmless or {})
    monkeypatch.setattr(prove, "exercises_of", lambda assignment: {scale.id: scale})
    notebook = v4.new_notebook(
        cells=[
            v4.new_code_cell("import torch"),
            v4.new_code_cell(
                "two = 2", metadata={"nbgrader": {"solution": False, "grade": True, "grade_id": "test_a"}}
            ),
            v4.new_code_cell(source, metadata={"nbgrader": {"solution": True, "grade": False}}),
            v4.new_markdown_cell("The tests use what stands before them."),
            v4.new_code_cell("one = torch.ones(1)"),
            v4.new_code_cell(
                "assert scale(one, two) == 2\n### BEGIN HIDDEN TESTS\ncheck('small.scale', scale)\n"
                "### END HIDDEN TESTS",
                metadata={"nbgrader": {"solution": False, "grade": True, "grade_id": "test_scale"}},
            ),
        ]
    )
    return prove.prove_mutants("small", notebook, **options)


def test_a_check_that_looks_kills_what_it_can_see(monkeypatch):
    found = mutated(monkeypatch, careful)
    assert sum(found.made.values()) > 15
    # No gradient is asked for, the numbers are float32 as they were, and no side is 1.
    assert {problem.split(": ")[1] for problem in found.problems} == {"graph", "kind", "shape"}
    assert 0 < sum(found.seen.values()) < sum(found.killed.values())


def test_a_check_that_does_not_look_is_found(monkeypatch):
    found = mutated(monkeypatch, careless)
    assert any("factor * x → factor / x" in problem for problem in found.problems)


def test_harmless_mutants_are_counted_apart(monkeypatch):
    reasons = {"factor * x → factor * x.detach()": "no gradient is asked for"}
    before = mutated(monkeypatch, careless)
    after = mutated(monkeypatch, careless, reasons)
    assert sum(after.harmless.values()) == 1 and len(after.problems) == len(before.problems) - 1


def test_all_of_an_operator_may_be_harmless_and_some_of_it_killed(monkeypatch):
    found = mutated(monkeypatch, careful, {"graph": "no gradient is asked for", "loop": ""})
    # A number has no detach: that one raises.
    assert (found.made["graph"], found.harmless["graph"], found.killed["graph"]) == (3, 2, 1)
    assert not any(": graph: " in problem or "but loses" in problem for problem in found.problems)
    assert any("'loop' is called harmless, but no mutant" in problem for problem in found.problems)


def test_all_changes_of_a_formula_may_be_harmless(monkeypatch):
    found = mutated(monkeypatch, careless, {"factor * x": "whatever it is"})
    assert found.harmless["arithmetic"] == 1 and found.harmless["power"] > 1
    assert not any(": 'factor * x →" in problem for problem in found.problems)


def test_what_is_called_harmless_must_be_a_mutant_that_keeps_its_points(monkeypatch):
    found = mutated(monkeypatch, careful, {"factor * x → x": "", "no such change": ""})
    assert any("'factor * x → x' is called harmless, but loses its point" in problem for problem in found.problems)
    assert any("'no such change' is called harmless, but no mutant" in problem for problem in found.problems)


def test_a_solution_that_is_refused_proves_nothing(monkeypatch):
    found = mutated(monkeypatch, lambda student, draw: expect(student(draw.normal(2), 2)).holds(False, "It is wrong."))
    assert found.problems == ["small.scale: the solution itself is refused"]
    with pytest.raises(InputError, match="cell 5 of the notebook raised AssertionError"):
        mutated(monkeypatch, careful, source=SCALE.replace("factor * x", "factor + x"))


def test_what_is_said_of_those_that_lose_their_points_is_asked_for_apart(monkeypatch):
    asked, silent = (mutated(monkeypatch, careful, messages=messages) for messages in (True, False))
    assert asked.messages.counts().total() == sum(asked.killed.values())
    assert silent.killed == asked.killed and not silent.messages.counts()


def test_a_sample_is_the_same_each_time(monkeypatch):
    one, other = (mutated(monkeypatch, careless, sample=5) for _ in range(2))
    assert one == other and sum(one.made.values()) == 5


def test_a_mutant_without_an_end_is_killed(monkeypatch):
    monkeypatch.setattr(prove, "MOST_SECONDS", 1)
    source = SCALE.replace("return factor * x", "n = 3\n    while n > 0:\n        n -= 1\n    return factor * x")
    found = mutated(monkeypatch, careful, source=source)
    assert found.killed["arithmetic"] == found.made["arithmetic"]


def test_only_the_exercises_that_are_named(monkeypatch):
    assert not mutated(monkeypatch, careful, only=["other"]).made
    assert mutated(monkeypatch, careful, only=["scale"]).made


def test_the_command_shares_a_sample_among_the_notebooks_and_ends_with_1_if_a_mutant_is_left(monkeypatch):
    asked = {}

    def told(name, source, *, sample, only, messages, jobs, on_mutant):
        asked[name] = (sample, only)
        found = prove.Mutation(name, problems=["scale: constant: '2 → 3' keeps its points"] if name == "gan" else [])
        if messages:
            found.messages.note(Said("gan.scale", "named", "It is tripled.", "It is tripled."), "gan.scale: '2 → 4'")
            wrong = {"small.one": "A B", "small.two": "C C"}
            for said in (Said(id, OUTPUT, word) for id, words in wrong.items() for word in words.split()):
                found.messages.note(said, f"{said.exercise}: {said.message}")
        return found

    monkeypatch.setattr(prove, "prove_mutants", told)
    done = CliRunner().invoke(app, ["prove", "--mutants", "vae.encode", "gan", "gcn", "--sample", "250"])
    assert asked == {"vae": (83, ["encode"]), "gan": (83, []), "gcn": (83, [])}
    assert (done.exit_code, "2 → 3" in done.output) == (1, True)
    assert CliRunner().invoke(app, ["prove", "--mutants", "vae"]).exit_code == 0 and asked["vae"] == (None, [])
    done = CliRunner().invoke(app, ["prove", "--mutants", "vae", "--messages"])
    assert "gan.scale: '2 → 4': not true of it: It is tripled." in done.output and "40.0 %" in done.output
    # The first of the two exercises has two outputs, so its messages say where to look.
    assert done.output.count("small.two: C: told that numbers are wrong, and no more") == 2
    assert "small.one: A: told" not in done.output
