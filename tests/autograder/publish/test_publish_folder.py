"""A folder that is published to again: idempotent, and nothing is lost that was not written by it."""

import contextlib
import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.publish.destination import Destination
from autograder.publish.folder import MANIFEST
from autograder.publish.publish import publish
from tests.autograder.publish.conftest import commit, git, snapshot

pytestmark = pytest.mark.slow

DESTINATION = Destination.parse("ada/homework")
OTHER = Destination.parse("bob/other")
WIDGETS = "fixmelab/widgets.js"


@pytest.fixture
def folder(small_course, tmp_path):
    """A folder that was published to once."""
    publish(tmp_path / "tree", DESTINATION, root=small_course)
    return tmp_path / "tree"


def refused(folder, root, *paths, destination=DESTINATION):
    """Publishing says in one line that these would be lost, and leaves everything as it was."""
    before = snapshot(folder)
    for dry_run in (True, False):
        with pytest.raises(InputError) as caught:
            publish(folder, destination, root=root, dry_run=dry_run)
        line = str(caught.value)
        assert "\n" not in line and line.startswith(f"{folder}: not written by")
        assert f": {', '.join(paths)}; move" in line
    assert snapshot(folder) == before


def test_a_second_run_touches_nothing(small_course, folder):
    before = snapshot(folder)
    done = publish(folder, DESTINATION, root=small_course)
    assert done.plan.is_idle and len(done.plan.same) == len(before) - 1
    assert snapshot(folder) == before


def test_the_manifest_holds_the_digest_of_every_file(folder):
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["repository"] == "ada/homework" and manifest["branch"] == "main"
    assert sorted(manifest["files"]) == sorted(snapshot(folder).keys() - {MANIFEST})


def test_a_dry_run_says_what_would_change_and_writes_nothing(small_course, folder, tmp_path):
    assert publish(tmp_path / "new", DESTINATION, root=small_course, dry_run=True).plan.added
    assert not (tmp_path / "new").exists()
    (small_course / WIDGETS).write_text("export default 1\n")
    (small_course / "fixmelab/more.js").write_text("")
    (small_course / "docs/students.md").write_text("# For students\n")
    before = snapshot(folder)
    plan = publish(folder, DESTINATION, root=small_course, dry_run=True).plan
    assert snapshot(folder) == before
    assert (plan.added, plan.changed, plan.removed) == (
        ["fixmelab/more.js"],
        ["docs/students.md", WIDGETS],
        ["docs/images/map.png"],
    )
    assert publish(folder, DESTINATION, root=small_course).plan == plan
    after = snapshot(folder)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed == {"fixmelab/more.js", "docs/students.md", WIDGETS, "docs/images/map.png", MANIFEST}
    assert not (folder / "docs/images").exists()


def test_files_of_others_stay(small_course, folder):
    for path in ("syllabus.md", "docs/images/more.png", "release/tiny/notes ü\n.txt"):
        (folder / path).write_text("mine")
    (folder / "link").symlink_to("/nowhere")
    publish(folder, OTHER, root=small_course)
    (small_course / "docs/students.md").write_text("# For students\n")
    publish(folder, OTHER, root=small_course)
    assert (folder / "docs/images/more.png").read_text() == (folder / "syllabus.md").read_text() == "mine"
    assert (folder / "link").is_symlink()


def test_a_file_that_was_there_before_is_not_overwritten(small_course, tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "README.md").write_text("mine")
    (folder / "LICENSE").write_text("MIT License\n")  # the very same: no harm
    refused(folder, small_course, "README.md")


def test_files_that_were_changed_by_hand_are_not_overwritten(small_course, folder):
    for path in ("README.md", WIDGETS, "LICENSE"):
        (folder / path).write_text("mine")
    refused(folder, small_course, "LICENSE", "README.md", WIDGETS)


def test_a_file_that_was_changed_by_hand_is_not_removed(small_course, folder):
    (folder / "docs/images/map.png").write_bytes(b"mine")
    (small_course / "docs/students.md").write_text("# For students\n")
    refused(folder, small_course, "docs/images/map.png")


def test_a_file_that_was_deleted_by_hand_is_written_again(small_course, folder):
    (folder / WIDGETS).unlink()
    assert publish(folder, DESTINATION, root=small_course).plan.added == [WIDGETS]


def test_a_file_that_is_the_same_after_all_is_no_conflict(small_course, folder):
    (small_course / WIDGETS).write_text("export default 2\n")
    (folder / WIDGETS).write_text("export default 2\n")
    assert publish(folder, DESTINATION, root=small_course).plan.is_idle
    (small_course / WIDGETS).write_text("export default 3\n")
    assert publish(folder, DESTINATION, root=small_course).plan.changed == [WIDGETS]


@pytest.mark.parametrize("put", [lambda path: path.mkdir(), lambda path: path.symlink_to("/etc/hostname"), os.mkfifo])
def test_what_is_no_plain_file_is_in_the_way(small_course, folder, put):
    (folder / "LICENSE").unlink()
    put(folder / "LICENSE")
    before = sorted(folder.rglob("*"))
    with pytest.raises(InputError, match="LICENSE"):
        publish(folder, DESTINATION, root=small_course)
    assert sorted(folder.rglob("*")) == before


def test_nothing_is_written_through_a_link(small_course, tmp_path):
    folder, elsewhere = tmp_path / "tree", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "fixmelab").symlink_to(elsewhere)
    with pytest.raises(InputError, match="fixmelab/__init__.py"):
        publish(folder, DESTINATION, root=small_course)
    assert list(elsewhere.iterdir()) == [] and [path.name for path in folder.iterdir()] == ["fixmelab"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2, "files": {}}',
        '{"format": 1, "files": []}',
        '{"format": 1, "files": {"../outside": "0"}}',
        '{"format": 1, "files": {"/etc/passwd": "0"}}',
        '{"format": 1, "files": {".git/config": "0"}}',
        '{"format": 1, "files": {"a/.GIT/config": "0"}}',
        '{"format": 1, "files": {"": "0"}}',
        '{"format": 1, "files": {"a": 1}}',
        '{"format": 1, "files": {}, "pending": {"../x": "0"}}',
        '{"format": 1, "files": {"./README.md": "0"}}',
        '{"format": 1, "files": {"release//tiny/./tiny.ipynb": "0"}}',
        '{"format": 1, "files": {"docs/": "0"}}',
        '{"format": 1, "files": {".": "0"}}',
        '{"format": 1, "files": {"a\\\\b": "0"}}',
        '{"format": 1, "files": {"a\\nb": "0"}}',
        '{"format": 1, "files": {"caf\\udce9": "0"}}',
        "[" * 100_000,
    ],
)
@pytest.mark.parametrize("is_signed", [True, False])
def test_a_manifest_that_cannot_be_trusted_is_refused(small_course, folder, text, is_signed):
    with contextlib.suppress(ValueError, RecursionError):
        content = json.loads(text)
        if is_signed and isinstance(content, dict):
            text = json.dumps(
                {**content, "digest": hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()}
            )
    (folder / MANIFEST).write_text(text)
    before = snapshot(folder)
    with pytest.raises(InputError, match=rf"^{folder / MANIFEST}: cannot be used") as caught:
        publish(folder, DESTINATION, root=small_course)
    assert "\n" not in str(caught.value) and snapshot(folder) == before


def test_a_manifest_that_claims_a_file_of_others_is_refused(small_course, folder):
    (folder / "notes.md").write_text("mine")
    for path in ("notes.md", "./README.md"):
        text = (folder / MANIFEST).read_text()
        content = json.loads(text)
        content["files"][path] = hashlib.sha256((folder / path).read_bytes()).hexdigest()
        (folder / MANIFEST).write_text(json.dumps(content))
        before = snapshot(folder)
        with pytest.raises(InputError, match=rf"^{folder / MANIFEST}: cannot be used \(it was changed by hand\)"):
            publish(folder, DESTINATION, root=small_course)
        assert snapshot(folder) == before
        (folder / MANIFEST).write_text(text)
    assert publish(folder, DESTINATION, root=small_course).plan.is_idle


class Killed(BaseException):
    pass


def killed(monkeypatch, ended_at, folder, destination, **options):
    """Publish, and be killed after so many steps that change a file."""
    replace, unlink, done = os.replace, Path.unlink, []

    def counted(do):
        def act(*arguments, **options):
            if do is unlink and ".fixmelab-staging-" in str(arguments):
                return do(*arguments, **options)
            if len(done) == ended_at:
                raise Killed
            done.append(arguments)
            return do(*arguments, **options)

        return act

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", counted(replace))
        patched.setattr(Path, "unlink", counted(unlink))
        with pytest.raises(Killed):
            publish(folder, destination, **options)


@pytest.mark.parametrize("ended_at", range(0, 8, 2))
def test_a_run_that_was_killed_is_gone_on_with_even_if_the_course_has_changed(
    small_course, folder, monkeypatch, ended_at
):
    (small_course / "docs/students.md").write_text("# For students\n")
    killed(monkeypatch, ended_at, folder, OTHER, root=small_course)
    (small_course / WIDGETS).write_text("export default 4\n")
    publish(folder, Destination.parse("cleo/third"), root=small_course)
    fresh = folder.parent / "fresh"
    publish(fresh, Destination.parse("cleo/third"), root=small_course)
    assert {path: content[0] for path, content in snapshot(folder).items()} == {
        path: content[0] for path, content in snapshot(fresh).items()
    }


@pytest.mark.parametrize("ended_at", [1, 3])
def test_two_runs_that_were_killed_are_gone_on_with(small_course, folder, monkeypatch, ended_at):
    """The second writes another branch, and knows nothing any more of a picture that the first wrote."""
    killed(monkeypatch, 3, folder, OTHER, root=small_course)
    (small_course / "docs/students.md").write_text("# For students\n")
    killed(monkeypatch, ended_at, folder, Destination.parse("cleo/third"), root=small_course)
    third = Destination.parse("dora/fourth")
    publish(folder, third, root=small_course)
    publish(folder.parent / "fresh", third, root=small_course)
    held, fresh = (
        {path: content[0] for path, content in snapshot(place).items()} for place in (folder, folder.parent / "fresh")
    )
    assert held == fresh


def test_what_a_killed_run_left_is_removed_and_what_is_called_alike_is_not(small_course, folder):
    own, others = folder / ".fixmelab-staging-0123456789abcdef", folder / ".fixmelab-staging-mine"
    for place, name in ((own, "0"), (own, "manifest"), (others, "0"), (others, "thesis.txt")):
        place.mkdir(exist_ok=True)
        (place / name).write_text("x")
    (folder / ".fixmelab-staging-notes.py").write_text("mine")
    (folder / ".fixmelab-staging-fedcba9876543210").mkdir()
    publish(folder, DESTINATION, root=small_course)
    kept = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if "staging" in str(path)]
    assert kept == [
        *(".fixmelab-staging-mine", ".fixmelab-staging-mine/0", ".fixmelab-staging-mine/thesis.txt"),
        ".fixmelab-staging-notes.py",
    ]
    own.mkdir()
    (own / "thesis.txt").write_text("x")
    publish(folder, DESTINATION, root=small_course)
    assert (own / "thesis.txt").is_file()


def test_a_file_that_is_changed_while_secrets_are_looked_for_is_not_overwritten(small_course, folder, monkeypatch):
    def leaks_in_tree(*_):
        (folder / "README.md").write_text("mine")
        return []

    monkeypatch.setattr("autograder.publish.publish.leaks_in_tree", leaks_in_tree)
    with pytest.raises(InputError, match="was changed while it was looked through: publish again"):
        publish(folder, OTHER, root=small_course)
    assert (folder / "README.md").read_text() == "mine"


def test_a_full_disk_leaves_everything_as_it_was(small_course, folder, monkeypatch):
    before, write = snapshot(folder), Path.write_bytes

    def full(path, content):
        if path.name == "5":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    for path in small_course.glob("fixmelab/*.py"):
        path.write_text(path.read_text() + "\n")
    with pytest.raises(InputError, match="No space left on device") as caught:
        publish(folder, OTHER, root=small_course)
    assert "\n" not in str(caught.value) and snapshot(folder) == before


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (lambda root: root, "lies in the course itself"),
        (lambda root: root / "published", "lies in the course itself"),
        (lambda root: root / "release", "lies in the course itself"),
        (lambda root: root / "x" / ".." / "docs", "lies in the course itself"),
        (lambda root: root.parent, "holds the course itself"),
        (lambda root: root / "LICENSE", "is not a folder"),
    ],
)
def test_the_course_itself_is_no_place_to_publish_to(small_course, place, said):
    before = snapshot(small_course)
    with pytest.raises(InputError, match=said) as caught:
        publish(place(small_course), DESTINATION, root=small_course)
    assert "\n" not in str(caught.value) and snapshot(small_course) == before


def test_a_link_into_the_course_is_seen_through(small_course, tmp_path):
    (tmp_path / "link").symlink_to(small_course)
    with pytest.raises(InputError, match="lies in the course itself"):
        publish(tmp_path / "link" / "out", DESTINATION, root=small_course)


def test_a_copy_and_a_work_tree_of_the_course_are_refused(small_course, tmp_path):
    git(small_course, "init", "--quiet")
    commit(small_course)
    git(small_course, "worktree", "add", "--quiet", "--detach", tmp_path / "work")
    git(small_course, "clone", "--quiet", small_course, tmp_path / "clone")
    for folder in (tmp_path / "work", tmp_path / "clone"):
        with pytest.raises(InputError, match="is a copy of the course"):
            publish(folder, DESTINATION, root=small_course)
    with pytest.raises(InputError, match="is a work tree of the course's own repository"):
        publish(tmp_path / "work" / "out", DESTINATION, root=small_course)
    assert not (tmp_path / "work" / "out").exists()


def test_the_folder_git_keeps_is_no_place_to_publish_to(small_course, tmp_path):
    git(tmp_path, "init", "--quiet", "tree")
    git(tmp_path, "init", "--quiet", "--bare", "bare")
    with pytest.raises(InputError, match="belongs to Git"):
        publish(tmp_path / "tree" / ".git" / "x", DESTINATION, root=small_course)
    for folder in (tmp_path / "bare", tmp_path / "bare" / "x"):
        with pytest.raises(InputError, match="is a repository without a work tree"):
            publish(folder, DESTINATION, root=small_course)
    assert not (tmp_path / "bare" / "x").exists()


@pytest.mark.parametrize("ignored", ["", "homework/\n"])
def test_a_folder_inside_another_repository_is_refused(small_course, tmp_path, ignored):
    """Links and workflow would point elsewhere, and what an enclosing repository ignores is not in its history."""
    git(tmp_path, "init", "--quiet", "outer")
    outer = tmp_path / "outer"
    (outer / ".gitignore").write_text(ignored)
    (outer / "homework").mkdir()
    for folder in (outer / "homework", outer / "homework" / "new"):
        with pytest.raises(InputError, match=rf"^{folder}: lies inside the Git repository {outer}, ") as caught:
            publish(folder, DESTINATION, root=small_course)
        assert "\n" not in str(caught.value) and list((outer / "homework").iterdir()) == []
    git(outer / "homework", "init", "--quiet")
    assert publish(outer / "homework", DESTINATION, root=small_course).plan.added


@pytest.mark.parametrize("name", ["with space", "ünïcode", "-dash", "quote'\"", "new\nline", "a[b]c"])
def test_odd_names_of_folders_are_no_trouble(small_course, tmp_path, name):
    folder = tmp_path / name
    publish(folder, DESTINATION, root=small_course)
    git(tmp_path, "init", "--quiet", folder)
    (folder / "odd 'name'\t\n.txt").write_text("mine")
    commit(folder)
    done = publish(folder, DESTINATION, root=small_course)
    assert done.plan.is_idle and done.objects > 20
