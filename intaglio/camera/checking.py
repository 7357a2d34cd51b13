# SPDX-License-Identifier: MIT
"""What cameras refuse. Values are looked at where they are numbers, lists or NumPy; those of a framework never are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..array import cross, namespace, to_numpy, unit

__all__ = ["all_known", "check_counts", "check_directions", "check_planes", "check_shape", "check_size"]


def check_planes(near: float, far: float, lowest: float) -> None:
    if not lowest < near < far < np.inf:
        above = "0 < " if lowest == 0 else ""
        raise ValueError(f"Camera: near and far must satisfy {above}near < far; got {near} and {far}")


def check_shape(name: str, x: Any, expected: tuple[int, ...]) -> None:
    shape = np.shape(x) if namespace(x) is namespace(0) else tuple(x.shape)
    if shape[-len(expected) :] != expected or len(shape) > len(expected) + 1:
        spelled = ", ".join(map(str, expected))
        raise ValueError(f"Camera: {name} must be [{spelled}] or [B, {spelled}]; got {list(shape)}")
    _check_finite(name, x)


def check_counts(name: str, x: Any, counts: Sequence[int]) -> None:
    """That it is a vector, or a batch of vectors, of one of these lengths."""
    shape = np.shape(x) if namespace(x) is namespace(0) else tuple(x.shape)
    if len(shape) not in (1, 2) or shape[-1] not in counts:
        spelled = " or ".join([", ".join(map(str, counts[:-1])), str(counts[-1])][len(counts) == 1 :])
        raise ValueError(f"Camera: {name} must be [N] or [B, N] with N = {spelled}; got {list(shape)}")
    _check_finite(name, x)


def check_size(size: Any) -> tuple[int, int]:
    """A picture's (height, width), as it came."""
    if not isinstance(size, (tuple, list)) or len(size) != 2 or not all(isinstance(n, int) and n >= 1 for n in size):
        raise ValueError(f"Camera: size must be (height, width) in whole pixels from 1 on; got {size!r}")
    return size[0], size[1]


def _check_finite(name: str, x: Any) -> None:
    if not all_known(x, math.isfinite):
        raise ValueError(f"Camera: {name} must be finite; got {to_numpy(x).tolist()}")


def all_known(x: Any, holds: Callable[[float], bool]) -> bool:
    """Whether `holds` for all numbers of a number, list or NumPy array; True for arrays whose values are not read.

    Number by number in Python: under torch.compile, NumPy's own answer would be a tensor.
    """
    if isinstance(x, (int, float)):
        return holds(x)
    if isinstance(x, (list, tuple)):
        return all(all_known(y, holds) for y in x)
    return namespace(x) is not namespace(0) or all(holds(y) for y in np.ravel(x).tolist())


def check_directions(backward: np.ndarray, up: np.ndarray) -> None:
    if (np.abs(backward).max(axis=-1) == 0).any():
        raise ValueError("Camera: eye and at must be different places; got the same")
    right = np.linalg.norm(cross(unit(up), unit(backward)), axis=-1)
    if (right < 1e-6).any():
        raise ValueError(
            "Camera: up must not point along the view; got parallel directions (take (0, 0, 1) from above)"
        )
