# SPDX-License-Identifier: MIT
"""Names of a package whose modules are loaded when they are first asked for (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(package: str, **names: tuple[str, ...]) -> Callable[[str], Any]:
    """The `__getattr__` of `package`, to which each of its modules gives its names; without any, itself."""
    where = {name: module for module, given in names.items() for name in given or (module,)}

    def __getattr__(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = import_module(f".{where[name]}", package)
        found = getattr(module, name) if names[where[name]] else module
        setattr(sys.modules[package], name, found)  # also where a submodule of that name has taken its place
        return found

    return __getattr__
