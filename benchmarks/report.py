"""How the report grows with a class: seconds, memory and size of the report, of nbconvert's pages beside it, and how
long a browser takes to open it. Seconds of writing are the processor's; of opening, the clock's. benchmarks/README.md.

python benchmarks/report.py [--graded DIR] [--students 400 10000]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import measuring

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "tests" / "submissions" / "vae"
PEER_PAGES = 6
OPENINGS = 5


def make_class(graded: Path, count: int, out: Path) -> None:
    """Results of `count` students in `out`: each has the notebook of one of the graded ones, and the verdicts of its
    exercises changed here and there for those of another."""
    from autograder.results import files
    from autograder.results.reading import read_results
    from autograder.results.writing import write_run

    run = read_results(graded).run
    random = Random(0)
    (out / "executed").mkdir(parents=True)
    students = []
    for number in range(count):
        own = run.submissions[number % len(run.submissions)]
        other = random.choice(run.submissions)
        pairs = zip(own.exercises, other.exercises, strict=True)
        exercises = [theirs if random.random() < 0.2 else mine for mine, theirs in pairs]
        name = f"student{number:05}"
        students.append(
            own.model_copy(
                update={
                    "student": name,
                    "path": f"{name}.ipynb",
                    "exercises": exercises,
                    "score": sum(item.score for item in exercises),
                }
            )
        )
        os.link(files.notebook_path(graded, own.student), files.notebook_path(out, name))
    write_run(out, run.model_copy(update={"submissions": students}), [])


def processor_seconds(action: Callable[[], Any]) -> float:
    """What others do on the machine does not count."""
    begun = time.process_time()
    action()
    return time.process_time() - begun


def report(out: str) -> dict[str, float]:
    """Write the report, then once more when one student's result has changed."""
    from autograder import course
    from autograder.reports.report import write_report
    from autograder.results.reading import read_results

    run = read_results(Path(out)).run
    source = course.read_source(run.assignment)
    before = measuring.peak_memory()
    first = processor_seconds(lambda: write_report(Path(out), run, source))
    peak = measuring.peak_memory()
    changed = run.submissions[0].model_copy(update={"digest": "changed"})
    again = run.model_copy(update={"submissions": [changed, *run.submissions[1:]]})
    return {
        "first": first,
        "again": processor_seconds(lambda: write_report(Path(out), again, source)),
        "results": before,
        "above": peak - before,
    }


def pages(folder: str, count: int) -> dict[str, float]:
    """Pages of nbconvert's, of the first notebooks of a folder."""
    from nbconvert import HTMLExporter

    exporter, size = HTMLExporter(), 0
    notebooks = sorted(Path(folder).glob("*.ipynb"))[:count]

    def convert() -> None:
        nonlocal size
        size += sum(len(exporter.from_filename(str(path))[0].encode()) for path in notebooks)

    seconds = processor_seconds(convert)
    return {"seconds": seconds / len(notebooks), "bytes": size / len(notebooks)}


def opened(page: str) -> dict[str, float]:
    """The median of the seconds until a page is loaded and has drawn its next frame, and until it is filtered."""
    from statistics import median

    from playwright.sync_api import sync_playwright

    loads, filters = [], []
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for _ in range(OPENINGS):
            view = browser.new_page(viewport={"width": 1280, "height": 900})
            frame = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
            loads.append(measuring.seconds(lambda: (view.goto(Path(page).as_uri()), view.evaluate(frame))))  # noqa: B023
            filters.append(
                measuring.seconds(lambda: (view.fill("#search", "99"), view.evaluate(frame)))  # noqa: B023
            )
            view.close()
        browser.close()
    return {"load": median(loads), "search": median(filters)}


def measure(graded: Path, students: int) -> None:
    with tempfile.TemporaryDirectory(dir=graded) as folder:
        out = Path(folder) / "class"
        make_class(graded, students, out)
        ours: dict[str, Any] = measuring.answer("report.py", threads=1, what="report", out=str(out))
        peer = measuring.answer("report.py", threads=1, what="pages", folder=str(out / "executed"), count=PEER_PAGES)
        seen = measuring.answer("report.py", threads=1, what="opened", page=str(out / "report.html"))
        index = (out / "report.html").stat().st_size
        all_pages = sum(path.stat().st_size for path in (out / "report" / "students").iterdir())
        print(f"\n{students} students")
        print(f"  report.html         {index / 1e6:8.2f} MB, pages of students {all_pages / 1e6:.0f} MB")
        print(f"  written             {ours['first']:8.1f} s; once more, one student changed {ours['again']:.1f} s")
        print(f"  memory              {ours['above']:8.0f} MB above the results themselves ({ours['results']:.0f} MB)")
        print(f"  opened in chromium  {seen['load']:8.2f} s; a search {seen['search']:.2f} s")
        seconds, size = peer["seconds"] * students, peer["bytes"] * students
        print(f"  nbconvert's pages   {seconds:8.1f} s, {size / 1e6:.0f} MB, from {PEER_PAGES} of them")
        print(
            f"  ratios              {seconds / ours['first']:8.1f} in seconds, {size / (index + all_pages):.1f} in size"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--graded", type=Path, help="A folder that grade wrote; else the sample submissions are graded."
    )
    parser.add_argument("--students", type=int, nargs="+", default=[400, 10_000])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        graded = arguments.graded or Path(folder)
        if not arguments.graded:
            command = [sys.executable, "-m", "autograder", "grade", "vae", str(SAMPLES), "--out", folder]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for students in arguments.students:
            measure(graded.resolve(), students)


REQUESTS = {"report": report, "pages": pages, "opened": opened}

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1].startswith("{"):
        measuring.serve(REQUESTS)
    else:
        main()
