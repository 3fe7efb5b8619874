"""The table of a standing: as text for a terminal, as HTML for a notebook."""

import html
import re
import textwrap
from collections.abc import Iterator
from typing import Any

from fixmelab.standing.standing import Row, Standing, State

WIDTH = 90
MARKS: dict[State, str] = {"done": "✓", "open": "○", "fails": "✗", "not run": "↻"}
HIDDEN = (
    "Hidden tests remain: grading tries other shapes, other numbers and gradients, and a person reads your answers to"
    " questions. So a ✓ is not a point yet."
)
# Wide enough for a sentence on a telephone, too.
LEFT = 'style="text-align: left; white-space: normal; overflow-wrap: break-word; padding: 0.4em 0.3em"'
MOST_MENDED = 8  # lines; more of them would hide the table


class Table:
    """What `lab.check()` gives back: a table in a notebook, and text elsewhere."""

    def __init__(self, standing: Standing, where: str) -> None:
        self.standing = standing
        self.where = where

    def __repr__(self) -> str:
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        rows = "".join(map(_html_row, self.standing.rows))
        columns = ("exercise", "points", "where it stands")
        head = "".join(f'<th scope="col" {LEFT}>{name}</th>' for name in columns)
        mend = "".join(f"<li>{_code(line)}</li>" for line in _most(self.standing.to_mend))
        notes = "".join(f"<li>{_code(line)}</li>" for line in self.standing.notes)
        return (
            f"<p><b>{html.escape(self._first())}</b></p>"
            f'<table style="width: 100%; max-width: 56em; table-layout: fixed">'
            f'<colgroup><col style="width: 40%"><col style="width: 3.9em"><col></colgroup>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            + (f"<p>To mend:</p><ul>{mend}</ul>" if mend else "")
            + (f"<p>Good to know:</p><ul>{notes}</ul>" if notes else "")
            + f"<p>{HIDDEN}</p><p><b>{self._last()}</b></p>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _lines(self) -> Iterator[str]:
        yield from textwrap.wrap(self._first(), WIDTH)
        yield ""
        width = max((len(_name(row)) for row in self.standing.rows), default=0)
        for row in self.standing.rows:
            first = f"{MARKS[row.state]} {_name(row):{width}} {row.task.points:4g}  {_state(row)}"
            yield from textwrap.wrap(first, WIDTH, subsequent_indent=" " * (width + 9), break_on_hyphens=False)
        for title, lines in (("To mend:", _most(self.standing.to_mend)), ("Good to know:", self.standing.notes)):
            if lines:
                yield from ("", title)
            for line in lines:
                yield from textwrap.wrap(f"- {line}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        yield ""
        yield from textwrap.wrap(HIDDEN, WIDTH)
        yield self._last()

    def _first(self) -> str:
        done = sum(row.state == "done" for row in self.standing.rows)
        reach = f"{self.standing.within_reach:g} of {self.standing.points:g} points are within reach"
        return f"{self.where}: {done} of {len(self.standing.rows)} are done, {reach}."

    def _last(self) -> str:
        if self.standing.is_ready:
            return "Ready to hand in."
        rows: dict[State, int] = {}
        for row in self.standing.rows:
            rows[row.state] = rows.get(row.state, 0) + 1
        said: dict[State, str] = {"open": "open", "fails": "failing", "not run": "not run"}
        parts = [f"{rows[state]} {word}" for state, word in said.items() if state in rows]
        if self.standing.to_mend:
            parts.append(f"{len(self.standing.to_mend)} to mend")
        return f"Not ready: {', '.join(parts)}."


def _most(lines: list[str]) -> list[str]:
    if len(lines) <= MOST_MENDED:
        return lines
    return [*lines[: MOST_MENDED - 1], f"and {len(lines) - MOST_MENDED + 1} more"]


def _name(row: Row) -> str:
    return f"{row.task.name} (question)" if row.task.is_question else row.task.name


def _state(row: Row) -> str:
    return f"fails: {row.line}" if row.state == "fails" else row.line


def _html_row(row: Row) -> str:
    # Where a narrow column may break it.
    name = re.sub(r"_|(?<=[a-z])(?=[A-Z])", r"\g<0><wbr>", f"{MARKS[row.state]} {html.escape(_name(row))}")
    cells = (f"{row.task.points:g}", _code(_state(row)))
    return f'<tr><th scope="row" {LEFT}>{name}</th>' + "".join(f"<td {LEFT}>{cell}</td>" for cell in cells) + "</tr>"


def _code(line: str) -> str:
    """A line as HTML, what stands between backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(line))
