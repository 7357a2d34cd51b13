# SPDX-License-Identifier: MIT
"""`load_cameras` and `save_cameras`: the reader and the writer by what a file or folder is called and holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...camera.checking import check_size
from ..atomic import write_atomically
from ..errors import InputError
from ..files import load_asset
from ..gltf.fields import parse_json
from ..limits import Limits, decoded_text, read_bytes
from .arrays import parse_npy
from .assets import views_of_asset
from .checks import Pictures, Place, Planes
from .colmap import colmap_of_views, views_of_colmap
from .colmap_binary import binary_of, read_binary
from .colmap_text import read_text, text_of
from .llff import npy_of_views, views_of_poses
from .nerf import json_of_views, views_of_transforms
from .opencv import (
    arrays_of_json,
    arrays_of_npz,
    arrays_of_views,
    is_opencv,
    json_of_arrays,
    npz_of_arrays,
    views_of_arrays,
)
from .tables import matrices_text, par_text, rows_of_matrices, views_of_matrices, views_of_par
from .views import Views

__all__ = ["load_cameras", "save_cameras"]

KINDS = ("transforms.json", "a folder of COLMAP's", "poses_bounds.npy", ".npz or .json of OpenCV's", "_par.txt",
         ".txt or .npy of matrices", ".gltf or .glb")  # fmt: skip
AS_JSON = "cv::FileStorage writes .json too, which is read"
KNOWN = f"{', '.join(KINDS)} are read"
# What a folder is asked for, in this order.
HELD = ("transforms.json", "transforms_train.json", "poses_bounds.npy", "cameras.bin", "cameras.txt",
        "sparse/0/cameras.bin", "sparse/0/cameras.txt", "sparse/cameras.bin", "sparse/cameras.txt")  # fmt: skip
COLMAPS = tuple(f"{name}.{ending}" for name in ("cameras", "images", "points3D") for ending in ("bin", "txt"))
PLANES = Planes(0.1, 100.0)
WRITTEN = {".json": "transforms", ".npy": "llff", ".npz": "opencv", ".txt": "matrices", "": "colmap"}
WRITERS = {"transforms": json_of_views, "llff": npy_of_views, "middlebury": par_text, "matrices": matrices_text}
ENDINGS = ".json, .npy, .npz, _par.txt, .txt or nothing"


def load_cameras(
    path: str | Path,
    *,
    images: str | Path | None = None,
    size: tuple[int, int] | None = None,
    near: float | None = None,
    far: float | None = None,
    limits: Limits | None = None,
) -> Views:
    """The cameras of a file or folder, each with its picture: NumPy, float64, in the file's own world.

    Read are NeRF's transforms.json, COLMAP's folders (text and binary), LLFF's poses_bounds.npy, OpenCV's K, R and t
    (.npz, .json), Middlebury's par files, 3 x 4 matrices from the world to pixels (.txt, .npy), and glTF's cameras.
    Axes and pixels become those of `Camera`, whatever a file's are; pictures that are not there are named in `missing`.

    Args:
        path: the file, or a folder that holds one.

    Other arguments:
        images: the folder of the pictures. By default that of the file; of COLMAP "images" beside it or up to two
            folders above, of LLFF "images" beside it.
        size: (height, width) of pictures of which neither the file nor a picture says it.
        near, far: planes of all cameras; 0.1 and 100 by default, of LLFF a little beyond its bounds.
        limits: how much a file may ask for.

    Raises:
        InputError: a file is missing, damaged, too large, of another kind, or says what no camera can be.
        ValueError: `near` and `far` are no planes.

    Example:
        >>> views = load_cameras("garden/sparse/0")
        >>> views.camera, views.sizes[0], views.missing
    """
    path, limits = _file(Path(path)), limits or Limits()
    planes = Planes(PLANES.near if near is None else near, PLANES.far if far is None else far)
    if not 0 < planes.near < planes.far < np.inf:
        raise ValueError(f"load_cameras: near and far must satisfy 0 < near < far; got {planes.near} and {planes.far}")
    size = None if size is None else check_size(size)
    folder = None if images is None else Path(images)
    pictures = Pictures(folder or path.parent, limits, [])
    ending = path.suffix.lower()
    if path.name in COLMAPS:
        read = read_binary if ending == ".bin" else read_text
        return views_of_colmap(*read(path.parent, limits), folder or _pictures_of(path.parent), planes, limits)
    if ending in (".gltf", ".glb"):
        return views_of_asset(load_asset(path, limits=limits), path, planes.far)
    data = read_bytes(path, limits, KNOWN)
    if ending == ".json":
        root = parse_json(path, data, remedy="is it a whole JSON file?")
        if is_opencv(root.raw) and "frames" not in root.raw:
            return views_of_arrays(path, arrays_of_json(root), size, planes, pictures)
        return views_of_transforms(root, folder, planes, limits)
    if ending == ".npz":
        return views_of_arrays(path, arrays_of_npz(path, data, limits), size, planes, pictures)
    if ending == ".npy":
        array = parse_npy(Place(path), data)
        if array.dtype.kind not in "fiu" or 0 in array.shape:
            raise InputError(path, "must hold numbers; got none")
        if array.ndim == 2 and array.shape[1] == 17:
            return views_of_poses(path, array, folder, planes if (near, far) != (None, None) else None, limits)
        if array.shape[-2:] == (3, 4) and array.ndim in (2, 3):
            return views_of_matrices(path, array.reshape(-1, 3, 4), size, planes)
        remedy = "LLFF's are [N, 17], matrices [N, 3, 4]"
        raise InputError(path, f"holds no cameras but {list(array.shape)}", remedy=remedy)
    if ending == ".txt":
        lines = decoded_text(path, data).split("\n")
        words = next((line.split() for line in lines if line.split() and not line.lstrip().startswith("#")), [])
        if len(words) == 1 and words != ["CONTOUR"]:
            return views_of_par(path, lines, size, planes, pictures)
        return views_of_matrices(path, rows_of_matrices(path, lines), size, planes)
    raise InputError(path, "is of no known kind", remedy=AS_JSON if ending in (".yml", ".yaml", ".xml") else KNOWN)


def save_cameras(path: str | Path, views: Views, *, kind: str | None = None) -> None:
    """Write cameras; each file is written whole or not at all.

    Args:
        path: the file, or of COLMAP the folder.

    Other arguments:
        kind: "transforms" (.json), "llff" (.npy), "opencv" (.npz, .json), "middlebury" (_par.txt), "matrices" (.txt),
            "colmap" or "colmap text" (a folder). By default what stands behind the ending of `path`, the first of
            these; a folder where it has none.

    Raises:
        InputError: the kind has no place for a camera, or `path` cannot be written to.
        ValueError: there is no such kind.

    Example:
        >>> save_cameras("scene/transforms.json", load_cameras("scene/sparse/0"))
    """
    path = Path(path)
    ending = path.suffix.lower()
    if kind is None:
        kind = "middlebury" if path.name.endswith("_par.txt") else WRITTEN.get(ending)
        if kind is None:
            raise InputError(path, "cameras are not written as this kind of file", remedy=f"end it in {ENDINGS}")
    if kind in ("colmap", "colmap text"):
        colmap = colmap_of_views(path, views)
        files = binary_of(*colmap) if kind == "colmap" else text_of(*colmap)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(path, f"cannot be written: {error.strerror}") from error
        for name, data in files.items():
            _write(path / name, data)
    elif kind == "opencv":
        arrays = arrays_of_views(path, views)
        _write(path, npz_of_arrays(arrays) if ending == ".npz" else json_of_arrays(arrays))
    elif kind in WRITERS:
        _write(path, WRITERS[kind](path, views))
    else:
        kinds = ", ".join(map(repr, (*WRITERS, "opencv", "colmap", "colmap text")))
        raise ValueError(f"save_cameras: kind must be one of {kinds}; got {kind!r}")


def _write(path: Path, data: bytes) -> None:
    write_atomically(path, lambda aside: aside.write_bytes(data))


def _file(path: Path) -> Path:
    """The file that a folder holds; any other path as it is."""
    try:
        if not path.is_dir():
            return path
        held = [path / name for name in HELD] + sorted(path.glob("*_par.txt"))
        found = next((file for file in held if file.is_file()), None)
    except (OSError, ValueError) as error:
        raise InputError(repr(str(path)), "is no name of a file") from error
    if found is None:
        raise InputError(path, "holds no cameras", remedy=KNOWN)
    return found


def _pictures_of(folder: Path) -> Path | None:
    """Where the pictures of a folder of COLMAP's lie."""
    places = [folder / "images", folder.parent / "images", folder.parent.parent / "images"]
    return next((place for place in places if place.is_dir()), None)
