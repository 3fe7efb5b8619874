"""In which order modules of tests start: the longest first, so that none of them is begun when all else is done.

With `--dist loadfile --no-loadscope-reorder` a module stays on one worker, with its fixtures and its locks.
"""

from collections.abc import Sequence

import pytest

# Seconds of processor time, roughly. Nothing but the order depends on them; a module without a number takes less.
SECONDS = {
    "tests/notebooks/test_notebooks.py": 130,
    "tests/autograder/attacks/test_attacks.py": 80,
    "tests/autograder/gradescope/test_runs.py": 80,
    "tests/autograder/grading/test_cluster.py": 60,
    "tests/autograder/judge/test_protocol.py": 60,
    "tests/autograder/sandbox/test_kernel.py": 60,
    "tests/autograder/test_samples.py": 60,
    "tests/fixmelab/test_cli_train.py": 60,
    "tests/fixmelab/test_fid.py": 60,
    "tests/autograder/assignments/test_shapes.py": 50,
    "tests/autograder/commands/test_commands.py": 50,
    "tests/autograder/gradebook/test_record.py": 45,
    "tests/benchmarks/test_scale.py": 45,
    "tests/autograder/grading/test_workers.py": 40,
    "tests/autograder/sandbox/test_layers.py": 40,
    "tests/autograder/sandbox/test_neighbours.py": 40,
    "tests/benchmarks/test_attacks_benchmark.py": 40,
    "tests/fixmelab/test_widgets_browser.py": 40,
    "tests/fixmelab/test_wire_fuzz.py": 40,
    "tests/handed_in/test_graded.py": 40,
    "tests/autograder/assignments/test_lies.py": 35,
    "tests/autograder/gradebook/test_formgrader.py": 30,
    "tests/autograder/grading/test_execute.py": 30,
    "tests/autograder/grading/test_shares.py": 30,
    "tests/autograder/judge/test_judged_pictures.py": 30,
    "tests/autograder/publish/test_published_tree.py": 30,
    "tests/autograder/publish/test_workflows.py": 30,
    "tests/fixmelab/test_data_wheel.py": 30,
    "tests/fixmelab/test_graph_pictures.py": 30,
    "tests/autograder/serve/test_serving.py": 25,
    "tests/autograder/assignments/test_cheats.py": 20,
    "tests/autograder/assignments/test_gcn.py": 20,
    "tests/autograder/authoring/test_build_release.py": 20,
    "tests/autograder/authoring/test_new_notebook.py": 20,
    "tests/fixmelab/test_lowest_versions.py": 20,
    "tests/autograder/grading/test_costs.py": 15,
    "tests/autograder/grading/test_grade.py": 15,
    "tests/autograder/grading/test_run.py": 15,
    "tests/benchmarks/test_sampling.py": 15,
    "tests/autograder/grading/test_regrade.py": 12,
    "tests/autograder/publish/test_publish_scan.py": 12,
    "tests/autograder/serve/test_description.py": 11,
    "tests/autograder/serve/test_handing_in.py": 10,
}


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests with their modules in that order, and otherwise as they were."""
    return sorted(items, key=lambda item: -SECONDS.get(item.nodeid.partition("::")[0], 0))
