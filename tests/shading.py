# SPDX-License-Identifier: MIT
"""Surfaces and lights that the tests of shading share, and gradients of shading ops beside differences."""

from typing import Any

import numpy as np
import torch

from intaglio import ops

SIZE = (2, 9, 70)  # images, rows, columns: a block of pixels and a rest, more than once
IDS = np.random.default_rng(7).integers(-1, 3, SIZE).astype(np.int32)

Inputs = dict[str, np.ndarray]


def fragments_of(ids: Any) -> ops.Fragments:
    """What ops that only look for the background need."""
    return ops.Fragments(ids, ids, ids)


def at_random(num_lights: int = 4, seed: int = 0) -> Inputs:
    """Metallic surfaces in every position; a viewer at a point, and one far away; points, directions and spots."""
    rng = np.random.default_rng(seed)
    lights = rng.normal(size=(2, num_lights, 12))
    lights[..., 3] = np.arange(num_lights) % 2
    lights[..., 4:7] = np.abs(lights[..., 4:7])
    lights[..., 7:10] /= np.linalg.norm(lights[..., 7:10], axis=-1, keepdims=True)
    lights[..., 10], lights[..., 11] = 0.9, 0.5
    return {
        "positions": rng.normal(size=(*SIZE, 3)),
        "normals": rng.normal(size=(*SIZE, 3)),
        "base_color": rng.uniform(0, 1, (*SIZE, 3)),
        "roughness_metallic": rng.uniform(0, 1, (*SIZE, 2)),
        "viewer": np.array([[1, 2, 3, 1.0], [0.1, 0.3, 1, 0]]),
        "lights": lights,
    }


def directional(place: Any) -> np.ndarray:
    """[..., 1, 12]: one white light at each place [..., 4], or from each direction [..., 3]."""
    place = np.asarray(place, np.float64)
    fields = np.zeros((*place.shape[:-1], 1, 12))
    fields[..., 0, : place.shape[-1]], fields[..., 4:7], fields[..., 11] = place, 1, 1
    return fields


def one_pixel(batch: int, roughness: float, metallic: float, color: Any) -> Inputs:
    """Images of one pixel of a surface in the origin that faces +z, seen and lit from there."""
    plane = np.zeros((batch, 1, 1, 3))
    return {
        "positions": plane,
        "normals": plane + np.array([0, 0, 1]),
        "base_color": plane + color,
        "roughness_metallic": plane[..., :2] + np.array([roughness, metallic]),
        "viewer": np.array([0, 0, 1.0, 0]),
        "lights": directional((0, 0, 1)),
    }


def shade(x: Inputs, ids: np.ndarray | None = None) -> np.ndarray:
    ids = np.zeros(x["positions"].shape[:3], np.int32) if ids is None else ids
    return ops.shade_metallic(**x, fragments=fragments_of(ids))


def shade_at(roughness: float = 1, metallic: float = 0, color: Any = (1, 1, 1), **others: Any) -> np.ndarray:
    return shade(one_pixel(1, roughness, metallic, color) | others)[0, 0, 0]


def gradient_along(op: Any, x: Inputs, name: str, seed: int, step: float = 1e-6) -> tuple[float, float, float]:
    """The derivative of a random sum of the op's output to one input along a random direction: by the op's gradient, by
    central differences, and how large the terms of that sum are.
    """
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=x[name].shape)
    if name == "lights":
        direction[..., 3] = 0  # a point or a direction
    fragments = fragments_of(IDS)
    ahead, behind = (
        op(**x | {name: np.asarray(x[name] + move * direction)}, fragments=fragments) for move in (step, -step)
    )
    difference = (ahead - behind) / (2 * step)
    weight = rng.normal(size=difference.shape)
    leaves = {key: torch.tensor(value) for key, value in x.items()}
    leaves[name].requires_grad_()
    op(**leaves, fragments=fragments_of(torch.tensor(IDS))).backward(torch.tensor(weight))
    gradient = leaves[name].grad
    assert gradient is not None
    along = float((gradient.numpy() * direction).sum())
    return along, float((difference * weight).sum()), float(np.abs(difference * weight).sum())
