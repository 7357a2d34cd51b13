# SPDX-License-Identifier: MIT
"""torch.compile sees through all that shades and all that looks: whole graphs, the numbers of uncompiled code."""

import numpy as np
import pytest
import torch

from intaglio import (
    AmbientLight,
    BlinnPhong,
    Camera,
    EnvironmentLight,
    Material,
    PointLight,
    SphericalHarmonicsLight,
    SpotLight,
    Unlit,
    pack,
    render,
    shapes,
)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")  # dynamo's own doing
SIZE = (16, 20)
CAMERA = Camera.look_at((0.3, 0.8, 2.6))
RNG = np.random.default_rng(0)
BALL = shapes.icosphere(1)
TEXTURED = BALL.replace(uv=0.5 + BALL.vertices[:, :2] / 2, texture=RNG.uniform(0.2, 1, (8, 8, 3)))
TEXELS, SKY = RNG.uniform(0.3, 1, (4, 4, 3)), torch.tensor(RNG.uniform(0.2, 1, (8, 16, 3)), dtype=torch.float32)
SHINY = BALL.replace(material=Material(metallic=0.3, roughness=0.4))

SCENES = {
    "metal": (SHINY, {}),
    "metal of arrays": (BALL.replace(material=Material(metallic=np.array(0.3), roughness=np.array(0.4))), {}),
    "rough map": (TEXTURED.replace(material=Material(metallic_roughness_texture=TEXELS[..., :2])), {}),
    "normal map": (TEXTURED.replace(material=Material(normal_texture=TEXELS)), {"shading": "smooth"}),
    "Blinn and Phong": (BALL.replace(material=BlinnPhong(specular=np.array([0.4, 0.4, 0.4]))), {}),
    "glass": (BALL.replace(material=Unlit(base_color=(0.5, 0.4, 0.3, 0.5), alpha_mode="blend")), {"layers": 2}),
    "trilinear": (TEXTURED, {"texture_filter": "trilinear"}),
    "harmonics": (SHINY, {"lights": [SphericalHarmonicsLight(RNG.normal(0, 0.3, (9, 3)))]}),
    "environment": (SHINY, {"lights": [EnvironmentLight(SKY)], "background": EnvironmentLight(SKY)}),
    "lamps": (SHINY, {"lights": [PointLight(np.array([1, 2, 3])), SpotLight((0, 2, 2), (0, -1, -1)), AmbientLight()]}),
}
EYES = [(0.3, 0.8, 2.6), (1.0, 0.8, 2.4)]
K = np.array([[20.0, 0, 9.5], [0, 21.0, 8.2], [0, 0, 1]])
CAMERAS = {
    "stacked": Camera.stack([Camera.look_at(eye) for eye in EYES]),
    "calibrated": Camera.opencv(K, np.diag([1.0, -1, -1]), np.array([0.1, 0, 3]), SIZE),
}


def assert_traced(draw, vertices):
    torch._dynamo.reset()
    found = []
    for function in (draw, torch.compile(draw, fullgraph=True, backend="eager")):
        picture = function(vertices)
        (grad,) = torch.autograd.grad(picture.square().sum(), vertices)
        assert grad.abs().max() > 0
        found.append((picture.detach(), grad))
    for eager, compiled in zip(*found, strict=True):
        torch.testing.assert_close(compiled, eager, rtol=1e-4, atol=1e-4)


def leaf(mesh):
    mesh.neighbours  # noqa: B018 - built once, before
    return mesh.vertices.clone().requires_grad_()


@pytest.mark.parametrize("name", SCENES)
def test_materials_and_lights_are_traced(name):
    mesh, options = SCENES[name]
    mesh = mesh.to("torch")
    assert_traced(lambda x: render(mesh.replace(vertices=x), CAMERA, SIZE, **options).color, leaf(mesh))


@pytest.mark.parametrize("name", CAMERAS)
def test_cameras_of_arrays_are_traced(name):
    mesh = SHINY.to("torch")
    assert_traced(lambda x: render(mesh.replace(vertices=x), CAMERAS[name], SIZE).color, leaf(mesh))


def test_packs_of_materials_seen_by_all_cameras_are_traced():
    meshes = [SHINY.to("torch"), shapes.cube().replace(material=Material(metallic=0.7)).to("torch"), BALL.to("torch")]
    packed = pack(meshes)
    others = [mesh.vertices for mesh in meshes[1:]]
    for mesh in packed:
        leaf(mesh)

    def draw(vertices):
        return render(packed.replace(vertices=[vertices, *others]), CAMERAS["stacked"], SIZE, product=True).color

    draw(meshes[0].vertices)  # tables of all are built
    assert_traced(draw, leaf(meshes[0]))
