# SPDX-License-Identifier: MIT
"""The lines of an MTL file: what each material says, and how its maps are placed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..picture import linear_from_srgb
from .errors import InputError
from .limits import Limits, decoded_text, inside_folder, read_bytes

__all__ = ["SHAPE_ALONE", "STRONGEST", "Entries", "Map", "find_libraries", "key_and_rest", "read_mtl"]

SHAPE_ALONE = "load_obj(..., materials=False) reads the shape alone"
# How many words follow each option of a map at most; -o, -s and -t take one to three numbers.
OPTION_WORDS = {"-blendu": 1, "-blendv": 1, "-boost": 1, "-bm": 1, "-cc": 1, "-clamp": 1, "-imfchan": 1, "-mm": 2,
                "-texres": 1, "-o": 3, "-s": 3, "-t": 3}  # fmt: skip
STRONGEST = 1e30  # of what multiplies maps, or is compared with them: in 32 bits
UNMOVED: dict[str, tuple[float, ...]] = {"-o": (0.0, 0.0, 0.0), "-s": (1.0, 1.0, 1.0), "-t": (0.0, 0.0, 0.0)}


@dataclass(frozen=True)
class Map:
    """A picture, of which uv * scale + offset is seen, v counted from the bottom. named: what errors say of where."""

    file: Path
    named: str
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    clamp: bool = False
    strength: float = 1.0


@dataclass
class Entries:
    """What an MTL file says of one material: by key in small letters, the line and the rest of it."""

    path: Path
    lines: dict[str, tuple[int, str, str]]

    def number(self, key: str, default: float | None) -> float | None:
        """The finite number behind a key."""
        if key.lower() not in self.lines:
            return default
        line, name, rest = self.lines[key.lower()]
        words = rest.split()
        words = words[words[:1] == ["-halo"] :]  # of d: more opaque where the surface is seen at a slant
        if not _is_number(words[:1]):
            raise InputError(self.path, f"{name} must be a finite number; got {rest[:80]!r}", line=line)
        return float(words[0])

    def color(self, key: str, *, linear: bool = True, is_light: bool = False) -> tuple[float, float, float] | None:
        """Three numbers, of which one alone stands for all; sRGB becomes linear unless that is False.

        What is given back is at most 1; light may be any number of times that. Spectra are passed over.
        """
        line, name, rest = self.lines.get(key.lower(), (0, "", "spectral"))
        words = rest.split()
        if words[:1] in (["spectral"], ["xyz"]):
            return None
        try:
            red, green, blue = (float(word) for word in (words * 3 if len(words) == 1 else words[:3]))
        except ValueError:
            red = green = blue = np.nan
        srgb = np.array([red, green, blue])
        if not ((srgb >= 0) & (srgb <= STRONGEST)).all():
            what = f"{name} must be a number from 0 on, or three; got {rest[:80]!r}"
            raise InputError(self.path, what, line=line)
        times = max(1.0, float(srgb.max())) if is_light else 1.0
        srgb = np.minimum(srgb / times, 1.0)
        return tuple((times * (linear_from_srgb(srgb) if linear else srgb)).tolist())

    def map(self, key: str, folder: Path) -> Map | None:
        """A map, whose file lies in `folder` or below; a name may hold spaces and the other system's slashes."""
        if key.lower() not in self.lines:
            return None
        line, name, rest = self.lines[key.lower()]
        moved, flags, words, at = dict(UNMOVED), dict[str, str](), rest.split(), 0
        # The name is what stands behind the options, with its spaces.
        while at < len(words) and words[at] in OPTION_WORDS:
            option, at = words[at], at + 1
            last = at + OPTION_WORDS[option]
            if option not in UNMOVED:
                flags[option] = words[at] if words[at:last] else ""
                at = last
                continue
            numbers: list[float] = []
            while at < last and _is_number(words[at : at + 1]):
                numbers.append(float(words[at]))
                at += 1
            moved[option] = (*numbers, *UNMOVED[option][len(numbers) :])
        file_name = rest.split(None, at)[at] if at < len(words) else ""
        if moved["-t"] != UNMOVED["-t"]:
            remedy = "bake it into the texture coordinates"
            raise InputError(self.path, f"{name} -t is not supported", line=line, remedy=remedy)
        if not file_name:
            raise InputError(self.path, f"{name} names no file", line=line)
        strength = flags.get("-bm", "1")
        if not _is_number([strength]) or abs(float(strength)) > STRONGEST:
            what = f"{name} -bm must be a number up to {STRONGEST:g}; got {strength[:80]!r}"
            raise InputError(self.path, what, line=line)
        file = inside_folder(self.path, self.path.parent / file_name.replace("\\", "/"), folder, line=line)
        (u_scale, v_scale, _), (u, v, _) = moved["-s"], moved["-o"]
        named = f"which {self.path.name}:{line} names"
        return Map(file, named, (u_scale, v_scale), (u, v), flags.get("-clamp") == "on", float(strength))


def read_mtl(path: Path, limits: Limits) -> dict[str, Entries]:
    """The materials of an MTL file by name.

    Raises:
        InputError: it is missing or too large, or says a colour of no material.
    """
    text = decoded_text(path, read_bytes(path, limits, SHAPE_ALONE))
    materials: dict[str, Entries] = {}
    entries = None
    for number, line in enumerate(text.splitlines(), start=1):
        key, rest = key_and_rest(line)
        if key == "newmtl":
            entries = Entries(path, {})
            materials[rest] = entries
        elif entries is not None:
            entries.lines[key.lower()] = (number, key, rest)
        elif key in ("Kd", "map_Kd"):
            raise InputError(path, f"{key} stands before the first newmtl", line=number)
    return materials


def key_and_rest(line: str) -> tuple[str, str]:
    """The first word, and what stands behind it, which may be a name with spaces."""
    key, *rest = line.split(None, 1) or [""]
    return key, rest[0].rstrip() if rest else ""


def find_libraries(path: Path, libraries: list[tuple[int, str]]) -> list[Path]:
    """The MTL files that mtllib lines (number, names) name, each once; a name may hold spaces, a line several.

    Raises:
        InputError: one lies outside of the folder of `path`.
    """
    files: dict[Path, Path] = {}
    named = {names: line for line, names in reversed(libraries)}
    for names, line in reversed(named.items()):
        whole = inside_folder(path, path.parent / names, path.parent, line=line)
        for library in [names] if whole.exists() else names.split():
            file = inside_folder(path, path.parent / library, path.parent, line=line)
            files.pop(file.resolve(), None)  # what stands last counts
            files[file.resolve()] = file
    return list(files.values())


def _is_number(words: list[str]) -> bool:
    try:
        return bool(words) and bool(np.isfinite(float(words[0])))
    except ValueError:
        return False
