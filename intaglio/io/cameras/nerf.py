# SPDX-License-Identifier: MIT
"""transforms.json, as NeRF's synthetic scenes, instant-ngp and nerfstudio have it, becomes views and back.

`transform_matrix` is world_from_view, y up, z backward. Pixels have their upper left corner at (0, 0) and their centres
at half-integers, as in COLMAP, whence most of these files come. instant-ngp, docs/nerf_dataset_tips.md; nerfstudio,
Data conventions, https://docs.nerf.studio/quickstart/data_conventions.html.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from ...camera import Camera, Fisheye, Intrinsics, Panorama
from ..gltf.fields import Fields, parse_json
from ..limits import Limits, read_bytes
from .checks import Pictures, Place, Planes, checked_size, view_of_world_from_view
from .models import Lens, lens_of, projection_of
from .views import Views

__all__ = ["json_of_views", "read_transforms", "views_of_transforms"]

IS_WHOLE = "is it a whole transforms.json?"
CHANGES = ("axes: none, y is up and z backward", "pixels: centres at half-integers, now at integers")
ENDINGS = ("", ".png", ".jpg", ".jpeg", ".PNG", ".JPG")
# Which models are known, and what of `Lens` they say.
PINHOLES = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "PERSPECTIVE")
FISHEYES = ("OPENCV_FISHEYE",)
PANORAMAS = ("EQUIRECTANGULAR", "SPHERICAL")
COEFFICIENTS = ("k1", "k2", "k3", "k4", "p1", "p2")
SQUARE = (800, 800)  # of all pictures of NeRF's synthetic scenes, whose files say no size


def read_transforms(path: Path, limits: Limits) -> Fields:
    """The object that the file holds.

    Raises:
        InputError: the file is missing, damaged or too large.
    """
    return parse_json(path, read_bytes(path, limits), remedy=IS_WHOLE)


def views_of_transforms(root: Fields, folder: Path | None, planes: Planes, limits: Limits) -> Views:
    """The frames as views. folder: where the pictures are named from; the file's own by default.

    Raises:
        InputError: a field is missing or wrong, or a name leads out of the folder.
    """
    path = root.path
    pictures = Pictures(folder or path.parent, limits, [])
    frames = root.objects("frames")
    if not frames:
        root.fail("has no frames", remedy=IS_WHOLE)
    names = [frame.text("file_path") for frame in frames]
    images = [pictures.find(Place(path, at=frame.at), name, ENDINGS) for frame, name in zip(frames, names, strict=True)]
    masked = [frame.text("mask_path") for frame in frames]
    masks = [
        pictures.find(Place(path, at=frame.at), name) if name else None
        for frame, name in zip(frames, masked, strict=True)
    ]
    cameras, sizes = [], []
    shared: tuple[int, int] | None = None
    for frame, image in zip(frames, images, strict=True):
        place, both = Place(path, at=frame.at), Fields(path, frame.at, {**root.raw, **frame.raw})
        size = _declared_size(place, both)
        if size is None and shared is None:
            known = next((file for file in (image, *images) if file is not None), None)
            shared = pictures.size_of(known) if known else _square(both)
        size = size or shared or _square(both)
        cameras.append(Camera(_view(place, frame), _projection(place, both, size, planes)))
        sizes.append(size)
    return Views(
        tuple(cameras),
        tuple(sizes),
        tuple(names),
        tuple(images),
        tuple(masks) if any(masked) else (),
        tuple(pictures.missing),
        changes=CHANGES,
    )


def _declared_size(place: Place, fields: Fields) -> tuple[int, int] | None:
    if "w" not in fields.raw or "h" not in fields.raw:
        return None
    width, height = (fields.number(key) for key in ("w", "h"))  # some write 800.0
    if width != int(width) or height != int(height):
        place.fail(f"w and h must be whole numbers; got {width:g} and {height:g}")
    return checked_size(place, int(height), int(width))


def _square(fields: Fields) -> tuple[int, int]:
    if "fl_x" in fields.raw or "fl_y" in fields.raw:
        fields.fail("says no size, and no picture is there to be asked", remedy="add w and h")
    return SQUARE


def _view(place: Place, frame: Fields) -> np.ndarray:
    rows = frame.raw.get("transform_matrix")
    if not isinstance(rows, list) or len(rows) not in (3, 4):
        frame.fail("transform_matrix must be 4 rows of 4 numbers")
    matrix = np.eye(4)
    for k, row in enumerate(rows):
        matrix[k] = Fields(frame.path, frame.at, {"transform_matrix": row}).numbers("transform_matrix", 4)
    return view_of_world_from_view(place, matrix)


def _projection(place: Place, fields: Fields, size: tuple[int, int], planes: Planes) -> Any:
    model = fields.choice("camera_model", (*PINHOLES, *FISHEYES, *PANORAMAS), "OPENCV")
    if model in PANORAMAS:
        return Panorama(planes.near, planes.far)
    height, width = size
    given = [_focal(fields, "fl_x", "camera_angle_x", width), _focal(fields, "fl_y", "camera_angle_y", height)]
    known = [focal for focal in given if focal is not None]
    if not known:
        fields.fail("says no focal length", remedy="add fl_x or camera_angle_x")
    focal_x, focal_y = (known[0] if focal is None else focal for focal in given)
    numbers = {
        "fx": focal_x,
        "fy": focal_y,
        "cx": fields.number("cx", width / 2),
        "cy": fields.number("cy", height / 2),
        **{name: fields.number(name, 0.0) for name in COEFFICIENTS},
    }
    is_fisheye = model in FISHEYES or ("is_fisheye" in fields.raw and fields.flag("is_fisheye"))
    if is_fisheye:
        if any([numbers.pop("p1"), numbers.pop("p2")]):
            fields.fail("a fisheye must have no p1 and p2")
    elif numbers["k4"]:
        remedy = "OPENCV_FISHEYE has k1 to k4; nothing else here has a k4 that is not 0"
        fields.fail(f"k4 must be 0; got {numbers['k4']:g}", remedy=remedy)
    return projection_of(place, Lens(numbers, is_fisheye), size, planes)


def _focal(fields: Fields, key: str, angle: str, pixels: int) -> float | None:
    """In pixels, given so or by the full angle of view in radians; None where neither is given."""
    if key in fields.raw:
        return fields.number(key)
    if angle not in fields.raw:
        return None
    return pixels / 2 / math.tan(fields.number(angle, low=1e-6, high=math.pi - 1e-6) / 2)


def json_of_views(path: Path, views: Views) -> bytes:
    """What the file holds; numbers that all frames share stand before them.

    Raises:
        InputError: it has no place for a camera.
    """
    frames = []
    for k, camera in enumerate(views.cameras):
        place = Place(path, at=f"view {k}")
        frame: dict[str, Any] = {"file_path": views.names[k] if views.names else f"{k:06d}.png"}
        if views.masks and views.masks[k] is not None:
            frame["mask_path"] = _relative(path, views.masks[k])
        frame |= _lens(place, camera, views.sizes[k] if views.sizes else None)
        matrix = view_of_world_from_view(place, np.asarray(camera.view_from_world, np.float64))
        frame["transform_matrix"] = matrix.tolist()
        frames.append(frame)
    own = ("file_path", "mask_path", "transform_matrix")
    shared = {
        key: value
        for key, value in (frames[0].items() if frames else ())
        if key not in own and all(frame.get(key) == value for frame in frames)
    }
    rest = [{key: value for key, value in frame.items() if key not in shared} for frame in frames]
    return (json.dumps({**shared, "frames": rest}, indent=2) + "\n").encode()


def _lens(place: Place, camera: Camera, size: tuple[int, int] | None) -> dict[str, Any]:
    projection = camera.projection
    if isinstance(projection, Panorama):
        if size is None:
            place.fail("has no place for a panorama of no size")
        return {"camera_model": "EQUIRECTANGULAR", "w": size[1], "h": size[0]}
    if not isinstance(projection, (Intrinsics, Fisheye)):
        place.fail(f"has no place for a {type(projection).__name__}")
    lens = lens_of(place, projection)
    names = ("k1", "k2", "k3", "k4") if lens.fisheye else ("k1", "k2", "k3", "p1", "p2")
    if not lens.holds(names):
        place.fail("has no place for k4, k5 and k6 of OpenCV's lens", remedy="write a folder of COLMAP's")
    height, width = projection.image_size
    numbers = lens.numbers
    found: dict[str, Any] = {"camera_model": "OPENCV_FISHEYE" if lens.fisheye else "OPENCV", "w": width, "h": height}
    found |= {"fl_x": numbers["fx"], "fl_y": numbers["fy"], "cx": numbers["cx"], "cy": numbers["cy"]}
    return found | {name: numbers[name] for name in names if numbers.get(name)}


def _relative(path: Path, file: Path | None) -> str:
    """A path as the file at `path` names it: from its folder, where it lies in there."""
    assert file is not None
    try:
        return file.resolve().relative_to(path.parent.resolve()).as_posix()
    except ValueError:
        return file.as_posix()
