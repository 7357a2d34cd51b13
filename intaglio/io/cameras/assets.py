# SPDX-License-Identifier: MIT
"""The cameras of an asset become views."""

from __future__ import annotations

import math
from pathlib import Path

from ...camera import Camera, Orthographic, Perspective
from ..asset import Asset, AssetCamera
from .checks import Place, view_of_world_from_view
from .views import Views

__all__ = ["views_of_asset"]


def views_of_asset(asset: Asset, path: str | Path, far: float) -> Views:
    """The cameras of the shown scene, each named after its node; what says no far plane gets `far`.

    Raises:
        InputError: a transform has no inverse.
    """
    world_from_nodes = asset.world_from_nodes()
    cameras, names = [], []
    for k in asset.shown():
        node = asset.nodes[k]
        if node.camera is None:
            continue
        place, camera = Place(Path(path), at=f"nodes[{k}]"), asset.cameras[node.camera]
        view = view_of_world_from_view(place, world_from_nodes[k])
        cameras.append(Camera(view, _projection(place, camera, far)))
        names.append(node.name or camera.name)
    return Views(tuple(cameras), (None,) * len(cameras), tuple(names))


def _projection(place: Place, camera: AssetCamera, default: float) -> Perspective | Orthographic:
    far = default if camera.far is None else camera.far
    far = far if far > camera.near else 1e3 * camera.near
    if camera.fov_y is not None:
        if not 0 < camera.fov_y < math.pi:
            place.fail(f"the angle of view of its camera must lie between 0 and pi; got {camera.fov_y:g}")
        if not camera.near > 0:
            place.fail("the near plane of its camera must be before it")
        return Perspective(math.degrees(camera.fov_y), camera.near, far)
    half = camera.y_half
    if not half:
        place.fail("its camera must have a height")
    return Orthographic(abs(half), camera.near, far)
