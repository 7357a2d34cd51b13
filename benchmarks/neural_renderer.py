# SPDX-License-Identifier: MIT
"""How fast is the drop-in for neural_renderer, by the calls of its users?"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

import intaglio.neural_renderer.torch as nr
from intaglio import set_num_threads, shapes

from .report import Claim, Section, milliseconds
from .timing import in_turns

METHOD = """\
Two threads, one for torch's own ops, which wait for one another at every op where something else uses a core. A step of
fitting is forward, loss, backward and Adam on the vertices of the teapot, whose silhouette shall become a square, drawn
with anti-aliasing (at twice the size); a log of the original's example 2 shows 16.7 steps per second on a V100,
pictures included. The dense mesh is a sphere; its users report 1.1 s on a GPU for such a mesh."""


def use_two_cores() -> None:
    set_num_threads(2)
    torch.set_num_threads(1)


def fit_step(size: int) -> Callable[[], float]:
    """A call that takes a step of the original's example 2."""
    use_two_cores()
    mesh = shapes.teapot().normalized().to("torch")
    vertices = mesh.vertices[None].clone().requires_grad_()
    renderer = nr.Renderer(image_size=size, camera_mode="look_at")
    renderer.eye = nr.get_points_from_angles(2.732, 0, 90)
    target = torch.zeros(1, size, size)
    target[:, size // 4 : 3 * size // 4, size // 4 : 3 * size // 4] = 1
    adam = torch.optim.Adam([vertices], lr=1e-3)

    def step() -> float:
        loss = ((renderer(vertices, mesh.triangles[None], mode="silhouettes") - target) ** 2).sum()
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    return step


def dense_step(num_faces: int, size: int, mode: str | None) -> Callable[[], float]:
    """A call that draws a sphere of about so many faces, and carries a gradient back to vertices and textures."""
    use_two_cores()
    rings = int(np.sqrt(num_faces / 4)) + 1
    mesh = shapes.sphere(2 * rings, rings).to("torch")
    vertices = mesh.vertices[None].clone().requires_grad_()
    textures = torch.rand(1, len(mesh.triangles), 2, 2, 2, 3).requires_grad_()
    renderer = nr.Renderer(image_size=size, camera_mode="look_at")

    def step() -> float:
        vertices.grad = textures.grad = None
        pictures = renderer(vertices, mesh.triangles[None], textures, mode=mode)
        loss = sum((x**2).sum() for x in (pictures if mode is None else (pictures,)))
        loss.backward()
        return loss.item()

    return step


def measure(size: int = 256, num_faces: int = 100_000, *, rounds: int = 5) -> Section:
    """Steps of fitting, and forward and backward of a dense mesh."""
    calls = {"fit a shape, silhouettes": partial(fit_step, size)}
    for mode in ("silhouettes", "rgb", None):
        calls[f"{num_faces:,} faces, {mode or 'rgb, depth and alpha'}"] = partial(dense_step, num_faces, size, mode)
    timings = in_turns(calls, rounds=rounds, burst_ms=200)
    rows = [(name, milliseconds(timing), f"{1e3 / timing.median_ms:.3g}") for name, timing in timings.items()]
    (fit, timing), *dense = timings.items()
    claims = [Claim(f"drop-in, {fit}: steps per second", 1e3 / timing.median_ms, must=60, unit="/s")]
    claims += [
        Claim(f"drop-in, {name}: forward and backward", timing.median_ms, must=150, unit=" ms", smaller_is_better=True)
        for name, timing in dense
    ]
    header = (f"call, {size} x {size} pixels", "ms", "per second")
    return Section("The drop-in for neural_renderer", METHOD, header, rows, claims)


if __name__ == "__main__":
    print(measure().markdown)
