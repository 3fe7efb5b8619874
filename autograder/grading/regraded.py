"""What a run has judged anew, and why: the lines that it ends with."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

# Late, as in run.py.
if TYPE_CHECKING:
    from autograder.results.model import Record, SubmissionResult

MOST_EXERCISES = 4
AGAIN = "--again"
FAILED = "its check, which had failed"
NOT_KEPT = "a verdict that was not kept"
OF_SEVERAL = {
    "its check": "their checks",
    "an exercise that it uses": "exercises that they use",
    "a limit or crash beside it": "a limit or crash beside them",
    FAILED: "their checks, which had failed",
    NOT_KEPT: "verdicts that were not kept",
}


class Regraded:
    """By students, of those who had a result before: `earlier` are these results."""

    def __init__(self, earlier: "Mapping[str, SubmissionResult]") -> None:
        self._earlier = earlier
        # Students by the reasons, and the names of the exercises judged anew for them, and whether these are all.
        self._found: dict[tuple[tuple[str, ...], tuple[str, ...], bool], set[str]] = defaultdict(set)

    def note(self, record: "Record", *, again: bool) -> None:
        from autograder.results.comparing import SUBMISSION

        result = record.result
        before = self._earlier.get(result.student)
        if before is None or not record.anew:
            return
        failed = {item.id.partition(".")[2] for item in before.exercises if item.verdict == "fault"}
        by_reason: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name, why in record.anew.items():
            if not why and before.digest != result.digest and not again:
                why = (SUBMISSION,)
            elif not why:
                why = (AGAIN if again else FAILED if name in failed else NOT_KEPT,)
            by_reason[why].append(name)
        for why, names in by_reason.items():
            self._found[why, tuple(names), set(names) >= record.judged.keys()].add(result.student)

    def lines(self) -> Iterator[str]:
        """A line for each set of exercises and its reasons, that of the most students first."""
        for (why, names, is_all), students in sorted(self._found.items(), key=lambda item: -len(item[1])):
            count = "1 student" if len(students) == 1 else f"{len(students)} students"
            were = "was" if len(names) == 1 else "were"
            causes = " and ".join(why if len(names) == 1 else (OF_SEVERAL.get(cause, cause) for cause in why))
            yield f"{count}: {_called(names, is_all=is_all)} {were} judged anew, because of {causes}"
        if not self._found:
            yield "nobody was judged anew"


def _called(names: Collection[str], *, is_all: bool) -> str:
    if len(names) > MOST_EXERCISES:
        return f"all {len(names)} exercises" if is_all else f"{len(names)} exercises"
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
