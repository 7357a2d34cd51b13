# SPDX-License-Identifier: MIT
"""Pictures thrown onto the surface that they show: what each view says about a place, and how far it can be believed.

A place is seen where its depth is that of what the picture shows there, and the side of the surface that faces the
viewer is the same. NumPy; the ops do what costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from . import ops
from .array import to_numpy, unit
from .camera import Camera
from .mesh import Mesh, corner_index, face_normals

__all__ = ["View", "Views", "face_normals_and_sides"]

PLACES_AT_ONCE = 1 << 16  # as many as caches hold
STEEP = 0.1  # the cosine of views too oblique to tell anything; steeper surfaces are taken for a jump of depth
AT_SILHOUETTE = 1e-3  # what a pixel counts beside the background
DEPTH_ROUNDING = 32  # units in the last place of a depth of 1: two ways to the same depth of a dozen roundings each


class View(NamedTuple):
    """seen: the triangles at pixels. believed: [1, H, W, C + 1] colours times belief, and belief. deepest: [(H + 1) *
    (W + 1)] depth up to which what lies between four pixels is seen. side: [H * W] 1 outside, -1 inside, 0 background.
    """

    seen: np.ndarray
    believed: np.ndarray
    deepest: np.ndarray
    side: np.ndarray


class Views:
    """All views of a mesh (one, NumPy): pictures [N, H, W, C], masks [N, H, W] or None, one camera for each."""

    def __init__(
        self, mesh: Mesh, cameras: Sequence[Camera], pictures: np.ndarray, masks: np.ndarray | None, margin: int
    ) -> None:
        self.cameras, self.dtype, self.num_channels = cameras, mesh.vertices.dtype, pictures.shape[-1]
        self.size = (int(pictures.shape[1]), int(pictures.shape[2]))
        self.viewers = np.concatenate([to_numpy(camera.viewer(self.size)) for camera in cameras]).astype(self.dtype)
        pos_clip = self._clip(mesh.vertices)
        if not len(pos_clip) == len(self.viewers) == len(pictures):
            got = f"{len(pictures)} for {len(pos_clip)} cameras"
            raise ValueError(f"bake_texture: images must be as many as cameras; got {got}")
        sides = face_normals_and_sides(mesh, self.viewers)[1]
        self.views = [
            _view(mesh, pos_clip[k : k + 1], sides[k], pictures[k], None if masks is None else masks[k], margin)
            for k in range(len(pictures))
        ]

    def __iter__(self) -> Iterator[View]:
        return iter(self.views)

    def _clip(self, points: np.ndarray) -> np.ndarray:
        return np.concatenate([to_numpy(camera.clip(points, self.size)) for camera in self.cameras]).astype(
            self.dtype, copy=False
        )

    def gather(self, points: np.ndarray, normals: np.ndarray, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
        """What views say about places [M, 3] with unit normals: weighted sums [M, C], and sums of the weights [M]."""
        total = np.zeros((len(points), self.num_channels), self.dtype)
        weight = np.zeros(len(points), self.dtype)
        for start in range(0, len(points), PLACES_AT_ONCE):
            part = slice(start, start + PLACES_AT_ONCE)
            pos_clip = self._clip(points[part])
            for k, view in enumerate(self.views):
                towards = self.viewers[k, :3] - self.viewers[k, 3] * points[part]
                length = np.sqrt(_dot(towards, towards))
                cosine = _dot(normals[part], towards) / np.where(length > 0, length, 1)
                _add(view, self.size, pos_clip[k], cosine, sharpness, total[part], weight[part])
        return total, weight


def face_normals_and_sides(mesh: Mesh, viewers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit normals [F, 3], and [N, F] 1 where a viewer [N, 4] sees a face's outside, else -1."""
    normals = unit(face_normals(mesh.vertices, corner_index(mesh)))
    first = mesh.vertices[mesh.triangles[:, 0]]
    # (viewer - w first) . normal, without an array of all viewers times all faces times three
    height = viewers[:, :3] @ normals.T - viewers[:, 3:] * _dot(first, normals)
    return normals, np.where(height < 0, -1, 1).astype(np.int8)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Along the last axis: a fifth of the time of a sum of products."""
    return np.einsum("...c,...c->...", a, b)


def _view(
    mesh: Mesh, pos_clip: np.ndarray, sides: np.ndarray, picture: np.ndarray, mask: np.ndarray | None, margin: int
) -> View:
    size = (int(picture.shape[0]), int(picture.shape[1]))
    fragments = ops.rasterize(pos_clip, mesh.triangles, size, cull_backfaces=not mesh.double_sided)
    triangle_id, depth = fragments.triangle_id[0], fragments.depth[0]
    covered = triangle_id >= 0
    side = np.where(covered, sides[triangle_id], 0) if len(sides) else np.zeros(size, np.int8)
    places = ops.interpolate(mesh.vertices, fragments, mesh.triangles)[0]
    is_shown = covered if mask is None else covered & (mask > 0.5)
    jumps = _jumps(places, np.where(is_shown, side, 0))
    belief = _belief(is_shown, jumps, margin).astype(picture.dtype)
    if mask is not None:
        belief *= mask
    believed = np.concatenate([picture * belief[..., None], belief[..., None]], axis=-1)
    return View(triangle_id[covered], believed[None], _deepest(depth, covered, jumps), side.ravel())


def _jumps(places: np.ndarray, side: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[H, W - 1], [H - 1, W]: whether the surface is interrupted between a pixel and the next to the right, and below.

    It is where one of the two is background, where they show different sides, and where they are much farther apart
    than pixels are around them.
    """
    steps = [_dot(step, step) for step in (places[:, 1:] - places[:, :-1], places[1:] - places[:-1])]
    breaks = [side[:, 1:] != side[:, :-1], side[1:] != side[:-1]]
    across, down = (np.where(is_break, np.inf, step) for step, is_break in zip(steps, breaks, strict=True))
    spacing = np.full(side.shape, np.inf, places.dtype)
    for part, step in ((np.s_[:, 1:], across), (np.s_[:, :-1], across), (np.s_[1:], down), (np.s_[:-1], down)):
        np.minimum(spacing[part], step, out=spacing[part])
    wide = 1 / STEEP**2
    right = breaks[0] | (across > wide * np.minimum(spacing[:, 1:], spacing[:, :-1]))
    below = breaks[1] | (down > wide * np.minimum(spacing[1:], spacing[:-1]))
    return right, below


def _belief(is_shown: np.ndarray, jumps: tuple[np.ndarray, np.ndarray], margin: int) -> np.ndarray:
    """[H, W]: 0 on the background, AT_SILHOUETTE beside jumps, growing to 1 over `margin` pixels."""
    right, below = jumps
    near = np.zeros(is_shown.shape, dtype=bool)
    near[:, 1:] |= right
    near[:, :-1] |= right
    near[1:] |= below
    near[:-1] |= below
    belief = np.where(is_shown, 1.0, 0.0)
    for ring in range(margin):
        belief[near & is_shown] = np.minimum(belief[near & is_shown], max(ring / margin, AT_SILHOUETTE))
        grown = near.copy()
        for part, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
            grown[part] |= near[other]
            grown[other] |= near[part]
        near = grown
    return belief


def _deepest(depth: np.ndarray, covered: np.ndarray, jumps: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Depth grows linearly over a plane on the screen: between four pixels it stays below the deepest of them, and on a
    curved surface not far from it. Where the surface is interrupted the nearest of them decides.
    """
    height, width = depth.shape
    padded = np.pad(np.where(covered, depth, np.inf), 1, mode="edge")
    deep = np.pad(np.where(covered, depth, -np.inf), 1, mode="edge")
    nearest, farthest = padded[:-1, :-1], deep[:-1, :-1]
    for part in (np.s_[:-1, 1:], np.s_[1:, :-1], np.s_[1:, 1:]):
        nearest, farthest = np.minimum(nearest, padded[part]), np.maximum(farthest, deep[part])
    is_broken = np.zeros((height + 1, width + 1), dtype=bool)
    is_broken[:-1, 1:-1] |= jumps[0]
    is_broken[1:, 1:-1] |= jumps[0]
    is_broken[1:-1, :-1] |= jumps[1]
    is_broken[1:-1, 1:] |= jumps[1]
    with np.errstate(invalid="ignore"):  # where there is nothing, infinity less infinity
        whole = farthest + 0.5 * (farthest - nearest)
    deepest = np.where(is_broken, nearest, whole)
    deepest = np.where(np.isfinite(nearest), deepest, -np.inf)
    return (deepest + DEPTH_ROUNDING * np.finfo(depth.dtype).eps).astype(depth.dtype).ravel()


def _add(
    view: View,
    size: tuple[int, int],
    pos_clip: np.ndarray,
    cosine: np.ndarray,
    sharpness: float,
    total: np.ndarray,
    weight: np.ndarray,
) -> None:
    """Add what one view says about places of clip positions [M, 4] to `total` [M, C] and `weight` [M]."""
    height, width = size
    found = np.flatnonzero((pos_clip[:, 3] > 0) & (np.abs(cosine) > STEEP))
    x, y, z = (pos_clip[:, :3].take(found, axis=0) / pos_clip[found, 3:]).T
    is_inside = (np.abs(x) <= 1) & (np.abs(y) <= 1) & (np.abs(z) <= 1)
    found, x, y, z = (values[is_inside] for values in (found, x, y, z))
    u, v = (x + 1) / 2, (1 - y) / 2
    column, row = u * width, v * height
    corner = (row + 0.5).astype(np.int64) * (width + 1) + (column + 0.5).astype(np.int64)
    pixel = np.minimum(row.astype(np.int64), height - 1) * width + np.minimum(column.astype(np.int64), width - 1)
    is_seen = (z <= view.deepest[corner]) & (view.side[pixel] * cosine[found] > 0)
    if not is_seen.any():
        return
    found, uv = found[is_seen], np.stack([u, v], axis=-1)[is_seen]
    sample = ops.sample_texture(view.believed, uv[None, None], wrap="clamp")[0, 0]
    share = np.abs(cosine[found]) ** sharpness
    total[found] += sample[:, :-1] * share[:, None]
    weight[found] += sample[:, -1] * share
