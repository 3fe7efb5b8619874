"""A class graded in shares, on several machines, comes out as if one had graded it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import course
from autograder.commands import app as cli
from autograder.errors import InputError, SandboxError, UsageError
from autograder.grading.merge import merge
from autograder.grading.shares import Share
from autograder.grading.submissions import Submission
from autograder.results.model import SubmissionResult
from autograder.results.reading import read_results

SAMPLES = course.ROOT / "tests/submissions/vae"
GRADED = ("perfect", "half_finished", "untouched")


def test_shares_hold_everybody_once_and_whoever_is_added_moves_nobody():
    class_ = [Submission(f"student{number}", "", b"") for number in range(300)]
    shares = [[item.student for item in class_ if Share(number, 4).has(item)] for number in (1, 2, 3, 4)]
    assert sorted(name for share in shares for name in share) == sorted(item.student for item in class_)
    assert all(40 < len(share) < 110 for share in shares)  # 75 each, within five standard deviations
    assert all(Share(1, 1).has(item) for item in class_)


def test_a_number_on_the_platform_says_more_than_a_name_whose_share_somebody_is_in():
    named = [Submission(name, "", b"", account="canvas 11") for name in ("bob", "bob_11", "Bob Roe")]
    for number in range(1, 5):
        assert len({Share(number, 4).has(item) for item in named}) == 1


@pytest.mark.parametrize("text", ["", "2", "0/4", "5/4", "1/0", "-1/4", "1/4/4", "a/b", "1.0/4", "1/٤"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(UsageError, match="give K/N"):
        Share.parse(text)


@pytest.mark.slow
def test_shares_of_a_class_are_the_class(warm_autograder, tmp_path):
    paths = [SAMPLES / name for name in GRADED]

    def done(*arguments: object, code: int = 0) -> str:
        ended = warm_autograder(*arguments)
        assert ended.returncode == code, ended.stderr
        return ended.stdout + ended.stderr

    whole, merged = tmp_path / "whole", tmp_path / "merged"
    done("grade", "vae", *paths, "--out", whole)
    shares = [tmp_path / "one", tmp_path / "two", tmp_path / "three"]
    for number, share in enumerate(shares, 1):
        done("grade", "vae", *paths, "--out", share, "--shard", f"{number}/3")
    counts = [len(read_results(share, unfinished=True).run.submissions) for share in shares]
    assert sum(counts) == 3 and 0 in counts, counts  # a share may be empty
    with pytest.raises(InputError, match="not graded.*merge"):
        read_results(shares[0])

    lacking = shares[counts.index(max(counts))]
    said = done("merge", *(share for share in shares if share != lacking), "--out", merged, code=1)
    assert "graded nowhere: " in said
    done("merge", *shares, "--out", merged)
    for name in ("results.json", "executed"):
        assert contents(merged / name) == contents(whole / name)
    assert "3 of 3 were graded before" in done("grade", "vae", *paths, "--out", merged)
    # One folder after the other, and one folder for all, come to the same.
    for number in (1, 2, 3):
        done("grade", "vae", *paths, "--out", shares[0], "--shard", f"{number}/3")
    assert contents(shares[0] / "results.json") == contents(whole / "results.json")
    said = done("grade", "vae", *paths, "--out", tmp_path / "hurried", "--minutes", "0", code=1)
    assert "0 minutes are over: 3 of 3 not graded; the same command goes on with them: half_finished" in said
    before = contents(shares[1] / "results.json")
    assert "graded before" not in done("grade", "vae", *paths, "--out", shares[1], "--shard", "2/3", "--dry-run")
    assert contents(shares[1] / "results.json") == before
    assert "only-these" in done("grade", "vae", *paths, "--shard", "1/2", "--only-these", code=2)


@pytest.fixture
def shares(make_run, make_submission, tmp_path):
    """A function that writes a folder of results for each list of submissions; a student who is only named waits."""

    def write(*of_each: list) -> list[Path]:
        folders = []
        for number, items in enumerate(of_each):
            submissions = [make_submission(item) if isinstance(item, str) else item for item in items]
            folders.append(tmp_path / f"share{number}")
            folders[-1].mkdir()
            (folders[-1] / "results.json").write_text(make_run(*submissions).model_dump_json())
        return folders

    return write


def test_two_claims_to_one_student_are_named_and_nothing_is_written(shares, make_submission, tmp_path):
    same = make_submission("ada").model_copy(update={"path": "elsewhere/ada.ipynb"})
    one, two = shares(["ada", "bob"], [same, make_submission("bob", ("fail", "no"))])
    with pytest.raises(InputError) as refused:
        merge([one, two], tmp_path / "out")
    assert "bob: is in" in str(refused.value) and "2 points and 0" in str(refused.value)
    assert "ada" not in str(refused.value) and not (tmp_path / "out").exists()
    assert [item.student for item in merge([one, one], tmp_path / "out").run.submissions] == ["ada", "bob"]


def test_an_older_result_gives_way_to_the_share_that_was_to_grade_its_student(shares, make_submission, tmp_path):
    older = make_submission("bob", ("fail", "no"))
    one, two = shares(["ada", older], ["bob"])
    text = (one / "results.json").read_text().replace('"ungraded":[]', '"ungraded":["bob"]')
    (one / "results.json").write_text(text)
    for folders in ([one, two], [two, one]):
        merged = merge(folders, tmp_path / "out")
        assert merged.missing == [] and [item.score for item in merged.run.submissions] == [2.0, 2.0]
    alone = merge([one], tmp_path / "alone")
    assert alone.missing == ["bob"] and [item.score for item in alone.run.submissions] == [2.0, 0.0]


def test_nobody_waits_for_what_a_share_could_not_grade(shares, tmp_path):
    one, two = shares(["ada"], ["eve"])
    for folder, waits, refuses in ((one, '["bob", "cy", "eve"]', "{}"), (two, '["ada"]', '{"bob": "0123"}')):
        text = (folder / "results.json").read_text()
        text = text.replace('"ungraded":[]', f'"ungraded":{waits}').replace('"refused":{}', f'"refused":{refuses}')
        (folder / "results.json").write_text(text)
    assert merge([one, two], tmp_path / "out").missing == ["cy"]


def test_an_older_result_takes_nobodys_place(shares, make_submission, tmp_path):
    one, two = shares(["ada"], [make_submission("ada", ("fail", "no")), "bob"])
    text = (two / "results.json").read_text().replace('"ungraded":[]', '"ungraded":["ada"]')
    (two / "results.json").write_text(text)
    merge([one], tmp_path / "out")
    assert [item.score for item in merge([two], tmp_path / "out").run.submissions] == [2.0, 2.0]


def test_a_check_that_failed_in_a_share_fails_the_whole(shares, make_submission, tmp_path, monkeypatch):
    failed = make_submission("bob", ("fault", "It could not be judged."))
    one, two, fine = shares(["ada", failed], [failed.model_copy(update={"student": "eve"})], ["joe"])
    for folder in (one, two):
        (folder / "faults.txt").write_text(f"a traceback in {folder.name}\n")
    out = tmp_path / "out"
    line = f"little.part_0: its check failed for 2 students; mend it and grade again; see {out / 'faults.txt'}"
    assert merge([one, two], out).faults == [line]
    assert (out / "faults.txt").read_text() == "a traceback in share0\n\na traceback in share1\n"
    monkeypatch.setattr("autograder.commands.merge.write_report", lambda *_: "")  # there is no notebook to show
    done = CliRunner().invoke(cli.app, ["merge", str(one), str(two), "--out", str(out)])
    assert isinstance(done.exception, SandboxError)
    assert merge([fine], out).faults == [] and not (out / "faults.txt").exists()


def test_one_student_under_two_names_is_named(shares, make_submission, tmp_path):
    bob = make_submission("bob").model_copy(update={"account": "canvas 11"})
    one, two = shares([bob], [bob.model_copy(update={"student": "bob_11"})])
    with pytest.raises(InputError, match="bob_11 is bob in another folder"):
        merge([one, two], tmp_path / "out")


def test_whoever_is_there_already_stays_there(shares, tmp_path):
    one, two = shares(["ada"], ["bob"])
    merge([one], tmp_path / "out")
    merged = merge([two], tmp_path / "out")
    assert [item.student for item in merged.run.submissions] == ["ada", "bob"]
    assert [item.student for item in merged.before.submissions] == ["ada"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"assignment": "other"}, "merge the shares of one assignment"),
        ({"digest": "another"}, "under different conditions; grade both"),
        ({"version": "0.0.1"}, "under different conditions; grade both"),
    ],
)
def test_shares_that_do_not_belong_together_are_refused(shares, make_run, make_submission, tmp_path, change, said):
    one, two = shares(["ada"], [])
    (two / "results.json").write_text(make_run(make_submission("bob")).model_copy(update=change).model_dump_json())
    with pytest.raises(InputError, match=said):
        merge([one, two], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_shares_of_which_one_has_passed_over_an_exercise_are_refused(shares, make_run, make_submission, tmp_path):
    own = make_run(make_submission("ada")).digest

    def partly(student: str, exercise: int) -> SubmissionResult:
        whole = make_submission(student, ("pass", ""), ("pass", ""))
        items = list(whole.exercises)
        items[exercise] = items[exercise].model_copy(update={"conditions": "older"})
        return whole.model_copy(update={"exercises": items, "conditions": own})

    one, alike, whole = shares([partly("ada", 1)], [partly("bob", 1)], [partly("eve", 0)])
    with pytest.raises(InputError, match=r"different conditions on part_0, part_1, .*without --exercise"):
        merge([one, whole], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert [item.student for item in merge([one, alike], tmp_path / "out").run.submissions] == ["ada", "bob"]


def contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return {file.name: file.read_bytes() for file in files}
