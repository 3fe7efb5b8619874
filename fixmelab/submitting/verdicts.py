"""What came of a notebook: as text for a terminal, as HTML for a notebook."""

import html
import textwrap
from collections.abc import Iterator
from typing import Any

from fixmelab.standing.table import LEFT, WIDTH

MARKS = {"pass": "✓", "missing": "–", "manual": "?", "fault": "G", "untold": " "}
WRONG = "✗"


class Verdicts:
    """What `lab.submit()` gives back: a table in a notebook, and text elsewhere. `answer` is the server's JSON, and
    `receipt` says where the receipt lies."""

    def __init__(self, answer: dict[str, Any], receipt: str) -> None:
        self.answer = answer
        self.receipt = receipt

    @property
    def is_graded(self) -> bool:
        return self.answer.get("state") == "done"

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        rows = "".join(map(_html_row, self.answer.get("exercises") or []))
        head = "".join(f'<th scope="col" {LEFT}>{name}</th>' for name in ("exercise", "points", "verdict"))
        table = (
            f'<table style="width: 100%; max-width: 56em; table-layout: fixed">'
            f'<colgroup><col style="width: 40%"><col style="width: 4.8em"><col></colgroup>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )
        return f"<p><b>{html.escape(self._first())}</b></p>{table if rows else ''}<p>{html.escape(self._last())}</p>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _lines(self) -> Iterator[str]:
        yield from textwrap.wrap(self._first(), WIDTH)
        exercises = self.answer.get("exercises") or []
        width = max((len(item["exercise"]) for item in exercises), default=0)
        if exercises:
            yield ""
        for item in exercises:
            first = f"{_mark(item)} {item['exercise']:{width}} {_points(item):>9}  {_said(item)}"
            indent = " " * (width + 13)
            for line in (first, *(f"{indent}{hint}" for hint in _hints(item))):
                yield from textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
        yield ""
        yield from textwrap.wrap(self._last(), WIDTH, break_long_words=False, break_on_hyphens=False)

    def _first(self) -> str:
        name, score = self.answer["assignment"], self.answer.get("score")
        if score is None:
            return f"{name}: {self.answer['line']}."
        more = self.answer.get("waiting_for_a_person")
        person = f", and a person grades {more:g} more" if more else ""
        return f"{name}: {score:g} of {self.answer['max_score']:g} points{person}."

    def _last(self) -> str:
        return f"Received {self.answer['received']}; your receipt: {self.receipt}"


def _mark(item: dict[str, Any]) -> str:
    return MARKS.get(item["verdict"], WRONG)


def _points(item: dict[str, Any]) -> str:
    if item["score"] is None:
        return ""
    most = f"of {item['max_score']:g}"
    return most if item["verdict"] == "manual" else f"{item['score']:g} {most}"


def _said(item: dict[str, Any]) -> str:
    was = " (new)" if item.get("was") == "missing" else " (changed)" if item.get("was") else ""
    message = " ".join(str(item.get("message") or "").split())
    return f"{item['meaning']}{was}" + (f": {message}" if message else "")


def _hints(item: dict[str, Any]) -> list[str]:
    """What wrong answers have unlocked."""
    return [" ".join(f"Hint, {hint}".split()) for hint in item.get("hints") or []]


def _html_row(item: dict[str, Any]) -> str:
    name = html.escape(f"{_mark(item)} {item['exercise']}")
    said = "<br>".join(html.escape(text) for text in (_said(item), *_hints(item)))
    cells = "".join(f"<td {LEFT}>{text}</td>" for text in (html.escape(_points(item)), said))
    return f'<tr><th scope="row" {LEFT}>{name}</th>{cells}</tr>'
