"""The repository and branch on GitHub that a tree is published to."""

import re
from dataclasses import dataclass

from autograder.errors import InputError

_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|[-_](?=[A-Za-z0-9])){0,38}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NO_NAMES = (".git", ".wiki", ".atom")  # GitHub reads these endings as something else
_ADDRESS = re.compile(r"(?:(?:https?|ssh|git)://)?(?:git@|www\.)?github\.com[/:]([^/]+)/([^/?#]+)")
# Git allows more, but these end in addresses, in YAML and in cells of Python.
_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")


@dataclass(frozen=True)
class Destination:
    """OWNER/NAME on GitHub, and a branch of it."""

    repository: str
    branch: str

    @property
    def url(self) -> str:
        return f"https://github.com/{self.repository}"

    @property
    def requirement(self) -> str:
        """What pip installs the students' package from."""
        return f"git+{self.url}@{self.branch}"

    def colab(self, path: str) -> str:
        """The address that opens a notebook of the tree in Colab."""
        return f"https://colab.research.google.com/github/{self.repository}/blob/{self.branch}/{path}"

    @classmethod
    def parse(cls, repository: str, branch: str = "main") -> "Destination":
        """Raises InputError where either is nothing that GitHub and Git would take."""
        owner, slash, name = repository.partition("/")
        if not (slash and _OWNER.fullmatch(owner) and _is_name(name)):
            meant = _in_address(repository)
            hint = f"; did you mean {meant}?" if meant else ", such as ada/homework"
            raise InputError(f"--repo {repository!r} is not OWNER/NAME of a repository on GitHub{hint}")
        if not _is_branch(branch):
            raise InputError(
                f"--branch {branch!r} is not a branch that can be published to; "
                "use letters, digits and . _ - /, as in main or winter/2026"
            )
        return cls(repository, branch)


def _is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and name not in (".", "..") and not name.lower().endswith(_NO_NAMES)


def _in_address(text: str) -> str | None:
    """OWNER/NAME of an address of GitHub, as a browser or `git clone` has it."""
    match = _ADDRESS.match(text)
    if match and _OWNER.fullmatch(match[1]) and _is_name(name := match[2].removesuffix(".git")):
        return f"{match[1]}/{name}"
    return None


def _is_branch(branch: str) -> bool:
    """As `git check-ref-format --branch` has it, and no name that Git or an address reads as something else."""
    parts = branch.split("/")
    return (
        bool(_BRANCH.fullmatch(branch))
        and ".." not in branch
        and not any(part == "" or part.startswith(".") or part.endswith((".", ".lock")) for part in parts)
        and parts[0] != "refs"
        and branch != "HEAD"
        and not re.fullmatch(r"[0-9a-fA-F]{40}", branch)
    )
