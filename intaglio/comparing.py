# SPDX-License-Identifier: MIT
"""A textured mesh beside a picture of it, without a picture in between."""

from __future__ import annotations

from typing import Any

from . import ops
from .around import is_around
from .array import like, namespace
from .camera import Camera
from .material import Unlit, is_white
from .mesh import Mesh
from .staging import check, staged

__all__ = ["compare_textured"]


def compare_textured(mesh: Mesh, camera: Camera, target: Any) -> Any:
    """How far a mesh in the colours of its texture is from a picture: the sum of (color - target)^2 over each view's
    pixels and channels, [B].

    The loss and the gradients of `render` under `AmbientLight()` alone, with texture_filter "trilinear" and visibility
    "edge" over black, and `losses.squared_error`, but for the picture, which is never made: several times as fast.

    Args:
        mesh: of a `texture` of three channels and no other colours; its material None or a white `Unlit`. Vertices, uv
            and texture are differentiable.
        camera: differentiable; no `Fisheye` or `Panorama`.
        target: [H, W, 3] or [B, H, W, 3], linear; any framework, not differentiable.

    Raises:
        ValueError: as `render` does; the mesh has other colours, or none; `target` is no picture, or one for another
            number of views.

    Example:
        >>> compare_textured(mesh.replace(texture=texture), camera, photographed).sum().backward()
    """
    shape = tuple(target.shape)
    if len(shape) not in (3, 4) or shape[-1] != 3:
        raise ValueError(f"compare_textured: target must be [H, W, 3] or [B, H, W, 3]; got {list(shape)}")
    size = shape[-3:-1]
    check("compare_textured", mesh, camera, size, 1, "edge")
    _check_colors(mesh, camera)
    stage = staged("compare_textured", mesh, camera, False)
    shot, pos_clip = stage.shots[0].posed(size)
    mesh, xp = shot.mesh, namespace(pos_clip)
    pos_clip = xp.broadcast_to(pos_clip, (stage.num_images, *pos_clip.shape[1:]))
    target = like(target, pos_clip)
    if target.ndim == 3:
        target = xp.broadcast_to(target, (stage.num_images, *shape))
    texture = mesh.texture[0] if mesh.texture.ndim == 4 and mesh.texture.shape[0] == 1 else mesh.texture
    tables = {"uv_triangles": mesh.uv_triangles, "neighbours": mesh.neighbours}
    inputs = (pos_clip, mesh.triangles, mesh.uv, texture, target)
    return ops.textured_error(*inputs, cull_backfaces=not mesh.double_sided, **tables)


def _check_colors(mesh: Any, camera: Camera) -> None:
    remedy = "render it, and compare the picture"
    if not isinstance(mesh, Mesh):
        raise ValueError(f"compare_textured: mesh must be a Mesh; got a {type(mesh).__name__} ({remedy})")
    if is_around(camera):
        raise ValueError(f"compare_textured: camera must be a Camera; got a {type(camera).__name__} ({remedy})")
    is_plain = mesh.material is None or (isinstance(mesh.material, Unlit) and is_white(mesh.material.base_color))
    if mesh.texture is None or mesh.texture.shape[-1] != 3:
        got = "none" if mesh.texture is None else str(list(mesh.texture.shape))
        raise ValueError(f"compare_textured: mesh.texture must be [H, W, 3] or [B, H, W, 3]; got {got} ({remedy})")
    if mesh.vertex_colors is not None or mesh.face_textures is not None or not is_plain:
        got = "more: vertex_colors, face_textures or a material"
        raise ValueError(f"compare_textured: mesh must be coloured by its texture alone; got {got} ({remedy})")
