"""What an attack got: points that it does not deserve, another result for the witness, a secret in what comes out."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat

from autograder import course
from autograder.attacks import outputs
from autograder.attacks.corpus import NOBODY, Archive, Attack
from autograder.attacks.graders import Graded
from autograder.attacks.ground import Ground
from autograder.attacks.pages import report_problem
from autograder.attacks.witness import ASSIGNMENT
from autograder.results import files
from autograder.results.model import RunResult
from autograder.results.reading import read_results


def found_in_submission(attack: Attack, graded: Graded) -> Iterator[str]:
    """Points that are not the attack's, another verdict than must come, and what it says it got."""
    yield from _how_it_ended(graded)
    for result, notebook in zip(graded.results, graded.notebooks, strict=True):
        if result.score > attack.honest:
            passed = [item.id for item in result.exercises if item.verdict == "pass"]
            yield f"it earns {result.score:g} points, and deserves {attack.honest:g}: {', '.join(passed)}"
        if result.score < attack.honest:
            yield f"it earns {result.score:g} points, and deserves {attack.honest:g}"
        lines = outputs.printed_lines(notebook)
        if attack.ends:
            verdicts = {item.id.partition(".")[2]: item for item in result.exercises}
            found = verdicts[attack.on]
            if found.verdict not in attack.ends:
                yield f"{attack.on} is {found.verdict}, not {' or '.join(attack.ends)}: {found.message[:200]}"
        elif outputs.REACHED not in lines:
            yield f"it does not come to its end: {outputs.last_error(notebook)}"
        yield from (line[:200] for line in lines if line.startswith(outputs.STOLEN))
    if graded.problems:
        yield f"it is not graded at all: {graded.problems[0][:200]}"


def found_in_archive(attack: Archive, graded: Graded, deserved: float) -> Iterator[str]:
    """Points that are not the attack's, or fewer than the `deserved` ones for each honest submission in it."""
    yield from _how_it_ended(graded)
    scores = sorted((result.score for result in graded.results), reverse=True)
    if scores[: attack.graded] != [deserved] * attack.graded:
        yield f"{attack.graded} honest submissions in it deserve {deserved:g} points each; there are {scores}"
    if any(scores[attack.graded :]):
        yield f"it earns {sum(scores[attack.graded :]):g} points, and deserves none"
    if attack.students:
        yield from _found_in_names(attack, graded, deserved)
    if len(scores) == attack.graded and not graded.problems and not graded.fault:
        yield "it is passed over without a word"


def _found_in_names(attack: Archive, graded: Graded, deserved: float) -> Iterator[str]:
    """Students who do not get the result of their own work, and whether somebody without any gets one."""
    got = {result.student for result in graded.results if result.score == deserved}
    if lost := sorted(set(attack.students) - got):
        yield f"{', '.join(lost)} cannot be found with their own results: {'; '.join(graded.problems)[:200]}"
    if any(result.student == NOBODY for result in graded.results):
        yield f"{NOBODY} gets a result, and has handed in nothing"


def found_in_witness(graded: Graded, alone: Graded, when: str) -> Iterator[str]:
    """What is different in what the witness gets `when`, for example "after it", from what it gets alone."""
    if graded.fault:
        yield f"the submission {when} is not graded: {graded.fault}"
    elif graded.results != alone.results:
        yield f"the submission {when} gets another result: {_difference(alone, graded)}"
    elif _shown(graded) != _shown(alone):
        yield f"the notebook of the submission {when} shows something else than alone"


def found_in_output(graded: Graded, ground: Ground) -> Iterator[str]:
    """Secrets in the text that comes out, and what is wrong with the files that an instructor gets."""
    text = outputs.shown_text(graded.results, graded.notebooks) + "\n".join(graded.problems)
    keys = {"the course's key": ground.key, "the repository's key": _read(course.ROOT / "course.key")}
    for what, key in keys.items():
        if key and any(form in text for form in (key.hex(), key.decode("latin-1"), str(key)[2:-1])):
            yield f"{what} is in what comes out"
    yield from (
        f"{what}: its canary is in what comes out" for what, canary in ground.canaries.items() if canary in text
    )
    if line := outputs.first_secret(text, ground.secret_lines):
        yield f"a line of solution or checks is in what comes out: {ground.secret_lines[line].text[:60]}"
    if graded.results:
        yield from _found_on_paper(graded, ground)


def _found_on_paper(graded: Graded, ground: Ground) -> Iterator[str]:
    """Write all that an instructor gets, and look at it."""
    everyone = graded.results + ground.alone.results
    by_student = {result.student: result for result in everyone}
    run = RunResult(
        assignment=ASSIGNMENT,
        digest="0" * 64,
        budget="smoke",
        sandbox=True,
        submissions=list(by_student.values()),
    )
    notebooks = dict(zip((r.student for r in everyone), graded.notebooks + ground.alone.notebooks, strict=True))
    if problem := report_problem(run, notebooks, ground.source):
        yield problem
    with tempfile.TemporaryDirectory(prefix="fixmelab-out-") as out:
        files.write(Path(out) / "results.json", run.model_dump_json(indent=2))
        for student, notebook in notebooks.items():
            files.write(files.notebook_path(Path(out), student), nbformat.writes(notebook))
        written = sorted(path.relative_to(out).parts[0] for path in Path(out).rglob("*") if path.is_file())
        if written != ["executed"] * len(notebooks) + ["results.json"]:
            yield f"the output folder holds {', '.join(written)[:200]}"
        for path in Path(out).glob("executed/*"):
            nbformat.validate(nbformat.read(path, as_version=4))
            json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
        read_results(Path(out))


def _shown(graded: Graded) -> list[str]:
    """The notebooks, without the folders of sessions, whose names kernels see where there is no sandbox."""
    return [re.sub(r"\S+/sessions/\w+/", "/", nbformat.writes(notebook)) for notebook in graded.notebooks]


def _how_it_ended(graded: Graded) -> Iterator[str]:
    if graded.fault:
        yield f"the grader did not end normally: {graded.fault}"
    for problem in graded.problems:
        if odd := outputs.unseen(problem + "".join(problem.splitlines()[1:])):
            yield f"the line on it holds the character {odd!r}"
        if "\n" in problem:
            yield "what is said about it is more than one line"


def _difference(alone: Graded, other: Graded) -> str:
    if not other.results:
        return other.problems[0][:200] if other.problems else "none"
    pairs = zip(alone.results[0].exercises, other.results[0].exercises, strict=True)
    return "; ".join(f"{one.id} {two.verdict}: {two.message[:150]}" for one, two in pairs if one != two)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
