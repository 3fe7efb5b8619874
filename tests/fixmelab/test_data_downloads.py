"""Downloads against a server on this machine: mirrors, checksums, damage, interruptions."""

import gzip
import hashlib
import json
import socket
import struct
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

from fixmelab.cache import cache_folder
from fixmelab.data import CLASS_NAMES, DownloadError, load_images
from fixmelab.data.downloads import Download, downloads, fetch
from fixmelab.data.images import fashion_mnist

NAMES = [entry.file for entry in downloads("fashion_mnist")]


class Site(SimpleHTTPRequestHandler):
    """Serves a folder; below /short/ it breaks off half-way, below /wrong/ it gives other bytes."""

    def do_GET(self):
        self.server.asked.append(self.path)
        _, manner, name = self.path.split("/")
        content = Path(self.directory, name)
        if manner == "absent" or not content.is_file():
            self.send_error(404)
            return
        body = content.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write({"short": body[: len(body) // 2], "wrong": bytes(len(body))}.get(manner, body))

    def log_message(self, *_):
        pass


@pytest.fixture
def data(tmp_path):
    """Four tiny packed idx files: 30 pictures to train, 10 to test."""
    folder = tmp_path / "site"
    folder.mkdir()
    for split, count in (("train", 30), ("t10k", 10)):
        pixels = np.arange(count * 784, dtype=np.uint32).astype(np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        packed = {
            f"{split}-images-idx3-ubyte.gz": struct.pack(">IIII", 2051, count, 28, 28) + pixels.tobytes(),
            f"{split}-labels-idx1-ubyte.gz": struct.pack(">II", 2049, count) + labels.tobytes(),
        }
        for name, content in packed.items():
            (folder / name).write_bytes(gzip.compress(content, mtime=0))
    return folder


@pytest.fixture
def site(data):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Site, directory=str(data)))
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def wanted(data, site):
    """Makes the list of downloads whose mirrors behave as told, in that order."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]

    def make(*manners):
        def address(manner, name):
            return f"http://127.0.0.1:{closed if manner == 'dead' else site.server_port}/{manner}/{name}"

        return [
            Download(
                name,
                hashlib.md5((data / name).read_bytes()).hexdigest(),
                tuple(address(manner, name) for manner in manners),
            )
            for name in NAMES
        ]

    return make


def content(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_fashion_mnist_is_fetched_once_and_read_by_torchvision(data, site, wanted, tmp_path):
    cache = tmp_path / "cache"
    train = fashion_mnist(cache, wanted("good"))
    assert train.images.shape == (30, 1, 28, 28) and train.images.dtype == torch.float32
    assert train.images[1, 0, 0, 0].item() == pytest.approx(784 % 256 / 255)
    assert train.labels.tolist() == [k % 10 for k in range(30)]
    assert train.name == "fashion_mnist" and train.class_names == CLASS_NAMES
    assert content(cache) == content(data)

    asked = len(site.asked)
    assert len(fashion_mnist(cache, wanted("good"), train=False)) == 10
    assert len(site.asked) == asked


@pytest.mark.parametrize("bad", ["dead", "absent", "wrong", "short"])
def test_the_next_mirror_helps_out(data, wanted, tmp_path, bad):
    fetch(wanted(bad, "good"), tmp_path / "cache")
    assert content(tmp_path / "cache") == content(data)


def test_no_mirror_left(wanted, tmp_path):
    cache = tmp_path / "cache"
    before = socket.getdefaulttimeout()
    with pytest.raises(DownloadError) as raised:
        fetch(wanted("dead", "wrong", "short", "absent"), cache)
    message = str(raised.value)
    assert isinstance(raised.value, OSError) and "\n" not in message
    assert message.count("127.0.0.1:") == 4 and message.count("wrong checksum") == 2
    for part in (NAMES[0], "offline", "Connection refused", "Not Found", str(cache), "by hand", "garments"):
        assert part in message
    assert list(cache.iterdir()) == []
    assert socket.getdefaulttimeout() == before


def test_a_silent_mirror_is_given_up(data, wanted, tmp_path, monkeypatch):
    monkeypatch.setattr("fixmelab.data.downloads.PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never answers
        first, *_ = wanted("good")
        slow = f"http://127.0.0.1:{silent.getsockname()[1]}/{first.file}"
        fetch([Download(first.file, first.md5, (slow, *first.mirrors))], tmp_path / "cache")
    assert content(tmp_path / "cache")[first.file] == (data / first.file).read_bytes()


def test_a_damaged_file_in_the_cache_is_fetched_anew(data, wanted, tmp_path):
    cache = tmp_path / "cache"
    fetch(wanted("good"), cache)
    (cache / NAMES[1]).write_bytes(b"damaged")
    fetch(wanted("good"), cache)
    assert content(cache) == content(data)


def test_an_interruption_leaves_nothing_half_written(wanted, tmp_path, monkeypatch):
    cache = tmp_path / "cache"

    def interrupted(url, root, filename, md5):
        Path(root, filename).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("torchvision.datasets.utils.download_url", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(wanted("good"), cache)
    assert list(cache.iterdir()) == []


def test_files_put_by_hand_need_no_mirror(data, wanted, tmp_path):
    raw = tmp_path / "cache" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, body in content(data).items():
        (raw / name).write_bytes(body)
    assert len(fashion_mnist(tmp_path / "cache", wanted("dead"))) == 30


def test_a_cache_that_cannot_be_made(wanted, tmp_path):
    (tmp_path / "cache").write_text("a file, where a folder should be")
    with pytest.raises(DownloadError, match="FIXMELAB_CACHE"):
        fetch(wanted("good"), tmp_path / "cache" / "raw")


def test_auto_falls_back_to_garments_and_says_so_in_one_line(tmp_path, monkeypatch, capsys):
    for variable in ("FIXMELAB_DATA", "FIXMELAB_BUDGET"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "cache").write_text("a file, where a folder should be")  # so that nothing is asked of the network
    assert load_images(train=False, folder=tmp_path / "cache").name == "garments"
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "garments" in out and "cannot be written" in out
    with pytest.raises(DownloadError):
        load_images("fashion_mnist", folder=tmp_path / "cache")


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("FIXMELAB_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("FIXMELAB_CACHE")
    assert cache_folder() == Path(__file__).resolve().parents[2] / "data" / "cache"


def test_the_list_agrees_with_torchvision():
    from torchvision.datasets import FashionMNIST  # it takes seconds, in every process that collects tests

    assert tuple(FashionMNIST.classes) == CLASS_NAMES
    listed = downloads("fashion_mnist")
    assert [(entry.file, entry.md5) for entry in listed] == FashionMNIST.resources
    for entry in listed:
        assert {mirror + entry.file for mirror in FashionMNIST.mirrors} <= set(entry.mirrors)
        assert len(entry.mirrors) >= 2 and all(address.endswith("/" + entry.file) for address in entry.mirrors)
    embedded = files("fixmelab.embedded")
    assert json.loads(embedded.joinpath("downloads.json").read_text("utf-8")).keys() == {"fashion_mnist", "cora"}
    assert embedded.joinpath("README.md").is_file()
