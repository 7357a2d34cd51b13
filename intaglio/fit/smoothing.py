# SPDX-License-Identifier: MIT
"""A smooth step from a rough one: what one vertex wants is spread over the surface around it.

The gradient of a silhouette falls on the vertices of its edge alone. Followed as it is, it pulls them out as spikes and
leaves the rest behind; spread, it moves the surface as a whole, in far larger steps.

Nicolet, Jacobson, Jakob: Large Steps in Inverse Rendering of Geometry, 2021. They solve a linear system; this is the
beginning of the series of its inverse, which needs no solver and costs a few products with a sparse matrix.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch

__all__ = ["surface_smoother"]

FROM_NEIGHBOURS = 0.95  # of what moves a vertex; 0.05 is its own


def surface_smoother(
    triangles: np.ndarray, num_vertices: int, rounds: int, like: torch.Tensor
) -> Callable[[torch.Tensor], torch.Tensor]:
    """A symmetric linear map of [V, C] to [V, C] that averages over neighbouring vertices `rounds` times.

    Args:
        triangles: [F, 3] integers.
        rounds: how many edges far a vertex is felt; 0 gives the identity.
        like: its dtype and device are those of the arrays to come.
    """
    if rounds == 0:
        return lambda values: values
    neighbour_mean = _neighbour_mean(triangles, num_vertices, like)

    def smooth(values: torch.Tensor) -> torch.Tensor:
        smoothed = values
        for _ in range(rounds):
            smoothed = torch.lerp(values, neighbour_mean @ smoothed, FROM_NEIGHBOURS)
        return smoothed

    return smooth


def _neighbour_mean(triangles: np.ndarray, num_vertices: int, like: torch.Tensor) -> torch.Tensor:
    """[V, V] sparse: 1 / sqrt(degree of a * degree of b) for the edge a, b, which unlike a plain mean is symmetric."""
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    edges = np.unique(np.concatenate([sides, sides[:, ::-1]]), axis=0)  # sorted by row, each edge from both ends
    degree = np.bincount(edges[:, 0], minlength=num_vertices)
    rows = np.concatenate([[0], np.cumsum(degree)])
    weights = 1 / np.sqrt(degree[edges[:, 0]] * degree[edges[:, 1]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch calls the layout that is six times as fast "beta"
        matrix = torch.sparse_csr_tensor(
            torch.from_numpy(rows), torch.from_numpy(edges[:, 1].copy()), torch.from_numpy(weights), (num_vertices,) * 2
        )
        return matrix.to(dtype=like.dtype, device=like.device)
