# SPDX-License-Identifier: MIT
"""Files in and out. NumPy only; every reader treats its file as written by a stranger, every file is written whole."""

from .animation import Animation, save_animation
from .asset import Asset
from .atomic import write_atomically
from .cameras import Views, load_cameras, save_cameras
from .errors import InputError
from .files import load, load_asset, save
from .images import load_image, save_image
from .limits import Limits
from .obj import load_obj
from .obj_writer import save_obj
from .ply import load_ply
from .ply_writer import save_ply
from .stl import load_stl, save_stl

__all__ = [
    "Animation",
    "Asset",
    "InputError",
    "Limits",
    "Views",
    "load",
    "load_asset",
    "load_cameras",
    "load_image",
    "load_obj",
    "load_ply",
    "load_stl",
    "save",
    "save_animation",
    "save_cameras",
    "save_image",
    "save_obj",
    "save_ply",
    "save_stl",
    "write_atomically",
]
