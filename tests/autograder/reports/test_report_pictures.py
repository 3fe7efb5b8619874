"""Pictures leave the text that students wrote, and are shown as what they are, or named."""

import base64
import io
import time
from urllib.parse import unquote

import pytest
from PIL import Image

from autograder.reports.pictures import SIDE, taken_out


def encoded(form: str, size: tuple[int, int] = (40, 20), frames: int = 1) -> str:
    file = io.BytesIO()
    pictures = [Image.new("RGB", size, (200, 40 * number, 0)) for number in range(frames)]
    more = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
    pictures[0].save(file, form, **more)
    return base64.b64encode(file.getvalue()).decode()


def show(number: int) -> str:
    return f"[picture {number}]"


@pytest.mark.parametrize(
    ("kind", "form", "frames", "shown"),
    [("png", "PNG", 1, "png"), ("jpeg", "JPEG", 1, "jpeg"), ("jpg", "JPEG", 1, "jpeg"), ("gif", "GIF", 3, "png")],
)
@pytest.mark.parametrize(
    "form_of_text",
    [
        "![a.png](data:image/{};base64,{})",
        '<img src="data:image/{};base64,{}" width="9"/>',
        "[image1]: <data:image/{};base64,{}>",
    ],
)
def test_a_pasted_picture_is_shown_and_the_text_around_it_stays(kind, form, frames, shown, form_of_text):
    text = f"above\n\n{form_of_text.format(kind, encoded(form, frames=frames))}\n\nbelow"
    left, (picture,) = taken_out(text, None, show)
    assert left == "above\n\n[picture 1]\n\nbelow"
    assert (picture.kind, picture.width, picture.height) == (f"image/{shown}", 40, 20)
    assert Image.open(io.BytesIO(base64.b64decode(picture.data))).size == (40, 20)


@pytest.mark.parametrize("name", ["image.png", "my photo.png", "my%20photo.png"])
def test_an_attachment_in_html_is_shown(name):
    attachments = {unquote(name): {"image/png": encoded("PNG")}}
    left, pictures = taken_out(f'<img src="attachment:{name}" width="300">\n\nbelow', attachments, show)
    assert left == "[picture 1]\n\nbelow" and len(pictures) == 1


def test_data_without_an_end_is_read_once():
    text = "![](data:image/png;base64," + "A" * 2_000_000
    began = time.process_time()
    assert taken_out(text, None, show) == (text, [])
    assert time.process_time() - began < 1


def test_a_large_photo_is_drawn_smaller():
    _, (picture,) = taken_out(f"![](data:image/jpeg;base64,{encoded('JPEG', (4000, 3000))})", None, show)
    assert (picture.width, picture.height) == (SIDE, SIDE * 3 // 4)


@pytest.mark.parametrize(
    ("picture", "kind"),
    [
        ("data:image/svg+xml;base64,PHN2Zy8+", "SVG"),
        ("data:image/svg+xml,%3Csvg%3E", "SVG"),
        ("data:image/webp;base64,aGk=", "WEBP"),
        ("data:image/png;base64,iVBORw0KGgo" + "A" * 40_000, "PNG"),
        ("data:image/jpeg;base64,/9j/AAAA", "JPEG"),
        ("attachment:gone.png", "MISSING"),
        ("attachment:odd.png", "NO PICTURE"),
    ],
)
def test_what_cannot_be_shown_is_named(picture, kind):
    left, shown = taken_out(f"a ![x]({picture}) b", {"odd.png": {"text/plain": "x"}}, show)
    assert (left, shown) == (f"a [picture: not shown, {kind}] b", [])


def test_attachments_are_shown_and_bounded():
    text = "![a](attachment:a.png) " * 3
    left, shown = taken_out(text, {"a.png": {"image/jpeg": encoded("JPEG")}}, show, most_bytes=2000)
    assert 0 < len(shown) < 3 and "[picture: not shown, JPEG]" in left


def test_hostile_text_takes_no_time():
    for text in ("![" * 100_000, "<img " * 100_000, "![a](data:image/png;base64," * 50_000, "[a]: " * 100_000):
        taken_out(text, None, show)
