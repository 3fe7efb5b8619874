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
    "UNet": "models.unet",
    "HoleFiller": "models.inpainting",
    "PictureCritic": "models.inpainting",
    "SampledGCN": "models.sampled_gcn",
    "condense": "models.sampled_gcn",
    "fit": "models.sampled_gcn",
    "learned_draw": "models.sampled_gcn",
    "two_hops": "models.sampled_gcn",
    "progress": "bars",
    "train": "training",
    "plot_density_flow": "pictures.chains",
    "show_strip": "pictures.chains",
    "trajectory_slider": "pictures.chains",
    "Graph": "graphs",
    "graph_layout": "pictures.graph_layout",
    "plot_accuracies": "pictures.sampler_charts",
    "plot_convergence": "pictures.sampler_charts",
    "plot_edge_probabilities": "pictures.edge_probabilities",
    "plot_neighborhood": "pictures.neighborhood",
    "sampler_slider": "pictures.sampler_slider",
    "Siamese": "models.siamese",
    "random_views": "data.views",
    "show_clouds": "pictures.clouds",
    "phase_plane_explorer": "pictures.phase_plane",
    "phase_plane_static": "pictures.phase_plane",
    "plot_arcs": "pictures.graphical_models",
    "plot_factor_graph": "pictures.graphical_models",
    "plot_costs": "pictures.tagging",
    "plot_tags": "pictures.tagging",
    "kernel_slider": "pictures.kernel_slider",
    "kernel_slider_static": "pictures.kernel_slider",
    "plot_pixels": "pictures.kernel_slider",
    "plot_curves": "pictures.plotting",
    "plot_history": "pictures.plotting",
    "show_images": "pictures.plotting",
    "show_latent_map": "pictures.plotting",
    "density_explorer": "pictures.densities",
    "density_explorer_static": "pictures.densities",
    "latent_explorer": "pictures.widgets",
    "latent_explorer_static": "pictures.widgets",
}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'fixmelab' has no attribute {name!r}")
    return getattr(import_module(f"fixmelab.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
