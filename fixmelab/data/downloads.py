"""Files fetched once from a list of mirrors, checked, and kept in a cache."""

import http.client
import json
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 5.0  # seconds that a mirror may take to connect, or keep silent, before the next one is tried


class DownloadError(OSError):
    """A file is neither in the cache nor to be had from any mirror. `why` is the message without its advice."""

    def __init__(self, why: str, advice: str) -> None:
        super().__init__(f"{why}; {advice}")
        self.why = why


@dataclass(frozen=True)
class Download:
    """One file: its name in the cache, its MD5 checksum in hex, and the addresses to try, in order."""

    file: str
    md5: str
    mirrors: tuple[str, ...]


def downloads(name: str) -> tuple[Download, ...]:
    """The files of a data set, from data/downloads.json."""
    listed = json.loads(files("fixmelab.embedded").joinpath("downloads.json").read_text("utf-8"))[name]
    return tuple(Download(entry["file"], entry["md5"], tuple(entry["mirrors"])) for entry in listed)


def fetch(wanted: Sequence[Download], folder: Path, instead: str = "the garments data") -> None:
    """Make sure that `folder` holds every wanted file with the right checksum.

    A file is downloaded beside its place and moved there only when its checksum is right, so an interruption leaves
    nothing half-written; a damaged file in the cache is fetched anew.

    Raises DownloadError for the first file that no mirror yields, or where the folder cannot be written; its advice
    names what may be used `instead`, which need no download.
    """
    # Here: the import is slow, and garments do without. torchvision has no types.
    from torchvision.datasets.utils import check_integrity  # type: ignore[import-untyped]

    for download in wanted:
        if not check_integrity(folder / download.file, download.md5):
            _fetch_one(download, folder, f"or use {instead}, which need no download")


def _fetch_one(download: Download, folder: Path, otherwise: str) -> None:
    from torchvision.datasets.utils import download_url

    failures = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part:
            for address in download.mirrors:
                try:
                    with patience():
                        download_url(address, part, download.file, download.md5)
                except (OSError, RuntimeError, ValueError, http.client.HTTPException) as error:
                    failures.append(f"{urlsplit(address).netloc} ({_reason(error)})")
                    continue
                os.replace(Path(part, download.file), folder / download.file)
                return
    except OSError as error:
        raise DownloadError(
            f"the cache {folder} cannot be written ({_reason(error)})",
            f"set FIXMELAB_CACHE to a folder of your own, {otherwise}",
        ) from error
    raise DownloadError(
        f"{download.file} could not be downloaded (offline?) from {', '.join(failures)}",
        f"put it into {folder} by hand (MD5 {download.md5}), {otherwise}",
    )


def _reason(error: BaseException) -> str:
    """A failure in a few words."""
    cause = getattr(error, "reason", error)  # urllib wraps the error of the socket
    if type(error) is RuntimeError:
        return "wrong checksum"  # the one thing that torchvision says with it
    return str(getattr(cause, "strerror", None) or cause) or type(error).__name__


@contextmanager
def patience() -> Iterator[None]:
    """Let new sockets time out after PATIENCE: downloads of other libraries take no timeout of their own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
