"""In which order modules of tests start: the longest first, so that none of them is begun when all else is done.

With `--dist loadfile --no-loadscope-reorder` a module stays on one worker, with its fixtures and its locks.
"""

from collections.abc import Sequence

import pytest

# Seconds of processor time, roughly. Nothing but the order depends on them; a module without a number takes less.
SECONDS: dict[str, int] = {}


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests with their modules in that order, and otherwise as they were."""
    return sorted(items, key=lambda item: -SECONDS.get(item.nodeid.partition("::")[0], 0))
