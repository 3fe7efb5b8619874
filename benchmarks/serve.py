"""A deadline evening: students hand in to `autograder serve` in bursts, and it is killed in the middle.

Prints how long students wait for the acknowledgement and for verdicts, and how the rate compares with that of plain
`autograder grade` on the same notebooks. Stops with an error if anything that was acknowledged was lost, or doubled.
"""

import argparse
import csv
import hashlib
import http.client
import json
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import copies
import httpx
import nbformat
from graders import ENVIRONMENT
from measuring import BenchmarkError
from sqlalchemy import select
from tqdm import tqdm

from autograder import course
from autograder.serve.database import NAME, Database
from autograder.serve.tables import Grading, Submission

ASSIGNMENT = copies.ASSIGNMENT
AT_ONCE = 256  # requests under way, so that none has to wait for another to be sent
GET_READY = 1.0  # seconds to start as many threads
PATIENCE = 300.0  # seconds for the server to come back


@dataclass(frozen=True)
class HandingIn:
    """One submission: when the student sends it, in seconds from the start, and what."""

    at: float
    student: str
    notebook: bytes


@dataclass(frozen=True)
class Acknowledged:
    """What came of it: when it was to be sent, seconds until it was acknowledged, how often it was sent, and what was
    acknowledged."""

    at: float
    seconds: float
    sent: int
    digest: str


def evening(students: int, rate: float, seconds: float, burst: int, sample: str) -> list[HandingIn]:
    """`rate` submissions a second for so many seconds, `burst` of them at the same moment, of one student after the
    other. All differ."""
    path = course.ROOT / "tests" / "submissions" / ASSIGNMENT / sample / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    text, mark = nbformat.writes(notebook), "A DEADLINE EVENING"
    cell = nbformat.v4.new_markdown_cell(mark)
    cell["id"] = "evening"
    notebook.cells.append(cell)
    text = nbformat.writes(notebook)
    return [
        HandingIn(
            at=number // burst * burst / rate,
            student=f"student{number % students:03}",
            notebook=text.replace(mark, f"{mark}, {number}").encode(),
        )
        for number in range(round(rate * seconds))
    ]


class Server:
    """`autograder serve` in a process of its own, at a port of its own."""

    def __init__(self, folder: Path, jobs: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder = folder
        self._command = [sys.executable, "-m", "autograder", "serve", ASSIGNMENT, "--roster", "roster.csv"]
        self._command += ["--data", "served", "--port", str(self.port), "--jobs", str(jobs)]

    def start(self) -> None:
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, env=environment(self._folder), stdout=log, stderr=log
            )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                httpx.get(f"http://127.0.0.1:{self.port}/style.css")
                return
            except httpx.TransportError:
                time.sleep(0.05)
        raise BenchmarkError(f"the server did not start: {(self._folder / 'server.log').read_text()[-500:]}")

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()


def environment(folder: Path) -> dict[str, str]:
    return os.environ | ENVIRONMENT | {"FIXMELAB_KEY_FILE": str(folder / "course.key")}


def hand_in(port: int, token: str, item: HandingIn, begun: float) -> Acknowledged:
    """Send a notebook at its time, over a connection of its own, again and again until it is acknowledged. Raises
    BenchmarkError if it is refused."""
    first, sent = begun + item.at, 0
    time.sleep(max(first - time.perf_counter(), 0.0))
    while time.perf_counter() < first + PATIENCE:
        sent += 1
        # A slower client, on the same cores, would count as the server.
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            path = f"/api/assignments/{ASSIGNMENT}/submissions"
            connection.request("POST", path, item.notebook, {"authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            time.sleep(0.2)
            continue
        finally:
            connection.close()
        if answer.status in (200, 201):
            return Acknowledged(item.at, time.perf_counter() - first, sent, json.loads(text)["digest"])
        if answer.status not in (429, 503):
            raise BenchmarkError(f"a notebook was refused: {answer.status} {text.decode()}")
        time.sleep(float(answer.headers.get("retry-after", 1)))
    raise BenchmarkError("a notebook was not acknowledged")


def play(
    server: Server, tokens: dict[str, str], items: Sequence[HandingIn], *, kill: bool
) -> tuple[list[Acknowledged], float]:
    """The evening, with the server killed at half of its time. Returns what became of each, in their order, and when
    the server was killed."""
    killed = math.inf
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = time.perf_counter() + GET_READY  # else the first burst would wait for this program, not for the server
        under_way = [pool.submit(hand_in, server.port, tokens[item.student], item, begun) for item in items]
        if kill:
            time.sleep(max(begun + items[-1].at / 2 - time.perf_counter(), 0.0))
            killed = time.perf_counter() - begun
            server.kill()
            server.start()
        return [found.result() for found in tqdm(under_way, desc="handing in", leave=False)], killed


def wait_for_verdicts(database: Database, count: int) -> None:
    with tqdm(desc="grading", total=count, leave=False) as bar:
        while bar.n < count:
            time.sleep(0.5)
            with database.reading() as session:
                bar.n = len(session.scalars(select(Grading.submission_id)).all())
                stopped = session.scalars(select(Submission.reason).where(Submission.state.in_(("refused", "fault"))))
                if why := stopped.first():
                    raise BenchmarkError(f"a notebook was not graded: {why}")
            bar.refresh()


def require_nothing_lost(database: Database, items: Sequence[HandingIn], found: Sequence[Acknowledged]) -> None:
    """Raise BenchmarkError unless each that was acknowledged is there once, as it was sent, with one grading."""
    with database.reading() as session:
        rows = session.execute(
            select(Submission.digest, Submission.state, Grading.submission_id).outerjoin(
                Grading, Grading.submission_id == Submission.id
            )
        ).all()
    sent = sorted(hashlib.sha256(item.notebook).hexdigest() for item in items)
    if sorted(item.digest for item in found) != sent or sorted(row[0] for row in rows) != sent:
        raise BenchmarkError(f"{len(sent)} notebooks were sent, {len(found)} acknowledged, and {len(rows)} are there")
    if not all(state == "done" and grading for _, state, grading in rows):
        raise BenchmarkError("not all have verdicts")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values than which this share of them is not larger; NaN if there are none."""
    found = sorted(values)
    return found[max(math.ceil(share * len(found)), 1) - 1] if found else math.nan


def grade_plainly(folder: Path, items: Sequence[HandingIn], jobs: int) -> float:
    """Submissions a second of `autograder grade`, its start left out as the server's is: seconds of grading alone."""
    for number, item in enumerate(items):
        path = folder / "submitted" / f"peer{number:04}" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(item.notebook)
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "submitted", "--jobs", str(jobs), "--out"]
    times = []
    for out, count in (("few", 2), ("all", len(items))):
        paths = [f"submitted/peer{number:04}" for number in range(count)]
        begun = time.perf_counter()
        done = subprocess.run(
            [*command[:5], *paths, *command[6:], out],
            cwd=folder,
            env=environment(folder),
            capture_output=True,
            text=True,
        )
        times.append(time.perf_counter() - begun)
        if done.returncode:
            raise BenchmarkError(f"grade: {done.stderr[-300:]}")
    return (len(items) - 2) / (times[1] - times[0])


def report(found: Sequence[Acknowledged], killed: float, waits: Sequence[float], rate: float, peer: float) -> list[str]:
    """The lines that are printed; `waits` are seconds from receipt to verdict, rates are submissions a second."""
    back = max((item.at + item.seconds for item in found if item.sent > 1), default=killed)  # and has caught up
    met = [item.seconds for item in found if item.at + item.seconds >= killed and item.at <= back]
    calm = [item.seconds for item in found if item.at + item.seconds < killed or item.at > back]
    shares = ", ".join(f"p{round(100 * share)} {percentile(calm, share):.3f} s" for share in (0.5, 0.9, 0.99))
    lines = [
        f"acknowledged  {len(calm)} while the server was there: {shares}",
        f"verdict       p50 {percentile(waits, 0.5):.0f} s, p99 {percentile(waits, 0.99):.0f} s after receipt",
        f"rate          {rate:.2f} submissions a second, {rate / peer:.2f} times that of `grade` ({peer:.2f})",
        "lost          0, doubled 0",
    ]
    if met:
        line = f"{len(met)} from the kill until it had caught up: all within {max(met):.1f} s"
        lines.insert(1, f"              {line}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=400)
    parser.add_argument("--rate", type=float, default=20.0, help="submissions a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="for so long")
    parser.add_argument("--burst", type=int, default=10, help="so many of them at the same moment")
    parser.add_argument("--sample", default="perfect", help="of tests/submissions/vae")
    parser.add_argument("--peer", type=int, default=40, help="submissions of plain grade")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-kill", action="store_true")
    wanted = parser.parse_args()
    items = evening(wanted.students, wanted.rate, wanted.seconds, wanted.burst, wanted.sample)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "course.key").write_bytes(os.urandom(32))
        accounts = sorted({item.student for item in items})
        (folder / "roster.csv").write_text("\n".join(["student", *accounts, ""]))
        server = Server(folder, wanted.jobs)
        server.start()
        try:
            with (folder / "served" / "tokens-1.csv").open(newline="") as file:
                tokens = {row["student"]: row["token"] for row in csv.DictReader(file)}
            found, killed = play(server, tokens, items, kill=not wanted.no_kill)
            database = Database(f"sqlite:///{folder / 'served' / NAME}")
            wait_for_verdicts(database, len(items))
            require_nothing_lost(database, items, found)
            with database.reading() as session:
                times = session.execute(
                    select(Submission.received_at, Grading.graded_at)
                    .join(Grading, Grading.submission_id == Submission.id)
                    .order_by(Grading.graded_at)
                ).all()
            database.close()
        finally:
            server.end()
        half = len(times) // 2  # the second, in which the server neither starts nor is killed
        rate = (len(times) - 1 - half) / (times[-1][1] - times[half][1])
        peer = grade_plainly(folder, items[: max(wanted.peer, 4)], wanted.jobs)
        print("\n".join(report(found, killed, [graded - received for received, graded in times], rate, peer)))


if __name__ == "__main__":
    try:
        main()
    except BenchmarkError as error:
        sys.exit(f"benchmarks/serve.py: {error}")
