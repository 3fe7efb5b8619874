"""Files in a command's folder: whole or not there, and a line if one cannot be written."""

from pathlib import Path

from fixmelab.files import remove_leftovers, write_whole
from fixmelab.pictures.plotting import Figure


def require_folder(folder: Path) -> None:
    """Make the folder, rid it of what a killed run left, and see that it takes a file. Raises OSError, in one line."""
    trial = folder / "trial"
    remove_leftovers(folder)
    try:
        write_whole(trial, lambda file: file.write_bytes(b"\0" * 4096))
        trial.unlink()
    except OSError as error:
        raise OSError(f"--save_folder {folder} cannot be written: {error.strerror or error}") from error


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as a whole file. Raises OSError, in one line."""
    try:
        write_whole(path, lambda file: figure.savefig(file, format="png", dpi=150, bbox_inches="tight"))
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from error
