# SPDX-License-Identifier: MIT
"""`intaglio render`: a mesh from all sides. Needs no framework, and takes NumPy unless one is asked for."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..array import to_numpy
from ..camera import Camera, orbit
from ..io.animation import Animation
from ..rendering import render
from .files import check_outputs, load_mesh
from .progress import Stop, watch

__all__ = ["draw", "turntable"]


def draw(options: argparse.Namespace, stop: Stop) -> str:
    """Returns a line on what was done, and prints it."""
    check_outputs(options.output)
    if options.distance <= 0:
        raise ValueError(f"render: --distance must be above 0; got {options.distance}")
    mesh = load_mesh(options.mesh)
    if options.framework is not None:
        mesh = mesh.to(options.framework)

    def frame(azimuth: float) -> Any:
        camera = Camera.look_at(orbit(options.distance, options.elevation, azimuth))
        size = (options.size, options.size)
        image = render(mesh, camera, size, shading=options.shading, supersample=options.supersample)
        return to_numpy(image.color[0])

    num_frames, rate = turntable(options.output, frame, options.frames, stop)
    line = f"drawn: {options.output}, {num_frames} frames, {rate:.0f} frames/s"
    print(line)
    return line


def turntable(path: Path, frame: Callable[[float], Any], num_frames: int, stop: Stop) -> tuple[int, float]:
    """Write an animation of frame(azimuth in degrees) on a full turn.

    Returns how many frames were drawn, fewer after a stop, and how many a second, the file included.
    """
    start = time.perf_counter()
    azimuths: Iterator[float] = (360 * number / num_frames for number in range(num_frames))
    done = 0
    with Animation(path) as animation:
        for azimuth in watch(azimuths, path.name, num_frames, stop, unit="frame"):
            animation.add(frame(azimuth))
            done += 1
    return done, done / (time.perf_counter() - start)
