# SPDX-License-Identifier: MIT
"""Objects as trees of arrays, which JAX's transforms take apart and put together again.

Classes are declared here as they are made, and made known to JAX when intaglio first meets it, so that nothing imports
it. An object is put together without its checks: transforms put into it what they like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

Flatten = Callable[[Any], tuple[Sequence[Any], Any]]  # to leaves, and what is no leaf: hashable, and compared
Unflatten = Callable[[Any, Sequence[Any]], Any]  # from what is no leaf, and leaves
Register = Callable[[type, Flatten, Unflatten], None]
Class = TypeVar("Class", bound=type)

_declared: list[tuple[type, Flatten, Unflatten]] = []
_registers: list[Register] = []


def declare(cls: type, flatten: Flatten, unflatten: Unflatten) -> None:
    _declared.append((cls, flatten, unflatten))
    for register in _registers:
        register(cls, flatten, unflatten)


def make_known_to(register: Register) -> None:
    """All classes, those to come too."""
    _registers.append(register)
    for declared in _declared:
        register(*declared)


def tree_of_fields(*structure: str) -> Callable[[Class], Class]:
    """Declares a dataclass: its fields are leaves, but for those named here."""

    def declared(cls: Class) -> Class:
        leaves = [field.name for field in fields(cls) if field.name not in structure]

        def flatten(x: Any) -> tuple[Sequence[Any], Any]:
            values = [getattr(x, name) for name in leaves]
            rest = (getattr(x, name) for name in structure)
            return [_one_array(value) for value in values], tuple(tuple(x) if isinstance(x, list) else x for x in rest)

        def unflatten(rest: Any, values: Sequence[Any]) -> Any:
            return assembled(cls, zip((*structure, *leaves), (*rest, *values), strict=True))

        declare(cls, flatten, unflatten)
        return cls

    return declared


def assembled(cls: type, attributes: Any) -> Any:
    """An object with these attributes, given as to dict.update."""
    made: Any = object.__new__(cls)
    made.__dict__.update(attributes)
    return made


def _one_array(x: Any) -> Any:
    """A list of numbers is one leaf."""
    return np.asarray(x, np.float64) if isinstance(x, (list, tuple)) else x
