"""`lab.check()` in a real JupyterLab, in a real browser, wide and narrow: what ran, what is saved, what was changed."""

import os
import re
from pathlib import Path

import pytest
from filled import NAME, cell_of, filled

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

pytestmark = pytest.mark.slow

PATIENCE = 30_000  # milliseconds
SETUP = f"import torch\nimport fixmelab\nlab = fixmelab.setup({NAME!r})"
CUT_OFF = """() => [...document.querySelectorAll('.jp-OutputArea-output td, .jp-OutputArea-output th')].filter((cell) =>
    cell.scrollWidth > cell.clientWidth + 1 || cell.getBoundingClientRect().right > innerWidth
).map((cell) => cell.innerText)"""


def keep(page, name: str) -> None:
    """Leave a screenshot where one is asked for, to be looked at."""
    if folder := os.environ.get("FIXMELAB_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / name)


def test_it_follows_a_student_who_runs_saves_and_changes(jupyter_server, open_page) -> None:
    answer, tests = (cell_of(filled(), name).source for name in ("padding", "test_padding"))
    wrong = "# exercise: convolve\ndef convolve(x, theta, theta_0):\n    return x"
    cells = (SETUP, answer, tests, wrong, cell_of(filled(), "test_convolve").source, "lab.check()")
    page = open_page(jupyter_server.notebook(f"{NAME}.ipynb", *cells), width=1280)
    page.get_by_text("| Idle").wait_for()
    run = page.locator("[data-command='notebook:run-cell-and-select-next']")
    for _ in cells[:-1]:
        run.click()
    page.get_by_text("✗ convolve: expected one").wait_for()  # what was queued behind an error would not run
    run.click()
    row = page.locator(".jp-OutputArea-output tr")
    said = "fails: expected one output channel as large as the image"
    expect(row.filter(has_text="convolve")).to_contain_text(said, timeout=PATIENCE)
    expect(row.filter(has_text="padding")).to_contain_text("visible tests pass")
    expect(row.filter(has_text="factor_graph")).to_contain_text("its cell is missing")
    expect(page.get_by_text(re.compile(rf"{NAME}\.ipynb, saved at \d\d:\d\d: 1 of 12 are done"))).to_be_visible()
    unsaved = page.get_by_text("cells have run since")
    expect(unsaved).to_be_visible()
    keep(page, "check.png")

    editor = page.locator(".jp-Notebook .jp-CodeCell").nth(1).locator(".cm-content")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("  # another thought")
    page.keyboard.press("Control+s")
    page.get_by_text("Saving completed").wait_for()
    page.locator(".jp-Notebook .jp-CodeCell").nth(5).locator(".cm-content").click()
    run.click()
    expect(row.filter(has_text="padding")).to_contain_text("changed since its tests ran", timeout=PATIENCE)
    expect(unsaved).to_have_count(0)

    page.set_viewport_size({"width": 380, "height": 900})
    page.wait_for_function("document.querySelector('.jp-OutputArea-output table').getBoundingClientRect().right < 380")
    assert page.evaluate(CUT_OFF) == []
    keep(page, "check-narrow.png")
