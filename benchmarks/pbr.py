# SPDX-License-Identifier: MIT
"""How fast is a textured metallic-roughness mesh drawn and differentiated, beside OpenGL on the CPU?"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch

import intaglio

from . import ours, shading_scene
from .report import Claim, Section, milliseconds, ratio
from .timing import in_turns

METHOD = """\
One thread each. A ring with maps of colour, roughness and metal, and normals, 512 x 512 texels each, bilinear, under a
directional light, a point light and a prefiltered sky of six levels (a cube map read between two, and spherical
harmonics). intaglio: `render`, torch; llvmpipe: the same formulas in GLSL over the same maps, levels and table of the
split sum, vertices up, 32-bit floats read back. Both show the same picture: the last column says how many pixels differ
by more than 1/255. A step is `render` and `backward()` to one quantity alone, silhouettes included where the vertices
move; to the sky it includes the prefiltering, forward and backward. llvmpipe has no backward: the ratio is to its
picture."""

# What a step differentiates to.
QUANTITIES = ("texture", "roughness", "lights", "sky", "vertices")


def measure(segments: int = 100, size: int = 512, *, rounds: int = 7, peers: bool = True) -> Section:
    """A picture and steps to each quantity: intaglio, llvmpipe."""
    scene = shading_scene.ring(segments)
    contestants = {"picture": partial(picture, scene, size)}
    contestants |= {quantity: partial(step, scene, size, quantity) for quantity in QUANTITIES}
    if peers:
        from .peers import llvmpipe_shading

        contestants["llvmpipe"] = partial(llvmpipe_shading.forward, scene, size)
    timings = in_turns(contestants, rounds=rounds)
    names = {"picture": "picture"} | {quantity: f"step to {quantity}" for quantity in QUANTITIES}
    rows = [(name, milliseconds(timings[key])) for key, name in names.items()]
    if not peers:
        return Section(_TITLE, METHOD, ("what", "intaglio, ms"), rows)
    costs = {key: timings[key].times(timings["llvmpipe"]) for key in names}
    rows = [(*row, milliseconds(timings["llvmpipe"]), ratio(costs[key])) for row, key in zip(rows, names, strict=True)]
    rows[0] += (disagreement(scene, size),)
    rows[1:] = [(*row, "") for row in rows[1:]]
    claim = Claim(f"textured PBR {size}²: intaglio / llvmpipe", costs["picture"], must=3, aim=1, smaller_is_better=True)
    header = ("what", "intaglio, ms", "llvmpipe's picture, ms", "intaglio / llvmpipe", "pixels that differ")
    return Section(_TITLE, METHOD, header, rows, [claim])


_TITLE = "A textured mesh with materials and light"


def picture(scene: shading_scene.ShadingScene, size: int) -> Callable[[], torch.Tensor]:
    """A call that renders the scene."""
    return _call(_in_torch(scene), size)


def step(scene: shading_scene.ShadingScene, size: int, quantity: str) -> Callable[[], torch.Tensor]:
    """A call that renders the scene and gives the gradient of the sum of its colours to one quantity."""
    scene, leaf = _differentiable(_in_torch(scene), quantity)
    draw = _call(scene, size)
    weight = torch.ones((1, size, size, 3))

    def descend() -> torch.Tensor:
        leaf.grad = None
        draw().backward(weight)
        assert leaf.grad is not None
        return leaf.grad

    return descend


def _call(scene: shading_scene.ShadingScene, size: int) -> Callable[[], torch.Tensor]:
    ours.use_threads(1)
    return lambda: intaglio.render(scene.mesh, scene.camera, (size, size), lights=scene.lights).color


def _in_torch(scene: shading_scene.ShadingScene) -> shading_scene.ShadingScene:
    sun, lamp, sky = scene.lights
    sun = replace(sun, direction=torch.tensor(sun.direction))
    lights = (sun, lamp, replace(sky, image=torch.tensor(sky.image)))
    return replace(scene, mesh=scene.mesh.to("torch"), lights=lights)


def _differentiable(
    scene: shading_scene.ShadingScene, quantity: str
) -> tuple[shading_scene.ShadingScene, torch.Tensor]:
    """The scene with one of its tensors tracked, and that tensor."""
    mesh, (sun, lamp, sky) = scene.mesh, scene.lights
    tensors = {
        "texture": mesh.texture,
        "roughness": mesh.material.metallic_roughness_texture,
        "lights": sun.direction,
        "sky": sky.image,
        "vertices": mesh.vertices,
    }
    leaf = tensors[quantity].detach().clone().requires_grad_()
    if quantity in ("texture", "vertices"):
        return replace(scene, mesh=mesh.replace(**{quantity: leaf})), leaf
    if quantity == "roughness":
        return replace(scene, mesh=mesh.replace(material=replace(mesh.material, metallic_roughness_texture=leaf))), leaf
    lights = (
        (replace(sun, direction=leaf), lamp, sky) if quantity == "lights" else (sun, lamp, replace(sky, image=leaf))
    )
    return replace(scene, lights=lights), leaf


def disagreement(scene: shading_scene.ShadingScene, size: int) -> str:
    """How many of the pixels that either covers differ by more than a step of 8 bits, and by how much at most.

    Raises AssertionError where that is more than 1 in 1000: then they are not the same picture.
    """
    from .peers import llvmpipe_shading

    theirs = llvmpipe_shading.forward(scene, size)()[::-1]
    mine = picture(scene, size)()[0].numpy()
    covered = (theirs[..., 3] > 0) | (mine.max(axis=-1) > 0)
    difference = np.abs(theirs[..., :3] - mine).max(axis=-1)[covered]
    share = float(np.mean(difference > 1 / 255))
    assert share < 1e-3, f"{100 * share:.2f} % of the pixels differ"
    return f"{100 * share:.3f} %, at most {difference.max(initial=0):.2g}"


if __name__ == "__main__":
    print(measure().markdown)
