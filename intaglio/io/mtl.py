# SPDX-License-Identifier: MIT
"""Wavefront MTL: the colour or the picture of each material."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..picture import linear_from_srgb
from .errors import InputError
from .images import load_image
from .limits import Limits, inside_folder, read_bytes

__all__ = ["Material", "find_libraries", "load_materials"]

# How many words follow each option of map_Kd at most; -o, -s and -t take one to three numbers.
OPTION_WORDS = {"-blendu": 1, "-blendv": 1, "-boost": 1, "-bm": 1, "-cc": 1, "-clamp": 1, "-imfchan": 1, "-mm": 2,
                "-texres": 1, "-o": 3, "-s": 3, "-t": 3}  # fmt: skip
UNMOVED: dict[str, tuple[float, ...]] = {"-o": (0.0, 0.0, 0.0), "-s": (1.0, 1.0, 1.0), "-t": (0.0, 0.0, 0.0)}


@dataclass(frozen=True)
class Material:
    """`color` (3 numbers) where there is no `picture` ([H, W, 3]), of which uv * uv_scale + uv_offset is seen."""

    color: tuple[float, float, float] | None = None
    picture: np.ndarray | None = None
    uv_scale: tuple[float, float] = (1.0, 1.0)
    uv_offset: tuple[float, float] = (0.0, 0.0)


def load_materials(
    path: Path, folder: Path, limits: Limits, *, linear: bool = True, may_move: bool = False
) -> dict[str, Material]:
    """The materials of an MTL file by name. Pictures are looked for beside the file and must lie inside `folder`.

    linear: False leaves colours and pictures as the files have them.
    may_move: whether pictures may be scaled and moved.
    """
    materials: dict[str, Material] = {}
    pictures: dict[Path, np.ndarray] = {}
    name = None
    for number, line in enumerate(_lines(path, limits), start=1):
        key, _, rest = line.partition(" ")
        if key == "newmtl":
            name = rest.strip()
            materials[name] = Material()
        elif key in ("Kd", "map_Kd") and name is None:
            raise InputError(path, f"{key} stands before the first newmtl", line=number)
        elif key == "Kd" and name is not None:
            materials[name] = replace(materials[name], color=_color(path, number, rest, linear))
        elif key == "map_Kd" and name is not None:
            moved, words = _split_options(path, number, rest.split())
            if moved != UNMOVED and not may_move:
                option = next(key for key in moved if moved[key] != UNMOVED[key])
                first = next(x for x in moved[option] if x != UNMOVED[option][0])
                remedy = "bake it into the texture coordinates"
                raise InputError(path, f"map_Kd {option} {first:g} is not supported", line=number, remedy=remedy)
            file = inside_folder(path, path.parent / " ".join(words).replace("\\", "/"), folder, line=number)
            if file not in pictures:
                pictures[file] = load_image(file, linear=linear, max_pixels=limits.max_pixels)[..., :3]
            (u_scale, v_scale, _), (u, v, _) = moved["-s"], moved["-o"]
            materials[name] = replace(
                materials[name], picture=pictures[file], uv_scale=(u_scale, v_scale), uv_offset=(u, v)
            )
    return materials


def find_libraries(path: Path, libraries: list[tuple[int, str]]) -> list[Path]:
    """The MTL files that mtllib lines (number and what follows) name: a name may hold spaces, a line several names.

    Raises:
        InputError: one lies outside of the folder of `path`.
    """
    files = []
    for line, names in libraries:
        whole = inside_folder(path, path.parent / names, path.parent, line=line)
        for library in [names] if whole.exists() else names.split():
            files.append(inside_folder(path, path.parent / library, path.parent, line=line))
    return files


def _lines(path: Path, limits: Limits) -> list[str]:
    remedy = "load_obj(..., materials=False) reads the shape alone"
    text = read_bytes(path, limits, remedy).decode("utf-8", errors="replace")
    return [line.strip().replace("\t", " ") for line in text.splitlines()]


def _color(path: Path, line: int, rest: str, linear: bool) -> tuple[float, float, float]:
    try:
        red, green, blue = (float(word) for word in rest.split()[:3])
        srgb = np.array([red, green, blue])
        if not ((srgb >= 0) & (srgb <= 1)).all():
            raise ValueError(rest)
    except ValueError as error:
        raise InputError(path, f"Kd must be three numbers from 0 to 1; got {rest.strip()!r}", line=line) from error
    return tuple((linear_from_srgb(srgb) if linear else srgb).tolist())


def _split_options(path: Path, line: int, words: list[str]) -> tuple[dict[str, tuple[float, ...]], list[str]]:
    """The options that move a picture, and what follows the options: a name that may hold spaces and the other system's
    slashes."""
    moved = dict(UNMOVED)
    while words and words[0] in OPTION_WORDS:
        option, *words = words
        if option not in UNMOVED:
            words = words[OPTION_WORDS[option] :]
            continue
        numbers: list[float] = []
        while len(numbers) < OPTION_WORDS[option] and _is_number(words[:1]):
            numbers.append(float(words[0]))
            words = words[1:]
        moved[option] = (*numbers, *UNMOVED[option][len(numbers) :])
    if moved["-t"] != UNMOVED["-t"]:
        raise InputError(path, "map_Kd -t is not supported", line=line, remedy="bake it into the texture coordinates")
    if not words:
        raise InputError(path, "map_Kd names no file", line=line)
    return moved, words


def _is_number(words: list[str]) -> bool:
    try:
        return bool(words) and np.isfinite(float(words[0]))
    except ValueError:
        return False
