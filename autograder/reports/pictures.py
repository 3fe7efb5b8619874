"""Pictures in what students wrote: taken out of the text before it is cut, and made safe to show.

A page holds nothing of a student's file as it is but a PNG whose head was looked at: all else is drawn anew.
"""

import base64
import binascii
import contextlib
import io
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_PIXELS = 16_000_000  # of a file that is shown as it is
MOST_BYTES = 2**20
MOST_PIXELS_READ = 64_000_000  # of one that is drawn anew, and smaller
MOST_ENCODED = 24 * 2**20
SIDE = 1600
MOST_PICTURES = 20  # of one text

_DATA = r"data:image/(?P<kind{0}>[\w.+-]{{1,20}})(?P<coding{0}>[^,()\"'>]{{0,100}}),"
# All of the data at once: where an end is missing, trying shorter ones takes minutes.
_DATA += r"(?=(?P<data{0}>[A-Za-z0-9+/=%\s._~-]*))(?P=data{0})"
# In Markdown, as a definition that Markdown refers to, in HTML; and attachments of the cell's.
_PICTURE = re.compile(
    r"(?<!\\)!\[[^\[\]\n]{0,300}\]\(<?(?:"
    + _DATA.format(1)
    + r"|attachment:(?P<name>[^()\s\"'<>]{1,300}))[^()\n]{0,200}\)"
    r"|^ {0,3}\[[^\]\n]{1,100}\]:[ \t]*<?" + _DATA.format(2) + r">?"
    r"|<img\b[^<>]{0,300}?src=[\"'](?:"
    + _DATA.format(3)
    + r"|attachment:(?P<html_name>[^\"'<>\n]{1,300}))[\"'][^<>]{0,300}>",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Picture:
    """A picture that is safe to show: `data` is base64 of a file of `kind`, image/png or image/jpeg.

    Sizes are in pixels.
    """

    kind: str
    data: str
    width: int
    height: int


def taken_out(
    text: str, attachments: Any, show: Callable[[int], str], most_bytes: int = 8 * 2**20
) -> tuple[str, list[Picture]]:
    """Take the pictures out of Markdown. Returns the text and those that can be shown, in its order.

    In the place of each of them stands what `show` makes of its number, from 1; in that of any other,
    `[picture: not shown, KIND]`. `attachments` are the cell's own, as a notebook holds them.
    """
    bundles = attachments if isinstance(attachments, Mapping) else {}
    shown: list[Picture] = []
    left = most_bytes

    def replaced(found: re.Match[str]) -> str:
        nonlocal left
        if name := found["name"] or found["html_name"]:
            bundle = bundles.get(name) or bundles.get(unquote(name)) or {}
            pictures = [(str(kind), data) for kind, data in bundle.items()] if isinstance(bundle, Mapping) else []
            kind, picture = of_bundle(dict(pictures)) if pictures else ("missing", None)
        else:
            number = next(number for number in "123" if found[f"data{number}"] is not None)
            kind, data = found[f"kind{number}"].lower(), found[f"data{number}"]
            picture = None
            if len(data) <= MOST_ENCODED:
                is_base64 = found[f"coding{number}"].lower().rstrip().endswith(";base64")
                picture = drawn(kind, _of_base64(unquote(data)) if is_base64 else unquote_to_bytes(data))
        if picture is None or len(shown) == MOST_PICTURES or len(picture.data) > left:
            return f"[picture: not shown, {kind.removesuffix('+xml').upper()}]"
        left -= len(picture.data)
        shown.append(picture)
        return show(len(shown))

    return _PICTURE.sub(replaced, text), shown


def of_bundle(bundle: Mapping[str, Any]) -> tuple[str, Picture | None]:
    """The first picture of an output or attachment that can be shown; and of which kind what cannot be shown is."""
    kinds = [str(kind).removeprefix("image/") for kind in bundle if str(kind).startswith("image/")]
    for kind in kinds:
        encoded = bundle[f"image/{kind}"]
        if isinstance(encoded, str) and len(encoded) <= MOST_ENCODED:
            picture = drawn(kind, _of_base64(encoded))
            if picture is not None:
                return kind, picture
    return (kinds or ["no picture"])[0], None


def drawn(kind: str, data: bytes | None) -> Picture | None:
    """The picture in a file, None if it is none of its kind, or of one that is not shown: PNG, JPEG and the first frame
    of GIF are."""
    kind = {"jpg": "jpeg"}.get(kind, kind)
    if data is None or kind not in ("png", "jpeg", "gif"):
        return None
    if kind == "png":
        size = png_size(data)
        if size is None:
            return None
        if len(data) <= MOST_BYTES and size[0] * size[1] <= MOST_PIXELS:
            return Picture("image/png", base64.b64encode(data).decode(), *size)
    return _drawn_anew(kind, data)


def png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG file; None if it is none."""
    # The signature is followed by a header chunk: length, name, width, height.
    if data[:8] != PNG_SIGNATURE or data[12:16] != b"IHDR" or len(data) < 33:
        return None
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    return (width, height) if width and height else None


def _drawn_anew(kind: str, data: bytes) -> Picture | None:
    from PIL import Image, ImageOps  # here: few texts hold pictures

    with contextlib.suppress(Exception), warnings.catch_warnings():  # Pillow raises what it likes for a damaged file
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
            if image.width * image.height > MOST_PIXELS_READ:
                return None
            image.draft("RGB", (SIDE, SIDE))
            small = ImageOps.exif_transpose(image).convert("RGB")
        small.thumbnail((SIDE, SIDE))
        file = io.BytesIO()
        form = "jpeg" if kind == "jpeg" or kind == "png" else "png"
        small.save(file, form)
        return Picture(f"image/{form}", base64.b64encode(file.getvalue()).decode(), *small.size)
    return None


def _of_base64(encoded: str) -> bytes | None:
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
