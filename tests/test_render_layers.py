# SPDX-License-Identifier: MIT
"""`render(layers=...)`: what is seen through one another."""

import numpy as np
import pytest
import torch
from reference import scenes

from intaglio import AmbientLight, Camera, Material, Mesh, Unlit, ops, render

SIZE = (24, 32)
CAMERA = Camera.look_at((0, 0, 4), fov_y_degrees=45)
LIGHTS = [AmbientLight()]
QUAD = np.array([[-9, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0]], np.float64)
FACES = np.array([[0, 1, 2], [0, 2, 3]])
PANES = [(1.0, 0.0, 0.0, 0.25), (0.0, 1.0, 0.0, 0.5), (0.0, 0.0, 1.0, 0.5)]  # nearest first


def panes(order=(0, 1, 2)):
    """Three panes larger than the picture; `order` is that of their triangles."""
    vertices = np.concatenate([QUAD + np.array([0, 0, 0.5 - k]) for k in order])
    colors = np.concatenate([np.repeat([PANES[k]], 4, axis=0) for k in order])
    return Mesh(vertices, np.concatenate([FACES + 4 * k for k in range(3)]), vertex_colors=colors)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("supersample", [1, 2])
def test_panes_are_blended_by_depth_in_whatever_order_they_come(order, supersample):
    # 1/4 red, 3/4 * 1/2 green, 3/8 * 1/2 blue; 3/16 are left for the white background.
    expected = {1: [1, 0.75, 0.75], 2: [0.625, 0.75, 0.375], 3: [0.4375, 0.5625, 0.375], 5: [0.4375, 0.5625, 0.375]}
    alpha = {1: 0.25, 2: 0.625, 3: 0.8125, 5: 0.8125}
    for layers, color in expected.items():
        found = render(
            panes(order), CAMERA, SIZE, lights=LIGHTS, layers=layers, supersample=supersample, background=(1, 1, 1)
        )
        np.testing.assert_allclose(found.color, np.broadcast_to(color, (1, *SIZE, 3)), atol=1e-12)
        np.testing.assert_allclose(found.alpha, alpha[layers], atol=1e-12)
        assert (found.triangle_id // 2 == order.index(0)).all()


def test_layers_of_an_opaque_mesh_are_its_picture():
    sphere = scenes.icosphere(2)
    mesh = Mesh(sphere.vertices, sphere.triangles, material=Unlit(base_color=(0.2, 0.5, 0.9)))
    one, many = (render(mesh, CAMERA, SIZE, background=(0.1, 0.2, 0.3), layers=layers) for layers in (1, 4))
    for got, expected in zip(many, one, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-14)


def test_a_glass_sphere_grows_through_all_its_layers():
    # Of a glass of alpha 1/2, both sides seen: 3/4 of the area of a disc, whose derivative is 2 / r of it.
    sphere = scenes.icosphere(3)
    radius = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    mesh = Mesh(
        torch.tensor(sphere.vertices) * radius,
        sphere.triangles,
        material=Unlit(base_color=(1, 1, 1, 0.5), alpha_mode="blend"),
    )
    camera = Camera.orthographic((0.1, 0.2, 3), (0.1, 0.2, 0), half_height=1.0)
    found = render(mesh, camera, (96, 96), lights=LIGHTS, layers=3)
    found.alpha.sum().backward()
    # Within 1 % of the estimator (test_edge_gains).
    alpha = found.alpha.detach()
    assert float(radius.detach() * radius.grad / (2 * alpha.sum())) == pytest.approx(1, abs=0.01)
    assert float(alpha.max()) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 0}, r"render: layers must be a whole number from 1 to 32; got 0"),
        ({"layers": 33}, r"render: layers must be a whole number from 1 to 32; got 33"),
        (
            {"layers": 2, "visibility": "soft"},
            r"render: visibility must be 'edge' or None with several layers; got 'soft'",
        ),
    ],
)
def test_layers_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        render(panes(), CAMERA, SIZE, **options)


def uv_panes():
    """The panes with two textures: one of the mesh, one of its material."""
    mesh, rng = panes(), np.random.default_rng(0)
    texels = [rng.uniform(0.2, 1, (8, 8, channels)) for channels in (4, 3)]
    material = Material(emissive=(0.1, 0.2, 0.3), emissive_texture=texels[1], alpha_mode="blend")
    return mesh.replace(uv=mesh.vertices[:, :2] / 9, texture=texels[0], material=material)


@pytest.mark.parametrize("camera", [CAMERA, Camera.panorama((0, 0, 4))], ids=["layers", "faces of a cube"])
def test_a_render_makes_each_mip_pyramid_once(camera, monkeypatch):
    made, original = [], ops.mip_pyramid
    monkeypatch.setattr(ops, "mip_pyramid", lambda texture: made.append(texture.shape) or original(texture))
    render(uv_panes(), camera, SIZE, texture_filter="trilinear", layers=3, supersample=2)
    assert made == [(8, 8, 4), (8, 8, 3)]


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # dynamo's own doing
def test_layers_of_textures_survive_torch_compile():
    mesh = uv_panes().replace(material=Unlit(alpha_mode="blend")).to("torch")
    mesh.neighbours  # noqa: B018  (which the compiler cannot build)

    def draw(texture):
        return render(mesh.replace(texture=texture), CAMERA, SIZE, texture_filter="anisotropic", layers=2).color

    compiled = torch.compile(draw, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(mesh.texture), draw(mesh.texture))
