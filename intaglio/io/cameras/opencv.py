# SPDX-License-Identifier: MIT
"""OpenCV's K, R and t, as .npz or .json, become views and back. Pixels have integer centres.

Neither kind of file has names of its own in OpenCV; those of its calibration sample are written, and what people call
these arrays is read. JSON may hold lists, or the matrices of cv::FileStorage.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ...camera import Camera, Fisheye, Intrinsics
from ...camera.lens import COUNTS
from ..gltf.fields import Fields
from ..limits import Limits
from .arrays import npz_bytes, parse_npz
from .checks import Pictures, Place, Planes, check_invertible, checked_size, opencv_of_view, view_of_opencv
from .tables import NO_SIZE, PASS_SIZE
from .views import Views

__all__ = ["arrays_of_json", "arrays_of_npz", "arrays_of_views", "is_opencv", "json_of_arrays", "npz_of_arrays",
           "views_of_arrays"]  # fmt: skip

K_NAMES = ("camera_matrix", "K", "cameraMatrix", "mtx", "intrinsic_matrix")
LENS_NAMES = ("distortion_coefficients", "dist", "distCoeffs", "dist_coeffs", "distortion", "D")
R_NAMES, VECTOR_NAMES = ("R", "rotation"), ("rvec", "rvecs")
T_NAMES = ("t", "T", "tvec", "tvecs", "translation")
KNOWN = (
    *K_NAMES,
    *LENS_NAMES,
    *R_NAMES,
    *VECTOR_NAMES,
    *T_NAMES,
    "image_width",
    "image_height",
    "fisheye_model",
    "names",
)
CHANGES = ("axes: y down and z forward, now y up and z backward",)
Arrays = dict[str, np.ndarray]


def is_opencv(names: Any) -> bool:
    """Whether a file with arrays of these names is one of these."""
    return any(name in names for name in K_NAMES)


def arrays_of_npz(path: Path, data: bytes, limits: Limits) -> Arrays:
    """The arrays of a file by name."""
    return parse_npz(path, data, limits)


def arrays_of_json(root: Fields) -> Arrays:
    """Those of the fields that are known, by name.

    Raises:
        InputError: one is no matrix.
    """
    found: Arrays = {}
    for name in KNOWN:
        if name not in root.raw:
            continue
        value = root.raw[name]
        if name == "names":
            found[name] = np.array(root.texts(name))
            continue
        if isinstance(value, dict):
            matrix = root.object(name)
            assert matrix is not None
            if "data" not in matrix.raw:
                matrix.fail("a matrix must have data")
            rows, columns = (matrix.whole(key, below=1 << 20) for key in ("rows", "cols"))
            found[name] = np.array(matrix.numbers("data", rows * columns)).reshape(rows, columns)
        else:
            found[name] = _nested(root, name, value)
    return found


def views_of_arrays(
    path: Path, arrays: Arrays, size: tuple[int, int] | None, planes: Planes, pictures: Pictures
) -> Views:
    """As many views as the largest of the arrays has.

    Raises:
        InputError: one is missing, has another shape, or makes no camera.
    """
    place = Place(path)
    K = _numbers(place, arrays, K_NAMES, ((3, 3),))
    t = _numbers(place, arrays, T_NAMES, ((3,), (3, 1), (1, 3)))
    vector = _numbers(place, arrays, VECTOR_NAMES, ((3,), (3, 1), (1, 3)))
    R = _numbers(place, arrays, R_NAMES, ((3, 3),)) if vector is None else _turned(vector.reshape(-1, 3))
    lens = _numbers(place, arrays, LENS_NAMES, tuple(shape for n in COUNTS for shape in ((n,), (1, n), (n, 1))))
    if K is None:
        place.fail(f"has no K; one of {', '.join(K_NAMES)} is taken for it")
    R = np.eye(3)[None] if R is None else R
    t = np.zeros((1, 3)) if t is None else t.reshape(-1, 3)
    lens = None if lens is None else lens.reshape(len(lens), -1)
    parts = [x for x in (K, R, t, lens) if x is not None]
    count = max(len(x) for x in parts)
    if any(len(x) not in (1, count) for x in parts):
        place.fail(f"K, R, t and distortion must be 1 or as many each; got {', '.join(str(len(x)) for x in parts)}")
    names = _names(place, arrays, count)
    images = [pictures.find(place, name) for name in names]
    size = _size(place, arrays) or size or next((pictures.size_of(file) for file in images if file is not None), None)
    if size is None:
        place.fail(NO_SIZE, remedy=f"add image_width and image_height, or {PASS_SIZE}")
    is_fisheye = bool(arrays.get("fisheye_model", np.zeros(1)).any())
    if is_fisheye and lens is not None and lens.shape[1] != 4:
        place.fail(f"a fisheye must have 4 coefficients; got {lens.shape[1]}")
    cameras = []
    for k in range(count):
        here = Place(path, at=f"view {k}")
        of_view = K[k % len(K)]
        check_invertible(here, of_view, "K")
        bend = None if lens is None else lens[k % len(lens)]
        projection: Any = (
            Fisheye(of_view, size, bend, near=planes.near, far=planes.far)
            if is_fisheye
            else Intrinsics(of_view, size, bend, planes.near, planes.far)
        )
        cameras.append(Camera(view_of_opencv(here, R[k % len(R)], t[k % len(t)]), projection))
    return Views(tuple(cameras), (size,) * count, names, tuple(images), (), tuple(pictures.missing), changes=CHANGES)


def arrays_of_views(path: Path, views: Views) -> Arrays:
    """What a file of all views holds.

    Raises:
        InputError: a camera is none of OpenCV's, or sizes differ.
    """
    projections = [camera.projection for camera in views.cameras]
    kinds = {type(projection) for projection in projections}
    if len(kinds) != 1 or not kinds <= {Intrinsics, Fisheye}:
        spelled = ", ".join(sorted(kind.__name__ for kind in kinds))
        Place(path).fail(f"has a place for one of Intrinsics and Fisheye; got {spelled or 'no views'}")
    if len({tuple(projection.image_size) for projection in projections}) > 1:
        Place(path).fail("has a place for one size of pictures", remedy="Camera.stack makes them one")
    poses = [opencv_of_view(camera.view_from_world) for camera in views.cameras]
    height, width = projections[0].image_size
    arrays = {
        "camera_matrix": np.stack([np.asarray(projection.K, np.float64) for projection in projections]),
        "R": np.stack([R for R, _ in poses]),
        "t": np.stack([t for _, t in poses]),
        "image_width": np.array(width),
        "image_height": np.array(height),
    }
    bends = [projection.distortion for projection in projections]
    if any(bend is not None for bend in bends):
        most = max(len(bend) for bend in bends if bend is not None)
        rows = [np.zeros(most) if bend is None else np.asarray(bend, np.float64) for bend in bends]
        arrays["distortion_coefficients"] = np.stack([np.pad(row, (0, most - len(row))) for row in rows])
    if kinds == {Fisheye}:
        arrays["fisheye_model"] = np.array(1)
    if views.names:
        arrays["names"] = np.array(views.names)
    return arrays


def npz_of_arrays(arrays: Arrays) -> bytes:
    """The file."""
    return npz_bytes(arrays)


def json_of_arrays(arrays: Arrays) -> bytes:
    """The file, with lists."""
    return (json.dumps({name: array.tolist() for name, array in arrays.items()}, indent=2) + "\n").encode()


def _numbers(place: Place, arrays: Arrays, names: tuple[str, ...], shapes: tuple[tuple[int, ...], ...]) -> Any:
    """[N, ...] finite numbers by the first of these names that is there, each of one of these shapes; or None."""
    name = next((name for name in names if name in arrays), None)
    if name is None:
        return None
    array = arrays[name]
    if array.dtype.kind not in "fiub" or not np.isfinite(array).all():
        place.fail(f"{name} must hold finite numbers")
    array = array.astype(np.float64)
    for shape in shapes:
        if array.shape == shape:
            return array[None]
        if array.shape[1:] == shape and len(array):
            return array
    spelled = " or ".join(str(list(shape)) for shape in shapes[:2])
    return place.fail(f"{name} must be {spelled}, or a row of such; got {list(array.shape)}")


def _turned(vectors: np.ndarray) -> np.ndarray:
    """[N, 3] axes times angles in radians -> [N, 3, 3], by Rodrigues' formula."""
    with np.errstate(all="ignore"):
        angle = np.linalg.norm(vectors, axis=-1)[:, None, None]
        x, y, z = (vectors / np.where(angle[:, 0] > 0, angle[:, 0], 1)).T
    zero = np.zeros_like(x)
    across = np.stack([np.stack([zero, -z, y]), np.stack([z, zero, -x]), np.stack([-y, x, zero])]).transpose(2, 0, 1)
    with np.errstate(all="ignore"):
        return np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) * across @ across


def _names(place: Place, arrays: Arrays, count: int) -> tuple[str, ...]:
    names = arrays.get("names")
    if names is None:
        return ()
    if names.dtype.kind != "U" or names.shape != (count,):
        place.fail(f"names must be {count} texts")
    try:
        return tuple(str(name) for name in names)
    except (ValueError, UnicodeError):  # what is no character
        return place.fail("names must be texts")


def _size(place: Place, arrays: Arrays) -> tuple[int, int] | None:
    if "image_width" not in arrays or "image_height" not in arrays:
        return None
    numbers = [_numbers(place, arrays, (name,), ((), (1,))) for name in ("image_height", "image_width")]
    height, width = (float(np.ravel(x)[0]) for x in numbers)
    if height != int(height) or width != int(width):
        place.fail(f"image_width and image_height must be whole; got {width:g} and {height:g}")
    return checked_size(place, int(height), int(width))


def _nested(root: Fields, name: str, value: Any) -> np.ndarray:
    """Numbers in lists of lists."""
    if isinstance(value, bool):
        return np.array(float(value))
    if not isinstance(value, list):
        return np.array(root.number(name))
    rows = [_nested(Fields(root.path, root.at, {name: row}), name, row) for row in value]
    if len({row.shape for row in rows}) > 1:
        root.fail(f"{name} must have rows of one length")
    return np.stack(rows) if rows else np.zeros(0)
