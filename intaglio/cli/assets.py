# SPDX-License-Identifier: MIT
"""`intaglio info`, `convert` and `validate`: what is in a file, as another kind of file, and whether it is sound."""

from __future__ import annotations

import argparse

from ..io import Asset, InputError, Limits, load, load_asset, save
from ..io.describing import counted, described_asset, faults, oddities
from ..io.errors import printable
from ..io.files import ASSETS
from .progress import Stop

__all__ = ["convert", "info", "validate"]


def info(options: argparse.Namespace, stop: Stop) -> None:
    """Print what a file holds, and what was converted on the way."""
    asset = load_asset(options.file, limits=_limits(options))
    print(f"{options.file}: {options.file.stat().st_size} bytes")
    for line in described_asset(asset):
        print(f"  {printable(line)}")
    print("conversions:")
    for line in asset.changes:
        print(f"  {line}")


def convert(options: argparse.Namespace, stop: Stop) -> None:
    """Write a file as another kind; everything where both can hold everything, else one mesh."""
    if options.output.exists() and options.output.samefile(options.file):
        raise InputError(options.output, "is the file to convert", remedy="name another")
    holds_parts = (*ASSETS, ".obj")
    whole = options.output.suffix.lower() in holds_parts and options.file.suffix.lower() in holds_parts
    read = load_asset if whole else load
    thing = read(options.file, limits=_limits(options))
    save(options.output, thing)
    print(f"written: {options.output}, {_size(thing)}")


def validate(options: argparse.Namespace, stop: Stop) -> None:
    """Read all of a file, pictures included, and print what is wrong or odd in it.

    Raises:
        InputError: it cannot be read, or breaks a rule.
    """
    asset = load_asset(options.file, limits=_limits(options))
    for image in asset.images:
        if image.height:  # else only an extension asks for it, of whatever kind it is
            image.pixels()
    if any(len(p.triangles()) for k in asset.shown() for p in _primitives(asset, k)):
        asset.mesh(limits=_limits(options))
    wrong = faults(asset)
    for line in wrong:
        print(f"fault: {printable(line)}")
    for line in oddities(asset):
        print(f"note: {printable(line)}")
    if wrong:
        raise InputError(options.file, f"breaks {len(wrong)} rules of glTF", remedy="export it again")
    print(f"sound: {options.file}, {_size(asset)}")


def _primitives(asset: Asset, node: int) -> tuple:
    geometry = asset.nodes[node].geometry
    return asset.geometries[geometry].primitives if geometry is not None else ()


def _size(thing: object) -> str:
    if isinstance(thing, Asset):
        primitives = [p for geometry in thing.geometries for p in geometry.primitives]
        num_triangles = sum(len(p.triangles()) for p in primitives)
        return f"{counted(len(primitives), 'primitive')}, {counted(num_triangles, 'triangle')}"
    return repr(thing)


def _limits(options: argparse.Namespace) -> Limits:
    return Limits(options.max_bytes, options.max_vertices, options.max_pixels, options.max_ratio)
