# SPDX-License-Identifier: MIT
"""COLMAP's reconstructions, text and binary, become views and back.

COLMAP, Output Format, https://colmap.github.io/format.html: x_camera = R(q) x_world + t, x right, y down, z forward.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...camera import Camera, Fisheye, Intrinsics
from ...picture import linear_from_srgb, srgb_bytes
from ..limits import Limits
from .checks import Pictures, Place, Planes, checked_size, opencv_of_view, view_of_opencv
from .models import MODELS, Lens, lens_of, projection_of
from .views import Views

__all__ = ["NO_POINT", "ColmapCamera", "ColmapImage", "ColmapPoints", "colmap_of_views", "lens_numbers", "tracks",
           "views_of_colmap"]  # fmt: skip

CHANGES = (
    "axes: y down and z forward, now y up and z backward",
    "pixels: centres at half-integers, now at integers",
)


NO_POINT = (1 << 64) - 1


class ColmapCamera(NamedTuple):
    """A model's name, (height, width), and its parameters."""

    model: str
    size: tuple[int, int]
    parameters: Sequence[float]


class ColmapImage(NamedTuple):
    """w, x, y, z of the rotation, the translation, the number of its camera, its name, where that stands; and what is
    seen: [K, 2] places, and [K] uint64 numbers of their points, `NO_POINT` for none.
    """

    quaternion: Sequence[float]
    translation: Sequence[float]
    camera: int
    name: str
    place: Place
    seen: np.ndarray
    points: np.ndarray


class ColmapPoints(NamedTuple):
    """[P] uint64, [P, 3] float64, [P, 3] uint8 sRGB, [P] float64."""

    numbers: np.ndarray
    positions: np.ndarray
    colors: np.ndarray
    errors: np.ndarray


def lens_numbers(model: str, parameters: Sequence[float]) -> Lens:
    """A lens by the parameters of a COLMAP camera."""
    numbers = dict(zip(MODELS[model].names, map(float, parameters), strict=True))
    if "f" in numbers:
        numbers["fx"] = numbers["fy"] = numbers.pop("f")
    return Lens(numbers, MODELS[model].fisheye)


def views_of_colmap(
    cameras: dict[int, ColmapCamera],
    images: Sequence[ColmapImage],
    points: ColmapPoints | None,
    folder: Path | None,
    planes: Planes,
    limits: Limits,
) -> Views:
    """What a reconstruction shows. folder: that of its pictures.

    Raises:
        InputError: an image names no camera, or numbers make no lens or pose.
    """
    pictures = Pictures(folder, limits, [])
    found, sizes, paths = [], [], []
    for image in images:
        if image.camera not in cameras:
            image.place.fail(f"names camera {image.camera}, which is not there")
        camera = cameras[image.camera]
        size = checked_size(image.place, *camera.size)
        projection = projection_of(image.place, lens_numbers(camera.model, camera.parameters), size, planes)
        R = _rotation(image.place, np.array(image.quaternion))
        found.append(Camera(view_of_opencv(image.place, R, np.array(image.translation)), projection))
        sizes.append(size)
        paths.append(pictures.find(image.place, image.name))
    return Views(
        tuple(found),
        tuple(sizes),
        tuple(image.name for image in images),
        tuple(paths),
        missing=tuple(pictures.missing),
        points=None if points is None else points.positions,
        point_colors=None if points is None else linear_from_srgb(points.colors / 255).astype(np.float32),
        point_errors=None if points is None else points.errors,
        observations=_observations(images, points) if any(len(image.seen) for image in images) else (),
        changes=CHANGES,
    )


def colmap_of_views(path: Path, views: Views) -> tuple[list[ColmapCamera], list[ColmapImage], ColmapPoints | None]:
    """Cameras (each once), images, and points.

    Raises:
        InputError: COLMAP has no place for a camera.
    """
    cameras: list[ColmapCamera] = []
    images = []
    for k, camera in enumerate(views.cameras):
        place = Place(path, at=f"view {k}")
        of_image = colmap_camera(place, camera)
        if of_image not in cameras:
            cameras.append(of_image)
        R, t = opencv_of_view(camera.view_from_world)
        name = views.names[k] if views.names else f"{k:06d}.png"
        if "\n" in name or "\r" in name or "\0" in name or name != name.strip() or not name:
            place.fail(f"has no place for a picture called {name[:80]!r}")
        quaternion = _quaternion(place, R)
        seen = np.asarray(views.observations[k] if views.observations else np.zeros((0, 3)), np.float64)
        known = seen[:, 2] >= 0
        points = np.where(known, seen[:, 2], 0).astype(np.uint64) + np.uint64(1)
        points[~known] = NO_POINT
        images.append(
            ColmapImage(quaternion.tolist(), t.tolist(), cameras.index(of_image) + 1, name, place, seen[:, :2], points)
        )
    if views.points is None:
        return cameras, images, None
    count = len(views.points)
    colors = np.full((count, 3), 255, np.uint8)
    if views.point_colors is not None and count:
        colors = srgb_bytes(views.point_colors[None], "save_cameras")[0]
    errors = np.zeros(count) if views.point_errors is None else np.asarray(views.point_errors, np.float64)
    numbers = np.arange(1, count + 1, dtype=np.uint64)
    return cameras, images, ColmapPoints(numbers, np.asarray(views.points, np.float64), colors, errors)


def tracks(images: Sequence[ColmapImage], count: int) -> list[list[int]]:
    """Of each point: the number of an image that sees it and the place in its list, by turns."""
    found: list[list[int]] = [[] for _ in range(count)]
    for number, image in enumerate(images, start=1):
        for place, point in enumerate(image.points.tolist()):
            if point <= count:
                found[point - 1] += [number, place]
    return found


def _observations(images: Sequence[ColmapImage], points: ColmapPoints | None) -> tuple[np.ndarray, ...]:
    numbers = np.zeros(0, np.uint64) if points is None else points.numbers
    order = np.argsort(numbers, kind="stable")
    found = []
    for image in images:
        index = np.full(len(image.points), -1.0)
        if points is not None:
            is_point = image.points != NO_POINT
            at = np.searchsorted(numbers, image.points, sorter=order)
            is_known = at < len(numbers)
            is_known[is_known] = numbers[order[at[is_known]]] == image.points[is_known]
            if (is_point & ~is_known).any():
                image.place.fail(f"sees point {image.points[is_point & ~is_known][0]}, which is not there")
            index[is_point] = order[at[is_point]]
        found.append(np.concatenate([image.seen, index[:, None]], axis=-1))
    return tuple(found)


def colmap_camera(place: Place, camera: Camera) -> ColmapCamera:
    """By the shortest of the models that say it.

    Raises:
        InputError: none does.
    """
    projection = camera.projection
    if not isinstance(projection, (Intrinsics, Fisheye)):
        place.fail(f"has no place for a {type(projection).__name__}")
    lens = lens_of(place, projection)
    fitting = [name for name, model in MODELS.items() if model.fisheye == lens.fisheye and lens.holds(model.names)]
    model = min(fitting, key=lambda name: len(MODELS[name].names))
    height, width = projection.image_size
    return ColmapCamera(model, (height, width), tuple(lens.values(MODELS[model].names)))


def _rotation(place: Place, quaternion: np.ndarray) -> np.ndarray:
    """[3, 3] of (w, x, y, z), of any length."""
    largest = np.abs(quaternion).max()
    if not (np.isfinite(largest) and largest > 0):
        place.fail("its quaternion must be finite and not 0")
    quaternion = quaternion / largest
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array([[1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                     [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                     [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]])  # fmt: skip


def _quaternion(place: Place, R: np.ndarray) -> np.ndarray:
    """(w, x, y, z) of a rotation, w not negative: the eigenvector of Bar-Itzhack's matrix to its largest eigenvalue.

    Bar-Itzhack, New Method for Extracting the Quaternion from a Rotation Matrix, 2000.
    """
    if np.abs(R @ R.T - np.eye(3)).max() > 1e-4 or np.linalg.det(R) < 0:
        place.fail("has no place for a pose that is more than a rotation and a translation")
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = R
    K = np.array([[xx + yy + zz, zy - yz, xz - zx, yx - xy],
                  [zy - yz, xx - yy - zz, xy + yx, xz + zx],
                  [xz - zx, xy + yx, yy - xx - zz, yz + zy],
                  [yx - xy, xz + zx, yz + zy, zz - xx - yy]]) / 3  # fmt: skip
    quaternion = np.linalg.eigh(K)[1][:, -1]
    return quaternion if quaternion[0] >= 0 else -quaternion
