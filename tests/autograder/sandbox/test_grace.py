"""How long a cell has to stop by itself once it has been interrupted."""

import dataclasses

import pytest

from autograder.sandbox.inside import supervisor
from autograder.sandbox.limits import Limits


@pytest.mark.parametrize(("cell", "ended_at"), ((0.5, 1.5), (60.0, 62.5)))
def test_it_has_no_longer_than_it_had_before(monkeypatch: pytest.MonkeyPatch, cell: float, ended_at: float) -> None:
    ended: list[float] = []
    monkeypatch.setattr(supervisor, "processes", dict)
    monkeypatch.setattr(supervisor.Watch, "kill", lambda watch: ended.append(watch.used))
    limits = dataclasses.asdict(Limits(cell=cell)) | {"held": 0}
    watch = supervisor.Watch(1, limits, own_network=False)
    watch.begin_cell()
    for seconds in (0.0, *(quarter / 4 for quarter in range(1, 300))):
        watch.look({1: supervisor.Process(1, 0, 0, seconds, threads=1, resident=0, sleeps=False)})
        if ended:
            break
    assert watch.stopped == "cell" and ended == [ended_at]
