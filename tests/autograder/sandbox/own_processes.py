"""Runs a command in a process table of its own: a fault of what it kills cannot reach anybody else."""

import functools
import os
import subprocess

import pytest

_PREFIX = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "--"]


def alone(command: list[str]) -> list[str]:
    """`command` in a pid namespace of its own. The test is skipped where that cannot be had."""
    if not _can():
        pytest.skip("only root can have a process table of its own and be another user")
    return [*_PREFIX, *command]


@functools.cache
def _can() -> bool:
    return os.geteuid() == 0 and subprocess.run([*_PREFIX, "true"], capture_output=True).returncode == 0
