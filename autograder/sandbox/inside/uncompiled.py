"""Keeps torch._dynamo, a second of imports, out of processes that compile nothing.

Optimisers import it only to be left out of what is compiled. Until something else is asked of it, a stand-in answers
them; then the real one takes its place, and is told of what the stand-in was told.
"""

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import MutableSequence, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

NAME = "torch._dynamo"
LEFT_OUT = "__dynamo_disable"  # where torch._compile looks for a function that is not to be compiled


def defer_compiler() -> None:
    """Put the stand-in where torch._dynamo will be looked for, unless that is imported already."""
    if NAME not in sys.modules:
        sys.meta_path.insert(0, _Parts())
        sys.modules[NAME] = _StandIn(NAME)


class _StandIn(ModuleType):
    """What optimisers ask for outside any compilation, and the real module's attributes."""

    __path__: MutableSequence[str] = []  # a package, whose parts _Parts finds

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._left_out: list[tuple[Any, bool]] = []

    def graph_break(self, msg: str = "") -> None:
        """Nothing is compiled, so there is no graph to break."""

    def disable(self, fn: Any = None, recursive: bool = True, **options: Any) -> Any:
        """The function as it is; options other than those of torch._compile are the real module's business."""
        if fn is None or options != {"wrapping": False}:
            return _real().disable(fn, recursive, **options)
        self._left_out.append((fn, recursive))
        return fn

    def hand_over(self, real: ModuleType) -> None:
        for fn, recursive in self._left_out:
            setattr(fn, LEFT_OUT, real.disable(fn, recursive, wrapping=False))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # who asks each module for its file wants nothing of this one
            raise AttributeError(name)
        return getattr(_real(), name)


class _Parts(importlib.abc.MetaPathFinder):
    """Has the real package imported before any part of it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{NAME}.") or not isinstance(sys.modules.get(NAME), _StandIn):
            return None
        _real()
        # One that is there already would be executed a second time.
        there = sys.modules.pop(fullname, None)
        return importlib.util.find_spec(fullname) if there is None else ModuleSpec(fullname, _Given(there))


class _Given(importlib.abc.Loader):
    """Gives a module that has been executed."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """It has been."""


def _real() -> ModuleType:
    stand_in = sys.modules.get(NAME)
    if isinstance(stand_in, _StandIn):
        del sys.modules[NAME]
        try:
            real = importlib.import_module(NAME)
        except BaseException:
            sys.modules[NAME] = stand_in
            raise
        stand_in.hand_over(real)
    return sys.modules[NAME]
