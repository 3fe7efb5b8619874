"""The leak scan: every sort of secret, planted in release/ or fixmelab/, is found; what was built holds none."""

import base64
import json
import shutil
from collections import Counter

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from autograder import course
from autograder.authoring import finding
from autograder.authoring.build import build, sources_of
from autograder.authoring.declared import ASSIGNMENTS, checked_exercises
from autograder.authoring.leaks import find_leaks, published_files
from autograder.authoring.secrecy import LEAST_GIVEN_AWAY, secrets_of
from autograder.authoring.telling import code_lines, prose, squeeze
from autograder.authoring.text import source_from_text
from autograder.errors import InputError
from autograder.regions import SOLUTION, regions
from tests.autograder.authoring.conftest import write_tiny_course


def scan(root):
    source = source_from_text(root / "notebooks/tiny.py", "owner/course", checked_exercises("tiny", root))
    return find_leaks(published_files(root), secrets_of([source], root / ASSIGNMENTS))


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    root = write_tiny_course(tmp_path_factory.mktemp("built") / "course")
    build(root=root)
    return root


@pytest.fixture
def built_course(built_once, tmp_path):
    """A copy of one's own, to plant something in."""
    return shutil.copytree(built_once, tmp_path / "course")


def test_what_was_built_holds_no_secret(built_course):
    assert scan(built_course) == []


SECRETS = {
    "solution": [
        "return mu + scaled",
        "scaled = sigma * eps",
        "    scaled=sigma*eps",
        "# scaled = sigma * eps",
        "\treturn   mu+\\\n  scaled",
        "# return mu\n#     + scaled",
        "return self.left / 3 + self.right",
        "return math.hypot(\n    self.left - 1,\n    self.right + 1,\n)",
        "return math.hypot(self.left - 1, self.right + 1,)",
        "answer = math.hypot( self.left - 1, 2)",
    ],
    "hidden test": ['check("tiny.mix_noise", mix_noise)', "check( 'x' ); check(\"tiny.first_half\", Pair)"],
    "mark scheme": [
        "one for the words deterministic given the noise.",
        "Two points for the gradient that passes through\n# the mean; one for",
    ],
    "marker": [
        "### BEGIN HIDDEN TESTS",
        "### END HIDDEN TESTS",
        "# BEGIN SOLUTION",
        "## END SOLUTION",
        "### BEGIN MARK SCHEME",
        "the MARK SCHEME says",
    ],
    "reference name": [
        "from autograder.assignments.tiny import reference",
        "from autograder import assignments",
        "open('autograder/assignments/tiny/reference.py')",
        "sum_of_halves(1, 2)",
        "# see scales_by_variance",
        "_probe_points",
    ],
    "reference": ["product = eps * sigma", "return (3 * right + left) / 3"],
    "check": ["return [draw.normal(count + 2, 7) for count in range(3)]"],
    "mistake": ["return mu + sigma**2 * eps", "x = eps; return eps * sigma + mu"],
    "mistake sentence": [
        "The noise is scaled by the variance here. Take the standard deviation.",
        "print('Take the standard deviation.')",
    ],
    "check message": ["The noise must be scaled once, neither twice nor never."],
    "check number": ["x = 0.73519", "x = 7.3519e-1"],
}
PLANTED = [(kind, text) for kind, texts in SECRETS.items() for text in texts]


def plant(root, change):
    """Change the release notebook as plain data."""
    path = root / "release/tiny/tiny.ipynb"
    notebook = json.loads(path.read_text())
    change(notebook)
    path.write_text(json.dumps(notebook))


def complaints(root):
    """What `autograder build --check`, which fails, says in so many lines."""
    with pytest.raises(InputError) as caught:
        build(check=True, root=root)
    return str(caught.value).splitlines()


def assert_found(lines, kind, where):
    """They say that such a secret stands there."""
    assert any(line.startswith(f"leak: {where}") and f": {kind}: " in line for line in lines)


@pytest.fixture(scope="module")
def found_in_planted(built_once, tmp_path_factory):
    """What is said of a course in which every secret is planted, each in a cell and in a module of its own."""
    root = shutil.copytree(built_once, tmp_path_factory.mktemp("planted") / "course")
    (root / "fixmelab/deep").mkdir()
    texts = [f"import os\n{text}\n" for _, text in PLANTED]
    for number, text in enumerate(texts):
        (root / f"fixmelab/deep/help{number}.py").write_text(text)
    plant(root, lambda notebook: notebook.update(cells=[notebook["cells"][2] | {"source": text} for text in texts]))
    return complaints(root)


@pytest.mark.parametrize(("number", "kind", "text"), [(number, *planted) for number, planted in enumerate(PLANTED)])
def test_a_secret_in_a_cell_of_the_release_is_found(found_in_planted, number, kind, text):
    assert_found(found_in_planted, kind, f"release/tiny/tiny.ipynb, cell {number + 1}, line 2")


@pytest.mark.parametrize(("number", "kind", "text"), [(number, *planted) for number, planted in enumerate(PLANTED)])
def test_a_secret_in_the_students_package_is_found(found_in_planted, number, kind, text):
    assert_found(found_in_planted, kind, f"fixmelab/deep/help{number}.py, line 2")


CELL = "release/tiny/tiny.ipynb, cell 5"
LEAK = "return mu + scaled"
IN_BASE64 = base64.b64encode(f"def mix_noise(mu, scaled):\n    {LEAK}\n".encode()).decode()
WRAPPED = base64.encodebytes(f"# {'a long introduction ' * 5}\n{LEAK}\n".encode()).decode()


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda cell: cell["metadata"].update(solution=LEAK), f"{CELL}, metadata"),
        (lambda cell: cell["metadata"].update({LEAK: 1}), f"{CELL}, metadata"),
        (lambda cell: cell["metadata"]["nbgrader"].update(old=[{"a": [LEAK]}]), f"{CELL}, metadata"),
        (lambda cell: cell["metadata"].update(old=["return mu", " + scaled\n"]), f"{CELL}, metadata"),
        (lambda cell: cell.update(attachments={"a.txt": {"text/plain": LEAK}}), f"{CELL}, attachments"),
        (
            lambda cell: cell.update(attachments={"a.png": {"image/png": IN_BASE64}}),
            f"{CELL}, attachments, in base64, line 2",
        ),
        (lambda cell: cell["metadata"].update(old=WRAPPED), f"{CELL}, metadata, in base64"),
        (lambda cell: cell.update(source=f"x = '{IN_BASE64}'"), f"{CELL}, in base64"),
        (lambda cell: cell.update(source="<pre>\nreturn mu &#43; scaled</pre>"), f"{CELL}, as HTML, line 2"),
        (lambda cell: cell.update(source="[it](https://a.b/?q=return%20mu%20%2B%20scaled)"), f"{CELL}, as an address"),
        (
            lambda cell: cell.update(outputs=[{"output_type": "stream", "name": "stdout", "text": [LEAK]}]),
            f"{CELL}, outputs",
        ),
    ],
)
def test_a_solution_anywhere_in_a_cell_is_found(built_course, change, where):
    plant(built_course, lambda notebook: change(notebook["cells"][4]))
    assert_found(complaints(built_course), "solution", where)


def test_a_solution_in_the_metadata_of_the_notebook_is_found(built_course):
    plant(built_course, lambda notebook: notebook["metadata"].update(history=[LEAK]))
    assert_found(complaints(built_course), "solution", "release/tiny/tiny.ipynb, metadata")


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "deep/old.ipynb", "image.bin"])
def test_a_solution_in_any_other_file_of_the_release_is_found(built_course, name):
    path = built_course / "release/tiny" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"\x00\xff\n" + LEAK.encode())
    assert_found(complaints(built_course), "solution", f"release/tiny/{name}, line 2")


@pytest.mark.parametrize(
    ("change", "kind", "excerpt"),
    [
        ({"outputs": [{"output_type": "stream", "name": "stdout", "text": ["1.5\n"]}]}, "output", "stdout"),
        ({"outputs": [{"output_type": "display_data", "data": {}, "metadata": {}}]}, "output", "display_data"),
        ({"execution_count": 3}, "execution count", "3"),
    ],
)
def test_an_output_in_the_release_is_found(built_course, change, kind, excerpt):
    plant(built_course, lambda notebook: notebook["cells"][4].update(change))
    (leak,) = [leak for leak in scan(built_course) if leak.kind == kind]
    assert leak.where == CELL
    assert excerpt in leak.excerpt


@pytest.mark.parametrize(
    "text",
    [
        "import math",
        "def mix_noise(mu, sigma, eps):",
        "x = mu + sigma",
        'assert mix_noise(1, 0, 5) == 1, "With sigma = 0 there is no noise."',
        "from fixmelab.probe import check",
        "transposed = grid.T",
        "x = 0.7352",
        "mix_noises_by_hand = 1",
        "sum_of_halves_of_all = 1",
        "Why does the noise enter from outside?",
        "The noise must be small.",
    ],
)
def test_what_gives_nothing_away_is_no_leak(built_course, text):
    plant(built_course, lambda notebook: notebook["cells"][2].update(source=text))
    (built_course / "fixmelab/help.py").write_text(text)
    assert scan(built_course) == []


def test_what_a_notebook_shows_is_no_secret(built_course):
    text = built_course / "notebooks/tiny.py"
    shown = "# 0.73519. The noise is scaled by the variance here. `product = eps * sigma`"
    text.write_text(text.read_text().replace("# Numbers that go through a line.", shown))
    build(root=built_course)
    assert scan(built_course) == []


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("solution", "# `scaled = sigma * eps`"),
        ("solution", "# `math.hypot(\n# self.left - 1, self.right + 1,)`"),
        ("mark scheme", "# Remember: one for the words deterministic given the noise."),
        ("hidden test", '# `check("tiny.mix_noise", mix_noise)`'),
    ],
)
@pytest.mark.parametrize("cells", [1, 2, 3])
def test_a_solution_that_the_notebook_itself_gives_away_stops_the_build(tiny_course, kind, line, cells):
    """In one visible cell or in two; what stands in three of them is meant to be read."""
    text = tiny_course / "notebooks/tiny.py"
    shown = "\n\n# %% [markdown]\n".join(["# Numbers that go through a line.", *[line] * cells])
    text.write_text(text.read_text().replace("# Numbers that go through a line.", shown))
    if cells == 3:
        build(root=tiny_course)
        return
    with pytest.raises(InputError) as caught:
        build(root=tiny_course)
    lines = str(caught.value).splitlines()
    assert len(lines) == cells
    for number, found in enumerate(lines):
        assert found.startswith(f"leak: release/tiny/tiny.ipynb, cell {5 + number}, line ") and f": {kind}: " in found
    assert not (tiny_course / "release").exists()


def test_a_term_too_short_to_tell_is_no_leak(tiny_course):
    text = tiny_course / "notebooks/tiny.py"
    short = text.read_text().replace(
        "scaled = sigma * eps  # not its square\n    return mu + scaled", "return mu + sigma * eps"
    )
    text.write_text(short.replace("# Numbers that go through a line.", "# So $z$ is `mu + sigma * eps`."))
    build(root=tiny_course)
    text.write_text(short.replace("# Numbers that go through a line.", "# So: `return mu + sigma * eps`."))
    with pytest.raises(InputError, match="cell 4, line 1: solution: return mu"):
        build(root=tiny_course)


def test_the_rule_finds_a_planted_line_in_each_notebook_and_none_where_none_is_planted():
    """Each solution of the course that tells something, shown in one more visible cell, is given away."""
    sources = sources_of(course.ROOT)
    for name, source in sources.items():
        told = [region.text for cell in source.cells for region in regions(cell.source) if region.kind == SOLUTION]
        lines = {line for text in told for line in code_lines(text) if len(squeeze(line)) >= LEAST_GIVEN_AWAY}
        assert len(lines) > 5
        planted = new_markdown_cell("\n\n".join(sorted(lines)))
        kept = secrets_of([*sources.values(), new_notebook(cells=[planted])], course.ROOT / ASSIGNMENTS).lines
        published = Counter(line for line in map(squeeze, lines) if line not in kept)
        assert not published or name == "diffusion" and [*published] == ["alpha_bars=torch.cumprod(1-betas,dim=0)"]


def test_numbers_in_tables_of_data_are_no_leak(built_course):
    (built_course / "fixmelab/table.csv").write_text("0.1,0.73519\n")
    assert scan(built_course) == []


def test_a_module_that_is_no_python_is_named(built_course):
    (built_course / "autograder/assignments/tiny/mix_noise.py").write_text("x = 1\ndef (\n")
    with pytest.raises(InputError, match=r"^autograder/assignments/tiny/mix_noise.py:2: "):
        scan(built_course)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("return mu + sigma * eps  # a comment", ["return mu + sigma * eps", "mu + sigma * eps"]),
        ("self.mean = nn.Linear(256, latent_dim)", ["self.mean = nn.Linear(256, latent_dim)"]),
        ("z[:, i] = values[None]", ["z[:, i] = values[None]"]),
        ("loss.backward()\noptimizer.zero_grad()", []),
        ("figure, axes = plt.subplots()", []),
        ("z = torch.randn_like(mu)", []),
        ("h = h.sum(dim=-1)\nf(*arguments, **options)", []),
        ("x = x + 1", []),
        ("from a.b import c, d, e, f, g\nfor i in range(n + 1000):\n    pass", []),
        ('"""mu + sigma * eps + delta"""', []),
        ("a = f(\n  mu + sigma * eps,  # one\n  1)", ["a = f(\n  mu + sigma * eps,\n  1)", "mu + sigma * eps,"]),
        ("!cat mu + sigma * eps\n'", ["!cat mu + sigma * eps"]),
    ],
)  # fmt: skip
def test_the_rule_for_lines_of_code(code, found):
    assert [" ".join(line.split()) for line in code_lines(code)] == [" ".join(line.split()) for line in found]


def test_a_solution_without_a_telling_line_is_a_secret_as_a_whole(built_course):
    text = built_course / "notebooks/tiny.py"
    old = "scaled = sigma * eps  # not its square\n    return mu + scaled"
    text.write_text(text.read_text().replace(old, "drawn = draw(mu, sigma)  # twice\n    return drawn.first()"))
    build(root=built_course)
    (built_course / "fixmelab/one.py").write_text("drawn = draw(mu, sigma)\n")
    assert scan(built_course) == []
    (built_course / "fixmelab/both.py").write_text("drawn = draw(mu,\n             sigma)\nreturn drawn.first()\n")
    assert [leak.where for leak in scan(built_course)] == ["fixmelab/both.py, line 1"]


def test_prose_counts_by_line_and_by_sentence():
    assert prose("- One point: no.\nThe gradient passes\nthrough the mean.") == [
        "The gradient passes through the mean."
    ]


def test_lines_are_found_wherever_a_long_text_is_cut(monkeypatch):
    monkeypatch.setattr(finding, "_CHUNK", 16)
    text = "".join(chr(0x61 + number % 26) + "é" * (number % 5 == 0) for number in range(300))
    there = {text[at : at + size] for at in range(0, 280, 3) for size in (1, 7, 8, 9, 30)}
    assert finding.found_in(text, {*there, "not there", "!!", text[:20] + "x"}) == there
    assert finding.found_in(text, []) == finding.found_in("", there) == set()
