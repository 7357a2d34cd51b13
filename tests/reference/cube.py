# SPDX-License-Identifier: MIT
"""Cube maps, one direction after the other: OpenGL's table as printed, neighbours found by walking across borders."""

import numpy as np

# OpenGL 4.6, table 8.19: major axis, then (sc, tc) as a sign and an axis each.
TABLE = {
    (0, 1): (0, (-1, 2), (-1, 1)),
    (0, -1): (1, (1, 2), (-1, 1)),
    (1, 1): (2, (1, 0), (1, 2)),
    (1, -1): (3, (1, 0), (-1, 2)),
    (2, 1): (4, (1, 0), (-1, 1)),
    (2, -1): (5, (-1, 0), (-1, 1)),
}


def place(direction):
    """Face, s and t from 0 to 1."""
    axis = int(np.argmax(np.abs(direction)))
    face, (sign_s, axis_s), (sign_t, axis_t) = TABLE[axis, int(np.sign(direction[axis]))]
    major = abs(direction[axis])
    return face, (sign_s * direction[axis_s] / major + 1) / 2, (sign_t * direction[axis_t] / major + 1) / 2


def direction_of(face, s, t):
    """A vector to (s, t) of a face, also beyond its borders."""
    for (axis, sign), (found, (sign_s, axis_s), (sign_t, axis_t)) in TABLE.items():
        if found == face:
            vector = np.zeros(3)
            vector[axis], vector[axis_s], vector[axis_t] = sign, sign_s * (2 * s - 1), sign_t * (2 * t - 1)
    return vector


def centres(size):
    """[6, size, size, 3]: unit vectors to the texels' centres."""
    at = (np.arange(size) + 0.5) / size
    found = np.array([[[direction_of(face, s, t) for s in at] for t in at] for face in range(6)])
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


def texel(cube, face, column, row):
    """[C]; None at a corner, beyond two borders."""
    size = cube.shape[1]
    beyond = [not 0 <= index < size for index in (column, row)]
    if all(beyond):
        return None
    # Just across the border; as far along it as the texel's centre.
    edge = [np.clip((index + 0.5) / size, -1e-9, 1 + 1e-9) for index in (column, row)]
    face, s, t = place(direction_of(face, *edge))
    return cube[face, min(int(t * size), size - 1), min(int(s * size), size - 1)]


def bilinear(cube, direction):
    size = cube.shape[1]
    face, s, t = place(direction)
    column, row = int(np.floor(s * size - 0.5)), int(np.floor(t * size - 0.5))
    across, down = s * size - 0.5 - column, t * size - 0.5 - row
    texels = [texel(cube, face, column + i, row + j) for j in (0, 1) for i in (0, 1)]
    there = [x for x in texels if x is not None]
    mean = sum(there) / len(there)
    weights = [(1 - down) * (1 - across), (1 - down) * across, down * (1 - across), down * across]
    return sum(w * (mean if x is None else x) for w, x in zip(weights, texels, strict=True))


def trilinear(levels, direction, lod):
    lod = min(max(lod, 0), len(levels) - 1)
    low = int(lod)
    high = min(low + 1, len(levels) - 1)
    return (1 - (lod - low)) * bilinear(levels[low], direction) + (lod - low) * bilinear(levels[high], direction)
