# SPDX-License-Identifier: MIT
"""Many cameras as one with a batch axis, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ..array import as_float_array, leader, like, namespace, taken
from ..trees import assembled
from .matrices import product
from .projections import Size

__all__ = ["batch_of", "blended", "chosen", "numbered", "separated", "stacked"]

# How many axes a field has without a batch; all other fields are the same for a whole batch.
NUM_AXES = {"view_from_world": 2, "fov_y_degrees": 0, "half_height": 0, "K": 2, "distortion": 1, "matrix": 2}


def batch_of(camera: Any) -> int | None:
    """The size of the batch; None where there is no such axis."""
    sizes = [x.shape[0] for x in _batches(camera).values()]
    return max(sizes) if sizes else None


def numbered(camera: Any, index: Any) -> Any:
    """A camera with `index` (a number, a slice, an array) applied to the batch axis of whatever has one."""
    changed = {name: x[index] if x.ndim > NUM_AXES[name] else x for name, x in _arrays(camera)}
    view = changed.pop("view_from_world")
    return replace(camera, view_from_world=view, projection=replace(camera.projection, **changed))


def chosen(camera: Any, places: Sequence[int]) -> Any:
    """A camera of those at some places of its batch; as `numbered`, where torch.compile traces too."""
    return _with(camera, {name: taken(x, places) for name, x in _batches(camera).items()})


def separated(camera: Any, count: int) -> list[Any]:
    """So many cameras, each without the batch axis: of a batch of `count`, or the same again and again."""
    rows = {name: namespace(x).unstack(x) for name, x in _batches(camera).items()}
    return [_with(camera, {name: x[k] for name, x in rows.items()}) for k in range(count)]


def _with(camera: Any, changed: dict[str, Any]) -> Any:
    """The camera with other arrays, without the checks of their values."""
    kind, rest = type(camera.projection), vars(camera.projection)
    view = changed.pop("view_from_world", camera.view_from_world)
    return assembled(type(camera), {"view_from_world": view, "projection": assembled(kind, {**rest, **changed})})


def _batches(camera: Any) -> dict[str, Any]:
    """What has the batch axis, by name. Arrays stay as they are: torch.compile cannot trace the dtype of NumPy's."""
    fields = [(name, x if hasattr(x, "ndim") else np.asarray(x, np.float64)) for name, x in _fields(camera)]
    return {name: x for name, x in fields if x.ndim > NUM_AXES[name]}


def stacked(cameras: Sequence[Any]) -> Any:
    """One camera of all, batches one behind the other. `image_size` and distortions become those of the first."""
    projections = [camera.projection for camera in cameras]
    first = projections[0]
    for k, projection in enumerate(projections):
        if type(projection) is not type(first):
            both = f"{type(first).__name__} and {type(projection).__name__} (camera {k})"
            raise ValueError(f"Camera: stack must get projections of one kind; got {both}")
        for field in fields(projection):
            name = field.name
            mine, other = getattr(projection, name), getattr(first, name)
            if name not in NUM_AXES and name != "image_size" and mine != other:
                raise ValueError(f"Camera: stack must get one {name} for all; got {other} and {mine} (camera {k})")
    rows = [dict(_arrays(camera)) for camera in cameras]
    counts = [batch_of(camera) or 1 for camera in cameras]
    if hasattr(first, "K"):
        for row, projection in zip(rows, projections, strict=True):
            row["K"] = product(_pixels_from_pixels(first.image_size, projection.image_size), row["K"])
    most = max((row["distortion"].shape[-1] for row in rows if "distortion" in row), default=0)
    for row in rows:
        if most:
            row["distortion"] = _padded(row.get("distortion", np.zeros(most)), most)
    joined = {name: _joined(name, [row[name] for row in rows], counts) for name in rows[0]}
    view = joined.pop("view_from_world")
    return replace(cameras[0], view_from_world=view, projection=replace(first, **joined))


def blended(camera: Any, weights: np.ndarray) -> Any:
    """Its projection with weighted sums of each array's batch, [count, B]."""
    changed = {}
    for name, x in _arrays(camera):
        if name != "view_from_world" and x.ndim > NUM_AXES[name]:
            rows = namespace(x).reshape(x, (x.shape[0], -1))
            changed[name] = namespace(x).reshape(like(weights, x) @ rows, (len(weights), *x.shape[1:]))
    return replace(camera.projection, **changed)


def _arrays(camera: Any) -> list[tuple[str, Any]]:
    """Names and arrays of all fields that may have a batch axis."""
    return [(name, as_float_array(x, np.float64)) for name, x in _fields(camera)]


def _fields(camera: Any) -> list[tuple[str, Any]]:
    found = [("view_from_world", camera.view_from_world)]
    found += [(field.name, getattr(camera.projection, field.name)) for field in fields(camera.projection)]
    return [(name, x) for name, x in found if name in NUM_AXES and x is not None]


def _joined(name: str, arrays: Sequence[Any], counts: Sequence[int]) -> Any:
    lead = leader(*arrays)
    xp, num_axes = namespace(lead), NUM_AXES[name]
    arrays = [like(x, lead) for x in arrays]
    batches = [
        xp.broadcast_to(x, (count, *x.shape[x.ndim - num_axes :])) for x, count in zip(arrays, counts, strict=True)
    ]
    return xp.concat(batches, axis=0)


def _pixels_from_pixels(image_size: Size, other: Size) -> np.ndarray:
    """[3, 3] from an image of another size, whose pixels have integer centres too, to one of `image_size`."""
    y, x = image_size[0] / other[0], image_size[1] / other[1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _padded(x: Any, count: int) -> Any:
    """[..., N] with zeros up to `count`."""
    missing = count - x.shape[-1]
    if not missing:
        return x
    xp = namespace(x)
    return xp.concat([x, like(np.zeros((*x.shape[:-1], missing)), x)], axis=-1)
