# SPDX-License-Identifier: MIT
"""Text of numbers: Middlebury's par files, and matrices from the world to pixels. Pixels have integer centres in both.

Seitz et al., A Comparison and Evaluation of Multi-View Stereo Reconstruction Algorithms, 2006,
https://vision.middlebury.edu/mview/data: after their number, a line for each picture: its name, K, R and t.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...camera import Camera, Intrinsics, RawMatrix
from ...camera.pixels import ndc_from_pixels
from .checks import Pictures, Place, Planes, check_invertible, opencv_of_view, view_of_opencv
from .views import Views

__all__ = ["matrices_text", "par_text", "rows_of_matrices", "views_of_matrices", "views_of_par"]

Size = tuple[int, int]
NO_SIZE = "says no size of its pictures, and none is there to be asked"
PASS_SIZE = "pass size=(height, width)"


def views_of_par(path: Path, lines: list[str], size: Size | None, planes: Planes, pictures: Pictures) -> Views:
    """The views of a par file.

    Raises:
        InputError: it is damaged, or says no size of its pictures and none is there.
    """
    rows = list(_words(path, lines))
    if not rows or len(rows[0][1]) != 1:
        Place(path).fail("must begin with the number of its pictures", remedy="is it a par file of Middlebury's?")
    count = rows[0][0].whole(rows[0][1][0], "the number of pictures")
    if count != len(rows) - 1 or not count:
        rows[0][0].fail(f"declares {count} pictures; got {len(rows) - 1}")
    names, images, numbers = [], [], []
    for place, words in rows[1:]:
        if len(words) < 22:
            place.fail(f"a picture must have a name and 21 numbers; got {len(words)} words")
        names.append(" ".join(words[:-21]))
        numbers.append(place.numbers(words[-21:], "K, R and t"))
        images.append(pictures.find(place, names[-1]))
    known = [None if image is None else pictures.size_of(image) for image in images]
    first = size or next((found for found in known if found is not None), None)
    cameras, sizes = [], []
    for (place, _), row, own in zip(rows[1:], numbers, known, strict=True):
        found = size or own or first
        if found is None:
            place.fail(NO_SIZE, remedy=PASS_SIZE)
        K, R, t = row[:9].reshape(3, 3), row[9:18].reshape(3, 3), row[18:]
        check_invertible(place, K, "K")
        cameras.append(Camera(view_of_opencv(place, R, t), Intrinsics(K, found, None, planes.near, planes.far)))
        sizes.append(found)
    return Views(tuple(cameras), tuple(sizes), tuple(names), tuple(images), (), tuple(pictures.missing))


def par_text(path: Path, views: Views) -> bytes:
    """The par file.

    Raises:
        InputError: it has no place for a camera.
    """
    lines = [str(len(views))]
    for k, camera in enumerate(views.cameras):
        place, projection = Place(path, at=f"view {k}"), camera.projection
        if not isinstance(projection, Intrinsics):
            place.fail(f"has no place for a {type(projection).__name__}")
        if projection.distortion is not None and np.any(projection.distortion):
            place.fail("has no place for a lens' distortion", remedy="write a transforms.json")
        name = views.names[k] if views.names else f"{k:06d}.png"
        if not name.isprintable() or name != " ".join(name.split()):
            place.fail(f"has no place for a picture called {name[:80]!r}")
        R, t = opencv_of_view(camera.view_from_world)
        lines.append(f"{name} {_spelled(projection.K)} {_spelled(R)} {_spelled(t)}")
    return ("\n".join(lines) + "\n").encode()


def rows_of_matrices(path: Path, lines: list[str]) -> np.ndarray:
    """[N, 3, 4] of text: twelve numbers for each, in a line or in three; "CONTOUR" lines of PMVS are passed over.

    Raises:
        InputError: it holds something else.
    """
    found: list[float] = []
    for place, words in _words(path, lines):
        if words == ["CONTOUR"]:
            continue
        if len(words) not in (4, 12):
            place.fail(f"a line must have 4 or 12 numbers; got {len(words)} words")
        found += place.numbers(words, "a matrix").tolist()
    if not found or len(found) % 12:
        Place(path).fail(f"must hold 12 numbers for each matrix; got {len(found)}")
    return np.array(found).reshape(-1, 3, 4)


def views_of_matrices(path: Path, P: np.ndarray, size: Size | None, planes: Planes) -> Views:
    """[N, 3, 4] as views, each by its `Camera.from_projection`.

    Raises:
        InputError: no size is given, or a matrix flattens space.
    """
    if size is None:
        Place(path).fail("says no size of its pictures", remedy=PASS_SIZE)
    cameras = []
    for k, matrix in enumerate(P.astype(np.float64)):
        place = Place(path, at=f"matrix {k}")
        largest = np.abs(matrix).max()
        if not (np.isfinite(matrix).all() and largest > 0) or np.linalg.matrix_rank(matrix / largest) < 3:
            place.fail("must be 3 x 4 finite numbers that do not flatten space")
        cameras.append(Camera.from_projection(matrix / largest, size, near=planes.near, far=planes.far))
    return Views(tuple(cameras), (size,) * len(cameras))


def matrices_text(path: Path, views: Views) -> bytes:
    """Three lines of four numbers for each view.

    Raises:
        InputError: a camera is none of a matrix, or its size is not known.
    """
    parts = []
    for k, camera in enumerate(views.cameras):
        place, projection = Place(path, at=f"view {k}"), camera.projection
        size = views.sizes[k] if views.sizes else getattr(projection, "image_size", None)
        if size is None:
            place.fail("has no place for a picture of no size")
        if not isinstance(projection, (Intrinsics, RawMatrix)) or np.any(getattr(projection, "distortion", None) or 0):
            place.fail(f"has no place for a {type(projection).__name__} or a lens' distortion")
        clip = projection.clip_from_view(size) @ np.asarray(camera.view_from_world, np.float64)
        P = np.linalg.inv(ndc_from_pixels(size)) @ clip[[0, 1, 3]]
        parts.append("\n".join(_spelled(row) for row in P))
    return ("\n\n".join(parts) + "\n").encode()


def _words(path: Path, lines: list[str]) -> Iterator[tuple[Place, list[str]]]:
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield Place(path, number), words


def _spelled(numbers: object) -> str:
    return " ".join(repr(float(x)) for x in np.ravel(np.asarray(numbers, np.float64)))
