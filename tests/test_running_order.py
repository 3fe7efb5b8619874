"""Modules start in the order of their times, and each stays in one piece."""

from types import SimpleNamespace

from tests import held, running_order


def test_the_longest_modules_come_first_and_stay_whole(monkeypatch):
    monkeypatch.setattr(running_order, "SECONDS", {"b.py": 5, "c.py": 70})
    names = ["a.py::x", "a.py::y[c.py::x]", "b.py::x", "c.py::y", "c.py::x", "d.py::x"]
    items = [SimpleNamespace(nodeid=name) for name in names]
    found = [item.nodeid for item in running_order.longest_first(items)]
    assert found == ["c.py::y", "c.py::x", "b.py::x", "a.py::x", "a.py::y[c.py::x]", "d.py::x"]


def test_the_modules_with_a_time_are_there():
    assert [path for path in running_order.SECONDS if not (held.ROOT / path).is_file()] == []
