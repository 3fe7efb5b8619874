"""`load_pictures`: the procedural cats, or a folder of colour pictures of one's own, ready for diffusion."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import interpolate

from fixmelab.data.cats import SIZE, cats

if TYPE_CHECKING:
    from PIL.Image import Image

EMBEDDED = 4_000
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
_MANY = 500  # more files than this get a progress bar


@dataclass(frozen=True)
class Pictures:
    """Pictures in memory.

    images: (N, 3, S, S) float32 in [-1, 1]; name: "cats", or the last part of the folder's path and the class, as in
    "afhq/cat".
    """

    images: torch.Tensor
    name: str

    def __len__(self) -> int:
        return len(self.images)


def load_pictures(path: str | Path | None = None, *, data_class: str = "cat", image_size: int = 32) -> Pictures:
    """Pictures (N, 3, image_size, image_size) in [-1, 1], all in memory, in the same order everywhere.

    path: None for the 4,000 procedural cats; or a folder laid out as AFHQ's (Choi, Uh, Yoo and Ha, "StarGAN v2",
        2020), a folder for each class: path/cat/*.jpg, path/dog/*.png. A folder without class folders that holds
        pictures itself is one class, whatever `data_class` says.
    data_class: the class folder; "all" takes every one.
    image_size: S in pixels, a multiple of 8.

    A picture is turned upright as its EXIF data say, cropped to the square in its middle and resized with antialiasing.
    Of an animation the first frame is taken, transparent parts become white. Hidden files and files that do not end
    in one of `SUFFIXES` are passed over.

    Raises FileNotFoundError if the folder or the class is not there, and ValueError where an argument is unfit,
    there is nothing to read, or a file is not a whole picture.
    """
    if isinstance(image_size, bool) or not isinstance(image_size, int) or image_size < 8 or image_size % 8:
        raise ValueError(f"image_size is {image_size!r}, must be a multiple of 8: 8, 16, 24, 32, ...")
    if path is None:
        if data_class not in ("cat", "all"):
            raise ValueError(f"data_class is {data_class!r}, but without a path there are only cats: give a path")
        return Pictures(_embedded(image_size), "cats")
    folder = Path(path).expanduser()
    files, name = _find(folder, data_class)
    return Pictures(_read_all(files, image_size), name)


def _embedded(size: int) -> torch.Tensor:
    images = cats(EMBEDDED)
    if size != SIZE:
        images = interpolate(images, (size, size), mode="bicubic", antialias=True, align_corners=False).clamp_(0, 1)
    return images.mul_(2).sub_(1)


def _find(folder: Path, data_class: str) -> tuple[list[Path], str]:
    """The files to read, sorted by class and name, and the name of the set."""
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder; give one that holds pictures or class folders")
    if not folder.is_dir():
        raise ValueError(f"{folder}: is a file; give the folder that holds it")
    name = folder.resolve().name
    inside = sorted((entry for entry in _entries(folder) if entry.is_dir()), key=lambda entry: entry.name)
    classes = {entry.name: _pictures(entry) for entry in inside}
    filled = [known for known, files in classes.items() if files]
    if not filled and data_class not in classes and (own := _pictures(folder)):
        return own, name
    if data_class == "all" and filled:
        return [file for known in filled for file in classes[known]], name
    if classes.get(data_class):
        return classes[data_class], f"{name}/{data_class}"
    if data_class in classes:
        raise ValueError(f"{folder / data_class}: holds no pictures ({', '.join(SUFFIXES)})")
    if filled:
        choice = ", ".join(f'"{known}"' for known in [*filled, "all"])
        raise FileNotFoundError(f'{folder}: has no class folder "{data_class}"; use data_class={choice}')
    deeper = [entry.name for entry in inside if any(_pictures(below) for below in _entries(entry) if below.is_dir())]
    hint = f"; its folder {' or '.join(deeper)} does: use {folder / deeper[0]}" if deeper else ""
    raise ValueError(f"{folder}: holds no pictures ({', '.join(SUFFIXES)}) and no class folder with pictures{hint}")


def _entries(folder: Path) -> list[Path]:
    """What a folder holds, but for hidden things."""
    try:
        return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise ValueError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from error


def _pictures(folder: Path) -> list[Path]:
    """The picture files of a folder by name. A link that leads nowhere counts, so that it is reported, not skipped."""
    found = [entry for entry in _entries(folder) if entry.suffix.lower() in SUFFIXES]
    files = [entry for entry in found if entry.is_file() or (entry.is_symlink() and not entry.exists())]
    return sorted(files, key=lambda entry: entry.name)


def _read_all(files: Sequence[Path], size: int) -> torch.Tensor:
    """All files as one tensor (N, 3, size, size) in [-1, 1]."""
    from tqdm.auto import tqdm

    images = torch.empty(len(files), 3, size, size)
    for index, file in enumerate(tqdm(files, desc="Pictures", unit=" files", disable=len(files) <= _MANY)):
        images[index] = torch.from_numpy(_read(file, size)).permute(2, 0, 1)
    return images.div_(127.5).sub_(1)


def _read(file: Path, size: int) -> np.ndarray:
    """One picture, (size, size, 3) uint8."""
    from PIL import Image  # here: the procedural cats do without

    try:
        with warnings.catch_warnings():
            # Pillow only warns of a picture between its limit and twice as much.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                image.draft("RGB", (2 * size, 2 * size))  # a JPEG is decoded no larger than antialiasing needs
                return np.array(_square(_rgb(image), size))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        limit = f"{Image.MAX_IMAGE_PIXELS:,} pixels"
        raise ValueError(f"{file}: has more than {limit}; make it smaller or remove it") from error
    except Image.UnidentifiedImageError as error:
        raise ValueError(f"{file}: is not a picture or is damaged; replace or remove it") from error
    # Decoders meet damage with almost any exception: OSError, SyntaxError, struct.error, IndexError, …
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{file}: cannot be read ({why}); replace or remove it") from error


def _rgb(image: "Image") -> "Image":
    """The first frame, upright, in three channels; what is transparent becomes white."""
    from PIL import Image, ImageOps

    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits of grey, which convert() would cut off at 255
        image = Image.fromarray((np.clip(np.asarray(image), 0, 65_535) // 257).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("its pixels are floating-point numbers of unknown range")
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _square(image: "Image", size: int) -> "Image":
    """The square in the middle, resized to (size, size) by Pillow's filter, which is wide enough not to alias."""
    from PIL import Image

    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    box = (left, top, left + edge, top + edge)
    return image.resize((size, size), Image.Resampling.BICUBIC, box=box)
