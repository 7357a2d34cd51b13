# SPDX-License-Identifier: MIT
"""Losses of silhouettes and their exact derivatives: what estimators of the edges' motion are measured by.

Losses are linear in the image, L = sum(weight * image) with a smooth weight, so that the upstream gradient of the image
with one sample per pixel is that of the box-filtered image, and only the edges' motion is compared.
"""

import numpy as np

from reference import edges, scenes
from reference.derivative import complex_step

Array = np.ndarray


def smooth_weight(size, seed=0):
    """[H,W]: positive, varying over about a third of the image."""
    y, x = (np.arange(n) / max(size) for n in size)
    phase = np.random.default_rng(seed).uniform(0, 6, 2)
    return 1 + 0.4 * np.sin(5 * x[None, :] + phase[0]) + 0.4 * np.cos(4 * y[:, None] + phase[1])


def window_weight(size):
    """[H,W]: smooth, 1 in the middle and 0 from the image's border on, so that edges which leave it have no end."""
    y, x = (2 * (np.arange(n) + 0.5) / n - 1 for n in size)
    return np.clip(1 - (x[None, :] ** 2 + y[:, None] ** 2), 0, None) ** 2


def mask_colors(triangles, inside=1.0):
    return np.array([[inside]] * len(triangles) + [[0.0]])


def rectangle(left, top, right, bottom, size):
    """Quad with its sides at these pixel coordinates (x right, y down)."""
    height, width = size
    corners = np.array([(left, bottom), (right, bottom), (right, top), (left, top)])
    ndc = corners * [2 / width, -2 / height] + [-1, 1]
    return np.c_[ndc, np.zeros(4), np.ones(4)][None], np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)


def sphere_in_pixels(level, radius, centre=(0.3, -0.2), depth=0.0):
    """Vertices [V,3] in pixels from the image centre, y up, and the outward direction of each."""
    sphere = scenes.icosphere(level)
    outward = sphere.vertices @ scenes.rotation([1, 2, 3], 0.7).T
    return scenes.Shape(outward * radius + np.array([*centre, depth]), sphere.triangles), outward


def clip_direction(matrix, vertices, velocity):
    """d pos_clip / dt [V,4] of vertices that move with `velocity`."""
    return (scenes.project(matrix, vertices + velocity) - scenes.project(matrix, vertices))[0]


def exact_derivative(pos_clip, direction, weight):
    """Of sum(weight * area of the pixels inside the convex silhouette), when pos_clip moves along `direction`."""
    pixels = edges.pixels_from_clip(pos_clip[0], weight.shape)
    velocity = complex_step(lambda p: edges.pixels_from_clip(p, weight.shape), pos_clip[0], direction)
    hull = edges.convex_hull(pixels)
    return (edges.polygon_gradient(pixels[hull], weight) * velocity[hull]).sum()
