# SPDX-License-Identifier: MIT
"""What is to be seen, by whom, and in how many images: one mesh, or each of a pack's by its own camera or by all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, NamedTuple

import numpy as np

from .array import as_float_array, from_numpy, is_known, leader, like, namespace, taken, to_numpy
from .camera import Camera
from .camera.batches import chosen, separated
from .environment import EnvironmentLight
from .light import NUM_AXES
from .material import AnyMaterial, BlinnPhong, Material
from .mesh import Mesh
from .packing import Look, Pack
from .parts import Parts
from .shading import AnyLight

__all__ = ["VISIBILITIES", "Shot", "Stage", "as_seen", "check", "is_count", "is_smooth_by", "sampled", "staged"]

SHADINGS = ("flat", "smooth")
VISIBILITIES = ("edge", "antialias", "sweep", "soft", None)


class Shot(NamedTuple):
    """What one call of each op draws.

    mesh: one, a batch of one topology, or several in one.
    camera: one, or a batch.
    parts: where in the mesh several are; None where it is one.
    is_each: whether every one of them has a camera of its own; else every camera sees all.
    images: [B] the places of its images among all; None where they are all.
    """

    mesh: Mesh
    camera: Camera
    parts: Parts | None = None
    is_each: bool = False
    images: Sequence[int] | None = None

    @property
    def ranges(self) -> np.ndarray | None:
        return None if self.parts is None else self.parts.ranges

    def clip(self, size: tuple[int, int]) -> Any:
        """[P, V, 4] clip positions of P cameras; [1, V, 4] where every mesh has its own."""
        if self.parts is None or not self.is_each:
            return self.camera.clip(self.mesh.vertices, size)
        positions = self.parts.separated("vertices", self.mesh.vertices)
        cameras = separated(self.camera, len(positions))
        clipped = [camera.clip(x, size) for camera, x in zip(cameras, positions, strict=True)]
        return namespace(clipped[0]).concat(clipped, axis=1)

    def handedness(self, size: tuple[int, int]) -> Any:
        """That of the cameras, for each face: [P or 1, F or 1, 1], or a number."""
        found = self.camera.handedness(size)
        if isinstance(found, int):
            return found
        if self.parts is not None and self.is_each:
            counts = self.parts.counts("triangles")
            return taken(found, np.repeat(np.arange(len(counts)), counts).tolist())[None, :, None]
        return found[:, None, None]

    def posed(self, size: tuple[int, int], lights: Sequence[AnyLight] = (), background: Any = None) -> tuple[Shot, Any]:
        """In the framework of whatever is not NumPy's, and the clip positions."""
        pos_clip = self.clip(size)
        shot = self.beside(pos_clip, lights, background)
        shot = shot._replace(mesh=as_seen(shot.mesh, shot.camera, size))
        vertices = shot.mesh.vertices
        return shot, pos_clip if namespace(pos_clip) is namespace(vertices) else like(pos_clip, vertices)

    def beside(self, first: Any, lights: Sequence[AnyLight] = (), background: Any = None) -> Shot:
        """In the framework of whatever is not NumPy's: of `first`, if that is not."""
        mesh = self.mesh
        of_lights = [getattr(light, field.name) for light in lights for field in fields(light)]
        of_material = [] if mesh.material is None else mesh.material.arrays().values()
        behind = background.image if isinstance(background, EnvironmentLight) else background
        lead = leader(first, behind, *of_lights, *of_material)
        if namespace(lead) is namespace(mesh.vertices):
            return self
        return self._replace(mesh=mesh.to(namespace(lead).name, getattr(lead, "device", None)))

    def own_numbers(self, triangle_id: Any) -> Any:
        """Triangles [B, H, W] of the list, by the numbers that they have in their meshes."""
        if self.parts is None:
            return triangle_id
        xp = namespace(triangle_id)
        starts = self.parts.starts("triangles")
        firsts = from_numpy(np.array(starts, np.int32)[:, None, None], like=triangle_id)
        by_camera = xp.reshape(triangle_id, (-1, len(starts), *triangle_id.shape[1:]))
        return xp.reshape(xp.where(by_camera >= 0, by_camera - firsts, by_camera), tuple(triangle_id.shape))

    def lights(self, lights: Sequence[AnyLight]) -> Sequence[AnyLight]:
        """Those of its images, of lights that differ between images."""
        return lights if self.images is None else [_of_images(light, self.images) for light in lights]

    def background(self, background: Any) -> Any:
        if isinstance(background, EnvironmentLight):
            return self.lights([background])[0]
        if background is None or self.images is None or background.ndim in (1, 3):
            return background
        return taken(background, self.images)


class Stage(NamedTuple):
    """shots: of all that is seen. order: of the meshes of a pack that is drawn in several, where they are in them one
    after the other. num_meshes: of a pack, else None. num_cameras: where every camera sees every mesh of a pack, else
    None.
    """

    shots: Sequence[Shot]
    order: Sequence[int]
    num_meshes: int | None
    num_cameras: int | None
    num_images: int

    def together(self, arrays: Sequence[Any]) -> Any:
        """[B, ...] of each shot -> [B, ...] of all; [P, R, ...] of P cameras that see all R meshes."""
        if self.num_meshes is None:
            return arrays[0]
        x = arrays[0]
        xp, rows = namespace(x), self.num_cameras or 1
        if len(arrays) > 1:
            x = xp.concat([xp.reshape(y, (rows, y.shape[0] // rows, *y.shape[1:])) for y in arrays], axis=1)
            x = taken(x, self.order, axis=1)
        shape = (self.num_meshes,) if self.num_cameras is None else (rows, self.num_meshes)
        return xp.reshape(x, (*shape, *arrays[0].shape[1:]))


def as_seen(mesh: Mesh, camera: Camera, size: tuple[int, int]) -> Mesh:
    """The mesh; double-sided under cameras whose pictures are mirror images, in which fronts look like backs."""
    if mesh.double_sided:
        return mesh
    handedness = camera.handedness(size)
    is_mirrored = not isinstance(handedness, int) and is_known(handedness) and (to_numpy(handedness) < 0).any()
    return mesh.replace(double_sided=True) if is_mirrored else mesh


def staged(op: str, mesh: Mesh | Pack, camera: Camera, product: bool, *, is_shape: bool = False) -> Stage:
    """is_shape: whether only vertices and triangles are needed; then there is one shot, where all have as many sides.

    Raises:
        ValueError: there are neither as many cameras as meshes, nor one, nor every one is to see all.
    """
    if isinstance(mesh, Mesh):
        if product:
            remedy = "a batch of cameras sees one mesh as it is"
            raise ValueError(f"{op}: product must be of the meshes of a Pack; got a Mesh ({remedy})")
        batch = mesh.vertices.shape[0] if mesh.vertices.ndim == 3 else 1
        return Stage([Shot(mesh, camera)], (), None, None, max(batch, len(camera)))
    num_meshes, num_cameras = len(mesh), len(camera)
    if not product and num_cameras not in (1, num_meshes):
        remedy = "product=True shows every mesh by every camera"
        got = f"{num_cameras} for {num_meshes} meshes"
        raise ValueError(f"{op}: camera must be one, or a batch of as many as meshes; got {got} ({remedy})")
    looks: Sequence[Look] = mesh.looks
    if is_shape and len({look.mesh.double_sided for look in looks}) == 1:
        looks = [Look(mesh.geometry, mesh.parts, tuple(range(num_meshes)))]
    is_each = not product and num_cameras > 1
    rows = 1 if is_each else num_cameras
    shots = [_shot(look, camera, is_each, rows, num_meshes) for look in looks]
    members = [k for look in looks for k in look.members]
    order = sorted(range(num_meshes), key=members.__getitem__)
    return Stage(shots, order, num_meshes, num_cameras if product else None, rows * num_meshes)


def _shot(look: Look, camera: Camera, is_each: bool, rows: int, num_meshes: int) -> Shot:
    mesh, members = look.mesh, look.members
    is_part = len(members) < num_meshes
    if is_each and is_part:
        camera = chosen(camera, members) if len(members) > 1 else separated(camera, num_meshes)[members[0]]
    images = [row * num_meshes + k for row in range(rows) for k in members] if is_part else None
    if len(members) == 1:
        return Shot(mesh, camera, images=images)
    if rows > 1:
        mesh = mesh.replace(material=_for_cameras(mesh.material, rows))
    return Shot(mesh, camera, look.parts, is_each, images)


def _of_images(light: AnyLight, images: Sequence[int]) -> AnyLight:
    arrays = {field.name: as_float_array(getattr(light, field.name), np.float64) for field in fields(light)}
    batches = {name: taken(x, images) for name, x in arrays.items() if x.ndim > NUM_AXES[name]}
    return replace(light, **batches) if batches else light


def _for_cameras(material: AnyMaterial | None, count: int) -> AnyMaterial | None:
    """Numbers that differ between meshes, over again for each camera; maps are sampled as they are."""
    if material is None:
        return None
    rows = {name: x for name, x in material.batches().items() if name not in material.MAPS}
    return replace(material, **{name: namespace(x).concat([x] * count, axis=0) for name, x in rows.items()})


def check(
    op: str, mesh: Mesh | Pack, camera: Camera, size: tuple[int, int], supersample: int, visibility: str | None
) -> None:
    if not isinstance(mesh, (Mesh, Pack)):
        remedy = "intaglio.pack makes one of several" if isinstance(mesh, (list, tuple)) else "see intaglio.Mesh"
        raise ValueError(f"{op}: mesh must be a Mesh or a Pack; got {type(mesh).__name__} ({remedy})")
    if not isinstance(camera, Camera):
        raise ValueError(f"{op}: camera must be a Camera; got {type(camera).__name__} (see intaglio.Camera)")
    if not isinstance(size, (tuple, list)) or len(size) != 2 or not all(is_count(n) for n in size):
        raise ValueError(f"{op}: size must be (height, width) in whole pixels from 1 on; got {size!r}")
    if not is_count(supersample):
        raise ValueError(f"{op}: supersample must be a whole number from 1 on; got {supersample!r}")
    if visibility not in VISIBILITIES:
        raise ValueError(f"{op}: visibility must be one of {', '.join(map(repr, VISIBILITIES))}; got {visibility!r}")


def is_count(n: Any) -> bool:
    return isinstance(n, int) and n >= 1


def is_smooth_by(op: str, mesh: Mesh, shading: str | None) -> bool:
    """Whether normals are interpolated between vertices."""
    if shading is None:
        return mesh.normals is not None or isinstance(mesh.material, (Material, BlinnPhong))
    if shading not in SHADINGS:
        raise ValueError(f"{op}: shading must be one of {', '.join(map(repr, SHADINGS))} or None; got {shading!r}")
    return shading == "smooth"


def sampled(size: tuple[int, int], supersample: int) -> tuple[int, int]:
    return (size[0] * supersample, size[1] * supersample)
