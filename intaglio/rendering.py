# SPDX-License-Identifier: MIT
"""Meshes, cameras and lights to images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from . import ops
from .around import is_around
from .array import as_float_array, like, namespace, taken
from .camera import Camera
from .drawing import Style, drawn, drawn_silhouette
from .environment import EnvironmentLight
from .light import DEFAULT_LIGHTS
from .mesh import Mesh
from .packing import Pack
from .picture import Picture
from .seen import FILTERS
from .shading import AnyLight
from .staging import Shot, Stage, check, is_count, is_smooth_by, staged

__all__ = ["Rendering", "compare_silhouette", "render", "render_silhouette"]


class Rendering(NamedTuple):
    """What `render` gives: images of [B, H, W].

    color: [B, H, W, 3], linear, over the background. Differentiable.
    alpha: [B, H, W], the share of each pixel that the mesh covers. Differentiable.
    depth: [B, H, W], z / w as of `rasterize`: -1 at the near plane, 1 at the far plane and on the background.
        Differentiable, but for the jumps at silhouettes. By a `Fisheye` or `Panorama`: the distance from the eye, at
        the nearest texel of the cube; the far plane's on the background.
    normals: [B, H, W, 3], world space, unit, towards the viewer; 0 on the background. Differentiable likewise.
    triangle_id: [B, H, W] int32, -1 on the background.

    In a notebook it shows its colours.
    """

    color: Any
    alpha: Any
    depth: Any
    normals: Any
    triangle_id: Any

    def _repr_png_(self) -> bytes:
        """What a notebook shows: the colours, a batch side by side."""
        color = namespace(self.color).reshape(self.color, (-1, *self.color.shape[-3:]))
        return Picture(color)._repr_png_()


def render(
    mesh: Mesh | Pack,
    camera: Camera,
    size: tuple[int, int],
    *,
    lights: Sequence[AnyLight] = DEFAULT_LIGHTS,
    shading: str | None = None,
    visibility: str | None = "edge",
    supersample: int = 1,
    background: Any = (0.0, 0.0, 0.0),
    texture_filter: str = "bilinear",
    layers: int = 1,
    product: bool = False,
) -> Rendering:
    """Colour, coverage, depth, normals and triangles of a mesh, seen through a camera; or of each mesh of a pack.

    Args:
        mesh: all its floats and its material's are differentiable. Both sides of a triangle are drawn, lit as seen;
            of a mesh that is not `double_sided`, which one from a glTF file often is not, the front alone. Where its
            colours have alpha (what "opaque" materials pass over), the background shows through them.
        camera: differentiable. A batch of B makes B images. The R meshes of a pack are seen by one camera, or by R,
            each by its own; but see `product`. Pictures of a `Fisheye` or `Panorama` are resampled from the six faces
            of a cube around the eye: colour and alpha blended between four texels, the rest from the nearest.
        size: (height, width) in pixels.

    Other arguments:
        lights: differentiable. `AmbientLight()` alone shows the mesh's own colours.
        shading: "flat", a face has one normal, and where it is matt one light, at its middle; "smooth", normals are
            interpolated between vertices; by default smooth where the mesh has normals or a material that shines.
        visibility: whence positions get the gradient of what moves at silhouettes: "edge", "antialias" (which also
            smooths the picture), "sweep", "soft" (another, blurred picture) or None.
        supersample: s renders s x s samples a pixel. Colour and alpha are their mean; depth, normals and triangle_id
            are those of one sample (of the four in the middle, the top left one), for the mean of two depths is the
            depth of nothing.
        background: [3] or [B, 3], an image [H, W, 3] or [B, H, W, 3], linear, differentiable; or an `EnvironmentLight`,
            seen behind the mesh.
        texture_filter: "nearest", "bilinear", "trilinear" (the size of a pixel on the texture chooses the mip level) or
            "anisotropic" (its two sides do). With visibility "soft" at most "bilinear".
        layers: how many surfaces of the mesh a pixel may show behind one another where its colours have alpha, at most
            32; with 1 the background is behind the nearest. More than 1 with visibility "edge" (of the edges of all
            layers) or None. Depth, normals and triangle_id are those of the nearest surface.
        product: of a pack: every camera sees every mesh. P cameras and R meshes make P x R images, without a copy of
            either.

    Returns:
        `Rendering`, of a pack with images [R, H, W], or [P, R, H, W] of a product, the same as of each mesh alone; what
        of lights and backgrounds is given for B images has B = R or P R rows then, camera by camera. Arrays in the
        framework of mesh, camera, lights and background (NumPy's gives way to another).

    Raises:
        ValueError: an argument is none of these, or batches differ.

    Example:
        >>> image = render(shapes.teapot().normalized(), Camera.look_at(orbit(2.7, 30, 20)), (64, 64)).color
        >>> image.shape
        (1, 64, 64, 3)
    """
    check("render", mesh, camera, size, supersample, visibility)
    if texture_filter not in FILTERS or (visibility == "soft" and FILTERS[texture_filter]):
        names = ", ".join(repr(name) for name in FILTERS if visibility != "soft" or not FILTERS[name])
        raise ValueError(f"render: texture_filter must be one of {names}; got {texture_filter!r}")
    _check_layers(layers, visibility)
    stage = staged("render", mesh, camera, product)
    background = _checked_background(background, stage.num_images, size)
    pictures = []
    for shot in stage.shots:
        is_smooth = is_smooth_by("render", shot.mesh, shading)
        style = Style(shot.lights(lights), is_smooth, visibility, texture_filter, layers)
        pictures.append(drawn(shot, size, style, supersample=supersample, background=shot.background(background)))
    return Rendering(*(stage.together(arrays) for arrays in zip(*pictures, strict=True)))


def render_silhouette(
    mesh: Mesh | Pack,
    camera: Camera,
    size: tuple[int, int],
    *,
    visibility: str | None = "edge",
    supersample: int = 1,
    product: bool = False,
) -> Any:
    """The share of each pixel that a mesh covers, [B, H, W]: what `render` gives as alpha, in much less time.

    Arguments as of `render`; of a pack [R, H, W] or [P, R, H, W].
    """
    check("render_silhouette", mesh, camera, size, supersample, visibility)
    stage = staged("render_silhouette", mesh, camera, product, is_shape=True)
    draw = partial(drawn_silhouette, size=size, visibility=visibility, supersample=supersample)
    return stage.together([draw(shot) for shot in stage.shots])


def compare_silhouette(
    mesh: Mesh | Pack, camera: Camera, target: Any, *, supersample: int = 1, product: bool = False
) -> Any:
    """How far the silhouette is from a target: the sum of (alpha - target)^2 over each view's pixels, [B].

    The loss and the gradient of `render_silhouette` with visibility "edge" and `losses.squared_error`, but for the
    picture, which is never made: several times as fast, and the more so the larger the target.

    Args:
        mesh, camera: as of `render`. Of a pack B is R, or the result [P, R].
        target: [H, W] or [B, H, W], from 0 to 1; any framework, not differentiable. With `product` [H, W], [R, H, W] or
            [P, R, H, W].
        supersample, product: as of `render`; at most 16 samples.

    Raises:
        ValueError: as `render` does, and where `target` is no picture, or one for another number of views.

    Example:
        >>> compare_silhouette(mesh.replace(vertices=vertices), camera, photographed).sum().backward()
    """
    shape = tuple(target.shape)
    if len(shape) not in (2, 3, 4) or (len(shape) == 4 and not product):
        expected = "[H, W], [R, H, W] or [P, R, H, W]" if product else "[H, W] or [B, H, W]"
        raise ValueError(f"compare_silhouette: target must be {expected}; got {list(shape)}")
    size = shape[-2:]
    check("compare_silhouette", mesh, camera, size, supersample, "edge")
    stage = staged("compare_silhouette", mesh, camera, product, is_shape=True)
    if stage.num_meshes is not None:
        _check_targets(shape, stage)
    if is_around(camera):
        alpha = render_silhouette(mesh, camera, size, supersample=supersample, product=product)
        difference = alpha - like(target, alpha)
        return namespace(alpha).sum(difference * difference, axis=(-1, -2))
    return stage.together([_compared(shot, stage, target, supersample) for shot in stage.shots])


def _check_targets(shape: Sequence[int], stage: Stage) -> None:
    meshes, cameras = stage.num_meshes, stage.num_cameras
    if tuple(shape[:-2]) not in ((), (meshes,), (cameras, meshes)):
        of_product = f"[H, W], [{meshes}, H, W] or [{cameras}, {meshes}, H, W]"
        expected = f"[H, W] or [{meshes}, H, W]" if cameras is None else of_product
        raise ValueError(f"compare_silhouette: target must be {expected}; got {list(shape)}")


def _compared(shot: Shot, stage: Stage, target: Any, supersample: int) -> Any:
    """[B] of the images of one shot; `target` is that of all."""
    size = tuple(target.shape[-2:])
    shot, pos_clip = shot.posed(size)
    xp, target = namespace(pos_clip), like(target, pos_clip)
    if stage.num_cameras is not None:
        target = xp.broadcast_to(target, (stage.num_cameras, stage.num_meshes, *size))
    elif target.ndim == 2:
        target = xp.broadcast_to(target, (stage.num_images, *size))
    target = xp.reshape(target, (-1, *size))
    if shot.images is not None:
        target = taken(target, shot.images)
    geometry, is_culled = (pos_clip, shot.mesh.triangles, target), not shot.mesh.double_sided
    tables = {"neighbours": shot.mesh.neighbours, "ranges": shot.ranges}
    return ops.silhouette_error(*geometry, supersample=supersample, cull_backfaces=is_culled, **tables)


def _checked_background(background: Any, count: int, size: tuple[int, int]) -> Any:
    """None for black, which leaves a picture as it is."""
    if isinstance(background, EnvironmentLight):
        return background
    if isinstance(background, tuple) and background == (0.0, 0.0, 0.0):
        return None
    background = as_float_array(background)
    shape = tuple(background.shape)
    shapes = ((3,), (count, 3), (*size, 3), (count, *size, 3))
    if shape not in shapes:
        spelled = ", ".join(map(str, map(list, shapes)))
        raise ValueError(f"render: background must be one of {spelled}, or an EnvironmentLight; got {list(shape)}")
    return background


def _check_layers(layers: int, visibility: str | None) -> None:
    if not is_count(layers) or layers > ops.MAX_LAYERS:
        raise ValueError(f"render: layers must be a whole number from 1 to {ops.MAX_LAYERS}; got {layers!r}")
    if layers > 1 and visibility not in ("edge", None):
        raise ValueError(f"render: visibility must be 'edge' or None with several layers; got {visibility!r}")
