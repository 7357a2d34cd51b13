# SPDX-License-Identifier: MIT
"""How fast is one step of fitting a textured mesh, forward, loss and backward, beside deodr?"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch

import intaglio
from intaglio.losses import squared_error

from . import ours, scenes
from .report import Claim, Section, milliseconds, ratio
from .timing import in_turns

METHOD = """\
A sphere of 3,968 triangles under a map of the world, noise of 256 x 256 texels, on 11 % or 36 % of 512 x 512 pixels.
Sum of squared differences with a black picture; gradient to every vertex, edges included, and to every texel. One
thread. Neither draws back faces. intaglio: `textured_error`, which is this loss in one op and writes no image, and
`backward()`, float32, trilinear between the levels of a pyramid that every step makes anew; with an image: `textured`,
`losses.squared_error` and `backward()`, for losses that are none of this kind; composed: `rasterize`, `interpolate`,
`screen_derivatives`, `mip_pyramid`, `sample_texture` and `edge_gradient` in place of `textured`. The gradients
of all three agree. deodr: float64, bilinear, without a pyramid, and without perspective in its backward pass;
`Scene2D.render_compare_and_backward`, its one call for such a step, as it comes; in two calls, `Scene2D.render`, a lean
loss and `render_backward` without the copies that are its default; and, tuned, its inner calls on arrays that are kept,
which nobody but a benchmark writes. A batch is one call here, one view after the other there."""


def measure(
    scales: Sequence[float] = (0.577, 1.0),
    batches: Sequence[int] = (1, 8),
    *,
    size: int = 512,
    texels: int = 256,
    rounds: int = 7,
    peers: bool = True,
) -> Section:
    """Textured steps: intaglio, deodr."""
    rows, claims = [], []
    for batch in batches:
        for scale in scales:
            row, claim = _compare(scenes.textured_sphere(batch, scale, texels), size, rounds, peers)
            rows.append(row)
            claims += claim
    header = ("views", "covered", "intaglio, ms", "with an image, ms", "composed, ms")
    if peers:
        header += ("deodr, ms", "in two calls, ms", "tuned, ms")
        header += ("deodr / intaglio", "two calls / intaglio", "tuned / intaglio", "two calls / with an image")
    return Section("Textured meshes, forward and backward", METHOD, header, rows, claims)


def _compare(scene: scenes.TexturedScene, size: int, rounds: int, peers: bool) -> tuple[tuple, list[Claim]]:
    contestants: dict[str, Callable[[], Callable[[], object]]] = {
        "intaglio": partial(step, scene, size),
        "with an image": partial(step, scene, size, way="with an image"),
        "composed": partial(step, scene, size, way="composed"),
    }
    batch = len(scene.pos_clip)
    if peers:
        from .peers import deodr_textured

        targets = np.zeros((batch, size, size, 3), np.float32)
        ways = {"deodr": "whole_step", "deodr in two calls": "step", "deodr tuned": "tuned_step"}
        contestants |= {name: partial(deodr_textured.steps, scene, targets, way) for name, way in ways.items()}
    timings = in_turns(contestants, rounds=rounds)
    covered = (ours.forward(scene, size)().triangle_id >= 0).float().mean().item()
    row = (str(batch), f"{covered:.0%}", *(milliseconds(timing) for timing in timings.values()))
    if not peers:
        return row, []
    gain = timings["deodr"].times(timings["intaglio"])
    row += tuple(ratio(timings[name].times(timings["intaglio"])) for name in ways)
    row += (ratio(timings["deodr in two calls"].times(timings["with an image"])),)
    what = f"textured step {size}², batch {batch}, {covered:.0%} covered: deodr / intaglio"
    return row, [Claim(what, gain, must=4)]


def step(scene: scenes.TexturedScene, size: int, *, way: str = "fused") -> Callable[[], float]:
    """A call that takes one step with one thread: the loss; gradients go to positions and texels."""
    ours.use_threads(1)
    pos_clip, texture = (torch.from_numpy(x).clone().requires_grad_() for x in (scene.pos_clip, scene.texture))
    triangles, neighbours = torch.from_numpy(scene.triangles), torch.from_numpy(scene.neighbours)
    uv, uv_triangles = torch.from_numpy(scene.uv), torch.from_numpy(scene.uv_triangles)
    target = torch.zeros(len(scene.pos_clip), size, size, 3)
    options = {"uv_triangles": uv_triangles, "neighbours": neighbours, "cull_backfaces": True}

    def fused_loss() -> torch.Tensor:
        error = intaglio.textured_error(pos_clip, triangles, uv, texture, target, **options)
        return error if len(error) == 1 else error.sum()

    def loss_of_image() -> torch.Tensor:
        return squared_error(intaglio.textured(pos_clip, triangles, uv, texture, (size, size), **options), target)

    def composed_loss() -> torch.Tensor:
        fragments = intaglio.rasterize(pos_clip, triangles, (size, size), cull_backfaces=True)
        at = intaglio.interpolate(uv, fragments, uv_triangles)
        footprint = intaglio.screen_derivatives(uv, fragments, uv_triangles, pos_clip, triangles)
        levels = intaglio.mip_pyramid(texture)
        options = {"filter": "trilinear", "uv_derivatives": footprint, "fragments": fragments}
        image = intaglio.sample_texture(levels, at, **options)
        image = intaglio.edge_gradient(image, fragments, pos_clip, triangles, neighbours=neighbours)
        return squared_error(image, target)

    loss_of = {"fused": fused_loss, "with an image": loss_of_image, "composed": composed_loss}[way]

    def descend() -> float:
        pos_clip.grad = texture.grad = None
        loss = loss_of()
        loss.backward()
        return loss.item()

    return descend


if __name__ == "__main__":
    print(measure().markdown)
