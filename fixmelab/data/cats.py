"""`cats`: small colour portraits of cats drawn from known, smooth factors, in the manner of AFHQ's cat faces.

No download, no file: each picture is a formula of the factors in `FACTORS`, and no random noise is added.
"""

from collections.abc import Mapping

import numpy as np
import torch

from fixmelab.data.shapes import centres, convex, coverage, ellipse, join, line, mix, segment, smooth

SIZE = 32

FACTORS = {
    "coat": "fur from cream over apricot, ginger, brown, silver and slate to black",
    "light": "fur darker to lighter than its colour",
    "tabby": "plain up to 0.4, then ever clearer stripes on forehead, cheeks and chest",
    "bib": "no white up to 0.4, then muzzle, chest and at last a blaze up the forehead",
    "patch": "none up to 0.65, then a growing patch of another colour over one ear and eye",
    "patch_side": "patch on the left below one half, on the right above",
    "points": "none up to 0.8, then pale fur with a dark mask and dark ears, as of a Siamese",
    "head": "narrow to broad",
    "cheeks": "smooth to fluffy cheeks",
    "ears": "small to tall ears",
    "ear_spread": "ears close together to far apart",
    "eye_colour": "amber over yellow and green to blue",
    "eye_size": "small to big eyes",
    "eye_slant": "level to slanting eyes",
    "pupil": "slit to round",
    "muzzle": "small to big muzzle",
    "nose": "pink to dark nose",
    "whiskers": "short and faint to long and clear whiskers",
    "backdrop": "hue of the background, once around the circle",
    "backdrop_light": "dark to light background",
    "turn": "face turned to the left, straight at one half, then to the right",
    "nod": "face lowered to raised",
    "tilt": "head tilted to the left, upright at one half, then to the right",
    "near": "far to near",
    "across": "left to right",
    "height": "high to low in the picture",
}

_COATS = np.array(
    [
        (0.97, 0.90, 0.78),
        (0.96, 0.76, 0.50),
        (0.91, 0.55, 0.22),
        (0.60, 0.41, 0.27),
        (0.70, 0.69, 0.70),
        (0.43, 0.46, 0.54),
        (0.18, 0.17, 0.20),
    ],
    dtype=np.float32,
)
_IRISES = np.array([(0.95, 0.58, 0.10), (0.93, 0.82, 0.22), (0.42, 0.78, 0.36), (0.36, 0.70, 0.98)], dtype=np.float32)
_WHITE, _PINK, _DARK = (0.99, 0.97, 0.94), (0.95, 0.58, 0.60), (0.13, 0.10, 0.11)
_CHUNK = 32  # pictures drawn at once: the temporaries stay in the processor's cache


def cats(count: int, seed: int = 0) -> torch.Tensor:
    """Draw `count` cats, (count, 3, 32, 32) float32 in [0, 1], the factors uniform in [0, 1] and independent.

    The same seed gives the same pictures, and a smaller count the first of a larger one's.

    Raises ValueError if `count` is not positive.
    """
    if count < 1:
        raise ValueError(f"cats: count is {count}, must be 1 or more")
    table = np.random.default_rng(seed).random((count, len(FACTORS)), dtype=np.float32)
    return draw_cats({name: torch.from_numpy(table[:, k].copy()) for k, name in enumerate(FACTORS)})


def draw_cats(factors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Pictures (N, 3, 32, 32) float32 in [0, 1] of given factors (each (N,), all names in `FACTORS`).

    Raises ValueError if a factor is missing or they differ in length.
    """
    shape = next(iter(factors.values())).shape if factors else torch.Size([0])
    for name in FACTORS:
        if name not in factors or factors[name].shape != shape or len(shape) != 1:
            raise ValueError(f'factor "{name}" must be given as a tensor of shape (N,), N the same for all')
    table = {name: factors[name].detach().cpu().numpy().astype(np.float32) for name in FACTORS}
    images = np.empty((shape[0], 3, SIZE, SIZE), dtype=np.float32)
    for start in range(0, shape[0], _CHUNK):
        chunk = slice(start, start + _CHUNK)
        images[chunk] = _draw({name: column[chunk, None, None] for name, column in table.items()})
    return torch.from_numpy(images)


class _Canvas:
    """A batch of colour pictures (count, 3, SIZE, SIZE), painted in layers."""

    def __init__(self, image: np.ndarray) -> None:
        self.image = image

    def paint(self, share: np.ndarray, colour: np.ndarray) -> None:
        """Cover a share (count, SIZE, SIZE) of each pixel with `colour`, which broadcasts over the pictures."""
        self.image += (colour - self.image) * share[:, None]


def _along(colours: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The colour at a place (count, 1, 1) in [0, 1] on the way through `colours` (K, 3): (count, 3, 1, 1)."""
    place = np.linspace(0.0, 1.0, len(colours))
    bands = [np.interp(at[:, 0, 0], place, band).astype(np.float32) for band in colours.T]
    return np.stack(bands, axis=1)[:, :, None, None]


def _colour(rgb: tuple[float, float, float]) -> np.ndarray:
    return np.array(rgb, dtype=np.float32)[:, None, None]


def _each(factor: np.ndarray) -> np.ndarray:
    """A factor (count, 1, 1) as it multiplies colours: (count, 1, 1, 1)."""
    return factor[:, None]


def _draw(f: dict[str, np.ndarray]) -> np.ndarray:
    """Pictures (count, 3, SIZE, SIZE) in [0, 1] of factors, each (count, 1, 1)."""
    page_x, page_y = np.broadcast_arrays(centres(SIZE)[None, None, :], centres(SIZE)[None, :, None])
    canvas = _Canvas(_backdrop(f, page_x, page_y))

    # The head's own coordinates: moved, turned and enlarged; `pixel` is a pixel's width in them.
    scale = mix(0.84, 1.02, f["near"])
    angle = mix(-0.24, 0.24, f["tilt"])
    moved_x = page_x - mix(-0.10, 0.10, f["across"])
    moved_y = page_y - mix(0.06, 0.18, f["height"])
    x = (np.cos(angle) * moved_x + np.sin(angle) * moved_y) / scale
    y = (np.cos(angle) * moved_y - np.sin(angle) * moved_x) / scale
    pixel = 2.0 / SIZE / scale
    # A face that turns moves before the head, and the ears behind it the other way.
    turn, nod = mix(-1.0, 1.0, f["turn"]), mix(0.07, -0.07, f["nod"])
    face_x, face_y = x - 0.13 * turn, y - nod
    side, back = np.abs(face_x), np.abs(x + 0.03 * turn)

    width = mix(0.60, 0.74, f["head"])
    skull = ellipse(x, y, (0.0, 0.0), (width, 0.60))
    fluff = mix(0.02, 0.16, f["cheeks"])
    head = join(skull, ellipse(x, y, (0.0, 0.20), (width + fluff, 0.36)), 0.25)
    # The body keeps to the page and follows the head's place only.
    body = ellipse(moved_x, moved_y, (0.0, 1.12 * scale), (0.62 * scale, 0.72 * scale)) / scale

    tone = _Fur(f, face_x, face_y, side, x, y, pixel)
    light = (1.04 - 0.16 * (0.5 * x + y))[:, None]
    below = (0.70 + 0.24 * smooth(0.55, 0.95, moved_y / scale))[:, None]
    canvas.paint(coverage(body, pixel), tone.chest(moved_x / scale, moved_y / scale) * below)
    _ears(canvas, f, back, y, width, pixel, tone)
    rim = smooth(-0.16, 0.04, head)[:, None]
    canvas.paint(coverage(head, pixel), tone.face() * light * (1.0 - 0.20 * rim))
    _eyes(canvas, f, face_x, face_y, pixel, tone)
    _muzzle(canvas, f, face_x, face_y, side, pixel, tone)
    return np.clip(canvas.image, 0.0, 1.0)


def _backdrop(f: dict[str, np.ndarray], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A soft plain wall, lighter towards the top left."""
    phase = np.array([0.0, 1 / 3, 2 / 3], dtype=np.float32)[:, None, None]
    hue = 0.5 + 0.5 * np.cos(2 * np.pi * (_each(f["backdrop"]) - phase))
    level = _each(mix(0.34, 0.86, f["backdrop_light"]))
    wall = level + mix(0.34, 0.20, _each(f["backdrop_light"])) * (hue - 0.5)
    return (wall * (1.0 - 0.10 * (y + 0.5 * x))[:, None]).astype(np.float32)


class _Fur:
    """Colours of the fur: everywhere on the face (count, 3, SIZE, SIZE) or of a part (count, 3, 1, 1)."""

    def __init__(self, f: dict[str, np.ndarray], face_x, face_y, side, x, y, pixel) -> None:
        self.f, self.x, self.y, self.side, self.pixel = f, face_x, face_y, side, pixel
        plain = _along(_COATS, f["coat"]) * _each(mix(0.88, 1.08, f["light"]))
        self.points = smooth(0.78, 0.92, f["points"])
        self.stripes = smooth(0.40, 0.80, f["tabby"]) * (1.0 - self.points)
        self.bib = f["bib"] * (1.0 - self.points)
        self.patched = smooth(0.62, 0.72, f["patch"]) * (1.0 - self.points)
        self.plain = mix(plain, _colour((0.95, 0.88, 0.77)), 0.8 * _each(self.points))
        self.mask_tone = mix(_colour((0.30, 0.21, 0.17)), plain, 0.3)
        # Stripes are darker than fur, but lighter on black fur, where dark ones could not be seen.
        self.stripe_tone = plain * mix(1.9, 0.52, smooth(0.2, 0.4, plain.mean(axis=1, keepdims=True)))
        self.patch_tone = _along(_COATS, np.mod(f["coat"] + 0.45, 1.0))
        self.patch_at = np.where(f["patch_side"] < 0.5, np.float32(-1.0), np.float32(1.0))
        size = mix(0.30, 0.52, smooth(0.65, 1.0, f["patch"]))
        self.patch_share = self.patched * smooth(
            0.06, -0.06, ellipse(x, y, (self.patch_at * 0.42, -0.26), (size, size * 1.15))
        )
        self.white = _colour(_WHITE)

    def face(self) -> np.ndarray:
        x, y, side = self.x, self.y, self.side
        fur = self.plain
        forehead = np.cos(2 * np.pi * x / 0.27) * smooth(-0.12, -0.26, y) * smooth(0.50, 0.40, side)
        cheek = np.cos(2 * np.pi * (y - 0.10 + 0.25 * side) / 0.27) * smooth(0.42, 0.56, side) * smooth(-0.1, 0.02, y)
        striped = self.stripes * np.clip(0.15 + forehead + cheek, 0.0, 1.0) * smooth(0.60, 0.45, y)
        fur = mix(fur, self.stripe_tone, 0.85 * striped[:, None])
        fur = mix(fur, self.patch_tone, self.patch_share[:, None])
        mask = self.points * smooth(0.46, 0.06, np.sqrt(x * x + 0.8 * np.square(y - 0.16)))
        fur = mix(fur, self.mask_tone, 0.9 * mask[:, None])
        grown = smooth(0.36, 0.70, self.bib)
        blaze = np.abs(x) - mix(0.04, 0.15, smooth(0.62, 1.0, self.bib)) * smooth(-0.75, 0.2, y)
        snout = ellipse(x, y, (0.0, 0.46), (mix(0.22, 0.44, grown), mix(0.18, 0.34, grown)))
        snout = coverage(snout, self.pixel) * smooth(0.36, 0.46, self.bib)
        blaze = coverage(blaze, self.pixel) * smooth(0.58, 0.68, self.bib) * smooth(-0.62, -0.5, y)
        return mix(fur, self.white, np.maximum(snout, blaze)[:, None])

    def chest(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        bands = 0.5 + 0.5 * np.cos(2 * np.pi * (y - 0.1 * np.abs(x)) / 0.24)
        fur = mix(self.plain, self.stripe_tone, (0.75 * self.stripes * bands * smooth(0.1, 0.3, np.abs(x)))[:, None])
        white = smooth(0.44, 0.54, self.bib) * smooth(0.03, -0.03, ellipse(x, y, (0.0, 0.56), (0.36, 0.38)))
        return mix(fur, self.white, white[:, None])

    def ear(self, right: np.ndarray) -> np.ndarray:
        """`right` is 1 on the picture's right half and 0 on its left."""
        fur = mix(self.plain, self.mask_tone, 0.9 * _each(self.points))
        here = self.patched * np.where(self.patch_at > 0, right, 1.0 - right)
        return mix(fur, self.patch_tone, here[:, None])


def _ears(canvas: _Canvas, f: dict, back, y, width, pixel, tone: _Fur) -> None:
    """Two triangles behind the head, and the pink in them."""
    top = mix(-0.76, -0.98, f["ears"])
    tip = mix(0.42, 0.60, f["ear_spread"]) * (width / 0.67)
    # The outer corner stays behind the head, however narrow that is.
    foot = np.minimum(tip + 0.20, width - 0.02)
    outer = convex(back, y, [(tip - 0.42, -0.36), (tip, top), (foot, -0.10), (tip - 0.1, 0.0)]) - 0.02
    inner = convex(back, y, [(tip - 0.24, -0.38), (tip - 0.01, top + 0.17), (foot - 0.10, -0.18), (tip - 0.1, 0.0)])
    fur = tone.ear((tone.x > 0).astype(np.float32))
    canvas.paint(coverage(outer, pixel), fur * 0.90)
    canvas.paint(0.85 * coverage(inner, pixel), mix(_colour(_PINK), fur, 0.35))


def _eyes(canvas: _Canvas, f: dict, x, y, pixel, tone: _Fur) -> None:
    """Iris, pupil and a spark of light within a dark rim."""
    size = mix(0.155, 0.220, f["eye_size"])
    slant = mix(0.0, 0.40, f["eye_slant"])
    dx, dy = np.abs(x) - mix(0.29, 0.33, f["head"]), y - 0.04
    u, v = dx * np.cos(slant) - dy * np.sin(slant), dx * np.sin(slant) + dy * np.cos(slant)
    eye = ellipse(u, v, (0.0, 0.0), (size, size * mix(1.0, 0.84, f["eye_slant"])))
    canvas.paint(coverage(eye - 0.035, pixel), tone.plain * 0.22)
    iris = mix(_along(_IRISES, f["eye_colour"]), _colour(tuple(_IRISES[-1])), 0.7 * _each(tone.points))
    canvas.paint(coverage(eye, pixel), iris * (1.0 + 0.5 * dy)[:, None])
    pupil = ellipse(dx, dy, (0.0, 0.0), (size * mix(0.26, 0.78, f["pupil"]), size * 0.84))
    canvas.paint(coverage(pupil, pixel), _colour(_DARK))
    spark = np.sqrt(np.square(dx * np.sign(x) + 0.055) + np.square(dy + 0.07)) - 0.055
    canvas.paint(coverage(spark, pixel), _colour((1.0, 1.0, 1.0)))


def _muzzle(canvas: _Canvas, f: dict, x, y, side, pixel, tone: _Fur) -> None:
    """Two round pads, the nose above and the mouth between them, the whiskers beside them."""
    size = mix(0.85, 1.15, f["muzzle"])
    pads = ellipse(side, y, (0.11 * size, 0.41), (0.16 * size, 0.135 * size))
    pale = mix(tone.plain, tone.white, 0.30 + 0.5 * _each(smooth(0.36, 0.46, tone.bib)))
    pale = mix(pale, tone.mask_tone * 1.1, 0.85 * _each(tone.points))
    canvas.paint(0.9 * coverage(pads, pixel), pale)
    ink = mix(tone.plain, _colour(_DARK), 0.72)
    stem = segment(side, y, (0.0, 0.34), (0.0, 0.43))
    smile = np.maximum(np.abs(ellipse(side, y, (0.085 * size, 0.42), (0.085 * size, 0.085))), 0.42 - y)
    canvas.paint(0.85 * line(np.minimum(stem, smile), 0.034), ink)
    half = 0.095 * size
    nose = convex(x, y, [(-half, 0.25), (half, 0.25), (0.0, 0.36)]) - 0.012
    nose_tone = mix(_colour(_PINK), _colour((0.28, 0.18, 0.18)), _each(smooth(0.4, 0.9, f["nose"])))
    canvas.paint(coverage(nose, pixel), nose_tone)
    reach = mix(0.40, 0.62, f["whiskers"])
    # Whiskers stand out from the wall: pale before a dark one, brown before a light one.
    hair = mix(_colour((1.0, 1.0, 1.0)), _colour((0.42, 0.33, 0.30)), _each(smooth(0.62, 0.82, f["backdrop_light"])))
    for start, drop in ((0.38, -0.10), (0.44, 0.08)):
        whisker = segment(side, y, (0.24, start), (0.24 + reach, start + drop))
        canvas.paint(mix(0.25, 0.65, f["whiskers"]) * line(whisker, 0.026), hair)
