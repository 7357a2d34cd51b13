# SPDX-License-Identifier: MIT
"""Pictures of what one call of each op draws. Visibility is decided once, by `rasterize`; shading is ordinary calculus;
the gradient of what moves at silhouettes is one op, chosen by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from . import ops
from .around import Around, is_around
from .array import as_float_array, like, namespace, repeated
from .environment import EnvironmentLight
from .ops import Fragments
from .seen import Maps, Seen, Surface, channels
from .shading import AnyLight, shaded, shaded_layer
from .staging import Shot, sampled

__all__ = ["Style", "drawn", "drawn_silhouette", "plane", "surface_of", "visible"]


class Style(NamedTuple):
    """Arguments of `render`."""

    lights: Sequence[AnyLight]
    is_smooth: bool
    visibility: str | None
    texture_filter: str
    layers: int


def drawn(
    shot: Shot, size: tuple[int, int], style: Style, *, supersample: int, background: Any, maps: Maps | None = None
) -> Sequence[Any]:
    """What `Rendering` holds. The background is None for black, an EnvironmentLight, [3], [B, 3], [H, W, 3] or
    [B, H, W, 3]. `maps` are those of the mesh, where several shots show it.
    """
    if is_around(shot.camera):
        return _drawn_around(shot, size, style, supersample, background)
    fine = sampled(size, supersample)
    shot, pos_clip = shot.posed(fine, style.lights, background)
    surface = surface_of(shot, pos_clip, fine, style.is_smooth, maps)
    background = _behind(background, shot, pos_clip, surface.count, fine, supersample)
    fragments = surface.rasterized(fine)
    seen = Seen(surface, fragments, style.texture_filter)
    if style.visibility == "soft":
        planes = _softly(surface, fine, style, background)
    elif style.layers > 1:
        planes = [_layered(seen, style, background)]
    else:
        planes = visible(_over(shaded(seen, style.lights), fragments.triangle_id, background), seen, style.visibility)
    planes = [ops.downsample(x, supersample) for x in planes]
    if supersample > 1:
        seen = Seen(surface, Fragments(*(_middle_sample(x, supersample) for x in fragments)), style.texture_filter)
    color, alpha = channels(planes[0], 0, 3), channels(planes[-1], planes[-1].shape[-1] - 1, planes[-1].shape[-1])
    fragments = seen.fragments
    return color, plane(alpha), fragments.depth, seen.normals, shot.own_numbers(fragments.triangle_id)


def drawn_silhouette(shot: Shot, size: tuple[int, int], *, visibility: str | None, supersample: int) -> Any:
    """[B, H, W]."""
    fine = sampled(size, supersample)
    if is_around(shot.camera):
        around = Around(shot.camera, size, supersample)
        shot = shot.beside(around.leader(shot.mesh.vertices))
        face = partial(drawn_silhouette, size=around.face_size, visibility=visibility, supersample=1)
        alpha = around.blended([face(shot._replace(camera=camera))[..., None] for camera in around.cameras()])
        return plane(ops.downsample(alpha, supersample))
    shot, pos_clip = shot.posed(fine)
    geometry, xp = (pos_clip, shot.mesh.triangles, fine), namespace(pos_clip)
    how: dict[str, Any] = {"ranges": shot.ranges, "cull_backfaces": not shot.mesh.double_sided}
    if visibility == "soft":
        soft = ops.soft_rasterize(*geometry, **how)
        alpha = ops.soft_blend(xp.zeros_like(soft.barycentrics[..., :1]), soft, background=(0,))[1][..., None]
    elif visibility == "edge" and xp.is_tracked(pos_clip):
        alpha = ops.silhouette(*geometry, neighbours=shot.mesh.neighbours, **how)
    else:
        surface = surface_of(shot, pos_clip, fine, is_smooth=False)
        seen = Seen(surface, surface.rasterized(fine), "nearest")
        (alpha,) = visible([seen.covered], seen, visibility)
    return plane(ops.downsample(alpha, supersample))


def _drawn_around(shot: Shot, size: tuple[int, int], style: Style, supersample: int, background: Any) -> Sequence[Any]:
    """By way of six pictures of a cube, laid over the background when they are one."""
    around = Around(shot.camera, size, supersample)
    shot = shot.beside(around.leader(shot.mesh.vertices), style.lights, background)
    maps = Maps(shot.mesh)
    shots = [shot._replace(camera=camera) for camera in around.cameras()]
    faces = [drawn(x, around.face_size, style, supersample=1, background=None, maps=maps) for x in shots]
    xp = namespace(faces[0][0])
    blended = around.blended([xp.concat([color, alpha[..., None]], axis=-1) for color, alpha, *_ in faces])
    color, alpha = channels(blended, 0, 3), channels(blended, 3, 4)
    behind = _behind(background, shot, color, color.shape[0], around.size, supersample)
    if isinstance(background, EnvironmentLight):
        behind = behind * around.seen(behind)  # nothing is seen in the direction of nothing
    color = _over([color, alpha], None, behind)[0]
    color, alpha = (ops.downsample(x, supersample) for x in (color, alpha))
    surfaces = around.surfaces(*zip(*(face[2:] for face in faces), strict=True))
    return color, plane(alpha), *(_middle_sample(x, supersample) for x in surfaces)


def surface_of(shot: Shot, pos_clip: Any, size: tuple[int, int], is_smooth: bool, maps: Maps | None = None) -> Surface:
    of_camera = (partial(shot.camera.viewer, size), partial(shot.handedness, size))
    return Surface(shot.mesh, pos_clip, *of_camera, is_smooth=is_smooth, ranges=shot.ranges, maps=maps)


def visible(planes: Sequence[Any], seen: Seen, visibility: str | None) -> Sequence[Any]:
    """The planes, given the gradient of moving silhouettes; colour and coverage together, in one go."""
    mesh, pos_clip, ranges = seen.mesh, seen.surface.pos_clip, seen.surface.ranges
    is_same_picture = visibility != "antialias"
    if visibility is None or (is_same_picture and not namespace(pos_clip).is_tracked(pos_clip)):
        return planes
    image = planes[0] if len(planes) == 1 else namespace(pos_clip).concat(planes, axis=-1)
    drawn = (image, seen.fragments, pos_clip, mesh.triangles)
    if visibility == "sweep":
        eps = 1e-4 if image.shape[-1] == 1 else 1e-3  # the original's, of silhouettes and of colours
        return [ops.sweep_gradient(*drawn, eps=eps, ranges=ranges)]
    op = ops.antialias if visibility == "antialias" else ops.edge_gradient
    return [op(*drawn, neighbours=mesh.neighbours, ranges=ranges)]


def _softly(surface: Surface, size: tuple[int, int], style: Style, background: Any) -> Sequence[Any]:
    """Colour and alpha of the blurred picture: the nearest layers are shaded side by side, as one wide image."""
    geometry, is_culled = (surface.pos_clip, surface.mesh.triangles), not surface.mesh.double_sided
    soft = ops.soft_rasterize(*geometry, size, ranges=surface.ranges, cull_backfaces=is_culled)
    color = channels(shaded(Seen(surface, soft.as_fragments(), style.texture_filter), style.lights)[0], 0, 3)
    color = namespace(color).reshape(color, (*soft.triangle_id.shape, 3))
    behind = (0, 0, 0) if background is None else _for_each_image(background, surface.count)
    color, alpha = ops.soft_blend(color, soft, background=behind)
    return [color, alpha[..., None]]


def _layered(nearest: Seen, style: Style, background: Any) -> Any:
    """[B, H, W, 4]: colour and alpha of what is seen through one another."""
    surface = nearest.surface
    mesh, pos_clip, ranges = surface.mesh, surface.pos_clip, surface.ranges
    peeled = [nearest]
    size = tuple(nearest.fragments.triangle_id.shape[1:])
    while len(peeled) < style.layers:
        fragments = surface.rasterized(size, behind=peeled[-1].fragments)
        peeled.append(Seen(surface, fragments, style.texture_filter))
    colors = [shaded_layer(seen, style.lights) for seen in peeled]
    background = None if background is None else _for_each_image(background, surface.count)
    image = ops.composite(colors, background=background)
    if style.visibility is None or not namespace(pos_clip).is_tracked(pos_clip):
        return image
    geometry = ([seen.fragments for seen in peeled], pos_clip, mesh.triangles)
    tables = {"neighbours": mesh.neighbours, "ranges": ranges}
    return ops.layered_edge_gradient(image, colors, *geometry, background=background, **tables)


def _over(planes: Sequence[Any], triangle_id: Any, background: Any) -> Sequence[Any]:
    """The planes, colours multiplied by alpha, composited over the background."""
    if background is None:
        return planes
    color, *rest = planes
    xp = namespace(color)
    alpha = rest[0] if rest else xp.covered(triangle_id, color)[..., None]
    if background.ndim == 2:
        background = background[:, None, None, :]
    if not rest:  # the fourth channel is coverage, which the background has none of
        background = xp.concat([background, xp.zeros_like(background[..., :1])], axis=-1)
    return [color + (1 - alpha) * background, *rest]


def plane(image: Any) -> Any:
    """[B, H, W, 1] -> [B, H, W]; indexing is differentiated slowly in some frameworks."""
    return namespace(image).squeeze(image, axis=-1)


def _middle_sample(x: Any, supersample: int) -> Any:
    first = (supersample - 1) // 2
    return x if supersample == 1 else x[:, first::supersample, first::supersample]


def _behind(background: Any, shot: Shot, other: Any, count: int, fine: tuple[int, int], supersample: int) -> Any:
    """[3], [B, 3] or [B or 1, H, W, 3] of samples, like another array; None for black, which leaves a picture as it is.

    `count` is B; `fine` is the size in samples.
    """
    if background is None:
        return None
    if isinstance(background, EnvironmentLight):
        rays = shot.camera.rays(fine, other)
        if rays.shape[0] > 1 and (background.image.ndim == 4 or as_float_array(background.intensity).ndim):
            rays = repeated(rays, count)
        found = background.radiance(rays)
        return found if found.shape[0] == 1 else repeated(found, count)
    background = like(background, other)
    if background.ndim < 3:
        return background
    xp, (height, width) = namespace(background), background.shape[-3:-1]
    background = xp.reshape(background, (-1, height, 1, width, 1, 3))
    samples = xp.broadcast_to(background, (background.shape[0], height, supersample, width, supersample, 3))
    return xp.reshape(samples, (-1, *fine, 3))


def _for_each_image(background: Any, count: int) -> Any:
    return repeated(background, count) if background.ndim == 4 else background
