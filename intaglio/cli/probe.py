# SPDX-License-Identifier: MIT
"""`python -m intaglio.cli.probe torch`: whether a framework can be imported and draws what NumPy draws.

The last line of its output is JSON: {"complaint": "..."}, empty where all is well.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from .. import ops
from ..array import framework, to_numpy

__all__ = ["complaint"]


def complaint(name: str) -> str:
    """What is wrong with the framework called `name`, in one line."""
    try:
        xp = framework(name)
        pos_clip = np.array([[[-0.9, -0.8, 0, 1], [0.8, -0.5, 0.2, 1], [0.1, 0.9, -0.3, 1.5]]], dtype=np.float32)
        triangles = np.array([[0, 1, 2]], dtype=np.int32)
        expected = ops.rasterize(pos_clip, triangles, (16, 16))
        found = ops.rasterize(xp.from_numpy(pos_clip), xp.from_numpy(triangles), (16, 16))
    except Exception as error:  # whatever a damaged framework raises is the answer
        text = " ".join(str(error).split())
        return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__
    same = all(np.array_equal(to_numpy(a), b) for a, b in zip(found, expected, strict=True))
    return "" if same else "draws another picture than NumPy"


if __name__ == "__main__":
    print(json.dumps({"complaint": complaint(sys.argv[1])}))
