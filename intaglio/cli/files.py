# SPDX-License-Identifier: MIT
"""What the programs read and write. All that can be known to fail is found before any work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .. import shapes
from ..io import InputError, load, load_image
from ..io.animation import check_animation_path
from ..io.files import ENDINGS
from ..mesh import Mesh

__all__ = ["beside", "check_outputs", "load_color", "load_mesh", "load_silhouette"]


def load_mesh(name: str) -> Mesh:
    """The mesh of a file, or of a shape's name; centred, its longest side from -1 to 1.

    Raises:
        InputError: there is neither, or the file is damaged.
    """
    if name in shapes.__all__ and not Path(name).exists():
        return getattr(shapes, name)().normalized()
    if not Path(name).exists() and Path(name).suffix.lower() not in ENDINGS:
        raise InputError(name, "is neither a mesh's file nor a shape", remedy=f"shapes are {', '.join(shapes.__all__)}")
    return load(name).normalized()


def load_color(path: Path) -> np.ndarray:
    """[H, W, 3] linear, over black where the picture is transparent."""
    image = load_image(path)
    return image[..., :3] * image[..., 3:] if image.shape[-1] == 4 else image


def load_silhouette(path: Path) -> np.ndarray:
    """[H, W]: the alpha of a picture that has one, else 1 where it is not black, as in 2018.

    Raises:
        InputError: the picture is damaged, or shows nothing.
    """
    image = load_image(path)
    silhouette = image[..., 3] if image.shape[-1] == 4 else (image.max(axis=-1) > 0).astype(np.float32)
    if not silhouette.any():
        raise InputError(path, "shows nothing", remedy="the silhouette must be bright on black, or opaque")
    return silhouette


def beside(path: Path, suffix: str, ending: str | None = None) -> Path:
    """ "fit.gif" -> "fit-result.gif", or with another ending."""
    return path.with_name(f"{path.stem}{suffix}{path.suffix if ending is None else ending}")


def check_outputs(animation: Path, others: Iterable[Path] = ()) -> None:
    """Raise InputError unless all these files can be written; `animation` by its ending."""
    check_animation_path(animation)
    for path in (animation, *others):
        if path.is_dir():
            raise InputError(path, "cannot be written: it is a folder", remedy="name a file in it")
        folder = path.parent
        if not folder.is_dir():
            raise InputError(path, "cannot be written: there is no such folder", remedy=f"mkdir -p {folder}")
        if not os.access(folder, os.W_OK):
            raise InputError(path, "cannot be written: its folder is read-only", remedy="choose another")
