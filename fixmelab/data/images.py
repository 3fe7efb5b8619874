"""`load_images`: one way to FashionMNIST, to the procedural garments and to a file of one's own."""

import os
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fixmelab.cache import cache_folder
from fixmelab.data.downloads import Download, DownloadError, downloads, fetch
from fixmelab.data.wardrobe import CLASS_NAMES, garments

GARMENTS_TRAIN, GARMENTS_TEST = 12_000, 2_000
_RAW = Path("FashionMNIST", "raw")  # where torchvision looks below its root


@dataclass(frozen=True)
class Images:
    """Labelled pictures.

    images: (N, 1, 28, 28) float32 in [0, 1]; labels: (N,) int64, an index of class_names (10 words);
    name: what gives the same data again, `load_images(name)`.
    """

    images: torch.Tensor
    labels: torch.Tensor
    class_names: tuple[str, ...]
    name: str

    def __len__(self) -> int:
        return len(self.labels)


def load_images(name: str | None = None, *, train: bool = True, folder: str | Path | None = None) -> Images:
    """Training or test pictures of a data set, all in memory.

    name:
        "fashion_mnist": downloaded once, 60,000 and 10,000 pictures;
        "garments": drawn on the spot, 12,000 and 2,000 pictures;
        a path that ends in .npz: `images` (N, 28, 28) uint8 and `labels` (N,) in 0..9, a tenth of each class held out;
        "auto": FashionMNIST where it is in the cache or can be downloaded, else garments, and garments at once
        where FIXMELAB_BUDGET is "smoke".
        Default: the environment variable FIXMELAB_DATA, else "auto".
    train: False gives the test pictures. Ask for those of the set that you trained on:
        `load_images(trained.name, train=False)`.
    folder: the cache; by default FIXMELAB_CACHE, else data/cache of a checkout, else ~/.cache/fixmelab.

    Raises ValueError for an unknown name or a wrong .npz, FileNotFoundError where the .npz is not there, and
    DownloadError (an OSError) where FashionMNIST can be neither found nor downloaded.
    """
    name = str(name or os.environ.get("FIXMELAB_DATA") or "auto")
    root = cache_folder() if folder is None else Path(folder)
    if name == "auto":
        if os.environ.get("FIXMELAB_BUDGET") == "smoke":
            return garment_images(train=train)
        try:
            return fashion_mnist(root, downloads("fashion_mnist"), train=train)
        except DownloadError as error:
            print(f"Using the garments data instead of FashionMNIST: {error.why}")
            return garment_images(train=train)
    if name == "fashion_mnist":
        return fashion_mnist(root, downloads("fashion_mnist"), train=train)
    if name == "garments":
        return garment_images(train=train)
    if name.endswith(".npz"):
        return npz_images(name, train=train)
    raise ValueError(f'data set "{name}": use "auto", "fashion_mnist", "garments" or a path that ends in .npz')


def fashion_mnist(root: Path, wanted: Sequence[Download], *, train: bool = True) -> Images:
    """FashionMNIST (Xiao, Rasul and Vollgraf, 2017), its four files kept packed below `root` as torchvision keeps them.

    Raises DownloadError if a file is missing and no mirror has it.
    """
    # Here: the import is slow, and garments do without. torchvision has no types.
    from torchvision.datasets import FashionMNIST  # type: ignore[import-untyped]
    from torchvision.datasets.utils import extract_archive  # type: ignore[import-untyped]

    packed = Path(root) / _RAW
    fetch(wanted, packed)
    with tempfile.TemporaryDirectory() as temporary:
        unpacked = Path(temporary) / _RAW
        unpacked.mkdir(parents=True)
        for download in wanted:
            extract_archive(packed / download.file, unpacked)
        data = FashionMNIST(temporary, train=train)
    return _images(data.data, data.targets, "fashion_mnist")


def garment_images(*, train: bool = True) -> Images:
    """The procedural garments; the test pictures come from another seed."""
    made = garments(GARMENTS_TRAIN, seed=0) if train else garments(GARMENTS_TEST, seed=1)
    return Images(made.images, made.labels, CLASS_NAMES, "garments")


def npz_images(path: str | Path, *, train: bool = True) -> Images:
    """Pictures of an .npz; of each class every tenth one, in the file's order, is a test picture.

    Raises FileNotFoundError, or ValueError that says what is wrong with the file.
    """
    images, labels = _read_npz(Path(path).expanduser())
    held_out = np.zeros(len(labels), dtype=bool)
    for label in range(len(CLASS_NAMES)):
        held_out[np.flatnonzero(labels == label)[9::10]] = True
    chosen = ~held_out if train else held_out
    return _images(torch.from_numpy(images[chosen]), torch.from_numpy(labels[chosen]), str(path))


def _read_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in ("images", "labels") if key in archive}
    except (ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a readable .npz of plain arrays ({error})") from error
    for key in ("images", "labels"):
        if key not in arrays:
            raise ValueError(f"{path}: has no array `{key}`; save it with np.savez(path, images=..., labels=...)")
    images, labels = arrays["images"], arrays["labels"]
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise ValueError(f"{path}: `images` has shape {images.shape}, must be (N, 28, 28)")
    if images.dtype != np.uint8:
        raise ValueError(f"{path}: `images` has dtype {images.dtype}, must be uint8 (0 to 255)")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"{path}: `labels` is {labels.dtype} {labels.shape}, must be whole numbers of shape (N,)")
    if len(images) != len(labels):
        raise ValueError(f"{path}: {len(images)} images but {len(labels)} labels, must be equally many")
    if not len(labels):
        raise ValueError(f"{path}: holds no images")
    if labels.min() < 0 or labels.max() >= len(CLASS_NAMES):
        raise ValueError(f"{path}: `labels` run from {labels.min()} to {labels.max()}, must lie in 0..9")
    return images, labels.astype(np.int64)


def _images(pixels: torch.Tensor, labels: torch.Tensor, name: str) -> Images:
    """Bytes (N, 28, 28) to Images."""
    return Images(pixels.unsqueeze(1).float().div_(255), labels.long(), CLASS_NAMES, name)
