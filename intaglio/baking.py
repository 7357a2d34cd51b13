# SPDX-License-Identifier: MIT
"""What makers of meshes from pictures ask of a renderer: textures from views, which triangles are seen, normals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from . import ops
from .array import from_numpy, leader, like, namespace, repeated, to_numpy, unit
from .camera import Camera
from .drawing import surface_of, visible
from .filling import filled_picture, spread_over_edges
from .mesh import Mesh, triangles_of
from .packing import Pack
from .projecting import Views, face_normals_and_sides
from .seen import Seen
from .staging import Shot, as_seen, check, is_smooth_by, sampled, staged
from .topology import coinciding

__all__ = ["BakedTexture", "bake_texture", "render_normals", "visible_triangles"]

MOST_TILES = 8  # along u and along v: of a triangle that repeats the texture more often, no more is drawn
FARTHEST = 2.0  # weights of corners, up to which a triangle is continued beyond its edge


class BakedTexture(NamedTuple):
    """texture: [h, w, C], filled everywhere. weight: [h, w], of the views that a texel was seen in; 0 where in none."""

    texture: Any
    weight: Any


def bake_texture(
    mesh: Mesh,
    images: Any,
    cameras: Camera | Sequence[Camera],
    *,
    size: tuple[int, int] = (1024, 1024),
    masks: Any = None,
    sharpness: float = 4.0,
    margin: int = 4,
) -> BakedTexture:
    """The texture of a mesh that its pictures show: at each texel the mean of the views that see it.

    Args:
        mesh: one mesh with `uv`; its colours play no part, but whether it is `double_sided` does. Not
            differentiable, as all here.
        images: [N, H, W, C], linear, of any framework; [H, W, C] for one view.
        cameras: N of them: one `Camera` of a batch, or several.

    Other arguments:
        size: (height, width) of the texture.
        masks: [N, H, W] from 0 to 1: where the pictures show the mesh. A view counts by its mask.
        sharpness: a view counts as the cosine between its ray and the normal to this power: 0 takes all views alike, a
            large number the one that looks most straight.
        margin: pixels. Nearer to a silhouette (of the mesh, of a mask, or of one part before another) a view counts
            less, because pictures and shapes never fit to the pixel there; at the silhouette itself a thousandth.

    Returns:
        `BakedTexture`, in the framework of the images (NumPy's gives way to that of the mesh). Texels that no view sees
        take their colour from the nearest seen places of the surface, and those beside the charts from the charts, so
        that bilinear lookups find no foreign colour. Where several triangles share a texel, one that is seen has it.
        uv beyond 0 and 1 wraps around.

    Raises:
        ValueError: the mesh has no uv or is a batch, or shapes or numbers of views differ.

    Example:
        >>> baked = bake_texture(mesh, photographs, cameras, size=(512, 512))
        >>> textured = mesh.replace(texture=baked.texture)
    """
    cameras = _cameras("bake_texture", mesh, cameras)
    _check_baking(mesh, size, sharpness, margin)
    host = mesh.to("numpy")
    for camera in cameras:
        host = as_seen(host, camera, size)
    views = Views(host, cameras, *_pictures(images, masks, host), margin)
    seen = np.stack([np.bincount(view.seen, minlength=len(host.triangles)) > 0 for view in views])
    texels = _texels(host, size, seen.mean(axis=0))
    total, weight = views.gather(texels.points, texels.normals, float(sharpness))
    colors = total / np.where(weight > 0, weight, 1)[:, None]
    known = _filled_along_surface(host, texels, colors, weight)
    texture = np.zeros((size[0] * size[1], colors.shape[-1]), colors.dtype)
    is_known = np.zeros(size[0] * size[1], dtype=bool)
    weights = np.zeros(size[0] * size[1], colors.dtype)
    texture[texels.place], is_known[texels.place], weights[texels.place] = colors, known, weight * texels.is_covered
    texture = filled_picture(texture.reshape(*size, -1), is_known.reshape(size))
    lead = leader(images, mesh.vertices)
    return BakedTexture(from_numpy(texture, like=lead), from_numpy(weights.reshape(size), like=lead))


def visible_triangles(
    mesh: Mesh, cameras: Camera | Sequence[Camera], size: tuple[int, int], *, supersample: int = 1
) -> Any:
    """Which triangles a view shows at least one sample of: [N, F] booleans, of N views.

    Args:
        mesh: one for all views, or a batch of N.
        cameras: one `Camera`, of a batch where it has one, or several.
        size: (height, width) in pixels.

    Other arguments:
        supersample: s looks at s x s samples a pixel; triangles smaller than a sample may fall between.

    Returns:
        Exact, by the triangle numbers of `rasterize`; in the framework of the mesh. Not differentiable.

    Raises:
        ValueError: as `render` does.

    Example:
        >>> visible_triangles(shapes.cube(), Camera.look_at((0, 0, 3)), (64, 64)).sum()
        2
    """
    cameras = _cameras("visible_triangles", mesh, cameras)
    seen = []
    for camera in cameras:
        check("visible_triangles", mesh, camera, size, supersample, None)
        is_culled = not as_seen(mesh, camera, size).double_sided
        pos_clip, triangles = to_numpy(camera.clip(mesh.vertices, size)), to_numpy(mesh.triangles)
        for k in range(len(pos_clip)):
            geometry = (pos_clip[k : k + 1], triangles, sampled(size, supersample))
            shown = ops.rasterize(*geometry, cull_backfaces=is_culled).triangle_id
            seen.append(np.bincount(shown.ravel() + 1, minlength=len(triangles) + 1)[1:] > 0)
    return from_numpy(np.stack(seen), like=mesh.vertices)


def render_normals(
    mesh: Mesh | Pack,
    camera: Camera,
    size: tuple[int, int],
    *,
    space: str = "world",
    shading: str | None = None,
    visibility: str | None = "edge",
    supersample: int = 1,
    product: bool = False,
) -> Any:
    """Normals at every pixel, [B, H, W, 3]: unit, towards the viewer; 0 on the background. Differentiable.

    Args:
        mesh, camera, size: as of `render`; of a pack [R, H, W, 3], or [P, R, H, W, 3].

    Other arguments:
        space: "world", or "view": x to the right, y up and z towards the viewer.
        shading, visibility, supersample, product: as of `render`; "soft" is none here. Of several samples a pixel has
            the mean, which is shorter than 1 at silhouettes.

    As a picture, 0.5 + 0.5 * normals, in bytes without sRGB.

    Raises:
        ValueError: as `render` does.

    Example:
        >>> normals = render_normals(shapes.sphere(), Camera.look_at((0, 0, 3)), (65, 65), space="view")
        >>> normals[0, 32, 32].round(1)
        array([-0.,  0.,  1.], dtype=float32)
    """
    check("render_normals", mesh, camera, size, supersample, visibility)
    if space not in ("world", "view"):
        raise ValueError(f"render_normals: space must be 'world' or 'view'; got {space!r}")
    if visibility == "soft":
        raise ValueError("render_normals: visibility must not be 'soft'; got 'soft' (a mean of layers is no normal)")
    stage = staged("render_normals", mesh, camera, product)
    found = []
    for shot in stage.shots:
        is_smooth = is_smooth_by("render_normals", shot.mesh, shading)
        normals = _normals(shot, sampled(size, supersample), space, is_smooth, visibility)
        found.append(ops.downsample(normals, supersample))
    return stage.together(found)


def _normals(shot: Shot, size: tuple[int, int], space: str, is_smooth: bool, visibility: str | None) -> Any:
    shot, pos_clip = shot.posed(size)
    surface = surface_of(shot, pos_clip, size, is_smooth)
    seen = Seen(surface, surface.rasterized(size), "bilinear")
    normals = seen.normals
    if space == "view":
        normals = _turned(like(shot.camera.view_from_world, normals), normals)
    return visible([normals], seen, visibility)[0]


def _turned(view_from_world: Any, normals: Any) -> Any:
    """Normals [B, H, W, 3] as the camera sees them; its axes need not be of length 1."""
    xp = namespace(normals)
    turn = xp.matrix_transpose(view_from_world[..., :3, :3])
    turn = turn if turn.ndim == 2 else repeated(turn, normals.shape[0])
    flat = xp.reshape(normals, (normals.shape[0], -1, 3)) @ turn
    return unit(xp.reshape(flat, tuple(normals.shape)))


class _Texels(NamedTuple):
    """The texels that some triangle covers, and those beside them, which show it a little beyond its edge.

    place: [M] in the texture, row by row. triangle: [M]. weights: [M, 3] of its corners. points, normals: [M, 3].
    is_covered: [M].
    """

    place: np.ndarray
    triangle: np.ndarray
    weights: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    is_covered: np.ndarray


def _texels(mesh: Mesh, size: tuple[int, int], preference: np.ndarray) -> _Texels:
    """Triangles drawn by their uv; of several at a texel, the one of most `preference` [F] from 0 to 1."""
    corners, source = _tiles(mesh.uv[triangles_of(mesh, "uv")])
    flat = np.ones((*corners.shape[:2], 4), dtype=corners.dtype)
    flat[..., 0], flat[..., 1] = 2 * corners[..., 0] - 1, 1 - 2 * corners[..., 1]
    flat[..., 2] = 0.5 - preference[source, None]  # the nearest is drawn
    order = np.arange(3 * len(source), dtype=np.int32).reshape(-1, 3)
    fragments = ops.rasterize(flat.reshape(1, -1, 4), order, size)
    inside = np.flatnonzero(fragments.triangle_id.ravel() >= 0)
    two = fragments.barycentrics.reshape(-1, 2)[inside]
    place, drawn, around = _beside(fragments.triangle_id[0], corners)
    weights = np.concatenate([np.concatenate([two, 1 - two.sum(axis=-1, keepdims=True)], axis=-1), around])
    triangle = source[np.concatenate([fragments.triangle_id.ravel()[inside], drawn])]
    points = np.einsum("mk,mkc->mc", weights, mesh.vertices[mesh.triangles[triangle]])
    normals = face_normals_and_sides(mesh, np.zeros((0, 4)))[0][triangle]
    place = np.concatenate([inside, place])
    return _Texels(place, triangle, weights, points, normals, np.arange(len(place)) < len(inside))


def _beside(drawn: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Texels without a triangle beside one with some ([H, W]; corners [G, 3, 2]): place, which triangle, weights in it.

    Linear, so below 0 and above 1: what a bilinear lookup at the triangle's edge wants. Few that would lead far are
    left out.
    """
    height, width = drawn.shape
    beside = np.full_like(drawn, -1)
    for part, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        for to, of in ((part, other), (other, part)):  # the second pair goes over corners too
            beside[to] = np.maximum(beside[to], np.maximum(drawn, beside)[of].copy())
    place = np.flatnonzero((drawn < 0) & (beside >= 0))
    found = beside.ravel()[place]
    uv = np.stack([(place % width + 0.5) / width, (place // width + 0.5) / height], axis=-1)
    first, second, third = (corners[found, k].astype(np.float64) for k in range(3))
    along, away, here = second - first, third - first, uv - first
    area = along[:, 0] * away[:, 1] - along[:, 1] * away[:, 0]
    safe = np.where(area == 0, 1, area)
    b = (here[:, 0] * away[:, 1] - here[:, 1] * away[:, 0]) / safe
    c = (along[:, 0] * here[:, 1] - along[:, 1] * here[:, 0]) / safe
    weights = np.stack([1 - b - c, b, c], axis=-1)
    is_near = (area != 0) & (np.abs(weights) <= FARTHEST).all(axis=-1)
    return place[is_near], found[is_near], weights[is_near].astype(corners.dtype)


def _tiles(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """uv [F, 3, 2] moved to the texture, once for each repetition that they reach into: [G, 3, 2], and [G] whose."""
    low = np.floor(corners.min(axis=1, initial=np.inf))
    count = (np.ceil(corners.max(axis=1, initial=-np.inf)) - low).clip(1, MOST_TILES)
    count = np.where(np.isfinite(count), count, 1).astype(np.int64)
    per_triangle = count.prod(axis=-1)
    source = np.repeat(np.arange(len(corners)), per_triangle)
    number = np.arange(len(source)) - np.repeat(np.cumsum(per_triangle) - per_triangle, per_triangle)
    tile = np.stack([number % count[source, 0], number // count[source, 0]], axis=-1)
    return corners[source] - (low[source] + tile)[:, None].astype(corners.dtype), source


def _filled_along_surface(mesh: Mesh, texels: _Texels, colors: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """[M]: whether a texel has a colour now that those unseen took theirs from seen places; `colors` is written."""
    known = weight > 0
    if known.all() or not known.any():
        return known
    corners = coinciding(mesh.vertices)[mesh.triangles]
    of_texel, num_vertices = corners[texels.triangle], len(mesh.vertices)
    inner = texels.weights.clip(0, 1)
    index, share = of_texel[known].ravel(), inner[known]
    sums = [np.bincount(index, (share * x[:, None]).ravel(), num_vertices) for x in (*colors[known].T, np.ones(1))]
    at_vertices = np.stack(sums[:-1], axis=-1) / np.where(sums[-1] > 0, sums[-1], 1)[:, None]
    has_color = spread_over_edges(at_vertices, sums[-1] > 0, corners)
    share = inner[~known] * has_color[of_texel[~known]]
    reached = share.sum(axis=-1) > 0
    mean = np.einsum("mk,mkc->mc", share, at_vertices[of_texel[~known]])
    colors[~known] = mean / np.where(reached, share.sum(axis=-1), 1)[:, None]
    known[~known] = reached
    return known


def _cameras(op: str, mesh: Mesh, cameras: Camera | Sequence[Camera]) -> Sequence[Camera]:
    if not isinstance(mesh, Mesh):
        raise ValueError(f"{op}: mesh must be a Mesh; got {type(mesh).__name__} (see intaglio.Mesh)")
    found = [cameras] if isinstance(cameras, Camera) else cameras
    if not isinstance(found, (list, tuple)) or not found or not all(isinstance(x, Camera) for x in found):
        kind = f"{len(found)} of another kind" if isinstance(found, (list, tuple)) else type(cameras).__name__
        raise ValueError(f"{op}: cameras must be a Camera, or a list of them; got {kind} (see intaglio.Camera)")
    return found


def _check_baking(mesh: Mesh, size: tuple[int, int], sharpness: float, margin: int) -> None:
    if mesh.uv is None:
        remedy = "Mesh(..., uv=, uv_triangles=): an unwrapping program such as xatlas makes them"
        raise ValueError(f"bake_texture: mesh must have uv; got none ({remedy})")
    if mesh.vertices.ndim != 2:
        got = f"{mesh.vertices.shape[0]} (bake each by itself)"
        raise ValueError(f"bake_texture: mesh must be one mesh; got a batch of {got}")
    if not isinstance(size, (tuple, list)) or len(size) != 2 or not all(isinstance(n, int) and n >= 1 for n in size):
        raise ValueError(f"bake_texture: size must be (height, width) in whole texels from 1 on; got {size!r}")
    if not (isinstance(sharpness, (int, float)) and 0 <= sharpness < np.inf):
        raise ValueError(f"bake_texture: sharpness must be a number from 0 on; got {sharpness!r}")
    if not (isinstance(margin, int) and margin >= 0):
        raise ValueError(f"bake_texture: margin must be a whole number of pixels from 0 on; got {margin!r}")


def _pictures(images: Any, masks: Any, mesh: Mesh) -> tuple[np.ndarray, np.ndarray | None]:
    """[N, H, W, C] and [N, H, W], of the mesh's float type."""
    pictures = to_numpy(images)
    pictures = pictures[None] if pictures.ndim == 3 else pictures
    if pictures.ndim != 4 or 0 in pictures.shape[1:]:
        raise ValueError(f"bake_texture: images must be [N, H, W, C]; got {list(to_numpy(images).shape)}")
    pictures = pictures.astype(mesh.vertices.dtype, copy=False)
    if not np.isfinite(pictures).all():
        raise ValueError("bake_texture: images must be finite; got NaN or infinity")
    if masks is None:
        return pictures, None
    shares = to_numpy(masks)
    shares = shares[None] if shares.ndim == 2 else shares
    if shares.shape != pictures.shape[:3]:
        raise ValueError(f"bake_texture: masks must be {list(pictures.shape[:3])}; got {list(to_numpy(masks).shape)}")
    return pictures, shares.astype(mesh.vertices.dtype).clip(0, 1)
