"""What an attack gets into what people look at: the HTML report, the table, the texts of results.json."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from io import StringIO

from nbformat import NotebookNode
from rich.console import Console

from autograder.attacks.outputs import strings, unseen
from autograder.attacks.traces import MARK
from autograder.reports.html import html_report
from autograder.reports.table import results_table
from autograder.results.model import RunResult


def report_problem(run: RunResult, notebooks: Mapping[str, NotebookNode], source: NotebookNode) -> str:
    """What an attack got into the HTML report, the table or the texts of results.json; else nothing."""
    page = _Page(html_report(run, notebooks, source))
    if page.problem:
        return f"the report holds {page.problem}"
    terminal = StringIO()
    Console(file=terminal, width=200).print(results_table(run))
    for where, text in (
        ("the table", terminal.getvalue()),
        *(("results.json", text) for text in strings(run.model_dump())),
    ):
        if odd := unseen(text):
            return f"{where} holds the character {odd!r}"
    return ""


class _Page(HTMLParser):
    """Looks for whatever in a page runs, loads, or was marked by an attack."""

    _FORBIDDEN = re.compile(
        "script|iframe|object|embed|link|base|form|input|button|textarea|audio|video|source|template|foreignobject"
        "|animate|set|use|math|applet|frame|frameset"
    )
    _LOADING = re.compile("src|srcset|srcdoc|href|xlink:href|action|formaction|data|background|poster|ping|style|on.*")
    _HARMLESS = re.compile(r"#student-\d+|data:image/png;base64,[A-Za-z0-9+/=]*")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.problem = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if self._FORBIDDEN.fullmatch(tag) or MARK in tag:
            self.problem = self.problem or f"the element <{tag}>"
        for name, value in attributes:
            runs = self._LOADING.fullmatch(name) and not self._HARMLESS.fullmatch(value or "")
            if runs or MARK in name or (name in ("id", "class") and MARK in (value or "")):
                self.problem = self.problem or f"the attribute {name}={(value or '')[:80]!r}"

    def handle_comment(self, data: str) -> None:
        self.problem = self.problem or f"the comment {data[:80]!r}"
