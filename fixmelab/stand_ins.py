"""Stand-ins for what is not there in grading, and a notebook that was written in Colab may use: they do nothing, and
harm nobody."""

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_COLAB = "google.colab"


def let_colab_be_found() -> None:
    """Let `google.colab` be found if the real one is not there."""
    sys.meta_path.append(_Finder())


def leave_uncompiled() -> None:
    """Let torch.compile leave everything as it is.

    It would call a compiler, for minutes, or fail for want of one; the numbers would be the same.
    """
    import torch

    torch.compile = _uncompiled


def _uncompiled(model: Any = None, **_: Any) -> Any:
    return model if model is not None else lambda function: function


class _Finder(MetaPathFinder, Loader):
    """Makes google.colab and whatever lies in it; and `google`, if no package there is called so."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name in ("google", _COLAB) or name.startswith(f"{_COLAB}."):
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name) if spec.name == "google" else _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.__name__ == f"{_COLAB}.userdata":
            return lambda *_, **__: ""  # a secret, which goes into the environment
        return _Nothing()


class _Nothing:
    """What calls, loops, `with` and attributes of Colab's functions come to."""

    def __call__(self, *_: Any, **__: Any) -> "_Nothing":
        return self

    def __getattr__(self, name: str) -> "_Nothing":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __enter__(self) -> "_Nothing":
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    def __str__(self) -> str:
        return ""

    __repr__: Callable[..., str] = __str__
