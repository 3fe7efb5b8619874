"""The state of the process is as at the start inside, and as it was before afterwards."""

import matplotlib

from fixmelab.executing.process_state import own_style


def test_figures_are_drawn_in_matplotlibs_own_style():
    style, own = matplotlib.rcParams, matplotlib.rcParamsDefault
    fonts = list(own["font.serif"])
    with matplotlib.rc_context({"lines.linewidth": 7, "font.serif": ["Gothic"], "axes.grid": True}):
        with own_style():
            for key in ("lines.linewidth", "font.serif", "axes.grid", "axes.prop_cycle"):
                assert style[key] == own[key]
            style["axes.titlesize"] = 40
            style["font.serif"].append("Wingdings")
        assert (style["lines.linewidth"], style["font.serif"], style["axes.grid"]) == (7, ["Gothic"], True)
        assert style["axes.titlesize"] == own["axes.titlesize"]
    assert own["font.serif"] == fonts
