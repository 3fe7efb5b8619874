"""The students' package: data, training, plots and widgets for the course notebooks."""

from importlib import import_module
from typing import Any

# Name → module. Imported at first use, so that `import fixmelab` costs nothing.
_HOME = {
    "Lab": "environment",
    "budget": "environment",
    "budget_name": "environment",
    "device": "environment",
    "seed_everything": "environment",
    "setup": "environment",
    "History": "training",
    "UNet": "unet",
    "SampledGCN": "sampled_gcn",
    "condense": "sampled_gcn",
    "fit": "sampled_gcn",
    "learned_draw": "sampled_gcn",
    "two_hops": "sampled_gcn",
    "train": "training",
    "plot_density_flow": "chains",
    "show_strip": "chains",
    "trajectory_slider": "chains",
    "Graph": "graphs",
    "graph_layout": "graph_pictures",
    "plot_accuracies": "graph_pictures",
    "plot_convergence": "graph_pictures",
    "plot_edge_probabilities": "graph_pictures",
    "plot_neighborhood": "graph_pictures",
    "sampler_slider": "graph_pictures",
    "plot_curves": "plotting",
    "plot_history": "plotting",
    "show_images": "plotting",
    "show_latent_map": "plotting",
    "latent_explorer": "widgets",
    "latent_explorer_static": "widgets",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'fixmelab' has no attribute {name!r}")
    return getattr(import_module(f"fixmelab.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
