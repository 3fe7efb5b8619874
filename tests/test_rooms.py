"""The house as docs/design.md draws it: imports run downwards through the rooms, with no circle."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("fixmelab", "autograder")
PAGE = ROOT / "docs" / "design.md"


def rooms() -> list[str]:
    """Folders and files of the page's list, from the top down: "autograder/judge/", "fixmelab/probe.py", …"""
    section = PAGE.read_text(encoding="utf-8").split("## Rooms, from the top down\n")[1].split("\n## ")[0]
    return [name for line in re.findall(r"^\d+\. (.*?):", section, re.M) for name in re.findall(r"`(.*?)`", line)]


def modules() -> dict[str, Path]:
    """Every module of both packages, by its dotted name."""
    found = {}
    for path in (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """The modules of the house that a module imports, wherever in it: at the top, in a function, for types alone."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    # What is imported out of a module, if it is no module itself, is that module's.
    named = {name if name in known else name.rpartition(".")[0] for name in found}
    return {name for name in named if name in known and known[name] != path}


def room_of(path: Path) -> str:
    """The longest name in the list that fits, else the package's own files, `NAME/*.py`."""
    relative = path.relative_to(ROOT).as_posix()
    fitting = [room for room in rooms() if relative == room or (room.endswith("/") and relative.startswith(room))]
    return max(fitting, key=len, default=f"{path.relative_to(ROOT).parts[0]}/*.py")


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    known = modules()
    return {name: imports(path, known) for name, path in known.items()}


def test_every_room_is_there_and_every_module_has_one():
    for room in rooms():
        assert list(ROOT.glob(room)), f"{PAGE.name} lists {room}, which is not there"
    for path in modules().values():
        assert room_of(path) in rooms(), f"{path.relative_to(ROOT)} lies in no room of {PAGE.name}"


def test_no_import_runs_upwards(graph):
    known, height = modules(), {room: number for number, room in enumerate(rooms())}
    upwards = [
        f"{name} ({room_of(known[name])}) imports {other} ({room_of(known[other])})"
        for name, others in graph.items()
        for other in others
        if height[room_of(known[other])] < height[room_of(known[name])]
    ]
    assert not upwards, "\n".join(upwards)


def test_no_imports_run_in_a_circle(graph):
    left = dict(graph)
    while free := [name for name, others in left.items() if not others & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f"a circle, and what leads to it: {', '.join(sorted(left))}"


def test_the_students_package_names_nothing_of_the_instructors():
    named = [path for path in (ROOT / "fixmelab").rglob("*.py") if re.search(r"\bautograder\.\w", path.read_text())]
    assert not named


def test_a_circle_and_an_arrow_up_would_be_seen(tmp_path):
    """The rule can fail: imports in functions and for types alone count."""
    source = tmp_path / "late.py"
    source.write_text("def f():\n    from autograder.judge import expect\n    import autograder.course as course\n")
    known = modules()
    assert imports(source, known) == {"autograder.judge.expect", "autograder.course"}
