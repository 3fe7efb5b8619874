"""Runs notebooks in real kernels, with a judge that believes whatever the test cell tells it."""

import contextlib
import socket
import threading

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.utils import determine_grade

from autograder.cells import anchors
from autograder.errors import InputError
from autograder.grading import kernels
from autograder.grading.execute import execute
from autograder.judge.exercise import Exercise
from autograder.judge.verdict import Finding
from autograder.sandbox.limits import Limits

pytestmark = pytest.mark.slow
ADDRESSES = {}

# In place of fixmelab.probe, which imports torch: the verdict is the answer's own value at 2.
HIDDEN = """
### BEGIN HIDDEN TESTS
import os, socket
with socket.socket(socket.AF_UNIX) as line:
    line.connect(os.environ["FIXMELAB_JUDGE"])
    line.sendall(repr({name}(2)).encode())
    line.shutdown(socket.SHUT_WR)
    line.recv(1)
### END HIDDEN TESTS
"""
FINDINGS = {
    b"4": Finding("pass"),
    b"5": Finding("fail", "One too many.", "one_too_many"),
    b"6": Finding("fail", "Not 4."),
    b"7": Finding("fail", "Not 4. It looks odd.", clue="It looks odd."),
    b"8": Finding("fail", "Not 4.", earned=0.5, credit="0.5 of 1 points: for one, but not for two."),
    b"'missing'": Finding("missing", "This FIXME is not filled in yet."),
}


class FakeSession:
    def __init__(self, listener):
        self._listener, self._finding, self._over = listener, None, threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError), self._listener.accept()[0] as line:
                line.settimeout(5)
                heard = b"".join(iter(lambda: line.recv(100), b""))
                self._finding = FINDINGS.get(heard)
                return

    def close(self):
        self._over.set()
        self._thread.join()
        return self._finding


class FakeServer:
    opened: list = []

    def __init__(self, path):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(0.05)

    def open(self, exercise, seed, seconds):
        FakeServer.opened.append((exercise.id, seed))
        return FakeSession(self._listener)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()


def code(source, tags=(), **nbgrader):
    metadata = {"nbgrader": {"schema_version": 3, "locked": False, "grade": False, "solution": False, **nbgrader}}
    return new_code_cell(source, metadata=metadata | ({"tags": list(tags)} if tags else {}))


def fixme(name, body):
    return code(f"# exercise: {name}\n{body}", grade_id=name, solution=True)


def check_of(name, visible=""):
    source = visible + HIDDEN.format(name=name)
    return code(source, grade_id=f"test_{name}", grade=True, locked=True, points=1)


def double(name, body="return 2 * x"):
    return fixme(name, f"def {name}(x):\n    {body}")


def bare_check_of(name, source):
    return code(source, grade_id=f"test_{name}", grade=True, locked=True, points=1)


def keep(source):
    cell = code(source, tags=["train"], grade_id="cell-1", locked=True)
    cell.outputs = [new_output("stream", name="stdout", text="epoch 1\n")]
    return cell


def instructors(cells):
    """The source of a notebook: the same cells, and a solution under each anchor."""
    solution = "# exercise: {}\n### BEGIN SOLUTION\npass\n### END SOLUTION\n"
    made = [cell.copy() for cell in cells]
    for cell in made:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = "".join(solution.format(name) for name in anchors(cell))
    return new_notebook(cells=made)


@pytest.fixture(autouse=True, scope="module")
def addresses(zygote, unconfined_zygote):
    ADDRESSES.update({True: zygote, False: unconfined_zygote})


def run(*cells, limits=None, source=None, sandbox=True):
    notebook = new_notebook(cells=list(cells))
    ids = [cell.metadata.nbgrader.grade_id for cell in cells if cell.metadata.get("nbgrader", {}).get("grade")]
    FakeServer.opened = []
    return execute(
        notebook,
        source=source or instructors(cells),
        exercises={id[5:]: Exercise(f"vae.{id[5:]}", check=None) for id in ids},
        seed=lambda id: f"seed of {id}".encode(),
        budget="smoke",
        zygote=ADDRESSES[sandbox],
        limits=limits,
        server=FakeServer,
    )


def text(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


@pytest.fixture(scope="module")
def ordinary():
    """The execution of a notebook with every ordinary way of being right and wrong, and its cells by grade id."""
    cells = [
        new_markdown_cell("# Title"),
        code("import os\nprint('setup', os.environ['FIXMELAB_BUDGET'])", grade_id="setup"),
        double("right"),
        check_of("right", "assert right(1) == 2"),
        double("named", "return 2 * x + 1"),
        check_of("named"),
        double("visible", "return 2 * x + 1"),
        check_of("visible", "assert visible(1) == 2, 'at 1 it gives 3'"),
        double("unnamed", "return 3 * x"),
        check_of("unnamed", r"assert unnamed(1) == 2, '\x1b[31mfor 1 it \x00should be 2 ' + repr(unnamed)"),
        double("wordless", "return 3 * x"),
        check_of("wordless", "one = 1\nassert wordless(one) == 2"),
        double("raising", "y = x\n    return y / 0"),
        check_of("raising"),
        double("open_one", 'raise NotImplementedError("FIXME: open_one")'),
        check_of("open_one", "assert open_one(1) == 2"),
        double("told_open", "return 'missing'"),
        check_of("told_open"),
        double("leaning", "return named(x)"),
        check_of("leaning"),
        double("leaning_on_open", "return open_one(x)"),
        check_of("leaning_on_open"),
        double("straying", "return table * x"),
        check_of("straying", "table = 3\nassert straying(1) == 2, 'at 1 it gives 3'"),
        fixme("broken", "def broken(x)\n    return 2 * x"),
        check_of("broken", "assert broken(1) == 2"),
        double("silent"),
        bare_check_of("silent", "assert silent(2) == 4"),
        double("late"),
        bare_check_of("late", HIDDEN.format(name="late") + "\nassert late(1) == 3, 'after the check'"),
        fixme("one", "def one(x):\n    return 2 * x\n# exercise: two\ndef two(x):\n    return one(x) + named(x)"),
        check_of("one"),
        check_of("two"),
        code("1/0", grade_id="failing"),
        double("after"),
        check_of("after"),
        double("odd", "return 3 * x + 1"),
        check_of("odd", "assert odd(1) == 2, 'at 1 it gives 4'"),
        double("half", "return 4 * x"),
        check_of("half", "assert half(1) == 2, 'at 1 it gives 4'"),
        keep("raise SystemError('not run')"),
    ]
    execution = run(*cells)
    return execution, {cell.metadata.nbgrader.get("grade_id"): cell for cell in execution.notebook.cells[1:]}


def found(ordinary, name):
    finding = ordinary[0].findings[name]
    return finding.verdict, finding.message, finding.mistake


def test_a_right_answer_passes_and_the_judge_gets_its_seed(ordinary):
    assert found(ordinary, "right") == ("pass", "", None)
    assert ("vae.right", b"seed of vae.right") in FakeServer.opened


def test_what_the_judge_finds_is_the_verdict(ordinary):
    assert found(ordinary, "named") == ("fail", "One too many.", "one_too_many")


def test_a_mistake_that_the_judge_knows_is_named_after_a_visible_assertion(ordinary):
    assert found(ordinary, "visible") == ("fail", "One too many.", "one_too_many")


def test_what_unknown_numbers_look_like_is_told_after_the_text_of_a_visible_assertion(ordinary):
    assert found(ordinary, "odd") == ("fail", "at 1 it gives 4. It looks odd.", None)


def test_parts_that_are_right_earn_their_points_though_a_visible_assertion_fails(ordinary):
    execution = ordinary[0]
    finding = execution.findings["half"]
    said = "0.5 of 1 points: for one, but not for two. at 1 it gives 4"
    assert (finding.verdict, finding.message, finding.earned) == ("fail", said, 0.5)
    named = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in execution.notebook.cells}
    assert determine_grade(named["test_half"]) == (0.5, 1)


def test_a_visible_assertion_fails_with_its_text_made_safe(ordinary):
    assert found(ordinary, "unnamed") == ("fail", "for 1 it  should be 2 <function unnamed at 0x…>", None)


def test_an_assertion_without_a_text_is_quoted(ordinary):
    assert found(ordinary, "wordless") == ("fail", "This does not hold: wordless(one) == 2", None)


def test_an_exception_comes_with_the_line_of_the_answer(ordinary):
    message = "ZeroDivisionError: division by zero (line 4 of the cell raising)"
    assert found(ordinary, "raising") == ("error", message, None)


def test_an_open_fixme_is_missing(ordinary):
    assert found(ordinary, "open_one") == ("missing", "This FIXME is not filled in yet.", None)


def test_missing_is_what_is_not_filled_in_and_not_what_the_judge_ran_into(ordinary):
    assert found(ordinary, "told_open") == ("error", "It uses a FIXME that is not filled in yet.", None)


def test_an_answer_that_uses_a_failed_one_says_so(ordinary):
    message = "One too many. It uses named, which has not passed; mend that first."
    assert found(ordinary, "leaning") == ("fail", message, "one_too_many")
    message = "It uses open_one, which is not filled in yet; do that first."
    assert found(ordinary, "leaning_on_open") == ("error", message, None)


def test_an_answer_that_reads_a_variable_of_the_notebook_is_told_so(ordinary):
    message = "at 1 it gives 3. It reads table, a variable of the notebook: all that it needs comes with its arguments."
    assert found(ordinary, "straying") == ("fail", message, None)


def test_an_answer_that_does_not_parse_is_told_by_its_own_error(ordinary):
    assert found(ordinary, "broken") == ("error", "SyntaxError: expected ':' (line 2 of the cell broken)", None)


def test_a_check_that_never_came_to_the_judge_is_no_pass(ordinary):
    assert found(ordinary, "silent") == ("error", "The check of this exercise did not run to its end.", None)


def test_a_pass_needs_a_test_cell_that_ends_well(ordinary):
    assert found(ordinary, "late") == ("fail", "after the check", None)


def test_several_exercises_in_one_cell_are_told_apart(ordinary):
    assert found(ordinary, "one") == ("pass", "", None)
    verdict, message, _ = found(ordinary, "two")
    assert (verdict, message.endswith("It uses named, which has not passed; mend that first.")) == ("error", True)


def test_a_failing_cell_does_not_stop_the_rest(ordinary):
    execution, cells = ordinary
    assert cells["failing"].outputs[0].ename == "ZeroDivisionError"
    assert found(ordinary, "after") == ("pass", "", None)


def test_outputs_are_kept_and_verdicts_are_the_outputs_of_test_cells(ordinary):
    _, cells = ordinary
    assert text(cells["setup"]) == "setup smoke\n"
    assert text(cells["test_right"]) == "pass\n"
    (output,) = cells["test_named"].outputs
    assert (output.output_type, output.ename, output.evalue) == ("error", "fail", "One too many.")
    shown = str([cell.outputs for name, cell in cells.items() if str(name).startswith("test_")])
    assert "FIXMELAB_JUDGE" not in shown and "sendall" not in shown


def test_the_outputs_of_all_cells_together_are_bounded():
    """A small notebook of many cells would become hundreds of megabytes."""
    printing = [code("print('x' * 300)") for _ in range(100)]
    cells = run(*printing, double("first"), check_of("first"), limits=Limits(output=1000)).notebook.cells
    shown = [text(cell)[0] for cell in cells[:100]]
    kept = shown.count("x")
    assert 25_000 / 500 < kept < 25_000 / 300
    assert shown == ["x"] * kept + ["["] * (100 - kept)


def test_training_cells_keep_the_students_outputs(ordinary):
    _, cells = ordinary
    assert text(cells["cell-1"]) == "epoch 1\n"


def test_hanging_and_dying_answers_cost_only_their_own_exercises():
    execution = run(
        code("setup = 1\nprint('once')"),
        double("first", "return x + setup + 1"),
        check_of("first"),
        fixme("stuck", "while True: pass"),
        check_of("stuck"),
        double("hangs", "while True:\n        pass"),
        check_of("hangs", "assert hangs(1) == 2"),
        double("dies", "import os\n    os._exit(0)"),
        code("dies(1)"),
        check_of("dies"),
        fixme("leaves", "def leaves(x): return 2 * x\nexit()"),
        check_of("leaves"),
        double("uses", "return hangs(x)"),
        check_of("uses"),
        double("last", "return first(x) * setup"),
        check_of("last"),
        limits=Limits(cell=2),
    )
    verdicts = {name: finding.verdict for name, finding in execution.findings.items()}
    assert verdicts == {
        "first": "pass",
        "stuck": "timeout",
        "hangs": "timeout",
        "dies": "crashed",
        "leaves": "crashed",
        "uses": "timeout",
        "last": "pass",
    }
    messages = {name: finding.message for name, finding in execution.findings.items()}
    assert "line 2 of the cell stuck" in messages["stuck"]
    assert "line 3 of the cell hangs" in messages["hangs"] or "line 4 of the cell hangs" in messages["hangs"]
    assert messages["uses"].endswith("It uses hangs, which has not passed; mend that first.")
    cells = execution.notebook.cells
    assert text(cells[0]) == "once\n"
    assert "left out from here on" in text(cells[8])


def test_a_cell_that_ends_the_kernel_only_when_it_runs_again_is_left_out_then():
    # A mark outside the kernel: the judge's socket has been connected to before or not makes no mark, time does.
    flip = "import time, os\nif time.time() > LIMIT: os._exit(0)\nvalue = 2"
    import time

    execution = run(
        double("before"),
        code(flip.replace("LIMIT", str(time.time() + 3))),
        fixme("stuck", "while True: pass"),
        check_of("stuck"),
        check_of("before"),
        limits=Limits(cell=4),
    )
    assert {name: finding.verdict for name, finding in execution.findings.items()} == {
        "stuck": "timeout",
        "before": "pass",
    }
    assert "left out from here on" in text(execution.notebook.cells[1])


def test_a_kernel_that_dies_between_two_cells_is_the_doing_of_the_first():
    later = "import os, threading\nthreading.Timer(0.2, os._exit, (0,)).start()"
    execution = run(
        fixme("sly", later),
        code("import time\nwhile True: time.sleep(0.01)"),
        double("fine"),
        check_of("fine"),
        check_of("sly"),
        limits=Limits(idle=1),
    )
    assert execution.findings["fine"].verdict == "pass"
    assert execution.findings["sly"].verdict != "pass"


def test_the_whole_notebook_has_its_time():
    execution = run(
        double("quick"),
        check_of("quick"),
        code("while True: pass"),
        double("never"),
        check_of("never"),
        limits=Limits(cell=60, notebook=2),
    )
    assert execution.findings["quick"].verdict == "pass"
    assert execution.findings["never"] == Finding(
        "timeout", "The whole notebook took more than 2 s: this was not reached."
    )


def test_a_notebook_that_ends_kernels_without_end_is_not_run_any_further(monkeypatch):
    """Each kernel runs again all that came before it, so that many would cost the square of the cells."""
    monkeypatch.setattr(kernels, "MOST_KERNELS", 5)
    ends = [cell for number in range(20) for cell in (code(f"x{number} = 1"), code("import os; os._exit(0)"))]
    execution = run(double("quick"), check_of("quick"), *ends, double("never"), check_of("never"))
    assert execution.findings["quick"].verdict == "pass"
    assert execution.findings["never"] == Finding(
        "crashed", "Cells ended the kernel again and again: this was not reached."
    )
    counts = [cell.execution_count for cell in execution.notebook.cells]
    assert sum(count is not None for count in counts) < 20


def test_without_the_sandbox_the_verdicts_are_the_same():
    cells = [
        double("right"),
        check_of("right"),
        double("dies", "import os; os._exit(1)"),
        check_of("dies"),
        double("more"),
        check_of("more"),
    ]
    execution = run(*cells, sandbox=False)
    assert [finding.verdict for finding in execution.findings.values()] == ["pass", "crashed", "pass"]


def test_exercises_are_known_by_the_source_where_the_student_removed_the_anchors():
    source = new_notebook(cells=[
        fixme("one", "def one(x):\n    return 2 * x\n# exercise: two\ndef two(x):\n    return 2 * x"),
        check_of("one"),
        check_of("two"),
    ])  # fmt: skip
    answer = code("def one(x) return 2 * x\ndef two(x): return 2 * x", grade_id="one", solution=True)
    execution = run(answer, *source.cells[1:], source=source)
    for name in ("one", "two"):
        assert execution.findings[name].verdict == "error"
        assert execution.findings[name].message.startswith("SyntaxError")


def test_a_test_cell_without_a_check_is_an_error_of_the_course():
    notebook = new_notebook(cells=[check_of("nobody")])
    with pytest.raises(InputError, match="test_nobody.*has no check"):
        execute(
            notebook,
            source=notebook,
            exercises={},
            seed=str.encode,
            budget="smoke",
            zygote=ADDRESSES[True],
            server=FakeServer,
        )
