# SPDX-License-Identifier: MIT
"""Pictures in which straight lines are curves: six straight ones, the faces of a cube around the eye, resampled.

The cube stands in the space (x, y, -z) of the camera's view, whose hand is the other: as OpenGL's cube maps are seen
from outside, this makes each face what an ordinary camera sees, not its mirror image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import ops
from .array import leader, like, namespace, repeated
from .camera import Camera, Perspective
from .camera.matrices import product
from .camera.wide import MAX_FACE, WIDE
from .ops.cube import FACES
from .trees import assembled

__all__ = ["Around", "is_around"]

MIRROR = np.array([1.0, 1.0, -1.0])


def is_around(camera: Camera) -> bool:
    """Whether no matrix projects for this camera."""
    return isinstance(camera.projection, WIDE)


class Around:
    """The cube around a camera's eye, and how its picture of (height, width), in samples, looks into it."""

    def __init__(self, camera: Camera, size: tuple[int, int], supersample: int = 1) -> None:
        self.camera, self.size = camera, (size[0] * supersample, size[1] * supersample)
        projection = camera.projection
        self.near, self.far = projection.near, projection.far
        side = min(projection.cube_size(size) * supersample, MAX_FACE)
        self.face_size = (side, side)
        self._found: Any = None  # directions of the pixels, once somebody has asked

    def leader(self, vertices: Any) -> Any:
        """Of vertices and the camera's arrays, that whose framework the picture follows."""
        return leader(vertices, self.camera.view_from_world, *self.camera.projection.arrays())

    def cameras(self) -> Iterator[Camera]:
        """Of the six faces."""
        for right, up, middle in FACES:
            face_from_view = np.eye(4)
            face_from_view[:3, :3] = np.array([right, up, [-x for x in middle]]) * MIRROR
            view = product(face_from_view, self.camera.view_from_world)
            if view.ndim == 2 and len(self.camera) > 1:  # of which the lenses differ
                view = repeated(view[None], len(self.camera))
            # Without the checks of its values, which torch.compile cannot trace.
            yield assembled(Camera, {"view_from_world": view, "projection": Perspective(90.0, self.near, self.far)})

    def blended(self, faces: Sequence[Any]) -> Any:
        """Six pictures [B, n, n, C] -> [B, H, W, C] as the camera sees them, bilinear; 0 where it sees nothing."""
        return ops.sample_cube(*self._cube(faces))

    def nearest(self, faces: Sequence[Any]) -> Any:
        """The same of what cannot be blended."""
        return ops.sample_cube(*self._cube(faces), filter="nearest")

    def seen(self, other: Any) -> Any:
        """[B, H, W, 1] 1 where the camera sees anything, else 0."""
        xp, directions = namespace(other), self._directions(other)
        largest = xp.max(directions * directions, axis=-1, keepdims=True)
        return xp.where(largest > 0, xp.ones_like(largest), xp.zeros_like(largest))

    def surfaces(self, depth: Sequence[Any], normals: Sequence[Any], triangle_id: Sequence[Any]) -> tuple[Any, ...]:
        """Of six pictures each: distances from the eye [B, H, W], normals [B, H, W, 3], triangles [B, H, W]."""
        xp = namespace(depth[0])
        rows = zip(depth, normals, triangle_id, strict=True)
        faces = [xp.concat([self._forward(z)[..., None], n, xp.cast(1 + t, z)[..., None]], axis=-1) for z, n, t in rows]
        seen = self.nearest(faces)
        number = seen[..., 4]
        distance = xp.where(number > 0, seen[..., 0] * self._oblique(seen), xp.zeros_like(number) + self.far)
        return distance, seen[..., 1:4], xp.cast(number, triangle_id[0]) - 1

    def _cube(self, faces: Sequence[Any]) -> tuple[Any, Any]:
        cube = namespace(faces[0]).stack(list(faces), axis=1)
        return cube, self._directions(cube)

    def _directions(self, other: Any) -> Any:
        """[B, H, W, 3] in the cube's space, like another array of that batch."""
        directions = self._found
        if directions is None:
            directions = like(self.camera.projection.directions(self.size), other) * like(MIRROR, other)
            self._found = directions
        return repeated(directions if directions.ndim == 4 else directions[None], other.shape[0])

    def _forward(self, depth: Any) -> Any:
        """z / w of a face -> how far in front of it, in the units of the world."""
        return 2 * self.far * self.near / (self.far + self.near - depth * (self.far - self.near))

    def _oblique(self, other: Any) -> Any:
        """[B, H, W] how much longer a pixel's ray is than its way along the axis of its face."""
        xp, directions = namespace(other), self._directions(other)
        squared = directions * directions
        along = xp.max(squared, axis=-1)
        is_seen = along > 0
        ratio = xp.sum(squared, axis=-1) / xp.where(is_seen, along, xp.ones_like(along))
        return xp.sqrt(xp.where(is_seen, ratio, xp.ones_like(ratio)))
