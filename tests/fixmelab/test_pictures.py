"""`load_pictures`: the embedded cats, folders in AFHQ's layout, and every way in which a file can be wrong."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from fixmelab.data import Pictures, cats, load_pictures, pictures

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def painted(path, colour, size=(40, 30), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path, **options)
    return path


def means(images):
    """Mean colour of each picture, from 0 to 255."""
    return ((images.mean(dim=(2, 3)) + 1) * 127.5).round().int().tolist()


@pytest.fixture
def afhq(tmp_path):
    root = tmp_path / "afhq"
    for number in range(3):
        painted(root / "cat" / f"flickr_cat_{number}.png", (10 * number, 200, 0))
        painted(root / "dog" / f"{number}.png", (10 * number, 0, 200))
    painted(root / "wild" / "fox.bmp", (250, 120, 0))
    return root


@pytest.fixture(scope="module")
def embedded():
    return load_pictures()


def test_the_embedded_cats(embedded):
    assert isinstance(embedded, Pictures) and embedded.name == "cats" and len(embedded) == 4_000
    assert embedded.images.shape == (4_000, 3, 32, 32) and embedded.images.dtype == torch.float32
    assert torch.equal(embedded.images[:20], cats(20) * 2 - 1)


@pytest.mark.parametrize("size", [8, 16, 64])
def test_the_embedded_cats_in_another_size(monkeypatch, size):
    monkeypatch.setattr(pictures, "EMBEDDED", 30)
    images = load_pictures(data_class="all", image_size=size).images
    assert images.shape == (30, 3, size, size) and images.min() >= -1 and images.max() <= 1
    whole = load_pictures().images
    assert torch.allclose(images.mean(dim=(2, 3)), whole.mean(dim=(2, 3)), atol=0.02)


def test_a_class_of_afhq(afhq):
    got = load_pictures(afhq, image_size=16)
    assert got.name == "afhq/cat" and got.images.shape == (3, 3, 16, 16) and got.images.dtype == torch.float32
    assert got.images.is_contiguous()
    assert means(got.images) == [[0, 200, 0], [10, 200, 0], [20, 200, 0]]
    assert means(load_pictures(str(afhq), data_class="wild").images) == [[250, 120, 0]]


def test_all_classes_of_afhq_in_order(afhq):
    got = load_pictures(afhq, data_class="all")
    assert got.name == "afhq"
    assert means(got.images) == [
        *([x, 200, 0] for x in (0, 10, 20)),
        *([x, 0, 200] for x in (0, 10, 20)),
        [250, 120, 0],
    ]
    assert torch.equal(got.images, load_pictures(afhq, data_class="all").images)


@pytest.mark.parametrize("data_class", ["cat", "all", "dog"])
def test_a_folder_of_pictures_is_one_class(afhq, data_class):
    got = load_pictures(afhq / "dog", data_class=data_class)
    assert got.name == "dog" and len(got) == 3


def test_files_come_in_the_order_of_their_names_whenever_they_were_made(tmp_path):
    for number, name in enumerate(["c.png", "B.png", "a10.png", "a9.png"]):
        painted(tmp_path / name, (number, 0, 0))
    assert [mean[0] for mean in means(load_pictures(tmp_path).images)] == [1, 2, 3, 0]


def test_hidden_files_and_other_files_are_passed_over(afhq):
    (afhq / "cat" / ".hidden.png").write_bytes(b"x")
    (afhq / "cat" / "notes.txt").write_text("x")
    (afhq / "cat" / "folder.png").mkdir()
    (afhq / ".git").mkdir()
    painted(afhq / ".trash" / "x.png", RED)
    painted(afhq / "cat" / "LOUD.JPEG", RED)
    assert len(load_pictures(afhq)) == 4
    assert len(load_pictures(afhq, data_class="all")) == 8


def test_the_middle_is_cropped_and_the_whole_of_it_is_kept(tmp_path):
    wide = np.zeros((32, 96, 3), np.uint8)
    wide[:, :32], wide[:, 64:] = RED, BLUE  # the sides
    wide[:, 32:64] = np.linspace(0, 255, 32)[:, None, None]
    Image.fromarray(wide).save(tmp_path / "a_wide.png")
    Image.fromarray(wide.transpose(1, 0, 2)).save(tmp_path / "b_tall.png")
    a, b = load_pictures(tmp_path).images
    assert torch.equal(a, torch.from_numpy(wide[:, 32:64]).permute(2, 0, 1) / 127.5 - 1)  # not resized: the very bytes
    assert torch.equal(a, b.transpose(1, 2))


@pytest.mark.parametrize("suffix", ["png", "jpg"])  # a JPEG is decoded at a fraction of its size
def test_shrinking_does_not_alias(tmp_path, suffix):
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / f"fine.{suffix}", quality=95)
    images = load_pictures(tmp_path).images
    assert images.std() < 0.02 and images.mean().abs() < 0.02


def test_a_shrunken_jpeg_looks_like_the_png(tmp_path):
    y, x = np.mgrid[0:300, 0:400] / 60.0
    rgb = 127 + 100 * np.stack([np.sin(x), np.cos(y), np.sin(x + y)], axis=-1)
    for suffix in ("jpg", "png"):
        Image.fromarray(rgb.astype(np.uint8)).save(tmp_path / f"same.{suffix}", quality=95)
    jpg, png = load_pictures(tmp_path, image_size=24).images
    assert (jpg - png).abs().max() < 0.05


def test_modes_of_colour(tmp_path):
    Image.new("RGB", (9, 9), (200, 100, 50)).quantize(4).save(tmp_path / "a_palette.png")
    Image.new("L", (9, 9), 90).save(tmp_path / "b_grey.png")
    Image.new("RGBA", (9, 9), (0, 0, 0, 0)).save(tmp_path / "c_clear.png")
    Image.new("RGBA", (9, 9), (*RED, 255)).save(tmp_path / "d_opaque.png")
    Image.new("LA", (9, 9), (0, 128)).save(tmp_path / "e_grey_alpha.png")
    Image.new("1", (9, 9), 1).save(tmp_path / "f_bits.png")
    Image.fromarray(np.full((9, 9), 40_000, np.uint16)).save(tmp_path / "g_16_bits.png")
    Image.new("CMYK", (9, 9), (255, 255, 0, 0)).save(tmp_path / "h_print.jpg", quality=100)
    Image.new("P", (9, 9), 0).save(tmp_path / "i_clear_palette.png", transparency=0)
    got = means(load_pictures(tmp_path, image_size=8).images)
    assert got[:3] == [[200, 100, 50], [90] * 3, [255] * 3]
    assert got[3:7] == [[255, 0, 0], [127] * 3, [255] * 3, [155] * 3]
    assert got[7][2] > 240 and max(got[7][:2]) < 15
    assert got[8] == [255] * 3


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (16, 16), colour) for colour in (GREEN, RED, BLUE)]
    frames[0].save(tmp_path / "moves.gif", save_all=True, append_images=frames[1:])
    assert means(load_pictures(tmp_path).images) == [[0, 255, 0]]


def test_a_photo_is_turned_upright(tmp_path):
    photo = np.zeros((16, 16, 3), np.uint8)
    photo[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(photo).save(tmp_path / "photo.png", exif=exif)
    image = load_pictures(tmp_path, image_size=16).images[0]
    assert image[:, 0].max() == -1 and image[:, -1].min() == 1


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (3, 2)])
def test_tiny_and_thin_pictures_are_enlarged(tmp_path, size):
    painted(tmp_path / "a.png", (7, 8, 9), size)
    assert means(load_pictures(tmp_path).images) == [[7, 8, 9]]


@pytest.mark.parametrize(("limit", "shown"), [(2, True), (3, False)])
def test_many_files_get_a_progress_bar(monkeypatch, capsys, afhq, limit, shown):
    monkeypatch.setattr(pictures, "_MANY", limit)
    load_pictures(afhq)
    assert ("3/3" in capsys.readouterr().err) is shown


def refused(kind, *said, **arguments):
    """One line of this kind that says all of these."""
    with pytest.raises(kind) as raised:
        load_pictures(**arguments)
    text = str(raised.value)
    assert "\n" not in text and len(text) < 400
    for words in said:
        assert str(words) in text
    return text


@pytest.mark.parametrize("size", [0, -8, 4, 7, 33, 32.0, "32", True, None])
def test_an_unfit_size(afhq, size):
    refused(ValueError, f"image_size is {size!r}", "multiple of 8", path=afhq, image_size=size)
    refused(ValueError, f"image_size is {size!r}", image_size=size)


def test_the_embedded_set_has_only_cats():
    refused(ValueError, "'dog'", "only cats", data_class="dog")


def test_folders_that_are_not_there(afhq, tmp_path):
    refused(FileNotFoundError, tmp_path / "nowhere", "no such folder", path=tmp_path / "nowhere")
    refused(ValueError, "is a file", path=afhq / "wild" / "fox.bmp")
    text = refused(FileNotFoundError, afhq, '"bird"', '"cat", "dog", "wild", "all"', path=afhq, data_class="bird")
    assert "git" not in text
    refused(FileNotFoundError, '"../afhq/cat"', path=afhq, data_class="../afhq/cat")
    refused(FileNotFoundError, '""', path=afhq, data_class="")


def test_empty_folders(afhq, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(ValueError, empty, "holds no pictures", ".jpg", path=empty)
    refused(ValueError, empty, "holds no pictures", path=empty, data_class="all")
    (afhq / "bird").mkdir()
    refused(ValueError, afhq / "bird", "holds no pictures", path=afhq, data_class="bird")
    assert len(load_pictures(afhq, data_class="all")) == 7


def test_the_folder_above_says_where_to_go(afhq):
    afhq.rename(afhq.with_name("train"))
    above = afhq.parent
    refused(ValueError, above, f"use {above / 'train'}", path=above)


def damaged(folder, suffix, keep):
    """A noisy picture of which only a share of the bytes is left."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = folder / f"bad.{suffix}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    return path


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp", "gif", "tif", "webp"])
@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5])
def test_a_truncated_file_is_named(tmp_path, suffix, keep):
    painted(tmp_path / "good.png", RED)
    refused(ValueError, damaged(tmp_path, suffix, keep), "replace or remove it", path=tmp_path)


def test_other_unreadable_files_are_named(tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("<html>404</html>")
    refused(ValueError, text, "not a picture", path=tmp_path)
    text.unlink()
    text.symlink_to(tmp_path / "gone.jpg")
    refused(ValueError, text, "cannot be read", path=tmp_path)
    text.unlink()
    Image.fromarray(np.zeros((9, 9), np.float32)).save(tmp_path / "float.tif")
    refused(ValueError, "float.tif", "unknown range", path=tmp_path)


@pytest.mark.parametrize("edge", [10_000, 20_000])  # above Pillow's limit, and above twice as much
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path, edge):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", edge, edge, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(1_000)))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))
    refused(ValueError, tmp_path / "bomb.png", "pixels; make it smaller", path=tmp_path)
