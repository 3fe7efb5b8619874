"""Judge one answer to one exercise, and name the mistake where it is a known one."""

from autograder.judge.exercise import Equivalent, Exercise, Mistake
from autograder.judge.forms import is_known_from
from autograder.judge.naming import with_the_same_numbers
from autograder.judge.running import Run, run
from autograder.judge.student import Channel, Transcript, in_this_process
from autograder.judge.verdict import Finding
from autograder.judge.what_if import what_if
from autograder.judge.where_wrong import where_wrong


def judge(exercise: Exercise, channel: Channel, seed: bytes) -> Finding:
    """Run the exercise's check on the answer behind `channel`, with inputs drawn from `seed`.

    Whatever the answer does is a finding; nothing it sends raises here. What the check itself raises is a fault of the
    grader's, unless the answer is odder than any that its author could think of.
    """
    answered = run(exercise, channel, seed, goes_on=bool(exercise.mistakes or exercise.solution))
    finding = answered.finding
    if finding.verdict == "fault":
        if _is_to_blame(exercise, seed, answered.transcript):
            return finding
        kind = finding.traceback.rstrip().rpartition("\n")[2].partition(":")[0]
        finding = Finding("error", f"Its answer is of a kind that cannot be judged ({kind}).")
    if finding.verdict not in ("fail", "error"):
        return finding
    known = {item.name: item for item in exercise.mistakes}
    found = known.get(finding.mistake or "")
    if found is None or found.broad:
        found = with_the_same_numbers(exercise, seed, answered) or found
    if found is None:
        told = _clue(exercise, seed, answered) if answered.is_wrong else ""
        return Finding(finding.verdict, f"{finding.message} {told}".rstrip(), clue=told)
    return Finding(finding.verdict, found.sentence, found.name)


def _clue(exercise: Exercise, seed: bytes, answered: Run) -> str:
    """What the numbers look like, or else where they are wrong."""
    told = what_if(exercise, exercise.solution, seed, answered) if exercise.solution else ""
    return told or where_wrong(answered)


def _is_to_blame(exercise: Exercise, seed: bytes, transcript: Transcript) -> bool:
    """Whether the check, which has raised, is to blame for it, and not an answer of a form that nobody foresees.

    It is if it raises for a right answer too, or if the answer said, to the same questions, what has the form of a
    right answer's replies or of a known mistake's: then it would have stumbled over other answers as well.
    """
    items: tuple[Equivalent | Mistake, ...] = (*exercise.equivalents, *exercise.mistakes)
    for item in items:
        other = run(exercise, in_this_process(item.answer), seed)
        is_fault = isinstance(item, Equivalent) and other.finding.verdict == "fault"
        if is_fault or is_known_from(transcript, other.transcript):
            return True
    return not items
