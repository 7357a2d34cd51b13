# SPDX-License-Identifier: MIT
"""The kernels of the Neural 3D Mesh Renderer (Kato et al. 2018), written from their published formulas: every pixel
looks at every face, every face at every pixel. Rasters have y up here, [y, x], as the kernels have them.

All of it works in the dtype of the faces: in float32 it rounds where the kernels round.
"""

import math

import numpy as np

Array = np.ndarray


def turned_around(faces: Array) -> Array:
    """[F,3,3] -> [2F,3,3]: fill_back, the faces and their reversed copies."""
    return np.concatenate([faces, faces[:, ::-1]])


def turned_textures(textures: Array) -> Array:
    """[F,T,T,T,C] -> [2F,T,T,T,C]: the copies' axes in the order of their corners."""
    return np.concatenate([textures, textures.transpose(0, 3, 2, 1, 4)])


def centres(size: int, dtype: type) -> Array:
    return ((2.0 * np.arange(size) + 1 - size) / size).astype(dtype)


def is_back(face: Array) -> bool:
    (x0, y0), (x1, y1), (x2, y2) = face[:, :2]
    return (y2 - y0) * (x1 - x0) < (y1 - y0) * (x2 - x0)


def pixel_coordinates(face: Array, height: int, width: int) -> Array:
    """[3,2], integers at pixel centres."""
    half = face.dtype.type(0.5)
    return np.stack([half * (face[:, 0] * width + width - 1), half * (face[:, 1] * height + height - 1)], axis=1)


def inverse(face: Array, height: int, width: int) -> Array:
    """The inverse of [[x0,x1,x2],[y0,y1,y2],[1,1,1]] by cofactors."""
    (x0, y0), (x1, y1), (x2, y2) = pixel_coordinates(face, height, width)
    cofactors = np.array(
        [
            [y1 - y2, x2 - x1, x1 * y2 - x2 * y1],
            [y2 - y0, x0 - x2, x2 * y0 - x0 * y2],
            [y0 - y1, x1 - x0, x0 * y1 - x1 * y0],
        ],
        dtype=face.dtype,
    )
    determinant = x2 * (y0 - y1) + x0 * (y1 - y2) + x1 * (y2 - y0)
    with np.errstate(all="ignore"):
        return cofactors / determinant


def face_maps(faces: Array, size: tuple[int, int], near: float = 0.1, far: float = 100) -> tuple[Array, Array, Array]:
    """face_index [H,W], weights [H,W,3], depth [H,W]."""
    height, width = size
    dtype = faces.dtype.type
    index = np.full(size, -1)
    weights = np.zeros((*size, 3), dtype)
    depth = np.full(size, dtype(far))
    X, Y = np.meshgrid(centres(width, dtype), centres(height, dtype))
    columns, rows = np.meshgrid(np.arange(width).astype(dtype), np.arange(height).astype(dtype))
    for number, face in enumerate(faces):
        if is_back(face):
            continue
        inside = np.ones(size, bool)
        for k in range(3):
            (xa, ya), (xb, yb) = face[k, :2], face[(k + 1) % 3, :2]
            inside &= ~((Y - ya) * (xb - xa) < (X - xa) * (yb - ya))
        m = inverse(face, height, width)
        with np.errstate(all="ignore"):
            w = np.stack([m[k, 0] * columns + m[k, 1] * rows + m[k, 2] for k in range(3)], axis=-1)
            w = np.fmin(np.fmax(w, dtype(0)), dtype(1))
            w = w / ((w[..., 0] + w[..., 1]) + w[..., 2])[..., None]
            q = w / face[:, 2]
            z = dtype(1) / ((q[..., 0] + q[..., 1]) + q[..., 2])
            wins = inside & ~(z <= dtype(near)) & ~(dtype(far) <= z) & (z < depth)
        index[wins], depth[wins], weights[wins] = number, z[wins], w[wins]
    return index, weights, depth


def texel_blend(weight: Array, depth: float, corner_depths: Array, resolution: int, eps: float) -> list:
    """[(i, j, k, share)] of one pixel: the eight texels around it."""
    if resolution == 1:
        return [(0, 0, 0, 1.0)]  # the original read texels of other faces
    at = [float(w) * (resolution - 1) * (float(depth) / float(z)) for w, z in zip(weight, corner_depths, strict=True)]
    at = [min(max(x, 0.0), resolution - 1 - eps) for x in at]
    low = [int(x) for x in at]
    part = [x - i for x, i in zip(at, low, strict=True)]
    return [
        (low[0] + i, low[1] + j, low[2] + k,
         (part[0] if i else 1 - part[0]) * (part[1] if j else 1 - part[1]) * (part[2] if k else 1 - part[2]))
        for i in (0, 1) for j in (0, 1) for k in (0, 1)
    ]  # fmt: skip


def colors(faces: Array, textures: Array, maps: tuple, background: Array, eps: float) -> Array:
    """rgb [H,W,C]."""
    index, weights, depth = maps
    rgb = np.zeros((*index.shape, textures.shape[-1])) + background
    for y, x in np.argwhere(index >= 0):
        face = index[y, x]
        blend = texel_blend(weights[y, x], depth[y, x], faces[face, :, 2], textures.shape[1], eps)
        rgb[y, x] = sum(share * textures[face, i, j, k].astype(float) for i, j, k, share in blend)
    return rgb


def texture_gradient(faces: Array, textures: Array, maps: tuple, grad_rgb: Array, eps: float) -> Array:
    index, weights, depth = maps
    grad = np.zeros(textures.shape)
    for y, x in np.argwhere(index >= 0):
        face = index[y, x]
        for i, j, k, share in texel_blend(weights[y, x], depth[y, x], faces[face, :, 2], textures.shape[1], eps):
            grad[face, i, j, k] += share * grad_rgb[y, x]
    return grad


def depth_gradient(faces: Array, maps: tuple, grad_depth: Array) -> Array:
    """[F,3,3]: of depth = 1 / sum(w / z), whose w move with the corners on the screen."""
    index, weights, depth = maps
    height, width = index.shape
    grad = np.zeros(faces.shape)
    for y, x in np.argwhere(index >= 0):
        face = faces[index[y, x]].astype(float)
        m = inverse(faces[index[y, x]], height, width).astype(float)
        slope = (m / face[:, 2, None]).sum(axis=0)  # d(1/depth) along x, y in pixels
        for k in range(3):
            common = float(grad_depth[y, x]) * float(weights[y, x, k]) * float(depth[y, x]) ** 2
            grad[index[y, x], k] += common * np.array(
                [slope[0] * width / 2, slope[1] * height / 2, 1 / face[k, 2] ** 2]
            )
    return grad


def pixel_map_gradient(faces: Array, index: Array, image: Array, grad_image: Array, eps: float) -> Array:
    """[F,3,3]: the sweep. image, grad_image [H,W,C]: every channel that has a gradient."""
    height, width = index.shape
    grad = np.zeros(faces.shape)
    gain_of = image.astype(float), grad_image.astype(float)
    for number, face in enumerate(faces):
        if is_back(face):
            continue
        corners = pixel_coordinates(face, height, width)
        for edge in range(3):
            for axis in range(2):
                _sweep_edge(number, edge, axis, corners, index, *gain_of, eps, grad[number])
    return grad


def _sweep_edge(number, edge, axis, corners, index, image, grad_image, eps, grad):
    """Axis 0: lines are columns, the walk goes along y. Axis 1: lines are rows, the walk goes along x."""
    lines, places = index.shape[1 - axis], index.shape[axis]
    at = [corners[(edge + k) % 3] for k in range(3)]
    (sa, ta), (sb, tb), (sc, tc) = ((p[axis], p[1 - axis]) for p in at)
    out = (-1 if sa < sb else 1) if axis == 0 else (1 if sa < sb else -1)

    def pixel(line, place):
        return (place, line) if axis == 0 else (line, place)

    for line in range(max(math.ceil(min(sa, sb)), 0), int(min(max(sa, sb), lines - 1)) + 1):
        at_line = corners.dtype.type(line)
        with np.errstate(all="ignore"):
            cut = (tb - ta) / (sb - sa) * (at_line - sa) + ta
        if not np.isfinite(cut):
            continue
        inner = math.floor(cut) if out > 0 else math.ceil(cut)
        outer = inner + out
        if not (0 <= inner < places and 0 <= outer < places):
            continue
        pulls = []
        if index[pixel(line, inner)] == number:
            pulls += [(d, pixel(line, inner)) for d in range(outer, places if out > 0 else -1, out)]
        with np.errstate(all="ignore"):
            if (at_line - sa) * (at_line - sc) < 0:
                far = (tc - ta) / (sc - sa) * (at_line - sa) + ta
            else:
                far = (tb - tc) / (sb - sc) * (at_line - sc) + tc
        limit = 0 if np.isnan(far) else int(np.clip(np.ceil(far) if out > 0 else np.floor(far), 0, places - 1))
        inside = range(min(inner, limit), max(inner, limit) + 1)
        pulls += [(d, pixel(line, outer)) for d in inside if index[pixel(line, d)] == number]
        for d, other in pulls:
            here = pixel(line, d)
            gain = float(((image[here] - image[other]) * grad_image[here]).sum())
            if gain <= 0:
                continue
            for corner, share in ((edge, sb - at_line), ((edge + 1) % 3, at_line - sa)):
                if share != 0:
                    distance = float((sb - sa) / share) * float(corners.dtype.type(d) - cut) * 2 / places
                    grad[corner, 1 - axis] -= gain / (distance + (eps if distance > 0 else -eps))
