"""Two Gaussians to drag, and what a discriminator says of them: its probability, the density read off it, the JSD."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import anywidget
import ipywidgets
import numpy as np
import torch
import traitlets
from torch import Tensor

from fixmelab.environment import is_watched
from fixmelab.pictures import plotting

OfTwo = Callable[[Tensor, Tensor], Tensor]

REACH = 5.0  # the plots run from −REACH to REACH
POINTS = 301
TOP = 1.4  # of the densities' axis
MEANS, SPREADS = (-3.5, 3.5), (0.3, 2.0)
START = (0.0, 1.0), (1.5, 0.6)  # mean and standard deviation of f_0 and f_1
BLUE, RED, VIOLET = plotting.LINES[:3]


class DensityMap(anywidget.AnyWidget):
    """Two panels, densities above probabilities, and two peaks to drag: sideways for the mean, up for a smaller spread.

    `peaks` (mean and standard deviation of f_0, then of f_1) is set from here, by a drag, or by the arrow keys.
    """

    _esm = Path(__file__).with_name("densities.js")
    peaks = traitlets.List(traitlets.Float(), [*START[0], *START[1]], minlen=4, maxlen=4).tag(sync=True)
    curves = traitlets.Bytes().tag(sync=True)  # float32, (5, POINTS): see Scene
    limits = traitlets.Dict().tag(sync=True)
    colours = traitlets.List(traitlets.Unicode()).tag(sync=True)


@dataclass(frozen=True)
class Scene:
    """What is drawn for two Gaussians and a discriminator that returns `factor` times the best logit.

    `curves` maps a name to POINTS values from −REACH to REACH; `true` and `seen` are divergences in nats.
    """

    curves: dict[str, np.ndarray]
    true: float
    seen: float

    def text(self) -> str:
        return f"JSD {self.true:.3f} nats; this discriminator sees {self.seen:.3f}".replace("-", "−")


def scene(
    optimal_discriminator: OfTwo,
    density_from_discriminator: OfTwo,
    peaks: Sequence[float],
    factor: float,
) -> Scene:
    """Compute it all. Raises ValueError if one of the functions gives another shape than it is given, or NaN."""
    x = torch.linspace(-REACH, REACH, POINTS)
    log_f0, log_f1 = (_log_density(x, *peaks[k : k + 2]) for k in (0, 2))
    logits = factor * (log_f1 - log_f0)
    found = {
        "f_0": log_f0.exp(),
        "f_1": log_f1.exp(),
        "f_1 read off D": _checked(density_from_discriminator(log_f0, logits), "density_from_discriminator").exp(),
        "D*": _checked(optimal_discriminator(log_f0, log_f1), "optimal_discriminator"),
        "D": torch.sigmoid(logits),
    }
    curves = {name: values.numpy().astype(np.float32) for name, values in found.items()}
    return Scene(curves, _divergence(peaks, 1.0), _divergence(peaks, factor))


def density_explorer(optimal_discriminator: OfTwo, density_from_discriminator: OfTwo) -> object:
    """Drag two Gaussians; D*, the density that is read off a discriminator, and the divergence that it sees follow.

    Both functions are the student's: (log f_0 (N,), log f_1 (N,)) → D* (N,) and (log f_0 (N,), logits (N,)) →
    log f_1 (N,). A slider multiplies the logits of the best discriminator, so that it becomes timid or too sure.

    Where nobody can drag, that is, in grading and on the smoke budget, what comes back is the figure of
    `density_explorer_static`. Raises ValueError if one of the functions gives another shape than it is given, or NaN.
    """
    if not is_watched():
        return density_explorer_static(optimal_discriminator, density_from_discriminator)
    chart = DensityMap(
        limits={"reach": REACH, "top": TOP, "means": list(MEANS), "spreads": list(SPREADS)},
        colours=[BLUE, RED, VIOLET],
        layout=ipywidgets.Layout(width="100%", max_width="640px"),
    )
    slider = ipywidgets.FloatSlider(
        1.0,
        min=0.0,
        max=2.0,
        step=0.05,
        description="logit ×",
        style={"description_width": "4em"},
        layout=ipywidgets.Layout(width="100%", max_width="440px"),
    )
    caption = ipywidgets.HTML()

    def follow(_: object = None) -> None:
        shown = scene(optimal_discriminator, density_from_discriminator, chart.peaks, slider.value)
        chart.curves = np.stack(list(shown.curves.values())).tobytes()
        caption.value = shown.text()

    follow()
    chart.observe(follow, "peaks")
    slider.observe(follow, "value")
    return ipywidgets.VBox([chart, slider, caption], layout=ipywidgets.Layout(max_width="100%"))


def density_explorer_static(optimal_discriminator: OfTwo, density_from_discriminator: OfTwo) -> plotting.Figure:
    """The printed twin of `density_explorer`, which explains the arguments: the best discriminator of two Gaussians, a
    timid one, and the best one of two Gaussians that lie far apart."""
    near, far = (*START[0], *START[1]), (-2.0, 0.6, 2.0, 0.8)
    settings = (("the best discriminator", near, 1.0), ("a timid one: logit × ½", near, 0.5), ("far apart", far, 1.0))
    x = np.linspace(-REACH, REACH, POINTS)
    with plotting.style():
        drawn = plotting.Figure(figsize=(11, 5), layout="constrained")
        panels = drawn.subplots(2, len(settings), sharex=True, sharey="row", squeeze=False, height_ratios=(1.5, 1))
        for (upper, lower), (title, peaks, factor) in zip(panels.T, settings, strict=True):
            shown = scene(optimal_discriminator, density_from_discriminator, peaks, factor)
            for axes, names in ((upper, ("f_0", "f_1", "f_1 read off D")), (lower, ("D*", "D"))):
                for name in names:
                    colour, dash = _LOOKS[name]
                    label = name.replace("_0", "$_0$").replace("_1", "$_1$")
                    axes.plot(x, shown.curves[name], color=colour, ls=dash, label=label)
            upper.set_title(f"{title}\n{shown.text()}", fontsize=9.5)
            upper.set_ylim(0, 1.0)
            lower.set(ylim=(-0.05, 1.05), xlabel="x")
        panels[0, 0].set_ylabel("density")
        panels[1, 0].set_ylabel("probability")
        for axes in panels[:, -1]:
            axes.legend(fontsize=9, loc="upper left")
    return drawn


_LOOKS = {
    "f_0": (BLUE, "-"),
    "f_1": (RED, "-."),
    "f_1 read off D": (VIOLET, "--"),
    "D*": (plotting.INK, "-"),
    "D": (VIOLET, "--"),
}


def _log_density(x: Tensor, mean: float, spread: float) -> Tensor:
    return -0.5 * ((x - mean) / spread) ** 2 - math.log(spread) - 0.5 * math.log(2 * math.pi)


def _checked(values: object, name: str) -> Tensor:
    if not isinstance(values, Tensor) or values.shape != (POINTS,):
        found = f"shape {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
        raise ValueError(f"{name} gave {found} for {POINTS} points: it must give one number for each")
    if values.isnan().any():
        raise ValueError(f"{name} gave nan")
    return values.detach().cpu().float()


def _divergence(peaks: Sequence[float], factor: float) -> float:
    """log 2 + ½ V of a discriminator with `factor` times the best logit, by the trapezoidal rule."""
    x = torch.linspace(-25, 25, 5001, dtype=torch.float64)
    log_f0, log_f1 = (_log_density(x, *peaks[k : k + 2]) for k in (0, 2))
    logits = factor * (log_f1 - log_f0)
    zero = torch.zeros_like(logits)
    terms = log_f1.exp() * torch.logaddexp(zero, -logits) + log_f0.exp() * torch.logaddexp(zero, logits)
    return math.log(2) - float(torch.trapezoid(terms, x)) / 2
