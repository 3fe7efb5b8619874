"""`load_images`: garments, files of one's own, and how a name is chosen."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fixmelab.data import CLASS_NAMES, load_images

SHARED = Path(__file__).parents[3] / "shared" / "data" / "fashion900.npz"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for variable in ("FIXMELAB_DATA", "FIXMELAB_BUDGET", "FIXMELAB_CACHE"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def arrays():
    """200 numbered pictures, sorted by class: 20 of each."""
    images = np.zeros((200, 28, 28), dtype=np.uint8)
    images[:, 0, 0] = np.arange(200)
    return {"images": images, "labels": np.repeat(np.arange(10), 20)}


def saved(folder, **arrays):
    path = folder / "mine.npz"
    np.savez(path, **arrays)
    return str(path)


def check(images):
    assert images.images.shape == (len(images), 1, 28, 28) and images.images.dtype == torch.float32
    assert images.labels.shape == (len(images),) and images.labels.dtype == torch.int64
    assert images.images.min() >= 0 and images.images.max() <= 1
    assert images.class_names == CLASS_NAMES and len(images.class_names) == 10


def test_garments_to_train_and_to_test():
    train, test = load_images("garments"), load_images("garments", train=False)
    check(train)
    check(test)
    assert (train.name, len(train), len(test)) == ("garments", 12_000, 2_000)
    assert not torch.equal(train.images[:2_000], test.images)


def test_smoke_budget_takes_garments_without_a_word(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("FIXMELAB_BUDGET", "smoke")
    assert load_images(train=False, folder=tmp_path / "cache").name == "garments"
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "cache").exists()


def test_the_environment_names_the_data_and_the_argument_wins(monkeypatch, tmp_path, arrays):
    path = saved(tmp_path, **arrays)
    monkeypatch.setenv("FIXMELAB_DATA", path)
    assert load_images().name == path
    assert load_images("garments", train=False).name == "garments"


def test_npz_holds_out_a_tenth_of_each_class(tmp_path, arrays):
    path = saved(tmp_path, **arrays)
    train = load_images(path)
    test = load_images(train.name, train=False)
    check(train)
    assert torch.bincount(train.labels).tolist() == [18] * 10
    assert torch.bincount(test.labels).tolist() == [2] * 10
    numbers = [part.images[:, 0, 0, 0].mul(255).round().int().tolist() for part in (train, test)]
    assert sorted(numbers[0] + numbers[1]) == list(range(200))
    assert all(number // 20 == label for number, label in zip(numbers[1], test.labels.tolist(), strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": None}, "no array `images`"),
        ({"labels": None}, "no array `labels`"),
        ({"images": np.zeros((200, 28, 27), np.uint8)}, r"shape \(200, 28, 27\)"),
        ({"images": np.zeros((200, 784), np.uint8)}, r"shape \(200, 784\)"),
        ({"images": np.zeros((200, 28, 28), np.float32)}, "dtype float32"),
        ({"labels": np.zeros((200, 1), int)}, r"`labels` is int64 \(200, 1\)"),
        ({"labels": np.zeros(200)}, r"`labels` is float64 \(200,\)"),
        ({"labels": np.zeros(199, int)}, "200 images but 199 labels"),
        ({"labels": np.full(200, 10)}, "run from 10 to 10"),
        ({"labels": np.full(200, -1)}, "run from -1 to -1"),
        ({"images": np.zeros((0, 28, 28), np.uint8), "labels": np.zeros(0, int)}, "holds no images"),
        ({"labels": np.array([None] * 200, dtype=object)}, "not a readable .npz of plain arrays"),
    ],
)
def test_a_wrong_npz_gets_one_line_that_names_it(tmp_path, arrays, change, message):
    path = saved(tmp_path, **{key: value for key, value in {**arrays, **change}.items() if value is not None})
    with pytest.raises(ValueError, match=message) as raised:
        load_images(path)
    assert path in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize("keep", [0, 10, 2_000])
def test_a_file_that_is_no_npz_or_a_piece_of_one(tmp_path, arrays, keep):
    path = Path(saved(tmp_path, **arrays))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="not a readable .npz"):
        load_images(str(path))


def test_a_lone_array_is_no_npz(tmp_path):
    path = tmp_path / "mine.npz"
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ValueError, match="not a readable .npz"):
        load_images(str(path))


def test_missing_npz_and_unknown_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent.npz: no such file"):
        load_images(str(tmp_path / "absent.npz"))
    with pytest.raises(ValueError, match='"mnist": use "auto"'):
        load_images("mnist")


@pytest.mark.skipif(not SHARED.is_file(), reason="no sample of FashionMNIST beside this checkout")
def test_real_pictures_from_an_npz():
    train, test = load_images(str(SHARED)), load_images(str(SHARED), train=False)
    check(train)
    assert torch.bincount(train.labels).tolist() == [81] * 10
    assert torch.bincount(test.labels).tolist() == [9] * 10
    assert 0.1 < train.images.mean() < 0.5
