"""In which order modules of tests start: the longest first, so that none of them is begun when all else is done.

With `--dist loadfile --no-loadscope-reorder` a module stays on one worker, with its fixtures and its locks.
"""

from collections.abc import Sequence

import pytest

# Seconds of processor time, roughly. Nothing but the order depends on them; a module without a number takes less.
SECONDS = {
    "tests/autograder/gradescope/test_runs.py": 220,
    "tests/autograder/attacks/test_attacks.py": 200,
    "tests/fixmelab/test_cli_train.py": 200,
    "tests/notebooks/test_notebooks.py": 200,
    "tests/autograder/assignments/test_lies.py": 160,
    "tests/autograder/publish/test_published_tree.py": 150,
    "tests/autograder/test_samples.py": 100,
    "tests/fixmelab/test_wire_fuzz.py": 130,
    "tests/autograder/gradebook/test_formgrader.py": 110,
    "tests/autograder/gradebook/test_record.py": 80,
    "tests/fixmelab/test_lowest_versions.py": 80,
    "tests/autograder/assignments/test_shapes.py": 70,
    "tests/autograder/assignments/test_gcn.py": 60,
    "tests/autograder/authoring/test_build_release.py": 60,
    "tests/autograder/judge/test_protocol.py": 60,
    "tests/autograder/sandbox/test_kernel.py": 60,
    "tests/fixmelab/test_fid.py": 60,
    "tests/autograder/commands/test_commands.py": 50,
    "tests/autograder/grading/test_execute.py": 50,
    "tests/autograder/publish/test_publish_scan.py": 50,
    "tests/autograder/publish/test_workflows.py": 50,
    "tests/benchmarks/test_attacks_benchmark.py": 50,
    "tests/autograder/grading/test_workers.py": 40,
    "tests/autograder/sandbox/test_layers.py": 40,
    "tests/autograder/sandbox/test_neighbours.py": 40,
    "tests/fixmelab/test_widgets_browser.py": 40,
    "tests/autograder/judge/test_judged_pictures.py": 30,
    "tests/benchmarks/test_sampling.py": 30,
    "tests/fixmelab/test_data_wheel.py": 30,
    "tests/fixmelab/test_graph_pictures.py": 30,
}


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests with their modules in that order, and otherwise as they were."""
    return sorted(items, key=lambda item: -SECONDS.get(item.nodeid.partition("::")[0], 0))
