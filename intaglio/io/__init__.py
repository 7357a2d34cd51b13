# SPDX-License-Identifier: MIT
"""Files in and out. NumPy only; every reader treats its file as written by a stranger, every file is written whole."""

from .animation import Animation, save_animation
from .atomic import write_atomically
from .errors import InputError
from .images import load_image, save_image
from .obj import load_obj
from .obj_writer import save_obj

__all__ = [
    "Animation",
    "InputError",
    "load_image",
    "load_obj",
    "save_animation",
    "save_image",
    "save_obj",
    "write_atomically",
]
