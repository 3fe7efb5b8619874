"""Judge one answer to one exercise, and name the mistake where it is a known one."""

from collections.abc import Mapping
from dataclasses import replace

from autograder.judge.borrowing import Borrowing
from autograder.judge.exercise import Equivalent, Exercise, Mistake
from autograder.judge.forms import is_known_from
from autograder.judge.naming import with_the_same_numbers
from autograder.judge.running import Run, run
from autograder.judge.student import Channel, Transcript, in_this_process
from autograder.judge.verdict import Finding, is_out_of_memory
from autograder.judge.what_if import what_if
from autograder.judge.where_wrong import where_wrong

TOO_LARGE = "Its answer, or what it asked of what it was given, took more memory than there is to judge it."


def judge(exercise: Exercise, channel: Channel, seed: bytes) -> Finding:
    """Run the exercise's check on the answer behind `channel`, with inputs drawn from `seed`.

    Whatever the answer does is a finding; nothing it sends raises here. What the check itself raises is a fault of the
    grader's, unless the answer is odder than any that its author could think of.
    """
    if by_what_is_left := [exercise.without[name] for name in exercise.borrows if name in exercise.without]:
        return replace(judge(replace(exercise, check=by_what_is_left[0], borrows=()), channel, seed), borrowed=True)
    borrowing = _borrowing(exercise)
    finding = finding_of(exercise, seed, run_to_name(exercise, channel, seed, borrowing))
    return replace(finding, borrowed=True) if borrowing is not None and borrowing.was_asked else finding


def run_to_name(exercise: Exercise, channel: Channel, seed: bytes, borrowing: Borrowing | None = None) -> Run:
    """The run of an answer that is to be judged: it tells one mistake from another, if there are any."""
    goes_on = bool(exercise.mistakes or exercise.solution)
    return run(exercise, channel, seed, goes_on=goes_on, borrowing=borrowing)


def finding_of(exercise: Exercise, seed: bytes, answered: Run, known: Mapping[int, Run] | None = None) -> Finding:
    """What a run comes to. `known` are runs on the same seed of mistakes, by their number in the exercise: these are
    not run again."""
    finding = answered.finding
    if finding.verdict == "fault":
        kind, _, text = finding.traceback.rstrip().rpartition("\n")[2].partition(": ")
        is_full = is_out_of_memory(kind, text)
        if _is_to_blame(exercise, seed, answered.transcript, by_form=not is_full):
            return finding
        finding = Finding("error", TOO_LARGE if is_full else f"Its answer is of a kind that cannot be judged ({kind}).")
    if finding.verdict not in ("fail", "error"):
        return finding
    named = {item.name: item for item in exercise.mistakes}
    found = named.get(finding.mistake or "")
    if found is None or found.broad:
        found = with_the_same_numbers(exercise, seed, answered, known or {}) or found
    if found is None:
        told = _clue(exercise, seed, answered) if answered.is_wrong else ""
        return replace(finding, message=f"{finding.message} {told}".rstrip(), mistake=None, clue=told)
    return replace(finding, message=found.sentence, mistake=found.name)


def _borrowing(exercise: Exercise) -> Borrowing | None:
    """What is lent while an exercise is judged, if anything is and the notebook's solution is known."""
    if not exercise.borrows or exercise.solution is None:
        return None
    return Borrowing(exercise.borrows, exercise.solution.right(), exercise.solution.judged)


def _clue(exercise: Exercise, seed: bytes, answered: Run) -> str:
    """What the numbers look like, or else where they are wrong."""
    solution = exercise.solution if exercise.tells_slips else None
    told = what_if(exercise, solution, seed, answered) if solution else ""
    return told or where_wrong(answered, exercise.solution.parameters if exercise.solution else ())


def _is_to_blame(exercise: Exercise, seed: bytes, transcript: Transcript, *, by_form: bool) -> bool:
    """Whether the check, which has raised, is to blame for it, and not an answer of a form that nobody foresees.

    It is if it raises for a right answer too, or if the answer said, to the same questions, what has the form of a
    right answer's replies or of a known mistake's: then it would have stumbled over other answers as well. The form
    says nothing of the memory that an answer has the judge fill.
    """
    items: tuple[Equivalent | Mistake, ...] = (*exercise.equivalents, *exercise.mistakes)
    for item in items:
        other = run(exercise, in_this_process(item.answer), seed)
        is_fault = isinstance(item, Equivalent) and other.finding.verdict == "fault"
        if is_fault or (by_form and is_known_from(transcript, other.transcript)):
            return True
    return not items
