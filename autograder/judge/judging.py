"""Judge one answer to one exercise, and name the mistake where it is a known one."""

from autograder.judge.exercise import Equivalent, Exercise, Mistake
<<<<<<< HEAD
from autograder.judge.forms import is_known_from
from autograder.judge.student import Channel, Remote, Transcript, in_this_process, student_of
from autograder.judge.verdict import AnswerRaised, ExpectationFailed, Finding, Verdict
from fixmelab.judged.wire import WireError

UNFILLED = "This FIXME is not filled in yet."
FAULT = "The check of this exercise failed. That is no fault of your answer: your instructor mends it and grades again."
=======
from autograder.judge.forms import differ
from autograder.judge.naming import with_the_same_numbers
from autograder.judge.running import run
from autograder.judge.student import Channel, Transcript, in_this_process
from autograder.judge.verdict import Finding
from autograder.judge.what_if import clue
>>>>>>> 51fd645 (Name a mistake only if it fits on more inputs than the first, and say what unknown numbers look like)


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
        told = clue(exercise, exercise.solution, seed, answered) if exercise.solution and answered.wrong else ""
        return Finding(finding.verdict, f"{finding.message} {told}".rstrip(), clue=told)
    return Finding(finding.verdict, found.sentence, found.name)


def _is_to_blame(exercise: Exercise, seed: bytes, transcript: Transcript) -> bool:
    """Whether the check, which has raised, is to blame for it, and not an answer of a form that nobody foresees.

    It is if it raises for a right answer too, or if the answer said, to the same questions, what has the form of a
    right answer's replies or of a known mistake's: then it would have stumbled over other answers as well.
    """
    items: tuple[Equivalent | Mistake, ...] = (*exercise.equivalents, *exercise.mistakes)
    for item in items:
<<<<<<< HEAD
        finding, told = _run(exercise, in_this_process(item.answer), seed)
        if is_known_from(transcript, told) or (isinstance(item, Equivalent) and finding.verdict == "fault"):
=======
        other = run(exercise, in_this_process(item.answer), seed)
        if not differ(transcript, other.transcript):
            return True
        if isinstance(item, Equivalent) and other.finding.verdict == "fault":
>>>>>>> 51fd645 (Name a mistake only if it fits on more inputs than the first, and say what unknown numbers look like)
            return True
    return not items
