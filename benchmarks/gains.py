# SPDX-License-Identifier: MIT
"""How much of the true gradient reaches the mesh? The radius of a sphere, its mask's area, meshes of growing density.

`edge_gradient` beside two rules of the field, written from their papers' descriptions as plain loops over pixel pairs:

- pairwise: Laine et al., Modular Primitives for High-Performance Differentiable Rendering, 2020, section 3.5. The
  nearer pixel's triangle must own a silhouette edge that crosses the segment between the two centres; otherwise the
  pair has no gradient.
- micro-edge: Pidhorskyi et al., Rasterized Edge Gradients, 2024. The pixel border between two triangles is an edge of
  its own that moves as the nearer surface moves at its pixel's centre.
"""

from collections.abc import Callable

import numpy as np
import torch

import intaglio
from intaglio import shapes

from .report import Claim, Section

SIZES = (64, 160)
LEVELS = (0, 2, 3, 4, 5)
POSES = 6
RADIUS_NDC = 0.72

Rule = Callable[..., float]


def measure() -> Section:
    rows, gains = [], {}
    for level in LEVELS:
        sphere = shapes.icosphere(level)
        measured = {name: [gain(rule, sphere, size) for size in SIZES] for name, rule in RULES.items()}
        rows.append((f"{len(sphere.triangles):,}", *(f"{np.mean(g):.3f}" for g in measured.values())))
        gains[level] = measured["edge_gradient"]
    worst = max(abs(1 - g) for of_level in gains.values() for g in of_level)
    return Section(
        "How much of the gradient at silhouettes arrives",
        "Gain: estimated over exact derivative of a sphere's mask with respect to its radius (ideal 1), mean over "
        f"{POSES} poses, at {' and '.join(f'{s}²' for s in SIZES)}. The other rules are re-created in "
        "`benchmarks/gains.py` from their papers.",
        ("triangles", *RULES),
        rows,
        [Claim("worst error of edge_gradient's gain", worst, 0.01, 0.002, unit="", smaller_is_better=True)],
    )


def gain(rule: Rule, sphere: intaglio.Mesh, size: int) -> float:
    """Mean over poses of the estimated over the exact derivative of the covered area."""
    random = np.random.default_rng(size)
    found = []
    for _ in range(POSES):
        rotation = np.linalg.qr(random.normal(size=(3, 3)))[0]
        outward = sphere.vertices.astype(np.float64) @ rotation  # of length 1: what the radius multiplies
        centre = random.uniform(-1, 1, 2) / size
        pos_ndc = outward * RADIUS_NDC * [1, 1, -0.5] + [*centre, 0]
        found.append(rule(outward[:, :2], pos_ndc, sphere, size) / (2 * hull_area(pos_ndc[:, :2], size) / RADIUS_NDC))
    return float(np.mean(found))


def hull_area(points: np.ndarray, size: int) -> float:
    """In square pixels, of the convex hull: the silhouette of a convex mesh. Andrew's monotone chain."""
    ordered = points[np.lexsort(points.T[::-1])]
    hull: list[np.ndarray] = []
    for half in (ordered, ordered[::-1]):
        chain: list[np.ndarray] = []
        for p in half:
            while len(chain) > 1 and cross(chain[-1] - chain[-2], p - chain[-1]) <= 0:
                chain.pop()
            chain.append(p)
        hull += chain[:-1]
    x, y = np.transpose(hull)
    return float(abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2 * (size / 2) ** 2)


def cross(a: np.ndarray, b: np.ndarray) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def clip(pos_ndc: np.ndarray) -> np.ndarray:
    return np.concatenate([pos_ndc, np.ones((len(pos_ndc), 1))], axis=1)[None]


def edge_gradient(outward: np.ndarray, pos_ndc: np.ndarray, sphere: intaglio.Mesh, size: int) -> float:
    pos_clip = torch.tensor(clip(pos_ndc), requires_grad=True)
    triangles, neighbours = torch.from_numpy(sphere.triangles), torch.from_numpy(sphere.neighbours)
    intaglio.silhouette(pos_clip, triangles, (size, size), neighbours=neighbours).sum().backward()
    assert pos_clip.grad is not None
    return float(np.sum(pos_clip.grad[0, :, :2].numpy() * outward))


def over_silhouette_pairs(
    contribution: Callable[..., float], outward: np.ndarray, pos_ndc: np.ndarray, sphere: intaglio.Mesh, size: int
) -> float:
    """Sum over pairs of a covered and an uncovered pixel of how far, says `contribution`, their edge moves outwards."""
    triangle_id = intaglio.rasterize(clip(pos_ndc), sphere.triangles, (size, size)).triangle_id[0]
    pos_pixel = (pos_ndc[:, :2] * [1, -1] + 1) * size / 2
    motion_pixel = outward * [1, -1] * size / 2  # per unit of radius
    total = 0.0
    for axis, (row_step, column_step) in enumerate([(0, 1), (1, 0)]):
        first, second = triangle_id[: size - row_step, : size - column_step], triangle_id[row_step:, column_step:]
        for row, column in np.argwhere((first >= 0) != (second >= 0)):
            inside_first = first[row, column] >= 0
            inner = np.array([column, row]) + (0 if inside_first else (column_step, row_step))
            face = int(triangle_id[inner[1], inner[0]])
            sign = 1 if inside_first else -1
            total += sign * contribution(face, inner + 0.5, axis, sign, pos_pixel, motion_pixel, sphere)
    return total


def own_silhouette_edge(
    face: int, centre: np.ndarray, axis: int, sign: int, pos: np.ndarray, motion: np.ndarray, sphere: intaglio.Mesh
) -> float:
    across = 1 - axis
    for k in range(3):
        a, b = sphere.triangles[face, k], sphere.triangles[face, (k + 1) % 3]
        other = sphere.neighbours[face, k]
        if other >= 0 and turn(face, pos, sphere) * turn(other, pos, sphere) > 0:
            continue  # not a silhouette edge
        if (pos[a, across] <= centre[across]) == (pos[b, across] <= centre[across]):
            continue
        s = (centre[across] - pos[a, across]) / (pos[b, across] - pos[a, across])
        if 0 <= sign * (pos[a, axis] + s * (pos[b, axis] - pos[a, axis]) - centre[axis]) <= 1:
            return float((1 - s) * motion[a, axis] + s * motion[b, axis])
    return 0.0


def turn(face: int, pos: np.ndarray, sphere: intaglio.Mesh) -> float:
    a, b, c = pos[sphere.triangles[face]]
    return cross(b - a, c - a)


def surface_at_centre(
    face: int, centre: np.ndarray, axis: int, sign: int, pos: np.ndarray, motion: np.ndarray, sphere: intaglio.Mesh
) -> float:
    corners = sphere.triangles[face]
    weights = np.linalg.solve(np.stack([*pos[corners].T, np.ones(3)]), [*centre, 1])
    return float(weights @ motion[corners, axis])


def pairwise(outward: np.ndarray, pos_ndc: np.ndarray, sphere: intaglio.Mesh, size: int) -> float:
    return over_silhouette_pairs(own_silhouette_edge, outward, pos_ndc, sphere, size)


def micro_edge(outward: np.ndarray, pos_ndc: np.ndarray, sphere: intaglio.Mesh, size: int) -> float:
    return over_silhouette_pairs(surface_at_centre, outward, pos_ndc, sphere, size)


RULES: dict[str, Rule] = {"pairwise": pairwise, "micro-edge": micro_edge, "edge_gradient": edge_gradient}


if __name__ == "__main__":
    print(measure().markdown)
