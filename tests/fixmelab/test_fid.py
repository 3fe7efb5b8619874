"""The Fréchet distance: 0 for the same images, larger the more they are spoilt; its features are seeded and kept."""

import importlib.util
import sys
import types

import pytest
import torch
from torch import nn

from fixmelab.commands import fid
from fixmelab.commands.fid import Features, Fid

# Not imported here: it takes seconds, in every process that collects tests.
pytestmark = pytest.mark.skipif(importlib.util.find_spec("torchmetrics") is None, reason="torchmetrics is not there")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FIXMELAB_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    from fixmelab.data import cats

    return cats(256, seed=3)


class Mean(nn.Module):
    num_features = 3

    def forward(self, images):
        return images.float().mean((2, 3))


def test_it_is_the_frechet_distance_of_the_features() -> None:
    """Two Gaussians of the same covariance: what is left is the squared distance of the means."""
    real = torch.rand(200, 3, 8, 8, generator=torch.Generator().manual_seed(0)) / 2
    shifted = real + torch.tensor([0.1, 0.2, 0.3])[:, None, None]
    distance = Fid(real, Features(Mean(), "mean colour", "fid"))
    assert distance([real]) == pytest.approx(0, abs=1e-6)
    assert distance(shifted.split(64)) == pytest.approx(0.01 + 0.04 + 0.09, abs=1e-5)
    assert distance([real]) == pytest.approx(0, abs=1e-6)  # nothing is left of the call before


def test_one_real_image_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 real images"):
        Fid(torch.rand(1, 3, 8, 8), Features(Mean(), "mean colour", "fid"))


@pytest.mark.slow
def test_the_small_network_sees_what_is_spoilt(images) -> None:
    features = fid.small_features(images[:128])
    distance = Fid(images[:128], features)
    others = images[128:]
    noise = torch.randn(others.shape, generator=torch.Generator().manual_seed(1))
    found = {name: distance(made.clamp(0, 1).split(64)) for name, made in spoilt(others, noise).items()}
    assert all(found["real"] < 0.5 * found[name] for name in found if name != "real"), found
    assert found["slight noise"] < found["noise"] < found["only noise"], found


def spoilt(images, noise):
    return {
        "real": images,
        "slight noise": images + 0.05 * noise,
        "noise": images + 0.2 * noise,
        "only noise": (0.5 + 0.3 * noise),
        "blurred": nn.functional.avg_pool2d(images, 5, 1, 2),
        "one image": images[:1].expand_as(images),
        "other colours": images.roll(1, 1),
        "upside down": images.flip(2),
    }


def test_the_small_network_is_seeded_kept_and_mended(images, cache, monkeypatch) -> None:
    monkeypatch.setattr(fid, "STEPS", 5)
    torch.manual_seed(1)
    first = fid.small_features(images).network(images[:5])
    (path,) = cache.glob("fid-features-*.safetensors")
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    torch.manual_seed(2)
    expected = torch.rand(1)
    torch.manual_seed(2)
    assert torch.equal(fid.small_features(images).network(images[:5]), first)
    assert path.read_bytes() == whole and torch.equal(torch.rand(1), expected)


def test_without_a_cache_it_goes_on(images, cache, monkeypatch) -> None:
    monkeypatch.setattr(fid, "STEPS", 5)
    (cache / "file").write_text("")
    monkeypatch.setenv("FIXMELAB_CACHE", str(cache / "file" / "cache"))
    assert "not Inception" in fid.small_features(images[:64]).name


def stand_in(extract) -> dict:
    """What is used of clean-fid, with `extract` for its download and network."""
    features, resize = types.ModuleType("cleanfid.features"), types.ModuleType("cleanfid.resize")
    features.build_feature_extractor = lambda mode, device, use_dataparallel: extract()
    resize.build_resizer = lambda mode: lambda image: image.astype("float32").repeat(2, 0).repeat(2, 1)
    return {"cleanfid": types.ModuleType("cleanfid"), "cleanfid.features": features, "cleanfid.resize": resize}


def test_clean_fid_is_taken_where_it_can_be_had(monkeypatch) -> None:
    seen = []

    def extract():
        def features(images):
            seen.append(images)
            return torch.zeros(len(images), 2048)

        return features

    for name, module in stand_in(extract).items():
        monkeypatch.setitem(sys.modules, name, module)
    found = fid.best_features(torch.rand(4, 3, 8, 8))
    assert found.name == "FID by clean-fid (Inception v3)" and found.column == "fid"
    images = torch.rand(2, 3, 8, 8)
    assert found.network(images).shape == (2, 2048)
    assert seen[0].shape == (2, 3, 16, 16)
    assert torch.allclose(seen[0][:, :, ::2, ::2], (images * 255).round())


@pytest.mark.parametrize("error", [OSError("no network"), RuntimeError("half a file")])
def test_clean_fid_without_its_weights_is_passed_over(monkeypatch, error) -> None:
    def extract():
        raise error

    for name, module in stand_in(extract).items():
        monkeypatch.setitem(sys.modules, name, module)
    assert fid.inception_features() is None
