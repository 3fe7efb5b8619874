"""Publishes the course: makes the tree, looks for leaks, and changes the folder."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder import course
from autograder.authoring.build import build, sources_of
from autograder.authoring.declared import ASSIGNMENTS
from autograder.authoring.leaks import Leak
from autograder.authoring.secrecy import Secrets, secrets_of
from autograder.errors import InputError
from autograder.publish import folder as folders
from autograder.publish import history
from autograder.publish.destination import Destination
from autograder.publish.scan import UNSEARCHED, course_keys, leaks_in_history, leaks_in_tree
from autograder.publish.tree import published_tree
from autograder.results.text import and_more

MOST_SHOWN = 20
MOST_FILES, MOST_BYTES = 20_000, 2 * 2**30


@dataclass(frozen=True)
class Published:
    """What was done, or would be, and how much was looked through for secrets."""

    plan: folders.Plan
    files: int
    objects: int


def publish(
    folder: Path,
    destination: Destination,
    names: Iterable[str] | None = None,
    *,
    dry_run: bool = False,
    root: Path | None = None,
) -> Published:
    """Make `folder` the tree that students get of the assignments named, or of all. `root` is the course.

    Nothing is written with `dry_run`, and nothing unless all is well.

    Raises:
        InputError: the folder is the course's or in the way, a file there is not ours to change, a notebook is out
            of date, something secret stands in the tree or in its history. Several findings take a line each.
    """
    root = (root or course.ROOT).resolve()
    chosen = [course.require_assignment(name, root) for name in dict.fromkeys(names or course.assignment_names(root))]
    folder = _usable(folder, root)
    top = history.top_of(folder)
    if top is not None:
        _refuse_the_courses_own(folder, top, root)
        if folder != top:
            raise InputError(
                f"{folder}: lies inside the Git repository {top}, not at its top, where links and workflow have to be: "
                "name that folder, or make this one a repository of its own with git init"
            )
    build(chosen, check=True, readme=False, root=root)
    files = published_tree(destination, {name: _release(name, root) for name in chosen}, root)
    plan = folders.plan(folder, files, folders.read_manifest(folder))
    if plan.refused:
        refused = _printable(", ".join(plan.refused))
        raise InputError(
            f"{folder}: not written by `autograder publish`, or changed by hand since: {refused}; "
            "move them away, or restore them, and publish again (nothing was written)"
        )

    secrets, keys = _secrets(root), course_keys(root)
    kept = _kept(folder, top, {*files, *plan.removed, *folders.leftovers(folder)})
    lfs = history.lfs_files(top) if top is not None else {}
    leaks = leaks_in_tree({**kept, **files}, secrets, keys, lfs)
    counted = 0

    def counting(top: Path) -> Iterable[history.Object]:
        nonlocal counted
        for item in history.objects(top):
            counted += 1
            yield item

    if top is not None:
        leaks += leaks_in_history(counting(top), secrets, keys, lfs)
    if leaks:
        raise InputError(_lines(leaks))
    if not dry_run:
        if folders.plan(folder, files, folders.read_manifest(folder)) != plan:
            raise InputError(f"{folder}: was changed while it was looked through: publish again (nothing was written)")
        manifest = folders.Manifest(destination.repository, destination.branch)
        folders.apply(folder, files, plan, manifest)
    return Published(plan, len(kept) + len(files), counted)


def _usable(folder: Path, root: Path) -> Path:
    """The folder as an absolute path. Raises InputError where it is no place to publish to."""
    try:
        folder = folder.resolve()
    except (OSError, RuntimeError) as error:
        raise InputError(f"{folder}: cannot be looked at ({error}); name another folder") from None
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is not a folder; name a folder for the published tree")
    if folder == root or root in folder.parents:
        raise InputError(f"{folder}: lies in the course itself, whose secrets it would share; name a folder outside")
    if folder in root.parents:
        raise InputError(f"{folder}: holds the course itself; name a folder of its own for the published tree")
    if (folder / ASSIGNMENTS).exists():
        raise InputError(f"{folder}: is a copy of the course; name a folder of its own for the published tree")
    if ".git" in folder.parts:
        raise InputError(f"{folder}: belongs to Git; name a folder outside .git")
    return folder


def _refuse_the_courses_own(folder: Path, top: Path, root: Path) -> None:
    courses = history.top_of(root)
    if courses is not None and history.common_folder(courses) == history.common_folder(top):
        raise InputError(f"{folder}: is a work tree of the course's own repository; publish to a repository of its own")


def _release(name: str, root: Path) -> NotebookNode:
    return nbformat.read(course.release_path(name, root), as_version=nbformat.NO_CONVERT)


def _secrets(root: Path) -> Secrets:
    """The secrets of all notebooks, whichever are published."""
    return secrets_of(sources_of(root).values(), root / ASSIGNMENTS)


def _kept(folder: Path, top: Path | None, ours: set[str]) -> dict[str, bytes]:
    """Files that are there, are not ours, and go out with the tree; of a link, where it leads to."""
    if not folder.is_dir():
        return {}
    paths = history.present_files(top, folder) if top is not None else _walk(folder)
    kept: dict[str, bytes] = {}
    size = 0
    for path in paths:
        place = folder / path
        if path in ours or (place.is_dir() and not place.is_symlink()):
            continue
        try:
            kept[path] = os.fsencode(os.readlink(place)) if place.is_symlink() else _bytes(place)
        except OSError as error:
            raise InputError(
                f"{_printable(str(place))}: cannot be read ({error.strerror}), so that it cannot be looked through"
            ) from None
        size += len(kept[path])
        if len(kept) > MOST_FILES or size > MOST_BYTES:
            raise InputError(f"{folder}: holds more than a published tree does; name a folder of its own for it")
    return kept


def _bytes(place: Path) -> bytes:
    if not place.is_file():
        raise OSError(0, "it is not a plain file")
    return place.read_bytes()


def _walk(folder: Path) -> list[str]:
    found = []
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if path.is_symlink() or not path.is_dir():
            found.append(relative.as_posix())
        if len(found) > MOST_FILES:
            break
    return sorted(found)


def _lines(leaks: Sequence[Leak]) -> str:
    """What was found, a line a file, and what to do."""
    shown = [_printable(str(leak) if leak.kind == UNSEARCHED else f"leak: {leak}") for leak in leaks[:MOST_SHOWN]]
    if more := and_more(len(leaks) - MOST_SHOWN):
        shown.append(f"leak: … {more} files")
    is_leak = any(leak.kind != UNSEARCHED for leak in leaks)
    held = "shows secrets of the course" if is_leak else "holds what cannot be searched for secrets"
    if any(leak.where.startswith("history, ") for leak in leaks):
        shown.append(
            f"the history {held}: publish to a new repository, or rewrite this one's history "
            "and run git gc --prune=now (nothing was written)"
        )
    else:
        advice = "take them out" if is_leak else "mend it, or take it out"
        shown.append(f"the tree {held}: {advice} (nothing was written)")
    return "\n".join(shown)


def _printable(text: str) -> str:
    """A name may hold new lines, signs that steer a terminal, and bytes that are no text."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
