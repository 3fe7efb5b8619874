"""Where downloads are kept; apart from what fetches them, since asking is to cost nothing."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where downloads are kept: FIXMELAB_CACHE if set, else data/cache of a checkout, else ~/.cache/fixmelab."""
    if chosen := os.environ.get("FIXMELAB_CACHE"):
        return Path(chosen).expanduser()
    checkout = Path(__file__).resolve().parents[1]
    if (checkout / "data" / "downloads.json").is_file() and (checkout / "pyproject.toml").is_file():
        return checkout / "data" / "cache"
    return Path.home() / ".cache" / "fixmelab"
