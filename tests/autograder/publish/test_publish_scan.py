"""Secrets in the tree and in all that its history can show are found, whatever they are wrapped in."""

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import tarfile
import zipfile

import pytest

from autograder.errors import InputError
from autograder.publish import folder as folders
from autograder.publish import scan
from autograder.publish.destination import Destination
from autograder.publish.folder import MANIFEST
from autograder.publish.publish import publish
from tests.autograder.publish.conftest import commit, git, snapshot

pytestmark = pytest.mark.slow

DESTINATION = Destination.parse("ada/homework")
SECRETS = {
    "solution": "scaled = sigma * eps",
    "hidden test": 'check("tiny.mix_noise", mix_noise)',
    "mark scheme": "one for the words deterministic given the noise.",
    "reference": "return (3 * right + left) / 3",
    "reference name": "from autograder.assignments.tiny import reference",
    "check": "return [draw.normal(count + 2, 7) for count in range(3)]",
    "mistake sentence": "Take the standard deviation. The noise is scaled by the variance here.",
    "marker": "### BEGIN SOLUTION",
}
KEY = bytes(range(7, 39))


def zipped(data: bytes, name: str = "notes.py") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return buffer.getvalue()


def tarred(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("deep/notes.py")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


WRAPPED = {
    "plain": lambda data: data,
    "among bytes": lambda data: b"\x00\xff\n" + data,
    "utf-16": lambda data: data.decode().encode("utf-16"),
    "zip": zipped,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "tar": tarred,
    "zip in zip": lambda data: zipped(zipped(data), "inner.zip"),
    "base64": lambda data: base64.encodebytes(b"# a comment of some length\n" + data + b"\n"),
}
KEYS = {
    "raw": KEY,
    "hexadecimal": KEY.hex().encode(),
    "capitals": KEY.hex().upper().encode(),
    "base64": base64.b64encode(KEY),
    "base64 of more": base64.b64encode(b"key=" + KEY + b"\n"),
    "base64 of more yet": base64.b64encode(b"a key=" + KEY + b"\n"),
    "base64 for addresses": base64.urlsafe_b64encode(b"x" + KEY),
}


@pytest.fixture
def repository(small_course, tmp_path):
    """A Git repository that was published to, and committed."""
    folder = tmp_path / "tree"
    git(tmp_path, "init", "--quiet", folder)
    publish(folder, DESTINATION, root=small_course)
    commit(folder)
    return folder


def assert_refused(folder, root, *said):
    """Publishing fails with a line that has all of `said`, and changes nothing, not even with other changes to make."""
    (root / "fixmelab/widgets.js").write_text("export default 5\n")
    before = snapshot(folder)
    with pytest.raises(InputError) as caught:
        publish(folder, DESTINATION, root=root)
    assert snapshot(folder) == before
    lines = str(caught.value).splitlines()
    assert any(line.startswith("leak: ") and all(word in line for word in said) for line in lines), lines
    assert "nothing was written" in lines[-1]


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("name", ["notes.md", "fixmelab/own.py", "release/tiny/old.ipynb", ".hidden"])
def test_every_sort_of_secret_in_the_tree_is_found(small_course, tmp_path, kind, name):
    path = tmp_path / "tree" / name
    path.parent.mkdir(parents=True)
    path.write_text(f"one\n{SECRETS[kind]}\n")
    assert_refused(tmp_path / "tree", small_course, name, f": {kind}: ")


@pytest.mark.parametrize("wrap", WRAPPED)
def test_a_solution_is_found_whatever_it_is_wrapped_in(small_course, repository, wrap):
    (repository / "thing.bin").write_bytes(WRAPPED[wrap](SECRETS["solution"].encode()))
    assert_refused(repository, small_course, "leak: thing.bin", ": solution: ")
    commit(repository)
    (repository / "thing.bin").unlink()
    commit(repository)
    assert_refused(repository, small_course, "leak: history, blob ", "(thing.bin)", ": solution: ")


@pytest.mark.parametrize("form", KEYS)
def test_the_courses_key_is_found_and_not_shown(small_course, repository, form):
    (repository / "notes.txt").write_bytes(b"see: " + KEYS[form] + b" .")
    assert_refused(repository, small_course, "leak: notes.txt: course key: (not shown)")
    commit(repository)
    git(repository, "rm", "--quiet", "notes.txt")
    commit(repository)
    assert_refused(repository, small_course, "leak: history, blob ", "(notes.txt): course key: (not shown)")


def test_a_key_that_lies_elsewhere_is_found_too(small_course, tmp_path, monkeypatch):
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123456789ABCDEF\n")
    monkeypatch.setenv("FIXMELAB_KEY_FILE", str(key))
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/x.yml").write_text("key: 0123456789abcdef0123456789ABCDEF # end")
    assert_refused(tmp_path / "tree", small_course, "x.yml: course key")


def test_no_key_is_made(small_course, tmp_path):
    (small_course / "course.key").unlink()
    publish(tmp_path / "tree", DESTINATION, root=small_course)
    assert not (small_course / "course.key").exists()


@pytest.mark.parametrize("name", [MANIFEST, ".fixmelab-staging-notes.py", ".fixmelab-staging-0123456789abcdef/notes"])
def test_files_of_publish_itself_are_looked_at(small_course, repository, name):
    place = repository / name
    place.parent.mkdir(exist_ok=True)
    if name == MANIFEST:
        content = {"format": 1, "files": {"notes/sum_of_halves.txt": ""}}
        place.write_text(json.dumps({**content, "digest": folders._digest_of(content)}))
        for path in snapshot(repository).keys() - {MANIFEST}:
            (repository / path).unlink()
    else:
        place.write_text("sum_of_halves")
    assert_refused(repository, small_course, name, ": reference name: sum_of_halves")


@pytest.mark.parametrize("path", ["sum_of_halves.md", "a/autograder/assignments/b.md"])
def test_the_name_of_a_file_counts(small_course, repository, path):
    (repository / path).parent.mkdir(parents=True, exist_ok=True)
    (repository / path).write_text("")
    assert_refused(repository, small_course, f"leak: {path}, its name, line 1: reference name: ")
    commit(repository)
    git(repository, "rm", "--quiet", path)
    commit(repository)
    assert_refused(repository, small_course, "leak: history, ", ": reference name: ")


def test_a_name_shows_as_one_line_of_plain_text(small_course, tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    for name in (b"a\nerror: all is well.py", b"caf\xe9.py", b"\x1b[31mred.py"):
        with open(os.path.join(os.fsencode(folder), name), "w") as file:
            file.write(SECRETS["solution"])
    (folder / "link").symlink_to(os.fsdecode(b"caf\xe9"))
    with pytest.raises(InputError) as caught:
        publish(folder, DESTINATION, root=small_course)
    found = ", line 1: solution: scaled = sigma * eps"
    assert str(caught.value).splitlines()[:-1] == [
        rf"leak: \x1b[31mred.py{found}",
        rf"leak: a\nerror: all is well.py{found}",
        rf"leak: caf\udce9.py{found}",
    ]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"cells": [{"metadata": ' + "[" * 9_000])
def test_a_notebook_that_is_nested_too_deeply_is_refused(small_course, repository, text):
    leak_in(repository)
    (repository / "deep.ipynb").write_text(text)
    with pytest.raises(InputError) as caught:
        publish(repository, DESTINATION, root=small_course)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("leak: answers.py, line 2: solution: ") and len(lines) == 3
    assert lines[1] == "deep.ipynb: cannot be searched: is nested too deeply"


def test_where_a_link_leads_is_looked_at_and_what_lies_there_is_not(small_course, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "elsewhere.py").write_text(SECRETS["solution"])
    (tmp_path / "tree/link.py").symlink_to(tmp_path / "elsewhere.py")
    publish(tmp_path / "tree", DESTINATION, root=small_course)
    (tmp_path / "tree/other.py").symlink_to("autograder/assignments/tiny")
    assert_refused(tmp_path / "tree", small_course, "other.py, line 1: reference name")


# History


def test_a_clean_history_may_be_published_to(small_course, repository):
    publish(repository, Destination.parse("bob/other"), root=small_course)
    commit(repository)
    done = publish(repository, Destination.parse("bob/other"), root=small_course)
    assert done.plan.is_idle and done.objects >= 2 * 10


def test_an_empty_repository_may_be_published_to(small_course, tmp_path):
    git(tmp_path, "init", "--quiet", "tree")
    assert publish(tmp_path / "tree", DESTINATION, root=small_course).plan.added


def leak_in(folder, name="answers.py", kind="solution"):
    (folder / name).write_text(f"import math\n{SECRETS[kind]}\n")


def test_a_file_that_was_deleted_is_found(small_course, repository):
    leak_in(repository)
    commit(repository)
    (repository / "answers.py").unlink()
    commit(repository)
    assert_refused(repository, small_course, "history, blob ", "(answers.py), line 2: solution: scaled = sigma * eps")


@pytest.mark.parametrize("kind", SECRETS)
def test_a_blob_that_no_commit_leads_to_is_found(small_course, repository, kind):
    git(repository, "hash-object", "-w", "--stdin", given=SECRETS[kind].encode())
    assert_refused(repository, small_course, "history, blob ", f": {kind}: ")


def test_a_commit_that_no_branch_leads_to_is_found(small_course, repository):
    leak_in(repository)
    commit(repository)
    git(repository, "reset", "--quiet", "--hard", "HEAD~1")
    git(repository, "reflog", "expire", "--expire=now", "--all")
    assert_refused(repository, small_course, "history, blob ", ": solution: ")
    git(repository, "gc", "--quiet", "--prune=now")
    publish(repository, DESTINATION, root=small_course)


@pytest.mark.parametrize("where", ["branch", "packed", "stash", "index", "replaced"])
def test_a_secret_is_found_wherever_git_keeps_it(small_course, repository, where):
    leak_in(repository)
    if where == "branch":
        git(repository, "switch", "--quiet", "-c", "old/work")
        commit(repository)
        git(repository, "switch", "--quiet", "main")
    elif where == "stash":
        git(repository, "stash", "--quiet", "--include-untracked")
    else:
        commit(repository) if where != "index" else git(repository, "add", "--all")
        git(repository, "rm", "--quiet", "--cached", "answers.py")
        (repository / "answers.py").unlink()
        if where == "packed":
            commit(repository)
            git(repository, "gc", "--quiet")
        elif where == "replaced":
            commit(repository)
            blob = git(repository, "rev-parse", "HEAD~1:answers.py")
            git(repository, "replace", blob, git(repository, "hash-object", "-w", "--stdin", given=b"nothing"))
    assert_refused(repository, small_course, "history, blob ", ": solution: ")


@pytest.mark.parametrize("where", ["commit", "tag"])
def test_what_is_said_in_a_message_counts(small_course, repository, where):
    message = f"Show that\n\n{SECRETS['mistake sentence']}"
    if where == "commit":
        commit(repository, message)
    else:
        git(repository, "tag", "-a", "-m", message, "v1")
    assert_refused(repository, small_course, f"history, {where} ", ": mistake sentence: ")


def test_names_of_files_count(small_course, repository):
    (repository / "sum_of_halves.txt").write_text("")
    commit(repository)
    git(repository, "rm", "--quiet", "sum_of_halves.txt")
    commit(repository)
    assert_refused(repository, small_course, "history, tree ", ": reference name: sum_of_halves")


def test_a_release_with_outputs_in_the_history_is_found_and_another_notebook_may_have_some(small_course, repository):
    cell = '{"cell_type": "code", "source": "1", "outputs": [{"output_type": "stream", "text": "1"}]}'
    (repository / "demo.ipynb").write_text(f'{{"cells": [{cell}]}}')
    commit(repository)
    publish(repository, DESTINATION, root=small_course)
    (repository / "release/tiny/demo.ipynb").write_text(f'{{"cells": [{cell}] }}')
    assert_refused(repository, small_course, "release/tiny/demo.ipynb, cell 1: output: ")
    commit(repository)
    git(repository, "rm", "--quiet", "release/tiny/demo.ipynb")
    commit(repository)
    assert_refused(repository, small_course, "(release/tiny/demo.ipynb), cell 1: output: ")


@pytest.mark.parametrize("name", ["check_here", "tiny"])
def test_the_probe_of_an_older_release_is_no_leak(small_course, repository, name):
    """It named the instructors' package, and so does its history."""
    probe = repository / "fixmelab/probe.py"
    probe.parent.mkdir(exist_ok=True)
    probe.write_text(f"from autograder.assignments import {name}\n")
    commit(repository)
    git(repository, "rm", "--quiet", "fixmelab/probe.py")
    commit(repository)
    if name == "check_here":
        publish(repository, DESTINATION, root=small_course)
    else:
        assert_refused(repository, small_course, "(fixmelab/probe.py), line 1: reference name: autograder.assignments")


def test_files_that_git_ignores_do_not_go_out(small_course, repository):
    (repository / "results").mkdir()
    leak_in(repository, "results/answers.py")
    publish(repository, DESTINATION, root=small_course)


def test_files_of_git_lfs_are_looked_at(small_course, repository):
    (repository / ".git/lfs/objects/ab").mkdir(parents=True)
    leak_in(repository, ".git/lfs/objects/ab/abcdef")
    assert_refused(repository, small_course, "history, LFS file abcdef", ": solution: ")


@pytest.mark.parametrize("is_named", [False, True])
def test_files_of_git_lfs_that_are_not_here_are_refused(small_course, repository, tmp_path, is_named):
    data = b"a large file"
    id = hashlib.sha256(data).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\nx-note a\noid sha256:{id}\nsize {len(data)}\n"
    (repository / "large.bin").write_text(pointer)
    said = "cannot be searched: its content is kept by Git LFS: run git lfs fetch --all"
    storage = repository / ".git/lfs"
    if is_named:
        git(repository, "config", "lfs.storage", tmp_path / "storage")
        storage = tmp_path / "storage"
    with pytest.raises(InputError, match=f"^large.bin: {said}\n"):
        publish(repository, DESTINATION, root=small_course)
    commit(repository)
    git(repository, "rm", "--quiet", "large.bin")
    commit(repository)
    with pytest.raises(InputError, match=rf"^history, blob \w+ \(large.bin\): {said}\n"):
        publish(repository, DESTINATION, root=small_course)
    place = storage / "objects" / id[:2] / id[2:4] / id
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    publish(repository, DESTINATION, root=small_course)
    place.write_text(SECRETS["solution"])
    assert_refused(repository, small_course, f"history, LFS file {id[:10]}", ": solution: ")


def test_a_pointer_of_git_lfs_without_a_repository_is_refused(small_course, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/a").write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 1\n")
    with pytest.raises(InputError, match="^a: cannot be searched: its content is kept by Git LFS"):
        publish(tmp_path / "tree", DESTINATION, root=small_course)


@pytest.mark.parametrize("option", ["--depth=1", "--filter=blob:none"])
def test_a_clone_that_lacks_history_is_refused(small_course, repository, tmp_path, option):
    leak_in(repository)
    commit(repository)
    git(repository, "rm", "--quiet", "answers.py")
    commit(repository)
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", option, f"file://{repository}", "clone")
    with pytest.raises(InputError, match="is a (shallow|partial) clone, whose history is not all there") as caught:
        publish(tmp_path / "clone", DESTINATION, root=small_course)
    assert "\n" not in str(caught.value)


def test_a_damaged_repository_is_refused(small_course, repository):
    loose = next(path for path in (repository / ".git/objects").glob("??/*") if path.is_file())
    loose.chmod(0o644)
    loose.write_bytes(b"not zlib")
    with pytest.raises(InputError, match=r"Git cannot read|git rev-list fails"):
        publish(repository, DESTINATION, root=small_course)


def test_variables_that_lead_git_elsewhere_do_not(small_course, repository, tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet", "clean")
    leak_in(repository)
    commit(repository)
    git(repository, "rm", "--quiet", "answers.py")
    commit(repository)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "clean" / ".git"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path / "clean" / ".git" / "objects"))
    before = snapshot(repository)
    with pytest.raises(InputError, match="leak: history"):
        publish(repository, DESTINATION, root=small_course)
    assert snapshot(repository) == before


def test_many_leaks_are_counted_rather_than_listed(small_course, tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    for number in range(30):
        leak_in(folder, f"answers{number}.py")
    with pytest.raises(InputError) as caught:
        publish(folder, DESTINATION, root=small_course)
    lines = str(caught.value).splitlines()
    assert len(lines) == 22 and lines[-2] == "leak: … and 10 more files"


def test_many_leaks_of_one_file_are_one_line(small_course, tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    (folder / "names.py").write_text("sum_of_halves(1, 2)\n" * 30)
    (folder / "two.txt").write_text(f"{SECRETS['solution']}\n{SECRETS['marker']}\n")
    (folder / "some.zip").write_bytes(zipped(zipped(b"")[:-9]))
    (folder / "some.gz").write_bytes(gzip.compress(b"sum_of_halves") + zipped(b"")[:-9])
    with pytest.raises(InputError) as caught:
        publish(folder, DESTINATION, root=small_course)
    assert str(caught.value).splitlines()[:-1] == [
        "leak: names.py, line 1: reference name: sum_of_halves (and 29 more in this file)",
        "leak: some.gz, unpacked, line 1: reference name: sum_of_halves (and 1 more in this file)",
        "leak: two.txt, line 1: solution: scaled = sigma * eps (and 1 more in this file)",
        "some.zip, notes.py: cannot be searched: is an archive that is damaged or cut off",
    ]


def test_batches_lose_nothing(small_course, repository, monkeypatch):
    monkeypatch.setattr(scan, "BATCH", 100)
    leak_in(repository)
    commit(repository)
    git(repository, "rm", "--quiet", "answers.py")
    commit(repository)
    assert_refused(repository, small_course, "(answers.py), line 2: solution: ")
    assert (repository / MANIFEST).is_file()
