"""What was handed in is kept on disk, and comes back as it was, in this process and in another."""

import pickle
import resource

import pytest

from autograder.errors import InputError
from autograder.grading.submissions import Submission
from autograder.grading.submitted.spool import Spool
from autograder.grading.tally import Tally
from autograder.results.model import Record


def test_what_is_kept_comes_back_and_travels_as_bytes():
    spool = Spool()
    texts = [b"", b"a" * 70_000, b"{}"]
    kept = [Submission(f"student{number}", "", spool.keep(text)) for number, text in enumerate(texts)]
    assert [item.data for item in kept] == texts
    sent = [pickle.loads(pickle.dumps(item)) for item in kept]
    assert [item.held for item in sent] == texts and [item.digest for item in sent] == [item.digest for item in kept]


def test_a_disk_without_room_is_one_line():
    spool, before = Spool(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(InputError, match=r"no room for what was handed in \(File too large\); make room there"):
            spool.keep(b"x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_memory_does_not_grow_with_what_is_kept():
    spool = Spool()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(100):
        spool.keep(bytes([number]) * 2**20)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes


def test_what_a_class_has_in_common_is_held_once(make_submission):
    tally = Tally()
    for number in range(3):
        result = make_submission(f"student{number}")
        tally.note(pickle.loads(pickle.dumps(Record(result=result, seconds=1.0))))
    first, *others = (record.result.exercises for record in tally.records)
    assert first and all(one is other for exercises in others for one, other in zip(first, exercises, strict=True))
    assert [record.result for record in tally.records] == [make_submission(f"student{number}") for number in range(3)]
