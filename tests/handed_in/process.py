"""The state in which students leave the process, honestly or not."""

from functools import partial

from tests.handed_in.made import Notebook, cell_of, changed, graded, with_cell


def in_a_state(source: str):
    def make() -> Notebook:
        return with_cell(
            f"import torch, warnings, random\nimport numpy as np\nimport matplotlib.pyplot as plt\n{source}"
        )

    return make


STATES = {
    "double_precision": "torch.set_default_dtype(torch.float64)  # the proofs need it",
    "another_default_device": "torch.set_default_device('meta')",
    "no_gradients": "torch.set_grad_enabled(False)",
    "inference_mode_is_entered": "torch.inference_mode().__enter__()",
    "deterministic": "torch.use_deterministic_algorithms(True)",
    "anomalies_are_looked_for": "torch.autograd.set_detect_anomaly(True)",
    "autocast_is_entered": "torch.autocast('cpu', dtype=torch.bfloat16).__enter__()",
    "warnings_are_errors": "warnings.simplefilter('error')",
    "numpy_raises": "np.seterr(all='raise')",
    "random_states": "random.seed(0)\nnp.random.seed(0)\ntorch.manual_seed(0)\ntorch.set_num_threads(7)",
    "style_of_figures": "plt.rcParams['image.cmap'] = 'hot'\nplt.style.use('dark_background')",
    "little_recursion": "import sys\nsys.setrecursionlimit(120)",
}
for name, source in STATES.items():
    made = in_a_state(source)
    made.__name__ = name
    graded(source="")(made)


@graded(source="pytorch/pytorch: torch.compile needs a compiler")
def answers_that_are_compiled() -> Notebook:
    notebook = changed("log_partition", lambda text: text.replace("def log_p", "@torch.compile\ndef log_p"))
    cell = cell_of(notebook, "chain_log_partition")
    cell["source"] = "".join(cell["source"]).replace("def chain", "@torch.compile(mode='max-autotune')\ndef chain")
    return notebook


# Right above the answer to log_partition, whose tests read `torch` and `abs`.
TAKEN = {
    "a_name_of_the_notebook_is_taken_for_something_else": "torch = F = 'used up'",
    "names_of_python_are_taken_for_something_else": "abs, list = 0, []\nfor step in range(3):\n    abs += step",
    "names_are_deleted": "del torch, F, padding",
    "all_names_are_deleted": "%reset -f",
    "the_environment_is_emptied": "import os\nos.environ.clear()\nos.chdir('/')",
}
for name, source in TAKEN.items():
    taken = partial(with_cell, source, at=54)
    taken.__name__ = name  # type: ignore[attr-defined]  # as of a function
    graded(source="")(taken)


# The visible tests of tag_log_probability call the answer to log_partition, which costs it nothing.
NO_GPU = "It is graded without a GPU: use the device of the arguments"


@graded(lost={"log_partition": NO_GPU}, source="")
def a_gpu_that_is_not_there() -> Notebook:
    return changed("log_partition", lambda text: text.replace("log_scores, dim=1", "log_scores.cuda(), dim=1"))


@graded(lost={"log_partition": NO_GPU}, source="")
def a_gpu_by_name() -> Notebook:
    return changed("log_partition", lambda text: text.replace("log_scores, dim=1", "log_scores.to('cuda'), dim=1"))


@graded(source="")
def a_gpu_only_if_it_is_there() -> Notebook:
    where = "log_scores.to('cuda' if torch.cuda.is_available() else 'cpu'), dim=1"
    return changed("log_partition", lambda text: text.replace("log_scores, dim=1", where))


@graded(source="")
def a_state_that_an_answer_leaves_behind() -> Notebook:
    left = "):\n    torch.set_grad_enabled(False)\n    torch.set_default_dtype(torch.float64)\n"
    return changed("padding", lambda text: text.replace("):\n", left, 1))
