# SPDX-License-Identifier: MIT
"""Fitting loops on top of `render`, in the framework of the mesh; NumPy's meshes go to PyTorch, PaddlePaddle or JAX,
whichever is there. Each is an endless iterator of steps: the caller shows progress, keeps pictures, and stops when it
has seen enough.
"""

from .camera import CameraStep, fit_camera
from .shape import ShapeStep, fit_shape
from .texture import TextureStep, fit_texture

__all__ = ["CameraStep", "ShapeStep", "TextureStep", "fit_camera", "fit_shape", "fit_texture"]
