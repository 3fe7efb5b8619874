"""A crew on a Dask cluster: a scheduler and three workers, processes of their own on loopback, one of them with another
library."""

import base64
import importlib.util
import itertools
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import killed_run
import nbformat
import psutil
import pytest
import toy_course
from nbformat.v4 import new_code_cell, new_notebook
from toy_course import EXERCISES, RIGHT, submission

from autograder import course
from autograder.errors import InputError, SandboxError
from autograder.grading.crews import CrewError
from autograder.grading.grading import Grading
from autograder.grading.run import Run, begin_run
from autograder.grading.store import Store
from autograder.grading.submissions import Submission
from autograder.results.files import notebook_path
from autograder.results.writing import write_run

pytest.importorskip("distributed", reason="Dask is not installed")
from autograder.grading.cluster import crew as dask_crew
from autograder.grading.cluster import members
from autograder.grading.cluster.crew import DaskCrew
from autograder.grading.cluster.members import Answer, Members, is_private

LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")
KEY = secrets.token_bytes(32)
ANSWERS = [RIGHT, {"double": "return x + 2"}, {"square": "return 0 * x"}]


@dataclass
class Cluster:
    """`kept` is the folder for all that its processes write."""

    root: Path
    kept: Path
    address: str = ""
    scheduler: subprocess.Popen | None = None
    workers: list[subprocess.Popen] = field(default_factory=list)

    def start(self, what: str, *options: str, **environment: str) -> subprocess.Popen:
        with (self.kept / f"{what}-{len(self.workers)}.log").open("wb") as log:
            return subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    f"distributed.cli.dask_{what}",
                    "--host",
                    "127.0.0.1",
                    "--no-dashboard",
                    *options,
                ],
                env=os.environ | {"PYTHONPATH": str(Path(toy_course.__file__).parent)} | environment,
                stdout=log,
                stderr=log,
            )

    def start_worker(self, folder: str = "") -> None:
        """A worker that grades the toy course; modules in `folder` go before what is installed."""
        options = ["--no-nanny", "--nthreads", "1", "--preload", str(self.root / "toy_root.py")]
        options += ["--local-directory", str(self.kept / f"worker{len(self.workers)}")]
        path = os.pathsep.join(filter(None, (folder, str(Path(toy_course.__file__).parent))))
        self.workers.append(self.start("worker", self.address, *options, PYTHONPATH=path))

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Where the toy course lies."""
    folder = tmp_path_factory.mktemp("cluster")
    killed_run.lay_out(folder, 0)
    return folder


@pytest.fixture(scope="module")
def cluster(root) -> Iterator[Cluster]:
    lines = ("from pathlib import Path", "from autograder import course", f"course.ROOT = Path({str(root)!r})")
    (root / "toy_root.py").write_text("\n".join(lines))
    other = root / "other" / "msgpack-0.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: msgpack\nVersion: 0.9\n")
    (root / "kept").mkdir()
    made = Cluster(root, root / "kept")
    made.scheduler = made.start("scheduler", "--port", "0", "--scheduler-file", str(root / "scheduler.json"))
    try:
        deadline = time.monotonic() + 60
        while not (found := re.search(r"tcp://[\d.:]+", _text(root / "scheduler.json"))):
            assert made.scheduler.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        made.address = found[0]
        for folder in ("", "", str(other.parent)):
            made.start_worker(folder)
        yield made
    finally:
        made.end()


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.fixture
def toy(root, monkeypatch) -> Grading:
    monkeypatch.setattr(course, "ROOT", root)
    return Grading("toy", course.read_source("toy"), key=KEY, exercises=EXERCISES)


@pytest.fixture(scope="module")
def handed_in() -> list[Submission]:
    """12 notebooks that can be graded, and one of another assignment."""
    notebooks = [submission(**ANSWERS[number % 3], why=f"Because of {number}.") for number in range(12)]
    notebooks.append(new_notebook(cells=[new_code_cell("x = 1")]))
    return [
        Submission(f"student{number:02}", f"{number:02}.ipynb", nbformat.writes(notebook).encode())
        for number, notebook in enumerate(notebooks)
    ]


def written(out: Path, grading: Grading, crew, handed_in: list[Submission], on_step=lambda done, total: None) -> Run:
    with Store(out) as store:
        run = Run(grading, crew, store)
        write_run(out, run.grade(handed_in, on_step=lambda *step: on_step(*step)), run.tally.records)
    return run


def require_same(one: Path, other: Path, students: list[str]) -> None:
    assert (one / "results.json").read_bytes() == (other / "results.json").read_bytes()
    for student in students:
        assert notebook_path(one, student).read_bytes() == notebook_path(other, student).read_bytes()


def holds(pid: int, wanted: bytes) -> bool:
    """Whether these bytes are somewhere in the memory of a process."""
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for region in re.findall(r"^(\w+)-(\w+) rw", Path(f"/proc/{pid}/maps").read_text(), re.MULTILINE):
            begin, end = (int(place, 16) for place in region)
            memory.seek(begin)
            try:
                if wanted in memory.read(end - begin):
                    return True
            except OSError:  # a region that cannot be read
                continue
    return False


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_changes_nothing(cluster, toy, crew, handed_in, tmp_path, monkeypatch):
    # What has been made by the one that is killed, and not yet been fetched, is waited for in vain.
    monkeypatch.setattr(dask_crew, "GATHER_SECONDS", 10.0)
    alone = written(tmp_path / "alone", toy, crew, handed_in)
    notes: list[str] = []
    killed: list[str] = []
    with DaskCrew(cluster.address, toy, notes) as running:

        def kill_one_at_work(done: int, total: int) -> None:
            """That is known by its process, once it and another have something to do."""
            at_work = [address for address, tasks in running._client.processing().items() if tasks]
            if done and not killed and len(at_work) == 2:
                assert not holds(cluster.scheduler.pid, KEY) and holds(cluster.scheduler.pid, running._name.encode())
                pids = running._client.run(os.getpid, workers=at_work)
                victim = next(address for address, pid in pids.items() if pid == cluster.workers[0].pid)
                cluster.workers[0].send_signal(signal.SIGKILL)
                killed.append(victim)

        run = written(tmp_path / "cluster", toy, running, handed_in, kill_one_at_work)
        assert killed and cluster.workers[0].wait() == -signal.SIGKILL

    require_same(tmp_path / "alone", tmp_path / "cluster", [item.student for item in handed_in[:12]])
    assert len(run.tally.records) == 12 and run.tally.problems == alone.tally.problems and not run.tally.faults
    assert len(notes) == 1 and re.search(r"tcp://127.0.0.1:\d+: msgpack is 0\.9 there and [\d.]+ here; ", notes[0])

    # The key has been nowhere but in the two workers, and the run has left nothing there.
    assert holds(os.getpid(), KEY) and not holds(cluster.scheduler.pid, KEY)
    assert not holds(cluster.workers[2].pid, KEY)
    shapes = (KEY, KEY.hex().encode(), base64.b64encode(KEY), repr(KEY)[2:-1].encode())
    files = [path.read_bytes() for path in cluster.kept.rglob("*") if path.is_file()]
    assert any(b"Starting Worker plugin" in data for data in files)
    assert not any(shape in data for data in files for shape in shapes)
    deadline = time.monotonic() + 20
    while children := psutil.Process(cluster.workers[1].pid).children(recursive=True):
        assert time.monotonic() < deadline, children
        time.sleep(0.1)


@pytest.mark.slow
def test_if_no_worker_may_grade_the_run_says_why(cluster, toy, handed_in, monkeypatch):
    ours = members.about(toy)
    monkeypatch.setattr(members, "about", lambda _: ours | {"libraries": ours["libraries"] | {"torch": "1.0"}})
    with DaskCrew(cluster.address, toy, []) as running, pytest.raises(CrewError) as told:
        list(running.outcomes(toy_record, handed_in))
    assert re.search(r"no worker of \S+ can grade: tcp://\S+: torch is [\d.]+\S* there and 1\.0 here", str(told.value))


def other_code_is_loaded(is_so: bool) -> None:
    from autograder.grading import loaded

    loaded.AT_THE_START = ("", "") if is_so else (loaded.grader_digest(), loaded.package_digest())


@pytest.mark.slow
def test_a_worker_that_was_started_before_its_code_changed_gets_no_work(cluster, toy, handed_in):
    with DaskCrew(cluster.address, toy, []) as running:
        running._client.wait_for_workers(sum(process.poll() is None for process in cluster.workers), timeout=60)
        running._client.run(other_code_is_loaded, True)
        try:
            with pytest.raises(CrewError, match="can grade: .*: the grader's code has changed since this was started"):
                list(running.outcomes(toy_record, handed_in))
        finally:
            running._client.run(other_code_is_loaded, False)


def toy_record(submission: Submission, zygote) -> str:
    time.sleep(0.2)
    return submission.student


@pytest.mark.slow
def test_what_is_done_when_the_scheduler_ends_is_kept(cluster, toy, crew, handed_in, tmp_path):
    """The last test of this cluster."""
    started = time.monotonic()

    def end_the_scheduler(done: int, total: int) -> None:
        if done == 2:
            cluster.scheduler.kill()

    with DaskCrew(cluster.address, toy, []) as running:
        cut = written(tmp_path / "cut", toy, running, handed_in, end_the_scheduler)
    (line,) = cut.tally.faults
    kept = len(cut.tally.records)
    assert 2 <= kept < 12 and f"the scheduler at {cluster.address} is gone" in line
    assert time.monotonic() - started < 60

    went_on = written(tmp_path / "cut", toy, crew, handed_in)
    assert sum(record.is_known for record in went_on.tally.records) == kept
    written(tmp_path / "alone", toy, crew, handed_in)
    require_same(tmp_path / "alone", tmp_path / "cut", [item.student for item in handed_in[:12]])


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("tcp://127.0.0.1:8786", True),
        ("tcp://[::1]:8786", True),
        ("tcp://localhost:8786", True),
        ("tls://10.0.0.7:8786", True),
        ("tcp://10.0.0.7:8786", False),
        ("tcp://127.0.0.1.example.org:8786", False),
        ("ws://10.0.0.7:8786", False),
        ("8786", False),
    ],
)
def test_nothing_goes_over_a_network_that_is_not_encrypted(address, private):
    assert is_private(address) == private


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("10.0.0.7:8786", "--dask tcp://10.0.0.7:8786: is neither encrypted nor on this machine, "),
        ("127.0.0.1:1", "--dask tcp://127.0.0.1:1: no scheduler answers there ("),
        ("tls://127.0.0.1:1", "--dask tls://127.0.0.1:1: no scheduler answers there ("),
    ],
)
def test_an_address_that_is_of_no_use_is_said_in_one_line(toy, monkeypatch, address, said):
    monkeypatch.setattr(dask_crew, "ANSWER_SECONDS", 0.2)
    with pytest.raises(InputError) as told, begin_run("toy", dask=address, key=KEY):
        pass
    assert str(told.value).startswith(said) and len(str(told.value).splitlines()) == 1


def test_without_the_extra_one_line_says_how_to_install_it(toy, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with (
        pytest.raises(InputError, match=r"pip install .*autograder\[cluster\]"),
        begin_run("toy", dask="tls://x:1", key=KEY),
    ):
        pass


def test_a_scheduler_without_workers_is_waited_for_and_named(toy, handed_in, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(dask_crew, "NO_WORKER_SECONDS", 0.1)
    monkeypatch.setattr(dask_crew, "LOOK_SECONDS", 0.05)
    with (
        LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=":0") as empty,
        DaskCrew(empty.scheduler_address, toy, []) as running,
        pytest.raises(CrewError, match=r"^tcp://127\.0\.0\.1:\d+ has no workers; start some"),
    ):
        list(running.outcomes(toy_record, handed_in))


class NoClient:
    """Of a cluster that is asked for nothing."""

    loop = None


class Line:
    def abort(self) -> None:
        pass


def test_a_worker_of_nothing_but_faults_is_sent_away_and_its_submissions_go_elsewhere(toy, handed_in):
    crew, found = DaskCrew("tcp://127.0.0.1:1", toy, []), Members(NoClient(), "run", toy, b"", tell=lambda answer: None)
    for address in ("a", "b"):
        found.note(Answer(address, 1, Line()))
    waiting = dask_crew._Waiting(handed_in)
    fault = SandboxError("no room in /tmp")
    for number in range(dask_crew.MOST_FAULTS):
        flight = waiting.take(found.ready) if waiting else None
        assert flight.submission is handed_in[number] and flight.workers == {"a", "b"}
        assert crew._is_tried_again(found, "a", fault, flight)
    assert found.ready.keys() == {"b"} and list(found.refusals()) == ["a: no room in /tmp"]

    found.leave("b")
    crew._require_hope(found, 0.0)  # another may come in its place
    with pytest.raises(CrewError, match="can grade: a: no room in /tmp"):
        crew._require_hope(found, dask_crew.NO_WORKER_SECONDS)
    found.note(Answer("b", 1, Line()))

    waiting.put_back(dask_crew._Flight(flight.submission, 2, flight.workers), avoid="a")
    again = waiting.take(["a", "b"])
    assert again.workers == {"b"} and not crew._is_tried_again(found, "b", fault, again)
    assert not crew._is_tried_again(found, "b", "a record", again) and found.ready["b"].faults == 0
    assert crew._is_tried_again(found, "b", CrewError("again and again"), flight) and not found.ready


class ReadyAtOnce:
    """A task that has ended when it begins."""

    def __init__(self, crew: DaskCrew, flight) -> None:
        self.crew, self.student = crew, flight.submission.student
        crew._events.put(self)

    def cancel(self) -> None:
        self.crew.cancelled.append(self.student)


def test_what_arrives_meanwhile_is_asked_for_while_a_worker_is_free(toy, handed_in, monkeypatch):
    crew = DaskCrew("tcp://127.0.0.1:1", toy, [])
    crew._client, crew.cancelled = NoClient(), []
    monkeypatch.setattr(dask_crew, "Members", lambda *_, **__: found)
    found = Members(NoClient(), "run", toy, b"", tell=lambda answer: None)
    found.note(Answer("a", 1, Line()))
    monkeypatch.setattr(crew, "_look_around", lambda members: None)
    monkeypatch.setattr(crew, "_task", lambda flight: ReadyAtOnce(crew, flight))
    monkeypatch.setattr(dask_crew, "_result", lambda task, submission: ("a", f"record of {task.student}"))
    arriving = iter([handed_in[0], None, None, handed_in[1], handed_in[2]])

    def more() -> Submission | None:
        try:
            return next(arriving)
        except StopIteration:
            raise EOFError from None

    outcomes = []
    with pytest.raises(EOFError):
        for given, outcome in crew.outcomes(toy_record, [], more=more):
            outcomes.append((given.student, outcome))
    students = [item.student for item in handed_in[:3]]
    seen = [student for student, _ in outcomes]
    assert [*seen, *crew.cancelled] == students and seen[:1] == students[:1]
    assert all(outcome == f"record of {student}" for student, outcome in outcomes)


class Unheard:
    """A task that goes down with its worker."""

    def cancel(self) -> None:
        pass


def test_a_submission_that_ends_its_workers_is_given_up_and_takes_nobody_along(toy, handed_in, monkeypatch):
    """Another worker comes in the place of each that has ended, with all that waited there behind it."""
    crew = DaskCrew("tcp://127.0.0.1:1", toy, [])
    crew._client = NoClient()
    monkeypatch.setattr(dask_crew, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(dask_crew, "Members", lambda *_, **__: found)
    found, names = Members(NoClient(), "run", toy, b"", tell=lambda answer: None), itertools.count()

    def look_around(members: Members) -> None:
        if not members.ready:
            members.note(Answer(f"worker {next(names)}", 1, Line()))

    def task(flight) -> ReadyAtOnce | Unheard:
        if flight.submission is handed_in[0]:
            found.ready.clear()
        return ReadyAtOnce(crew, flight) if found.ready else Unheard()

    monkeypatch.setattr(crew, "_look_around", look_around)
    monkeypatch.setattr(crew, "_task", task)
    monkeypatch.setattr(dask_crew, "_result", lambda task, submission: ("a", f"record of {task.student}"))
    outcomes = crew.outcomes(toy_record, handed_in[:4], until=time.monotonic() + 20)
    found_of = {given.student: outcome for given, outcome in outcomes}
    error = found_of.pop(handed_in[0].student)
    assert isinstance(error, SandboxError) and "00.ipynb: 3 times each worker that had it ended" in str(error)
    assert found_of == {item.student: f"record of {item.student}" for item in handed_in[1:4]}
    assert next(names) == dask_crew.MOST_LOST + 1
