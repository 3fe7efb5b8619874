"""The phase plane in a real JupyterLab, in a real browser, wide and narrow."""

import os
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.slow

CELL = """
from fixmelab import phase_plane_explorer

def velocity(p, s, decay, rate):
    rest = 1 - 1.25 * p
    return rate * s * rest - decay * p, 2 * s * (p * rest - decay)

phase_plane_explorer(velocity)
"""


def keep(page, name: str) -> None:
    """Leave a screenshot where one is asked for, to be looked at."""
    if folder := os.environ.get("FIXMELAB_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / name)


def test_a_drag_moves_the_path(jupyter_server, open_page) -> None:
    page = open_page(jupyter_server.notebook("plane.ipynb", CELL))
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.get_by_text("| Idle").wait_for()
    page.locator("[data-command='notebook:run-cell-and-select-next']").click()
    chart = page.locator("canvas.fixmelab-plane")
    chart.wait_for()
    page.get_by_text("from p = 0.05, s = 1.00").wait_for()
    chart.scroll_into_view_if_needed()
    keep(page, "plane.png")
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.3, steps=3)
    page.mouse.up()
    page.get_by_text("from p = 0.8").wait_for()
    keep(page, "plane-dragged.png")
    page.set_viewport_size({"width": 380, "height": 800})
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(1500)
    keep(page, "plane-narrow.png")
    assert not errors
