# SPDX-License-Identifier: MIT
"""Meshes of a glTF: primitives, their attributes and morph targets, all of one length and every index within it."""

from __future__ import annotations

import re

import numpy as np

from ..asset import Geometry, Primitive
from ..limits import Total
from .accessors import Buffers
from .fields import Fields
from .materials import described

__all__ = ["read_geometry"]

# name, how many numbers it may have
ATTRIBUTES = {"POSITION": (3,), "NORMAL": (3,), "TANGENT": (4,), "TEXCOORD": (2,), "COLOR": (3, 4), "JOINTS": (4,),
              "WEIGHTS": (4,)}  # fmt: skip
TARGET_ATTRIBUTES = {"POSITION": (3,), "NORMAL": (3,), "TANGENT": (3,), "TEXCOORD": (2,), "COLOR": (3, 4)}
MAX_SETS = 64


def read_geometry(fields: Fields, buffers: Buffers, num_materials: int, total: Total) -> Geometry:
    """A mesh of the file.

    Raises:
        InputError: something in it does not fit.
    """
    primitives = tuple(_read_primitive(p, buffers, num_materials, total) for p in fields.objects("primitives"))
    if not primitives:
        fields.fail("has no primitives")
    num_targets = {len(p.targets) for p in primitives}
    if len(num_targets) > 1:
        fields.fail(f"its primitives have different numbers of morph targets: {sorted(num_targets)}")
    weights = fields.numbers("weights", None)
    if weights and len(weights) not in num_targets:
        fields.fail(f"has {len(weights)} weights for {min(num_targets)} morph targets")
    return Geometry(primitives=primitives, weights=weights, **described(fields))


def _read_primitive(fields: Fields, buffers: Buffers, num_materials: int, total: Total) -> Primitive:
    attributes = _read_attributes(fields, "attributes", buffers, ATTRIBUTES)
    if "POSITION" not in attributes:
        fields.fail("has no POSITION")
    count = len(attributes["POSITION"])
    total.add_vertices(count)
    mode = fields.whole("mode", below=7, default=4)
    targets = []
    for k, target in enumerate(fields.objects("targets")):
        holder = Fields(fields.path, fields.at, {"targets": target.raw})
        differences = _read_attributes(holder, "targets", buffers, TARGET_ATTRIBUTES)
        if any(len(values) != count for values in differences.values()):
            fields.fail(f"morph target {k} is not for {count} vertices")
        targets.append(differences)
        total.add_vertices(count)  # each costs as much, though all may be the same
    primitive = Primitive(
        attributes=attributes,
        indices=_read_indices(fields, buffers, count),
        material=fields.place("material", num_materials),
        mode=mode,
        targets=tuple(targets),
        **described(fields),
    )
    total.add_triangles(primitive.num_triangles)
    return primitive


def _read_attributes(
    fields: Fields, key: str, buffers: Buffers, known: dict[str, tuple[int, ...]]
) -> dict[str, np.ndarray]:
    found = fields.object(key)
    if found is None:
        fields.fail(f"has no {key}")
    attributes: dict[str, np.ndarray] = {}
    for name in found.raw:
        index = found.whole(name, below=len(buffers.accessors))
        values = buffers.decode(index)
        if attributes and len(values) != len(next(iter(attributes.values()))):
            found.fail(f"{name} has {len(values)} elements, {next(iter(attributes))} has another number")
        if name.startswith("_"):
            attributes[name] = values
            continue
        base, number = re.fullmatch(r"([A-Z]+)(_\d{1,2})?|.*", name, flags=re.DOTALL).groups()  # type: ignore[union-attr]
        is_numbered = base not in ("POSITION", "NORMAL", "TANGENT")
        if base not in known or (number is None) == is_numbered or int((number or "_0")[1:]) >= MAX_SETS:
            found.fail(f"names what is no attribute: {name[:60]!r}")
        if values.shape[1] not in known[base]:
            found.fail(f"{name} must have {' or '.join(map(str, known[base]))} numbers; got {values.shape[1]}")
        if base == "JOINTS":
            if values.dtype.kind != "u":
                found.fail(f"{name} must hold unsigned integers; got {values.dtype}")
            if buffers.largest(index) >= 65536:
                found.fail(f"{name} is too large")
            attributes[name] = buffers.converted(index, "u2")
        else:
            attributes[name] = buffers.converted(index, "f4")
    return attributes


def _read_indices(fields: Fields, buffers: Buffers, count: int) -> np.ndarray | None:
    index = fields.place("indices", len(buffers.accessors))
    if index is None:
        return None
    values = buffers.decode(index)
    if values.shape[1] != 1 or values.dtype.kind != "u":
        fields.fail(f"indices must be unsigned integers, one each; got {values.shape[1]} of {values.dtype}")
    if buffers.largest(index) >= count:
        fields.fail(f"indices name vertex {buffers.largest(index)} of {count}, from 0")
    return buffers.converted(index, "u4")[:, 0]
