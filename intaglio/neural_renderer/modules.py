# SPDX-License-Identifier: MIT
"""The module paths of the original: `neural_renderer.renderer.Renderer` and its like."""

from __future__ import annotations

import sys
from types import ModuleType

from . import rasterizing

__all__ = ["SUBMODULES", "add_submodules", "alias"]

# In which file of the original a name stood. A function hides the submodule of its name, as it did there.
SUBMODULES = {
    "get_points_from_angles": ("get_points_from_angles",),
    "lighting": ("lighting",),
    "load_obj": ("load_obj",),
    "look": ("look",),
    "look_at": ("look_at",),
    "mesh": ("Mesh",),
    "perspective": ("perspective",),
    "projection": ("projection",),
    "rasterize": ("Rasterize", "rasterize", "rasterize_depth", "rasterize_rgbad", "rasterize_silhouettes"),
    "renderer": ("Renderer",),
    "save_obj": ("save_obj",),
    "vertices_to_faces": ("vertices_to_faces",),
}


def add_submodules(package: str) -> None:
    """Make the submodules of a module that has all their names already."""
    parent = sys.modules[package]
    for name, members in SUBMODULES.items():
        module = ModuleType(f"{package}.{name}", f"As in the original: {', '.join(members)}.")
        for member in members:
            setattr(module, member, getattr(parent, member))
        if name == "rasterize":
            vars(module).update((x, getattr(rasterizing, x)) for x in dir(rasterizing) if x.startswith("DEFAULT_"))
        sys.modules[module.__name__] = module
        if not hasattr(parent, name):
            setattr(parent, name, module)


def alias(package: str, name: str) -> None:
    """Let `import name` and `import name.renderer` find `package` and its submodules."""
    sys.modules[name] = sys.modules[package]
    for submodule in SUBMODULES:
        sys.modules[f"{name}.{submodule}"] = sys.modules[f"{package}.{submodule}"]
