"""The course's key: made once, for its owner alone."""

import threading

import pytest

from autograder import course
from autograder.errors import InputError
from autograder.grading.key import KEY_VARIABLE, course_key


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "ROOT", tmp_path)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return tmp_path


def test_the_key_is_made_once_for_its_owner_alone(root):
    key = course_key()
    assert len(key) == 32
    assert course_key() == key == (root / "course.key").read_bytes()
    assert (root / "course.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in root.iterdir()] == ["course.key"]


def test_two_who_make_the_key_at_once_get_the_same():
    keys, barrier = [], threading.Barrier(8)

    def ask():
        barrier.wait()
        keys.append(course_key())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8 and len(set(keys)) == 1


def test_the_key_can_lie_elsewhere(root, monkeypatch):
    (root / "key").write_bytes(b"x" * 40)
    monkeypatch.setenv(KEY_VARIABLE, str(root / "key"))
    assert course_key() == b"x" * 40
    (root / "key").write_bytes(b"x" * 8)
    with pytest.raises(InputError, match="has 8 bytes, not 32"):
        course_key()
    with pytest.raises(InputError, match="cannot be read"):
        course_key(root / "none")
