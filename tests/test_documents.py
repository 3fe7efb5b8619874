"""README and docs say what is so."""

import re

import pytest

from autograder import course
from autograder.assignments import exercises_of
from autograder.attacks.corpus import attacks

PAGES = sorted([*course.ROOT.glob("*.md"), *(course.ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    targets = [page.parent / link for link in links if not link.startswith("http")]
    assert [target for target in targets if not target.exists()] == []


def test_the_readme_counts_mistakes_and_equivalents_rightly():
    """Build counts them in the source; here they are counted as they are declared when the modules run."""
    exercises = [item for name in course.assignment_names() for item in exercises_of(name).values()]
    mistakes, equivalents = (
        sum(len(getattr(item, kind)) for item in exercises) for kind in ("mistakes", "equivalents")
    )
    text = (course.ROOT / "README.md").read_text(encoding="utf-8")
    assert f"on {mistakes} wrong answers: " in text and f"tries {equivalents} other right ones, " in text


def test_the_readme_counts_attacks_rightly():
    text = " ".join((course.ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"{len(attacks())} notebooks and archives" in text


SHOWN = re.compile(r"(tests/[\w./]+)(?:::(\w+))?")


def security_statements() -> list[str]:
    """What the security page promises: its list items and table rows, but for those on what is not promised."""
    page = (course.ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    promises = re.sub(r"## What is not promised.*?(?=^## |\Z)", "", page, flags=re.DOTALL | re.MULTILINE)
    whole = re.sub(r"\n +", " ", promises)  # an item goes on in lines that are indented
    rows = [line for line in whole.splitlines() if re.match(r"- |\| (?!layer|limit|exercise|--)", line)]
    return [line for line in rows if not set(line) <= set("|- ")]


def test_every_promise_of_the_security_page_names_its_test():
    statements = security_statements()
    assert len(statements) > 20
    assert [line for line in statements if not SHOWN.search(line)] == []


def test_tests_that_the_security_page_names_exist():
    page = (course.ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    for path, name in SHOWN.findall(page):
        found = course.ROOT / path
        assert found.exists(), path
        assert not name or f"def {name}(" in found.read_text(encoding="utf-8"), name
