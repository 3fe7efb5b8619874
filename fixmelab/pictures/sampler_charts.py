"""What drawing k neighbours costs and gains: accuracies by k, and how an error falls with k."""

from collections.abc import Mapping

import numpy as np
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike
from torch import Tensor

from fixmelab.pictures import plotting


def plot_accuracies(
    accuracies: Mapping[str, Mapping[int, Tensor | ArrayLike]],
    *,
    ylabel: str = "accuracy on the test nodes",
    title: str | None = None,
) -> plotting.Figure:
    """For each k the accuracy of each seed as a point, with the mean and its standard error, name beside name.

    accuracies: a name, and for each k the accuracies (seeds,). Of exactly two names the second's mean minus the
    first's stands above each k that both have, with its standard error.
    Raises ValueError if there is nothing to draw or a shape is another.
    """
    found = {name: {k: _accuracies(name, k, given[k]) for k in sorted(given)} for name, given in accuracies.items()}
    ks = sorted({k for given in found.values() for k in given})
    if not ks:
        raise ValueError("there are no accuracies: give a mapping of a name to a mapping of k to (seeds,) accuracies")
    every = np.concatenate([values for given in found.values() for values in given.values()])
    decimals = 3 if np.abs(every).max() <= 1.5 else 1
    apart = min(0.3, 0.7 / len(found))
    with plotting.style():
        drawn = plotting.Figure(figsize=(max(5.0, 2.2 + 1.25 * len(ks)), 4.2), layout="constrained")
        axes = drawn.add_subplot()
        for index, (name, given) in enumerate(found.items()):
            colour = plotting.LINES[index % len(plotting.LINES)]
            marker = plotting.MARKERS[index % len(plotting.MARKERS)]
            shift = (index - (len(found) - 1) / 2) * apart
            for k, values in given.items():
                x = ks.index(k) + shift
                spread = np.linspace(-0.28, 0.28, len(values)) * apart if len(values) > 1 else np.zeros(1)
                axes.plot(x + spread, values, marker, ms=4.5, color=colour, alpha=0.45, mew=0)
                axes.errorbar(x, values.mean(), _error(values), fmt="none", color=colour, lw=2, capsize=4, zorder=4)
                axes.plot([x - 0.42 * apart, x + 0.42 * apart], [values.mean()] * 2, color=colour, lw=2.5, zorder=4)
            axes.plot([], [], f"{marker}-", color=colour, ms=5, label=name)
        low, high = float(every.min()), float(every.max())
        height = (high - low) or 0.1 * abs(high) or 1.0
        if len(found) == 2:
            (first, ours), (second, theirs) = found.items()
            for place, k in enumerate(ks):
                if k in ours and k in theirs:
                    text = _difference(ours[k], theirs[k], decimals)
                    axes.text(place, high + 0.08 * height, text, ha="center", va="bottom", fontsize=9)
            axes.plot([], [], " ", label=f"numbers: {second} − {first}")
        axes.set(xticks=range(len(ks)), xlim=(-0.6, len(ks) - 0.4), xlabel="k, neighbours drawn for a node")
        axes.set_xticklabels([str(k) for k in ks])
        axes.set(ylabel=ylabel, ylim=(low - 0.08 * height, high + (0.3 if len(found) == 2 else 0.08) * height))
        axes.xaxis.grid(False)
        drawn.legend(loc="outside lower center", ncols=len(found) + 1, fontsize=10)
        axes.set_title(title or "", loc="left")
    return drawn


def _accuracies(name: str, k: int, values: Tensor | ArrayLike) -> np.ndarray:
    found = plotting.as_array(values).astype(float)
    if found.ndim != 1 or not len(found) or not np.isfinite(found).all():
        raise ValueError(f"the accuracies of {name!r} at k = {k} have shape {found.shape}: give (seeds,), all finite")
    return found


def _difference(first: np.ndarray, second: np.ndarray, decimals: int) -> str:
    text = f"{second.mean() - first.mean():+.{decimals}f}".replace("-", "−")
    if min(len(first), len(second)) > 1:
        text += f"\n± {float(np.hypot(_error(first), _error(second))):.{decimals}f}"
    return text


def _error(values: np.ndarray) -> float:
    """The standard error of the mean; 0 where one value says nothing about it."""
    return float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0


def plot_convergence(
    ks: Tensor | ArrayLike,
    error: Tensor | ArrayLike,
    line: Tensor | ArrayLike,
    *,
    labels: tuple[str, str] = ("measured", "theory"),
    xlabel: str = "k, neighbours drawn for a node",
    ylabel: str = "mean squared error",
    title: str | None = None,
) -> plotting.Figure:
    """Errors measured at each k as points, and what theory says as a line, both axes logarithmic.

    ks, error, line: (K,), all positive. Raises ValueError if they are not.
    """
    across, points, theory = (plotting.as_array(values).astype(float) for values in (ks, error, line))
    if across.ndim != 1 or not len(across) or not across.shape == points.shape == theory.shape:
        shapes = f"{across.shape} ks, {points.shape} errors and {theory.shape} of the line"
        raise ValueError(f"there are {shapes}: give (K,) of each, K ≥ 1")
    if not all((values > 0).all() and np.isfinite(values).all() for values in (across, points, theory)):
        raise ValueError("ks, errors and the line must be finite and above 0: the axes are logarithmic")
    with plotting.style():
        drawn = plotting.Figure(figsize=(6, 4), layout="constrained")
        axes = drawn.add_subplot()
        order = across.argsort()
        axes.plot(across[order], theory[order], color=plotting.LINES[1], label=labels[1])
        axes.plot(across, points, "o", ms=7, color=plotting.LINES[0], mec="white", mew=1, label=labels[0])
        axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
        axes.set_xticks(across, [f"{k:g}" for k in across])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.legend()
        axes.set_title(title or "", loc="left")
    return drawn
