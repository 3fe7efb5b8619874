"""What a Git repository can still show: every object in it, reachable or not."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import InputError


@dataclass(frozen=True)
class Object:
    """A blob, commit, tag or tree. `path` is where a blob stood last, or "" where no commit leads to it."""

    id: str
    kind: str
    path: str
    content: bytes

    @property
    def where(self) -> str:
        return f"history, {self.kind} {self.id[:10]}" + (f" ({self.path})" if self.path else "")


def top_of(folder: Path) -> Path | None:
    """The top of the work tree that `folder` lies in, or None. Raises InputError where Git refuses to look."""
    while not folder.is_dir():
        folder = folder.parent
    done = _git(folder, "rev-parse", "--show-toplevel")
    if done.returncode == 0:
        return Path(os.fsdecode(done.stdout.removesuffix(b"\n")))
    if _git(folder, "rev-parse", "--git-dir").returncode == 0:
        raise InputError(f"{folder}: is a repository without a work tree, or inside one; name the folder of a clone")
    if any((above / ".git").exists() for above in (folder, *folder.parents)):
        raise InputError(f"{folder}: Git cannot read this repository ({_first_line(done.stderr)}); mend it first")
    return None


def common_folder(top: Path) -> Path:
    """The .git folder that all work trees of a repository share."""
    return (top / os.fsdecode(_checked(top, "rev-parse", "--git-common-dir").removesuffix(b"\n"))).resolve()


def present_files(top: Path, folder: Path) -> list[str]:
    """Files of `folder` that Git knows or would add, relative to it."""
    listed = _checked(top, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", str(folder))
    paths = (top / os.fsdecode(path) for path in listed.split(b"\0") if path)
    return sorted({path.relative_to(folder).as_posix() for path in paths if os.path.lexists(path)})


def objects(top: Path) -> Iterator[Object]:
    """Every object, what `git gc` has not removed yet included, and files of Git LFS.

    Raises InputError where the repository holds less than its remote may show (a shallow or partial clone), or is
    damaged.
    """
    if _checked(top, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise InputError(f"{top}: is a shallow clone, whose history is not all there: run git fetch --unshallow")
    if _git(top, "config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$").returncode == 0:
        raise InputError(f"{top}: is a partial clone, whose history is not all there: clone it without --filter")
    yield from _every_object(top, _paths(top))
    for id, path in lfs_files(top).items():
        yield Object(id, "LFS file", "", path.read_bytes())


def lfs_files(top: Path) -> dict[str, Path]:
    """The files of Git LFS that are on this machine, by id."""
    named = os.fsdecode(_git(top, "config", "--type=path", "--get", "lfs.storage").stdout.removesuffix(b"\n"))
    storage = common_folder(top) / (named or "lfs")
    return {path.name: path for path in sorted((storage / "objects").rglob("*")) if path.is_file()}


def packed(content: bytes) -> Iterator[Object]:
    """Every object of a pack. Raises InputError where it is damaged, or builds on objects that are not in it."""
    with tempfile.TemporaryDirectory(prefix="fixmelab-pack-") as folder:
        top = Path(folder)
        _checked(top, "init", "--quiet", "--template=", ".")
        _checked(top, "index-pack", "--stdin", given=content)
        yield from _every_object(top, {})


def _every_object(top: Path, paths: Mapping[str, str]) -> Iterator[Object]:
    command = [*_command(top), "cat-file", "--batch-all-objects", "--unordered", "--buffer", "--batch"]
    with subprocess.Popen(command, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out = process.stdout
        assert out is not None
        try:
            while header := out.readline():
                words = header.decode().split()
                if len(words) != 3:
                    raise InputError(f"{top}: Git cannot read the object {words[0]}; mend the repository with git fsck")
                id, kind, size = words
                content = out.read(int(size))
                out.read(1)
                yield Object(id, kind, paths.get(id, ""), content)
        except BaseException:
            process.kill()
            raise
        process.wait()
        errors = process.stderr.read() if process.stderr else b""
    if process.returncode:
        raise InputError(
            f"{top}: Git cannot read all objects ({_first_line(errors)}); mend the repository with git fsck"
        )


def _paths(top: Path) -> dict[str, str]:
    """Paths of the blobs that some branch, tag, stash, index or reflog leads to, by id."""
    listed = _checked(top, "rev-list", "--objects", "--all", "--reflog", "--indexed-objects")
    pairs = (line.partition(b" ") for line in listed.split(b"\n"))
    return {id.decode(): os.fsdecode(path) for id, _, path in pairs if path}


def _command(folder: Path) -> list[str]:
    # Nothing in the repository's own settings may start a program.
    return ["git", "-C", str(folder), "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]


def _environment() -> dict[str, str]:
    """Without what would lead Git elsewhere, or show an object as another, or fetch one."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    keep = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
    kept |= {name: os.environ[name] for name in keep if name in os.environ}
    return kept | {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def _git(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [*_command(folder), *arguments]
    try:
        return subprocess.run(command, env=_environment(), input=given, capture_output=True, check=False)
    except FileNotFoundError:
        raise InputError("git is not installed: install it, so that the history can be looked through") from None


def _checked(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    done = _git(folder, *arguments, given=given)
    if done.returncode:
        raise InputError(f"{folder}: git {arguments[0]} fails ({_first_line(done.stderr)}); mend the repository first")
    return done.stdout


def _first_line(output: bytes) -> str:
    return next(iter(output.decode("utf-8", "replace").strip().splitlines()), "no reason given")
