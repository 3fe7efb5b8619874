"""The sliding kernel in a real JupyterLab, in a real browser, wide and narrow."""

import os
from pathlib import Path

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect

pytestmark = pytest.mark.slow

CELL = """
import torch
from torch.nn import functional as F
from fixmelab import kernel_slider

def padding(height, width):
    return width // 2, (width - 1) // 2, height // 2, (height - 1) // 2

def convolve(x, theta, theta_0):
    return F.conv2d(F.pad(x, padding(*theta.shape[1:]))[None], theta[None])[0] + theta_0

picture = torch.arange(77.0).view(7, 11) % 5
kernels = {"edges, 1×2": torch.tensor([[-1.0, 1.0]]), "mean, 4×3": torch.full((4, 3), 1 / 12)}
kernel_slider(picture, kernels, padding, convolve)
"""

# The bytes of the two pictures that are shown.
PICTURES = """async () => {
    const shown = [...document.querySelectorAll('.jp-OutputArea-output img')];
    const read = async (image) => new Uint8Array(await (await fetch(image.src)).arrayBuffer()).join();
    return (await Promise.all(shown.map(read)));
}"""
OVERFLOWS = """() => {
    const output = document.querySelector('.jp-OutputArea-output').getBoundingClientRect();
    return [...document.querySelectorAll('.jp-OutputArea-output *')].filter((item) => {
        const box = item.getBoundingClientRect();
        return box.width && (box.right > Math.min(output.right, innerWidth) + 1 || box.left < output.left - 1);
    }).map((item) => item.className);
}"""


def keep(page, name: str) -> None:
    """Leave a screenshot where one is asked for, to be looked at."""
    if folder := os.environ.get("FIXMELAB_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / name)


def moved(page, before: list[str]) -> list[str]:
    """The two pictures, once both have changed."""
    for _ in range(100):
        now = page.evaluate(PICTURES)
        if len(now) == 2 and all(one != other for one, other in zip(now, before, strict=True)):
            return now
        page.wait_for_timeout(100)
    raise AssertionError("the pictures do not change")


def test_the_window_follows_keys_and_drags_and_fits_a_phone(jupyter_server, open_page) -> None:
    page = open_page(jupyter_server.notebook("slider.ipynb", CELL), width=1280)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.get_by_text("| Idle").wait_for()
    page.locator("[data-command='notebook:run-cell-and-select-next']").click()
    row, column = page.locator(".noUi-handle").first, page.locator(".noUi-handle").nth(1)
    readouts = page.locator(".widget-readout")
    page.wait_for_function("document.querySelectorAll('.jp-OutputArea-output img').length == 2")
    expect(readouts).to_have_text(["0", "0"])
    start = page.evaluate(PICTURES)
    row.press("ArrowRight")
    expect(readouts).to_have_text(["1", "0"])
    by_key = moved(page, start)

    box = column.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    expect(readouts).to_have_text(["1", "10"])
    by_drag = moved(page, by_key)
    page.locator(".jp-OutputArea-output select").select_option("mean, 4×3")
    moved(page, by_drag)
    page.wait_for_timeout(500)  # for the screenshot: until they are drawn
    row.scroll_into_view_if_needed()
    keep(page, "slider.png")
    assert page.evaluate(OVERFLOWS) == []

    page.set_viewport_size({"width": 380, "height": 1100})
    row.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    keep(page, "slider-narrow.png")
    assert page.evaluate(OVERFLOWS) == []
    assert not errors
