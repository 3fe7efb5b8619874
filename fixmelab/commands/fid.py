"""How near generated images come to real ones: the Fréchet inception distance (Heusel et al., 2017, section 3).

Needs torchmetrics. The features are those of Inception v3 as clean-fid prepares them (Parmar et al., 2022) where
clean-fid is installed and its weights can be had; else those of a small network that is trained here, in seconds, to
tell how a picture was changed: its numbers are good for comparing runs on the same images, and nothing else.
"""

import hashlib
import operator
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fixmelab.cache import cache_folder
from fixmelab.data.downloads import patience
from fixmelab.files import write_whole
from fixmelab.training import random_numbers

BATCH = 64
STEPS = 250  # of training the small network


@dataclass(frozen=True)
class Features:
    """A network from images (B, 3, H, W) in [0, 1] to features (B, `network.num_features`). `name` is for a figure's
    title, `column` for a table's head."""

    network: nn.Module
    name: str
    column: str


class Fid:
    """The distance of images from `real` ones, both (N, 3, H, W) in [0, 1].

    Raises ValueError if torchmetrics is not installed, or where there is only one real image.
    """

    def __init__(self, real: Tensor, features: Features) -> None:
        try:
            from torchmetrics.image.fid import FrechetInceptionDistance
        except ImportError as error:
            raise ValueError(f"FID needs torchmetrics ({error}): pip install 'fixmelab[fid]'") from error
        if len(real) < 2:
            raise ValueError("FID needs at least 2 real images")
        self.features = features
        self._metric = FrechetInceptionDistance(features.network, reset_real_features=False, normalize=True)
        for batch in real.split(BATCH):
            self._metric.update(batch.cpu(), real=True)

    def __call__(self, batches: Iterable[Tensor]) -> float:
        """The distance of all images in `batches` together, at least 2."""
        self._metric.reset()
        for batch in batches:
            self._metric.update(batch.detach().float().clamp(0, 1).cpu(), real=False)
        return max(0.0, float(self._metric.compute()))


def best_features(images: Tensor) -> Features:
    """clean-fid's features where they can be had, else those of a small network that learns from `images`."""
    return inception_features() or small_features(images)


def inception_features() -> Features | None:
    """Inception's features as clean-fid prepares them; None where it is not installed, or its weights cannot be had."""
    try:
        with patience():
            return Features(_CleanInception(), "FID by clean-fid (Inception v3)", "fid")
    except (ImportError, OSError, RuntimeError):
        return None


def small_features(images: Tensor) -> Features:
    """Features of a small network that learns from `images` (N, 3, H, W) in [0, 1], in seconds; kept in the cache."""
    images = F.interpolate(images[:1000].cpu(), size=(32, 32), mode="bilinear", antialias=True, align_corners=False)
    digest = hashlib.sha256(images.numpy().tobytes()).hexdigest()[:16]
    path = cache_folder() / f"fid-features-{digest}.safetensors"
    with random_numbers("fid features", torch.device("cpu")):
        network = SmallNetwork()
    try:
        network.load_state_dict(load_file(path))
    except (OSError, SafetensorError, RuntimeError):  # none there, or not whole
        network = trained_network(images)
        with suppress(OSError, SafetensorError):  # then it is trained again the next time
            write_whole(path, lambda file: save_file(network.state_dict(), file))
    name = "FID on a small network trained on these images (not Inception:\ncompare only runs on the same images)"
    return Features(network.eval(), name, "fid_small_network")


class SmallNetwork(nn.Module):
    """Images (B, 3, H, W) in [0, 1] to 64 features; `answers` are guesses at what was done to them."""

    num_features = 64

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 16, 32, 64)
        layers = [nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.ReLU()) for a, b in zip(widths, widths[1:], strict=False)]
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 16, self.num_features))
        self.answers = nn.Linear(self.num_features, sum(len(kind) for kind in CHANGES))

    def forward(self, images: Tensor) -> Tensor:
        if images.dtype == torch.uint8:
            images = images / 255
        if images.shape[-2:] != (32, 32):
            images = F.interpolate(images, size=(32, 32), mode="bilinear", antialias=True, align_corners=False)
        return self.body(2 * images - 1)


def trained_network(images: Tensor) -> SmallNetwork:
    """A network that tells how images (N, 3, 32, 32) were turned, recoloured, and blurred or made noisy.

    Telling rotations apart is how Gidaris et al. (2018) learn features without labels; colours and quality are added,
    since a distance between pictures should see them. Seeded: the same images give the same network.
    """
    with random_numbers("fid features", torch.device("cpu")):
        network = SmallNetwork()
        optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
        for _ in range(STEPS):
            batch = images[torch.randint(len(images), (BATCH,))]
            targets = []
            for kind in CHANGES:
                target = torch.randint(len(kind), (BATCH,))
                changed = torch.stack([change(batch) for change in kind])
                batch = changed[target, torch.arange(BATCH)]
                targets.append(target)
            guesses = network.answers(torch.relu(network(batch))).split([len(kind) for kind in CHANGES], dim=1)
            loss = reduce(operator.add, map(F.cross_entropy, guesses, targets))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network.requires_grad_(False)


def _blurred(images: Tensor) -> Tensor:
    return F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)


def _noisy(images: Tensor) -> Tensor:
    return (images + 0.08 * torch.randn_like(images)).clamp(0, 1)


def _unchanged(images: Tensor) -> Tensor:
    return images


# What is done to a batch (B, 3, S, S): one of each kind, and the network has to tell which.
CHANGES = (
    (_unchanged, *(lambda images, k=k: torch.rot90(images, k, (2, 3)) for k in (1, 2, 3))),
    (_unchanged, *(lambda images, k=k: images.roll(k, 1) for k in (1, 2))),
    (_unchanged, _blurred, _noisy),
)


class _CleanInception(nn.Module):
    """clean-fid's preparation (bytes, enlarged by PIL channel by channel) and its Inception v3."""

    num_features = 2048

    def __init__(self) -> None:
        super().__init__()
        from cleanfid.features import build_feature_extractor
        from cleanfid.resize import build_resizer

        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        extract, self._resize = build_feature_extractor("clean", device, use_dataparallel=False), build_resizer("clean")
        self._extract = lambda images: extract(images.to(device)).cpu()

    def forward(self, images: Tensor) -> Tensor:
        pixels = images if images.dtype == torch.uint8 else (images * 255).round().byte()
        enlarged = [torch.from_numpy(self._resize(image)) for image in pixels.permute(0, 2, 3, 1).numpy()]
        with torch.no_grad():
            return self._extract(torch.stack(enlarged).permute(0, 3, 1, 2))
