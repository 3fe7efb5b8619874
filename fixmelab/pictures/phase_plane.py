"""The phase plane of one eigenmode of linear SimSiam: two basins, and a point to drag.

Tian, Chen & Ganguli, "Understanding self-supervised learning dynamics without contrastive pairs" (2021), figures 3, 4.
"""

from collections.abc import Sequence

import anywidget
import ipywidgets
import numpy as np
import traitlets
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap

from fixmelab.environment import is_watched
from fixmelab.pictures import plotting
from fixmelab.pictures.flow_field import COLUMNS, LIMITS, FlowField, Velocity
from fixmelab.pictures.scripts import script

DARK, LIGHT, PATH, PARABOLA, REST = "#d5d9e0", "#eaf4fd", "#bd1f01", "#832db6", "#ffa90e"
STARTS = ((0.05, 1.0), (0.05, 0.05), (-0.2, 1.3), (1.0, 0.3), (0.6, 1.4))
DECAYS, RATES = (0.05, 0.17, 0.25), (0.4, 2.5)


class PhasePlane(anywidget.AnyWidget):
    """The plane. `start` is (p, s), set from here or by a click, a drag or the arrow keys."""

    _esm = script("phase_plane.js")
    start = traitlets.List(traitlets.Float(), [0.05, 1.0], minlen=2, maxlen=2).tag(sync=True)
    limits = traitlets.List(traitlets.Float(), list(LIMITS)).tag(sync=True)
    columns = traitlets.Int(COLUMNS).tag(sync=True)
    basin = traitlets.Bytes().tag(sync=True)  # a byte for each cell, row by row from below: 1 does not collapse
    arrows = traitlets.Bytes().tag(sync=True)  # float32: p, s, and a vector of length 1 at most
    path = traitlets.Bytes().tag(sync=True)  # float32, p and s in turn
    parabola = traitlets.Bytes().tag(sync=True)
    rest = traitlets.List(traitlets.Float()).tag(sync=True)  # where the others end, or nothing
    colours = traitlets.Dict(
        {"dark": DARK, "light": LIGHT, "path": PATH, "parabola": PARABOLA, "rest": REST, "ink": plotting.INK}
    ).tag(sync=True)


class PhasePlaneExplorer(ipywidgets.VBox):
    """What `phase_plane_explorer` shows: `plane`, sliders `decay` and `rate`, and a `caption`, kept in step."""

    def __init__(self, velocity: Velocity) -> None:
        self._velocity = velocity
        wide = ipywidgets.Layout(width="340px", max_width="100%")
        style = {"description_width": "9em"}
        self.plane = PhasePlane(layout=ipywidgets.Layout(width="100%", max_width="560px"))
        self.decay = ipywidgets.FloatSlider(
            0.15, min=0.0, max=0.3, step=0.01, description="weight decay η", layout=wide, style=style
        )
        self.rate = ipywidgets.FloatLogSlider(
            1.0, min=-1, max=0.6, step=0.1, description="predictor's rate α", layout=wide, style=style
        )
        self.caption = ipywidgets.HTML()
        sliders = ipywidgets.HBox([self.decay, self.rate], layout=ipywidgets.Layout(flex_flow="row wrap"))
        super().__init__([sliders, self.plane, self.caption], layout=ipywidgets.Layout(max_width="100%"))
        self._show_field()
        self.decay.observe(lambda _: self._show_field(), "value")
        self.rate.observe(lambda _: self._show_field(), "value")
        self.plane.observe(lambda _: self._show_path(), "start")

    def _field(self) -> FlowField:
        return FlowField(self._velocity, self.decay.value, self.rate.value)

    def _show_field(self) -> None:
        field = self._field()
        alive, rest = field.basin()
        with self.plane.hold_sync():
            self.plane.basin = alive.astype(np.uint8).tobytes()
            self.plane.arrows = field.arrows().tobytes()
            self.plane.parabola = field.parabola().tobytes()
            self.plane.rest = [] if rest is None else list(rest)
            self._show_path()
        self.share = float(alive.mean())

    def _show_path(self) -> None:
        p, s = self.plane.start
        path = self._field().path(p, s)
        self.plane.path = path.tobytes()
        end_p, end_s = path[-1]
        text = f"from p = {p:.2f}, s = {s:.2f} to p = {end_p:.2f}, s = {end_s:.2f}"
        self.caption.value = text.replace("-", "−")


def phase_plane_explorer(velocity: Velocity) -> PhasePlaneExplorer | plotting.Figure:
    """Drag the start of one eigenmode, its weight decay and the predictor's rate, and see where it goes.

    `velocity` maps (p, s, weight decay, rate) to (ṗ, ṡ); p and s are float32 tensors of one shape, the others numbers.

    Where nobody can move a slider, that is, in grading (FIXMELAB_JUDGE is set) and on the smoke budget, what comes
    back is the figure of `phase_plane_static`. Raises ValueError if the velocities have another shape than p.
    """
    return PhasePlaneExplorer(velocity) if is_watched() else phase_plane_static(velocity)


def phase_plane_static(
    velocity: Velocity, *, decays: Sequence[float] = DECAYS, rates: Sequence[float] = RATES
) -> plotting.Figure:
    """The printed twin of `phase_plane_explorer`: a panel for each weight decay and rate, with some paths."""
    with plotting.style():
        size = 3.3 * len(decays) + 0.4, 3.2 * len(rates) + 0.5
        figure = plotting.Figure(figsize=size, layout="constrained")
        axes = figure.subplots(len(rates), len(decays), squeeze=False, sharex=True, sharey=True)
        for line, rate in zip(axes, rates, strict=True):
            for panel, decay in zip(line, decays, strict=True):
                _draw(panel, FlowField(velocity, decay, rate))
                panel.set_title(f"η = {decay:g}, α = {rate:g}", fontsize=11)
        for panel in axes[-1]:
            panel.set_xlabel("p")
        for panel in axes[:, 0]:
            panel.set_ylabel("s")
        handles = [axes[0, 0].lines[0], axes[0, 0].lines[1]]
        figure.legend(handles, ["s = p² / α", "paths, from their starts"], loc="outside lower center", ncols=2)
    return figure


def _draw(axes: Axes, field: FlowField) -> None:
    alive, rest = field.basin()
    colours = ListedColormap([DARK, LIGHT])
    axes.imshow(alive, cmap=colours, vmin=0, vmax=1, origin="lower", extent=LIMITS, aspect="auto")
    across, up, right, high = field.arrows().T
    axes.quiver(across, up, right, high, color="#9aa1ac", scale=22, width=0.004, pivot="mid")
    axes.plot(*field.parabola().T, color=PARABOLA, ls="--", lw=1.5)
    for start, path in zip(STARTS, field.paths(STARTS), strict=True):
        axes.plot(*path.T, color=PATH, lw=1.6)
        axes.plot(*start, "o", ms=4, color=PATH)
    axes.plot(0, 0, "o", ms=8, mfc=plotting.INK, mec="white", clip_on=False)
    if rest is not None:
        axes.plot(*rest, "o", ms=9, mfc=REST, mec=plotting.INK)
    axes.set(xlim=LIMITS[:2], ylim=LIMITS[2:])
    axes.grid(False)
