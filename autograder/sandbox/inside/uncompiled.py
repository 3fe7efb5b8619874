"""Keeps torch's compiler out of processes that compile nothing: torch._dynamo, a second of imports, and the arithmetic
of symbolic shapes, which brings SymPy, a third of one.

Optimisers import the one only to be left out of what is compiled, and broadcasting the other only to learn that plain
numbers are no symbols. Until something else is asked of a module, a stand-in answers them; then the real one takes its
place, and is told of what the stand-in was told.
"""

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import MutableSequence, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

COMPILER = "torch._dynamo"
SHAPES = "torch.fx.experimental.symbolic_shapes"
LEFT_OUT = "__dynamo_disable"  # where torch._compile looks for a function that is not to be compiled


def defer_compiler() -> None:
    """Put the stand-ins where the modules will be looked for, unless they are imported already. torch is."""
    if COMPILER not in sys.modules:
        sys.meta_path.insert(0, _Parts())
        sys.modules[COMPILER] = _Compiler(COMPILER)
    if SHAPES not in sys.modules:
        sys.modules[SHAPES] = _Shapes(SHAPES)
        package, _, name = SHAPES.rpartition(".")
        setattr(importlib.import_module(package), name, sys.modules[SHAPES])


class _StandIn(ModuleType):
    """What is asked outside any compilation, and the real module's attributes."""

    def hand_over(self, real: ModuleType) -> None:
        """Tell the real module what this one has been told."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # who asks each module for its file wants nothing of this one
            raise AttributeError(name)
        return getattr(_real(self.__name__), name)


class _Compiler(_StandIn):
    """In the place of torch._dynamo."""

    __path__: MutableSequence[str] = []  # a package, whose parts _Parts finds

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._left_out: list[tuple[Any, bool]] = []

    def graph_break(self, msg: str = "") -> None:
        """Nothing is compiled, so there is no graph to break."""

    def disable(self, fn: Any = None, recursive: bool = True, **options: Any) -> Any:
        """The function as it is; options other than those of torch._compile are the real module's business."""
        if fn is None or options != {"wrapping": False}:
            return _real(COMPILER).disable(fn, recursive, **options)
        self._left_out.append((fn, recursive))
        return fn

    def hand_over(self, real: ModuleType) -> None:
        for fn, recursive in self._left_out:
            setattr(fn, LEFT_OUT, real.disable(fn, recursive, wrapping=False))


class _Shapes(_StandIn):
    """In the place of torch.fx.experimental.symbolic_shapes: what broadcasting and gradients import of it."""

    @staticmethod
    def guard_or_false(a: Any) -> Any:
        """A plain truth value is what it is; only of a symbol it may be unknown."""
        return a if isinstance(a, bool) else _real(SHAPES).guard_or_false(a)

    @staticmethod
    def expect_true(a: Any, skip: int = 0) -> Any:
        return a if isinstance(a, bool) else _real(SHAPES).expect_true(a, skip + 1)

    @staticmethod
    def sym_eq(x: Any, y: Any) -> Any:
        is_plain = all(isinstance(item, tuple) and all(isinstance(size, int) for size in item) for item in (x, y))
        return tuple(x) == tuple(y) if is_plain else _real(SHAPES).sym_eq(x, y)

    @staticmethod
    def is_nested_int(s: Any) -> Any:
        return False if isinstance(s, int) else _real(SHAPES).is_nested_int(s)

    # Imported with the others, and called of symbols alone.

    @staticmethod
    def has_guarding_hint(a: Any) -> Any:
        return _real(SHAPES).has_guarding_hint(a)

    @staticmethod
    def guarding_hint_or_throw(a: Any) -> Any:
        return _real(SHAPES).guarding_hint_or_throw(a)


class _Parts(importlib.abc.MetaPathFinder):
    """Has the real compiler imported before any part of it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{COMPILER}.") or not isinstance(sys.modules.get(COMPILER), _StandIn):
            return None
        _real(COMPILER)
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


def _real(name: str) -> Any:
    stand_in = sys.modules.get(name)
    if isinstance(stand_in, _StandIn):
        del sys.modules[name]
        try:
            real = importlib.import_module(name)
        except BaseException:
            sys.modules[name] = stand_in
            raise
        stand_in.hand_over(real)
    return sys.modules[name]
