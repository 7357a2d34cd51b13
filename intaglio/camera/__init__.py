# SPDX-License-Identifier: MIT
"""Cameras: where the eye is, and how it projects. Right-handed, y up, looking down -z; clip space is OpenGL's.

A matrix is named target_from_source. The projection is kept as numbers and becomes a matrix when the size of the image
is known, so that one camera serves every size. Numbers and lists are checked, and computed with in NumPy's float64;
arrays of a framework stay in it and carry gradients, and no value of theirs is read.
"""

from .camera import Camera
from .intrinsics import Intrinsics
from .paths import camera_path, turntable
from .placing import orbit
from .projections import Orthographic, Perspective, RawMatrix
from .wide import Fisheye, Panorama

__all__ = [
    "Camera",
    "Fisheye",
    "Intrinsics",
    "Orthographic",
    "Panorama",
    "Perspective",
    "RawMatrix",
    "camera_path",
    "orbit",
    "turntable",
]
