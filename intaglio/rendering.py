# SPDX-License-Identifier: MIT
"""A mesh, a camera and lights to images. Visibility is decided once, by `rasterize`; shading is ordinary calculus; the
gradient of what moves at silhouettes is one op, chosen by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import partial
from typing import Any, NamedTuple

from . import ops
from .around import Around, is_around
from .array import as_float_array, leader, like, namespace
from .camera import Camera
from .environment import EnvironmentLight
from .light import DEFAULT_LIGHTS
from .material import BlinnPhong, Material
from .mesh import Mesh
from .ops import Fragments
from .picture import Picture
from .seen import FILTERS, Maps, Seen, Surface, channels
from .shading import AnyLight, shaded, shaded_layer

__all__ = ["Rendering", "compare_silhouette", "render", "render_silhouette"]

SHADINGS = ("flat", "smooth")
VISIBILITIES = ("edge", "antialias", "sweep", "soft", None)


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
        return Picture(self.color)._repr_png_()


def render(
    mesh: Mesh,
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
) -> Rendering:
    """Colour, coverage, depth, normals and triangles of a mesh, seen through a camera.

    Args:
        mesh: all its floats and its material's are differentiable. Both sides of a triangle are drawn, lit as seen.
            Where its colours have alpha (what "opaque" materials pass over), the background shows through them.
        camera: differentiable. Pictures of a `Fisheye` or `Panorama` are resampled from the six faces of a cube around
            the eye: colour and alpha blended between four texels, the rest from the nearest.
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

    Returns:
        `Rendering`; arrays in the framework of mesh, camera, lights and background (NumPy's gives way to another).

    Raises:
        ValueError: an argument is none of these, or batches differ.

    Example:
        >>> image = render(shapes.teapot().normalized(), Camera.look_at(orbit(2.7, 30, 20)), (64, 64)).color
        >>> image.shape
        (1, 64, 64, 3)
    """
    _check("render", mesh, camera, size, supersample, visibility)
    is_smooth = is_smooth_by("render", mesh, shading)
    if texture_filter not in FILTERS or (visibility == "soft" and FILTERS[texture_filter]):
        names = ", ".join(repr(name) for name in FILTERS if visibility != "soft" or not FILTERS[name])
        raise ValueError(f"render: texture_filter must be one of {names}; got {texture_filter!r}")
    _check_layers(layers, visibility)
    drawn = partial(_drawn, lights=lights, is_smooth=is_smooth, visibility=visibility, texture_filter=texture_filter)
    drawn = partial(drawn, layers=layers)
    if is_around(camera):
        around = Around(camera, size, supersample)
        mesh = _beside(mesh, around.leader(mesh.vertices), lights, background)
        maps = Maps(mesh)
        faces = [drawn(mesh, face, around.face_size, maps=maps) for face in around.cameras()]
        return _around(around, faces, background, supersample)
    return drawn(mesh, camera, size, supersample=supersample, background=background)


def _drawn(
    mesh: Mesh,
    camera: Camera,
    size: tuple[int, int],
    *,
    lights: Sequence[AnyLight],
    is_smooth: bool,
    visibility: str | None,
    texture_filter: str,
    layers: int,
    supersample: int = 1,
    background: Any = (0.0, 0.0, 0.0),
    maps: Maps | None = None,
) -> Rendering:
    """What `render` gives, by a camera with a matrix."""
    sampled = _sampled(size, supersample)
    mesh, pos_clip = _clipped(mesh, camera, sampled, lights, background)
    background = _background(background, pos_clip, camera, sampled, supersample)
    surface = Surface(mesh, pos_clip, lambda: camera.viewer(sampled), is_smooth=is_smooth, maps=maps)
    fragments = ops.rasterize(pos_clip, mesh.triangles, sampled)
    seen = Seen(surface, fragments, texture_filter)
    if visibility == "soft":
        planes = _softly(surface, sampled, lights, background, texture_filter)
    elif layers > 1:
        planes = [_layered(seen, layers, lights, background, visibility, texture_filter)]
    else:
        planes = _visible(
            _over(shaded(seen, lights), fragments.triangle_id, background), fragments, mesh, pos_clip, visibility
        )
    planes = [ops.downsample(plane, supersample) for plane in planes]
    if supersample > 1:
        seen = Seen(surface, Fragments(*(_middle_sample(x, supersample) for x in fragments)), texture_filter)
    color, alpha = channels(planes[0], 0, 3), channels(planes[-1], planes[-1].shape[-1] - 1, planes[-1].shape[-1])
    return Rendering(color, _plane(alpha), seen.fragments.depth, seen.normals, seen.fragments.triangle_id)


def render_silhouette(
    mesh: Mesh,
    camera: Camera,
    size: tuple[int, int],
    *,
    visibility: str | None = "edge",
    supersample: int = 1,
) -> Any:
    """The share of each pixel that a mesh covers, [B, H, W]: what `render` gives as alpha, in much less time.

    Arguments as of `render`.
    """
    _check("render_silhouette", mesh, camera, size, supersample, visibility)
    if is_around(camera):
        around = Around(camera, size, supersample)
        mesh = _beside(mesh, around.leader(mesh.vertices))
        drawn = partial(render_silhouette, mesh, size=around.face_size, visibility=visibility)
        alpha = around.blended([drawn(camera=face)[..., None] for face in around.cameras()])
        return _plane(ops.downsample(alpha, supersample))
    mesh, pos_clip = _clipped(mesh, camera, _sampled(size, supersample))
    if visibility == "soft":
        soft = ops.soft_rasterize(pos_clip, mesh.triangles, _sampled(size, supersample))
        blank = namespace(pos_clip).zeros_like(soft.barycentrics[..., :1])
        alpha = ops.soft_blend(blank, soft, background=(0,))[1]
        return _plane(ops.downsample(alpha[..., None], supersample))
    if visibility == "edge" and namespace(pos_clip).is_tracked(pos_clip):
        alpha = ops.silhouette(pos_clip, mesh.triangles, _sampled(size, supersample), neighbours=mesh.neighbours)
        return _plane(ops.downsample(alpha, supersample))
    fragments = ops.rasterize(pos_clip, mesh.triangles, _sampled(size, supersample))
    alpha = namespace(pos_clip).covered(fragments.triangle_id, pos_clip)[..., None]
    return _plane(ops.downsample(_visible([alpha], fragments, mesh, pos_clip, visibility)[0], supersample))


def compare_silhouette(mesh: Mesh, camera: Camera, target: Any, *, supersample: int = 1) -> Any:
    """How far the silhouette is from a target: the sum of (alpha - target)^2 over each view's pixels, [B].

    The loss and the gradient of `render_silhouette` with visibility "edge" and `losses.squared_error`, but for the
    picture, which is never made: several times as fast, and the more so the larger the target.

    Args:
        mesh, camera: as of `render`.
        target: [H, W] or [B, H, W], from 0 to 1; any framework, not differentiable.
        supersample: as of `render`; at most 16.

    Raises:
        ValueError: as `render` does, and where `target` is no picture, or one for another number of views.

    Example:
        >>> compare_silhouette(mesh.replace(vertices=vertices), camera, photographed).sum().backward()
    """
    if len(target.shape) not in (2, 3):
        raise ValueError(f"compare_silhouette: target must be [H, W] or [B, H, W]; got {list(target.shape)}")
    size = tuple(target.shape[-2:])
    _check("compare_silhouette", mesh, camera, size, supersample, "edge")
    if is_around(camera):
        alpha = render_silhouette(mesh, camera, size, supersample=supersample)
        difference = alpha - like(target, alpha)
        return namespace(alpha).sum(difference * difference, axis=(1, 2))
    mesh, pos_clip = _clipped(mesh, camera, size)
    xp, target = namespace(pos_clip), like(target, pos_clip)
    if target.ndim == 2:
        target = xp.broadcast_to(target, (pos_clip.shape[0], *size))
    return ops.silhouette_error(pos_clip, mesh.triangles, target, supersample=supersample, neighbours=mesh.neighbours)


def _around(around: Around, faces: Sequence[Rendering], background: Any, supersample: int) -> Rendering:
    """What is seen in a cube of six pictures, over the background."""
    xp = namespace(faces[0].color)
    blended = around.blended([xp.concat([face.color, face.alpha[..., None]], axis=-1) for face in faces])
    color, alpha = channels(blended, 0, 3), channels(blended, 3, 4)
    behind = _background(background, color, around.camera, around.size, supersample)
    if isinstance(background, EnvironmentLight):
        behind = behind * around.seen(behind)  # nothing is seen in the direction of nothing
    color = _over([color, alpha], faces[0].triangle_id, behind)[0]
    color, alpha = (ops.downsample(plane, supersample) for plane in (color, alpha))
    surfaces = around.surfaces(*zip(*(face[2:] for face in faces), strict=True))
    return Rendering(color, _plane(alpha), *(_middle_sample(x, supersample) for x in surfaces))


def _visible(
    planes: Sequence[Any], fragments: Fragments, mesh: Mesh, pos_clip: Any, visibility: str | None
) -> Sequence[Any]:
    """The planes, given the gradient of moving silhouettes; colour and coverage together, in one go."""
    is_same_picture = visibility != "antialias"
    if visibility is None or (is_same_picture and not namespace(pos_clip).is_tracked(pos_clip)):
        return planes
    image = planes[0] if len(planes) == 1 else namespace(pos_clip).concat(planes, axis=-1)
    if visibility == "sweep":
        eps = 1e-4 if image.shape[-1] == 1 else 1e-3  # the original's, of silhouettes and of colours
        return [ops.sweep_gradient(image, fragments, pos_clip, mesh.triangles, eps=eps)]
    op = ops.antialias if visibility == "antialias" else ops.edge_gradient
    return [op(image, fragments, pos_clip, mesh.triangles, neighbours=mesh.neighbours)]


def _softly(
    surface: Surface, size: tuple[int, int], lights: Sequence[AnyLight], background: Any, texture_filter: str
) -> Sequence[Any]:
    """Colour and alpha of the blurred picture: the nearest layers are shaded side by side, as one wide image."""
    soft = ops.soft_rasterize(surface.pos_clip, surface.mesh.triangles, size)
    color = channels(shaded(Seen(surface, soft.as_fragments(), texture_filter), lights)[0], 0, 3)
    color = namespace(color).reshape(color, (*soft.triangle_id.shape, 3))
    color, alpha = ops.soft_blend(color, soft, background=(0, 0, 0) if background is None else background)
    return [color, alpha[..., None]]


def _layered(
    nearest: Seen,
    layers: int,
    lights: Sequence[AnyLight],
    background: Any,
    visibility: str | None,
    texture_filter: str,
) -> Any:
    """[B, H, W, 4]: colour and alpha of what is seen through one another."""
    surface = nearest.surface
    mesh, pos_clip = surface.mesh, surface.pos_clip
    peeled = [nearest]
    size = tuple(nearest.fragments.triangle_id.shape[1:])
    while len(peeled) < layers:
        fragments = ops.rasterize(pos_clip, mesh.triangles, size, behind=peeled[-1].fragments)
        peeled.append(Seen(surface, fragments, texture_filter))
    colors = [shaded_layer(seen, lights) for seen in peeled]
    if background is not None and background.ndim == 4:
        background = namespace(background).broadcast_to(background, (pos_clip.shape[0], *background.shape[1:]))
    image = ops.composite(colors, background=background)
    if visibility is None or not namespace(pos_clip).is_tracked(pos_clip):
        return image
    found, table = [seen.fragments for seen in peeled], mesh.neighbours
    geometry = (found, pos_clip, mesh.triangles)
    return ops.layered_edge_gradient(image, colors, *geometry, background=background, neighbours=table)


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


def _plane(image: Any) -> Any:
    """[B, H, W, 1] -> [B, H, W]; indexing is differentiated slowly in some frameworks."""
    return namespace(image).squeeze(image, axis=-1)


def _middle_sample(x: Any, supersample: int) -> Any:
    first = (supersample - 1) // 2
    return x if supersample == 1 else x[:, first::supersample, first::supersample]


def _sampled(size: tuple[int, int], supersample: int) -> tuple[int, int]:
    return (size[0] * supersample, size[1] * supersample)


def _clipped(
    mesh: Mesh, camera: Camera, size: tuple[int, int], lights: Sequence[AnyLight] = (), background: Any = 0.0
) -> tuple[Mesh, Any]:
    """The mesh in the framework of whatever is not NumPy's, and its clip positions [B, V, 4]."""
    pos_clip = camera.clip(mesh.vertices, size)
    mesh = _beside(mesh, pos_clip, lights, background)
    return mesh, pos_clip if namespace(pos_clip) is namespace(mesh.vertices) else like(pos_clip, mesh.vertices)


def _beside(mesh: Mesh, first: Any, lights: Sequence[AnyLight] = (), background: Any = 0.0) -> Mesh:
    """The mesh in the framework of whatever is not NumPy's: of `first`, if that is not."""
    of_lights = [getattr(light, field.name) for light in lights for field in fields(light)]
    of_material = [] if mesh.material is None else mesh.material.arrays().values()
    behind = background.image if isinstance(background, EnvironmentLight) else background
    lead = leader(first, behind, *of_lights, *of_material)
    if namespace(lead) is namespace(mesh.vertices):
        return mesh
    return mesh.to(namespace(lead).name, getattr(lead, "device", None))


def is_smooth_by(op: str, mesh: Mesh, shading: str | None) -> bool:
    """Whether normals are interpolated between vertices."""
    if shading is None:
        return mesh.normals is not None or isinstance(mesh.material, (Material, BlinnPhong))
    if shading not in SHADINGS:
        raise ValueError(f"{op}: shading must be one of {', '.join(map(repr, SHADINGS))} or None; got {shading!r}")
    return shading == "smooth"


def _background(background: Any, pos_clip: Any, camera: Camera, sampled: tuple[int, int], supersample: int) -> Any:
    """[3], [B, 3] or [B or 1, H, W, 3] of samples; None for black, which leaves a picture as it is."""
    if isinstance(background, tuple) and background == (0.0, 0.0, 0.0):
        return None
    if isinstance(background, EnvironmentLight):
        return background.radiance(like(camera.rays(sampled), pos_clip))
    background = as_float_array(background)
    batch, shape = pos_clip.shape[0], tuple(background.shape)
    height, width = (n // supersample for n in sampled)
    shapes = ((3,), (batch, 3), (height, width, 3), (batch, height, width, 3))
    if shape not in shapes:
        spelled = ", ".join(map(str, map(list, shapes)))
        raise ValueError(f"render: background must be one of {spelled}, or an EnvironmentLight; got {list(shape)}")
    background = like(background, pos_clip)
    if len(shape) < 3:
        return background
    xp = namespace(background)
    background = xp.reshape(background, (-1, height, 1, width, 1, 3))
    repeated = xp.broadcast_to(background, (background.shape[0], height, supersample, width, supersample, 3))
    return xp.reshape(repeated, (-1, *sampled, 3))


def _check(
    op: str, mesh: Mesh, camera: Camera, size: tuple[int, int], supersample: int, visibility: str | None
) -> None:
    for name, x, kind in (("mesh", mesh, Mesh), ("camera", camera, Camera)):
        if not isinstance(x, kind):
            remedy = f"see intaglio.{kind.__name__}"
            raise ValueError(f"{op}: {name} must be a {kind.__name__}; got {type(x).__name__} ({remedy})")
    if not isinstance(size, (tuple, list)) or len(size) != 2 or not all(_is_count(n) for n in size):
        raise ValueError(f"{op}: size must be (height, width) in whole pixels from 1 on; got {size!r}")
    if not _is_count(supersample):
        raise ValueError(f"{op}: supersample must be a whole number from 1 on; got {supersample!r}")
    if visibility not in VISIBILITIES:
        raise ValueError(f"{op}: visibility must be one of {', '.join(map(repr, VISIBILITIES))}; got {visibility!r}")


def _check_layers(layers: int, visibility: str | None) -> None:
    if not _is_count(layers) or layers > ops.MAX_LAYERS:
        raise ValueError(f"render: layers must be a whole number from 1 to {ops.MAX_LAYERS}; got {layers!r}")
    if layers > 1 and visibility not in ("edge", None):
        raise ValueError(f"render: visibility must be 'edge' or None with several layers; got {visibility!r}")


def _is_count(n: Any) -> bool:
    return isinstance(n, int) and n >= 1
