"""README and docs say what is so."""

import re

import pytest

from autograder import course
from autograder.assignments import exercises_of

PAGES = [course.ROOT / "README.md", *sorted((course.ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_repository_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    targets = [page.parent / link for link in links if not link.startswith("http")]
    assert [target for target in targets if not target.exists()] == []


def test_the_readme_counts_mistakes_and_equivalents_rightly():
    exercises = exercises_of("vae").values()
    mistakes, equivalents = (
        sum(len(getattr(item, kind)) for item in exercises) for kind in ("mistakes", "equivalents")
    )
    text = " ".join((course.ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"{mistakes} wrong answers to the VAE notebook" in text
    assert f"{equivalents} other right answers" in text


def test_paths_that_the_security_page_names_exist():
    page = (course.ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"tests/[\w./]+", page)
    assert len(named) >= 8
    assert [path for path in named if not (course.ROOT / path).exists()] == []
