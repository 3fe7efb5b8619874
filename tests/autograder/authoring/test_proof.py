"""The proof finds what it should: a mistake that passes, one without its name, an equivalent that fails."""

import pytest
from typer.testing import CliRunner

from autograder.authoring import proof
from autograder.commands.app import app
from autograder.judge.draw import Draw
from autograder.judge.exercise import Equivalent, Exercise, Mistake
from autograder.judge.expect import expect


def check(student, draw: Draw) -> None:
    x = draw.normal(3)
    expect(student(x)).close(2 * x)


def exercise(mistakes=(), equivalents=()) -> Exercise:
    return Exercise(
        "toy.double",
        check,
        tuple(Mistake(name, f"Sentence of {name}.", answer) for name, answer in mistakes),
        tuple(Equivalent(name, answer) for name, answer in equivalents),
    )


def unfilled(x):
    raise NotImplementedError("FIXME: double")


def problems(monkeypatch, item: Exercise, solution=lambda x: 2 * x, blank=unfilled) -> list[str]:
    monkeypatch.setattr(proof, "exercises_of", lambda name: {item.id: item})
    monkeypatch.setattr(proof, "judged_expressions", lambda source: {item.id: "double"})
    monkeypatch.setattr(proof, "answers_of", lambda notebook, expressions: {item.id: notebook})
    return proof.prove("toy", solution, blank, seeds=2).problems


def test_a_sound_exercise_has_no_problems(monkeypatch):
    item = exercise([("triples", lambda x: 3 * x), ("adds", lambda x: x + 2)], [("sums", lambda x: x + x)])
    assert problems(monkeypatch, item) == []


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (exercise([("is_right", lambda x: x + x)]), "mistake is_right must fail"),
        (exercise([("first", lambda x: 3 * x), ("same", lambda x: x + 2 * x)]), "mistake same must fail and be named"),
        (exercise([], [("is_wrong", lambda x: 3 * x)]), "equivalent is_wrong must pass"),
    ],
    ids=["mistake that passes", "two mistakes in one", "equivalent that fails"],
)
def test_answers_that_prove_nothing_are_found(monkeypatch, item, kind):
    found = problems(monkeypatch, item)
    assert len(found) == 1 and kind in found[0]


def test_a_wrong_solution_and_a_release_that_answers_are_found(monkeypatch):
    assert "solution must pass" in problems(monkeypatch, exercise(), solution=lambda x: 3 * x)[0]
    assert "blank release must be missing" in problems(monkeypatch, exercise(), blank=lambda x: 2 * x)[0]


@pytest.mark.parametrize(("problems", "code"), [([], 0), (["toy.double: the solution must pass"], 1)])
def test_the_command_ends_with_1_if_anything_failed(monkeypatch, problems, code):
    def prove(name, source, release, *, seeds, jobs, on_trial):
        return proof.Proof(name, seeds, problems=problems)

    monkeypatch.setattr(proof, "prove", prove)
    done = CliRunner().invoke(app, ["prove", "vae", "--seeds", "7"])
    assert (done.exit_code, "7 seeds" in done.output) == (code, True)
