"""The pages in Chromium, on a screen and on a phone: nothing overflows, nothing is refused, and forms work."""

import json
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
import toy_course
from small_class import NOON, Here, notebook

from autograder.serve import server
from autograder.serve.roster import enrol
from autograder.serve.sources import source_of
from autograder.serve.tokens import issue_missing

pytestmark = pytest.mark.slow

NAMES = ["reparameterize", "gaussian_kl", "evidence_lower_bound", "encode", "decode", "log_evidence_by_importance"]
MESSAGE = "Only the latents are summed over; the batch must stay: one number for each image."
SIZES = {"wide": 1280, "narrow": 380}
PAGES = {"class": "/class/little", "again": "/regrading/little", "student": "/class/little/s00", "me": "/me"}


@pytest.fixture
def evening(here: Here, course_root: Path) -> Here:
    """Twenty students in the last day before something is due, and what came of their tries."""
    rules = '[serve]\ntold = "hint"\ntries_per_hour = 9\n[assignments.little]\ndue = 2027-01-15T07:00:00\n'
    (course_root / "course.toml").write_text('time_zone = "Europe/Berlin"\n' + rules)
    hint = "<details>\n<summary>Hint for <code>{}</code>: where to look</summary>\n\nAt $q(z)$.\n\n</details>"
    hints = nbformat.v4.new_markdown_cell("\n\n".join(map(hint.format, NAMES)))
    source = json.loads(json.dumps(toy_course.source()).replace("double", NAMES[0]))
    source["cells"].append(hints)
    here.service.sources = {"little": source_of(nbformat.from_dict(source))}
    with here.service.database.writing() as session:
        enrol(session, {f"s{number:02}": f"Student Number {number}" for number in range(20)})
        here.tokens |= {account: token for _, account, _, token in issue_missing(session, NOON)}
    dice = random.Random(1)
    for number in range(20):
        for attempt in range(1 + number % 4):
            here.now = NOON - 3600 * dice.expovariate(0.2) + 60 * attempt
            here.send(f"s{number:02}", notebook(f"{number} {attempt}"))
            good = [dice.random() < 0.2 * (attempt + 2) - 0.1 * place for place in range(len(NAMES))]
            found = [("pass", "") if item else ("fail", MESSAGE) for item in good]
            here.now += 40 * dice.random()
            body = f"x = {attempt} * x  # the {attempt}th way\n    return x"
            executed = json.dumps(toy_course.submission(double=body)).replace("double", NAMES[0])
            answers = {f"little.{name}": str(attempt) for name in NAMES}
            here.grade(*found, answers=answers, executed=executed, names=NAMES)
    here.now = NOON
    here.client.post("/api/class/little/regrading", headers=here.as_("instructor"))
    for _ in range(20):
        here.grade(*[("pass", "")] * len(NAMES), names=NAMES)
    here.send("s00", notebook("waits"))
    return here


@contextmanager
def listening(here: Here) -> Iterator[str]:
    with server.listen("127.0.0.1", 0) as found, server._listener(here.service, found, None, None):
        yield f"http://127.0.0.1:{found.getsockname()[1]}"


def test_every_page_fits_and_works_without_a_script(evening, open_page):
    shots = os.environ.get("FIXMELAB_SCREENSHOTS")
    with listening(evening) as url:
        for who in ("instructor", "s03"):
            page = open_page(url, SIZES["wide"])
            refused: list[str] = []
            page.on("console", lambda message, refused=refused: refused.append(message.text))
            page.fill("#token", evening.tokens[who])
            page.click("text=Sign in >> nth=-1")
            own = {name: path for name, path in PAGES.items() if path.startswith("/me") == (who != "instructor")}
            if who == "s03":
                page.goto(f"{url}/me")
                own["try"] = page.get_attribute("tbody tr:first-child a", "href")
            for name, path in own.items():
                page.goto(url + path)
                for size, width in SIZES.items():
                    page.set_viewport_size({"width": width, "height": 900})
                    for summary in page.query_selector_all("summary"):
                        summary.click()
                    if shots:
                        page.screenshot(path=Path(shots) / f"serve-{name}-{size}.png", full_page=True)
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider"
            assert refused == []
        page.goto(f"{url}/class/little")
        assert "this page is for instructors" in page.inner_text("main")
