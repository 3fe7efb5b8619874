"""The proof finds what it should: a mistake that passes, one without its name, an equivalent that fails."""

import pytest
from typer.testing import CliRunner

from autograder.authoring import proof
from autograder.commands.app import app
from autograder.judge.draw import Draw
from autograder.judge.exercise import Equivalent, Exercise, Mistake
from autograder.judge.expect import expect
from autograder.judge.parts import part


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


def test_what_a_check_raises_is_said_to_its_author(monkeypatch):
    def misnamed(student, draw: Draw) -> None:
        with part("below"):
            expect(student(draw.normal(3))).finite()

    said = problems(monkeypatch, Exercise("toy.double", misnamed, parts={"under": 1, "above": 2}))
    assert "the solution must pass; on seed 0 it got fault, unnamed: the check raised RuntimeError: " in said[0]
    assert "the exercise declares no part 'below'" in said[0]


def test_two_mistakes_in_one_are_found_since_neither_has_its_name(monkeypatch):
    item = exercise([("first", lambda x: 3 * x), ("same", lambda x: x + 2 * x), ("adds", lambda x: x + 2)])
    found = problems(monkeypatch, item)
    assert len(found) == 2 and "mistake first must fail, be named and earn 0" in found[0] and "mistake same" in found[1]


@pytest.mark.parametrize("earns", [0, 1, 3], ids=["it states less", "what it gets", "it states more"])
def test_a_mistake_that_earns_more_or_less_than_it_states_is_found(monkeypatch, earns):
    def in_parts(student, draw: Draw) -> None:
        x = draw.normal(3)
        for name, sign in (("above", 1), ("below", -1)):
            with part(name):
                expect(student(sign * x.abs())).close(2 * sign * x.abs())

    large = Mistake("forgets_the_sign", "Both signs.", lambda x: 2 * x.abs(), earns=earns)
    found = problems(monkeypatch, Exercise("toy.double", in_parts, (large,), parts={"above": 1, "below": 2}))
    said = f"must fail, be named and earn {earns}; on seed 0 it got fail, forgets_the_sign: 1 of 3 points"
    assert [said in problem for problem in found] == ([] if earns == 1 else [True])


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
