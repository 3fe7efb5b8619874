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
    return proved(monkeypatch, item, solution, blank).problems


def proved(monkeypatch, item, solution=lambda x: 2 * x, blank=unfilled, seeds=2) -> proof.Proof:
    monkeypatch.setattr(proof, "exercises_of", lambda name: {item.id: item})
    monkeypatch.setattr(proof, "judged_expressions", lambda source: {item.id: "double"})
    monkeypatch.setattr(proof, "answers_of", lambda notebook, expressions: {item.id: notebook})
    return proof.prove("toy", solution, blank, seeds=seeds)


def test_a_sound_exercise_has_no_problems(monkeypatch):
    item = exercise([("triples", lambda x: 3 * x), ("adds", lambda x: x + 2)], [("sums", lambda x: x + x)])
    assert problems(monkeypatch, item) == []


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (exercise([("is_right", lambda x: x + x)]), "mistake is_right must fail"),
        (exercise([], [("is_wrong", lambda x: 3 * x)]), "equivalent is_wrong must pass"),
    ],
    ids=["mistake that passes", "equivalent that fails"],
)
def test_answers_that_prove_nothing_are_found(monkeypatch, item, kind):
    found = problems(monkeypatch, item)
    assert len(found) == 1 and kind in found[0]


def test_two_mistakes_in_one_are_found_since_neither_has_its_name(monkeypatch):
    item = exercise([("first", lambda x: 3 * x), ("same", lambda x: x + 2 * x), ("adds", lambda x: x + 2)])
    found = problems(monkeypatch, item)
    assert ["mistake first must fail and be named" in found[0], "mistake same" in found[1], len(found)] == [1, 1, 2]


def test_what_a_mistake_is_confused_with_is_counted_and_printed(monkeypatch):
    def takes_another_name(student, draw):
        x = draw.normal(3)
        got = student(x)
        expect(got).holds(bool((got < 8).all()), "Too large.", "too_large").close(2 * x)

    adds = Mistake("adds", "It adds.", lambda x: x + (9 if float(x[1]) > 0 else 2))
    others = (
        Mistake("too_large", "It is large.", lambda x: x + 100),
        Mistake("triples", "It triples.", lambda x: 3 * x),
    )
    item = Exercise("toy.double", takes_another_name, (adds, *others))
    found = proved(monkeypatch, item, seeds=3)
    assert [(one.mistake, one.others) for one in found.confusions] == [("toy.double.adds", ("too_large",))]
    assert 0 < found.confusions[0].named < found.confusions[0].seeds == 3

    monkeypatch.setattr(proof, "prove", lambda name, *_, **__: found)
    printed = CliRunner().invoke(app, ["prove", "vae"]).output
    assert "toy.double.adds" in printed and "too_large" in printed and "triples" not in printed


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
