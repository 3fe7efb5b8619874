"""What a module imports of the instructors' package, however indirectly: read from its text, and never run."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path


class Imports:
    """The imports of the modules in `root`/autograder, of which each is read once.

    Nothing in the folders and files `beside` is among them, nor what is imported by it.
    """

    def __init__(self, root: Path, *, beside: Iterable[Path] = ()) -> None:
        self._root = root
        self._beside = list(beside)
        self._direct: dict[Path, set[Path]] = {}

    def of(self, modules: Iterable[Path]) -> set[Path]:
        """The files that `modules` import, wherever in their text, or that these import in turn.

        Packages on the way are among them, as Python runs them, too. What is no Python imports nothing, as nothing can
        import it.
        """
        found: set[Path] = set()
        waiting = list(modules)
        while waiting:
            new = self._imported(waiting.pop()) - found
            found |= new
            waiting.extend(new)
        return found

    def _imported(self, path: Path) -> set[Path]:
        if path not in self._direct:
            files = {file for name in _names(path, self._root) for file in _files(name, self._root)}
            self._direct[path] = {
                file for file in files if not any(file.is_relative_to(other) for other in self._beside)
            }
        return self._direct[path]


def _names(path: Path, root: Path) -> Iterator[tuple[str, ...]]:
    """What a module names in its imports, each as the parts of a dotted name: a module, or something in one."""
    package = path.relative_to(root).parent.parts
    for level, name in _named_in(path.read_bytes()):
        yield (*(package[: len(package) - level + 1] if level else ()), *name)


@cache
def _named_in(code: bytes) -> frozenset[tuple[int, tuple[str, ...]]]:
    """What code names in its imports, with the number of dots before it."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return frozenset()
    found: set[tuple[int, tuple[str, ...]]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(0, tuple(alias.name.split("."))) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = tuple(node.module.split(".")) if node.module else ()
            found |= {(node.level, (*base, alias.name)) for alias in node.names}
    return frozenset(found)


def _files(name: tuple[str, ...], root: Path) -> Iterator[Path]:
    """The files that Python runs for a dotted name, if it is of the instructors' package: packages, then the module.

    Of a package that is named itself, all modules: whatever another has imported can be read off it.
    """
    if name[:1] != ("autograder",):
        return
    for length in range(1, len(name) + 1):
        place = root.joinpath(*name[:length])
        yield from (file for file in (place / "__init__.py", place.with_name(f"{place.name}.py")) if file.is_file())
    if (root.joinpath(*name) / "__init__.py").is_file():
        yield from root.joinpath(*name).rglob("*.py")
