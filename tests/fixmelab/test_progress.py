"""The bar of a network that is called many times."""

import pytest
import torch
from torch import nn

import fixmelab


def test_each_call_moves_the_bar_and_changes_nothing(capsys) -> None:
    network = nn.Linear(2, 2)
    x = torch.ones(1, 2)
    right = network(x)
    with fixmelab.progress(network, 3, "sampling"):
        for _ in range(3):
            assert torch.equal(network(x), right)
    shown = capsys.readouterr().err
    assert "sampling" in shown and "3/3" in shown


def test_no_hook_is_left(capsys) -> None:
    network = nn.Identity()
    with pytest.raises(ZeroDivisionError), fixmelab.progress(network, 3, "sampling"):
        1 / 0  # noqa: B018
    assert not network._forward_hooks
