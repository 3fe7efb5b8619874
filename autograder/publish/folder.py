"""A folder that is published to: what has to change in it, and the change, of nothing but what was written before."""

import hashlib
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.errors import InputError

MANIFEST = ".fixmelab-published.json"
FORMAT = 1
_STAGING = ".fixmelab-staging-"
_STAGING_NAME = re.compile(rf"{_STAGING}[0-9a-f]{{16}}")
_STAGED = re.compile(r"[0-9]+|manifest|before")


@dataclass
class Manifest:
    """What was written here: SHA-256 of each file by path. `pending` is what a run that was ended was writing."""

    repository: str = ""
    branch: str = ""
    files: dict[str, str] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)

    def knows(self, path: str, digest: str) -> bool:
        return digest in (self.files.get(path), self.pending.get(path))

    def text(self) -> str:
        content = {
            "format": FORMAT,
            "about": "Written by autograder publish, which changes and removes these files alone. Keep it.",
            "repository": self.repository,
            "branch": self.branch,
            "files": dict(sorted(self.files.items())),
        }
        if self.pending:
            content["pending"] = dict(sorted(self.pending.items()))
        content["digest"] = _digest_of(content)
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Plan:
    """Paths by what happens to them. `refused` are those that would be lost; then nothing may be written."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    same: list[str]
    refused: list[str]

    @property
    def is_idle(self) -> bool:
        return not (self.added or self.changed or self.removed)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of `folder`, an empty one where there is none. Raises InputError where it cannot be trusted."""
    path = folder / MANIFEST
    advice = "restore it from your history, or publish to an empty folder"
    if not os.path.lexists(path):
        return Manifest()
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ValueError("it is not a plain file")
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError(f'it has no "format": {FORMAT}')
        if content.pop("digest", None) != _digest_of(content):
            raise ValueError("it was changed by hand")
        files, pending = (_digests(content.get(key, {})) for key in ("files", "pending"))
        return Manifest(str(content.get("repository", "")), str(content.get("branch", "")), files, pending)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be used ({error}); {advice}") from None


def _digest_of(content: dict[str, Any]) -> str:
    """Shows whether a manifest was changed by hand: it must not claim a file that it did not write."""
    return sha256(json.dumps(content, sort_keys=True).encode())


def _digests(content: Any) -> dict[str, str]:
    if not isinstance(content, dict):
        raise ValueError("its files are no map")
    for path, digest in content.items():
        if not _is_inside(path) or not isinstance(digest, str):
            raise ValueError(f"{path!r} is no path in this folder")
    return content


def _is_inside(path: str) -> bool:
    """Whether it is a path as this module writes it, and no second name, such as ./a, of a file that stands there."""
    plain = PurePosixPath(path)
    bad = plain.is_absolute() or str(plain) != path or path == "." or "\\" in path or not path.isprintable()
    return not bad and not any(part == ".." or part.lower() == ".git" for part in plain.parts)


def plan(folder: Path, files: Mapping[str, bytes], manifest: Manifest) -> Plan:
    """What has to change for `folder` to hold `files`, and nothing else that was written before."""
    added: list[str] = []
    changed: list[str] = []
    removed: list[str] = []
    same: list[str] = []
    refused: list[str] = []
    for path, content in files.items():
        there = _digest(folder, path)
        if there == sha256(content):
            same.append(path)
        elif there is None:
            added.append(path)
        else:
            (changed if manifest.knows(path, there) else refused).append(path)
    for path in sorted({*manifest.files, *manifest.pending} - files.keys()):
        there = _digest(folder, path)
        if there is not None:
            (removed if manifest.knows(path, there) else refused).append(path)
    return Plan(added, changed, removed, same, sorted(refused))


def apply(folder: Path, files: Mapping[str, bytes], plan: Plan, manifest: Manifest) -> None:
    """Carry out a plan, and write `manifest` (repository and branch are taken from it, files from `files`).

    All that is new is written beside what is there before anything is replaced; then each file is replaced, or
    removed, at once. A run that is ended in between goes on with the next one. Raises InputError where the folder
    cannot be written to.
    """
    final = Manifest(manifest.repository, manifest.branch, {path: sha256(content) for path, content in files.items()})
    writes = [*plan.added, *plan.changed]
    before = read_manifest(folder)
    interim = _interim(folder, before, final)
    staging = folder / f"{_STAGING}{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        if plan.is_idle and before.text() == final.text():
            return
        staging.mkdir()
        for number, path in enumerate(writes):
            _write(staging / str(number), files[path])
        _write(staging / "manifest", final.text().encode())
        if not plan.is_idle:
            _write(staging / "before", interim.text().encode())
            os.replace(staging / "before", folder / MANIFEST)
        for number, path in enumerate(writes):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staging / str(number), target)
        for path in plan.removed:
            (folder / path).unlink()
            _remove_empty(folder, (folder / path).parent)
        os.replace(staging / "manifest", folder / MANIFEST)
    except OSError as error:
        raise InputError(
            f"{error.filename or folder}: cannot be written ({error.strerror}); "
            "make room or allow writing, and publish again"
        ) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _interim(folder: Path, before: Manifest, final: Manifest) -> Manifest:
    """What holds while files are replaced: each is as it is now, whichever run wrote it, or as it will be."""
    there = {path: _digest(folder, path) for path in {*before.files, *before.pending}}
    files = {path: digest for path, digest in there.items() if digest and before.knows(path, digest)}
    return Manifest(final.repository, final.branch, files, final.files)


def leftovers(folder: Path) -> list[str]:
    """Files that a run which was killed left behind, by path. The next run removes them."""
    return [path.relative_to(folder).as_posix() for staging in _stagings(folder) for path in _staged(staging)]


def _stagings(folder: Path) -> list[Path]:
    found = folder.glob(f"{_STAGING}*")
    return sorted(
        path for path in found if _STAGING_NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
    )


def _staged(staging: Path) -> list[Path]:
    return sorted(path for path in staging.iterdir() if _STAGED.fullmatch(path.name) and not path.is_dir())


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o644)


def _remove_leftovers(folder: Path) -> None:
    for staging in _stagings(folder):
        for path in _staged(staging):
            path.unlink()
        _remove_empty(folder, staging)


def _remove_empty(folder: Path, below: Path) -> None:
    while below != folder and below.is_dir() and not any(below.iterdir()):
        below.rmdir()
        below = below.parent


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _digest(folder: Path, path: str) -> str | None:
    """SHA-256 of the plain file at `path`, None where nothing stands there, "" where something else does.

    A link on the way counts as something else: what lies behind it is not this folder's.
    """
    here = folder
    *above, name = PurePosixPath(path).parts
    for part in above:
        here = here / part
        if not os.path.lexists(here):
            return None
        if here.is_symlink() or not here.is_dir():
            return ""
    here = here / name
    if not os.path.lexists(here):
        return None
    if not stat.S_ISREG(here.lstat().st_mode):
        return ""
    return sha256(here.read_bytes())
