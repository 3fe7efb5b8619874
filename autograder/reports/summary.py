"""What a run says about a class: how scores spread, which exercises were hard, which mistakes were common."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from autograder.judge.verdict import Verdict
from autograder.results.model import RunResult

BINS = 10


@dataclass
class ExerciseSummary:
    """Verdicts on one exercise that is judged automatically, over all submissions."""

    id: str
    verdicts: Counter[Verdict] = field(default_factory=Counter)

    @property
    def passed(self) -> int:
        return self.verdicts["pass"]

    @property
    def judged(self) -> int:
        return self.verdicts.total()


@dataclass
class FrequentMistake:
    """A wrong answer that several students share: a known mistake, or else one sentence. `submissions` are indices."""

    exercise: str
    mistake: str | None
    submissions: list[int] = field(default_factory=list)
    sentences: Counter[str] = field(default_factory=Counter)

    @property
    def sentence(self) -> str:
        return self.sentences.most_common(1)[0][0]


def score_shares(run: RunResult) -> list[float]:
    """Score over maximal score of each submission that counts and has points to earn."""
    return [item.score / item.max_score for item in run.submissions if item.max_score > 0 and not item.excused]


def histogram(shares: list[float]) -> list[int]:
    """Counts in ten equal bins of [0, 1]; the last one holds 1 too."""
    counts = [0] * BINS
    for share in shares:
        # A share of 0.7 may have come out as 0.6999…
        counts[min(max(int(share * BINS + 1e-9), 0), BINS - 1)] += 1
    return counts


def exercise_summaries(run: RunResult, by_hand: Collection[str]) -> list[ExerciseSummary]:
    """One summary for each exercise but those that a person grades, in the order in which the run names them."""
    found: dict[str, ExerciseSummary] = {}
    for submission in run.submissions:
        for exercise in submission.exercises:
            if exercise.id not in by_hand:
                found.setdefault(exercise.id, ExerciseSummary(exercise.id)).verdicts[exercise.verdict] += 1
    return list(found.values())


def frequent_mistakes(run: RunResult) -> list[FrequentMistake]:
    """Wrong answers, the most frequent first. A failure that is no known mistake counts by its sentence."""
    found: dict[tuple[str, str | None, str], FrequentMistake] = {}
    for index, submission in enumerate(run.submissions):
        for exercise in submission.exercises:
            if exercise.verdict == "fail":
                key = (exercise.id, exercise.mistake, "" if exercise.mistake else exercise.message)
                same = found.setdefault(key, FrequentMistake(exercise.id, exercise.mistake))
                same.submissions.append(index)
                same.sentences[exercise.message] += 1
    return sorted(found.values(), key=lambda mistake: -len(mistake.submissions))
