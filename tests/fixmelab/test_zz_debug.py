"""The explorer in a real JupyterLab, in a real browser."""

import os
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


def readouts(page) -> list[float]:
    return [float(text) for text in page.locator(".widget-readout").all_inner_texts()]


def keep(page, name: str) -> None:
    """Leave a screenshot where one is asked for, to be looked at."""
    if folder := os.environ.get("FIXMELAB_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / name)


@pytest.mark.parametrize("width", [1200, 560])
def test_sliders_map_and_picture_move_together(jupyter_server, open_page, width) -> None:
    page = open_page(jupyter_server.notebook(f"explorer{width}.ipynb", CELL), width=width)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for()
    page.locator(".jp-CodeCell .cm-content").click()
    page.keyboard.press("Control+Enter")
    chart = page.locator("canvas.fixmelab-map"); page.wait_for_timeout(12000); page.screenshot(path="/tmp/shots/debug.png"); print(page.locator(".jp-OutputArea").first.inner_html()[:3000])
    chart.wait_for()
    expect(page.locator(".widget-readout")).to_have_text(["0.00", "0.00"])
    page.wait_for_function("document.querySelector('.jp-OutputArea-output img')?.naturalWidth > 0")
    chart.scroll_into_view_if_needed()
    first = picture(page)
    keep(page, f"start{width}.png")

    # A click right of the middle and above it: both values rise, and the picture is another.
    box = chart.bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.2 * box["height"])
    expect(page.locator(".widget-readout").first).not_to_have_text("0.00")
    page.wait_for_function("(old) => document.querySelector('.jp-OutputArea-output img').src !== old", arg="")
    clicked = readouts(page)
    assert clicked[0] > 0.5 and clicked[1] > 0.5
    expect(page.locator(".widget-html-content")).to_contain_text(f"z₁ = {clicked[0]:.2f}, z₃ = {clicked[1]:.2f}")
    second = picture(page)
    assert second != first
    keep(page, f"clicked{width}.png")

    # A drag goes on to follow the mouse after the button went down.
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
    page.wait_for_function("document.querySelectorAll('.widget-readout')[0].innerText < '-0.5'")
    dragged = readouts(page)
    assert dragged[0] < -0.5 and dragged[1] < -0.5

    # A slider moved by the keyboard: the picture changes, and so does the map.
    before = chart.screenshot()
    page.locator(".noUi-handle").first.focus()
    for _ in range(12):
        page.keyboard.press("PageUp")
    expect(page.locator(".widget-html-content")).not_to_contain_text(f"z₁ = {dragged[0]:.2f}")
    assert readouts(page)[0] > dragged[0] and readouts(page)[1] == dragged[1]
    assert chart.screenshot() != before
    assert picture(page) != second
    keep(page, f"slid{width}.png")
    assert not errors
