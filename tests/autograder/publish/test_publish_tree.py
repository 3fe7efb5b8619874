"""What stands in a published tree, and what does not."""

import json
import posixpath
import re

import pytest
import yaml

from autograder.authoring.build import build
from autograder.course import release_path
from autograder.errors import InputError
from autograder.publish.destination import Destination
from autograder.publish.publish import publish

DESTINATION = Destination.parse("ada/homework", "winter/2026")
FILES = {
    *(".fixmelab-published.json", ".github/workflows/grade.yml", ".gitignore", "LICENSE", "README.md"),
    *("data/__init__.py", "data/list.json", "docs/images/map.png", "docs/students.md", "environment.yml"),
    *("fixmelab/__init__.py", "fixmelab/deep/__init__.py", "fixmelab/probe.py", "fixmelab/widgets.js"),
    *("pyproject.toml", "release/tiny/tiny.ipynb"),
}


@pytest.fixture
def tree(small_course, tmp_path):
    publish(tmp_path / "tree", DESTINATION, root=small_course)
    return tmp_path / "tree"


def test_the_tree_holds_what_students_need_and_no_more(tree):
    assert {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()} == FILES


def test_the_notebook_points_at_the_repository_and_branch(tree, small_course):
    published, release = (
        json.loads(path.read_text()) for path in (tree / "release/tiny/tiny.ipynb", release_path("tiny", small_course))
    )
    text = "".join("".join(cell["source"]) for cell in published["cells"])
    assert "https://colab.research.google.com/github/ada/homework/blob/winter/2026/release/tiny/tiny.ipynb" in text
    assert "git+https://github.com/ada/homework@winter/2026" in text
    assert "owner/course" not in text
    for cell in (*published["cells"], *release["cells"]):
        if "owner/course" in "".join(cell["source"]) or "ada/homework" in "".join(cell["source"]):
            cell["source"] = []
    assert published == release  # ids and metadata, too: grading knows cells by them


def test_nothing_names_where_the_course_itself_lies(tree, small_course):
    held = b"\0".join(path.read_bytes() for path in tree.rglob("*") if path.is_file())
    assert b"ada/homework" in held
    for word in (b"owner/course", str(small_course).encode(), b"{{", b"per-file-ignores", b"instructors."):
        assert not re.search(rb"(?<!\$)" + re.escape(word), held), word


def test_links_in_the_pages_lead_somewhere_in_the_tree(tree):
    for page in ("README.md", "docs/students.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (tree / page).read_text()):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
            assert target.startswith("https://") or path in FILES, (page, target)
    assert "See how it is graded, [the map](#map) and [a site]" in (tree / "docs/students.md").read_text()


def test_the_readme_names_each_notebook_and_its_badge(tree):
    text = (tree / "README.md").read_text()
    assert f"| Tiny | [release/tiny/tiny.ipynb](release/tiny/tiny.ipynb) | [![Open in Colab](" in text  # noqa: F541
    assert "git clone --branch winter/2026 https://github.com/ada/homework\ncd homework" in text


def test_the_environment_is_yaml_that_installs_the_tree(tree):
    environment = yaml.safe_load((tree / "environment.yml").read_text())
    assert environment["dependencies"] == ["python>=3.10,<3.14", "pip", "jupyterlab", {"pip": ["."]}]


def test_only_the_assignments_that_were_asked_for_are_published(small_course, tmp_path):
    second = small_course / "notebooks/other.py"
    second.write_text(
        (small_course / "notebooks/tiny.py").read_text().replace('"tiny.', '"other.').replace("# Tiny", "# O")
    )
    folder = small_course / "autograder/assignments/other"
    folder.mkdir()
    for path in (small_course / "autograder/assignments/tiny").glob("*.py"):
        (folder / path.name).write_text(
            path.read_text().replace('"tiny.', '"other.').replace("assignments.tiny", "assignments.other")
        )
    probe = small_course / "fixmelab/probe.py"
    probe.write_text(probe.read_text() + probe.read_text().partition("def check")[2].join(["\n\ndef check_other", ""]))
    build(root=small_course)
    publish(tmp_path / "tree", DESTINATION, root=small_course)
    assert (tmp_path / "tree/release/other/other.ipynb").is_file()
    publish(tmp_path / "tree", DESTINATION, ["tiny"], root=small_course)
    assert [path.name for path in (tmp_path / "tree/release").iterdir()] == ["tiny"]
    assert "assignment: [tiny]" in (tmp_path / "tree/.github/workflows/grade.yml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("colab.research.google.com/github/{{repository}}", "colab.example.org/", "no Colab badge"),
        ("git+https://github.com/{{repository}}", "fixmelab", "no package"),
    ],
)
def test_a_notebook_that_does_not_say_where_it_comes_from_is_refused(small_course, tmp_path, old, new, said):
    text = small_course / "notebooks/tiny.py"
    text.write_text(text.read_text().replace(old, new))
    build(root=small_course)
    with pytest.raises(InputError, match=rf"^notebooks/tiny.py: {said}"):
        publish(tmp_path / "tree", DESTINATION, root=small_course)
    assert not (tmp_path / "tree").exists()


def test_a_notebook_that_is_out_of_date_is_refused(small_course, tmp_path):
    text = small_course / "notebooks/tiny.py"
    text.write_text(text.read_text() + "\n# %%\nprint(1)\n")
    with pytest.raises(InputError, match="is out of date: run autograder build tiny"):
        publish(tmp_path / "tree", DESTINATION, root=small_course)
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize("path", ["LICENSE", "docs/students.md", "docs/images/map.png"])
def test_a_course_that_lacks_a_file_is_named(small_course, tmp_path, path):
    (small_course / path).unlink()
    with pytest.raises(InputError, match=rf"{path}: cannot be read"):
        publish(tmp_path / "tree", DESTINATION, root=small_course)
