# SPDX-License-Identifier: MIT
"""Tangents for normal maps, by the rule that bakers of normal maps follow, so that what one bakes another shows alike.

Mikkelsen: Simulation of Wrinkled Surfaces Revisited, 2008 (MikkTSpace). Corners of triangles share a tangent where
place, normal and uv are the same numbers, and the triangles between them, neighbour by neighbour around the vertex, map
onto the texture the same way round. It is the mean of their triangles' directions of u, each laid into the plane of the
normal and weighted by the angle of the corner.

Which corners share is integers, worked out once (`tangent_groups`, NumPy); the rest is calculus: `tangents`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .array import cross, from_numpy, like, namespace, to_numpy, unit
from .topology import coinciding

__all__ = ["TangentGroups", "tangent_groups", "tangents"]

TINY = np.finfo(np.float32).tiny  # an area or a direction of at most this has none


@dataclass(frozen=True, eq=False)
class TangentGroups:
    """Which corners share a tangent, NumPy.

    triangles: [F, 3] int32, the tangent of each corner.
    signs: [T], 1 or -1: bitangent = sign * cross(normal, tangent), which points up in the image.
    normal: [T] int32, a normal of each one's corners.
    corners: [5, K] int32, of the K corners that count: their vertex, those before and after it, their normal, and
        their tangent.
    uv: [3, K] int32: the uv of the same three.
    turns: [K], 1 or -1, of the triangle: whether it is mirrored on the texture.
    """

    triangles: np.ndarray
    signs: np.ndarray
    normal: np.ndarray
    corners: np.ndarray
    uv: np.ndarray
    turns: np.ndarray
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def _like(self, x: Any) -> tuple[Any, ...]:
        """normal, rows of corners, rows of uv; turns [K, 1] and signs [T, 1] as floats: where `x` is; kept."""
        xp = namespace(x)
        key = f"{xp.name} {getattr(x, 'device', '')} {x.dtype}"
        if key not in self._kept:
            tables = [xp.index_array(from_numpy(row, like=x)) for row in (self.normal, *self.corners, *self.uv)]
            self._kept[key] = (*tables, *(like(row[:, None], x) for row in (self.turns, self.signs)))
        return self._kept[key]


def tangent_groups(
    vertices: Any, triangles: Any, uv: Any, uv_triangles: Any, normals: Any, normal_triangles: Any
) -> TangentGroups:
    """Which corners of a mesh share a tangent.

    Args:
        vertices: [V, 3] or [B, V, 3].
        triangles: [F, 3] integers.
        uv: [T, 2]; (0, 0) is the top left of the texture.
        uv_triangles: [F, 3] integers into `uv`.
        normals: [N, 3] or [B, N, 3].
        normal_triangles: [F, 3] integers into `normals`.

    Of a batch, things are the same that are so in every mesh. Triangles of which two corners coincide are left out and
    take the tangents of others at their vertices; those without area on the texture join whom they lie between.

    Raises:
        ValueError: the tables differ in shape.
    """
    tables = [to_numpy(table).astype(np.int64) for table in (triangles, uv_triangles, normal_triangles)]
    if any(table.shape != tables[0].shape or table.shape[1:] != (3,) for table in tables):
        got = ", ".join(str(list(table.shape)) for table in tables)
        raise ValueError(f"tangent_groups: triangles, uv_triangles and normal_triangles must be [F, 3]; got {got}")
    vertex, uv_index, normal = (table.reshape(-1) for table in tables)
    vertices, uv, normals = to_numpy(vertices), to_numpy(uv), to_numpy(normals)
    place = coinciding(vertices)[vertex].reshape(-1, 3)
    point = _same(_same(place.reshape(-1), coinciding(uv)[uv_index]), coinciding(normals)[normal])
    is_whole = (place != np.roll(place, 1, axis=1)).all(axis=1)
    turn = np.where(is_whole, _turns(vertices, tables[0], uv, tables[1]), 0)
    links = _links(point, is_whole)
    group = _groups(links, turn)
    counted = np.flatnonzero(np.repeat(turn != 0, 3))
    if (is_whole & (turn == 0)).any():
        turn = _turned_with(turn, is_whole, links, group)
        group = _groups(links, turn)
    group = _with_broken(group, point, is_whole)
    first, tangent = np.unique(group, return_inverse=True)
    around = [counted, _previous(counted), _next(counted)]
    return TangentGroups(
        triangles=tangent.reshape(-1, 3).astype(np.int32),
        signs=np.where(turn[first // 3] > 0, -1, 1),
        normal=normal[first].astype(np.int32),
        corners=np.stack([*(vertex[c] for c in around), normal[counted], tangent[counted]]).astype(np.int32),
        uv=np.stack([uv_index[c] for c in around]).astype(np.int32),
        turns=turn[counted // 3],
    )


def tangents(vertices: Any, uv: Any, normals: Any, groups: TangentGroups) -> Any:
    """Unit tangents, and whether the texture is mirrored there: what glTF calls TANGENT.

    Args:
        vertices: [V, 3] or [B, V, 3]. Differentiable.
        uv: [T, 2]. Differentiable.
        normals: [N, 3] or [B, N, 3]; their length does not matter. Differentiable.
        groups: of `tangent_groups`. `groups.triangles` indexes the result.

    Returns:
        [T, 4] or [B, T, 4]: xyz along u, in the plane of the normal, and w, so that w * cross(normal, xyz) points up in
        the image. Where no triangle has a direction, some xyz in that plane.

    Example:
        >>> table, corners = [[0, 1, 2]], [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
        >>> uv, normals = [[0, 1], [1, 1], [0, 0]], [[0, 0, 1]] * 3
        >>> groups = tangent_groups(corners, table, uv, table, normals, table)
        >>> tangents(*(np.float32(x) for x in (corners, uv, normals)), groups)[0]
        array([1., 0., 0., 1.], dtype=float32)
    """
    xp = namespace(vertices)
    normal_of, at, before, after, normal, tangent, uv_at, uv_before, uv_after, turns, signs = groups._like(vertices)
    here = xp.take(vertices, at, axis=-2)
    back, ahead = (xp.take(vertices, x, axis=-2) - here for x in (before, after))
    uv_here = xp.take(uv, uv_at, axis=-2)
    down_back, down_ahead = ((xp.take(uv, x, axis=-2) - uv_here)[..., 1:] for x in (uv_before, uv_after))
    normals = unit(normals)
    n = xp.take(normals, normal, axis=-2)
    along = unit((ahead * down_back - back * down_ahead) * turns)
    weighted = unit(along - n * _dot(n, along)) * _angle(n, ahead, back)
    if weighted.ndim < normals.ndim:
        weighted = xp.broadcast_to(weighted, (*normals.shape[:-2], *weighted.shape[-2:]))
    total = xp.index_sum(weighted, tangent, groups.signs.size)
    n = xp.take(normals, normal_of, axis=-2)
    xyz = unit(xp.where(_dot(total, total) > 0, total, _across(n)))
    return xp.concat([xyz, xp.zeros_like(xyz[..., :1]) + signs], axis=-1)


def _dot(a: Any, b: Any) -> Any:
    return namespace(a).sum(a * b, axis=-1, keepdims=True)


def _angle(n: Any, a: Any, b: Any) -> Any:
    """The angle between a and b as seen along the unit vector n, 0 to pi; 0 where one of them has no length so."""
    xp = namespace(n)
    sine, cosine = _dot(n, cross(a, b)), _dot(a, b) - _dot(n, a) * _dot(n, b)
    sine = xp.where(sine < 0, -sine, sine)
    return xp.atan2(sine, xp.where((sine == 0) & (cosine == 0), xp.ones_like(cosine), cosine))


def _across(n: Any) -> Any:
    """A vector at right angles to n: the x axis laid into its plane, or the y axis where n is close to x."""
    xp = namespace(n)
    x, y = like(np.array([1.0, 0, 0]), n), like(np.array([0.0, 1, 0]), n)
    axis = xp.where(n[..., :1] * n[..., :1] < 0.75, x, y)
    return axis - n * _dot(n, axis)


# Corners are numbered 3 * triangle + place; edge 3 f + k of triangle f goes from its corner k to the next.


def _next(corners: np.ndarray) -> np.ndarray:
    return corners + 1 - 3 * (corners % 3 == 2)


def _previous(corners: np.ndarray) -> np.ndarray:
    return corners - 1 + 3 * (corners % 3 == 0)


def _same(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[N], [N] integers -> [N]: equal where both are."""
    return np.unique(a * (int(b.max(initial=0)) + 1) + b, return_inverse=True)[1]


def _turns(vertices: np.ndarray, triangles: np.ndarray, uv: np.ndarray, uv_triangles: np.ndarray) -> np.ndarray:
    """[F]: 1 or -1, the sign of each triangle's area on the texture; 0 where u or v has no direction on it."""
    uv = uv.astype(np.float64)[uv_triangles]
    ahead, back = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    area = ahead[:, 0] * back[:, 1] - ahead[:, 1] * back[:, 0]
    corners = vertices.astype(np.float64)[..., triangles, :]
    along, away = corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :]
    turn = np.where(np.abs(area) > TINY, np.sign(area), 0).astype(np.int64)
    for axis in (0, 1):
        direction = along * back[:, axis, None] - away * ahead[:, axis, None]
        has_some = (np.abs(direction) > TINY).any(axis=-1)
        turn[~(has_some.any(axis=0) if has_some.ndim == 2 else has_some)] = 0
    return turn


def _links(point: np.ndarray, is_whole: np.ndarray) -> np.ndarray:
    """[3 F, 2]: the corners of the same point across the two edges at each corner; itself where there is none.

    An edge joins two triangles that run along it in opposite ways; where more meet, the first with the first.
    """
    edges = np.flatnonzero(np.repeat(is_whole, 3))
    start, end = point[edges], point[_next(edges)]
    is_rising = start < end
    key = np.minimum(start, end) * (int(point.max(initial=0)) + 1) + np.maximum(start, end)
    rank = np.empty(len(edges), dtype=np.int64)  # among those of the same edge and way
    order = np.lexsort((edges, is_rising, key))
    is_first = np.ones(len(edges), dtype=bool)
    is_first[1:] = (key[order[1:]] != key[order[:-1]]) | (is_rising[order[1:]] != is_rising[order[:-1]])
    places = np.arange(len(edges))
    rank[order] = places - np.maximum.accumulate(np.where(is_first, places, 0))
    order = np.lexsort((rank, key))
    one, other = order[:-1], order[1:]
    is_pair = (key[one] == key[other]) & (rank[one] == rank[other])
    one, other = edges[one[is_pair]], edges[other[is_pair]]
    links = np.repeat(np.arange(len(point))[:, None], 2, axis=1)
    for edge, across in ((one, other), (other, one)):
        links[edge, 0] = _next(across)
        links[_next(edge), 1] = across
    return links


def _groups(links: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """[3 F]: the lowest of the corners that each is joined to by links between triangles of one turn."""
    turn = np.repeat(turn, 3)
    corners = np.arange(len(links))
    group = corners
    for link in np.where(turn[links] == turn[:, None], links, corners[:, None]).T:  # each is the other's inverse
        lowest = corners
        while not np.array_equal(lower := np.minimum(lowest, lowest[link]), lowest):  # twice as far each time
            lowest, link = lower, link[link]
        group = np.minimum(group, lowest)
    return group


def _turned_with(turn: np.ndarray, is_whole: np.ndarray, links: np.ndarray, group: np.ndarray) -> np.ndarray:
    """[F]: those without a turn take that of the group which reaches them first, in the order of the groups."""
    turn = turn.copy()
    either = is_whole & (turn == 0)
    touching: dict[int, list[int]] = {}  # group: corners of triangles without a turn that it leads to
    for corner in np.flatnonzero(np.repeat(either, 3)).tolist():
        for other in links[corner].tolist():
            if is_whole[other // 3] and not either[other // 3]:
                touching.setdefault(int(group[other]), []).append(corner)
    seen: set[int] = set()  # corners, those of groups by the lowest
    for root in sorted(touching):
        ahead = [root]
        while ahead:
            corner = ahead.pop()
            if corner in seen or turn[corner // 3] not in (0, turn[root // 3]):
                continue
            seen.add(corner)
            turn[corner // 3] = turn[root // 3]
            if not either[corner // 3]:
                ahead += touching.get(corner, [])
                continue
            ahead += [other if either[other // 3] else int(group[other]) for other in links[corner].tolist()]
    return turn


def _with_broken(group: np.ndarray, point: np.ndarray, is_whole: np.ndarray) -> np.ndarray:
    """Corners of triangles without an inside join the first of their point."""
    is_whole = np.repeat(is_whole, 3)
    order = np.concatenate([np.flatnonzero(is_whole), np.flatnonzero(~is_whole)])
    _, first, index = np.unique(point[order], return_index=True, return_inverse=True)
    of_first = np.empty_like(group)
    of_first[order] = order[first[index]]
    return np.where(is_whole, group, group[of_first])
