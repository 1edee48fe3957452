"""Keeps TensorFlow out of the process that answers people.

Rasa imports TensorFlow with its policies, whether a pipeline has a neural network of Rasa's or not. Ours has
none: it would cost 350 MB and 7 seconds of every start. Here, stand-ins are imported in its place. They can
be named, subclassed and used as decorators, which is all that happens while Rasa is imported; whatever
else is asked of them raises. Training and the tests' comparison with Rasa's own pipeline use the real one.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Sequence
from typing import Any

LEFT_OUT = frozenset({"tensorflow", "tensorflow_addons", "tensorflow_hub", "tensorflow_text", "keras"})


class NotHere(RuntimeError):
    """Something of TensorFlow was used in a process that goes without it."""


class _Named(type):
    """Gives a stand-in for every name that is looked up on a stand-in."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn


class StandIn(metaclass=_Named):
    """For a class, function or constant of TensorFlow."""

    def __new__(cls, *arguments: Any, **_: Any) -> Any:
        """A decorator leaves what it decorates as it is; making anything else raises."""
        if cls is StandIn and len(arguments) == 1 and isinstance(arguments[0], types.FunctionType):
            return arguments[0]
        raise NotHere(
            f"{cls.__name__}: this process runs without TensorFlow (assistant/without_tensorflow.py)"
        )

    def __class_getitem__(cls, _: Any) -> type:
        """In a type, as `Layer[int]`."""
        return cls


class _Module(types.ModuleType):
    """A module in which every name is a stand-in."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return StandIn


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the stand-in modules, before Python looks on the disk."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] in LEFT_OUT:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing to run."""


def leave_out_tensorflow() -> None:
    """Have later imports of TensorFlow get the stand-ins; to be called before Rasa is imported."""
    if "tensorflow" not in sys.modules and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
