"""The list of fonts is matplotlib's own, although the fonts are not read through for it."""

from matplotlib import _afm
from matplotlib.font_manager import FontManager

from autograder.sandbox.inside import fonts


def _listed() -> tuple[list[str], list[str]]:
    manager = FontManager()
    return sorted(map(repr, manager.ttflist)), sorted(map(repr, manager.afmlist))


def test_the_headers_are_enough_for_the_list(monkeypatch):
    whole = _listed()
    assert whole[1]  # matplotlib brings AFM fonts of its own
    monkeypatch.setattr(_afm, "_parse_kern_pairs", None)  # were anything read below a header, it would be an error
    with fonts.headers_alone():
        assert _listed() == whole


def test_whoever_opens_a_font_afterwards_reads_all():
    with fonts.headers_alone():
        pass
    with open(next(entry.fname for entry in FontManager().afmlist if entry.name == "Helvetica"), "rb") as file:
        assert _afm.AFM(file).get_str_bbox_and_descent("AV")[2] > 0
