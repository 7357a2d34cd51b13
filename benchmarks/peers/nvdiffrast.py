# SPDX-License-Identifier: MIT
"""nvdiffrast on a GPU, where somebody has installed it: its licence is not free, so nothing here does.

Its public operations (Laine et al.: Modular Primitives for High-Performance Differentiable Rendering, 2020). It
draws for CUDA tensors alone, one triangle list for all views, and its rows begin at the bottom.
"""

import importlib.metadata
import importlib.util
from collections.abc import Callable
from typing import Any

import torch


def version() -> str | None:
    return importlib.metadata.version("nvdiffrast") if importlib.util.find_spec("nvdiffrast") else None


def forward(pos_clip: torch.Tensor, triangles: torch.Tensor, size: int) -> Callable[[], Any]:
    """A call that makes ids, barycentrics and depth; it makes their screen-space derivatives too, like it or not."""
    import nvdiffrast.torch as peer

    context = peer.RasterizeCudaContext(device=pos_clip.device)
    return lambda: peer.rasterize(context, pos_clip, triangles, (size, size))


def silhouette_step(pos_clip: torch.Tensor, triangles: torch.Tensor, target: torch.Tensor) -> Callable[[], None]:
    """A call that compares the antialiased silhouette with `target` [B, H, W], rows from the top; the gradient goes to
    every vertex.
    """
    import nvdiffrast.torch as peer

    context = peer.RasterizeCudaContext(device=pos_clip.device)
    topology = peer.antialias_construct_topology_hash(triangles)
    from_bottom = target.flip(1).contiguous()
    leaf = pos_clip.detach().clone().requires_grad_()

    def step() -> None:
        leaf.grad = None
        drawn, _ = peer.rasterize(context, leaf, triangles, target.shape[1:])
        covered = (drawn[..., 3:] > 0).to(leaf.dtype)
        alpha = peer.antialias(covered, drawn, leaf, triangles, topology_hash=topology)[..., 0]
        (alpha - from_bottom).square().sum().backward()

    return step
