"""The whole build: what is written, what is refused, what --check says."""

import os

import nbformat
import pytest

from autograder.authoring import importing
from autograder.authoring.build import build, repository_of
from autograder.authoring.declared import checked_exercises
from autograder.authoring.new import write_new
from autograder.errors import InputError, UsageError

OTHER = "# %% [markdown] minutes=1\n# # Other\n\n# %%\nprint('two forms')\n"


def snapshot(root):
    return {
        path.relative_to(root).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in root.rglob("*")
        if path.is_file()
    }


def test_build_writes_source_and_release(tiny_course):
    (built,) = build(root=tiny_course)
    assert (built.name, built.exercises, built.points, built.changed) == ("tiny", 4, 7.5, True)
    assert built.source == tiny_course / "source/tiny/tiny.ipynb"
    assert built.release == tiny_course / "release/tiny/tiny.ipynb"
    for path in (built.source, built.release):
        nbformat.validate(nbformat.read(path, as_version=nbformat.NO_CONVERT))
        assert os.listdir(path.parent) == ["tiny.ipynb"]


def test_a_second_build_changes_nothing(tiny_course):
    build(root=tiny_course)
    before = snapshot(tiny_course)
    (built,) = build(["tiny"], root=tiny_course)
    assert snapshot(tiny_course) == before
    assert not built.changed


def test_check_passes_what_was_built_and_writes_nothing(tiny_course):
    build(root=tiny_course)
    before = snapshot(tiny_course)
    (built,) = build(check=True, root=tiny_course)
    assert snapshot(tiny_course) == before
    assert not built.changed


def test_check_names_what_is_missing_or_stale(tiny_course):
    before = snapshot(tiny_course)
    with pytest.raises(InputError) as caught:
        build(check=True, root=tiny_course)
    assert str(caught.value).splitlines() == [
        "source/tiny/tiny.ipynb is out of date: run autograder build tiny",
        "release/tiny/tiny.ipynb is out of date: run autograder build tiny",
        "README.md is out of date: run autograder build",
    ]
    assert snapshot(tiny_course) == before
    build(root=tiny_course)
    text = tiny_course / "notebooks/tiny.py"
    text.write_text(text.read_text().replace("# not its square", "# linear"))
    with pytest.raises(InputError) as caught:
        build(check=True, root=tiny_course)
    assert str(caught.value) == "source/tiny/tiny.ipynb is out of date: run autograder build tiny"


def test_check_looks_for_leaks_in_what_lies_on_disk(tiny_course):
    (built,) = build(root=tiny_course)
    built.release.write_text(built.release.read_text().replace("import math", "mu + sigma**2 * eps"))
    with pytest.raises(InputError) as caught:
        build(check=True, root=tiny_course)
    leak, stale = str(caught.value).splitlines()
    assert leak == "leak: release/tiny/tiny.ipynb, cell 3, line 1: mistake: mu + sigma**2 * eps"
    assert stale == "release/tiny/tiny.ipynb is out of date: run autograder build tiny"


def test_nothing_is_written_where_something_leaks(tiny_course):
    (tiny_course / "fixmelab/help.py").write_text("def f(mu, scaled):\n    return mu + scaled\n")
    before = snapshot(tiny_course)
    with pytest.raises(InputError, match=r"^leak: fixmelab/help.py, line 2: solution: return mu \+ scaled$"):
        build(root=tiny_course)
    assert snapshot(tiny_course) == before


def test_the_secrets_of_all_notebooks_are_guarded(tiny_course):
    (tiny_course / "notebooks/other.py").write_text(OTHER)
    (tiny_course / "autograder/assignments/other").mkdir()
    (tiny_course / "fixmelab/help.py").write_text("def f(mu, scaled):\n    return mu + scaled\n")
    with pytest.raises(InputError, match="fixmelab/help.py, line 2: solution"):
        build(["other"], root=tiny_course)


def test_only_the_named_notebook_is_built(tiny_course):
    (tiny_course / "notebooks/other.py").write_text(OTHER)
    (tiny_course / "autograder/assignments/other").mkdir()
    assert [built.name for built in build(["other"], root=tiny_course)] == ["other"]
    assert not (tiny_course / "source/tiny").exists()
    assert [built.name for built in build(root=tiny_course)] == ["other", "tiny"]


@pytest.mark.parametrize("parent", ["source", "release"])
def test_a_folder_without_its_text_is_named(tiny_course, parent):
    (tiny_course / parent / "gone").mkdir(parents=True)
    with pytest.raises(InputError, match=f"^{parent}/gone is left over: there is no notebooks/gone.py"):
        build(check=True, root=tiny_course)


def test_an_unknown_name_gets_the_nearest(tiny_course):
    with pytest.raises(InputError, match="there is no assignment 'tny'; did you mean tiny"):
        build(["tny"], root=tiny_course)


def test_a_course_without_texts_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no text"):
        build(root=tmp_path)


def test_an_assignment_needs_its_folder_and_a_module_an_exercise(tiny_course):
    folder = tiny_course / "autograder/assignments/tiny"
    module, order = folder / "second_half.py", folder / "__init__.py"
    written, named = module.read_text(), order.read_text()
    module.write_text(written.replace("tiny.second_half", "tiny.last_half"))
    with pytest.raises(InputError, match=r'tiny/second_half.py: write one @exercise\("tiny.second_half"\) above'):
        build(root=tiny_course)
    module.write_text(written.replace('@exercise("tiny.second_half")\n', ""))
    with pytest.raises(InputError, match=r'tiny/second_half.py: write one @exercise\("tiny.second_half"\) above'):
        build(root=tiny_course)
    module.write_text("def broken(:\n")
    with pytest.raises(InputError, match=r"^autograder/assignments/tiny/second_half.py:1: "):
        build(root=tiny_course)
    module.unlink()
    with pytest.raises(InputError, match=r"tiny/__init__.py: 'second_half' has no module"):
        build(root=tiny_course)
    order.write_text(named.replace(', "second_half"', ""))
    with pytest.raises(InputError, match=r"notebooks/tiny.py:73: 'tiny.second_half' has no check; .*_half.py"):
        build(root=tiny_course)
    module.write_text(written)
    with pytest.raises(InputError, match=r"tiny/__init__.py: 'second_half' is missing"):
        build(root=tiny_course)
    order.write_text(named.replace('"first_half", "second_half"', '"second_half", "first_half"'))
    with pytest.raises(InputError, match=r"not in the notebook's order: 'first_half' comes before 'second_half' there"):
        build(root=tiny_course)
    order.write_text(named)
    assert checked_exercises("tiny", tiny_course) == ["tiny.mix_noise", "tiny.first_half", "tiny.second_half"]
    (tiny_course / "notebooks/other.py").write_text(OTHER)
    with pytest.raises(InputError, match=r"^notebooks/other.py: there is no folder autograder/assignments/other"):
        build(root=tiny_course)


@pytest.mark.parametrize("url", ["https://github.com/owner/course", "https://github.com/owner/course.git"])
def test_repository_is_read_from_the_package(tiny_course, url):
    (tiny_course / "pyproject.toml").write_text(f"[project.urls]\nRepository = '{url}'\n")
    assert repository_of(tiny_course) == "owner/course"


@pytest.mark.parametrize("content", ["", "[project", "[project.urls]\nRepository = 'https://example.org/x'\n"])
def test_a_package_without_repository_is_refused(tiny_course, content):
    (tiny_course / "pyproject.toml").write_text(content)
    with pytest.raises(InputError, match=r"\[project.urls\] needs Repository"):
        repository_of(tiny_course)


def test_a_file_that_cannot_be_written_is_one_line(tiny_course):
    (tiny_course / "source").write_text("a file where a folder belongs")
    with pytest.raises(InputError, match="source/tiny/tiny.ipynb cannot be written: Not a directory"):
        build(root=tiny_course)


SECOND = '\n\n@mistake("Another.")\ndef scales_by_variance(mu, sigma, eps):\n    return mu\n'


@pytest.mark.parametrize(
    ("file", "added", "said"),
    [
        ("mix_noise.py", SECOND, r"mix_noise.py:\d+: scales_by_variance stands at line 17 already"),
        ("mix_noise.py", "\n\ndef mix_noise():\n    pass\n", r"mix_noise.py:\d+: mix_noise stands at line 12 already"),
        ("reference.py", SECOND, r"reference.py:\d+: a mistake stands where no exercise is"),
        ("mix_noise.py", "\ndef (\n", r"mix_noise.py:\d+: "),
        ("reference.py", "\ndef (\n", r"reference.py:\d+: "),
    ],
)
def test_what_an_author_gets_wrong_in_a_module_is_one_line_with_its_place(tiny_course, file, added, said):
    path = tiny_course / "autograder/assignments/tiny" / file
    path.write_text(path.read_text() + added)
    with pytest.raises(InputError, match=rf"^autograder/assignments/tiny/{said}") as raised:
        build(root=tiny_course)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            '{"mean": 1, "noise": 1.5}',
            "its parts are worth 2.5 points together, and notebooks/tiny.py gives mix_noise 2; make them equal",
        ),
        ('{"mean": HALF, "noise": 1}', 'write the parts as {"name": points, …}, in plain numbers'),
        ('["mean", "noise"]', 'write the parts as {"name": points, …}, in plain numbers'),
    ],
)
def test_parts_that_are_not_worth_their_exercise_are_one_line_with_its_place(tiny_course, parts, said):
    path = tiny_course / "autograder/assignments/tiny/mix_noise.py"
    declared = '@exercise("tiny.mix_noise"'
    path.write_text(path.read_text().replace(f"{declared})", f"{declared}, parts={parts})"))
    with pytest.raises(InputError) as raised:
        build(root=tiny_course)
    assert str(raised.value) == f"autograder/assignments/tiny/mix_noise.py:11: {said}"
    path.write_text(path.read_text().replace(parts, '{"mean": 0.5, "noise": 1.5}'))
    build(root=tiny_course)


def test_a_module_that_raises_when_it_is_imported_is_one_line_with_its_place(monkeypatch, tiny_course):
    path = tiny_course / "autograder/assignments/tiny/mix_noise.py"
    path.write_text("x = 1\nthere_is_no_such_name(\n    x)\n")

    def raising(name):
        exec(compile(path.read_text(), str(path), "exec"), {})

    monkeypatch.setattr(importing, "exercises_of", raising)
    with pytest.raises(InputError, match=r"^autograder/assignments/tiny/mix_noise.py:2: NameError: name 'there_is_no"):
        importing.require_importable("tiny", tiny_course)


@pytest.mark.parametrize("name", ["Flows", "2d", "a-b", "", "../x"])
def test_a_name_that_no_notebook_can_have_is_refused(tiny_course, name):
    with pytest.raises(UsageError, match="cannot name a notebook"):
        write_new(name, tiny_course)


def test_a_new_notebook_takes_no_name_that_is_there(tiny_course):
    with pytest.raises(InputError, match="notebooks/tiny.py is there already"):
        write_new("tiny", tiny_course)
    (path, *others) = write_new("two_words", tiny_course)
    assert "# # Two words\n" in (tiny_course / path).read_text() and len(others) == 3
