# SPDX-License-Identifier: MIT
"""Are many different meshes drawn faster together than one after the other?"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

from intaglio import Camera, Mesh, Pack, compare_silhouette, orbit, pack, render, shapes

from . import ours
from .report import Claim, Section, milliseconds
from .timing import Call, in_turns

METHOD = """\
One thread, float32, torch. Spheres of 320 and 1,280 triangles, toruses of 2,304 and teapots of 552 in turn, each of a
size of its own and seen by its own camera. A step is the gradient to the vertices of all: of pictures in the colours of
vertices, and of silhouettes compared with targets. The loop draws mesh by mesh; the pack is one call. What a call costs
besides pixels is saved; pictures that are together larger than the caches, and arrays too large for the allocator to
keep, cost more than they do one by one."""


def measure(counts: Sequence[int] = (8, 64), sizes: Sequence[int] = (64, 256), *, rounds: int = 5) -> Section:
    """Steps over a loop and over a pack."""
    rows, claims = [], []
    for count, size in ((count, size) for count in counts for size in sizes):
        for name, step in (("pictures", picture), ("silhouettes", silhouette)):
            makers = {kind.__name__: partial(timed, kind, step, count, size) for kind in (loop, packed)}
            timings = in_turns(makers, rounds=rounds)
            ratio = timings["loop"].times(timings["packed"])
            cells = (milliseconds(timings["loop"]), milliseconds(timings["packed"]), f"{ratio:.2f}x")
            rows.append((f"{count} {name} of {size} x {size}", *cells))
            if (count, size) == (max(counts), min(sizes)):
                goals = {"must": 1.5, "aim": 3} if step is picture else {"must": 1, "aim": 2}
                claims.append(Claim(f"{count} small {name}: times as fast as a loop", ratio, **goals))
    return Section("Many meshes", METHOD, ("step", "loop, ms", "pack, ms", "loop / pack"), rows, claims)


def timed(kind: Callable, step: Callable, count: int, size: int) -> Call:
    """Picklable."""
    ours.use_threads(1)
    return kind(step, count, size)


def meshes_of(count: int) -> list[Mesh]:
    kinds = (shapes.icosphere(2), shapes.icosphere(3), shapes.torus(), shapes.teapot(3).normalized())
    meshes = []
    for k in range(count):
        mesh = kinds[k % len(kinds)].to("torch")
        vertices = (0.6 + 0.4 * k / count) * mesh.vertices
        colors = torch.rand(vertices.shape, generator=torch.Generator().manual_seed(k))
        meshes.append(Mesh(vertices.requires_grad_(), mesh.triangles, vertex_colors=colors))
    return meshes


def cameras_of(count: int) -> Camera:
    return Camera.look_at(orbit(np.full(count, 3.0), np.full(count, 20.0), np.arange(count) * 360 / count))


def loop(step: Callable, count: int, size: int) -> Call:
    meshes, cameras, targets = meshes_of(count), cameras_of(count), torch.full((count, size, size), 0.5)
    alone = [(mesh, cameras[k], targets[k]) for k, mesh in enumerate(meshes)]
    return lambda: [step(*one).backward() for one in alone]


def packed(step: Callable, count: int, size: int) -> Call:
    meshes, cameras, targets = meshes_of(count), cameras_of(count), torch.full((count, size, size), 0.5)
    together = pack(meshes)
    vertices = [mesh.vertices for mesh in meshes]
    return lambda: step(together.replace(vertices=vertices), cameras, targets).backward()


def picture(mesh: Mesh | Pack, cameras: Camera, targets: torch.Tensor) -> torch.Tensor:
    return render(mesh, cameras, tuple(targets.shape[-2:])).color.sum()


def silhouette(mesh: Mesh | Pack, cameras: Camera, targets: torch.Tensor) -> torch.Tensor:
    return compare_silhouette(mesh, cameras, targets).sum()


if __name__ == "__main__":
    print(measure().markdown)
