# SPDX-License-Identifier: MIT
"""A textured metallic-roughness mesh under a sun, a lamp and a sky, drawn whole: its gradients beside differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import intaglio
from benchmarks.shading_scene import ring

SIZE = (40, 40)


def inputs():
    """Everything in float64; maps of 32 x 32 texels, a sky of 16 x 32."""
    scene = ring(12)
    material, (sun, lamp, sky) = scene.mesh.material, scene.lights
    arrays = {
        "vertices": scene.mesh.vertices,
        "texture": scene.mesh.texture[::16, ::16],
        "roughness": material.metallic_roughness_texture[::16, ::16],
        "normal_map": material.normal_texture[::16, ::16],
        "direction": sun.direction,
        "place": lamp.position,
        "color": lamp.color,
        "sky": np.minimum(sky.image[::16, ::16], 4),
    }
    return {name: torch.tensor(np.array(x), dtype=torch.float64) for name, x in arrays.items()}


def draw(x):
    """The colours, and which triangle each pixel shows."""
    scene = ring(12)
    mesh, (sun, lamp, sky) = scene.mesh, scene.lights
    material = replace(mesh.material, metallic_roughness_texture=x["roughness"], normal_texture=x["normal_map"])
    floats = {name: torch.tensor(getattr(mesh, name), dtype=torch.float64) for name in ("uv", "normals", "tangents")}
    mesh = mesh.replace(vertices=x["vertices"], texture=x["texture"], material=material, **floats)
    sun, lamp = replace(sun, direction=x["direction"]), replace(lamp, position=x["place"], color=x["color"])
    lights = (sun, lamp, replace(sky, image=x["sky"]))
    shown = intaglio.render(mesh, scene.camera, SIZE, lights=lights, visibility=None)
    return shown.color, shown.triangle_id


@pytest.mark.parametrize("name", inputs())
def test_gradients_are_what_differences_say(name):
    x = inputs()
    rng = np.random.default_rng(1)
    direction, step = torch.from_numpy(rng.normal(size=x[name].shape)), 1e-7
    (ahead, ids_ahead), (behind, ids_behind) = (draw(x | {name: x[name] + s * direction}) for s in (step, -step))
    x[name].requires_grad_()
    color, ids = draw(x)
    # Pixels that another triangle takes on the way jump; the edges of texels only bend.
    stays = ((ids == ids_ahead) & (ids == ids_behind) & (ids >= 0))[..., None]
    assert stays.double().mean() > 0.4
    weight = torch.from_numpy(rng.normal(size=color.shape)) * stays
    color.backward(weight)
    assert x[name].grad is not None
    terms = (ahead - behind) / (2 * step) * weight
    # Differences round to 1e-16 / 1e-7 of colours up to 10; a texel's border, where the slope bends, lies within a step
    # of one pixel in 1e5, of 1e3 that there are.
    along = (x[name].grad * direction).sum()
    assert along.item() == pytest.approx(terms.sum().item(), rel=1e-5, abs=1e-6 * terms.abs().sum().item())
