"""`autograder build` and `autograder prove`: from the text to what students get, and that the checks are right."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from autograder.commands.options import CORES, Jobs, Names
from autograder.commands.terminal import console, errors, progress

if TYPE_CHECKING:
    from collections import Counter

    from autograder.attacks.prove import Outcome
    from autograder.authoring.mutation.prove import Mutation
    from autograder.authoring.proof import Confusion

SHOWN_LONGEST = 5


def build(
    names: Names = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if what is there is out of date.")
    ] = False,
) -> None:
    """Make source/ and release/ from the texts in notebooks/, after a scan for leaks."""
    from autograder.authoring.build import build as build_all

    for built in build_all(names or None, check=check):
        state = "built" if built.changed else "up to date"
        console.print(f"{built.name}: {built.exercises} exercises, {built.points:g} points, {state}", highlight=False)


def prove(
    names: Names = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds for the solution and the blank release.")] = 50,
    jobs: Jobs = CORES,
    attacks: Annotated[
        bool, typer.Option("--attacks", help="Try the corpus of attacks instead, in the sandbox: a line each.")
    ] = False,
    mutants: Annotated[
        bool, typer.Option("--mutants", help="Try mutants of the solutions instead: one small thing changed in each.")
    ] = False,
    messages: Annotated[
        bool,
        typer.Option("--messages", help="With --mutants: say what students would be told of them, and if it is true."),
    ] = False,
    pairs: Annotated[
        bool,
        typer.Option(
            "--pairs", help="Try known mistakes of one exercise beside another exercise that uses it instead."
        ),
    ] = False,
    sample: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many mutants or pairs in all, as many of each assignment; all there are if not given."
        ),
    ] = None,
) -> None:
    """Show that the checks are right: solution, blank release, known mistakes and equivalents on many seeds.

    With --attacks, show that the grader cannot be cheated or harmed by the notebooks and archives in tests/attacks:
    all of them, or those that are named, such as harm/fork_bomb.

    With --mutants, show that whatever is changed in a solution loses its points, unless the exercise calls it harmless:
    all assignments and exercises, or those that are named, such as vae or vae.gaussian_kl.

    With --pairs, show that a mistake in one answer costs no points of another that uses it, and that of two mistakes in
    one notebook each has its name: likewise all, or those that use others and are named, such as vae.elbo_loss.
    """
    from autograder import course

    if mutants:
        _prove_mutants(names, sample, jobs, messages=messages)
        return
    if pairs:
        _prove_pairs(names, sample, jobs)
        return
    if attacks:
        _prove_attacks(names, jobs)
        return
    from autograder.authoring.proof import prove as prove_one

    failed = False
    for name in [course.require_assignment(name) for name in names or course.assignment_names()]:
        source, release = course.read_source(name), course.read_release(name)
        with progress(f"proving {name}") as show:
            proof = prove_one(name, source, release, seeds=seeds, jobs=jobs, on_trial=show)
        failed = failed or bool(proof.problems)
        for problem in proof.problems:
            errors.print(problem, markup=False, highlight=False, soft_wrap=True)
        if proof.confusions:
            console.print(_table_of_confusions(proof.confusions))
        console.print(
            f"{name}: {proof.exercises} exercises, {proof.mistakes} mistakes, {proof.equivalents} equivalents, "
            f"{proof.seeds} seeds: " + (f"{len(proof.problems)} failed" if proof.problems else "all as they must be"),
            highlight=False,
        )
    if failed:
        raise typer.Exit(1)


def new(
    name: Annotated[str, typer.Argument(help="What the notebook is called, such as flows.")],
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of its first proof.")] = 10,
    jobs: Jobs = CORES,
) -> None:
    """Begin a notebook: write its text and its folder with one exercise, build it and prove it."""
    import importlib

    from autograder.authoring.new import write_new

    for path in write_new(name):
        console.print(f"written  {path}", markup=False, highlight=False, soft_wrap=True)
    importlib.invalidate_caches()  # there is a package more
    build([name])
    prove([name], seeds=seeds, jobs=jobs)


def _prove_mutants(names: list[str] | None, sample: int | None, jobs: int, *, messages: bool) -> None:
    from autograder import course
    from autograder.authoring.mutation.prove import prove_mutants

    wanted = _by_assignment(names)
    share = None if sample is None else max(1, sample // len(wanted))
    found = []
    for name, only in wanted.items():
        with progress(f"mutants of {name}") as show:
            source = course.read_source(name)
            found.append(
                prove_mutants(name, source, sample=share, only=only, messages=messages, jobs=jobs, on_mutant=show)
            )
    for problem in [problem for one in found for problem in one.problems]:
        errors.print(problem, markup=False, highlight=False, soft_wrap=True)
    console.print(_table_of(found))
    if messages:
        for line in [line for one in found for line in one.messages.to_mend()]:
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        console.print(_table_of_messages(found))
    if any(one.problems for one in found):
        raise typer.Exit(1)


def _prove_pairs(names: list[str] | None, sample: int | None, jobs: int) -> None:
    from autograder import course
    from autograder.authoring.pairs import prove_pairs

    wanted, failed = _by_assignment(names), False
    share = None if sample is None else max(1, sample // len(wanted))
    for name, only in wanted.items():
        with progress(f"pairs of {name}") as show:
            shown = prove_pairs(name, course.read_source(name), sample=share, only=only, jobs=jobs, on_pair=show)
        failed = failed or bool(shown.problems)
        for problem in shown.problems:
            errors.print(problem, markup=False, highlight=False, soft_wrap=True)
        console.print(
            f"{name}: {shown.right} right answers beside a mistake that they use, of which {shown.leaning} pass only "
            f"since the course lends its answer; {shown.wrong} pairs of mistakes: "
            + (f"{len(shown.problems)} failed" if shown.problems else "all as they must be"),
            highlight=False,
        )
    if failed:
        raise typer.Exit(1)


def _by_assignment(names: list[str] | None) -> dict[str, list[str]]:
    """The exercises that are named, by assignment; all of an assignment if the list is empty."""
    from autograder import course

    wanted: dict[str, list[str]] = {name: [] for name in ([] if names else course.assignment_names())}
    for name in names or []:
        assignment, _, exercise = name.partition(".")
        wanted.setdefault(course.require_assignment(assignment), []).extend([exercise] if exercise else [])
    return wanted


def _table_of_confusions(confusions: "list[Confusion]") -> Table:
    """The mistakes that were not called by their name on every seed, and what they were called."""
    table = Table("mistake", "named rightly", "confused with")
    for one in confusions:
        others = ", ".join(name or "no mistake" for name in one.others)
        table.add_row(one.mistake, f"{one.named} of {one.seeds} seeds", others)
    return table


def _table_of(found: "list[Mutation]") -> Table:
    """For each operator and in all: how many mutants of how many lost their points, notebook by notebook."""
    table = Table("operator", *(one.assignment for one in found), "all", "harmless", "caught by visible tests")
    operators = sorted({operator for one in found for operator in one.made})
    for operator in operators:
        table.add_row(operator, *_shares(found, [operator]))
    table.add_section()
    table.add_row("all", *_shares(found, operators))
    return table


def _table_of_messages(found: "list[Mutation]") -> Table:
    """What is said of how many of the mutants that lost their points, by notebook and in all."""
    from autograder.authoring.mutation.said import KINDS

    counts = [one.messages.counts() for one in found]
    total = sum(count.total() for count in counts) or 1
    table = Table("the least helpful message of three", *(one.assignment for one in found), "all", "share")
    for kind in KINDS:
        each = [count[kind] for count in counts]
        table.add_row(kind, *map(str, each), str(sum(each)), f"{100 * sum(each) / total:.1f} %")
    table.add_section()
    each = [len(one.messages.untrue) for one in found]
    table.add_row("not true of it", *map(str, each), str(sum(each)), f"{100 * sum(each) / total:.1f} %")
    return table


def _shares(found: "list[Mutation]", operators: list[str]) -> list[str]:
    def count(counters: "list[Counter[str]]") -> int:
        return sum(counter[operator] for counter in counters for operator in operators)

    killed, made = [one.killed for one in found], [one.made for one in found]
    columns = [f"{count([k])} of {count([m])}" for k, m in zip(killed, made, strict=True)]
    caught = 100 * count([one.seen for one in found]) / max(1, count(killed))
    harmless = count([one.harmless for one in found])
    return [*columns, f"{count(killed)} of {count(made)}", str(harmless), f"{caught:.0f} %"]


def _prove_attacks(names: list[str] | None, jobs: int) -> None:
    from autograder.attacks.prove import prove_attacks

    def show(outcome: "Outcome") -> None:
        held = outcome.verdict == "held"
        (console if held else errors).print(_line(outcome), markup=False, highlight=False, soft_wrap=True)

    outcomes = prove_attacks(jobs=jobs, on_attack=show, names=names or None)
    longest = sorted(outcomes, key=lambda outcome: -outcome.seconds)[:SHOWN_LONGEST]
    console.print("longest: " + ", ".join(f"{outcome.name} {outcome.seconds:.0f} s" for outcome in longest))
    broken = [outcome for outcome in outcomes if outcome.verdict != "held"]
    console.print(
        f"{len(outcomes)} attacks: " + (f"{len(broken)} broke through:" if broken else "none broke through"),
        highlight=False,
    )
    # Once more, since they are lost among the lines of all others.
    for outcome in broken:
        errors.print(_line(outcome), markup=False, highlight=False, soft_wrap=True)
    if broken:
        raise typer.Exit(1)


def _line(outcome: "Outcome") -> str:
    verdict = "held" if outcome.verdict == "held" else f"BROKEN: {outcome.reason}"
    return f"{outcome.name}: {outcome.tries}: {verdict}"
