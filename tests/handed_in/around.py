"""What stands around an answer, in cells that students added or changed."""

from tests.handed_in.made import Notebook, cell_of, changed, code, graded, text, with_cell

LOG_PARTITION = "def log_partition(log_scores):\n    return "


def uses(expression: str, above: str) -> Notebook:
    """`above` in a cell of its own, and an answer to log_partition that needs what it makes."""
    notebook = with_cell(above)
    cell_of(notebook, "log_partition")["source"] = f"# exercise: log_partition\n{LOG_PARTITION}{expression}\n"
    return notebook


@graded(source="googlecolab/colabtools")
def drive_is_mounted_above_an_import() -> Notebook:
    above = "from google.colab import drive, files\ndrive.mount('/content/drive')\nfiles.upload()\nimport numpy as np"
    return uses("torch.logsumexp(log_scores, dim=1).sum() * np.exp(0)", above)


@graded(source="googlecolab/colabtools")
def colab_everywhere() -> Notebook:
    above = "import google.colab\nIN_COLAB = True\nfrom google.colab import userdata, output, auth\n"
    above += "from google.colab.patches import cv2_imshow\n"
    above += (
        "import os\nos.environ['KEY'] = userdata.get('KEY')\nwith output.use_tags('a'):\n    auth.authenticate_user()\n"
    )
    above += "os.chdir('/content/drive/MyDrive/hw')\nSCALE = 1"
    return uses("SCALE * torch.logsumexp(log_scores, dim=1).sum()", above)


@graded(source="")
def a_list_of_imports_whose_third_is_missing() -> Notebook:
    return uses("torch.logsumexp(log_scores, dim=1).sum() * math.exp(0)", "import os, sys, wandb, math")


@graded(source="")
def names_of_one_module_of_which_one_is_missing() -> Notebook:
    return uses("lse(log_scores, dim=1).sum()", "from torch import no_such_thing, logsumexp as lse")


@graded(
    lost={
        "log_partition": "Cell 6 stopped at `import wandb`: wandb is not installed where it is graded; use numpy, torch"
    },
    source="",
)
def a_package_that_is_needed_and_missing() -> Notebook:
    return uses("wandb.sum(log_scores)", "import wandb")


@graded(
    lost={"log_partition": "Cell 6 stopped at `table = open('/content/drive/x').read()`"},
    source="",
)
def a_file_that_is_needed_and_missing() -> Notebook:
    return uses("rows", "table = open('/content/drive/x').read()\nrows = table.split()")


@graded(source="")
def imports_in_the_changed_cell_of_imports() -> Notebook:
    notebook = uses("np.exp(0) * torch.logsumexp(log_scores, dim=1).sum() * SCALE", "")
    cell = notebook["cells"][4]
    cell["source"] = "from google.colab import drive\ndrive.mount('/d')\nimport numpy as np\nSCALE = 1\n" + text(cell)
    return notebook


@graded(source="")
def an_import_in_a_test_cell() -> Notebook:
    notebook = uses("math.exp(0) * torch.logsumexp(log_scores, dim=1).sum()", "")
    at = next(i for i, cell in enumerate(notebook["cells"]) if "frame = tuple(padding" in text(cell))
    notebook["cells"][at]["source"] = "import math\n" + text(notebook["cells"][at])
    return notebook


@graded(source="")
def an_own_test_that_fails_above_a_helper() -> Notebook:
    return uses(
        "helper(log_scores)", "assert 1 == 2, 'my own test'\ndef helper(x):\n    return torch.logsumexp(x, dim=1).sum()"
    )


@graded(source="")
def the_notebook_is_left_in_the_middle() -> Notebook:
    return uses(
        "helper(log_scores)", "import sys\nif True: sys.exit()\ndef helper(x): return torch.logsumexp(x, 1).sum()"
    )


@graded(source="ipython/ipython: cell magics below comments; Colab takes them")
def a_cell_magic_below_the_line_of_the_exercise() -> Notebook:
    return changed("log_partition", lambda source: source.replace("\n", "\n%%time\n", 1))


@graded(source="")
def capture_above_an_answer() -> Notebook:
    return changed("padding", lambda source: "%%capture out\n" + source)


@graded(source="")
def a_magic_that_is_not_installed() -> Notebook:
    return changed("padding", lambda source: "%%memit\n" + source)


@graded(source="")
def commands_for_the_shell() -> Notebook:
    above = "!nvidia-smi\n%pip install einops\nfiles = !ls\nlen(files)\nif True:\n    !nvidia-smi\n"
    above += "try:\n    import einops\nexcept ImportError:\n    !pip install einops\n%load_ext tensorboard\n"
    above += "%tensorboard --logdir .\ntorch?\n%timeit -n 1 -r 1 1 + 1\n"
    above += "%config InlineBackend.figure_format = 'retina'\nSCALE = 1"
    return uses("SCALE * torch.logsumexp(log_scores, dim=1).sum()", above)


@graded(source="")
def a_cell_in_another_language() -> Notebook:
    notebook = with_cell("# look\n%%bash\nls")
    notebook["cells"].insert(6, code("%%html\n<b>x</b>"))
    return notebook


@graded(source="")
def an_answer_that_is_timed_line_by_line() -> Notebook:
    return uses("SCALE * torch.logsumexp(log_scores, dim=1).sum()", "%time SCALE = 1\nother = %time 1 + 1")
