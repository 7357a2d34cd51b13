# SPDX-License-Identifier: MIT
"""deodr 0.2.3 with a texture: the steps of deodr_silhouette, the gradient going to positions, uv and texels.

It samples bilinearly, without a pyramid, and its backward pass maps textures affinely: it has no perspective there.
"""

from collections.abc import Callable

import numpy as np

from ..scenes import TexturedScene
from .deodr_silhouette import Silhouette


def steps(
    scene: TexturedScene, targets: np.ndarray, way: str = "whole_step"
) -> Callable[[], list[tuple[float, np.ndarray]]]:
    """A call that takes one step for every view of the scene, targets [B,H,W,C]: one after the other, by whichever of
    the ways of deodr_silhouette.
    """
    shown = {
        "faces_uv": scene.uv_triangles.astype(np.uint32),
        "textured": np.ones(len(scene.triangles), bool),
        "uv": scene.uv * np.array(scene.texture.shape[1::-1], np.float64),
        "shaded": np.ones(len(scene.triangles), bool),
        "texture": scene.texture.astype(np.float64),
    }
    views = [
        Silhouette(view, scene.triangles, scene.neighbours, target, **shown)
        for view, target in zip(scene.pos_clip, targets, strict=True)
    ]
    return lambda: [getattr(view, way)() for view in views]
