"""What an attack gets into what people look at: the HTML report, the table, the texts of results.json."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from io import StringIO

from nbformat import NotebookNode
from rich.console import Console

from autograder.attacks.outputs import strings, unseen
from autograder.attacks.traces import MARK
from autograder.reports.html import instructors_page, script
from autograder.reports.index import index_page
from autograder.reports.table import results_table
from autograder.reports.work import outline as outline_of
from autograder.results.model import RunResult


def report_problem(run: RunResult, notebooks: Mapping[str, NotebookNode], source: NotebookNode) -> str:
    """What an attack got into the HTML report, the table or the texts of results.json; else nothing."""
    outline, index = outline_of(source), "".join(index_page(run, source))
    sheets = (instructors_page(run, item, notebooks.get(item.student), outline) for item in run.submissions)
    for page in (_without_our_own(index), *sheets):
        if problem := _Page(page).problem:
            return f"the report holds {problem}"
    terminal = StringIO()
    Console(file=terminal, width=200).print(results_table(run))
    for where, text in (
        ("the table", terminal.getvalue()),
        *(("results.json", text) for text in strings(run.model_dump())),
    ):
        if odd := unseen(text):
            return f"{where} holds the character {odd!r}"
    return ""


def _without_our_own(index: str) -> str:
    """The page on a class without its script and its box for searching, each of which it has once."""
    own = (
        f"<script>{script()['script']}</script>",
        '<input id="search" type="search" autocomplete="off" spellcheck="false">',
    )
    for part in own:
        index = index.replace(part, "", 1)
    return index


class _Page(HTMLParser):
    """Looks for whatever in a page runs, loads, or was marked by an attack."""

    _FORBIDDEN = re.compile(
        "script|iframe|object|embed|link|base|form|input|button|textarea|audio|video|source|template|foreignobject"
        "|animate|set|use|math|applet|frame|frameset"
    )
    _LOADING = re.compile("src|srcset|srcdoc|href|xlink:href|action|formaction|data|background|poster|ping|style|on.*")
    _HARMLESS = re.compile(
        r"#mistake-\d+|report/students/[\w.%~-]+\.html|report/exam\.html|\.\./\.\./report\.html"
        r"|data:image/png;base64,[A-Za-z0-9+/=]*",
        re.ASCII,
    )

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
