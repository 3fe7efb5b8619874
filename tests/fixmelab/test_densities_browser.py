"""The two Gaussians in a real JupyterLab, in a real browser."""

import os
from pathlib import Path

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

pytestmark = pytest.mark.slow

CELL = """
import torch
from fixmelab import density_explorer

density_explorer(lambda log_f0, log_f1: torch.sigmoid(log_f1 - log_f0), lambda log_f0, logits: log_f0 + logits)
"""
CAPTION = ".widget-html-content"


def on_screen(box: dict[str, float], mean: float, spread: float) -> tuple[float, float]:
    """Where the peak of a Gaussian lies on the screen; the margins are those of densities.js, 1.4 is the top."""
    across = box["x"] + 40 + (mean / 5 + 1) / 2 * (box["width"] - 52)
    panel = 0.6 * (box["height"] - 26 - 36 - 34)
    return across, box["y"] + 26 + panel * (1 - 0.3989 / spread / 1.4)


def keep(page, name: str) -> None:
    """Leave a screenshot where one is asked for, to be looked at."""
    if folder := os.environ.get("FIXMELAB_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / name)


def test_a_dragged_peak_moves_curves_and_caption(jupyter_server, open_page) -> None:
    page = open_page(jupyter_server.notebook("densities.ipynb", CELL), width=1280)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.get_by_text("| Idle").wait_for()
    page.locator("[data-command='notebook:run-cell-and-select-next']").click()
    chart = page.locator("canvas.fixmelab-densities")
    chart.wait_for()
    expect(page.locator(CAPTION)).to_have_text("JSD 0.317 nats; this discriminator sees 0.317")
    chart.scroll_into_view_if_needed()
    first = chart.screenshot()
    keep(page, "densities.png")

    box = chart.bounding_box()
    page.mouse.move(*on_screen(box, 1.5, 0.6))
    page.mouse.down()
    page.mouse.move(*on_screen(box, 0, 1), steps=5)
    expect(page.locator(CAPTION)).to_contain_text("JSD 0.000 nats")  # now they are the same
    page.mouse.move(*on_screen(box, -2.5, 0.5), steps=5)
    page.mouse.up()
    page.mouse.move(*on_screen(box, 0, 1))  # the button is up: nothing follows
    expect(page.locator(CAPTION)).not_to_contain_text("0.000")
    assert chart.screenshot() != first
    keep(page, "densities-dragged.png")

    said = page.locator(CAPTION).inner_text()
    chart.press("ArrowLeft")
    expect(page.locator(CAPTION)).not_to_have_text(said)
    page.locator(".noUi-handle").first.press("Home")
    expect(page.locator(CAPTION)).to_contain_text("this discriminator sees 0.000")

    page.set_viewport_size({"width": 380, "height": 900})
    page.wait_for_function("document.querySelector('canvas.fixmelab-densities').clientWidth < 340")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box["x"] + box["width"] <= 380
    said = page.locator(CAPTION).inner_text()
    page.mouse.move(*on_screen(box, 0, 1))
    page.mouse.down()
    page.mouse.move(*on_screen(box, 2.5, 0.6), steps=4)
    page.mouse.up()
    expect(page.locator(CAPTION)).not_to_have_text(said)
    keep(page, "densities-narrow.png")
    assert not errors
