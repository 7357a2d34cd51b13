# SPDX-License-Identifier: MIT
"""What a fit works on."""

from __future__ import annotations

from ..array import default_framework, namespace
from ..mesh import Mesh

__all__ = ["differentiable"]


def differentiable(mesh: Mesh) -> Mesh:
    """The mesh, in a framework that has gradients, its table of neighbours built: a compiled step could not.

    Raises:
        ValueError: it is NumPy's, and no framework is installed.
    """
    mesh.neighbours  # noqa: B018 - kept by the mesh and by all that come from it
    return mesh.to(default_framework()) if namespace(mesh.vertices).name == "numpy" else mesh
