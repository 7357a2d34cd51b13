# SPDX-License-Identifier: MIT
"""LLFF's poses_bounds.npy becomes views and back.

Mildenhall et al., Local Light Field Fusion, 2019, https://github.com/Fyusion/LLFF: each row is a 3 x 5 matrix, whose
columns are the camera's down, right and backward axes, its place, and (height, width, focal length), followed by the
nearest and farthest depth. The principal point is the middle of the picture.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from ...camera import Camera, Intrinsics
from ..limits import Limits
from .checks import Place, Planes, checked_size, view_of_world_from_view
from .models import Lens, lens_of, projection_of
from .views import Views

__all__ = ["npy_of_views", "views_of_poses"]

CHANGES = ("axes: down, right and backward, now right, up and backward",)
PICTURES = (".png", ".jpg", ".jpeg")


def views_of_poses(path: Path, rows: np.ndarray, folder: Path | None, planes: Planes | None, limits: Limits) -> Views:
    """[N, 17] numbers as views. planes: of all cameras; a little beyond the bounds of all, where None.

    The file names no pictures: they are those of `folder`, by default "images" beside it, in the order of their
    names, where there are as many.

    Raises:
        InputError: the numbers make no camera.
    """
    rows = rows.astype(np.float64)
    if not np.isfinite(rows).all():
        Place(path).fail("must hold finite numbers")
    bounds = rows[:, 15:]
    if not ((bounds[:, 0] > 0) & (bounds[:, 0] < bounds[:, 1])).all():
        Place(path).fail("bounds must satisfy 0 < near < far")
    planes = planes or Planes(0.9 * float(bounds[:, 0].min()), 1.1 * float(bounds[:, 1].max()))
    cameras, sizes = [], []
    for k, row in enumerate(rows):
        place, matrix = Place(path, at=f"row {k}"), row[:15].reshape(3, 5)
        (height, width), focal = matrix[:2, 4], matrix[2, 4]
        if height != int(height) or width != int(width):
            place.fail(f"height and width must be whole numbers; got {height:g} and {width:g}")
        size = checked_size(place, int(height), int(width))
        lens = Lens({"fx": focal, "fy": focal, "cx": width / 2, "cy": height / 2})
        world_from_view = np.eye(4)
        world_from_view[:3] = np.stack([matrix[:, 1], -matrix[:, 0], matrix[:, 2], matrix[:, 3]], axis=-1)
        projection = projection_of(place, lens, size, planes)
        cameras.append(Camera(view_of_world_from_view(place, world_from_view), projection))
        sizes.append(size)
    images = _listed(folder or path.parent / "images")
    images = images if len(images) == len(rows) else []
    return Views(
        tuple(cameras), tuple(sizes), tuple(file.name for file in images), tuple(images), bounds=bounds, changes=CHANGES
    )


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES)
    except (OSError, ValueError):
        return []


def npy_of_views(path: Path, views: Views) -> bytes:
    """The file.

    Raises:
        InputError: it has no place for a camera.
    """
    rows = np.zeros((len(views), 17))
    for k, camera in enumerate(views.cameras):
        place, projection = Place(path, at=f"view {k}"), camera.projection
        if not isinstance(projection, Intrinsics):
            place.fail(f"has no place for a {type(projection).__name__}")
        lens, (height, width) = lens_of(place, projection), projection.image_size
        numbers = lens.numbers
        middle = np.abs(np.array([numbers["cx"], numbers["cy"]]) - (width / 2, height / 2)).max()
        if not lens.holds(("f",)) or middle > 1e-6 * max(width, height):
            place.fail("has no place for a lens, two focal lengths, or a principal point beside the middle")
        pose = view_of_world_from_view(place, np.asarray(camera.view_from_world, np.float64))
        columns = [-pose[:3, 1], pose[:3, 0], pose[:3, 2], pose[:3, 3], np.array([height, width, numbers["fx"]])]
        bounds = (projection.near, projection.far) if views.bounds is None else views.bounds[k]
        rows[k] = [*np.stack(columns, axis=-1).ravel(), *bounds]
    file = io.BytesIO()
    np.lib.format.write_array(file, rows, version=(1, 0), allow_pickle=False)
    return file.getvalue()
