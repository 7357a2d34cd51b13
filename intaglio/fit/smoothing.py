# SPDX-License-Identifier: MIT
"""A smooth step from a rough one: what one vertex wants is spread over the surface around it.

The gradient of a silhouette falls on the vertices of its edge alone. Followed as it is, it pulls them out as spikes and
leaves the rest behind; spread, it moves the surface as a whole, in far larger steps.

Nicolet, Jacobson, Jakob: Large Steps in Inverse Rendering of Geometry, 2021. They solve a linear system; `ops.smooth`
is the beginning of the series of its inverse, which needs no solver.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..array import from_numpy, to_numpy
from ..mesh import Mesh
from ..ops import smooth
from ..topology import edge_ends

__all__ = ["surface_smoother"]


def surface_smoother(mesh: Mesh, rounds: int) -> Callable[[Any], Any]:
    """A symmetric linear map of [V, C] to [V, C], in the framework of the mesh, that averages over neighbouring
    vertices `rounds` times: so many edges far a vertex is felt. 0 rounds give the identity.
    """
    if rounds == 0:
        return lambda values: values
    tables = edge_ends(to_numpy(mesh.triangles), mesh.vertices.shape[-2])
    starts, ends = (from_numpy(table, like=mesh.vertices) for table in tables)
    return lambda values: smooth(values, starts, ends, rounds=rounds)
