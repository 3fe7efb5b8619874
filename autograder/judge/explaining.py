"""All that leads to a verdict, for an instructor: it holds inputs, expected values and names of mistakes.

Nothing of it may reach a student: it is text on an instructor's terminal, and no result, file or export holds it.
"""

from dataclasses import replace
from typing import Any

import numpy
import torch

from autograder.judge.draw import Draw
from autograder.judge.exercise import Exercise
from autograder.judge.expect import on_compared, told_of_numbers
from autograder.judge.judging import judge
from autograder.judge.naming import same
from autograder.judge.running import run
from autograder.judge.student import Channel, Remote, Transcript, in_this_process
from autograder.judge.verdict import ExpectationFailed, Finding

MOST_NUMBERS = 24  # of a tensor that are shown
MOST_TEXT = 400
_SHOWN = ("args", "kwargs", "wrt", "weights", "name", "value")  # parts of a request that people understand


def explain(exercise: Exercise, channel: Channel, seed: bytes) -> tuple[Finding, str]:
    """Judge an answer, and tell how: each question with its inputs and what came back, what was wanted in the end, and
    how near each known mistake came."""
    asked: list[tuple[str, dict[str, Any]]] = []
    transcript: Transcript = []
    failed: list[ExpectationFailed] = []
    is_first = True

    def listening(student: Remote, draw: Draw) -> None:
        session = student._session
        nonlocal is_first
        if not is_first:  # known mistakes are judged by the same check afterwards
            exercise.check(student, draw)
            return
        is_first = False
        session.on_reply = lambda number, line: None if failed or line[0] == "raised" else transcript.append(line)
        note, on_ask = on_compared(), session.on_ask

        def hear(request: dict[str, Any], label: str) -> None:
            on_ask(request, label)
            if not failed:
                asked.append((label, request))

        session.on_ask = hear

        def listen(failure: ExpectationFailed | None) -> None:
            if failure is not None:
                failed.append(failure)
                if note is None:
                    raise failure
            if note is not None:
                note(failure)

        try:
            with told_of_numbers(listen):
                exercise.check(student, draw)
        except ExpectationFailed as failure:
            failed.append(failure)
            raise

    finding = judge(replace(exercise, check=listening), channel, seed)
    lines = [f"verdict: {finding.verdict}" + (f" ({finding.mistake})" if finding.mistake else ""), finding.told]
    if finding.traceback:
        lines.append(finding.traceback)
    for number, (label, request) in enumerate(asked):
        lines.append(f"{number + 1}. {label}({_arguments(request)})")
        came = _shown(transcript[number][1]) if number < len(transcript) else "nothing that could be read"
        lines.append(f"   → {came}")
    if finding.verdict == "fail" and failed and failed[0].wanted is not None:
        lines += [f"wanted: {_shown(failed[0].wanted)}", f"it is: {_shown(failed[0].got)}"]
        lines.append(difference(failed[0].got, failed[0].wanted))
    if finding.verdict != "pass":
        lines += _nearness(exercise, seed, transcript)
    return finding, "\n".join(line for line in lines if line)


def difference(got: Any, wanted: torch.Tensor) -> str:
    """Where two tensors of one shape differ first, and by how much most."""
    if not isinstance(got, torch.Tensor) or got.shape != wanted.shape:
        return ""
    apart = (got.double() - wanted.double()).abs().nan_to_num(nan=torch.inf)
    bound = 1e-4 * wanted.double().abs().max().item() if wanted.numel() else 0.0
    places = (apart > bound).nonzero()
    if not len(places):
        return "they differ in rounding alone"
    first = tuple(places[0].tolist())
    return (
        f"they differ first at {list(first)}: {got[first].item():.6g} and not {wanted[first].item():.6g}; "
        f"in {len(places)} of {wanted.numel()} numbers, by at most {apart.max().item():.3g}"
    )


def _nearness(exercise: Exercise, seed: bytes, transcript: Transcript) -> list[str]:
    """A line for each known mistake: in how many replies it agrees with the answer, and how the next ones differ."""
    lines = []
    for mistake in exercise.mistakes:
        told = run(exercise, in_this_process(mistake.answer), seed).transcript
        agree = 0
        while agree < min(len(told), len(transcript)) and same(told[agree], transcript[agree]):
            agree += 1
        near = ""
        if agree < min(len(told), len(transcript)):
            near = _first_difference(transcript[agree][1], told[agree][1])
        lines.append(
            f"- {mistake.name}: agrees in {agree} of {len(transcript)} replies" + (f"; {near}" if near else "")
        )
    return ["known mistakes:", *lines] if lines else ["no mistakes are known"]


def _first_difference(one: Any, other: Any) -> str:
    """How the first tensors differ that do, in two replies of one form; "" if none tell."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return next((_first_difference(*pair) for pair in zip(one, other, strict=True) if not same(*pair)), "")
    return difference(one, other) if isinstance(other, torch.Tensor) else ""


def _arguments(request: dict[str, Any]) -> str:
    given = {name: request[name] for name in _SHOWN if name in request}
    return ", ".join(f"{name}={_shown(value)}" for name, value in given.items() if not _is_nothing(value))


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)


def _shown(value: Any) -> str:
    match value:
        case torch.Tensor() | numpy.ndarray():
            tensor = torch.as_tensor(value) if value.dtype != object else torch.zeros(0)
            numbers = ", ".join(f"{item:.6g}" for item in tensor.flatten()[:MOST_NUMBERS].tolist())
            more = ", …" if tensor.numel() > MOST_NUMBERS else ""
            return f"{type(value).__name__} {tuple(value.shape)} {value.dtype} [{numbers}{more}]"
        case Remote():
            return f"<{value.kind} that stays with the student>"
        case list() | tuple():
            return f"[{', '.join(map(_shown, value))}]"
        case dict():
            return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
        case None | bool() | int() | float() | str() | bytes():
            return repr(value)[:MOST_TEXT]
    return f"<{type(value).__name__} of the check's>"
