# SPDX-License-Identifier: MIT
"""Fitting loops on top of `render`, for PyTorch. Each is an endless iterator of steps: the caller shows progress, keeps
pictures, and stops when it has seen enough.
"""

from .camera import CameraStep, fit_camera
from .shape import ShapeStep, fit_shape
from .texture import TextureStep, fit_texture
from .threads import use_one_torch_thread

__all__ = ["CameraStep", "ShapeStep", "TextureStep", "fit_camera", "fit_shape", "fit_texture", "use_one_torch_thread"]
