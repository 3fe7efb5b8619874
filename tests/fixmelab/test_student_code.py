"""A student's class out of a notebook: only what it needs runs, and what goes wrong is named with its line."""

import json
import sys
import traceback

import pytest
import torch
from torch import nn

from fixmelab import student_code
from fixmelab.student_code import NotebookError
from tests.fixmelab import small_diffusion as small

WANTED = ["Diffusion", "plot_forward"]


def load(path, names=("Diffusion",)):
    return student_code.load(path, names)


def with_class(text: str, folder, **more):
    return small.write_notebook(folder / "mine.ipynb", [small.code(text, **more)])


@pytest.mark.parametrize("write", [small.write_notebook, small.write_python], ids=["ipynb", "py"])
def test_the_class_is_found_and_nothing_else_runs(tmp_path, capsys, write) -> None:
    suffix = "py" if write is small.write_python else "ipynb"
    code = load(write(tmp_path / f"mine.{suffix}"), WANTED)
    made = code.found["Diffusion"](lambda x, t: 0 * x, image_size=8, timesteps=5)
    assert isinstance(made, nn.Module) and made(torch.zeros(2, 3, 8, 8)).shape == ()
    assert code.found["plot_forward"].__name__ == "plot_forward"
    module = sys.modules[type(made).__module__]
    assert not {"something_else", "lab", "math", "diffusion"} & set(vars(module))
    assert capsys.readouterr() == ("", "")


def test_a_line_of_the_notebook_stands_in_tracebacks(tmp_path) -> None:
    path = small.write_notebook(tmp_path / "mine.ipynb")
    made = load(path).found["Diffusion"](lambda x, t: None, image_size=8, timesteps=5)
    with pytest.raises(TypeError) as caught:
        made(torch.zeros(2, 3, 8, 8))
    text = "".join(traceback.format_exception(caught.value))
    assert f'File "{path}, cell 8", line 18, in p_losses\n    return ((self.model(' in text


@pytest.mark.parametrize("write", [small.write_notebook, small.write_python], ids=["ipynb", "py"])
def test_the_place_of_an_error_is_one_line(tmp_path, write) -> None:
    path = write(tmp_path / ("mine.py" if write is small.write_python else "mine.ipynb"))
    code = load(path)
    made = code.found["Diffusion"](lambda x, t: 1 / 0, image_size=8, timesteps=5)
    with pytest.raises(ZeroDivisionError) as caught:
        made(torch.zeros(2, 3, 8, 8))
    place = code.place(caught.value)
    cell = "" if write is small.write_python else ", cell 8"
    assert place.startswith(f"{path}{cell}, line ") and "\n" not in place
    assert place.endswith(" - noise) ** TWO).mean()): ZeroDivisionError: division by zero")
    number = int(place.split(", line ")[1].split(",")[0])
    text = path.read_text().splitlines() if write is small.write_python else small.DIFFUSION.strip("\n").splitlines()
    assert "self.model(self.q_sample" in text[number - 1]
    assert code.place(ValueError("elsewhere")) is None


def test_names_come_from_everywhere_a_class_can_use_them(tmp_path) -> None:
    """Bases, decorators, defaults, class bodies, nested functions, comprehensions, augmented and patched names."""
    text = """
from dataclasses import *
from torch import nn
base, (width, [depth]) = nn.Module, (3, [4])
width += 1
TABLE = {}
TABLE["a"] = 5
unit = lambda: depth
if depth == 4:
    conditional = 6
else:
    conditional = 7
try:
    import not_there as absent
except ImportError:
    absent = None
keep = lambda f: f

@dataclass
class Point:
    x: int = width

class Diffusion(base):
    depth = unit()
    @keep
    def sizes(self, first=Point()):
        def inner():
            return [first.x + TABLE["a"] for _ in range(1)]
        return inner(), conditional, absent
Diffusion.more = lambda self: width
class Diffusion(Diffusion):
    again = True
noise = undefined_name
raise SystemExit
"""
    found = load(with_class(text, tmp_path)).found["Diffusion"]
    assert found.depth == 4 and found().sizes() == ([9], 6, None) and found().more() == 4 and found.again


def test_local_names_do_not_drag_cells_in(tmp_path) -> None:
    text = "x = 1 / 0\nclass Diffusion:\n    def f(self, x):\n        y = [x for x in x]\n        return y\ny = 1 / 0"
    assert load(with_class(text, tmp_path)).found["Diffusion"]().f([2]) == [2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "import torch\n\nclass Diffusion(torch.Modul): pass",
            "cell 1, line 3 (class Diffusion(torch.Modul): pass): Attr",
        ),
        ("import torhc\nclass Diffusion(torhc.nn.Module): pass", "cell 1, line 1 (import torhc): ModuleNotFoundError"),
        ("class Diffusion:\n  size = SIZE", "cell 1, line 2, in Diffusion (size = SIZE): NameError: name 'SIZE'"),
        ("S = exit(3)\nclass Diffusion:\n  size = S", "cell 1, line 1 (S = exit(3)): SystemExit: 3"),
        ("class Difusion: pass", "defines no Diffusion"),
        ("class Diffusion(:", "defines no Diffusion (mine.ipynb, cell 1, line 1, "),
    ],
)
def test_what_fails_is_one_line(tmp_path, monkeypatch, text, why) -> None:
    with_class(text, tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotebookError) as caught:
        load(type(tmp_path)("mine.ipynb"))
    assert why in str(caught.value) and str(caught.value).startswith("mine.ipynb") and "\n" not in str(caught.value)


def test_a_name_of_a_broken_cell_is_explained(tmp_path) -> None:
    made = [small.code("def pick(:"), small.code("class Diffusion:\n    def f(self):\n        return pick(1)")]
    code = load(small.write_notebook(tmp_path / "mine.ipynb", made))
    with pytest.raises(NameError) as caught:
        code.found["Diffusion"]().f()
    place = code.place(caught.value)
    assert "name 'pick' is not defined (left out, as they are no Python: " in place and "cell 1, line 1, " in place


def test_what_is_no_notebook_is_refused_by_name(tmp_path) -> None:
    path = tmp_path / "mine.ipynb"
    for content in ("", "[]", "{}", '{"cells": 3}', "<!DOCTYPE html>", '{"cells": ['):
        path.write_text(content)
        with pytest.raises(NotebookError, match=r"mine\.ipynb: is "):
            load(path)


def test_the_class_is_found_in_whatever_editors_write(tmp_path) -> None:
    """A byte-order mark, UTF-16, `tags: null`, NaN, no metadata: all that grading reads is read here."""
    made = small.cells()
    made[2]["metadata"] = {"tags": None}
    made[3]["outputs"] = [{"output_type": "display_data", "data": {"application/json": float("nan")}}]
    del made[5]["metadata"]
    text = json.dumps({"cells": made})
    for encoding in ("utf-8-sig", "utf-16", "utf-16-be"):
        (tmp_path / "mine.ipynb").write_text(text, encoding=encoding)
        assert load(tmp_path / "mine.ipynb").found["Diffusion"]


def test_commands_of_ipython_are_in_nobodys_way(tmp_path) -> None:
    above = "# exercise: Diffusion\n%%time\n%matplotlib inline\nfiles = !ls\nfiles?\n"
    above += "try:\n    import missing\nexcept ImportError:\n    !pip install missing\n"
    code = load(
        with_class(above + "class Diffusion:\n    count = len(files)\n    missing = 'missing' in dir()", tmp_path)
    )
    assert code.found["Diffusion"].count == 0
    with pytest.raises(NotebookError, match="cell 1, line 6"):
        load(with_class("%%time\n%matplotlib inline\n\nx = 2\nclass Diffusion:\n    y = x / 0", tmp_path))


def test_what_cannot_be_read_is_refused(tmp_path) -> None:
    (tmp_path / "mine.ipynb").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "mine.py").write_bytes(b"\xff\xfe\x00")
    for path, why in (
        (tmp_path / "mine.ipynb", "is not UTF-16 text"),
        (tmp_path / "mine.py", "is no text"),
        (tmp_path / "x.py", "No such file"),
        (tmp_path, "dir"),
    ):
        with pytest.raises(NotebookError, match=why):
            load(path)
