# SPDX-License-Identifier: MIT
"""`intaglio fit shape|texture|camera`: the examples of the Neural 3D Mesh Renderer (Kato, Ushiku, Harada, 2018).

Each writes pictures of its steps and returns the line that it closes with. The eyes are those of 2018, whose pictures
were mirrored and whose azimuth 0 lay on -z.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from .. import fit
from ..array import to_numpy
from ..camera import Camera, orbit
from ..io import save_image, save_obj
from ..io.animation import Animation
from ..light import AmbientLight
from ..losses import silhouette_iou
from ..mesh import Mesh
from ..rendering import render, render_silhouette
from .draw import in_framework, still, turntable
from .files import beside, check_outputs, load_color, load_mesh, load_silhouette
from .pictures import compared, over_target, square, sunset
from .progress import Pace, Stop, watch

__all__ = ["fit_camera", "fit_shape", "fit_texture"]

DISTANCE = 2.732  # shows -1 to 1 at the middle of the mesh under a field of view of 60 degrees
START_EYE = (6.0, 10.0, -14.0)
GOAL_EYE = orbit(DISTANCE, 30, 180 + 15)  # of 2018: azimuth -15
NUM_FRAMES = 90
STEPS_PER_PICTURE = 2  # of a texture, which changes slowly; in 2018 it had none


def fit_shape(options: argparse.Namespace, stop: Stop) -> str:
    """Deform the mesh until its silhouette, seen from +x, is a square or that of the reference."""
    result, obj, reference = (beside(options.output, *s) for s in (("-result",), ("", ".obj"), ("-reference", ".png")))
    check_outputs(options.output, (result, obj, reference))
    mesh = load_mesh(options.mesh)
    target = square(options.size) if options.reference is None else load_silhouette(options.reference)
    num_steps = options.steps or (300 if options.visibility == "sweep" else 120)
    steps = fit.fit_shape(
        in_framework(mesh, options),
        target,
        Camera.look_at(orbit(DISTANCE, 0, 90)),
        visibility=options.visibility,
        supersample=options.supersample,
    )
    save_image(reference, target)
    losses: list[float] = []
    close_at, pace = None, Pace()
    with Animation(options.output) as animation:
        counted = islice(steps, num_steps + 1)
        for step in watch(counted, f"shape, {options.visibility}", num_steps, stop, first=0, note=_loss):
            alpha = to_numpy(step.alpha)
            animation.add(compared(alpha, target))
            iou = 1 - float(silhouette_iou(alpha, target))
            if close_at is None and iou > 0.999:
                close_at = len(losses)
            losses.append(step.loss)
            pace.step()
    rate = pace.rate()
    save_obj(obj, step.mesh)
    if not stop.requested:
        _turn(options, result, step.mesh, stop)
    close = f", over 0.999 after {close_at} steps" if close_at is not None else ""
    return _closed(f"shape, {options.visibility}", losses, losses[-1], f"IoU {iou:.4f}{close}", rate)


def fit_texture(options: argparse.Namespace, stop: Stop) -> str:
    """Paint the mesh so that it looks like a sunset, or like the reference, from every side."""
    result, obj, reference = (beside(options.output, *s) for s in (("-result",), ("", ".obj"), ("-reference", ".png")))
    check_outputs(options.output, (result, obj, reference))
    mesh = load_mesh(options.mesh)
    target = sunset(options.size) if options.reference is None else load_color(options.reference)
    steps = fit.fit_texture(
        in_framework(mesh, options), target, _random_sides(options.seed), supersample=options.supersample
    )
    save_image(reference, target)
    losses: list[float] = []
    pace = Pace()
    with Animation(options.output) as animation:
        counted = islice(steps, options.steps + 1)
        for step in watch(counted, "texture", options.steps, stop, first=0, note=_loss):
            if len(losses) % STEPS_PER_PICTURE == 0:
                azimuth = 360 / NUM_FRAMES * len(losses) / STEPS_PER_PICTURE
                animation.add(_painted(options, step.mesh, azimuth))
            losses.append(step.loss)
            pace.step()
    rate = pace.rate()
    save_obj(obj, step.mesh)
    if not stop.requested:
        turntable(result, lambda azimuth: _painted(options, step.mesh, azimuth), NUM_FRAMES, stop)
    num_last = min(20, len(losses))
    mean = sum(losses[-num_last:]) / num_last
    return _closed("texture", losses, mean, f"mean of the last {num_last} sides", rate)


def fit_camera(options: argparse.Namespace, stop: Stop) -> str:
    """Find the eye that saw a silhouette: the mesh's own, drawn by the program, or the reference."""
    check_outputs(options.output, (beside(options.output, "-reference", ".png"),))
    mesh = load_mesh(options.mesh)
    target = _seen_from_goal(options, mesh) if options.reference is None else load_silhouette(options.reference)
    fitted = in_framework(mesh, options)
    seen = still(fitted, options)
    steps = fit.fit_camera(
        fitted,
        target,
        START_EYE,
        visibility=options.visibility,
        supersample=options.supersample,
    )
    save_image(beside(options.output, "-reference", ".png"), target)
    # The loss that the program of 2018 stops at, in pictures of 256 x 256; `edge` comes closer, and shall.
    enough = (70 if options.visibility == "sweep" else 10) * target.size / 256**2
    losses: list[float] = []
    near_at, pace = None, Pace()
    with Animation(options.output) as animation:
        counted = islice(steps, options.steps + 1)
        for step in watch(counted, f"camera, {options.visibility}", options.steps, stop, first=0, note=_loss):
            camera = Camera.look_at(to_numpy(step.eye))
            color = render(seen, camera, target.shape, visibility=None, supersample=options.supersample).color[0]
            animation.add(over_target(to_numpy(color), to_numpy(step.alpha), target))
            degrees, percent = _distance_from_goal(to_numpy(step.eye))
            if near_at is None and degrees < 1 and percent < 1:
                near_at = len(losses)
            losses.append(step.loss)
            pace.step()
            if step.loss < enough:
                break
    rate = pace.rate()
    found = "eye " + ", ".join(f"{x:.3f}" for x in to_numpy(step.eye))
    if options.reference is None:
        near = f", within 1 of both after {near_at} steps" if near_at is not None else ""
        found += f": {degrees:.2f} degrees and {percent:.2f} % of the distance off{near}"
    return _closed(f"camera, {options.visibility}", losses, losses[-1], found, rate)


def _random_sides(seed: int) -> Iterator[Camera]:
    """Parallel rays, level, from anywhere around."""
    random = np.random.default_rng(seed)
    while True:
        yield Camera.orthographic(orbit(DISTANCE, 0, random.uniform(0, 360)))


def _painted(options: argparse.Namespace, mesh: Mesh, azimuth: float) -> np.ndarray:
    """[H, W, 3]: the mesh in its own colours, as the fit sees it."""
    camera = Camera.orthographic(orbit(DISTANCE, 0, azimuth))
    size = (options.size, options.size)
    lights = (AmbientLight(),)
    seen = still(mesh, options)
    image = render(seen, camera, size, lights=lights, visibility=None, supersample=options.supersample)
    return to_numpy(image.color[0])


def _turn(options: argparse.Namespace, path: Any, mesh: Mesh, stop: Stop) -> None:
    """The deformed mesh from all sides, level; from azimuth 90 it is what was asked for."""
    seen = still(mesh, options)
    size = (options.size, options.size)

    def frame(azimuth: float) -> np.ndarray:
        camera = Camera.look_at(orbit(DISTANCE, 0, 90 + azimuth))
        return to_numpy(render(seen, camera, size, visibility=None, supersample=options.supersample).color[0])

    turntable(path, frame, NUM_FRAMES, stop)


def _seen_from_goal(options: argparse.Namespace, mesh: Mesh) -> np.ndarray:
    size = (options.size, options.size)
    return render_silhouette(mesh, Camera.look_at(GOAL_EYE), size, visibility=None, supersample=options.supersample)[0]


def _distance_from_goal(eye: np.ndarray) -> tuple[float, float]:
    """Degrees between the directions, and the difference of the distances in per cent."""
    distance = np.linalg.norm(eye)
    degrees = np.degrees(np.arccos(np.clip(eye @ GOAL_EYE / (distance * DISTANCE), -1, 1)))
    return float(degrees), float(100 * abs(distance / DISTANCE - 1))


def _loss(step: Any) -> str:
    return f"loss {step.loss:.0f}"


def _closed(title: str, losses: list[float], last: float, what: str, rate: float) -> str:
    line = f"{title}: loss {losses[0]:.0f} -> {last:.0f} in {len(losses) - 1} steps ({what}), {rate:.0f} it/s"
    print(line, flush=True)
    return line
