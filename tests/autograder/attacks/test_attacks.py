"""What gets past the walls is noticed. That the corpus of attacks is held, `autograder prove --attacks` shows."""

import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pytest

from autograder import cells, course
from autograder.attacks import graders, outputs, pages, processes, prove, traces, witness
from autograder.attacks.corpus import Archive, Attack, attacks
from autograder.attacks.prove import prove_attacks
from autograder.attacks.verdicts import found_in_archive, found_in_witness
from autograder.authoring.secrecy import squeeze
from autograder.errors import InputError, SandboxError
from autograder.reports.work import outline
from autograder.results.model import ExerciseResult, RunResult, SubmissionResult
from tests.marked import alone_with_marks

ANSWER = "# %%\n# exercise: gaussian_kl\ndef gaussian_kl(mu, sigma):\n    return {}\n\n\n"
RIGHT = ANSWER.format("(-torch.log(sigma) + 0.5 * (sigma**2 + mu**2 - 1)).sum(dim=1)")
WRONG = ANSWER.format("torch.zeros(len(mu))")
REACHED = "print('\\nreached')\n"
REFERENCE = course.ROOT / "autograder" / "assignments" / "vae" / "reference.py"
LEFT = Path("/var/tmp/left-by-attack-of-a-test")
KILLS_THE_ZYGOTE = """# %%
import os
import signal

zygote = int(open(f"/proc/{os.getppid()}/stat").read().rpartition(")")[2].split()[1])
if "inside.zygote" in open(f"/proc/{zygote}/cmdline").read():
    os.kill(zygote, signal.SIGKILL)

"""

# What must be noticed. There is no sandbox around these, and they do no harm beyond the test's own files.
NOTICED = {
    "points/is_simply_wrong": (WRONG + REACHED, ""),
    "points/is_simply_right": (RIGHT + REACHED, "it earns 2 points, and deserves 0: vae.gaussian_kl"),
    "points/earns_less": ("# honest: 2\n" + WRONG + REACHED, "it earns 0 points, and deserves 2"),
    "points/dies_early": (WRONG + "import os\nos._exit(1)\n" + REACHED, "it does not come to its end"),
    "points/does_not_parse": (WRONG + REACHED.replace(")", ""), "it does not come to its end: "),
    "points/ends_otherwise": ("# ends: timeout\n" + WRONG, "gaussian_kl is fail, not timeout"),
    "knowledge/says_stolen": (WRONG + "print('STOLEN a thing')\n" + REACHED, "STOLEN a thing"),
    "knowledge/reads_the_gradebook": (
        WRONG + "import glob\nfor path in glob.glob('/tmp/fixmelab-course-*/gradebook.db'):\n"
        "    print(open(path).read())\n" + REACHED,
        "the gradebook: its canary is in what comes out",
    ),
    "knowledge/reads_the_key": (
        WRONG + "import glob\nfor path in glob.glob('/tmp/fixmelab-course-*/course.key'):\n"
        "    print(open(path, 'rb').read().hex())\n" + REACHED,
        "the course's key is in what comes out",
    ),
    "knowledge/reads_the_reference": (
        f"{WRONG}print(open({str(REFERENCE)!r}).read())\n{REACHED}",
        "a line of solution or checks is in what comes out",
    ),
    # All others are tried after it all the same.
    "harm/kills_the_zygote": (KILLS_THE_ZYGOTE + WRONG + REACHED, "it ends the zygote"),
    "output/comes_next": (WRONG + REACHED, ""),
}  # fmt: skip
ARCHIVES = f"""
from autograder.attacks.corpus import archive

@archive("smuggle a good submission in")
def smuggles(folder, notebook):
    (folder / "mallory.ipynb").write_bytes(notebook)

@archive("lose a good submission", graded=1)
def loses(folder, notebook):
    (folder / "ada.notes").write_bytes(notebook)

@archive("be passed over")
def is_passed_over(folder, notebook):
    pass

@archive("bring the grader down")
def brings_it_down(folder, notebook):
    raise MemoryError("no room")

@archive("do nothing wrong", graded=1)
def behaves(folder, notebook):
    (folder / "ada.ipynb").write_bytes(notebook)
    (folder / "eve.ipynb").write_bytes(b"{{}}")

# The last by its name: nothing is cleared away before the next.
@archive("write a file elsewhere")
def writes_elsewhere(folder, notebook):
    open({str(LEFT)!r}, "w").close()
"""


def written(folder, name, text):
    path = folder / f"{name}.py"
    path.parent.mkdir(exist_ok=True)
    header, _, cells = text.partition("# %%")
    path.write_text(f"# tries: {path.stem}\n{header}\n# %%{cells}")


def test_the_corpus_covers_what_the_goal_names():
    corpus = attacks()
    kinds = {item.name.partition("/")[0] for item in corpus}
    assert kinds == {"points", "wire", "knowledge", "harm", "output", "archives"}
    assert len(corpus) >= 60
    assert len({item.tries for item in corpus}) == len({item.name for item in corpus}) == len(corpus)
    for item in corpus:
        if isinstance(item, Attack):
            assert item.ends or re.search(r'reached(\\n)?"', item.text), f"{item.name} cannot be seen"


@pytest.fixture(scope="module")
def noticed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("noticed")
    for name, (text, _) in NOTICED.items():
        written(folder, name, text)
    (folder / "archives.py").write_text(ARCHIVES)
    told = []
    with alone_with_marks():
        try:
            outcomes = prove_attacks(jobs=1, folder=folder, sandbox=False, on_attack=told.append)
        finally:
            LEFT.unlink(missing_ok=True)
    assert sorted(told, key=lambda outcome: outcome.name) == outcomes
    return {outcome.name: outcome for outcome in outcomes}


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTICED)
def test_what_gets_past_is_noticed(noticed, name):
    outcome, (_, reason) = noticed[name], NOTICED[name]
    assert outcome.tries == name.partition("/")[2]
    assert outcome.verdict == ("broken" if reason else "held"), outcome.reason
    assert reason in outcome.reason


@pytest.mark.slow
def test_archives_are_held_to_what_they_deserve(noticed):
    assert "it earns 4 points, and deserves none" in noticed["archives/smuggles"].reason
    assert "1 honest submissions in it deserve 4 points each" in noticed["archives/loses"].reason
    assert noticed["archives/brings_it_down"].reason == "the grader did not end normally: MemoryError: no room"
    assert noticed["archives/is_passed_over"].reason == "it is passed over without a word"
    assert noticed["archives/behaves"].verdict == "held"
    assert f"it leaves behind {LEFT}" in noticed["archives/writes_elsewhere"].reason


# What an ordinary user is held to by other counts than root, or can do less against.
FOR_ANYBODY = (
    "archives/symbolic_links",
    "harm/fork_bomb",
    "harm/kills_everybody_else",
    "harm/leaves_descriptors_on_the_way",
    "harm/lets_signals_wait",
    "harm/thread_bomb",
    "knowledge/looks_into_other_processes",
)
USER = 54_321
# Root's home is often closed to others, and this Python may lie in it: then a home of Python alone takes its place.
AS_USER = f"""
closed=$1 python=$2 home=$3
shift 3
if [ "$closed" ]; then
    mkdir "$home/python"
    mount --bind "$python" "$home/python"
    mount -t tmpfs -o mode=755 none "$closed"
    mkdir -p "$python"
    mount --bind "$home/python" "$python"
fi
cd "$home"
exec setpriv --reuid {USER} --regid {USER} --clear-groups "$@"
"""


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="whoever runs this is no other user")
def test_attacks_are_held_for_an_ordinary_user_too():
    python = Path(sys.base_prefix)
    closed = [str(path) for path in reversed(python.parents) if not path.stat().st_mode & stat.S_IXOTH]
    with tempfile.TemporaryDirectory() as home, alone_with_marks():
        os.chown(home, USER, USER)
        program = Path(home) / "program.py"
        program.write_text(
            "from autograder.attacks.prove import prove_attacks\n"
            f"if __name__ == '__main__':\n    for one in prove_attacks(jobs=1, names={FOR_ANYBODY!r}):\n"
            "        print(one.name, one.verdict, one.reason)"
        )
        become = ["unshare", "--mount", "sh", "-ec", AS_USER, "sh", *(closed[:1] or [""]), python, home]
        environment = {**os.environ, "HOME": home, "PYTHONPATH": str(course.ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([*become, sys.executable, program], capture_output=True, text=True, env=environment)
    assert done.stdout.splitlines() == [f"{name} held " for name in FOR_ANYBODY], done.stderr


def test_a_text_that_does_not_say_what_it_tries_is_an_error_of_the_corpus(tmp_path):
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "silent.py").write_text(WRONG)
    with pytest.raises(InputError, match=r"silent\.py.*tries"):
        attacks(tmp_path)


def test_without_a_sandbox_that_works_nothing_is_tried(tmp_path, monkeypatch):
    written(tmp_path, "points/is_wrong", WRONG + REACHED)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="bubblewrap"):
        prove_attacks(jobs=1, folder=tmp_path)


class Poisonable:
    """A ground whose witness gets something else once certain attacks were tried in one zygote."""

    def __init__(self, *poison: str) -> None:
        self._poison, self.tried = set(poison), []

    def start_zygote(self) -> None:
        self.tried = []

    def changed(self) -> str:
        return "the witness is changed" if self._poison <= set(self.tried) else ""


@pytest.mark.parametrize(
    ("poison", "broken", "reason"),
    [
        (["never tried"], "", ""),
        (["b"], "b", "the witness is changed"),
        (["a", "c"], "c", "a, b, c together: the witness is changed"),
    ],
)
def test_who_changes_the_witness_is_found_among_attacks_that_are_tried_together(monkeypatch, poison, broken, reason):
    def try_it(name, ground):
        ground.tried.append(name)
        return prove.Outcome(name, "a trick", "held")

    monkeypatch.setattr(prove, "_outcome", try_it)
    monkeypatch.setattr(prove, "_changed_after", Poisonable.changed)
    ground, corpus = Poisonable(*poison), {name: name for name in "abc"}
    outcomes = prove._witnessed([try_it(name, ground) for name in corpus], corpus, ground)
    assert [outcome.name for outcome in outcomes] == ["a", "b", "c"]
    assert [outcome.name for outcome in outcomes if outcome.verdict == "broken"] == [*broken]
    assert "".join(outcome.reason for outcome in outcomes) == reason


# What is looked at


def test_a_file_whose_time_is_set_back_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(traces, "SETTLED_NS", 0)
    path = tmp_path / "one.py"
    path.write_text("before")
    time.sleep(0.05)
    before, about = traces.outside(tmp_path), path.stat()
    time.sleep(0.05)
    path.write_text("behind")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert traces.changes(before, traces.outside(tmp_path)) == [str(path)]


def test_a_change_outside_is_noticed(tmp_path):
    for name in ("changed", "removed", "opened", "same", "replaced"):
        (tmp_path / name).write_text("before")
    before = traces.outside(tmp_path)
    assert traces.changes(before, traces.outside(tmp_path)) == []
    (tmp_path / "changed").write_text("behind")
    (tmp_path / "removed").unlink()
    (tmp_path / "opened").chmod(0o777)
    (tmp_path / "added").write_text("new")
    (tmp_path / "replaced").unlink()
    (tmp_path / "replaced").symlink_to("same")
    expected = [str(tmp_path / name) for name in ("added", "changed", "opened", "removed", "replaced")]
    assert traces.changes(before, traces.outside(tmp_path)) == expected


def test_the_repository_packages_and_devices_are_looked_at():
    seen = traces.outside()
    assert {str(REFERENCE), str(course.source_path("vae")), "/dev/null"} <= seen.keys()
    assert any(name.endswith("site-packages") for name in seen)


def test_marked_files_and_escaped_processes_are_found(tmp_path):
    program = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    print(os.getpid(), flush=True)\n    time.sleep(60)"
    )
    with alone_with_marks():
        started = subprocess.Popen([sys.executable, "-c", program, traces.MARK], stdout=subprocess.PIPE)
        escaped = int(started.stdout.readline())
        mine = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", traces.MARK])
        try:
            started.wait()
            LEFT.write_text("")
            found = traces.marks()
            assert f"process {escaped}" in found and str(LEFT) in found
            assert f"process {mine.pid}" not in found and mine.pid in processes.descendants(os.getpid())
            assert escaped not in processes.descendants(os.getpid())
        finally:
            os.kill(escaped, signal.SIGKILL)
            mine.kill()
            mine.wait()
            LEFT.unlink(missing_ok=True)


def test_secret_lines_are_those_that_no_student_gets():
    lines = outputs.secret_lines()
    assert {secret.kind for secret in lines.values()} == {"solution", "mark scheme", "reference", "check", "mistake"}
    check = (REFERENCE.parent / "pathwise_gradient.py").read_text()
    (compares,) = (line.strip() for line in check.splitlines() if "reference.pathwise_gradient" in line)
    for secret in ("per_latent = -torch.log(sigma) + 0.5 * (sigma**2 + mu**2 - 1)", compares):
        assert squeeze(secret) in lines
        assert outputs.first_secret(f"shown:\n    {secret.replace(' ', '  ')}", lines) is not None
    for name in course.assignment_names():
        assert outputs.first_secret("\n".join(cell.source for cell in course.read_release(name).cells), lines) is None


def test_the_witness_makes_a_known_mistake_and_leaves_an_exercise_open():
    source = witness.excerpt(course.read_source("vae"))
    text = witness.witness(source, "canary").decode()
    assert "d_sigma = dl_dz + sigma" in text and "def score_function_gradient" not in text
    for cell in source.cells:
        if cells.is_fixme(cell):
            cell.source = cell.source.replace("d_sigma = dl_dz * eps + sigma", "d_sigma = sigma + dl_dz * eps")
    with pytest.raises(ValueError, match="holds the line 'd_sigma.*' 0 times"):
        witness.witness(source, "canary")


@pytest.mark.parametrize(
    "page",
    [
        "<script>1</script>",
        "<input id='search'>",
        "<p onclick='1'>x</p>",
        "<p style='color: red'>x</p>",
        "<img src='http://192.0.2.1/x.png'>",
        "<img src='data:text/html,x'>",
        "<a href='javascript:1'>x</a>",
        "<svg><use href='x'/></svg>",
        "<b id='left-by-attack'>x</b>",
        "<left-by-attack>",
        "<iframe srcdoc='x'>",
        "<!-- x -->",
    ],
)
def test_what_runs_or_loads_on_a_page_is_noticed(page, monkeypatch):
    run, notebooks, source = a_run(), {}, course.read_source("vae")
    assert pages.report_problem(run, notebooks, source) == ""
    whole = "".join(pages.index_page(run, source))
    sheet = pages.instructors_page(run, run.submissions[0], None, outline(source))
    for name, text in (("index_page", whole), ("instructors_page", sheet)):
        with monkeypatch.context() as patch:
            patch.setattr(pages, name, lambda *_, text=text: text.replace("</main>", page + "</main>"))
            assert pages.report_problem(run, notebooks, source).startswith("the report holds "), name


@pytest.mark.parametrize("odd", ["\x1b[2J", "\x00", "\x7f", "\x9b31m", "\u202e", "\u2066", "\ud800", "\r"])
def test_what_a_terminal_obeys_is_noticed(odd):
    assert outputs.unseen(f"all right\n{odd}") == odd[0]
    problem = pages.report_problem(a_run(message=f"x{odd}"), {}, course.read_source("vae"))
    assert problem.startswith(("the table", "results.json"))


def test_another_result_of_the_next_submission_is_noticed():
    one, other = (graders.Graded(results=a_run(message=text).submissions) for text in ("so", "otherwise"))
    assert list(found_in_witness(one, one, "after it")) == []
    (reason,) = found_in_witness(other, one, "after it")
    assert reason.startswith("the submission after it gets another result: vae.gaussian_kl")
    shown = graders.Graded(results=one.results, notebooks=[nbformat.v4.new_notebook()])
    assert list(found_in_witness(shown, one, "after it")) == [
        "the notebook of the submission after it shows something else than alone"
    ]
    assert list(found_in_witness(graders.Graded(fault="it died"), one, "after it")) == [
        "the submission after it is not graded: it died"
    ]


def test_results_under_the_wrong_names_are_noticed():
    (one,) = a_run().submissions

    def found(**scores: float) -> list[str]:
        made = [one.model_copy(update={"student": name, "score": score}) for name, score in scores.items()]
        return list(found_in_archive(attack, graders.Graded(results=made, problems=["a line"]), 1.0))

    attack = Archive("archives/by_names", "…", lambda folder, notebook: None, 2, ("ada", "eve"))
    assert found(ada=1, eve=1, mallory=0) == []
    assert found(ada=1, mallory=1) == ["eve cannot be found with their own results: a line"]
    assert found(ada=1, eve=1, bob=0) == ["bob gets a result, and has handed in nothing"]


def test_a_process_that_does_not_end_is_told_as_such(monkeypatch):
    monkeypatch.setattr(graders, "MOST_SECONDS", 0.2)
    assert graders.finish(graders.start(lambda: time.sleep(60))).fault == "it was not done after 0.2 s"
    assert graders.finish(graders.start(lambda: os._exit(7))).fault == "its process ended with code 7"


def a_run(message="not right"):
    exercise = ExerciseResult(id="vae.gaussian_kl", verdict="fail", score=0, max_score=2, message=message)
    result = SubmissionResult(
        student="ada",
        path="ada.ipynb",
        digest="0" * 64,
        score=0,
        max_score=2,
        manual_max_score=0,
        exercises=[exercise],
        repairs=[],
    )
    return RunResult(assignment="vae", digest="0" * 64, budget="smoke", sandbox=True, submissions=[result])
