"""`garments`: ten classes of clothes drawn from known, smooth factors, in the manner of FashionMNIST.

No download, no file: each picture is a formula of its label and of eleven factors in [0, 1].
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from fixmelab.data import shapes
from fixmelab.data.shapes import Array, centres, convex, curve, ellipse, join, line, mix, segment, smooth

SIZE = 28
_PIXEL = 2.0 / SIZE
coverage = partial(shapes.coverage, pixel=_PIXEL)
between = partial(shapes.between, pixel=_PIXEL)

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

FACTORS = {
    "width": "narrow to wide",
    "length": "short to long (shoes: low to high; bag: flat to tall)",
    "sleeve": "sleeves short to long (dress: straps thin to broad)",
    "neckline": "neck high to deep (dress: round to deep; shoes: opening narrow to wide)",
    "flare": "hem, legs or base tight to flared",
    "heel": "flat to high heel, thin to thick sole",
    "handle": "handle of the bag low to high",
    "brightness": "dark to light fabric",
    "shading": "flat to strongly modelled light and folds",
    "pattern": "plain up to 0.6, then ever clearer stripes",
    "lean": "leans to the left, straight at one half, then to the right (sandal, sneaker: heel up to toe up)",
}

_ALL = ("width", "length", "brightness", "shading", "pattern", "lean")
USED = {
    "T-shirt/top": (*_ALL, "sleeve", "neckline", "flare"),
    "Trouser": (*_ALL, "flare"),
    "Pullover": (*_ALL, "sleeve", "neckline", "flare"),
    "Dress": (*_ALL, "sleeve", "neckline", "flare"),
    "Coat": (*_ALL, "sleeve", "neckline", "flare"),
    "Sandal": (*_ALL, "heel"),
    "Shirt": (*_ALL, "sleeve", "neckline", "flare"),
    "Sneaker": (*_ALL, "neckline", "heel"),
    "Bag": (*_ALL, "flare", "handle"),
    "Ankle boot": (*_ALL, "neckline", "heel"),
}
"""Which factors move a class's picture; the others leave it as it is."""


@dataclass(frozen=True)
class Garments:
    """Procedural clothes and what they were made from.

    images: (N, 1, 28, 28) float32 in [0, 1]; labels: (N,) int64, an index of `CLASS_NAMES`;
    factors: for each name in `FACTORS` an (N,) float32 tensor in [0, 1].
    """

    images: torch.Tensor
    labels: torch.Tensor
    factors: dict[str, torch.Tensor]


def garments(count: int = 12_000, seed: int = 0) -> Garments:
    """Draw `count` garments: balanced classes in random order, factors uniform in [0, 1] and independent.

    The same seed gives the same pictures, and a smaller count the first of a larger one's.

    Raises ValueError if `count` is not positive.
    """
    if count < 1:
        raise ValueError(f"garments: count is {count}, must be 1 or more")
    classes = len(CLASS_NAMES)
    order, values = (np.random.default_rng([seed, stream]) for stream in range(2))
    rounds = -(-count // classes)
    classes_drawn = order.random((rounds, classes)).argsort(axis=1).reshape(-1)[:count]
    table = values.random((count, len(FACTORS)), dtype=np.float32)
    factors = {name: torch.from_numpy(table[:, k].copy()) for k, name in enumerate(FACTORS)}
    labels = torch.from_numpy(classes_drawn.astype(np.int64))
    return Garments(draw_garments(labels, factors), labels, factors)


def draw_garments(labels: torch.Tensor, factors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Pictures (N, 1, 28, 28) of given labels (N,) and factors (each (N,), all names in `FACTORS`).

    Raises ValueError if a label is not in 0..9, or a factor is missing or of another length.
    """
    wanted = labels.cpu().numpy()
    if wanted.size and not 0 <= wanted.min() <= wanted.max() < len(CLASS_NAMES):
        raise ValueError(f"labels run from {wanted.min()} to {wanted.max()}, must lie in 0..{len(CLASS_NAMES) - 1}")
    for name in FACTORS:
        if name not in factors or factors[name].shape != labels.shape:
            raise ValueError(f'factor "{name}" must be given as a tensor of shape {tuple(labels.shape)}')
    table = {name: factors[name].detach().cpu().numpy().astype(np.float32) for name in FACTORS}
    images = np.zeros((len(wanted), SIZE, SIZE), dtype=np.float32)
    for label, draw in enumerate(_DRAW):
        rows = np.flatnonzero(wanted == label)
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            canvas = _Canvas({name: column[chunk, None, None] for name, column in table.items()}, draw in _FLAT)
            draw(canvas, canvas.f)
            images[chunk] = np.clip(canvas.image, 0.0, 1.0)
    return torch.from_numpy(images[:, None])


_CHUNK = 32  # pictures drawn at once: the temporaries stay in the processor's cache


class _Canvas:
    """A batch of black pictures, painted in layers."""

    def __init__(self, f: dict[str, np.ndarray], flat: bool) -> None:
        """f: factors, each (count, 1, 1); flat: the thing lies on the ground, so it tips rather than leans."""
        self.f = f
        self.image = np.zeros((len(f["lean"]), SIZE, SIZE), dtype=np.float32)
        self.x, self.y = centres(SIZE)[None, :], centres(SIZE)[:, None]
        lean = (0.5 - f["lean"]) * 0.18
        if flat:
            self.y = self.y + lean * self.x
        else:
            self.x = self.x - lean * self.y
        self.side = np.abs(self.x)
        self.tone = mix(0.58, 1.02, f["brightness"])
        self.depth = mix(0.3, 1.3, f["shading"])
        self.stripes = smooth(0.6, 1.0, f["pattern"])

    def cloth(self, distance: np.ndarray, tone: np.ndarray | float, fold: np.ndarray | float = 0.0) -> None:
        """Paint a shape as soft cloth: darker towards its edge and away from the light; `fold` adds relief."""
        rim = 1.0 - np.clip(-distance / 0.22, 0.0, 1.0)
        light = 1.0 - self.depth * (0.32 * rim * rim + 0.16 * (self.x + 0.4) + fold)
        self.flat(distance, tone * light)

    def flat(self, distance: np.ndarray, tone: np.ndarray | float, strength: float = 1.0) -> None:
        """Paint a shape in the given tone."""
        self.image += (tone - self.image) * coverage(distance) * strength

    def shade(self, amount: np.ndarray) -> None:
        """Darken by a share (negative: lighten) that is given for each pixel."""
        self.image *= 1.0 - amount

    def striped(self, along: np.ndarray, period: float, strength: float = 0.46) -> np.ndarray:
        """Factor of the tone for stripes across `along`, as strong as the pattern says."""
        return 1.0 - self.stripes * strength * (0.5 + 0.5 * np.cos(along * (2 * np.pi / period)))

    def dots(self, at: list[tuple], radius: float, tone: np.ndarray | float) -> None:
        """Round buttons."""
        for cx, cy in at:
            distance = np.sqrt(np.square(self.x - cx) + np.square(self.y - cy)) - radius
            self.flat(distance, tone)


def _sleeves(c: _Canvas, shoulder, wrist, wide, narrow, tone, cuff: bool) -> None:
    """Two mirrored sleeves from `shoulder` to `wrist` (points on the right half), tapering from `wide` to `narrow`."""
    (sx, sy), (wx, wy) = shoulder, wrist
    length = np.sqrt(np.square(wx - sx) + np.square(wy - sy))
    ux, uy = (wx - sx) / length, (wy - sy) / length
    corners = [
        (sx + uy * wide, sy - ux * wide),
        (wx + uy * narrow, wy - ux * narrow),
        (wx - uy * narrow, wy + ux * narrow),
        (sx - uy * wide, sy + ux * wide),
    ]
    along = (c.side - sx) * ux + (c.y - sy) * uy
    bend = 0.10 * line(along - 0.5 * length, 0.09)
    c.cloth(convex(c.side, c.y, corners), tone * c.striped(along, 0.36), bend)
    if cuff:
        band = line(along - (length - 0.11), 0.035) * coverage(convex(c.side, c.y, corners))
        c.shade(0.35 * band)


def _torso(c: _Canvas, top, hem, neck, drop, half, waist, base) -> np.ndarray:
    """Distance to an upper body: shoulders from `neck` out to `half`, `waist` in the middle, `base` at the hem."""
    profile = curve(
        c.y,
        [
            (top, neck),
            (top + drop, half),
            (top + drop + 0.28, half * 0.93),
            (mix(top, hem, 0.62), waist),
            (hem, base),
        ],
    )
    across = between(c.side, -profile, profile, axis=-2)
    return np.maximum(across, np.maximum(top - c.y, c.y - hem))


def _t_shirt(c: _Canvas, f: dict) -> None:
    top, hem = -0.82, mix(0.56, 0.86, f["length"])
    half = mix(0.44, 0.58, f["width"])
    neck, deep = 0.23, mix(0.12, 0.40, f["neckline"])
    body = _torso(c, top, hem, neck, 0.13, half, half * 0.90, half * mix(0.84, 1.04, f["flare"]))
    reach = mix(0.28, 0.62, f["sleeve"])
    _sleeves(
        c, (half - 0.12, top + 0.25), (half - 0.12 + reach * 0.72, top + 0.25 + reach * 0.72), 0.21, 0.17, c.tone, False
    )
    folds = 0.07 * np.cos(c.x * 9.0 + 1.0) * smooth(-0.2, 0.8, c.y)
    c.cloth(body, c.tone * c.striped(c.y - top, 0.36), folds)
    _neck(c, top, neck, deep)
    c.shade(0.22 * line(c.y - (hem - 0.09), 0.03) * coverage(body))


def _neck(c: _Canvas, top, neck, deep, band: float = 0.075) -> None:
    """Carve a neckline and sew a darker band around it; the inside of the back shows through."""
    opening = ellipse(c.x, c.y, (0.0, top - 0.02), (neck, deep))
    c.shade(0.30 * line(opening - band * 0.7, band * 0.6) * coverage(-c.y + top))
    inside = np.maximum(opening, top + 0.04 - c.y)
    c.shade(coverage(opening))
    c.flat(inside, 0.20 * c.tone)


def _trouser(c: _Canvas, f: dict) -> None:
    top, hem = -0.88, mix(0.62, 0.90, f["length"])
    waist = mix(0.26, 0.36, f["width"])
    hip = waist + 0.07
    ankle = mix(0.10, 0.24, f["flare"])
    crotch = -0.36
    centre = curve(c.y, [(crotch - 0.3, 0.10), (crotch, hip * 0.5), (hem, hip * 0.62)])
    outer = curve(c.y, [(top, waist), (top + 0.32, hip), (0.1, hip + 0.02), (hem, hip * 0.62 + ankle)])
    inner = curve(c.y, [(crotch, -0.02), (crotch + 0.16, 0.035), (hem, hip * 0.62 - ankle)])
    body = np.maximum(between(c.side, inner, outer, axis=-2), np.maximum(top - c.y, c.y - hem))
    tone = c.tone * c.striped(c.side, 0.16, 0.32)
    crease = 0.06 - 0.20 * line(c.side - centre, 0.08)
    c.cloth(body, tone, crease)
    cover = coverage(body)
    c.shade(0.32 * line(c.y - (top + 0.14), 0.03) * cover)
    c.shade(0.40 * line(c.x - 0.015, 0.03) * cover * coverage(c.y - crotch))
    pocket = segment(c.side, c.y, (hip * 0.55, top + 0.16), (hip * 0.98, top + 0.36))
    c.shade(0.32 * line(pocket, 0.035) * cover)


def _pullover(c: _Canvas, f: dict) -> None:
    top, hem = -0.80, mix(0.50, 0.78, f["length"])
    half = mix(0.42, 0.54, f["width"])
    neck, deep = 0.22, mix(0.07, 0.26, f["neckline"])
    base = half * mix(0.80, 1.02, f["flare"])
    body = _torso(c, top, hem, neck, 0.15, half, half * 0.94, base)
    end = mix(0.28, 0.72, f["sleeve"])
    ribs = 0.08 * np.cos(c.x * (2 * np.pi / 0.22))
    _sleeves(c, (half - 0.10, top + 0.27), (half + 0.26, end), 0.17, 0.11, c.tone, True)
    chest = 1.0 - 0.8 * c.stripes * np.exp(-np.square((c.y + 0.18) / 0.16)) * (0.5 + 0.5 * np.cos((c.y + 0.18) * 26))
    c.cloth(body, c.tone * chest, 0.06 * np.cos(c.x * 7.0 + 0.6) * smooth(-0.3, 0.6, c.y))
    cover = coverage(body)
    c.shade((0.12 + ribs) * smooth(hem - 0.20, hem - 0.13, c.y) * cover)
    _neck(c, top, neck, deep, band=0.11)


def _dress(c: _Canvas, f: dict) -> None:
    top, hem = -0.88, mix(0.46, 0.90, f["length"])
    bust = mix(0.23, 0.33, f["width"])
    waist = bust * 0.76
    base = mix(0.30, 0.70, f["flare"])
    strap = mix(0.05, 0.13, f["sleeve"])
    deep = mix(0.14, 0.38, f["neckline"])
    middle = -0.20
    profile = curve(
        c.y,
        [
            (top, 0.16 + strap),
            (top + 0.22, bust * 0.86 + strap * 0.3),
            (top + 0.38, bust),
            (middle, waist),
            (middle + 0.24, mix(bust, base, 0.30)),
            (hem, base),
        ],
    )
    body = np.maximum(between(c.side, -profile, profile, axis=-2), np.maximum(top - c.y, c.y - hem))
    skirt = smooth(middle, middle + 0.5, c.y)
    pleats = 0.17 * np.cos(c.x / (profile + 0.05) * 9.5) * skirt
    c.cloth(body, c.tone * c.striped(c.y - top, 0.30), pleats)
    cover = coverage(body)
    c.shade(0.42 * line(c.y - middle, 0.045) * cover)
    opening = ellipse(c.x, c.y, (0.0, top - 0.05), (0.16 - strap * 0.2, deep + 0.05))
    c.shade(0.20 * line(opening - 0.05, 0.04) * cover)
    c.shade(coverage(opening))
    c.flat(np.maximum(opening, top + 0.10 - c.y), 0.16 * c.tone)


def _coat(c: _Canvas, f: dict) -> None:
    top, hem = -0.88, mix(0.66, 0.92, f["length"])
    half = mix(0.38, 0.48, f["width"])
    base = half * mix(0.92, 1.24, f["flare"])
    neck = 0.20
    deep = mix(0.34, 0.72, f["neckline"])
    body = _torso(c, top, hem, neck, 0.15, half, half * 0.90, base)
    end = mix(0.22, 0.60, f["sleeve"])
    _sleeves(c, (half - 0.09, top + 0.27), (half + 0.28, end), 0.17, 0.12, c.tone * 0.92, True)
    c.cloth(body, c.tone * c.striped(c.side, 0.20, 0.28), 0.05 * np.cos(c.x * 8.0))
    cover = coverage(body)
    tip = top + deep
    # Lapels: two leaves that meet where the coat closes, over the lining
    shirt = convex(c.side, c.y, [(-1.0, top), (neck * 0.95, top), (0.02, tip), (-1.0, tip)])
    c.flat(np.maximum(shirt, top - c.y), 0.16 * c.tone)
    leaf = convex(
        c.side, c.y, [(neck * 0.75, top), (neck + 0.10, top + 0.10), (neck + 0.06, mix(top, tip, 0.55)), (0.02, tip)]
    )
    c.flat(leaf, np.minimum(1.0, c.tone * 1.12))
    c.shade(0.45 * line(leaf - 0.02, 0.03) * cover * (c.y < tip))
    below = coverage(tip - c.y) * cover
    c.shade(0.45 * line(c.x - 0.03, 0.03) * below)
    c.dots([(-0.09, mix(tip, hem, s)) for s in (0.14, 0.40, 0.66)], 0.045, 0.25 * c.tone)
    pocket = segment(c.side, c.y, (half * 0.44, 0.20), (half * 0.80, 0.14))
    c.shade(0.45 * line(pocket, 0.035))


def _shirt(c: _Canvas, f: dict) -> None:
    top, hem = -0.82, mix(0.60, 0.84, f["length"])
    half = mix(0.36, 0.48, f["width"])
    base = half * mix(0.86, 1.06, f["flare"])
    neck, deep = 0.17, mix(0.10, 0.30, f["neckline"])
    tail = hem - 0.14 * smooth(0.35, 1.0, c.side / base)
    body = np.maximum(_torso(c, top, hem + 0.02, neck, 0.14, half, half * 0.88, base), c.y - tail)
    end = mix(-0.20, 0.62, f["sleeve"])
    _sleeves(c, (half - 0.09, top + 0.25), (mix(half + 0.30, half + 0.22, f["sleeve"]), end), 0.15, 0.10, c.tone, True)
    c.cloth(body, c.tone * c.striped(c.x, 0.20, 0.30), 0.05 * np.cos(c.x * 10.0 + 0.8) * smooth(-0.2, 0.7, c.y))
    cover = coverage(body)
    placket = coverage(np.abs(c.x) - 0.055) * cover * coverage(top + deep - c.y)
    c.image += (np.minimum(1.0, c.tone * 1.08) - c.image) * placket * 0.8
    c.shade(0.28 * line(np.abs(c.x) - 0.085, 0.025) * cover)
    c.dots([(0.0, mix(top + deep, hem, s)) for s in (0.10, 0.32, 0.54, 0.76)], 0.034, 0.28 * c.tone)
    open_ = convex(
        c.side,
        c.y,
        [(-1.0, top - 0.2), (neck * 0.8, top - 0.2), (neck * 0.8, top), (0.0, top + deep), (-1, top + deep)],
    )
    c.flat(open_, 0.14 * c.tone * (c.y > top))
    collar = convex(
        c.side,
        c.y,
        [(neck * 0.55, top - 0.05), (neck + 0.05, top + 0.05), (neck + 0.07, top + deep + 0.06), (0.03, top + deep)],
    )
    c.flat(collar, np.minimum(1.0, c.tone * 1.15))
    c.shade(0.40 * line(collar - 0.03, 0.03) * cover * (collar > 0))
    pocket = np.maximum(np.abs(c.x + half * 0.5) - 0.10, np.abs(c.y + 0.22) - 0.11)
    c.shade(0.25 * line(pocket, 0.03))


def _sandal(c: _Canvas, f: dict) -> None:
    heel = mix(0.06, 0.62, f["heel"])
    size = mix(0.80, 0.94, f["width"])
    ground = 0.56
    u = c.x / size  # -1 at the toe, 1 at the heel
    rise = curve(u, [(-1.0, 0.03), (-0.35, 0.0), (0.1, 0.25), (0.62, 0.94), (1.0, 1.0)])
    bed = ground - 0.10 - rise * heel
    thick = mix(0.10, 0.15, f["width"])
    ends = (np.abs(u) - 1.0) * size
    sole = np.maximum(between(c.y, bed, bed + thick, axis=-1), ends)
    post_top = ground - 0.06 - heel
    post = convex(
        c.x,
        c.y,
        [(size * 0.52, post_top), (size, post_top), (size * 0.94, ground), (size * mix(0.60, 0.78, f["heel"]), ground)],
    )
    high = mix(0.30, 0.58, f["length"])
    floor = ground - 0.10 - heel
    # Two bands over the toes, a counter behind the heel and the ankle strap that starts there
    near = ellipse(c.x, c.y, (-size * 0.52, ground - 0.06), (size * 0.26, high * 0.9))
    far = ellipse(c.x, c.y, (-size * 0.26, ground - 0.10), (size * 0.28, high * 1.15))
    bands = [np.maximum(np.abs(arc) - 0.08, c.y - bed) for arc in (far, near)]
    collar = floor - high * 0.82
    ankle = np.abs(ellipse(c.x, c.y, (size * 0.52, collar), (size * 0.42, 0.12))) - 0.06
    counter = convex(
        c.x,
        c.y,
        [(size * 0.84, collar), (size * 0.97, collar), (size, floor + 0.08), (size * 0.62, floor + 0.08)],
    )
    for part in (ankle, counter, *bands):
        c.cloth(part, c.tone * 1.2 * c.striped(c.x, 0.22))
    c.dots([(size * 0.40, collar + 0.10)], 0.05, 1.0)
    c.cloth(post, c.tone * 0.66)
    c.cloth(sole, c.tone * 0.88)


def _shoe_outline(c: _Canvas, size, ground, knots) -> tuple[np.ndarray, np.ndarray]:
    """Region of a shoe between its upper line (knots from toe, u = -1, to heel, u = 1) and the ground."""
    u = c.x / size
    upper = curve(u, knots)
    return np.maximum(between(c.y, upper, np.broadcast_to(ground, upper.shape), axis=-1), (np.abs(u) - 1.0) * size), u


def _sneaker(c: _Canvas, f: dict) -> None:
    size = mix(0.84, 0.95, f["width"])
    ground = 0.46
    sole_height = mix(0.10, 0.24, f["heel"])
    high = mix(0.52, 0.86, f["length"])
    mouth = mix(0.10, 0.34, f["neckline"])
    floor = ground - sole_height
    toe, ridge, back = floor - 0.10, floor - high, floor - high * 0.94
    body, u = _shoe_outline(
        c,
        size,
        floor + 0.03,
        [
            (-1.0, toe + 0.06),
            (-0.86, toe - 0.10),
            (-0.55, mix(toe, ridge, 0.34)),
            (0.42 - mouth, ridge),
            (0.46, ridge + 0.11),
            (0.80, ridge + 0.13),
            (1.0, back),
        ],
    )
    c.cloth(body, c.tone)
    cover = coverage(body)
    # Side stripes, the heel counter, the toe cap and the laces
    sweep = (c.x / size - 0.10) + (c.y - floor) * 0.55
    for shift in (0.0, 0.20, 0.40):
        c.shade(
            -0.25 * line(sweep + 0.05 - shift, 0.045) * cover * (1 - c.stripes) * smooth(ridge + 0.1, ridge + 0.3, c.y)
        )
        c.shade(0.75 * c.stripes * line(sweep + 0.05 - shift, 0.05) * cover * smooth(ridge + 0.1, ridge + 0.3, c.y))
    c.shade(0.30 * line(u - 0.70 - (c.y - floor) * 0.12, 0.035) * cover)
    c.shade(0.28 * line(u + 0.62 + (c.y - floor) * 0.5, 0.035) * cover)
    for share in (0.15, 0.45, 0.75):
        at_u = mix(-0.50, 0.36 - mouth, share)
        at_y = mix(mix(toe, ridge, 0.40), ridge + 0.02, share)
        lace = segment(c.x, c.y, (size * at_u - 0.03, at_y - 0.02), (size * at_u + 0.13, at_y + 0.14)) - 0.028
        c.flat(lace, 1.0, 0.75)
    sole, _ = _shoe_outline(c, size, ground, [(-1.0, floor - 0.05), (-0.8, floor), (0.8, floor), (1.0, floor - 0.03)])
    c.flat(sole, mix(0.95, 0.80, f["brightness"]))
    c.shade(0.5 * line(c.y - floor, 0.025) * coverage(sole))


def _bag(c: _Canvas, f: dict) -> None:
    half = mix(0.54, 0.82, f["width"])
    height = mix(0.62, 0.98, f["length"])
    bottom = 0.76
    top = bottom - height
    upper = half * mix(1.0, 0.72, f["flare"])
    lift = mix(0.14, 0.62, f["handle"])
    grip = ellipse(c.x, c.y, (0.0, top + 0.06), (upper * 0.55, lift + 0.06))
    c.cloth(np.maximum(np.abs(grip) - 0.05, c.y - top - 0.05), c.tone * 0.85)
    body = convex(c.x, c.y, [(-upper, top), (upper, top), (half, bottom), (-half, bottom)])
    c.cloth(body, c.tone * c.striped(c.y - bottom, 0.26), 0.05 * np.cos(c.x * 5.0))
    cover = coverage(body)
    flap_edge = mix(top, bottom, 0.46) - 0.14 * np.square(c.x / half)
    c.shade(0.45 * line(c.y - flap_edge, 0.035) * cover)
    c.shade(0.18 * line(c.y - flap_edge - 0.07, 0.06) * cover)
    c.shade(-0.12 * line(c.y - flap_edge + 0.08, 0.05) * cover)
    c.dots([(0.0, mix(top, bottom, 0.46))], 0.085, 0.22 * c.tone)
    c.dots([(0.0, mix(top, bottom, 0.46))], 0.035, 1.0)
    c.shade(0.20 * line(np.abs(c.x) - upper * 0.86, 0.025) * cover)


def _boot(c: _Canvas, f: dict) -> None:
    size = mix(0.72, 0.84, f["width"])
    ground = 0.84
    heel = mix(0.08, 0.34, f["heel"])
    base = ground - 0.05 - heel
    top = mix(-0.40, -0.88, f["length"])
    opening = mix(0.62, 0.82, f["neckline"])
    # The foot, from the toe (left, u = -1) to the heel (right, u = 1), on a sole that rises with the heel
    u = c.x / size
    arch = mix(0.03, 0.20, f["heel"])
    lower = ground - 0.05 - curve(u, [(-1.0, 0.03), (-0.5, 0.0), (0.05, arch), (0.45, heel * 0.85), (1.0, heel)])
    toe = [(-1.0, ground - 0.16), (-0.84, ground - 0.33), (-0.40, ground - 0.44)]
    upper = curve(u, [*toe, (0.05, base - 0.46), (0.9, base - 0.62)])
    foot = np.maximum(between(c.y, upper, lower, axis=-1), (np.abs(u) - 1.0) * size)
    front = curve(c.y, [(top, size - opening), (mix(top, base, 0.5), size - 0.62), (base, size - 0.72)])
    back = curve(
        c.y, [(top, size - 0.02), (mix(top, base, 0.55), size - 0.09), (base - 0.15, size), (base, size - 0.01)]
    )
    shaft = np.maximum(between(c.x, front, back, axis=-2), np.maximum(top - c.y, c.y - base))
    whole = np.maximum(join(foot, shaft, 0.16), np.maximum(c.x - back, c.y - lower))
    block = mix(0.44, 0.22, f["heel"])
    corners: list[tuple[Array, Array]] = [(size - 0.48, base - 0.06), (size, base - 0.06)]
    corners += [(size - 0.03, ground), (size - block, ground)]
    c.cloth(convex(c.x, c.y, corners), c.tone * 0.6)
    wrinkle = 0.16 * line(c.y - base + 0.34 - 0.5 * (c.x - size + 0.5), 0.05) * smooth(0.9, 0.2, u)
    c.cloth(whole, c.tone * c.striped(c.y, 0.30), wrinkle)
    cover = coverage(whole)
    c.shade(0.55 * line(c.y - lower + 0.035, 0.04) * cover)
    c.shade(0.32 * line(c.y - top - 0.12, 0.03) * cover)
    middle = 0.5 * (front + back) + 0.06
    panel = np.abs(c.x - middle) - mix(0.12, 0.05, smooth(top, base - 0.2, c.y))
    c.shade(0.36 * coverage(panel) * smooth(base - 0.24, base - 0.36, c.y) * smooth(top + 0.12, top + 0.18, c.y))
    c.shade(0.22 * line(u + 0.56 - (c.y - ground) * 0.25, 0.03) * cover)


_DRAW: tuple[Callable[[_Canvas, dict], None], ...] = (
    _t_shirt,
    _trouser,
    _pullover,
    _dress,
    _coat,
    _sandal,
    _shirt,
    _sneaker,
    _bag,
    _boot,
)
_FLAT = (_sandal, _sneaker)
