"""Text that unfolds: hints, which an author writes as paragraphs, and any other `<details>` in Markdown.

Colab, JupyterLab and VS Code fold `<details>` and show Markdown in it if blank lines stand around that.
"""

import re
from collections.abc import Iterator

from autograder.authoring.authored import Authored

_LEAD = re.compile(r"\*\*(?P<label>[^*\n]+?)[.:]?\*\*\s*")
_TAG = re.compile(r"<(/?)(details|summary)\b[^<>]*>", re.IGNORECASE)
_WELL_FORMED = re.compile(
    r"<details>\n<summary>[^\n]+</summary>\n\n(?!\n)(?:(?!</?(?:details|summary)).)+\n\n</details>", re.S
)
_FORM = "write <details>, <summary>…</summary>, a blank line, the text, a blank line, </details>, each on its line"


def of_hints(cell: Authored) -> str:
    """The Markdown of a cell of hints. Each begins with its label, as in `**Where to look.** At the last line.`

    Raises InputError if text stands above the first label, or a label has no text.
    """
    name = cell.header["hints"]
    return "\n\n".join(
        f"<details>\n<summary>Hint for <code>{name}</code>: {label}</summary>\n\n{text}\n\n</details>"
        for label, text in _hints(cell)
    )


def check(cell: Authored) -> None:
    """Raise InputError unless every `<details>` of a Markdown cell unfolds in all the programs that show notebooks."""
    tags = _TAG.findall(cell.source)
    if tags and "hints" in cell.header:
        raise cell.error("a hint holds <details>; write '**Label.** Text', and build lets it unfold")
    if len(tags) != 4 * len(_WELL_FORMED.findall(cell.source)):
        raise cell.error(f"<details> is not well-formed; {_FORM}")


def without_unfolding(markdown: str) -> str:
    """Markdown without all that unfolds."""
    return _WELL_FORMED.sub("", markdown)


def _hints(cell: Authored) -> Iterator[tuple[str, str]]:
    leads = list(re.finditer(rf"(?:\A|(?<=\n\n)){_LEAD.pattern}", cell.source))
    if not leads or leads[0].start() > 0:
        raise cell.error("hints begin with a label, as '**Where to look.** At the last line.'")
    for lead, end in zip(leads, [*(lead.start() for lead in leads[1:]), len(cell.source)], strict=True):
        text = cell.source[lead.end() : end].strip()
        if not text:
            raise cell.error(f"the hint {lead['label']!r} has no text")
        yield lead["label"][0].lower() + lead["label"][1:], text
