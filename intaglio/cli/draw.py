# SPDX-License-Identifier: MIT
"""`intaglio render`: a mesh from all sides. Needs no framework, and takes NumPy unless one is asked for."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .. import ops
from ..array import default_framework, framework, namespace, to_numpy
from ..camera import Camera, orbit
from ..io.animation import Animation
from ..mesh import Mesh
from ..rendering import render
from .files import check_outputs, load_mesh
from .progress import Pace, Stop, watch

__all__ = ["draw", "in_framework", "still", "turntable"]


def draw(options: argparse.Namespace, stop: Stop) -> str:
    """Returns a line on what was done, and prints it."""
    check_outputs(options.output)
    if options.distance <= 0:
        raise ValueError(f"render: --distance must be above 0; got {options.distance}")
    mesh = load_mesh(options.mesh)
    if options.framework is not None or options.device != "cpu":
        mesh = in_framework(mesh, options)

    def frame(azimuth: float) -> Any:
        camera = Camera.look_at(orbit(options.distance, options.elevation, azimuth))
        size = (options.size, options.size)
        return render(mesh, camera, size, shading=options.shading, supersample=options.supersample).color[0]

    draw_frame = namespace(mesh.vertices).compiled(frame)
    num_frames, rate = turntable(options.output, lambda azimuth: to_numpy(draw_frame(azimuth)), options.frames, stop)
    line = f"drawn: {options.output}, {num_frames} frames, {rate:.0f} frames/s"
    print(line)
    return line


def in_framework(mesh: Mesh, options: argparse.Namespace) -> Mesh:
    """The mesh in the framework that is asked for, by default the first installed one, and on the device; that
    framework's threads are put aside.

    They wait for one another at every op, of which a step has a hundred; where something else uses a core, that takes
    ten times as long as it saves. The cores are left to intaglio's ops and to the coding of pictures.
    """
    name = options.framework or default_framework()
    xp = framework(name)
    xp.use_one_thread()
    if options.device == "cpu":
        return mesh.to(name)
    if not ops.num_gpus():
        raise ValueError(f"--device must be cpu; got {options.device} (this intaglio {ops.why_no_gpus()})")
    gpu = xp.gpu(int(options.device.partition(":")[2] or 0))
    if gpu is None:
        raise ValueError(f"--device must be one that {name} sees; got {options.device} (is it built for GPUs?)")
    return mesh.to(name, gpu)


def still(mesh: Mesh, options: argparse.Namespace) -> Mesh:
    """The mesh for pictures without gradients, which NumPy's draws fastest; on a GPU it stays there."""
    return mesh.to("numpy") if options.device == "cpu" else mesh


def turntable(path: Path, frame: Callable[[float], Any], num_frames: int, stop: Stop) -> tuple[int, float]:
    """Write an animation of frame(azimuth in degrees) on a full turn.

    Returns how many frames were drawn, fewer after a stop, and how many a second, the file included (see `Pace`).
    """
    pace = Pace()
    azimuths: Iterator[float] = (360 * number / num_frames for number in range(num_frames))
    done = 0
    with Animation(path) as animation:
        for azimuth in watch(azimuths, path.name, num_frames, stop, unit="frame"):
            animation.add(frame(azimuth))
            done += 1
            pace.step()
    return done, pace.rate()
