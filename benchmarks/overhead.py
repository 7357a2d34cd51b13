# SPDX-License-Identifier: MIT
"""What does a call cost that has nothing to do: every op on an 8x8 image, through torch?"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

import intaglio
from intaglio.losses import squared_error

from . import ours
from .report import Claim, Section
from .timing import Timing, in_turns

METHOD = """\
Two triangles on 8 x 8 pixels, one thread, inputs ready; backward from a ready cotangent,
through this op alone. `square` is torch's own x * x on 8 numbers, the floor of any op with a gradient."""


def measure(*, rounds: int = 5) -> Section:
    """Microseconds per op: forward; forward and backward."""
    rows, claims = [], []
    for name in _ops():
        timings = in_turns(
            {"forward": partial(_forward, name), "both": partial(_forward_and_backward, name)}, rounds=rounds
        )
        forward, both = timings["forward"], timings["both"]
        rows.append((f"`{name}`", _microseconds(forward), _microseconds(both)))
        if name != "square":
            claims.append(
                Claim(f"`{name}`, forward and backward", 1e3 * both.median_ms, 100, unit=" µs", smaller_is_better=True)
            )
    header = ("op", "forward, µs", "forward and backward, µs")
    return Section("Overhead", METHOD, header, rows, claims)


def _forward(name: str) -> Callable[[], torch.Tensor]:
    ours.use_threads(1)
    return _ops()[name]


def _forward_and_backward(name: str) -> Callable[[], None]:
    op = _forward(name)
    cotangent = torch.ones_like(op())
    return lambda: op().backward(cotangent)


def _ops() -> dict[str, Callable[[], torch.Tensor]]:
    """Each op with its arguments, giving one tensor that has a gradient."""
    size = (8, 8)
    pos_clip = _leaf([[[-0.5, -0.75, 0.0, 1.0], [0.75, -0.5, 0.0, 1.0], [-1.0, 2.0, 0.0, 2.0], [1.5, 1.5, 0.5, 2.0]]])
    triangles = torch.tensor([[0, 1, 2], [1, 3, 2]], dtype=torch.int32)
    neighbours = intaglio.neighbours(triangles)
    numbers, colors, image = _leaf(np.ones(8)), _leaf(np.ones((4, 3))), _leaf(np.ones((1, 8, 8, 1)))
    texture, uv = _leaf(np.ones((4, 4, 3))), _leaf(np.full((1, 8, 8, 2), 0.3))
    face_textures = _leaf(np.ones((2, 2, 2, 2, 3)))
    fragments = intaglio.Fragments(*(tensor.detach() for tensor in intaglio.rasterize(pos_clip, triangles, size)))
    target, empty = torch.zeros((1, 8, 8, 1)), torch.zeros((1, 8, 8))
    surface = (fragments, pos_clip, triangles)
    return {
        "square": lambda: numbers * numbers,
        "rasterize": lambda: intaglio.rasterize(pos_clip, triangles, size).barycentrics,
        "interpolate": lambda: intaglio.interpolate(colors, fragments, triangles),
        "sample_texture": lambda: intaglio.sample_texture(texture, uv),
        "sample_face_texture": lambda: intaglio.sample_face_texture(face_textures, fragments),
        "edge_gradient": lambda: intaglio.edge_gradient(image, *surface, neighbours=neighbours),
        "silhouette": lambda: intaglio.silhouette(pos_clip, triangles, size, neighbours=neighbours),
        "silhouette_error": lambda: intaglio.silhouette_error(pos_clip, triangles, empty, neighbours=neighbours),
        "antialias": lambda: intaglio.antialias(image, *surface, neighbours=neighbours),
        "sweep_gradient": lambda: intaglio.sweep_gradient(image, *surface),
        "soft_rasterize": lambda: intaglio.soft_rasterize(pos_clip, triangles, size).probability,
        "squared_error": lambda: squared_error(image, target),
    }


def _leaf(values: object) -> torch.Tensor:
    return torch.tensor(np.asarray(values, np.float32)).requires_grad_()


def _microseconds(timing: Timing) -> str:
    low, high = timing.quartiles_ms
    return f"{1e3 * timing.median_ms:.1f} ({1e3 * low:.1f}-{1e3 * high:.1f})"


if __name__ == "__main__":
    print(measure().markdown)
