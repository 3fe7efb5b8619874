"""The explorer in a real JupyterLab, in a real browser."""

import os
import re
from pathlib import Path

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

pytestmark = pytest.mark.slow

CELL = """
import torch
from fixmelab import latent_explorer

torch.manual_seed(0)
labels = torch.arange(600) % 10
means = torch.randn(600, 4) * 0.5
means[:, 1] += 1.8 * torch.cos(labels * 0.628)
means[:, 3] += 1.8 * torch.sin(labels * 0.628)
names = ["T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "<b>Shirt</b>", "Sneaker", "Bag", "Ankle boot"]
pixel = torch.linspace(-3, 3, 28)

def decode(z):
    bump = torch.exp(-(pixel - z[0, 1]) ** 2) * torch.exp(-(pixel + z[0, 3]) ** 2)[:, None]
    return bump[None, None]

latent_explorer(decode, means, labels, names, i=1, j=3)
"""


def picture(page) -> str:
    """The bytes that the page shows as the decoded image."""
    return page.evaluate(
        """async () => {
            const image = document.querySelector('.jp-OutputArea-output img');
            const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
            return Array.from(bytes).join();
        }"""
    )


def on_screen(box: dict[str, float], x: float, y: float) -> tuple[float, float]:
    """Where (x, y) of a map over [−3, 3]² lies on the screen; the margins are those of widgets.js."""
    return (
        box["x"] + 44 + (x / 3 + 1) / 2 * (box["width"] - 56),
        box["y"] + 12 + (1 + y / 3) / 2 * (box["height"] - 52),
    )


def wait_for_readouts(page, *values: float) -> None:
    """Wait until the sliders say these values, to what a pixel is worth."""
    page.wait_for_function(
        """(values) => [...document.querySelectorAll('.widget-readout')].every(
            (readout, k) => Math.abs(Number(readout.innerText.replace('−', '-')) - values[k]) < 0.03)""",
        arg=values,
    )


def keep(page, name: str) -> None:
    """Leave a screenshot where one is asked for, to be looked at."""
    if folder := os.environ.get("FIXMELAB_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / name)


def test_sliders_map_and_picture_move_together(jupyter_server, open_page) -> None:
    page = open_page(jupyter_server.notebook("explorer.ipynb", CELL))
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.get_by_text("| Idle").wait_for()
    page.locator("[data-command='notebook:run-cell-and-select-next']").click()
    chart = page.locator("canvas.fixmelab-map")
    chart.wait_for()
    expect(page.locator(".widget-readout")).to_have_text(["0.00", "0.00"])
    page.wait_for_function("document.querySelector('.jp-OutputArea-output img')?.naturalWidth > 0")
    chart.scroll_into_view_if_needed()
    first = picture(page)
    image = page.locator(".jp-OutputArea-output img")
    expect(image).to_have_attribute("alt", "decoded at z₁ = 0.00, z₃ = 0.00")
    keep(page, "start.png")

    box = chart.bounding_box()
    page.mouse.click(*on_screen(box, 1.5, 2))
    wait_for_readouts(page, 1.5, 2)
    expect(page.locator(".widget-html-content")).to_contain_text(re.compile(r"z₁ = 1\.\d\d, z₃ = [12]\.\d\d"))
    expect(image).to_have_attribute("alt", re.compile(r"decoded at z₁ = 1\.\d\d"))
    second = picture(page)
    assert second != first
    keep(page, "clicked.png")

    page.mouse.move(*on_screen(box, 0, 0))
    page.mouse.down()
    page.mouse.move(*on_screen(box, -1, -2), steps=5)
    wait_for_readouts(page, -1, -2)
    page.mouse.up()
    page.mouse.move(*on_screen(box, 0, 0))  # the button is up: nothing follows
    chart.press("ArrowUp")  # z₃ grows downwards
    wait_for_readouts(page, -1, -2.1)

    # The caption is the last thing to be told, so the rest has moved when it has.
    before = chart.screenshot()
    page.locator(".noUi-handle").first.press("End")
    expect(page.locator(".widget-html-content")).to_contain_text("z₁ = 3.00, z₃ = −2.")
    wait_for_readouts(page, 3, -2.1)
    assert chart.screenshot() != before
    assert picture(page) not in (first, second)
    keep(page, "slid.png")

    # In a narrow window the picture goes below the map, which is drawn anew and still knows where it is clicked.
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_function("document.querySelector('canvas.fixmelab-map').width < 340")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    below = image.bounding_box()
    assert below["y"] >= box["y"] + box["height"]
    assert max(box["x"] + box["width"], below["x"] + below["width"]) <= 400
    page.mouse.click(*on_screen(box, -2, 1))
    wait_for_readouts(page, -2, 1)
    keep(page, "narrow.png")
    assert not errors
