"""Workers: what they raise, how they end, and what becomes of the work. The work here is done in their processes."""

import contextlib
import os
import re
import time
from functools import partial
from pathlib import Path

import psutil
import pytest
import torch

from autograder.errors import InputError, SandboxError
from autograder.grading import workers
from autograder.grading.submissions import Submission
from autograder.grading.workers import Crew, CrewError
from autograder.sandbox.kernel import Kernel
from autograder.sandbox.limits import Limits
from autograder.sandbox.zygote import session
from tests.warm import CrewOfAnother

pytestmark = pytest.mark.slow

PEOPLE = [Submission(name, f"{name}.ipynb", b"") for name in ("ada", "bob", "eve", "joe")]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(workers, "PAUSE", 0.0)


@pytest.fixture(scope="module")
def crew(zygote):
    with CrewOfAnother(zygote, jobs=2) as running:
        yield running


def results(crew: Crew, work) -> dict:
    return {submission.student: outcome for submission, outcome in crew.outcomes(work, PEOPLE)}


def process(item: Submission, _) -> int:
    time.sleep(0.2)
    return os.getpid()


def test_work_is_done_side_by_side_in_other_processes(crew):
    found = set(results(crew, process).values())
    assert len(found) == 2 and os.getpid() not in found


def test_more_is_graded_as_it_arrives_by_workers_that_take_no_more_than_a_share(crew, monkeypatch):
    monkeypatch.setattr(workers, "MOST_TAKEN", 2)
    arrivals = iter([PEOPLE[0], None, PEOPLE[1], PEOPLE[2], None, None, *PEOPLE])
    asked, found = 0, []

    def more() -> Submission | None:
        nonlocal asked
        asked += 1
        return next(arrivals, None)

    outcomes = crew.outcomes(process, [], more=more)
    for submission, number in outcomes:
        found.append((submission.student, number))
        if len(found) == 7:
            break
    outcomes.close()
    assert sorted(name for name, _ in found) == ["ada", "ada", "bob", "bob", "eve", "eve", "joe"] and asked >= 10
    taken = [number for _, number in found]
    assert max(map(taken.count, taken)) == 2


def test_workers_rest_until_the_same_work_is_asked_for_and_not_for_ever(crew, monkeypatch):
    def pid(work) -> int:
        return next(outcome for _, outcome in crew.outcomes(work, PEOPLE[:1]))

    one, other = partial(process), partial(process)
    first = pid(one)
    assert pid(one) == first != pid(other)
    monkeypatch.setattr(workers, "MOST_TAKEN", 2)
    second = pid(one)
    assert second != first and pid(one) == second != pid(one)


def where_it_looks(item: Submission, _) -> tuple[str, str]:
    import matplotlib

    return os.getcwd(), matplotlib.matplotlib_fname()


def test_what_lies_in_the_folder_of_a_command_is_neither_run_nor_read(zygote, monkeypatch, tmp_path):
    """Students may have handed it in."""
    for name in ("json", "autograder", "torch", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w').write({name!r})")
    (tmp_path / "matplotlibrc").write_text("axes.facecolor: red")
    monkeypatch.chdir(tmp_path)
    with CrewOfAnother(zygote, jobs=1) as crew:
        (found,) = (outcome for _, outcome in crew.outcomes(where_it_looks, PEOPLE[:1]))
    assert not (tmp_path / "run").exists()
    assert found[0] == "/" and tmp_path not in Path(found[1]).parents


def memory(item: Submission, _) -> str:
    try:
        return str(len(torch.ones(2**31, dtype=torch.uint8))) if item.student == "bob" else "modest"
    except RuntimeError as error:
        return "refused" if "allocate" in str(error) else str(error)


def test_the_memory_of_a_worker_is_bounded(crew):
    assert results(crew, memory) == {"ada": "modest", "bob": "refused", "eve": "modest", "joe": "modest"}


def cores(item: Submission, _) -> int:
    time.sleep(0.2)
    (core,) = os.sched_getaffinity(0)
    return core


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one core")
def test_each_worker_has_a_core_of_its_own(crew):
    assert len(set(results(crew, cores).values())) == 2


def fail_first(mark: Path, way: str, item: Submission, _) -> str:
    if item.student == "bob" and not mark.exists():
        mark.touch()
        if way == "dies":
            os._exit(1)
        raise {"sandbox": SandboxError("no kernel starts"), "disk": OSError(28, "No space")}[way]
    return item.student


@pytest.mark.parametrize("way", ["dies", "sandbox", "disk"])
def test_a_fault_of_the_machine_is_tried_again(crew, tmp_path, way):
    found = results(crew, partial(fail_first, tmp_path / "mark", way))
    assert found == {item.student: item.student for item in PEOPLE}


def always_fail(way: str, item: Submission, _) -> str:
    if item.student == "bob":
        if way == "dies":
            os._exit(1)
        raise SandboxError("no kernel starts")
    return item.student


@pytest.mark.parametrize(("way", "said"), [("dies", "its worker ended"), ("sandbox", "no kernel starts")])
def test_a_fault_that_stays_is_told_and_costs_the_others_nothing(crew, way, said):
    found = results(crew, partial(always_fail, way))
    assert isinstance(found["bob"], SandboxError)
    assert "bob.ipynb: tried 3 times and not graded" in str(found["bob"]) and said in str(found["bob"])
    assert [found[name] for name in ("ada", "eve", "joe")] == ["ada", "eve", "joe"]


def stumble(kind: type, item: Submission, _) -> str:
    if item.student == "bob":
        raise kind("too deep\nby far")
    return item.student


@pytest.mark.parametrize("kind", [RecursionError, KeyError, MemoryError, InputError])
def test_whatever_one_submission_provokes_is_its_own_line(crew, kind):
    found = results(crew, partial(stumble, kind))
    assert isinstance(found["bob"], InputError) and "too deep" in str(found["bob"])
    if kind is not InputError:
        assert str(found["bob"]).startswith("bob.ipynb: could not be graded") and kind.__name__ in str(found["bob"])
        assert len(str(found["bob"]).splitlines()) == 1
    assert found["joe"] == "joe"


def hold(mark: Path, item: Submission, _) -> str:
    if item.student == "bob":
        mark.write_text(str(os.getpid()))
        re.match(r"(a|aa)+$", "a" * 80 + "b")  # one call into C, which lets no other thread run
    while not mark.exists():
        time.sleep(0.01)
    return item.student


def test_a_submission_that_holds_up_its_worker_is_ended_with_it(crew, tmp_path):
    mark = tmp_path / "pid"
    found = {item.student: outcome for item, outcome in crew.outcomes(partial(hold, mark), PEOPLE, seconds=6)}
    assert str(found.pop("bob")).startswith("bob.ipynb: was not graded within 6 s and was stopped; ")
    assert found == {name: name for name in ("ada", "eve", "joe")}
    require_gone([int(mark.read_text())])


def test_work_ends_with_the_time_that_is_given(crew, tmp_path):
    mark = tmp_path / "pid"
    found = [item.student for item, _ in crew.outcomes(partial(hold, mark), PEOPLE, until=time.monotonic() + 3)]
    assert "bob" not in found and set(found) <= {"ada", "eve", "joe"}
    if mark.exists():
        require_gone([int(mark.read_text())])


def test_a_worker_that_is_held_up_ends_with_its_run(crew, tmp_path):
    mark = tmp_path / "pid"
    with contextlib.closing(crew.outcomes(partial(hold, mark), PEOPLE)) as outcomes:
        assert {next(outcomes)[1] for _ in range(3)} == {"ada", "eve", "joe"}
    require_gone([int(mark.read_text())])


def require_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 10
    while (left := [pid for pid in pids if Path(f"/proc/{pid}").exists()]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def in_a_kernel(item: Submission, zygote) -> str:
    with session(zygote) as folder, Kernel(zygote, folder, budget="smoke", limits=Limits()) as kernel:
        ending, cell = kernel.run(f"print({item.student!r})")
        assert ending.how == "ok"
        return cell.outputs[0].text.strip()


def test_a_zygote_or_nursery_that_was_killed_is_started_again():
    with Crew(jobs=2) as crew:
        for part in (crew._zygote, crew._nursery):
            outcomes = crew.outcomes(in_a_kernel, PEOPLE * 3)
            found = [next(outcomes)[0].student]
            part._process.kill()
            found += [outcome for _, outcome in outcomes]
            assert sorted(found) == sorted(3 * [item.student for item in PEOPLE])


def nicenesses(of: int, item: Submission, zygote) -> set[str]:
    """What the worker and all processes below number `of` have, and their sessions, while a kernel is there."""
    with session(zygote) as folder, Kernel(zygote, folder, budget="smoke", limits=Limits()) as kernel:
        ending, _ = kernel.run("import subprocess; other = subprocess.Popen(['sleep', '60'])")
        assert ending.how == "ok"
        found = [psutil.Process(), *psutil.Process(of).children(recursive=True)]
        found = [process for process in found if process.name() != "bwrap"]  # which only waits
        assert "sleep" in [process.name() for process in found]
        shares = {Path(f"/proc/{process.pid}/autogroup").read_text().split()[-1] for process in found}
        return {str(process.nice()) for process in found} | shares


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="sessions have no shares here")
def test_all_that_grades_leaves_the_processor_to_others_if_it_should():
    with Crew(niceness=7) as crew:
        assert list(crew.outcomes(partial(nicenesses, crew._zygote._process.pid), PEOPLE[:1])) == [(PEOPLE[0], {"7"})]


def test_where_nothing_works_any_more_the_run_ends(zygote, monkeypatch):
    monkeypatch.setattr(workers, "_PROGRAM", "import sys; sys.exit('there is no torch')")
    with CrewOfAnother(zygote, jobs=1) as crew, pytest.raises(CrewError, match="again and again.*there is no torch"):
        results(crew, process)


def test_workers_end_with_the_crew(zygote):
    with CrewOfAnother(zygote, jobs=2) as crew:
        pids = set(results(crew, process).values())
    require_gone(list(pids))
